"""``thaw campaign``: letters that invite to sales events, from the audience to what came of them."""

from typing import Any, get_args
from uuid import UUID

import click
import msgspec

from actors.submit import Submission
from models import campaigns, contacts, views
from models.database import Connection, transaction
from service.campaigns import AudienceResult, EventResult, Results, results_of, told_of
from service.cli.answers import typed_errors
from service.cli.app import App, json_option, pass_app
from service.cli.entries import Entry, entry_command
from service.cli.event_shown import PLAYBOOK, with_invitations
from service.cli.letters import send
from service.cli.printed_letters import print_
from service.cli.typed import DAY, SLUG, TEXT
from service.find import find_lead, find_playbook
from service.find_campaign import find_campaign, find_sales_event, names_of_events
from service.times import parse_day
from service.wording import count, key_of, name_of, plain, words
from workflows.campaign import Campaign, Letter, campaign_id
from workflows.campaign_commands import DrawAudience, PlanCampaign, RecordRsvp, RsvpAnswer, StartCampaign, TellInvitee

#: How people answer a letter.
CHANNELS = ("call", "email", "post", "text_message", "fax", "other")


@click.group()
def campaign() -> None:
    """Letters that invite to sales events: to prospects who declined, and to clients."""


def _plan(entry: Entry, typed: dict[str, Any]) -> Submission:
    with typed_errors():
        with_invitations(find_playbook(entry.connection, typed["playbook"]))
    command = PlanCampaign(
        name=typed["name"],
        playbook=typed["playbook"],
        declined_from=parse_day(typed["first"]) if typed["first"] else None,
        declined_to=parse_day(typed["last"]) if typed["last"] else None,
        audiences=tuple(dict.fromkeys(typed["audiences"])) or ("declined", "client"),
        types=tuple(dict.fromkeys(typed["kinds"])),
        occurred_at=entry.occurred_at,
    )
    return entry.submission(campaign_id(typed["name"]), command)


def _known(entry: Entry, typed: dict[str, Any]) -> Campaign:
    with typed_errors():
        return find_campaign(entry.connection, typed["name"])


def _draw(entry: Entry, typed: dict[str, Any]) -> Submission:
    return entry.submission(_known(entry, typed).id, DrawAudience(occurred_at=entry.occurred_at))


def _start(entry: Entry, typed: dict[str, Any]) -> Submission:
    return entry.submission(_known(entry, typed).id, StartCampaign(occurred_at=entry.occurred_at))


def _rsvp(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    with typed_errors():
        lead = find_lead(entry.connection, typed["lead"]).lead
        event = find_sales_event(entry.connection, typed["event"])
    command = RecordRsvp(
        lead_id=lead.id,
        event_id=event.id,
        channel=typed["channel"],
        answer=typed["answer"],
        words=entry.keep(lead.id, "words", typed["words"]),
        occurred_at=entry.occurred_at,
    )
    return entry.submission(known.id, command)


def _told(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    with typed_errors():
        lead = find_lead(entry.connection, typed["lead"]).lead
        event = find_sales_event(entry.connection, typed["event"])
    command = TellInvitee(lead_id=lead.id, event_id=event.id, occurred_at=entry.occurred_at)
    return entry.submission(known.id, command)


_NAME = click.Argument(["name"], type=SLUG)
_LEAD, _EVENT = click.Argument(["lead"]), click.Argument(["event"], type=SLUG)
for command in (
    entry_command(
        "plan",
        "Begin a campaign, by a short name such as spring-2026.\n\nIt writes to whom decided not to buy within a "
        "period, and to the active clients.",
        [
            _NAME,
            click.Option(["--from", "first"], type=DAY, help="The first day of the period. Default: the playbook's."),
            click.Option(["--to", "last"], type=DAY, help="The last day of the period. Default: the playbook's."),
            click.Option(
                ["--audience", "audiences"],
                type=click.Choice(["declined", "client"]),
                multiple=True,
                help="Only this one; may be repeated.",
            ),
            click.Option(["--kind", "kinds"], type=SLUG, multiple=True, help="List only events of this kind; may be repeated."),
            click.Option(["--playbook"], type=SLUG, default=PLAYBOOK, show_default=True, help="Whose rules hold for it."),
        ],
        _plan,
    ),
    entry_command(
        "draw",
        "Ask the log who belongs to the audience, and who gets no letter and why.\n\nAgain later, it adds who is new.",
        [_NAME],
        _draw,
    ),
    entry_command("start", "Let the letters leave, so many a rep and working day.", [_NAME], _start),
    entry_command(
        "rsvp",
        "Somebody who got a letter answered about an event.\n\nA prospect is re-engaged by that; a client stays a client.",
        [
            _NAME,
            _LEAD,
            _EVENT,
            click.Option(["--channel"], type=click.Choice(CHANNELS), default="call", show_default=True, help="How."),
            click.Option(
                ["--answer"],
                type=click.Choice(get_args(RsvpAnswer)),
                default="accepts",
                show_default=True,
                help="Whether they come, want to know more, or cannot come.",
            ),
            click.Option(["--words"], type=TEXT, help="Their own words; kept outside the log."),
        ],
        _rsvp,
    ),
    entry_command(
        "told", "Somebody who was invited to an event that was withdrawn knows of it now.", [_NAME, _LEAD, _EVENT], _told
    ),
):
    campaign.add_command(command)
campaign.add_command(send)
campaign.add_command(print_)


@campaign.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List the campaigns."""
    with transaction(app.service.engine) as connection:
        known = campaigns.list_campaigns(connection)
        shown = [results_of(connection, each) for each in known]
    if as_json:
        app.print_json({"campaigns": shown})
        return
    for each in known:
        click.echo(told_of(each))
    if not known:
        click.echo("no campaign yet; plan one with `thaw campaign plan`")


class LetterShown(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the audience."""

    lead_id: UUID
    key: str
    """The CRM's id, or ours."""
    name: str
    letter: Letter


@campaign.command()
@click.argument("name", type=SLUG)
@click.option("--status", type=click.Choice(["waiting", "released", "sent", "excluded"]), help="Only these.")
@json_option
@pass_app
def letters(app: App, name: str, status: str | None, as_json: bool) -> None:
    """List everybody in the audience: whose letter waits, is to be sent, was sent, and who gets none and why."""
    with typed_errors(), transaction(app.service.engine) as connection:
        known = find_campaign(connection, name)
        shown = _letters(connection, known, status)
    if as_json:
        app.print_json({"campaign": known.name, "letters": shown})
        return
    for each in shown:
        why = f": {words(each.letter.reason)}" if each.letter.reason else ""
        click.echo(
            f"{each.letter.status:<9} {each.letter.audience:<8} {each.key:<12} {each.name} ({plain(each.letter.rep)}){why}"
        )
    click.echo(told_of(known))


def _letters(connection: Connection, known: Campaign, status: str | None) -> list[LetterShown]:
    wanted = [UUID(id_) for id_, letter in known.letters.items() if status in (None, letter.status)]
    people = contacts.find_contacts(connection, wanted)
    return [
        LetterShown(
            lead_id=lead.id,
            key=key_of(lead, people.get(lead.id)),
            name=name_of(lead, people.get(lead.id)),
            letter=known.letters[str(lead.id)],
        )
        for lead in views.find_leads(connection, sorted(wanted))
    ]


class ToTell(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was invited to an event that may not be attended any more."""

    lead_id: UUID
    key: str
    name: str
    rep: str
    event: str


@campaign.command()
@click.argument("name", type=SLUG)
@json_option
@pass_app
def tell(app: App, name: str, as_json: bool) -> None:
    """List who is still to be told that an event was withdrawn."""
    with typed_errors(), transaction(app.service.engine) as connection:
        known = find_campaign(connection, name)
        named = names_of_events(connection)
        ids = sorted({lead_id for lead_id, _ in known.to_tell})
        people = contacts.find_contacts(connection, ids)
        leads = {lead.id: lead for lead in views.find_leads(connection, ids)}
    shown = [
        ToTell(
            lead_id=lead_id,
            key=key_of(leads[lead_id], people.get(lead_id)),
            name=name_of(leads[lead_id], people.get(lead_id)),
            rep=leads[lead_id].owner,
            event=named[event_id],
        )
        for lead_id, event_id in known.to_tell
    ]
    if as_json:
        app.print_json({"campaign": known.name, "tell": shown})
        return
    for each in shown:
        click.echo(f"{each.key:<12} {each.name} ({plain(each.rep)}): {each.event} was withdrawn")
    click.echo(
        f"{count(len(shown), 'person', 'people')} to tell; then `thaw campaign told {known.name} LEAD EVENT`"
        if shown
        else "nobody is to be told anything"
    )


@campaign.command()
@click.argument("name", type=SLUG)
@json_option
@pass_app
def results(app: App, name: str, as_json: bool) -> None:
    """Show what came of a campaign: by audience, by event and by wording of the letter."""
    with typed_errors(), transaction(app.service.engine) as connection:
        found = results_of(connection, find_campaign(connection, name))
    if as_json:
        app.print_json(found)
        return
    for line in _result_lines(found):
        click.echo(line)


def _result_lines(found: Results) -> list[str]:
    reasons = ", ".join(f"{number} {words(reason)}" for reason, number in found.reasons.items())
    lines = [
        f"{found.campaign}: {found.sent} sent + {found.waiting} waiting + {found.excluded} excluded = {found.audience} people",
        *([f"excluded   {reasons}"] if reasons else []),
        *map(_audience_line, found.audiences),
        *map(_event_line, found.events),
    ]
    for each in found.wordings:
        lines.append(f"wording    {each.wording[:12]}: {each.sent} sent, {count(each.answers.answers, 'answer')}")  # noqa: PERF401
    if found.to_tell:
        lines.append(f"to tell    {count(found.to_tell, 'person', 'people')} of an event that was withdrawn")
    return lines


def _audience_line(each: AudienceResult) -> str:
    came = f"{each.re_engaged} re-engaged" if each.audience == "declined" else f"{each.solidified} solidified"
    answers = f"{count(each.answers.answers, 'answer')} from {count(each.answers.people, 'person', 'people')}"
    return f"{each.audience:<10} {each.sent} of {each.people} sent, {answers}: {came}"


def _event_line(each: EventResult) -> str:
    withdrawn = "; withdrawn" if each.withdrawn else ""
    asked = f"{count(each.answers.answers, 'answer')}, {each.seated} of {count(each.seats, 'seat')}"
    return f"event      {each.event}: in {count(each.listed_in, 'letter')}, {asked}, {each.waiting} in the line{withdrawn}"


COMMANDS = (campaign,)
