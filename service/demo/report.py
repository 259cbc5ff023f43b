"""What the demonstration came to, read from the log alone: every figure is counted from folded events."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import msgspec

from models.database import Connection
from models.replay import read_streams
from workflows.calendars import Calendar
from workflows.invitation_streams import Stream, fold_stream
from workflows.lead import Lead
from workflows.transitions import CALL_ROWS


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A note, and the call that kept what it promised (None while it is open)."""

    lead_id: UUID
    note_on: date
    call_on: date | None


class Touches(msgspec.Struct, frozen=True, kw_only=True):
    """All touches of a rep, each list in order of day."""

    promises: list[Promise]
    follow_up_calls: list[date]
    other_touches: list[date]
    decisions: list[date]
    """Days on which a yes or a no was obtained."""


def read_touches(connection: Connection, calendar: Calendar) -> Touches:
    """Return what the log says was done, with days in the rep's time zone."""
    promises: list[Promise] = []
    follow_ups, others, decisions = [], [], []
    for _, events in read_streams(connection):
        state: Stream | None = None
        note_on: date | None = None
        for recorded in events:
            before, state = state, fold_stream(state, recorded)
            day = calendar.local_day(recorded.occurred_at)
            if recorded.row == "T10" and isinstance(before, Lead):
                note_on = day
                promises.append(Promise(lead_id=before.id, note_on=day, call_on=None))
            elif recorded.row in CALL_ROWS and isinstance(before, Lead):
                if before.promised and note_on is not None:
                    promises[-1] = Promise(lead_id=before.id, note_on=note_on, call_on=day)
                    note_on = None
                else:
                    follow_ups.append(day)
            elif recorded.row in {"T25", "T32"}:
                others.append(day)
            if recorded.row and recorded.state in {"declined", "won"}:
                decisions.append(day)
    return Touches(
        promises=sorted(promises, key=lambda p: (p.note_on, p.lead_id)),
        follow_up_calls=sorted(follow_ups),
        other_touches=sorted(others),
        decisions=sorted(decisions),
    )


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of the demonstration."""

    first_call: date | None
    note_100: date | None
    call_100: date | None
    note_600: date | None
    call_600: date | None
    notes_per_day: dict[str, int]
    promised_calls_per_day: dict[str, int]
    gap_days: dict[int, int]
    """Calendar days from note to promised call, over the first 600 notes: how often each."""
    people: int
    """Distinct people written to and called, over the first 600 promises that were kept."""
    promised_calls: int
    """Kept by the last day of the run's half year."""
    follow_up_calls: int
    other_touches: int
    events: int
    messages: int
    replay_mismatches: int
    messages_lost: int
    seconds: float


def days_between(first: date, last: date, calendar: Calendar) -> Iterator[date]:
    """Yield the working days from *first* to *last*, inclusive."""
    day = first
    while day <= last:
        if calendar.is_working(day):
            yield day
        day += timedelta(days=1)


def per_day(done: list[date], days: list[date]) -> dict[str, int]:
    """Return the least and the most of *done* on any of *days*."""
    counts = Counter(done)
    each = [counts[day] for day in days] or [0]
    return {"min": min(each), "max": max(each)}


def nth(days: list[date], n: int) -> date | None:
    """Return the *n*-th day, counted from 1, None when there are fewer."""
    return days[n - 1] if len(days) >= n else None


def figures(
    touches: Touches,
    calendar: Calendar,
    *,
    start: date,
    end: date,
    events: int,
    messages: int,
    mismatches: int,
    lost: int,
    seconds: float,
) -> Figures:
    """Return the figures of a run from *start* to *end*."""
    notes = [promise.note_on for promise in touches.promises]
    kept = [promise for promise in touches.promises if promise.call_on is not None]
    calls = sorted(promise.call_on for promise in kept if promise.call_on is not None)
    first_600 = [p for p in touches.promises[:600] if p.call_on is not None]
    gaps = Counter((p.call_on - p.note_on).days for p in first_600 if p.call_on is not None)
    days = list(days_between(start, end, calendar))
    # Warm-up: no call can be due before the first note is five working days old.
    warm = [day for day in days if calls and day >= calls[0]]
    return Figures(
        first_call=nth(calls, 1),
        note_100=nth(notes, 100),
        call_100=nth(calls, 100),
        note_600=nth(notes, 600),
        call_600=nth(calls, 600),
        notes_per_day=per_day(notes, warm),
        promised_calls_per_day=per_day(calls, warm),
        gap_days=dict(sorted(gaps.items())),
        people=len({promise.lead_id for promise in first_600}),
        promised_calls=sum(day <= end for day in calls),
        follow_up_calls=len(touches.follow_up_calls),
        other_touches=len(touches.other_touches),
        events=events,
        messages=messages,
        replay_mismatches=mismatches,
        messages_lost=lost,
        seconds=round(seconds, 1),
    )


def weekly(touches: Touches, calendar: Calendar, *, start: date, end: date) -> list[tuple[date, int, int, int, int, int, int]]:
    """Return per week: Monday, working days, notes, promises due, promises kept on their day, follow-up touches, decisions."""
    rows = []
    monday = start - timedelta(days=start.weekday())
    while monday <= end:
        week = {monday + timedelta(days=offset) for offset in range(7)}
        due = [p for p in touches.promises if calendar.add_working_days(p.note_on, 5) in week]
        kept = [p for p in due if p.call_on == calendar.add_working_days(p.note_on, 5)]
        rows.append(
            (
                monday,
                sum(1 for day in week if start <= day <= end and calendar.is_working(day)),
                sum(p.note_on in week for p in touches.promises),
                len(due),
                len(kept),
                sum(day in week for day in (*touches.follow_up_calls, *touches.other_touches)),
                sum(day in week for day in touches.decisions),
            )
        )
        monday += timedelta(days=7)
    return rows
