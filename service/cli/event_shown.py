"""``thaw event list`` and ``show``: sales events, whether a letter of today names them, and who has a seat."""

from datetime import datetime
from uuid import UUID

import click
import msgspec

from models import campaigns, contacts, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.entries import zone_from
from service.cli.typed import SLUG
from service.find import find_playbook
from service.find_campaign import find_sales_event
from service.letters import Said, said_of, zone_of_event
from service.times import moment_and_zone, zone_or_utc
from service.wording import count, name_of, plain, words
from workflows.event_list import why_not
from workflows.playbooks import Playbook
from workflows.sales_event import SalesEvent, facts_of

PLAYBOOK = "event-invitation"


def with_invitations(playbook: Playbook) -> Playbook:
    """Return *playbook*, which says how to invite; refuse another as the wrong input."""
    if not playbook.invitation:
        raise InputError(f"--playbook {playbook.id}: it has no section [invitation]; {PLAYBOOK} has one")
    return playbook


class EventShown(msgspec.Struct, frozen=True, kw_only=True):
    """An event as ``thaw event list`` and ``thaw event show`` tell of it."""

    name: str
    id: UUID
    kind: str
    starts_at: datetime
    timezone: str
    """Of the place, in which the text form says when it begins."""
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
    erased_at: datetime | None
    listed: bool
    """Whether a letter of today names it."""
    why_not: str | None


@click.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List the events, and whether a letter of today names them."""
    with transaction(app.service.engine) as connection:
        shown = [_shown(connection, app, each) for each in campaigns.list_sales_events(connection)]
    shown.sort(key=lambda each: (each.starts_at, each.name))
    if as_json:
        app.print_json({"events": shown})
        return
    for each in shown:
        click.echo(_line(each))
    if not shown:
        click.echo("no event yet; announce one with `thaw event add`")


@click.command()
@click.argument("name", type=SLUG)
@json_option
@pass_app
def show(app: App, name: str, as_json: bool) -> None:
    """Show an event: approval, description, limits, seats, and who has them."""
    with typed_errors(), transaction(app.service.engine) as connection:
        known = find_sales_event(connection, name)
        shown = _shown(connection, app, known)
        people = _people(connection, (*known.seated, *known.waiting))
    if as_json:
        app.print_json(shown)
        return
    click.echo(_line(shown))
    if shown.erased_at:
        click.echo(f"erased     the words about it were erased on {shown.erased_at.date()}")
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
    said = said_of(connection, [known]).get(known.id, Said("", "", "", ""))
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
        timezone=(zone_of_event(known) or zone_from(connection, None)).key,
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
        erased_at=known.erased_at or None,
        listed=reason is None,
        why_not=reason,
    )


def _line(shown: EventShown) -> str:
    listed = "listed in letters of today" if shown.listed else f"not listed: {words(shown.why_not or '')}"
    seats = f"{len(shown.seated)} of {count(shown.seats, 'seat')} taken"
    begins = moment_and_zone(shown.starts_at, zone_or_utc(shown.timezone))
    return f"{shown.name}: {plain(shown.title)}, {words(shown.kind)}, {begins}, {seats}; {listed}"
