"""Bundles taken apart, changed, and put together again, by somebody who knows the format and has no key, or another one."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.bundle import verify
from service.bundle.archive import Archive
from service.keys import KeyFiles, signed
from service.settings import Settings
from workflows.codec import chain_hash
from workflows.merkle import Frontier, leaf_hash
from workflows.notes import Checkpoint

Lines = list[bytes]


class Forged:
    """The files of a bundle by name, to be changed at will."""

    def __init__(self, bundle: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(bundle)) as zip_:
            self.files = {name: zip_.read(name) for name in zip_.namelist()}

    def zip(self) -> bytes:
        """Put the files together as they are, and seal them."""
        file = io.BytesIO()
        archive = Archive(file)
        for name, content in self.files.items():
            archive.add(name, content)
        archive.seal()
        return file.getvalue()

    def listed_anew(self) -> bytes:
        """Do the same with a manifest that fits, and without its signature, which would not."""
        manifest = json.loads(self.files.pop("manifest.json"))
        self.files.pop("manifest.note", None)
        manifest["files"] = [
            {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in self.files.items()
        ]
        manifest["events"] = self.files["index.ndjson"].count(b"\n")
        self.files["manifest.json"] = json.dumps(manifest).encode()
        return self.zip()

    def lines(self, name: str) -> Lines:
        return self.files[name].splitlines(keepends=True)

    def put(self, name: str, lines: Lines) -> None:
        self.files[name] = b"".join(lines)

    def index(self) -> list[list[Any]]:
        return [json.loads(line) for line in self.lines("index.ndjson")]

    def put_index(self, rows: list[list[Any]]) -> None:
        self.put("index.ndjson", [json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows])

    def at(self, chosen: Callable[[dict[str, Any]], bool]) -> int:
        """Return the number of the first line whose body is *chosen*."""
        return next(number for number, line in enumerate(self.lines("events.ndjson")) if chosen(json.loads(line)))

    def change(self, number: int, old: bytes, new: bytes) -> None:
        """Change the body on a line."""
        bodies = self.lines("events.ndjson")
        assert old in bodies[number], bodies[number]
        bodies[number] = bodies[number].replace(old, new)
        self.put("events.ndjson", bodies)

    def remove(self, *numbers: int) -> None:
        """Remove events, body and line of the index."""
        for name in ("events.ndjson", "index.ndjson"):
            self.put(name, [line for number, line in enumerate(self.lines(name)) if number not in numbers])

    def rehash(self) -> None:
        """Make every hash of the index anew."""
        newest: dict[str, bytes] = {}
        rows = self.index()
        for row, line in zip(rows, self.lines("events.ndjson"), strict=True):
            before = bytes.fromhex(row[4]) if len(row) > 4 else newest.get(row[1], bytes(32))
            newest[row[1]] = chain_hash(before, line[:-1])
            row[3] = newest[row[1]].hex()
        self.put_index(rows)

    def sign_whole(self, home: Path, *, size: int | None = None, name: str = "example.com/thaw") -> str:
        """Sign the log of a whole bundle anew with a key in *home*, made if there is none; return the public key."""
        keys = KeyFiles(Settings(home=str(home)))
        if not keys.exist:
            keys.init(name)
        frontier = Frontier()
        for line in self.lines("events.ndjson"):
            frontier.append(leaf_hash(line[:-1]))
        made = signed(Checkpoint(name, size or frontier.size, frontier.root), keys.signing())
        self.files["checkpoint.note"] = str(made).encode()
        self.files["checkpoints.ndjson"] = b""
        return str(keys.known()[-1])


def checked(bundle: bytes, key: str, *, kept: tuple[str, ...] = (), **options: Any) -> verify.Report:
    """Return what the verifier says of a bundle."""
    known = [verify.parse_key(key)] if key else []
    notes = [verify.open_checkpoint(note, known) for note in kept]
    return verify.check(io.BytesIO(bundle), known, notes, **options)


def verdict(bundle: bytes, key: str, **options: Any) -> tuple[int, str]:
    """Return the exit status, and the first finding."""
    report = checked(bundle, key, **options)
    found = report.ordered()
    return report.status, found[0].sentence if found else ""
