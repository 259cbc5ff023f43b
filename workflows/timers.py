"""Every timer as data: how long, by which clock, counted from what, and whether it acts on its own.

A timer that *fires* has a pending message, `FireTimer`, which acts while the version that armed the timer is still the armed
one. The others are dates that people see. Durations come from the playbook of the lead.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows import horizon
from workflows.actor_names import ACTORS, actor_name
from workflows.calendars import Calendar
from workflows.codec import derived_id
from workflows.events import Remainder
from workflows.lead import RESTING, State, Timer
from workflows.playbooks import Playbook

# Who stages or runs a timer finds here the actors that carry it.
__all__ = [
    "ACTORS",
    "PLAN_DAY",
    "RELEASE_LETTERS",
    "TIMERS",
    "TimerSpec",
    "actor_name",
    "at_its_hour",
    "due",
    "fires",
    "freeze",
    "lives_on",
    "monthly",
    "moved_timers",
    "retry",
    "thaw",
    "timer_message_id",
]

Clock = Literal["working_days", "days", "months", "day"]
CountsFrom = Literal["occurred", "recorded", "named"]


class TimerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One timer."""

    name: str
    clock: Clock
    """``working_days`` of the rep; calendar ``days``; ``months`` by the date, moved to a working day; or the very ``day``
    that it is told."""
    counts_from: CountsFrom
    """The day of the *occurrence* (a note counts from the day it was sent, even when it is logged a day late), the day of the
    *recording* (an import of old declines is no burst of overdue timers), or a day *named* in the event."""
    at: Literal["start", "end"] = "end"
    """When on its day: as the rep's working day starts, or as it ends."""
    fires: bool = True
    lives_on: bool = False
    """Entering another state does not end it, unless nothing more is owed there."""
    retry_working_days: int = 0
    """When a timer that fired is refused, it is armed again this many working days later; 0 stands for `RETRY_DAYS`."""
    ended_by: str = ""
    """A timer that is armed beside it at its first refusal, counted from the planned day or from that of the refusal, if that
    is later: so it is not asked for ever."""

    def length(self, playbook: Playbook) -> int:
        """Return how long it runs under *playbook*, in units of its clock; 0 when it is told its day."""
        if self.clock == "day":
            return 0
        field = "nurture_interval_months" if self.clock == "months" else f"{self.name}_{self.clock}"
        length: int = getattr(playbook.timers, field)
        return length


#: Calendar days after which a refused timer without a shorter term of its own is armed again.
RETRY_DAYS = 30

_SPECS = (
    TimerSpec(name="reason_probe", clock="working_days", counts_from="recorded", fires=False),
    TimerSpec(name="homework", clock="working_days", counts_from="recorded", fires=False),
    TimerSpec(name="triage", clock="days", counts_from="recorded", at="start"),
    TimerSpec(name="revisit", clock="day", counts_from="named", at="start"),
    TimerSpec(name="queue_age", clock="days", counts_from="recorded", at="start"),
    TimerSpec(name="note_slot", clock="working_days", counts_from="named"),
    TimerSpec(
        name="call_after_note",
        clock="day",
        counts_from="named",
        at="start",
        retry_working_days=1,
        ended_by="call_expiry",
    ),
    TimerSpec(name="call_grace", clock="working_days", counts_from="named", fires=False),
    TimerSpec(name="call_late", clock="working_days", counts_from="named"),
    TimerSpec(name="call_expiry", clock="working_days", counts_from="named"),
    TimerSpec(name="next_attempt", clock="working_days", counts_from="occurred", at="start", fires=False),
    TimerSpec(name="response_window", clock="working_days", counts_from="occurred"),
    TimerSpec(name="breakup_window", clock="working_days", counts_from="occurred"),
    TimerSpec(name="nurture_touch", clock="months", counts_from="occurred", at="start"),
    TimerSpec(name="nurture_floor", clock="days", counts_from="occurred", at="start"),
    TimerSpec(name="requeue", clock="days", counts_from="recorded", at="start"),
    TimerSpec(name="next_step", clock="working_days", counts_from="occurred", fires=False),
    TimerSpec(name="lapse", clock="working_days", counts_from="occurred", retry_working_days=1),
    TimerSpec(name="meeting_outcome", clock="working_days", counts_from="named"),
    TimerSpec(name="hold_until", clock="day", counts_from="named", at="start", retry_working_days=1),
    TimerSpec(name="hold_review", clock="days", counts_from="recorded", at="start"),
    TimerSpec(name="review", clock="days", counts_from="recorded", at="start", fires=False, lives_on=True),
    TimerSpec(name="consent_expires", clock="day", counts_from="named", at="start", lives_on=True),
)
TIMERS: dict[str, TimerSpec] = {spec.name: spec for spec in _SPECS}

#: The timer of a rep's own stream, which makes the plan of the day; `workflows.rep` arms it.
PLAN_DAY = "plan_day"

#: The timer of a campaign's own stream, which releases the letters of a day; `workflows.campaign_decisions` arms it.
RELEASE_LETTERS = "release_letters"

_FIRING = frozenset({spec.name for spec in _SPECS if spec.fires} | {PLAN_DAY, RELEASE_LETTERS})


def fires(timer: str) -> bool:
    """Tell whether the timer called *timer* acts on its own, and so has a pending message while it is armed."""
    return timer in _FIRING


def lives_on(timer: str, target: State | None) -> bool:
    """Tell whether the timer called *timer* outlives entering the state *target*."""
    return timer in TIMERS and TIMERS[timer].lives_on and target not in RESTING


def timer_message_id(stream_id: UUID, timer: str, armed_version: int) -> UUID:
    """Return the id of the message that fires *timer* as it was armed by version *armed_version* of the stream."""
    return derived_id("timer", stream_id, timer, armed_version)


class MovedTimers(NamedTuple):
    """Timers that act on their own and that a decision ended or armed, by name; one that was armed anew is in both."""

    ended: dict[str, Timer]
    armed: dict[str, Timer]


def moved_timers(before: Mapping[str, Timer], after: Mapping[str, Timer]) -> MovedTimers:
    """Return what became of a stream's timers: the messages of *ended* are settled, and those of *armed* are staged."""
    anew = {
        name
        for name in before.keys() | after.keys()
        if fires(name) and (name not in before or name not in after or before[name].armed_version != after[name].armed_version)
    }
    return MovedTimers(
        ended={name: timer for name, timer in before.items() if name in anew},
        armed={name: timer for name, timer in after.items() if name in anew},
    )


def due(timer: str, base: date, playbook: Playbook, calendar: Calendar) -> datetime:
    """Return when *timer* is due, counted from the day *base* (for a timer that is told its day, that day)."""
    spec = TIMERS[timer]
    length = spec.length(playbook)
    if spec.clock == "working_days":
        day = horizon.after(calendar, base, length)
    elif spec.clock == "months":
        day = monthly(base, base, length, calendar, playbook.timers.nurture_day)
    else:
        day = base + timedelta(days=length)
    return at_its_hour(timer, day, calendar)


def at_its_hour(timer: str, day: date, calendar: Calendar) -> datetime:
    """Return the moment of *day* at which *timer* is due."""
    return horizon.moment(calendar, day, _minute(timer, calendar))


def retry(timer: str, today: date, calendar: Calendar) -> datetime:
    """Return when a *timer* that fired and was refused is due again."""
    spec = TIMERS[timer]
    if spec.retry_working_days:
        return at_its_hour(timer, horizon.after(calendar, today, spec.retry_working_days), calendar)
    return at_its_hour(timer, today + timedelta(days=RETRY_DAYS), calendar)


def monthly(anchor: date, last: date, months: int, calendar: Calendar, on: int | UnsetType = UNSET) -> date:
    """Return the first monthly day counted from *anchor* that lies in a later calendar month than *last*.

    It falls on the *on*-th of the month, else on the day of *anchor* (or the last of a shorter month), and moves to the next
    working day, but never into another month: then it is the working day before. So there is one in each month, and they do
    not drift.
    """
    behind = (last.year - anchor.year) * 12 + last.month - anchor.month
    steps = max(1, behind // months + 1)
    day = _add_months(anchor, steps * months)
    day = day if on is UNSET else day.replace(day=on)
    moved = horizon.after(calendar, day, 0)
    if moved.month == day.month:
        return moved
    earlier = (day - timedelta(days=back) for back in range(1, day.day))
    return next((other for other in earlier if horizon.is_working(calendar, other)), moved)


def _add_months(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))


def freeze(timer: str, due_at: datetime, now: datetime, calendar: Calendar) -> Remainder:
    """Return what *timer* keeps when it is frozen at *now*: nothing is less than zero, so an overdue one is due at once."""
    if TIMERS[timer].clock in ("working_days", "day"):
        left = horizon.between(calendar, horizon.local_day(calendar, now), horizon.local_day(calendar, due_at))
        return Remainder(timer=timer, working_days=left, minute=_minute(timer, calendar))
    return Remainder(timer=timer, seconds=max(0, (due_at - now) // timedelta(seconds=1)))


def thaw(remainder: Remainder, now: datetime, calendar: Calendar) -> datetime:
    """Return when a frozen timer is due that runs again from *now*; never before *now*."""
    if remainder.working_days is None:
        return now + timedelta(seconds=remainder.seconds or 0)
    day = horizon.after(calendar, horizon.local_day(calendar, now), remainder.working_days)
    return max(now, horizon.moment(calendar, day, remainder.minute or 0))


def _minute(timer: str, calendar: Calendar) -> int:
    return calendar.day_starts if TIMERS[timer].at == "start" else calendar.day_ends
