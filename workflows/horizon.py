"""A calendar's answers, and plain ones past its horizon, so that a question about any day has an answer.

Past the days that a calendar covers (or without any calendar) only weekends are known, and the clock is UTC. That is good
enough to keep a timer pending, which is all that it is used for: plans and promises ask the calendar itself.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

from workflows.calendars import Calendar, CalendarHorizonError, Offset

#: Monday to Friday, 08:00 to 18:00 UTC, over all days that a lead's history may name.
PLAIN = Calendar(
    timezone="UTC",
    first=date(1950, 1, 1),
    last=date(2199, 12, 31),
    offsets=(Offset(since=datetime(1949, 12, 1, tzinfo=UTC), seconds=0),),
)


def local_day(calendar: Calendar, moment: datetime) -> date:
    """Return the rep's date at *moment*."""
    try:
        return calendar.local_day(moment)
    except (CalendarHorizonError, OverflowError):  # the second on the first and the last day that there is
        return moment.astimezone(UTC).date()


def moment(calendar: Calendar, day: date, minute: int) -> datetime:
    """Return the instant of a wall-clock minute of *day*."""
    try:
        return calendar.moment(day, minute)
    except CalendarHorizonError:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)


def after(calendar: Calendar, day: date, working_days: int) -> date:
    """Return the working day that comes *working_days* after *day*; for 0, *day* itself or the next one that is worked."""
    for known in (calendar, PLAIN):
        try:
            return known.add_working_days(day, working_days) if working_days else known.on_or_after(day)
        except CalendarHorizonError:
            continue
    return day


def before(calendar: Calendar, day: date, working_days: int) -> date:
    """Return the working day that lies *working_days* before *day*."""
    while working_days:
        day -= timedelta(days=1)
        working_days -= is_working(calendar, day)
    return day


def between(calendar: Calendar, first: date, last: date) -> int:
    """Count the working days after *first* up to and including *last*."""
    for known in (calendar, PLAIN):
        try:
            return known.working_days_between(first, last)
        except CalendarHorizonError:
            continue
    return max(0, (last - first).days)


def is_working(calendar: Calendar, day: date) -> bool:
    """Tell whether *day* is worked."""
    try:
        return calendar.is_working(day)
    except CalendarHorizonError:
        return day.isoweekday() <= 5


@lru_cache(maxsize=512)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone called *name*; None when nobody knows it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return None


@cache
def zone_database() -> str:
    """Return the version of the time zone database that `zone_named` reads, such as ``2025b``; empty when it does not say."""
    folder = next((Path(path) for path in TZPATH if Path(path, "UTC").exists()), None)
    try:
        if folder is None:
            return version("tzdata")
        with Path(folder, "tzdata.zi").open(encoding="utf-8") as lines:
            return next(lines, "").removeprefix("# version").strip()
    except (OSError, PackageNotFoundError):
        return ""
