"""Why a lead was not touched on a day: how it stood, what held it back, and who took the place, from the log alone."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UnsetType

from models import book, playbooks, views
from models.database import Connection
from service.history import Entry, History
from service.law_words import AHEAD, no_call
from service.next_action import next_action
from service.places import Place, Plan, colleague_of, follow_up_turn, held_by, places, plan_of, playbook_of
from service.times import shown_day, shown_moment
from service.wording import count, words
from workflows import floor, horizon
from workflows.calendars import Calendar
from workflows.commands import Mode
from workflows.cover import Colleague
from workflows.cut_bait import most_attempts
from workflows.events import CommandRefused, DayPlanned, Recorded, Shortfall
from workflows.law_facts import LawUsed
from workflows.law_table import TABLES
from workflows.lead import Lead, at_work
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook
from workflows.priority import Score, rank
from workflows.proposals import begins_by_call, can_enter, next_mode, next_value_item
from workflows.telephone import Telephone

#: The order in which leads wait (`workflows.priority.rank`).
_BY_SCORE = "by score, of equals the longest untouched first"

_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)


class Instead(msgspec.Struct, frozen=True, kw_only=True):
    """A lead that a plan of the day chose."""

    lead_id: UUID
    kind: str
    """``note``, ``call``, ``follow-up call`` or ``touch``."""
    score: Score | None
    """As it was when the plan was made."""


class WhyNot(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw why-not --json`` prints."""

    lead_id: UUID
    on: date
    touched: tuple[Recorded, ...]
    """What was done with the lead that day after all, oldest first."""
    state: str | None
    """When the last plan of the day was made, without one at the end of the day; None when the lead was not known."""
    reasons: tuple[str, ...]
    """Sentences, the weightiest first."""
    score: Score | None
    planned_at: datetime | None
    instead: tuple[Instead, ...]
    """Whom the plans of the day chose, in their order."""
    shortfalls: tuple[Shortfall, ...]
    refusals: tuple[Recorded, ...]
    """Of that day, oldest first."""
    places: tuple[Place, ...] = ()
    """The slots of the day, and of the day for which its notes promise calls, when the last plan had been carried out."""


class _Asked(NamedTuple):
    """What a reason is looked for with: the lead as it stood, when, and what the rep's plan of the day was."""

    lead: Lead
    on: date
    zone: ZoneInfo
    playbook: Playbook | None
    plan: Plan | None
    at: datetime
    rules: Playbook | None
    """The playbook of the rep, by which the day was planned; without a plan, that of now."""
    calendar: Calendar | None
    """By which the plan of the day was made; without a plan, the owner's of now."""
    colleague: Colleague | None
    """Who was to make the calls that notes of the day promise, if not the rep."""
    contact_hours: Mapping[str, ContactHours]
    """When the leads of a playbook may be called, whoever calls; by digest, of all that a lead of the book followed."""
    runs: bool
    """The day is not over yet."""


def why_not(connection: Connection, history: History, on: date, zone: ZoneInfo, now: datetime) -> WhyNot:
    """Return why the lead of *history* was not touched on the day *on* of *zone*, up to *now*."""
    ends = datetime.combine(on + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    of_the_day = [entry for entry in history.entries if entry.recorded.occurred_at.astimezone(zone).date() == on]
    known = [entry for entry in history.entries if entry.recorded.recorded_at < ends]
    plan = plan_of(connection, at_work(known[-1].after), on) if known else None
    if plan:
        known = [entry for entry in known if entry.row.position <= plan.rests_on] or known
    lead = known[-1].after if known else None
    at = plan.recorded.recorded_at if plan else ends
    rules = playbook_of(connection, plan, at_work(lead)) if lead else None
    calendar = _calendar(connection, lead, plan) if lead else None
    colleague = colleague_of(connection, plan, rules)
    day = (plan, at_work(lead), calendar, rules, colleague) if lead and plan and rules and calendar else None
    held = held_by(connection, *day) if day else {}
    leads = _leads_then(connection, plan, lead.owner, {each.lead_id for each in held.values()}) if plan and lead else {}
    known_playbooks = _playbooks(connection, (lead, *leads.values())) if lead else {}
    hours = {digest: playbook.contact_hours for digest, playbook in known_playbooks.items()}
    own = known_playbooks.get(lead.playbook.digest) if lead and lead.playbook else None
    asked = _Asked(lead, on, zone, own, plan, at, rules, calendar, colleague, hours, now < ends) if lead else None
    touched = tuple(entry.recorded for entry in of_the_day if is_touch(entry))
    return WhyNot(
        lead_id=history.entries[0].recorded.stream_id,
        on=on,
        touched=touched,
        state=lead.state if lead else None,
        reasons=tuple(_reasons(asked, leads)) if asked else (_unknown(history, zone),),
        score=lead.score if lead else None,
        planned_at=plan.recorded.recorded_at if plan else None,
        instead=tuple(_instead(plan.all, leads)) if plan else (),
        shortfalls=plan.day.shortfalls if plan else (),
        refusals=tuple(entry.recorded for entry in of_the_day if isinstance(entry.recorded.data, CommandRefused)),
        places=places(*day, held, leads) if day else (),
    )


def is_touch(entry: Entry) -> bool:
    """Tell whether somebody turned to the prospect with this event, or the prospect to us."""
    return floor.is_touch(entry.recorded)


def _playbooks(connection: Connection, leads: Iterable[Lead]) -> dict[str, Playbook]:
    return playbooks.playbooks_by_digest(connection, list({lead.playbook.digest for lead in leads if lead.playbook}))


def _leads_then(connection: Connection, plan: Plan, owner: str, holders: Collection[UUID]) -> dict[UUID, Lead]:
    """Fold the whole book as the plan found it; keep whom it chose, who held a slot, and who of *owner*'s waited."""
    then = book.leads_at(connection, _ALWAYS, before=plan.rests_on + 1)
    waited = ("queued", "no_response")
    named = {id_ for day in plan.all for id_ in (*day.notes, *day.calls, *day.follow_ups, *day.touches)} | set(holders)
    return {lead.id: lead for lead in then if lead.id in named or (lead.owner == owner and lead.state in waited)}


def _instead(days: Sequence[DayPlanned], leads: dict[UUID, Lead]) -> Iterator[Instead]:
    for day in days:
        kinds = (("note", day.notes), ("call", day.calls), ("follow-up call", day.follow_ups), ("touch", day.touches))
        for kind, ids in kinds:
            for id_ in ids:
                yield Instead(lead_id=id_, kind=kind, score=leads[id_].score if id_ in leads else None)


def _unknown(history: History, zone: ZoneInfo) -> str:
    return f"it was not known yet: it was registered {shown_moment(history.entries[0].recorded.recorded_at, zone)}"


def _reasons(asked: _Asked, leads: dict[UUID, Lead]) -> Iterator[str]:
    lead, zone = asked.lead, asked.zone
    if lead.hold:
        until = f" until {shown_day(lead.hold.until)}" if lead.hold.until else ", with no end set"
        yield f"it was on hold ({words(lead.hold.reason)}) since {shown_moment(lead.hold.since, zone)}{until}"
    yield from _day_off(asked)
    if lead.modes_refused:
        yield f"the prospect had refused contact by {', '.join(map(words, lead.modes_refused))}"
    if lead.state == "queued":
        yield from _queued(asked, leads, asked.calendar)
    elif lead.state == "no_response":
        yield from _silent(asked, leads, asked.calendar)
    elif lead.state in ("note_due", "call_due"):
        day = lead.note_on if lead.state == "note_due" else lead.call_on
        if day and day <= asked.on:
            what, done = ("note", "written") if lead.state == "note_due" else ("call", "made")
            is_ = "is" if asked.runs and day == asked.on else "was"
            yield f"its {what} {is_} to be {done} on {shown_day(day)}, and nobody {'has' if asked.runs else 'had'} logged it"
    if lead.state in ("note_sent", "call_due") and lead.call_on and lead.call_on <= asked.on:
        yield from _no_call(asked, asked.on)
    ready = lead.timers.get("next_attempt") if lead.state == "no_response" else None
    if ready and ready.due_at <= asked.at:
        yield f"it was no response, ready for another attempt since {shown_moment(ready.due_at, zone)}"
    else:
        yield f"it was {words(lead.state)}; next was: {next_action(lead, zone).sentence}"


def _day_off(asked: _Asked) -> Iterator[str]:
    owner, calendar = at_work(asked.lead), asked.calendar
    if calendar is None:
        yield f"{owner} has no working calendar, so that no day is planned"
    elif calendar.first <= asked.on <= calendar.last and (why := calendar.why_not_working(asked.on)):
        yield f"{owner} did not work that day: {why}"
    elif asked.plan is None:
        yield f"no plan of {owner}'s day is in the log"


def _calendar(connection: Connection, lead: Lead, plan: Plan | None) -> Calendar | None:
    if plan and plan.recorded.used and plan.recorded.used.calendar:
        digest = plan.recorded.used.calendar
        return playbooks.calendars_by_digest(connection, [digest]).get(digest)
    return views.calendar_of(connection, at_work(lead))


def _law(asked: _Asked) -> LawUsed | UnsetType | None:
    """Return what the plan of the day was held against; None without a plan, or where its table is not known here."""
    used = asked.plan.recorded.used if asked.plan else None
    return used.law if used and (not used.law or used.law.table in TABLES) else None


def _no_call(asked: _Asked, day: date, colleague: Colleague | None = None) -> Iterator[str]:
    """Say why the law of the time of the plan, and the hours of the lead's playbook and of the rep, or of a *colleague* who is
    to call, allow no call on *day*.
    """
    by, calendar = (colleague.name, colleague.calendar) if colleague else (at_work(asked.lead), asked.calendar)
    days = {day + timedelta(days=number): colleague for number in range(AHEAD + 1)} if colleague else {}
    rules = asked.rules or asked.playbook
    telephone = Telephone(calendar, rules, _law(asked), days, asked.contact_hours) if rules and calendar else None
    if telephone and (why := no_call(asked.lead, telephone, day, by)):
        yield f"it could not be called: {why}"


def _no_promise(asked: _Asked, calendar: Calendar) -> Iterator[str]:
    """Say why nobody could make the call that a note of the day would have promised."""
    rules = asked.rules or asked.playbook
    if rules:
        by = asked.colleague.calendar if asked.colleague else calendar
        yield from _no_call(asked, horizon.after(by, asked.on, rules.capacity.call_after_note_days), asked.colleague)


def _queued(asked: _Asked, leads: dict[UUID, Lead], calendar: Calendar | None) -> Iterator[str]:
    lead, plan, playbook = asked.lead, asked.plan, asked.playbook
    if playbook is None or plan is None or lead.hold:
        return
    if any(lead.id in (*day.notes, *day.calls) for day in plan.all):
        yield "it was chosen that day; see the refusals, and the events that followed"
        return
    if lead.open_opportunity and playbook.audience.exclude_open_opportunity:
        yield "it could not be proposed: there is an open opportunity with it, and this is not for active prospects (A4-1)"
        return
    if not can_enter(lead, playbook, asked.at):
        needed = "a telephone number" if begins_by_call(lead, playbook, asked.at) else "a postal address and a telephone number"
        yield f"it could not be proposed: its first touch needs {needed}, and it may be reached by {_modes(lead)}"
        return
    by_call = begins_by_call(lead, playbook, asked.at)
    if calendar and (barred := list(_no_call(asked, asked.on) if by_call else _no_promise(asked, calendar))):
        yield from barred
        return
    if by_call:
        yield from _turn(asked, leads, calendar) or ("it entered the queue after the plan of that day had been made",)
        return
    rivals = sorted(
        rank(other.score, other.last_contact_at, other.id)
        for other in leads.values()
        if other.state == "queued" and other.owner == lead.owner and other.score
        and can_enter(other, playbook, asked.at) and not begins_by_call(other, playbook, asked.at)
    )  # fmt: skip
    mine = rank(lead.score, lead.last_contact_at, lead.id) if lead.score else None
    if mine not in rivals:
        yield "it entered the queue after the plan of that day had been made"
        return
    could = plan.could(len(plan.day.notes), "note", "notes")
    why = _short_of([each for each in plan.day.shortfalls if each.kind == "note"])
    yield f"it was number {rivals.index(mine) + 1} of {len(rivals)} that waited for a note, {_BY_SCORE}, and {could}{why}"


def _turn(asked: _Asked, leads: dict[UUID, Lead], calendar: Calendar | None) -> tuple[str, ...]:
    """Say whose turn came before, of those who waited for a follow-up slot as the lead did; nothing when it did not."""
    if not (asked.plan and asked.rules and calendar):
        return ()
    table = Telephone(calendar, asked.rules, _law(asked)).table
    ready = asked.lead.timers.get("next_attempt")
    due = not ready or ready.due_at.astimezone(asked.zone).date() <= asked.on
    barred: tuple[str, ...] = ()
    if due and asked.lead.state == "no_response" and next_mode(asked.lead, asked.rules, asked.on, table) == "handwritten_note":
        barred = tuple(_no_promise(asked, calendar))
        if not barred:
            notes = sum(len(day.notes) for day in asked.plan.all)
            return (f"a note was next, and {count(notes, 'note')} of others took the slots of that day",)
    rules, colleague, hours = asked.rules, asked.colleague, asked.contact_hours
    turn = follow_up_turn(asked.lead, asked.plan, calendar, rules, colleague, _law(asked), hours, leads.values())
    if turn is None:
        return barred
    could = asked.plan.could(turn.could, "follow-up", "calls", "follow_ups", "touches")
    line = f"it was number {turn.number} of {turn.waiting} that waited for a follow-up slot, {_BY_SCORE}"
    return (f"{line}, and {could}{_short_of(turn.shortfalls)}",)


def _short_of(shortfalls: Iterable[Shortfall]) -> str:
    """Return what a plan says was missing, as it goes on in a sentence."""
    return "".join(f"; {each.detail[:1].lower()}{each.detail[1:].rstrip('.')}" for each in shortfalls)


def _silent(asked: _Asked, leads: dict[UUID, Lead], calendar: Calendar | None) -> Iterator[str]:
    lead, plan, playbook = asked.lead, asked.plan, asked.playbook
    ready = lead.timers.get("next_attempt")
    if ready and ready.due_at.astimezone(asked.zone).date() > asked.on:
        yield f"the next attempt was not due before {shown_moment(ready.due_at, asked.zone)}"
    if playbook is None:
        return
    barred = list(_no_call(asked, asked.on))
    table = Telephone(calendar or horizon.PLAIN, playbook, _law(asked)).table
    if lead.attempts >= most_attempts(lead, playbook):
        yield f"its {count(lead.attempts, 'attempt')} were all that the playbook allows: a person decides about the breakup"
    elif next_mode(lead, playbook, asked.on, table) is None:
        yield f"no mode was left to try: it may be reached by {_modes(lead)}"
    elif next_value_item(lead, playbook) is None:
        yield "there was nothing new to bring: every value item of the playbook had been used"
    elif next_mode(lead, playbook, asked.on, table, without=frozenset[Mode](["call"] if barred else [])) is None:
        yield from barred
    elif plan and lead.id in {id_ for day in plan.all for id_ in day.notes}:
        yield "a note was planned for that day; see the refusals, and the events that followed"
    elif plan and any(lead.id in (*day.touches, *day.follow_ups) for day in plan.all):
        planned = "is planned for today, and nobody has" if asked.runs else "was planned for that day, and nobody"
        yield f"a touch {planned} logged it"
    else:
        yield from _turn(asked, leads, calendar)


def _modes(lead: Lead) -> str:
    return ", ".join(map(words, lead.modes)) or "no mode at all"
