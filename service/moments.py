"""A moment of a history as people type it, an event's number or a time, and the lead as of it in either sense."""

from datetime import datetime, time
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from service.history import Entry, History, StreamHistory
from service.times import TimeError, parse_moment, shown_moment
from workflows.as_of import Happened, happened_by, in_order

Sense = Literal["recorded", "occurred"]

AnyHistory = TypeVar("AnyHistory", History, StreamHistory)

#: A day alone means its end.
_END_OF_DAY = time(23, 59, 59, 999_999)


def event_number(history: History | StreamHistory, typed: str, what: str) -> int | None:
    """Return the number of the event that *typed* names, None when it is no number.

    Raises
    ------
    TimeError
        When there is no such event; the message begins with *what*.
    """
    if not (typed.isascii() and typed.isdigit() and len(typed) < 8):
        return None
    if not 1 <= int(typed) <= len(history.entries):
        raise TimeError(f"{what} {typed}: there are the events 1 to {len(history.entries)}")
    return int(typed)


class YetToComeError(TimeError):
    """A moment is a right one, but ahead of us."""


def moment_of(typed: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment that *typed* names, the end of it for a day alone.

    Raises
    ------
    TimeError
        When it is no time, or is yet to come: nobody can say what will be known by then.
    """
    moment = parse_moment(typed, zone, now, day_means=_END_OF_DAY)
    if moment > now:
        raise YetToComeError(
            f"{typed!r} is yet to come, and nobody knows what will be recorded by then; it is {shown_moment(now, zone)}"
        )
    return moment


def _moment_asked_for(typed: str, zone: ZoneInfo, now: datetime, what: str) -> datetime:
    """Do what `moment_of` says where *typed* might have been the number of an event; the message begins with *what*."""
    try:
        return moment_of(typed, zone, now)
    except YetToComeError:
        raise
    except TimeError as error:
        raise TimeError(f"{what}: {error}; or the number of an event") from error


def as_recorded(history: AnyHistory, typed: str, zone: ZoneInfo, now: datetime, *, what: str = "--at") -> AnyHistory:
    """Return what had been recorded by the moment *typed*.

    Raises
    ------
    TimeError
        When it is no moment, or nothing had been recorded by then; the message begins with *what*.
    """
    number = event_number(history, typed, what)
    if number is not None:
        return history.first(number)
    cut = history.until(_moment_asked_for(typed, zone, now, what))
    if not cut.entries:
        first = history.entries[0].recorded.recorded_at if history.entries else now
        raise TimeError(f"{what} {typed}: nothing was recorded by then; the first event is of {shown_moment(first, zone)}")
    return cut


def as_occurred(history: History, typed: str, zone: ZoneInfo, now: datetime, *, what: str = "--at") -> tuple[Happened, ...]:
    """Return what had happened by the moment *typed*, in that order, each event with the lead after it.

    Raises
    ------
    TimeError
        When it is no moment, or nothing had happened by then; the message begins with *what*.
    """
    number = event_number(history, typed, what)
    recorded = [entry.recorded for entry in history.entries]
    moment = recorded[number - 1].occurred_at if number else _moment_asked_for(typed, zone, now, what)
    happened = in_order(happened_by(recorded, moment, number))
    if not happened:
        first = min((each.occurred_at for each in recorded), default=now)
        raise TimeError(f"{what} {typed}: nothing had happened by then; the first event is of {shown_moment(first, zone)}")
    return tuple(happened)


def in_sense(history: History, typed: str, sense: Sense, zone: ZoneInfo, now: datetime, *, what: str = "--at") -> History:
    """Return the lead's history up to the moment *typed* in either sense, in the order of that sense.

    Raises
    ------
    TimeError
        As `as_recorded` and `as_occurred` do.
    """
    if sense == "recorded":
        return as_recorded(history, typed, zone, now, what=what)
    rows = {entry.recorded.version: entry.row for entry in history.entries}
    happened = as_occurred(history, typed, zone, now, what=what)
    return history._replace(entries=tuple(Entry(rows[each.recorded.version], each.recorded, each.after) for each in happened))
