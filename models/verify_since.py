"""Is all well with the streams that have an event behind a note that was kept? The others are not looked at.

That the log still begins with the events that the note is over is `models.verify_tree`'s matter. Here each stream that went on
since is read whole, because its rows follow from all of its events: its columns are compared with the bodies, and what it folds
to with its row, its slots, and the messages of its timers.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import pauses
from models.audit import SCANNED, Columns, Stream
from models.database import take_as_long_as_needed
from models.findings import Finding, first
from models.finite import columns_of
from models.replay import pages
from models.tables import metadata
from models.verify import held_by_two, not_held
from models.verify_part import TABLES, differing, event_is, projection_row, row_differs
from models.verify_timers import Waiting, verify_timers
from workflows.events import Slot
from workflows.invitation_streams import Stream as State
from workflows.invitation_streams import timers_of
from workflows.lead import Lead
from workflows.service_stream import SERVICE_ID

#: So many streams are read at a time, and held against the tables together.
PAGE_STREAMS = 200


class SinceVerified(NamedTuple):
    """The result: *findings* is empty when all is well, and names the first wrong event first."""

    streams: list[UUID]
    """Those with an event behind the note, which were looked at, in the order of their ids."""
    findings: list[Finding]


def verify_since(
    connection: Connection, since: int, *, most: int = 20, progress: Callable[[int], None] = lambda _: None
) -> SinceVerified:
    """Check the streams that have an event behind position *since*, and keep the first *most* findings.

    *progress* is told how many events were read. Run it in a REPEATABLE READ transaction, so that all tables are seen at one
    moment.
    """
    take_as_long_as_needed(connection)
    behind = text("SELECT DISTINCT stream_id FROM events WHERE position > :since ORDER BY stream_id")
    ids = list(connection.scalars(behind, {"since": since}))
    found = chain(_positions(connection, since), _streams(connection, ids, progress))
    return SinceVerified(ids, first(found, most))


def _positions(connection: Connection, since: int) -> Iterator[Finding]:
    statement = text("SELECT coalesce(max(position), 0), (SELECT position FROM log_head) FROM events")
    newest, head = connection.execute(statement).one()
    numbered = "SELECT position, :since + row_number() OVER (ORDER BY position) AS expected FROM events WHERE position > :since"
    gap = connection.scalar(text(f"SELECT min(expected) FROM ({numbered}) AS n WHERE position <> expected"), {"since": since})
    if gap is not None:
        yield Finding("position_missing", gap, None, f"position {gap} is missing from the log")
    if newest != head:
        yield Finding("head_differs", newest, None, f"the newest event is at position {newest}, but the head says {head}")


def _streams(connection: Connection, ids: Sequence[UUID], progress: Callable[[int], None]) -> Iterator[Finding]:
    wrong: set[UUID] = set()
    events = 0
    for start in range(0, len(ids), PAGE_STREAMS):
        streams = []
        for stream, number in _read(connection, ids[start : start + PAGE_STREAMS]):
            events += number
            progress(events)
            if stream.wrong:
                # There is no saying what the rows of this one should be.
                wrong.add(stream.id)
                yield event_is(stream.wrong, stream.id)
            else:
                streams.append(stream)
        states = [(stream.state, stream.hash) for stream in streams if stream.state is not None]
        yield from _rows(connection, states)
        yield from _slots(connection, streams)
        waiting = [(state, state.state if isinstance(state, Lead) else None) for state, _ in states]
        yield from verify_timers(connection, [Waiting(state.id, of, timers_of(state)) for state, of in waiting])
    if SERVICE_ID not in wrong:
        for actor in pauses.differences(connection):
            yield Finding("projection_differs", None, SERVICE_ID, f"the row of {actor} in pauses is not what the log says")


def _read(connection: Connection, ids: Sequence[UUID]) -> Iterator[tuple[Stream, int]]:
    """Yield each stream, checked and folded as far as it is right, and how many events it has."""
    pieces = pages(connection, SCANNED, where="stream_id = ANY(%(ids)s)", values={"ids": list(ids)})
    for stream_id, of_one in groupby(pieces, key=itemgetter(0)):
        stream = Stream(UUID(bytes=stream_id))
        number = 0
        for _, *lists in of_one:
            columns = Columns._make(lists)
            number += len(columns.body)
            if not stream.wrong:
                stream.take(columns)
        yield stream, number


def _rows(connection: Connection, states: Sequence[tuple[State, bytes]]) -> Iterator[Finding]:
    """Compare the rows of streams with what these fold to."""
    ids = [state.id for state, _ in states]
    found: dict[tuple[str, UUID], dict[str, Any]] = {}
    for table in TABLES:
        columns = columns_of(metadata.tables[table])
        rows = connection.execute(text(f"SELECT {columns} FROM {table} WHERE id = ANY(:ids)"), {"ids": ids}).mappings()
        found |= {(table, row["id"]): dict(row) for row in rows}
    for state, hash_ in states:
        table, expected = projection_row(state, hash_)
        row = found.pop((table, state.id), None)
        if how := differing(row, expected):
            yield row_differs(table, state.id, how)
    for table, id_ in found:
        yield Finding("projection_differs", None, id_, f"{id_} stands in {table}, which is not what its events fold to")


def _slots(connection: Connection, streams: Sequence[Stream]) -> Iterator[Finding]:
    """Compare the slots that *streams* have taken with those that the table says they hold."""
    expected: dict[Slot, UUID] = {}
    for stream in streams:
        for slot in sorted(expected.keys() & stream.held):
            yield Finding("slot_differs", None, stream.id, held_by_two(slot))
        expected |= dict.fromkeys(stream.held, stream.id)
    statement = text(f"SELECT {columns_of(metadata.tables['slots'])} FROM slots WHERE lead_id = ANY(:ids)")
    rows = connection.execute(statement, {"ids": [stream.id for stream in streams]})
    found = {Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal): r.lead_id for r in rows}
    for slot in sorted(found.keys() | expected.keys()):
        if found.get(slot) != expected.get(slot):
            yield Finding("slot_differs", None, expected.get(slot) or found.get(slot), not_held(slot))
