"""A service in memory: streams, slots and messages on a clock that its caller drives, with the real decisions and plans.

It does what a single worker and a single clock do (`actors.apply`, `actors.batch`, `models.messages.claim_due`), message by
message and in their order, so that ids, events and their bytes come out as they would in PostgreSQL;
``tests/actors/test_simulation.py`` holds it to that. Left out is what can go wrong there: processes that die, messages that are
lost or doubled, and two workers at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from heapq import heappop, heappush
from uuid import UUID

import msgspec

from workflows import horizon
from workflows.actor_names import FOR_REPS, actor_name
from workflows.books import Book, Books, playbooks_of
from workflows.calendars import Calendar
from workflows.codec import derived_id
from workflows.command import due_of
from workflows.commands import (
    Command,
    ConfirmCutBait,
    FireTimer,
    MigratePlaybook,
    PlanDay,
    Reassign,
    RegisterLead,
    ScheduleNote,
    SetCalendar,
)
from workflows.context import Context
from workflows.cover import Colleague, acting, colleague_of, who_covers
from workflows.cut_bait import owed_of, queue_of, room_of
from workflows.events import CalendarFrozen, PlaybookPin, Recorded, Used, Verdict
from workflows.handle import Carrier, asks_the_list, handle
from workflows.layers import merged
from workflows.lead import Lead, Rep, State, Timer
from workflows.limits import Layers
from workflows.mail_commands import SendMail
from workflows.merge_commands import MergeLead
from workflows.merging import other_lead, told
from workflows.playbooks import Playbook, pins_newest
from workflows.proposals import comes_in, gives_back, whose_slots
from workflows.pursuit_facts import Queue
from workflows.rederive import given_verdicts
from workflows.rep import day_under_way, fold_rep, handle_rep, rep_id
from workflows.slotting import free_slots
from workflows.suppression import verdict
from workflows.timers import fires, moved_timers, timer_message_id

#: The states of leads with which a decision on a card compares.
_COMPARED: frozenset[State] = frozenset({"queued", "no_response", "call_due"})


class SimulationError(Exception):
    """A command names a lead, rep or playbook that the simulation does not know."""


class Message(msgspec.Struct, kw_only=True):
    """A message and what became of it."""

    id: UUID
    stream_id: UUID
    command: Command
    asked_by: str
    correlation_id: UUID
    causation_id: UUID | None
    due_at: datetime
    then: tuple[Command, ...] = ()
    """To be staged on the same stream once this one is settled, one after the other."""
    used: Used | None = None
    """What a recorded decision on the same command used: its verdicts and holdings are taken from there."""
    outcome: str | None = None
    """``applied``, ``refused`` or ``superseded``; None while it waits."""
    rule: str | None = None
    reason: str | None = None


class Simulation:
    """One service. *watch* is told of each event as it is recorded, in the order of the log."""

    def __init__(
        self, now: datetime, playbooks: Iterable[Playbook] = (), watch: Callable[[Recorded], None] = lambda _: None
    ) -> None:
        self.now = now
        self.books = Books()
        self.reps: dict[str, Rep] = {}
        self.messages: dict[UUID, Message] = {}
        self._watch = watch
        self._newest: dict[str, Playbook] = {}
        self._instead: Mapping[str, Playbook] = {}
        """By id: those that `resume` put in the place of others."""
        self._published: dict[str, Playbook] = {}
        self._calendars: dict[str, Calendar] = {}
        self._rep_names: dict[UUID, str] = {}
        self._rung: list[Message] = []
        """Due and not claimed by the clock: in the order in which they were staged."""
        self._waiting: list[tuple[datetime, UUID]] = []
        self._forgotten: set[UUID] = set()
        self._shown: tuple[Lead, ...] = ()
        """The leads that waited when the present round began, for decisions that compare with them."""
        self._committed = 0
        """The position of the log when the present round, as it were one transaction, began."""
        self._round: list[Message] = []
        self._proposed: set[str] = set()
        """Reps whose slots plans of the present round are to take, once they are decided."""
        self._to_plan: dict[str, tuple[date, Message]] = {}
        """Reps whose day is to be planned again after the present round, and for whose sake."""
        for playbook in playbooks:
            self.publish(playbook)

    def publish(self, playbook: Playbook) -> None:
        """Publish a version, which is then the newest of its playbook."""
        self._newest[playbook.id] = self._published[playbook.pin.digest] = playbook

    def know(self, playbook: Playbook) -> None:
        """Let leads be sent to a version that is not the newest of its playbook for anybody else."""
        self._published.setdefault(playbook.pin.digest, playbook)

    def pinned(self, lead: Lead) -> Playbook | None:
        """Return the playbook that a lead pins."""
        return self._published[lead.playbook.digest] if lead.playbook else None

    def calendar(self, rep: str) -> Calendar | None:
        """Return the calendar in force of *rep*."""
        return self._calendars.get(rep)

    def lead(self, lead_id: UUID) -> Lead:
        """Return a lead as it stands.

        Raises
        ------
        SimulationError
            When it is not known.
        """
        try:
            return self.books.leads[lead_id]
        except KeyError:
            raise SimulationError(f"lead {lead_id} is not known") from None

    def submit(
        self,
        id_: UUID,
        stream_id: UUID,
        command: Command,
        *,
        asked_by: str,
        then: Sequence[Command] = (),
        used: Used | None = None,
    ) -> Message:
        """Accept a command, due now. The same *id_* again is answered with what became of the first."""
        message = _caused(id_, stream_id, command, asked_by, self.now, None, then=tuple(then))
        message.used = used
        self._stage(message)
        return self.messages[id_]

    def next_due(self) -> datetime | None:
        """Return when the next message is due, None when none waits."""
        if self._rung:
            return self.now
        while self._waiting and self.messages[self._waiting[0][1]].outcome is not None:
            heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None

    def run_until(self, moment: datetime) -> None:
        """Apply each message when it is due, up to *moment*, and stand there."""
        while (due := self.next_due()) is not None and due <= moment:
            self.move(max(self.now, due))
        self.now = max(self.now, moment)

    def move(self, moment: datetime) -> None:
        """Set the time to *moment* and apply all that is due by then, follow-ups included."""
        self.now = moment
        while rung := self._rung or self._claim():
            self._rung, self._committed = [], self.books.position
            if any(isinstance(message.command, ConfirmCutBait) for message in rung):
                self._shown = tuple(lead for lead in self.books.leads.values() if lead.state in _COMPARED)
            self._proposed.clear()
            # As in `actors.apply`: those of reps go first, so that a plan is made of what stands in the log.
            self._round = sorted(rung, key=lambda message: actor_name(message.command) not in FOR_REPS)
            for message in self._round:
                if message.outcome is None:
                    self._apply(message)
            self._stage_plans()

    def forget(self, lead_id: UUID) -> None:
        """Take a lead out: its messages do nothing any more, and no plan sees it; the slots that it has stay taken."""
        self.books.drop(lead_id)
        self._forgotten.add(lead_id)

    def take(self, recorded: Recorded) -> None:
        """Take in an event of a log that is to be gone on with; see `resume`.

        Raises
        ------
        FoldError, ValueError
            When it does not follow from those before it.
        """
        self.books.take(recorded)
        if recorded.state == "rep":
            rep = fold_rep(self.reps.get(self._rep_names.get(recorded.stream_id, "")), recorded)
            self.reps[rep.name], self._rep_names[rep.id] = rep, rep.name
            if isinstance(recorded.data, CalendarFrozen):
                self._calendars[rep.name] = recorded.data.calendar
        self.now = max(self.now, recorded.recorded_at)

    def resume(self, playbooks: Mapping[str, Playbook]) -> None:
        """Go on from what was taken in: timers run, and leads and reps pin *playbooks* instead of those with the same ids.

        Where a team or a rep does something otherwise than one of them, it does so from here on too.
        """
        self._instead = playbooks
        for playbook in playbooks.values():
            self.publish(playbook)
        for lead in list(self.books.leads.values()):
            if lead.playbook and lead.playbook.id in playbooks:
                self.books.put(msgspec.structs.replace(lead, playbook=playbooks[lead.playbook.id].pin))
            self._arm(lead.id, lead.timers)
        for rep in list(self.reps.values()):
            if rep.playbook and rep.playbook.id in playbooks:
                self.reps[rep.name] = msgspec.structs.replace(rep, playbook=playbooks[rep.playbook.id].pin)
            elif rep.playbook and rep.layers and rep.layers.base in playbooks:
                made = self._layered(rep.playbook.id, rep.layers)
                self.reps[rep.name] = msgspec.structs.replace(rep, playbook=made.pin)
            self._arm(rep.id, rep.timers)

    def _claim(self) -> list[Message]:
        claimed = []
        while self._waiting and self._waiting[0][0] <= self.now:
            message = self.messages[heappop(self._waiting)[1]]
            if message.outcome is None:
                claimed.append(message)
        return claimed

    def _stage(self, message: Message) -> None:
        if message.id not in self.messages:
            self.messages[message.id] = message
            if message.due_at <= self.now:
                self._rung.append(message)
            else:
                self._wait(message)

    def _wait(self, message: Message) -> None:
        heappush(self._waiting, (message.due_at, message.id))

    def _apply(self, message: Message) -> None:
        if message.stream_id in self._forgotten:
            message.outcome = "superseded"
            return
        carrier = Carrier(
            message_id=message.id,
            stream_id=message.stream_id,
            actor=message.asked_by,
            correlation_id=message.correlation_id,
            causation_id=message.causation_id,
            recorded_at=self.now,
        )
        rep = self._rep_names.get(message.stream_id)
        if rep is not None or isinstance(message.command, SetCalendar):
            self._apply_to_rep(message, self.reps[rep] if rep else None, carrier)
        else:
            self._apply_to_lead(message, self.books.leads.get(message.stream_id), carrier)

    def _apply_to_lead(self, message: Message, lead: Lead | None, carrier: Carrier) -> None:
        command = message.command
        if isinstance(command, SendMail) and message.used is None:
            # It stays open: there is no server here that could say what came of it. Of a recorded one the log says it.
            return
        owner = lead.owner if lead else command.owner if isinstance(command, RegisterLead) else None
        if owner is None:
            raise SimulationError(f"lead {message.stream_id} is not known")
        playbook = self._playbook(lead, command)
        by = acting(lead, command) if lead else owner
        calendar = self._calendars.get(by)
        rep = self.reps.get(command.owner if isinstance(command, Reassign) else by)
        followed = self._published.get(rep.playbook.digest) if rep and rep.playbook else None
        capacity = (followed or playbook).capacity
        colleague = self._colleague(colleague_of(lead, command)) if lead else None
        unwritten = partial(self.books.standing, owner, "note_due")
        free = free_slots(lead, command, calendar, capacity, self.now, self.books.taken, colleague, unwritten) if lead else ()
        context = Context(
            now=self.now,
            actor=message.asked_by,
            calendar=calendar,
            playbook=playbook,
            followed=followed,
            colleague=colleague,
            leaving=self._published.get(lead.playbook.digest) if lead and lead.playbook else None,
            goes_to=self._goes_to(playbook),
            free=free,
            verdicts=_verdicts(message),
            holdings=(message.used.holdings or None) if message.used else None,
            queue=self._queue(message, owner, playbook),
            asked=message.used.asked if message.used else None,
            wording=message.used.wording if message.used else msgspec.UNSET,
            into=other_lead(self.books.leads.get(command.into)) if isinstance(command, MergeLead) else None,
        )
        outcome = handle(lead, command, context, carrier)  # type: ignore[arg-type]  # every command class is of AnyCommand
        if outcome.answer == "too_early":
            self._wait(message)
            return
        if outcome.lead is not None and outcome.recorded:
            self.books.put(outcome.lead)
            self._move_timers(message, lead.timers if lead else {}, outcome.lead)
        self._record(outcome.recorded)
        self._follow(message, message.stream_id, outcome.follow_ups, asked_by=message.asked_by)
        chains: dict[UUID, list[Command]] = {}
        for stream_id, notice in told(command, outcome.lead, outcome.recorded, outcome.rule):
            chains.setdefault(stream_id, []).append(notice)
        for stream_id, chain in chains.items():
            self._follow(message, stream_id, tuple(chain), asked_by=message.asked_by)
        after = outcome.lead
        if after and (comes_in(lead, after, playbook, self.now) or gives_back(after, outcome.recorded)):
            owner = after.owner
            day = day_under_way(self._calendars[owner], self.now) if owner in self._calendars else None
            if day:
                self._to_plan.setdefault(owner, (day, message))
        message.outcome, message.rule, message.reason = outcome.answer, outcome.rule, outcome.reason

    def _colleague(self, name: str | None) -> Colleague | None:
        rep, calendar = (self.reps.get(name), self._calendars.get(name)) if name else (None, None)
        if rep is None or rep.playbook is None or calendar is None:
            return None
        return Colleague.of(rep.name, calendar, self._published[rep.playbook.digest])

    def _queue(self, message: Message, owner: str, playbook: Playbook) -> Queue | None:
        """Return the queue that a decision on a card compares with: what was shown at the time, if it was taken then."""
        if not isinstance(message.command, ConfirmCutBait):
            return None
        shown = message.used.queue if message.used else None
        rep = self.reps.get(owner)
        followed = self._published.get(rep.playbook.digest) if rep and rep.playbook else None
        queued = [lead for lead in self._shown if lead.state == "queued"]
        own = [lead for lead in self._shown if lead.owner == owner]
        owed = owed_of([lead for lead in own if lead.state == "no_response"], self._published, self.now)
        room = room_of([lead for lead in own if lead.state == "call_due"], followed) if followed else msgspec.UNSET
        return shown or queue_of(queued, owner, self._committed, playbook, owed if followed else msgspec.UNSET, room)

    def _apply_to_rep(self, message: Message, rep: Rep | None, carrier: Carrier) -> None:
        command = message.command
        if isinstance(command, SetCalendar) and message.stream_id != rep_id(command.rep):
            raise SimulationError(f"the calendar of {command.rep} was sent to another stream")
        playbook = self._playbook(rep, command)
        calendar = self._calendars.get(rep.name) if rep else None
        book = Book()
        if rep and calendar and not isinstance(command, SetCalendar):
            today = horizon.local_day(calendar, self.now)
            colleague = self._colleague(who_covers(calendar, playbook.capacity, today))
            looked_at = (rep.name, *([colleague.name] if colleague else ()))
            if any(name in self._proposed or self._in_motion(name, message.correlation_id) for name in looked_at):
                self._wait(message)
                return
            book = self.books.book(rep.name, today, colleague)
            hours = {digest: self._published[digest].contact_hours for digest in playbooks_of(book)}
            book = msgspec.structs.replace(book, position=self._committed, contact_hours=hours)
        outcome = handle_rep(rep, command, now=self.now, calendar=calendar, playbook=playbook, book=book, carrier=carrier)
        if outcome.answer == "too_early":
            self._wait(message)
            return
        if isinstance(command, SetCalendar):
            self._calendars[command.rep] = command.calendar
        if outcome.rep is not None and outcome.recorded:
            self._rep_names[outcome.rep.id] = outcome.rep.name
            self.reps[outcome.rep.name] = outcome.rep
            self._move_timers(message, rep.timers if rep else {}, outcome.rep)
        self._record(outcome.recorded)
        if rep:
            self._proposed |= whose_slots(rep.name, outcome.proposals)
        for proposal in outcome.proposals:
            self._follow(message, proposal.lead_id, (proposal.command,), asked_by="planner")
        message.outcome, message.rule, message.reason = outcome.answer, outcome.rule, outcome.reason

    def _playbook(self, state: Lead | Rep | None, command: Command) -> Playbook:
        if isinstance(command, SetCalendar) and command.layers and command.layers.base in self._instead:
            return self._layered(command.playbook, command.layers)
        if isinstance(command, SetCalendar) and command.digest and command.playbook not in self._instead:
            return self._published[command.digest]
        newest = command.playbook if isinstance(command, (RegisterLead, SetCalendar)) else None
        if state and state.playbook and newest is None:
            if isinstance(command, MigratePlaybook):
                return self._published[command.digest]
            if not pins_newest(command):
                return self._published[state.playbook.digest]
            newest = state.playbook.id
        if newest not in self._newest:
            raise SimulationError(f"no playbook called {newest} is published")
        return self._newest[newest]

    def _layered(self, id_: str, layers: Layers) -> Playbook:
        """Publish what *layers* make of the playbook that is in force instead of the one below them."""
        base = self._instead[layers.base]
        made = merged(base, layers, playbook_id=id_, version=base.version)
        self.publish(made)
        return made

    def _goes_to(self, playbook: Playbook) -> PlaybookPin | None:
        named = playbook.on_no_response.goto
        if named is None:
            return None
        for pin in (each.pin for each in self._published.values()):
            if named == f"{pin.id}@{pin.version}":
                return pin
        raise SimulationError(f"{playbook.id} goes to {named}, which is not published")

    def _in_motion(self, rep: str, correlation_id: UUID) -> bool:
        """Tell whether messages are due that will change the book of *rep*; see `models.plans.in_motion`."""
        for message in (*self._round, *self._due()):
            if message.outcome is None:
                lead = self.books.leads.get(message.stream_id)
                registers = isinstance(message.command, RegisterLead) and message.correlation_id == correlation_id
                planned = isinstance(message.command, ScheduleNote) and message.command.call_by == rep
                if registers or planned or (lead is not None and rep in (lead.owner, lead.call_by)):
                    return True
        return False

    def _due(self) -> Iterator[Message]:
        """Yield what waits and is due, in no order; a heap's later ones lie below those that are not due yet."""
        look_at = [0]
        while look_at:
            index = look_at.pop()
            if index < len(self._waiting) and self._waiting[index][0] <= self.now:
                yield self.messages[self._waiting[index][1]]
                look_at += [2 * index + 1, 2 * index + 2]

    def _stage_plans(self) -> None:
        """Stage one plan for each rep who needs one, however many leads there are to plan; see `actors.batch`."""
        plans = actor_name(PlanDay())
        waiting = {m.stream_id for m in (*self._rung, *self._due()) if m.outcome is None and actor_name(m.command) == plans}
        for name, (day, cause) in self._to_plan.items():
            id_ = rep_id(name)
            if id_ not in waiting and name in self.reps and self.reps[name].planned_on == day:
                self._stage(_caused(derived_id(cause.id, id_, "plan"), id_, PlanDay(), "planner", self.now, cause))
        self._to_plan.clear()

    def _move_timers(self, message: Message, before: Mapping[str, Timer], after: Lead | Rep) -> None:
        ended, armed = moved_timers(before, after.timers)
        for name, timer in ended.items():
            old = self.messages.get(timer_message_id(after.id, name, timer.armed_version))
            if old is not None and old is not message and old.outcome is None:
                old.outcome, old.reason = "superseded", f"{name} is no longer armed"
        self._arm(after.id, armed, message)

    def _arm(self, stream_id: UUID, timers: Mapping[str, Timer], cause: Message | None = None) -> None:
        for name, timer in timers.items():
            if fires(name):
                id_ = timer_message_id(stream_id, name, timer.armed_version)
                command = FireTimer(timer=name, armed_version=timer.armed_version)
                self._stage(_caused(id_, stream_id, command, "clock", timer.due_at, cause))

    def _follow(self, message: Message, stream_id: UUID, commands: Sequence[Command], *, asked_by: str) -> None:
        chain = (*commands, *(message.then if stream_id == message.stream_id else ()))
        if chain:
            id_ = derived_id(message.id, stream_id, "then")
            due_at = due_of(chain[0], self.now)
            self._stage(_caused(id_, stream_id, chain[0], asked_by, due_at, message, then=chain[1:]))

    def _record(self, recorded: Iterable[Recorded]) -> None:
        for each in recorded:
            self.books.record(each)
            self._watch(each)


def _caused(
    id_: UUID,
    stream_id: UUID,
    command: Command,
    asked_by: str,
    due_at: datetime,
    cause: Message | None,
    *,
    then: tuple[Command, ...] = (),
) -> Message:
    """Return a message that *cause* stages; None for one that nothing in the service caused."""
    return Message(
        id=id_,
        stream_id=stream_id,
        command=command,
        asked_by=asked_by,
        correlation_id=cause.correlation_id if cause else id_,
        causation_id=cause.id if cause else None,
        due_at=due_at,
        then=then,
    )


def _verdicts(message: Message) -> tuple[Verdict, ...]:
    if message.used is not None:
        return tuple(given_verdicts(message.used.verdicts))
    # Nobody is on the suppression list here, and no text is read.
    return (verdict(()),) if asks_the_list(message.command) else ()
