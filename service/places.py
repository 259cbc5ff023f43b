"""The places of a day as its last plan found and left them: each slot with its holder, and whose turn came when."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from models import playbooks, tracing
from models.database import Connection
from models.tracing import Held
from service.wording import count
from workflows.books import Book, reachable
from workflows.calendars import Calendar, CalendarHorizonError
from workflows.cover import Colleague, in_reach, promised_for
from workflows.events import DayPlanned, Recorded, Shortfall, Slot, SlotKind, decode_recorded
from workflows.law_facts import LawUsed
from workflows.lead import Lead
from workflows.planner import follow_up_queue
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook
from workflows.priority import Score
from workflows.proposals import waiting_of
from workflows.rep import rep_id
from workflows.telephone import Telephone


class Plan(NamedTuple):
    """The last plan of a day, and what each one chose, oldest first."""

    recorded: Recorded
    day: DayPlanned
    all: tuple[DayPlanned, ...]
    rests_on: int
    """The plan was made of the first so many events of the log, to which `thaw rederive` holds it."""

    def could(self, number: int, kind: str, *chosen: str) -> str:
        """Say how many of a *kind* this plan had room for, beside those in the fields *chosen* of the day's earlier plans."""
        before = sum(len(getattr(day, field)) for day in self.all[:-1] for field in chosen)
        return f"{count(number, kind)} could be planned{f' beside {before} planned before' if before else ''}"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A slot of a rep's day, with its holder when the plan had been carried out."""

    kind: SlotKind
    day: date
    ordinal: int
    rep: str | msgspec.UnsetType = msgspec.UNSET
    """The colleague whose slot it is; absent when it is the rep's whose day was planned."""
    lead_id: UUID | None = None
    """None: it was free."""
    score: Score | None = None
    """The holder's, as it was when the plan was made."""
    since: datetime | None = None
    """When it was reserved."""
    by_plan: bool = False
    """This plan gave it; the others were held before."""


def plan_of(connection: Connection, rep: str, on: date) -> Plan | None:
    """Return the last plan of the day *on* of *rep*; None when there is none."""
    rows = tracing.plans_of(connection, rep_id(rep), on)
    found = [decode_recorded(row.body.encode()) for row in rows]
    days = tuple(recorded.data for recorded in found if isinstance(recorded.data, DayPlanned))
    if not days:
        return None
    used = found[-1].used
    rests_on = used.position if used and used.position is not msgspec.UNSET else rows[-1].position - 1
    return Plan(found[-1], days[-1], days, rests_on)


def playbook_of(connection: Connection, plan: Plan | None, rep: str) -> Playbook | None:
    """Return the playbook that says how much the planned day holds: that of *rep*, as it is now if there is no *plan*."""
    if plan is None:
        pin = playbooks.in_force(connection, playbook_ids=[], reps=[rep]).followed.get(rep)
    else:
        pin = plan.recorded.playbook.digest if plan.recorded.playbook else None
    return playbooks.playbooks_by_digest(connection, [pin]).get(pin) if pin else None


def colleague_of(connection: Connection, plan: Plan | None, rules: Playbook | None) -> Colleague | None:
    """Return who was to make the calls that notes of the planned day promise; None when the rep was. *rules* planned it."""
    named = plan.recorded.used.colleague if plan and plan.recorded.used else None
    if not (named and plan and rules):
        return None
    calendar = playbooks.calendars_by_digest(connection, [named.calendar]).get(named.calendar)
    followed = playbooks.playbooks_by_digest(connection, [named.followed]).get(named.followed)
    if calendar is None or followed is None:
        return None
    return in_reach(Colleague.of(named.rep, calendar, followed), rules.capacity, plan.day.day)


def held_by(
    connection: Connection, plan: Plan, rep: str, calendar: Calendar, playbook: Playbook, colleague: Colleague | None
) -> dict[Slot, Held]:
    """Return who held the slots of the planned day, and those of the day for which its notes promise calls: of *colleague*, if
    that is who makes them.
    """
    later = _promised_on(plan, calendar, playbook, colleague)
    days = {(rep, plan.day.day)} | ({(colleague.name if colleague else rep, later)} if later else set())
    return tracing.slots_held(connection, days, upto=plan.rests_on, plan=plan.recorded.message_id)


def places(
    plan: Plan,
    rep: str,
    calendar: Calendar,
    playbook: Playbook,
    colleague: Colleague | None,
    held: Mapping[Slot, Held],
    leads: Mapping[UUID, Lead],
) -> tuple[Place, ...]:
    """Return all slots of those two days, the free ones too, by day, kind and number."""
    capacity = playbook.capacity
    room: dict[SlotKind, int] = {
        "note": capacity.notes,
        "promised_call": capacity.calls,
        "follow_up": capacity.follow_up_touches,
    }
    today, later = plan.day.day, _promised_on(plan, calendar, playbook, colleague)
    caller, calls = (colleague.name, colleague.capacity.calls) if colleague else (rep, capacity.calls)
    found = {Slot(rep=rep, kind=kind, day=today, ordinal=number + 1) for kind, most in room.items() for number in range(most)}
    if later:
        found |= {Slot(rep=caller, kind="promised_call", day=later, ordinal=number + 1) for number in range(calls)}
    found |= {slot for slot in held if slot.day == today or slot.kind == "promised_call"}
    inorder = sorted(found, key=lambda slot: (slot.day, slot.kind, slot.ordinal))
    return tuple(_place(slot, rep, held.get(slot), leads) for slot in inorder)


def _place(slot: Slot, rep: str, held: Held | None, leads: Mapping[UUID, Lead]) -> Place:
    by = msgspec.UNSET if slot.rep == rep else slot.rep
    if held is None:
        return Place(kind=slot.kind, day=slot.day, ordinal=slot.ordinal, rep=by)
    holder = leads.get(held.lead_id)
    return Place(
        kind=slot.kind,
        day=slot.day,
        ordinal=slot.ordinal,
        rep=by,
        lead_id=held.lead_id,
        score=holder.score if holder else None,
        since=held.since,
        by_plan=held.by_plan,
    )


def _promised_on(plan: Plan, calendar: Calendar, playbook: Playbook, colleague: Colleague | None) -> date | None:
    """Return the day for which notes of the planned day promise calls; None where the calendar does not reach so far."""
    try:
        return promised_for(calendar, playbook.capacity, plan.day.day, colleague)
    except CalendarHorizonError:
        return None


class Turn(NamedTuple):
    """A lead's place in a line."""

    number: int
    """From 1."""
    waiting: int
    could: int
    """So many were planned."""
    shortfalls: tuple[Shortfall, ...]
    """Why no more were."""


def follow_up_turn(
    lead: Lead,
    plan: Plan,
    calendar: Calendar,
    playbook: Playbook,
    colleague: Colleague | None,
    law: LawUsed | msgspec.UnsetType | None,
    contact_hours: Mapping[str, ContactHours],
    leads: Iterable[Lead],
) -> Turn | None:
    """Return the place of *lead* among those who waited for a follow-up slot when the plan was made; None when it was not one.

    *leads* are the owner's that waited as the plan found them, others perhaps too, and *contact_hours* those of the
    playbooks that they follow, by digest.
    """
    used = plan.recorded.used
    if used is None:
        return None
    mine = [each for each in leads if each.owner == lead.owner]
    refused = used.suppressed if used.suppressed is not msgspec.UNSET else {}
    book = reachable(
        Book(
            queued=tuple(each for each in mine if each.state == "queued"),
            silent=tuple(each for each in mine if each.state == "no_response"),
            suppressed={UUID(id_): modes for id_, modes in refused.items()},
            colleague=colleague,
        )
    )
    later = _promised_on(plan, calendar, playbook, colleague)
    elsewhere = {later: colleague} if colleague and later else {}
    try:
        telephone = Telephone(calendar, playbook, law, elsewhere, contact_hours)
        waiting = waiting_of(book, calendar, playbook, telephone, used.now)
    except CalendarHorizonError:
        return None
    line = [each.lead_id for each in follow_up_queue(waiting.candidates, waiting.follow_ups)]
    if lead.id not in line:
        return None
    could = len(plan.day.calls) + len(plan.day.follow_ups) + len(plan.day.touches)
    why = tuple(each for each in plan.day.shortfalls if each.kind == "follow_up")
    return Turn(line.index(lead.id) + 1, len(line), could, why)
