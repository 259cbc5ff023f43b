"""What another owner takes over of what is planned for a lead: nobody is given a promise that has no slot in their days."""

from datetime import date
from typing import NamedTuple

from workflows import horizon
from workflows.calendars import Calendar, CalendarHorizonError
from workflows.command import RescheduleReason
from workflows.context import Facts
from workflows.events import Slot
from workflows.slotting import call_goes_over, call_slot_kind, offered


class Handover(NamedTuple):
    """What another owner takes over of what is planned for a lead."""

    slots: tuple[Slot, ...] = ()
    """To take; those that are the new owner's already stay."""
    call_on: date | None = None
    """The call's new day, None when it stays."""
    reason: RescheduleReason | None = None
    """Why the new owner has no slot on the day that the call had; none at all if there is no new one."""
    queued: bool = False
    """Whether the note that is due does not fit into the new owner's days: nothing is promised yet, so it is planned anew."""


def handover(facts: Facts, owner: str) -> Handover:
    """Return what *owner*, who is to have the lead, takes over of what is planned.

    A call that is promised or due keeps its day if the new owner works then and has a slot left (today, if it is overdue); else
    it moves to the next such day. A note that is not written yet keeps its day and the day of its call, or gives both up.
    Another touch keeps its day, or is planned anew as if it never had one. Of an owner whose days nobody knows the same days
    are taken where they are offered.
    """
    lead, taker = facts.lead, facts.context.colleague
    theirs = [slot for slot in lead.slots if slot.rep != owner]
    if taker is None:
        found = (offered(facts, slot.kind, slot.day, owner) for slot in theirs)
        return Handover(tuple(slot for slot in found if slot))
    if call_goes_over(lead, owner):
        return _call_of_another(facts, owner, taker.calendar)
    today = horizon.local_day(taker.calendar, facts.now)
    fitting = (
        offered(facts, slot.kind, slot.day, owner)
        for slot in theirs
        if slot.day >= today and horizon.is_working(taker.calendar, slot.day)
    )
    slots = tuple(slot for slot in fitting if slot)
    if lead.state == "note_due" and lead.hold is None and (len(slots) < len(theirs) or not lead.slots):
        return Handover(queued=True)
    return Handover(slots)


def _call_of_another(facts: Facts, owner: str, calendar: Calendar) -> Handover:
    lead = facts.lead
    kind = "promised_call" if lead.state == "note_sent" else call_slot_kind(facts)
    wanted = max(lead.call_on or facts.today, horizon.local_day(calendar, facts.now))
    if horizon.is_working(calendar, wanted) and (slot := offered(facts, kind, wanted, owner)):
        return Handover((slot,))
    later = (slot for slot in facts.context.free if (slot.rep, slot.kind) == (owner, kind) and slot.day > wanted)
    slot = min(later, key=lambda slot: (slot.day, slot.ordinal), default=None)
    reason = _why_not_on(calendar, wanted)
    return Handover((slot,), slot.day, reason) if slot else Handover(reason=reason)


def _why_not_on(calendar: Calendar, day: date) -> RescheduleReason:
    """Say why a call is not made on *day* by a rep with *calendar* who has no slot on it."""
    if horizon.is_working(calendar, day):
        return "capacity"
    try:
        why = calendar.why_not_working(day) or ""
    except CalendarHorizonError:
        why = ""
    return "rep_absent" if why.startswith("absence") else "holiday"
