"""A rep's own stream: the calendar in force, and each working day's plan.

The plan is made from the rep's leads as they stand (`Book`), and proposes one command per lead. Each proposal is then decided
on its lead's own stream against the capacity that is really free, so a plan that was made twice, or late, plans nobody past it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from workflows.books import Book, book_digest, reachable
from workflows.calendars import Calendar, CalendarHorizonError
from workflows.codec import derived_id
from workflows.commands import (
    Command,
    FireTimer,
    Mode,
    RescheduleCall,
    ScheduleCall,
    ScheduleNote,
    SetCalendar,
    command_kind,
)
from workflows.contact_hours import overlap
from workflows.context import in_utc
from workflows.events import (
    SCHEMA,
    AnyEvent,
    CalendarFrozen,
    CommandRefused,
    DayPlanned,
    Effects,
    Recorded,
    Shortfall,
    Used,
)
from workflows.handle import Carrier, calendar_digest
from workflows.homework import value_items
from workflows.lead import Lead, Rep, Timer
from workflows.plan_guards import had_turn
from workflows.planner import Candidate, DayPlan, FollowUp, OpenCall, plan_day
from workflows.playbooks import Playbook
from workflows.timers import PLAN_DAY

#: The plan is made this long before the rep's working day starts, so that it lies ready.
PLAN_LEAD_MINUTES = 120


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the plan stages on a lead's stream."""

    lead_id: UUID
    command: Command


class RepOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command on a rep's stream."""

    answer: str
    recorded: tuple[Recorded, ...]
    rep: Rep | None
    proposals: tuple[Proposal, ...] = ()
    rule: str | None = None
    reason: str | None = None
    due_at: datetime | None = None


def rep_id(name: str) -> UUID:
    """Return the stream of the rep called *name*."""
    return derived_id("rep", name)


def handle_rep(
    rep: Rep | None,
    command: Command,
    *,
    now: datetime,
    calendar: Calendar | None,
    playbook: Playbook,
    book: Book,
    carrier: Carrier,
) -> RepOutcome:
    """Decide a command on a rep's stream. *calendar* is the one in force, None for a rep who is not known yet."""
    used = Used(now=now, calendar=rep.calendar_digest if rep else None)
    if isinstance(command, SetCalendar):
        return _set_calendar(rep, command, now, playbook, used, carrier)
    if rep is None or calendar is None:
        return RepOutcome(answer="unknown_rep", recorded=(), rep=None, reason="the rep has no calendar yet")
    if isinstance(command, FireTimer):
        timer = rep.timers.get(command.timer)
        if timer is None or timer.armed_version != command.armed_version:
            return RepOutcome(answer="superseded", recorded=(), rep=rep, reason=f"{command.timer} was armed anew")
        if timer.due_at > now:
            return RepOutcome(answer="too_early", recorded=(), rep=rep, due_at=timer.due_at)
        if book.position is not None:
            suppressed = {str(lead_id): modes for lead_id, modes in book.suppressed.items()}
            used = msgspec.structs.replace(
                used, position=book.position, book=book_digest(book), suppressed=suppressed or msgspec.UNSET
            )
        try:
            return _plan(rep, command, now, calendar, playbook, reachable(book), used, carrier)
        except CalendarHorizonError as error:
            # Asked again tomorrow, by when somebody may have frozen a longer calendar: nobody's plans just stop.
            reason = f"{error} Freeze a longer calendar with `thaw rep set {rep.name}`."
            again = Effects(armed={PLAN_DAY: now + timedelta(days=1)}, cancelled=(PLAN_DAY,))
            return _refuse(rep, command, "calendar_horizon", reason, again, used, playbook, carrier)
    reason = "this command is for a lead, not for a rep"
    return _refuse(rep, command, "not_for_a_rep", reason, Effects(), used, playbook, carrier)


def _refuse(
    rep: Rep, command: Command, rule: str, reason: str, effects: Effects, used: Used, playbook: Playbook, carrier: Carrier
) -> RepOutcome:
    refusal = CommandRefused(refused=command_kind(command), rule=rule, reason=reason, inputs={})
    recorded = _record(rep, refusal, effects, command, used, playbook, carrier, rep.id)
    return RepOutcome(
        answer="refused", recorded=(recorded,), rep=fold_rep(rep, recorded), rule=refusal.rule, reason=refusal.reason
    )


def fold_rep(rep: Rep | None, recorded: Recorded) -> Rep:
    """Return the rep after *recorded*."""
    timers = {name: timer for name, timer in (rep.timers if rep else {}).items() if name not in recorded.effects.cancelled}
    for name, due_at in recorded.effects.armed.items():
        timers[name] = Timer(due_at=due_at, armed_version=recorded.version)
    data = recorded.data
    if isinstance(data, CalendarFrozen):
        return Rep(
            id=recorded.stream_id,
            version=recorded.version,
            name=data.rep,
            recorded_at=recorded.recorded_at,
            calendar_digest=data.digest,
            calendar_at=recorded.occurred_at,
            playbook=recorded.playbook,
            timers=timers,
            planned_on=rep.planned_on if rep else None,
            touches=rep.touches if rep else (),
        )
    if rep is None:
        raise ValueError(f"the stream of a rep starts with calendar_frozen, not with {recorded.data}")
    changes = {"planned_on": data.day, "touches": data.touches} if isinstance(data, DayPlanned) else {}
    return msgspec.structs.replace(rep, version=recorded.version, recorded_at=recorded.recorded_at, timers=timers, **changes)


def next_plan(calendar: Calendar, now: datetime, planned_on: date | None) -> datetime:
    """Return when the next working day's plan is made: the first working day after *planned_on* that is not over yet."""
    today = calendar.local_day(now)
    earliest = max(today, planned_on + timedelta(days=1)) if planned_on else today
    day = calendar.on_or_after(earliest)
    if day == today and now >= calendar.end_of(day):
        day = calendar.next_working_day(day)
    return calendar.moment(day, max(0, calendar.day_starts - PLAN_LEAD_MINUTES))


def _set_calendar(
    rep: Rep | None, command: SetCalendar, now: datetime, playbook: Playbook, used: Used, carrier: Carrier
) -> RepOutcome:
    asked_at = min(in_utc(command.occurred_at), now) if command.occurred_at else now
    if rep and rep.calendar_at and asked_at < rep.calendar_at:
        reason = (
            f"This calendar was asked for on {asked_at:%Y-%m-%d %H:%M} UTC, and the one in force later, on "
            f"{rep.calendar_at:%Y-%m-%d %H:%M} UTC: that one stays. If this one is right, say so again with "
            f"`thaw rep set {rep.name}`."
        )
        return _refuse(rep, command, "newer_calendar", reason, Effects(), used, playbook, carrier)
    calendar = command.calendar
    event = CalendarFrozen(rep=command.rep, calendar=calendar, digest=calendar_digest(calendar), playbook=command.playbook)
    # The calendar stands in the event; repeating it in the recorded command would only double the log.
    try:
        planned_at = next_plan(calendar, now, rep.planned_on if rep else None)
    except CalendarHorizonError:
        # No working day is left in it. Asked tomorrow, the plan says so; the calendar is what was ordered all the same.
        planned_at = now + timedelta(days=1)
    effects = Effects(
        armed={PLAN_DAY: planned_at},
        cancelled=(PLAN_DAY,) if rep and PLAN_DAY in rep.timers else (),
    )
    recorded = _record(rep, event, effects, None, used, playbook, carrier, rep_id(command.rep), asked_at)
    return RepOutcome(answer="applied", recorded=(recorded,), rep=fold_rep(rep, recorded))


def _plan(
    rep: Rep,
    command: FireTimer,
    now: datetime,
    calendar: Calendar,
    playbook: Playbook,
    book: Book,
    used: Used,
    carrier: Carrier,
) -> RepOutcome:
    today = calendar.local_day(now)
    queued = [lead for lead in book.queued if lead.score and can_enter(lead, playbook, now)]
    promised_on = calendar.add_working_days(today, playbook.capacity.call_after_note_days)
    # Whom nobody could call on the promised day, because the working day there is the night here, is not written to either.
    awake = {zone: overlap(playbook.contact_hours, zone, promised_on, calendar) for zone in {lead.timezone for lead in queued}}
    plan = plan_day(
        today,
        calendar,
        playbook.capacity,
        book.loads,
        [_open_call(lead) for lead in book.called if lead.call_on is not None],
        [_candidate(lead, playbook, now) for lead in queued if awake[lead.timezone] or begins_by_call(lead, playbook, now)],
        list(_follow_ups(book.silent, playbook, calendar.end_of(today))),
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
    effects = Effects(armed={PLAN_DAY: next_plan(calendar, now, today)}, cancelled=(PLAN_DAY,))
    recorded = _record(rep, event, effects, command, used, playbook, carrier, rep.id)
    return RepOutcome(
        answer="applied",
        recorded=(recorded,),
        rep=fold_rep(rep, recorded),
        proposals=tuple(_proposals(plan, {lead.id: lead for lead in (*book.queued, *book.silent)}, playbook)),
    )


def _record(
    rep: Rep | None,
    data: AnyEvent,
    effects: Effects,
    command: Command | None,
    used: Used,
    playbook: Playbook,
    carrier: Carrier,
    stream_id: UUID,
    occurred_at: datetime | None = None,
) -> Recorded:
    return Recorded(
        stream_id=stream_id,
        version=rep.version + 1 if rep else 1,
        schema=SCHEMA,
        occurred_at=occurred_at or used.now,
        recorded_at=max(carrier.recorded_at, rep.recorded_at) if rep else carrier.recorded_at,
        message_id=carrier.message_id,
        actor=carrier.actor,
        correlation_id=carrier.correlation_id,
        causation_id=carrier.causation_id,
        playbook=playbook.pin,
        row=None,
        state="rep",
        effects=effects,
        data=data,
        command=command,  # type: ignore[arg-type]  # every command class is a member of AnyCommand
        used=used,
    )


def can_enter(lead: Lead, playbook: Playbook, now: datetime) -> bool:
    """Tell whether a queued lead may be proposed: one whose first touch is known to be refused would take others' place."""
    needed: set[Mode] = {"call"} if begins_by_call(lead, playbook, now) else {"handwritten_note", "call"}
    active = playbook.audience.exclude_open_opportunity and lead.open_opportunity
    return lead.hold is None and not active and needed <= set(lead.modes)


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


def _open_call(lead: Lead) -> OpenCall:
    assert lead.call_on is not None  # noqa: S101  # the caller asked only for those
    promised_on = lead.promised_on or lead.call_on
    return OpenCall(
        lead_id=lead.id,
        promised_on=promised_on,
        note_on=lead.note_on if lead.promised else None,
        due_on=lead.call_on if lead.call_on != promised_on else None,
    )


def _follow_ups(silent: Iterable[Lead], playbook: Playbook, until: datetime) -> Iterable[FollowUp]:
    """Yield the silent leads whose next attempt is due by *until* and may still be made."""
    for lead in silent:
        ready = lead.timers.get("next_attempt")
        if (
            lead.hold
            or lead.score is None
            or (ready and ready.due_at > until)
            or lead.attempts >= most_attempts(lead, playbook)
        ):
            continue
        mode = next_mode(lead, playbook)
        if mode is not None and next_value_item(lead, playbook) is not None:
            yield FollowUp(lead_id=lead.id, score=lead.score, since=lead.last_touch_at or lead.entered_at, mode=mode)


def most_attempts(lead: Lead, playbook: Playbook) -> int:
    """Return how many unanswered attempts this lead may get."""
    important = lead.importance is not None and lead.importance >= 4
    return playbook.attempts.max_when_important if important else playbook.attempts.max


def next_mode(lead: Lead, playbook: Playbook) -> Mode | None:
    """Return the mode of the next attempt: a permitted one not yet tried, else one that differs from the last (A1-3).

    A handwritten note is not proposed again here: it would take a first note's slots from somebody new.
    """
    permitted = [mode for mode in playbook.attempts.modes if mode in lead.modes and mode != "handwritten_note"]
    untried = [mode for mode in permitted if mode not in lead.modes_tried]
    others = [mode for mode in permitted if mode != lead.last_mode]
    return next(iter(untried or others or permitted), None)


def next_value_item(lead: Lead, playbook: Playbook) -> str | None:
    """Return the first value item that this lead has not seen (A1-5): its own needs' first."""
    return next((item for item in value_items(lead, playbook) if item not in lead.value_items_used), None)


def _proposals(plan: DayPlan, leads: Mapping[UUID, Lead], playbook: Playbook) -> Iterable[Proposal]:
    for move in plan.reschedules:
        yield Proposal(lead_id=move.lead_id, command=RescheduleCall(call_on=move.to_day, reason=move.reason))
    for note in plan.notes:
        yield Proposal(lead_id=note.lead_id, command=ScheduleNote(note_on=note.note_on, call_on=note.call_on))
    for call in plan.calls:
        yield Proposal(lead_id=call.lead_id, command=ScheduleCall(call_on=call.call_on))
    for touch in plan.follow_ups:
        # Touches in other modes are made by a person; they stand on the day's sheet and need no transition to be planned.
        if touch.mode == "call":
            item = next_value_item(leads[touch.lead_id], playbook)
            yield Proposal(lead_id=touch.lead_id, command=ScheduleCall(call_on=touch.on, value_item=item))
