"""What people, the CRM and prospects did with each lead, as the log holds it, parted at the touches.

A *touch* is what the service asks a person for: a note, a call, a touch in another mode, a nurture touch, and the breakup that
is owed once the attempts are spent. The *stretch* after a touch, up to the next one, is what followed from it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from workflows import horizon
from workflows.calendars import Calendar
from workflows.commands import Command, ConfirmCutBait, LeaveBreakupVoicemail, SendBreakup, SendBreakupEmail
from workflows.cut_bait import most_attempts
from workflows.events import (
    CallRescheduled,
    LeadReassigned,
    LeadReleased,
    NurtureTouchDue,
    Recorded,
    TouchScheduled,
    Used,
)
from workflows.law_table import LawTable
from workflows.lead import Lead
from workflows.mail_commands import QueueBreakupMail, QueueNurtureMail, SendMail
from workflows.playbooks import Playbook
from workflows.proposals import next_mode, next_value_item
from workflows.sentences import words

#: After these a note or call that is to be made stands on another day, or by another calendar.
MOVED = (CallRescheduled, LeadReleased, LeadReassigned)


class Given(NamedTuple):
    """A command as somebody handed it in."""

    at: datetime
    """When it was applied."""
    position: int
    """In the log: of what is handed in at one moment, the order."""
    stream_id: UUID
    command: Command
    actor: str
    used: Used | None
    """What the recorded decision used."""


class Act(NamedTuple):
    """A touch as somebody made it."""

    given: Given
    kind: str
    """``note``; ``call`` for one that a note promised, ``follow_up`` for any other call; ``breakup``; ``touch:`` or
    ``nurture:`` with the mode."""
    day: date
    """The owner's day on which it was applied."""
    asked: bool
    """The service had asked for it; else it is somebody's own doing, and belongs to the time after the touch before it."""
    missed: int
    """How often the service had asked in vain since the touch before it."""
    stood: tuple[date, ...]
    """The day for which it was asked, and those to which it was moved since, in order; else the day of the touch before it."""
    late: int
    """Working days of the owner from the last of these to the day of the act; 0 for one made before."""
    days_beside: int
    """Calendar days from there to the act: more than 0 on a weekend or holiday, less than 0 for one made before its day."""
    silent: bool
    """It was an attempt that nobody answered."""
    held: bool
    """It was made while the lead was on hold; else a run waits for the release."""
    asked_on: date
    """The day for which it was asked when it was asked; *day* when it was not."""
    prelude: tuple[Given, ...]
    """What was handed in between the asking and the act, in order: a call that was put off, a hold."""


class Ask(NamedTuple):
    """The service asked somebody for a touch."""

    kind: str
    """As of an act; ``nurture`` leaves the mode open."""
    day: date
    at: datetime
    position: int
    """In the log."""


class Move(NamedTuple):
    """A note or call that was asked for was put on another day, or the lead got another owner with other days."""

    position: int
    """In the log."""
    lead: Lead
    """As it left it."""


@dataclass
class Stretch:
    """A touch, and what followed from it; the first stretch of a lead has no touch."""

    act: Act | None = None
    items: list[Given] = field(default_factory=list)
    """What was handed in after the touch, in order."""
    asks: list[Ask] = field(default_factory=list)
    """What the service asked for after the touch, in order."""

    moves: list[Move] = field(default_factory=list)
    """What moved a touch that had been asked for, in order."""

    def asked(self, kind: str, until: datetime | None = None) -> list[Ask]:
        """Return the askings for *kind*, all or up to a moment."""
        return [ask for ask in self.asks if ask.kind == kind and (until is None or ask.at <= until)]


class Script:
    """One lead's stretches, in order."""

    def __init__(self) -> None:
        self.stretches = [Stretch()]

    @property
    def last(self) -> Stretch:
        """The stretch that is open."""
        return self.stretches[-1]


def ask_of(
    recorded: Recorded, lead: Lead, playbook: Playbook | None, today: date, table: LawTable
) -> tuple[str, date | None] | None:
    """Return what an event of *lead*, now as it left it, asks somebody for, and for which day; None for *today*, its own.

    By the law *table*.
    """
    if recorded.state == "note_due" and recorded.row in ("T07", "T24"):
        return "note", lead.note_on
    if recorded.state == "call_due" and recorded.row in ("T08", "T12", "T23"):
        return call_kind(lead), lead.call_on
    if isinstance(recorded.data, TouchScheduled):
        return f"touch:{recorded.data.mode}", recorded.data.touch_on
    if isinstance(recorded.data, NurtureTouchDue):
        return "nurture", None
    if recorded.state == "no_response" and recorded.row and playbook and is_spent(lead, playbook, today, table):
        return "breakup", None
    return None


def call_kind(lead: Lead) -> str:
    """Return the kind of the call that *lead* waits for: whoever never got the note waits for none that it promised."""
    return "call" if lead.promised else "follow_up"


def is_spent(lead: Lead, playbook: Playbook, today: date, table: LawTable) -> bool:
    """Tell whether nothing more will be asked for a silent lead but a decision about the breakup."""
    return (
        lead.attempts >= most_attempts(lead, playbook)
        or next_mode(lead, playbook, today, table) is None
        or next_value_item(lead, playbook) is None
    )


def standing_day(lead: Lead, kind: str, asked_for: date) -> date:
    """Return the day for which *kind* is asked as the lead stands: notes and calls may have been moved since."""
    moved = lead.call_on if kind in ("call", "follow_up") else lead.note_on if kind == "note" else None
    return moved or asked_for


def working_days_after(calendar: Calendar, day: date, number: int) -> date:
    """Return the *number*-th working day after *day*, and *day* itself for 0."""
    return horizon.after(calendar, day, number) if number else day


def step_of(command: Command) -> str | None:
    """Return what people call the touch of which *command* is a step or a mail; None for a touch in one piece, and no touch."""
    match command:
        case ConfirmCutBait(choice="breakup") | LeaveBreakupVoicemail() | SendBreakupEmail() | SendBreakup():
            return "breakup"
        case QueueBreakupMail() | SendMail(purpose="breakup"):
            return "breakup mail"
        case QueueNurtureMail() | SendMail():
            return "nurture mail"
    return None


def ask_kind(kind: str) -> str:
    """Return what is asked for when an act of *kind* is to be made."""
    return "nurture" if kind.startswith("nurture:") else kind


def touch_named(kind: str) -> str:
    """Return what people call a touch of *kind*, without an article."""
    way, _, mode = kind.partition(":")
    name = {"call": "promised call", "follow_up": "follow-up call", "nurture": "nurture touch"}.get(way, way)
    return f"{name} by {words(mode)}" if mode else name
