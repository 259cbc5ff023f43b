"""What another owner takes over of what is planned for a lead: nobody is given a promise that has no slot in their days."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from workflows import horizon, time_zones
from workflows.calendars import Calendar, CalendarHorizonError
from workflows.command import RescheduleReason
from workflows.commands import AnyCommand, Reassign
from workflows.contact_hours import clock_of, overlap
from workflows.context import Context, Facts, facts
from workflows.cover import Colleague
from workflows.events import Slot
from workflows.law import region_of
from workflows.law_facts import Clock, LawUsed
from workflows.law_guards import table_of
from workflows.law_table import DIGEST
from workflows.layers import narrowed
from workflows.lead import Lead
from workflows.slotting import call_goes_over, call_slot_kind, offered


class Handover(NamedTuple):
    """What another owner takes over of what is planned for a lead."""

    slots: tuple[Slot, ...] = ()
    """To take; those that are the new owner's already stay."""
    call_on: date | None = None
    """The call's new day, None when it stays."""
    reason: RescheduleReason | None = None
    """Why the new owner has no slot on the day that the call had; none at all if there is no new one. Of a note that is planned
    anew, why it does not fit; none where it lost its slot before, or its day is over.
    """
    queued: bool = False
    """Whether the note that is due does not fit into the new owner's days: nothing is promised yet, so it is planned anew."""


def handover(facts: Facts, owner: str) -> Handover:
    """Return what *owner*, who is to have the lead, takes over of what is planned.

    A call that is promised or due keeps its day if the new owner works then, has a slot left and may call (today, if it is
    overdue); else it moves to the next such day.
    A note that is not written yet keeps its day and the day of its call, if the new owner may call on that, or gives both up.
    Another touch keeps its day, or is planned anew as if it never had one. Of an owner whose days nobody knows the same days
    are taken where they are offered.
    """
    lead, taker = facts.lead, facts.context.colleague
    theirs = [slot for slot in lead.slots if slot.rep != owner]
    if taker is None:
        found = (offered(facts, slot.kind, slot.day, owner) for slot in theirs)
        return Handover(tuple(slot for slot in found if slot))
    if call_goes_over(lead, owner):
        return _call_of_another(facts, taker)
    if (day := _call_of_note(facts, taker)) and not _may_call(facts, taker, day):
        return Handover(queued=True, reason="quiet_hours")
    today = horizon.local_day(taker.calendar, facts.now)
    fitting = (
        offered(facts, slot.kind, slot.day, owner)
        for slot in theirs
        if slot.day >= today and horizon.is_working(taker.calendar, slot.day)
    )
    slots = tuple(slot for slot in fitting if slot)
    if lead.state == "note_due" and lead.hold is None and (len(slots) < len(theirs) or not lead.slots):
        return Handover(queued=True, reason=_why_not_taken(taker.calendar, theirs, today))
    return Handover(slots)


def _call_of_another(facts: Facts, taker: Colleague) -> Handover:
    owner, wanted = taker.name, _wanted(facts, taker)
    kind = "promised_call" if facts.lead.state == "note_sent" else call_slot_kind(facts)
    works = horizon.is_working(taker.calendar, wanted)
    may_call = works and _may_call(facts, taker, wanted)
    if may_call and (slot := offered(facts, kind, wanted, owner)):
        return Handover((slot,))
    later = (slot for slot in facts.context.free if (slot.rep, slot.kind) == (owner, kind) and slot.day > wanted)
    # Sought in the order of days: most often the first one will do.
    in_turn = sorted(later, key=lambda slot: (slot.day, slot.ordinal))
    slot = next((slot for slot in in_turn if _may_call(facts, taker, slot.day)), None)
    reason: RescheduleReason = "quiet_hours" if works and not may_call else _why_not_on(taker.calendar, wanted)
    return Handover((slot,), slot.day, reason) if slot else Handover(reason=reason)


def _call_of_note(facts: Facts, taker: Colleague) -> date | None:
    """Return the working day on which *taker* would make the call of a note that is due; None where they take none over."""
    lead, today = facts.lead, horizon.local_day(taker.calendar, facts.now)
    if lead.state != "note_due" or lead.hold is not None:
        return None
    days = (slot.day for slot in lead.slots if slot.kind == "promised_call" and slot.rep != taker.name)
    return next((day for day in days if day >= today and horizon.is_working(taker.calendar, day)), None)


def _wanted(facts: Facts, taker: Colleague) -> date:
    return max(facts.lead.call_on or facts.today, horizon.local_day(taker.calendar, facts.now))


def _may_call(facts: Facts, taker: Colleague, day: date) -> bool:
    """Tell whether the law and the hours of lead and *taker* leave a working minute of *day*, which was not asked at first."""
    table = table_of(facts.context)
    hours = narrowed(facts.playbook.contact_hours, taker.contact_hours)
    if table is None:
        return True
    clock = _clock(facts.lead, facts.context, taker, day)
    return hours is not None and overlap(hours, clock, day, taker.calendar, region_of(facts.lead), table)


def _clock(lead: Lead, context: Context, taker: Colleague, day: date) -> Clock:
    """Return the prospect's clock during the working *day* of *taker*: as it was recorded, if it was."""
    given, name = context.law or None, str(day)
    if given and given.shifts and name in given.shifts:
        return given.shifts[name]
    if given and given.offsets and name in given.offsets:
        return Clock(offset=given.offsets[name])
    return clock_of(lead.timezone, day, taker.calendar)


def judged_by(lead: Lead, command: AnyCommand, context: Context) -> LawUsed | UnsetType:
    """Return what the day of a call that goes over to another owner was held against, or of the call that a note is to promise;
    unset of anything else, and of before.
    """
    taker, given = context.colleague, context.law
    if given is UNSET or taker is None or not isinstance(command, Reassign) or command.owner == lead.owner:
        return UNSET
    known = facts(lead, command, context)
    if call_goes_over(lead, command.owner):
        asked = [_wanted(known, taker), handover(known, command.owner).call_on]
    elif (promised := _call_of_note(known, taker)) is not None:
        asked = [promised]
    else:
        return UNSET
    days = [day for day in asked if day and horizon.is_working(taker.calendar, day)]
    clocks = {str(day): _clock(lead, context, taker, day) for day in days}
    plain = {day: clock.offset for day, clock in clocks.items() if clock.shift_at is UNSET}
    return LawUsed(
        table=given.table if given else DIGEST,
        region=region_of(lead),
        zones=(given.zones if given else UNSET) or time_zones.zone_database(),
        offsets=plain or UNSET,
        shifts={day: clock for day, clock in clocks.items() if day not in plain} or UNSET,
    )


def _why_not_taken(calendar: Calendar, theirs: Iterable[Slot], today: date) -> RescheduleReason | None:
    """Say why a new owner with *calendar* does not take over *theirs*: the first day that is not worked, or that one is full.

    None where a day was over by *today*. What was offered and not taken is not recorded, so it cannot tell.
    """
    days = sorted(slot.day for slot in theirs)
    off = next((day for day in days if day >= today and not horizon.is_working(calendar, day)), None)
    if off is not None:
        return _why_not_on(calendar, off)
    return "capacity" if days and days[0] >= today else None


def _why_not_on(calendar: Calendar, day: date) -> RescheduleReason:
    """Say why a call is not made on *day* by a rep with *calendar* who has no slot on it."""
    if horizon.is_working(calendar, day):
        return "capacity"
    try:
        why = calendar.why_not_working(day) or ""
    except CalendarHorizonError:
        why = ""
    return "rep_absent" if why.startswith("absence") else "holiday"
