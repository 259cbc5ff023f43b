"""The messages of timers that act on their own, held against what their streams have armed, and made right.

A timer's message has the id, the stream, the actor, the command and the time that follow from the timer alone, and nothing in
the service ever moves the time. What waits longer was rung and is to be rung again within the hour, or is set aside while its
actor is paused (`models.pauses`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from models.database import ask
from models.messages import PAUSED
from workflows.actor_names import actor_name
from workflows.codec import canonical
from workflows.commands import FireTimer
from workflows.lead import Timer
from workflows.timers import fires, timer_message_id

#: Who asks for what a timer does.
ASKED_BY = "clock"


class TimerMessage(NamedTuple):
    """What the message of a timer is to be."""

    id: UUID
    stream_id: UUID
    timer: str
    actor_name: str
    body: str
    due_at: datetime


def messages_of(stream_id: UUID, timers: Mapping[str, Timer]) -> list[TimerMessage]:
    """Return what the messages of those of *timers* are to be that act on their own."""
    return [_message(stream_id, name, timer) for name, timer in timers.items() if fires(name)]


def _message(stream_id: UUID, name: str, timer: Timer) -> TimerMessage:
    command = FireTimer(timer=name, armed_version=timer.armed_version)
    id_ = timer_message_id(stream_id, name, timer.armed_version)
    return TimerMessage(id_, stream_id, name, actor_name(command), canonical(command).decode(), timer.due_at)


def pending(connection: Connection, expected: Sequence[TimerMessage]) -> dict[UUID, str | None]:
    """Return, by id, those of *expected* that wait, each with in what it differs from what is expected, None in nothing."""
    rows: list[tuple[UUID, str | None]] = ask(connection, _pending, _values(expected))
    return dict(rows)


def mend(connection: Connection, expected: Sequence[TimerMessage]) -> int:
    """Make right those of *expected* that differ, or were settled without an event; return how many. The dead stay dead.

    The caller has stopped the work.
    """
    return len(ask(connection, _mend, _values(expected)))


def _values(expected: Sequence[TimerMessage]) -> dict[str, Any]:
    columns = list(zip(*expected, strict=True)) or [()] * len(TimerMessage._fields)
    return dict(zip(TimerMessage._fields, map(list, columns), strict=True)) | {"asked_by": ASKED_BY}


_expected = """
    unnest(CAST(%(id)s AS uuid[]), CAST(%(stream_id)s AS uuid[]), CAST(%(actor_name)s AS text[]), CAST(%(body)s AS text[]),
           CAST(%(due_at)s AS timestamptz[])) AS expected (id, stream_id, actor_name, body, due_at)
"""

# A message that failed is rung again within the hour, and at once where the database's clock was put back (`models.rings`).
_late = f"""
    (messages.ring_again_at > clock_timestamp() + interval '1 day' AND NOT (messages.ring_again_at = 'infinity' AND {PAUSED}))
"""

_pending = f"""
    SELECT messages.id, nullif(concat_ws(', ',
               CASE WHEN messages.stream_id <> expected.stream_id THEN 'is for another stream' END,
               CASE WHEN messages.actor_name <> expected.actor_name THEN 'goes to another actor' END,
               CASE WHEN messages.asked_by <> %(asked_by)s THEN 'is asked for by another' END,
               CASE WHEN messages.body <> expected.body THEN 'says something else' END,
               CASE WHEN messages."then" IS NOT NULL THEN 'asks for more behind it' END,
               CASE WHEN messages.due_at <> expected.due_at THEN 'is due at another time' END,
               CASE WHEN {_late} THEN 'is not rung for days' END), '')
      FROM messages JOIN {_expected} ON expected.id = messages.id
     WHERE messages.id = ANY(%(id)s) AND messages.outcome IS NULL
"""

_mend = f"""
    UPDATE messages SET stream_id = expected.stream_id, actor_name = expected.actor_name, body = expected.body,
           "then" = NULL, asked_by = %(asked_by)s, due_at = expected.due_at, ring_again_at = NULL,
           settled_at = CASE WHEN outcome = 'dead' THEN settled_at END,
           outcome = CASE WHEN outcome = 'dead' THEN outcome END, rule = NULL, reason = NULL
      FROM {_expected}
     WHERE messages.id = ANY(%(id)s) AND expected.id = messages.id
       AND ((messages.stream_id, messages.actor_name, messages.asked_by, messages.body, messages.due_at)
            <> (expected.stream_id, expected.actor_name, %(asked_by)s, expected.body, expected.due_at)
            OR messages."then" IS NOT NULL OR {_late} OR messages.outcome <> 'dead')
       AND NOT EXISTS (SELECT FROM events WHERE events.message_id = messages.id)
    RETURNING messages.id
"""
