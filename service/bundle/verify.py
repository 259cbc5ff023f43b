#!/usr/bin/env python3
"""Check a bundle of Thaw's event log, with nothing but this file and Python's standard library (3.8 or later).

    python verify.py bundle.zip --key example.com/thaw+5f8551c2+AbkYDn7N... [--checkpoint kept.note] [--lead ID]

The key is the operator's public key. Get it, and this file, from somewhere else than the bundle: whoever forges a bundle can
forge what lies in it. What a bundle holds and what is proved how is described in its FORMAT.txt, and the parts below follow
that description: 1 signatures, 2 encodings, 3 signed notes, 4 the Merkle tree, 5 the zip file, 6 working days, 7 the rules by
which leads move, 8 a lead, 9 decisions made again, 10 the passes over a bundle, 11 the command line.

Exit status:

    0   nothing is wrong
    1   altered: something is not what was signed, or not what the bundle itself says
    2   incomplete: something that should be in the bundle is missing
    3   not signed by the key that was given
    4   a recorded decision does not follow from what it was made from
    5   not checked: no such file, no sensible arguments, too large, no room for temporary files or for what is printed

When several are the case, the status is the first of them in the order 1, 3, 2, 4. This program opens no network connection,
unpacks nothing into your folders, and never believes a length, a name or a number because the bundle says so.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import heapq
import json
import os
import pickle
import re
import signal
import stat
import struct
import sys
import tempfile
import unicodedata
import uuid
import zipfile
import zlib
from array import array
from bisect import bisect_left, bisect_right
from contextlib import ExitStack, closing
from copy import copy
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Callable, Generator, Iterator, NamedTuple, Sequence, Tuple

FINE, ALTERED, INCOMPLETE, UNSIGNED, UNDERIVED, UNCHECKED = range(6)

#: What each exit status is called.
VERDICTS = ("fine", "altered", "incomplete", "not signed", "not derived", "not checked")

#: What is said where nobody asks whose signature it is: not that anything is wrong, and not that all is well.
NO_KEY = (
    "no key was given with --key, so that nobody vouches for anything in it: whose signatures these are was not looked at, and "
    "what stands below as checked says that the bundle agrees with itself"
)

#: The order in which several findings decide the exit status.
GRAVITY = (ALTERED, UNSIGNED, INCOMPLETE, UNDERIVED, UNCHECKED)

FORMAT = "thaw-bundle-1"

#: So many findings of a kind are kept; all are counted.
FINDINGS_KEPT = 100

#: Bytes in a line of any file, at most: no event is longer, and a photo of a note is 8 MB at most, in Base64.
LINE_BYTES_MAX = 12 << 20

CHUNK_BYTES = 1 << 18


class WrongError(Exception):
    """Something is wrong, and what rests on it cannot be looked at."""

    def __init__(self, code: int, sentence: str, position: int = 0) -> None:
        # All of them, so that one of another process can be read back.
        super().__init__(code, sentence, position)
        self.code = code
        self.sentence = sentence
        self.position = position

    def __str__(self) -> str:
        """Return the sentence alone."""
        return self.sentence


class Finding(NamedTuple):
    """One thing that is wrong; *position* is that of the event in the log, 0 when it is about none."""

    code: int
    position: int
    sentence: str


class Report:
    """What was found, what was checked, and what was not."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.counts: dict[int, int] = {}
        self.checked: list[str] = []
        self.unchecked: list[str] = []
        self.about: list[str] = []

    def add(self, code: int, sentence: str, position: int = 0) -> None:
        """Take a finding; of many of one kind the first by position are kept."""
        self.counts[code] = self.counts.get(code, 0) + 1
        self.findings.append(Finding(code, position, sentence))
        if len(self.findings) >= 8 * FINDINGS_KEPT:
            self._thin()

    def take(self, wrong: WrongError) -> None:
        """Take what was raised."""
        self.add(wrong.code, wrong.sentence, wrong.position)

    def join(self, other: Report) -> None:
        """Take the findings of another report."""
        for code, number in other.counts.items():
            self.counts[code] = self.counts.get(code, 0) + number
        self.findings += other.findings
        self._thin()

    def _thin(self) -> None:
        kept: dict[int, int] = {}
        thinned = []
        for finding in sorted(self.findings, key=lambda f: (not f.position, f.position)):
            kept[finding.code] = kept.get(finding.code, 0) + 1
            if kept[finding.code] <= FINDINGS_KEPT:
                thinned.append(finding)
        self.findings = thinned

    @property
    def status(self) -> int:
        """The exit status."""
        return next((code for code in GRAVITY if self.counts.get(code)), FINE)

    def ordered(self) -> list[Finding]:
        """Return the findings, the gravest kind first; of a kind the first event first, and last what is about none."""
        self._thin()
        return sorted(self.findings, key=lambda f: (GRAVITY.index(f.code), not f.position, f.position))


def plain(value: Any, most: int = 160) -> str:
    """Return *value* on one line, short, with everything escaped that a terminal or a reader's eye could be misled by."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    shown = []
    for character in text[: most + 1]:
        printable = character == " " or unicodedata.category(character)[0] in "LNPSM"
        shown.append(character if printable else f"\\u{ord(character):04x}")
    whole = "".join(shown)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def some(number: int, noun: str) -> str:
    """Return ``1 event`` or ``1,234 events``."""
    return "{:,} {}{}".format(number, noun, "" if number == 1 else "s")


# 1. Signatures: Ed25519 as RFC 8032 has it, verification only ---------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)

#: A point of the curve, in extended coordinates: x = X/Z, y = Y/Z, x*y = T/Z.
Point = Tuple[int, int, int, int]


def _x_of(y: int, odd: int) -> int | None:
    """Return the x that belongs to *y* and is *odd* or even; None when there is none (RFC 8032, 5.1.3)."""
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_1 % _P
    if x * x % _P != square or (x == 0 and odd):
        return None
    return _P - x if x & 1 != odd else x


def _point(encoded: bytes) -> Point | None:
    """Return the point in 32 bytes; None when they are not the one encoding of a point."""
    number = int.from_bytes(encoded, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    if y >= _P:
        return None
    x = _x_of(y, odd)
    return None if x is None else (x, y, 1, x * y % _P)


def _sum(a: Point, b: Point) -> Point:
    m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    t, z = 2 * a[3] * b[3] * _D, 2 * a[2] * b[2]
    e, f, g, h = (n - m) % _P, (z - t) % _P, (z + t) % _P, (n + m) % _P
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_IDENTITY: Point = (0, 1, 1, 0)
_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _x_of(_BASE_Y, 0) or 0
_BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether *signature* (64 bytes) is the Ed25519 signature of *message* by the key *public* (32 bytes).

    Strict: S must be below the order of the group, and R and the key must be the one encoding of a point.
    """
    key = _point(public) if len(public) == 32 else None
    if key is None or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    # R is to be s*B - k*A: both products in one walk over the bits of s and k.
    minus_key = (_P - key[0], key[1], 1, (_P - key[3]) % _P)
    both = _sum(_BASE, minus_key)
    made = _IDENTITY
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        made = _sum(made, made)
        which = (s >> bit & 1) | (k >> bit & 1) << 1
        if which:
            made = _sum(made, (_BASE, minus_key, both)[which - 1])
    return _encoded(made) == signature[:32]


def is_weak(public: bytes) -> bool:
    """Whether *public* is no point, or one of those few by which anybody can sign: eight times it is the neutral one."""
    point = _point(public)
    for _ in range(3):
        point = _sum(point, point) if point else None
    return point is None or _encoded(point) == _encoded(_IDENTITY)


# 2. Encodings ----------------------------------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of *value* (RFC 8785), which holds no numbers but whole ones: keys by UTF-16, no spaces."""
    return _compact(_sorted(value)).encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value


def _refused_number(text: str) -> Any:
    raise ValueError("a number is not a whole number: " + text[:40])


_decoder = json.JSONDecoder(parse_float=_refused_number, parse_constant=_refused_number)
_encode_plainly = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

#: The bytes with one of which such a character begins in UTF-8.
_BEYOND_U_FFFF = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


def read_canonical(line: bytes) -> Any:
    """Return what the canonical JSON *line* holds.

    Raises ValueError when it is not JSON, or not in its one canonical form; so no key stands in it twice.
    """
    try:
        value = _decoder.decode(line.decode())
        # Sorting by character is faster, and the same as by UTF-16 where no character is beyond U+FFFF.
        plainly = line.isascii() or not any(first in line for first in _BEYOND_U_FFFF)
        if (_encode_plainly(value).encode() if plainly else canonical(value)) != line:
            raise ValueError("it is not in canonical form")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def unbase64(text: str) -> bytes:
    """Return what *text* holds; only the one canonical form of Base64 is accepted."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not Base64") from None
    if base64.b64encode(raw).decode() != text:
        raise ValueError("it is not Base64 in canonical form")
    return raw


_HEX_32 = re.compile(r"[0-9a-f]{64}")


def unhex(text: Any) -> bytes:
    """Return the 32 bytes that *text* writes in 64 small hexadecimal digits."""
    if isinstance(text, str) and _HEX_32.fullmatch(text):
        return bytes.fromhex(text)
    raise ValueError("it is not a SHA-256 in hexadecimal")


# 3. Signed notes and checkpoints, as C2SP has them ---------------------------------------------------------------------------


class Key(NamedTuple):
    """A public key under the name of the log that signs with it."""

    name: str
    id: bytes
    public: bytes

    @property
    def label(self) -> str:
        """Name and id."""
        return f"{plain(self.name, 80)}+{self.id.hex()}"


class Checkpoint(NamedTuple):
    """What a log commits to: its first *size* events, and no others, have *root*."""

    origin: str
    size: int
    root: bytes
    signers: tuple[Key, ...]
    """Those of the known keys that signed it."""


def parse_key(encoded: str) -> Key:
    """Return the key written ``name+id+base64``; raises ValueError when it is none of Ed25519 or was mistyped."""
    name, _, rest = encoded.strip().partition("+")
    id_, _, material = rest.partition("+")
    raw = unbase64(material)
    if not name or raw[:1] != b"\x01" or len(raw) != 33:
        raise ValueError("it is not an Ed25519 key as name+id+base64")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != id_:
        raise ValueError("its id does not belong to its name and key")
    if is_weak(raw[1:]):
        raise ValueError("it is no key of which somebody has the private half: whoever likes can sign by it")
    return Key(name, bytes.fromhex(id_), raw[1:])


_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) (\S+)")


def open_note(raw: str, keys: Sequence[Key]) -> tuple[str, tuple[Key, ...]]:
    """Return the text of the note *raw*, and those of *keys* that signed it.

    Raises ValueError when it is no note. Signatures of other keys say nothing; a wrong one of a known key raises WrongError.
    """
    if len(raw) > 1_000_000 or any(ord(character) < 0x20 and character != "\n" for character in raw):
        raise ValueError("it is too long for a note, or has control characters")
    text, cut, lines = raw.rpartition("\n\n")
    if not cut or not lines.endswith("\n"):
        raise ValueError("it does not end with an empty line and signature lines")
    signatures = lines[:-1].split("\n")
    if len(signatures) > 100:
        raise ValueError("it has more than 100 signatures")
    signers: list[Key] = []
    for line in signatures:
        match = _SIGNATURE_LINE.fullmatch(line)
        blob = unbase64(match.group(2)) if match else b""
        if not match or len(blob) < 5:
            raise ValueError("it has a line that is no signature line")
        for key in keys:
            if (key.name, key.id) == (match.group(1), blob[:4]) and key not in signers:
                if not signed_by(key.public, (text + "\n").encode(), blob[4:]):
                    raise WrongError(ALTERED, f"the signature of {key.label} is not over this text")
                signers.append(key)
    return text + "\n", tuple(signers)


def open_checkpoint(raw: str, keys: Sequence[Key]) -> Checkpoint:
    """Return the checkpoint in the note *raw*; raises ValueError when it is none, and WrongError as `open_note` does."""
    text, signers = open_note(raw, keys)
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise ValueError("it is no checkpoint: origin, size and root are missing")
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]):
        raise ValueError("it is no checkpoint: its size is no number")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise ValueError("it is no checkpoint: its root is no SHA-256")
    # The name of the log is the name of its key: another log's key, even a known one, signs nothing here.
    return Checkpoint(lines[0], int(lines[1]), root, tuple(key for key in signers if key.name == lines[0]))


def split_notes(raw: str) -> list[str]:
    """Return the notes of a text in which they stand one behind the other, with empty lines between them or none."""
    notes: list[str] = []
    current, signed = "", False
    for line in raw.splitlines(True):
        if signed and not line.startswith("— "):
            notes.append(current)
            current, signed = "", False
        if current or line.strip():
            current += line
            signed = line.startswith("— ")
    return [*notes, current] if current else notes


# 4. The Merkle tree of RFC 6962 ----------------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows at its right end: by a leaf, or by a complete subtree of which only the hash is known."""

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[tuple[int, bytes]] = []

    def push(self, hash_: bytes, level: int = 0) -> None:
        """Put the complete subtree of ``2**level`` leaves with this hash at the right end.

        Raises ValueError where none of that size can begin.
        """
        if self.size & ((1 << level) - 1):
            raise ValueError(f"a subtree of {1 << level} leaves cannot begin behind {self.size}")
        self.size += 1 << level
        stack = self._stack
        while stack and stack[-1][0] == level:
            hash_ = node_hash(stack.pop()[1], hash_)
            level += 1
        stack.append((level, hash_))

    def root(self) -> bytes:
        """Return the root over what was pushed so far."""
        if not self._stack:
            return hashlib.sha256(b"").digest()
        made = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            made = node_hash(left, made)
        return made


def proves_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether *path* leads from *leaf* at *index* to the *root* of a tree of *size* leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, made = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            made = node_hash(step, made)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            made = node_hash(made, step)
        position, last = position >> 1, last >> 1
    return last == 0 and made == root


# 5. The zip file -------------------------------------------------------------------------------------------------------------

#: The comment at the end of the file: this, and the SHA-256 of all bytes before its 64 digits.
SEAL = b"thaw bundle; SHA-256 of every byte before these digits: "
SEAL_BYTES = len(SEAL) + 64
END_BYTES = 22

#: An honest file of this kind shrinks to a fifth or a tenth. What says that it shrank to less than this is a bomb.
RATIO_MAX = 200
SMALL_BYTES = 1 << 20

MEMBERS_MAX = 10_000
DIRECTORY_BYTES_MAX = 4 << 20

#: How large the files that are read whole may be.
WHOLE_BYTES_MAX = 16 << 20

KNOWN = re.compile(
    r"FORMAT\.txt|verify\.py|manifest\.json|manifest\.note|checkpoint\.note|checkpoints\.ndjson|events\.ndjson|index\.ndjson"
    r"|tree\.ndjson|leads\.ndjson|opened\.ndjson|playbooks/[0-9a-f]{64}\.json|wordings/[0-9a-f]{64}\.txt"
)

#: What `zipfile` and `zlib` raise over what is no proper zip file.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError,
    IndexError, OSError, MemoryError,
)  # fmt: skip


class Listed(NamedTuple):
    """What the manifest says of a file."""

    bytes: int
    sha256: str


class Bundle:
    """The zip file: its container checked, its files read piece by piece and compared with the manifest."""

    def __init__(self, file: IO[bytes], report: Report, max_bytes: int) -> None:
        """Check the container.

        Raises WrongError when there is nothing to read at all.
        """
        self.report = report
        self.file = file
        self.listed: dict[str, Listed] = {}
        self._check_end()
        try:
            self.zip = zipfile.ZipFile(file)
            members = self.zip.infolist()
        except UNREADABLE as error:
            raise WrongError(ALTERED, "its list of files cannot be read: " + plain(str(error))) from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            self._take(member)
        self._check_order(members)
        total = sum(member.file_size for member in self._members.values())
        if total > max_bytes:
            raise WrongError(
                UNCHECKED,
                f"it says that it unpacks to {total:,} bytes; more than {max_bytes:,} are read only with --max-bytes",
            )

    def _check_end(self) -> None:
        """Check the seal, and that the list of files has a size that one may read."""
        size = self.file.seek(0, os.SEEK_END)
        start = size - END_BYTES - SEAL_BYTES
        self.file.seek(max(0, start))
        end = self.file.read(END_BYTES + SEAL_BYTES)
        if start < 0 or end[:4] != b"PK\x05\x06" or end[END_BYTES:-64] != SEAL:
            raise WrongError(INCOMPLETE, "it does not end as a bundle does: it is none, or it was cut off")
        entries, directory_bytes = struct.unpack("<HL", end[10:16])
        if entries == 0xFFFF or directory_bytes == 0xFFFFFFFF or directory_bytes > DIRECTORY_BYTES_MAX:
            raise WrongError(ALTERED, "its list of files is longer than that of any bundle")
        self._check_directory64(start)
        digest = hashlib.sha256()
        self.file.seek(0)
        for begin in range(0, size - 64, CHUNK_BYTES):
            digest.update(self.file.read(min(CHUNK_BYTES, size - 64 - begin)))
        if digest.hexdigest().encode() != end[-64:]:
            self.report.add(ALTERED, "the zip file is not byte for byte what was written: its seal does not fit")

    def _check_directory64(self, start: int) -> None:
        """Check the size of the list of files where the file is so large that it stands in a record of its own."""
        self.file.seek(max(0, start - 20))
        signature, _, at = struct.unpack("<4sLQ", self.file.read(16)) if start >= 20 else (b"", 0, 0)
        if signature == b"PK\x06\x07":
            self.file.seek(min(at, start))
            record = self.file.read(56)
            if len(record) < 56 or struct.unpack("<Q", record[40:48])[0] > DIRECTORY_BYTES_MAX:
                raise WrongError(ALTERED, "its list of files is longer than that of any bundle")

    def _check_order(self, members: Sequence[zipfile.ZipInfo]) -> None:
        """Check that the files stand one behind the other from the first byte on, each as the list at the end says.

        Programs that do not go by that list would see whatever stands between them, or before.
        """
        at = 0
        for member in sorted(members, key=lambda m: m.header_offset):
            if member.header_offset != at or at > self.zip.start_dir:
                break
            self.file.seek(at)
            header = self.file.read(30)
            if len(header) < 30:
                break
            flags, method = struct.unpack("<HH", header[6:10])
            if (flags, method) != (member.flag_bits, member.compress_type):
                break
            at += 30 + sum(struct.unpack("<HH", header[26:30])) + member.compress_size
        else:
            if at == self.zip.start_dir:
                return
        self.report.add(ALTERED, "the zip file holds more than the files that it lists, or other ones")

    def _take(self, member: zipfile.ZipInfo) -> None:
        """Take a member whose name, kind and size are as they may be; report any other."""
        name = member.filename
        mode = member.external_attr >> 16
        trouble = ""
        if name in self._members:
            trouble = "is in it twice"
        elif not KNOWN.fullmatch(name):
            trouble = "does not belong in a bundle"
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            trouble = "is a link or a folder, not a file"
        elif member.flag_bits & 0x1:
            trouble = "is encrypted"
        elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            trouble = "is compressed in a way that no bundle uses"
        elif member.file_size > RATIO_MAX * member.compress_size + SMALL_BYTES:
            trouble = f"would unpack to more than {RATIO_MAX} times its size"
        elif len(self._members) >= MEMBERS_MAX:
            trouble = "is one file too many"
        if trouble:
            self.report.add(ALTERED, f"the file {plain(name, 80)} {trouble}")
        else:
            self._members[name] = member

    def has(self, name: str) -> bool:
        """Whether there is a file of that *name*."""
        return name in self._members

    def names(self) -> list[str]:
        """Return the names of all files, in the order of the zip's list."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Return the whole of a small file; raises WrongError when it is missing, too large, unreadable, or not as listed."""
        member = self._members.get(name)
        if member is not None and member.file_size > WHOLE_BYTES_MAX:
            raise WrongError(ALTERED, f"{name} is larger than it can be")
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file in pieces; raises WrongError as `read` does, at its end when it is not as listed."""
        member = self._members.get(name)
        if member is None:
            raise WrongError(INCOMPLETE, f"{name} is missing")
        digest, size = hashlib.sha256(), 0
        try:
            with self.zip.open(member) as file:
                while True:
                    piece = file.read(CHUNK_BYTES)
                    if not piece:
                        break
                    digest.update(piece)
                    size += len(piece)
                    yield piece
        except UNREADABLE as error:
            raise WrongError(ALTERED, f"{name} cannot be unpacked: {plain(str(error))}") from None
        listed = self.listed.get(name)
        if listed is not None and listed != (size, digest.hexdigest()):
            self.report.add(ALTERED, f"{name} is not what the manifest says")

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file without their ends; raises WrongError also at a line that is too long or has no end."""
        # Joined once, when the line's end is there: joined anew with each piece, a photo would be copied dozens of times.
        begun: list[bytes] = []
        size = 0
        for piece in self.pieces(name):
            ended, *lines = piece.split(b"\n")
            begun.append(ended)
            size += len(ended)
            if size > LINE_BYTES_MAX:
                raise WrongError(ALTERED, f"{name} has a line of more than {LINE_BYTES_MAX:,} bytes")
            if lines:
                yield b"".join(begun)
                yield from lines[:-1]
                begun, size = [lines[-1]], len(lines[-1])
        if size:
            raise WrongError(INCOMPLETE, f"{name} ends in the middle of a line")


# 6. Working days -------------------------------------------------------------------------------------------------------------
#
# Moments are UTC, and carry no time zone here; days are dates of the rep's own clock.

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|([+-])(\d\d):(\d\d))")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_A_DAY = timedelta(days=1)


@lru_cache(maxsize=50_000)
def read_day(text: str) -> date:
    """Return the day written 2026-01-05."""
    if not _DAY.fullmatch(text):
        raise ValueError("not a day: " + plain(text, 40))
    return date(int(text[:4]), int(text[5:7]), int(text[8:]))


@lru_cache(maxsize=50_000)
def read_moment(text: str) -> datetime:
    """Return the moment written in RFC 3339."""
    match = _MOMENT.fullmatch(text)
    if not match:
        raise ValueError("not a moment: " + plain(text, 40))
    day, hour, minute, second, fraction, sign, east_hours, east_minutes = match.groups()
    found = datetime.combine(read_day(day), datetime.min.time()) + timedelta(
        hours=int(hour), minutes=int(minute), seconds=int(second), microseconds=int((fraction or "0").ljust(6, "0"))
    )
    east = timedelta(hours=int(east_hours or 0), minutes=int(east_minutes or 0))
    return found + east if sign == "-" else found - east


def day_or_none(text: str | None) -> date | None:
    """Return the day in *text*, if there is any."""
    return read_day(text) if text is not None else None


def written(value: Any) -> Any:
    """Return days and moments as they stand in a body."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return value.isoformat() if isinstance(value, date) else value


class Calendar:
    """Every working day of one rep, on the days that the frozen calendar covers."""

    def __init__(self, raw: Any) -> None:
        """Take a calendar as it stands in a `calendar_frozen` event."""
        self.first, self.last = read_day(raw["first"]), read_day(raw["last"])
        self.starts, self.ends = int(raw["day_starts"]), int(raw["day_ends"])
        if (self.last - self.first).days > 150_000:
            raise ValueError("a calendar of more than four centuries")
        holidays = {read_day(holiday["day"]).toordinal() for holiday in raw["holidays"]}
        free = set(holidays)
        for absence in raw["absences"]:
            begin, end = max(read_day(absence["first"]), self.first), min(read_day(absence["last"]), self.last)
            free.update(range(begin.toordinal(), end.toordinal() + 1))
        #: Absences that a colleague covers: the first and the last day of each, and who.
        self.covered = [(read_day(a["first"]), read_day(a["last"]), str(a["cover"])) for a in raw["absences"] if "cover" in a]
        weekdays = set(raw["weekdays"])
        every = range(self.first.toordinal(), self.last.toordinal() + 1)
        self.working = array("l", [n for n in every if (n - 1) % 7 + 1 in weekdays and n not in free])
        #: Days that would be worked but for an absence.
        self._away = {n for n in free - holidays if (n - 1) % 7 + 1 in weekdays}
        self.since = [read_moment(offset["since"]) for offset in raw["offsets"]]
        self.seconds = [int(offset["seconds"]) for offset in raw["offsets"]]
        if not self.since:
            raise ValueError("a calendar without the offsets of its time zone")

    def covers(self, day: date) -> bool:
        """Whether the calendar knows *day*."""
        return self.first <= day <= self.last

    def away_on(self, day: date) -> bool:
        """Whether only an absence keeps *day* from being worked."""
        return day.toordinal() in self._away

    def count_to(self, day: date) -> int:
        """Count the working days up to and including *day*."""
        return bisect_right(self.working, day.toordinal())


#: What is known of days that no calendar covers: Monday to Friday, 08:00 to 18:00 UTC.
PLAIN = Calendar(
    {
        "first": "1950-01-01", "last": "2199-12-31", "day_starts": 480, "day_ends": 1080, "holidays": [], "absences": [],
        "weekdays": [1, 2, 3, 4, 5], "offsets": [{"since": "1949-12-01T00:00:00Z", "seconds": 0}],
    }
)  # fmt: skip


def works(calendar: Calendar, day: date) -> bool:
    """Whether *day* is a working day."""
    if not calendar.covers(day):
        return day.isoweekday() <= 5
    at = bisect_left(calendar.working, day.toordinal())
    return at < len(calendar.working) and calendar.working[at] == day.toordinal()


def days_after(calendar: Calendar, day: date, number: int) -> date:
    """Return the working day *number* working days after *day*; for 0 *day* itself, or the next one that is worked."""
    for known in (calendar, PLAIN):
        if not known.covers(day):
            continue
        if number == 0 and works(known, day):
            return day
        at = known.count_to(day) + (number or 1) - 1
        if at < len(known.working):
            return date.fromordinal(known.working[at])
    return day


def days_before(calendar: Calendar, day: date, number: int) -> date:
    """Return the working day *number* working days before *day*."""
    while number > 0:
        day -= _A_DAY
        number -= works(calendar, day)
    return day


def days_between(calendar: Calendar, first: date, last: date) -> int:
    """Count the working days after *first* up to and including *last*."""
    for known in (calendar, PLAIN):
        if known.covers(first) and known.covers(last):
            return max(0, known.count_to(last) - known.count_to(first))
    return max(0, (last - first).days)


def day_of(calendar: Calendar, moment: datetime) -> date:
    """Return the rep's date at *moment*."""
    at = max(0, bisect_right(calendar.since, moment) - 1)
    try:
        day = (moment + timedelta(seconds=calendar.seconds[at])).date()
    except OverflowError:  # on the first and the last day that there is
        return moment.date()
    return day if calendar.covers(day) else moment.date()


def moment_of(calendar: Calendar, day: date, minute: int) -> datetime:
    """Return the moment of a minute of *day* by the rep's clock on the wall.

    A time that the clock skips is the moment at which it skips; one that comes twice is the first of the two.
    """
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    if not calendar.covers(day):
        return wall
    at = max(0, bisect_right(calendar.since, wall - _A_DAY) - 1)
    while True:
        moment = wall - timedelta(seconds=calendar.seconds[at])
        if at + 1 == len(calendar.since) or moment < calendar.since[at + 1]:
            return max(moment, calendar.since[at])
        at += 1


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or the last day of a shorter one."""
    month = day.year * 12 + day.month - 1 + months
    after = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return date(month // 12, month % 12 + 1, min(day.day, (after - _A_DAY).day))


def monthly(calendar: Calendar, anchor: date, last: date, months: int, on: int | None) -> date:
    """Return the first of the days *months* apart, counted from *anchor*, that is in a later calendar month than *last*.

    It is the *on*-th of its month where the playbook names one. It moves to the next working day, but never into another month:
    then it is the last working day before it.
    """
    passed = (last.year - anchor.year) * 12 + last.month - anchor.month
    day = add_months(anchor, max(1, passed // months + 1) * months)
    day = day.replace(day=on) if on else day
    moved = days_after(calendar, day, 0)
    if moved.month == day.month:
        return moved
    earlier = day - _A_DAY
    while earlier.month == day.month:
        if works(calendar, earlier):
            return earlier
        earlier -= _A_DAY
    return moved


# 7. The rules by which leads move --------------------------------------------------------------------------------------------
#
# A row: its number ("-" where the state stays), the states that it may be in ("*" for every one), the event, the state after
# it ("=" for the same), what brings it about, what is asked first, the timers that it arms and ends, the slots that it uses
# up and keeps. FORMAT.txt explains the words.

TABLE = """
T01 none -> lead_registered -> registered; by register_lead
T02 registered -> lead_declined -> declined; by record_decline; asks real_reason_evidence
    arms reason_probe homework triage review
T03 registered -> revival_queued -> queued; by queue_revival; arms queue_age
    asks no_open_opportunity account_studied stale rotation qualified_if_required
T04 declined -> revival_queued -> queued; by queue_revival; arms queue_age
    asks no_open_opportunity reason_probed homework_fresh strategy_recorded qualified importance_answered connector_answered
    rested mode_left
T05 declined -> nurture_started -> nurture; by fire_timer:triage start_nurture
    arms nurture_touch nurture_floor requeue revisit
T06 declined -> lead_dropped -> dropped; by drop; asks manager drop_reason_of_declined
T07 queued -> note_scheduled -> note_due; by schedule_note; arms note_slot
    asks not_held no_open_opportunity first_touch_is_note not_suppressed note_reachable call_reachable planned_day promise_day
    promise_gap contact_hours note_slot call_slot
T08 queued -> call_scheduled -> call_due; by schedule_call; arms call_grace call_expiry
    asks not_held no_open_opportunity fresh_relationship not_suppressed call_reachable planned_day contact_hours follow_up_slot
T09 queued -> nurture_started -> nurture; by fire_timer:queue_age; arms nurture_touch nurture_floor requeue revisit
T10 note_due -> note_sent -> note_sent; by mark_note_sent; arms call_after_note; uses note; keeps promised_call
    asks hand_written not_suppressed note_wanted call_reachable not_before_planned content_checks
T11 note_due -> note_slot_released -> queued; by fire_timer:note_slot; arms queue_age
T12 note_sent -> call_due -> call_due; by fire_timer:call_after_note; arms call_grace call_late call_expiry
    asks not_held owned not_suppressed call_reachable owner_present contact_hours; keeps promised_call
T13 note_sent -> reply_received -> re_engaged; by record_reply:open; asks human_reply; arms next_step lapse
T14 note_sent call_due -> note_returned -> queued; by record_return; asks note_promised not_before_planned; arms queue_age
T15 call_due -> call_connected -> re_engaged; by record_call:connected; arms next_step lapse; uses promised_call follow_up
    asks not_before_planned personal_topic_first decision_or_next_step
T16 call_due -> meeting_booked -> meeting_booked; by book_meeting; asks meeting_ahead; arms meeting_outcome
    uses promised_call follow_up
T17 call_due -> lead_declined -> declined; by record_decline; asks real_reason_evidence
    arms reason_probe homework triage review; uses promised_call follow_up
T18 call_due -> nurture_started -> nurture; by record_call:not_now; asks not_before_planned later_date_or_keep_in_touch
    arms nurture_touch nurture_floor requeue revisit; uses promised_call follow_up
T19 call_due -> no_response -> no_response; by record_call:unanswered; asks not_before_planned
    arms next_attempt response_window; uses promised_call follow_up
T20 call_due -> call_rescheduled -> call_due; by reschedule_call; asks not_held later_day planned_day same_call_slot
    arms call_grace call_late call_expiry
T21 call_due -> reply_received -> re_engaged; by record_reply:open; asks human_reply; arms next_step lapse
T22 call_due note_sent -> call_promise_expired -> queued; by fire_timer:call_expiry; asks owner_was_present
    arms queue_age
T23 no_response -> call_scheduled -> call_due; by schedule_call; arms call_grace call_expiry
    asks not_held attempts_left new_value new_mode touch_gap not_suppressed call_reachable planned_day contact_hours
    follow_up_slot
T24 no_response -> note_scheduled -> note_due; by schedule_note; arms note_slot
    asks not_held attempts_left new_value new_mode touch_gap not_suppressed note_reachable call_reachable planned_day
    promise_day promise_gap contact_hours note_slot call_slot
T25 no_response -> touch_sent -> no_response; by send_touch; arms next_attempt response_window; uses follow_up
    asks touch_mode way_known not_suppressed mode_permitted attempts_left new_value touch_gap content_checks
T26 no_response -> reply_received -> re_engaged; by record_reply:open; asks human_reply; arms next_step lapse
T27 no_response -> breakup_sent -> breakup_sent; by send_breakup; arms breakup_window
    asks breakup_halves breakup_halves_together attempts_made modes_tried offer_known cut_bait_confirmed
T28 no_response -> nurture_started -> nurture; by start_nurture; asks breakup_impossible_or_waived importance_allows
    arms nurture_touch nurture_floor requeue revisit
T29 breakup_sent -> reply_received -> re_engaged; by record_reply:open; asks human_reply; arms next_step lapse
T30 breakup_sent -> lead_declined -> declined; by record_decline record_reply:no; asks real_reason_evidence
    arms reason_probe homework triage review
T31 breakup_sent -> nurture_started -> nurture; by fire_timer:breakup_window
    arms nurture_touch nurture_floor requeue revisit
T32 nurture -> nurture_touch_sent -> nurture; by send_nurture_touch; arms nurture_touch nurture_floor
    asks nurture_mode not_suppressed mode_permitted account_studied asset_kind_known new_asset once_a_month content_checks
T33 nurture -> reply_received -> re_engaged; by record_reply:open; asks human_reply; arms next_step lapse
T34 nurture -> revival_queued -> queued; by fire_timer:requeue fire_timer:revisit queue_revival; arms queue_age
    asks no_open_opportunity nurtured_and_good homework_refreshed account_studied mode_left
T35 nurture -> lead_dropped -> dropped; by drop; asks manager drop_reason_of_nurture
T36 re_engaged -> meeting_booked -> meeting_booked; by book_meeting; asks meeting_ahead; arms meeting_outcome
T37 re_engaged -> lead_won -> won; by mark_won
T38 re_engaged -> lead_declined -> declined; by record_decline record_reply:no; asks real_reason_evidence
    arms reason_probe homework triage review
T39 re_engaged -> no_response -> no_response; by fire_timer:lapse; asks next_step_overdue; arms next_attempt response_window
T40 meeting_booked -> lead_won -> won; by mark_won
T41 meeting_booked -> lead_declined -> declined; by record_decline record_reply:no; asks real_reason_evidence
    arms reason_probe homework triage review
T42 meeting_booked -> re_engaged -> re_engaged; by record_meeting; asks not_before_planned decision_or_next_step
    arms next_step lapse
T43 meeting_booked -> meeting_outcome_missed -> re_engaged; by fire_timer:meeting_outcome; arms next_step lapse
T44 won -> lead_declined -> declined; by record_decline; asks real_reason_evidence
    arms reason_probe homework triage review
T45 dropped -> reply_received -> re_engaged; by record_reply:open; asks human_reply; arms next_step lapse
T46 dropped -> revival_queued -> queued; by queue_revival; asks manager account_studied; arms queue_age
T47 do_not_contact -> consent_regranted -> registered; by regrant_consent; asks manager
T48 contactable -> opted_out -> do_not_contact; by opt_out:all
T49 registered declined queued note_due -> reply_received -> re_engaged; by record_reply:open; asks human_reply
    arms next_step lapse
T50 queued note_due note_sent no_response nurture -> lead_declined -> declined; by record_decline record_reply:no
    asks real_reason_evidence; arms reason_probe homework triage review
T51 registered declined queued note_due note_sent call_due no_response breakup_sent nurture dropped -> lead_won -> won
    by mark_won
T52 contactable -> lead_merged -> dropped; by merge_lead
    asks manager another_lead into_known into_not_erased into_not_merged not_held no_mail_under_way
T53 dropped -> duplicate_taken_in -> registered; by take_in_duplicate:merged; asks another_lead not_taken_in
T54 note_due note_sent call_due -> playbook_migrated -> queued; by migrate_playbook:queue; arms queue_age
    asks manager another_playbook step_mapped
- * -> contact_updated -> =; by update_contact; arms consent_expires; ends consent_expires
- re_engaged -> reply_received -> =; by record_reply:open; asks human_reply; arms next_step lapse
- meeting_booked won -> reply_received -> =; by record_reply:open; asks human_reply
- meeting_booked -> meeting_booked -> =; by book_meeting; asks meeting_ahead; arms meeting_outcome
- call_due -> call_promise_missed -> =; by fire_timer:call_late; asks owner_was_present
- declined queued note_due no_response breakup_sent nurture re_engaged meeting_booked won dropped -> note_returned -> =
    by record_return; asks note_was_sent
- no_response -> response_window_closed -> =; by fire_timer:response_window; arms response_window
- no_response -> touch_scheduled -> =; by schedule_touch
    asks not_held touch_mode not_suppressed mode_permitted attempts_left new_value touch_gap planned_day follow_up_slot
- no_response -> breakup_voicemail_left -> =; by leave_breakup_voicemail
    asks not_suppressed call_reachable as_its_mail content_checks
- no_response -> breakup_email_sent -> =; by send_breakup_email
    asks not_suppressed email_reachable monitored_reply_address content_checks
- no_response -> cut_bait_confirmed -> =; by confirm_cut_bait
    asks person importance_allows one_more_is_new everything_tried cut_bait_reason
- nurture -> nurture_touch_due -> =; by fire_timer:nurture_touch; arms nurture_touch
- nurture -> nurture_floor_reached -> =; by fire_timer:nurture_floor; arms nurture_floor
- contactable -> lead_held -> =; by hold; asks not_held hold_ends_ahead; arms hold_until hold_review
- contactable -> lead_released -> =; by release fire_timer:hold_until; asks held
- contactable -> hold_review_due -> =; by fire_timer:hold_review; asks held; arms hold_review
- * -> lead_reassigned -> =; by reassign; asks another_owner; arms call_after_note call_grace
- * -> stated_reason_recorded -> =; by record_reason:stated
- * -> real_reason_recorded -> =; by record_reason:real; asks reason_evidence; ends reason_probe
- * -> homework_completed -> =; by complete_homework; ends homework
    asks homework_answered homework_sources sources_cited needs_anticipated
- * -> strategy_recorded -> =; by record_strategy; asks history_opened content_checks
- * -> offer_recorded -> =; by record_offer
- * -> lead_qualified -> =; by qualify
- * -> importance_answered -> =; by answer_importance; asks actions_listed
- * -> connector_introduced -> =; by introduce_connector
- * -> connector_denied -> =; by deny_connector
- declined queued note_due note_sent call_due no_response nurture -> introduction_requested -> =; by request_introduction
    asks connector_known
- no_response -> mode_waived -> =; by waive_mode; asks person mode_open
- nurture -> nurture_touch_skipped -> =; by skip_nurture; asks person nurture_owed
- * -> history_opened -> =; by open_history
- contactable -> why_asked -> =; by ask_why; asks not_suppressed mode_permitted said_no questions_known; arms reason_probe
- * -> opportunity_uncovered -> =; by uncover_opportunity
- * -> need_anticipated -> =; by anticipate_need; asks new_need
- contactable -> decline_reviewed -> =; by review_decline; asks said_no; arms review
- * -> law_recorded -> =; by record_law; asks law_facts; arms consent_expires; ends consent_expires
- declined queued note_due note_sent call_due no_response breakup_sent nurture re_engaged meeting_booked -> consent_expired -> =
    by fire_timer:consent_expires; asks consent_over
- * -> playbook_migrated -> =; by migrate_playbook; asks may_migrate another_playbook step_kept
- contactable -> channel_opted_out -> =; by opt_out:channel
- * -> stage_moved -> =; by move_stage
- contactable -> cold_proposed -> =; by propose_cold; asks idle
- contactable -> event_invitation_sent -> =; by send_invitation
    asks not_held not_suppressed mode_permitted one_invitation audience content_checks
- * -> lead_erased -> =; by erase_lead
- do_not_contact -> lead_merged -> =; by merge_lead
    asks manager another_lead into_known into_not_erased into_not_merged not_held no_mail_under_way
- * -> duplicate_taken_in -> =; by take_in_duplicate; asks another_lead not_taken_in; arms revisit
- no_response -> mail_queued -> =; by queue_breakup_mail
    asks not_held not_suppressed email_reachable monitored_reply_address attempts_made modes_tried offer_known
    cut_bait_confirmed breakup_mail_open no_mail_under_way content_checks
- nurture -> mail_queued -> =; by queue_nurture_mail
    asks not_held not_suppressed email_reachable account_studied asset_kind_known new_asset once_a_month no_mail_under_way
    content_checks
- no_response -> mail_sending -> =; by send_mail:breakup
    asks not_held not_suppressed email_reachable mail_waiting cut_bait_confirmed breakup_mail_open
- nurture -> mail_sending -> =; by send_mail:nurture
    asks not_held not_suppressed email_reachable mail_waiting account_studied new_asset once_a_month
- * -> mail_sent -> =; by report_mail:sent; asks mail_under_way
- * -> mail_refused -> =; by report_mail:refused; asks mail_under_way
- * -> mail_deferred -> =; by report_mail:deferred; asks mail_under_way
- * -> mail_unconfirmed -> =; by report_mail:unconfirmed; asks mail_under_way
- no_response -> breakup_email_sent -> =; by mail_sent:breakup
- nurture -> nurture_touch_sent -> =; by mail_sent:nurture; arms nurture_touch nurture_floor
- * -> mail_bounced -> =; by record_bounce; asks not_back_yet
"""

STATES = (
    "registered", "declined", "queued", "note_due", "note_sent", "call_due", "no_response", "breakup_sent", "nurture",
    "re_engaged", "meeting_booked", "won", "dropped", "do_not_contact",
)  # fmt: skip

#: States in which nobody owes the next move.
RESTING = ("registered", "won", "dropped", "do_not_contact")

#: Entering one of these ends a hold.
ENDS_HOLD = ("won", "dropped", "do_not_contact")

#: These leave a lead where it is, and give its slots back.
GIVES_BACK = ("lead_held", "lead_reassigned", "touch_scheduled")

#: Leaving these for another state forgets the planned note and call.
PLANNED = ("note_due", "note_sent", "call_due")


class Row(NamedTuple):
    """One line of the table."""

    id: str | None
    sources: tuple[str, ...]
    event: str
    target: str | None
    by: tuple[str, ...]
    asks: tuple[str, ...]
    arms: tuple[str, ...]
    ends: tuple[str, ...]
    uses: tuple[str, ...]
    keeps: tuple[str, ...]


def _read_table(text: str) -> list[Row]:
    rows = []
    for entry in re.split(r"\n(?! )", text.strip()):
        head, *parts = [part.strip() for part in re.split(r";|\n", entry)]
        named: dict[str, tuple[str, ...]] = {}
        last = ""
        for words in (part.split() for part in parts):
            if words[0] in ("by", "asks", "arms", "ends", "uses", "keeps"):
                last = words.pop(0)
            named[last] = named.get(last, ()) + tuple(words)
        sources, event, target = [part.split() for part in head.split("->")]
        states: tuple[str, ...] = tuple(sources[1:])
        if states in (("*",), ("contactable",)):
            states = STATES if states == ("*",) else STATES[:-1]
        rows.append(
            Row(
                None if sources[0] == "-" else sources[0],
                () if states == ("none",) else states,
                event[0],
                None if target[0] == "=" else target[0],
                *(named.get(word, ()) for word in ("by", "asks", "arms", "ends", "uses", "keeps")),
            )
        )
    return rows


ROWS = _read_table(TABLE)
_FIRST = ROWS[0]
_BY_TRIGGER = {(state, trigger): row for row in reversed(ROWS) for state in row.sources for trigger in row.by}
_ASIDES = {row.event: row for row in reversed(ROWS) if row.id is None}
_OPTED_OUT = next(row for row in ROWS if row.event == "opted_out")

#: Every kind of event that these rules know.
KINDS = frozenset([row.event for row in ROWS] + ["command_refused"])

#: Every kind of command that these rules know.
COMMANDS = frozenset(trigger.partition(":")[0] for row in ROWS for trigger in row.by)


def row_for(state: str, trigger: str) -> Row | None:
    """Return the row that *trigger* sets off in *state*."""
    return _BY_TRIGGER.get((state, trigger))


def trigger_of(command: Any) -> str:
    """Return what a command sets off: its kind, and after a colon what else decides about the row."""
    kind = str(command["command"])
    detail = ""
    if kind == "record_call":
        detail = command["outcome"] if command["outcome"] in ("connected", "not_now") else "unanswered"
    elif kind == "record_reply":
        detail = "no" if command["intent"] == "no" else "open"
    elif kind == "opt_out":
        detail = "channel" if command["channel"] else "all"
    elif kind == "record_reason":
        detail = command["kind"]
    elif kind == "fire_timer":
        detail = command["timer"]
    elif kind == "migrate_playbook":
        detail = "queue" if command.get("onto") == "queue" else ""
    elif kind == "send_mail":
        detail = command["purpose"]
    elif kind == "report_mail":
        detail = command["outcome"]
    return kind + ":" + detail if detail else kind


class Timer(NamedTuple):
    """How long a timer runs, counted how, and what it does."""

    clock: str
    """working_days of the rep, calendar days, months, or the very day that it is told."""
    counts_from: str
    """The day on which something occurred, was recorded, or that the event names."""
    at_end: bool
    """Due as the rep's working day ends; else as it starts."""
    fires: bool
    """Acts by itself; else a date for people."""
    retry: int = 0
    """Refused, it is due again so many working days later; 0 stands for 30 days."""
    ended_by: str = ""
    """A timer that its first refusal arms, so that it is not asked for ever."""


TIMERS = {
    "reason_probe": Timer("working_days", "recorded", True, False),
    "homework": Timer("working_days", "recorded", True, False),
    "triage": Timer("days", "recorded", False, True),
    "revisit": Timer("day", "named", False, True),
    "queue_age": Timer("days", "recorded", False, True),
    "note_slot": Timer("working_days", "named", True, True),
    "call_after_note": Timer("day", "named", False, True, 1, "call_expiry"),
    "call_grace": Timer("working_days", "named", True, False),
    "call_late": Timer("working_days", "named", True, True),
    "call_expiry": Timer("working_days", "named", True, True),
    "next_attempt": Timer("working_days", "occurred", False, False),
    "response_window": Timer("working_days", "occurred", True, True),
    "breakup_window": Timer("working_days", "occurred", True, True),
    "nurture_touch": Timer("months", "occurred", False, True),
    "nurture_floor": Timer("days", "occurred", False, True),
    "requeue": Timer("days", "recorded", False, True),
    "next_step": Timer("working_days", "occurred", True, False),
    "lapse": Timer("working_days", "occurred", True, True, 1),
    "meeting_outcome": Timer("working_days", "named", True, True),
    "hold_until": Timer("day", "named", False, True, 1),
    "hold_review": Timer("days", "recorded", False, True),
    "review": Timer("days", "recorded", False, False),
    "consent_expires": Timer("day", "named", False, True),
}

#: Timers that entering another state does not end, unless it is one in which nobody owes the next move.
LIVES_ON = ("review", "consent_expires")

RETRY_DAYS = 30


def hour_of(timer: str, calendar: Calendar) -> int:
    """Return the minute of the rep's day at which *timer* is due."""
    return calendar.ends if TIMERS[timer].at_end else calendar.starts


def at_its_hour(timer: str, day: date, calendar: Calendar) -> datetime:
    """Return the moment of *day* at which *timer* is due."""
    return moment_of(calendar, day, hour_of(timer, calendar))


def due(timer: str, base: date, playbook: Any, calendar: Calendar) -> datetime:
    """Return when *timer* is due that counts from the day *base* by the playbook."""
    clock = TIMERS[timer].clock
    if clock == "working_days":
        day = days_after(calendar, base, playbook["timers"][timer + "_working_days"])
    elif clock == "days":
        day = base + timedelta(days=playbook["timers"][timer + "_days"])
    elif clock == "months":
        terms = playbook["timers"]
        day = monthly(calendar, base, base, terms["nurture_interval_months"], terms.get("nurture_day"))
    else:
        day = base
    return at_its_hour(timer, day, calendar)


def freeze(timer: str, due_at: datetime, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """Return what a timer keeps that is frozen at *now*: working days and its hour, or seconds."""
    kept: dict[str, Any] = {"timer": timer, "working_days": None, "minute": None, "seconds": None}
    if TIMERS[timer].clock in ("working_days", "day"):
        kept["working_days"] = days_between(calendar, day_of(calendar, now), day_of(calendar, due_at))
        kept["minute"] = hour_of(timer, calendar)
    else:
        kept["seconds"] = max(0, (due_at - now) // timedelta(seconds=1))
    return kept


def thaw(kept: dict[str, Any], now: datetime, calendar: Calendar) -> datetime:
    """Return when a frozen timer is due that runs again from *now*."""
    if kept["working_days"] is None:
        return now + timedelta(seconds=kept["seconds"] or 0)
    day = days_after(calendar, day_of(calendar, now), kept["working_days"])
    return max(now, moment_of(calendar, day, kept["minute"] or 0))


# 8. A lead, as its events leave it -------------------------------------------------------------------------------------------

#: A mail that came back for a passing reason is sent again up to this number of attempts.
BOUNCED_ATTEMPTS = 3

#: One unit of a rep's capacity: rep, kind, day, and number within the day.
Slot = Tuple[str, str, str, int]

ALL_MODES = ("call", "courier", "email", "fax", "handwritten_note", "other", "post", "text_message")


def slot_of(raw: Any) -> Slot:
    """Return a slot that can be compared."""
    return raw["rep"], raw["kind"], raw["day"], raw["ordinal"]


class Lead:
    """A lead at a version. Days are dates, moments are UTC."""

    __slots__ = (
        "attempts", "attempts_granted", "basis", "breakup_email_at", "breakup_voicemail_at", "call_by", "call_on", "called_at",
        "connector_denied", "connectors", "consent_lapsed", "cut_bait", "declined_at", "ended_as", "entered_at", "erased",
        "has_connector", "history_at", "hold", "homework_at", "importance", "invitations", "last_contact_at",
        "last_mode", "last_touch_at", "law", "mail", "meeting_at", "merged_into",
        "minutes_invested", "modes", "modes_refused", "modes_tried", "modes_waived", "needs", "next_step_on", "note_on",
        "note_sent_at", "nurture_owed", "nurture_touched_at",
        "offer_at", "open_opportunity", "owner", "pin", "promised", "promised_on", "qualified", "queued_at", "real_reason",
        "reason_probed_at", "recorded_at", "revisit_on", "said_no", "score", "slots", "stage_depth", "stage_moved_at",
        "state", "strategy_at", "taken_in", "term_on", "timers", "value_band", "value_item", "value_items_used",
    )  # fmt: skip

    def __init__(self, body: Any) -> None:
        """Take the event that registered it."""
        data, at = body["data"], read_moment(body["occurred_at"])
        for name in self.__slots__:
            setattr(self, name, None)
        self.state: str = body["state"]
        self.entered_at: datetime = at
        self.recorded_at: datetime = read_moment(body["recorded_at"])
        self.owner: str = data["owner"]
        self.pin: Any = body["playbook"]
        self.modes: list[str] = data["modes"]
        self.modes_refused: list[str] = []
        self.modes_tried: list[str] = []
        self.modes_waived: list[str] = []
        self.connectors: list[str] = []
        self.connector_denied: bool = False
        self.nurture_owed: bool = False
        self.attempts_granted: int = 0
        self.open_opportunity: bool = data["open_opportunity"]
        self.stage_depth: int = data["stage_depth"]
        self.value_band: int = data["value_band"]
        self.minutes_invested: int = data["minutes_invested"]
        self.qualified: bool | None = data["qualified"]
        self.last_contact_at: datetime | None = _moment_of(data["last_contact_on"])
        self.law: dict[str, Any] = data.get("law", {})
        #: Once a consent to mail is over: whether mail comes back with a new one.
        self.consent_lapsed: bool | None = None
        self.has_connector: bool = False
        self.erased: bool = False
        self.promised: bool = False
        self.attempts: int = 0
        self.timers: dict[str, tuple[datetime, int]] = {}
        self.slots: list[Slot] = []
        self.value_items_used: list[str] = []
        self.needs: list[str] = []
        self.invitations: list[str] = []
        self.history_at: datetime | None
        self.note_sent_at: datetime | None
        self.promised_on: date | None
        self.term_on: date | None
        self.hold: Any = None
        self.mail: Any = None
        #: The state in which it was merged.
        self.ended_as: str | None = None
        self.merged_into: str | None = None
        #: The duplicates that were merged into it, each with the version of the event that merged it.
        self.taken_in: dict[str, int] = {}
        #: What was said with the last no.
        self.said_no: dict[str, Any]
        self.score: Any
        #: What the score rests on beside the rest; None where it was never worked out anew.
        self.basis: Any
        self.value_item: str | None
        self.importance: int | None
        self.real_reason: str | None
        self.cut_bait: str | None
        self.last_mode: str | None
        #: The colleague who makes the call that is planned or promised; None when the owner does.
        self.call_by: str | None
        self.note_on: date | None
        self.call_on: date | None
        self.revisit_on: date | None
        self.next_step_on: date | None
        self.declined_at: datetime | None
        self.called_at: datetime | None
        self.queued_at: datetime | None
        self.last_touch_at: datetime | None
        self.stage_moved_at: datetime | None
        self.meeting_at: datetime | None
        self.nurture_touched_at: datetime | None
        self.homework_at: datetime | None
        self.strategy_at: datetime | None
        self.offer_at: datetime | None
        self.reason_probed_at: datetime | None
        self.breakup_voicemail_at: datetime | None
        self.breakup_email_at: datetime | None

    def take(self, body: Any, version: int) -> None:
        """Take the next event."""
        data, at = body["data"], read_moment(body["occurred_at"])
        self.change(data, at)
        self.recorded_at = read_moment(body["recorded_at"])
        if data["type"] in ("revival_queued", "playbook_migrated"):
            self.pin = body["playbook"]
        if body["state"] != self.state:
            self.state, self.entered_at = body["state"], at
            if self.call_on and self.state not in PLANNED:
                self.note_on = self.call_on = self.value_item = self.call_by = None
                self.promised = False
            if self.state in ENDS_HOLD:
                self.hold = None
        self._move(body["effects"], version)

    def change(self, data: Any, at: datetime) -> None:
        """Take what an event says, all but the state and what it moves."""
        change = _CHANGES.get(data["type"])
        if change:
            change(self, data, at)
        if "minutes" in data:
            self.minutes_invested += data["minutes"]

    def _move(self, effects: Any, version: int) -> None:
        """Move timers, slots and the score."""
        for name in effects["cancelled"]:
            self.timers.pop(name, None)
        for name, due_at in effects["armed"].items():
            self.timers[name] = (read_moment(due_at), version)
        if effects["reserved"] or effects["released"] or effects["used"]:
            gone = [slot_of(raw) for raw in effects["released"] + effects["used"]]
            self.slots = [slot for slot in self.slots if slot not in gone] + [slot_of(raw) for raw in effects["reserved"]]
        if effects["frozen"] is not None and self.hold:
            self.hold["remaining"] = effects["frozen"]
        if "score" in effects:
            self.basis = self.basis or _basis_of_points(self)
            self.score = effects["score"]

    def contact(self, at: datetime) -> None:
        """A two-way contact: unanswered attempts count anew."""
        self.last_contact_at = max(at, self.last_contact_at or at)
        if self.basis:
            self.basis = {**self.basis, "unanswered": 0}
        self.afresh()

    def afresh(self) -> None:
        """A pursuit begins anew."""
        self.attempts, self.attempts_granted, self.modes_tried, self.modes_waived = 0, 0, [], []
        self.cut_bait = self.breakup_voicemail_at = self.breakup_email_at = None

    def touch(self, at: datetime, mode: str, item: str | None) -> None:
        """A touch in *mode*, which brought *item* if anything."""
        self.last_touch_at, self.last_mode, self.value_item = at, mode, None
        self.tried(mode)
        if item and item not in self.value_items_used:
            self.value_items_used = [*self.value_items_used, item]

    def tried(self, mode: str) -> None:
        """A mode, or a way within one, that was tried."""
        if mode not in self.modes_tried:
            self.modes_tried = [*self.modes_tried, mode]

    def call(self, at: datetime) -> None:
        """A call that was made."""
        self.called_at = at
        self.touch(at, "call", self.value_item)

    def call_if_due(self, at: datetime) -> None:
        """What came of a call that was due was said on it."""
        if self.state == "call_due":
            self.call(at)


def _on_declined(lead: Lead, data: Any, at: datetime) -> None:
    lead.call_if_due(at)
    if data["kind"] != "went_silent":
        lead.contact(at)
    lead.declined_at, lead.real_reason, lead.revisit_on = at, data["real_reason"], day_or_none(data["revisit_on"])
    lead.said_no = {name: data[name] for name in ("kind", "stated_reason", "revisit_on", "keep_in_touch_requested")}
    lead.reason_probed_at, lead.strategy_at = at if data["real_reason"] else None, None
    lead.history_at = None


def _on_queued(lead: Lead, data: Any, at: datetime) -> None:
    lead.queued_at, lead.revisit_on, lead.score, lead.basis = at, None, data["score"], data.get("basis")
    lead.afresh()


def _on_nurture(lead: Lead, data: Any, at: datetime) -> None:
    if lead.state == "call_due":
        lead.call(at)
        lead.contact(at)
    lead.revisit_on = day_or_none(data["revisit_on"]) or lead.revisit_on
    lead.nurture_owed = False


def _on_scheduled(lead: Lead, data: Any, at: datetime) -> None:
    lead.note_on, lead.call_on = day_or_none(data.get("note_on")), read_day(data["call_on"])
    lead.value_item, lead.promised = data["value_item"], False
    lead.promised_on, lead.term_on = lead.call_on, None
    lead.call_by = data.get("call_by")


def _on_note_sent(lead: Lead, data: Any, at: datetime) -> None:
    lead.touch(at, "handwritten_note", lead.value_item)
    lead.call_on = lead.promised_on = read_day(data["call_on"])
    lead.promised, lead.note_sent_at = True, at


def _on_reply(lead: Lead, data: Any, at: datetime) -> None:
    lead.contact(at)
    lead.revisit_on = day_or_none(data["revisit_on"]) or lead.revisit_on
    if lead.state != "re_engaged":
        lead.next_step_on = None
    lead.next_step_on = day_or_none(data.get("next_step_on")) or lead.next_step_on


def _on_connected(lead: Lead, data: Any, at: datetime) -> None:
    lead.call(at)
    lead.contact(at)
    lead.next_step_on = day_or_none(data["next_step_on"])


def _on_met(lead: Lead, data: Any, at: datetime) -> None:
    lead.contact(at)
    lead.next_step_on = day_or_none(data["next_step_on"])


def _on_meeting(lead: Lead, data: Any, at: datetime) -> None:
    lead.call_if_due(at)
    lead.contact(at)
    lead.meeting_at, lead.next_step_on = read_moment(data["meeting_at"]), None


def _on_no_response(lead: Lead, data: Any, at: datetime) -> None:
    if data["outcome"] == "lapsed":
        lead.afresh()
        lead.next_step_on = None
    else:
        lead.call(at)
        lead.attempts += 1


def _on_touch(lead: Lead, data: Any, at: datetime) -> None:
    lead.touch(at, data["mode"], data["value_item"])
    if "way" in data:
        lead.tried(data["way"])
    lead.attempts += 1


def _on_nurture_touch(lead: Lead, data: Any, at: datetime) -> None:
    lead.touch(at, data["mode"], data["asset"])
    lead.nurture_touched_at, lead.nurture_owed = at, False


def _on_contact_updated(lead: Lead, data: Any, at: datetime) -> None:
    gone = list(lead.modes_refused)
    if data.get("mail_again"):
        lead.consent_lapsed = None
    elif lead.consent_lapsed is not None:
        gone.append("email")
        lead.consent_lapsed = "email" in data["modes"]
    lead.modes = [mode for mode in data["modes"] if mode not in gone]
    lead.open_opportunity = data["open_opportunity"]
    if data.get("stage_depth", 0) > lead.stage_depth:
        lead.stage_moved_at = max(lead.stage_moved_at, at) if lead.stage_moved_at else at
    lead.stage_depth = data.get("stage_depth", lead.stage_depth)
    lead.value_band = data.get("value_band", lead.value_band)
    lead.minutes_invested = max(0, lead.minutes_invested + data.get("minutes_added", 0))
    lead.score = data.get("score", lead.score)
    lead.law = {**lead.law, **data.get("law", {})}
    if "last_contact_on" in data:
        said, before = (_moment_of(data.get(name)) for name in ("last_contact_on", "last_contact_before"))
        ours = lead.last_contact_at
        # The CRM corrects itself, and not what happened here.
        lead.last_contact_at = said if ours is None or ours == before else max(ours, said or ours)


def _on_law(lead: Lead, data: Any, at: datetime) -> None:
    lead.law = {**lead.law, **data.get("law", {})}
    if data.get("mail_again"):
        lead.modes = [*lead.modes, *(["email"] if lead.consent_lapsed else [])]
        lead.consent_lapsed = None


def _on_consent_expired(lead: Lead, data: Any, at: datetime) -> None:
    lead.consent_lapsed = "email" in lead.modes or lead.consent_lapsed is True
    lead.modes = [mode for mode in lead.modes if mode != "email"]


def _moment_of(day: str | None) -> datetime | None:
    return datetime.combine(read_day(day), datetime.min.time()) if day else None


def _on_returned(lead: Lead, data: Any, at: datetime) -> None:
    lead.modes = [mode for mode in lead.modes if mode not in ("handwritten_note", "post")]


def _on_regranted(lead: Lead, data: Any, at: datetime) -> None:
    lead.modes = data["modes"]
    lead.modes_refused = [mode for mode in lead.modes_refused if mode not in lead.modes]


def _on_stage_moved(lead: Lead, data: Any, at: datetime) -> None:
    lead.stage_depth = data["stage_depth"]
    if data["stage_depth"] > data["previous"]:
        lead.stage_moved_at = max(lead.stage_moved_at, at) if lead.stage_moved_at else at


def _on_opted_out(lead: Lead, data: Any, at: datetime) -> None:
    lead.modes, lead.modes_refused = [], list(ALL_MODES)


def _on_channel_opted_out(lead: Lead, data: Any, at: datetime) -> None:
    gone = {"post", "handwritten_note"} if data["channel"] == "post" else {data["channel"]}
    lead.modes = [mode for mode in lead.modes if mode not in gone]
    lead.modes_refused = sorted(gone.union(lead.modes_refused))


def _on_held(lead: Lead, data: Any, at: datetime) -> None:
    lead.hold = {"reason": data["reason"], "since": at, "remaining": data["remaining"]}
    if lead.state == "note_due":
        lead.call_by = None


def _on_reassigned(lead: Lead, data: Any, at: datetime) -> None:
    lead.owner, lead.call_by = data["owner"], None
    lead.call_on = day_or_none(data.get("call_on")) or lead.call_on


def _on_released(lead: Lead, data: Any, at: datetime) -> None:
    lead.hold = None
    lead.note_on = day_or_none(data["note_on"]) or lead.note_on
    lead.call_on = day_or_none(data["call_on"]) or lead.call_on


def _on_real_reason(lead: Lead, data: Any, at: datetime) -> None:
    lead.reason_probed_at = at
    if lead.declined_at:
        lead.real_reason = data["reason"]


def _on_stated_reason(lead: Lead, data: Any, at: datetime) -> None:
    if lead.declined_at:
        lead.said_no = {**lead.said_no, "stated_reason": data["reason"]}


def _on_merged(lead: Lead, data: Any, at: datetime) -> None:
    lead.merged_into, lead.hold, lead.ended_as = data["into"], None, lead.state


def _on_taken_in(lead: Lead, data: Any, at: datetime) -> None:
    facts = data["facts"]
    for name in ("last_contact_at", "last_touch_at", "called_at", "nurture_touched_at"):
        known, told = getattr(lead, name), facts[name] and read_moment(facts[name])
        setattr(lead, name, max(known, told) if known and told else known or told)
    named = day_or_none(facts["revisit_on"])
    lead.revisit_on = max(lead.revisit_on, named) if lead.revisit_on and named else lead.revisit_on or named
    lead.open_opportunity = lead.open_opportunity or facts["open_opportunity"]
    lead.value_items_used = list(dict.fromkeys(lead.value_items_used + facts["value_items_used"]))
    lead.invitations = list(dict.fromkeys(lead.invitations + facts["invitations"]))
    if facts["do_not_call_on"]:
        checked = max(facts["do_not_call_on"], lead.law.get("dnc_checked_on", ""))
        lead.law = {**lead.law, "dnc_listed": True, "dnc_checked_on": checked}
    decline = facts["decline"]
    if decline and (lead.declined_at is None or lead.declined_at < read_moment(decline["at"])):
        lead.declined_at, lead.real_reason = read_moment(decline["at"]), decline["real_reason"]
        lead.said_no = {name: decline[name] for name in ("kind", "stated_reason", "revisit_on", "keep_in_touch_requested")}
        lead.reason_probed_at = lead.declined_at if lead.real_reason else None
        lead.strategy_at = lead.history_at = None
    lead.taken_in = {**lead.taken_in, data["duplicate"]: data["version"]}
    lead.merged_into = None


def _on_mail_queued(lead: Lead, data: Any, at: datetime) -> None:
    lead.mail = {**data, "status": "queued", "attempt": 0}


def _on_mail_sending(lead: Lead, data: Any, at: datetime) -> None:
    if lead.mail and lead.mail["mail"] == data["mail"]:
        lead.mail = {**lead.mail, "status": "sending", "attempt": data["attempt"]}


def _on_mail_told(lead: Lead, data: Any, at: datetime) -> None:
    if lead.mail and lead.mail["mail"] == data["mail"]:
        lead.mail = {**lead.mail, "status": data["type"][len("mail_") :]}


def _on_mail_bounced(lead: Lead, data: Any, at: datetime) -> None:
    if data["permanent"]:
        lead.modes = [mode for mode in lead.modes if mode != "email"]
    if lead.mail and lead.mail["mail"] == data["mail"]:
        soon = not data["permanent"] and lead.mail["attempt"] < BOUNCED_ATTEMPTS
        lead.mail = {**lead.mail, "status": "returned" if soon else "bounced", "writing_minutes": 0}
        if lead.mail["purpose"] == "breakup":
            lead.breakup_email_at = None


def _on_cut_bait(lead: Lead, data: Any, at: datetime) -> None:
    lead.cut_bait = data["choice"]
    if lead.cut_bait == "one_more_try" and "card" in data and lead.attempts >= data["card"]["most"]:
        lead.attempts_granted = lead.attempts + 1
    if "override" in data and "card" in data:
        lead.modes_waived = lead.modes_waived + data["card"]["checklist"]["modes_open"]


def _on_invitation(lead: Lead, data: Any, at: datetime) -> None:
    lead.invitations = [*lead.invitations, data["campaign_id"]]


def _on_connector(lead: Lead, data: Any, at: datetime) -> None:
    lead.has_connector = True
    document = data["connector"]["document_id"]
    if "relation" in data and document not in lead.connectors:
        lead.connectors = [*lead.connectors, document]


def _on_waived(lead: Lead, data: Any, at: datetime) -> None:
    lead.modes_waived = [*lead.modes_waived, data["mode"]]


def _on_rescheduled(lead: Lead, data: Any, at: datetime) -> None:
    lead.call_on = read_day(data["call_on"])
    if data["reason"] != "capacity":
        lead.term_on = lead.call_on


def _on_why_asked(lead: Lead, data: Any, at: datetime) -> None:
    lead.last_touch_at = at
    if data["outcome"] == "answered":
        lead.last_contact_at = max(at, lead.last_contact_at or at)


def _on_need(lead: Lead, data: Any, at: datetime) -> None:
    lead.needs = [*lead.needs, data["item"]]


def _sets(name: str, value: Callable[[Any, datetime], Any]) -> Callable[[Lead, Any, datetime], None]:
    def change(lead: Lead, data: Any, at: datetime) -> None:
        setattr(lead, name, value(data, at))

    return change


_CHANGES: dict[str, Callable[[Lead, Any, datetime], None]] = {
    "contact_updated": _on_contact_updated,
    "lead_declined": _on_declined,
    "revival_queued": _on_queued,
    "nurture_started": _on_nurture,
    "note_scheduled": _on_scheduled,
    "call_scheduled": _on_scheduled,
    "note_sent": _on_note_sent,
    "note_returned": _on_returned,
    "reply_received": _on_reply,
    "call_connected": _on_connected,
    "re_engaged": _on_met,
    "meeting_booked": _on_meeting,
    "no_response": _on_no_response,
    "touch_sent": _on_touch,
    "nurture_touch_sent": _on_nurture_touch,
    "consent_regranted": _on_regranted,
    "opted_out": _on_opted_out,
    "channel_opted_out": _on_channel_opted_out,
    "lead_held": _on_held,
    "lead_released": _on_released,
    "real_reason_recorded": _on_real_reason,
    "stated_reason_recorded": _on_stated_reason,
    "lead_merged": _on_merged,
    "duplicate_taken_in": _on_taken_in,
    "call_rescheduled": _on_rescheduled,
    "breakup_voicemail_left": _sets("breakup_voicemail_at", lambda data, at: at),
    "breakup_email_sent": _sets("breakup_email_at", lambda data, at: at),
    "cut_bait_confirmed": _on_cut_bait,
    "nurture_touch_due": _sets("nurture_owed", lambda data, at: True),
    "nurture_touch_skipped": _sets("nurture_owed", lambda data, at: False),
    "connector_denied": _sets("connector_denied", lambda data, at: True),
    "introduction_requested": lambda lead, data, at: lead.tried("introduction"),
    "mode_waived": _on_waived,
    "homework_completed": _sets("homework_at", lambda data, at: at),
    "strategy_recorded": _sets("strategy_at", lambda data, at: at),
    "offer_recorded": _sets("offer_at", lambda data, at: at),
    "lead_qualified": _sets("qualified", lambda data, at: data["qualified"]),
    "importance_answered": _sets("importance", lambda data, at: data["importance"]),
    "connector_introduced": _on_connector,
    "lead_reassigned": _on_reassigned,
    "stage_moved": _on_stage_moved,
    "event_invitation_sent": _on_invitation,
    "lead_erased": _sets("erased", lambda data, at: True),
    "mail_queued": _on_mail_queued,
    "mail_sending": _on_mail_sending,
    "mail_sent": _on_mail_told,
    "mail_refused": _on_mail_told,
    "mail_deferred": _on_mail_told,
    "mail_unconfirmed": _on_mail_told,
    "mail_bounced": _on_mail_bounced,
    "history_opened": _sets("history_at", lambda data, at: at),
    "why_asked": _on_why_asked,
    "need_anticipated": _on_need,
    "law_recorded": _on_law,
    "consent_expired": _on_consent_expired,
}


# 9. Decisions made again -----------------------------------------------------------------------------------------------------
#
# A decision is one command, and the events that came of it: those of one message. The first event holds the command and what
# was used; all that they say and move besides is made here again and compared. Not made again: the words of refusals, and the
# plan of a day (it takes a rep's whole book). Of a decision from before there was a law table, contact hours neither.


class NotDerivableError(Exception):
    """A decision cannot be made again here, which is no finding; the message says why."""


class MissingError(Exception):
    """A calendar or playbook that a decision names is not in the bundle."""


#: The verdict of the suppression list.
SUPPRESSION = "not_suppressed"

#: What every letter of a campaign must have passed.
LETTER_CHECKS = ("event_left", "event_list", "described", "invitation_opening", "invitation_values", "list_whole")


class Decision:
    """One command with what was used to decide it."""

    def __init__(self, lead: Lead | None, body: Any, playbooks: dict[str, Any], calendar: Calendar) -> None:
        self.playbooks = playbooks
        used, self.command = body["used"], body["command"]
        self.message = body["message_id"]
        self.stream: str = body["stream_id"]
        self.version_before: int = body["version"] - 1
        self.actor: str = body["actor"]
        self.pin = body["playbook"]
        if self.pin["digest"] not in playbooks:
            raise MissingError("the playbook {} is not in the bundle".format(plain(self.pin["digest"], 64)))
        self.playbook = playbooks[self.pin["digest"]]
        followed = used.get("followed", self.pin["digest"])
        if followed not in playbooks:
            raise MissingError(f"the playbook {plain(followed, 64)} is not in the bundle")
        #: The rep's, which binds whatever the lead's own playbook says.
        self.capacity = playbooks[followed]["capacity"]
        #: Hours for calls: those of the lead's playbook and of the caller's.
        self.hours = [self.playbook["contact_hours"], playbooks[followed]["contact_hours"]]
        self.calendar = calendar
        self.has_calendar = used["calendar"] is not None
        self.now = read_moment(used["now"])
        #: Who makes the call of a note that is planned or sent, when the owner does not.
        self.colleague = used.get("colleague")
        #: By which the day of that call counts.
        self.call_calendar = calendar
        self.free = [slot_of(raw) for raw in used["free"]]
        self.verdicts = used["verdicts"]
        self.holdings = used.get("holdings") or {}
        self.queue = used.get("queue")
        #: The checks that were asked for beside the playbook's; None of a decision from before there were any.
        self.asked = used.get("asked")
        #: Whether earlier decisions on the same lead asked for such, so that this one has to.
        self.asked_before = False
        #: Whether earlier voicemails to the same lead were asked what the mail is.
        self.as_mail_before = False
        #: What was known of the lead into which another was to be merged.
        self.into = used.get("into") or {}
        self.pursuit = self.playbook.get("pursuit")
        #: What contact law was asked by; None of an event from before there was a table.
        self.law = used.get("law")
        #: Whether an earlier decision on the same lead was held against a table, so that this one has to be.
        self.judged_before = False
        #: Of which sort of call another owner was asked with a law table, and whose days were looked at for it.
        self.handed_before: set[str] = set()
        #: Whether another owner for a note that goes back into the queue comes with a reason, as every such does since one did.
        self.explained = body["data"].get("reason") is not None
        #: Whether scores follow what changes their parts, which in earlier releases they did not.
        self.rescores = True
        #: Whether it would have asked the table, and there was none yet.
        self.unjudged = False
        if self.law is not None and self.law["table"] not in LAW_TABLES:
            raise NotDerivableError("its law table is not known to this verifier")
        self.kind: str = self.command["command"]
        self.occurred_at = self._occurred_at()
        self.today, self.day = day_of(calendar, self.now), day_of(calendar, self.occurred_at)
        self.recorded_at = max(self.now, lead.recorded_at) if lead else self.now
        kept_out = self.command.get("suppressed") or set(ALL_MODES) <= self.suppressed()
        steps = [(_FIRST, self.command), (_OPTED_OUT, self.command)][: 2 if kept_out else 1]
        self.steps: Iterator[tuple[Row, Any]] = iter(self._steps(lead) if lead else steps)

    def by_colleague(self, lead: Lead | None, calendar: Calendar) -> None:
        """Go by the *calendar* of a colleague, too, who makes the call or is to have the lead."""
        self.call_calendar = calendar
        if lead is not None:
            self.steps = iter(self._steps(lead))

    def _occurred_at(self) -> datetime:
        given = self.command.get("occurred_at")
        if given is None or self.kind == "fire_timer":
            return self.now
        at = read_moment(given)
        if self.kind == "opt_out" and (self.implausible() or at > self.now + timedelta(seconds=5)):
            return self.now
        return min(at, self.now)

    def implausible(self) -> bool:
        """Whether the command has a date that can only be a slip of the pen."""
        told = self.kind == "take_in_duplicate"
        # What a duplicate tells stands in its history and binds: only what nobody could compute with is refused.
        earliest, latest = date(2 if told else 1970, 1, 1), (self.now + timedelta(days=3661 if told else 3660)).date()
        for name in ("occurred_at", "meeting_at", "not_before", "first_erased_at"):
            if self.command.get(name) is not None and not earliest <= read_day(self.command[name][:10]) <= latest:
                return True
        for name in (
            "revisit_on",
            "note_on",
            "call_on",
            "touch_on",
            "next_step_on",
            "until",
            "last_contact_on",
            "last_contact_before",
        ):
            if self.command.get(name) is not None and not earliest <= read_day(self.command[name]) <= latest:
                return True
        facts = self.command["facts"] if told else {}
        named = [value for name, value in facts.items() if name[-3:] in ("_on", "_at") and value]
        decline = facts.get("decline") or {}
        named += [decline[name] for name in ("at", "revisit_on") if decline.get(name)]
        if self.kind == "record_law":
            named += [value for name, value in self.command["law"].items() if name[-3:] == "_on"]
        return any(not earliest <= read_day(value[:10]) <= latest for value in named)

    def _steps(self, lead: Lead) -> list[tuple[Row, Any]]:
        """Return the rows that the command sets off, each with the command that it is for."""
        state, command = lead.state, self.command
        row = row_for(state, trigger_of(command))
        if self.kind == "record_reply" and command["intent"] == "no":
            decline = {
                "command": "record_decline", "kind": "no", "stated_reason": command["stated_reason"] or "not_stated",
                "real_reason": None, "revisit_on": command["revisit_on"], "keep_in_touch_requested": False,
                "words": command["words"], "minutes": 0,
            }  # fmt: skip
            if row:
                return [(_ASIDES["reply_received"], command), (row, decline)]
            row = row_for(state, "record_reply:open")
            after = row_for(row.target or state, "record_reply:no") if row else None
            if row and after:
                return [(row, command), (after, decline)]
        if row and self.kind == "erase_lead":
            out = row_for(state, "opt_out:all")
            return [(out, {"command": "opt_out", "channel": None}), (row, command)] if out else [(row, command)]
        if self.kind == "take_in_duplicate":
            return _steps_of_duplicate(lead, command)
        if row and row.target and self.kind == "record_return" and lead.hold is None:
            return [(row, command), (_ASIDES["lead_held"], {"command": "hold", "reason": "needs_address", "until": None})]
        if row and self.kind == "reassign" and handover(lead, self).queued:
            back = row_for(state, "fire_timer:note_slot")
            return [(row, command), (back, {"command": "fire_timer", "timer": "note_slot"})] if back else [(row, command)]
        if row and self.kind == "report_mail" and command["outcome"] == "sent" and lead.mail:
            sent = row_for(state, "mail_sent:" + lead.mail["purpose"])
            touch = {**lead.mail, "mode": "email", "minutes": lead.mail["writing_minutes"], "command": "mail_sent"}
            return [(row, command), (sent, touch)] if sent else [(row, command)]
        return [(row, command)] if row else []

    def suppressed(self) -> set[str]:
        """Return the modes that the suppression list refused at that moment, as was recorded."""
        found = [verdict for verdict in self.verdicts if verdict["check"] == SUPPRESSION]
        return set(found[-1]["inputs"]["modes"].split()) if found and not found[-1]["passed"] else set()

    def length(self, name: str) -> int:
        """Return a duration of the playbook."""
        found: int = self.playbook["timers"][name]
        return found

    def rep(self, lead: Lead, kind: str = "") -> str:
        """Return by whose days it was decided, or whose slot of *kind* is taken."""
        if self.colleague and kind == "promised_call":
            return str(self.colleague["rep"])
        return acting(lead, self.kind)

    def offered(self, kind: str, day: date | None, rep: str) -> Slot | None:
        """Return the first slot of *kind* on *day* that was offered as free."""
        fitting = [slot for slot in self.free if slot[:3] == (rep, kind, written(day))]
        return min(fitting) if fitting else None


def _takes_slots(command: Any) -> bool:
    """Whether a command may take slots of a rep's days, by whose numbers it goes then."""
    if command["command"] == "fire_timer":
        return bool(command["timer"] == "hold_until")
    return command["command"] in TAKES_SLOTS


#: Commands that may take slots.
TAKES_SLOTS = (
    "schedule_note", "schedule_call", "schedule_touch", "reschedule_call", "mark_note_sent", "release", "reassign",
)  # fmt: skip

#: Commands about a call as such: they go by the days of the colleague who makes it, what comes of it by the owner's.
ABOUT_THE_CALL = ("fire_timer", "reschedule_call", "hold", "release", "migrate_playbook")


def acting(lead: Lead, kind: str) -> str:
    """Return the rep by whose days a command of *kind* is decided."""
    calls = lead.state in ("note_sent", "call_due") and kind in ABOUT_THE_CALL
    return lead.call_by if calls and lead.call_by else lead.owner


def colleague_of(lead: Lead, command: Any) -> str | None:
    """Return by whose days the call of a note is promised, or a new owner takes over what is planned; else None."""
    if command["command"] == "schedule_note":
        name: str | None = command.get("call_by")
        return name
    if command["command"] == "reassign":
        return str(command["owner"]) if lead.state in (*PLANNED, "no_response") else None
    return lead.call_by if command["command"] == "mark_note_sent" else None


def who_covers(d: Decision, day: date) -> str | None:
    """Return who is to make the call that a note of *day* promises, where its owner is away too long after it."""
    calendar, at = d.calendar, d.calendar.count_to(day) + d.capacity["call_after_note_days"] - 1
    if d.capacity["long_gap"] != "colleague" or not calendar.covers(day) or at >= len(calendar.working):
        return None
    call_on = date.fromordinal(calendar.working[at])
    if (call_on - day).days <= d.capacity["max_promise_gap_days"]:
        return None
    touching = [absence for absence in calendar.covered if absence[0] <= call_on and absence[1] > day]
    return min(touching)[2] if touching else None


def _steps_of_duplicate(lead: Lead, command: Any) -> list[tuple[Row, Any]]:
    """Return how a lead takes in a duplicate: one that was merged itself stands again; objections and deals count here, too."""
    again = lead.merged_into is not None and lead.state == "dropped" and lead.ended_as != "dropped"
    row = row_for(lead.state, "take_in_duplicate:merged" if again else "take_in_duplicate")
    out, won = (row_for("registered" if again else lead.state, name) for name in ("opt_out:all", "mark_won"))
    steps = [(row, command)] if row else []
    client = command["facts"]["won"] or (again and lead.ended_as == "won")
    if out and command["facts"]["do_not_contact"]:
        return [*steps, (out, {"command": "opt_out", "channel": None})]
    new = sorted(set(command["facts"]["modes_refused"]).difference(lead.modes_refused)) if out else []
    channels = [mode for mode in new if mode != "handwritten_note" or "post" not in new]
    steps += [(_ASIDES["channel_opted_out"], {"command": "opt_out", "channel": mode}) for mode in channels]
    return [*steps, (won, {"command": "mark_won"})] if won and client else steps


# What is asked before a row applies. Each answers True when nothing speaks against it; False, or the name of a rule, refuses.


def _had_turn(lead: Lead, d: Decision) -> bool:
    return lead.called_at is not None and (d.now - lead.called_at).days < d.playbook["audience"]["rotation_days"]


def _first_day(c: Any) -> date:
    """Return the day that a proposal names: of a note that promises a call, the day of the note."""
    return read_day(c.get("note_on") or c.get("call_on") or c["touch_on"])


def _planned_day(lead: Lead, c: Any, d: Decision) -> Any:
    day = _first_day(c)
    if not d.has_calendar:
        return "calendar_known"
    if day < d.today:
        return False
    return works(d.calendar, day) if d.calendar.covers(day) else "calendar_known"


def _promise_day(lead: Lead, c: Any, d: Decision) -> Any:
    note_on, calendar = read_day(c["note_on"]), d.call_calendar
    at = calendar.count_to(note_on) + d.capacity["call_after_note_days"] - 1
    if not calendar.covers(note_on) or at >= len(calendar.working):
        return "calendar_known"
    return read_day(c["call_on"]).toordinal() == calendar.working[at]


def _first_touch_is_note(lead: Lead, c: Any, d: Decision) -> Any:
    return "rotation" if _had_turn(lead, d) else d.playbook["first_touch"] == "handwritten_note"


def _fresh_relationship(lead: Lead, c: Any, d: Decision) -> bool:
    days = d.playbook["audience"]["stale_after_days"]
    fresh = lead.last_contact_at is not None and (d.now - lead.last_contact_at).days < days
    return d.playbook["first_touch"] == "call" or fresh or _had_turn(lead, d)


def _new_mode(lead: Lead, c: Any, d: Decision) -> bool:
    mode = "handwritten_note" if c["command"] == "schedule_note" else "call"
    lawful = [m for m in lead.modes if not unlawful(lead, m, _first_day(c), d)]
    others = [m for m in d.playbook["attempts"]["modes"] if m in lawful and m not in ("handwritten_note", mode)]
    return lead.last_mode != mode or all(other in lead.modes_tried for other in others)


def _touch_gap(lead: Lead, c: Any, d: Decision) -> bool:
    if lead.last_touch_at is None:
        return True
    day = d.day if c["command"] == "send_touch" else _first_day(c)
    return day >= days_after(d.calendar, day_of(d.calendar, lead.last_touch_at), d.length("next_attempt_working_days"))


def _stale(lead: Lead, c: Any, d: Decision) -> bool:
    days = timedelta(days=d.playbook["audience"]["stale_after_days"])
    return lead.last_contact_at is None or lead.last_contact_at <= d.now - days


def _rotation(lead: Lead, c: Any, d: Decision) -> bool:
    days = timedelta(days=d.playbook["audience"]["rotation_days"])
    return all(turn is None or turn <= d.now - days for turn in (lead.queued_at, lead.called_at))


#: What a playbook says that was published before it could say otherwise.
STRUCTURAL = ("no_need", "not_a_fit", "out_of_scope")
BLOCKS = ("note", "call", "touch")
CHECKLIST = ("modes_tried", "value_offered", "connector_tried", "importance_answered", "nurture_in_place")


def _holds_up(d: Decision, *contacts: str) -> bool:
    """Whether one of these contacts with somebody who said no waits for homework and strategy."""
    return any(contact in d.playbook["homework"].get("blocks", BLOCKS) for contact in contacts)


def _is_important(lead: Lead, d: Decision) -> bool:
    return lead.importance is not None and lead.importance >= d.playbook.get("importance", {}).get("high_from", 4)


def _counted_importance(lead: Lead, d: Decision) -> int:
    usual: int = d.playbook.get("importance", {}).get("usual", 3)
    return lead.importance or usual


def _is_structural(lead: Lead, d: Decision) -> bool:
    return lead.real_reason in d.playbook.get("reason", {}).get("structural", STRUCTURAL)


def _connector_answered(lead: Lead, c: Any, d: Decision) -> bool:
    known = lead.has_connector or bool(lead.connectors) or lead.connector_denied
    return known or not d.playbook.get("ask", {}).get("connector", False)


def _homework_fresh(lead: Lead, c: Any, d: Decision) -> Any:
    if not _holds_up(d, "note", "call"):
        return True
    days = timedelta(days=d.playbook["homework"]["fresh_for_days"])
    return "homework_fresh" if lead.homework_at is None or lead.homework_at <= d.now - days else True


def _rested(lead: Lead, c: Any, d: Decision) -> bool:
    if lead.declined_at is None:
        return True
    rest = timedelta(days=d.playbook["audience"]["stale_after_days"])
    return d.today >= (lead.revisit_on or day_of(d.calendar, lead.declined_at) + rest)


def _homework_sources(lead: Lead, c: Any, d: Decision) -> bool:
    oldest = d.today - timedelta(days=d.playbook["homework"]["source_max_age_days"])
    recent = sum(oldest <= read_day(source) <= d.today for source in c["sources"])
    return recent >= int(d.playbook["homework"]["min_sources"])


def _term_ends(lead: Lead, c: Any, d: Decision) -> datetime | None:
    """Return when a promise is late, or void, by the calendar that holds now; None when there is none."""
    if lead.promised_on is None:
        return None
    base = lead.term_on or max(lead.promised_on, day_of(d.calendar, lead.entered_at))
    return due(c["timer"], base, d.playbook, d.calendar)


def _study_first(lead: Lead, d: Decision) -> bool:
    return bool(d.playbook["homework"].get("study_first")) and lead.declined_at is not None


def _questions_known(lead: Lead, c: Any, d: Decision) -> bool:
    answered = c["outcome"] == "answered" or not c["answers"]
    return answered and set(c["answers"]) <= set(d.playbook["reason"]["questions"])


def _account_studied(lead: Lead, c: Any, d: Decision) -> bool:
    waits = ("note", "call") if d.kind == "queue_revival" or c.get("timer") in ("requeue", "revisit") else ("touch",)
    known = lead.strategy_at is not None and lead.homework_at is not None
    return known or not _study_first(lead, d) or not _holds_up(d, *waits)


def _sources_cited(lead: Lead, c: Any, d: Decision) -> bool:
    cited = [source["published_on"] for source in c.get("cited", [])]
    return not d.playbook["homework"].get("cite_sources") or cited == c["sources"]


def _new_need(lead: Lead, c: Any, d: Decision) -> bool:
    return c["item"] not in [*lead.needs, *lead.value_items_used, *d.playbook["value_items"]]


def _real_reason_evidence(lead: Lead, c: Any, d: Decision) -> Any:
    asked = d.playbook.get("reason", {}).get("in_their_words") and c["real_reason"] is not None
    return "reason_evidence" if asked and not c["words"] else True


def _not_before_planned(lead: Lead, c: Any, d: Decision) -> Any:
    entered = day_of(d.calendar, lead.entered_at)
    planned = {"note_due": lead.note_on, "call_due": lead.call_on}.get(lead.state)
    if lead.state == "meeting_booked" and lead.meeting_at:
        planned = day_of(d.calendar, lead.meeting_at)
    return True if d.day >= min(entered, planned or entered) else "before_it_was_due"


#: What the halves of a breakup need whatever the playbook says, once anybody was asked for it.
OF_BREAKUPS = {"leave_breakup_voicemail": ["mentions_mail"], "send_breakup_email": ["breakup_parts"]}


#: What the voicemail is asked besides, as the mail is that it promises, once that was so.
AS_MAIL = ["attempts_made", "modes_tried", "offer_known", "cut_bait_confirmed"]


def _checks_asked(d: Decision) -> list[str]:
    """Return the checks that are asked for before the command counts as done."""
    if d.kind in OF_BREAKUPS:
        return OF_BREAKUPS[d.kind] if d.asked is not None else []
    if d.kind == "send_invitation":
        return [*LETTER_CHECKS, *(BY_LAW if d.command["mode"] == "email" else ())]
    name = {
        "mark_note_sent": "note",
        "send_touch": "touch",
        "send_nurture_touch": "nurture",
        "queue_nurture_mail": "nurture",
    }.get(d.kind)
    if name is None or (d.command.get("mode", "email") != "email" and name == "nurture"):
        return []
    return list(d.playbook["checks"][name])


def _hand_written(c: Any, d: Decision) -> Any:
    if c["medium"] not in d.playbook["checks"].get("media", ["hand_written"]):
        return False
    return "photo_sentences" if c.get("photo") and c.get("text") is None else True


def _content_checks(lead: Lead, c: Any, d: Decision) -> Any:
    given = {verdict["check"]: verdict["passed"] for verdict in d.verdicts if verdict["check"] != SUPPRESSION}
    first = ["read_whole"] if "read_whole" in given else []
    bad = [check for check in [*first, *_checks_asked(d), *given] if given.get(check) is not True]
    return f"check.{bad[0]}"[:80] if bad else True


def _working_minutes(d: Decision, start: datetime, end: datetime) -> int:
    first, total = day_of(d.calendar, start), 0
    last = min(day_of(d.calendar, end), first + timedelta(days=30))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if works(d.calendar, day):
            opens, closes = (moment_of(d.calendar, day, minute) for minute in (d.calendar.starts, d.calendar.ends))
            total += max(0, (min(end, closes) - max(start, opens)) // timedelta(minutes=1))
    return total


def _breakup_halves_together(lead: Lead, c: Any, d: Decision) -> bool:
    halves = sorted(half for half in (lead.breakup_voicemail_at, lead.breakup_email_at) if half)
    most = 60 * int(d.playbook["breakup"]["max_gap_working_hours"])
    return len(halves) < 2 or _working_minutes(d, halves[0], halves[1]) <= most


def _breakup_mail_open(lead: Lead, c: Any, d: Decision) -> bool:
    voicemail, email = lead.breakup_voicemail_at, lead.breakup_email_at
    return email is None or bool(voicemail and voicemail > email and not _breakup_halves_together(lead, c, d))


def _attempts_left(lead: Lead, c: Any, d: Decision) -> bool:
    return lead.attempts < _most_attempts(lead, d)


def _most_attempts(lead: Lead, d: Decision) -> int:
    return max(_budget(d, _is_important(lead, d)), lead.attempts_granted)


def _budget(d: Decision, important: bool) -> int:
    return int(d.playbook["attempts"]["max_when_important" if important else "max"])


def _months(moment: datetime) -> set[tuple[int, int]]:
    """Return the calendar months that a moment may lie in, somewhere on earth."""
    days = [moment + timedelta(hours=hours) for hours in (-12, 14)]
    return {(day.year, day.month) for day in days}


def month_is_theirs(lead: Lead, d: Decision) -> bool:
    """Whether only the prospect's time zone tells if two touches lie in one month."""
    if not d.pursuit or lead.nurture_touched_at is None:
        return False
    then, now = _months(lead.nurture_touched_at), _months(d.occurred_at)
    return bool(then & now) and not (then == now and len(now) == 1)


def _new_asset(lead: Lead, c: Any, d: Decision) -> bool:
    asset = lead.mail["asset"] if d.kind == "send_mail" and lead.mail else c["asset"]
    return _counts_already(lead, d) or asset not in lead.value_items_used


def _counts_already(lead: Lead, d: Decision) -> bool:
    """Whether a mail that came back and goes out again is the last thing that this prospect had."""
    mail = lead.mail if d.kind == "send_mail" else None
    return bool(mail and mail["status"] == "returned" and lead.value_items_used[-1:] == [mail["asset"]])


def _once_a_month(lead: Lead, c: Any, d: Decision) -> bool:
    if _counts_already(lead, d):
        return True
    if lead.nurture_touched_at is None or month_is_theirs(lead, d):
        return True
    if d.pursuit:
        return not _months(lead.nurture_touched_at) & _months(d.occurred_at)
    last = day_of(d.calendar, lead.nurture_touched_at)
    return (last.year, last.month) != (d.day.year, d.day.month)


def _decision_or_next_step(lead: Lead, c: Any, d: Decision) -> bool:
    if c.get("override"):
        return True
    dated = c["next_step"] is not None and c["next_step_on"] is not None and read_day(c["next_step_on"]) >= d.today
    return bool(c["decision"]) or dated


def _call_kind(lead: Lead) -> str:
    return "promised_call" if lead.promised else "follow_up"


def _active(lead: Lead, c: Any, d: Decision) -> Any:
    return "active_prospect" if d.playbook["audience"]["exclude_open_opportunity"] and lead.open_opportunity else True


def _later_day(lead: Lead, c: Any, d: Decision) -> bool:
    day = read_day(c["call_on"])
    return lead.call_on is None or day > lead.call_on or (c["reason"] == "prospect_asked" and day != lead.call_on)


def _promise_gap(lead: Lead, c: Any, d: Decision) -> Any:
    capacity, colleague = d.capacity, c.get("call_by")
    if colleague is not None and colleague != who_covers(d, read_day(c["note_on"])):
        return "colleague_covers"
    if colleague is not None and d.colleague is None:
        return "calendar_known"
    gap = (read_day(c["call_on"]) - read_day(c["note_on"])).days
    return gap <= int(capacity["max_promise_gap_days"]) or capacity["long_gap"] == "accept"


def _free(kind: str, field: str, rule: str) -> Callable[[Lead, Any, Decision], Any]:
    return lambda lead, c, d: True if d.offered(kind, read_day(c[field]), d.rep(lead, kind)) else rule


def _impossible_or_waived(lead: Lead, c: Any, d: Decision) -> bool:
    return not {"call", "email"} <= set(_lawful(lead, d)) or bool(c["waiver"]) or lead.cut_bait == "nurture"


def _drop_of_nurture(lead: Lead, c: Any, d: Decision) -> Any:
    gone = c["reason"] == "out_of_business" or (c["reason"] == "no_lawful_channel" and not _lawful(lead, d))
    return True if gone else "drop_reason"


def _later_date(lead: Lead, c: Any, d: Decision) -> bool:
    return bool(c["keep_in_touch_requested"]) or (c["revisit_on"] is not None and read_day(c["revisit_on"]) > d.today)


def _may_migrate(lead: Lead, c: Any, d: Decision) -> Any:
    leaving = d.playbooks.get(lead.pin["digest"], {}) if lead.pin and lead.state == "no_response" else {}
    goes_to = leaving.get("on_no_response", {}).get("goto")
    return d.actor.startswith("manager:") or goes_to == "{}@{}".format(c["playbook"], c["version"]) or "manager"


def _missing_step(lead: Lead, d: Decision) -> str | None:
    """Return the step that the lead stands on and the new playbook lacks."""
    capacity = d.playbook["capacity"]
    if lead.state in ("note_due", "note_sent"):
        return None if capacity["notes"] else "note"
    if lead.state != "call_due" or capacity["calls" if lead.promised else "follow_up_touches"]:
        return None
    return "promised_call" if lead.promised else "later_call"


def _step_kept(lead: Lead, c: Any, d: Decision) -> Any:
    missing, mapped = _missing_step(lead, d), c.get("step")
    if missing is None:
        return mapped is None or "step_mapped"
    kept = c.get("onto") == "promised_call" and lead.state == "note_sent" and d.playbook["capacity"]["calls"] > 0
    return missing == mapped and kept


def _meeting_ahead(lead: Lead, c: Any, d: Decision) -> bool:
    return d.occurred_at < read_moment(c["meeting_at"]) != lead.meeting_at


def _idle_since(lead: Lead) -> datetime:
    since: datetime = lead.stage_moved_at or lead.last_contact_at or lead.entered_at
    return since


def _idle_days(lead: Lead, now: datetime) -> int:
    return max(0, (now - _idle_since(lead)).days)


def _is_cold(lead: Lead, after_days: int, now: datetime) -> bool:
    if not lead.open_opportunity or lead.state in ("declined", "won", "dropped", "do_not_contact"):
        return False
    days = (lead.next_step_on, lead.note_on, lead.call_on)
    planned = (lead.meeting_at is not None and lead.meeting_at > now) or any(d and d >= now.date() for d in days)
    return _idle_days(lead, now) > after_days and not planned


def _not_suppressed(lead: Lead, c: Any, d: Decision) -> bool:
    if d.kind in ("schedule_note", "mark_note_sent"):
        modes = {"handwritten_note", "call"}
    elif d.kind in ("send_touch", "schedule_touch", "send_nurture_touch", "send_invitation", "ask_why"):
        modes = {c["mode"]}
    else:
        mails = ("send_breakup_email", "queue_breakup_mail", "queue_nurture_mail", "send_mail")
        modes = {"email" if d.kind in mails else "call"}
    return not modes & d.suppressed()


def _mail_is(lead: Lead, c: Any, *statuses: str) -> bool:
    return bool(lead.mail) and lead.mail["mail"] == c["mail"] and lead.mail["status"] in statuses


def _open_modes(lead: Lead, d: Decision) -> list[str]:
    """Return what is permitted, and neither tried nor waived."""
    ways: dict[str, str] = (d.pursuit or {}).get("ways", {})
    wanted: list[str] = []
    lawful, sent = _lawful(lead, d), lead.note_sent_at
    if sent is not None and (d.today - sent.date()).days < d.playbook["audience"]["rotation_days"]:
        lawful = [mode for mode in lawful if mode != "handwritten_note"]
    for mode in d.playbook["attempts"]["modes"]:
        if mode in lawful:
            wanted += [way for way in ways if ways[way] == mode] or [mode]
    if lead.connectors:
        wanted.append("introduction")
    return [mode for mode in dict.fromkeys(wanted) if mode not in lead.modes_tried and mode not in lead.modes_waived]


def _as_its_mail(lead: Lead, c: Any, d: Decision) -> Any:
    if not d.asked or AS_MAIL[0] not in d.asked:
        return True  # decided before the voicemail was asked what its mail is
    return next((rule for rule in AS_MAIL if ASKED[rule](lead, c, d) is not True), True)


def _modes_tried(lead: Lead, c: Any, d: Decision) -> bool:
    if d.pursuit and d.pursuit["every_mode_before_breakup"] and _open_modes(lead, d):
        return False
    return len(lead.modes_tried) >= int(d.playbook["attempts"]["min_modes_before_breakup"])


def _human_reply(lead: Lead, c: Any, d: Decision) -> Any:
    return False if c.get("automatic") else (c.get("introduced_by") or 0) <= len(lead.connectors) or "connector_known"


def _importance_allows(lead: Lead, c: Any, d: Decision) -> Any:
    if d.actor.startswith("manager:") or c.get("choice") == "one_more_try":
        return True
    if d.playbook.get("drop", {}).get("decides", "rep") == "manager":
        return "manager_lets_go"
    return not d.pursuit or not lead.importance or lead.importance < d.pursuit["manager_from_importance"]


def _checklist(lead: Lead, d: Decision) -> dict[str, Any]:
    connector = "none" if lead.connector_denied else "unasked"
    if lead.has_connector or lead.connectors:
        connector = "asked" if "introduction" in lead.modes_tried + lead.modes_waived else "known"
    return {
        "modes_tried": lead.modes_tried,
        "modes_waived": lead.modes_waived,
        "modes_open": _open_modes(lead, d),
        "value_items": len(lead.value_items_used),
        "connector": connector,
        "importance": lead.importance,
        "nurture_modes": [mode for mode in ("email", "post") if mode in _lawful(lead, d)],
    }


def _everything_tried(lead: Lead, c: Any, d: Decision) -> bool:
    if not d.pursuit or c["choice"] == "one_more_try" or c.get("override"):
        return True
    done = _checklist(lead, d)
    holds = {
        "modes_tried": not done["modes_open"],
        "value_offered": done["value_items"] > 0,
        "connector_tried": done["connector"] in ("none", "asked"),
        "importance_answered": done["importance"] is not None,
        "nurture_in_place": bool(done["nurture_modes"]),
    }
    return all(holds[item] for item in d.playbook.get("drop", {}).get("checklist", CHECKLIST))


def _one_more_is_new(lead: Lead, c: Any, d: Decision) -> bool:
    if not d.pursuit or c["choice"] != "one_more_try":
        return True
    fresh = any(item not in lead.value_items_used for item in [*lead.needs, *d.playbook["value_items"]])
    return fresh and any(mode in lead.modes and mode != lead.last_mode for mode in d.playbook["attempts"]["modes"])


def _nurtured_and_good(lead: Lead, c: Any, d: Decision) -> Any:
    asked = lead.declined_at is not None or d.playbook["audience"]["require_qualified"]
    return not d.pursuit or not asked or bool(lead.qualified) or bool(c.get("override")) or "qualified"


# Contact law. The table is written down a second time; a decision names its own by the SHA-256 of the service's.


def _hours(line: str) -> tuple[str, tuple[Any, ...], bool]:
    """Read a row: the region, hours of a working day, a Saturday and a Sunday in minutes, and "holidays" where they count."""
    region, *spans = line.split()
    read = tuple(None if span == "no" else tuple(map(int, span.split("-"))) for span in spans[:3])
    return region, read, spans[3:] == ["holidays"]


LAW_2026_1 = {
    "hours": [_hours(line) for line in """
*     480-1260 480-1260 480-1260 holidays
US    480-1260 480-1260 480-1260 holidays
US-AL 480-1200 480-1200 no
US-CT 540-1200 540-1200 540-1200 holidays
US-FL 480-1200 480-1200 480-1200 holidays
US-KY 600-1260 600-1260 600-1260 holidays
US-LA 480-1200 480-1200 no
US-MA 480-1200 480-1200 480-1200 holidays
US-MD 480-1200 480-1200 480-1200 holidays
US-MI 540-1260 540-1260 540-1260 holidays
US-MS 480-1200 480-1200 no holidays
US-NM 540-1260 540-1260 540-1260 holidays
US-OK 480-1200 480-1200 480-1200 holidays
US-RI 540-1080 600-1020 no
US-TX 540-1260 540-1260 720-1260 holidays
US-UT 480-1260 480-1260 no
US-WA 480-1200 480-1200 480-1200 holidays
CA    540-1290 600-1080 600-1080 holidays
""".strip().splitlines()],
    #: The country of a do-not-call register, days for which a look-up is good, months after a purchase and an inquiry.
    "register": ("US", 31, 18, 3),
    #: Where mail needs consent, and months for which a purchase and an inquiry imply it.
    "implied": ("CA", 24, 6),
    "express": ("fax", "text_message"),
}  # fmt: skip
#: The same, and mail to an unknown region is asked for the consent that mail to the country of "implied" is asked for.
LAW_2026_2 = {**LAW_2026_1, "mail_where_unknown": "strictest"}
LAW_TABLES: dict[str, Any] = {
    "e2de79200ed9030657a6ea83d26996acda085a1f91ab3960d2eeb0d2a8f752a2": LAW_2026_1,
    "d6008ee0be70fab3be631dacdd8fad7c9154f35e6585d41363761eb4b97d6906": LAW_2026_2,
}

#: What asks the table; its answer stands in "used".
LAW_ASKED = frozenset([
    "contact_hours", "call_reachable", "email_reachable", "mode_permitted", "law_facts", "consent_over", "modes_tried",
    "mode_open", "everything_tried", "breakup_impossible_or_waived", "drop_reason_of_declined", "drop_reason_of_nurture",
])  # fmt: skip


#: Countries by ISO 3166-1 without the territories of the United States, which are written as parts of it.
_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH
CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM
GN GP GQ GR GS GT GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ
OM PA PE PF PG PH PK PL PM PN PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC
TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())
#: States, provinces and territories by ISO 3166-2; of other countries any is taken.
_STATES = """
AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ NM NV NY OH OK OR PA
PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY
"""
_PROVINCES = "AB BC MB NB NL NS NT NU ON PE QC SK YT"
PARTS = {"US": frozenset(_STATES.split()), "CA": frozenset(_PROVINCES.split())}


def known_region(region: str | None) -> str | None:
    """Return a region that there is, None for an unknown one and for a code that is none."""
    country, _, part = (region or "").partition("-")
    return region if country in COUNTRIES and (not part or part in PARTS.get(country, (part,))) else None


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _is_holiday(day: date) -> bool:
    """Whether *day* is a public holiday of the United States, or the weekday on which one that falls on a weekend is kept."""
    for year in (day.year, day.year + 1):
        days = [date(year, month, number) for month, number in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))]
        days += [_nth(year, 1, 0, 3), _nth(year, 2, 0, 3), _nth(year, 9, 0, 1), _nth(year, 10, 0, 2), _nth(year, 11, 3, 4)]
        days.append(max(_nth(year, 5, 0, 4), _nth(year, 5, 0, 5) if _nth(year, 5, 0, 5).month == 5 else date.min))
        kept = [each + timedelta(days={5: -1, 6: 1}.get(each.weekday(), 0)) for each in days]
        if day in days or day in kept:
            return True
    return False


def law_span(table: Any, region: str | None, day: date) -> tuple[int, int] | None:
    """Return the minutes of the prospect's *day* between which the law allows calls; None when it allows none."""
    region = known_region(region)
    country = region.partition("-")[0] if region else ""
    binding = []
    for name, spans, holidays in table["hours"]:
        if region is None or (name in (region, country) if "-" in region else name.partition("-")[0] == country):
            binding.append((spans, holidays))
    if not binding:
        binding = [(spans, holidays) for name, spans, holidays in table["hours"] if name == "*"]
    opens, closes = 0, 1440
    for spans, holidays in binding:
        span = spans[max(0, day.weekday() - 4)] if holidays or not _is_holiday(day) else None
        if span is None:
            return None
        opens, closes = max(opens, span[0]), min(closes, span[1])
    return (opens, closes) if opens < closes else None


def _touch_day(lead: Lead, c: Any, d: Decision) -> date:
    """Return the day on which somebody is called, or is to be, or something goes out."""
    kind = c["command"]
    if kind in ("schedule_call", "schedule_note"):
        return read_day(c["call_on"])
    if kind == "schedule_touch":
        return read_day(c["touch_on"])
    if kind == "mark_note_sent":
        return lead.call_on or d.today
    return d.day if kind in ("send_touch", "send_nurture_touch", "send_breakup_email") else d.today


def _relationship(known: dict[str, Any], purchase: int, inquiry: int) -> date | None:
    """Return the last day of the business relationship, so many months after a purchase and an inquiry."""
    said = ((known.get("purchased_on"), purchase), (known.get("inquired_on"), inquiry))
    return max((add_months(min(read_day(day), date(2199, 12, 31)), months) for day, months in said if day), default=None)


def unlawful(lead: Lead, mode: str, day: date, d: Decision) -> str:
    """Return the rule by which the law refuses *mode* on *day*; empty when it does not, or there was no table."""
    if d.law is None:
        return ""
    table, law = LAW_TABLES[d.law["table"]], lead.law
    country = law["region"].partition("-")[0] if "region" in law else None
    if mode == "call":
        register, days, purchase, inquiry = table["register"]
        if law.get("dnc_listed"):
            return "do_not_call"
        if not law.get("consumer") or (known_region(law.get("region")) and country != register):
            return ""
        until, checked = _relationship(law, purchase, inquiry), law.get("dnc_checked_on")
        good = (until and day <= until) or (checked and (day - read_day(checked)).days <= days)
        return "" if good else "do_not_call_check"
    if mode == "email":
        until = _relationship(law, *table["implied"][1:])
        if not _asks_consent(table, law) or "email" in law.get("consents", []) or (until and day <= until):
            return ""
        return "region_unknown" if "mail_where_unknown" in table and not known_region(law.get("region")) else "consent_expired"
    return "express_consent" if mode in table["express"] and mode not in law.get("consents", []) else ""


def _asks_consent(table: Any, law: dict[str, Any]) -> bool:
    """Whether mail takes consent where somebody lives of whom *law* is known."""
    region = law.get("region", "")
    if "mail_where_unknown" in table and not known_region(region):
        return True
    return bool(region.partition("-")[0] == table["implied"][0])


def _lawful(lead: Lead, d: Decision) -> list[str]:
    """Return the modes of a lead that the law does not refuse today."""
    return [mode for mode in lead.modes if not unlawful(lead, mode, d.today, d)]


def _unlawful_now(lead: Lead, mode: str, c: Any, d: Decision) -> str:
    return unlawful(lead, mode, _touch_day(lead, c, d), d)


def _contact_hours(lead: Lead, c: Any, d: Decision) -> bool:
    """Whether the rep's working hours of the day meet the prospect's, by the clock that was recorded."""
    if d.law is None:
        return True
    return _hours_meet(_touch_day(lead, c, d), d.law, d)


def _hours_meet(day: date, clock: dict[str, Any], d: Decision) -> bool:
    """Whether whoever calls works on *day* at a time at which the prospect may be called, whose *clock* it is."""
    ahead, calendar = timedelta(seconds=clock.get("offset", 0)), d.call_calendar
    starts, ends = (moment_of(calendar, day, minute) for minute in (calendar.starts, calendar.ends))
    if "shift_at" not in clock or "shift_to" not in clock:
        return _callable_between(starts + ahead, ends + ahead, d)
    # The clock was put forward or back on that day.
    at, then = read_moment(clock["shift_at"]), timedelta(seconds=clock["shift_to"])
    return _callable_between(starts + ahead, at + ahead, d) or _callable_between(at + then, ends + then, d)


def _callable_between(starts: datetime, ends: datetime, d: Decision) -> bool:
    """Whether a time by the prospect's clock from *starts* to *ends* lies in the hours of the playbook and of the law."""
    there = starts.date()
    while there <= ends.date():
        span = law_span(LAW_TABLES[d.law["table"]], d.law["region"], there)
        if span and all(there.isoweekday() in hours["weekdays"] for hours in d.hours):
            midnight = datetime.combine(there, datetime.min.time())
            opens = midnight + timedelta(minutes=max([span[0], *(hours["opens"] for hours in d.hours)]))
            closes = midnight + timedelta(minutes=min([span[1], *(hours["closes"] for hours in d.hours)]))
            if opens < closes and opens < ends and starts < closes:
                return True
        there += _A_DAY
    return False


def _law_facts(lead: Lead, c: Any, d: Decision) -> Any:
    law, checked = c["law"], c["law"].get("dnc_checked_on")
    if any(name in law and read_day(law[name]) > d.today for name in ("purchased_on", "inquired_on", "dnc_checked_on")):
        return "not_in_the_future"
    if law.get("consents") and c["evidence"] is None:
        return "consent_evidence"
    if ("dnc_listed" in law) != (checked is not None):
        return "register_answer"
    known = lead.law.get("dnc_checked_on")
    return "newer_check" if checked and known and read_day(checked) < read_day(known) else True


def _last_of_consent(known: dict[str, Any], d: Decision) -> date | None:
    """Return the last day on which mail may go out by implied consent to whom *known* is known; None where there is none."""
    if d.law is None:
        return None
    table = LAW_TABLES[d.law["table"]]
    if not _asks_consent(table, known) or "email" in known.get("consents", []):
        return None
    return _relationship(known, *table["implied"][1:])


def _consent_over(lead: Lead, c: Any, d: Decision) -> bool:
    last = _last_of_consent(lead.law, d)
    return last is not None and last < d.today


def _mail_again(lead: Lead, c: Any, d: Decision) -> bool | None:
    """Whether what was learnt makes a consent to mail good again that had expired; None where it does not."""
    if "law" not in c or d.law is None or lead.consent_lapsed is None or "email" in lead.modes_refused:
        return None
    after = copy(lead)
    after.law = {**lead.law, **(_imported_law(lead.law, c["law"]) if c["command"] == "update_contact" else c["law"])}
    return None if unlawful(after, "email", d.today, d) else True


def _imported_law(known: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What an import may say of contact law; a region that only its mapping names gives way to one that is known.

    The rest takes a person, and `law_facts` asks.
    """
    region = known_region(known.get("region"))
    stays = "region_assumed" in said and region and region != said.get("assumed_before")
    return {name: said[name] for name in ("region", "consumer") if name in said and not (name == "region" and stays)}


def _consent_ends(lead: Lead, data: Any, d: Decision) -> date | None:
    """Return the day from which the consent to mail is over that an event leaves; None when none runs out any more."""
    learnt = data["type"] in ("law_recorded", "contact_updated")
    if learnt and lead.state in RESTING:
        return None
    last = _last_of_consent({**lead.law, **(data["law"] if learnt else {})}, d)
    return None if last is None or (lead.consent_lapsed is not None and last < d.today) else last + _A_DAY


def _may_arm(lead: Lead, c: Any, entered: str) -> bool:
    """Whether a decision may begin or end a consent to mail without a question that asks the table."""
    if c["command"] == "update_contact":
        return "law" in c
    return ("purchased_on" in lead.law or "inquired_on" in lead.law) and lead.state in RESTING and entered not in RESTING


#: It was said why a note did not go over to another owner.
WHY = "why"


def _sort_of_call(lead: Lead) -> str:
    """Return of which call another owner is asked for: one that a note is to promise, or one that is promised or due."""
    return "a note's" if lead.state == "note_due" else "a call"


def _asks_law(lead: Lead, d: Decision, asks: frozenset[str], entered: str) -> bool:
    """Whether a decision with the questions *asks* that leads to *entered* is held against the table."""
    if d.kind == "reassign":
        # Nobody asked at first: where no table is named, none was, unless one was before of such a call.
        return (d.law is not None or _sort_of_call(lead) in d.handed_before) and (
            _goes_over(lead, d) or _call_of_note(lead, d) is not None
        )
    return not asks.isdisjoint(LAW_ASKED) or _may_arm(lead, d.command, entered)


def _check_clocks(lead: Lead, d: Decision, found: Differences) -> None:
    """The prospect's clock stands with another owner on the day that the call had and on the one that it has now, or on that of
    the call that a note is to promise.
    """
    said = {**d.law.get("offsets", {}), **d.law.get("shifts", {})}
    days = [_call_asked(lead, d), handover(lead, d).call_on] if _goes_over(lead, d) else [_call_of_note(lead, d)]
    expected = [written(day) for day in days if day and works(d.call_calendar, day)]
    found.compare("used.law.offsets", sorted(said), sorted(expected))
    if "zones" not in d.law:
        found.compare("used.law.zones", None, "what the prospect's clock was read from")


def _check_law(lead: Lead, d: Decision, entered: str, found: Differences) -> None:
    """What contact law was asked by stands with the decisions that asked it, and the region is the lead's."""
    row = row_for(lead.state, trigger_of(d.command))
    asks = frozenset(row.asks if row else ())
    asked = _asks_law(lead, d, asks, entered)
    if d.law is None:
        d.unjudged = asked
        if asked and d.judged_before:
            found.compare("used.law", None, "a law table, as in earlier decisions on the lead")
        return
    if not asked:
        found.compare("used.law", d.law, None)
        return
    found.compare("used.law.region", d.law["region"], lead.law.get("region"))
    if d.kind == "reassign":
        _check_clocks(lead, d, found)
        return
    if "contact_hours" not in asks or not date(1970, 1, 2) <= _touch_day(lead, d.command, d) <= date(2199, 12, 31):
        for name in ("offset", "shift_at", "shift_to", "zones"):
            found.compare(f"used.law.{name}", d.law.get(name), None)
        return
    for name in ("offset", "zones"):
        if name not in d.law:
            found.compare(f"used.law.{name}", None, "what the prospect's clock was read from")
    if ("shift_at" in d.law) != ("shift_to" in d.law):
        found.compare("used.law.shift_to", d.law.get("shift_to"), "there with shift_at, or neither")


ASKED: dict[str, Callable[[Lead, Any, Decision], Any]] = {
    "another_lead": lambda lead, c, d: c.get("into", c.get("duplicate")) != d.stream,
    "into_known": lambda lead, c, d: d.into.get("known") is True,
    "into_not_erased": lambda lead, c, d: not d.into.get("erased"),
    "into_not_merged": lambda lead, c, d: d.into.get("merged_into") is None,
    "not_taken_in": lambda lead, c, d: lead.taken_in.get(c["duplicate"], 0) < c["version"],
    "manager": lambda lead, c, d: d.actor.startswith("manager:"),
    "person": lambda lead, c, d: d.actor.startswith(("manager:", "rep:")),
    "not_held": lambda lead, c, d: lead.hold is None,
    "held": lambda lead, c, d: lead.hold is not None,
    "hold_ends_ahead": lambda lead, c, d: c["until"] is None or read_day(c["until"]) > d.today,
    "another_owner": lambda lead, c, d: c["owner"] != lead.owner,
    "owned": lambda lead, c, d: bool(lead.owner),
    "owner_present": lambda lead, c, d: works(d.calendar, d.today),
    "no_open_opportunity": _active,
    "stale": _stale,
    "rotation": _rotation,
    "qualified": lambda lead, c, d: bool(lead.qualified or c.get("override")),
    "qualified_if_required": lambda lead, c, d: (
        bool(lead.qualified or c.get("override")) or not d.playbook["audience"]["require_qualified"] or "qualified"
    ),
    "reason_probed": lambda lead, c, d: lead.reason_probed_at is not None,
    "homework_fresh": _homework_fresh,
    "homework_refreshed": lambda lead, c, d: lead.declined_at is None or _homework_fresh(lead, c, d),
    "strategy_recorded": lambda lead, c, d: lead.strategy_at is not None or not _holds_up(d, "note", "call"),
    "importance_answered": lambda lead, c, d: bool(lead.importance) or not d.playbook.get("ask", {}).get("importance", True),
    "connector_answered": _connector_answered,
    "rested": _rested,
    "mode_left": lambda lead, c, d: bool(lead.modes),
    "homework_answered": lambda lead, c, d: all(field in c["answers"] for field in d.playbook["homework"]["fields"]),
    "homework_sources": _homework_sources,
    "reason_evidence": lambda lead, c, d: bool(c["evidence"] and c["words"]),
    "said_no": lambda lead, c, d: lead.declined_at is not None,
    "questions_known": _questions_known,
    "history_opened": lambda lead, c, d: not _study_first(lead, d) or lead.history_at is not None,
    "account_studied": _account_studied,
    "sources_cited": _sources_cited,
    "needs_anticipated": lambda lead, c, d: len(lead.needs) >= d.playbook["homework"].get("min_needs", 0),
    "new_need": _new_need,
    "real_reason_evidence": _real_reason_evidence,
    "first_touch_is_note": _first_touch_is_note,
    "fresh_relationship": _fresh_relationship,
    "planned_day": _planned_day,
    "promise_day": _promise_day,
    "promise_gap": _promise_gap,
    "note_slot": _free("note", "note_on", "note_slot_free"),
    "call_slot": _free("promised_call", "call_on", "call_slot_free"),
    "follow_up_slot": lambda lead, c, d: d.offered("follow_up", _first_day(c), d.rep(lead)) is not None or "call_slot_free",
    "same_call_slot": lambda lead, c, d: (
        d.offered(_call_kind(lead), read_day(c["call_on"]), d.rep(lead)) is not None or "call_slot_free"
    ),
    "later_day": _later_day,
    "contact_hours": _contact_hours,
    "law_facts": _law_facts,
    "consent_over": _consent_over,
    "attempts_left": _attempts_left,
    "new_value": lambda lead, c, d: bool(c["value_item"]) and c["value_item"] not in lead.value_items_used,
    "new_mode": _new_mode,
    "touch_gap": _touch_gap,
    "not_suppressed": _not_suppressed,
    "note_reachable": lambda lead, c, d: "handwritten_note" in lead.modes,
    "call_reachable": lambda lead, c, d: "call" in lead.modes and (_unlawful_now(lead, "call", c, d) or True),
    "email_reachable": lambda lead, c, d: "email" in lead.modes and (_unlawful_now(lead, "email", c, d) or True),
    "mode_permitted": lambda lead, c, d: c["mode"] in lead.modes and (_unlawful_now(lead, c["mode"], c, d) or True),
    "note_wanted": lambda lead, c, d: "handwritten_note" not in lead.modes_refused or "handwritten_note" in lead.modes,
    "touch_mode": lambda lead, c, d: c["mode"] in ("email", "courier", "fax", "other"),
    "hand_written": lambda lead, c, d: _hand_written(c, d),
    "owner_was_present": lambda lead, c, d: (over := _term_ends(lead, c, d)) is None or over <= d.now,
    "note_promised": lambda lead, c, d: lead.state == "note_sent" or lead.promised,
    "note_was_sent": lambda lead, c, d: lead.note_sent_at is not None,
    "content_checks": _content_checks,
    "may_migrate": _may_migrate,
    "another_playbook": lambda lead, c, d: lead.pin is not None and lead.pin["digest"] != c["digest"],
    "step_kept": _step_kept,
    "step_mapped": lambda lead, c, d: "step" in c and c["step"] == _missing_step(lead, d),
    "not_before_planned": _not_before_planned,
    "human_reply": _human_reply,
    "personal_topic_first": lambda lead, c, d: bool(c["personal_topic_first"] or c.get("personal_topic")),
    "decision_or_next_step": _decision_or_next_step,
    "later_date_or_keep_in_touch": _later_date,
    "meeting_ahead": _meeting_ahead,
    "next_step_overdue": lambda lead, c, d: lead.next_step_on is None or d.today > lead.next_step_on,
    "as_its_mail": _as_its_mail,
    "breakup_halves": lambda lead, c, d: lead.breakup_voicemail_at is not None and lead.breakup_email_at is not None,
    "breakup_halves_together": _breakup_halves_together,
    "attempts_made": lambda lead, c, d: lead.attempts >= d.playbook["attempts"]["min_before_breakup"],
    "modes_tried": _modes_tried,
    "offer_known": lambda lead, c, d: lead.offer_at is not None,
    "cut_bait_confirmed": lambda lead, c, d: lead.cut_bait == "breakup",
    "monitored_reply_address": lambda lead, c, d: bool(c["monitored_reply_address"]),
    "breakup_impossible_or_waived": _impossible_or_waived,
    "idle": lambda lead, c, d: _is_cold(lead, c["after_days"], d.now),
    "one_invitation": lambda lead, c, d: c["campaign_id"] not in lead.invitations,
    "audience": lambda lead, c, d: (lead.state == "won") == (c["audience"] == "client"),
    "new_asset": _new_asset,
    "once_a_month": _once_a_month,
    "drop_reason_of_declined": lambda lead, c, d: (
        c["reason"] in ("never_qualified", "duplicate", "out_of_business", "deceased") or "drop_reason"
    ),
    "drop_reason_of_nurture": _drop_of_nurture,
    "breakup_mail_open": _breakup_mail_open,
    "no_mail_under_way": lambda lead, c, d: not lead.mail or lead.mail["status"] not in ("sending", "unconfirmed"),
    "mail_waiting": lambda lead, c, d: _mail_is(lead, c, "queued", "deferred", "returned"),
    "mail_under_way": lambda lead, c, d: _mail_is(lead, c, "sending", "unconfirmed"),
    "not_back_yet": lambda lead, c, d: not _mail_is(lead, c, "bounced", "returned"),
    "importance_allows": _importance_allows,
    "everything_tried": _everything_tried,
    "one_more_is_new": _one_more_is_new,
    "cut_bait_reason": lambda lead, c, d: not d.pursuit or c["choice"] == "one_more_try" or bool(c["reason"]),
    "actions_listed": lambda lead, c, d: (
        not d.pursuit or c["importance"] < d.pursuit["actions_from_importance"] or bool(c.get("actions"))
    ),
    "way_known": lambda lead, c, d: "way" not in c or (d.pursuit or {}).get("ways", {}).get(c["way"]) == c["mode"],
    "mode_open": lambda lead, c, d: c["mode"] in _open_modes(lead, d),
    "connector_known": lambda lead, c, d: c["connector"] <= len(lead.connectors),
    "asset_kind_known": lambda lead, c, d: "kind" not in c or not d.pursuit or c["kind"] in d.pursuit["asset_kinds"],
    "nurture_mode": lambda lead, c, d: not d.pursuit or c["mode"] in ("email", "post"),
    "nurture_owed": lambda lead, c, d: lead.nurture_owed,
    "nurtured_and_good": _nurtured_and_good,
}


def refusal(row: Row, lead: Lead, c: Any, d: Decision) -> str:
    """Return the name of the first rule that speaks against *row*; empty when none does."""
    for asked in row.asks:
        answer = ASKED[asked](lead, c, d)
        if answer is not True:
            return answer if isinstance(answer, str) else asked
    return ""


# What an event says, where the command does not say it already.


#: States in which somebody goes by the score.
SCORED = ("queued", "call_due", "no_response")


def _basis_of_points(lead: Lead) -> dict[str, Any]:
    """Return what a score rests on that an earlier release worked out."""
    return {"trigger": bool(lead.score and lead.score["trigger"] > 0), "unanswered": 0}


def _entering(lead: Lead, c: Any, d: Decision) -> dict[str, Any]:
    """Return what the score of a lead that enters the queue rests on."""
    earlier = lead.basis["unanswered"] if lead.basis else 0
    return {"trigger": _speaks_for_now(lead, c, d), "unanswered": earlier + lead.attempts}


def _now_scored(lead: Lead, d: Decision) -> dict[str, int]:
    """Return the score of a lead that has been in the queue."""
    return _score(lead, _basis_now(lead), d)


def _basis_now(lead: Lead) -> dict[str, Any]:
    basis = lead.basis or _basis_of_points(lead)
    return {**basis, "unanswered": basis["unanswered"] + lead.attempts}


def _made_of(lead: Lead, d: Decision) -> tuple[Any, ...]:
    """Return all that a score is made of."""
    known = lead.stage_depth, lead.value_band, lead.minutes_invested, _counted_importance(lead, d), lead.has_connector
    return *known, _basis_now(lead), _is_structural(lead, d)


def _rescored(lead: Lead, row: Row, data: Any, d: Decision) -> dict[str, int] | None:
    """Return the score after an event that changes it for whoever goes by it; None otherwise."""
    if (row.target or lead.state) not in SCORED or not lead.score or not d.rescores:
        return None
    after = copy(lead)
    after.change(data, d.occurred_at)
    if lead.state in SCORED and row.event != "playbook_migrated" and _made_of(after, d) == _made_of(lead, d):
        return None
    score = _now_scored(after, d)
    return None if score == after.score else score


def _score(lead: Lead, basis: dict[str, Any], d: Decision) -> dict[str, int]:
    """Return the points of each part; *basis* counts all attempts without an answer."""
    w = d.playbook["weights"]
    hours, doublings = 1 + lead.minutes_invested // 60, 0
    while hours >= 2:
        hours, doublings = hours // 2, doublings + 1
    parts: dict[str, int] = {
        "stage": w["stage"] * lead.stage_depth,
        "value": w["value"] * lead.value_band,
        "time_invested": w["time_invested"] * min(w["doublings"], doublings),
        "importance": w["importance"] * _counted_importance(lead, d),
        "trigger": w["trigger"] if basis["trigger"] else 0,
        "connector": w["connector"] if lead.has_connector else 0,
        "unanswered": -w["unanswered"] * basis["unanswered"],
        "structural": -w["structural"] if _is_structural(lead, d) else 0,
    }
    parts["total"] = sum(parts.values())
    return parts


def _returns(pursuit: Any, band: int, stage: int, unanswered: int, minutes: int) -> int:
    """Return what an hour brings: the value times the chance that is left, over the hours, rounded down once."""
    chance = pursuit["chance"]
    above = pursuit["value_by_band"][band] * chance["by_stage"][stage] * chance["per_unanswered"] ** unanswered * 60
    return int(above // (10_000 ** (unanswered + 1) * minutes))


def _median(d: Decision) -> int | None:
    """Return the return per hour in the middle of the queue that the decision names."""
    costs, each = d.playbook["capacity"]["minutes"], []
    first = costs["note"] + costs["call"] if d.playbook["first_touch"] == "handwritten_note" else costs["follow_up"]
    for alike in d.queue["alike"]:
        minutes = max(1, first + (_budget(d, alike["important"]) - 1) * costs["follow_up"] + costs["breakup"])
        returns = _returns(d.pursuit, alike["value_band"], alike["stage_depth"], 0, minutes)
        each.append((returns, alike["leads"]))
    total, below, middle = sum(leads for _, leads in each), 0, []
    for returns, leads in sorted(each):
        middle += [returns for place in ((total - 1) // 2, total // 2) if below <= place < below + leads]
        below += leads
    return sum(middle) // 2 if total else None


def _card(lead: Lead, c: Any, d: Decision) -> Any:
    """Return the cut-bait card; None for a decision from before there were any."""
    p, queue = d.pursuit, d.queue
    if not p or not queue:
        return None
    costs, most, median = d.playbook["capacity"]["minutes"], _most_attempts(lead, d), _median(d)
    minutes = max(1, max(0, most - lead.attempts) * costs["follow_up"] + costs["breakup"])
    chance = p["chance"]["by_stage"][lead.stage_depth] * p["chance"]["per_unanswered"] ** lead.attempts
    chance //= 10_000**lead.attempts
    returns = _returns(p, lead.value_band, lead.stage_depth, lead.attempts, minutes)
    grounds = {
        "below_the_queue": median is not None and returns < median,
        "attempts_spent": lead.attempts >= most,
        "low_importance": lead.importance is not None and lead.importance <= p["low_importance"],
    }
    found = [name for name, holds in grounds.items() if holds and lead.attempts >= p["propose_after"]]
    over = sum(owed["leads"] for owed in queue.get("owed", [])) - queue.get("room", 0)
    if lead.attempts < most and sum(o["leads"] for o in queue.get("owed", []) if o["return_per_hour"] < returns) < over:
        found.append("over_capacity")
    return {
        "value": p["value_by_band"][lead.value_band],
        "chance": chance,
        "attempts": lead.attempts,
        "most": most,
        "minutes_needed": minutes,
        "minutes_spent": lead.minutes_invested,
        "minutes_lost": lead.minutes_invested * (10_000 - chance) // 10_000,
        "return_per_hour": returns,
        "median": median,
        "queued": sum(alike["leads"] for alike in queue["alike"]),
        "grounds": found,
        "next_lead": queue["next_lead"],
        "checklist": _checklist(lead, d),
    }


def _gap(lead: Lead, c: Any, d: Decision) -> Any:
    """Return why the month before went by without a value touch."""
    if not d.pursuit or not lead.nurture_owed:
        return None
    if not _account_studied(lead, c, d):
        return "account_not_studied"
    return "not_sent" if "email" in lead.modes or "post" in lead.modes else "no_permitted_mode"


def _back_on(lead: Lead, c: Any, d: Decision) -> Any:
    """Return the day on which to come back, of a reply: who says later and no day gets one."""
    if c["intent"] == "later" and d.pursuit and c["revisit_on"] is None:
        return d.day + timedelta(days=d.length("revisit_days"))
    return c["revisit_on"]


def _promise(lead: Lead, d: Decision) -> tuple[date, Slot | None, str | None]:
    """Return the day of the call for a note that was sent, a slot to change to, and why the day is not the usual one."""
    wanted, rep = days_after(d.call_calendar, d.day, d.capacity["call_after_note_days"]), d.rep(lead, "promised_call")
    held = next((slot for slot in lead.slots if slot[1] == "promised_call"), None)
    if lead.hold is not None or (held is not None and held[2] == written(wanted)):
        return wanted, None, None
    slot = d.offered("promised_call", wanted, rep)
    if slot:
        return wanted, slot, None
    if held and read_day(held[2]) > d.day and works(d.call_calendar, read_day(held[2])):
        return read_day(held[2]), None, "slot_kept"
    later = [s for s in d.free if s[:2] == (rep, "promised_call") and s[2] > written(wanted)]
    if later:
        slot = min(later, key=lambda s: (s[2], s[3]))
        return read_day(slot[2]), slot, "next_free_slot"
    return wanted, None, None


def _resumed(lead: Lead, d: Decision) -> tuple[date | None, date | None, list[Slot]]:
    """Return the new days of note and call of a lead that is released, and the slots for them."""
    calendar, today = d.calendar, d.today
    if lead.state == "note_due":
        note_on = days_after(calendar, today, 0)
        call_on = days_after(calendar, note_on, d.capacity["call_after_note_days"])
        both = [d.offered("note", note_on, d.rep(lead)), d.offered("promised_call", call_on, d.rep(lead))]
        return note_on, call_on, [slot for slot in both if slot] if all(both) else []
    if lead.state not in ("note_sent", "call_due") or lead.call_on is None or lead.hold is None:
        return None, None, []
    kept = next((left["working_days"] for left in lead.hold["remaining"] if left["timer"] == "call_after_note"), None)
    since = day_of(calendar, lead.hold["since"])
    left = days_between(calendar, since, lead.call_on) if kept is None else kept
    day = days_after(calendar, today, left) if kept is not None or lead.call_on >= since else None
    slot = d.offered(_call_kind(lead) if lead.state == "call_due" else "promised_call", day or today, d.rep(lead))
    return None, day, [slot] if slot else []


class Handover(NamedTuple):
    """What another owner takes over of what is planned: slots, the call's new day and why, or that the note is planned anew."""

    slots: list[Slot]
    call_on: date | None = None
    reason: str | None = None
    queued: bool = False


def _goes_over(lead: Lead, d: Decision) -> bool:
    """Whether a new owner whose days are known has to find a slot for a call."""
    owner, called = d.command["owner"], lead.state in ("note_sent", "call_due") and lead.call_on is not None
    known = d.colleague is not None and owner != lead.owner and lead.hold is None
    return known and called and all(slot[0] != owner for slot in lead.slots)


def _call_asked(lead: Lead, d: Decision) -> date:
    """Return the day on which a new owner would make the call: its own, or today if that is over."""
    today = day_of(d.call_calendar, d.now)
    return max(lead.call_on or today, today)


def _call_of_note(lead: Lead, d: Decision) -> date | None:
    """Return the working day on which a new owner whose days are known would make the call that a note is to promise."""
    if d.colleague is None or lead.state != "note_due" or lead.hold is not None:
        return None
    days = [read_day(slot[2]) for slot in lead.slots if slot[1] == "promised_call" and slot[0] != d.command["owner"]]
    return next((day for day in days if day >= day_of(d.call_calendar, d.now) and works(d.call_calendar, day)), None)


def _may_call_on(day: date, d: Decision) -> bool:
    """Whether the new owner may call on *day*; where no law table is named, that was not asked."""
    if d.law is None:
        return True
    name, shifts = written(day), d.law.get("shifts", {})
    return _hours_meet(day, shifts[name] if name in shifts else {"offset": d.law.get("offsets", {}).get(name, 0)}, d)


def handover(lead: Lead, d: Decision) -> Handover:
    """Return what a new owner takes over, by their days if these are known."""
    owner, calendar = str(d.command["owner"]), d.call_calendar
    theirs = [slot for slot in lead.slots if slot[0] != owner]
    if d.colleague is None:
        found = [d.offered(slot[1], read_day(slot[2]), owner) for slot in theirs]
        return Handover([slot for slot in found if slot])
    today, planned = day_of(calendar, d.now), lead.hold is None
    if planned and lead.state in ("note_sent", "call_due") and lead.call_on is not None:
        if not _goes_over(lead, d):
            return Handover([])
        kind, wanted = _call_kind(lead) if lead.state == "call_due" else "promised_call", _call_asked(lead, d)
        worked = works(calendar, wanted)
        may_call = worked and _may_call_on(wanted, d)
        slot = d.offered(kind, wanted, owner) if may_call else None
        if slot:
            return Handover([slot])
        later = [each for each in d.free if each[:2] == (owner, kind) and each[2] > written(wanted)]
        later = [each for each in later if _may_call_on(read_day(each[2]), d)]
        reason = "quiet_hours" if worked else _why_not_worked(calendar, wanted)
        reason = "capacity" if may_call else reason
        if not later:
            return Handover([], None, reason)
        slot = min(later, key=lambda each: (each[2], each[3]))
        return Handover([slot], read_day(slot[2]), reason)
    days = [(slot[1], read_day(slot[2])) for slot in theirs]
    offers = [d.offered(kind, day, owner) for kind, day in days if day >= today and works(calendar, day)]
    slots = [slot for slot in offers if slot]
    call = _call_of_note(lead, d)
    closed = call is not None and not _may_call_on(call, d)
    queued = planned and lead.state == "note_due" and (closed or len(slots) < len(theirs) or not lead.slots)
    if not queued:
        return Handover(slots)
    ahead = sorted(day for _, day in days)
    off = next((day for day in ahead if day >= today and not works(calendar, day)), None)
    why = "capacity" if ahead and ahead[0] >= today else None
    why = why if off is None else _why_not_worked(calendar, off)
    why = "quiet_hours" if closed else why
    return Handover([], None, why if d.explained or WHY in d.handed_before else None, queued=True)


def _why_not_worked(calendar: Calendar, day: date) -> str:
    return "rep_absent" if calendar.away_on(day) else "holiday"


def _why_nurture(lead: Lead, c: Any, d: Decision) -> str:
    if c["command"] == "record_call":
        return "not_now"
    if c["command"] == "fire_timer":
        return str(c["timer"])
    if lead.state != "no_response":
        return "chosen"
    return "breakup_waived" if {"call", "email"} <= set(_lawful(lead, d)) else "breakup_impossible"


def _revisit_of_decline(lead: Lead, c: Any, d: Decision) -> Any:
    if c["revisit_on"] is None and c["kind"] in ("hold", "meeting_cancelled"):
        return d.day + timedelta(days=d.length("revisit_days"))
    return c["revisit_on"]


def _until(lead: Lead, c: Any, d: Decision) -> Any:
    if c["until"] is None and c["reason"] == "prospect_out_of_office":
        return d.today + timedelta(days=d.length("out_of_office_days"))
    return c["until"]


def _remaining(lead: Lead, c: Any, d: Decision) -> Any:
    return [freeze(name, due_at, d.now, d.calendar) for name, (due_at, _) in sorted(lead.timers.items())]


def _reason_queued(c: Any) -> str:
    return str(c["timer"] if c["command"] == "fire_timer" else c["reason"])


def _speaks_for_now(lead: Lead, c: Any, d: Decision) -> bool:
    reached = lead.revisit_on is not None and lead.revisit_on <= d.today
    return reached or _reason_queued(c) in ("revisit", "job_change", "event")


def _facts_of_duplicate(lead: Lead, c: Any, d: Decision) -> dict[str, Any]:
    """Return what a lead that is merged into another tells it."""
    return {
        "do_not_contact": lead.state == "do_not_contact" or set(ALL_MODES) <= d.suppressed(),
        "won": lead.state == "won",
        "modes_refused": list(dict.fromkeys([*lead.modes_refused, *sorted(d.suppressed())])),
        "do_not_call_on": lead.law.get("dnc_checked_on") if lead.law.get("dnc_listed") else None,
        "open_opportunity": lead.open_opportunity,
        "decline": {**lead.said_no, "at": written(lead.declined_at), "real_reason": lead.real_reason}
        if lead.declined_at
        else None,
        "value_items_used": lead.value_items_used,
        "invitations": lead.invitations,
        **{
            name: written(getattr(lead, name))
            for name in ("revisit_on", "last_contact_at", "last_touch_at", "called_at", "nurture_touched_at")
        },
    }


#: Fields of events that are worked out; all others stand in the command.
WORKED_OUT: dict[str, dict[str, Callable[[Lead, Any, Decision], Any]]] = {
    "lead_declined": {"revisit_on": _revisit_of_decline},
    "revival_queued": {
        "reason": lambda lead, c, d: _reason_queued(c),
        "score": lambda lead, c, d: _score(lead, _entering(lead, c, d), d),
        "basis": lambda lead, c, d: _entering(lead, c, d) if d.rescores else None,
    },
    "nurture_started": {
        "reason": _why_nurture,
        "revisit_on": lambda lead, c, d: c["revisit_on"] if c["command"] == "record_call" else None,
        "waiver": lambda lead, c, d: c.get("waiver"),
        "minutes": lambda lead, c, d: c["minutes"] if c["command"] == "record_call" else 0,
    },
    "note_sent": {
        "call_on": lambda lead, c, d: _promise(lead, d)[0],
        "gap_reason": lambda lead, c, d: _promise(lead, d)[2],
    },
    "note_slot_released": {"note_on": lambda lead, c, d: lead.note_on or d.today},
    "call_due": {"call_on": lambda lead, c, d: lead.call_on or d.today},
    "law_recorded": {"mail_again": _mail_again},
    "contact_updated": {"mail_again": _mail_again},
    "consent_expired": {"expired_on": lambda lead, c, d: _last_of_consent(lead.law, d) or d.today},
    "call_promise_expired": {"call_on": lambda lead, c, d: lead.call_on or d.today},
    "call_promise_missed": {"call_on": lambda lead, c, d: lead.call_on or d.today},
    "call_rescheduled": {"previous_call_on": lambda lead, c, d: lead.call_on or d.today},
    "meeting_booked": {"meeting_at": lambda lead, c, d: read_moment(c["meeting_at"])},
    "no_response": {
        "outcome": lambda lead, c, d: "lapsed" if c["command"] == "fire_timer" else c["outcome"],
        "minutes": lambda lead, c, d: 0 if c["command"] == "fire_timer" else c["minutes"],
    },
    "call_connected": {
        "personal_topic_first": lambda lead, c, d: bool(c["personal_topic_first"] or c.get("personal_topic")),
    },
    "history_opened": {"seen": lambda lead, c, d: d.version_before},
    "breakup_sent": {"attempts": lambda lead, c, d: lead.attempts},
    "cut_bait_confirmed": {"card": _card},
    "lead_dropped": {"checklist": lambda lead, c, d: _checklist(lead, d) if d.pursuit else None},
    "nurture_touch_due": {"gap": _gap},
    "reply_received": {
        "revisit_on": _back_on,
        "next_step_on": lambda lead, c, d: _back_on(lead, c, d) if c["intent"] == "later" and d.pursuit else None,
        "introduced_by": lambda lead, c, d: lead.connectors[c["introduced_by"] - 1] if c.get("introduced_by") else None,
    },
    "introduction_requested": {"connector": lambda lead, c, d: lead.connectors[c["connector"] - 1]},
    "nurture_floor_reached": {"owner": lambda lead, c, d: lead.owner},
    "lead_erased": {
        "contact": lambda lead, c, d: d.holdings.get("contact"),
        "documents": lambda lead, c, d: d.holdings.get("documents", []),
        "messages": lambda lead, c, d: d.holdings.get("messages", 0),
        "erased_at": lambda lead, c, d: read_moment(c["first_erased_at"]) if c["first_erased_at"] else d.now,
        "reapplied": lambda lead, c, d: c["first_erased_at"] is not None,
    },
    "lead_held": {"until": _until, "remaining": _remaining},
    "lead_merged": {"facts": _facts_of_duplicate},
    "lead_released": {
        "note_on": lambda lead, c, d: _resumed(lead, d)[0],
        "call_on": lambda lead, c, d: _resumed(lead, d)[1],
    },
    "lead_reassigned": {
        "previous_owner": lambda lead, c, d: lead.owner,
        "call_on": lambda lead, c, d: handover(lead, d).call_on,
        "previous_call_on": lambda lead, c, d: lead.call_on if handover(lead, d).call_on else None,
        "reason": lambda lead, c, d: handover(lead, d).reason,
        "cover_ended": lambda lead, c, d: lead.call_by if d.colleague and lead.call_by != c["owner"] else None,
    },
    "playbook_migrated": {"previous": lambda lead, c, d: lead.pin},
    "stage_moved": {"previous": lambda lead, c, d: lead.stage_depth},
    "cold_proposed": {
        "idle_since": lambda lead, c, d: _idle_since(lead),
        "idle_days": lambda lead, c, d: _idle_days(lead, d.now),
    },
    "mail_queued": {
        "purpose": lambda lead, c, d: "nurture" if d.kind == "queue_nurture_mail" else "breakup",
        "asset": lambda lead, c, d: c.get("asset"),
        "attested": lambda lead, c, d: c.get("attested", []),
        "writing_minutes": lambda lead, c, d: c["minutes"],
    },
}

#: What each event says; a body that says more, or less, was not made by these rules. With a "?" only if its command does.
SAYS = {
    "lead_registered": (
        "owner source contact modes timezone open_opportunity client last_contact_on stage_depth value_band minutes_invested"
        " qualified"
    ),
    "contact_updated": "contact modes timezone open_opportunity",
    "lead_declined": "kind stated_reason real_reason revisit_on keep_in_touch_requested words minutes",
    "revival_queued": "reason score",
    "nurture_started": "reason revisit_on waiver minutes",
    "lead_dropped": "reason",
    "note_scheduled": "note_on call_on value_item",
    "call_scheduled": "call_on value_item",
    "touch_scheduled": "touch_on mode value_item",
    "note_sent": "medium call_on attested override text minutes gap_reason",
    "note_slot_released": "note_on",
    "call_due": "call_on",
    "reply_received": "channel intent revisit_on campaign_id event_id words",
    "call_connected": "personal_topic_first decision next_step next_step_on minutes words personal_topic?",
    "meeting_booked": "meeting_at minutes",
    "no_response": "outcome minutes",
    "call_rescheduled": "call_on previous_call_on reason",
    "call_promise_expired": "call_on",
    "call_promise_missed": "call_on",
    "touch_sent": "mode value_item attested text minutes",
    "breakup_voicemail_left": "minutes",
    "breakup_email_sent": "text minutes",
    "cut_bait_confirmed": "choice reason",
    "breakup_sent": "attempts",
    "nurture_floor_reached": "owner",
    "nurture_touch_sent": "mode asset attested minutes",
    "re_engaged": "decision next_step next_step_on minutes",
    "consent_regranted": "evidence modes",
    "channel_opted_out": "channel",
    "stage_moved": "stage_depth previous",
    "cold_proposed": "idle_since idle_days",
    "event_invitation_sent": "campaign_id audience mode events attachment wording text",
    "lead_erased": "reason contact documents messages erased_at reapplied",
    "lead_held": "reason until remaining",
    "lead_merged": "into facts",
    "duplicate_taken_in": "duplicate version facts",
    "lead_released": "note_on call_on",
    "lead_reassigned": "owner previous_owner",
    "stated_reason_recorded": "reason words minutes",
    "real_reason_recorded": "reason evidence words minutes",
    "homework_completed": "answers sources minutes cited?",
    "history_opened": "seen",
    "why_asked": "outcome mode answers words minutes",
    "opportunity_uncovered": "what source minutes",
    "need_anticipated": "item need rationale minutes",
    "decline_reviewed": "changed finding minutes",
    "strategy_recorded": "strategy missed_last_time",
    "offer_recorded": "solution benefit",
    "lead_qualified": "qualified evidence",
    "importance_answered": "importance",
    "connector_introduced": "connector",
    "introduction_requested": "connector minutes",
    "mode_waived": "mode reason",
    "nurture_touch_skipped": "reason words",
    "playbook_migrated": "previous step? onto?",
    "mail_queued": "mail purpose text wording asset attested writing_minutes",
    "mail_sending": "mail purpose attempt",
    "mail_sent": "mail code status",
    "mail_refused": "mail code status reason",
    "mail_deferred": "mail code status reason",
    "mail_unconfirmed": "mail",
    "mail_bounced": "mail permanent status",
    "law_recorded": "law evidence",
    "consent_expired": "expired_on",
}

#: What an event says besides where there is something to say; it is left out otherwise.
SAYS_SOMETIMES = {
    "note_scheduled": "call_by",
    "note_sent": "photo",
    "lead_reassigned": "call_on previous_call_on reason cover_ended",
    "revival_queued": "override basis",
    "lead_dropped": "words checklist",
    "reply_received": "introduced_by next_step_on",
    "opted_out": "words",
    "channel_opted_out": "words",
    "call_connected": "override",
    "touch_sent": "way",
    "breakup_voicemail_left": "text",
    "cut_bait_confirmed": "card override",
    "nurture_touch_due": "gap",
    "nurture_touch_sent": "kind",
    "mail_queued": "kind footer",
    "event_invitation_sent": "footer",
    "re_engaged": "override",
    "importance_answered": "actions",
    "connector_introduced": "relation strength",
    "law_recorded": "mail_again",
    "contact_updated": "mail_again",
}


#: What the CRM may say of a sale beside the contact's data.
OF_THE_SALE = ("last_contact_on", "last_contact_before", "stage_depth", "value_band", "minutes_added")


def says(row: Row, lead: Lead | None, c: Any, d: Decision) -> dict[str, Any]:
    """Return the data of the event that *row* makes."""
    worked_out = WORKED_OUT.get(row.event, {})
    made: dict[str, Any] = {"type": row.event}
    said = [name for name in SAYS.get(row.event, "").split() if name[-1] != "?" or name[:-1] in c]
    for name in (name.rstrip("?") for name in said):
        made[name] = written(worked_out[name](lead, c, d)) if lead and name in worked_out else c[name]
    for name in SAYS_SOMETIMES.get(row.event, "").split():
        value = written(worked_out[name](lead, c, d)) if lead and name in worked_out else c.get(name)
        if value is not None:
            made[name] = value
    if row.event in ("lead_registered", "contact_updated") and "law" in c:
        made["law"] = _imported_law(lead.law if lead else {}, c["law"])
    if row.event == "contact_updated":
        made.update({name: c[name] for name in OF_THE_SALE if name in c})
        if lead and lead.state == "queued" and lead.score and not d.rescores:
            # As an earlier release said it; now the effects do.
            after = copy(lead)
            _on_contact_updated(after, made, d.now)
            score = _now_scored(after, d)
            made.update({"score": score} if score != lead.score else {})
    return made


# What an event moves: timers and slots.


def _named_day(row: Row, data: Any, d: Decision) -> date:
    """Return the day that an event names for the timers that count from it."""
    if row.event == "note_scheduled":
        return read_day(data["note_on"])
    if row.event == "call_due":
        # A promised day that passed while the service was down is no reason to void the promise at once.
        return max(read_day(data["call_on"]), d.day)
    if row.event in ("call_scheduled", "call_rescheduled"):
        return read_day(data["call_on"])
    if row.event == "meeting_booked":
        return day_of(d.calendar, read_moment(data["meeting_at"]))
    return d.day


def _agreed_day(lead: Lead, row: Row, data: Any, d: Decision) -> date | None:
    """Return the day of the next step that was agreed on."""
    if row.event in ("call_connected", "re_engaged"):
        return day_or_none(data["next_step_on"])
    if row.event == "reply_received" and "next_step_on" in data:
        return read_day(data["next_step_on"])
    step_on = lead.next_step_on
    return step_on if lead.state == "re_engaged" and step_on and step_on >= d.today else None


def _not_armed(timer: str, lead: Lead, row: Row, data: Any) -> bool:
    """Whether an event does not arm a timer that its row names."""
    if timer in ("call_late", "call_expiry") and row.event == "call_rescheduled" and data["reason"] == "capacity":
        return True  # that we had no capacity makes no promise younger
    if timer == "call_late":
        return not lead.promised
    if timer == "reason_probe":
        asked_again = row.event == "why_asked" and data["outcome"] == "not_reached" and lead.state == "declined"
        if row.event == "why_asked":
            return not asked_again or lead.reason_probed_at is not None
        return data.get("real_reason") is not None
    return (timer == "hold_until" and not data["until"]) or (timer == "hold_review" and bool(data.get("until")))


def _nurture_day(timer: str, lead: Lead, row: Row, d: Decision) -> date:
    """Return the day of the next touch after one that is owed; or on which the silence is too long or the year too poor."""
    if timer == "nurture_touch":
        # A month that is owed does not move the months after it.
        anchor = day_of(d.calendar, max(lead.nurture_touched_at or lead.entered_at, lead.entered_at))
        named = d.playbook["timers"].get("nurture_day")
        return monthly(d.calendar, anchor, d.today, d.length("nurture_interval_months"), named)
    longest, year = timedelta(days=d.length("nurture_floor_days")), timedelta(days=365)
    usual = d.day + longest
    if lead.last_touch_at is None:
        return usual
    last = day_of(d.calendar, lead.last_touch_at)
    if row.event == "nurture_touch_sent":
        return min(usual, last + year) if last + year > d.day else usual
    if row.event == "nurture_started" and lead.state != "call_due":
        return min(usual, max(last + longest, days_after(d.calendar, d.today, 1)))
    return usual


def _revisit_day(lead: Lead, row: Row, data: Any) -> date | None:
    """Return the day that was named; of a duplicate's day, which counts in nurture alone, only a later one than is known."""
    if row.event != "duplicate_taken_in":
        return day_or_none(data.get("revisit_on")) or lead.revisit_on
    day = day_or_none(data["facts"]["revisit_on"]) if lead.state == "nurture" else None
    return None if day and lead.revisit_on and day <= lead.revisit_on else day


def due_at(timer: str, lead: Lead, row: Row, data: Any, d: Decision) -> datetime | None:
    """Return when a timer is due that *row* arms; None when it does not arm it after all."""
    calendar, playbook = d.calendar, d.playbook
    if _not_armed(timer, lead, row, data) or (timer == "review" and not playbook["timers"].get("review_days")):
        return None
    if timer == "call_after_note":
        return at_its_hour(timer, read_day(data["call_on"]), d.call_calendar)
    if timer == "hold_until":
        return at_its_hour(timer, read_day(data["until"]), calendar)
    if timer == "consent_expires":
        ends = _consent_ends(lead, data, d)
        return at_its_hour(timer, ends, calendar) if ends else None
    if timer == "revisit":
        day = _revisit_day(lead, row, data)
        return at_its_hour(timer, max(day, days_after(calendar, d.today, 1)), calendar) if day else None
    if timer == "nurture_floor" or row.event == "nurture_touch_due":
        return at_its_hour(timer, _nurture_day(timer, lead, row, d), calendar)
    if timer == "next_step":
        agreed = _agreed_day(lead, row, data, d)
        return at_its_hour(timer, agreed, calendar) if agreed else due(timer, d.day, playbook, calendar)
    if timer == "lapse":
        usual, agreed = due(timer, d.day, playbook, calendar), _agreed_day(lead, row, data, d)
        if agreed is None:
            return usual
        slack = max(1, d.length("lapse_working_days") - d.length("next_step_working_days"))
        return max(usual, at_its_hour(timer, days_after(calendar, agreed, slack), calendar))
    base = {"occurred": d.day, "recorded": d.today, "named": _named_day(row, data, d)}[TIMERS[timer].counts_from]
    return due(timer, base, playbook, calendar)


def _moved_with_its_lead(timer: str, lead: Lead, row: Row, data: Any, d: Decision) -> datetime | None:
    """Return when a call opens for a new owner whose days are known, or its grace ends; None when that is as it was."""
    call_on = day_or_none(data.get("call_on"))
    if timer == "call_grace":
        return due(timer, call_on, d.playbook, d.call_calendar) if call_on and lead.state == "call_due" else None
    if d.colleague is None or timer not in lead.timers or lead.call_on is None:
        return None
    day = call_on or max(lead.call_on, day_of(d.call_calendar, d.now))
    at = max(at_its_hour(timer, day, d.call_calendar), d.now)
    return None if at == lead.timers[timer][0] else at


def _slots_wanted(lead: Lead, row: Row, c: Any, d: Decision) -> list[Slot | None]:
    kind = c["command"]
    if kind == "schedule_note":
        return [
            d.offered("note", read_day(c["note_on"]), d.rep(lead)),
            d.offered("promised_call", read_day(c["call_on"]), d.rep(lead, "promised_call")),
        ]
    if kind in ("schedule_call", "schedule_touch"):
        return [d.offered("follow_up", _first_day(c), d.rep(lead))]
    if kind == "reschedule_call":
        return [d.offered(_call_kind(lead), read_day(c["call_on"]), d.rep(lead))]
    if kind == "mark_note_sent":
        return [_promise(lead, d)[1]]
    if kind == "reassign":
        return list(handover(lead, d).slots)
    return list(_resumed(lead, d)[2]) if row.event == "lead_released" else []


def moves(row: Row, lead: Lead, c: Any, data: Any, d: Decision) -> dict[str, Any]:
    """Return the effects of the event that *row* makes."""
    entering = row.target is not None and row.target != lead.state
    reserved = [slot for slot in _slots_wanted(lead, row, c, d) if slot]
    used = [slot for slot in lead.slots if slot[1] in row.uses]
    kept = row.keeps if entering and not reserved else ()
    gives_back = entering or row.event in GIVES_BACK or c["command"] == "reschedule_call"
    # Whoever was to call for the owner and gets the lead keeps the slots.
    own = c["owner"] if c["command"] == "reassign" else None
    released = [slot for slot in lead.slots if gives_back and slot not in used and slot[1] not in kept and slot[0] != own]
    arms = list(row.arms)
    if lead.state in RESTING and row.target and row.target not in RESTING:
        arms.append("consent_expires")
    if row.event == "contact_updated" and ("law" not in data or d.law is None):
        # Of consent to mail it says nothing.
        return {"reserved": [], "released": [], "used": [], "armed": {}, "cancelled": [], "frozen": None}
    when = _moved_with_its_lead if row.event == "lead_reassigned" else due_at
    armed = {name: at for name in arms for at in [when(name, lead, row, data, d)] if at is not None}
    cancelled, frozen = _timers_ended(row, lead, c, entering, armed, d)
    return {"reserved": reserved, "released": released, "used": used, "armed": armed, "cancelled": cancelled, "frozen": frozen}


def _moved_timers(lead: Lead, d: Decision) -> dict[str, datetime]:
    """Return when those timers are due to which a lead's new playbook gives another length; never before now."""
    old = d.playbooks.get(lead.pin["digest"])
    if old is None:
        raise MissingError(f"the playbook {plain(lead.pin['digest'], 64)} is not in the bundle")
    moved = {}
    for name, (due_at, _) in lead.timers.items():
        clock = TIMERS[name].clock if name in TIMERS else "day"
        field = f"{name}_{clock}"
        longer = d.playbook["timers"].get(field, 0) - old["timers"].get(field, 0)
        if clock not in ("working_days", "days") or longer == 0:
            continue
        later = due_at + timedelta(days=longer)
        if clock == "working_days":
            day = day_of(d.calendar, due_at)
            day = days_after(d.calendar, day, longer) if longer > 0 else days_before(d.calendar, day, -longer)
            later = at_its_hour(name, day, d.calendar)
        moved[name] = max(later, d.now)
    return moved


def _timers_ended(
    row: Row, lead: Lead, c: Any, entering: bool, armed: dict[str, datetime], d: Decision
) -> tuple[list[str], list[Any] | None]:
    """Return the timers that end, and what the timers of a held lead keep; *armed* becomes what is really armed."""
    present = set(lead.timers)
    if row.event == "lead_released":
        armed.clear()
        armed.update({left["timer"]: thaw(left, d.now, d.calendar) for left in (lead.hold or {"remaining": []})["remaining"]})
    if row.event in ("lead_held", "lead_released"):
        return sorted(present - set(armed)), None
    if row.event == "playbook_migrated":
        moved = _moved_timers(lead, d)
        armed.update(moved if row.target is None else {name: moved[name] for name in moved if name in LIVES_ON})
        if row.target is None:
            return [], None
    lives_on = set() if row.target in RESTING else set(LIVES_ON)
    ended = set(row.ends) | ({c["timer"]} if c["command"] == "fire_timer" else set())
    if lead.hold and row.target in ENDS_HOLD:
        armed.clear()
        return sorted(present), None
    if lead.hold and row.event != "hold_review_due":
        left_over = {left["timer"]: left for left in lead.hold["remaining"] if left["timer"] not in ended}
        if entering:
            left_over = {name: left for name, left in left_over.items() if name in lives_on}
        left_over.update({name: freeze(name, at, d.now, d.calendar) for name, at in armed.items()})
        armed.clear()
        after = [left_over[name] for name in sorted(left_over)]
        return [], None if after == lead.hold["remaining"] else after
    return sorted(((present - lives_on) | (present & ended) if entering else present & ended) - set(armed)), None


class Differences:
    """Collects what an event says otherwise than it follows."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Any, Any]] = []

    def compare(self, field: str, recorded: Any, derived: Any) -> None:
        """Compare a field; where both are objects that differ, field by field."""
        if recorded == derived:
            return
        if isinstance(recorded, dict) and isinstance(derived, dict):
            for name in sorted({*recorded, *derived}):
                self.compare(field + "." + name, recorded.get(name), derived.get(name))
        else:
            self.found.append((field, recorded, derived))


#: What the law asks of a mail is not overridden where a program found it missing, nor that a text is too long to be read.
BY_LAW = ("one_click_unsubscribe", "postal_address")
NOT_OVERRIDDEN = (*BY_LAW, "read_whole")

#: Commands with a text that checks are made of, whether or not a playbook asks for them.
_WITH_TEXT = (
    "mark_note_sent", "send_touch", "send_breakup_email", "record_strategy", "queue_breakup_mail", "queue_nurture_mail",
    "send_invitation", "leave_breakup_voicemail",
)  # fmt: skip


#: What two sentences can pass of a whole note, by level.
_PASSED_BY_SENTENCES = {
    "personal_fact": ("pass", "warn"), "future_call": ("pass",), "reminds_who_we_are": ("pass",),
    "recalls_prior_interest": ("pass",),
}  # fmt: skip
#: And what they can find in it.
_FOUND_IN_SENTENCES = (
    "personal_fact", "future_call", "not_form_letter", "not_repeated", "no_empty_check_in", "no_merge_marks", "right_name",
    "read_whole",
)  # fmt: skip


def _by_program(verdict: dict[str, Any]) -> bool:
    return verdict["source"] != "overridden" and not verdict["source"].startswith("attested by ")


def _check_read(field: str, verdict: dict[str, Any], asked: Sequence[str], photo: bool, found: Differences) -> None:
    """Compare what a verdict says that was read, and of two sentences that they tell it: a mistake, or what they are for."""
    found.compare(field + ".inputs.read", (verdict.get("inputs") or {}).get("read"), "two sentences" if photo else None)
    if not photo:
        return
    check, level = verdict["check"], verdict.get("level")
    passes = level in _PASSED_BY_SENTENCES.get(check, ())
    if not passes and (check not in _FOUND_IN_SENTENCES or level not in ("info", "warn", "refuse")):
        found.compare(field, plain(str(level), 20), "nothing that two sentences tell")
    elif _by_program(verdict):
        found.compare(field + ".passed", verdict["passed"], passes or (level != "refuse" and check not in asked))


def _check_vouched(field: str, verdict: dict[str, Any], d: Decision, found: Differences) -> None:
    """Compare who vouched for a check with the command: a person's word stands beside what a program remarks on a photo."""
    check, source = verdict["check"], verdict["source"]
    vouched, override = check in (d.command.get("attested") or []), d.command.get("override")
    remark = bool(d.command.get("photo")) and verdict.get("level") in ("info", "warn")
    if source.startswith("attested by "):
        beside = {name: verdict[name] for name in ("inputs", "level", "score", "reason") if remark and name in verdict}
        by = {"check": check, "passed": vouched, "source": "attested by " + d.actor, "inputs": {}}
        found.compare(field, verdict, {**by, **beside})
    elif remark and not verdict["passed"] and vouched:
        found.compare(field + ".source", source, "attested")
    elif source == "overridden" or (override is not None and not verdict["passed"] and check not in NOT_OVERRIDDEN):
        found.compare(field + ".source", source if override else None, "overridden")
        found.compare(field + ".passed", verdict["passed"], True)


def _check_verdicts(d: Decision, found: Differences) -> None:
    """What people vouched for stands in their command, and so does the reason of an override; what programs found is believed.

    But not that it is more than they could find: with a photo of a note come two sentences of it, and nothing else was read.
    """
    given = {verdict["check"]: verdict for verdict in d.verdicts if verdict["check"] != SUPPRESSION}
    attested, override = d.command.get("attested") or [], d.command.get("override")
    asked, photo = _checks_asked(d), bool(d.command.get("photo"))
    if d.asked is not None or d.asked_before:
        wanted = OF_BREAKUPS.get(d.kind)
        as_mail = d.kind == "leave_breakup_voicemail" and (d.as_mail_before or AS_MAIL[0] in (d.asked or []))
        found.compare("used.asked", d.asked, [*wanted, *AS_MAIL] if wanted and as_mail else wanted)
    for check, verdict in given.items():
        field = "used.verdicts." + plain(check, 80)
        if "level" in verdict or _by_program(verdict):
            _check_read(field, verdict, asked, photo, found)
        _check_vouched(field, verdict, d, found)
        if check not in asked and d.kind not in _WITH_TEXT:
            found.compare(field, verdict["source"], "no check")
    for check in asked:
        if check not in given and (check in attested or (override is not None and check not in BY_LAW)):
            found.compare("used.verdicts." + plain(check, 80), None, "attested" if check in attested else "overridden")


_NOTHING: dict[str, Any] = {"reserved": [], "released": [], "used": [], "armed": {}, "cancelled": [], "frozen": None}


#: What a lead that was merged into another takes all the same.
MERGED_TAKES = ("opt_out", "erase_lead", "take_in_duplicate", "report_mail", "record_bounce", "update_contact")


def closed(lead: Lead, d: Decision) -> str:
    """Return the rule by which a lead that was erased or merged takes nothing more of the kind; empty when it does."""
    if d.kind == "fire_timer":
        return ""
    if lead.erased:
        return "erased"
    return "merged" if lead.merged_into and d.kind not in MERGED_TAKES else ""


def refused_rule(lead: Lead, d: Decision) -> str:
    """Return the rule that refuses a decision; empty when none does that these rules could name."""
    if d.kind == "register_lead":
        return "already_registered"
    if d.kind not in ("opt_out", "fire_timer"):
        if d.implausible():
            return "plausible_date"
        given = d.command.get("occurred_at")
        if given is not None and read_moment(given) > d.now + timedelta(seconds=5):
            return "not_in_the_future"
    if closed(lead, d):
        return closed(lead, d)
    if d.kind == "reschedule_call" and d.command.get("not_before") and lead.state == "note_sent":
        # A planned move waits until its call has opened, or is dropped without an event.
        return ""
    steps = list(d.steps)
    if not steps:
        return "no_transition"
    # Only the first step of several can refuse: what follows a reply or a return asks nothing more that could.
    return refusal(steps[0][0], lead, steps[0][1], d)


def _readable(effects: dict[str, Any]) -> dict[str, Any]:
    """Return effects as bodies write them."""
    made = dict(effects)
    for name in ("reserved", "released", "used"):
        made[name] = [{"rep": s[0], "kind": s[1], "day": s[2], "ordinal": s[3]} for s in effects[name]]
    made["armed"] = {name: written(at) for name, at in effects["armed"].items()}
    return made


def derive_refusal(lead: Lead, body: Any, d: Decision, found: Differences) -> None:
    """Compare a `command_refused` with what refuses the command."""
    data, effects = body["data"], dict(_NOTHING)
    rule = data["rule"]
    _check_verdicts(d, found)
    if d.kind == "fire_timer":
        _check_fired(lead, d, found)
        if lead.state not in RESTING and d.command["timer"] in TIMERS:
            timer = TIMERS[d.command["timer"]]
            ends = _term_ends(lead, d.command, d) if rule == "owner_was_present" else None
            day = days_after(d.calendar, d.today, timer.retry) if timer.retry else d.today + timedelta(days=RETRY_DAYS)
            # A call that waits for its rep comes before the plan of the day on which they are back.
            back = moment_of(d.calendar, day, 0) if rule == "owner_present" else None
            effects["armed"] = {d.command["timer"]: ends or back or at_its_hour(d.command["timer"], day, d.calendar)}
            if timer.ended_by and timer.ended_by not in lead.timers:
                counted_from = max(lead.call_on or d.today, d.today)
                effects["armed"][timer.ended_by] = due(timer.ended_by, counted_from, d.playbook, d.calendar)
    _check_law(lead, d, lead.state, found)
    if (
        d.kind in COMMANDS
        and (rule != "contact_hours" or d.law is not None)
        and not (rule == "once_a_month" and month_is_theirs(lead, d))
    ):
        found.compare("data.rule", rule, refused_rule(lead, d) or "nothing that refuses it")
    found.compare("data.refused", data["refused"], d.kind)
    found.compare("occurred_at", body["occurred_at"], written(d.now))
    found.compare("state", body["state"], lead.state)
    found.compare("row", body["row"], None)
    found.compare("effects", body["effects"], _readable(effects))
    d.steps = iter(())


def _check_fired(lead: Lead, d: Decision, found: Differences) -> None:
    """A timer acts only as it is armed, and never early."""
    name = d.command["timer"]
    armed = lead.timers.get(name)
    if armed is None or armed[1] != d.command["armed_version"]:
        found.compare("command.armed_version", d.command["armed_version"], armed[1] if armed else None)
    elif d.now < armed[0] or (name in TIMERS and not TIMERS[name].fires):
        found.compare("used.now", written(d.now), "not before " + written(armed[0]))


def derive_event(lead: Lead | None, body: Any, d: Decision, found: Differences) -> None:
    """Compare one event of an applied decision with what the rules make of it."""
    expected = next(d.steps, None)
    if expected is None:
        if body["command"] is not None and d.kind not in COMMANDS:
            raise NotDerivableError("its command is of a kind that this verifier does not know")
        found.compare("data.type", body["data"]["type"], "nothing: no row of the table leads to it")
        return
    row, c = expected
    # Once a decision worked out its lead's score anew, all that follow on the same lead do.
    d.rescores = bool(lead and lead.basis) or "score" in body["effects"] or "basis" in body["data"]
    found.compare("row", body["row"], row.id)
    found.compare("state", body["state"], row.target or (lead.state if lead else None))
    found.compare("occurred_at", body["occurred_at"], written(d.occurred_at))
    found.compare("data.type", body["data"]["type"], row.event)
    if found.found:
        return
    if lead is None or d.kind == "register_lead":
        found.compare("data", body["data"], says(row, None, c, d))
        found.compare("effects", body["effects"], _readable(_NOTHING))
        return
    if c is d.command:
        _check_verdicts(d, found)
        _check_law(lead, d, body["state"], found)
        if d.kind == "fire_timer":
            _check_fired(lead, d, found)
    rule = closed(lead, d) or refusal(row, lead, c, d)
    if rule:
        found.compare("data.type", row.event, "command_refused by " + rule)
    data = says(row, lead, c, d)
    found.compare("data", body["data"], data)
    effects = _readable(moves(row, lead, c, data, d))
    score = _rescored(lead, row, data, d)
    found.compare("effects", body["effects"], {**effects, "score": score} if score else effects)


# A rep's own stream: working calendars, and the moments at which the plans of the days are made.

NAMESPACE = uuid.UUID("6f1c1c1e-5d0a-5c67-9a44-7468617721a1")


class Rep:
    """A rep as the events of its stream leave it."""

    def __init__(self) -> None:
        self.planned_on: date | None = None
        self.plan_armed = False
        self.calendar = ""
        self.layers: Any = {}


def next_plan(calendar: Calendar, now: datetime, planned_on: date | None) -> datetime | None:
    """Return when the next plan is made: two hours before the first working day that is not planned and not over yet."""
    at = max(0, bisect_right(calendar.since, now) - 1)
    today = (now + timedelta(seconds=calendar.seconds[at])).date()
    earliest = max(today, planned_on + _A_DAY) if planned_on else today
    if not calendar.covers(today) or not calendar.covers(earliest):
        return None
    index = bisect_left(calendar.working, earliest.toordinal())
    for ordinal in calendar.working[index : index + 2]:
        day = date.fromordinal(ordinal)
        if day != today or now < moment_of(calendar, day, calendar.ends):
            return moment_of(calendar, day, max(0, calendar.starts - 120))
    return None


def check_calendar(body: Any, found: Differences) -> None:
    """Compare the digest of a frozen calendar with its content, and its stream with its rep."""
    data = body["data"]
    found.compare("state", body["state"], "rep")
    found.compare("stream_id", body["stream_id"], str(uuid.uuid5(NAMESPACE, "rep\x1f" + data["rep"])))
    found.compare("data.digest", data["digest"], hashlib.sha256(canonical(data["calendar"])).hexdigest())


#: What a playbook says where it leaves a field out, because it was published before there was that field.
_OF_PLAYBOOKS: dict[str, Any] = {
    "ask": {"connector": False, "importance": True},
    "attempts": {"max": 6, "max_when_important": 9, "min_before_breakup": 3, "min_modes_before_breakup": 2, "modes":
        ["call", "email", "handwritten_note", "courier", "fax", "other"]},
    "audience": {"exclude_open_opportunity": True, "require_qualified": False, "rotation_days": 180, "stale_after_days":
        90},
    "breakup": {"max_gap_working_hours": 8},
    "call": {"script": ["personal_topic", "shared_history", "business"]},
    "capacity": {"call_after_note_days": 5, "calls": 5, "catch_up_calls": 2, "follow_up_touches": 5, "long_gap": "skip",
        "max_promise_gap_days": 10, "minutes": {"breakup": 6, "budget": 150, "call": 12, "follow_up": 6, "homework": 15,
        "note": 8, "nurture": 4, "reason": 6, "review": 5}, "notes": 5, "pause_notes_when_backlog_over": 5, "reason_probes":
        2},
    "checks": {"media": ["hand_written"], "note": ["personal_fact", "reminds_who_we_are", "future_call", "not_form_letter"],
        "nurture": ["one_click_unsubscribe", "postal_address"], "touch": ["recalls_prior_interest", "no_empty_check_in"]},
    "contact_hours": {"closes": 1200, "opens": 540, "weekdays": [1, 2, 3, 4, 5]},
    "content": {"fact_least": 800, "form_letter_refuse": 750, "form_letter_warn": 650, "meeting_least": 600,
        "short_below_words": 15, "similar_for_days": 180, "value_repeated_below": 800, "words_least": 30, "words_most": 80,
        "words_refused_above": 400},
    "drop": {"checklist": ["modes_tried", "value_offered", "connector_tried", "importance_answered", "nurture_in_place"],
        "decides": "rep"},
    "first_touch": "handwritten_note",
    "homework": {"blocks": ["note", "call", "touch"], "cite_sources": False, "fields": ["industry_rank_now",
        "industry_rank_before", "industry_changes", "economy_or_technology", "problems_this_year", "how_we_alleviate",
        "future_need"], "fresh_for_days": 180, "min_needs": 0, "min_sources": 1, "source_max_age_days": 365, "study_first":
        False},
    "importance": {"high_from": 4, "usual": 3},
    "invitation": {"mode": "post", "events": {"description_least": 20, "description_most": 600, "min_lead_days": 14,
        "types": ["training", "open_house", "media_event", "other"]}, "pacing": {"calls_per_hundred_letters": 20,
        "letters_per_rep_per_day": 10}, "cold_after_days": 30, "audiences": [{"requires": ["company"], "declined_between":
        None, "active_client": False}]},
    "on_no_response": {"goto": None},
    "pursuit": {"actions_from_importance": 4, "asset_kinds": ["newsletter", "report", "article", "video", "case_study",
        "event", "tool"], "chance": {"by_stage": [200, 500, 1000, 2000, 3500, 5000], "per_unanswered": 6000}, "days_ahead":
        5, "every_mode_before_breakup": True, "lost_minutes_alert": 240, "low_importance": 2, "manager_from_importance": 5,
        "propose_after": 3, "silent_after": 2, "value_by_band": [1000, 2000, 5000, 10000, 25000], "ways": {}},
    "reason": {"generic": ["price", "no_need_to_change_vendor", "no_budget", "bad_timing"], "in_their_words": False,
        "questions": ["goals_this_year", "current_vendor_problems", "ideal_solution", "what_would_motivate"], "structural":
        ["no_need", "not_a_fit", "out_of_scope"]},
    "timers": {"breakup_window_working_days": 10, "call_expiry_working_days": 10, "call_grace_working_days": 1,
        "call_late_working_days": 3, "hold_review_days": 90, "homework_working_days": 3, "lapse_working_days": 10,
        "meeting_outcome_working_days": 5, "next_attempt_working_days": 2, "next_step_working_days": 5,
        "note_slot_working_days": 1, "nurture_floor_days": 183, "nurture_interval_months": 1, "out_of_office_days": 14,
        "queue_age_days": 180, "reason_probe_working_days": 1, "requeue_days": 180, "response_window_working_days": 5,
        "review_days": 0, "revisit_days": 60, "triage_days": 30},
    "value_items": [],
    "weights": {"connector": 4, "doublings": 3, "importance": 3, "stage": 4, "structural": 5, "time_invested": 2, "trigger":
        6, "unanswered": 3, "value": 3},
}  # fmt: skip


def _filled(said: Any, usual: Any) -> Any:
    """Return what a playbook says with what it leaves out; whole sections that bring rules of their own stay left out."""
    if isinstance(said, dict) and isinstance(usual, dict):
        names = {*said, *usual} if usual is not _OF_PLAYBOOKS else {*said, *usual} - ({"invitation", "pursuit"} - {*said})
        return {name: _filled(said.get(name, usual.get(name)), usual.get(name)) for name in names}
    if isinstance(said, list) and isinstance(usual, list) and usual and isinstance(usual[0], dict):
        return [_filled(each, usual[0]) for each in said]
    return said


def check_layers(data: Any, pin: Any, playbooks: dict[str, Any], found: Differences) -> None:
    """Compare a rep's playbook with what the one below, the team and the rep make of it, one after the other."""
    layers = data.get("layers")
    found.compare("data.playbook", data["playbook"], pin["id"])
    if layers is None:
        below, made_for, _ = pin["id"].rpartition(".of.")
        extends = [name.partition("@")[0][:40] for name in playbooks.get(pin["digest"], {}).get("extends", [])]
        if made_for and extends == [below]:
            found.compare("data.layers", None, "what " + plain(pin["id"], 80) + " was made of")
        return
    for digest in (layers["digest"], pin["digest"]):
        if digest not in playbooks:
            raise MissingError(f"the playbook {plain(digest, 64)} is not in the bundle")
    base, made = (_filled(playbooks[digest], _OF_PLAYBOOKS) for digest in (layers["digest"], pin["digest"]))
    wanted, hours = {**base["capacity"], "minutes": dict(base["capacity"]["minutes"])}, dict(base["contact_hours"])
    for layer in (layers["of_team"], layers["own"]):
        for name in ("notes", "calls", "follow_up_touches", "catch_up_calls"):
            wanted[name] = layer.get(name, wanted[name])
        wanted["minutes"]["budget"] = layer.get("minutes", wanted["minutes"]["budget"])
        hours = narrowed_by(hours, layer) or hours
    found.compare("layers.base", layers["base"], base["id"])
    whole = {**base, "capacity": wanted, "contact_hours": hours}
    for name in sorted({*made, *whole} - {"id", "version", "extends"}):
        found.compare("layers." + plain(name, 80), made.get(name), whole.get(name))


def narrowed_by(hours: Any, layer: Any) -> Any:
    """Return what a layer leaves of contact hours, None for nothing."""
    opens, closes = max(hours["opens"], layer.get("opens", 0)), min(hours["closes"], layer.get("closes", 1440))
    weekdays = [day for day in hours["weekdays"] if day in layer.get("weekdays", hours["weekdays"])]
    return {"opens": opens, "closes": closes, "weekdays": weekdays} if opens < closes and weekdays else None


def check_narrower(before: Any, layers: Any, base: Any, found: Differences) -> None:
    """Look whether layers widen the hours above them where they say otherwise than the ones *before* them did."""
    hours, names = _filled(base, _OF_PLAYBOOKS)["contact_hours"], ("opens", "closes", "weekdays")
    said = {
        layer: {name for name in names if name in layers[layer] and layers[layer][name] != before.get(layer, {}).get(name)}
        for layer in ("of_team", "own")
    }
    if not any(said.values()):
        return
    for layer in ("of_team", "own"):
        wanted = layers[layer]
        wider = {
            "opens": wanted.get("opens", 1440) < hours["opens"],
            "closes": wanted.get("closes", 0) > hours["closes"],
            "weekdays": not set(wanted.get("weekdays", [])) <= set(hours["weekdays"]),
        }
        for name in sorted(said[layer]):
            if wider[name]:
                found.compare("data.layers." + layer + "." + name, wanted[name], f"what lies within {hours[name]}")
        left = narrowed_by(hours, wanted)
        if left is None:
            found.compare("data.layers." + layer, wanted, "hours of which some are left")
        hours = left or hours


def derive_rep_event(rep: Rep, body: Any, calendar_of: Callable[[str], Calendar], found: Differences) -> bool:
    """Compare an event of a rep's stream with what follows; False when there is nothing that could be compared."""
    data, now = body["data"], read_moment(body["used"]["now"])
    found.compare("row", body["row"], None)
    effects = dict(_NOTHING)
    if data["type"] == "calendar_frozen":
        planned = next_plan(calendar_of(hashlib.sha256(canonical(data["calendar"])).hexdigest()), now, rep.planned_on)
        effects["armed"] = {"plan_day": planned or now + _A_DAY}
        effects["cancelled"] = ["plan_day"] if rep.plan_armed else []
        rep.calendar, rep.plan_armed = data["digest"], True
    elif data["type"] == "day_planned":
        calendar = calendar_of(rep.calendar)
        found.compare("used.calendar", body["used"]["calendar"], rep.calendar)
        found.compare("data.day", data["day"], written(day_of(calendar, now)))
        if body["command"]["command"] == "plan_day":
            # Once more, for what is left of a day that was planned: the plan of the next day stays due as it was.
            found.compare("data.day", data["day"], written(rep.planned_on))
        else:
            rep.planned_on = read_day(data["day"])
            effects["armed"] = {"plan_day": next_plan(calendar, now, rep.planned_on)}
            effects["cancelled"] = ["plan_day"]
    else:
        return False
    found.compare("effects", body["effects"], _readable(effects))
    return True


# 10. The passes over a bundle ------------------------------------------------------------------------------------------------
#
# The first pass reads bodies in the order of the log, and makes the tree of them. On the way they are parted by stream into
# temporary files, so that the second pass, which follows each stream, needs memory for a few thousand streams at a time.

INDEX_LINE = re.compile(
    rb'\[([1-9][0-9]{0,17}),"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",([1-9][0-9]{0,9}),'
    rb'"([0-9a-f]{64})"(?:,"([0-9a-f]{64})")?\]'
)
TREE_LINE = re.compile(rb'\[([0-9]|[1-5][0-9]),(0|[1-9][0-9]{0,17}),"([0-9a-f]{64})"\]')
STREAM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

#: The hash before the first event of a stream.
GENESIS = bytes(32)

#: About so many events are followed at a time; more partitions than this are not made.
PARTITION_EVENTS = 100_000
PARTITIONS_MAX = 250
SPOOL_BYTES = 48 << 20

#: In a smaller bundle all streams are followed by one process; of ourselves we start no more than so many for others.
TOGETHER_EVENTS = 20_000
PROCESSES_MAX = 8

#: What may be raised over JSON that is not shaped as it should be.
MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ZeroDivisionError, RecursionError)

#: Why an event is not made again.
UNKNOWN_KIND = "they are of kinds that this verifier does not know"


# What the bundle says of itself.


class Manifest(NamedTuple):
    """What a bundle is to hold."""

    kind: str
    """Whole ``leads``, a ``range`` of positions, or ``all`` of the log."""
    first: int
    last: int
    """Of a range, both inclusive."""
    events: int
    opened: bool
    about: str


def read_manifest(bundle: Bundle, keys: Sequence[Key], report: Report) -> Manifest:
    """Read the manifest, and compare it with the files that are there; raises WrongError when there is none."""
    raw = bundle.read("manifest.json")
    try:
        value = json.loads(raw.decode())
        known = value["format"] == FORMAT
        listed = {str(file["name"]): Listed(int(file["bytes"]), str(file["sha256"])) for file in value["files"]}
        chosen = value["selection"]
        kind = {"leads": "leads", "range": "range", "all": "all"}[chosen["kind"]]
        first, last = (int(chosen["first"]), int(chosen["last"])) if kind == "range" else (0, 0)
        about = f"made {plain(value['made_at'], 40)} by {plain(value['release'], 40)}"
        manifest = Manifest(kind, first, last, int(value["events"]), bool(value["opened"]), about)
    except MISSHAPEN as error:
        raise WrongError(ALTERED, "the manifest cannot be read: " + plain(str(error))) from None
    if not known:
        raise WrongError(UNCHECKED, "it is of a format that this verifier does not know: " + plain(value["format"], 40))
    bundle.listed = listed
    for name in sorted(listed):
        if not bundle.has(name):
            report.add(INCOMPLETE, f"{plain(name, 80)} is missing: the manifest lists it")
    for name in bundle.names():
        if name not in listed and name not in ("manifest.json", "manifest.note"):
            report.add(ALTERED, f"{name} is not listed in the manifest")
    _read_manifest_note(bundle, keys, hashlib.sha256(raw).hexdigest(), report)
    return manifest


def _read_manifest_note(bundle: Bundle, keys: Sequence[Key], digest: str, report: Report) -> None:
    signers: list[str] = []
    if bundle.has("manifest.note"):
        try:
            text, signed = open_note(bundle.read("manifest.note").decode(), keys)
        except (ValueError, WrongError) as error:
            report.add(ALTERED, "manifest.note: " + plain(str(error)))
            return
        lines = text.split("\n")
        if len(lines) != 4 or lines[0] != FORMAT or lines[2] != "sha256 " + digest:
            report.add(ALTERED, "manifest.note is not over this manifest")
            return
        signers = [key.label for key in signed if key.name == lines[1]]
    if signers:
        report.checked.append("the manifest, and with it every file, is signed by " + " and ".join(signers))
    else:
        report.unchecked.append(
            "what was chosen, FORMAT.txt and the verify.py inside: the manifest is not signed by a key given here, and nothing "
            "else rests on it"
        )


class Claim(NamedTuple):
    """The first *size* events of the log have *root*, says a checkpoint."""

    size: int
    root: bytes
    kept: bool
    """It was kept outside of the bundle."""


def read_checkpoint(bundle: Bundle, keys: Sequence[Key], report: Report) -> Checkpoint:
    """Read the checkpoint that all proofs lead to; raises WrongError when it is none."""
    try:
        newest = open_checkpoint(bundle.read("checkpoint.note").decode(), keys)
    except ValueError as error:
        raise WrongError(ALTERED, "checkpoint.note: " + plain(str(error))) from None
    except WrongError as wrong:
        raise WrongError(wrong.code, "checkpoint.note: " + wrong.sentence) from None
    size = some(newest.size, "event")
    if newest.signers:
        report.checked.append(f"the checkpoint of {size} is signed by {' and '.join(key.label for key in newest.signers)}")
    elif keys:
        report.add(UNSIGNED, f"the checkpoint of {size} of {plain(newest.origin, 80)} is not signed by the key given")
    else:
        report.add(UNSIGNED, NO_KEY)
    return newest


def read_claims(bundle: Bundle, keys: Sequence[Key], newest: Checkpoint, report: Report) -> list[Claim]:
    """Return what the checkpoints of the bundle claim, the newest last."""
    claims: list[Claim] = []
    strange = 0
    for line in bundle.lines("checkpoints.ndjson"):
        try:
            found = open_checkpoint(read_canonical(line)["note"], keys)
        except (*MISSHAPEN, WrongError) as error:
            report.add(ALTERED, "checkpoints.ndjson: " + plain(str(error)))
            continue
        if found.origin != newest.origin or found.size > newest.size or len(claims) >= MEMBERS_MAX:
            report.add(ALTERED, f"checkpoints.ndjson: the one of {some(found.size, 'event')} does not belong here")
            continue
        strange += not found.signers
        claims.append(Claim(found.size, found.root, False))
    if strange and keys:
        report.unchecked.append(f"who signed {some(strange, 'earlier checkpoint')}: no key given here did")
    return [*claims, Claim(newest.size, newest.root, False)]


def outside_claims(kept: Sequence[Checkpoint], newest: Checkpoint, report: Report) -> list[Claim]:
    """Return what the checkpoints claim that were kept elsewhere, as far as the bundle reaches."""
    for each in kept:
        if not each.signers:
            report.add(UNSIGNED, f"the checkpoint of {some(each.size, 'event')} kept elsewhere is not signed by the key given")
        if each.size > newest.size:
            report.add(
                INCOMPLETE,
                f"the checkpoint kept elsewhere is over {some(each.size, 'event')}, and that of the bundle over "
                f"{newest.size:,}: the bundle is older, or the log has lost events since; ask for a newer one",
            )
    return [Claim(each.size, each.root, True) for each in kept if each.size <= newest.size]


def read_playbooks(bundle: Bundle, report: Report) -> dict[str, Any]:
    """Return the playbooks by their digests, which are their names."""
    found: dict[str, Any] = {}
    for name in bundle.names():
        if not name.startswith("playbooks/"):
            continue
        raw, digest = bundle.read(name), name[len("playbooks/") : -len(".json")]
        if hashlib.sha256(raw).hexdigest() != digest:
            report.add(ALTERED, f"{name} is not the playbook that its name is the digest of")
            continue
        try:
            found[digest] = json.loads(raw.decode())
        except MISSHAPEN as error:
            report.add(ALTERED, f"{name} cannot be read: {plain(str(error))}")
    return found


def read_wordings(bundle: Bundle, report: Report) -> dict[str, str]:
    """Return the wordings by their digests, which are their names."""
    found: dict[str, str] = {}
    for name in bundle.names():
        if not name.startswith("wordings/"):
            continue
        raw, digest = bundle.read(name), name[len("wordings/") : -len(".txt")]
        if hashlib.sha256(raw).hexdigest() != digest:
            report.add(ALTERED, f"{name} is not the wording that its name is the digest of")
            continue
        try:
            found[digest] = raw.decode()
        except MISSHAPEN as error:
            report.add(ALTERED, f"{name} cannot be read: {plain(str(error))}")
    return found


def phrase_names(text: str) -> set[str]:
    """Return the names that the lists in *text* give: of TOML whatever stands before an equals sign."""
    return set(re.findall(r"(?m)(?:^|[{,.])[ \t]*[\"']?([a-z][a-z_]{0,39})[\"']?[ \t]*=", text))


# The first pass: the order of the log, and the tree.


class Partition:
    """What is to be known of some of the streams, in temporary files, which are in memory while they are small."""

    def __init__(self, stack: ExitStack, spool_bytes: int) -> None:
        def spool() -> IO[bytes]:
            return stack.enter_context(tempfile.SpooledTemporaryFile(max_size=spool_bytes))

        self.events, self.leads, self.texts, self.heads = spool(), spool(), spool(), spool()

    def flush(self) -> None:
        """Write what is still to be written, so that no copy of this process does so too."""
        for file in (self.events, self.leads, self.texts, self.heads):
            file.flush()

    @staticmethod
    def lines(file: IO[bytes]) -> Iterator[bytes]:
        """Yield the lines that were written to *file*, without their ends."""
        file.seek(0)
        for line in file:
            yield line[:-1]

    def sorted_heads(self) -> Iterator[bytes]:
        """Yield the leaves of heads that were written, 48 bytes each."""
        self.heads.seek(0)
        record = self.heads.read(48)
        while record:
            yield record
            record = self.heads.read(48)


def partition_of(partitions: Sequence[Partition], stream: bytes) -> Partition:
    """Return the partition of a stream, which nobody can foresee: Python salts `hash` anew in each run."""
    return partitions[hash(stream) % len(partitions)]


class Heads(NamedTuple):
    """What a `heads_recorded` event says: the heads of the first *size* events, of so many *streams*, have *root*."""

    position: int
    size: int
    streams: int
    root: bytes
    at: str


class Frozen:
    """A calendar as the log has it, and at which position each rep's stream has it first, and with which playbook."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.made: Calendar | None = None
        self.by: dict[str, int] = {}
        self.followed: dict[tuple[str, str], int] = {}
        self._of_reps: dict[str, list[tuple[str, int]]] | None = None

    def of_rep(self, name: str) -> list[tuple[str, int]]:
        """Return what a rep followed with it, and since which position; asked for when all of the log is read."""
        if self._of_reps is None:
            self._of_reps = {}
            for (rep, playbook), since in self.followed.items():
                self._of_reps.setdefault(rep, []).append((playbook, since))
        return self._of_reps.get(name, [])


class Log:
    """The first pass: every body in its place, and the tree of them and of the hashes that stand for all others."""

    def __init__(self, bundle: Bundle, manifest: Manifest, size: int, claims: Sequence[Claim], report: Report) -> None:
        self.bundle = bundle
        self.manifest = manifest
        self.size = size
        self.report = report
        self.events = 0
        self.position = 0
        self.calendars: dict[str, Frozen] = {}
        self.heads: Heads | None = None
        self.hidden_until = 0
        """The last event of the log that only a hash stands for."""
        self.whole = False
        """The tree could be made, and has the root that was signed."""
        self._tree = Tree()
        self._nodes = bundle.lines("tree.ndjson")
        self._broken = False
        self._claims = sorted(claims, key=lambda claim: claim.size)
        self._next = 0
        self._believed = 0
        self._contradicted = False
        self._compare()

    def read(self, partitions: Sequence[Partition], progress: Callable[[int, int], None]) -> None:
        """Read every body, and part them by stream; raises WrongError where nothing can be read any more."""
        index, bodies = self.bundle.lines("index.ndjson"), self.bundle.lines("events.ndjson")
        for line in index:
            body = next(bodies, None)
            match = INDEX_LINE.fullmatch(line)
            if body is None:
                raise WrongError(INCOMPLETE, "events.ndjson ends before index.ndjson does: bodies are missing")
            if match is None:
                raise WrongError(ALTERED, f"index.ndjson: line {self.events + 1} is not one of an index")
            position = int(match.group(1))
            if position <= self.position:
                raise WrongError(ALTERED, f"event {position} does not stand behind event {self.position}", position)
            self.events, self.position = self.events + 1, position
            self._grow_to(position - 1)
            self._push(body)
            partition_of(partitions, match.group(2)).events.write(line + b"\n" + body + b"\n")
            if b'"type":"calendar_frozen"' in body or b'"type":"heads_recorded"' in body:
                self._look_at(body)
            if not self.events % 10_000:
                progress(self.events, self.manifest.events)
        if next(bodies, None) is not None:
            raise WrongError(INCOMPLETE, "index.ndjson ends before events.ndjson does: lines are missing")
        self._finish()

    def _look_at(self, body: bytes) -> None:
        """Take what other events rest on: calendars, and the heads of streams."""
        try:
            value = json.loads(body.decode())
            data = value["data"]
            if data["type"] == "calendar_frozen":
                digest = hashlib.sha256(canonical(data["calendar"])).hexdigest()
                frozen = self.calendars.setdefault(digest, Frozen(data["calendar"]))
                frozen.by.setdefault(str(data["rep"]), self.position)
                frozen.followed.setdefault((str(data["rep"]), str(value["playbook"]["digest"])), self.position)
            elif data["type"] == "heads_recorded":
                root, at = unhex(data["root"]), str(value["recorded_at"])
                self.heads = Heads(self.position, int(data["size"]), int(data["streams"]), root, at)
        except MISSHAPEN:
            return  # the second pass says what is wrong with it

    def _grow_to(self, size: int) -> None:
        """Let the tree grow to *size* by hashes that stand for events."""
        while self._tree.size < size and not self._broken:
            begin = self._tree.size + 1
            line = next(self._nodes, None)
            match = TREE_LINE.fullmatch(line) if line is not None else None
            if line is not None and match is None:
                self._give_up(ALTERED, "tree.ndjson has a line that is none of a tree", begin)
                return
            level, number = (int(match.group(1)), int(match.group(2))) if match else (0, -1)
            end = begin + (1 << level) - 1
            if match is None or number << level != begin - 1 or end > size:
                self._give_up(INCOMPLETE, f"event {begin} is missing: neither it is here nor a hash in its place", begin)
                return
            self._hide(begin, end)
            self._tree.push(bytes.fromhex(match.group(3).decode()), level)
            self._compare()

    def _hide(self, begin: int, end: int) -> None:
        """Take note that the events from *begin* to *end* are not in the bundle."""
        self.hidden_until = end
        kind, first, last = self.manifest[:3]
        if kind == "all" or (kind == "range" and begin <= last and end >= first):
            missing = f"event {begin} is" if begin == end else f"the events {begin} to {end} are"
            self.report.add(INCOMPLETE, missing + " missing: there is only a hash instead", begin)

    def _push(self, body: bytes) -> None:
        """Let the tree grow by an event."""
        if self.position > self.size and not self._broken:
            sentence = f"event {self.position} stands behind the {self.size:,} events of the checkpoint"
            self._give_up(ALTERED, sentence, self.position)
        if not self._broken:
            self._tree.push(leaf_hash(body))
            self._compare()

    def _compare(self) -> None:
        """Compare the tree so far with what is claimed of it."""
        while self._next < len(self._claims) and self._claims[self._next].size <= self._tree.size:
            claim = self._claims[self._next]
            self._next += 1
            whose = f"the checkpoint of {some(claim.size, 'event')}{' kept elsewhere' if claim.kept else ''}"
            if claim.size < self._tree.size:
                self.report.add(INCOMPLETE, whose + " cannot be compared: ask for a bundle that has the proof, with --kept")
            elif self._tree.root() == claim.root:
                self._believed = claim.size
            elif claim.kept or not self._contradicted:
                self._contradicted = self._contradicted or not claim.kept
                first = self._believed + 1
                among = f"event {first}" if first == claim.size else f"among the events {first} to {claim.size}"
                sentence = f"{whose} is over other events than these: the first other one is {among}"
                self.report.add(ALTERED, sentence, claim.size)

    def _finish(self) -> None:
        """Let the tree grow to its full size, and compare what there is with the manifest."""
        manifest, there = self.manifest, f"and there are {self.events:,}"
        if self.events != manifest.events:
            code = INCOMPLETE if self.events < manifest.events else ALTERED
            self.report.add(code, f"the manifest says {some(manifest.events, 'event')}, {there}")
        if manifest.kind == "range" and manifest.last > self.size:
            self.report.add(INCOMPLETE, "the range ends behind the checkpoint")
        self._grow_to(self.size)
        if not self._broken and next(self._nodes, None) is not None:
            self._give_up(ALTERED, "tree.ndjson has more lines than the tree has room for", 0)
        self.whole = not self._broken and not self._contradicted

    def _give_up(self, code: int, sentence: str, position: int) -> None:
        """Say why there will be no tree, and go on without."""
        self._broken = True
        self.report.add(code, sentence, position)


# The second pass: stream after stream.


class Event(NamedTuple):
    """An event of the bundle."""

    position: int
    stream: str
    version: int
    hash: bytes
    before: bytes | None
    """The hash of the event before it in its stream, where the bundle does not hold that event."""
    raw: bytes
    body: Any

    def named(self) -> str:
        """What to call it."""
        kind = plain(self.body["data"]["type"], 40)
        return f"event {self.position} ({kind}, version {self.version} of {self.stream})"


def _must_be_named(owner: str, handed: set[str]) -> bool:
    """Whether the days of a new owner were looked at before on the lead, or are known and another's were looked at."""
    return "rep:" + owner in handed or ("has:" + owner in handed and any(each.startswith("rep:") for each in handed))


class Stream:
    """A stream while it is followed."""

    __slots__ = (
        "after_head",
        "as_mail",
        "asked",
        "commitments",
        "contact",
        "decision",
        "gone",
        "handed",
        "hash",
        "head_hash",
        "head_version",
        "judged",
        "lead",
        "position",
        "rep",
        "state",
        "unfollowed",
        "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = 0
        self.hash = GENESIS
        self.position = 0
        self.state = ""
        self.unfollowed = ""
        """Why its decisions cannot be made again from here on."""
        self.lead: Lead | None = None
        self.rep: Rep | None = None
        self.decision: Decision | None = None
        self.judged = False
        """Whether a decision on the lead was held against a law table."""
        self.handed: set[str] = set()
        """Of which sort of call another owner was asked with a law table, whose days were looked at for it, and whether it was
        said why a note did not go over."""
        self.asked = False
        """Whether somebody was asked what a half of a breakup said."""
        self.as_mail = False
        """Whether a voicemail was asked what the mail of its breakup is."""
        self.head_version = 0
        self.head_hash = GENESIS
        self.after_head = 0
        self.commitments: dict[str, str] = {}
        """The texts that its events commit to, each with why it need not be here."""
        self.contact = ""
        self.gone = ""
        """Why no text of it is kept any more."""


class Tally:
    """What the second pass counted, over some partitions or all."""

    def __init__(self) -> None:
        self.streams = 0
        self.decisions = 0
        self.derived = 0
        self.unjudged = 0
        """Decisions that would have asked the law table, from before there was one."""
        self.unasked = 0
        """Halves of breakups from before anybody was asked what they say."""
        self.left_out: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self.whole: set[str] = set()
        """Of the leads that are asked for, those whose whole history is here."""
        self.proved = 0
        self.first_proved: list[tuple[str, int, int]] = []
        """Of the first leads that are proved complete: id, version, and how many events came since."""
        self.merged: dict[tuple[str, int], tuple[str, bytes]] = {}
        """By duplicate and version: into which lead it was merged, and the digest of what that one was told."""
        self.taken_in: list[tuple[int, str, tuple[str, int], bytes]] = []
        """At a position: the lead, the duplicate and version that it took in, and the digest of what it was told."""
        self.turned_away: set[tuple[str, int]] = set()
        """Duplicates and versions that a lead refused to take in, such as one whose person was erased."""
        self.leads: set[str] = set()
        """Of a bundle of whole leads: those that it holds."""

    def join(self, other: Tally) -> None:
        """Add what was counted elsewhere, of other streams."""
        for name, found in vars(other).items():
            own = vars(self)[name]
            if isinstance(own, (int, list)):
                vars(self)[name] = own + found
            elif name in ("left_out", "texts"):
                for why, number in found.items():
                    own[why] = own.get(why, 0) + number
            else:
                own.update(found)
        # In the order of their ids, so that it does not matter how they were parted.
        self.first_proved.sort()
        del self.first_proved[5:]


class Library(NamedTuple):
    """What decisions name: playbooks, calendars and wordings by their digests."""

    playbooks: dict[str, Any]
    calendars: dict[str, Frozen]
    wordings: dict[str, str]

    def calendar(self, digest: str | None) -> Calendar:
        """Return a calendar; raises MissingError when the bundle has not got it."""
        if digest is None:
            return PLAIN
        if digest not in self.calendars:
            raise MissingError(f"the calendar {plain(digest, 64)} is not in the bundle")
        frozen = self.calendars[digest]
        if frozen.made is None:
            frozen.made = Calendar(frozen.raw)
        return frozen.made


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


#: A name that a kind of event may have; of those that are named nowhere here only the place is looked at.
_KIND = re.compile("[a-z][a-z0-9_]*")


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and read_moment(value) is not None
    except (ValueError, OverflowError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _HEX_32.fullmatch(value) is not None


def _of(*types: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, types)


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_pin(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"digest", "id", "version"} and all(map(_of(str), value.values()))


_TEXT, _LIST, _OBJECT = _of(str), _of(list), _of(dict)

#: What stands in the body of each event, and nothing else.
_ENVELOPE: dict[str, Callable[[Any], bool]] = {
    "actor": _TEXT, "causation_id": _or_none(_is_id), "command": _or_none(_OBJECT), "correlation_id": _is_id, "data": _OBJECT,
    "effects": _OBJECT, "message_id": _is_id, "occurred_at": _is_moment, "playbook": _or_none(_is_pin),
    "recorded_at": _is_moment, "row": _or_none(_TEXT), "schema": _is_number, "state": _TEXT, "stream_id": _is_id,
    "used": _or_none(_OBJECT), "version": _is_number,
}  # fmt: skip

#: What stands in "used" of each decision; and what only some have.
_USED: dict[str, Callable[[Any], bool]] = {
    "now": _is_moment, "calendar": _or_none(_is_digest), "verdicts": _LIST, "free": _LIST,
}  # fmt: skip
_MAY_BE_USED: dict[str, Callable[[Any], bool]] = {
    "asked": _LIST, "beside": _is_number, "book": _is_digest, "colleague": _OBJECT, "events": _LIST, "followed": _is_digest,
    "gone": _LIST, "held": _is_number, "holdings": _OBJECT, "into": _OBJECT, "law": _OBJECT, "lawful": _of(bool),
    "opening": _is_number, "overdue": _is_number,
    "people": _OBJECT, "position": _is_number, "probes": _is_number, "queue": _OBJECT, "reps": _OBJECT, "suppressed": _OBJECT,
    "unreserved": _is_number, "wording": _OBJECT,
}  # fmt: skip

#: What a verdict says; and what only some say.
_VERDICT: dict[str, Callable[[Any], bool]] = {"check": _TEXT, "passed": _of(bool), "source": _TEXT, "inputs": _OBJECT}
_MAY_BE_SAID: dict[str, Callable[[Any], bool]] = {
    "level": _TEXT, "score": _or_none(_is_number), "reason": _or_none(_TEXT),
}  # fmt: skip


def _fit(value: Any, path: str, needed: dict[str, Callable[[Any], bool]], may_be: dict[str, Callable[[Any], bool]]) -> None:
    for name, fits in needed.items():
        if name not in value:
            raise ValueError(f"{path}{name} is missing")
        if not fits(value[name]):
            raise ValueError(f"{path}{name} is {plain(value[name], 40)}")
    for name in value:
        if name not in needed and not (name in may_be and may_be[name](value[name])):
            raise ValueError(f"{path}{plain(name, 40)} is {plain(value[name], 40)}")


def check_shape(body: Any) -> None:
    """Raise ValueError where no service can have written *body*: its envelope, what was used, what was said of texts.

    Of a later schema nothing is known.
    """
    if body.get("schema") != 1 and _is_number(body.get("schema")):
        return
    _fit(body, "", _ENVELOPE, {})
    kind = body["data"].get("type")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise ValueError(f"data.type is {plain(kind, 40)}")
    if body["command"] is not None and not isinstance(body["command"].get("command"), str):
        raise ValueError("command.command is no kind of command")
    used = body["used"]
    if used is not None:
        _fit(used, "used.", _USED, _MAY_BE_USED)
        for number, verdict in enumerate(used["verdicts"]):
            _fit(verdict if isinstance(verdict, dict) else {}, f"used.verdicts[{number}].", _VERDICT, _MAY_BE_SAID)


class Streams:
    """The streams of one partition, while their events are taken in the order of the log."""

    def __init__(self, manifest: Manifest, heads: Heads | None, library: Library, tally: Tally, report: Report) -> None:
        self.manifest = manifest
        self.heads = heads
        self.library = library
        self.tally = tally
        self.report = report
        self.streams: dict[str, Stream] = {}
        self._leads: dict[str, Any] = {}
        self._texts: dict[str, set[str]] = {}

    def expect(self, partition: Partition) -> None:
        """Read what is said about these streams: their heads, and opened texts."""
        for line in partition.lines(partition.leads):
            value = read_canonical(line)
            if value["lead"] in self._leads:
                self.report.add(ALTERED, f"leads.ndjson has lead {value['lead']} twice")
            self._leads[value["lead"]] = value.get("head")
        for line in partition.lines(partition.texts):
            try:
                value = read_canonical(line)
                salt, commitment = bytes.fromhex(value["salt"]), unhex(value["commitment"]).hex()
                shaped = value == {"commitment": commitment, "lead": value["lead"], "salt": salt.hex(), "text": value["text"]}
                fits = shaped and hashlib.sha256(salt + value["text"].encode()).hexdigest() == commitment
            except MISSHAPEN as error:
                self.report.add(ALTERED, "opened.ndjson: " + plain(str(error)))
                continue
            if not fits:
                self.report.add(ALTERED, f"an opened text of {value['lead']} is not what the log committed to")
            self._texts.setdefault(value["lead"], set()).add(commitment)

    def take(self, line: bytes, raw: bytes) -> None:
        """Take the next event of one of the streams: its line of the index, and its body."""
        position, name, version, hash_, before = INDEX_LINE.fullmatch(line).groups()  # type: ignore[union-attr]  # seen before
        stream = self.streams.setdefault(name.decode(), Stream())
        try:
            body = read_canonical(raw)
            place = body["stream_id"], body["version"], str(body["data"]["type"])
        except MISSHAPEN as error:
            trouble = f"event {int(position)}: its body cannot be read: {plain(str(error))}"
            self.report.add(ALTERED, trouble, int(position))
            stream.unfollowed = "what comes before them cannot be read"
            return
        known = bytes.fromhex(before.decode()) if before else None
        event = Event(int(position), name.decode(), int(version), bytes.fromhex(hash_.decode()), known, raw, body)
        if place[:2] != (event.stream, event.version):
            self.report.add(ALTERED, event.named() + ": its body is of another place than the index says", event.position)
        self._check_chain(stream, event)
        stream.position = event.position
        if self.heads is None or event.position <= self.heads.size:
            stream.head_version, stream.head_hash = event.version, event.hash
        else:
            stream.after_head += 1
        self._derive(stream, event)

    def _check_chain(self, stream: Stream, event: Event) -> None:
        """Check that the event follows the one before it in its stream."""
        previous: bytes | None = stream.hash
        if event.version <= stream.version:
            sentence = f"{event.named()} stands behind version {stream.version} of its stream"
            self.report.add(ALTERED, sentence, event.position)
        if event.version != stream.version + 1:
            previous = event.before
            stream.unfollowed = stream.unfollowed or "their histories do not begin in the bundle"
            if previous is None:
                sentence = f"version {stream.version + 1} is missing before {event.named()}"
                self.report.add(INCOMPLETE, sentence, event.position)
        elif event.before is not None:
            sentence = event.named() + ": the index gives the hash of an event before it that is here"
            self.report.add(ALTERED, sentence, event.position)
        if previous is not None and hashlib.sha256(previous + event.raw).digest() != event.hash:
            sentence = event.named() + ": its hash does not follow from the event before it and its body"
            self.report.add(ALTERED, sentence, event.position)
        stream.version, stream.hash = event.version, event.hash

    def _derive(self, stream: Stream, event: Event) -> None:
        """Make the event again, and count why not where that is not done."""
        found = Differences()
        try:
            check_shape(event.body)
            why = self._compare(stream, event, found)
            stream.state = event.body["state"]
            self._note_merge(event)
            if self.manifest.opened:
                _note_commitments(stream, event.body)
        except NotDerivableError as reason:
            why = stream.unfollowed = str(reason)
        except MissingError as missing:
            why = stream.unfollowed = "what they were decided by is not in the bundle"
            self.report.add(INCOMPLETE, f"{event.named()}: {missing}", event.position)
        except MISSHAPEN as error:
            why = stream.unfollowed = "they are not shaped as events"
            trouble = f"{type(error).__name__} {plain(str(error))}"
            self.report.add(UNDERIVED, f"{event.named()}: it is not shaped as an event: {trouble}", event.position)
        if why:
            self.tally.left_out[why] = self.tally.left_out.get(why, 0) + 1
        else:
            self.tally.derived += 1
        self._report(found, event.named if found.found else str, event.position)

    def _note_merge(self, event: Event) -> None:
        """Take note of a merge, whose other half stands in another stream."""
        data = event.body["data"]
        if data["type"] == "lead_merged":
            told = hashlib.sha256(canonical(data["facts"])).digest()
            self.tally.merged[event.stream, event.version] = data["into"], told
        elif data["type"] == "duplicate_taken_in":
            told = hashlib.sha256(canonical(data["facts"])).digest()
            self.tally.taken_in.append((event.position, event.stream, (data["duplicate"], data["version"]), told))
        elif data["type"] == "command_refused" and data["refused"] == "take_in_duplicate":
            command = event.body["command"]
            self.tally.turned_away.add((command["duplicate"], command["version"]))

    def _report(self, found: Differences, named: Callable[[], str], position: int) -> None:
        for field, recorded, derived in found.found:
            what = f"{plain(field, 80)} is {plain(recorded)}, and {plain(derived)} follows from what it was made from"
            self.report.add(UNDERIVED, f"{named()}: {what}", position)

    def _compare(self, stream: Stream, event: Event, found: Differences) -> str:
        """Compare an event with what follows; return why not where that is not done."""
        body = event.body
        kind = body["data"]["type"]
        if kind == "heads_recorded":
            found.compare("state", body["state"], "service")
            found.compare("data.size before its position", body["data"]["size"] < event.position, True)
            return "they record the heads of streams"
        if body["state"] == "service":
            return "they record what operators did"
        if body["state"] in ("campaign", "sales_event"):
            found.compare("row", body["row"], None)
            return "they are decisions of campaigns and sales events, which this verifier does not make again"
        if kind == "calendar_frozen":
            check_calendar(body, found)
            check_layers(body["data"], body["playbook"], self.library.playbooks, found)
        if body["schema"] != 1:
            stream.unfollowed = stream.unfollowed or "they are of a later schema"
        if stream.unfollowed:
            if stream.state:
                _compare_states(stream.state, body, found)
            return stream.unfollowed
        if body["state"] == "rep":
            return self._compare_rep(stream, event, found)
        return self._compare_lead(stream, event, found)

    def _compare_rep(self, stream: Stream, event: Event, found: Differences) -> str:
        body, kind = event.body, event.body["data"]["type"]
        rep = stream.rep = stream.rep or Rep()
        known = derive_rep_event(rep, body, self.library.calendar, found)
        if kind == "calendar_frozen":
            layers = body["data"].get("layers") or {}
            if layers:
                check_narrower(rep.layers, layers, self.library.playbooks[layers["digest"]], found)
            rep.layers = layers
        if body["used"].get("colleague"):
            self._check_followed("used.colleague.followed", body["used"]["colleague"], event, found)
        if kind == "day_planned":
            return "they plan a day"
        self.tally.decisions += known
        return "" if known or kind == "command_refused" else UNKNOWN_KIND

    def _compare_lead(self, stream: Stream, event: Event, found: Differences) -> str:
        lead, body, kind = stream.lead, event.body, event.body["data"]["type"]
        if lead is None and kind != "lead_registered":
            raise NotDerivableError("their histories begin otherwise than with a registration")
        if stream.decision is None or stream.decision.message != body["message_id"]:
            end_decision(stream.decision, found)
            stream.decision = self._decision(lead, event, found) if kind in KINDS else None
        decision = stream.decision
        known = decision is not None and kind in KINDS
        if decision is not None and known:
            decision.judged_before, decision.asked_before = stream.judged, stream.asked
            decision.as_mail_before, decision.handed_before = stream.as_mail, stream.handed
            found.compare("recorded_at", body["recorded_at"], written(decision.recorded_at))
            found.compare("actor", body["actor"], decision.actor)
            if kind == "command_refused" and lead is not None:
                derive_refusal(lead, body, decision, found)
            else:
                derive_event(lead, body, decision, found)
            if body["used"] is not None:
                self.tally.unjudged += decision.unjudged
                stream.judged = stream.judged or decision.law is not None
                stream.asked = stream.asked or decision.asked is not None
                if decision.kind == "reassign" and lead is not None:
                    self._hand_over(stream, lead, decision, kind, found)
                if decision.has_calendar and lead is not None:
                    stream.handed.add("has:" + acting(lead, decision.kind))
                stream.as_mail = stream.as_mail or AS_MAIL[0] in (decision.asked or [])
                self.tally.unasked += decision.kind in OF_BREAKUPS and decision.asked is None
        if lead is None:
            stream.lead = Lead(body)
        else:
            lead.take(body, event.version)
        return "" if known else UNKNOWN_KIND

    def _hand_over(self, stream: Stream, lead: Lead, d: Decision, kind: str, found: Differences) -> None:
        """Look whether the days of a new owner are named that were looked at before, and remember what is named."""
        owner, refused = colleague_of(lead, d.command), kind == "command_refused"
        if d.colleague is not None:
            stream.handed.add("rep:" + str(d.colleague["rep"]))
        elif owner is not None and not refused and _must_be_named(owner, stream.handed):
            found.compare("used.colleague", None, "by whose days " + plain(owner, 80) + " calls, as before")
        if d.law is not None:
            stream.handed.add(_sort_of_call(lead))
        if lead.state == "note_due" and d.explained and not refused:
            stream.handed.add(WHY)

    def _decision(self, lead: Lead | None, event: Event, found: Differences) -> Decision:
        """Return the decision that the event begins, with the calendar and playbook that it names."""
        body = event.body
        digest, owner = body["used"]["calendar"], lead.owner if lead else body["data"]["owner"]
        decision = Decision(lead, body, self.library.playbooks, self.library.calendar(digest))
        owner = acting(lead, decision.kind) if lead else owner
        self.tally.decisions += 1
        self._compare_wording(decision, body["used"].get("wording", {}), found)
        self._check_frozen("used.calendar", digest, owner, event, found)
        if "followed" in body["used"]:
            by = decision.command["owner"] if decision.kind == "reassign" else owner
            theirs = {"rep": by, "calendar": digest, "followed": body["used"]["followed"]}
            self._check_followed("used.followed", theirs, event, found, any_calendar=by != owner)
        elif lead is not None:
            self._check_unnamed(lead, decision, owner, event, found)
        self._check_colleague(lead, decision, event, found)
        if decision.kind == "migrate_playbook":
            found.compare("playbook.digest", decision.pin["digest"], decision.command["digest"])
        elif lead is not None and lead.pin is not None:
            # A lead keeps its playbook; only what may put it in the queue brings the newest version of it.
            queues = decision.kind == "queue_revival" or decision.command.get("timer") in ("requeue", "revisit")
            name = "playbook.id" if queues else "playbook"
            found.compare(name, decision.pin["id"] if queues else decision.pin, lead.pin["id"] if queues else lead.pin)
        return decision

    def _compare_wording(self, decision: Decision, used: dict[str, str], found: Differences) -> None:
        """Look for each wording by which words were checked, and in it for what a check says that it found there."""
        for name, digest in used.items():
            if digest not in self.library.wordings:
                raise MissingError(f"the wording {plain(name, 40)} {plain(digest, 64)} is not in the bundle")
        listed = phrase_names(self.library.wordings[used["phrases"]]) if "phrases" in used else None
        for verdict in decision.verdicts:
            said = (verdict.get("inputs") or {}).get("phrase")
            if listed is not None and said is not None and said not in listed:
                found.compare("used.verdicts." + plain(verdict["check"], 40), said, "a phrase of the lists that were used")

    def _check_frozen(self, field: str, digest: str | None, rep: str, event: Event, found: Differences) -> None:
        if digest is not None and self.library.calendars[digest].by.get(rep, event.position) >= event.position:
            found.compare(field, digest, f"a calendar of {plain(rep, 80)} that was frozen before")

    def _check_followed(self, field: str, named: Any, event: Event, found: Differences, any_calendar: bool = False) -> None:
        """Look whether a rep's days followed a playbook by then, with that calendar or with any."""
        calendars, theirs = self.library.calendars, (named["rep"], named["followed"])
        if any_calendar and self.manifest.kind != "all":
            return  # a new owner's calendar is here where a decision rests on it
        self.library.calendar(named["calendar"])
        looked = list(calendars.values()) if any_calendar else [calendars[named["calendar"]]]
        if all(frozen.followed.get(theirs, event.position) >= event.position for frozen in looked):
            found.compare(field, named["followed"], "a playbook that " + plain(named["rep"], 80) + " followed before")

    def _check_unnamed(self, lead: Lead, d: Decision, owner: str, event: Event, found: Differences) -> None:
        """Look whether the lead's own playbook binds as what the rep's days followed, where no other is named."""
        own, digest = d.pin["digest"], event.body["used"]["calendar"]
        if d.kind == "reassign":
            # It stands beside the calendar of the new owner.
            found.compare("used.followed", None, None if d.colleague is None or d.colleague["followed"] == own else "named")
            return
        if digest is None or self.manifest.kind != "all":
            return  # what else a rep followed is in a whole log only
        frozen = self.library.calendars[digest]
        if frozen.followed.get((owner, own), event.position) < event.position:
            return
        theirs = [each for each, since in frozen.of_rep(owner) if since < event.position]
        row, hours = row_for(lead.state, trigger_of(d.command)), d.playbook["contact_hours"]
        asks = row is not None and "contact_hours" in row.asks
        read = [self.library.playbooks[each]["contact_hours"] for each in theirs if each in self.library.playbooks]
        asked = _takes_slots(d.command) or (asks and len(read) == len(theirs) and hours not in read)
        if theirs and asked:
            found.compare("used.followed", None, "the playbook that " + plain(owner, 80) + " followed")

    def _check_colleague(self, lead: Lead | None, decision: Decision, event: Event, found: Differences) -> None:
        """Look whether who calls instead of the owner is who was named, by a calendar of theirs."""
        used, named = decision.colleague, colleague_of(lead, decision.command) if lead else None
        if used is None:
            # Of a new owner whose days were not looked at, as nobody's were once, the same days are taken.
            if named is not None and event.body["data"]["type"] != "command_refused" and decision.kind != "reassign":
                found.compare("used.colleague", None, "by whose days " + plain(named, 80) + " calls")
            return
        found.compare("used.colleague.rep", used["rep"], named)
        decision.by_colleague(lead, self.library.calendar(used["calendar"]))
        self._check_frozen("used.colleague.calendar", used["calendar"], str(used["rep"]), event, found)
        self._check_followed("used.colleague.followed", used, event, found)
        if used["followed"] not in self.library.playbooks:
            raise MissingError("the playbook {} is not in the bundle".format(plain(used["followed"], 64)))
        decision.hours = [each["contact_hours"] for each in (decision.playbook, self.library.playbooks[used["followed"]])]

    def finish(self, asked: Sequence[str]) -> bytes:
        """Say what became of the streams; of a whole log return the leaves of their heads, 48 bytes each, in order."""
        self.tally.streams += len(self.streams)
        for name in sorted(self._leads):
            self._check_head(name, self._leads[name], self.streams.get(name, Stream()))
        self.tally.whole.update(name for name in asked if name in self.streams and self._is_whole(name))
        for name, stream in self.streams.items():
            if self.manifest.kind != "range":
                found = Differences()
                end_decision(stream.decision, found)
                self._report(found, lambda name=name: "the end of " + name, stream.position)  # type: ignore[misc]
            if (
                self.manifest.kind == "leads"
                and name not in self._leads
                and stream.state not in ("rep", "service", "campaign", "sales_event")
            ):
                self.report.add(INCOMPLETE, f"{name} has events here, and nothing says that they are all", stream.position)
        self.tally.leads.update(self._leads)
        if self.manifest.opened:
            self._check_texts()
        if self.manifest.kind != "all" or self.heads is None:
            return b""
        heads = ((uuid.UUID(name).bytes, s.head_version, s.head_hash) for name, s in self.streams.items() if s.head_version)
        return b"".join(sorted(id_ + commitment_of(version, hash_) for id_, version, hash_ in heads))

    def _is_whole(self, name: str) -> bool:
        return self.manifest.kind == "all" or name in self._leads

    def _not_held(self, name: str) -> str:
        """Return why a bundle of this kind need not hold the texts of a stream; empty when it has to."""
        if self.manifest.kind == "range":
            return "outside"
        return "" if self._is_whole(name) else "beside"

    def _check_head(self, name: str, head: Any, stream: Stream) -> None:
        """Check that the events of a lead are all that it had when the heads were recorded."""
        heads = self.heads
        if heads is None or head is None:
            self.report.add(INCOMPLETE, f"{name}: nothing proves that its history is complete")
            return
        try:
            version, hash_ = int(head["version"]), unhex(head["hash"])
            proved = proves_head(uuid.UUID(name), version, hash_, head, heads)
        except MISSHAPEN as error:
            self.report.add(ALTERED, f"leads.ndjson: lead {name}: {plain(str(error))}")
            return
        if not proved:
            self.report.add(ALTERED, f"{name}: what leads.ndjson says does not prove its newest event (event {heads.position})")
        elif stream.head_version < version:
            missing = f"version {stream.head_version + 1} is missing, and what follows up to version {version}"
            self.report.add(INCOMPLETE, f"{name}: {missing}: it was there when the heads were recorded")
        elif stream.head_version > version or stream.head_hash != hash_:
            sentence = f"{name}: when the heads were recorded it ended with version {version}, and with another hash than here"
            self.report.add(ALTERED, sentence)
        else:
            self.tally.proved += 1
            if len(self.tally.first_proved) < 5:
                self.tally.first_proved.append((name, version, stream.after_head))

    def _check_texts(self) -> None:
        """Compare the opened texts with the commitments in the events."""
        counts = self.tally.texts
        for name, texts in self._texts.items():
            known = self.streams[name].commitments if name in self.streams else {}
            counts["opened"] = counts.get("opened", 0) + sum(commitment in known for commitment in texts)
            if any(commitment not in known for commitment in texts):
                self.report.add(INCOMPLETE, f"an opened text of {name} is here, and no event of it that commits to it")
        for name, stream in self.streams.items():
            for commitment, replaced in stream.commitments.items():
                if commitment in self._texts.get(name, ()):
                    continue
                why = stream.gone or replaced or self._not_held(name)
                counts[why] = counts.get(why, 0) + 1
                if not why:
                    sentence = f"{name}: a text that it commits to is not here, and no erasure of it either"
                    self.report.add(INCOMPLETE, sentence, stream.position)


def check_merges(manifest: Manifest, tally: Tally, report: Report) -> None:
    """Compare what leads were told by duplicates that were merged into them with what stands in the duplicates' histories."""
    for position, lead, merge, told in tally.taken_in:
        duplicate = plain(merge[0], 40)
        if merge in tally.merged:
            if tally.merged[merge] != (lead, told):
                sentence = f"event {position} (duplicate_taken_in of {lead}): the history of {duplicate} says otherwise"
                report.add(UNDERIVED, sentence, position)
        elif manifest.kind == "all" or merge[0] in tally.leads:
            sentence = f"event {position} (duplicate_taken_in of {lead}): the history of {duplicate} knows of no such merge"
            report.add(UNDERIVED, sentence, position)


def end_decision(decision: Decision | None, found: Differences) -> None:
    """Look whether a decision that another follows is whole."""
    step = next(decision.steps, None) if decision is not None else None
    if step is not None:
        found.compare("the decision before it", "at its end", "still without its " + step[0].event)


def _compare_states(before: str, body: Any, found: Differences) -> None:
    """Of a history that is not followed from its beginning, at least the states must follow each other."""
    row = next((row for row in ROWS if row.id == body["row"] and row.event == body["data"]["type"]), None)
    if body["row"] is None and body["data"]["type"] in KINDS:
        found.compare("state", body["state"], before)
    elif row is not None and row.sources:
        found.compare("state", body["state"], row.target)
        if before not in row.sources:
            found.compare("row", row.id, "no row that leads on from " + before)


def commitment_of(version: int, hash_: bytes) -> bytes:
    """Return what stands for a head beside its stream's id: SHA-256 of its version and hash."""
    return hashlib.sha256(version.to_bytes(8, "big") + hash_).digest()


def proves_head(lead: uuid.UUID, version: int, hash_: bytes, head: Any, heads: Heads) -> bool:
    """Whether *head* proves that the event of this version and hash is the newest of its stream, and the only newest.

    The heads stand in the order of the stream ids; where this one's neighbours are shown too, no other of the same id can be.
    """
    before, behind, index = head["before"], head["behind"], int(head["index"])
    places = [(lead.bytes, commitment_of(version, hash_), index, head["path"])]
    for neighbour, at in ((before, 0), (behind, len(places) + (before is not None))):
        if neighbour is not None:
            if str(uuid.UUID(neighbour["lead"])) != neighbour["lead"]:
                raise ValueError("a neighbour is not named in canonical form")
            shown = uuid.UUID(neighbour["lead"]).bytes, unhex(neighbour["commitment"])
            places.insert(at, (*shown, int(neighbour["index"]), neighbour["path"]))
    if (before is None) != (index == 0) or (behind is None) != (index == heads.streams - 1):
        return False
    if any(left[0] >= right[0] or left[2] + 1 != right[2] for left, right in zip(places, places[1:])):
        return False
    return all(
        proves_inclusion(index, heads.streams, leaf_hash(id_ + shown), [unhex(step) for step in path], heads.root)
        for id_, shown, index, path in places
    )


def _note_commitments(stream: Stream, body: Any) -> None:
    """Take note of the texts that an event commits to, and of what explains that they are no longer kept."""
    data, newest = body["data"], ""
    if data["type"] == "lead_erased":
        stream.gone = "erased"
    for commitment in _commitments(data):
        stream.commitments[commitment] = ""
    if data["type"] in ("lead_registered", "contact_updated"):
        newest = data["contact"]["commitment"]
    elif data["type"] == "command_refused" and data["refused"] == "update_contact":
        # What was refused is what came with it: the data was replaced when the CRM told it.
        newest = body["command"]["contact"]["commitment"]
    if newest and newest != stream.contact:
        if stream.contact in stream.commitments:
            stream.commitments[stream.contact] = "replaced"
        stream.contact = newest


def _commitments(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.keys() == {"commitment", "document_id"}:
            yield str(value["commitment"])
        else:
            for each in value.values():
                yield from _commitments(each)
    elif isinstance(value, list):
        for each in value:
            yield from _commitments(each)


def partitions_for(events: int, processes: int) -> int:
    """Return into how many partitions the streams of so many events are put: the same number for each process, one at least."""
    wanted = 1 + max(0, events) // PARTITION_EVENTS
    return processes * max(1, min(-(-wanted // processes), PARTITIONS_MAX // processes))


def part(bundle: Bundle, manifest: Manifest, partitions: Sequence[Partition], report: Report) -> None:
    """Put the lines about streams to the events of the same streams."""
    for name, needed in (("leads.ndjson", manifest.kind == "leads"), ("opened.ndjson", manifest.opened)):
        if not bundle.has(name):
            if needed:
                report.add(INCOMPLETE, name + " is missing")
            continue
        for number, line in enumerate(bundle.lines(name), start=1):
            try:
                lead = read_canonical(line)["lead"]
                known = STREAM.fullmatch(lead) is not None
            except MISSHAPEN as error:
                report.add(ALTERED, f"{name}: line {number}: {plain(str(error))}")
                continue
            if known:
                partition = partition_of(partitions, lead.encode())
                (partition.leads if name == "leads.ndjson" else partition.texts).write(line + b"\n")
            else:
                report.add(ALTERED, f"{name}: line {number} names no lead")


def check_all_heads(heads: Heads, partitions: Sequence[Partition], report: Report) -> None:
    """Make the recorded heads again from the events, which takes a bundle of the whole log."""
    tree = Tree()
    for leaf in heapq.merge(*(partition.sorted_heads() for partition in partitions)):
        tree.push(leaf_hash(leaf))
    if (tree.size, tree.root()) != (heads.streams, heads.root):
        sentence = f"event {heads.position} (heads_recorded) has other heads than the streams had at event {heads.size}"
        report.add(ALTERED, sentence, heads.position)


class Followed(NamedTuple):
    """What came of following the streams of a partition."""

    events: int
    tally: Tally
    report: Report
    heads: bytes
    """What `Streams.finish` returns."""


def in_processes(work: Callable[[int], Followed], count: int, processes: int) -> Generator[Followed, None, None]:
    """Yield what *work* returns for each number below *count*, in their order; of several *processes* each is a copy of this.

    Raises what *work* raised, and OSError when a copy was killed. All are gone when the iterator ends.
    """
    if processes == 1:
        yield from map(work, range(count))
        return
    children: list[tuple[int, IO[bytes]]] = []
    try:
        for first in range(processes):
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                _work_as_child(work, range(first, count, processes), writing)
            os.close(writing)
            children.append((child, os.fdopen(reading, "rb")))
        for number in range(count):
            try:
                done = pickle.load(children[number % processes][1])  # noqa: S301  # what our own copy wrote
            except (EOFError, pickle.UnpicklingError):
                raise OSError("a process that followed the streams was killed, so not all was checked") from None
            if isinstance(done, Exception):
                raise done
            yield done
    finally:
        for child, answers in children:
            answers.close()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _work_as_child(work: Callable[[int], Followed], numbers: Sequence[int], writing: int) -> None:
    """Do the work with these *numbers*, and end without anything that this copy holds being written twice."""
    try:
        with os.fdopen(writing, "wb") as answers:
            for number in numbers:
                done: Any = None
                try:
                    done = work(number)
                except Exception as error:  # noqa: BLE001  # whatever it is, it is raised again where the answer is read
                    done = error
                pickle.dump(done, answers)
                answers.flush()
    finally:
        os._exit(0)


def processors() -> int:
    """Return how many processes may follow streams at the same time."""
    if not hasattr(os, "fork"):
        return 1
    return min(PROCESSES_MAX, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def check(
    file: IO[bytes],
    keys: Sequence[Key],
    kept: Sequence[Checkpoint],
    *,
    leads: Sequence[str] = (),
    max_bytes: int = 32 << 30,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Check the bundle in *file* and return what was found.

    *keys* are the operator's, *kept* checkpoints that were kept elsewhere, *leads* those that are to be in the bundle with
    their whole history. So many *processes* follow the streams; usually one those of a small bundle, and as many as there are
    processors those of a large one.
    """
    report = Report()
    try:
        with ExitStack() as stack:
            _check(Bundle(file, report, max_bytes), keys, kept, leads, report, processes, progress, stack)
    except WrongError as wrong:
        report.take(wrong)
        report.unchecked.append("whatever was to come after the first thing that cannot be read")
    return report


def _check(
    bundle: Bundle,
    keys: Sequence[Key],
    kept: Sequence[Checkpoint],
    leads: Sequence[str],
    report: Report,
    processes: int | None,
    progress: Callable[[int, int], None],
    stack: ExitStack,
) -> None:
    manifest = read_manifest(bundle, keys, report)
    checkpoint = read_checkpoint(bundle, keys, report)
    claims = read_claims(bundle, keys, checkpoint, report)
    outside = outside_claims(kept, checkpoint, report)
    playbooks, wordings = read_playbooks(bundle, report), read_wordings(bundle, report)
    for name in ("FORMAT.txt", "verify.py"):
        bundle.read(name)
    if processes is None or not hasattr(os, "fork"):
        processes = processors() if manifest.events >= TOGETHER_EVENTS else 1
    number = partitions_for(manifest.events, processes)
    partitions = [Partition(stack, SPOOL_BYTES // number) for _ in range(number)]
    log = Log(bundle, manifest, checkpoint.size, [*claims, *outside], report)
    broken = False
    try:
        log.read(partitions, progress)
        part(bundle, manifest, partitions, report)
    except WrongError as wrong:
        # What could be read is followed all the same, so that the first wrong event is named.
        broken = True
        report.take(wrong)
    tally = Tally()
    library = Library(playbooks, log.calendars, wordings)
    _follow_all(partitions, manifest, log, library, leads, processes, tally, report, progress)
    if broken:
        return
    check_merges(manifest, tally, report)
    if manifest.kind == "all" and log.whole and log.heads is not None:
        check_all_heads(log.heads, partitions, report)
    for lead in leads:
        if lead not in tally.whole:
            report.add(INCOMPLETE, f"{plain(lead, 80)} is to be in the bundle with its whole history, and is not")
    say(Outcome(manifest, checkpoint, len(claims) - 1, [claim.size for claim in outside], log, tally), report)


def _follow_all(
    partitions: Sequence[Partition],
    manifest: Manifest,
    log: Log,
    library: Library,
    leads: Sequence[str],
    processes: int,
    tally: Tally,
    report: Report,
    progress: Callable[[int, int], None],
) -> None:
    """Follow the streams of all partitions in so many processes."""
    done = 0

    def tell(events: int) -> None:
        nonlocal done
        done += events
        progress(done, log.events)

    def follow(number: int) -> Followed:
        # Of what copies of this process do, only what came of it is told.
        told = tell if processes == 1 else lambda events: None
        return _follow(partitions[number], manifest, log, library, leads, told)

    for partition in partitions:
        partition.flush()
    with closing(in_processes(follow, len(partitions), processes)) as works:
        for partition, followed in zip(partitions, works):
            tally.join(followed.tally)
            report.join(followed.report)
            partition.heads.write(followed.heads)
            if processes > 1:
                tell(followed.events)


def _follow(
    partition: Partition,
    manifest: Manifest,
    log: Log,
    library: Library,
    leads: Sequence[str],
    tell: Callable[[int], None],
) -> Followed:
    """Follow the streams of a partition; *tell* is told of every 10,000 events."""
    tally, report, events = Tally(), Report(), 0
    streams = Streams(manifest, log.heads, library, tally, report)
    streams.expect(partition)
    lines = partition.lines(partition.events)
    for line in lines:
        streams.take(line, next(lines))
        events += 1
        if not events % 10_000:
            tell(10_000)
    return Followed(events, tally, report, streams.finish(leads))


# 11. The command line --------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a run came to, beside its findings."""

    manifest: Manifest
    checkpoint: Checkpoint
    earlier: int
    outside: list[int]
    log: Log
    tally: Tally


def say(run: Outcome, report: Report) -> None:
    """Say what was checked, and what was not."""
    kind, first, last, *_, about = run.manifest
    what = {"leads": "whole leads", "range": f"the events {first} to {last}", "all": "the whole log"}[kind]
    report.about += [f"{what}: {some(run.log.events, 'event')} of {some(run.tally.streams, 'stream')}", about]
    sound = not report.counts.get(ALTERED) and not report.counts.get(INCOMPLETE)
    if run.log.whole:
        size = run.checkpoint.size
        report.checked.append(f"every event stands at its position among the {size:,} of the checkpoint, byte for byte")
        if run.earlier:
            report.checked.append(f"the log begins as {some(run.earlier, 'earlier checkpoint')} of it said")
    if run.outside and sound:
        sizes = ", ".join(f"{size:,}" for size in run.outside)
        report.checked.append(f"the log begins as the checkpoints kept elsewhere said, up to event {sizes}")
    if sound:
        report.checked.append("each hash follows from the event before it in its stream")
        _say_what_is_complete(run, report)
    _say_what_follows(run.tally, report)
    _say_what_was_merged(run, report)
    _say_what_is_opened(run, report)
    if not run.outside:
        report.unchecked.append("whether others are shown another log: that takes a checkpoint kept elsewhere (--checkpoint)")
    report.unchecked.append("whether what was recorded is true: the log holds what was said, by whom and when")


def _say_what_is_complete(run: Outcome, report: Report) -> None:
    kind, first, last = run.manifest[:3]
    size, heads = run.checkpoint.size, run.log.heads
    if kind == "all":
        report.checked.append(f"nothing is left out of the first {some(size, 'event')} of the log")
    elif kind == "range":
        report.checked.append(f"nothing is left out of the events {first} to {last} of the log")
        report.unchecked.append("whether the histories of leads in it are complete: a range cuts them")
    elif heads is not None:
        for name, version, after in run.tally.first_proved:
            more = f", and {some(after, 'event')} since" if after else ""
            report.checked.append(
                f"{name}: {some(version, 'event')} up to event {heads.size:,} of the log, and no others{more}"
            )
        if run.tally.proved > len(run.tally.first_proved):
            report.checked.append(f"the same of {some(run.tally.proved - len(run.tally.first_proved), 'lead')} more")
        if run.log.hidden_until > heads.size:
            unknown = f"{heads.size + 1:,} to {run.log.hidden_until:,}"
            report.unchecked.append(f"whether events of these leads are missing among {unknown}: the heads are older")
    report.unchecked.append(f"anything after event {size:,}: the checkpoint does not cover it")


def _say_what_follows(tally: Tally, report: Report) -> None:
    if tally.derived and not report.counts.get(UNDERIVED):
        made = f"{some(tally.decisions, 'decision')} ({some(tally.derived, 'event')})"
        report.checked.append(made + " made again: state, dates, timers, slots and scores follow from what was recorded")
    for why in sorted(tally.left_out):
        report.unchecked.append(f"what {some(tally.left_out[why], 'event')} followed from: {why}")
    if tally.unjudged:
        report.unchecked.append(f"contact law of {some(tally.unjudged, 'decision')}: they name no law table")
    if tally.unasked:
        report.unchecked.append(f"what was said in {some(tally.unasked, 'part')} of breakups: nobody was asked then")
    report.unchecked.append("the words of refusals")


def _say_what_was_merged(run: Outcome, report: Report) -> None:
    """Of whole leads: the same person's history goes on, or began, in another stream, which somebody may have to ask for."""
    tally = run.tally
    told = sum(merge in tally.merged for _, _, merge, _ in tally.taken_in)
    if told and not report.counts.get(UNDERIVED):
        report.checked.append(f"{some(told, 'lead')} merged into another, which was told what stands in its history")
    arrived = tally.turned_away.union(merge for _, _, merge, _ in tally.taken_in)
    under_way = sum(
        merge not in arrived for merge, (into, _) in tally.merged.items() if run.manifest.kind == "all" or into in tally.leads
    )
    if under_way:
        what = "where it went: of a message under way a bundle says nothing"
        report.unchecked.append(f"whether {some(under_way, 'lead')} that was merged arrived {what}")
    if run.manifest.kind != "leads":
        return
    for number, other in enumerate(sorted(elsewhere(tally))):
        report.unchecked.append(f"{other}: it is a stream of its own, and not in this bundle")
        if number == 9:
            report.unchecked.append("other histories that were merged with these, and are not in this bundle")
            break


def elsewhere(tally: Tally) -> set[str]:
    """Return the histories of the same people that a bundle of whole leads does not hold."""
    found = {
        f"the history of {plain(into, 40)}, into which {name} was merged"
        for (name, _), (into, _) in tally.merged.items()
        if into not in tally.leads
    }
    found.update(
        f"the history of {plain(merge[0], 40)}, which was merged into {lead}"
        for _, lead, merge, _ in tally.taken_in
        if merge[0] not in tally.leads
    )
    return found


def _say_what_is_opened(run: Outcome, report: Report) -> None:
    if not run.manifest.opened:
        report.unchecked.append("names, notes and other texts: only commitments to them are in the bundle")
        return
    counts = run.tally.texts
    if not report.counts.get(ALTERED):
        report.checked.append(f"{some(counts.get('opened', 0), 'text')} as the log committed to them")
    for why, because in (("erased", "erased, as the log says"),
                         ("replaced", "contact data that newer data replaced"),
                         ("outside", "not here, and what became of them may lie outside of the range"),
                         ("beside", "the words of reps, which a bundle of leads does not hold")):  # fmt: skip
        if counts.get(why):
            report.unchecked.append(f"{some(counts[why], 'text')}: {because}")


def as_text(report: Report, name: str) -> str:
    """Return the report for people."""
    lines = [f"{plain(name, 200)}: {'; '.join(report.about)}"] if report.about else []
    findings, total = report.ordered(), sum(report.counts.values())
    for finding in findings[:20]:
        label = "NO KEY" if finding.sentence == NO_KEY else "WRONG"
        lines.append(f"{label:<13}{finding.sentence} [{VERDICTS[finding.code]}]")
    if total > 20:
        lines.append(f"             … and {total - 20:,} more")
    lines += ["checked      " + line for line in report.checked]
    lines += ["NOT checked  " + line for line in report.unchecked]
    verdict = VERDICTS[report.status] if findings else "nothing is wrong"
    if [finding.sentence for finding in findings] == [NO_KEY]:
        verdict = "not signed by a key given here; nothing else is wrong"
    return "\n".join([*lines, f"verdict      {verdict} (exit status {report.status})"]) + "\n"


def as_json(report: Report) -> str:
    """Return the report for programs, on one line."""
    shown = {
        "status": report.status,
        "verdict": VERDICTS[report.status],
        "findings": [
            {"kind": VERDICTS[f.code], "position": f.position or None, "sentence": f.sentence} for f in report.ordered()
        ],
        "counts": {VERDICTS[code]: count for code, count in report.counts.items()},
        "checked": report.checked,
        "not_checked": report.unchecked,
        "about": report.about,
    }
    return json.dumps(shown, sort_keys=True) + "\n"


class _Arguments(argparse.ArgumentParser):
    """Arguments whose errors end with the status of their own."""

    def error(self, message: str) -> Any:
        """Say what is wrong with the arguments."""
        _write(sys.stderr, f"{_called(self.prog)}: {message}\n")
        raise SystemExit(UNCHECKED)


def _called(prog: str) -> str:
    return prog.partition(" ")[0]


def _arguments(prog: str) -> argparse.ArgumentParser:
    statuses = ", ".join(f"{status} {verdict}" for status, verdict in enumerate(VERDICTS))
    parser = _Arguments(prog=prog, description="Check a bundle of Thaw's event log.", epilog=f"Exit status: {statuses}.")
    parser.add_argument("bundle", help="the zip file")
    parser.add_argument("--key", action="append", default=[], help="a public key, name+id+base64; may be given several times")
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="FILE",
        help="checkpoints that were kept elsewhere, earlier or later ones; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--lead", action="append", default=[], metavar="ID", help="a lead that is to be in it with its whole history"
    )
    parser.add_argument(
        "--processes", type=int, choices=range(1, 65), metavar="N",
        help="so many processes make decisions again; usually one for a small bundle, and as many as there are processors for "
        "a large one, 8 at most",
    )  # fmt: skip
    parser.add_argument("--max-bytes", type=int, default=32 << 30, help="how much it may unpack to; default %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _key(typed: str) -> Key:
    try:
        return parse_key(typed)
    except ValueError as error:
        raise ValueError(f"--key {plain(typed, 80)}: {error}") from None


def _bundle(typed: str) -> Path:
    if Path(typed).is_dir():
        raise ValueError(f"{plain(typed, 200)} is a folder: name the zip file as it came, not what was unpacked from it")
    return Path(typed)


def _lead(typed: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", typed.lower()):
        raise ValueError(f"--lead {plain(typed, 80)}: it is no id of a lead; the report names them, 36 characters each")
    return typed.lower()


def _kept(path: str, keys: Sequence[Key]) -> list[Checkpoint]:
    try:
        found = [open_checkpoint(note, keys) for note in split_notes(_text_of_notes(path))]
    except UnicodeDecodeError:
        raise ValueError(
            f"--checkpoint {plain(path, 80)}: it is no text, and so no checkpoint; is it the right file?"
        ) from None
    except (ValueError, WrongError) as error:
        raise ValueError(f"--checkpoint {plain(path, 80)}: {error}") from None
    if not found:
        raise ValueError(f"--checkpoint {plain(path, 80)}: it holds none")
    return found


def _text_of_notes(path: str) -> str:
    with Path(path).open(encoding="utf-8") as file:
        held = file.read(WHOLE_BYTES_MAX)
        if file.read(1):
            raise ValueError("it is too long; put the notes that matter, such as the last, into a file")
    # The end of the last line may have been lost on the way from a mail or a screen.
    return held if held.endswith("\n") else held + "\n"


def _write(stream: Any, text: str) -> bool:
    """Write *text*, and return whether it got out: the stream may be closed, the disk full, and the reader gone."""
    try:
        stream.write(text)
        stream.flush()
    except (AttributeError, OSError, ValueError):  # of a closed one there is no stream at all
        return False
    return True


def _show_progress(done: int, of: int) -> None:
    _write(sys.stderr, f"\r{done:,} of {of:,} events ")


def _trouble(error: Exception) -> str:
    """Say why nothing could be checked."""
    if isinstance(error, OSError):
        where = f" ({plain(str(error.filename), 200)})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    if isinstance(error, ValueError):
        return plain(str(error), 300)
    if isinstance(error, MemoryError):
        return "there is not memory enough to check it"
    return f"a mistake in the verifier, which says nothing of the bundle: {type(error).__name__}: {plain(str(error), 300)}"


def main(arguments: Sequence[str] | None = None, prog: str = "verify.py") -> int:
    """Check what the command line names, print the result, and return the exit status.

    Errors begin with the first word of *prog*, as whoever typed it called the program.
    """
    asked = _arguments(prog).parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # Nothing that cannot be printed may end this: it is shown escaped.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    watched = sys.stderr is not None and sys.stderr.isatty()
    try:
        keys = [_key(typed) for typed in asked.key]
        kept = [note for path in asked.checkpoint for note in _kept(path, keys)]
        leads = [_lead(typed) for typed in asked.lead]
        with _bundle(asked.bundle).open("rb") as file:
            report = check(
                file, keys, kept, leads=leads, max_bytes=asked.max_bytes, processes=asked.processes,
                progress=_show_progress if watched else lambda done, of: None,
            )  # fmt: skip
        shown = as_json(report) if asked.json else as_text(report, Path(asked.bundle).name)
    except Exception as error:  # noqa: BLE001  # Python would end with 1, and so say that somebody altered the bundle
        _write(sys.stderr, f"{_called(prog)}: {_trouble(error)}\n")
        return UNCHECKED
    if watched:
        _write(sys.stderr, "\r" + " " * 60 + "\r")
    if not _write(sys.stdout, shown):
        _write(sys.stderr, f"{_called(prog)}: what came of it could not be written to the standard output\n")
        # Nor can what is left of it when Python ends, which would then say so with a status of its own.
        sys.stdout = None
        return UNCHECKED
    return report.status


if __name__ == "__main__":
    sys.exit(main())
