"""``thaw why`` and ``thaw why-not``: what led to an event, and what kept a lead from being touched."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

import click

from models import contacts, views
from models.database import Connection
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.look import end_of, owners_zone
from service.cli.typed import DAY
from service.find import find_lead
from service.history import History, StreamHistory, labelled, read_history, told
from service.merged import merged_lines
from service.moments import event_number
from service.places import Place
from service.streams import read_named, stream_named, zone_of_stream
from service.times import parse_day, shown_day, shown_moment
from service.why import why as why_event
from service.why import why_lines
from service.why_not import WhyNot
from service.why_not import why_not as why_not_touched
from service.wording import field_of, plain, score_line, words
from workflows.events import CommandRefused, Recorded, event_type


@click.command()
@click.argument("lead")
@click.argument("event", required=False)
@json_option
@pass_app
def why(app: App, lead: str, event: str | None, as_json: bool) -> None:
    """Print why an event (its number; without one the newest) stands in a lead's history.

    Who asked for what, the message that carried it, the rule and its row of the table, the playbook, what the decision used,
    and what it led to. A rep is named as in rep:dana (plans of a day and calendars), a campaign as in campaign:spring, and a
    sales event as in event:open-house. Exit status 1 when an event of the history cannot be believed.
    """
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        name, zone, history, merged = _meant(connection, lead)
        version = event_number(history, event.strip(), "event") if event else len(history.entries)
        if not version:
            raise InputError(
                f"{plain(event or '', 40)!r} is no event of {name}: name it by its number, 1 to {len(history.entries)}"
                if event and history.entries
                else f"nothing of this history can be believed: {history.trouble}; run `thaw verify`"
            )
        answer = why_event(connection, history, version)
    if as_json:
        app.print_json(answer)
    else:
        click.echo(f"{name}, event {version} at position {answer.position} of the log")
        click.echo(told(history.entries[version - 1], zone)[0])
        _print_labelled((*why_lines(answer, zone), *merged))
    end_of(history.trouble)


def _meant(connection: Connection, typed: str) -> tuple[str, ZoneInfo, History | StreamHistory, tuple[tuple[str, str], ...]]:
    """Return what *typed* names, the zone in which its times are read, its history, and of a lead with what it was merged."""
    named = stream_named(typed)
    if named is None:
        found = find_lead(connection, typed)
        merged = tuple(merged_lines(connection, found.lead))
        return found.name, owners_zone(connection, found.lead), read_history(connection, found.lead.id), merged
    return f"{named.kind} {plain(named.name, 80)}", zone_of_stream(connection, named), read_named(connection, named), ()


def _print_labelled(lines: Iterable[tuple[str, str]]) -> None:
    for label, line in lines:
        click.echo(labelled(label, line))


@click.command("why-not")
@click.argument("lead")
@click.option("--on", type=DAY, required=True, help="The day, by the rep's clock.")
@json_option
@pass_app
def why_not(app: App, lead: str, on: str, as_json: bool) -> None:
    """Print why a lead was not touched on a day: how it stood, what held it back, who was planned, and who had which slot.

    Exit status 1 when an event of its history cannot be believed: what is printed is told from those before it.
    """
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = owners_zone(connection, found.lead)
        history = read_history(connection, found.lead.id)
        if not history.entries:
            raise InputError(f"nothing of this lead's history can be believed: {history.trouble}; run `thaw verify`")
        now = app.service.now()
        day, today = parse_day(on), now.astimezone(zone).date()
        if day > today:
            raise InputError(f"{shown_day(day)} is yet to come, and nobody can say how it will go. Today is {shown_day(today)}")
        answer = why_not_touched(connection, history, day, zone, now)
        names = _names(connection, answer)
    if as_json:
        app.print_json(answer)
    else:
        click.echo(f"{found.name} on {shown_day(answer.on)}, times in {zone.key}")
        _print_labelled(_why_not_lines(answer, names, zone))
    end_of(history.trouble)


def _names(connection: Connection, answer: WhyNot) -> dict[str, str]:
    holders = [each.lead_id for each in answer.places if each.lead_id]
    known = contacts.find_contacts(connection, [*(each.lead_id for each in answer.instead), *holders])
    return {
        str(id_): f"{field_of(person.fields, 'name') or 'lead'} ({plain(person.external_id, 40)})"
        for id_, person in known.items()
    }


def _why_not_lines(answer: WhyNot, names: dict[str, str], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for number, event in enumerate(answer.touched):
        yield (
            "" if number else "touched",
            f"it was: event {event.version}, {_kind(event)}, {shown_moment(event.occurred_at, zone)}",
        )
    for number, reason in enumerate(answer.reasons):
        yield "" if number else "because", reason
    yield "score", score_line(answer.score) if answer.score else "none: it was never queued"
    for number, event in enumerate(answer.refusals):
        yield "" if number else "refused", f"event {event.version}, {_refusal(event)}"
    if answer.planned_at:
        yield "plan", f"made {shown_moment(answer.planned_at, zone)}: {len(answer.instead)} chosen"
        for each in answer.instead:
            score = score_line(each.score) if each.score else "no score"
            yield "", f"{each.kind} for {names.get(str(each.lead_id), each.lead_id.hex[:12])}, score {score}"
        for shortfall in answer.shortfalls:
            yield "", f"{shortfall.count} fewer {words(shortfall.kind)}s ({shortfall.code}): {plain(shortfall.detail, 200)}"
    for number, place in enumerate(answer.places):
        yield "" if number else "slots", _place_line(place, names, zone)


def _place_line(place: Place, names: dict[str, str], zone: ZoneInfo) -> str:
    slot = f"{f'{plain(place.rep)} ' if place.rep else ''}{words(place.kind)} slot {place.ordinal} of {shown_day(place.day)}"
    if place.lead_id is None or place.since is None:
        return f"{slot}: free"
    score = f"score {place.score.total}" if place.score else "no score"
    how = "by this plan" if place.by_plan else f"since {shown_moment(place.since, zone)}"
    return f"{slot}: {names.get(str(place.lead_id), place.lead_id.hex[:12])}, {score}, {how}"


def _kind(event: Recorded) -> str:
    return event_type(event.data)


def _refusal(event: Recorded) -> str:
    data = event.data
    return f"{words(data.refused)}: {data.rule}, {plain(data.reason, 300)}" if isinstance(data, CommandRefused) else ""


COMMANDS = (why, why_not)
