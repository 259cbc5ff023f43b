"""A rep's working days, frozen: weekends, holidays, absences and the clock of the rep's time zone.

A calendar is data. It is made once at the edge (`service.calendars`), stored with what was decided from it, and
answers every later question from its own fields, so that a new release of a holiday library or of the time zone
database cannot change the past. Days are local dates of the rep; moments are UTC.
"""

from array import array
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET, UnsetType

from workflows.command import Name
from workflows.time_zones import zone_named

MINUTES_PER_DAY = 24 * 60
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class CalendarHorizonError(LookupError):
    """A calendar was asked about a day that it does not cover; the caller must freeze a longer one."""


class Holiday(msgspec.Struct, frozen=True, kw_only=True):
    """One public holiday."""

    day: date
    name: str


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which the rep is known to be away."""

    first: date
    last: date
    """Last day away, inclusive; not before `first`."""
    reason: str = "leave"
    """A category such as "leave" or "sick", never prose: it is written to the log."""
    cover: Name | UnsetType = UNSET
    """The colleague who makes calls that notes promise for these days, where the playbook has one do so; absent for nobody."""

    def __post_init__(self) -> None:
        """Refuse an absence that ends before it starts."""
        if self.last < self.first:
            raise ValueError(f"An absence cannot end on {self.last}, before it starts on {self.first}.")


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """From `since` on, local time is UTC plus `seconds`, until the next offset in the calendar."""

    since: datetime
    seconds: int
    """Seconds east of UTC, -86399 to 86399."""


class Calendar(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Every working day of one rep from `first` to `last`.

    Every method that takes or finds a day raises `CalendarHorizonError` when that day is outside the horizon.
    """

    timezone: str
    """IANA name, such as "America/New_York"."""
    country: str = ""
    """ISO 3166-1 alpha-2; empty when no public holidays were frozen."""
    region: str = ""
    """The part of ISO 3166-2 after the hyphen, such as "ON" or "BY"; may be empty."""
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    """ISO weekdays that are worked, 1 (Monday) to 7 (Sunday), ascending."""
    holidays: tuple[Holiday, ...] = ()
    """Earliest first, each day once."""
    absences: tuple[Absence, ...] = ()
    """In any order; they may overlap."""
    first: date
    """First day of the horizon."""
    last: date
    """Last day of the horizon, inclusive."""
    day_starts: int = 480
    """Start of the working day in minutes after local midnight, 0 to 1440."""
    day_ends: int = 1080
    """End of the working day in minutes after local midnight, after `day_starts`, at most 1440."""
    offsets: tuple[Offset, ...] = ()
    """The time zone over the horizon, earliest first. Empty means: taken from the time zone database when needed,
    which is fine for a calendar that lives as long as its process; what goes into the log carries them."""

    def __post_init__(self) -> None:
        """Refuse a calendar whose parts contradict each other."""
        if self.last < self.first:
            raise ValueError(f"A calendar cannot end on {self.last}, before it starts on {self.first}.")
        if not self.weekdays or any(not 1 <= weekday <= 7 for weekday in self.weekdays):
            raise ValueError(f"Weekdays are ISO numbers 1 to 7, at least one; got {self.weekdays}.")
        if any(a >= b for a, b in zip(self.weekdays, self.weekdays[1:], strict=False)):
            raise ValueError(f"Weekdays must ascend; got {self.weekdays}.")
        if any(a.day >= b.day for a, b in zip(self.holidays, self.holidays[1:], strict=False)):
            raise ValueError("Holidays must be sorted by day, each day once.")
        if not 0 <= self.day_starts < self.day_ends <= MINUTES_PER_DAY:
            raise ValueError(f"A working day cannot last from minute {self.day_starts} to minute {self.day_ends}.")

    def is_working(self, day: date) -> bool:
        """Tell whether the rep works on `day`."""
        index = self._index_after(day)
        return index > 0 and self._working[index - 1] == day.toordinal()

    def why_not_working(self, day: date) -> str | None:
        """Say why `day` is no working day: "weekend", "holiday: Memorial Day" or "absence: leave"; None if it is one.

        A weekend or holiday inside an absence counts as what it would have been anyway, so that leave is never
        charged for a day that nobody works.
        """
        if self.is_working(day):
            return None
        if day.isoweekday() not in self.weekdays:
            return "weekend"
        if holiday := self.holiday_on(day):
            return f"holiday: {holiday.name}"
        absence = self.absence_on(day)
        return f"absence: {absence.reason}" if absence else "weekend"

    def holiday_on(self, day: date) -> Holiday | None:
        """Return the public holiday on `day`, if there is one."""
        index = bisect_left(self.holidays, day, key=lambda holiday: holiday.day)
        found = self.holidays[index] if index < len(self.holidays) else None
        return found if found and found.day == day else None

    def absence_on(self, day: date) -> Absence | None:
        """Return the first listed absence that covers `day`, if there is one."""
        return next((absence for absence in self.absences if absence.first <= day <= absence.last), None)

    def cover_between(self, after: date, until: date) -> str | None:
        """Return who covers the first absence that touches the days after `after` up to `until` and that anybody covers."""
        touching = (a for a in self.absences if a.cover and a.first <= until and a.last > after)
        found = min(touching, key=lambda a: (a.first, a.last, a.cover), default=None)
        return found.cover or None if found else None

    def next_working_day(self, day: date) -> date:
        """Return the first working day strictly after `day`."""
        return self.add_working_days(day, 1)

    def on_or_after(self, day: date) -> date:
        """Return `day` if the rep works on it, else the next working day."""
        return day if self.is_working(day) else self.add_working_days(day, 1)

    def add_working_days(self, day: date, n: int) -> date:
        """Return the `n`-th working day strictly after `day`, which need not be one itself; `day` when `n` is 0.

        Raises
        ------
        ValueError
            If `n` is negative.
        """
        if n < 0:
            raise ValueError(f"Working days are counted forward only; got {n}.")
        index = self._index_after(day)
        if n == 0:
            return day
        if index + n > len(self._working):
            raise CalendarHorizonError(f"Working day {n} after {day} lies past {self._horizon}.")
        return date.fromordinal(self._working[index + n - 1])

    def working_days_between(self, first: date, last: date) -> int:
        """Count the working days after `first` up to and including `last`; 0 when `last` is not after `first`."""
        return max(0, self._index_after(last) - self._index_after(first))

    def local_day(self, moment: datetime) -> date:
        """Return the rep's date at `moment`, which must carry a time zone."""
        offsets = self._zone
        found = offsets[max(0, bisect_right(self._since, moment) - 1)]
        day = (moment.astimezone(UTC) + found.seconds * _SECOND).date()
        self._refuse_outside(day)
        return day

    def moment(self, day: date, minute: int) -> datetime:
        """Return the UTC instant of a wall-clock minute of `day`.

        A local time that daylight saving skips moves forward to the first one that exists; one that happens twice is
        the first of the two.

        Parameters
        ----------
        day
            A local date, not necessarily a working day.
        minute
            Minutes after local midnight by the clock on the wall, 0 to 1440.

        Raises
        ------
        ValueError
            If `minute` is outside 0 to 1440.
        """
        if not 0 <= minute <= MINUTES_PER_DAY:
            raise ValueError(f"A minute of the day is 0 to {MINUTES_PER_DAY}; got {minute}.")
        self._refuse_outside(day)
        wall = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
        offsets = self._zone
        # No offset reaches a day, so the instant lies in the span in force a day before `wall` or in a later one.
        index = max(0, bisect_right(self._since, wall - _DAY) - 1)
        while index + 1 < len(offsets) and wall - offsets[index].seconds * _SECOND >= offsets[index + 1].since:
            index += 1
        # An instant before its own span is a time that was skipped: the span starts when the clock first shows more.
        return max(wall - offsets[index].seconds * _SECOND, offsets[index].since)

    def start_of(self, day: date) -> datetime:
        """Return the instant at which work starts on `day`."""
        return self.moment(day, self.day_starts)

    def end_of(self, day: date) -> datetime:
        """Return the instant at which work ends on `day`."""
        return self.moment(day, self.day_ends)

    def cut(self, first: date, last: date) -> "Calendar":
        """Return this calendar reduced to `first` to `last`: small enough to store with one event."""
        self._refuse_outside(first)
        self._refuse_outside(last)
        opens = datetime(first.year, first.month, first.day, tzinfo=UTC) - _DAY
        closes = datetime(last.year, last.month, last.day, tzinfo=UTC) + 2 * _DAY
        start = max(0, bisect_right(self._since, opens) - 1)
        return msgspec.structs.replace(
            self,
            first=first,
            last=last,
            holidays=tuple(holiday for holiday in self.holidays if first <= holiday.day <= last),
            absences=tuple(absence for absence in self.absences if absence.first <= last and first <= absence.last),
            offsets=tuple(offset for offset in self._zone[start:] if offset.since <= closes),
        )

    @cached_property
    def _working(self) -> "array[int]":
        """Ordinals of all working days, ascending: every question about days is then one bisection."""
        free = {holiday.day.toordinal() for holiday in self.holidays}
        for absence in self.absences:
            start, end = max(absence.first, self.first), min(absence.last, self.last)
            free.update(range(start.toordinal(), end.toordinal() + 1))
        # Ordinal 1 is Monday, 1 January of year 1, so ordinals modulo 7 are ISO weekdays with Sunday as 0.
        weekdays = {weekday % 7 for weekday in self.weekdays}
        horizon = range(self.first.toordinal(), self.last.toordinal() + 1)
        return array("l", [ordinal for ordinal in horizon if ordinal % 7 in weekdays and ordinal not in free])

    @cached_property
    def _since(self) -> list[datetime]:
        """When each offset of `_zone` came into force."""
        return [offset.since for offset in self._zone]

    @property
    def _zone(self) -> tuple[Offset, ...]:
        return self.offsets or zone_offsets(self.timezone, self.first, self.last)

    @property
    def _horizon(self) -> str:
        return f"the calendar's horizon, {self.first} to {self.last}"

    def _refuse_outside(self, day: date) -> None:
        if not self.first <= day <= self.last:
            raise CalendarHorizonError(f"{day} lies outside {self._horizon}.")

    def _index_after(self, day: date) -> int:
        """Count the working days of the horizon up to and including `day`."""
        self._refuse_outside(day)
        return bisect_right(self._working, day.toordinal())


@lru_cache(maxsize=256)
def zone_offsets(timezone: str, first: date, last: date) -> tuple[Offset, ...]:
    """Read the offsets of a time zone from two days before `first` to two days after `last`, earliest first.

    Raises
    ------
    zoneinfo.ZoneInfoNotFoundError
        If the time zone database has no such zone.
    """
    zone = zone_named(timezone)
    if zone is None:
        raise ZoneInfoNotFoundError(f"the time zone database has no zone {timezone!r}")
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC) - 2 * _DAY
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + 2 * _DAY
    found = [Offset(since=moment, seconds=_seconds_east(zone, moment))]
    while moment < end:
        following = moment + _DAY
        if _seconds_east(zone, following) != found[-1].seconds:
            change = _change_between(zone, moment, following)
            found.append(Offset(since=change, seconds=_seconds_east(zone, change)))
        moment = following
    return tuple(found)


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find the second at which `zone` changes its offset; databases of zones know no finer grain."""
    old = _seconds_east(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        if _seconds_east(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _seconds_east(zone: ZoneInfo, moment: datetime) -> int:
    return int(moment.astimezone(zone).utcoffset() // _SECOND)  # type: ignore[operator]  # a ZoneInfo always has one
