"""The log: appended, read in order, never changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models.database import ask, driver_errors
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
_advance = "UPDATE log_head SET position = position + %(count)s RETURNING position"

_types = {
    "position": "bigint", "stream_id": "uuid", "version": "integer", "type": "text", "schema": "smallint", "body": "text",
    "occurred_at": "timestamptz", "recorded_at": "timestamptz", "message_id": "uuid", "actor": "text",
    "correlation_id": "uuid", "causation_id": "uuid", "playbook": "text", "hash": "bytea",
}  # fmt: skip
_copy = f"COPY events ({', '.join(_types)}) FROM STDIN (FORMAT BINARY)"


def pinned(pin: PlaybookPin | None) -> str | None:
    """Return how columns name a playbook version: ``five-five-five@1.0.0``."""
    return f"{pin.id}@{pin.version}" if pin else None


def append(connection: Connection, appended: Sequence[Appended]) -> int:
    """Append *appended*, in order, as the newest events of the log; return the position of the last one.

    Call it last in a transaction: from here to the commit every other writer waits.
    """
    ((last,),) = ask(connection, _advance, {"count": len(appended)})
    driver: Any = connection.connection.driver_connection
    with driver_errors(_copy), driver.cursor() as cursor, cursor.copy(_copy) as copy:
        copy.set_types(list(_types.values()))
        for position, each in enumerate(appended, start=last - len(appended) + 1):
            copy.write_row(_row(position, each))
    return int(last)


def _row(position: int, appended: Appended) -> tuple[object, ...]:
    """Return the row of an event, in the order of `_types`."""
    recorded = appended.recorded
    return (
        position,
        recorded.stream_id,
        recorded.version,
        event_type(recorded.data),
        recorded.schema,
        appended.body.decode(),
        recorded.occurred_at,
        recorded.recorded_at,
        recorded.message_id,
        recorded.actor,
        recorded.correlation_id,
        recorded.causation_id,
        pinned(recorded.playbook),
        appended.hash,
    )


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
