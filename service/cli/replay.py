"""``thaw replay``: a lead's log folded again, event by event, to any moment of its history."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec

from models.database import transaction
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.look import heading, owners_zone, state_lines
from service.cli.stream_replay import as_replayed, print_stream
from service.differences import Difference, differences
from service.find import Found, find_lead
from service.history import History, StreamHistory, days_said, labelled, read_history, told
from service.merged import merged_lines
from service.moments import Sense, as_occurred, as_recorded, in_sense
from service.next_action import steps_of
from service.operations import Retry, retries_of, retry_line
from service.streams import Named, read_named, stream_named, zone_of_stream
from service.times import TimeError, shown_moment
from service.wording import count
from workflows.events import Recorded
from workflows.lead import Lead


class EventShown(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    position: int
    hash: str
    """SHA-256 in hexadecimal over the hash of the lead's event before it and this one's canonical body."""
    recorded: Recorded


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw replay --json`` prints."""

    lead_id: UUID
    version: int
    """The last event that was folded."""
    recorded_at: datetime | None
    events: tuple[EventShown, ...]
    """Oldest first: by recording, or by occurrence where that was asked for."""
    lead: Lead | None
    """The lead after the last of *events*."""
    whole: bool
    """Whether every hash follows from the event before it, over the lead's whole history."""
    trouble: str
    sense: Sense = "recorded"
    differs: tuple[Difference, ...] = ()
    """As occurred: where the lead as recorded at the same moment differs, which stands as *before*."""
    odd: tuple[str, ...] = ()
    """As occurred: the events that could not have come where they did, had everything been entered at once."""
    retries: tuple[Retry, ...] = ()
    """When messages of this lead were dead and an operator tried them again, oldest first."""


@click.command()
@click.argument("lead")
@click.option(
    "--at", "moment", metavar="VERSION|WHEN",
    help="Replay up to this event (a number), or what was recorded by then: 2026-03-09T14:30, 2026-03-09.",
)  # fmt: skip
@click.option(
    "--as", "sense", type=click.Choice(["recorded", "occurred"]), default="recorded", show_default=True,
    help="What the service knew then, or what had happened by then, entered late or not.",
)  # fmt: skip
@json_option
@pass_app
@click.pass_context
def replay(ctx: click.Context, app: App, lead: str, moment: str | None, sense: Sense, as_json: bool) -> None:
    """Fold a lead's events again and print each: when it was recorded, what, by which row, by whom, and what it moved.

    The chain of hashes is checked on the way; when it is broken, the exit status is 1. A day alone means its end. A rep is
    named as in rep:dana, a campaign as in campaign:spring, and a sales event as in event:open-house.
    """
    named = stream_named(lead)
    if named is not None:
        if sense == "occurred":
            raise InputError("--as occurred is for leads: of a rep, a campaign or an event there is what was recorded")
        if _replay_stream(app, named, moment, as_json).trouble:
            ctx.exit(REFUSED)
        return
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = owners_zone(connection, found.lead)
        whole = read_history(connection, found.lead.id)
        view = _viewed(whole, moment.strip() if moment else None, sense, zone, app.service.now())
        last = view.history.entries[-1].recorded.recorded_at if moment and view.history.entries else None
        retries = tuple(each for each in retries_of(connection, found.lead.id) if last is None or each.at <= last)
        steps = steps_of(connection, [entry.after for entry in view.history.entries[-1:]])
        merged = tuple(merged_lines(connection, found.lead))
    if as_json:
        app.print_json(msgspec.structs.replace(_replayed(found, view, sense), retries=retries))
    else:
        _print(found, view, whole, retries, zone, steps)
        for label, line in merged:
            click.echo(labelled(label, line))
    if whole.trouble:
        ctx.exit(REFUSED)


def _replay_stream(app: App, named: Named, moment: str | None, as_json: bool) -> StreamHistory:
    with typed_errors(), transaction(app.service.engine) as connection:
        zone = zone_of_stream(connection, named)
        history = read_named(connection, named)
    with typed_errors():
        history = as_recorded(history, moment.strip(), zone, app.service.now()) if moment else history
    app.print_json(as_replayed(named, history)) if as_json else print_stream(history, zone)
    return history


class _View(NamedTuple):
    """What is shown of a history: *entries* in the order of the sense asked for, and as occurred what is odd about it."""

    history: History
    beside: tuple[str, ...] = ()
    """As occurred: how the lead as recorded at the same moment differs, one line each."""
    differs: tuple[Difference, ...] = ()
    odd: tuple[str, ...] = ()


def _viewed(whole: History, typed: str | None, sense: Sense, zone: ZoneInfo, now: datetime) -> _View:
    if sense == "recorded":
        return _View(as_recorded(whole, typed, zone, now) if typed else whole)
    typed = typed or "now"
    happened = as_occurred(whole, typed, zone, now)
    history = in_sense(whole, typed, sense, zone, now)
    odd = tuple(each.odd for each in happened if each.odd)
    try:
        known = as_recorded(whole, typed, zone, now)
    except TimeError:
        return _View(history, ("nothing had been recorded by then",), (), odd)
    differs = differences(known.entries[-1].after, happened[-1].after, zone, days_said(whole))
    lines = tuple(each.sentence for each in differs)
    last = known.entries[-1].row.version
    beside = "where it differs, recorded -> occurred:" if lines else "the lead as it occurred does not differ from it"
    return _View(history, (f"event {last} was the last by then; {beside}", *lines), differs, odd)


def _replayed(found: Found, view: _View, sense: Sense) -> Replayed:
    history = view.history
    last = history.entries[-1] if history.entries else None
    return Replayed(
        lead_id=found.lead.id,
        version=last.row.version if last else 0,
        recorded_at=last.recorded.recorded_at if last else None,
        events=tuple(
            EventShown(position=entry.row.position, hash=entry.row.hash.hex(), recorded=entry.recorded)
            for entry in history.entries
        ),
        lead=last.after if last else None,
        whole=not history.trouble,
        trouble=history.trouble,
        sense=sense,
        differs=view.differs,
        odd=view.odd,
    )


def _print(
    found: Found, view: _View, whole: History, retries: tuple[Retry, ...], zone: ZoneInfo, steps: Mapping[UUID, str]
) -> None:
    for entry in view.history.entries:
        for line in told(entry, zone):
            click.echo(line)
    if view.history.entries:
        last = view.history.entries[-1]
        click.echo(f"\nafter event {last.row.version}, recorded {shown_moment(last.recorded.recorded_at, zone, seconds=True)}")
        for line in (*heading(found, last.after), *state_lines(last.after, zone, steps)):
            click.echo(line)
    tried = tuple(retry_line(each, zone) for each in retries)
    for label, lines in (("recorded", view.beside), ("odd", view.odd), ("retried", tried)):
        for number, line in enumerate(lines):
            click.echo(labelled("" if number else label, line))
    if whole.trouble:
        click.echo(f"chain      BROKEN at {whole.trouble}. What comes before it is shown; do not trust what comes after.")
    else:
        click.echo(f"chain      whole: {count(len(whole.entries), 'event')}, and each hash follows from the event before it")


COMMANDS = (replay,)
