"""Attempts at a message: deliveries counted before the work, failures that back off, and the dead, which people revive."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models.messages import STATE_COLUMNS, MessageState

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
           worker = CAST(:worker AS text),
           ring_again_at = clock_timestamp() + least(3600, power(2, least(attempts, 12))) * interval '1 second',
           settled_at = CASE WHEN attempts + 1 >= :max_attempts THEN clock_timestamp() END,
           outcome = CASE WHEN attempts + 1 >= :max_attempts THEN 'dead' END
     WHERE id = :id AND settled_at IS NULL RETURNING outcome
""")


def fail(
    connection: Connection, message_id: UUID, *, error: str, traceback: str, max_attempts: int, worker: str | None = None
) -> str | None:
    """Record a failed attempt: the next one after 1 s, 2 s, 4 s … 1 h, or dead after *max_attempts*; return the outcome."""
    parameters = {"id": message_id, "error": error, "traceback": traceback, "max_attempts": max_attempts, "worker": worker}
    outcome: str | None = connection.execute(_fail, parameters).scalar()
    return outcome


def bury(connection: Connection, message_id: UUID, *, error: str, worker: str | None = None) -> None:
    """End a message as dead, with the reason."""
    connection.execute(
        text(
            "UPDATE messages SET settled_at = clock_timestamp(), outcome = 'dead', error = :error, "
            "worker = CAST(:worker AS text) WHERE id = :id AND settled_at IS NULL"
        ),
        {"id": message_id, "error": error, "worker": worker},
    )


def list_dead(connection: Connection, *, limit: int = 1000) -> list[MessageState]:
    """Return the dead messages, newest first."""
    rows = connection.execute(
        text(f"SELECT {STATE_COLUMNS} FROM messages WHERE outcome = 'dead' ORDER BY settled_at DESC LIMIT :limit"),
        {"limit": limit},
    )
    return [MessageState(*row) for row in rows]


class Revived(NamedTuple):
    """A dead message that got a fresh set of attempts, with what had become of the last set."""

    id: UUID
    stream_id: UUID
    actor_name: str
    attempts: int
    """Failures."""
    deliveries: int
    """That never came back, if its worker was gone each time."""
    rings: int
    error: str | None
    """The last."""


# The rows as they were before the update: it returns them as they are behind it.
_revive = text("""
    WITH dead AS (SELECT id, stream_id, actor_name, attempts, deliveries, rings, error FROM messages
                   WHERE outcome = 'dead' AND (CAST(:ids AS uuid[]) IS NULL OR id = ANY(:ids)) ORDER BY id FOR UPDATE)
    UPDATE messages SET settled_at = NULL, outcome = NULL, attempts = 0, deliveries = 0, rings = 0, ring_again_at = NULL
      FROM dead WHERE messages.id = dead.id
    RETURNING dead.id, dead.stream_id, dead.actor_name, dead.attempts, dead.deliveries, dead.rings, dead.error
""")


def retry_dead(connection: Connection, ids: Sequence[UUID] | None = None) -> list[Revived]:
    """Give dead messages (*ids*, or all) a fresh set of attempts and return those that were revived, by id."""
    rows = connection.execute(_revive, {"ids": list(ids) if ids is not None else None})
    return sorted(Revived(*row) for row in rows)
