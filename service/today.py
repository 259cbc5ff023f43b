"""The day's sheet of one rep: what to do, in the order of methods.md 6.4, what is blocked and why, and what is coming."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from models import contacts, deliveries, playbooks, slots, views
from models.database import Connection
from models.queues import read_queue, waiting
from service.calendars import ending
from service.campaigns import CampaignDue, due_of
from service.cut_bait import Shown, below_the_floor, name_of_id, shown_cards
from service.find import find_rep
from service.history import read_history
from service.sheet.decisions import undecided
from service.sheet.desk import Desk, read_desk
from service.sheet.found import Blocked, Item
from service.sheet.items import items_of
from service.sheet.objections import objections
from service.times import TimeError, shown_day
from service.wording import count, plain
from workflows import horizon
from workflows.calendars import Calendar
from workflows.events import DayPlanned, Recorded, TouchSent
from workflows.lead import Rep
from workflows.minutes import LET_GO_ROWS, LeftOver, released, spent, that_fit
from workflows.playbook_sections import Importance
from workflows.transitions import CALL_ROWS

#: So many working days after the day itself are shown with what is taken of them.
AHEAD_DAYS = 5

#: Work that takes as long as a follow-up.
_TALKS = ("follow_up", "reply", "next_step")


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How far one kind of the day's work has got."""

    done: int
    planned: int
    """Done, open, and blocked."""
    capacity: int


class DayLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken of a coming day."""

    day: date
    off: str
    """Why nobody works then; empty on a working day."""
    calls: int
    notes: int
    follow_ups: int


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One rep's day."""

    rep: str
    day: date
    timezone: str
    off: str
    """Why it is no working day; empty when it is one."""
    planned: bool
    """Whether the plan of this day is made."""
    next_plan: datetime | None
    queued: int
    """Leads in the queue, those on hold not counted."""
    warnings: tuple[str, ...]
    """What will stop this rep's plans unless somebody acts."""
    calls: Tally
    notes: Tally
    follow_ups: Tally
    minutes_planned: int
    """Of the work done and the work that is open, as far as it fits."""
    minutes_budget: int
    fits: dict[LeftOver, int]
    """Of the work that gets what the rest leaves of the day: how much of each kind fits."""
    shortfalls: tuple[str, ...]
    """Why fewer notes or touches are planned than there is capacity for."""
    objections: tuple[Item, ...]
    """What people objected to lately, with what they said: for the rep to read."""
    items: tuple[Item, ...]
    """In the order in which to do them."""
    decisions: tuple[Item, ...]
    """Leads that wait for somebody to decide about a breakup."""
    released: tuple[str, ...]
    """What was let go today, the minutes that this frees, and who is next in the queue for them."""
    blocked: tuple[Blocked, ...]
    ahead: tuple[DayLoad, ...]
    campaigns: tuple[CampaignDue, ...] = ()
    """Letters of campaigns that may leave, and people to tell of a withdrawn event."""


def read_sheet(connection: Connection, rep_name: str, day: date | None, now: datetime) -> Sheet:
    """Return the sheet of *day*, by default today, as it stands at *now*.

    Raises
    ------
    FindError
        When no rep is called *rep_name*.
    TimeError
        When *day* is over, or lies beyond the rep's calendar.
    """
    rep = find_rep(connection, rep_name)
    calendar = views.calendar_of(connection, rep.name) or horizon.PLAIN
    today = horizon.local_day(calendar, now)
    day = day or today
    if day < today:
        raise TimeError(f"{shown_day(day)} is over: the sheet shows what is open; `thaw replay` shows what was")
    if day < calendar.first:
        behind = f"; {_behind(rep, now)}" if rep.recorded_at > now else ""
        raise TimeError(
            f"the calendar of {rep.name} begins on {calendar.first}: `thaw rep set {rep.name}` freezes another{behind}"
        )
    if not day < calendar.last - timedelta(days=2 * AHEAD_DAYS):
        raise TimeError(f"the calendar of {rep.name} ends on {calendar.last}: make it longer with `thaw rep set {rep.name}`")
    desk = read_desk(connection, rep, calendar, day, now)
    items, blocked = items_of(desk)
    done = _done(connection, desk)
    return _sheet(connection, desk, items, blocked, done)


def _behind(rep: Rep, now: datetime) -> str:
    newest = f"{rep.name} has an event of {rep.recorded_at:%Y-%m-%d}"
    return f"the clock is behind the log: it says {now:%Y-%m-%d %H:%M} UTC, and {newest}"


def _sheet(connection: Connection, desk: Desk, items: list[Item], blocked: list[Blocked], done: list[tuple[str, int]]) -> Sheet:
    capacity, costs = desk.playbook.capacity, desk.playbook.capacity.minutes
    kinds = [*(item.kind for item in items), *(each.kind for each in blocked if each.kind)]
    open_ = Counter[str](kinds)
    finished = Counter(kind for kind, _ in done)
    cost = {"call": costs.call, "note": costs.note, "breakup": costs.breakup} | dict.fromkeys(_TALKS, costs.follow_up)
    minutes = sum(took for _, took in done) + sum(cost.get(kind, 0) for kind in kinds)
    fits = that_fit(open_, costs.budget - minutes, costs)
    plan = views.latest(connection, [desk.rep.id], ["day_planned"]).get(desk.rep.id)
    timer = desk.rep.timers.get("plan_day")
    return Sheet(
        rep=desk.rep.name,
        day=desk.day,
        timezone=desk.zone.key,
        off=desk.calendar.why_not_working(desk.day) or "",
        planned=desk.rep.planned_on == desk.day,
        next_plan=timer.due_at if timer else None,
        queued=waiting(connection, desk.rep.name),
        warnings=tuple(_warnings(connection, desk)),
        calls=Tally(done=finished["call"], planned=finished["call"] + open_["call"], capacity=capacity.calls),
        notes=Tally(done=finished["note"], planned=finished["note"] + open_["note"], capacity=capacity.notes),
        follow_ups=Tally(
            done=finished["follow_up"],
            planned=finished["follow_up"] + open_["follow_up"],
            capacity=capacity.follow_up_touches,
        ),
        minutes_planned=minutes + sum(number * getattr(costs, kind) for kind, number in fits.items()),
        minutes_budget=costs.budget,
        fits=fits,
        shortfalls=_shortfalls(plan, desk.day),
        objections=tuple(objections(connection, desk)),
        items=tuple(items),
        released=tuple(released_today(connection, desk)),
        decisions=tuple(undecided(desk, _cards(connection, desk))),
        blocked=tuple(blocked),
        ahead=_ahead(connection, desk.rep, desk.calendar, desk.day),
        campaigns=due_of(connection, desk.rep.name),
    )


def _warnings(connection: Connection, desk: Desk) -> Iterator[str]:
    if desk.rep.recorded_at > desk.now:
        planned = desk.rep.planned_on
        until = f", and until {planned} no day is" if planned and planned > desk.day else ""
        yield f"{_behind(desk.rep, desk.now)}: set it right, for what that clock planned is not planned again{until}"
    ends = ending(desk.rep.name, desk.calendar.last, horizon.local_day(desk.calendar, desk.now))
    if ends:
        yield ends
    below = below_the_floor(connection, desk.now, desk.rep.name)
    if below:
        typed = f"thaw alerts --rep {desk.rep.name}"
        yield f"{count(below, 'lead')} heard from us too long ago, or less than twice in a year: `{typed}` names them"
    lost = deliveries.unconfirmed(connection, desk.rep.name)
    for lead_id, contact in contacts.find_contacts(connection, lost).items():
        name = plain(str(contact.fields.get("name") or lead_id))
        yield (
            f"nobody knows whether the mail to {name} went out: look in the sent folder or the server's log, then "
            f"`thaw mail settle {plain(contact.external_id)} --sent`, or `--not-sent`"
        )


def _cards(connection: Connection, desk: Desk) -> dict[UUID, Shown]:
    silent = desk.of("no_response")
    return {shown.lead_id: shown for shown in shown_cards(connection, desk.now, silent, desk.people, desk.playbooks)}


def released_today(connection: Connection, desk: Desk) -> Iterator[str]:
    """Yield what each lead that was let go on the day frees, and who gets it (A3-11)."""
    since = horizon.moment(desk.calendar, desk.day, 0)
    let_go = [
        (recorded.stream_id, _released(connection, recorded))
        for recorded in views.events_since(connection, desk.rep.name, since)
        if recorded.row in LET_GO_ROWS and horizon.local_day(desk.calendar, recorded.occurred_at) == desk.day
    ]
    # The queue as it is now: whoever was next when it was decided may have had a turn since.
    waiting = read_queue(connection, desk.rep.name, desk.now, Importance().high_from).next_lead if let_go else None
    people = contacts.find_contacts(connection, [lead_id for lead_id, _ in let_go] + ([waiting] if waiting else []))
    taker = f"they go to {name_of_id(waiting, people)}, next in the queue" if waiting else "nobody waits for them"
    for lead_id, minutes in let_go:
        if minutes:
            yield f"{count(minutes, 'minute')} released by letting go of {name_of_id(lead_id, people)}: {taker}"


def _released(connection: Connection, recorded: Recorded) -> int:
    history = read_history(connection, recorded.stream_id).first(recorded.version - 1)
    before = history.entries[-1].after if history.entries else None
    pin = before.playbook if before else None
    playbook = playbooks.playbooks_by_digest(connection, [pin.digest]).get(pin.digest) if pin else None
    return released(before, recorded, playbook) if before and playbook else 0


def _done(connection: Connection, desk: Desk) -> list[tuple[str, int]]:
    """Return what was done on the day: its kind (empty for what is not tallied), and the minutes that it took."""
    since, costs = horizon.moment(desk.calendar, desk.day, 0), desk.playbook.capacity.minutes
    own = views.events_since(connection, desk.rep.name, since)
    mine = [each for each in own if all(slot.rep == desk.rep.name for slot in each.effects.used)]
    return [
        (_kind_of(recorded), spent(recorded, costs))
        for recorded in (*mine, *views.calls_made_for_others(connection, desk.rep.name, since))
        if horizon.local_day(desk.calendar, recorded.occurred_at) == desk.day
    ]


def _kind_of(recorded: Recorded) -> str:
    if recorded.row == "T10":
        return "note"
    if recorded.row in CALL_ROWS:
        return "follow_up" if any(slot.kind == "follow_up" for slot in recorded.effects.used) else "call"
    return "follow_up" if isinstance(recorded.data, TouchSent) else ""


def _shortfalls(plan: Recorded | None, day: date) -> tuple[str, ...]:
    if plan is None or not isinstance(plan.data, DayPlanned) or plan.data.day != day:
        return ()
    return tuple(f"{s.count} fewer {s.kind.replace('_', '-')}s: {s.detail}" for s in plan.data.shortfalls)


def _ahead(connection: Connection, rep: Rep, calendar: Calendar, day: date) -> tuple[DayLoad, ...]:
    last = calendar.add_working_days(day, AHEAD_DAYS)
    taken = Counter((slot.day, slot.kind) for slot in slots.taken(connection, rep=rep.name, first=day, last=last))
    days = (day + timedelta(days=number) for number in range(1, (last - day).days + 1))
    return tuple(
        DayLoad(
            day=each,
            off=calendar.why_not_working(each) or "",
            calls=taken[each, "promised_call"],
            notes=taken[each, "note"],
            follow_ups=taken[each, "follow_up"],
        )
        for each in days
        # Weekends are no news; a holiday or an absence is.
        if calendar.why_not_working(each) != "weekend"
    )
