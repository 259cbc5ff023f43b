"""``thaw diff`` and ``thaw leads``: one lead between two moments, and the whole book at any moment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec

from models import book, contacts, leads, playbooks, views
from models.contacts import Contact
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.look import end_of, owners_zone
from service.differences import Difference, differences
from service.find import find_lead, find_rep, storable
from service.history import Entry, Logged, days_said, read_history, told
from service.moments import Sense, as_recorded, in_sense, moment_of
from service.stream_differences import stream_differences
from service.streams import Named, read_named, stream_named, zone_of_stream
from service.times import shown_moment, zone_of
from service.wording import count, field_of, key_of_id, plain, words
from workflows.events import Recorded
from workflows.transitions import STATES

AnyEntry = TypeVar("AnyEntry", Entry, Logged)

_sense_option = click.option(
    "--as", "sense", type=click.Choice(["recorded", "occurred"]), default="recorded", show_default=True,
    help="By what the service knew at both moments, or by what had happened, entered late or not.",
)  # fmt: skip


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw diff --json`` prints."""

    lead_id: UUID
    sense: Sense
    before: int
    """The last event folded at the first moment."""
    after: int
    differs: tuple[Difference, ...]
    """In the order in which a lead has its fields; empty when nothing differs."""
    between: tuple[Recorded, ...]
    """The events folded at one of the moments and not at the other, in the order of the sense."""


class StreamDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw diff campaign:NAME --json`` prints: the same of a stream that is no lead's."""

    stream_id: UUID
    before: int
    after: int
    differs: tuple[Difference, ...]
    between: tuple[Recorded, ...]


@click.command()
@click.argument("lead")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_sense_option
@json_option
@pass_app
def diff(app: App, lead: str, first: str, second: str, sense: Sense, as_json: bool) -> None:
    """Print how a lead differs between two moments, and the events between them.

    A and B are events (numbers) or times: 2, 2026-03-09T14:30, 2026-03-09 (its end), today. A rep is named as in rep:dana, a
    campaign as in campaign:spring, and a sales event as in event:open-house.
    """
    named = stream_named(lead)
    if named is not None:
        if sense == "occurred":
            raise InputError("--as occurred is for leads: of a rep, a campaign or an event there is what was recorded")
        end_of(_diff_of_stream(app, named, first.strip(), second.strip(), as_json))
        return
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = owners_zone(connection, found.lead)
        whole, now = read_history(connection, found.lead.id), app.service.now()
        before = in_sense(whole, first.strip(), sense, zone, now, what="A")
        after = in_sense(whole, second.strip(), sense, zone, now, what="B")
    between = _between(before.entries, after.entries)
    last, new = before.entries[-1], after.entries[-1]
    differs = differences(last.after, new.after, zone, days_said(whole))
    if as_json:
        events = tuple(entry.recorded for entry in between)
        versions = {"before": last.after.version, "after": new.after.version}
        app.print_json(Diff(lead_id=found.lead.id, sense=sense, differs=differs, between=events, **versions))
    else:
        back = ", back in time" if new.row.version < last.row.version else ""
        click.echo(f"{found.name}: event {last.row.version} -> event {new.row.version}, as {sense}{back}")
        _print_diff(differs, between, zone)
    end_of(whole.trouble)


def _diff_of_stream(app: App, named: Named, first: str, second: str, as_json: bool) -> str:
    """Print how a stream that is no lead's differs, and return what is wrong with it, if anything is."""
    with typed_errors(), transaction(app.service.engine) as connection:
        zone, whole, now = zone_of_stream(connection, named), read_named(connection, named), app.service.now()
        before = as_recorded(whole, first, zone, now, what="A")
        after = as_recorded(whole, second, zone, now, what="B")
    between = _between(before.entries, after.entries)
    last, new = before.entries[-1], after.entries[-1]
    differs = stream_differences(last.after, new.after, zone)
    if as_json:
        events = tuple(entry.recorded for entry in between)
        versions = {"before": last.row.version, "after": new.row.version}
        app.print_json(StreamDiff(stream_id=named.id, differs=differs, between=events, **versions))
    else:
        back = ", back in time" if new.row.version < last.row.version else ""
        click.echo(f"{named.kind} {plain(named.name, 80)}: event {last.row.version} -> event {new.row.version}{back}")
        _print_diff(differs, between, zone)
    return whole.trouble


def _between(before: Sequence[AnyEntry], after: Sequence[AnyEntry]) -> tuple[AnyEntry, ...]:
    versions = {entry.row.version for entry in before} ^ {entry.row.version for entry in after}
    return tuple(entry for entry in max(before, after, key=len) if entry.row.version in versions)


def _print_diff(differs: tuple[Difference, ...], between: Sequence[Entry | Logged], zone: ZoneInfo) -> None:
    for line in (*_differs_lines(differs), *_between_lines(between, zone)):
        click.echo(line)


def _differs_lines(differs: tuple[Difference, ...]) -> Iterator[str]:
    yield from (f"  {each.sentence}" for each in differs)
    if not differs:
        yield "  nothing differs"


def _between_lines(between: Sequence[Entry | Logged], zone: ZoneInfo) -> Iterator[str]:
    yield f"{count(len(between), 'event')} between them{':' if between else ''}"
    for entry in between:
        yield from told(entry, zone)


class LeadThen(msgspec.Struct, frozen=True, kw_only=True):
    """A lead in the book of a past moment."""

    lead_id: UUID
    external_id: str | None
    """``source:id`` in the CRM, as it is known today; the log holds no personal data."""
    name: str | None
    """Of the person or the company, as it is known today."""
    version: int
    state: str
    since: datetime
    owner: str
    held: str | None
    """Why it was on hold."""
    merged_into: UUID | None
    """Into which lead it had been merged."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw leads --json`` prints."""

    at: datetime
    counts: dict[str, int]
    """By state, of all leads of *owner*, in the order of the table; states that nobody was in are missing."""
    leads: tuple[LeadThen, ...]
    """By id."""


@click.command("leads")
@click.option("--at", "moment", metavar="WHEN", default="now", help="2026-03-09T14:30, 2026-03-09 (its end). Default: now.")
@click.option("--owner", metavar="REP", help="Only this rep's.")
@click.option("--state", type=click.Choice(STATES), help="List only these; all are counted.")
@json_option
@pass_app
def leads_(app: App, moment: str, owner: str | None, state: str | None, as_json: bool) -> None:
    """List the whole book as it was recorded at any moment: every lead's state then, and how many were in each.

    They come by our ids, which tell nothing of their order; names are those of today. Each lead is folded from its own
    events, one at a time; nothing that was kept meanwhile is relied on.
    """
    counts: Counter[str] = Counter()
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        zone = _zone(connection, owner)
        at = moment_of(moment.strip(), zone, app.service.now())
        listed = _listed(connection, at, owner, state, counts)
        if as_json:
            shown = tuple(then for then, _, _ in listed)
            _refuse_unknown(connection, owner, counts)
            by_state: dict[str, int] = {name: counts[name] for name in STATES if counts[name]}
            app.print_json(Book(at=at, counts=by_state, leads=shown))
            return
        for then, key, into in listed:
            name = plain(then.name or "", 22)
            held = f", on hold: {words(then.held)}" if then.held else ""
            held += f", merged into {into}" if into else ""
            since = shown_moment(then.since, zone)
            stood = f"{then.state:<15} since {since}  {plain(then.owner, 80)}, event {then.version}{held}"
            click.echo(f"{key:<14} {name:<22} {stood}")
        _refuse_unknown(connection, owner, counts)
    total = ", ".join(f"{name} {counts[name]}" for name in STATES if counts[name])
    when = f"{shown_moment(at, zone, seconds=True)} in {zone.key}"
    click.echo(f"{count(counts.total(), 'lead')} as of {when}{f': {total}' if total else ''}")


def _refuse_unknown(connection: Connection, owner: str | None, counts: Counter[str]) -> None:
    """Refuse an *owner* who had no lead and is no rep: that nothing is found would be taken for an answer."""
    if owner and not counts.total():
        find_rep(connection, owner)


def _listed(
    connection: Connection, at: datetime, owner: str | None, state: str | None, counts: Counter[str]
) -> Iterator[tuple[LeadThen, str, str]]:
    """Yield the leads to list, each with what to type for it and for whom it was merged into, and count all as they pass."""
    every = (each for each in book.standings_at(connection, at) if owner is None or each.owner == owner)
    while chunk := list(islice(every, 1000)):
        counts.update(each.state for each in chunk)
        chosen = [each for each in chunk if state is None or each.state == state]
        ids = {id_ for each in chosen for id_ in (each.id, each.merged_into) if id_}
        known = contacts.find_contacts(connection, list(ids))
        for each in chosen:
            person = known.get(each.id)
            then = LeadThen(
                lead_id=each.id,
                external_id=plain(f"{person.source}:{person.external_id}", 80) if person else None,
                name=_called(person),
                version=each.version,
                state=each.state,
                since=each.since,
                owner=each.owner,
                held=each.held,
                merged_into=each.merged_into,
            )
            into = key_of_id(each.merged_into, known.get(each.merged_into)) if each.merged_into else ""
            yield then, key_of_id(each.id, person), into


def _called(person: Contact | None) -> str | None:
    return (field_of(person.fields, "name") or field_of(person.fields, "company") or None) if person else None


def _zone(connection: Connection, owner: str | None) -> ZoneInfo:
    """Return the zone in which times are read: the owner's, or that of all reps where they share one; else UTC."""
    if owner and not storable(owner):
        raise InputError(f"no rep is called {plain(owner, 80)!r}")
    names = [owner] if owner else [rep.name for rep in leads.list_reps(connection)]
    in_force = playbooks.calendars_of_reps(connection, names)
    calendars = playbooks.calendars_by_digest(connection, list(set(in_force.values())))
    zones = {zone_of(calendars.get(in_force.get(name, ""))) for name in names}
    return zones.pop() if len(zones) == 1 else zone_of(None)


COMMANDS = (diff, leads_)
