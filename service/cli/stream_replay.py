"""``thaw replay rep:NAME``, ``campaign:NAME`` and ``event:NAME``: the log of such a stream folded again."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec

from service.campaigns import told_of
from service.history import LATE_SECONDS, Logged, StreamHistory, moved
from service.streams import Named
from service.times import shown_day, shown_moment
from service.wording import count, plain, words
from workflows.campaign import Campaign
from workflows.events import Recorded, event_type
from workflows.lead import Lead, Rep
from workflows.sales_event import SalesEvent


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    position: int
    hash: str
    recorded: Recorded


class StreamReplayed(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw replay campaign:NAME --json`` prints."""

    stream_id: UUID
    version: int
    events: tuple[StreamEvent, ...]
    state: Rep | Campaign | SalesEvent | None = None
    """After the last of *events*."""
    whole: bool
    """Whether every hash follows from the event before it."""
    trouble: str = ""


def as_replayed(named: Named, history: StreamHistory) -> StreamReplayed:
    """Return *history* as it is printed as JSON."""
    last = history.entries[-1].after if history.entries else None
    return StreamReplayed(
        stream_id=named.id,
        version=len(history.entries),
        events=tuple(
            StreamEvent(position=entry.row.position, hash=entry.row.hash.hex(), recorded=entry.recorded)
            for entry in history.entries
        ),
        state=None if isinstance(last, Lead) else last,
        whole=not history.trouble,
        trouble=history.trouble,
    )


def stream_lines(history: StreamHistory, zone: ZoneInfo) -> Iterator[str]:
    """Yield what is printed of a stream, with times by the clock in *zone*."""
    for entry in history.entries:
        yield from _event_lines(entry, zone)
    if history.entries:
        yield _stands(history.entries[-1], zone)
    if history.trouble:
        yield f"chain      BROKEN at {history.trouble}"
    else:
        yield f"chain      whole: {count(len(history.entries), 'event')}, and each hash follows from the event before it"


def _event_lines(entry: Logged, zone: ZoneInfo) -> Iterator[str]:
    recorded = entry.recorded
    when = shown_moment(recorded.recorded_at, zone, seconds=True)
    what = f"{event_type(recorded.data)}  by {plain(recorded.actor)}  position {entry.row.position}"
    yield f"{recorded.version:>4}  {when}  {what}"
    if abs((recorded.recorded_at - recorded.occurred_at).total_seconds()) >= LATE_SECONDS:
        yield f"      happened {shown_moment(recorded.occurred_at, zone)}"
    for name, value in msgspec.to_builtins(recorded.data).items():
        if name != "type" and value not in (None, (), [], {}):
            yield f"      {words(name)}: {_shown(value)}"
    if what := moved(recorded.effects, zone):
        yield f"      {what}"


def _stands(last: Logged, zone: ZoneInfo) -> str:
    state = last.after
    if isinstance(state, Lead):
        raise TypeError("a lead's history is printed by `thaw replay LEAD`")
    if not isinstance(state, Rep):
        return told_of(state)
    plan = state.timers.get("plan_day")
    planned = f"; the last day that was planned is {shown_day(state.planned_on)}" if state.planned_on else ""
    coming = f"; the next plan is made {shown_moment(plan.due_at, zone)}" if plan else ""
    return f"{plain(state.name, 80)} works by calendar {state.calendar_digest}, in {zone.key}{planned}{coming}."


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"{len(value)}: {plain(', '.join(map(_shown, value)), 200)}"
    if isinstance(value, dict):
        commitment = value.get("commitment")
        return (
            f"text {commitment[:12]}" if commitment else " ".join(_shown(part) for part in value.values() if part is not None)
        )
    return plain(str(value), 100)


def print_stream(history: StreamHistory, zone: ZoneInfo) -> None:
    """Print a stream."""
    for line in stream_lines(history, zone):
        click.echo(line)
