"""What one rep can do in a day, and what of it is taken: slots by kind, and minutes.

Three kinds of slots exist per rep and day, each with its cost in minutes:

``notes``       a hand-written note, on the day it is to be written
``calls``       the call that a note promised; up to ``catch_up_calls`` more of them while calls are carried over
``follow_ups``  later attempts in any mode, and calls that no note promised: they never take the slot of a promised one
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec

from workflows.calendars import Calendar, CalendarHorizonError

#: How many working days are near a day on which a call could be made.
_NEAR_DAYS = 15

PerDay = Annotated[int, msgspec.Meta(ge=0, le=100)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1440)]
SlotKind = Literal["notes", "calls", "follow_ups"]


class MinuteCosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rep's day holds and what each piece of work takes of it, in minutes."""

    budget: Minutes = 150
    note: Minutes = 8
    call: Minutes = 12
    """A promised call."""
    follow_up: Minutes = 6
    """A touch of the follow-up class in any mode, averaged over those that nobody answers."""
    breakup: Minutes = 6
    homework: Minutes = 15
    reason: Minutes = 6
    """Asking somebody why they said no."""
    review: Minutes = 5
    """Looking at a no again."""
    nurture: Minutes = 4
    """A value touch by hand."""


class Capacity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one rep does on one working day; playbook data."""

    notes: PerDay = 5
    calls: PerDay = 5
    """Promised calls for which slots may be reserved."""
    follow_up_touches: PerDay = 5
    reason_probes: PerDay = 2
    """For so many people who are to be asked why they said no minutes are kept before follow-ups are planned; more are asked
    as far as the rest of the day holds them."""
    catch_up_calls: PerDay = 2
    """Calls above `calls` that a day may take to work off those carried over."""
    pause_notes_when_backlog_over: PerDay = 5
    """No note is written on a day whose calls leave more than this many promises for later days."""
    max_promise_gap_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 10
    """Calendar days from a note to its call, beyond which the gap is long."""
    long_gap: Literal["skip", "colleague", "accept"] = "skip"
    """Whether a note with a long gap is left out; or a colleague makes the call, and the note names them; or it is written all
    the same and says when the call comes."""
    call_after_note_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    """Working days of the rep from a note to its call."""
    minutes: MinuteCosts = MinuteCosts()


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken of one day: slots reserved and slots used, whether by planned or by finished work.

    A carried-over call that is made takes a slot of the day on which it is made.
    """

    notes: int = 0
    calls: int = 0
    follow_ups: int = 0
    minutes: int = 0
    """Other work of the day (replies, breakups, homework), in minutes."""


class Ledger:
    """The slots and minutes of all days, as they fill while a plan is made."""

    def __init__(self, capacity: Capacity, loads: Mapping[date, Load]) -> None:
        """Start from what is taken already; a day that *loads* does not name is free."""
        costs = capacity.minutes
        self.capacity = capacity
        self._loads = dict(loads)
        self._limits = {"notes": capacity.notes, "calls": capacity.calls, "follow_ups": capacity.follow_up_touches}
        self._costs = {"notes": costs.note, "calls": costs.call, "follow_ups": costs.follow_up}

    def slots(self, day: date, kind: SlotKind) -> int:
        """Count the free slots of *kind* on *day*, whatever the minutes say; never negative."""
        return max(0, self._limits[kind] - self._used(day, kind))

    def room(self, day: date, kind: SlotKind, extra: int = 0) -> int:
        """Count what *day* can still take of *kind* within slots (and *extra* ones) and minutes; never negative."""
        slots = self._limits[kind] + extra - self._used(day, kind)
        cost = self._costs[kind]
        minutes = self.capacity.minutes.budget - self.minutes(day)
        return max(0, min(slots, minutes // cost) if cost else slots)

    def room_of_free_day(self, kind: SlotKind, extra: int = 0) -> int:
        """Count what a day of which nothing is taken holds of *kind*; 0 means that no day ever has room."""
        return Ledger(self.capacity, {}).room(date.min, kind, extra)

    def days_with_room(self, first: date, calendar: Calendar, kind: SlotKind, extra: int = 0) -> Iterator[date]:
        """Yield *first* and the near working days after it that have room, as far as *calendar* says which those are."""
        day = first
        for _ in range(_NEAR_DAYS):
            if self.room(day, kind, extra):
                yield day
            try:
                day = calendar.next_working_day(day)
            except CalendarHorizonError:
                return

    def take(self, day: date, kind: SlotKind, count: int) -> None:
        """Take *count* slots; a negative *count* gives back, at most what is taken."""
        load = self._loads.get(day, Load())
        self._loads[day] = msgspec.structs.replace(load, **{kind: max(0, self._used(day, kind) + count)})

    def charge(self, day: date, minutes: int) -> None:
        """Take *minutes* for other work than that of slots."""
        load = self._loads.get(day, Load())
        self._loads[day] = msgspec.structs.replace(load, minutes=load.minutes + minutes)

    def minutes(self, day: date) -> int:
        """Sum up the minutes that are taken of *day*."""
        return self._loads.get(day, Load()).minutes + sum(self._used(day, kind) * cost for kind, cost in self._costs.items())

    def _used(self, day: date, kind: str) -> int:
        used: int = getattr(self._loads.get(day, Load()), kind)
        return used
