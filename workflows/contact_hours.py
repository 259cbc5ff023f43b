"""When a prospect may be called: hours of the day and days of the week, by the prospect's own clock, within the law's."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import UNSET

from workflows import horizon, law, time_zones
from workflows.calendars import Calendar
from workflows.law_facts import Clock
from workflows.law_table import LawTable
from workflows.playbook_sections import ContactHours

_SECOND = timedelta(seconds=1)


def overlap(
    hours: ContactHours, clock: Clock, day: date, calendar: Calendar, region: str | None = None, table: LawTable | None = None
) -> bool:
    """Tell whether the rep's working hours of *day* meet a time at which the prospect may be called.

    By the prospect's *clock* of that day; the prospect's date may be the day before or after. Without a *table* the hours alone
    decide.
    """
    return opening(hours, clock, day, calendar, region, table) is not None


def opening(
    hours: ContactHours, clock: Clock, day: date, calendar: Calendar, region: str | None = None, table: LawTable | None = None
) -> datetime | None:
    """Return the first time by the prospect's clock in the rep's working hours of *day* at which the prospect may be called.

    As for `overlap`; the time has no zone. None when there is no such time.
    """
    for starts, ends in _walls(clock, *_working(day, calendar)):
        days = (starts.date() + timedelta(days=number) for number in range((ends.date() - starts.date()).days + 1))
        for there in days:
            span = permitted(hours, there, region, table)
            if span and _at(there, span[0]) < ends and starts < _at(there, span[1]):
                return max(starts, _at(there, span[0]))
    return None


def _working(day: date, calendar: Calendar) -> tuple[datetime, datetime]:
    starts, ends = (horizon.moment(calendar, day, minute) for minute in (calendar.day_starts, calendar.day_ends))
    return starts.astimezone(UTC), ends.astimezone(UTC)


def _walls(clock: Clock, starts: datetime, ends: datetime) -> list[tuple[datetime, datetime]]:
    """Return what the prospect's clock shows from *starts* to *ends*: two stretches where it was put forward or back."""
    if clock.shift_at is UNSET or clock.shift_to is UNSET:
        return [(_wall(starts, clock.offset), _wall(ends, clock.offset))]
    at = clock.shift_at
    before, after = (
        (_wall(starts, clock.offset), _wall(at, clock.offset)),
        (_wall(at, clock.shift_to), _wall(ends, clock.shift_to)),
    )
    return [before, after]


def permitted(hours: ContactHours, there: date, region: str | None, table: LawTable | None) -> tuple[int, int] | None:
    """Return from when until when, in minutes of the prospect's day *there*, both *hours* and *table* allow a call."""
    lawful = law.window(region, there, table) if table else (0, 24 * 60)
    if there.isoweekday() not in hours.weekdays or lawful is None:
        return None
    opens, closes = max(hours.opens, lawful[0]), min(hours.closes, lawful[1])
    return (opens, closes) if opens < closes else None


def clock_of(timezone: str, day: date, calendar: Calendar) -> Clock:
    """Return the clock in *timezone* during the rep's working *day*.

    An unknown or empty time zone counts as the rep's own.
    """
    starts, ends = _working(day, calendar)
    zone = time_zones.zone_named(timezone) if timezone else None
    if zone is None:
        return Clock(offset=(_at(day, calendar.day_starts) - starts.replace(tzinfo=None)) // _SECOND)
    first, last = _offset(zone, starts), _offset(zone, ends)
    if first == last:
        return Clock(offset=first)
    early, late = starts, ends
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        early, late = (middle, late) if _offset(zone, middle) == first else (early, middle)
    return Clock(offset=first, shift_at=late, shift_to=last)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    return (moment.astimezone(zone).utcoffset() or timedelta()) // _SECOND


def _wall(moment: datetime, offset: int) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=offset)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minute)
