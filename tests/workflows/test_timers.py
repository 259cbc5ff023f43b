"""Timers as data: how long, by which clock, from when; frozen and thawed; one message per arming."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.life import (
    CALENDAR,
    LEAD_ID,
    OPEN_REPLY,
    PLAYBOOK,
    life_in,
    touch_command,
)
from tests.workflows.strategies import CALENDARS
from workflows import commands as c
from workflows import horizon
from workflows.calendars import Absence, Calendar
from workflows.timers import PLAN_DAY, TIMERS, due, fires, freeze, monthly, retry, thaw, timer_message_id

MONDAY = date(2026, 1, 5)


def at(day: date, hour: int) -> datetime:
    """Return the rep's *hour* of *day*."""
    return CALENDAR.moment(day, hour * 60)


# Name, clock, default length, fires: from the specification's table of timers, by hand.
EXPECTED = [
    ("reason_probe", "working_days", 1, False),
    ("homework", "working_days", 3, False),
    ("triage", "days", 30, True),
    ("revisit", "day", 0, True),
    ("queue_age", "days", 180, True),
    ("note_slot", "working_days", 1, True),
    ("call_after_note", "day", 0, True),
    ("call_grace", "working_days", 1, False),
    ("call_late", "working_days", 3, True),
    ("call_expiry", "working_days", 10, True),
    ("next_attempt", "working_days", 2, False),
    ("response_window", "working_days", 5, True),
    ("breakup_window", "working_days", 10, True),
    ("nurture_touch", "months", 1, True),
    ("nurture_floor", "days", 183, True),
    ("requeue", "days", 180, True),
    ("next_step", "working_days", 5, False),
    ("lapse", "working_days", 10, True),
    ("meeting_outcome", "working_days", 5, True),
    ("hold_until", "day", 0, True),
    ("hold_review", "days", 90, True),
    ("review", "days", 0, False),
    ("consent_expires", "day", 0, True),
]


def test_timers_are_those_of_the_specification() -> None:
    """Every timer has the clock, the length and the way of acting that the specification gives it."""
    assert EXPECTED == [(name, spec.clock, spec.length(PLAYBOOK), spec.fires) for name, spec in TIMERS.items()]
    assert all(fires(name) is spec.fires for name, spec in TIMERS.items())
    assert fires(PLAN_DAY)
    assert not fires("nobody-knows")


def test_durations_are_the_playbooks() -> None:
    """A playbook that says otherwise is obeyed."""
    other = type(PLAYBOOK)(
        schema=1, id="x", version="1.0.0", title="x", source="x", timers=type(PLAYBOOK.timers)(triage_days=3)
    )
    assert at(MONDAY + timedelta(days=3), 8) == due("triage", MONDAY, other, CALENDAR)


@pytest.mark.parametrize(
    ("timer", "day", "hour"),
    [
        ("note_slot", date(2026, 1, 6), 18),
        ("call_after_note", date(2026, 1, 5), 8),
        ("call_late", date(2026, 1, 8), 18),
        ("call_expiry", date(2026, 1, 19), 18),
        ("next_attempt", date(2026, 1, 7), 8),
        ("triage", date(2026, 2, 4), 8),
        ("requeue", date(2026, 7, 4), 8),
        ("nurture_touch", date(2026, 2, 5), 8),
    ],
)
def test_timers_are_due_at_the_start_or_the_end_of_the_reps_day(timer: str, day: date, hour: int) -> None:
    """What a person does is due when the day ends; what is to be found in the morning is due when it starts."""
    assert at(day, hour) == due(timer, MONDAY, PLAYBOOK, CALENDAR)


def test_a_note_counts_from_the_day_it_was_sent() -> None:
    """Logged on Tuesday, sent on Monday: the call is promised for Monday, and the slot is the one that was reserved."""
    life = life_in("note_due")
    sent_at = life.now
    life.wait(days=1)
    life.must(c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note, occurred_at=sent_at))
    assert at(date(2026, 1, 12), 8) == life.lead.timers["call_after_note"].due_at
    assert [date(2026, 1, 12)] == [slot.day for slot in life.lead.slots]


def test_a_decline_from_long_ago_counts_from_its_recording() -> None:
    """An import of old declines is no burst of overdue timers; a revisit date still counts from the decline."""
    life = life_in("registered")
    life.must(c.RecordDecline(kind="hold", stated_reason="price", occurred_at=life.now - timedelta(days=300)), "import")
    assert all(timer.due_at > life.now for timer in life.lead.timers.values())
    assert at(date(2026, 2, 4), 8) == life.lead.timers["triage"].due_at
    assert life.today - timedelta(days=240) == life.lead.revisit_on


def test_a_hold_without_a_date_is_asked_again_after_two_months() -> None:
    """The day surfaces in nurture, as a timer that puts the lead into the queue (A0-1)."""
    life = life_in("registered")
    life.must(c.RecordDecline(kind="hold", stated_reason="no_budget"))
    assert MONDAY + timedelta(days=60) == life.lead.revisit_on
    life.fire("triage")
    assert at(MONDAY + timedelta(days=60), 8) == life.lead.timers["revisit"].due_at


def test_a_named_day_that_passed_is_caught_up_on_the_next_working_day() -> None:
    """Nobody loses their turn because their date came while nobody looked."""
    life = life_in("registered")
    life.must(c.RecordDecline(kind="no", stated_reason="price", revisit_on=MONDAY + timedelta(days=9)))
    life.fire("triage")
    assert date(2026, 2, 5) == CALENDAR.local_day(life.lead.timers["revisit"].due_at)


def test_a_reply_at_any_hour_counts_from_its_day() -> None:
    """The next step is five working days on, the lapse ten, whenever the reply is logged."""
    life = life_in("note_sent")
    life.wait(days=2)
    life.must(c.RecordReply(channel="email", occurred_at=life.now - timedelta(days=1)))
    assert at(date(2026, 1, 13), 18) == life.lead.timers["next_step"].due_at
    assert at(date(2026, 1, 20), 18) == life.lead.timers["lapse"].due_at


def test_a_conversation_does_not_lapse_before_its_next_step() -> None:
    """A step agreed on for next month keeps the lead re-engaged until some days after it; a reply in between leaves it."""
    life = life_in("call_due")
    step_on = life.today + timedelta(days=40)
    life.must(c.RecordCall(outcome="connected", personal_topic_first=True, next_step="call-again", next_step_on=step_on))
    for _ in range(2):
        assert step_on == CALENDAR.local_day(life.lead.timers["next_step"].due_at)
        assert life.lead.timers["lapse"].due_at > CALENDAR.end_of(step_on) + timedelta(days=5)
        life.wait(days=3).must(OPEN_REPLY)


def test_windows_count_from_the_attempt() -> None:
    """The next attempt and the response window run from the touch, not from its logging."""
    life = life_in("no_response")
    assert {"next_attempt", "response_window"} == set(life.lead.timers)
    life.wait(days=8)
    life.must(touch_command())
    assert at(date(2026, 1, 22), 8) == life.lead.timers["next_attempt"].due_at
    armed = life.lead.timers["response_window"]
    assert "applied" == life.fire("response_window").answer
    assert life.lead.timers["response_window"].due_at > armed.due_at


def test_only_our_own_lack_of_room_leaves_a_promise_ageing() -> None:
    """A call moved for lack of capacity still expires when it would have; one that the prospect asked for starts anew."""
    moves: tuple[tuple[c.RescheduleReason, bool], ...] = (("capacity", False), ("prospect_asked", True), ("rep_absent", True))
    for reason, moved in moves:
        life = life_in("call_due")
        before = life.lead.timers["call_expiry"]
        life.must(c.RescheduleCall(call_on=life.today + timedelta(days=2), reason=reason))
        assert moved is (life.lead.timers["call_expiry"].due_at > before.due_at)
        assert 1 == life.lead.slips


def test_a_follow_up_call_is_no_promise_and_cannot_be_late() -> None:
    """Only a promised call is reported as missed; both are void after ten working days."""
    life = life_in("call_due")
    assert {"call_grace", "call_late", "call_expiry"} == set(life.lead.timers)
    life = life_in("no_response")
    life.wait(days=7).must(touch_command())
    life.wait(days=7).must(c.ScheduleCall(call_on=life.today, value_item="video"), "planner")
    assert {"call_grace", "call_expiry"} == set(life.lead.timers)


def test_a_note_and_its_slot_timer() -> None:
    """The sheet waits for the note until the end of the next working day, counted from the day it was planned for."""
    life = life_in("queued")
    life.must(c.ScheduleNote(note_on=date(2026, 1, 9), call_on=date(2026, 1, 16)), "planner")
    assert at(date(2026, 1, 12), 18) == life.lead.timers["note_slot"].due_at


def test_a_promise_that_came_due_late_is_not_void_at_once() -> None:
    """The service was down for three weeks: the call is due now, and has its ten working days from now."""
    life = life_in("note_sent")
    life.wait(days=28)
    life.fire("call_after_note")
    assert life.lead.timers["call_expiry"].due_at > life.now + timedelta(days=13)


@given(
    anchor=st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    months=st.integers(1, 12),
    calendar=st.sampled_from(CALENDARS),
)
@settings(max_examples=100, deadline=None)
def test_monthly_comes_once_in_each_month_and_does_not_drift(anchor: date, months: int, calendar: Calendar) -> None:
    """From any day on, each step lies so many months after the last, unless nobody works in the whole of that month."""
    day = anchor
    for step in range(1, 14):
        day = monthly(anchor, day, months, calendar)
        year, month = divmod(anchor.year * 12 + anchor.month - 1 + step * months, 12)
        first = date(year, month + 1, 1)
        worked = horizon.after(calendar, first, 0)
        assert (first.year, first.month) == (day.year, day.month) or (worked.year, worked.month) != (first.year, first.month)
        assert horizon.is_working(calendar, day)
        day = first  # the touch of a month may be made on any of its days


def test_monthly_stays_in_its_month() -> None:
    """The last day of a month that is a weekend moves back, not into the month after."""
    assert date(2026, 2, 27) == monthly(date(2026, 1, 31), date(2026, 1, 31), 1, CALENDAR)
    assert date(2026, 3, 31) == monthly(date(2026, 1, 31), date(2026, 2, 27), 1, CALENDAR)
    assert date(2026, 4, 10) == monthly(date(2026, 1, 10), date(2026, 3, 10), 1, CALENDAR)


def test_a_playbook_may_name_the_day_of_the_month() -> None:
    """A3-3: whenever they were touched before, everybody is owed the next on the same day, or on the working day after it."""
    for base in (date(2026, 1, 2), date(2026, 1, 31)):
        assert date(2026, 2, 10) == monthly(base, base, 1, CALENDAR, 10)
    assert date(2026, 3, 2) == monthly(date(2026, 2, 20), date(2026, 2, 20), 1, CALENDAR, 1)
    assert date(2026, 5, 11) == monthly(date(2026, 1, 10), date(2026, 4, 10), 1, CALENDAR)
    assert date(2026, 6, 10) == monthly(date(2026, 1, 10), date(2026, 5, 11), 1, CALENDAR)


def test_twelve_months_of_nurture_hold_twelve_touches() -> None:
    """A lead that gets its touch when it is owed gets exactly one in each calendar month (A3-4)."""
    timers = type(PLAYBOOK.timers)(requeue_days=400)
    life = life_in("nurture", playbook=msgspec.structs.replace(PLAYBOOK, timers=timers))
    months = []
    for number in range(12):
        life.fire("nurture_touch")
        life.must(c.SendNurtureTouch(mode="email", asset=f"asset-{number}", attested=PLAYBOOK.checks.nurture))
        months.append(life.today.year * 12 + life.today.month)
        again = c.SendNurtureTouch(mode="email", asset="one-more", attested=PLAYBOOK.checks.nurture)
        assert "once_a_month" == life.do(again).rule
    assert list(range(months[0], months[0] + 12)) == months


def test_an_owed_touch_does_not_stop_the_months_after_it() -> None:
    """Each month owes its touch, made or not, and six months of silence are reported, again and again."""
    life = life_in("nurture")
    for _ in range(3):
        assert "applied" == life.fire("nurture_touch").answer
        assert life.lead.nurture_touch_owed
    floor = life.lead.timers["nurture_floor"].due_at
    life.now = floor
    assert "applied" == life.fire("nurture_floor").answer
    assert life.lead.timers["nurture_floor"].due_at > floor + timedelta(days=180)


moments = st.integers(0, 60 * 24 * 50).map(lambda minutes: datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minutes))


@given(
    timer=st.sampled_from(sorted(TIMERS)),
    due_at=moments,
    now=moments,
    later=moments,
    calendar=st.sampled_from(CALENDARS[:2]),  # the third ends within these days, and past its end knows weekends only
)
@settings(max_examples=100, deadline=None)
def test_what_is_frozen_is_thawed_whole(
    timer: str, due_at: datetime, now: datetime, later: datetime, calendar: Calendar
) -> None:
    """A thawed timer is never due before now, and never keeps more than it had; frozen again at once, it keeps the same."""
    left = freeze(timer, due_at, now, calendar)
    again = thaw(left, later, calendar)
    assert again >= later
    if left.working_days is None:
        assert again - later <= max(timedelta(), due_at - now)
    elif left.working_days:
        assert left.working_days == freeze(timer, again, later, calendar).working_days


def test_freezing_and_thawing_on_the_spot_changes_nothing() -> None:
    """A hold that is over within the minute moves no timer."""
    life = life_in("call_due")
    before = {name: timer.due_at for name, timer in life.lead.timers.items()}
    life.must(c.Hold(reason="manual"))
    life.must(c.Release())
    assert before == {name: timer.due_at for name, timer in life.lead.timers.items()}


def test_absence_stretches_working_days_only() -> None:
    """Two weeks away push the promised call by two weeks, and the age in the queue not at all."""
    away = Calendar(
        timezone="America/New_York",
        first=CALENDAR.first,
        last=CALENDAR.last,
        absences=(Absence(first=date(2026, 1, 6), last=date(2026, 1, 19)),),
    )
    assert date(2026, 1, 26) == away.local_day(due("response_window", MONDAY, PLAYBOOK, away))
    assert due("queue_age", MONDAY, PLAYBOOK, CALENDAR) == due("queue_age", MONDAY, PLAYBOOK, away)


def test_a_refused_timer_comes_again() -> None:
    """A month later, or on the next working day where a day matters."""
    assert at(date(2026, 1, 12), 8) == retry("call_after_note", date(2026, 1, 9), CALENDAR)
    assert at(date(2026, 2, 8), 8) == retry("requeue", date(2026, 1, 9), CALENDAR)


def test_past_the_horizon_weekends_are_all_that_is_known() -> None:
    """A timer is armed even where the calendar ends, so that nobody is forgotten."""
    short = Calendar(timezone="Asia/Tokyo", first=MONDAY, last=date(2026, 1, 9))
    assert datetime(2026, 1, 19, 18, tzinfo=UTC) == due("breakup_window", MONDAY, PLAYBOOK, short)
    assert date(2026, 1, 12) == horizon.after(short, date(2026, 1, 10), 0)
    assert 5 == horizon.between(short, MONDAY, date(2026, 1, 12))
    assert horizon.is_working(short, date(2026, 1, 12))
    assert date(2027, 1, 1) == horizon.local_day(short, datetime(2027, 1, 1, 23, tzinfo=UTC))
    assert date(1900, 1, 1) == horizon.after(short, date(1900, 1, 1), 3)
    assert 2 == horizon.between(short, date(1900, 1, 1), date(1900, 1, 3))


def test_a_lead_without_a_calendar_has_timers_all_the_same() -> None:
    """An owner whose calendar is not known yet still forgets nobody."""
    life = life_in("declined", calendar=None)
    assert life.now < life.lead.timers["triage"].due_at
    assert life.history[-1].used
    assert life.history[-1].used.calendar is None


def test_one_message_per_arming() -> None:
    """A timer's message has the id that its stream, name and version give it, on any machine."""
    assert timer_message_id(LEAD_ID, "triage", 3) == timer_message_id(LEAD_ID, "triage", 3)
    assert 4 == len({timer_message_id(LEAD_ID, name, version) for name in ("triage", "lapse") for version in (1, 11)})
