"""What a decision looks at, and the answers that it can give."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec

from workflows import horizon
from workflows.calendars import Calendar
from workflows.capacity import Capacity
from workflows.commands import AnyCommand, Command, Slug
from workflows.cover import Colleague, acting
from workflows.events import AnyEvent, Effects, Holdings, PlaybookPin, Scalar, Slot, SlotKind, Verdict
from workflows.law_facts import LawUsed
from workflows.lead import Lead, State
from workflows.merge_events import OtherLead
from workflows.playbooks import Playbook
from workflows.pursuit_facts import Queue


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision uses and that the lead's own history does not hold."""

    now: datetime
    actor: str
    """Who asks: ``rep:dan``, ``manager:ann``, ``crm``, ``planner``, ``clock``, ``import``."""
    calendar: Calendar | None
    """The owner's, or that of a colleague about whose call the command is; None when the rep has none yet, and then weekends
    are all that is known of the working days."""
    playbook: Playbook
    followed: Playbook | None = None
    """The playbook that the rep's days follow, whose capacity binds, whatever the lead's own says; None when the rep has none:
    then it is the lead's."""
    colleague: Colleague | None = None
    """Who makes the call of a note that is scheduled or sent, when the owner does not."""
    leaving: Playbook | None = None
    """The playbook that a lead leaves for *playbook*, when it is to be migrated."""
    goes_to: PlaybookPin | None = None
    """What *playbook* says that a lead follows once nobody answers; None where it says nothing."""
    free: tuple[Slot, ...] = ()
    """Slots that may be taken, of any rep, kind and day, in any order."""
    verdicts: tuple[Verdict, ...] = ()
    """What content checks outside the machine said; a later one of the same check counts."""
    holdings: Holdings | None = None
    """What is held about the person whom the command erases."""
    queue: Queue | None = None
    """The team's queue, of a decision on a cut-bait card."""
    asked: tuple[Slug, ...] | msgspec.UnsetType | None = None
    """Of a decision made again: the checks asked for beside the playbook's; unset when there were none yet. None: now."""
    rescores: bool = True
    """Scores follow what changes their parts; false for a decision made again of a release in which they did not."""
    explains: bool = True
    """A note that another owner cannot take over says why; false for a decision made again of a release in which it did not."""
    into: OtherLead | None = None
    """The lead into which another is to be merged."""
    wording: Mapping[str, str] | msgspec.UnsetType = msgspec.UNSET
    """By name the digests of the wordings that the words of the command were checked by; unset where none were."""
    law: LawUsed | msgspec.UnsetType | None = None
    """What a decision made again was held against by contact law; unset when there was no law table then. None: now."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an applied command."""

    row: str | None
    state: State
    occurred_at: datetime
    data: AnyEvent
    effects: Effects


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The command is accepted: *steps* happened, in that order, and *follow_ups* are to be staged on the same lead."""

    steps: tuple[Step, ...]
    follow_ups: tuple[Command, ...] = ()


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, not an error: which rule refused, why in words for a salesperson, and on which inputs."""

    rule: str
    reason: str
    inputs: Mapping[str, Scalar] = {}
    effects: Effects = Effects()
    """A refused timer is armed again, so that nobody is forgotten."""


class Superseded(msgspec.Struct, frozen=True, kw_only=True):
    """The timer that fired is not the one that is armed: nothing happens, and nothing is recorded."""

    reason: str


class TooEarly(msgspec.Struct, frozen=True, kw_only=True):
    """The timer is not due yet, or one that goes first was due at *due_at* and has not fired: to be asked again."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """One lead, one command, and the moment, in the forms in which rules ask for them."""

    lead: Lead
    command: AnyCommand
    context: Context
    calendar: Calendar
    now: datetime
    occurred_at: datetime
    """UTC, not after *now* once the decision has looked at it."""
    today: date
    """The owner's date at *now*."""
    day: date
    """The owner's date at *occurred_at*."""

    @property
    def playbook(self) -> Playbook:
        """Return the playbook in force."""
        return self.context.playbook

    @property
    def capacity(self) -> Capacity:
        """Return what binds: the planner and every decision about slots go by the same rep's playbook."""
        return (self.context.followed or self.context.playbook).capacity

    @property
    def call_calendar(self) -> Calendar:
        """Return the calendar of whoever makes the call that a note promises."""
        return self.context.colleague.calendar if self.context.colleague else self.calendar

    @property
    def rep(self) -> str:
        """Return by whose days the command is decided."""
        return acting(self.lead, self.command)

    def rep_of(self, kind: SlotKind) -> str:
        """Return whose slot of *kind* is taken."""
        colleague = self.context.colleague
        return colleague.name if colleague and kind == "promised_call" else self.rep


def facts(lead: Lead, command: AnyCommand, context: Context) -> Facts:
    """Gather the facts of a decision."""
    calendar = context.calendar or horizon.PLAIN
    now = in_utc(context.now)
    occurred_at = min(in_utc(command.occurred_at), now) if command.occurred_at else now
    today = horizon.local_day(calendar, now)
    return Facts(
        lead=lead,
        command=command,
        context=context,
        calendar=calendar,
        now=now,
        occurred_at=occurred_at,
        today=today,
        day=horizon.local_day(calendar, occurred_at) if command.occurred_at else today,
    )


def in_utc(moment: datetime) -> datetime:
    """Return *moment* in UTC; one without a time zone is taken as UTC already, never as the machine's local time."""
    if moment.tzinfo is UTC:
        return moment
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
