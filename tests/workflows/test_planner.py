"""The laws of planning: within capacity, no promise without its slot, one order, a reason for all that is left out."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.calendars import freeze_calendar
from tests.workflows.calendar_strategies import calendars
from tests.workflows.perfect_rep import SAME_SCORE, PerfectRep, new_lead
from workflows.calendars import Absence, Calendar
from workflows.commands import Mode
from workflows.planner import (
    Candidate,
    Capacity,
    DayPlan,
    FollowUp,
    Load,
    MinuteCosts,
    OpenCall,
    plan_day,
)

MONDAY = date(2026, 1, 5)
LEAVE = Absence(first=date(2026, 3, 9), last=date(2026, 3, 20))
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
ALL_DAY = Capacity(long_gap="accept", minutes=MinuteCosts(budget=1440))


def us(*absences: Absence) -> Calendar:
    return freeze_calendar("US", "", "America/New_York", date(2026, 1, 1), date(2026, 12, 31), absences=absences)


US = us()


def codes(plan: DayPlan) -> dict[tuple[str, str], int]:
    return {(shortfall.kind, shortfall.code): shortfall.count for shortfall in plan.shortfalls}


def plan(
    day: date = MONDAY,
    calendar: Calendar | None = None,
    capacity: Capacity | None = None,
    loads: dict[date, Load] | None = None,
    open_calls: tuple[OpenCall, ...] = (),
    candidates: tuple[Candidate, ...] = (),
    follow_ups: tuple[FollowUp, ...] = (),
) -> DayPlan:
    return plan_day(day, calendar or us(), capacity or Capacity(), loads or {}, open_calls, candidates, follow_ups)


def leads(number: int, first_touch: Literal["note", "call"] = "note") -> tuple[Candidate, ...]:
    return tuple(msgspec.structs.replace(new_lead(1000 + index), first_touch=first_touch) for index in range(number))


def follow_ups(number: int, mode: Mode = "email") -> tuple[FollowUp, ...]:
    return tuple(
        FollowUp(lead_id=UUID(int=2000 + index), score=SAME_SCORE, since=LONG_AGO, mode=mode) for index in range(number)
    )


def promised(number: int, on: date, start: int = 3000) -> tuple[OpenCall, ...]:
    return tuple(
        OpenCall(lead_id=UUID(int=start + index), promised_on=on, note_on=on - timedelta(days=7)) for index in range(number)
    )


capacities = st.builds(
    Capacity,
    notes=st.integers(0, 8),
    calls=st.integers(0, 8),
    follow_up_touches=st.integers(0, 6),
    catch_up_calls=st.integers(0, 3),
    pause_notes_when_backlog_over=st.integers(0, 8),
    max_promise_gap_days=st.integers(5, 20),
    long_gap=st.sampled_from(["skip", "accept"]),
    call_after_note_days=st.integers(1, 8),
    minutes=st.builds(
        MinuteCosts,
        budget=st.integers(0, 300),
        note=st.integers(0, 20),
        call=st.integers(0, 20),
        follow_up=st.integers(0, 9),
    ),
)


@st.composite
def eventful_days(draw: st.DrawFn) -> list[tuple[bool, int, int, int, int]]:
    """Draw for each day: missed or not, leads to call, follow-ups by e-mail and by note, and minutes of other work."""
    day = st.tuples(
        st.sampled_from([False, False, False, True]),
        st.integers(0, 4),
        st.integers(0, 6),
        st.integers(0, 3),
        st.sampled_from([0, 0, 20, 90]),
    )
    return draw(st.lists(day, min_size=5, max_size=30))


@settings(max_examples=75, deadline=None)
@given(calendars(), capacities, eventful_days(), st.integers(0, 20))
def test_no_day_is_ever_planned_past_capacity(
    calendar: Calendar, capacity: Capacity, days: list[tuple[bool, int, int, int, int]], late_leave: int
) -> None:
    """Whatever happens, no slot count and no minute goes past capacity, and every note owns the slot of its call (A3-9)."""
    rep = PerfectRep(calendar, capacity)
    number = iter(range(10**6, 2 * 10**6))
    for passed, (missed, fresh, by_mail, by_note, minutes) in enumerate(days):
        day = calendar.first + timedelta(days=passed)
        if passed == late_leave:
            leave = Absence(first=day, last=day + timedelta(days=4), reason="sick")
            rep.calendar = msgspec.structs.replace(calendar, absences=(*calendar.absences, leave))
        rep.loads[day] = msgspec.structs.replace(rep.loads.get(day, Load()), minutes=minutes)
        candidates = rep.stock(6) + [msgspec.structs.replace(new_lead(next(number)), first_touch="call") for _ in range(fresh)]
        modes: list[Mode] = ["email"] * by_mail
        modes += ["handwritten_note"] * by_note
        due = [FollowUp(lead_id=UUID(int=next(number)), score=SAME_SCORE, since=LONG_AGO, mode=mode) for mode in modes]
        today = rep.plan(day, candidates, due)
        check_within_capacity(rep, today, minutes)
        rep.reserve(today)
        check_planned_again(rep, today, candidates, due)
        check_loads(rep)
        if not missed:
            rep.make_calls(today)
    assert max(Counter(note.lead_id for note in rep.notes).values(), default=1) == 1
    assert max(Counter(call.lead_id for call in rep.calls).values(), default=1) == 1
    assert all(call.made_on >= call.promised_on for call in rep.calls)


@settings(max_examples=50, deadline=None)
@given(capacities, st.integers(0, 200), st.integers(0, 8))
def test_answers_and_breakups_leave_fewer_notes_and_never_fewer_promised_calls(
    capacity: Capacity, beside: int, calls: int
) -> None:
    """A3-9: minutes for whom we owe the next word come off notes and follow-ups; the calls that stand on the day are made."""

    def planned(minutes: int) -> DayPlan:
        return plan_day(MONDAY, US, capacity, {}, promised(calls, MONDAY), leads(8), follow_ups(8), minutes)

    without, charged = planned(0), planned(beside)
    assert (without.open_calls, without.reschedules) == (charged.open_calls, charged.reschedules)
    assert len(charged.notes) <= len(without.notes)
    added = charged.notes or charged.follow_ups
    assert charged.minutes <= capacity.minutes.budget or not added or not (capacity.minutes.note and capacity.minutes.follow_up)
    assert charged.minutes >= beside


@settings(max_examples=50, deadline=None)
@given(capacities, st.integers(0, 200), st.integers(0, 60))
def test_asking_why_takes_from_follow_ups_and_never_from_notes(capacity: Capacity, beside: int, probes: int) -> None:
    """A3-9: what is kept for it comes off what notes leave, and the day holds it."""

    def planned(kept: int) -> DayPlan:
        return plan_day(MONDAY, US, capacity, {}, (), leads(8), follow_ups(8), beside, kept)

    without, charged = planned(0), planned(probes)
    assert (without.open_calls, without.notes) == (charged.open_calls, charged.notes)
    assert len(charged.follow_ups) <= len(without.follow_ups)
    assert charged.minutes <= max(capacity.minutes.budget, beside)
    taken = charged.minutes - beside - len(charged.notes) * capacity.minutes.note
    taken -= len(charged.follow_ups) * capacity.minutes.follow_up
    assert taken == min(probes, max(0, capacity.minutes.budget - beside - len(charged.notes) * capacity.minutes.note))


def check_within_capacity(rep: PerfectRep, today: DayPlan, other_minutes: int) -> None:
    capacity = rep.capacity
    assert today.minutes <= max(capacity.minutes.budget, other_minutes)
    assert len(today.notes) <= capacity.notes
    assert sum(call.note_on is not None for call in today.open_calls) <= capacity.calls + capacity.catch_up_calls
    touches = sum(call.note_on is None for call in today.open_calls) + len(today.calls) + len(today.follow_ups)
    assert touches <= capacity.follow_up_touches
    if not rep.calendar.is_working(today.day):
        assert (today.open_calls, today.notes, today.calls, today.follow_ups) == ((), (), (), ())
    for note in today.notes:
        assert note.note_on == today.day
        assert note.call_on == rep.calendar.add_working_days(today.day, capacity.call_after_note_days)
        assert capacity.long_gap == "accept" or (note.call_on - today.day).days <= capacity.max_promise_gap_days
    for moved in today.reschedules:
        assert moved.to_day > today.day
        assert rep.calendar.is_working(moved.to_day)


def check_planned_again(rep: PerfectRep, today: DayPlan, candidates: list[Candidate], due: list[FollowUp]) -> None:
    """Planning again with the slots reserved adds nothing and moves nothing."""
    taken = {note.lead_id for note in today.notes} | {call.lead_id for call in today.calls}
    taken |= {follow_up.lead_id for follow_up in today.follow_ups}
    again = rep.plan(
        today.day,
        [lead for lead in candidates if lead.lead_id not in taken],
        [lead for lead in due if lead.lead_id not in taken],
    )
    assert (again.notes, again.calls, again.follow_ups, again.reschedules) == ((), (), (), ())
    assert (again.open_calls, again.backlog, again.minutes) == (today.open_calls, today.backlog, today.minutes)


def check_loads(rep: PerfectRep) -> None:
    """What is reserved on any day, and the open calls that stand on it, stay within the slots of a day."""
    capacity = rep.capacity
    standing = Counter((call.due, call.note_on is None) for call in rep.open.values())
    for day, load in rep.loads.items():
        assert load.notes <= capacity.notes
        assert load.calls <= capacity.calls + capacity.catch_up_calls
        assert load.follow_ups <= capacity.follow_up_touches
        assert standing[day, False] <= load.calls


@settings(deadline=None)
@given(calendars(), st.sampled_from([1, 3, 5]), st.integers(1, 8))
def test_the_flow_is_even_everywhere(calendar: Calendar, a_day: int, after: int) -> None:
    """In any country and time zone, absences and holidays included, each working day once warm has its full number."""
    capacity = msgspec.structs.replace(ALL_DAY, notes=a_day, calls=a_day, call_after_note_days=after)
    rep = PerfectRep(calendar, capacity)
    last = calendar.first + timedelta(days=60)
    plans = [day for day in rep.work(calendar.first, last) if calendar.is_working(day.day)]
    assert {len(day.notes) for day in plans} <= {a_day}
    assert {len(day.open_calls) for day in plans[:after]} <= {0}
    assert {len(day.open_calls) for day in plans[after:]} <= {a_day}
    assert all(calendar.add_working_days(call.note_on, after) == call.made_on for call in rep.calls)


@settings(deadline=None)
@given(st.permutations(range(8)), st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_score_then_silence_then_id_decides(order: list[int], stages: list[int]) -> None:
    """The same leads in any order give the same notes: highest score, then longest silence, then lead id."""
    pool = [
        Candidate(
            lead_id=UUID(int=index + 1),
            score=msgspec.structs.replace(SAME_SCORE, total=stage),
            last_contact_at=None if index == 7 else LONG_AGO + timedelta(days=index // 2),
            first_touch="note",
        )
        for index, stage in enumerate(stages)
    ]
    expected = sorted(
        pool,
        key=lambda lead: (-lead.score.total, lead.last_contact_at or datetime.min.replace(tzinfo=UTC), lead.lead_id),
    )
    chosen = plan(candidates=tuple(pool[index] for index in order)).notes
    assert [note.lead_id for note in chosen] == [lead.lead_id for lead in expected[:5]]


def test_new_people_are_written_to_before_later_attempts_by_note() -> None:
    """A later attempt that can be made otherwise takes a note slot only when no new lead wants it, whatever its score."""
    higher = msgspec.structs.replace(SAME_SCORE, total=99)
    again = tuple(msgspec.structs.replace(lead, score=higher, instead="courier") for lead in follow_ups(4, "handwritten_note"))
    found = plan(candidates=leads(3), follow_ups=again)
    assert [note.lead_id.int for note in found.notes] == [1000, 1001, 1002, 2000, 2001]
    assert [(touch.lead_id.int, touch.mode) for touch in found.follow_ups] == [(2002, "courier"), (2003, "courier")]
    assert codes(found) == {}


def test_a_pursuit_that_only_a_note_can_go_on_with_does_not_wait_for_new_people() -> None:
    """A1-3: where the note is the last mode that was not tried, it comes first, and waits only for others like it."""
    found = plan(candidates=leads(4), follow_ups=follow_ups(3, "handwritten_note"))
    assert [note.lead_id.int for note in found.notes] == [2000, 2001, 2002, 1000, 1001]
    found = plan(candidates=leads(4), follow_ups=follow_ups(7, "handwritten_note"))
    assert [note.lead_id.int for note in found.notes] == [2000, 2001, 2002, 2003, 2004]
    assert codes(found) == {("follow_up", "capacity"): 2}


def test_fresh_calls_take_follow_up_slots() -> None:
    """Calls that no note promised share the follow-up slots by score and leave the promised calls alone."""
    better = msgspec.structs.replace(leads(1, "call")[0], score=msgspec.structs.replace(SAME_SCORE, total=99))
    found = plan(candidates=(better,), follow_ups=follow_ups(5), open_calls=promised(5, MONDAY), loads={MONDAY: Load(calls=5)})
    assert [call.lead_id for call in found.calls] == [better.lead_id]
    assert len(found.follow_ups) == 4
    assert len(found.open_calls) == 5
    assert codes(found) == {("follow_up", "capacity"): 1, ("note", "no_stock"): 5}


def test_a_carried_over_call_of_the_follow_up_class_goes_before_new_touches() -> None:
    """A call without a promise that was not made yesterday takes one of today's follow-up slots, or moves."""
    calls = tuple(msgspec.structs.replace(call, note_on=None) for call in promised(6, MONDAY))
    found = plan(MONDAY + timedelta(days=1), open_calls=calls, follow_ups=follow_ups(2))
    assert len(found.open_calls) == 5
    assert [(moved.to_day, moved.reason) for moved in found.reschedules] == [(date(2026, 1, 7), "capacity")]
    assert found.follow_ups == ()


def test_the_oldest_promise_goes_first_and_the_rest_moves_on() -> None:
    """Today's own calls give way to older promises, and go where there is room, two above five a day."""
    tuesday = MONDAY + timedelta(days=1)
    calls = promised(5, tuesday) + promised(5, MONDAY, start=4000)
    found = plan(tuesday, open_calls=calls, loads={tuesday: Load(calls=5), date(2026, 1, 7): Load(calls=5)})
    assert [call.lead_id.int for call in found.open_calls] == [4000, 4001, 4002, 4003, 4004, 3000, 3001]
    assert [(moved.lead_id.int, moved.from_day, moved.to_day) for moved in found.reschedules] == [
        (3002, tuesday, date(2026, 1, 7)),
        (3003, tuesday, date(2026, 1, 7)),
        (3004, tuesday, date(2026, 1, 8)),
    ]
    assert found.backlog == 3


def test_calls_that_fall_into_leave_move_because_the_rep_is_absent() -> None:
    """Leave entered after the promises moves them behind it, and is told apart from work that was missed."""
    calendar = us(LEAVE)
    found = plan(LEAVE.first, calendar, open_calls=promised(5, LEAVE.first), loads={LEAVE.first: Load(calls=5)})
    assert {(moved.to_day, moved.reason) for moved in found.reschedules} == {(date(2026, 3, 23), "rep_absent")}
    assert codes(found) == {("call", "absence"): 5, ("note", "absence"): 5}


def test_calls_of_a_day_that_became_a_holiday_move_because_of_it() -> None:
    """A day off for everybody is a holiday, not an absence."""
    king_day = date(2026, 1, 19)
    found = plan(king_day, open_calls=promised(1, king_day), follow_ups=follow_ups(1))
    assert [(moved.to_day, moved.reason) for moved in found.reschedules] == [(date(2026, 1, 20), "holiday")]
    assert codes(found) == {("call", "not_working"): 1, ("note", "not_working"): 5, ("follow_up", "not_working"): 1}


def test_calls_left_over_from_sick_days_are_not_called_missed() -> None:
    """What stayed undone because the rep was away says so when it has to move again after the return."""
    sick = us(Absence(first=date(2026, 3, 9), last=date(2026, 3, 10), reason="sick"))
    calls = promised(5, date(2026, 3, 9)) + promised(5, date(2026, 3, 10), start=4000)
    found = plan(date(2026, 3, 11), sick, open_calls=calls)
    assert {moved.reason for moved in found.reschedules} == {"rep_absent"}


@pytest.mark.parametrize(
    ("changes", "loads", "stock", "expected"),
    [
        ({}, {}, 9, {}),
        ({}, {}, 3, {("note", "no_stock"): 2}),
        ({}, {date(2026, 1, 12): Load(calls=3)}, 9, {("note", "no_call_slot"): 3}),
        ({}, {MONDAY: Load(minutes=130)}, 9, {("note", "budget"): 3}),
        ({"max_promise_gap_days": 6}, {}, 9, {("note", "long_gap"): 5}),
        ({"max_promise_gap_days": 6, "long_gap": "accept"}, {}, 9, {}),
        ({"notes": 0}, {}, 9, {}),
    ],
)
def test_every_note_not_planned_has_its_reason(
    changes: dict[str, object], loads: dict[date, Load], stock: int, expected: dict[tuple[str, str], int]
) -> None:
    """Notes planned and notes that fell short add up to the day's notes, and each shortfall says why."""
    capacity = msgspec.structs.replace(Capacity(), **changes)
    found = plan(capacity=capacity, loads=loads, candidates=leads(stock))
    assert codes(found) == expected
    assert len(found.notes) + sum(expected.values()) == capacity.notes


def test_a_backlog_stops_new_promises() -> None:
    """While more than five promises do not fit into the day, none is added; those moved before count as well."""
    tuesday = MONDAY + timedelta(days=1)
    moved = tuple(msgspec.structs.replace(call, due_on=date(2026, 1, 8)) for call in promised(6, MONDAY))
    assert codes(plan(tuesday, open_calls=moved, candidates=leads(9))) == {("note", "backlog"): 5}
    assert len(plan(tuesday, open_calls=moved[:5], candidates=leads(9)).notes) == 5


def test_follow_ups_fill_the_minutes_that_notes_and_calls_leave() -> None:
    """Five calls and five notes are 100 of 150 minutes; catching up by two calls leaves time for four touches."""
    busy = {MONDAY: Load(calls=5)}
    today, older = promised(5, MONDAY), promised(2, date(2026, 1, 2), start=4000)
    usual = plan(loads=busy, open_calls=today, candidates=leads(9), follow_ups=follow_ups(9))
    assert (usual.minutes, len(usual.follow_ups)) == (130, 5)
    catching_up = plan(loads=busy, open_calls=today + older, candidates=leads(9), follow_ups=follow_ups(9))
    assert (catching_up.minutes, len(catching_up.follow_ups)) == (148, 4)
    assert codes(catching_up) == {("follow_up", "budget"): 1, ("follow_up", "capacity"): 4}


def test_a_playbook_without_calls_moves_none() -> None:
    """When no day could ever hold a call it stays where it is and is counted, instead of moving for ever."""
    none = Capacity(calls=0, catch_up_calls=0)
    found = plan(capacity=none, open_calls=promised(2, MONDAY))
    assert (found.open_calls, found.reschedules) == ((), ())
    assert codes(found)["call", "capacity"] == 2


@given(st.integers(1, 12), st.sets(st.integers(0, 20)))
def test_a_call_that_is_moved_passes_over_days_on_which_it_may_not_be_made(calls: int, barred: set[int]) -> None:
    """Law and hours are asked of each day; where none of the near days will do, the promise keeps the first with room."""
    shut = {MONDAY + timedelta(days=number) for number in barred}

    def may_call(lead_id: UUID, day: date) -> bool:
        return lead_id.int % 2 == 0 or day not in shut

    open_calls = promised(calls, MONDAY)
    made = plan_day(MONDAY, US, Capacity(calls=1, catch_up_calls=0), {}, open_calls, (), (), may_call=may_call)
    assert len(made.reschedules) == calls - 1
    assert len({move.to_day for move in made.reschedules}) == calls - 1
    usual = plan_day(MONDAY, US, Capacity(calls=1, catch_up_calls=0), {}, open_calls, (), ())
    first = usual.reschedules[0].to_day if usual.reschedules else None
    for move in made.reschedules:
        near = [day for day in working_days_after(MONDAY, 15) if may_call(move.lead_id, day)]
        assert may_call(move.lead_id, move.to_day) or len(near) < calls or move.to_day == first


def working_days_after(day: date, number: int) -> list[date]:
    return [US.add_working_days(day, each) for each in range(1, number + 1)]
