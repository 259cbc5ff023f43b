"""Is the log whole, and do the projections say what it says? Everything is read from the tables; nothing is believed.

The log is read once, stream by stream. What a stream folds to is kept as a digest of its row, and the slots that it leaves
taken as one term of a sum; the tables are then read in the same order and compared with those. Only where they differ is the
stream looked at again to say in what. So memory is 32 bytes a stream, whatever the length of the log.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from heapq import nsmallest
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models import pauses
from models.audit import SCANNED, Columns, Stream, Wrong
from models.database import driver_errors
from models.events import read_stream
from models.leads import lead_row, rep_row
from models.replay import fold_rows, read_streams, scan
from models.tables import metadata
from workflows.codec import canonical
from workflows.events import Slot
from workflows.lead import RESTING, Lead, Rep, State, Timer
from workflows.service_stream import SERVICE_ID
from workflows.timers import fires, timer_message_id

#: How often progress is told.
PROGRESS_EVENTS = 1_000

#: So many rows of a projection are read at a time.
PAGE_ROWS = 1_000


class Finding(NamedTuple):
    """One thing that is wrong. *position* is that of the event, where it is about one."""

    code: str
    position: int | None
    stream_id: UUID | None
    sentence: str


class Verified(NamedTuple):
    """The result: *findings* is empty when all is well, and names the first wrong event first."""

    events: int
    streams: int
    findings: list[Finding]


def verify(connection: Connection, *, most: int = 20, progress: Callable[[int], None] = lambda _: None) -> Verified:
    """Check positions, versions, chains, canonical bodies, copies, projections, slots, timers; keep the first *most* findings.

    Run it in a REPEATABLE READ transaction, so that all tables are seen at one moment.
    """
    run = _Verification(connection, progress)
    with closing(run.findings()) as found:
        # Streams are read in the order of their ids, so the first wrong event may be found last.
        findings = nsmallest(most, found, key=lambda f: (f.position is None, f.position or 0))
    return Verified(run.events, run.streams, findings)


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
    def __init__(self, connection: Connection, progress: Callable[[int], None]) -> None:
        self._connection = connection
        self._progress = progress
        self._expected = {"leads": _Rows(), "reps": _Rows()}
        self._wrong: set[UUID] = set()
        """Streams with a wrong event: there is no saying what their rows should be."""
        self._slots = 0
        self.events = 0
        self.streams = 0

    def findings(self) -> Generator[Finding]:
        yield from self._positions()
        yield from self._log()
        for table in self._expected:
            yield from self._projection(table)
        yield from self._slot_table()
        yield from self._pauses()
        yield from self._forgotten()

    def _positions(self) -> Iterator[Finding]:
        statement = "SELECT count(*), coalesce(max(position), 0), (SELECT position FROM log_head) FROM events"
        count, newest, head = self._connection.execute(text(statement)).one()
        if newest != count:
            statement = "SELECT position, row_number() OVER (ORDER BY position) AS expected FROM events"
            gap = self._connection.scalar(text(f"SELECT min(expected) FROM ({statement}) AS n WHERE position <> expected"))
            yield Finding("position_missing", gap, None, f"position {gap} is missing from the log")
        if newest != head:
            yield Finding("head_differs", newest, None, f"the newest event is at position {newest}, but the head says {head}")

    def _log(self) -> Iterator[Finding]:
        """Check each event, and note what each stream comes to."""
        stream: Stream | None = None
        told = 0
        with closing(scan(self._connection, SCANNED)) as pieces:
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
                    yield _finding(stream.id, wrong)
        self._note(stream)
        self._progress(self.events)

    def _note(self, stream: Stream | None) -> None:
        """Keep what the rows of a stream are to be, once all of it is read."""
        if stream and stream.wrong:
            self._wrong.add(stream.id)
        elif stream and stream.state is not None:
            table, row = _row(stream.state, stream.hash)
            self._expected[table].add(stream.id.bytes, _digest(row))
            self._slots += sum(_term(slot, stream.state.id) for slot in stream.held)

    def _projection(self, table: str) -> Iterator[Finding]:
        """Compare the rows of *table* with what the log says they are: both are in the order of their ids."""
        due = iter(self._expected[table])
        expected = next(due, None)
        names = metadata.tables[table].columns.keys()
        for values in self._pages(table, names):
            row = dict(zip(names, values, strict=True))
            while expected and expected[0] < row["id"]:
                yield self._differs(table, expected[0], None)
                expected = next(due, None)
            if expected and expected[0] == row["id"]:
                if expected[1] != _digest(row):
                    yield self._differs(table, expected[0], row)
                expected = next(due, None)
            elif row["id"] not in self._wrong:
                yield Finding("no_history", None, row["id"], f"{row['id']} stands in {table} and has no event in the log")
        while expected:
            yield self._differs(table, expected[0], None)
            expected = next(due, None)

    def _differs(self, table: str, id_: UUID, row: dict[str, Any] | None) -> Finding:
        """Fold the stream again, this time to say in what its row differs."""
        folded = fold_rows(read_stream(self._connection, id_))
        expected = _row(*folded)[1] if folded else {}
        differing = [name for name, value in expected.items() if row[name] != value] if row else ["the row is missing"]
        sentence = f"the row of {id_} in {table} is not what its events fold to: {', '.join(differing)}"
        return Finding("projection_differs", None, id_, sentence)

    def _slot_table(self) -> Iterator[Finding]:
        rows = self._connection.execute(text("SELECT rep, kind, day, ordinal, lead_id FROM slots")).yield_per(PAGE_ROWS)
        taken = ((Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal), r.lead_id) for r in rows)
        if sum(_term(slot, lead_id) for slot, lead_id in taken if lead_id not in self._wrong) != self._slots:
            yield from self._slots_one_by_one()

    def _slots_one_by_one(self) -> Iterator[Finding]:
        """Read the log again, this time to say which slots differ. The wrong streams are left out on both sides."""
        held: dict[Slot, UUID] = {}
        for stream_id, events in read_streams(self._connection):
            if stream_id not in self._wrong:
                slots: set[Slot] = set()
                for effects in (recorded.effects for recorded in events):
                    slots = slots.difference(effects.released).union(effects.reserved)
                held |= dict.fromkeys(slots, stream_id)
        rows_ = self._connection.execute(text("SELECT rep, kind, day, ordinal, lead_id FROM slots"))
        found = {Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal): r.lead_id for r in rows_}
        for slot in sorted(found.keys() | held.keys()):
            if found.get(slot) != held.get(slot) and found.get(slot) not in self._wrong:
                sentence = f"the {slot.kind} slot {slot.ordinal} of {slot.rep} on {slot.day} is not held by whom the log says"
                yield Finding("slot_differs", None, held.get(slot) or found.get(slot), sentence)

    def _pauses(self) -> Iterator[Finding]:
        if SERVICE_ID not in self._wrong:
            for actor in pauses.differences(self._connection):
                yield Finding("projection_differs", None, SERVICE_ID, f"the row of {actor} in pauses is not what the log says")

    def _forgotten(self) -> Iterator[Finding]:
        """Check design invariant 4: every timer that acts on its own has its pending message, of leads and of reps."""
        pending = text("SELECT id FROM messages WHERE id = ANY(:ids) AND outcome IS NULL")
        for table in self._expected:
            rows = self._pages(table, ("id", "body"))
            while page := list(islice(rows, PAGE_ROWS)):
                states = [state for _, body in page if (state := _decoded(body))]
                timers = {state.id: _timer_messages(state) for state in states}
                found = set(self._connection.scalars(pending, {"ids": [id_ for ids in timers.values() for id_ in ids]}))
                for state in states:
                    missing = [name for id_, name in timers[state.id].items() if id_ not in found]
                    if missing:
                        sentence = f"{state.id} in {table} has no pending message for {', '.join(sorted(missing))}"
                        yield Finding("forgotten", None, state.id, sentence)
                    elif table == "leads" and state.state not in RESTING and not timers[state.id]:
                        sentence = f"lead {state.id} is {state.state} and no timer moves it on"
                        yield Finding("forgotten", None, state.id, sentence)

    def _pages(self, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield these columns, the id the first of them, of all rows of a projection, in the order of their ids."""
        driver: Any = self._connection.connection.driver_connection
        statement = f"SELECT {', '.join(names)} FROM {table} WHERE id > %s ORDER BY id LIMIT {PAGE_ROWS}"
        after = UUID(int=0)
        with driver.cursor(binary=True) as cursor, driver_errors(statement):
            while rows := cursor.execute(statement, (after,)).fetchall():
                yield from rows
                after = rows[-1][0]


class _Waiting(msgspec.Struct, frozen=True):
    """What a lead or rep waits for, and whether it has to: a part of its row's body."""

    id: UUID
    state: State | None = None
    """Of a lead."""
    timers: dict[str, Timer] = {}


_waiting: msgspec.json.Decoder[_Waiting] = msgspec.json.Decoder(_Waiting)


def _decoded(body: str) -> _Waiting | None:
    try:
        return _waiting.decode(body)
    except msgspec.DecodeError:
        return None  # no state at all: that its row differs is found already


def _row(state: Lead | Rep, hash_: bytes) -> tuple[str, dict[str, Any]]:
    """Return the projection in which a stream has its row, and that row."""
    return ("leads", lead_row(state, hash_)) if isinstance(state, Lead) else ("reps", rep_row(state, hash_))


def _digest(row: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(row)).digest()[:16]


def _term(slot: Slot, lead_id: UUID) -> int:
    """Return a number for a slot and its holder; equal sums of them mean equal sets, whatever the order."""
    return int.from_bytes(hashlib.sha256(canonical([slot, lead_id])).digest())


def _timer_messages(state: _Waiting) -> dict[UUID, str]:
    """Return the messages of the timers that act on their own, each with its timer's name."""
    firing = ((name, timer) for name, timer in state.timers.items() if fires(name))
    return {timer_message_id(state.id, name, timer.armed_version): name for name, timer in firing}


def _finding(stream_id: UUID, wrong: Wrong) -> Finding:
    """Return what is wrong with an event."""
    row = wrong.row
    event = f"event {row.position} ({row.type}, version {row.version} of {stream_id})"
    return Finding(wrong.code, row.position, stream_id, f"{event}: {wrong.sentence}")
