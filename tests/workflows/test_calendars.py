"""The laws of working days and of local time, over any country, absence and time zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from service.calendars import freeze_calendar
from tests.workflows.calendar_strategies import DAYS, ZONES, calendars
from workflows.calendars import Absence, Calendar, CalendarHorizonError, Holiday, Offset, zone_offsets
from workflows.time_zones import zone_named

SECOND = timedelta(seconds=1)

if TYPE_CHECKING:
    from collections.abc import Callable


def day_of(calendar: Calendar, passed: int) -> date:
    return calendar.first + timedelta(days=passed)


def us(**changes: object) -> Calendar:
    calendar = freeze_calendar("US", "", "America/New_York", date(2026, 1, 1), date(2026, 12, 31))
    return msgspec.structs.replace(calendar, **changes)


@settings(deadline=None)
@given(calendars(), st.integers(0, 200), st.integers(0, 40), st.integers(0, 40))
def test_adding_working_days_counts_them(calendar: Calendar, start: int, n: int, more: int) -> None:
    """The n-th working day after a day is working, lies exactly n working days on, and grows with n and the day."""
    day = day_of(calendar, start)
    assume(calendar.working_days_between(day, calendar.last) >= n + more)
    found = calendar.add_working_days(day, n)
    assert found == day if n == 0 else calendar.is_working(found)
    passed = [day + timedelta(days=index + 1) for index in range((found - day).days)]
    assert sum(calendar.is_working(later) for later in passed) == n
    assert calendar.working_days_between(day, found) == n
    assert found <= calendar.add_working_days(day, n + more)
    assert calendar.add_working_days(found, more) == calendar.add_working_days(day, n + more)
    if n and start:
        assert calendar.add_working_days(day_of(calendar, start - 1), n) <= found


@settings(deadline=None)
@given(calendars(), st.integers(0, DAYS))
def test_every_day_is_working_or_has_a_reason(calendar: Calendar, passed: int) -> None:
    """A day is working, or there is one reason why not, and the reason is true."""
    day = day_of(calendar, passed)
    why = calendar.why_not_working(day)
    assert calendar.is_working(day) == (why is None)
    holiday, absence = calendar.holiday_on(day), calendar.absence_on(day)
    weekend = day.isoweekday() not in calendar.weekdays
    expected = (
        "weekend" if weekend else f"holiday: {holiday.name}" if holiday else f"absence: {absence.reason}" if absence else None
    )
    assert why == expected


@settings(deadline=None)
@given(calendars(), st.integers(0, 300))
def test_next_and_on_or_after_differ_only_on_working_days(calendar: Calendar, passed: int) -> None:
    """The working day on or after a day is that day itself, or else the next one."""
    day = day_of(calendar, passed)
    assume(calendar.working_days_between(day, calendar.last) > 0)
    following = calendar.next_working_day(day)
    assert following > day
    assert calendar.is_working(following)
    assert calendar.on_or_after(day) == (day if calendar.is_working(day) else following)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(1970, 1, 10), date(2060, 1, 1)), st.integers(0, 1440))
@example("America/New_York", date(2026, 3, 8), 150)
@example("America/New_York", date(2026, 11, 1), 90)
@example("Pacific/Apia", date(2011, 12, 30), 480)
@example("Australia/Lord_Howe", date(2026, 10, 4), 135)
@example("America/Sao_Paulo", date(2018, 11, 4), 0)
@example("Africa/Casablanca", date(2026, 2, 15), 150)
def test_moment_is_the_first_instant_that_shows_the_time(zone: str, day: date, minute: int) -> None:
    """A wall-clock minute becomes its first instant; one that is skipped becomes the first instant after the gap."""
    calendar = Calendar(timezone=zone, first=day, last=day)
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    local = wall.replace(tzinfo=zone_named(zone))
    instant = calendar.moment(day, minute)
    shown = instant.astimezone(zone_named(zone)).replace(tzinfo=None)
    if local.astimezone(UTC).astimezone(zone_named(zone)).replace(tzinfo=None) == wall:
        assert instant == local.astimezone(UTC)
        assert shown == wall
    else:
        assert shown > wall
        assert (instant - SECOND).astimezone(zone_named(zone)).replace(tzinfo=None) < wall


@settings(deadline=None)
@given(calendars(), st.integers(1, DAYS - 1), st.integers(0, 1439))
def test_a_moment_falls_on_its_own_day(calendar: Calendar, passed: int, minute: int) -> None:
    """The local day of a moment is the day it was made from, unless the clock skipped over the rest of that day."""
    day = day_of(calendar, passed)
    instant = calendar.moment(day, minute)
    shown = instant.astimezone(zone_named(calendar.timezone)).replace(tzinfo=None)
    assert calendar.local_day(instant) == shown.date()
    assert shown.date() == day or shown > datetime.combine(day, time()) + timedelta(minutes=minute)


@settings(deadline=None)
@given(calendars(), st.integers(0, 100), st.integers(0, 200), st.integers(0, 1440))
def test_a_cut_calendar_answers_alike(calendar: Calendar, start: int, length: int, minute: int) -> None:
    """A calendar that is cut, stored and read again gives the same answers inside its shorter horizon."""
    first, last = day_of(calendar, start), day_of(calendar, start + length)
    cut = msgspec.json.decode(msgspec.json.encode(calendar.cut(first, last)), type=Calendar)
    assert cut == calendar.cut(first, last)
    assert cut.offsets
    for passed in range(length + 1):
        day = first + timedelta(days=passed)
        assert cut.why_not_working(day) == calendar.why_not_working(day)
        assert cut.moment(day, minute) == calendar.moment(day, minute)


def test_frozen_offsets_win_over_the_time_zone_database() -> None:
    """A calendar answers from the offsets frozen in it, whatever the database says today."""
    frozen = us(offsets=(Offset(since=datetime(2025, 12, 30, tzinfo=UTC), seconds=3600),))
    assert frozen.moment(date(2026, 7, 1), 480) == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_offsets_name_each_change_once() -> None:
    """New York has its two changes in 2026, to the second."""
    changes = zone_offsets("America/New_York", date(2026, 1, 1), date(2026, 12, 31))[1:]
    assert [(offset.since, offset.seconds) for offset in changes] == [
        (datetime(2026, 3, 8, 7, tzinfo=UTC), -4 * 3600),
        (datetime(2026, 11, 1, 6, tzinfo=UTC), -5 * 3600),
    ]


@pytest.mark.parametrize(
    ("note", "call"),
    [
        (date(2026, 1, 12), date(2026, 1, 20)),
        (date(2026, 5, 20), date(2026, 5, 28)),
        (date(2026, 11, 20), date(2026, 11, 30)),
        (date(2026, 12, 18), date(2026, 12, 28)),
    ],
)
def test_five_working_days_after_a_note(note: date, call: date) -> None:
    """The rows of methods.md 6.1: King day, Memorial day, Thanksgiving and Christmas push the call."""
    assert us().add_working_days(note, 5) == call


def test_reasons_tell_absence_from_holiday_from_weekend() -> None:
    """Leave is charged only for days that would have been worked."""
    calendar = us(absences=(Absence(first=date(2026, 5, 22), last=date(2026, 5, 26)),))
    reasons = [calendar.why_not_working(date(2026, 5, day)) for day in range(21, 28)]
    assert reasons == [
        None,
        "absence: leave",
        "weekend",
        "weekend",
        "holiday: Memorial Day",
        "absence: leave",
        None,
    ]


def test_leaving_the_horizon_names_the_day_and_the_horizon() -> None:
    """Whatever needs a day that the calendar does not cover is refused with a sentence, never guessed."""
    calendar, outside = us(), date(2027, 1, 1)
    asked: list[Callable[[], object]] = [
        lambda: calendar.is_working(outside),
        lambda: calendar.why_not_working(outside),
        lambda: calendar.add_working_days(outside, 0),
        lambda: calendar.working_days_between(date(2026, 5, 1), outside),
        lambda: calendar.moment(outside, 0),
        lambda: calendar.local_day(datetime(2027, 1, 1, 12, tzinfo=UTC)),
        lambda: calendar.cut(date(2026, 5, 1), outside),
    ]
    for question in asked:
        with pytest.raises(CalendarHorizonError, match=r"2027-01-01 lies outside .* 2026-01-01 to 2026-12-31"):
            question()
    with pytest.raises(CalendarHorizonError, match="Working day 5 after 2026-12-28 lies past"):
        calendar.add_working_days(date(2026, 12, 28), 5)


def test_arguments_out_of_range_are_refused() -> None:
    """Working days are counted forward, and a day has 1440 minutes."""
    with pytest.raises(ValueError, match="forward only"):
        us().add_working_days(date(2026, 5, 1), -1)
    with pytest.raises(ValueError, match="0 to 1440"):
        us().moment(date(2026, 5, 1), 1441)


@pytest.mark.parametrize(
    "changes",
    [
        {"first": date(2027, 1, 1)},
        {"weekdays": ()},
        {"weekdays": (0, 1)},
        {"weekdays": (2, 1)},
        {"holidays": (Holiday(day=date(2026, 2, 2), name="b"), Holiday(day=date(2026, 2, 1), name="a"))},
        {"day_starts": 1080, "day_ends": 480},
        {"day_ends": 1441},
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    """No calendar exists whose parts contradict each other, whether built or read."""
    with pytest.raises(ValueError, match=r"cannot|must|ISO"):
        us(**changes)


def test_an_absence_that_ends_before_it_starts_is_refused() -> None:
    """An absence covers at least a day."""
    with pytest.raises(ValueError, match="cannot end"):
        Absence(first=date(2026, 2, 2), last=date(2026, 2, 1))
