"""``thaw campaign send``: the letters that may leave today, written, kept, printed, and recorded as sent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click
import msgspec

from actors.bell import BellUnavailableError
from actors.submit import Submission, stage
from models import campaigns, contacts, messages, views, wordings
from models.database import Connection, transaction
from models.messages import Ring
from service.cli.answers import WAIT_SECONDS, await_settled, typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.entries import zone_from
from service.cli.printed_letters import Sent, WrittenLetter, make_folder, print_letters, rules_of
from service.cli.typed import SLUG, TEXT_FILE, WHO
from service.find import find_lead, find_rep
from service.find_campaign import find_campaign
from service.letters import (
    LetterError,
    approved_template,
    attachment,
    document_id,
    kept_letter,
    letter_id,
    read_template,
    said_of,
    written,
)
from service.mailing.addresses import MailError, address_of, sender_of, token_of
from service.mailing.compose import Letter as Mail
from service.mailing.compose import compose
from service.pepper import open_pepper
from service.way_out import way_out
from service.wording import count, key_of, name_of, plain
from workflows.campaign import Campaign, Letter
from workflows.campaign_commands import AudienceKey, SendInvitation
from workflows.event_list import attachment_digest, upcoming
from workflows.invitation_playbook import Invitation
from workflows.lead import Lead
from workflows.sales_event import SalesEvent, facts_of
from workflows.wordings import Wording


class _Desk(NamedTuple):
    """What all letters of one run share."""

    campaign: Campaign
    title: str
    """Of the playbook: the subject of what goes by mail."""
    rules: Invitation
    events: Sequence[SalesEvent]
    """All of them."""
    templates: dict[AudienceKey, Wording]
    footer: Wording
    """Of letters by mail."""


@click.command()
@click.argument("name", type=SLUG)
@click.option("--rep", "rep_name", help="Only this rep's letters.")
@click.option("--lead", "lead_key", help="Only the letter to this lead.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="A folder for the letters, one file each, to print."
)
@click.option("--declined-wording", type=TEXT_FILE, help="A file with the wording for declined prospects, in place of ours.")
@click.option("--client-wording", type=TEXT_FILE, help="A file with the wording for clients, in place of ours.")
@click.option(
    "--as", "who", type=WHO, metavar="WHO", help="Who sends them: rep:NAME or manager:NAME. Default: each lead's owner."
)
@json_option
@pass_app
@click.pass_context
def send(
    ctx: click.Context, app: App, name: str, rep_name: str | None, lead_key: str | None, out: Path | None,
    declined_wording: str | None, client_wording: str | None, who: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write the letters that may leave today, and record them as sent.

    Each is written from the wording of its audience, with the list of all events that may be attended now, and checked: for the
    right opening, for what must be in it, for leftover marks and wrong names. Done twice, it sends nothing twice.
    """
    now = app.service.now()
    if out is not None:
        make_folder(out)
    with typed_errors(), transaction(app.service.engine) as connection:
        campaign = find_campaign(connection, name)
        desk = _desk(connection, campaign, {"declined": declined_wording, "client": client_wording})
        rep = find_rep(connection, rep_name).name if rep_name else None
        only = find_lead(connection, lead_key).lead.id if lead_key else None
        open_ = {UUID(id_): letter for id_, letter in campaign.letters.items() if letter.status == "released"}
        leads = [
            lead
            for lead in views.find_leads(connection, sorted(open_))
            if only in (None, lead.id) and rep in (None, lead.owner)
        ]
        found = [_write(connection, app, desk, lead, open_[lead.id], who) for lead in leads]
        rings = stage(connection, [each.submission for each in found if each.submission], now=now)
    _settle(app, found, rings)
    if out is not None:
        print_letters(out, found, desk.rules.mode)
    sent = [each.sent for each in found]
    if as_json:
        app.print_json({"campaign": campaign.name, "letters": sent})
    else:
        for line in _lines(sent):
            click.echo(line)
    if any(each.outcome in ("refused", "not_written", "dead") for each in sent):
        ctx.exit(REFUSED)


def _desk(connection: Connection, campaign: Campaign, given: dict[str, str | None]) -> _Desk:
    title, rules = rules_of(connection, campaign)
    templates: dict[AudienceKey, Wording] = {}
    for audience in rules.audiences:
        text = given[audience.key]
        try:
            own = read_template(audience.key, text) if text is not None else None
            templates[audience.key] = own or approved_template(connection, audience.template)
        except LetterError as error:
            raise InputError(f"--{audience.key}-wording: {error}") from error
    footer = wordings.latest(connection, "mail-footer")
    return _Desk(campaign, title, rules, campaigns.list_sales_events(connection), templates, footer)


def _write(connection: Connection, app: App, desk: _Desk, lead: Lead, letter: Letter, who: str | None) -> WrittenLetter:
    contact = contacts.find_contacts(connection, [lead.id]).get(lead.id)
    sent = Sent(
        lead_id=lead.id, key=key_of(lead, contact), name=name_of(lead, contact), audience=letter.audience, outcome="accepted"
    )
    message_id = letter_id(desk.campaign.id, lead.id, letter.tries)
    if messages.find(connection, message_id) is not None:
        # On its way already, from a run before this one: as it was kept then, whatever would be written now.
        return WrittenLetter(sent, message_id, None, kept_letter(connection, message_id))
    hidden = campaigns.hidden_from(connection, lead.id, desk.events)
    facts = [facts_of(event) for event in desk.events if event.id not in hidden]
    listed = upcoming(facts, desk.rules.events, desk.campaign.types, app.service.now())
    by_id = {event.id: event for event in desk.events}
    events = [by_id[each.id] for each in listed]
    template = desk.templates[letter.audience]
    fields = contact.fields if contact else {}
    values = {field: str(fields.get(field, "")) for field in ("name", "company", "last_meeting_topic")}
    said = said_of(connection, events)
    values |= {"rep": lead.owner, "events": attachment(events, said, zone_from(connection, None)) or "(none)"}
    try:
        text = written(template, values)
        if desk.rules.mode == "email":
            text = _by_mail(connection, app, desk, lead, message_id, fields, text)
    except (LetterError, MailError) as error:
        sent.outcome, sent.rule, sent.reason = "not_written", "homework", str(error)
        return WrittenLetter(sent, message_id, None)
    asked_by = who or f"rep:{lead.owner}"
    reference = contacts.save_document(
        connection, document_id(message_id), lead.id, "invitation", text,
        writer=asked_by, written_at=app.service.now(), message_id=message_id,
    )  # fmt: skip
    command = SendInvitation(
        campaign_id=desk.campaign.id,
        audience=letter.audience,
        mode=desk.rules.mode,
        events=tuple(event.id for event in events),
        attachment=attachment_digest(listed),
        wording=template.digest,
        text=reference,
        tries=letter.tries,
        footer=desk.footer.digest if desk.rules.mode == "email" else msgspec.UNSET,
        occurred_at=app.service.now(),
    )
    return WrittenLetter(
        sent, message_id, Submission(id=message_id, stream_id=lead.id, command=command, asked_by=asked_by), text
    )


def _by_mail(
    connection: Connection, app: App, desk: _Desk, lead: Lead, message_id: UUID, fields: Mapping[str, object], text: str
) -> str:
    """Return the whole mail, with our postal address and the way out that other mail has."""
    mail = Mail(
        mail_id=message_id,
        sender=sender_of(connection, lead.owner, app.settings),
        recipient=address_of("the address of this lead", str(fields.get("email") or ""), str(fields.get("name") or "")),
        subject=desk.title,
        text=text,
        sent_at=app.service.now(),
        earlier=(),
        postal_address=app.settings.postal_address,
        footer=desk.footer.text,
        token=token_of(open_pepper(app.settings, app.service.engine), lead.id),
        public_url=app.settings.public_url,
    )
    return compose(mail).decode()


def _settle(app: App, found: Sequence[WrittenLetter], rings: Sequence[Ring]) -> None:
    try:
        app.service.bell.ring(rings)
        seconds = WAIT_SECONDS
    except BellUnavailableError:
        seconds = 0
    for each in found:
        if each.sent.outcome != "accepted":
            continue
        message = await_settled(app.service, each.message_id, seconds)
        if message.outcome is None:
            # Nobody works on them: the others are not waited for, too.
            seconds = 0
        if message.outcome:
            each.sent.outcome = "sent" if message.outcome == "applied" else message.outcome
            each.sent.rule, each.sent.reason = message.rule, message.reason


def _way_out(sent: Sent) -> str:
    if sent.outcome != "refused" or sent.rule is None:
        return ""
    return way_out(sent.rule, "send_invitation", {}, sent.key)


def _lines(sent: Sequence[Sent]) -> list[str]:
    lines = [
        f"{each.outcome.replace('_', ' '):<11} {each.audience:<8} {each.key:<12} {each.name}"
        + (f": {plain(each.reason, 300)}" if each.reason else "")
        + (f"\n  to go on: {out}" if (out := _way_out(each)) else "")
        for each in sent
    ]
    if not sent:
        return ["no letter may leave now; see `thaw campaign letters`"]
    gone, waiting = (sum(each.outcome == outcome for each in sent) for outcome in ("sent", "accepted"))
    lines.append(f"{gone} of {count(len(sent), 'letter')} sent")
    if waiting:
        lines.append(f"{waiting} wait for a worker: do not post them yet. `thaw campaign print` prints them once they are sent")
    return lines
