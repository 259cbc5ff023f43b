"""Capacity that is reserved or used: one row per rep, kind, day and ordinal, so that no slot is ever given twice."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from models.database import ask, tell
from workflows.events import Slot, SlotKind


class Taken(NamedTuple):
    """A slot and the lead that holds or used it."""

    rep: str
    kind: SlotKind
    day: date
    ordinal: int
    lead_id: UUID


_taken = """
    SELECT rep, kind, day, ordinal, lead_id FROM slots WHERE rep = %(rep)s AND day BETWEEN %(first)s AND %(last)s
     ORDER BY rep, kind, day, ordinal
"""


def taken(connection: Connection, *, rep: str, first: date, last: date) -> list[Taken]:
    """Return the slots of *rep* from *first* to *last*, inclusive, in order."""
    rows = ask(connection, _taken, {"rep": rep, "first": first, "last": last})
    return [Taken._make(row) for row in rows]


def taken_on(connection: Connection, rep: str, days: Collection[date]) -> set[Slot]:
    """Return the slots of *rep* that are reserved or used from the first to the last of *days* (one or more)."""
    rows = taken(connection, rep=rep, first=min(days), last=max(days))
    return {Slot(rep=row.rep, kind=row.kind, day=row.day, ordinal=row.ordinal) for row in rows}


def _columns(slots: Sequence[Slot]) -> dict[str, list[object]]:
    return {
        "rep": [slot.rep for slot in slots],
        "kind": [slot.kind for slot in slots],
        "day": [slot.day for slot in slots],
        "ordinal": [slot.ordinal for slot in slots],
    }


_arrays = "CAST(%(rep)s AS text[]), CAST(%(kind)s AS text[]), CAST(%(day)s AS date[]), CAST(%(ordinal)s AS integer[])"
_release = f"DELETE FROM slots WHERE (rep, kind, day, ordinal) IN (SELECT * FROM unnest({_arrays}))"
_reserve = f"INSERT INTO slots (rep, kind, day, ordinal, lead_id) SELECT * FROM unnest({_arrays}, CAST(%(lead_id)s AS uuid[]))"


def move(connection: Connection, *, reserved: Sequence[tuple[Slot, UUID]], released: Sequence[Slot]) -> None:
    """Give back *released*, then take *reserved*. The caller holds the locks of the reps concerned.

    A slot that somebody else holds makes the transaction fail: the primary key is the last word on capacity.
    """
    if released:
        tell(connection, _release, _columns(released))
    if reserved:
        columns = _columns([slot for slot, _ in reserved])
        tell(connection, _reserve, columns | {"lead_id": [lead_id for _, lead_id in reserved]})
