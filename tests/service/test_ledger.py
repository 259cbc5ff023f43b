"""The ledger of erasures as a file: lines are appended behind the last whole one, and the file is read once for all of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service.ledger import Book, Ledger, Line
from service.settings import Settings
from workflows.commands import Reference

REASON = Reference(document_id=UUID(int=9), commitment="0" * 64)


def line(number: int) -> Line:
    """Return the intention to erase the lead of that *number*."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    return Line(kind="intended", lead_id=UUID(int=number), message_id=UUID(int=100 + number), at=at, reason=REASON)


class Counted:
    """A file of which it is counted how often it is read."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.reads = 0

    def read(self) -> Any:
        self.reads += 1
        return self.file.read()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Settings(erasure_ledger=str(tmp_path / "ledger")))


def test_many_lines_are_appended_in_one_reading(ledger: Ledger) -> None:
    """A lost ledger gets the receipts of all erasures of a database: that costs as much for each as for the first."""
    with ledger.writing() as book:
        book.append(line(0))
    with ledger.writing() as book:
        counted = Counted(book._file)
        again = Book(ledger, counted)  # type: ignore[arg-type]  # as good as a file
        for number in range(1, 20):
            again.append(line(number))
    assert [1, 20] == [counted.reads, len(ledger.entries())]


def test_what_was_cut_off_is_taken_away_by_the_next_line(ledger: Ledger) -> None:
    """Whether it was there before, or is of the line before this one."""
    with ledger.writing() as book:
        book.append(line(0))
        whole = ledger.path.read_bytes()
        ledger.path.write_bytes(whole + whole[:40])
        book.append(line(1))
    ledger.path.write_bytes(ledger.path.read_bytes() + b'{"kind"')
    with ledger.writing() as book:
        book.append(line(2))
    assert [UUID(int=number) for number in range(3)] == list(ledger.entries())
    assert 3 * len(whole) == len(ledger.path.read_bytes())
