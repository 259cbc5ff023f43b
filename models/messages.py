"""Messages: outbox, inbox and durable timer in one row, and the record of what became of it.

A row lives through three phases. *Waiting*: not yet rung, ``due_at`` may lie months ahead. *Rung*: on Redis, with
``ring_again_at`` as the time to ring again if it has not settled by then. *Settled*: ``outcome`` says how. Being unsettled is
the licence to act, unless its actor is paused (`models.pauses`): a copy on Redis whose row is settled or gone does nothing.

``due_at`` is on the service's clock, which a demonstration may drive. ``ring_again_at`` and the other operational times are on
PostgreSQL's clock, one for all machines.

Here is how rows come, are read and settle. `models.rings` has the second phase, `models.attempts` what goes wrong in it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.database import ModelError, ask, tell
from workflows.pauses import EVERYTHING, NEVER_PAUSED

#: How long a rung message may take before it is rung again; doubled at each ring, up to `RING_AGAIN_MAX_SECONDS`.
RING_AGAIN_SECONDS = 30
RING_AGAIN_MAX_SECONDS = 600


_never = ", ".join(f"'{name}'" for name in sorted(NEVER_PAUSED))

#: Whether the row of ``messages`` at hand is of a paused actor; what is paused is looked up once for each statement.
PAUSED = f"""
    (messages.actor_name = ANY (ARRAY(SELECT actor FROM pauses))
     OR ('{EVERYTHING}' = ANY (ARRAY(SELECT actor FROM pauses)) AND messages.actor_name NOT IN ({_never})))
"""


class CommandReusedError(ModelError):
    """The same message id was submitted before with another body; nothing was changed."""


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to stage. *rung* says that the caller rings it right after the commit."""

    id: UUID
    stream_id: UUID
    actor_name: str
    body: bytes
    asked_by: str
    correlation_id: UUID
    causation_id: UUID | None
    due_at: datetime
    rung: bool
    then: bytes | None = None
    """Commands to stage on the same stream once this one is settled, one after the other: a JSON array."""


class Ring(NamedTuple):
    """What goes on Redis for one message: ids only. *number* counts the rings, from 1."""

    message_id: UUID
    stream_id: UUID
    actor_name: str
    correlation_id: UUID
    number: int


class OpenMessage(NamedTuple):
    """An unsettled message, locked by the transaction that reads it."""

    id: UUID
    stream_id: UUID
    actor_name: str
    body: str
    asked_by: str
    correlation_id: UUID
    causation_id: UUID | None
    due_at: datetime
    then: str | None
    paused: bool
    """It waits until its actor is resumed."""


class Settlement(NamedTuple):
    """How a message ended."""

    message_id: UUID
    outcome: str
    rule: str | None
    reason: str | None


class MessageState(NamedTuple):
    """A message as people ask for it."""

    id: UUID
    stream_id: UUID
    actor_name: str
    body: str
    asked_by: str
    due_at: datetime
    rings: int
    deliveries: int
    attempts: int
    settled_at: datetime | None
    outcome: str | None
    rule: str | None
    reason: str | None
    error: str | None
    traceback: str | None


_insert = f"""
    INSERT INTO messages (id, stream_id, actor_name, body, "then", asked_by, correlation_id, causation_id, due_at, rings,
                          ring_again_at)
    SELECT id, stream_id, actor_name, body, next, asked_by, correlation_id, causation_id, due_at,
           CASE WHEN rung THEN 1 ELSE 0 END,
           CASE WHEN rung THEN clock_timestamp() + interval '{RING_AGAIN_SECONDS} seconds' END
      FROM unnest(CAST(%(id)s AS uuid[]), CAST(%(stream_id)s AS uuid[]), CAST(%(actor_name)s AS text[]),
                  CAST(%(body)s AS text[]), CAST(%(then)s AS text[]), CAST(%(asked_by)s AS text[]),
                  CAST(%(correlation_id)s AS uuid[]), CAST(%(causation_id)s AS uuid[]),
                  CAST(%(due_at)s AS timestamptz[]), CAST(%(rung)s AS boolean[]))
           AS new (id, stream_id, actor_name, body, next, asked_by, correlation_id, causation_id, due_at, rung)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""


def stage(connection: Connection, new: Sequence[NewMessage]) -> set[UUID]:
    """Insert *new* and return the ids that were not there before.

    Raises
    ------
    CommandReusedError
        When one of the ids is taken by a message with another body or for another stream.
    """
    if not new:
        return set()
    parameters: dict[str, Any] = {
        field: [getattr(message, field) for message in new]
        for field in ("id", "stream_id", "actor_name", "asked_by", "correlation_id", "causation_id", "due_at", "rung")
    }
    parameters["body"] = [message.body.decode() for message in new]
    parameters["then"] = [message.then.decode() if message.then else None for message in new]
    staged = {row[0] for row in ask(connection, _insert, parameters)}
    if len(staged) < len(new):
        _check_same(connection, [message for message in new if message.id not in staged])
    return staged


def _check_same(connection: Connection, repeated: Sequence[NewMessage]) -> None:
    known = {
        row.id: row
        for row in connection.execute(
            text("SELECT id, stream_id, body, asked_by FROM messages WHERE id = ANY(:ids)"), {"ids": [m.id for m in repeated]}
        )
    }
    for message in repeated:
        row = known.get(message.id)
        if row is not None and (row.body, row.stream_id, row.asked_by) != (
            message.body.decode(),
            message.stream_id,
            message.asked_by,
        ):
            raise CommandReusedError(
                f"the id {message.id} was used before for another command; nothing was changed. "
                f"Use a new id, or repeat the first command word for word."
            )


# Whatever is settled has an outcome. Asked for settled_at, PostgreSQL may walk a whole index of all that waits instead of the
# primary key, because it takes that for short while its statistics are old.
_open = f"""
    SELECT id, stream_id, actor_name, body, asked_by, correlation_id, causation_id, due_at, "then", {PAUSED}
      FROM messages WHERE id = ANY(%(ids)s) AND outcome IS NULL
"""
_lock = f"{_open} ORDER BY id FOR UPDATE"


def lock_open(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, OpenMessage]:
    """Return and lock those of *ids* that are not settled. The caller holds the locks of their streams already."""
    return {row[0]: OpenMessage._make(row) for row in ask(connection, _lock, {"ids": list(ids)})}


_settle = """
    UPDATE messages SET settled_at = clock_timestamp(), outcome = ended.outcome, rule = ended.rule, reason = ended.reason,
           traceback = NULL, worker = CAST(%(worker)s AS text)
      FROM unnest(CAST(%(id)s AS uuid[]), CAST(%(outcome)s AS text[]), CAST(%(rule)s AS text[]), CAST(%(reason)s AS text[]))
           AS ended (id, outcome, rule, reason)
     WHERE messages.id = ended.id AND messages.outcome IS NULL
"""


def settle(connection: Connection, settlements: Sequence[Settlement], *, worker: str | None = None) -> None:
    """Record how messages ended, by the hands of *worker* (``host:pid``); those that are settled already stay as they are.

    The error of the last failed attempt stays, if there was one.
    """
    if settlements:
        columns = list(zip(*settlements, strict=True))
        tell(
            connection,
            _settle,
            {
                "id": list(columns[0]),
                "outcome": list(columns[1]),
                "rule": list(columns[2]),
                "reason": list(columns[3]),
                "worker": worker,
            },
        )


STATE_COLUMNS = (
    "id, stream_id, actor_name, body, asked_by, due_at, rings, deliveries, attempts, settled_at, outcome, rule, reason, "
    "error, traceback"
)


def find(connection: Connection, message_id: UUID) -> MessageState | None:
    """Return one message, or None."""
    row = connection.execute(text(f"SELECT {STATE_COLUMNS} FROM messages WHERE id = :id"), {"id": message_id}).first()
    return MessageState(*row) if row else None


class Waiting(NamedTuple):
    """A command that is not settled yet."""

    id: UUID
    body: str
    asked_by: str


def waiting_on(connection: Connection, stream_ids: Sequence[UUID]) -> list[Waiting]:
    """Return the commands that wait on the streams *stream_ids*."""
    rows = connection.execute(
        text("SELECT id, body, asked_by FROM messages WHERE settled_at IS NULL AND stream_id = ANY(:ids)"),
        {"ids": list(stream_ids)},
    )
    return [Waiting(*row) for row in rows]


class Health(NamedTuple):
    """Counts of messages."""

    waiting: int
    due: int
    rung: int
    failing: int
    dead: int
    paused: int


def health(connection: Connection, *, now: datetime) -> Health:
    """Return what ops watch, with *now* on the service's clock."""
    row = connection.execute(
        text(f"""
            SELECT count(*) FILTER (WHERE ring_again_at IS NULL AND due_at > :now),
                   count(*) FILTER (WHERE ring_again_at IS NULL AND due_at <= :now AND NOT {PAUSED}),
                   count(*) FILTER (WHERE ring_again_at IS NOT NULL AND NOT {PAUSED}),
                   count(*) FILTER (WHERE attempts > 0),
                   (SELECT count(*) FROM messages WHERE outcome = 'dead'),
                   count(*) FILTER (WHERE due_at <= :now AND {PAUSED})
              FROM messages WHERE settled_at IS NULL
        """),
        {"now": now},
    ).one()
    return Health(*row)


def unsettled_due(connection: Connection, *, now: datetime) -> int:
    """Return how many messages are due at *now* and not settled."""
    statement = text("SELECT count(*) FROM messages WHERE settled_at IS NULL AND due_at <= :now")
    return int(connection.scalar(statement, {"now": now}) or 0)


def waiting_for(connection: Connection, stream_id: UUID) -> list[Ring]:
    """Return rings for the messages of a stream that are not settled, the earliest due first."""
    statement = text(
        "SELECT id, stream_id, actor_name, correlation_id FROM messages "
        "WHERE stream_id = :id AND settled_at IS NULL ORDER BY due_at, id"
    )
    return [Ring(row[0], row[1], row[2], row[3], 1) for row in connection.execute(statement, {"id": stream_id})]


def read_open(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, OpenMessage]:
    """Return those of *ids* that are not settled, without locking them."""
    return {row[0]: OpenMessage._make(row) for row in ask(connection, _open, {"ids": list(ids)})}


def lost(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> int:
    """Return how many messages are lost: handed in and not there, due and not settled, dead, or without an event."""
    statement = text("""
        SELECT (SELECT count(*) FROM unnest(CAST(:ids AS uuid[])) AS given (id)
                 WHERE NOT EXISTS (SELECT FROM messages WHERE messages.id = given.id))
             + (SELECT count(*) FROM messages WHERE settled_at IS NULL AND due_at <= :now)
             + (SELECT count(*) FROM messages WHERE outcome = 'dead')
             + (SELECT count(*) FROM messages WHERE outcome IN ('applied', 'refused')
                   AND NOT EXISTS (SELECT FROM events WHERE events.message_id = messages.id))
    """)
    return int(connection.execute(statement, {"ids": list(ids), "now": now}).scalar_one())


def count(connection: Connection) -> int:
    """Return how many messages there are."""
    return int(connection.scalar(text("SELECT count(*) FROM messages")) or 0)
