"""What is paused: a projection of the service's own stream, and messages that are set aside meanwhile.

A message of a paused actor stays where it is until it is due. Then it is set aside: its ``ring_again_at`` is infinity, so that
no clock finds it again, and nobody passes over it on the way to others. Resuming puts it back among what waits to be rung.

Whoever applies messages, or sets them aside, holds `ADVISORY_LOCK` shared to the end of the transaction; whoever pauses or
resumes holds it alone. So nothing that is paused is applied once `pause` is committed, and nothing is set aside behind the
back of `resume`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import operations, tables
from models.database import take_as_long_as_needed, tell
from models.events import read_stream
from models.finite import columns_of
from models.messages import PAUSED
from workflows.events import decode_recorded
from workflows.operations import WorkPaused, WorkResumed
from workflows.pauses import EVERYTHING, NEVER_PAUSED, Pause, fold_pauses
from workflows.service_stream import SERVICE_ID

#: Any constant would do.
ADVISORY_LOCK = 7_468_617_703


class PauseRow(NamedTuple):
    """A pause as stored."""

    actor: str
    since: datetime
    by: str
    reason: UUID
    """The document that says why."""
    version: int


def _rows(pauses: Collection[Pause]) -> list[PauseRow]:
    rows = (PauseRow(p.actor, p.since, p.by, p.reason.document_id, p.version) for p in pauses)
    return sorted(rows)


def wait_briefly_and_enter(connection: Connection) -> None:
    """Wait at most two seconds for any lock in this transaction, so that one locked lead does not hold up all others.

    And take part in the work: what is paused from now on counts for the next transaction.
    """
    statement = "SELECT set_config('lock_timeout', '2s', true), pg_advisory_xact_lock_shared(%(key)s)"
    tell(connection, statement, {"key": ADVISORY_LOCK})


def stop_work(connection: Connection) -> None:
    """Wait until nobody applies messages, and let nobody begin before the end of this transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})


def read_pauses(connection: Connection) -> list[PauseRow]:
    """Return what is paused, by name."""
    rows = connection.execute(text(f"SELECT {columns_of(tables.pauses)} FROM pauses ORDER BY actor"))
    return [PauseRow(*row) for row in rows]


def is_paused(connection: Connection, actor: str) -> bool:
    """Tell whether messages of *actor* wait."""
    known = {row.actor for row in read_pauses(connection)}
    return actor in known or (EVERYTHING in known and actor not in NEVER_PAUSED)


def pause(connection: Connection, actors: Collection[str], *, reason: str, now: datetime, by: str) -> tuple[str, ...]:
    """Pause *actors* (or `EVERYTHING`), record it, and return those that were not paused before. Ends its transaction.

    What is in hand is applied first; of what is on Redis nothing is applied any more.

    Raises
    ------
    LockedError
        When somebody applies messages for longer than we wait; nothing was changed.
    """
    stop_work(connection)
    new = tuple(sorted(set(actors) - {row.actor for row in read_pauses(connection)}))
    if new:
        kept = operations.keep_reason(connection, reason)
        recorded = operations.append(connection, WorkPaused(actors=new, reason=kept), now=now, by=by).recorded
        _insert(connection, _rows(fold_pauses([recorded]).values()))
        _set_aside(connection, "messages.ring_again_at < 'infinity'")
    return new


def resume(connection: Connection, actors: Collection[str], *, reason: str | None, now: datetime, by: str) -> tuple[str, ...]:
    """Resume *actors*, or all with `EVERYTHING`, record it, and return those that were paused. Ends its transaction.

    What waited is rung by the clock like anything else that is due: as much at a time as the queue holds.

    Raises
    ------
    LockedError
        When somebody applies messages for longer than we wait; nothing was changed.
    """
    stop_work(connection)
    known = {row.actor for row in read_pauses(connection)}
    ended = tuple(sorted(known if EVERYTHING in actors else known & set(actors)))
    if ended:
        take_as_long_as_needed(connection)
        connection.execute(text("DELETE FROM pauses WHERE actor = ANY(:actors)"), {"actors": list(ended)})
        _put_back(connection)
        kept = operations.keep_reason(connection, reason) if reason else None
        operations.append(connection, WorkResumed(actors=ended, reason=kept), now=now, by=by)
    return ended


def _insert(connection: Connection, rows: Sequence[PauseRow]) -> None:
    for row in rows:
        connection.execute(
            text("INSERT INTO pauses (actor, since, by, reason, version) VALUES (:actor, :since, :by, :reason, :version)"),
            row._asdict(),
        )


def _set_aside(connection: Connection, which: str, **parameters: object) -> int:
    statement = (
        "UPDATE messages SET ring_again_at = 'infinity', deliveries = 0 "
        f"WHERE messages.settled_at IS NULL AND {PAUSED} AND {which}"
    )
    return connection.execute(text(statement), parameters).rowcount


def _put_back(connection: Connection) -> None:
    connection.execute(
        text(
            f"UPDATE messages SET ring_again_at = NULL WHERE settled_at IS NULL AND ring_again_at = 'infinity' AND NOT {PAUSED}"
        )
    )


def set_aside(connection: Connection, ids: Sequence[UUID]) -> None:
    """Set messages aside that came to a worker all the same. The caller takes part in the work."""
    _set_aside(connection, "messages.id = ANY(:ids)", ids=list(ids))


def set_aside_due(connection: Connection, *, now: datetime, limit: int) -> int:
    """Set aside up to *limit* messages of paused actors that are due, so that nobody passes over them; return how many."""
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM pauses)")):
        return 0
    wait_briefly_and_enter(connection)
    due = (
        "messages.id = ANY (ARRAY(SELECT id FROM messages WHERE settled_at IS NULL AND ring_again_at IS NULL "
        f"AND due_at <= :now AND {PAUSED} ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED))"
    )
    return _set_aside(connection, due, now=now, limit=limit)


def count_waiting(connection: Connection, *, now: datetime) -> int:
    """Return how many messages are due at *now* and wait because they are paused."""
    statement = text(f"SELECT count(*) FROM messages WHERE settled_at IS NULL AND due_at <= :now AND {PAUSED}")
    return int(connection.scalar(statement, {"now": now}) or 0)


def _expected(connection: Connection) -> list[PauseRow]:
    rows = read_stream(connection, SERVICE_ID)
    return _rows(fold_pauses(decode_recorded(row.body.encode()) for row in rows).values())


def rebuild(connection: Connection) -> None:
    """Make the pauses anew from the log. The caller has stopped the work."""
    connection.execute(text("DELETE FROM pauses"))
    _insert(connection, _expected(connection))
    _put_back(connection)


def differences(connection: Connection) -> list[str]:
    """Return the names of actors whose pauses are not what the log says, in name order."""
    return sorted({row.actor for row in set(read_pauses(connection)) ^ set(_expected(connection))})
