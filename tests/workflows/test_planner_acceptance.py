"""The acceptance table of methods.md 6.2 and the catch-up of 6.3, reproduced day by day by a perfect rep."""

from collections import Counter
from datetime import date, timedelta
from typing import Literal

import pytest

from service.calendars import freeze_calendar
from tests.workflows.perfect_rep import PerfectRep
from workflows.calendars import Absence, Calendar
from workflows.capacity import Capacity
from workflows.planner import DayPlan

MONDAY = date(2026, 1, 5)
FOURTH_OF_JULY = date(2026, 7, 4)
LEAVE = Absence(first=date(2026, 3, 9), last=date(2026, 3, 20))


def us(*absences: Absence) -> Calendar:
    return freeze_calendar("US", "", "America/New_York", date(2026, 1, 1), date(2026, 12, 31), absences=absences)


def worked(calendar: Calendar, capacity: Capacity | None = None, last: date = date(2026, 8, 14)) -> PerfectRep:
    """Let a perfect rep work from 5 January to `last`."""
    rep = PerfectRep(calendar, capacity)
    for _plan in rep.work(MONDAY, last):
        pass
    return rep


def backlog_shortfall(plan: DayPlan) -> int:
    return sum(shortfall.count for shortfall in plan.shortfalls if shortfall.code == "backlog")


def test_six_months_of_a_perfect_rep() -> None:
    """A4-4, A4-6: six months bring 600 distinct people, a note and its call each, five a day, on the days that are named."""
    rep = worked(us())
    notes, calls = [note.note_on for note in rep.notes], [call.made_on for call in rep.calls]
    assert calls[0] == date(2026, 1, 12)
    assert (notes[99], calls[99]) == (date(2026, 2, 2), date(2026, 2, 9))
    assert (notes[599], calls[599]) == (date(2026, 6, 25), date(2026, 7, 2))
    assert len({note.lead_id for note in rep.notes[:600]}) == 600
    assert {note.lead_id for note in rep.notes[:600]} == {call.lead_id for call in rep.calls[:600]}
    assert Counter((call.made_on - call.note_on).days for call in rep.calls[:600]) == {7: 500, 8: 80, 10: 20}
    assert all(rep.calendar.add_working_days(call.note_on, 5) == call.made_on for call in rep.calls)


def test_the_flow_of_cards_and_calls_is_even() -> None:
    """A4-3, A4-5: from the sixth working day on, every one of 26 weeks' 125 working days has five notes and five calls."""
    rep = worked(us())
    days = [MONDAY + timedelta(days=passed) for passed in range(26 * 7)]
    days = [day for day in days if rep.calendar.is_working(day)]
    assert len(days) == 125
    assert {rep.notes_on(day) for day in days} == {5}
    assert {rep.calls_on(day) for day in days[:5]} == {0}
    assert {rep.calls_on(day) for day in days[5:]} == {5}


def test_weeks_and_months_bring_what_the_article_claims() -> None:
    """A4-6: a full week has 25 calls and a holiday week 20; 20 working days have 100; US months 95 to 115."""
    rep = worked(us(), last=date(2026, 12, 18))
    weeks = Counter(call.made_on.isocalendar().week for call in rep.calls)
    assert (weeks[5], weeks[4]) == (25, 20)
    days = sorted({call.made_on for call in rep.calls})
    assert sum(rep.calls_on(day) for day in days[:20]) == 100
    months = Counter(call.made_on.month for call in rep.calls)
    assert (months[2], months[11]) == (95, 95)
    assert {months[month] for month in range(2, 12)} <= {95, 100, 105, 110, 115}


@pytest.mark.parametrize(
    ("long_gap", "by_july", "last_note", "last_call"),
    [
        ("skip", (550, 525), date(2026, 7, 17), date(2026, 7, 24)),
        ("accept", (575, 550), date(2026, 7, 10), date(2026, 7, 17)),
    ],
)
def test_two_weeks_of_leave(
    long_gap: Literal["skip", "accept"], by_july: tuple[int, int], last_note: date, last_call: date
) -> None:
    """Leave from 9 to 20 March costs its own days, and by default the notes whose call would come too late."""
    rep = worked(us(LEAVE), Capacity(long_gap=long_gap))
    notes, calls = [note.note_on for note in rep.notes], [call.made_on for call in rep.calls]
    assert (sum(day <= FOURTH_OF_JULY for day in notes), sum(day <= FOURTH_OF_JULY for day in calls)) == by_july
    assert (notes[599], calls[599]) == (last_note, last_call)
    week_before = sum(date(2026, 3, 2) <= day <= date(2026, 3, 6) for day in notes)
    assert week_before == (0 if long_gap == "skip" else 25)
    assert max((call.made_on - call.note_on).days for call in rep.calls) == (10 if long_gap == "skip" else 21)


@pytest.mark.parametrize(("days_missed", "days_to_clear", "notes_skipped"), [(1, 3, 0), (2, 4, 10), (3, 4, 10), (5, 4, 10)])
def test_missed_days_are_caught_up(days_missed: int, days_to_clear: int, notes_skipped: int) -> None:
    """After missed days the carried-over calls go first, at most seven a day, and new promises wait for them."""
    rep = PerfectRep(us())
    tuesday = date(2026, 4, 7)
    missed = [rep.calendar.add_working_days(tuesday, index) for index in range(days_missed)]
    plans = [day for day in rep.work(MONDAY, date(2026, 5, 15), missed) if rep.calendar.is_working(day.day)]
    after = [day for day in plans if day.day > missed[-1]]
    late = [call for call in rep.calls if call.made_on != call.promised_on]
    cleared = max(call.made_on for call in late)
    assert rep.calendar.working_days_between(missed[-1], cleared) == days_to_clear
    assert sum(backlog_shortfall(day) for day in after) == notes_skipped
    assert sum(5 - len(day.notes) for day in after) == notes_skipped
    assert max(rep.calls_on(day.day) for day in plans) == 7
    assert {call.promised_on for call in rep.calls} >= set(missed)
    assert [call for call in rep.open.values() if call.due <= plans[-1].day] == []
