"""Signed notes and checkpoints as C2SP writes them: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint, pure.

A note is text, an empty line, and signature lines ``— name base64(key id || signature)``; what is signed is the text with its
last newline. A checkpoint is the text of a note: origin, number of leaves, root, and any further lines. The Ed25519 arithmetic
itself comes from outside (`VerifyBytes`), so that this module needs nothing but the standard library.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from workflows.merkle import HASH_BYTES

#: ``(public key, message, signature) -> whether it is that key's signature``.
VerifyBytes = Callable[[bytes, bytes, bytes], bool]

#: The signature type of Ed25519, the byte before the key in key ids and in verifier keys.
ED25519 = b"\x01"
KEY_BYTES = 32

#: What more is no note: the limits of the Go implementation (golang.org/x/mod/sumdb/note) and of `NOTE_BYTES_MAX` bytes.
SIGNATURES_MAX = 100
NOTE_BYTES_MAX = 1_000_000

_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ValueError):
    """A note, key or checkpoint is not one, or a signature is not that of the key it names; the message says what is wrong."""


class VerifierKey(NamedTuple):
    """A public key under the name of the log that signs with it."""

    name: str
    public: bytes
    """Ed25519, 32 bytes (RFC 8032)."""

    @property
    def id(self) -> bytes:
        """Four bytes that, with the name, say which key a signature is of: SHA-256(name || 0x0A || 0x01 || public)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """Return the key as it is handed around: ``name+id+base64(0x01 || public)``."""
        return f"{self.name}+{self.id.hex()}+{_encoded(ED25519 + self.public)}"


class Signature(NamedTuple):
    """One signature line."""

    name: str
    key_id: bytes
    bytes: bytes


class Note(NamedTuple):
    """A note as it was read; nothing about its signatures has been checked."""

    text: str
    """Ends with a newline, which is signed too."""
    signatures: tuple[Signature, ...]
    """In the order of their lines."""

    def __str__(self) -> str:
        """Return the note as it is stored and sent."""
        lines = (f"— {s.name} {_encoded(s.key_id + s.bytes)}\n" for s in self.signatures)
        return f"{self.text}\n{''.join(lines)}"


class Checkpoint(NamedTuple):
    """What a log commits to: the first *size* events, and nothing else, have *root*."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text of the checkpoint's note."""
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), _encoded(self.root), *self.extensions))


def checked_name(name: str) -> str:
    """Return *name* when a key may have it: not empty, no spaces, no plus sign, nothing that does not print.

    Raises
    ------
    NoteError
        When it may not.
    """
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise NoteError(f"{name!r} is no name for a key: it is empty, or has a space, a plus sign or a control character")
    return name


_P = 2**255 - 19
_Y_BITS = 2**255 - 1
_Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7

#: The y of the points of Ed25519 of which eight times is the neutral one: signatures by such a key are for everybody to make.
_WEAK = frozenset({0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8})


def parse_key(encoded: str) -> VerifierKey:
    """Return the verifier key in *encoded*.

    Raises
    ------
    NoteError
        When it is none, is not of Ed25519 or weak, or its id is not that of its name and key.
    """
    name, _, rest = encoded.partition("+")
    id_, _, material = rest.partition("+")
    key = _decoded(material, "the verifier key")
    if key[:1] != ED25519 or len(key) != 1 + KEY_BYTES:
        raise NoteError("the verifier key is not one of Ed25519")
    if (int.from_bytes(key[1:], "little") & _Y_BITS) % _P in _WEAK:
        raise NoteError("the verifier key is none of which somebody has the private half: whoever likes can sign by it")
    made = VerifierKey(checked_name(name), key[1:])
    if id_ != made.id.hex():
        raise NoteError("the verifier key's id is not that of its name and key: it was mistyped or altered")
    return made


def parse_note(raw: str) -> Note:
    """Return the note in *raw*, its signatures unchecked.

    Raises
    ------
    NoteError
        When it is no note.
    """
    if len(raw.encode()) > NOTE_BYTES_MAX:
        raise NoteError(f"it is longer than {NOTE_BYTES_MAX} bytes")
    if any(ord(character) < 0x20 and character != "\n" for character in raw):
        raise NoteError("it has a control character")
    text, cut, lines = raw.rpartition("\n\n")
    if not cut or not lines.endswith("\n"):
        raise NoteError("it does not end with an empty line and signature lines")
    signatures = tuple(_parse_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > SIGNATURES_MAX:
        raise NoteError(f"it has more than {SIGNATURES_MAX} signatures")
    return Note(f"{text}\n", signatures)


def _parse_signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if not match:
        raise NoteError(f"{line[:80]!r} is no signature line")
    signature = _decoded(match[2], "a signature")
    if len(signature) < 5:
        raise NoteError("a signature is too short")
    return Signature(checked_name(match[1]), signature[:4], signature[4:])


def signers(note: Note, known: Collection[VerifierKey], verify: VerifyBytes) -> list[VerifierKey]:
    """Return which *known* keys signed *note*, in its order; signatures of other keys say nothing and are passed over.

    Raises
    ------
    NoteError
        When a signature that names a known key is not that key's. Of several by one key the first decides.
    """
    by_name = {(key.name, key.id): key for key in known}
    found: list[VerifierKey] = []
    for signature in note.signatures:
        key = by_name.get((signature.name, signature.key_id))
        if key is None or key in found:
            continue
        if not verify(key.public, note.text.encode(), signature.bytes):
            raise NoteError(f"the signature of {key.name}+{key.id.hex()} is not over this text")
        found.append(key)
    return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that is the *text* of a note.

    Raises
    ------
    NoteError
        When it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise NoteError("it is no checkpoint: origin, size and root, each on a line of its own, are missing")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise NoteError(f"{size[:80]!r} is no number of events")
    decoded = _decoded(root, "the root")
    if len(decoded) != HASH_BYTES:
        raise NoteError(f"the root has {len(decoded)} bytes, not {HASH_BYTES}")
    return Checkpoint(origin, int(size), decoded, tuple(extensions))


def split_notes(raw: str) -> list[str]:
    """Return the notes of a file in which checkpoints stand one behind the other, with empty lines between them or none.

    What stands behind the last whole note, such as one that was cut off, comes last and is refused by `parse_note`.
    """
    notes, current, signed = [], "", False
    for line in raw.splitlines(keepends=True):
        if signed and not line.startswith("— "):
            notes.append(current)
            current, signed = "", False
        if current or line.strip():
            current += line
            signed = line.startswith("— ")
    return [*notes, current] if current else notes


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(encoded: str, what: str) -> bytes:
    """Return what *encoded* holds; only the one canonical form of Base64 is accepted."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(f"{what} is not in Base64") from None
    if _encoded(raw) != encoded:
        raise NoteError(f"{what} is not in Base64")
    return raw
