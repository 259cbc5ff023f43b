"""What decides when a rep's day is planned: what is about to change the book, and which plans wait."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from models.messages import PAUSED
from workflows.actor_names import DELIVERIES, MOVES_A_CALL, PLANS_A_NOTE

# Of failing messages nobody knows when they will be applied, if ever; what is paused comes when somebody says so.
_expected = f"messages.settled_at IS NULL AND messages.due_at <= :now AND attempts = 0 AND deliveries = 0 AND NOT {PAUSED}"

# The last two are one question in two halves, because each half has an index. A planned move of a call that has not opened
# waits for that, and so does the plan: for the message that opens it, by which it also learns when that is paused.
_unopened = f"(actor_name = '{MOVES_A_CALL}' AND leads.state = 'note_sent')"

_in_motion = text(f"""
    SELECT EXISTS (SELECT FROM leads JOIN messages ON messages.stream_id = leads.id
                    WHERE leads.owner = :rep AND actor_name <> ALL(:deliveries) AND {_expected} AND NOT {_unopened})
        OR EXISTS (SELECT FROM leads JOIN messages ON messages.stream_id = leads.id
                    WHERE leads.call_by = :rep AND actor_name <> ALL(:deliveries) AND {_expected} AND NOT {_unopened})
        OR EXISTS (SELECT FROM messages
                    WHERE actor_name = '{PLANS_A_NOTE}' AND body::jsonb ->> 'call_by' = :rep AND {_expected})
        OR EXISTS (SELECT FROM messages WHERE correlation_id = :correlation_id AND actor_name = :registers
                      AND ring_again_at IS NULL AND {_expected})
        OR EXISTS (SELECT FROM messages WHERE correlation_id = :correlation_id AND actor_name = :registers
                      AND ring_again_at IS NOT NULL AND {_expected})
""")


def in_motion(connection: Connection, rep: str, correlation_id: UUID, registers: str, *, now: datetime) -> bool:
    """Tell whether messages are due that will change the book of *rep*, failing and paused ones not counted.

    Nor is mail that is to go out: no day waits for a mail server.
    These are messages for the rep's leads, and for those that the rep is to call for a colleague or that a plan would have the
    rep call, and registrations (by the actor *registers*) under *correlation_id*.
    """
    parameters = {
        "rep": rep,
        "correlation_id": correlation_id,
        "registers": registers,
        "now": now,
        "deliveries": list(DELIVERIES),
    }
    return bool(connection.scalar(_in_motion, parameters))


_promises_coming_due = text("""
    SELECT count(*) FROM leads JOIN messages ON messages.stream_id = leads.id
     WHERE ((leads.owner = :owner AND leads.call_by IS NULL) OR leads.call_by = :owner)
       AND leads.state = 'note_sent' AND leads.next_due_at <= :now
       AND messages.settled_at IS NULL AND messages.due_at <= :now AND messages.attempts = 0 AND messages.deliveries = 0
""")


def promises_coming_due(connection: Connection, owner: str, *, now: datetime) -> int:
    """Return how many of *owner*'s promised calls are due at *now* and about to be listed; failing ones not counted."""
    return int(connection.execute(_promises_coming_due, {"owner": owner, "now": now}).scalar_one())


_still_to_come = text("SELECT EXISTS (SELECT FROM messages WHERE id = :id AND settled_at IS NULL AND attempts = 0)")


def still_to_come(connection: Connection, message_id: UUID) -> bool:
    """Tell whether a message is not settled and has not failed, so that what it goes before may wait for it."""
    return bool(connection.scalar(_still_to_come, {"id": message_id}))


_waiting = text("""
    WITH unsettled AS (SELECT id, stream_id FROM messages
                        WHERE stream_id = ANY(:rep_ids) AND actor_name = :plans AND settled_at IS NULL AND due_at <= :now),
         free AS (SELECT id FROM messages WHERE id IN (SELECT id FROM unsettled) AND settled_at IS NULL
                   ORDER BY id FOR SHARE SKIP LOCKED)
    SELECT stream_id, bool_or(free.id IS NOT NULL) FROM unsettled LEFT JOIN free USING (id) GROUP BY stream_id
""")


def waiting(connection: Connection, rep_ids: Sequence[UUID], plans: str, *, now: datetime) -> dict[UUID, bool]:
    """Return for which of *rep_ids* a message of the actor *plans* is due.

    True stands for one that will be applied after this transaction and sees what it writes: whoever takes it waits for our
    commit. False stands for one that somebody applies at this moment. We wait for nobody, so that no two workers wait for each
    other.
    """
    rows = connection.execute(_waiting, {"rep_ids": list(rep_ids), "plans": plans, "now": now})
    return {row[0]: row[1] for row in rows}


def planned_days(connection: Connection, names: Sequence[str]) -> dict[str, date]:
    """Return the day that was planned last of each of the reps *names* who has had one."""
    statement = text(
        "SELECT name, CAST(body::jsonb ->> 'planned_on' AS date) FROM reps "
        "WHERE name = ANY(:names) AND body::jsonb ->> 'planned_on' IS NOT NULL"
    )
    return {row[0]: row[1] for row in connection.execute(statement, {"names": list(names)})}
