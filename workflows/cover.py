"""A colleague who makes the calls of a rep who is away (methods.md 6.3 b): who that is, on which day, and by whose calendar.

An absence may name who covers it. Where the playbook says so, a note whose call would come long after it because of that
absence promises the colleague's call instead: on the colleague's working day, in a slot of the colleague's day. Until that call
is made the lead stays its owner's, and stands on the colleague's list.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from workflows.calendars import Calendar, CalendarHorizonError
from workflows.capacity import Capacity, Load
from workflows.commands import (
    Command,
    FireTimer,
    Hold,
    MarkNoteSent,
    MigratePlaybook,
    Reassign,
    Release,
    RescheduleCall,
    ScheduleNote,
)
from workflows.lead import Lead, at_work
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls instead of the owner."""

    name: str
    calendar: Calendar
    capacity: Capacity
    contact_hours: ContactHours
    """When the colleague may call anybody."""
    followed: str
    """Digest of the playbook that the colleague's days follow, and whose capacity and hours these are."""
    loads: Mapping[date, Load] = {}
    """What is taken of the colleague's days, for a plan; a decision is offered slots instead."""

    @classmethod
    def of(cls, name: str, calendar: Calendar, followed: Playbook) -> "Colleague":
        """Return the rep *name*, whose days are those of *calendar* and follow the playbook *followed*."""
        capacity, hours, digest = followed.capacity, followed.contact_hours, followed.pin.digest
        return cls(name=name, calendar=calendar, capacity=capacity, contact_hours=hours, followed=digest)


#: Commands about a call as such, which go by the days of whoever makes it. What comes of the call goes by the owner's.
_ABOUT_THE_CALL = (FireTimer, RescheduleCall, Hold, Release, MigratePlaybook)


def acting(lead: Lead, command: Command) -> str:
    """Return the rep by whose days and capacity *command* is decided."""
    return at_work(lead) if isinstance(command, _ABOUT_THE_CALL) else lead.owner


#: States in which a lead has a note, a call or another touch planned, for which its new owner needs slots.
PLANNED = frozenset({"note_due", "note_sent", "call_due", "no_response"})


def colleague_of(lead: Lead, command: Command) -> str | None:
    """Return by whose days the call of a note is promised, or a new owner takes over what is planned; None when it is the owner
    all the same.
    """
    if isinstance(command, ScheduleNote):
        return command.call_by or None
    if isinstance(command, Reassign):
        return command.owner if lead.state in PLANNED else None
    return lead.call_by or None if isinstance(command, MarkNoteSent) else None


def who_covers(calendar: Calendar, capacity: Capacity, day: date) -> str | None:
    """Return who is to make the call that a note of *day* promises; None when the owner does, or nobody is named."""
    if capacity.long_gap != "colleague":
        return None
    try:
        call_on = calendar.add_working_days(day, capacity.call_after_note_days)
    except CalendarHorizonError:
        return None
    return calendar.cover_between(day, call_on) if (call_on - day).days > capacity.max_promise_gap_days else None


def in_reach(colleague: Colleague | None, capacity: Capacity, day: date) -> Colleague | None:
    """Return the *colleague* if their calendar reaches the call that a note of *day* promises."""
    try:
        if colleague:
            colleague.calendar.add_working_days(day, capacity.call_after_note_days)
    except CalendarHorizonError:
        return None
    return colleague


def promised_for(calendar: Calendar, capacity: Capacity, day: date, colleague: Colleague | None) -> date:
    """Return the day of the call that a note of *day* promises: working days of whoever makes it, as many as the rep's playbook
    says.

    Raises
    ------
    CalendarHorizonError
        When the rep's calendar ends before it, and there is no colleague *in_reach*.
    """
    calls = in_reach(colleague, capacity, day)
    return (calls.calendar if calls else calendar).add_working_days(day, capacity.call_after_note_days)
