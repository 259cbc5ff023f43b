"""A rep's own stream: the calendar in force, the plan of each working day, and what is proposed to whom."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from tests.workflows.life import PLAYBOOK, life_in
from workflows.books import Book
from workflows.calendars import Calendar
from workflows.codec import canonical
from workflows.commands import Command, FireTimer, PlanDay, Qualify, ScheduleNote, SetCalendar
from workflows.events import CommandRefused, DayPlanned, decode_recorded
from workflows.handle import Carrier
from workflows.lead import HoldState, Rep
from workflows.planner import Load
from workflows.proposals import comes_in
from workflows.rep import RepOutcome, handle_rep, rep_id
from workflows.timers import PLAN_DAY

CALENDAR = Calendar(timezone="UTC", first=date(2025, 1, 1), last=date(2027, 12, 31))
MONDAY = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def give(
    rep: Rep | None, command: Command, now: datetime, book: Book | None = None, calendar: Calendar = CALENDAR
) -> RepOutcome:
    carrier = Carrier(
        message_id=uuid4(),
        stream_id=rep_id("dan"),
        actor="clock",
        correlation_id=UUID(int=1),
        causation_id=None,
        recorded_at=now,
    )
    return handle_rep(
        rep, command, now=now, calendar=calendar if rep else None, playbook=PLAYBOOK, book=book or Book(), carrier=carrier
    )


def known(now: datetime = MONDAY - timedelta(days=1), calendar: Calendar = CALENDAR) -> Rep:
    rep = give(None, SetCalendar(rep="dan", calendar=calendar, playbook=PLAYBOOK.id), now).rep
    assert rep is not None
    return rep


def fire(rep: Rep) -> FireTimer:
    return FireTimer(timer=PLAN_DAY, armed_version=rep.timers[PLAN_DAY].armed_version)


def test_a_calendar_makes_the_rep_known_and_arms_the_plan_of_the_next_working_day() -> None:
    """On a Sunday, Monday's plan is armed for two hours before the day starts."""
    rep = known()
    assert (rep_id("dan"), "dan", 1) == (rep.id, rep.name, rep.version)
    assert rep.timers[PLAN_DAY].due_at == MONDAY


def test_a_plan_proposes_what_fits_and_arms_the_next_working_day() -> None:
    """One command for each chosen lead; on a Friday the next plan is Monday's."""
    rep, lead = known(), life_in("queued").lead
    friday = MONDAY + timedelta(days=4)
    outcome = give(rep, fire(rep), friday, Book(queued=(lead,)))
    assert "applied" == outcome.answer
    (proposal,) = outcome.proposals
    assert lead.id == proposal.lead_id
    assert ScheduleNote(note_on=friday.date(), call_on=date(2026, 1, 16)) == proposal.command
    assert outcome.rep is not None
    assert friday + timedelta(days=3) == outcome.rep.timers[PLAN_DAY].due_at


def test_a_plan_says_why_it_is_shorter_than_the_capacity() -> None:
    """With nobody in the queue, five notes are missing for want of stock."""
    rep = known()
    (recorded,) = give(rep, fire(rep), MONDAY).recorded
    assert isinstance(recorded.data, DayPlanned)
    assert [("note", 5, "no_stock")] == [(s.kind, s.count, s.code) for s in recorded.data.shortfalls if s.kind == "note"]


def test_what_is_taken_already_is_not_planned_again() -> None:
    """A day whose slots are reserved gets no proposals."""
    rep, lead = known(), life_in("queued").lead
    taken = Book(queued=(lead,), loads={MONDAY.date(): Load(notes=5), date(2026, 1, 12): Load(calls=5)})
    assert () == give(rep, fire(rep), MONDAY, taken).proposals


def test_a_plan_is_made_neither_early_nor_twice() -> None:
    """Too early it waits; fired again after a newer arming it is superseded."""
    rep = known()
    assert "too_early" == give(rep, fire(rep), MONDAY - timedelta(seconds=1)).answer
    after = give(rep, fire(rep), MONDAY).rep
    assert after is not None
    assert "superseded" == give(after, fire(rep), MONDAY).answer


def test_a_calendar_that_ends_is_said_and_asked_about_again_the_next_day() -> None:
    """Plans do not stop because a calendar did."""
    short = Calendar(timezone="UTC", first=date(2025, 1, 1), last=date(2026, 1, 7))
    rep, lead = known(calendar=short), life_in("queued").lead
    outcome = give(rep, fire(rep), MONDAY, Book(queued=(lead,)), short)
    assert ("refused", "calendar_horizon") == (outcome.answer, outcome.rule)
    assert "thaw rep set dan" in str(outcome.reason)
    assert outcome.rep is not None
    assert MONDAY + timedelta(days=1) == outcome.rep.timers[PLAN_DAY].due_at


def given(rep: Rep | None) -> Rep:
    """Return *rep*, who is there."""
    assert rep is not None
    return rep


def test_an_older_calendar_never_replaces_a_newer_one() -> None:
    """A calendar that comes late is refused with both moments; one asked for at the same moment or later is put in force."""
    rep, other = known(MONDAY), msgspec.structs.replace(CALENDAR, country="US")
    late = SetCalendar(rep="dan", calendar=other, playbook=PLAYBOOK.id, occurred_at=MONDAY - timedelta(minutes=1))
    outcome = give(rep, late, MONDAY + timedelta(days=3))
    assert ("refused", "newer_calendar") == (outcome.answer, outcome.rule)
    assert "2026-01-05 05:59 UTC" in str(outcome.reason)
    assert (rep.calendar_digest, rep.timers) == (given(outcome.rep).calendar_digest, given(outcome.rep).timers)
    for occurred_at in (MONDAY, MONDAY + timedelta(days=9), None):
        again = msgspec.structs.replace(late, occurred_at=occurred_at)
        then = give(outcome.rep, again, MONDAY + timedelta(days=3))
        assert "applied" == then.answer
        assert given(then.rep).calendar_digest != rep.calendar_digest
        assert given(then.rep).calendar_at == min(occurred_at or MONDAY + timedelta(days=3), MONDAY + timedelta(days=3))


def test_a_calendar_of_a_clock_that_ran_ahead_can_be_replaced() -> None:
    """It was asked for later than it is now: nothing else could be put in force until then."""
    rep, other = known(MONDAY + timedelta(days=400)), msgspec.structs.replace(CALENDAR, country="US")
    asked_at = MONDAY + timedelta(days=3)
    command = SetCalendar(rep="dan", calendar=other, playbook=PLAYBOOK.id, occurred_at=asked_at)
    then = give(rep, command, asked_at + timedelta(seconds=1))
    assert "applied" == then.answer
    assert given(then.rep).calendar_at == asked_at
    older = msgspec.structs.replace(command, calendar=CALENDAR, occurred_at=asked_at - timedelta(seconds=1))
    assert give(then.rep, older, asked_at + timedelta(days=1)).rule == "newer_calendar"


def test_a_command_for_a_lead_is_refused_and_the_plan_stays_armed() -> None:
    """A rep is not a lead; what was armed stays."""
    rep = known()
    outcome = give(rep, Qualify(qualified=True), MONDAY)
    assert isinstance(outcome.recorded[0].data, CommandRefused)
    assert outcome.rep is not None
    assert rep.timers == outcome.rep.timers


def test_the_events_of_a_rep_survive_the_log() -> None:
    """Encoded and decoded they are the same, and a rep is too."""
    rep = known()
    (recorded,) = give(rep, fire(rep), MONDAY).recorded
    assert recorded == decode_recorded(canonical(recorded))
    assert rep == msgspec.json.decode(canonical(rep), type=Rep)


def test_a_planned_day_is_planned_again_for_what_is_left_of_it() -> None:
    """The second plan proposes what fits beside the first, says so in the log, and leaves tomorrow's plan armed."""
    rep, lead = known(), life_in("queued").lead
    rep = given(give(rep, fire(rep), MONDAY).rep)
    noon = MONDAY + timedelta(hours=6)
    taken = {MONDAY.date(): Load(notes=4), date(2026, 1, 12): Load(calls=4)}
    others = tuple(msgspec.structs.replace(lead, id=UUID(int=number)) for number in range(3))
    outcome = give(rep, PlanDay(), noon, Book(queued=others, loads=taken))
    assert ("applied", 1) == (outcome.answer, len(outcome.proposals))
    assert isinstance(outcome.recorded[0].data, DayPlanned)
    assert rep.timers == given(outcome.rep).timers


@pytest.mark.parametrize(
    ("now", "load", "queued", "reason"),
    [
        (MONDAY - timedelta(hours=1), Load(), True, "still to come"),
        (MONDAY + timedelta(hours=12), Load(), True, "no working day"),
        (MONDAY + timedelta(days=5, hours=4), Load(), True, "no working day"),
        (MONDAY + timedelta(hours=6), Load(notes=5), True, "nobody in the queue fits"),
        (MONDAY + timedelta(hours=6), Load(), False, "nobody in the queue fits"),
        (datetime(2028, 3, 1, tzinfo=UTC), Load(), True, "no working day"),
    ],
)
def test_a_day_is_planned_again_only_where_that_adds_something(now: datetime, load: Load, queued: bool, reason: str) -> None:
    """A second plan that would add nothing leaves no event."""
    rep, lead = known(MONDAY - timedelta(days=3)), life_in("queued").lead
    if now >= MONDAY:
        rep = given(give(rep, fire(rep), MONDAY).rep)
    outcome = give(rep, PlanDay(), now, Book(queued=(lead,) * queued, loads={MONDAY.date(): load}))
    assert ("superseded", (), rep) == (outcome.answer, outcome.recorded, outcome.rep)
    assert reason in str(outcome.reason)


def test_who_comes_in_is_told_from_who_was_there() -> None:
    """Entering the queue, another owner, the end of a hold and a new address are all somebody new to plan."""
    lead = life_in("queued").lead
    held = HoldState(reason="manual", since=MONDAY, until=None, remaining=())
    for before in (None, {"state": "declined"}, {"owner": "eve"}, {"hold": held}, {"modes": ("email",)}):
        was = msgspec.structs.replace(lead, **before) if before else None
        assert comes_in(was, lead, PLAYBOOK, MONDAY), before
    assert not comes_in(lead, msgspec.structs.replace(lead, importance=4), PLAYBOOK, MONDAY)
    assert not comes_in(None, msgspec.structs.replace(lead, open_opportunity=True), PLAYBOOK, MONDAY)
    assert not comes_in(lead, msgspec.structs.replace(lead, state="note_due"), PLAYBOOK, MONDAY)
