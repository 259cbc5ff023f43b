"""Drop every projection and make it again from the log; ``contacts``, ``documents`` and ``playbooks`` are left alone."""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import campaigns, heads, leads, messages, pauses, playbooks, slots
from models.database import take_as_long_as_needed
from models.messages import NewMessage
from models.replay import decode_events, fold_events, pages
from models.timers import ASKED_BY, TimerMessage, mend, messages_of
from workflows.campaign import Campaign
from workflows.events import CalendarFrozen, Recorded, Slot, decode_recorded
from workflows.invitation_streams import Stream, timers_of
from workflows.lead import Lead, Rep
from workflows.sales_event import SalesEvent


class Rebuilt(NamedTuple):
    """What a rebuild wrote."""

    events: int
    leads: int
    reps: int
    slots: int
    timers: int
    """Messages of timers that were missing and were staged again, or were wrong and were made anew."""
    campaigns: int = 0
    sales_events: int = 0


class _Writer:
    """Collects rebuilt rows and writes them a thousand streams at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._leads: list[tuple[Lead, bytes]] = []
        self._reps: list[tuple[Rep, bytes]] = []
        self._invitations: list[tuple[Campaign | SalesEvent, bytes]] = []
        self._timers: list[tuple[TimerMessage, Recorded]] = []
        self._slots: dict[Slot, UUID] = {}
        self.counts = dict.fromkeys(Rebuilt._fields, 0)

    def take(self, state: Stream, hash_: bytes, held: set[Slot], last: Recorded) -> None:
        if isinstance(state, Lead):
            self._leads.append((state, hash_))
        elif isinstance(state, Rep):
            self._reps.append((state, hash_))
        else:
            self._invitations.append((state, hash_))
        self._slots |= dict.fromkeys(held, state.id)
        self._timers += [(message, last) for message in messages_of(state.id, timers_of(state))]
        if len(self._leads) + len(self._reps) + len(self._invitations) >= 1000:
            self.write()

    def write(self) -> None:
        leads.save_leads(self._connection, self._leads)
        leads.save_reps(self._connection, self._reps)
        campaigns.save(self._connection, self._invitations)
        slots.move(self._connection, reserved=list(self._slots.items()), released=[])
        self.counts["timers"] += mend(self._connection, [message for message, _ in self._timers])
        self.counts["timers"] += len(messages.stage(self._connection, [_new(*each) for each in self._timers]))
        self.counts["leads"] += len(self._leads)
        self.counts["reps"] += len(self._reps)
        self.counts["campaigns"] += sum(isinstance(state, Campaign) for state, _ in self._invitations)
        self.counts["sales_events"] += sum(isinstance(state, SalesEvent) for state, _ in self._invitations)
        self.counts["slots"] += len(self._slots)
        for collected in (self._leads, self._reps, self._invitations, self._timers, self._slots):
            collected.clear()


def rebuild(connection: Connection, *, progress: Callable[[int], None] = lambda _: None) -> Rebuilt:
    """Rebuild all projections in the caller's transaction, and stage timers that are missing or wrong.

    Writers wait until the transaction ends. *progress* is told the number of events folded so far.
    """
    take_as_long_as_needed(connection)
    pauses.stop_work(connection)
    # In the order in which writers lock: projections first, the head of the log last. DELETE and not TRUNCATE, so that who
    # reads meanwhile goes on seeing the rows as they were.
    connection.execute(text("LOCK TABLE leads, reps, sales_events, campaigns, slots, calendars, heads_nodes IN EXCLUSIVE MODE"))
    for table in ("leads", "reps", "sales_events", "campaigns", "slots", "calendars"):
        connection.execute(text(f"DELETE FROM {table}"))
    connection.execute(text("SELECT position FROM log_head FOR UPDATE"))
    writer = _Writer(connection)
    for _, pieces in groupby(pages(connection, ("body", "hash")), key=itemgetter(0)):
        state: Stream | None = None
        held: set[Slot] = set()
        for _, bodies, hashes in pieces:
            history = decode_events(bodies)
            state = fold_events(state, history)
            for recorded in history:
                held.difference_update(recorded.effects.released)
                held.update(recorded.effects.reserved)
                if isinstance(recorded.data, CalendarFrozen):
                    playbooks.save_calendar(connection, recorded.data.digest, recorded.data.calendar)
            writer.counts["events"] += len(bodies)
            last, hash_ = bodies[-1], hashes[-1]
        if state is not None:
            writer.take(state, hash_, held, decode_recorded(last))
            progress(writer.counts["events"])
    writer.write()
    pauses.rebuild(connection)
    heads.rebuild_nodes(connection)
    return Rebuilt(**writer.counts)


def _new(message: TimerMessage, last: Recorded) -> NewMessage:
    return NewMessage(
        id=message.id,
        stream_id=message.stream_id,
        actor_name=message.actor_name,
        body=message.body.encode(),
        asked_by=ASKED_BY,
        correlation_id=last.correlation_id,
        causation_id=last.message_id,
        due_at=message.due_at,
        rung=False,
    )
