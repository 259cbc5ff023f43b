"""Is the log whole, and do the projections say what it says? Everything is read from the tables; nothing is believed."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.events import EventRow, pinned
from models.leads import lead_row, rep_row
from models.replay import fold_next, read_streams
from workflows.codec import GENESIS, canonical, chain_hash
from workflows.events import Recorded, Slot, decode_recorded, event_type
from workflows.lead import RESTING, Lead, Rep
from workflows.timers import fires, timer_message_id


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
    """Check positions, versions, chains, canonical bodies, copies, projections, slots, timers; stop after *most* findings.

    Run it in a REPEATABLE READ transaction, so that all tables are seen at one moment.
    """
    run = _Verification(connection, progress)
    findings: list[Finding] = []
    for finding in run.findings():
        findings.append(finding)
        if len(findings) >= most:
            break
    findings.sort(key=lambda f: (f.position is None, f.position or 0))
    return Verified(run.events, run.streams, findings)


class _Verification:
    def __init__(self, connection: Connection, progress: Callable[[int], None]) -> None:
        self._connection = connection
        self._progress = progress
        self._slots: dict[Slot, UUID] = {}
        self.events = 0
        self.streams = 0

    def findings(self) -> Iterator[Finding]:
        yield from self._positions()
        for stream_id, rows in read_streams(self._connection):
            self.streams += 1
            yield from self._stream(stream_id, rows)
            self._progress(self.events)
        yield from self._strangers()
        yield from self._slot_table()
        yield from self._forgotten()

    def _positions(self) -> Iterator[Finding]:
        head = self._connection.scalar(text("SELECT position FROM log_head"))
        gap = self._connection.scalar(
            text(
                "SELECT min(expected) FROM (SELECT position, row_number() OVER (ORDER BY position) AS expected FROM events) n "
                "WHERE position <> expected"
            )
        )
        if gap is not None:
            yield Finding("position_missing", gap, None, f"position {gap} is missing from the log")
        newest = self._connection.scalar(text("SELECT coalesce(max(position), 0) FROM events"))
        if newest != head:
            yield Finding("head_differs", newest, None, f"the newest event is at position {newest}, but the head says {head}")

    def _stream(self, stream_id: UUID, rows: Iterator[EventRow]) -> Iterator[Finding]:
        state: Lead | Rep | None = None
        hash_, position = GENESIS, 0
        held: set[Slot] = set()
        for version, row in enumerate(rows, start=1):
            self.events += 1
            wrong = _wrong_with(row, version, position, hash_)
            if wrong:
                # What follows in this stream rests on this event; the first wrong one is what there is to name.
                yield Finding(wrong[0], row.position, stream_id, f"{_name(row)}: {wrong[1]}")
                for _ in rows:
                    self.events += 1
                return
            recorded = decode_recorded(row.body.encode())
            state = fold_next(state, recorded)
            held = held - set(recorded.effects.released) | set(recorded.effects.reserved)
            hash_, position = row.hash, row.position
        self._slots |= dict.fromkeys(held, stream_id)
        if state is not None:
            yield from self._projection(state, hash_)

    def _projection(self, state: Lead | Rep, hash_: bytes) -> Iterator[Finding]:
        table, expected = ("leads", lead_row(state, hash_)) if isinstance(state, Lead) else ("reps", rep_row(state, hash_))
        row = self._connection.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": state.id}).mappings().first()
        differing = _differing(expected, row)
        if differing:
            yield Finding(
                "projection_differs",
                None,
                state.id,
                f"the row of {state.id} in {table} is not what its events fold to: {', '.join(differing)}",
            )

    def _strangers(self) -> Iterator[Finding]:
        for table in ("leads", "reps"):
            statement = text(f"SELECT id FROM {table} WHERE NOT EXISTS (SELECT FROM events WHERE stream_id = {table}.id)")
            for stranger in self._connection.scalars(statement):
                yield Finding("no_history", None, stranger, f"{stranger} stands in {table} and has no event in the log")

    def _slot_table(self) -> Iterator[Finding]:
        rows = self._connection.execute(text("SELECT rep, kind, day, ordinal, lead_id FROM slots"))
        found = {Slot(rep=r.rep, kind=r.kind, day=r.day, ordinal=r.ordinal): r.lead_id for r in rows}
        for slot in sorted(found.keys() | self._slots.keys()):
            if found.get(slot) != self._slots.get(slot):
                yield Finding(
                    "slot_differs",
                    None,
                    self._slots.get(slot) or found.get(slot),
                    f"the {slot.kind} slot {slot.ordinal} of {slot.rep} on {slot.day} is not held by whom the log says",
                )

    def _forgotten(self) -> Iterator[Finding]:
        """Check design invariant 4: who owes a next move has a pending message."""
        statement = text("SELECT id, state, body FROM leads WHERE state <> ALL(:resting) ORDER BY id")
        for row in self._connection.execute(statement, {"resting": sorted(RESTING)}):
            lead = msgspec.json.decode(row.body, type=Lead)
            ids = [timer_message_id(lead.id, n, t.armed_version) for n, t in lead.timers.items() if fires(n)]
            pending = self._connection.scalar(
                text("SELECT count(*) FROM messages WHERE id = ANY(:ids) AND settled_at IS NULL"), {"ids": ids}
            )
            if not pending:
                yield Finding("forgotten", None, row.id, f"lead {row.id} is {row.state} and no pending message moves it on")


def _wrong_with(row: EventRow, version: int, previous_position: int, previous_hash: bytes) -> tuple[str, str] | None:
    """Return what is wrong with one event, given what stands before it in its stream."""
    if row.version != version:
        return "version_missing", f"version {version} is missing before it"
    if row.position <= previous_position:
        return "order_differs", f"it stands at position {row.position}, before its predecessor"
    body = row.body.encode()
    if chain_hash(previous_hash, body) != row.hash:
        return "hash_differs", "its hash does not follow from the event before it and its body"
    try:
        recorded = decode_recorded(body)
    except msgspec.ValidationError as error:
        return "body_unreadable", f"its body is no event of a known shape: {error}"
    if canonical(recorded) != body:
        return "body_not_canonical", "its body is not in canonical form"
    return _wrong_copies(row, recorded)


def _wrong_copies(row: EventRow, recorded: Recorded) -> tuple[str, str] | None:
    copies = (
        ("stream_id", row.stream_id, recorded.stream_id),
        ("version", row.version, recorded.version),
        ("type", row.type, event_type(recorded.data)),
        ("schema", row.schema, recorded.schema),
        ("occurred_at", row.occurred_at, recorded.occurred_at),
        ("recorded_at", row.recorded_at, recorded.recorded_at),
        ("message_id", row.message_id, recorded.message_id),
        ("actor", row.actor, recorded.actor),
        ("correlation_id", row.correlation_id, recorded.correlation_id),
        ("causation_id", row.causation_id, recorded.causation_id),
        ("playbook", row.playbook, pinned(recorded.playbook)),
    )
    differing = [name for name, column, content in copies if column != content]
    return ("copy_differs", f"its column {differing[0]} is not what its body says") if differing else None


def _differing(expected: dict[str, Any], row: Any) -> list[str]:
    if row is None:
        return ["the row is missing"]
    return [name for name, value in expected.items() if row[name] != value]


def _name(row: EventRow) -> str:
    return f"event {row.position} ({row.type}, version {row.version} of {row.stream_id})"
