"""Calendars of any country, absences and time zone, for the laws that hold in all of them."""

from datetime import date, timedelta

import holidays
from hypothesis import reject
from hypothesis import strategies as st

from service.calendars import CalendarError, freeze_calendar, iana_zones
from workflows.calendars import Absence, Calendar

COUNTRIES = sorted(holidays.list_supported_countries(include_aliases=False))
ZONES = sorted(iana_zones())
DAYS = 400


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Freeze a calendar of any country, absences and time zone, with a horizon of `DAYS` days."""
    country = draw(st.sampled_from(["", *COUNTRIES]))
    # Outside these years the library knows nothing of the country; India it knows in part until 2035. Both are refused.
    known = getattr(holidays, country) if country else holidays.HolidayBase
    earliest, latest = max(2000, known.start_year), min(2040, known.end_year - 2)
    first = draw(st.dates(date(earliest, 1, 1), date(latest, 1, 1)))
    absences = draw(
        st.lists(
            st.builds(
                lambda start, length: Absence(first=first + timedelta(days=start), last=first + timedelta(days=start + length)),
                st.integers(-10, DAYS),
                st.integers(0, 30),
            ),
            max_size=4,
        )
    )
    zone = draw(st.sampled_from(ZONES))
    try:
        return freeze_calendar(country, "", zone, first, first + timedelta(days=DAYS), absences=absences)
    except CalendarError:
        reject()
