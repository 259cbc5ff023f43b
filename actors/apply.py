"""The one transaction: lock, read, decide, append, project, stage, settle; for one message or for many at once.

Locks are always taken in the same order, so that nobody deadlocks: leads by id, reps by id, sales events and campaigns
by id, messages by id, and last, just before the commit, the head of the log.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from uuid import UUID

import msgspec
import structlog

from actors.batch import Batch
from actors.invitations import (
    NotForInvitationsError,
    looked_at,
    reps_of,
    seats_to_give_back,
    verdicts_beforehand,
    verdicts_on_letter,
)
from actors.library import Library
from actors.mail_checks import mail_verdicts
from actors.measures import is_measured, verdicts_on
from actors.personal import PersonalData
from actors.submit import Submission, stage
from models import campaigns, erasure, leads, messages, pauses, plans, wordings
from models.database import Connection, Engine, transaction
from models.leads import Locked
from models.messages import OpenMessage, Ring
from models.queues import read_queue
from models.rep_books import read_book
from workflows import horizon
from workflows.actor_names import BEGIN, DELIVERIES, LOOK_AT_THE_LOG, actor_name
from workflows.books import Book, playbooks_of
from workflows.calendars import Calendar
from workflows.campaign import Campaign
from workflows.campaign_commands import AnnounceEvent, EraseEventTexts, PlanCampaign
from workflows.capacity import Capacity
from workflows.commands import (
    AnyCommand,
    Command,
    ConfirmCutBait,
    EraseLead,
    MigratePlaybook,
    PlanDay,
    Reassign,
    RecordCall,
    RegisterLead,
    SetCalendar,
    decode_command,
)
from workflows.context import Context
from workflows.cover import Colleague, acting, colleague_of, who_covers
from workflows.events import Slot, Verdict
from workflows.handle import Carrier, Outcome, handle
from workflows.invitation_streams import Stream, begins, handle_invitations, is_for_invitations, notices
from workflows.lead import Lead, Rep
from workflows.merge_commands import MergeLead
from workflows.merge_events import OtherLead
from workflows.merging import other_lead, told
from workflows.playbooks import Playbook, pins_newest
from workflows.proposals import comes_in, gives_back, whose_slots
from workflows.rep import day_under_way, handle_rep, rep_id
from workflows.sales_event import SalesEvent
from workflows.slotting import takes_slots
from workflows.timers import timer_message_id
from workflows.wordings import Wording

log = structlog.get_logger()


#: The actor that registers leads: a plan waits until those of its own import are all there.
REGISTERS = "register"

#: The actor that plans a rep's day.
PLANS = actor_name(PlanDay())

#: The actors of all commands that may take slots (`workflows.slotting.takes_slots`).
TAKES_SLOTS = frozenset({
    "note_scheduled", "call_scheduled", "touch_scheduled", "call_rescheduled", "note_sent", "released", "reassigned",
})  # fmt: skip


class UnknownStreamError(Exception):
    """The message is for a lead or rep that is not known (yet); it is tried again later."""


class Applier:
    """Applies messages. One per process; safe to use from one thread at a time."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], *, postal_address: str = "") -> None:
        """Work on *engine*, by *clock*; mail has to carry *postal_address* (one line)."""
        self._engine = engine
        self._clock = clock
        self._library = Library()
        self._postal_address = postal_address

    def apply(self, rings: Sequence[Ring]) -> list[Ring]:
        """Apply the messages of *rings* in one transaction and return the rings that the commit made due.

        A message that is settled, gone, or not due yet does nothing; one of a paused actor is set aside. Those that talk to
        the world are not for here: see `begin`.

        Raises
        ------
        UnknownStreamError
            When a message's lead or rep is not known; nothing was applied.
        ModelError
            When PostgreSQL refused, failed or is away; nothing was applied, unless the connection broke at the commit, and
            then applying the same rings again finds out.
        """
        return self._run([ring for ring in rings if ring.actor_name not in DELIVERIES])

    def begin(self, ring: Ring) -> list[Ring]:
        """Decide the message of *ring*, which is to talk to the world. Where it may, that is recorded and it stays open: what
        came of the talk settles it. Otherwise it is settled here, or waits. Raises as `apply` does.
        """
        return self._run([ring])

    def rehearse(self, connection: Connection, submission: Submission) -> None:
        """Apply *submission* within the caller's transaction, which is to be rolled back; its row says what came of it."""
        rings = stage(connection, [submission], now=self._clock())
        _Apply(connection, self._library, self._clock(), rings, self._postal_address).run()

    def _run(self, rings: Sequence[Ring]) -> list[Ring]:
        with transaction(self._engine) as connection:
            pauses.wait_briefly_and_enter(connection)
            batch = _Apply(connection, self._library, self._clock(), rings, self._postal_address).run()
        for refusal in batch.refusals:
            log.info("command_refused", **refusal)
        return batch.rung


class _Apply:
    """One run of `Applier.apply`."""

    def __init__(
        self, connection: Connection, library: Library, now: datetime, rings: Sequence[Ring], postal_address: str = ""
    ) -> None:
        self._connection = connection
        self._library = library
        self._now = now
        self._rings = rings
        self._postal_address = postal_address
        self._proposed: set[str] = set()
        """Reps whose slots plans of this run are to take, once they are decided."""

    def run(self) -> Batch:
        locked_leads = leads.lock_leads(self._connection, list({ring.stream_id for ring in self._rings}))
        locked_reps = self._lock_reps(locked_leads)
        others = {ring.stream_id for ring in self._rings} - locked_leads.keys() - locked_reps.keys()
        locked_others = campaigns.lock(self._connection, list(others)) if others else {}
        batch = Batch(self._connection, self._now, {**locked_leads, **locked_reps, **locked_others})
        opened = messages.lock_open(self._connection, [ring.message_id for ring in self._rings])
        commands = {message.id: decode_command(message.body) for message in opened.values()}
        self._load(batch, opened, commands)
        self._personal = PersonalData(self._connection, opened, commands, self._now.date())
        self._reasons = [each.reason.document_id for each in commands.values() if isinstance(each, EraseEventTexts)]
        # Plans and audiences go first: they are made of what stands in the log, so nothing may have been changed here before.
        for ring in sorted(self._rings, key=lambda ring: ring.actor_name not in LOOK_AT_THE_LOG):
            message = opened.pop(ring.message_id, None)
            if message is not None and not self._personal.is_superseded(message.stream_id, commands[message.id]):
                if ring.actor_name == message.actor_name:
                    self._apply(batch, message, commands[message.id])
                else:
                    # What Redis said of it is not so, and locks were taken by that. The clock rings again, by the row.
                    log.warning("ring_misnamed", message_id=str(message.id), actor=message.actor_name, came_to=ring.actor_name)
        batch.write()
        return batch

    def _lock_reps(self, locked: Mapping[UUID, Locked[Lead]]) -> dict[UUID, Locked[Rep]]:
        """Lock the reps whose own messages these are, and those whose slots may be taken.

        Reps are locked before messages, so what a command says of slots is read before it is locked.
        """
        reps = {ring.stream_id for ring in self._rings if ring.stream_id not in locked and ring.actor_name not in BEGIN}
        planning = [ring.message_id for ring in self._rings if ring.actor_name in TAKES_SLOTS and ring.stream_id in locked]
        names = self._who_calls_for([ring.stream_id for ring in self._rings if ring.actor_name == PLANS])
        for message in messages.read_open(self._connection, planning).values() if planning else ():
            command = decode_command(message.body)
            if takes_slots(command):
                lead = locked[message.stream_id].state
                names.add(command.owner if isinstance(command, Reassign) else acting(lead, command))
                names |= {colleague} if (colleague := colleague_of(lead, command)) else set()
        return leads.lock_reps(self._connection, ids=list(reps), names=list(names)) if reps or names else {}

    def _who_calls_for(self, planned: Sequence[UUID]) -> set[str]:
        """Return who is to make the calls that plans of today promise, of those of *planned* that are reps.

        A plan spends the days of both. So both are locked with one another, and of two plans of one moment the second one sees
        what the first is to take.
        """
        names = leads.rep_names(self._connection, planned) if planned else []
        if not names:
            return set()
        self._library.load(self._connection, newest=(), digests=(), reps=names)
        days = [(self._library.calendar(name), self._library.followed(name)) for name in names]
        found = (
            who_covers(calendar, followed.capacity, horizon.local_day(calendar, self._now))
            for calendar, followed in days
            if calendar and followed
        )
        return {name for name in found if name}

    def _load(self, batch: Batch, opened: Mapping[UUID, OpenMessage], commands: Mapping[UUID, AnyCommand]) -> None:
        """Fetch what the decisions will use and the streams do not hold: playbooks and calendars."""
        newest = {
            c.playbook for c in commands.values() if isinstance(c, (RegisterLead, SetCalendar, AnnounceEvent, PlanCampaign))
        }
        owners, planned = set[str](), set[str]()
        digests = {c.digest for c in commands.values() if isinstance(c, SetCalendar) and c.digest}
        for message in opened.values():
            state, command = batch.state(message.stream_id), commands[message.id]
            if isinstance(state, Lead):
                owners |= {state.owner, acting(state, command), colleague_of(state, command) or state.owner}
                if isinstance(command, MigratePlaybook):
                    digests.add(command.digest)
                if state.playbook:
                    newest |= {state.playbook.id} if pins_newest(command) else set()
                    digests.add(state.playbook.digest)
            elif isinstance(state, Rep):
                owners.add(state.name)
                planned |= set() if isinstance(command, SetCalendar) else {state.name}
                digests |= {state.playbook.digest} if state.playbook else set()
            elif isinstance(state, (Campaign, SalesEvent)):
                owners |= set(reps_of(state)) if isinstance(state, Campaign) else set()
                digests |= {state.playbook.digest} if state.playbook else set()
            if isinstance(command, (RegisterLead, Reassign)):
                owners.add(command.owner)
        self._library.load(self._connection, newest=newest, digests=digests, reps=owners)
        covering = self._covering(planned)
        if not covering <= owners:
            self._library.load(self._connection, newest=newest, digests=digests, reps=owners | covering)

    def _covering(self, reps: Iterable[str]) -> set[str]:
        """Return who may have to call instead of *reps* by what plans of today promise."""
        calendars = [calendar for rep in reps if (calendar := self._library.calendar(rep))]
        return {
            absence.cover
            for calendar in calendars
            for absence in calendar.absences
            if absence.cover and absence.last >= horizon.local_day(calendar, self._now)
        }

    def _apply(self, batch: Batch, message: OpenMessage, command: AnyCommand) -> None:
        if message.paused:
            batch.set_aside(message.id)
            return
        if message.due_at > self._now:
            batch.wait(message.id)
            return
        carrier = Carrier(
            message_id=message.id,
            stream_id=message.stream_id,
            actor=message.asked_by,
            correlation_id=message.correlation_id,
            causation_id=message.causation_id,
            recorded_at=self._now,
        )
        state = batch.state(message.stream_id)
        if isinstance(state, Rep) or isinstance(command, SetCalendar):
            self._apply_to_rep(batch, message, state if isinstance(state, Rep) else None, command, carrier)
        elif isinstance(state, (Campaign, SalesEvent)) or is_for_invitations(command):
            self._apply_to_invitations(batch, message, None if isinstance(state, Lead) else state, command, carrier)
        else:
            self._apply_to_lead(batch, message, state, command, carrier)

    def _apply_to_lead(
        self, batch: Batch, message: OpenMessage, lead: Lead | None, command: AnyCommand, carrier: Carrier
    ) -> None:
        playbook = self._playbook(lead, command)
        owner = lead.owner if lead else command.owner if isinstance(command, RegisterLead) else None
        if playbook is None or owner is None:
            self._wait_for_lead(batch, message)
            return
        by = acting(lead, command) if lead else owner
        calendar = self._library.calendar(by)
        followed = self._library.followed(command.owner if isinstance(command, Reassign) else by)
        colleague = self._library.colleague(colleague_of(lead, command)) if lead else None
        capacity = (followed or playbook).capacity
        goes_to = self._library.goes_to(self._connection, playbook) if isinstance(command, RecordCall) else None
        free = batch.free_slots(lead, calendar, capacity, command, colleague) if lead else ()
        if isinstance(command, EraseLead):
            batch.flush_messages()
        context = Context(
            now=self._now,
            actor=message.asked_by,
            calendar=calendar,
            playbook=playbook,
            followed=followed,
            colleague=colleague,
            leaving=self._library.by_digest(lead.playbook.digest) if lead and lead.playbook else None,
            goes_to=goes_to.pin if goes_to else None,
            free=free,
            verdicts=(
                *self._verdicts(lead, command, playbook, capacity, calendar, colleague, free),
                *self._personal.verdicts(message.stream_id, command),
            ),
            holdings=self._personal.erase(lead, command, message.id),
            queue=read_queue(self._connection, lead.owner, self._now, playbook.importance.high_from)
            if lead and isinstance(command, ConfirmCutBait)
            else None,
            wording={"phrases": self._phrases.digest} if lead and self._measured(command) else msgspec.UNSET,
            into=self._other(batch, command.into) if isinstance(command, MergeLead) else None,
        )
        outcome = handle(lead, command, context, carrier)
        if outcome.answer == "unknown_lead":
            self._wait_for_lead(batch, message)
            return
        if outcome.answer == "too_early" and outcome.due_at and outcome.due_at > self._now:
            batch.wait(message.id)
            return
        if outcome.answer == "too_early":
            if self._opens(lead):
                batch.put_off(message.id)
                return
            # Nobody knows when the call opens, if ever: whoever plans must not wait for this.
            outcome = Outcome(answer="superseded", lead=lead, rule="superseded", reason="the call did not open")
        batch.advance(message, lead, outcome.lead, outcome.recorded)
        self._personal.record(outcome.recorded)
        batch.follow(message, message.stream_id, outcome.follow_ups, asked_by=message.asked_by)
        after = outcome.lead
        if after and (comes_in(lead, after, playbook, self._now) or gives_back(after, outcome.recorded)):
            calendar = self._library.calendar(after.owner)
            day = day_under_way(calendar, self._now) if calendar else None
            if day:
                batch.plan_again(after.owner, day, message)
        self._tell_others(batch, message, command, outcome)
        if outcome.answer != "applied" or message.actor_name not in DELIVERIES:
            batch.settle(message, outcome.answer, outcome.rule, outcome.reason)

    def _opens(self, lead: Lead | None) -> bool:
        """Tell whether the call of *lead* is about to open."""
        timer = lead.timers.get("call_after_note") if lead else None
        if lead is None or timer is None:
            return False
        return plans.still_to_come(self._connection, timer_message_id(lead.id, "call_after_note", timer.armed_version))

    def _measured(self, command: AnyCommand) -> bool:
        return is_measured(command, self._personal.words)

    @cached_property
    def _phrases(self) -> Wording:
        """Return the phrase lists in force, the same for the whole run."""
        return wordings.latest(self._connection, "phrases")

    def _other(self, batch: Batch, lead_id: UUID) -> OtherLead:
        """Return what is known of a lead into which another is to be merged. It is not locked: see `workflows.merging`."""
        known = batch.state(lead_id)
        return other_lead(known if isinstance(known, Lead) else leads.find_lead(self._connection, lead_id))

    def _tell_others(self, batch: Batch, message: OpenMessage, command: AnyCommand, outcome: Outcome) -> None:
        merged = told(command, outcome.lead, outcome.recorded, outcome.rule)
        chains: dict[UUID, list[Command]] = {}
        for stream_id, notice in (*notices(message.stream_id, command, outcome.answer, outcome.rule), *merged):
            chains.setdefault(stream_id, []).append(notice)
        for stream_id, chain in chains.items():
            batch.follow(message, stream_id, chain, asked_by=message.asked_by)
        if self._personal.objected(outcome.recorded):
            batch.write_streams()
            for event_id, back in seats_to_give_back(self._connection, self._now):
                batch.follow(message, event_id, back, asked_by=message.asked_by)

    def _verdicts(
        self,
        lead: Lead | None,
        command: AnyCommand,
        playbook: Playbook,
        capacity: Capacity,
        calendar: Calendar | None,
        colleague: Colleague | None,
        free: Collection[Slot],
    ) -> tuple[Verdict, ...]:
        if lead is None:
            return ()
        words = self._personal.words
        looked = (lead, command, words, playbook, capacity, calendar, self._now)
        return (
            *(verdicts_on(self._connection, *looked, self._phrases, colleague, free) if self._measured(command) else ()),
            *verdicts_on_letter(self._connection, lead, command, words, self._library, self._now),
            *mail_verdicts(words, command, self._postal_address),
        )

    def _apply_to_rep(self, batch: Batch, message: OpenMessage, rep: Rep | None, command: AnyCommand, carrier: Carrier) -> None:
        playbook = self._playbook(rep, command)
        calendar = self._library.calendar(rep.name) if rep else None
        if playbook is None:
            raise UnknownStreamError(f"rep {message.stream_id} is not known (yet)")
        if isinstance(command, SetCalendar) and message.stream_id != rep_id(command.rep):
            raise UnknownStreamError(f"the calendar of {command.rep} was sent to another stream")
        book = Book()
        if rep and calendar and not isinstance(command, SetCalendar):
            today = horizon.local_day(calendar, self._now)
            colleague = self._library.colleague(who_covers(calendar, playbook.capacity, today))
            # Reps are locked by who was to cover just before. By a calendar that came in between it may be somebody else.
            is_unlocked = colleague is not None and batch.state(rep_id(colleague.name)) is None
            looked_at = (rep.name, *([colleague.name] if colleague else ()))
            if is_unlocked or any(self._in_motion(name, message) for name in looked_at):
                batch.wait(message.id)
                return
            if plans.promises_coming_due(self._connection, rep.name, now=self._now):
                batch.put_off(message.id)  # they are paused
                return
            book = read_book(self._connection, rep.name, today, colleague)
            hours = self._library.contact_hours(self._connection, playbooks_of(book))
            book = msgspec.structs.replace(book, contact_hours=hours)
        outcome = handle_rep(rep, command, now=self._now, calendar=calendar, playbook=playbook, book=book, carrier=carrier)
        if outcome.answer == "too_early":
            batch.wait(message.id)
            return
        if isinstance(command, SetCalendar) and outcome.answer == "applied":
            self._library.save_calendar(self._connection, command)
        batch.advance(message, rep, outcome.rep, outcome.recorded)
        if rep:
            self._proposed |= whose_slots(rep.name, outcome.proposals)
        batch.follow_each(message, [(each.lead_id, each.command) for each in outcome.proposals], asked_by="planner")
        batch.settle(message, outcome.answer, outcome.rule, outcome.reason)

    def _in_motion(self, rep: str, message: OpenMessage) -> bool:
        """Tell whether something is about to change the book of *rep*, so that a plan by *message* that looks at it is to wait.

        After downtime, calls come due late: a plan that did not see them would plan past capacity. In an import, leads come one
        after the other: a plan in between would choose among the first ones only. What an earlier plan proposed is taken when
        it is decided.
        """
        return rep in self._proposed or plans.in_motion(self._connection, rep, message.correlation_id, REGISTERS, now=self._now)

    def _apply_to_invitations(
        self, batch: Batch, message: OpenMessage, state: Campaign | SalesEvent | None, command: AnyCommand, carrier: Carrier
    ) -> None:
        playbook = self._playbook(state, command)
        if playbook is None or begins(command) not in (None, message.stream_id):
            raise UnknownStreamError(f"{message.stream_id} is no campaign and no sales event that is known (yet)")
        try:
            looked = looked_at(self._connection, state, command, playbook, self._library, self._now, self._reasons)
        except NotForInvitationsError as error:
            batch.follow_each(message, (), asked_by=message.asked_by)
            batch.settle(message, "refused", "invitation_playbook", str(error))
            return
        verdicts = verdicts_beforehand(self._connection, command, looked, self._postal_address)
        outcome = handle_invitations(state, command, playbook=playbook, looked=looked, verdicts=verdicts, carrier=carrier)
        if outcome.answer == "too_early":
            batch.wait(message.id)
            return
        batch.advance(message, state, outcome.state, outcome.recorded)
        if isinstance(command, EraseEventTexts) and outcome.answer == "applied":
            erasure.remove_texts(self._connection, message.stream_id, but=self._reasons)
        batch.follow_each(message, outcome.proposals, asked_by=message.asked_by)
        batch.settle(message, outcome.answer, outcome.rule, outcome.reason)

    def _wait_for_lead(self, batch: Batch, message: OpenMessage) -> None:
        """Put a message off whose lead cannot become known now, because that is paused; otherwise it has failed."""
        if not pauses.is_paused(self._connection, REGISTERS):
            raise UnknownStreamError(f"lead {message.stream_id} is not known (yet)")
        batch.put_off(message.id)

    def _playbook(self, state: Stream | None, command: AnyCommand) -> Playbook | None:
        if isinstance(command, SetCalendar):
            return self._library.meant(command)
        if isinstance(command, RegisterLead) or (state is None and isinstance(command, (AnnounceEvent, PlanCampaign))):
            return self._library.newest(command.playbook)
        if state is None or state.playbook is None:
            return None
        if pins_newest(command):
            return self._library.newest(state.playbook.id)
        if isinstance(command, MigratePlaybook):
            return self._library.entered(command)
        return self._library.by_digest(state.playbook.digest)
