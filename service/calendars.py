"""Freezing a calendar: public holidays and weekends of a country, read once from the `holidays` library.

The library is imported where it is used: most commands have no use for it, and it takes a tenth of a second.
"""

import warnings
from collections.abc import Iterable
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from workflows.calendars import Absence, Calendar, Holiday, zone_offsets

if TYPE_CHECKING:
    from holidays import HolidayBase

#: So many days before a rep's calendar ends people are told: plans reach weeks ahead of the day.
WARN_DAYS = 60


class CalendarError(ValueError):
    """A calendar cannot be frozen as asked; the message names the value and what it may have been meant to be."""


def freeze_calendar(
    country: str,
    region: str,
    timezone: str,
    first: date,
    last: date,
    *,
    absences: Iterable[Absence] = (),
    weekdays: Iterable[int] | None = None,
    day_starts: int = 480,
    day_ends: int = 1080,
) -> Calendar:
    """Freeze the working days of one rep, with everything needed to count them without any library.

    Only public holidays are taken, so "US" without a region means the federal ones. Holidays have their English name
    where the library has one. Working days that a country moves to a weekend (China, Russia) stay days off.

    Parameters
    ----------
    country
        ISO 3166-1 code, or empty for no public holidays.
    region
        The part of ISO 3166-2 after the hyphen, or empty for what holds in the whole country.
    timezone
        IANA name of the rep's time zone.
    first, last
        The horizon, both inclusive.
    absences
        Days the rep is away; those outside the horizon are kept and do nothing.
    weekdays
        ISO weekdays 1 to 7 that this rep works; by default those that the country works.
    day_starts, day_ends
        Working hours in minutes after local midnight, 0 to 1440.

    Raises
    ------
    CalendarError
        If country, region or time zone are unknown, if the library does not know all holidays of the horizon, or if
        the days and hours contradict each other.
    """
    if timezone not in iana_zones():
        raise CalendarError(f"There is no time zone {timezone!r}.{_did_you_mean(timezone, iana_zones())}")
    source = _holidays_of(country, region, first, last)
    code = source.subdiv or "" if source is not None else ""
    worked, found = _weekdays_and_holidays(source, first, last, weekdays)
    try:
        return Calendar(
            timezone=timezone,
            country=source.country if source is not None else "",
            region=source.subdivisions_aliases.get(code, code) if source is not None else "",
            weekdays=worked,
            holidays=found,
            absences=tuple(sorted(absences, key=lambda absence: (absence.first, absence.last))),
            first=first,
            last=last,
            day_starts=day_starts,
            day_ends=day_ends,
            offsets=zone_offsets(timezone, first, last),
        )
    except ValueError as error:
        raise CalendarError(str(error)) from error


@cache
def iana_zones() -> frozenset[str]:
    """Return the names of all time zones of the IANA database: machines have more, such as ``localtime``, that mean nothing."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="ascii").split()) - {"Factory"}


def ending(rep: str, last: date, today: date) -> str | None:
    """Say that the calendar of *rep*, whose last day is *last*, ends soon and what to do; None while that is far off."""
    if (last - today).days > WARN_DAYS:
        return None
    ends = f"ended on {last}" if last < today else f"ends on {last}"
    return f"the calendar of {rep} {ends}, and nothing is planned beyond it: `thaw rep set {rep}` freezes three more years"


def _holidays_of(country: str, region: str, first: date, last: date) -> "HolidayBase | None":
    if not country:
        if region:
            raise CalendarError(f"Region {region!r} needs a country.")
        return None
    import holidays

    known = holidays.list_supported_countries()
    if country not in known:
        raise CalendarError(f"There is no country {country!r}.{_did_you_mean(country, _country_names())}")
    entity = getattr(holidays, country)
    if region and region not in (regions := {*entity.subdivisions, *entity.subdivisions_aliases}):
        near = _did_you_mean(region, regions) or (f" It has {', '.join(sorted(regions))}." if regions else "")
        raise CalendarError(f"{country} has no region {region!r}.{near}")
    if first.year < entity.start_year or last.year > entity.end_year:
        # The library answers such years with no holidays at all, and the rep would be planned straight through them.
        raise _unknown_years(country, first, last, f"only for {entity.start_year} to {entity.end_year}")
    english = [language for language in entity.supported_languages if language.startswith("en")]
    with warnings.catch_warnings():
        # India warns when it knows only some of a year's holidays, which is no better than knowing none.
        warnings.simplefilter("error", UserWarning)
        try:
            return holidays.country_holidays(
                country,
                subdiv=region or None,
                years=range(first.year, last.year + 1),
                language="en_US" if "en_US" in english else (english or [None])[0],
                categories=holidays.PUBLIC,
            )
        except UserWarning as warning:
            raise _unknown_years(country, first, last, f"only in part ({warning})") from warning


def _unknown_years(country: str, first: date, last: date, known: str) -> CalendarError:
    return CalendarError(
        f"The holidays of {country} from {first} to {last} are known {known}: shorten the horizon, "
        "or leave the country out and give its holidays as absences."
    )


def _weekdays_and_holidays(
    source: "HolidayBase | None", first: date, last: date, weekdays: Iterable[int] | None
) -> tuple[tuple[int, ...], tuple[Holiday, ...]]:
    """Return the weekdays that are worked and the days off that they do not explain."""
    chosen = None if weekdays is None else tuple(sorted(set(weekdays)))
    if source is None:
        return chosen or (1, 2, 3, 4, 5), ()
    off = {day: name for day, name in source.items() if first <= day <= last}
    days = [first + timedelta(days=passed) for passed in range((last - first).days + 1)]
    if chosen is None:
        weekend = {day for day in days if source.is_weekend(day)}
        # A country may move its weekend inside the horizon (Johor did in 2025): the weekdays are then those of either
        # time, and the days off that this misses become single days off.
        chosen = tuple(sorted({day.isoweekday() for day in days if day not in weekend}))
        off |= {day: off.get(day, "weekend") for day in weekend if day.isoweekday() in chosen}
    return chosen, tuple(Holiday(day=day, name=off[day]) for day in sorted(off))


def _country_names() -> dict[str, str]:
    """Map what a person may type, a code or a name, to what is meant."""
    from holidays.registry import COUNTRIES

    return {
        typed: f"{code} ({name})"
        for name, code, *others in COUNTRIES.values()
        for typed in (code, name, *others)
        if not typed.startswith("Holidays")
    }


def _did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return the known values nearest to `value` as a sentence to append, or nothing."""
    meanings = known if isinstance(known, dict) else {name: name for name in known}
    folded = {name.casefold(): name for name in sorted(meanings)}
    # A city alone is what people type for a time zone: compare with the last part of the name, too.
    folded |= {name.rpartition("/")[2].casefold(): name for name in sorted(meanings) if "/" in name}
    near = get_close_matches(value.replace(" ", "_").casefold(), folded, n=3, cutoff=0.6)
    found = list(dict.fromkeys(meanings[folded[name]] for name in near))
    return f" Did you mean {' or '.join(found)}?" if found else ""
