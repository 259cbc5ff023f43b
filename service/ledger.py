"""The ledger of erasures: a file outside the database, so that a restored backup brings nobody back unnoticed.

One JSON object a line, appended and never changed: lead, times, a commitment to the reason, and the hash of the receipt in the
log; no personal data. An erasure is *intended* before the transaction that makes it commits, and *erased* afterwards with the
receipt's hash. Whatever ends the process in between, the intention stands, and the next start finds out what became of it.
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

from models import erasure
from models.database import Engine, ModelError, transaction
from models.erasure import Receipt, Standing
from service.settings import Settings, SettingsError
from workflows.commands import Reference
from workflows.events import LeadErased

#: An erasure at work holds the ledger; so long we wait for it.
BUSY_SECONDS = 30.0
_POLL_SECONDS = 0.02


class LedgerError(SettingsError):
    """The ledger cannot be read or written; the message says what to do."""


class ErasuresPendingError(ModelError):
    """People who were erased are back in the database; the message names the command that erases them again."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger."""

    kind: Literal["intended", "erased", "withdrawn"]
    """A *withdrawn* intention came to nothing, and nothing was erased by it."""
    lead_id: UUID
    message_id: UUID
    """Of the command that erases."""
    at: datetime
    """When the person was erased first, or was going to be."""
    reason: Reference
    """The document that says why, by its commitment."""
    event: str = ""
    """SHA-256 of the receipt in the log, in hexadecimal."""
    reapplied_at: datetime | None = None
    """When it was erased again, because a restored backup had brought it back."""


class Entry(NamedTuple):
    """What the ledger says of one lead: that it is, or was going to be, erased."""

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
                _sync_folder(self.path.parent)
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

    def entries(self) -> dict[UUID, Entry]:
        """Return what stands in the ledger, as `Ledger.entries` does."""
        return _entries(self._ledger._lines(self._file))

    def append(self, line: Line) -> None:
        """Append *line*; when this returns, it is on the disk."""
        self._file.seek(0)
        raw = self._file.read()
        self._file.truncate(len(raw.rpartition(b"\n")[0]) + (b"\n" in raw))
        self._file.seek(0, os.SEEK_END)
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close_with(self, receipt: Receipt) -> None:
        """Append that a lead was erased, with its receipt."""
        recorded, data = receipt.recorded, receipt.recorded.data
        assert isinstance(data, LeadErased)  # noqa: S101  # what a receipt holds
        self.append(
            Line(
                kind="erased",
                lead_id=recorded.stream_id,
                message_id=recorded.message_id,
                at=data.erased_at,
                reason=data.reason,
                event=receipt.hash.hex(),
                reapplied_at=recorded.recorded_at if data.reapplied else None,
            )
        )


def _entries(lines: list[Line]) -> dict[UUID, Entry]:
    found: dict[UUID, Entry] = {}
    for line in lines:
        known = found.get(line.lead_id)
        if line.kind == "erased":
            found[line.lead_id] = Entry(line, done=True)
        elif line.kind == "intended" and known is None:
            found[line.lead_id] = Entry(line, done=False)
        elif line.kind == "withdrawn" and known and not known.done and known.line.message_id == line.message_id:
            del found[line.lead_id]
    return found


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def compare(engine: Engine, entries: dict[UUID, Entry]) -> dict[UUID, Standing]:
    """Return how the leads of *entries* stand in the database."""
    with transaction(engine) as connection:
        return erasure.standings(connection, entries)


def refuse_if_pending(settings: Settings, engine: Engine) -> None:
    """Do nothing when all whom the ledger knows to be erased are erased here; note the receipts of those that it lacks.

    Raises
    ------
    ErasuresPendingError
        When some are back: the database was restored from before their erasure, or that never came to its end.
    LedgerError
        When the ledger cannot be read or written.
    """
    ledger = Ledger(settings)
    entries = ledger.entries()
    standings = compare(engine, entries) if entries else {}
    if any(standings[lead_id].erased_at and not entry.done for lead_id, entry in entries.items()):
        complete(ledger, engine)
    back = sum(standing.is_back for standing in standings.values())
    if back:
        people = "person whose erasure stands" if back == 1 else "people whose erasures stand"
        raise ErasuresPendingError(
            f"{back} {people} in {ledger.path} {'is' if back == 1 else 'are'} in this database: it was restored from an older "
            f"backup, or an erasure was interrupted. Nothing is served until `thaw erasures reapply` has seen to it"
        )


def complete(ledger: Ledger, engine: Engine) -> int:
    """Note the receipts of all erasures in the database that the ledger lacks; return how many there were."""
    with ledger.writing() as book, transaction(engine) as connection:
        entries = book.entries()
        lacking = [
            receipt
            for lead_id, receipt in erasure.receipts(connection).items()
            if lead_id not in entries or entries[lead_id].line.event != receipt.hash.hex()
        ]
        for receipt in lacking:
            book.close_with(receipt)
    return len(lacking)
