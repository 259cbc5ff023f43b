"""One value mail for all who are owed a touch by mail: each judged alone, by the rules and checks that hold for one."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import click
import msgspec

from actors.apply import Applier
from actors.submit import Submission, stage
from models import contacts, leads, messages, views
from models.contacts import Contact
from models.database import Connection, rehearsal, transaction
from models.messages import Ring
from service.cli.answers import typed_errors
from service.cli.app import App, InputError
from service.find import find_rep
from service.mailing.addresses import MailError
from service.times import zone_of
from service.wording import count, key_of, name_of, plain
from workflows.codec import derived_id
from workflows.lead import Lead

#: Makes the mail to the lead that is typed, within a transaction.
Prepare = Callable[[Connection, dict[str, Any]], Submission]

#: What belongs to an entry about one lead.
_OF_ONE = {
    "lead": "LEAD",
    "message_id": "--id",
    "occurred": "--at",
    "preview": "--preview",
    "no_wait": "--no-wait",
    "override": "--override",
}


class OwedMail(msgspec.Struct, frozen=True, kw_only=True):
    """A lead who is owed a touch, and what becomes of it."""

    lead_id: UUID
    key: str
    name: str
    mail: UUID | None = None
    """The mail that was handed in, or would be; None: this lead gets none."""
    rule: str | None = None
    """The rule that refuses it."""
    reason: str | None = None
    """Why this lead gets none, or no other."""


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw mail nurture --owed --json`` prints, longest owed first."""

    asset: str
    dry_run: bool
    mails: tuple[OwedMail, ...]
    left_out: tuple[OwedMail, ...]


def mail_to_owed(app: App, typed: dict[str, Any], prepare: Prepare) -> None:
    """Hand in the mail that is *typed* for everybody who may get it, all in one transaction, and say why the others do not."""
    given = next((option for name, option in _OF_ONE.items() if typed[name]), None)
    if given:
        raise InputError(f"{given} is about one lead, and --owed about all who are owed a touch: leave one of them out")
    with typed_errors(), transaction(app.service.engine) as connection:
        owner = find_rep(connection, typed["rep_name"]).name if typed["rep_name"] else None
        people = list(_owed(connection, app, typed["asset"], owner))
    applier = Applier(app.service.engine, app.service.now, postal_address=app.settings.postal_address)
    judged = [_judge(app, applier, owed, typed, prepare) for owed in people]
    mails = tuple(each for each in judged if each.mail and not each.reason)
    if mails and not typed["dry_run"]:
        rings: list[Ring] = []
        with typed_errors(), transaction(app.service.engine) as connection:
            made = [prepare(connection, _entry(typed, each)) for each in mails]
            rings = stage(connection, made, now=app.service.now())
        app.service.bell.ring_soon(rings)
    left_out = tuple(each for each in judged if each not in mails)
    told = Owed(asset=typed["asset"], dry_run=typed["dry_run"], mails=mails, left_out=left_out)
    if typed["as_json"]:
        app.print_json(told)
    else:
        for line in _lines(told):
            click.echo(line)


def _owed(connection: Connection, app: App, asset: str, owner: str | None) -> Iterator[OwedMail]:
    reps = [owner] if owner else [rep.name for rep in leads.list_reps(connection)]
    for rep in reps:
        day = app.service.now().astimezone(zone_of(views.calendar_of(connection, rep))).date()
        waiting = views.nurture_owed(connection, rep)
        people = contacts.find_contacts(connection, [lead.id for lead in waiting])
        for lead in waiting:
            person = people.get(lead.id)
            # The same on one day is the same mail, whatever runs it.
            yield _of(lead, person, derived_id("owed", lead.id, asset, str(day)))


def _of(lead: Lead, person: Contact | None, mail: UUID) -> OwedMail:
    return OwedMail(lead_id=lead.id, key=key_of(lead, person), name=name_of(lead, person), mail=mail)


def _judge(app: App, applier: Applier, owed: OwedMail, typed: dict[str, Any], prepare: Prepare) -> OwedMail:
    """Let the service decide about one mail as it would, keep nothing of it, and return what it said."""
    assert owed.mail is not None  # noqa: S101  # everybody who is asked about has one
    try:
        with typed_errors(), rehearsal(app.service.engine) as connection:
            known = messages.find(connection, owed.mail)
            if known is None:
                applier.rehearse(connection, prepare(connection, _entry(typed, owed)))
                decided = messages.find(connection, owed.mail)
                refused = decided if decided and decided.outcome == "refused" else None
                if not refused:
                    return owed
                return msgspec.structs.replace(owed, mail=None, rule=refused.rule, reason=refused.reason)
    except (InputError, MailError) as error:
        return msgspec.structs.replace(owed, mail=None, reason=str(error).removeprefix(f"{owed.name}: "))
    became = f"refused ({known.rule}): {known.reason}" if known.outcome == "refused" else known.outcome or "it waits"
    return msgspec.structs.replace(owed, rule=known.rule, reason=f"it was handed in today already; {became}")


def _entry(typed: dict[str, Any], owed: OwedMail) -> dict[str, Any]:
    return {**typed, "lead": str(owed.lead_id), "message_id": owed.mail}


def _lines(told: Owed) -> Iterator[str]:
    verb = "would get" if told.dry_run else "gets"
    for each in told.mails:
        yield f"{plain(each.name)} ({each.key}) {verb} {told.asset}"
    for each in told.left_out:
        rule = f" [{each.rule}]" if each.rule else ""
        yield f"{plain(each.name)} ({each.key}) gets none: {plain(each.reason or '', 500)}{rule}"
    if not told.mails and not told.left_out:
        yield "no touch is owed to anybody"
        return
    done = "would be handed in" if told.dry_run else "handed in"
    yield f"{count(len(told.mails), 'mail')} {done}; {count(len(told.left_out), 'lead')} left out"
