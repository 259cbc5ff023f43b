"""The ledger of erasures: a file outside the database, so that a restored backup brings nobody back unnoticed.

One JSON object a line, appended and never changed: lead or sales event, times, a commitment to the reason, and the hash of the
receipt in the log; no personal data. An erasure is *intended* before the transaction that makes it commits, and *erased*
afterwards with the receipt's hash. Whatever ends the process in between, the intention stands, and the next start finds out
what became of it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple
from uuid import UUID

import msgspec

from models.erasure import Receipt
from service.disk import sync_folder
from service.settings import Settings, SettingsError
from workflows.campaign_commands import EraseEventTexts
from workflows.campaign_events import EventTextsErased
from workflows.commands import Command, Reference
from workflows.events import LeadErased

#: An erasure at work holds the ledger; so long we wait for it.
BUSY_SECONDS = 30.0
_POLL_SECONDS = 0.02


class LedgerError(SettingsError):
    """The ledger cannot be read or written; the message says what to do."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger."""

    of: Literal["lead", "event"] = "lead"
    """An *event* is a sales event, of which the texts are erased; each time that is an erasure of its own."""
    kind: Literal["intended", "erased", "withdrawn"]
    """A *withdrawn* intention came to nothing, and nothing was erased by it."""
    lead_id: UUID
    """The lead, or the sales event."""
    message_id: UUID
    """Of the command that erases."""
    at: datetime
    """When it was erased first, or was going to be."""
    reason: Reference
    """The document that says why, by its commitment."""
    event: str = ""
    """SHA-256 of the receipt in the log, in hexadecimal."""
    reapplied_at: datetime | None = None
    """When it was erased again, because a restored backup had brought it back."""


class Entry(NamedTuple):
    """What the ledger says of one lead, or of one sales event's texts: that it is, or was going to be, erased."""

    line: Line
    """The newest."""
    done: bool
    """Its receipt is known."""


_decoder = msgspec.json.Decoder(Line)


class Ledger:
    """The file that the settings name."""

    def __init__(self, settings: Settings) -> None:
        given = settings.erasure_ledger
        self.path = Path(given).expanduser() if given else settings.home_path / "erasures.ledger"

    def entries(self) -> dict[UUID, Entry]:
        """Return what stands in the ledger, by lead and in its order; nothing where there is no ledger.

        Raises
        ------
        LedgerError
            When it cannot be read, or a line of it is none.
        """
        if not self.path.exists():
            return {}
        with self._locked() as file:
            return _entries(self._lines(file))

    def texts(self) -> list[Entry]:
        """Return what stands in the ledger of sales events: of each the newest erasure that was done, and all that were not.

        Raises as `entries` does.
        """
        if not self.path.exists():
            return []
        with self._locked() as file:
            return _texts(self._lines(file))

    def erased(self) -> set[UUID]:
        """Return the leads that were erased, or are being erased."""
        return set(self.entries())

    @contextmanager
    def writing(self) -> Iterator["Book"]:
        """Hold the ledger, made if there is none, so that nobody else erases or looks meanwhile."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
                sync_folder(self.path.parent)
        except OSError as error:
            raise self._trouble(error) from error
        with self._locked() as file:
            yield Book(self, file)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        try:
            file = self.path.open("r+b")
        except OSError as error:
            raise self._trouble(error) from error
        with file:
            deadline = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LedgerError(f"another process has held {self.path} for {BUSY_SECONDS:.0f} s") from None
                    time.sleep(_POLL_SECONDS)
            yield file

    def _lines(self, file: BinaryIO) -> list[Line]:
        file.seek(0)
        # What stands behind the last line break was cut off while it was written, and then nothing came of it.
        whole = file.read().rpartition(b"\n")[0]
        found = []
        for number, raw in enumerate(whole.splitlines(), start=1):
            try:
                found.append(_decoder.decode(raw))
            except msgspec.MsgspecError as error:
                raise LedgerError(f"line {number} of {self.path} is none of a ledger of erasures: {error}") from error
        return found

    def _trouble(self, error: OSError) -> LedgerError:
        return LedgerError(
            f"the ledger of erasures {self.path} cannot be read and written ({error.strerror}): mend that, or name another "
            f"file in THAW_ERASURE_LEDGER"
        )


class Book:
    """The ledger while it is held."""

    def __init__(self, ledger: Ledger, file: BinaryIO) -> None:
        self._ledger = ledger
        self._file = file
        self._end: int | None = None
        """Behind the last whole line; None until a line is appended."""

    def entries(self) -> dict[UUID, Entry]:
        """Return what stands in the ledger, as `Ledger.entries` does."""
        return _entries(self._ledger._lines(self._file))

    def texts(self) -> list[Entry]:
        """Return what stands in the ledger of sales events, as `Ledger.texts` does."""
        return _texts(self._ledger._lines(self._file))

    def receipts(self) -> set[str]:
        """Return the hashes of all receipts that stand in the ledger."""
        return {line.event for line in self._ledger._lines(self._file) if line.event}

    def append(self, line: Line) -> None:
        """Append *line*; when this returns, it is on the disk."""
        if self._end is None:
            self._file.seek(0)
            self._end = self._file.read().rfind(b"\n") + 1
        # What was cut off while it was written, by us or before.
        self._file.truncate(self._end)
        self._file.seek(self._end)
        written = self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._end += written

    def close_with(self, receipt: Receipt) -> None:
        """Append that a lead, or a sales event's texts, were erased, with the receipt."""
        recorded, data, command = receipt.recorded, receipt.recorded.data, receipt.recorded.command
        assert isinstance(data, (LeadErased, EventTextsErased))  # noqa: S101  # what a receipt holds
        again = data.reapplied if isinstance(data, LeadErased) else bool(first_erased_at(command))
        self.append(
            Line(
                of="lead" if isinstance(data, LeadErased) else "event",
                kind="erased",
                lead_id=recorded.stream_id,
                message_id=recorded.message_id,
                at=data.erased_at if isinstance(data, LeadErased) else first_erased_at(command) or recorded.recorded_at,
                reason=data.reason,
                event=receipt.hash.hex(),
                reapplied_at=recorded.recorded_at if again else None,
            )
        )


def first_erased_at(command: Command | None) -> datetime | None:
    """Return when the texts were erased first that *command* erases again; None when it is the first time."""
    return (command.first_erased_at or None) if isinstance(command, EraseEventTexts) else None


def _done_at(line: Line) -> datetime:
    return line.reapplied_at or line.at


def _texts(lines: list[Line]) -> list[Entry]:
    done: dict[UUID, Line] = {}
    intended: dict[UUID, Line] = {}
    ended: set[UUID] = set()
    for line in lines:
        if line.of == "lead":
            continue
        if line.kind == "intended":
            if line.message_id not in ended:
                intended.setdefault(line.message_id, line)
            continue
        intended.pop(line.message_id, None)
        if line.kind == "erased":
            ended.add(line.message_id)
            known = done.get(line.lead_id)
            if known is None or _done_at(known) <= _done_at(line):
                done[line.lead_id] = line
    return [*(Entry(line, done=True) for line in done.values()), *(Entry(line, done=False) for line in intended.values())]


def _entries(lines: list[Line]) -> dict[UUID, Entry]:
    found: dict[UUID, Entry] = {}
    for line in lines:
        if line.of == "event":
            continue
        known = found.get(line.lead_id)
        if line.kind == "erased":
            found[line.lead_id] = Entry(line, done=True)
        elif line.kind == "intended" and known is None:
            found[line.lead_id] = Entry(line, done=False)
        elif line.kind == "withdrawn" and known and not known.done and known.line.message_id == line.message_id:
            del found[line.lead_id]
    return found
