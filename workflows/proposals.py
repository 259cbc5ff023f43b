"""Whom a rep's plan may propose, for what, and what it comes to: one command for each lead that it chooses."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from workflows.books import Book
from workflows.calendars import Calendar
from workflows.commands import Command, Mode, RescheduleCall, ScheduleCall, ScheduleNote, ScheduleTouch
from workflows.cover import promised_for
from workflows.cut_bait import most_attempts, to_try, untried_modes
from workflows.events import DayPlanned, Recorded, Shortfall
from workflows.homework import value_items
from workflows.law import lawful_modes
from workflows.law_table import LawTable
from workflows.lead import Lead
from workflows.plan_guards import had_turn
from workflows.planner import Candidate, DayPlan, FollowUp, OpenCall, plan_day
from workflows.playbooks import Playbook
from workflows.pursuit_playbook import Pursuit
from workflows.telephone import Telephone

#: A call that opens later today is moved so long after it opened.
_ONCE_OPEN = timedelta(minutes=1)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the plan stages on a lead's stream."""

    lead_id: UUID
    command: Command


def plan_book(
    book: Book, calendar: Calendar, playbook: Playbook, hours: Telephone, now: datetime, beside: int, probes: int = 0
) -> tuple[DayPlanned, tuple[Proposal, ...]]:
    """Plan the rep's day at *now*, and return what the log says of the plan, and what it proposes.

    *beside* and *probes* are minutes of the day for which no slot stands (`workflows.minutes`).

    Raises
    ------
    CalendarHorizonError
        When the calendar ends before the last day that the plan needs.
    """
    today = calendar.local_day(now)
    waiting = waiting_of(book, calendar, playbook, hours, now)
    open_ = {lead.id: lead for lead in _calls(book, calendar, today) if lead.call_on}

    def may_call(lead_id: UUID, day: date) -> bool:
        return not book.lawful or hours.may_call(open_[lead_id], day)

    plan = plan_day(
        today,
        calendar,
        playbook.capacity,
        book.loads,
        [_open_call(lead, book, today) for lead in open_.values()],
        waiting.candidates,
        waiting.follow_ups,
        beside,
        probes,
        book.colleague,
        waiting.closed,
        may_call,
    )
    event = DayPlanned(
        day=today,
        notes=tuple(note.lead_id for note in plan.notes),
        calls=tuple(call.lead_id for call in plan.calls),
        follow_ups=tuple(touch.lead_id for touch in plan.follow_ups if touch.mode == "call"),
        touches=tuple(touch.lead_id for touch in plan.follow_ups if touch.mode != "call"),
        rescheduled=tuple(move.lead_id for move in plan.reschedules),
        shortfalls=tuple(Shortfall(kind=s.kind, count=s.count, code=s.code, detail=s.detail) for s in plan.shortfalls),
        queued=len(book.queued),
    )
    by_id = {lead.id: lead for lead in (*book.queued, *book.silent, *(book.opening or ()))}
    return event, tuple(_proposals(plan, by_id, playbook))


class Waiting(NamedTuple):
    """Who may be planned today, in no order that means anything."""

    candidates: list[Candidate]
    """Queued leads."""
    follow_ups: list[FollowUp]
    """Silent leads whose next attempt is due."""
    closed: int
    """So many queued leads get no note only because there is no hour for the call that it would promise."""


def waiting_of(book: Book, calendar: Calendar, playbook: Playbook, hours: Telephone, now: datetime) -> Waiting:
    """Return whom a plan at *now* of the leads in *book* may choose from.

    Raises
    ------
    CalendarHorizonError
        When the calendar ends before the last day that the plan needs.
    """
    today = calendar.local_day(now)
    queued = [lead for lead in book.queued if lead.score and can_enter(lead, playbook, now)]
    promised_on = promised_for(calendar, playbook.capacity, today, book.colleague)
    # Whom nobody could call on the day of the call, because the working day there is the night here or the law forbids it, is
    # not written to either.
    by_call = {lead.id for lead in queued if begins_by_call(lead, playbook, now)}
    reached = {
        lead.id: lead
        for lead in queued
        if (hours.may_call_today(lead, today) if lead.id in by_call else hours.may_call(lead, promised_on))
    }
    unwritten = (lead for lead in queued if lead.id not in reached and lead.id not in by_call)
    return Waiting(
        [_candidate(lead, playbook, now) for lead in reached.values()],
        list(follow_ups_due(book.silent, playbook, hours, today, promised_on)),
        sum(hours.opening(lead, promised_on) is None for lead in unwritten),
    )


def can_enter(lead: Lead, playbook: Playbook, now: datetime) -> bool:
    """Tell whether a queued lead may be proposed: one whose first touch is known to be refused would take others' place."""
    needed: set[Mode] = {"call"} if begins_by_call(lead, playbook, now) else {"handwritten_note", "call"}
    active = playbook.audience.exclude_open_opportunity and lead.open_opportunity
    return lead.hold is None and not active and needed <= set(lead.modes)


def comes_in(before: Lead | None, after: Lead, playbook: Playbook, now: datetime) -> bool:
    """Tell whether a lead that was *before* is now somebody whom its owner's plan may propose, and was not before."""

    def waits(lead: Lead) -> bool:
        return lead.state == "queued" and can_enter(lead, playbook, now)

    return waits(after) and not (before and before.owner == after.owner and waits(before))


#: States in which nobody of ours works on a lead any more.
_LET_GO = frozenset({"declined", "nurture", "won", "dropped", "do_not_contact"})


def gives_back(after: Lead, recorded: Iterable[Recorded]) -> bool:
    """Tell whether a lead was let go and gave slots back, so that whoever is next has them on the same day (A3-11)."""
    return after.state in _LET_GO and any(each.effects.released for each in recorded)


def begins_by_call(lead: Lead, playbook: Playbook, now: datetime) -> bool:
    """Tell whether a lead's first touch is a call: it knows us, or the playbook begins by telephone."""
    fresh_after = now - timedelta(days=playbook.audience.stale_after_days)
    fresh = lead.last_contact_at is not None and lead.last_contact_at > fresh_after
    return fresh or playbook.first_touch == "call" or had_turn(lead, now, playbook)


def _candidate(lead: Lead, playbook: Playbook, now: datetime) -> Candidate:
    assert lead.score is not None  # noqa: S101  # a queued lead has a score: revival_queued carries it
    return Candidate(
        lead_id=lead.id,
        score=lead.score,
        last_contact_at=lead.last_contact_at,
        first_touch="call" if begins_by_call(lead, playbook, now) else "note",
    )


def _calls(book: Book, calendar: Calendar, today: date) -> Iterable[Lead]:
    """Yield the leads whose call is open, and those whose promised one opens later today: it competes with older promises like
    those that are open. Nobody makes a call that is on hold.
    """
    yield from (lead for lead in book.called if lead.hold is None or not book.resting)
    until = calendar.end_of(today)
    for lead in book.opening or ():
        opens = lead.timers.get("call_after_note")
        if opens and opens.due_at <= until and not lead.hold:
            yield lead


def unreserved(book: Book, day: date) -> int:
    """Count the calls that stand on *day* and hold no slot of it."""
    return sum(lead.call_on == day and not _is_reserved(lead) for lead in (*book.called, *(book.opening or ())))


def overdue_with_slot(book: Book, day: date) -> int:
    """Count the calls of earlier days that hold a slot of *day*: another owner got them with it."""
    return sum(_is_carried(lead, day) for lead in (*book.called, *(book.opening or ())))


def _is_carried(lead: Lead, day: date) -> bool:
    overdue = lead.hold is None and lead.call_on is not None and lead.call_on < day
    return overdue and any(slot.day == day for slot in lead.slots)


def _is_reserved(lead: Lead) -> bool:
    """Tell whether the call of *lead* holds a slot of its day; one that is on hold needs none."""
    return lead.hold is not None or any(slot.day == lead.call_on for slot in lead.slots)


def _open_call(lead: Lead, book: Book, day: date) -> OpenCall:
    assert lead.call_on is not None  # noqa: S101  # the caller asked only for those
    promised_on = lead.promised_on or lead.call_on
    return OpenCall(
        lead_id=lead.id,
        promised_on=promised_on,
        note_on=lead.note_on if lead.promised else None,
        due_on=lead.call_on if lead.call_on != promised_on else None,
        reserved=_is_reserved(lead) if book.counted else True,
        carried=book.carried and _is_carried(lead, day),
    )


def touch_planned(lead: Lead, day: date) -> bool:
    """Tell whether a touch in another mode than a call or a note is planned for *lead* on *day* and not made yet."""
    return lead.state == "no_response" and any(slot.kind == "follow_up" and slot.day == day for slot in lead.slots)


def follow_ups_due(
    silent: Iterable[Lead], playbook: Playbook, hours: Telephone, today: date, promised_on: date
) -> Iterable[FollowUp]:
    """Yield the silent leads whose next attempt is due *today*, may still be made, and is not planned yet.

    The call that a note of today promises is made on *promised_on*.
    """
    until = hours.calendar.end_of(today)
    for lead in silent:
        ready = lead.timers.get("next_attempt")
        if (
            lead.hold
            or lead.score is None
            or touch_planned(lead, today)
            or _breaking_up(lead)
            or (ready and ready.due_at > until)
            or lead.attempts >= most_attempts(lead, playbook)
        ):
            continue
        mode, instead = _modes_of_today(lead, playbook, hours, today, promised_on)
        if mode is not None and next_value_item(lead, playbook) is not None:
            since = lead.last_touch_at or lead.entered_at
            yield FollowUp(lead_id=lead.id, score=lead.score, since=since, mode=mode, instead=instead)


def _modes_of_today(
    lead: Lead, playbook: Playbook, hours: Telephone, today: date, promised_on: date
) -> tuple[Mode | None, Mode | None]:
    """Return the mode to try *lead* in today, and of a note what to try if the day has no room for it: as new a mode."""
    without: list[Mode] = []
    if not hours.may_call_today(lead, today):
        without.append("call")
    mode = next_mode(lead, playbook, today, hours.table, without=without)
    if mode != "handwritten_note":
        return mode, None
    without.append("handwritten_note")
    instead = next_mode(lead, playbook, today, hours.table, without=without)
    if not hours.may_call(lead, promised_on):
        return instead, None
    untried = untried_modes(lead, playbook, lawful_modes(lead, today, hours.table))
    return mode, instead if instead in untried else None


def _breaking_up(lead: Lead) -> bool:
    """Tell whether a breakup is decided or begun, so that nobody is tried again meanwhile."""
    return lead.cut_bait in ("breakup", "nurture") or bool(lead.breakup_voicemail_at or lead.breakup_email_at)


#: Modes that are planned as what they are; any other is planned as a touch.
NOT_AS_TOUCH: frozenset[Mode] = frozenset({"handwritten_note", "call"})


def next_mode(
    lead: Lead, playbook: Playbook, day: date, table: LawTable | None, *, without: Collection[Mode] = ()
) -> Mode | None:
    """Return the mode of the next attempt: a permitted one not yet tried, else one that differs from the last (A1-3).

    Only what the law permits on the *day*, and nothing of *without*, such as a call where the hours leave none: the other modes
    are not held up by it. A note promises a call, and so needs both. It is proposed once: whoever had one knows us, and another
    would take its slots from somebody new. What was waived is not proposed at all.
    """
    lawful = to_try(lead, playbook, lawful_modes(lead, day, table), day)
    untried = [mode for mode in untried_modes(lead, playbook, lawful) if mode not in without]
    if "call" not in lawful and "handwritten_note" in untried:
        untried.remove("handwritten_note")
    again = [mode for mode in playbook.attempts.modes if mode in lawful and mode not in without and _had(lead, mode, playbook)]
    others = [mode for mode in again if mode != lead.last_mode]
    return next(iter(untried or others or again), None)


def _had(lead: Lead, mode: Mode, playbook: Playbook) -> bool:
    """Tell whether *lead* was tried in *mode*, which may be tried again."""
    if mode == "handwritten_note":
        return False
    ways = [way for way, channel in (playbook.pursuit or Pursuit()).ways.items() if channel == mode]
    return any(way in lead.modes_tried for way in (mode, *ways))


def next_value_item(lead: Lead, playbook: Playbook) -> str | None:
    """Return the first value item that this lead has not seen (A1-5): its own needs' first."""
    return next((item for item in value_items(lead, playbook) if item not in lead.value_items_used), None)


def whose_slots(rep: str, proposals: Collection[Proposal]) -> set[str]:
    """Return the reps whose slots the *proposals* of a plan of *rep* are to take."""
    notes = (each.command for each in proposals if isinstance(each.command, ScheduleNote))
    return {rep, *(note.call_by for note in notes if note.call_by)} if proposals else set()


def _proposals(plan: DayPlan, leads: Mapping[UUID, Lead], playbook: Playbook) -> Iterable[Proposal]:
    for move in plan.reschedules:
        opens = leads[move.lead_id].timers.get("call_after_note") if move.lead_id in leads else None
        not_before = opens.due_at + _ONCE_OPEN if opens else msgspec.UNSET
        moved = RescheduleCall(call_on=move.to_day, reason=move.reason, not_before=not_before)
        yield Proposal(lead_id=move.lead_id, command=moved)
    for note in plan.notes:
        silent = leads[note.lead_id] if leads[note.lead_id].state == "no_response" else None
        item = next_value_item(silent, playbook) if silent else None
        command = ScheduleNote(note_on=note.note_on, call_on=note.call_on, value_item=item, call_by=note.call_by)
        yield Proposal(lead_id=note.lead_id, command=command)
    for call in plan.calls:
        yield Proposal(lead_id=call.lead_id, command=ScheduleCall(call_on=call.call_on))
    for touch in plan.follow_ups:
        lead = leads[touch.lead_id]
        item = next_value_item(lead, playbook)
        if touch.mode == "call":
            yield Proposal(lead_id=lead.id, command=ScheduleCall(call_on=touch.on, value_item=item))
        elif item:
            yield Proposal(lead_id=lead.id, command=ScheduleTouch(touch_on=touch.on, mode=touch.mode, value_item=item))
