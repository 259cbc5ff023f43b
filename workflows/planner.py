"""One rep's day, planned within capacity: promised calls first, then notes that own their call slot, then follow-ups.

A plan is a proposal computed from its arguments alone. Nothing is promised that has no slot: a note is planned only
when the promised-call slot that it needs, working days later, is taken with it. Whoever applies a plan reserves its
slots and so finds them in *loads* the next time; planning the same day again then adds nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from heapq import nsmallest
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from workflows.calendars import Calendar
from workflows.capacity import Capacity, Ledger, Load, MinuteCosts, SlotKind
from workflows.cover import Colleague, in_reach, promised_for
from workflows.day_plan import (
    Candidate,
    DayPlan,
    FollowUp,
    MoveReason,
    OpenCall,
    PlannedCall,
    PlannedFollowUp,
    PlannedNote,
    Reschedule,
    Shortfall,
    ShortfallCode,
    ShortfallKind,
)
from workflows.priority import Rank, Score, rank

# A caller of the planner finds here all that it passes and gets.
__all__ = [
    "Candidate",
    "Capacity",
    "DayPlan",
    "FollowUp",
    "Load",
    "MinuteCosts",
    "OpenCall",
    "PlannedCall",
    "PlannedFollowUp",
    "PlannedNote",
    "Reschedule",
    "Shortfall",
    "follow_up_queue",
    "plan_day",
]

_Stop = tuple[ShortfallCode, str] | None
_MayCall = Callable[[UUID, date], bool]


def _whenever(_: UUID, __: date) -> bool:
    return True


def plan_day(
    day: date,
    calendar: Calendar,
    capacity: Capacity,
    loads: Mapping[date, Load],
    open_calls: Iterable[OpenCall],
    candidates: Iterable[Candidate],
    follow_ups: Iterable[FollowUp],
    beside: int = 0,
    probes: int = 0,
    colleague: Colleague | None = None,
    closed: int = 0,
    may_call: _MayCall = _whenever,
) -> DayPlan:
    """Plan one rep's day.

    Parameters
    ----------
    loads
        What is taken already, of this day and of later ones; a day that is missing is free.
    open_calls
        All of the rep's leads in `call_due`, those moved to later days included: they are promises not yet kept.
    candidates, follow_ups
        In any order.
    beside
        Minutes of the day that go to people who answered and to breakups. Calls that stand on the day are made all the same;
        notes and follow-ups get what is left.
    probes
        Minutes that go to asking why, as far as notes leave them; follow-ups get what is left then.
    colleague
        Who makes the calls that notes of this day promise, where the rep is away too long after it; None when the rep does.
    closed
        So many more could be written to if there were an hour in which to call them on the day that the notes promise.
    may_call
        Whether law and hours let a lead with an open call be called on a later day; one that is moved passes over other days.

    Raises
    ------
    CalendarHorizonError
        If the calendar ends before the last day that the plan needs.
    """
    ledger = Ledger(capacity, loads)
    day_off = _day_off(day, calendar)
    open_calls, candidates, follow_ups = tuple(open_calls), tuple(candidates), tuple(follow_ups)
    promised = [call for call in open_calls if call.note_on is not None]
    others = [call for call in open_calls if call.note_on is None]
    kept, late = _carry(day, ledger, day_off, promised, "calls")
    kept_others, late_others = _carry(day, ledger, day_off, others, "follow_ups")
    backlog = len(late) + sum(call.promised_on <= day < call.due for call in promised)
    reschedules = (
        *_move(day, calendar, ledger, day_off, late, "calls", may_call),
        *_move(day, calendar, ledger, day_off, late_others, "follow_ups", may_call),
    )
    ledger.charge(day, beside)
    pool = _note_pool(candidates, follow_ups)
    notes, note_shortfalls = _plan_notes(day, calendar, ledger, day_off, backlog, pool, colleague, closed)
    noted = {note.lead_id for note in notes}
    ledger.charge(day, min(probes, max(0, capacity.minutes.budget - ledger.minutes(day))))
    calls, touches, touch_shortfalls = _plan_follow_ups(
        day, ledger, day_off, candidates, [_otherwise(each) for each in follow_ups if each.lead_id not in noted]
    )
    return DayPlan(
        day=day,
        open_calls=(*kept, *kept_others),
        notes=notes,
        calls=calls,
        follow_ups=touches,
        reschedules=reschedules,
        shortfalls=(
            *_shortfall("call", len(late) + len(late_others), *(day_off or ("capacity", f"{day} holds no more calls."))),
            *note_shortfalls,
            *touch_shortfalls,
        ),
        backlog=backlog,
        minutes=ledger.minutes(day),
    )


def _shortfall(kind: ShortfallKind, count: int, code: ShortfallCode, detail: str) -> tuple[Shortfall, ...]:
    return (Shortfall(kind=kind, count=count, code=code, detail=detail),) if count > 0 else ()


def _day_off(day: date, calendar: Calendar) -> _Stop:
    """Say why nothing can be done on `day`, absences apart from all else; None on a working day."""
    why = calendar.why_not_working(day)
    if why is None:
        return None
    return ("absence" if why.startswith("absence") else "not_working"), f"{day} is no working day: {why}."


def _carry(
    day: date, ledger: Ledger, day_off: _Stop, calls: Iterable[OpenCall], kind: SlotKind
) -> tuple[list[OpenCall], list[OpenCall]]:
    """Part the calls that stand on this day, carried-over ones included, into those that fit and the rest."""
    standing = sorted((call for call in calls if call.due <= day), key=lambda call: (call.promised_on, call.lead_id))
    # Calls due today hold their slots already; those carried over hold slots of days that have passed, unless they came from
    # another owner since.
    ledger.take(day, kind, -sum(call.carried or (call.due == day and call.reserved) for call in standing))
    room = 0 if day_off else ledger.room(day, kind, _extra(ledger, kind))
    kept, late = standing[:room], standing[room:]
    ledger.take(day, kind, len(kept))
    return kept, late


def _move(
    day: date, calendar: Calendar, ledger: Ledger, day_off: _Stop, late: list[OpenCall], kind: SlotKind, may_call: _MayCall
) -> list[Reschedule]:
    """Move each call to the first later working day with room on which it may be made; none if no day could ever have room."""
    extra = _extra(ledger, kind)
    if not late or not ledger.room_of_free_day(kind, extra):
        return []
    moved = []
    first = calendar.next_working_day(day)
    for call in late:
        while not ledger.room(first, kind, extra):
            first = calendar.next_working_day(first)
        later = ledger.days_with_room(first, calendar, kind, extra)
        # Where no near day will do, the promise keeps the first; it is looked at again on that day.
        to_day = next((each for each in later if may_call(call.lead_id, each)), first)
        ledger.take(to_day, kind, 1)
        reason: MoveReason = "holiday" if day_off else "capacity"
        if calendar.absence_on(call.due) or (day_off and day_off[0] == "absence"):
            reason = "rep_absent"
        moved.append(Reschedule(lead_id=call.lead_id, from_day=call.due, to_day=to_day, reason=reason))
    return moved


def _extra(ledger: Ledger, kind: SlotKind) -> int:
    """Return the slots above the limit that carried-over calls may take."""
    return ledger.capacity.catch_up_calls if kind == "calls" else 0


_NotePool = list[tuple[int, Rank, Score]]


def _note_pool(candidates: Iterable[Candidate], follow_ups: Iterable[FollowUp]) -> _NotePool:
    """Collect who may be written to: who is tried in another mode meanwhile comes after new people, who is not before them."""
    new = [(1, rank(c.score, c.last_contact_at, c.lead_id), c.score) for c in candidates if c.first_touch == "note"]
    silent = [follow_up for follow_up in follow_ups if follow_up.mode == "handwritten_note"]
    return new + [(2 if f.instead else 0, rank(f.score, f.since, f.lead_id), f.score) for f in silent]


def _otherwise(follow_up: FollowUp) -> FollowUp:
    """Return what is left of a later attempt for which no note was planned."""
    if follow_up.mode != "handwritten_note" or follow_up.instead is None:
        return follow_up
    return replace(follow_up, mode=follow_up.instead, instead=None)


def _plan_notes(
    day: date,
    calendar: Calendar,
    ledger: Ledger,
    day_off: _Stop,
    backlog: int,
    pool: _NotePool,
    colleague: Colleague | None,
    closed: int,
) -> tuple[tuple[PlannedNote, ...], tuple[Shortfall, ...]]:
    """Fill the note slots, each note together with the slot of its promised call."""
    left = ledger.slots(day, "notes")
    if not left:
        return (), ()
    if stop := day_off or _no_notes_at_all(day, calendar, ledger.capacity, backlog, colleague):
        return (), _shortfall("note", left, *stop)
    call_on = promised_for(calendar, ledger.capacity, day, colleague)
    calls = Ledger(colleague.capacity, colleague.loads) if colleague else ledger
    whose = f"{call_on} has" if colleague is None else f"{colleague.name}, who calls on {call_on}, has"
    caller, call_by = (colleague.name, colleague.name) if colleague else ("the rep", UNSET)
    limits: tuple[tuple[int, ShortfallCode, str], ...] = (
        (ledger.room(day, "notes"), "budget", f"The minutes of {day} are spoken for."),
        (calls.room(call_on, "calls"), "no_call_slot", f"{whose} no free slot for the promised call."),
        (len(pool) + closed, "no_stock", "Nobody else in the queue can be written to."),
        (len(pool), "hours", f"On {call_on} no working hour of {caller} is one for calls to anybody else in the queue."),
    )
    shortfalls: list[Shortfall] = []
    for room, code, detail in limits:
        shortfalls += _shortfall("note", left - room, code, detail)
        left = min(left, room)
    ledger.take(day, "notes", left)
    chosen = nsmallest(left, pool, key=lambda entry: entry[:2])
    notes = tuple(
        PlannedNote(lead_id=key[-1], note_on=day, call_on=call_on, score=score, call_by=call_by) for _, key, score in chosen
    )
    return notes, tuple(shortfalls)


def _no_notes_at_all(day: date, calendar: Calendar, capacity: Capacity, backlog: int, colleague: Colleague | None) -> _Stop:
    """Say why no note may be written on a working day, if that is so."""
    if backlog > capacity.pause_notes_when_backlog_over:
        return "backlog", f"{backlog} promised calls do not fit into {day}; promises are kept before new ones are made."
    call_on = promised_for(calendar, capacity, day, colleague)
    gap = (call_on - day).days
    if gap > capacity.max_promise_gap_days and capacity.long_gap != "accept":
        nobody = f" {colleague.name} is away, too." if colleague else ""
        if colleague and not in_reach(colleague, capacity, day):
            name = colleague.name
            nobody = f" {name} covers, and has a calendar that ends too early: freeze a longer one with `thaw rep set {name}`."
        nobody = " No colleague is named who covers." if capacity.long_gap == "colleague" and not colleague else nobody
        return "long_gap", f"The call would come {gap} days after the note, on {call_on}; homework instead.{nobody}"
    return None


def follow_up_queue(candidates: Iterable[Candidate], follow_ups: Iterable[FollowUp]) -> list[Candidate | FollowUp]:
    """Return who waits for a follow-up slot, in turn: fresh relationships to call and later attempts alike, by score."""
    queue: list[tuple[Rank, Candidate | FollowUp]] = [
        (rank(c.score, c.last_contact_at, c.lead_id), c) for c in candidates if c.first_touch == "call"
    ]
    queue += [(rank(f.score, f.since, f.lead_id), f) for f in follow_ups if f.mode != "handwritten_note"]
    return [lead for _, lead in sorted(queue, key=lambda entry: entry[0])]


def _plan_follow_ups(
    day: date, ledger: Ledger, day_off: _Stop, candidates: Iterable[Candidate], follow_ups: list[FollowUp]
) -> tuple[tuple[PlannedCall, ...], tuple[PlannedFollowUp, ...], tuple[Shortfall, ...]]:
    """Fill the follow-up slots by score, from fresh relationships to call and later attempts alike."""
    queue = follow_up_queue(candidates, follow_ups)
    unwritten = sum(f.mode == "handwritten_note" for f in follow_ups)
    slots = 0 if day_off else ledger.slots(day, "follow_ups")
    room = 0 if day_off else min(len(queue), ledger.room(day, "follow_ups"))
    ledger.take(day, "follow_ups", room)
    chosen = queue[:room]
    budget = f"The minutes of {day} are spoken for."
    code, why = day_off or ("capacity", f"{day} holds no more follow-ups.")
    return (
        tuple(PlannedCall(lead_id=c.lead_id, call_on=day, score=c.score) for c in chosen if isinstance(c, Candidate)),
        tuple(
            PlannedFollowUp(lead_id=f.lead_id, mode=f.mode, on=day, score=f.score) for f in chosen if isinstance(f, FollowUp)
        ),
        (
            *_shortfall("follow_up", min(slots, len(queue)) - room, "budget", budget),
            *_shortfall("follow_up", len(queue) - slots, code, why),
            *_shortfall("follow_up", unwritten, *(day_off or ("capacity", f"{day} has no note slot for them."))),
        ),
    )
