"""What an event moves besides the state: which timers it arms and cancels, which slots it takes and gives back, the score."""

from datetime import date, datetime, timedelta

from msgspec import UNSET

from workflows import horizon
from workflows.commands import FireTimer
from workflows.context import Facts
from workflows.events import (
    AnyEvent,
    CallConnected,
    CallDue,
    CallRescheduled,
    CallScheduled,
    ContactUpdated,
    Effects,
    LeadHeld,
    LeadReassigned,
    LeadReleased,
    MeetingBooked,
    NoteScheduled,
    NoteSent,
    NurtureStarted,
    NurtureTouchDue,
    NurtureTouchSent,
    PlaybookMigrated,
    ReEngaged,
    Remainder,
    ReplyReceived,
)
from workflows.floor import FLOOR_YEAR
from workflows.homework_events import WhyAsked
from workflows.law_guards import consent_ends, table_of
from workflows.lead import ENDS_HOLD, RESTING, State
from workflows.merge_events import DuplicateTakenIn
from workflows.migration import moved_timers
from workflows.scoring import rescored
from workflows.slot_moves import SlotMoves
from workflows.timers import TIMERS, at_its_hour, due, freeze, lives_on, monthly, thaw
from workflows.transitions import Row


def effects_of(facts: Facts, row: Row, data: AnyEvent) -> Effects:
    """Return what the event *data* of *row* moves."""
    slots = SlotMoves(facts, row)
    armed, cancelled, frozen = _timers(facts, row, data)
    return Effects(
        armed=armed,
        cancelled=tuple(sorted(cancelled)),
        reserved=slots.reserved,
        released=slots.released,
        used=slots.used,
        frozen=frozen,
        score=rescored(facts, row, data),
    )


def _timers(facts: Facts, row: Row, data: AnyEvent) -> tuple[dict[str, datetime], set[str], tuple[Remainder, ...] | None]:
    lead = facts.lead
    present = set(lead.timers)
    if isinstance(data, ContactUpdated) and (data.law is UNSET or table_of(facts.context) is None):
        # Of consent to mail it says nothing.
        return {}, set(), None
    awake = lead.state in RESTING and row.target is not None and row.target not in RESTING
    arms = (*row.arms, "consent_expires") if awake else row.arms
    armed = {name: at for name in arms if (at := due_at(name, facts, data)) is not None}
    entering = row.target is not None and row.target != lead.state
    if isinstance(data, LeadHeld):
        return armed, present - armed.keys(), None
    if isinstance(data, LeadReleased):
        armed = {left.timer: thaw(left, facts.now, facts.calendar) for left in lead.hold.remaining} if lead.hold else {}
        return armed, present - armed.keys(), None
    if isinstance(data, PlaybookMigrated):
        moved = moved_timers(facts)
        if row.target is None:
            return moved, set(), None
        armed |= {name: at for name, at in moved.items() if lives_on(name, row.target)}
    ended = set(row.cancels) | ({facts.command.timer} if isinstance(facts.command, FireTimer) else set())
    if lead.hold and row.target in ENDS_HOLD:
        return {}, present, None
    if lead.hold and row.event != "hold_review_due":
        return {}, set(), _refreeze(facts, lead.hold.remaining, armed, ended, row.target if entering else None)
    gone = {name for name in present if not lives_on(name, row.target)} | ended if entering else ended
    gone &= present
    return armed, gone - armed.keys(), None


def _refreeze(
    facts: Facts, remaining: tuple[Remainder, ...], armed: dict[str, datetime], ended: set[str], entered: State | None
) -> tuple[Remainder, ...] | None:
    """Return what the timers of a held lead keep after an event: what it would have armed is frozen at once."""
    kept = {
        left.timer: left for left in remaining if left.timer not in ended and (not entered or lives_on(left.timer, entered))
    }
    kept |= {name: freeze(name, at, facts.now, facts.calendar) for name, at in armed.items()}
    after = tuple(kept[name] for name in sorted(kept))
    return None if after == remaining else after


def due_at(name: str, facts: Facts, data: AnyEvent) -> datetime | None:
    """Return when the timer called *name* is due that the event *data* arms; None when it does not arm it after all."""
    special = _SPECIAL.get(name)
    if special:
        return special(facts, data)
    base = facts.day if TIMERS[name].counts_from == "occurred" else facts.today
    if TIMERS[name].counts_from == "named":
        base = _named_day(facts, data)
    return due(name, base, facts.playbook, facts.calendar)


def _named_day(facts: Facts, data: AnyEvent) -> date:
    match data:
        case NoteScheduled(note_on=day):
            return day
        case CallDue(call_on=day):
            # A promised day that passed while the service was down is no reason to void the promise at once.
            return max(day, facts.day)
        case CallScheduled(call_on=day) | CallRescheduled(call_on=day):
            return day
        case MeetingBooked(meeting_at=at):
            return horizon.local_day(facts.calendar, at)
    return facts.day


def _call_after_note(facts: Facts, data: AnyEvent) -> datetime | None:
    if isinstance(data, LeadReassigned):
        return _opens_for_another(facts, data)
    return at_its_hour("call_after_note", data.call_on, facts.call_calendar) if isinstance(data, NoteSent) else None


def _opens_for_another(facts: Facts, data: LeadReassigned) -> datetime | None:
    """Return when a promised call opens for a new owner, whose days are known; None when that is as it was."""
    lead, taker = facts.lead, facts.context.colleague
    opens = lead.timers.get("call_after_note")
    if taker is None or opens is None or lead.call_on is None:
        return None
    day = data.call_on or max(lead.call_on, horizon.local_day(taker.calendar, facts.now))
    at = max(at_its_hour("call_after_note", day, taker.calendar), facts.now)
    return None if at == opens.due_at else at


def _call_grace(facts: Facts, data: AnyEvent) -> datetime | None:
    if not isinstance(data, LeadReassigned):
        return due("call_grace", _named_day(facts, data), facts.playbook, facts.calendar)
    moved = data.call_on if facts.lead.state == "call_due" else UNSET
    return due("call_grace", moved, facts.playbook, facts.call_calendar) if moved else None


def _call_term(name: str, facts: Facts, data: AnyEvent) -> datetime | None:
    # Our own lack of capacity does not make a promise any younger; all other reasons to move a call do.
    if isinstance(data, CallRescheduled) and data.reason == "capacity":
        return None
    return due(name, _named_day(facts, data), facts.playbook, facts.calendar)


def _call_late(facts: Facts, data: AnyEvent) -> datetime | None:
    return _call_term("call_late", facts, data) if facts.lead.promised else None


def _call_expiry(facts: Facts, data: AnyEvent) -> datetime | None:
    return _call_term("call_expiry", facts, data)


def _reason_probe(facts: Facts, data: AnyEvent) -> datetime | None:
    lead = facts.lead
    known = getattr(data, "real_reason", None) is not None
    if isinstance(data, WhyAsked):
        # Who was not reached is asked again on the next working day; who answered stays to be recorded.
        known = data.outcome == "answered" or lead.state != "declined" or lead.reason_probed_at is not None
    return None if known else due("reason_probe", facts.today, facts.playbook, facts.calendar)


def _review(facts: Facts, _: AnyEvent) -> datetime | None:
    return due("review", facts.today, facts.playbook, facts.calendar) if facts.playbook.timers.review_days else None


def _revisit(facts: Facts, data: AnyEvent) -> datetime | None:
    """Return the day that the prospect named; one that has passed is caught up on the next working day."""
    named = data.revisit_on if isinstance(data, NurtureStarted) else None
    day = named or facts.lead.revisit_on
    if isinstance(data, DuplicateTakenIn):
        # Elsewhere it waits for the lead's nurture; and what says nothing later leaves the timer as it is.
        known, day = day, data.facts.revisit_on
        if facts.lead.state != "nurture" or (day and known and day <= known):
            return None
    if day is None:
        return None
    return at_its_hour("revisit", max(day, horizon.after(facts.calendar, facts.today, 1)), facts.calendar)


def _nurture_touch(facts: Facts, data: AnyEvent) -> datetime | None:
    months = facts.playbook.timers.nurture_interval_months
    if not isinstance(data, NurtureTouchDue):
        return due("nurture_touch", facts.day, facts.playbook, facts.calendar)
    # A touch that is owed does not move the months after it: they count from the last touch, or from the start.
    touched, entered = facts.lead.nurture_touched_at, facts.lead.entered_at
    anchor = horizon.local_day(facts.calendar, max(touched, entered) if touched else entered)
    day = monthly(anchor, facts.today, months, facts.calendar, facts.playbook.timers.nurture_day)
    return at_its_hour("nurture_touch", day, facts.calendar)


def _nurture_floor(facts: Facts, data: AnyEvent) -> datetime | None:
    """Return when the longest silence ends, counted from our last touch, or sooner a year that would hold one touch alone."""
    lead, longest = facts.lead, timedelta(days=facts.playbook.timers.nurture_floor_days)
    day, last = facts.day + longest, horizon.local_day(facts.calendar, lead.last_touch_at) if lead.last_touch_at else None
    if last and isinstance(data, NurtureTouchSent) and last + FLOOR_YEAR > facts.day:
        day = min(day, last + FLOOR_YEAR)
    elif last and isinstance(data, NurtureStarted) and lead.state != "call_due":
        day = min(day, max(last + longest, horizon.after(facts.calendar, facts.today, 1)))
    return at_its_hour("nurture_floor", day, facts.calendar)


def _agreed_day(facts: Facts, data: AnyEvent) -> date | None:
    """Return the day of the next step that was agreed on; a reply in between leaves one that is still to come."""
    if isinstance(data, (CallConnected, ReEngaged)):
        return data.next_step_on
    if isinstance(data, ReplyReceived) and data.next_step_on:
        return data.next_step_on
    step_on = facts.lead.next_step_on
    return step_on if facts.lead.state == "re_engaged" and step_on and step_on >= facts.today else None


def _next_step(facts: Facts, data: AnyEvent) -> datetime | None:
    agreed = _agreed_day(facts, data)
    if agreed:
        return at_its_hour("next_step", agreed, facts.calendar)
    return due("next_step", facts.day, facts.playbook, facts.calendar)


def _lapse(facts: Facts, data: AnyEvent) -> datetime | None:
    """Return when nothing more is to be hoped for: some days after the next step was overdue."""
    timers = facts.playbook.timers
    lapse = due("lapse", facts.day, facts.playbook, facts.calendar)
    agreed = _agreed_day(facts, data)
    if agreed is None:
        return lapse
    slack = max(1, timers.lapse_working_days - timers.next_step_working_days)
    return max(lapse, at_its_hour("lapse", horizon.after(facts.calendar, agreed, slack), facts.calendar))


def _hold_until(facts: Facts, data: AnyEvent) -> datetime | None:
    until = data.until if isinstance(data, LeadHeld) else None
    return at_its_hour("hold_until", until, facts.calendar) if until else None


def _hold_review(facts: Facts, data: AnyEvent) -> datetime | None:
    ends = isinstance(data, LeadHeld) and data.until is not None
    return None if ends else due("hold_review", facts.today, facts.playbook, facts.calendar)


_SPECIAL = {
    "call_after_note": _call_after_note,
    "call_grace": _call_grace,
    "call_late": _call_late,
    "call_expiry": _call_expiry,
    "reason_probe": _reason_probe,
    "revisit": _revisit,
    "review": _review,
    "nurture_touch": _nurture_touch,
    "nurture_floor": _nurture_floor,
    "next_step": _next_step,
    "lapse": _lapse,
    "hold_until": _hold_until,
    "hold_review": _hold_review,
    "consent_expires": consent_ends,
}
