"""Freezing a calendar: what the library knows comes in, what nobody knows is refused with a sentence."""

import warnings
from calendar import monthrange
from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from service.calendars import CalendarError, freeze_calendar
from workflows.calendars import Absence, Calendar, Holiday

COUNTRIES = sorted(holidays.list_supported_countries(include_aliases=False))


def frozen(country: str, region: str = "", timezone: str = "UTC", year: int = 2026) -> Calendar:
    return freeze_calendar(country, region, timezone, date(year, 1, 1), date(year, 12, 31))


def test_the_united_states_have_their_federal_holidays() -> None:
    """Without a region the federal holidays are taken, observed days included, and none of a single state."""
    calendar = frozen("US", timezone="America/New_York")
    assert [(holiday.day.month, holiday.day.day) for holiday in calendar.holidays] == [
        (1, 1), (1, 19), (2, 16), (5, 25), (6, 19), (7, 3), (7, 4), (9, 7), (10, 12), (11, 11), (11, 26), (12, 25),
    ]  # fmt: skip
    assert calendar.why_not_working(date(2026, 5, 25)) == "holiday: Memorial Day"


def test_a_new_years_day_observed_in_the_year_before_is_not_lost() -> None:
    """1 January 2028 is a Saturday, so that federal offices close on Friday, 31 December 2027."""
    assert not frozen("US", year=2027).is_working(date(2027, 12, 31))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(COUNTRIES), st.integers(2015, 2035))
def test_every_country_freezes_as_the_library_counts(country: str, year: int) -> None:
    """In any country a day is working exactly when it is neither a public holiday nor a weekend of that year."""
    try:
        calendar = frozen(country, year=year)
    except CalendarError:
        reject()
    source = holidays.country_holidays(country, years=year)
    for passed in range(365):
        day = date(year, 1, 1) + timedelta(days=passed)
        assert calendar.is_working(day) == (not source.is_weekend(day) and day not in source)


def test_names_are_english_where_the_library_has_english() -> None:
    """A manager reads why a colleague abroad is off."""
    assert frozen("JP").holiday_on(date(2026, 7, 20)) == Holiday(day=date(2026, 7, 20), name="Marine Day")
    assert frozen("DE", "BY").holiday_on(date(2026, 1, 6)) == Holiday(day=date(2026, 1, 6), name="Epiphany")


def test_regions_and_countries_are_stored_under_their_codes() -> None:
    """A region may be typed by name and a country by its longer code; what is stored is the code."""
    assert frozen("DEU", "Bayern") == frozen("DE", "BY")
    assert frozen("DE", "BY").region == "BY"


def test_weekends_are_those_of_the_country() -> None:
    """Israel rests on Friday and Saturday; a rep's own weekdays go before the country's."""
    assert frozen("IL").weekdays == (1, 2, 3, 4, 7)
    own = freeze_calendar("IL", "", "UTC", date(2026, 1, 1), date(2026, 12, 31), weekdays=(5, 1))
    assert own.weekdays == (1, 5)


def test_a_weekend_that_moves_within_the_horizon_is_right_on_both_sides() -> None:
    """Johor rested on Friday and Saturday until the end of 2024, and on Saturday and Sunday since."""
    calendar = freeze_calendar("MY", "01", "Asia/Kuala_Lumpur", date(2024, 12, 1), date(2025, 1, 31))
    assert not calendar.is_working(date(2024, 12, 6))
    assert calendar.is_working(date(2024, 12, 8))
    assert calendar.is_working(date(2025, 1, 10))
    assert not calendar.is_working(date(2025, 1, 12))


def test_no_country_means_no_holidays() -> None:
    """A rep without a country works Monday to Friday, less the absences."""
    leave = Absence(first=date(2026, 12, 24), last=date(2026, 12, 31))
    calendar = freeze_calendar("", "", "UTC", date(2026, 1, 1), date(2026, 12, 31), absences=[leave])
    assert calendar.holidays == ()
    assert calendar.why_not_working(date(2026, 12, 25)) == "absence: leave"


@pytest.mark.parametrize(
    ("country", "region", "timezone", "sentence"),
    [
        ("Germany", "", "UTC", r"There is no country 'Germany'\. Did you mean DE \(Germany\)"),
        ("DE", "BYE", "UTC", r"DE has no region 'BYE'\. Did you mean .*BY"),
        ("SG", "X", "UTC", r"SG has no region 'X'\.$"),
        ("", "BY", "UTC", r"Region 'BY' needs a country\."),
        ("DE", "", "Europe/Berln", r"There is no time zone 'Europe/Berln'\. Did you mean Europe/Berlin"),
        ("US", "", "new york", r"There is no time zone 'new york'\. Did you mean America/New_York\?"),
        ("US", "", "localtime", r"There is no time zone 'localtime'\."),
        ("US", "", "Factory", r"There is no time zone 'Factory'\."),
        ("US", "", "Mars/Utopia_Planitia_Base", r"There is no time zone 'Mars/Utopia_Planitia_Base'\.$"),
    ],
)
def test_what_is_unknown_is_named_with_what_may_be_meant(country: str, region: str, timezone: str, sentence: str) -> None:
    """An unknown country, region or time zone is refused by name, with the nearest that exist."""
    with pytest.raises(CalendarError, match=sentence):
        frozen(country, region, timezone)


def test_a_horizon_or_day_that_makes_no_sense_is_refused() -> None:
    """A calendar that would contradict itself is refused as such."""
    with pytest.raises(CalendarError, match="before it starts"):
        freeze_calendar("US", "", "UTC", date(2026, 2, 1), date(2026, 1, 1))
    with pytest.raises(CalendarError, match="from minute 600 to minute 500"):
        freeze_calendar("US", "", "UTC", date(2026, 1, 1), date(2026, 2, 1), day_starts=600, day_ends=500)


@pytest.mark.parametrize(("country", "year", "known"), [("US", 2101, "only for"), ("IN", 2040, "only in part")])
def test_years_that_the_library_does_not_know_are_refused(country: str, year: int, known: str) -> None:
    """A calendar without its holidays would plan work straight through them, so that none is made."""
    # Outside of tests a warning of the library is only printed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(CalendarError, match=f"of {country} from {year}-01-01 .* are known {known}"):
            frozen(country, year=year)


@pytest.mark.parametrize(
    ("country", "region", "least", "most"),
    [
        ("US", "", 605, 645),
        ("CA", "ON", 615, 650),
        ("GB", "ENG", 615, 650),
        ("DE", "BY", 605, 655),
        ("IN", "", 600, 650),
        ("JP", "", 595, 635),
    ],
)
def test_six_months_at_five_a_day(country: str, region: str, least: int, most: int) -> None:
    """Six months that start with a month, within 2026 to 2030, hold as many notes as methods.md 6.2 says."""
    calendar = freeze_calendar(country, region, "UTC", date(2025, 12, 31), date(2030, 12, 31))
    ends = [date(2026 + month // 12, month % 12 + 1, 1) for month in range(60)]
    ends = [day.replace(day=monthrange(day.year, day.month)[1]) for day in ends]
    before = [date(2025, 12, 31), *ends]
    found = [5 * calendar.working_days_between(before[index], before[index + 6]) for index in range(len(ends) - 5)]
    assert (min(found), max(found)) == (least, most)
