"""Capacity that is reserved or used: one row per rep, kind, day and ordinal, so that no slot is ever given twice."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from workflows.events import Slot, SlotKind


class Taken(NamedTuple):
    """A slot and the lead that holds or used it."""

    rep: str
    kind: SlotKind
    day: date
    ordinal: int
    lead_id: UUID


def taken(connection: Connection, *, rep: str, first: date, last: date) -> list[Taken]:
    """Return the slots of *rep* from *first* to *last*, inclusive, in order."""
    rows = connection.execute(
        text(
            "SELECT rep, kind, day, ordinal, lead_id FROM slots WHERE rep = :rep AND day BETWEEN :first AND :last "
            "ORDER BY rep, kind, day, ordinal"
        ),
        {"rep": rep, "first": first, "last": last},
    )
    return [Taken._make(row) for row in rows.all()]


def _columns(slots: Sequence[Slot]) -> dict[str, list[object]]:
    return {
        "rep": [slot.rep for slot in slots],
        "kind": [slot.kind for slot in slots],
        "day": [slot.day for slot in slots],
        "ordinal": [slot.ordinal for slot in slots],
    }


_arrays = "CAST(:rep AS text[]), CAST(:kind AS text[]), CAST(:day AS date[]), CAST(:ordinal AS integer[])"
_release = text(f"DELETE FROM slots WHERE (rep, kind, day, ordinal) IN (SELECT * FROM unnest({_arrays}))")
_reserve = text(
    f"INSERT INTO slots (rep, kind, day, ordinal, lead_id) SELECT * FROM unnest({_arrays}, CAST(:lead_id AS uuid[]))"
)


def move(connection: Connection, *, reserved: Sequence[tuple[Slot, UUID]], released: Sequence[Slot]) -> None:
    """Give back *released*, then take *reserved*. The caller holds the locks of the reps concerned.

    A slot that somebody else holds makes the transaction fail: the primary key is the last word on capacity.
    """
    if released:
        connection.execute(_release, _columns(released))
    if reserved:
        columns = _columns([slot for slot, _ in reserved])
        connection.execute(_reserve, columns | {"lead_id": [lead_id for _, lead_id in reserved]})
