"""``thaw event``: sales events at clients' houses, who approved observers, and who has a seat."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec

from actors.submit import Submission
from models import campaigns, contacts, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.entries import Entry, entry_command, moment_from, zone_from
from service.cli.typed import DAY, SLUG, TEXT
from service.find import find_lead, find_playbook
from service.find_campaign import find_sales_event
from service.invitation_letters import EventWords, words_of_events
from service.times import parse_day, shown_moment
from service.wording import count, name_of, plain, words
from workflows.campaign_commands import (
    AnnounceEvent,
    ApproveObservers,
    CancelEvent,
    DescribeEvent,
    ExcludeCompany,
    GiveSeatBack,
    RevokeApproval,
)
from workflows.event_list import why_not
from workflows.playbooks import Playbook
from workflows.sales_event import SalesEvent, facts_of, sales_event_id

PLAYBOOK = "event-invitation"


@click.group()
def event() -> None:
    """Sales events to invite to: trainings, open houses, media events."""


def _announce(entry: Entry, typed: dict[str, Any]) -> Submission:
    stream_id = sales_event_id(typed["name"])
    with typed_errors():
        with_invitations(find_playbook(entry.connection, typed["playbook"]))
    zone = zone_from(entry.connection, typed["timezone"])
    command = AnnounceEvent(
        name=typed["name"],
        playbook=typed["playbook"],
        kind=typed["kind"],
        starts_at=moment_from("--starts", typed["starts"], zone, entry.now),
        seats=typed["seats"],
        title=entry.kept(stream_id, "title", typed["title"]),
        host=entry.kept(stream_id, "host", typed["host"]),
        place=entry.keep(stream_id, "place", typed["place"]),
        description=entry.keep(stream_id, "description", typed["description"]),
        occurred_at=entry.occurred_at,
    )
    return entry.submission(stream_id, command)


def with_invitations(playbook: Playbook) -> Playbook:
    """Return *playbook*, which says how to invite; refuse another as the wrong input."""
    if not playbook.invitation:
        raise InputError(f"--playbook {playbook.id}: it has no section [invitation]; {PLAYBOOK} has one")
    return playbook


def _known(entry: Entry, typed: dict[str, Any]) -> SalesEvent:
    with typed_errors():
        return find_sales_event(entry.connection, typed["name"])


def _describe(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    text = entry.kept(known.id, "description", typed["text"])
    return entry.submission(known.id, DescribeEvent(description=text, occurred_at=entry.occurred_at))


def _approve(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    command = ApproveObservers(
        approver=entry.kept(known.id, "approver", typed["approver"]),
        approved_on=parse_day(typed["approved_on"]),
        limits=entry.keep(known.id, "limits", typed["limits"]),
        seats=typed["seats"],
        occurred_at=entry.occurred_at,
    )
    return entry.submission(known.id, command)


def _revoke(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    reason = entry.keep(known.id, "reason", typed["reason"])
    return entry.submission(known.id, RevokeApproval(reason=reason, occurred_at=entry.occurred_at))


def _cancel(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    reason = entry.keep(known.id, "reason", typed["reason"])
    return entry.submission(known.id, CancelEvent(reason=reason, occurred_at=entry.occurred_at))


def _exclude(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    company = entry.kept(known.id, "company", typed["company"])
    return entry.submission(known.id, ExcludeCompany(company=company, occurred_at=entry.occurred_at))


def _give_back(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    with typed_errors():
        lead = find_lead(entry.connection, typed["lead"]).lead
    return entry.submission(known.id, GiveSeatBack(lead_id=lead.id, occurred_at=entry.occurred_at))


_NAME = click.Argument(["name"], type=SLUG)
_WHY = click.Option(["--reason"], type=TEXT, help="Why; kept outside the log.")
for command in (
    entry_command(
        "add",
        "Make an event known, by a short name such as spring-training.\n\nNobody is invited to it before its host approved it.",
        [
            _NAME,
            click.Option(["--kind"], type=SLUG, required=True, help="What it is: training, open_house, media_event, other …"),
            click.Option(["--starts"], required=True, metavar="WHEN", help="When it begins, such as 2026-03-09T14:30."),
            click.Option(["--timezone"], help="Of that time. Default: that of the first rep."),
            click.Option(["--seats"], type=click.IntRange(1, 10_000), required=True, help="For outside observers."),
            click.Option(["--title"], type=TEXT, required=True, help="What it is called."),
            click.Option(["--host"], type=TEXT, required=True, help="The client at whose house it takes place."),
            click.Option(["--place"], type=TEXT, help="Where."),
            click.Option(["--description"], type=TEXT, help="What it is about, in 20 to 600 characters."),
            click.Option(["--playbook"], type=SLUG, default=PLAYBOOK, show_default=True, help="Whose rules hold for it."),
        ],
        _announce,
    ),
    entry_command(
        "describe",
        "Say briefly what the event is about, or say it anew.",
        [_NAME, click.Option(["--text"], type=TEXT, required=True, help="20 to 600 characters.")],
        _describe,
    ),
    entry_command(
        "approve",
        "The host agreed to outside observers.",
        [
            _NAME,
            click.Option(
                ["--by", "approver"], type=TEXT, required=True, help="Who agreed, at the host's; kept outside the log."
            ),
            click.Option(["--on", "approved_on"], type=DAY, required=True, help="On which day."),
            click.Option(["--limits"], type=TEXT, help="What the host set as limits; kept outside the log."),
            click.Option(["--seats"], type=click.IntRange(1, 10_000), help="How many observers. Default: as announced."),
        ],
        _approve,
    ),
    entry_command(
        "revoke",
        "The host takes the approval back; who was invited must be told (`thaw campaign tell`).",
        [_NAME, _WHY],
        _revoke,
    ),
    entry_command(
        "cancel", "The event does not take place; who was invited must be told (`thaw campaign tell`).", [_NAME, _WHY], _cancel
    ),
    entry_command(
        "exclude",
        "Let nobody from a company see this event, such as a competitor of the host.",
        [_NAME, click.Argument(["company"], type=TEXT)],
        _exclude,
    ),
    entry_command(
        "give-back",
        "Somebody who had a seat does not come; the next in the line gets it.",
        [_NAME, click.Argument(["lead"])],
        _give_back,
    ),
):
    event.add_command(command)


class EventShown(msgspec.Struct, frozen=True, kw_only=True):
    """An event as ``thaw event list`` and ``thaw event show`` tell of it."""

    name: str
    id: UUID
    kind: str
    starts_at: datetime
    title: str
    host: str
    place: str
    description: str
    approved: bool
    approver: str
    approved_on: str | None
    limits: str
    seats: int
    seated: tuple[UUID, ...]
    waiting: tuple[UUID, ...]
    excluded: tuple[str, ...]
    campaigns: tuple[UUID, ...]
    cancelled: bool
    listed: bool
    """Whether a letter of today names it."""
    why_not: str | None


@event.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List the events, and whether a letter of today names them."""
    with transaction(app.service.engine) as connection:
        zone = zone_from(connection, None)
        shown = [_shown(connection, app, each) for each in campaigns.list_sales_events(connection)]
    shown.sort(key=lambda each: (each.starts_at, each.name))
    if as_json:
        app.print_json({"events": shown})
        return
    for each in shown:
        click.echo(_line(each, zone))
    if not shown:
        click.echo("no event yet; announce one with `thaw event add`")


@event.command()
@click.argument("name", type=SLUG)
@json_option
@pass_app
def show(app: App, name: str, as_json: bool) -> None:
    """Show an event: approval, description, limits, seats, and who has them."""
    with typed_errors(), transaction(app.service.engine) as connection:
        zone = zone_from(connection, None)
        known = find_sales_event(connection, name)
        shown = _shown(connection, app, known)
        people = _people(connection, (*known.seated, *known.waiting))
    if as_json:
        app.print_json(shown)
        return
    click.echo(_line(shown, zone))
    click.echo(f"about      {plain(shown.description, 600) or 'no description yet'}")
    click.echo(f"where      {plain(shown.host)}{f', {plain(shown.place)}' if shown.place else ''}")
    click.echo(
        f"approved   {f'by {plain(shown.approver)} on {shown.approved_on}' if shown.approved else 'not (or not any more)'}"
    )
    for label, text in (("limits", shown.limits), ("excluded", "; ".join(map(plain, shown.excluded)))):
        if text:
            click.echo(f"{label:<10} {plain(text, 600)}")
    for label, ids in (("seated", shown.seated), ("waiting", shown.waiting)):
        if ids:
            click.echo(f"{label:<10} {', '.join(people[id_] for id_ in ids)}")


def _people(connection: Connection, ids: tuple[UUID, ...]) -> dict[UUID, str]:
    found = contacts.find_contacts(connection, list(ids))
    known = {lead.id: name_of(lead, found.get(lead.id)) for lead in views.find_leads(connection, list(ids))}
    return {id_: known.get(id_, str(id_)) for id_ in ids}


def _shown(connection: Connection, app: App, known: SalesEvent) -> EventShown:
    said = words_of_events(connection, [known]).get(known.id, EventWords("", "", "", ""))
    texts = contacts.find_documents(
        connection, [each.document_id for each in (known.approver, known.limits, *known.excluded) if each]
    )
    with typed_errors():
        rules = with_invitations(find_playbook(connection, known.playbook.id if known.playbook else PLAYBOOK)).invitation
    reason = why_not(facts_of(known), rules.events, (), app.service.now()) if rules else "not_approved"
    return EventShown(
        name=known.name,
        id=known.id,
        kind=known.kind,
        starts_at=known.starts_at,
        title=said.title,
        host=said.host,
        place=said.place,
        description=said.description,
        approved=known.approved,
        approver=texts.get(known.approver.document_id, "") if known.approver else "",
        approved_on=known.approved_on.isoformat() if known.approved_on else None,
        limits=texts.get(known.limits.document_id, "") if known.limits else "",
        seats=known.seats,
        seated=known.seated,
        waiting=known.waiting,
        excluded=tuple(texts.get(each.document_id, "") for each in known.excluded),
        campaigns=known.campaigns,
        cancelled=known.cancelled,
        listed=reason is None,
        why_not=reason,
    )


def _line(shown: EventShown, zone: ZoneInfo) -> str:
    listed = "listed in letters of today" if shown.listed else f"not listed: {words(shown.why_not or '')}"
    seats = f"{len(shown.seated)} of {count(shown.seats, 'seat')} taken"
    return f"{shown.name}: {plain(shown.title)}, {words(shown.kind)}, {shown_moment(shown.starts_at, zone)}, {seats}; {listed}"


COMMANDS = (event,)
