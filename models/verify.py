"""Is the log whole, and do the projections say what it says? Everything is read from the tables; nothing is believed.

The streams are verified in one part or in many (`models.verify_part`). What is about all of them is here: the positions, and
the slots, of which no two streams may hold the same.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import pauses
from models.findings import Finding, first
from models.replay import EVERY, read_streams
from models.verify_part import PAGE_ROWS, Part, term, verify_part
from workflows.events import Slot
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
    beside = chain(_positions(connection, events), _slot_table(connection, slots, wrong), _pauses(connection, wrong))
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


def _slot_table(connection: Connection, expected: int, wrong: Collection[UUID]) -> Iterator[Finding]:
    """Compare the table of slots with the sum *expected*. The *wrong* streams are left out on both sides."""
    rows = connection.execute(text("SELECT rep, kind, day, ordinal, lead_id FROM slots")).yield_per(PAGE_ROWS)
    taken = ((Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal), r.lead_id) for r in rows)
    found = sum(term(slot, lead_id) for slot, lead_id in taken if lead_id not in wrong)
    if (found - expected) % 2**256:
        yield from _slots_one_by_one(connection, wrong)


def _slots_one_by_one(connection: Connection, wrong: Collection[UUID]) -> Iterator[Finding]:
    """Read the log again, this time to say which slots differ."""
    held: dict[Slot, UUID] = {}
    for stream_id, events in read_streams(connection):
        if stream_id not in wrong:
            slots: set[Slot] = set()
            for effects in (recorded.effects for recorded in events):
                slots = slots.difference(effects.released).union(effects.reserved)
            for slot in sorted(slots & held.keys()):
                yield Finding("slot_differs", None, stream_id, held_by_two(slot))
            held |= dict.fromkeys(slots, stream_id)
    rows_ = connection.execute(text("SELECT rep, kind, day, ordinal, lead_id FROM slots"))
    found = {Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal): r.lead_id for r in rows_}
    for slot in sorted(found.keys() | held.keys()):
        if found.get(slot) != held.get(slot) and found.get(slot) not in wrong:
            sentence = f"the {slot.kind} slot {slot.ordinal} of {slot.rep} on {slot.day} is not held by whom the log says"
            yield Finding("slot_differs", None, held.get(slot) or found.get(slot), sentence)


def held_by_two(slot: Slot) -> str:
    """Say that two streams hold *slot* by the log, whatever the table says."""
    return f"the {slot.kind} slot {slot.ordinal} of {slot.rep} on {slot.day} is held by two"


def _pauses(connection: Connection, wrong: Collection[UUID]) -> Iterator[Finding]:
    if SERVICE_ID not in wrong:
        for actor in pauses.differences(connection):
            yield Finding("projection_differs", None, SERVICE_ID, f"the row of {actor} in pauses is not what the log says")
