"""Messages: outbox, inbox and durable timer in one row, and the record of what became of it.

A row lives through three phases. *Waiting*: not yet rung, ``due_at`` may lie months ahead. *Rung*: on Redis, with
``ring_again_at`` as the time to ring again if it has not settled by then. *Settled*: ``outcome`` says how. Being unsettled is
the licence to act, unless its actor is paused (`models.pauses`): a copy on Redis whose row is settled or gone does nothing.

``due_at`` is on the service's clock, which a demonstration may drive. ``ring_again_at`` and the other operational times are on
PostgreSQL's clock, one for all machines.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, text

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
           error = NULL, traceback = NULL
      FROM unnest(CAST(%(id)s AS uuid[]), CAST(%(outcome)s AS text[]), CAST(%(rule)s AS text[]), CAST(%(reason)s AS text[]))
           AS ended (id, outcome, rule, reason)
     WHERE messages.id = ended.id AND messages.outcome IS NULL
"""


def settle(connection: Connection, settlements: Sequence[Settlement]) -> None:
    """Record how messages ended; those that are settled already stay as they are."""
    if settlements:
        columns = list(zip(*settlements, strict=True))
        tell(
            connection,
            _settle,
            {"id": list(columns[0]), "outcome": list(columns[1]), "rule": list(columns[2]), "reason": list(columns[3])},
        )


def wait_until_due(connection: Connection, ids: Sequence[UUID]) -> None:
    """Put messages that were rung too early back to waiting; that they came and did no harm clears them of suspicion."""
    statement = "UPDATE messages SET ring_again_at = NULL, deliveries = 0 WHERE id = ANY(:ids)"
    connection.execute(text(statement), {"ids": list(ids)})


_ring_again_in = f"least({RING_AGAIN_MAX_SECONDS}, {RING_AGAIN_SECONDS} * power(2, least(messages.rings, 10)))"

# A locked row stays where it lies until we move it, so its place finds it without another walk of the primary key.
_claim = """
    UPDATE messages SET rings = rings + 1, ring_again_at = clock_timestamp() + {interval} * interval '1 second'
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM messages WHERE settled_at IS NULL AND {due}
                           ORDER BY {order} LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING id, stream_id, actor_name, correlation_id, rings, due_at
"""
_claim_due = text(
    _claim.format(interval=_ring_again_in, due=f"ring_again_at IS NULL AND due_at <= :now AND NOT {PAUSED}", order="due_at")
)
_claim_rung = text(
    _claim.format(
        interval=_ring_again_in,
        due=f"ring_again_at < 'infinity' AND ring_again_at <= clock_timestamp() AND NOT {PAUSED}",
        order="ring_again_at",
    )
)


def _due_first(row: Row[Any]) -> tuple[datetime, int]:
    """Sort claimed rows: RETURNING gives them in no order."""
    return row.due_at, row.id.int


def claim_due(connection: Connection, *, now: datetime, limit: int) -> list[Ring]:
    """Claim up to *limit* waiting messages that are due at *now*, earliest first, to be rung after the commit.

    Those that are paused are passed over.
    """
    rows = connection.execute(_claim_due, {"now": now, "limit": limit}).all()
    return [Ring(*row[:5]) for row in sorted(rows, key=_due_first)]


def claim_overdue(connection: Connection, *, limit: int) -> list[Ring]:
    """Claim up to *limit* messages that were rung and have not settled in time, to be rung again after the commit."""
    rows = connection.execute(_claim_rung, {"limit": limit}).all()
    return [Ring(*row[:5]) for row in sorted(rows, key=_due_first)]


def give_back(connection: Connection, ids: Sequence[UUID]) -> None:
    """Make claimed messages due for a ring at once, because nobody could be rung."""
    connection.execute(
        text("UPDATE messages SET ring_again_at = clock_timestamp() WHERE id = ANY(:ids) AND outcome IS NULL"),
        {"ids": list(ids)},
    )


def ring_all_again(connection: Connection) -> int:
    """Make every rung and unsettled message due for another ring, because Redis lost them; return how many.

    A message whose failure is backing off is rung early by this, which costs one attempt and no more.
    """
    # What is set aside is at infinity, and stays there.
    statement = "UPDATE messages SET ring_again_at = clock_timestamp() WHERE settled_at IS NULL AND ring_again_at < 'infinity'"
    return connection.execute(text(statement)).rowcount


_open_deliveries = text("""
    WITH unsettled AS (SELECT id, deliveries FROM messages WHERE id = ANY(:ids) AND outcome IS NULL ORDER BY id FOR UPDATE),
         counted AS (UPDATE messages SET deliveries = 1 FROM unsettled
                      WHERE messages.id = unsettled.id AND unsettled.deliveries = 0)
    SELECT id, deliveries FROM unsettled
""")


def open_deliveries(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how often those of *ids* that are not settled were counted before, and count the first delivery of the others.

    It waits for whoever has them in hand: that one settles them, and then they are not among the answers.
    """
    return {row[0]: row[1] for row in connection.execute(_open_deliveries, {"ids": list(ids)})}


def put_off(connection: Connection, message_id: UUID) -> None:
    """Have a message rung again in ten seconds, with nothing counted against it: others held what it needs."""
    connection.execute(
        text(
            "UPDATE messages SET deliveries = 0, ring_again_at = clock_timestamp() + interval '10 seconds' "
            "WHERE id = :id AND settled_at IS NULL"
        ),
        {"id": message_id},
    )


def count_delivery(connection: Connection, message_id: UUID) -> int:
    """Count one more delivery before its work starts and return the count so far; 0 when the message is settled."""
    statement = text(
        "UPDATE messages SET deliveries = deliveries + 1 WHERE id = :id AND settled_at IS NULL RETURNING deliveries"
    )
    return int(connection.execute(statement, {"id": message_id}).scalar() or 0)


_fail = text("""
    UPDATE messages SET attempts = attempts + 1, deliveries = 0, error = :error, traceback = :traceback,
           ring_again_at = clock_timestamp() + least(3600, power(2, least(attempts, 12))) * interval '1 second',
           settled_at = CASE WHEN attempts + 1 >= :max_attempts THEN clock_timestamp() END,
           outcome = CASE WHEN attempts + 1 >= :max_attempts THEN 'dead' END
     WHERE id = :id AND settled_at IS NULL RETURNING outcome
""")


def fail(connection: Connection, message_id: UUID, *, error: str, traceback: str, max_attempts: int) -> str | None:
    """Record a failed attempt: the next one after 1 s, 2 s, 4 s … 1 h, or dead after *max_attempts*; return the outcome."""
    parameters = {"id": message_id, "error": error, "traceback": traceback, "max_attempts": max_attempts}
    outcome: str | None = connection.execute(_fail, parameters).scalar()
    return outcome


def bury(connection: Connection, message_id: UUID, *, error: str) -> None:
    """End a message as dead, with the reason."""
    connection.execute(
        text(
            "UPDATE messages SET settled_at = clock_timestamp(), outcome = 'dead', error = :error "
            "WHERE id = :id AND settled_at IS NULL"
        ),
        {"id": message_id, "error": error},
    )


_state_columns = (
    "id, stream_id, actor_name, body, asked_by, due_at, rings, deliveries, attempts, settled_at, outcome, rule, reason, "
    "error, traceback"
)


def find(connection: Connection, message_id: UUID) -> MessageState | None:
    """Return one message, or None."""
    row = connection.execute(text(f"SELECT {_state_columns} FROM messages WHERE id = :id"), {"id": message_id}).first()
    return MessageState(*row) if row else None


def list_dead(connection: Connection, *, limit: int = 1000) -> list[MessageState]:
    """Return the dead messages, newest first."""
    rows = connection.execute(
        text(f"SELECT {_state_columns} FROM messages WHERE outcome = 'dead' ORDER BY settled_at DESC LIMIT :limit"),
        {"limit": limit},
    )
    return [MessageState(*row) for row in rows]


def retry_dead(connection: Connection, ids: Sequence[UUID] | None = None) -> list[UUID]:
    """Give dead messages (*ids*, or all) a fresh set of attempts and return those that were revived."""
    statement = text(
        "UPDATE messages SET settled_at = NULL, outcome = NULL, attempts = 0, deliveries = 0, rings = 0, ring_again_at = NULL "
        "WHERE outcome = 'dead' AND (CAST(:ids AS uuid[]) IS NULL OR id = ANY(:ids)) RETURNING id"
    )
    return list(connection.execute(statement, {"ids": list(ids) if ids is not None else None}).scalars())


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
