"""Hours for calls by the prospect's own clock, on days when it is put forward or back as on all others."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from workflows import horizon
from workflows.contact_hours import clock_of, opening, overlap, permitted
from workflows.law_table import CURRENT, LawTable
from workflows.playbook_sections import ContactHours
from workflows.time_zones import zone_named

#: With summer time and without, to the half and the quarter of an hour, changed by day and by night, on both sides of the date.
ZONES = (
    *("America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Adak", "Africa/Cairo", "Asia/Beirut"),
    *("Asia/Tokyo", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia", "Pacific/Chatham"),
    "Pacific/Kiritimati",
)
REGIONS = (None, "US-AL", "US-FL", "US-KY", "US-TX", "CA-ON", "DE")


def changes(zone: str) -> list[date]:
    """Return the days of UTC from 2025 to 2027 within which the clock in *zone* changes."""
    days = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(3 * 365)]
    offsets = [day.astimezone(zone_named(zone)).utcoffset() for day in days]
    return [day.date() for day, one, next_ in zip(days, offsets, offsets[1:], strict=False) if one != next_]


CHANGED = [(zone, day) for zone in ZONES for day in changes(zone)]
ANY = st.tuples(st.sampled_from(ZONES), st.dates(date(2025, 1, 1), date(2027, 12, 31)))
SPAN = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(sorted).filter(lambda span: span[0] < span[1])


@given(
    place=st.one_of(st.sampled_from(CHANGED), ANY),
    worked=SPAN,
    opens=SPAN,
    weekdays=st.sets(st.integers(1, 7), min_size=1),
    region=st.sampled_from(REGIONS),
    table=st.sampled_from([CURRENT, None]),
)
# Put forward at 02:00 in New York: a day of the rep's from 05:00 to 12:30 UTC reaches 08:00 there, and one to 11:30 does not.
@example(("America/New_York", date(2026, 3, 8)), [300, 750], [480, 600], {7}, "DE", CURRENT)
@example(("America/New_York", date(2026, 3, 8)), [300, 690], [480, 600], {7}, "DE", CURRENT)
# Put back: what was 08:00 by the clock of the night is 07:00.
@example(("America/New_York", date(2026, 11, 1)), [240, 770], [480, 600], {7}, "DE", CURRENT)
@example(("America/New_York", date(2026, 11, 1)), [240, 790], [480, 600], {7}, "DE", CURRENT)
def test_a_day_is_good_where_some_minute_of_it_is(
    place: tuple[str, date], worked: list[int], opens: list[int], weekdays: set[int], region: str | None, table: LawTable | None
) -> None:
    """Whatever the zone and the day, the answer is that of looking at each minute by the clock on the prospect's wall."""
    zone, day = place
    calendar = replace(horizon.PLAIN, day_starts=worked[0], day_ends=worked[1])
    hours = ContactHours(opens=opens[0], closes=opens[1], weekdays=tuple(sorted(weekdays)))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    walls = [(midnight + timedelta(minutes=minute)).astimezone(zone_named(zone)) for minute in range(worked[0], worked[1])]

    def good(there: datetime) -> bool:
        span = permitted(hours, there.date(), region, table)
        return span is not None and span[0] <= there.hour * 60 + there.minute < span[1]

    clock = clock_of(zone, day, calendar)
    assert any(map(good, walls)) is overlap(hours, clock, day, calendar, region, table)
    first = next((there.replace(tzinfo=None) for there in walls if good(there)), None)
    assert first == opening(hours, clock, day, calendar, region, table)


@pytest.mark.parametrize("zone", ZONES)
def test_a_clock_says_when_it_was_put_forward_or_back(zone: str) -> None:
    """To the second, on the days on which it was, and on no others."""
    calendar = replace(horizon.PLAIN, day_starts=0, day_ends=1440)
    for day in changes(zone):
        clock = clock_of(zone, day, calendar)
        at = clock.shift_at
        assert isinstance(at, datetime)
        before, after = ((at - timedelta(seconds=back)).astimezone(zone_named(zone)).utcoffset() for back in (1, 0))
        assert (timedelta(seconds=clock.offset), timedelta(seconds=clock.shift_to or 0)) == (before, after)
    quiet = clock_of(zone, date(2026, 7, 15), calendar)
    assert not quiet.shift_at
