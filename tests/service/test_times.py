"""Days and moments, as typed and as shown."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from service.times import TimeError, parse_day, parse_moment, shown_age, shown_day, shown_moment, shown_span

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)  # 8 March, 22:30 in New York


def test_days_and_moments_are_iso_with_the_weekday() -> None:
    assert shown_day(date(2026, 1, 12)) == "Mon 2026-01-12"
    assert shown_moment(NOW, NEW_YORK) == "Sun 2026-03-08 22:30"
    assert shown_moment(NOW, NEW_YORK, seconds=True) == "Sun 2026-03-08 22:30:00"


def test_today_is_the_reps_today() -> None:
    assert parse_moment("today", NEW_YORK, NOW) == NOW
    assert parse_moment("2026-03-08", NEW_YORK, NOW) == NOW
    assert parse_moment("Yesterday ", NEW_YORK, NOW) == datetime(2026, 3, 7, 17, 0, tzinfo=UTC)


def test_a_day_alone_means_what_the_caller_says() -> None:
    end = time(23, 59, 59, 999_999)
    assert parse_moment("2026-03-01", NEW_YORK, NOW, day_means=end) == datetime(2026, 3, 2, 4, 59, 59, 999_999, tzinfo=UTC)


def test_an_hour_that_the_clock_shows_twice_is_the_first() -> None:
    assert parse_moment("2026-11-01T01:30", NEW_YORK, NOW) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_an_hour_that_the_clock_skips_is_taken_as_before_the_change() -> None:
    assert parse_moment("2026-03-08T02:30", NEW_YORK, NOW) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "soon", "12.1.2026", "2026-02-30", "2026-01-05T25:00", "2199-12-31T25", "9"])
def test_what_is_no_moment_is_said_so(typed: str) -> None:
    with pytest.raises(TimeError, match="write it like"):
        parse_moment(typed, NEW_YORK, NOW)


@pytest.mark.parametrize("typed", ["1969-12-31", "2200-01-01", "0001-01-01", "9999-12-31"])
def test_days_that_can_only_be_slips_are_refused(typed: str) -> None:
    with pytest.raises(TimeError, match="lies outside 1970-01-01 to 2199-12-31"):
        parse_day(typed)
    with pytest.raises(TimeError, match="lies outside"):
        parse_moment(f"{typed}T00:00", NEW_YORK, NOW)


def test_spans_and_ages_are_short() -> None:
    assert [shown_span(minutes) for minutes in (0, 45, 60, 130)] == ["0 min", "45 min", "1h00", "2h10"]
    assert [shown_age(s) for s in (0, 119, 120, 7199, 7200, 172_800)] == ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days"]
