"""``thaw campaign send``: the letters that may leave today, written, kept, printed, and recorded as sent."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click
import msgspec

from actors.bell import BellUnavailableError
from actors.submit import Submission, stage
from models import campaigns, contacts, messages, playbooks, views
from models.database import Connection, transaction
from models.messages import Ring
from service.cli.answers import await_settled, typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.entries import zone_from
from service.cli.typed import SLUG, TEXT_FILE, WHO
from service.find import find_lead, find_rep
from service.find_campaign import find_campaign
from service.invitation_letters import (
    LetterError,
    Template,
    attachment,
    read_template,
    shipped_template,
    words_of_events,
    written,
)
from service.wording import count, key_of, name_of, plain
from workflows.campaign import Campaign, Letter
from workflows.campaign_commands import AudienceKey, SendInvitation
from workflows.codec import derived_id
from workflows.event_list import attachment_digest, upcoming
from workflows.invitation_playbook import Invitation
from workflows.lead import Lead
from workflows.sales_event import SalesEvent, facts_of


class Sent(msgspec.Struct, kw_only=True):
    """What became of one letter."""

    lead_id: UUID
    key: str
    name: str
    audience: str
    outcome: str
    """``sent``, ``refused``, ``not_written`` or ``accepted`` (safely kept, and not settled yet)."""
    rule: str | None = None
    reason: str | None = None
    file: str | None = None


class _Written(NamedTuple):
    sent: Sent
    submission: Submission | None
    text: str = ""


class _Desk(NamedTuple):
    """What all letters of one run share."""

    campaign: Campaign
    rules: Invitation
    events: Sequence[SalesEvent]
    """All of them."""
    templates: dict[AudienceKey, Template]


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
        _make_folder(out)
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
        _print(out, found)
    sent = [each.sent for each in found]
    if as_json:
        app.print_json({"campaign": campaign.name, "letters": sent})
    else:
        for line in _lines(sent):
            click.echo(line)
    if any(each.outcome in ("refused", "not_written", "dead") for each in sent):
        ctx.exit(REFUSED)


def _desk(connection: Connection, campaign: Campaign, given: dict[str, str | None]) -> _Desk:
    pin = campaign.playbook
    playbook = playbooks.playbooks_by_digest(connection, [pin.digest]).get(pin.digest) if pin else None
    if playbook is None or not playbook.invitation:
        raise InputError(f"the playbook of {campaign.name} is not in the database; see `thaw verify`")
    rules = playbook.invitation
    templates: dict[AudienceKey, Template] = {}
    for audience in rules.audiences:
        text = given[audience.key]
        try:
            templates[audience.key] = read_template(text) if text is not None else shipped_template(audience.template)
        except LetterError as error:
            raise InputError(f"--{audience.key}-wording: {error}") from error
    return _Desk(campaign, rules, campaigns.list_sales_events(connection), templates)


def _write(connection: Connection, app: App, desk: _Desk, lead: Lead, letter: Letter, who: str | None) -> _Written:
    now = app.service.now()
    contact = contacts.find_contacts(connection, [lead.id]).get(lead.id)
    fields = contact.fields if contact else {}
    sent = Sent(
        lead_id=lead.id, key=key_of(lead, contact), name=name_of(lead, contact), audience=letter.audience, outcome="accepted"
    )
    hidden = campaigns.hidden_from(connection, lead.id, desk.events)
    facts = [facts_of(event) for event in desk.events if event.id not in hidden]
    listed = upcoming(facts, desk.rules.events, desk.campaign.types, now)
    by_id = {event.id: event for event in desk.events}
    events = [by_id[each.id] for each in listed]
    template = desk.templates[letter.audience]
    values = {field: str(fields.get(field, "")) for field in ("name", "company", "last_meeting_topic")}
    zone = zone_from(connection, lead.timezone or None)
    values |= {"rep": lead.owner, "events": attachment(events, words_of_events(connection, events), zone) or "(none)"}
    try:
        text = written(template, values)
    except LetterError as error:
        sent.outcome, sent.rule, sent.reason = "not_written", "homework", str(error)
        return _Written(sent, None)
    message_id = derived_id("letter", desk.campaign.id, lead.id, letter.tries)
    asked_by = who or f"rep:{lead.owner}"
    before = messages.find(connection, message_id)
    if before is not None:
        # On its way already, from a run before this one; whatever became of it is told.
        command = None
    else:
        reference = contacts.save_document(
            connection, derived_id("document", message_id, "invitation"), lead.id, "invitation", text,
            writer=asked_by, written_at=now, message_id=message_id,
        )  # fmt: skip
        command = SendInvitation(
            campaign_id=desk.campaign.id,
            audience=letter.audience,
            mode=desk.rules.mode,
            events=tuple(event.id for event in events),
            attachment=attachment_digest(listed),
            wording=template.digest,
            text=reference,
            occurred_at=now,
        )
    if command is None:
        return _Written(sent, None, text)
    return _Written(sent, Submission(id=message_id, stream_id=lead.id, command=command, asked_by=asked_by), text)


def _settle(app: App, found: Sequence[_Written], rings: Sequence[Ring]) -> None:
    try:
        app.service.bell.ring(rings)
    except BellUnavailableError:
        return
    for each in found:
        if each.submission is None:
            continue
        message = await_settled(app.service, each.submission.id)
        if message.outcome:
            each.sent.outcome = "sent" if message.outcome == "applied" else message.outcome
            each.sent.rule, each.sent.reason = message.rule, message.reason


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}; no letter was sent") from error


def _print(out: Path, found: Sequence[_Written]) -> None:
    for each in found:
        # What is not decided yet may still be refused: by an objection of this minute, say.
        if each.text and each.sent.outcome == "sent":
            name = re.sub(r"[^\w.-]+", "_", each.sent.key)[:60] or "letter"
            path = out / f"{name}-{each.sent.lead_id.hex[:8]}.txt"
            path.write_text(each.text, encoding="utf-8")
            each.sent.file = str(path)


def _lines(sent: Sequence[Sent]) -> list[str]:
    lines = [
        f"{each.outcome.replace('_', ' '):<11} {each.audience:<8} {each.key:<12} {each.name}"
        + (f": {plain(each.reason, 300)}" if each.reason else "")
        for each in sent
    ]
    gone = sum(each.outcome == "sent" for each in sent)
    return [
        *lines,
        f"{gone} of {count(len(sent), 'letter')} sent" if sent else "no letter may leave now; see `thaw campaign letters`",
    ]
