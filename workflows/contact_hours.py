"""When a prospect may be called: hours of the day and days of the week, by the prospect's own clock."""

from datetime import UTC, date, datetime, timedelta

from workflows import horizon
from workflows.calendars import Calendar
from workflows.playbooks import ContactHours


def overlap(hours: ContactHours, timezone: str, day: date, calendar: Calendar) -> bool:
    """Tell whether the rep's working hours of *day* meet a time at which the prospect in *timezone* may be called.

    An unknown or empty time zone counts as the rep's own. The prospect's date may be the day before or after.
    """
    starts = horizon.moment(calendar, day, calendar.day_starts)
    ends = horizon.moment(calendar, day, calendar.day_ends)
    for there in (day - timedelta(days=1), day, day + timedelta(days=1)):
        if there.isoweekday() not in hours.weekdays:
            continue
        opens, closes = (_moment(timezone, there, minute, calendar) for minute in (hours.opens, hours.closes))
        if opens < ends and starts < closes:
            return True
    return False


def _moment(timezone: str, day: date, minute: int, calendar: Calendar) -> datetime:
    zone = horizon.zone_named(timezone) if timezone else None
    if zone is None:
        return horizon.moment(calendar, day, minute)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    # Adding to the local time keeps the wall clock: 09:00 stays 09:00 on a day that has 23 hours.
    return (midnight + timedelta(minutes=minute)).astimezone(UTC)
