"""Ringing: which messages are due, who claims them, and when one that did not settle is rung again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from models.messages import PAUSED, RING_AGAIN_MAX_SECONDS, RING_AGAIN_SECONDS, Ring


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
# Nothing is put off for more than an hour: PostgreSQL's clock showed a later time when it was, and was put back since.
_claim_ahead = text(
    _claim.format(
        interval=_ring_again_in,
        due=f"ring_again_at < 'infinity' AND ring_again_at > clock_timestamp() + interval '2 hours' AND NOT {PAUSED}",
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
    """Claim up to *limit* messages that were rung and have not settled in time, to be rung again after the commit.

    Also those that a clock which was put back since would have had wait for longer than anything waits.
    """
    rows = connection.execute(_claim_rung, {"limit": limit}).all()
    if len(rows) < limit:
        rows = [*rows, *connection.execute(_claim_ahead, {"limit": limit - len(rows)})]
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
