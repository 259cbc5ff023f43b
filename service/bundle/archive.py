"""The zip file of a bundle: written beside its place, sealed, and put there when it is whole.

Every file in it is listed in the manifest with its size and SHA-256. The zip's comment, its last bytes, holds the SHA-256 of
all bytes before it, so that not one bit of the container can change unseen either. Neither needs a key; what ties the bundle
to its maker is the signature of the manifest, and what ties the events to the log is the checkpoint.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from service.disk import sync_folder

#: What the comment says before the digest. `service.bundle.verify` has it too, and shares no code.
SEAL = b"thaw bundle; SHA-256 of every byte before these digits: "
DIGITS = 64

#: Bodies repeat their keys: the fastest levels find that already.
COMPRESSION = 2

_CHUNK_BYTES = 1 << 18


class BundleError(Exception):
    """A bundle cannot be made as it was asked for; the message says why and what to do."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle."""

    name: str
    bytes: int
    sha256: str
    """In hexadecimal."""


class Member:
    """One file while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        """Write *data* behind what is there."""
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand over what has been gathered."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self.size += len(data)
        self._digest.update(data)
        self._file.write(data)

    def listed(self, name: str) -> Listed:
        """Return what the manifest says of it, under its *name*."""
        return Listed(name=name, bytes=self.size, sha256=self._digest.hexdigest())


class Archive:
    """A bundle's zip file while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin in an empty *file*."""
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
        self.listed: list[Listed] = []

    @contextmanager
    def member(self, name: str) -> Iterator[Member]:
        """Yield the file *name* to write to; one at a time."""
        with self._zip.open(name, "w", force_zip64=True) as file:
            member = Member(file)
            yield member
            member.flush()
        self.listed.append(member.listed(name))

    def add(self, name: str, data: bytes) -> None:
        """Write the whole file *name*."""
        with self.member(name) as member:
            member.write(data)

    def give_up(self) -> None:
        """Let go of the file, whatever is in it."""
        with suppress(OSError, ValueError):
            self._zip.close()

    def seal(self) -> Listed:
        """Finish the file and return the size and SHA-256 of all of it, under no name."""
        self._zip.comment = SEAL + b"0" * DIGITS
        self._zip.close()
        end = self._file.seek(0, os.SEEK_END) - DIGITS
        digest = hashlib.sha256()
        self._file.seek(0)
        for begin in range(0, end, _CHUNK_BYTES):
            digest.update(self._file.read(min(_CHUNK_BYTES, end - begin)))
        digits = digest.hexdigest().encode()
        self._file.seek(end)
        self._file.write(digits)
        digest.update(digits)
        return Listed(name="", bytes=self._file.tell(), sha256=digest.hexdigest())


@contextmanager
def new_archive(path: Path, *, force: bool) -> Iterator[Archive]:
    """Yield an archive that is put at *path*, readable for its owner alone, when the block ends well; else nothing is left.

    Raises
    ------
    BundleError
        As `refuse_destination` does.
    OSError
        When the disk is full.
    """
    refuse_destination(path, force=force)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            archive = Archive(file)
            try:
                yield archive
            except BaseException:
                archive.give_up()
                raise
            file.flush()
            os.fsync(file.fileno())
        refuse_destination(path, force=force)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def refuse_destination(path: Path, *, force: bool) -> None:
    """Refuse a *path* at which no file can be put.

    Raises
    ------
    BundleError
        When its folder is not there or closed to us; when it is a folder or a device; or a file is there, and not *force*.
    """
    if path.is_dir():
        raise BundleError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise BundleError(f"there is no folder {path.parent}: make it, or name a file in another one")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise BundleError(f"you may not write into the folder {path.parent}: name a file in another one")
    if path.exists() and not path.is_file():
        raise BundleError(f"{path} is no file, and is not replaced by one: name another")
    if path.exists() and not force:
        raise BundleError(f"{path} is there already: name another file, or replace it with --force")
