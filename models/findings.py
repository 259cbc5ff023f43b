"""What is wrong, as a verification says it."""

from collections.abc import Iterable
from heapq import nsmallest
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping


class Finding(NamedTuple):
    """One thing that is wrong. *position* is that of the event, where it is about one."""

    code: str
    position: int | None
    stream_id: UUID | None
    sentence: str

    @property
    def place(self) -> tuple[bool, int]:
        """Where it stands among others: events by their positions, and what is about none behind them."""
        return self.position is None, self.position or 0


def finding_of(code: str, row: RowMapping, sentence: str) -> Finding:
    """Return what *row* tells: *sentence* with its columns, and where it is about an event, which one."""
    about = (
        f"event {row['position']} ({row['type']}, version {row['version']} of {row['stream_id']}): " if "version" in row else ""
    )
    return Finding(code, row.get("position"), row["stream_id"], about + sentence.format_map(row))


def first(findings: Iterable[Finding], most: int) -> list[Finding]:
    """Return the *most* that come first, in an order that is the same in whatever order they were found."""
    # A timer may be missing because of what else is wrong with its lead.
    return nsmallest(most, findings, key=lambda f: (f.place, f.code == "forgotten", f.code, f.sentence))
