"""What operators did, in the log: appended to the service's own stream in the transaction of the act, and read again."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from msgspec import UNSET
from sqlalchemy import Connection, text

from models import attempts, events
from models.attempts import Revived
from models.contacts import save_document
from models.events import chained
from workflows.codec import GENESIS
from workflows.commands import Reference
from workflows.events import HeadsRecorded, Recorded, decode_recorded
from workflows.operations import RETRIED_MAX, KeyInForce, MessagesRetried, Operation, Retried
from workflows.service_stream import SERVICE_ID, service_event

#: The kind of the documents that hold reasons; ``operator_reasons`` shows them to auditors.
REASON = "operator_reason"


class Found(NamedTuple):
    """An event of the service's own stream, with its place in the log."""

    position: int
    recorded: Recorded


def append(
    connection: Connection,
    data: HeadsRecorded | Operation,
    *,
    now: datetime,
    by: str,
    correlation_id: UUID | None = None,
) -> Found:
    """Append *data* to the service's own stream for *by* and return the event. The last thing in its transaction."""
    # Whoever appends holds the head of the log: nobody else appends to this stream until our commit.
    connection.execute(text("SELECT position FROM log_head FOR UPDATE"))
    last = connection.execute(
        text("SELECT version, hash, recorded_at FROM events WHERE stream_id = :id ORDER BY version DESC LIMIT 1"),
        {"id": SERVICE_ID},
    ).first()
    version, hash_ = (last.version + 1, last.hash) if last else (1, GENESIS)
    # A clock that was set back must not make the log run backwards.
    recorded_at = max(now, last.recorded_at) if last else now
    recorded = service_event(data, version, now=recorded_at, actor=by, correlation_id=correlation_id)
    return Found(events.append(connection, [chained(recorded, hash_)]), recorded)


def keep_reason(connection: Connection, reason: str) -> Reference:
    """Keep an operator's words outside the log and return the reference for the log."""
    return save_document(connection, uuid4(), SERVICE_ID, REASON, reason)


def reasons_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the words in the documents *ids*, by id; those that were erased are missing."""
    if not ids:
        return {}
    rows = connection.execute(text("SELECT id, body FROM operator_reasons WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return {row[0]: row[1] for row in rows}


def read_operations(connection: Connection, *, since: datetime | None = None) -> list[Found]:
    """Return what operators did, from *since* on, oldest first."""
    statement = text(
        "SELECT position, body FROM events WHERE stream_id = :id AND type <> 'heads_recorded' "
        "AND recorded_at >= coalesce(CAST(:since AS timestamptz), recorded_at) ORDER BY version"
    )
    rows = connection.execute(statement, {"id": SERVICE_ID, "since": since})
    return [Found(position, decode_recorded(body.encode())) for position, body in rows]


def retry_dead(connection: Connection, ids: Sequence[UUID] | None, *, reason: str, now: datetime, by: str) -> list[UUID]:
    """Give dead messages (*ids*, or all) a fresh set of attempts, record that, and return those that were revived."""
    revived = attempts.retry_dead(connection, ids)
    if revived:
        kept = keep_reason(connection, reason)
        for first in range(0, len(revived), RETRIED_MAX):
            some = tuple(map(_retried, revived[first : first + RETRIED_MAX]))
            append(connection, MessagesRetried(messages=some, reason=kept), now=now, by=by)
    return [each.id for each in revived]


def _retried(revived: Revived) -> Retried:
    named = re.match(r"([A-Za-z_][A-Za-z0-9_]{0,99})(?::|$)", revived.error or "")
    return Retried(
        message_id=revived.id,
        stream_id=revived.stream_id,
        actor_name=revived.actor_name,
        attempts=revived.attempts,
        deliveries=revived.deliveries,
        rings=revived.rings,
        error=named[1] if named else UNSET,
    )


def retries_of(connection: Connection, stream_id: UUID) -> list[Recorded]:
    """Return the events by which messages of a stream were tried again, oldest first."""
    statement = text(
        "SELECT body FROM events WHERE stream_id = :service AND type = 'messages_retried' "
        "AND position(CAST(:stream AS text) IN body) > 0 ORDER BY version"
    )
    found = connection.scalars(statement, {"service": SERVICE_ID, "stream": str(stream_id)})
    return [decode_recorded(body.encode()) for body in found]


def key_in_force(connection: Connection) -> str | None:
    """Return the public key that the log says signs checkpoints; None when it says nothing."""
    statement = "SELECT body FROM events WHERE stream_id = :id AND type = 'key_in_force' ORDER BY version DESC LIMIT 1"
    body = connection.scalar(text(statement), {"id": SERVICE_ID})
    data = decode_recorded(body.encode()).data if body else None
    return data.key if isinstance(data, KeyInForce) else None
