"""What one transaction is about to write: gathered while its messages are decided, written at its end."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID

from actors.this_process import this_process
from models import attempts, campaigns, events, leads, messages, pauses, plans, rings, slots
from models.database import Connection
from models.events import Appended
from models.leads import Locked
from models.messages import NewMessage, OpenMessage, Ring, Settlement
from workflows.actor_names import actor_name
from workflows.calendars import Calendar
from workflows.campaign import Campaign
from workflows.capacity import Capacity
from workflows.codec import GENESIS, canonical, derived_id
from workflows.command import due_of
from workflows.commands import Command, FireTimer, PlanDay, decode_commands
from workflows.cover import Colleague
from workflows.events import Recorded, Slot
from workflows.invitation_streams import Stream, timers_of
from workflows.lead import Lead, Rep
from workflows.rep import rep_id
from workflows.sales_event import SalesEvent
from workflows.slotting import free_slots
from workflows.timers import moved_timers, timer_message_id


class Batch:
    """The streams as they stand within the transaction, and everything that it will write."""

    def __init__(self, connection: Connection, now: datetime, locked: Mapping[UUID, Locked[Stream]]) -> None:
        self._connection = connection
        self._now = now
        self._streams: dict[UUID, Locked[Stream]] = dict(locked)
        self._changed: dict[UUID, Locked[Stream]] = {}
        self._appended: list[Appended] = []
        self._staged: list[NewMessage] = []
        self._followed: set[UUID] = set()
        self._settled: list[Settlement] = []
        self._waiting: list[UUID] = []
        self._set_aside: list[UUID] = []
        self._put_off: list[UUID] = []
        self._reserved: dict[Slot, UUID] = {}
        self._released: set[Slot] = set()
        self._to_plan: dict[str, tuple[date, OpenMessage]] = {}
        #: What to ring right after the commit.
        self.rung: list[Ring] = []
        #: What was refused, for the log lines that follow the commit.
        self.refusals: list[dict[str, str | None]] = []

    def state(self, stream_id: UUID) -> Stream | None:
        """Return the stream as it stands now."""
        found = self._streams.get(stream_id)
        return found.state if found else None

    def wait(self, message_id: UUID) -> None:
        """Put a message that came early back to waiting."""
        self._waiting.append(message_id)

    def set_aside(self, message_id: UUID) -> None:
        """Let a message wait until its actor is resumed."""
        self._set_aside.append(message_id)

    def put_off(self, message_id: UUID) -> None:
        """Have a message come again a little later: it waits for what is paused, or for a call to open that it moves."""
        self._put_off.append(message_id)

    def settle(self, message: OpenMessage, outcome: str, rule: str | None, reason: str | None) -> None:
        """Settle a message with its *outcome*."""
        self._settled.append(Settlement(message.id, outcome, rule, reason))
        if outcome == "refused":
            self.refusals.append(
                {
                    "message_id": str(message.id),
                    "lead_id": str(message.stream_id),
                    "actor": message.actor_name,
                    "correlation_id": str(message.correlation_id),
                    "rule": rule,
                }
            )

    def advance(self, message: OpenMessage, before: Stream | None, after: Stream | None, recorded: Sequence[Recorded]) -> None:
        """Take *recorded* into the log and move the stream from *before* to *after*, its timers and slots included."""
        if after is None or not recorded:
            return
        known = self._streams.get(after.id)
        hash_ = known.hash if known else GENESIS
        for record in recorded:
            appended = events.chained(record, hash_)
            hash_ = appended.hash
            self._appended.append(appended)
            self._move_slots(record)
        self._streams[after.id] = self._changed[after.id] = Locked(after, hash_)
        self._move_timers(message, before, after)

    def _move_slots(self, record: Recorded) -> None:
        for slot in record.effects.released:
            if self._reserved.pop(slot, None) is None:
                self._released.add(slot)
        for slot in record.effects.reserved:
            self._reserved[slot] = record.stream_id

    def _move_timers(self, message: OpenMessage, before: Stream | None, after: Stream) -> None:
        """Settle the messages of timers that are armed no more, and stage those of newly armed ones."""
        ended, armed = moved_timers(timers_of(before), timers_of(after))
        for name, timer in ended.items():
            timer_id = timer_message_id(after.id, name, timer.armed_version)
            if timer_id != message.id:
                self._settled.append(Settlement(timer_id, "superseded", None, f"{name} is no longer armed"))
        for name, timer in armed.items():
            command = FireTimer(timer=name, armed_version=timer.armed_version)
            timer_id = timer_message_id(after.id, name, timer.armed_version)
            self._stage(timer_id, after.id, command, message, "clock", timer.due_at)

    def follow(self, message: OpenMessage, stream_id: UUID, commands: Sequence[Command], *, asked_by: str) -> None:
        """Stage *commands* for *stream_id*, caused by *message*, one after the other, so that none overtakes another.

        The first is due at once, each other one once the one before it is settled. What was to follow the message itself comes
        after them. All that a message asks of a stream is said in one call: its id is made of the two, so that it is staged
        once however often the message is delivered.

        Raises
        ------
        ValueError
            When something was staged for *stream_id* by *message* already.
        """
        rest = decode_commands(message.then) if message.then and stream_id == message.stream_id else []
        chain = [*commands, *rest]
        if chain:
            id_ = derived_id(message.id, stream_id, "then")
            if id_ in self._followed:
                raise ValueError(f"what follows message {message.id} on stream {stream_id} is staged already")
            self._followed.add(id_)
            self._stage(id_, stream_id, chain[0], message, asked_by, due_of(chain[0], self._now), then=chain[1:])

    def follow_each(self, message: OpenMessage, proposals: Iterable[tuple[UUID, Command]], *, asked_by: str) -> None:
        """Stage *proposals*, each a command with its stream, as `follow` does, and what was to follow the message itself."""
        chains: dict[UUID, list[Command]] = {message.stream_id: []}
        for stream_id, command in proposals:
            chains.setdefault(stream_id, []).append(command)
        for stream_id, commands in chains.items():
            self.follow(message, stream_id, commands, asked_by=asked_by)

    def _stage(
        self,
        id_: UUID,
        stream_id: UUID,
        command: Command,
        cause: OpenMessage,
        asked_by: str,
        due_at: datetime,
        *,
        then: Sequence[Command] = (),
    ) -> None:
        actor, rung = actor_name(command), due_at <= self._now
        self._staged.append(
            NewMessage(
                id=id_,
                stream_id=stream_id,
                actor_name=actor,
                body=canonical(command),
                asked_by=asked_by,
                correlation_id=cause.correlation_id,
                causation_id=cause.id,
                due_at=due_at,
                rung=rung,
                then=canonical(then) if then else None,
            )
        )
        if rung:
            self.rung.append(Ring(id_, stream_id, actor, cause.correlation_id, 1))

    def free_slots(
        self,
        lead: Lead,
        calendar: Calendar | None,
        capacity: Capacity,
        command: Command,
        colleague: Colleague | None = None,
    ) -> tuple[Slot, ...]:
        """Return the first free slot of each kind on each day that *command* may take. The reps are locked by now."""
        unwritten = partial(self._unwritten, lead.owner)
        return free_slots(lead, command, calendar, capacity, self._now, self._taken, colleague, unwritten)

    def _unwritten(self, owner: str) -> list[Lead]:
        """Return the leads of *owner* to whom a note is to be written, as they stand within the transaction."""
        known = {lead.id: lead for lead in leads.owned_leads(self._connection, owner, ("note_due",))}
        known |= {id_: each.state for id_, each in self._changed.items() if isinstance(each.state, Lead)}
        return [lead for lead in known.values() if lead.state == "note_due" and lead.owner == owner]

    def _taken(self, rep: str, days: set[date]) -> set[Slot]:
        return (slots.taken_on(self._connection, rep, days) - self._released) | self._reserved.keys()

    def plan_again(self, rep: str, day: date, cause: OpenMessage) -> None:
        """Have *day* of *rep* planned again after this transaction, if it is planned already and nothing is to plan it yet."""
        self._to_plan.setdefault(rep, (day, cause))

    def _stage_plans(self) -> None:
        """Stage one plan for each rep who needs one, however many leads there are to plan."""
        ids = [rep_id(name) for name in self._to_plan]
        waiting = plans.waiting(self._connection, ids, actor_name(PlanDay()), now=self._now)
        planned = plans.planned_days(self._connection, list(self._to_plan))
        for id_, (name, (day, cause)) in zip(ids, self._to_plan.items(), strict=True):
            # A plan that is at work at this moment does not see us, and whether it is the day's first is not known yet.
            if not waiting.get(id_) and (planned.get(name) == day or id_ in waiting):
                self._stage(derived_id(cause.id, id_, "plan"), id_, PlanDay(), cause, "planner", self._now)
        self.flush_messages()

    def flush_messages(self) -> None:
        """Write what was staged and settled so far, so that an erasure made next finds it."""
        messages.stage(self._connection, self._staged)
        messages.settle(self._connection, self._settled, worker=this_process())
        self._staged.clear()
        self._settled.clear()

    def write_streams(self) -> None:
        """Write the streams as they stand now, so that what is read next finds them."""
        changed = list(self._changed.values())
        slots.move(self._connection, reserved=list(self._reserved.items()), released=list(self._released))
        leads.save_leads(self._connection, [(c.state, c.hash) for c in changed if isinstance(c.state, Lead)])
        leads.save_reps(self._connection, [(c.state, c.hash) for c in changed if isinstance(c.state, Rep)])
        campaigns.save(self._connection, [(c.state, c.hash) for c in changed if isinstance(c.state, (Campaign, SalesEvent))])
        self._changed.clear()
        self._reserved.clear()
        self._released.clear()

    def write(self) -> None:
        """Write everything; the log comes last, because its head is locked until the commit."""
        self.write_streams()
        self.flush_messages()
        if self._to_plan:
            self._stage_plans()
        if self._waiting:
            rings.wait_until_due(self._connection, self._waiting)
        if self._set_aside:
            pauses.set_aside(self._connection, self._set_aside)
        for message_id in self._put_off:
            attempts.put_off(self._connection, message_id)
        if self._appended:
            events.append(self._connection, self._appended)
