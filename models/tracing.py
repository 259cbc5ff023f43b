"""Where an event came from and what it led to: messages with what became of them, and plans of a rep's day."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.database import take_as_long_as_needed
from models.events import EventRow, event_columns
from workflows.events import Slot, decode_recorded


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
    """Of the last failed attempt."""
    worker: str | None
    """``host:pid`` of who settled it, or failed at it last; None where that was not recorded."""


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


class Held(NamedTuple):
    """By whom a slot is held, and since when."""

    lead_id: UUID
    since: datetime
    """When the event was recorded that reserved it."""
    by_plan: bool
    """The plan that was asked about gave it."""


# The days are looked for in the bodies as they stand: canonical, so that a slot's day comes before its kind.
_movers = text("""
    SELECT body FROM events WHERE (position <= :upto OR causation_id = :plan) AND body LIKE ANY(:patterns) ORDER BY position
""")


def slots_held(connection: Connection, days_of: Collection[tuple[str, date]], *, upto: int, plan: UUID) -> dict[Slot, Held]:
    """Return the slots of *days_of* reps, each a rep and a day, that were reserved or used, each with its lead: as the first
    *upto* events of the log leave them, and then what the proposals of the plan moved that message *plan* made.
    """
    take_as_long_as_needed(connection)
    patterns = [f'%"day":"{day.isoformat()}","kind":"%' for day in sorted({day for _, day in days_of})]
    held: dict[Slot, Held] = {}
    for body in connection.scalars(_movers, {"upto": upto, "plan": plan, "patterns": patterns}):
        recorded = decode_recorded(body.encode())
        for slot in recorded.effects.released:
            held.pop(slot, None)
        for slot in recorded.effects.reserved:
            if (slot.rep, slot.day) in days_of:
                by_plan = recorded.causation_id == plan
                held[slot] = Held(recorded.stream_id, recorded.recorded_at, by_plan)
    return held
