"""``thaw replay``: a lead's log folded again, event by event, to any moment of its history."""

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec

from models.database import transaction
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.look import heading, owners_zone, state_lines
from service.find import Found, find_lead
from service.history import History, read_history, told
from service.times import parse_moment, shown_moment
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
    """Oldest first."""
    lead: Lead | None
    """The lead after the last of *events*."""
    whole: bool
    """Whether every hash follows from the event before it, over the lead's whole history."""
    trouble: str


@click.command()
@click.argument("lead")
@click.option(
    "--at", "moment", metavar="VERSION|WHEN",
    help="Replay up to this event (a number), or what was recorded by then: 2026-03-09T14:30, 2026-03-09.",
)  # fmt: skip
@json_option
@pass_app
@click.pass_context
def replay(ctx: click.Context, app: App, lead: str, moment: str | None, as_json: bool) -> None:
    """Fold a lead's events again and print each: when it was recorded, what, by which row, by whom, and what it moved.

    The chain of hashes is checked on the way; when it is broken, the exit status is 1. A day alone means its end.
    """
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = owners_zone(connection, found.lead)
        whole = read_history(connection, found.lead.id)
        history = _cut(whole, moment.strip(), zone, app.service.now()) if moment else whole
    if as_json:
        app.print_json(_replayed(found, history))
    else:
        _print(found, history, whole, zone)
    if whole.trouble:
        ctx.exit(REFUSED)


def _cut(history: History, typed: str, zone: ZoneInfo, now: datetime) -> History:
    if typed.isascii() and typed.isdigit() and len(typed) < 8:
        if not 1 <= int(typed) <= len(history.entries):
            raise InputError(f"--at {typed}: there are the events 1 to {len(history.entries)}")
        return history.first(int(typed))
    then = parse_moment(typed, zone, now, day_means=time(23, 59, 59, 999_999))
    cut = history.until(then)
    if not cut.entries:
        first = history.entries[0].recorded.recorded_at if history.entries else now
        raise InputError(f"--at {typed}: nothing was recorded by then; the first event is of {shown_moment(first, zone)}")
    return cut


def _replayed(found: Found, history: History) -> Replayed:
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
    )


def _print(found: Found, history: History, whole: History, zone: ZoneInfo) -> None:
    for entry in history.entries:
        for line in told(entry, zone):
            click.echo(line)
    if history.entries:
        last = history.entries[-1]
        click.echo(f"\nafter event {last.row.version}, recorded {shown_moment(last.recorded.recorded_at, zone, seconds=True)}")
        for line in (*heading(found._replace(lead=last.after)), *state_lines(last.after, zone)):
            click.echo(line)
    if whole.trouble:
        click.echo(f"chain      BROKEN at {whole.trouble}. What comes before it is shown; do not trust what comes after.")
    else:
        click.echo(f"chain      whole: {count(len(whole.entries), 'event')}, and each hash follows from the event before it")


COMMANDS = (replay,)
