"""Which slots an event takes, keeps, uses up or gives back."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime
from typing import Literal

from workflows import horizon
from workflows.calendars import Calendar
from workflows.capacity import Capacity
from workflows.commands import (
    Command,
    FireTimer,
    MarkNoteSent,
    Reassign,
    Release,
    RescheduleCall,
    ScheduleCall,
    ScheduleNote,
    ScheduleTouch,
)
from workflows.context import Facts
from workflows.cover import Colleague, acting
from workflows.events import Slot, SlotKind
from workflows.lead import Lead

GapReason = Literal["slot_kept", "next_free_slot"]


#: Nothing that is about a lead happened before.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

#: How far ahead the call of a note that went out on another day, or of a lead that is released or gets another owner, may find
#: a place, in working days.
_SEARCH_DAYS = 15


def takes_slots(command: Command) -> bool:
    """Tell whether *command* may take slots, so that whoever applies it locks the rep and offers what is free."""
    if isinstance(command, FireTimer):
        return command.timer == "hold_until"
    return isinstance(command, (ScheduleNote, ScheduleCall, ScheduleTouch, RescheduleCall, MarkNoteSent, Release, Reassign))


def slot_days(
    lead: Lead,
    command: Command,
    calendar: Calendar | None,
    capacity: Capacity,
    now: datetime,
    colleague: Colleague | None = None,
) -> set[date]:
    """Return the days of which *command* may take slots: working days of whose slots they are, or those that it names."""
    match command:
        case ScheduleNote(note_on=note_on, call_on=call_on):
            return {note_on, call_on}
        case ScheduleCall(call_on=call_on) | RescheduleCall(call_on=call_on):
            return {call_on}
        case ScheduleTouch(touch_on=touch_on):
            return {touch_on}
        case Reassign(owner=owner):
            days = {slot.day for slot in lead.slots if slot.rep != owner}
            if colleague and call_goes_over(lead, owner):
                first = first_asked(lead, colleague.calendar, now)
                days |= {horizon.after(colleague.calendar, first, number) for number in range(_SEARCH_DAYS + 1)}
            return days
    if calendar is None:
        return set()
    day = _said_day(command, calendar, now)
    calendar = colleague.calendar if colleague else calendar
    if isinstance(command, MarkNoteSent) and _keeps_its_call(lead, _promised_for(calendar, day, capacity)):
        return set()
    first = horizon.after(calendar, day, 0)
    return {horizon.after(calendar, first, number) for number in range(_SEARCH_DAYS + 1)}


def _said_day(command: Command, calendar: Calendar, now: datetime) -> date:
    """Return the day of which *command* speaks."""
    # A date that cannot be right is refused later, by the decision; here it must only do no harm.
    said = command.occurred_at
    return horizon.local_day(calendar, said if said and _LONG_AGO < said < now else now)


def free_slots(
    lead: Lead,
    command: Command,
    calendar: Calendar | None,
    capacity: Capacity,
    now: datetime,
    taken: Callable[[str, set[date]], Collection[Slot]],
    colleague: Colleague | None = None,
    unwritten: Callable[[], Iterable[Lead]] = tuple,
) -> tuple[Slot, ...]:
    """Return the first free slot of each kind on each day that *command* may take; *taken* says of a rep's days what is not.

    *calendar* and *capacity* are those of the rep by whose days it is decided; promised calls are a *colleague*'s, if there is
    one. *unwritten* gives the leads of the owner whose notes are not written yet: what those before *lead* promise is not free,
    so that each note promises the same day in whatever order they are recorded.
    """
    days = slot_days(lead, command, calendar, capacity, now, colleague) if takes_slots(command) else set()
    if not days:
        return ()
    rep = command.owner if isinstance(command, Reassign) else acting(lead, command)
    most: dict[SlotKind, int] = {
        "note": capacity.notes,
        "promised_call": capacity.calls + (capacity.catch_up_calls if isinstance(command, RescheduleCall) else 0),
        "follow_up": capacity.follow_up_touches,
    }
    reps: dict[SlotKind, str] = dict.fromkeys(most, rep)
    if colleague:
        reps["promised_call"], most["promised_call"] = colleague.name, colleague.capacity.calls
    others = {name: set(taken(name, days)) for name in dict.fromkeys(reps.values())}

    def first_free() -> tuple[Slot, ...]:
        offered = (_first_free(others[reps[kind]], reps[kind], kind, day, most[kind]) for day in sorted(days) for kind in most)
        return tuple(slot for slot in offered if slot)

    free = first_free()
    if isinstance(command, MarkNoteSent) and calendar:
        day, caller = _said_day(command, calendar, now), reps["promised_call"]
        by = colleague.calendar if colleague else calendar
        for before in _written_before(lead, day, unwritten()):
            if kept := call_promised(before, day, by, capacity, caller, free)[1]:
                others[caller].add(kept)
                free = first_free()
    return free


def _written_before(lead: Lead, day: date, unwritten: Iterable[Lead]) -> list[Lead]:
    """Return whose notes of *day* come before that of *lead*, with the same rep to call: the longest due first, then by id."""
    due = [(other.note_on, other.id, other) for other in unwritten if other.note_on and other.note_on <= day]
    own = (lead.note_on or day, lead.id)
    due = [each for each in due if each[:2] < own and each[2].call_by == lead.call_by]
    return [other for *_, other in sorted(due, key=lambda each: each[:2])]


def _first_free(taken: Collection[Slot], rep: str, kind: SlotKind, day: date, most: int) -> Slot | None:
    slots_of_day = (Slot(rep=rep, kind=kind, day=day, ordinal=ordinal) for ordinal in range(1, most + 1))
    return next((slot for slot in slots_of_day if slot not in taken), None)


def asked_for(lead: Lead, command: Command, free: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Return those of *free* that a proposal could have taken: a refusal rests on them and on what is missing beside them."""
    rep = acting(lead, command)
    match command:
        case ScheduleNote(note_on=note_on, call_on=call_on, call_by=call_by):
            named: set[tuple[str, SlotKind, date]] = {(rep, "note", note_on), (call_by or rep, "promised_call", call_on)}
        case ScheduleCall(call_on=call_on):
            named = {(rep, "follow_up", call_on)}
        case ScheduleTouch(touch_on=touch_on):
            named = {(rep, "follow_up", touch_on)}
        case RescheduleCall(call_on=call_on):
            named = {(rep, "promised_call" if lead.promised else "follow_up", call_on)}
        case _:
            return ()
    first: dict[tuple[str, SlotKind, date], Slot] = {}
    for slot in sorted(free, reverse=True):
        if (slot.rep, slot.kind, slot.day) in named:
            first[slot.rep, slot.kind, slot.day] = slot
    return tuple(sorted(first.values()))


def offered(facts: Facts, kind: SlotKind, day: date, rep: str | None = None) -> Slot | None:
    """Return the first slot of *kind* on *day* that is offered as free, of whose slot that is unless *rep* is named."""
    rep = rep or facts.rep_of(kind)
    fitting = (slot for slot in facts.context.free if slot.kind == kind and slot.day == day and slot.rep == rep)
    return min(fitting, default=None)


def call_slot_kind(facts: Facts) -> SlotKind:
    """Return the kind of slot that the lead's present call takes."""
    return "promised_call" if facts.lead.promised else "follow_up"


def promise(facts: Facts) -> tuple[date, Slot | None, GapReason | None]:
    """Return what `call_promised` does for the note that was sent."""
    caller, free = facts.rep_of("promised_call"), facts.context.free
    return call_promised(facts.lead, facts.day, facts.call_calendar, facts.capacity, caller, free)


def call_promised(
    lead: Lead, day: date, calendar: Calendar, capacity: Capacity, caller: str, free: Collection[Slot]
) -> tuple[date, Slot | None, GapReason | None]:
    """Return the day of the call that a note of *day* promises, a slot of *free* to change to, and why the day is not the usual
    one. The *calendar* is that of the *caller*, the *capacity* the rep's.

    The call comes the playbook's number of working days after the day on which the note was sent. A note that went out on
    another day than planned, or by a calendar that changed since, may find that day's slots taken; it was written all the same,
    so it is never refused: it keeps the slot that it has, if that is of a working day, or gets the next one offered, or (with
    none at all) is called on the day without a slot.

    Whether anybody may be called that day is not asked here: row T12 asks it as the call opens, and again each working day.
    """
    wanted = _promised_for(calendar, day, capacity)
    if _keeps_its_call(lead, wanted):
        return wanted, None, None
    held = _call_slot(lead)
    ahead = (slot for slot in free if slot.kind == "promised_call" and slot.day >= wanted and slot.rep == caller)
    first = min(ahead, key=lambda slot: (slot.day, slot.ordinal), default=None)
    if first and first.day == wanted:
        return wanted, first, None
    if held and held.day > day and horizon.is_working(calendar, held.day):
        return held.day, None, "slot_kept"
    return (first.day, first, "next_free_slot") if first else (wanted, None, None)


def _promised_for(calendar: Calendar, day: date, capacity: Capacity) -> date:
    """Return the day of the call that a note promises which was sent on *day*."""
    return horizon.after(calendar, day, capacity.call_after_note_days)


def _keeps_its_call(lead: Lead, wanted: date) -> bool:
    """Tell whether the call stays where it is planned when the note promises it for *wanted*: no other slot is looked at."""
    held = _call_slot(lead)
    return lead.hold is not None or (held is not None and held.day == wanted)


def _call_slot(lead: Lead) -> Slot | None:
    return next((slot for slot in lead.slots if slot.kind == "promised_call"), None)


def call_goes_over(lead: Lead, owner: str) -> bool:
    """Tell whether a call is promised or due for which *owner*, who is to have the lead, needs a slot."""
    calls = lead.state in ("note_sent", "call_due") and lead.call_on is not None and lead.hold is None
    return calls and not any(slot.rep == owner for slot in lead.slots)


def first_asked(lead: Lead, calendar: Calendar, now: datetime) -> date:
    """Return the first day on which a new owner may make the call: its own, or today if that is over."""
    today = horizon.local_day(calendar, now)
    return horizon.after(calendar, max(lead.call_on or today, today), 0)


def resumed(facts: Facts) -> tuple[date | None, date | None, tuple[Slot, ...]]:
    """Return the new days of the note and of the call of a lead that is released now, and the slots offered for them.

    A hold gives the slots back, because nobody knows how long it lasts; a release takes new ones if any are offered, and the
    planner moves what does not fit.
    """
    lead, calendar, today = facts.lead, facts.calendar, facts.today
    if lead.state == "note_due":
        note_on = horizon.after(calendar, today, 0)
        call_on = horizon.after(calendar, note_on, facts.capacity.call_after_note_days)
        both = offered(facts, "note", note_on), offered(facts, "promised_call", call_on)
        return note_on, call_on, tuple(slot for slot in both if slot) if all(both) else ()
    if lead.state not in ("note_sent", "call_due") or lead.call_on is None or lead.hold is None:
        return None, None, ()
    kept = next((left.working_days for left in lead.hold.remaining if left.timer == "call_after_note"), None)
    since = horizon.local_day(calendar, lead.hold.since)
    left = horizon.between(calendar, since, lead.call_on) if kept is None else kept
    # A call that was overdue when the hold began stays overdue.
    day = horizon.after(calendar, today, left) if kept is not None or lead.call_on >= since else None
    slot = offered(facts, call_slot_kind(facts) if lead.state == "call_due" else "promised_call", day or today)
    return None, day, (slot,) if slot else ()
