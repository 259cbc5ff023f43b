"""``thaw campaign print``: letters as they were kept, a file each, to be printed or opened by a mail program."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click
import msgspec

from actors.submit import Submission
from models import contacts, playbooks, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.typed import SLUG
from service.find import find_lead, find_rep
from service.find_campaign import find_campaign
from service.letters import kept_letter, letter_id
from service.wording import count, key_of, name_of
from workflows.campaign import Campaign, Letter
from workflows.invitation_playbook import Invitation
from workflows.lead import Lead


class Sent(msgspec.Struct, kw_only=True):
    """What became of one letter."""

    lead_id: UUID
    key: str
    name: str
    audience: str
    outcome: str
    """``sent``, ``refused``, ``not_written``, ``superseded``, ``dead``, or ``accepted`` (safely kept, and not settled yet)."""
    rule: str | None = None
    reason: str | None = None
    file: str | None = None


class WrittenLetter(NamedTuple):
    """One letter, and the entry that sends it."""

    sent: Sent
    message_id: UUID
    submission: Submission | None
    """Absent when it was not written, or is on its way from an earlier run."""
    text: str = ""


def rules_of(connection: Connection, campaign: Campaign) -> tuple[str, Invitation]:
    """Return the title of the playbook that *campaign* follows, and its rules."""
    pin = campaign.playbook
    playbook = playbooks.playbooks_by_digest(connection, [pin.digest]).get(pin.digest) if pin else None
    if playbook is None or not playbook.invitation:
        raise InputError(f"the playbook of {campaign.name} is not in the database; see `thaw verify`")
    return playbook.title, playbook.invitation


@click.command("print")
@click.argument("name", type=SLUG)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder, one file each.")
@click.option("--rep", "rep_name", help="Only this rep's letters.")
@click.option("--lead", "lead_key", help="Only the letter to this lead.")
@json_option
@pass_app
def print_(app: App, name: str, out: Path, rep_name: str | None, lead_key: str | None, as_json: bool) -> None:
    """Print letters that were sent, word for word as they were kept, those that waited for a worker too."""
    make_folder(out)
    with typed_errors(), transaction(app.service.engine) as connection:
        campaign = find_campaign(connection, name)
        _, rules = rules_of(connection, campaign)
        rep = find_rep(connection, rep_name).name if rep_name else None
        only = find_lead(connection, lead_key).lead.id if lead_key else None
        sent = {UUID(id_): letter for id_, letter in campaign.letters.items() if letter.status == "sent"}
        wanted = [id_ for id_ in sorted(sent) if only in (None, id_) and rep in (None, sent[id_].rep)]
        people = contacts.find_contacts(connection, wanted)
        found = [_kept(connection, campaign, lead, sent[lead.id], people) for lead in views.find_leads(connection, wanted)]
    print_letters(out, found, rules.mode)
    printed = [each.sent for each in found]
    if as_json:
        app.print_json({"campaign": campaign.name, "letters": printed})
        return
    for each in printed:
        click.echo(f"{each.audience:<8} {each.key:<12} {each.name}: {each.file or 'its text was erased'}")
    click.echo(f"{sum(bool(each.file) for each in printed)} of {count(len(printed), 'letter')} printed")


def _kept(
    connection: Connection, campaign: Campaign, lead: Lead, letter: Letter, people: Mapping[UUID, contacts.Contact]
) -> WrittenLetter:
    contact, message_id = people.get(lead.id), letter_id(campaign.id, lead.id, letter.tries)
    sent = Sent(
        lead_id=lead.id, key=key_of(lead, contact), name=name_of(lead, contact), audience=letter.audience, outcome="sent"
    )
    return WrittenLetter(sent, message_id, None, kept_letter(connection, message_id))


def make_folder(out: Path) -> None:
    """Make the folder *out* unless it is there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}; no letter was sent") from error


def print_letters(out: Path, found: Sequence[WrittenLetter], mode: str) -> None:
    """Write those of *found* that were sent to files in *out*, and say in each which."""
    suffix = ".eml" if mode == "email" else ".txt"
    for each in found:
        # What is not decided yet may still be refused: by an objection of this minute, say.
        if each.text and each.sent.outcome == "sent":
            name = re.sub(r"[^\w.-]+", "_", each.sent.key)[:60] or "letter"
            path = out / f"{name}-{each.sent.lead_id.hex[:8]}{suffix}"
            path.write_text(each.text, encoding="utf-8", newline="")
            each.sent.file = str(path)
