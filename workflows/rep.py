"""A rep's own stream: the calendar in force, and each working day's plan.

The plan is made from the rep's leads as they stand (`Book`), and proposes one command per lead. Each proposal is then decided
on its lead's own stream against the capacity that is really free, so a plan that was made twice, or late, plans nobody past it.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from workflows import horizon
from workflows.books import Book, book_digest, reachable
from workflows.calendars import Calendar, CalendarHorizonError
from workflows.codec import derived_id
from workflows.commands import Command, FireTimer, PlanDay, SetCalendar, command_kind
from workflows.context import in_utc
from workflows.cover import in_reach, promised_for
from workflows.events import SCHEMA, AnyEvent, CalendarFrozen, CommandRefused, DayPlanned, Effects, Recorded, Used
from workflows.handle import Carrier, calendar_digest, colleague_used
from workflows.lead import Rep, Timer
from workflows.minutes import beside_slots, kept_for_probes
from workflows.playbooks import Playbook
from workflows.proposals import Proposal, overdue_with_slot, plan_book, unreserved
from workflows.telephone import Telephone
from workflows.timers import PLAN_DAY

#: The plan is made this long before the rep's working day starts, so that it lies ready.
PLAN_LEAD_MINUTES = 120


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
        used = _with_book(used, book, calendar, playbook)
        try:
            return _plan(rep, command, now, calendar, playbook, reachable(book), used, carrier)
        except CalendarHorizonError as error:
            # Asked again tomorrow, by when somebody may have frozen a longer calendar: nobody's plans just stop.
            reason = f"{error} Freeze a longer calendar with `thaw rep set {rep.name}`."
            again = Effects(armed={PLAN_DAY: now + timedelta(days=1)}, cancelled=(PLAN_DAY,))
            return _refuse(rep, command, "calendar_horizon", reason, again, used, playbook, carrier)
    if isinstance(command, PlanDay):
        return _plan_again(
            rep, command, now, calendar, playbook, reachable(book), _with_book(used, book, calendar, playbook), carrier
        )
    reason = "this command is for a lead, not for a rep"
    return _refuse(rep, command, "not_for_a_rep", reason, Effects(), used, playbook, carrier)


def _with_book(used: Used, book: Book, calendar: Calendar, playbook: Playbook) -> Used:
    """Return *used* with what names the book that a plan rests on."""
    if book.position is None:
        return used
    day, capacity = horizon.local_day(calendar, used.now), playbook.capacity
    parting = (*book.silent, *book.parted)
    suppressed = {str(lead_id): modes for lead_id, modes in book.suppressed.items()}
    return msgspec.structs.replace(
        used,
        colleague=colleague_used(book.colleague),
        position=book.position,
        book=book_digest(book),
        suppressed=suppressed or msgspec.UNSET,
        opening=msgspec.UNSET if book.opening is None else len(book.opening),
        beside=beside_slots(book.engaged, parting, day, calendar, capacity.minutes) if book.charged else msgspec.UNSET,
        unreserved=unreserved(book, day) if book.counted else msgspec.UNSET,
        overdue=overdue_with_slot(book, day) if book.carried else msgspec.UNSET,
        held=sum(lead.hold is not None for lead in book.called) if book.resting else msgspec.UNSET,
        lawful=book.lawful or msgspec.UNSET,
        probes=msgspec.UNSET if book.probed is None else kept_for_probes(book.probed, day, calendar, capacity),
    )


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
            layers=data.layers,
        )
    if rep is None:
        raise ValueError(f"the stream of a rep starts with calendar_frozen, not with {recorded.data}")
    changes = {"planned_on": data.day} if isinstance(data, DayPlanned) else {}
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
    # What was asked for by a clock that ran ahead cannot be compared with: nothing could replace it until that day.
    if rep and rep.calendar_at and asked_at < rep.calendar_at <= now:
        reason = (
            f"This calendar was asked for on {asked_at:%Y-%m-%d %H:%M} UTC, and the one in force later, on "
            f"{rep.calendar_at:%Y-%m-%d %H:%M} UTC: that one stays. If this one is right, say so again with "
            f"`thaw rep set {rep.name}`."
        )
        return _refuse(rep, command, "newer_calendar", reason, Effects(), used, playbook, carrier)
    calendar = command.calendar
    event = CalendarFrozen(
        rep=command.rep,
        calendar=calendar,
        digest=calendar_digest(calendar),
        playbook=command.playbook,
        layers=command.layers,
    )
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
    command: FireTimer | PlanDay,
    now: datetime,
    calendar: Calendar,
    playbook: Playbook,
    book: Book,
    used: Used,
    carrier: Carrier,
) -> RepOutcome:
    elsewhere, today = {}, calendar.local_day(now)
    if colleague := in_reach(book.colleague, playbook.capacity, today):
        elsewhere[promised_for(calendar, playbook.capacity, today, colleague)] = colleague
    hours = Telephone(calendar, playbook, book.law, elsewhere, book.contact_hours)
    event, proposals = plan_book(book, calendar, playbook, hours, now, used.beside or 0, used.probes or 0)
    used = msgspec.structs.replace(used, law=hours.used())
    effects = Effects()
    if isinstance(command, FireTimer):
        effects = Effects(armed={PLAN_DAY: next_plan(calendar, now, event.day)}, cancelled=(PLAN_DAY,))
    recorded = _record(rep, event, effects, command, used, playbook, carrier, rep.id)
    return RepOutcome(answer="applied", recorded=(recorded,), rep=fold_rep(rep, recorded), proposals=proposals)


def day_under_way(calendar: Calendar, now: datetime) -> date | None:
    """Return the working day that is not over at *now*, None when there is none."""
    try:
        day = calendar.local_day(now)
        return day if calendar.is_working(day) and now < calendar.end_of(day) else None
    except CalendarHorizonError:
        return None


def _plan_again(
    rep: Rep,
    command: PlanDay,
    now: datetime,
    calendar: Calendar,
    playbook: Playbook,
    book: Book,
    used: Used,
    carrier: Carrier,
) -> RepOutcome:
    """Plan as in the morning, on what is left of the day; a plan that adds nothing is none, and leaves no event."""
    day, reason = day_under_way(calendar, now), None
    if day is None:
        reason = "no working day is under way"
    elif rep.planned_on != day:
        reason = f"the plan of {day} is still to come"
    else:
        try:
            planned = _plan(rep, command, now, calendar, playbook, book, used, carrier)
        except CalendarHorizonError as error:
            reason = str(error)
        else:
            if planned.proposals:
                return planned
            reason = f"nobody in the queue fits into what is left of {day}"
    return RepOutcome(answer="superseded", recorded=(), rep=rep, reason=reason)


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
