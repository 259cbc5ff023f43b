"""Some of the streams, verified: their events, and the rows of the projections that are made from these events.

The events are read once, stream by stream. What a stream folds to is kept as a digest of its row, and the slots that it leaves
taken as one term of a sum; the tables are then read in the same order and compared with those. Only where they differ is the
stream looked at again to say in what. So memory is 32 bytes a stream, whatever the length of the log.

No two streams have a row in common, but for the slots: so parts can be verified apart, at the same time or not, and joined
(`models.verify`).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from models import campaigns
from models.audit import SCANNED, Columns, Stream, Wrong
from models.database import driver_errors
from models.events import read_stream
from models.findings import Finding, first
from models.finite import columns_of
from models.leads import lead_row, rep_row
from models.replay import Ids, fold_rows, scan
from models.tables import metadata
from models.verify_timers import Waiting, verify_timers
from workflows.codec import canonical
from workflows.events import Slot
from workflows.invitation_streams import Stream as StreamState
from workflows.lead import Lead, Rep, State, Timer

#: How often progress is told.
PROGRESS_EVENTS = 1_000

#: So many rows of a projection are read at a time.
PAGE_ROWS = 1_000

#: The tables whose rows stand for streams.
TABLES = ("leads", "reps", "campaigns", "sales_events")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the verification of some streams."""

    events: int
    streams: int
    wrong: list[UUID]
    """Streams with a wrong event: there is no saying what their rows should be."""
    slots: bytes
    """The sum of the `term` of every slot that the other streams leave taken, modulo 2**256, big-endian."""
    findings: list[Finding]
    """The first wrong event first."""


def verify_part(connection: Connection, ids: Ids, *, most: int, progress: Callable[[int], None] = lambda _: None) -> Part:
    """Check the streams *ids* and their rows; keep the first *most* findings.

    *progress* is told the number of events read so far.
    """
    run = _Verification(connection, ids, progress)
    findings = first(run.findings(), most)
    return Part(events=run.events, streams=run.streams, wrong=list(run.wrong), slots=run.slots.to_bytes(32), findings=findings)


def term(slot: Slot, lead_id: UUID) -> int:
    """Return a number for a slot and its holder; equal sums of them mean equal sets, whatever the order."""
    return int.from_bytes(hashlib.sha256(canonical([slot, lead_id])).digest())


class _Rows:
    """What the rows of one projection are to be: a digest each, in the order of their ids."""

    def __init__(self) -> None:
        self._ids = bytearray()
        self._digests = bytearray()

    def add(self, id_: bytes, digest: bytes) -> None:
        self._ids += id_
        self._digests += digest

    def __iter__(self) -> Iterator[tuple[UUID, bytes]]:
        for start in range(0, len(self._ids), 16):
            yield UUID(bytes=bytes(self._ids[start : start + 16])), bytes(self._digests[start : start + 16])


class _Verification:
    def __init__(self, connection: Connection, ids: Ids, progress: Callable[[int], None]) -> None:
        self._connection = connection
        self._ids = ids
        self._progress = progress
        self._expected = {table: _Rows() for table in TABLES}
        self.wrong: set[UUID] = set()
        self.slots = 0
        self.events = 0
        self.streams = 0

    def findings(self) -> Iterator[Finding]:
        yield from self._log()
        for table in TABLES:
            yield from self._projection(table)

    def _log(self) -> Iterator[Finding]:
        """Check each event, and note what each stream comes to."""
        stream: Stream | None = None
        told = 0
        with closing(scan(self._connection, SCANNED, self._ids)) as pieces:
            for stream_id, *lists in pieces:
                columns = Columns._make(lists)
                if stream is None or stream_id != stream.id.bytes:
                    self._note(stream)
                    stream = Stream(UUID(bytes=stream_id))
                    self.streams += 1
                self.events += len(columns.body)
                if self.events >= told + PROGRESS_EVENTS:
                    told = self.events
                    self._progress(told)
                wrong = None if stream.wrong else stream.take(columns)
                if wrong:
                    # What follows in this stream rests on this event; the first wrong one is what there is to name.
                    yield event_is(wrong, stream.id)
        self._note(stream)
        self._progress(self.events)

    def _note(self, stream: Stream | None) -> None:
        """Keep what the rows of a stream are to be, once all of it is read."""
        if stream and stream.wrong:
            self.wrong.add(stream.id)
        elif stream and stream.state is not None:
            table, row = projection_row(stream.state, stream.hash)
            self._expected[table].add(stream.id.bytes, _digest(row))
            self.slots = sum((term(slot, stream.state.id) for slot in stream.held), self.slots) % 2**256

    def _projection(self, table: str) -> Iterator[Finding]:
        """Compare the rows of *table* with what the log says they are: both are in the order of their ids."""
        due = iter(self._expected[table])
        expected = next(due, None)
        for page in self._pages(table):
            for row in page:
                while expected and expected[0] < row["id"]:
                    yield self._differs(table, expected[0], None)
                    expected = next(due, None)
                if expected and expected[0] == row["id"]:
                    if expected[1] != _digest(row):
                        yield self._differs(table, expected[0], row)
                    expected = next(due, None)
                elif row["id"] not in self.wrong:
                    sentence = f"{row['id']} stands in {table}, and no event in the log puts it there"
                    yield Finding("no_history", None, row["id"], sentence)
            states = [state for row in page if (state := _decoded(row["body"]))]
            yield from verify_timers(self._connection, [Waiting(each.id, each.state, each.timers) for each in states])
        while expected:
            yield self._differs(table, expected[0], None)
            expected = next(due, None)

    def _differs(self, table: str, id_: UUID, row: dict[str, Any] | None) -> Finding:
        """Fold the stream again, this time to say in what its row differs."""
        folded = fold_rows(read_stream(self._connection, id_))
        expected = projection_row(*folded)[1] if folded else {}
        return row_differs(table, id_, differing(row, expected))

    def _pages(self, table: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of a projection in the order of their ids."""
        driver: Any = self._connection.connection.driver_connection
        names = metadata.tables[table].columns.keys()
        columns = columns_of(metadata.tables[table])
        statement = f"SELECT {columns} FROM {table} WHERE id BETWEEN %s AND %s ORDER BY id LIMIT {PAGE_ROWS}"
        begin, last = self._ids.first.int, self._ids.last
        with driver.cursor(binary=True) as cursor, driver_errors(statement):
            while begin <= last.int:
                rows = cursor.execute(statement, (UUID(int=begin), last)).fetchall()
                if not rows:
                    return
                page = [dict(zip(names, values, strict=True)) for values in rows]
                yield page
                begin = page[-1]["id"].int + 1


class _Waiting(msgspec.Struct, frozen=True):
    """What a stream waits for, and whether it has to: a part of its row's body."""

    id: UUID
    state: State | None = None
    """Of a lead."""
    timers: dict[str, Timer] = {}


_waiting: msgspec.json.Decoder[_Waiting] = msgspec.json.Decoder(_Waiting)


def _decoded(body: str) -> _Waiting | None:
    try:
        return _waiting.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None  # no state at all: that its row differs is found already


def projection_row(state: StreamState, hash_: bytes) -> tuple[str, dict[str, Any]]:
    """Return the projection in which a stream has its row, and that row."""
    if isinstance(state, Lead):
        return "leads", lead_row(state, hash_)
    if isinstance(state, Rep):
        return "reps", rep_row(state, hash_)
    return campaigns.table_of(state), campaigns.row_of(state, hash_)


def _digest(row: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(row)).digest()[:16]


def differing(row: Mapping[str, Any] | None, expected: Mapping[str, Any]) -> list[str]:
    """Return in what a projection's *row* is not what is *expected*: columns, in their order."""
    return [name for name, value in expected.items() if row[name] != value] if row else ["the row is missing"]


def row_differs(table: str, id_: UUID, how: Sequence[str]) -> Finding:
    """Say that the row of a stream is not what its events fold to, and in what."""
    sentence = f"the row of {id_} in {table} is not what its events fold to: {', '.join(how)}"
    return Finding("projection_differs", None, id_, sentence)


def event_is(wrong: Wrong, stream_id: UUID) -> Finding:
    """Say what is wrong with an event of a stream."""
    row = wrong.row
    event = f"event {row.position} ({row.type}, version {row.version} of {stream_id})"
    return Finding(wrong.code, row.position, stream_id, f"{event}: {wrong.sentence}")
