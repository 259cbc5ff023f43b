"""Is the log whole, and do the projections say what it says? Everything is read from the tables; nothing is believed.

The streams are verified in one part or in many (`models.verify_part`). What is about all of them is here: the positions, and
the slots, of which no two streams may hold the same.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import pauses, tables
from models.database import take_as_long_as_needed
from models.events import read_stream
from models.findings import Finding, first
from models.finite import columns_of
from models.replay import EVERY, read_streams
from models.verify_part import PAGE_ROWS, Part, term, verify_part
from workflows.events import Recorded, Slot, decode_recorded
from workflows.service_stream import SERVICE_ID

#: So many findings are kept, unless somebody wants more.
MOST = 20


class Verified(NamedTuple):
    """The result: *findings* is empty when all is well, and names the first wrong event first."""

    events: int
    streams: int
    findings: list[Finding]


def verify(
    connection: Connection,
    *,
    most: int = MOST,
    progress: Callable[[int], None] = lambda _: None,
    parts: Iterable[Part] | None = None,
) -> Verified:
    """Check positions, versions, chains, canonical bodies, copies, projections, slots, timers; keep the first *most* findings.

    Run it in a REPEATABLE READ transaction, so that all tables are seen at one moment. *parts* is what was found elsewhere, at
    this very moment, about all streams, and is taken as it comes; without it the streams are verified here.
    """
    take_as_long_as_needed(connection)
    # Before any part is waited for: where others verify them, they are at it meanwhile.
    held = _slots_taken(connection, ())
    events = streams = slots = 0
    wrong: set[UUID] = set()
    findings: list[Finding] = []
    for part in [verify_part(connection, EVERY, most=most, progress=progress)] if parts is None else parts:
        events += part.events
        streams += part.streams
        slots += int.from_bytes(part.slots)
        wrong |= set(part.wrong)
        findings = first([*findings, *part.findings], most)
        progress(events)
    if wrong:
        # There is no saying what slots these take: they are left out on both sides.
        held = _slots_taken(connection, wrong)
    differing = _slots_one_by_one(connection, wrong) if (held - slots) % 2**256 else ()
    beside = chain(_positions(connection, events), differing, _pauses(connection, wrong))
    return Verified(events, streams, first(chain(findings, beside), most))


def _positions(connection: Connection, read: int) -> Iterator[Finding]:
    statement = "SELECT count(*), coalesce(max(position), 0), (SELECT position FROM log_head) FROM events"
    count, newest, head = connection.execute(text(statement)).one()
    if read != count:
        sentence = f"the log holds {count} events, and {read} were found by their streams: its index is damaged"
        yield Finding("events_unread", None, None, sentence)
    if newest != count:
        statement = "SELECT position, row_number() OVER (ORDER BY position) AS expected FROM events"
        gap = connection.scalar(text(f"SELECT min(expected) FROM ({statement}) AS n WHERE position <> expected"))
        yield Finding("position_missing", gap, None, f"position {gap} is missing from the log")
    if newest != head:
        yield Finding("head_differs", newest, None, f"the newest event is at position {newest}, but the head says {head}")


def _slots_taken(connection: Connection, wrong: Collection[UUID]) -> int:
    """Return the sum of the `term` of each slot in the table, but for those of the *wrong* streams."""
    with closing(_slots_by_holder(connection)) as held:
        return sum(term(slot, holder) for holder, slots in held if holder not in wrong for slot in slots)


def _slots_one_by_one(connection: Connection, wrong: Collection[UUID]) -> Iterator[Finding]:
    """Read the log again, this time to say which slots differ: holder by holder, in the order of their ids on both sides."""
    looked = 0
    with closing(_slots_by_holder(connection)) as table:
        given = next(table, None)
        for stream_id, recorded in read_streams(connection):
            while given and given[0] < stream_id:
                yield from _not_said(*given, wrong)
                given = next(table, None)
            found: set[Slot] = set()
            if given and given[0] == stream_id:
                found, given = given[1], next(table, None)
            if stream_id in wrong:
                continue
            said = _left_taken(recorded)
            for slot in sorted(said - found):
                looked += 1
                two = looked <= MOST and _is_held_by_another(connection, slot, stream_id, wrong)
                yield Finding("slot_differs", None, stream_id, held_by_two(slot) if two else not_held(slot))
            yield from _not_said(stream_id, found - said, wrong)
        while given:
            yield from _not_said(*given, wrong)
            given = next(table, None)


def _left_taken(recorded: Iterable[Recorded]) -> set[Slot]:
    slots: set[Slot] = set()
    for effects in (each.effects for each in recorded):
        slots = slots.difference(effects.released).union(effects.reserved)
    return slots


def _not_said(holder: UUID, slots: Collection[Slot], wrong: Collection[UUID]) -> Iterator[Finding]:
    for slot in sorted(slots if holder not in wrong else ()):
        yield Finding("slot_differs", None, holder, f"{_named(slot)} is held by {holder}, as the log does not say")


def _slots_by_holder(connection: Connection) -> Generator[tuple[UUID, set[Slot]]]:
    statement = text(f"SELECT {columns_of(tables.slots)} FROM slots ORDER BY lead_id")
    with connection.execute(statement.execution_options(stream_results=True, yield_per=PAGE_ROWS)) as rows:
        for holder, of_one in groupby(rows, key=attrgetter("lead_id")):
            yield holder, {Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal) for r in of_one}


def _is_held_by_another(connection: Connection, slot: Slot, stream_id: UUID, wrong: Collection[UUID]) -> bool:
    """Tell whether the log gives *slot* also to whom the table gives it, who is not *stream_id*."""
    statement = "SELECT lead_id FROM slots WHERE (rep, kind, day, ordinal) = (:rep, :kind, :day, :ordinal) AND lead_id <> :id"
    values = {"rep": slot.rep, "kind": slot.kind, "day": slot.day, "ordinal": slot.ordinal, "id": stream_id}
    holder = connection.scalar(text(statement), values)
    if holder is None or holder in wrong:
        return False
    return slot in _left_taken(decode_recorded(row.body.encode()) for row in read_stream(connection, holder))


def not_held(slot: Slot) -> str:
    """Say that whoever has *slot* by the log has it not by the table."""
    return f"{_named(slot)} is not held by whom the log says"


def _named(slot: Slot) -> str:
    return f"the {slot.kind} slot {slot.ordinal} of {slot.rep} on {slot.day}"


def held_by_two(slot: Slot) -> str:
    """Say that two streams hold *slot* by the log, whatever the table says."""
    return f"{_named(slot)} is held by two"


def _pauses(connection: Connection, wrong: Collection[UUID]) -> Iterator[Finding]:
    if SERVICE_ID not in wrong:
        for actor in pauses.differences(connection):
            yield Finding("projection_differs", None, SERVICE_ID, f"the row of {actor} in pauses is not what the log says")
