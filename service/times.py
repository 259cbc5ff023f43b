"""Days and moments as people write and read them: ISO, with the weekday, by the clock on the rep's own wall."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from workflows import time_zones
from workflows.calendars import Calendar

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: No day of a lead's history lies outside these; they keep a slip of the keyboard from becoming a timer in the year 20260.
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


class TimeError(ValueError):
    """What a person typed is no day or moment; the message says what would be right."""


def zone_of(calendar: Calendar | None) -> ZoneInfo:
    """Return the time zone in which a rep with *calendar* reads times; UTC without one."""
    return zone_or_utc(calendar.timezone if calendar else "")


def zone_or_utc(name: str) -> ZoneInfo:
    """Return the time zone called *name*; UTC when nobody knows it."""
    return time_zones.zone_named(name) or ZoneInfo("UTC")


def shown_day(day: date) -> str:
    """Return *day* such as ``Mon 2026-01-12``."""
    return f"{_WEEKDAYS[day.weekday()]} {day.isoformat()}"


def shown_moment(moment: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Return *moment* such as ``Mon 2026-01-12 08:00``, by the clock in *zone*."""
    local = moment.astimezone(zone)
    return f"{shown_day(local.date())} {local:%H:%M:%S}" if seconds else f"{shown_day(local.date())} {local:%H:%M}"


def moment_and_zone(moment: datetime, zone: ZoneInfo) -> str:
    """Return *moment* such as ``Mon 2026-01-12 08:00 (America/New_York, UTC-05:00)``: for people who may be in other zones."""
    offset = f"{moment.astimezone(zone):%z}"
    named = f"{zone.key}, " if zone.key != "UTC" else ""
    return f"{shown_moment(moment, zone)} ({named}UTC{offset[:3]}:{offset[3:]})"


def shown_span(minutes: int) -> str:
    """Return *minutes* such as ``2h10`` or ``45 min``."""
    hours, rest = divmod(minutes, 60)
    return f"{hours}h{rest:02}" if hours else f"{rest} min"


def shown_age(seconds: int) -> str:
    """Return *seconds* such as ``40 s``, ``12 min``, ``3 h`` or ``5 days``, rounded down."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def parse_day(typed: str) -> date:
    """Return the day that *typed* names.

    Raises
    ------
    TimeError
        When it is no day, or not one of `EARLIEST` to `LATEST`.
    """
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        raise TimeError(f"{typed!r} is no day; write it like 2026-03-09") from None
    if not EARLIEST <= day <= LATEST:
        raise TimeError(f"{typed!r} lies outside {EARLIEST} to {LATEST}")
    return day


def parse_moment(typed: str, zone: ZoneInfo, now: datetime, *, day_means: time = time(12)) -> datetime:
    """Return the moment that *typed* names, in UTC.

    ``today`` is *now*; a day alone is *day_means* on that day in *zone*, but *now* when it is today; a time without a zone is
    in *zone*, and the first of the two where the clock shows it twice.

    Raises
    ------
    TimeError
        When it is no moment.
    """
    text, today = typed.strip(), now.astimezone(zone).date()
    if text.lower() in ("now", "today"):
        return now
    if text.lower() == "yesterday":
        return _local(today - timedelta(days=1), day_means, zone)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is not None:
        return now if day == today else _local(parse_day(text), day_means, zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TimeError(f"{typed!r} is no time; write it like 2026-03-09, 2026-03-09T14:30 or today") from None
    parse_day(moment.date().isoformat())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def exactly(typed: str, zone: ZoneInfo) -> None:
    """Refuse a time without an offset that the clock in *zone* does not show on that day, or shows twice.

    Raises
    ------
    TimeError
        With the times that would be right.
    """
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError:
        return
    if moment.tzinfo or "T" not in typed.upper().replace(" ", "T"):
        return
    early, late = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        # In a gap each fold counts by the offset of the other side.
        before, after = (each.astimezone(UTC).astimezone(zone) for each in (late, early))
        raise TimeError(
            f"{typed!r} does not exist in {zone.key}: the clocks are put forward over it; write {before:%Y-%m-%dT%H:%M} "
            f"or {after:%Y-%m-%dT%H:%M}"
        )
    first, second = (each.isoformat(timespec="minutes") for each in (early, late))
    raise TimeError(f"{typed!r} is twice on that day in {zone.key}: the clocks are put back; write {first} or {second}")


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
