"""The log: appended, read in order, never changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from workflows.codec import canonical, chain_hash
from workflows.events import PlaybookPin, Recorded, event_type


class EventRow(NamedTuple):
    """One event as stored."""

    position: int
    stream_id: UUID
    version: int
    type: str
    schema: int
    body: str
    occurred_at: datetime
    recorded_at: datetime
    message_id: UUID
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    playbook: str | None
    hash: bytes


class Appended(NamedTuple):
    """An event ready for the log: its envelope, its canonical body and its hash."""

    recorded: Recorded
    body: bytes
    hash: bytes


# The row lock on log_head is held to the end of the transaction, and the next position is handed out only under it. So
# positions are dense and commit in order: a reader that has seen n will never see a new event at or before n.
_advance = text("UPDATE log_head SET position = position + :count RETURNING position")

_insert = text("""
    INSERT INTO events (position, stream_id, version, type, schema, body, occurred_at, recorded_at, message_id, actor,
                        correlation_id, causation_id, playbook, hash)
    SELECT * FROM unnest(
        CAST(:position AS bigint[]), CAST(:stream_id AS uuid[]), CAST(:version AS integer[]), CAST(:type AS text[]),
        CAST(:schema AS smallint[]), CAST(:body AS text[]), CAST(:occurred_at AS timestamptz[]),
        CAST(:recorded_at AS timestamptz[]), CAST(:message_id AS uuid[]), CAST(:actor AS text[]),
        CAST(:correlation_id AS uuid[]), CAST(:causation_id AS uuid[]), CAST(:playbook AS text[]), CAST(:hash AS bytea[]))
""")


def pinned(pin: PlaybookPin | None) -> str | None:
    """Return how columns name a playbook version: ``five-five-five@1.0.0``."""
    return f"{pin.id}@{pin.version}" if pin else None


def append(connection: Connection, appended: Sequence[Appended]) -> int:
    """Append *appended*, in order, as the newest events of the log; return the position of the last one.

    Call it last in a transaction: from here to the commit every other writer waits.
    """
    last = int(connection.execute(_advance, {"count": len(appended)}).scalar_one())
    first = last - len(appended) + 1
    records = [each.recorded for each in appended]
    connection.execute(
        _insert,
        {
            "position": list(range(first, last + 1)),
            "stream_id": [r.stream_id for r in records],
            "version": [r.version for r in records],
            "type": [event_type(r.data) for r in records],
            "schema": [r.schema for r in records],
            "body": [each.body.decode() for each in appended],
            "occurred_at": [r.occurred_at for r in records],
            "recorded_at": [r.recorded_at for r in records],
            "message_id": [r.message_id for r in records],
            "actor": [r.actor for r in records],
            "correlation_id": [r.correlation_id for r in records],
            "causation_id": [r.causation_id for r in records],
            "playbook": [pinned(r.playbook) for r in records],
            "hash": [each.hash for each in appended],
        },
    )
    return last


#: The columns of `EventRow`, for statements of this package.
event_columns = ", ".join(EventRow._fields)


def read_stream(connection: Connection, stream_id: UUID) -> list[EventRow]:
    """Return the events of one stream, oldest first."""
    rows = connection.execute(
        text(f"SELECT {event_columns} FROM events WHERE stream_id = :id ORDER BY version"), {"id": stream_id}
    )
    return [EventRow(*row) for row in rows]


def read_log(connection: Connection, *, after: int = 0, chunk: int = 5000) -> Iterator[EventRow]:
    """Yield the events behind position *after* in order, fetching *chunk* at a time, in constant memory."""
    statement = text(f"SELECT {event_columns} FROM events WHERE position > :after ORDER BY position LIMIT :chunk")
    while rows := connection.execute(statement, {"after": after, "chunk": chunk}).all():
        for row in rows:
            yield EventRow(*row)
        after = rows[-1][0]


def head_position(connection: Connection) -> int:
    """Return the position of the newest event, 0 for an empty log."""
    return int(connection.scalar(text("SELECT position FROM log_head")) or 0)


def events_of_message(connection: Connection, message_id: UUID) -> list[EventRow]:
    """Return the events that one message caused, oldest first."""
    rows = connection.execute(
        text(f"SELECT {event_columns} FROM events WHERE message_id = :id ORDER BY position"), {"id": message_id}
    )
    return [EventRow(*row) for row in rows]


def chained(recorded: Recorded, previous: bytes) -> Appended:
    """Return *recorded* with its body and its hash, chained to the hash *previous*."""
    body = canonical(recorded)
    return Appended(recorded, body, chain_hash(previous, body))
