"""When a prospect may be called: hours of the day and days of the week, by the prospect's own clock, within the law's."""

from datetime import UTC, date, datetime, time, timedelta

from workflows import horizon, law
from workflows.calendars import Calendar
from workflows.law_table import LawTable
from workflows.playbooks import ContactHours


def overlap(
    hours: ContactHours, offset: int, day: date, calendar: Calendar, region: str | None = None, table: LawTable | None = None
) -> bool:
    """Tell whether the rep's working hours of *day* meet a time at which the prospect may be called.

    The prospect's clock is *offset* seconds ahead of UTC, and the prospect's date may be the day before or after. Without a
    *table* the hours alone decide.
    """
    return opening(hours, offset, day, calendar, region, table) is not None


def opening(
    hours: ContactHours, offset: int, day: date, calendar: Calendar, region: str | None = None, table: LawTable | None = None
) -> datetime | None:
    """Return the first time by the prospect's clock in the rep's working hours of *day* at which the prospect may be called.

    As for `overlap`; the time has no zone. None when there is no such time.
    """
    starts = _wall(horizon.moment(calendar, day, calendar.day_starts), offset)
    ends = _wall(horizon.moment(calendar, day, calendar.day_ends), offset)
    days = (starts.date() + timedelta(days=number) for number in range((ends.date() - starts.date()).days + 1))
    for there in days:
        span = permitted(hours, there, region, table)
        if span and _at(there, span[0]) < ends and starts < _at(there, span[1]):
            return max(starts, _at(there, span[0]))
    return None


def permitted(hours: ContactHours, there: date, region: str | None, table: LawTable | None) -> tuple[int, int] | None:
    """Return from when until when, in minutes of the prospect's day *there*, both *hours* and *table* allow a call."""
    lawful = law.window(region, there, table) if table else (0, 24 * 60)
    if there.isoweekday() not in hours.weekdays or lawful is None:
        return None
    opens, closes = max(hours.opens, lawful[0]), min(hours.closes, lawful[1])
    return (opens, closes) if opens < closes else None


def offset_of(timezone: str, day: date, calendar: Calendar) -> int:
    """Return how many seconds the clock in *timezone* is ahead of UTC as the rep's working *day* begins.

    An unknown or empty time zone counts as the rep's own.
    """
    moment = horizon.moment(calendar, day, calendar.day_starts)
    zone = horizon.zone_named(timezone) if timezone else None
    wall = moment.astimezone(zone).replace(tzinfo=None) if zone else _at(day, calendar.day_starts)
    return (wall - moment.replace(tzinfo=None)) // timedelta(seconds=1)


def _wall(moment: datetime, offset: int) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=offset)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minute)
