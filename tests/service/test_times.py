"""Days and moments, as typed and as shown."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.cli import event_shown
from service.imports.mapping_file import parse_mapping
from service.imports.orders import Orders, reference
from service.imports.reader import Record
from service.imports.rows import Interpreter
from service.times import TimeError, parse_day, parse_moment, shown_age, shown_day, shown_moment, shown_span
from tests.service.imports.office import COLUMNS, MAPPING, row
from tests.service.imports.office import NOW as MORNING
from workflows.codec import derived_id

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


_SHOWN = event_shown.EventShown(
    name="open-day", id=derived_id("x"), kind="concert", starts_at=MORNING, timezone="America/New_York", title="Open day",
    host="", place="", description="", approved=True, approver="", approved_on=None, limits="", seats=5, seated=(), waiting=(),
    excluded=(), campaigns=(), cancelled=False, erased_at=None, listed=True, why_not=None,
)  # fmt: skip


@pytest.fixture
def other_machine(tmp_path: Path) -> Iterator[None]:
    """Have the machine's own database say of New York what is so on Kiritimati, 19 hours ahead of it."""
    before = zoneinfo.TZPATH
    (tmp_path / "America").mkdir()
    (tmp_path / "America" / "New_York").write_bytes(files("tzdata").joinpath("zoneinfo", "Pacific", "Kiritimati").read_bytes())
    zoneinfo.reset_tzpath([str(tmp_path)])
    ZoneInfo.clear_cache(only_keys=["America/New_York"])
    yield
    zoneinfo.reset_tzpath(before)
    ZoneInfo.clear_cache(only_keys=["America/New_York"])


@pytest.mark.usefixtures("other_machine")
def test_an_import_and_an_event_go_by_the_locked_time_zones_on_every_machine() -> None:
    """A decline of a day is of noon at the rep's place, a day to come is refused, and an event begins when it begins."""
    assert "+14:00" == str(datetime(2026, 1, 5, tzinfo=ZoneInfo("America/New_York")))[-6:]
    lost = row(stage="Lost", closed_on="2025-12-15", why="Price")
    interpreter = Interpreter(parse_mapping(MAPPING), COLUMNS, MORNING)
    found = interpreter.read(Record(2, [lost[column] for column in COLUMNS], None))
    assert found
    made = Orders(parse_mapping(MAPPING), MORNING).register(found.registration, reference(derived_id("x"), "0" * 64))
    assert datetime(2025, 12, 15, 17, tzinfo=UTC) == getattr(made.then[0], "occurred_at", None)
    early = row(2, met_on="2026-01-06")
    assert interpreter.read(Record(3, [early[column] for column in COLUMNS], None)) is None
    assert ["future_date"] == [error.code for error in interpreter.errors]
    assert "Mon 2026-01-05 10:00 (America/New_York, UTC-05:00)" in event_shown._line(_SHOWN)
