"""Where an event came from and what it led to: messages with what became of them, and plans of a rep's day."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.events import EventRow, event_columns


class Traced(msgspec.Struct, frozen=True):
    """A message with all that is known of its way."""

    id: UUID
    stream_id: UUID
    actor_name: str
    """The Dramatiq actor that carried it."""
    body: str
    """The command, canonical JSON."""
    asked_by: str
    correlation_id: UUID
    causation_id: UUID | None
    due_at: datetime
    """On the service's clock, as the times in events are."""
    created_at: datetime
    """On the database's clock, as *settled_at* is; the service's may be driven."""
    settled_at: datetime | None
    rings: int
    deliveries: int
    attempts: int
    """Failures."""
    outcome: str | None
    rule: str | None
    reason: str | None
    error: str | None


_columns = ", ".join(Traced.__struct_fields__)


def find_message(connection: Connection, message_id: UUID) -> Traced | None:
    """Return a message; None when it is not (or no longer) there."""
    row = connection.execute(text(f"SELECT {_columns} FROM messages WHERE id = :id"), {"id": message_id}).first()
    return Traced(*row) if row else None


def messages_caused_by(connection: Connection, message_id: UUID) -> list[Traced]:
    """Return the messages that one message staged: follow-ups, proposals and timers, the earliest due first."""
    statement = text(f"SELECT {_columns} FROM messages WHERE causation_id = :id ORDER BY due_at, id")
    return [Traced(*row) for row in connection.execute(statement, {"id": message_id})]


def events_of_messages(connection: Connection, message_ids: Sequence[UUID]) -> list[EventRow]:
    """Return the events that the messages *message_ids* caused, in the order of the log."""
    statement = text(f"SELECT {event_columns} FROM events WHERE message_id = ANY(:ids) ORDER BY position")
    return [EventRow(*row) for row in connection.execute(statement, {"ids": list(message_ids)})]


def plans_of(connection: Connection, rep_id: UUID, day: date) -> list[EventRow]:
    """Return the plans that were made of the rep's *day*, oldest first; usually there is one."""
    statement = text(
        f"SELECT {event_columns} FROM events WHERE stream_id = :id AND type = 'day_planned' "
        f"AND body::jsonb -> 'data' ->> 'day' = :day ORDER BY version"
    )
    return [EventRow(*row) for row in connection.execute(statement, {"id": rep_id, "day": day.isoformat()})]
