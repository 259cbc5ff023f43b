"""The key that signs checkpoints: a file that only we may read, and beside it the public keys of all that ever signed here.

The private key is one line, ``PRIVATE+KEY+name+id+base64(0x01 || seed)``, as golang.org/x/mod/sumdb/note writes it; it is read
where it is used and never printed. A key that is being replaced stays beside its successor until a checkpoint carries the
signatures of both: from then on whoever trusts the old key has reason to trust the new one, and the old one is destroyed.
"""

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from service.disk import sync_folder, write_private
from service.settings import Settings, SettingsError
from workflows.notes import (
    ED25519,
    KEY_BYTES,
    Checkpoint,
    Note,
    NoteError,
    Signature,
    VerifierKey,
    checked_name,
    parse_checkpoint,
    parse_key,
    parse_note,
    signers,
)

_PRIVATE = "PRIVATE+KEY+"


class KeyFileError(SettingsError):
    """The key file is missing, open to others, or holds no key; the message says what to do."""


class SigningKey:
    """A private key in memory. Nothing that prints it shows more than its public id."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take the *seed*, the 32 bytes that RFC 8032 calls the private key."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(checked_name(name), self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        """Return the name and id."""
        return f"SigningKey({self.verifier.name}+{self.verifier.id.hex()})"

    def sign(self, text: str) -> Signature:
        """Return the signature line's content for the *text* of a note."""
        return Signature(self.verifier.name, self.verifier.id, self._private.sign(text.encode()))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether *signature* is the Ed25519 signature of *message* by the key *public* (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def opened(raw: str, known: list[VerifierKey]) -> Checkpoint:
    """Return the checkpoint in the note *raw*, signed by one of the *known* keys.

    Raises
    ------
    NoteError
        When it is no note, no checkpoint, or none of the keys signed it.
    """
    note = parse_note(raw)
    found = signers(note, known, is_signed)
    checkpoint = parse_checkpoint(note.text)
    if not found:
        strange = ", ".join(f"{each.name[:80]}+{each.key_id.hex()}" for each in note.signatures[:3])
        raise NoteError(
            f"it is not signed by any key that is known here, but by {strange}: `thaw verify` takes that with --key, too"
        )
    if checkpoint.origin not in {key.name for key in found}:
        raise NoteError(f"it is of another log: {checkpoint.origin[:80]!r}")
    return checkpoint


class KeyFiles:
    """The key file that the settings name, and what stands beside it."""

    def __init__(self, settings: Settings) -> None:
        """Name the paths; nothing is read yet."""
        self.path = Path(settings.key_file).expanduser() if settings.key_file else settings.home_path / "keys" / "signing.key"
        self.retiring = self.path.with_name(f"{self.path.name}.retiring")
        self.verifiers = self.path.with_name(f"{self.path.name}.verifiers")

    @property
    def exist(self) -> bool:
        """Whether there is a key to sign with."""
        return self.path.exists()

    def init(self, name: str) -> VerifierKey:
        """Make the first key, or one in place of a lost one, for the log called *name*, and return its public half.

        Raises
        ------
        KeyFileError
            When there is a key already, or *name* is none for a key.
        """
        if self.exist:
            raise KeyFileError(f"there is a key in {self.path}: replace it with `thaw keys rotate`")
        try:
            line, verifier = _fresh(name)
        except NoteError as error:
            raise KeyFileError(str(error)) from error
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remember(verifier)
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileError(f"somebody else made a key in {self.path} just now") from None
        try:
            _write(descriptor, line)
        except OSError:
            # Half a key would be in the way of a whole one.
            self.path.unlink()
            raise
        sync_folder(self.path.parent)
        return verifier

    def rotate(self) -> tuple[VerifierKey, VerifierKey]:
        """Put a new key of the same name in place; return the public halves of the old one and the new one.

        Both sign the next checkpoint; then the old private key is destroyed (`retire`).

        Raises
        ------
        KeyFileError
            When there is no key, or no checkpoint has been made since the last rotation.
        """
        old = self._in_force().verifier
        line, verifier = _fresh(old.name)
        try:
            os.link(self.path, self.retiring)
        except FileExistsError:
            # Where it is the key in force itself, a rotation broke off before there was a new one.
            if _read(self.retiring).verifier != old:
                raise KeyFileError(
                    "the last rotation is not finished: the next checkpoint finishes it; run `thaw checkpoint` for one at once"
                ) from None
        self._remember(verifier)
        write_private(self.path, line)
        return old, verifier

    def signing(self) -> list[SigningKey]:
        """Return the keys to sign with: the one in force, and behind it the one that it replaces.

        Raises
        ------
        KeyFileError
            When there is none, when others can read it, or when it holds no key.
        """
        keys = [self._in_force()]
        if self.retiring.exists():
            old = _read(self.retiring)
            keys += [old] if old.verifier != keys[0].verifier else []
        return keys

    def _in_force(self) -> SigningKey:
        if not self.exist and (known := self.known()):
            raise KeyFileError(
                f"the key in {self.path} is gone, and {known[-1].name} was signed with it: put its copy back; where there is "
                "none, `thaw keys init` makes another for the same log"
            )
        return _read(self.path)

    def retire(self, replaced: VerifierKey) -> None:
        """Destroy the private key that was *replaced*, if it is still there: a checkpoint carries both signatures."""
        if self.retiring.exists() and _read(self.retiring).verifier == replaced:
            self.retiring.unlink(missing_ok=True)

    def known(self) -> list[VerifierKey]:
        """Return the public keys of all keys that signed here, the oldest first; empty where none ever did.

        Raises
        ------
        KeyFileError
            When the file that holds them holds something else.
        """
        try:
            lines = self.verifiers.read_text().splitlines()
            return [parse_key(line) for line in lines if line]
        except FileNotFoundError:
            return []
        except (NoteError, UnicodeDecodeError) as error:
            raise KeyFileError(f"{self.verifiers}: {error}") from error

    def _remember(self, verifier: VerifierKey) -> None:
        _write(os.open(self.verifiers, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), f"{verifier}\n")


def signed(checkpoint: Checkpoint, keys: list[SigningKey]) -> Note:
    """Return the note of *checkpoint* with a signature of each of *keys*."""
    text = str(checkpoint)
    return Note(text, tuple(key.sign(text) for key in keys))


def _fresh(name: str) -> tuple[str, VerifierKey]:
    """Return the line of a new private key, and its public half."""
    seed = secrets.token_bytes(KEY_BYTES)
    verifier = SigningKey(name, seed).verifier
    return f"{_PRIVATE}{name}+{verifier.id.hex()}+{base64.b64encode(ED25519 + seed).decode()}\n", verifier


def _write(descriptor: int, line: str) -> None:
    """Write *line* where *descriptor* says, and close it: a key that has signed must not be lost with the power."""
    with os.fdopen(descriptor, "w") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> SigningKey:
    try:
        file = path.stat()
    except FileNotFoundError:
        raise KeyFileError(f"there is no key in {path}: make one with `thaw keys init`") from None
    if not stat.S_ISREG(file.st_mode) or file.st_mode & 0o077:
        raise KeyFileError(
            f"{path} can be read or written by others: it is to be a file of mode 0600 (chmod 600); if somebody may have read "
            "it, run `thaw keys rotate` then"
        )
    try:
        return _parsed(path.read_text())
    except ValueError:
        # Whatever went wrong, no part of the file may end in a message.
        raise KeyFileError(f"{path} holds no private key of Ed25519, or one that was altered") from None


def _parsed(line: str) -> SigningKey:
    """Return the key in *line*; a ValueError when there is none."""
    if not line.startswith(_PRIVATE):
        raise ValueError
    name, id_, material = line.removeprefix(_PRIVATE).strip().split("+", 2)
    try:
        raw = base64.b64decode(material, validate=True)
    except binascii.Error:
        raise ValueError from None
    if raw[:1] != ED25519 or len(raw) != 1 + KEY_BYTES:
        raise ValueError
    key = SigningKey(name, raw[1:])
    if key.verifier.id.hex() != id_:
        raise ValueError
    return key
