"""The suppression list: who is on it, whether somebody is, and putting somebody on it. New consent alone takes off (T47)."""

from collections.abc import Sequence
from datetime import date
from typing import get_args

import click
import msgspec

from models import suppressions
from models.database import transaction
from models.suppressions import Listed
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.find import find_lead
from service.imports import values
from service.imports.problems import Unreadable
from service.pepper import Pepper, fill_keys, mail_address, open_pepper, phone_line, rekey
from service.wording import count
from workflows.commands import Mode
from workflows.sentences import words
from workflows.suppression import Kind, covered, reach, verdict

_KINDS: dict[Kind, str] = {
    "email": "mail address", "phone": "telephone number", "person": "name and telephone number", "post": "name and address",
    "crm": "id in the CRM",
}  # fmt: skip


class EntryShown(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the list. Whom it is about stands nowhere."""

    kind: Kind
    hash: str
    """Of the identifier, keyed; hexadecimal."""
    channel: Mode | None
    """None: all."""
    reason: str
    since: date


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw suppressions check --json`` prints."""

    refused: tuple[str, ...]
    """The modes in which nothing goes out."""
    entries: tuple[EntryShown, ...]


@click.group("suppressions")
def list_group() -> None:
    """The list of those who want to hear nothing; it outlives their leads."""


def _shown(listed: Listed) -> EntryShown:
    entry = listed.entry
    hash_ = listed.key.partition(":")[2]
    return EntryShown(kind=entry.kind, hash=hash_, channel=entry.channel, reason=entry.reason, since=entry.since)


def _line(each: EntryShown) -> str:
    what = f"nothing by {words(each.channel)}" if each.channel else "nothing at all"
    return f"{each.since}  {words(each.reason):<10} {what:<28} {_KINDS[each.kind]:<25} {each.hash[:12]}"


@list_group.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List all entries, the oldest first. They are hashes: nobody can be read from them."""
    with transaction(app.service.engine) as connection:
        shown = [_shown(listed) for listed in suppressions.every(connection)]
    if as_json:
        app.print_json({"entries": shown})
        return
    for each in shown:
        click.echo(_line(each))
    click.echo(f"{count(len(shown), 'entry', 'entries')}; a person has several")


_email = click.option("--email", help="A mail address.")
_phone = click.option("--phone", help="A telephone number, such as +15550104477.")
_country = click.option("--country", help="Where a telephone number without + is: US or Germany.")


@list_group.command()
@click.argument("lead", required=False)
@_email
@_phone
@_country
@json_option
@pass_app
@click.pass_context
def check(
    ctx: click.Context,
    app: App,
    lead: str | None,
    email: str | None,
    phone: str | None,
    country: str | None,
    as_json: bool,
) -> None:
    """Tell whether LEAD, a mail address or a telephone number is on the list. Exit status 1 when it is."""
    service = app.service
    if lead is not None and (email or phone):
        raise InputError("name a lead, or --email and --phone, not both")
    if lead is None:
        keys = _keys(open_pepper(app.settings, service.engine, kept=False), email, phone, country)
        with transaction(service.engine) as connection:
            found = suppressions.find(connection, keys)
    else:
        fill_keys(app.settings, service.engine)
        with typed_errors(), transaction(service.engine) as connection:
            found = suppressions.find(connection, suppressions.keys_of(connection, find_lead(connection, lead).lead.id))
    refused = str(verdict(listed.entry for listed in found).inputs.get("modes", "")).split()
    if as_json:
        app.print_json(Checked(refused=tuple(refused), entries=tuple(map(_shown, found))))
    else:
        for listed in found:
            click.echo(_line(_shown(listed)))
        click.echo(f"nothing goes out by {', '.join(map(words, refused))}" if refused else "not on the list")
    if refused:
        ctx.exit(REFUSED)


@list_group.command()
@_email
@_phone
@_country
@click.option("--channel", type=click.Choice(get_args(Mode)), help="Only in this mode. Default: nothing at all.")
@json_option
@pass_app
def add(app: App, email: str | None, phone: str | None, country: str | None, channel: Mode | None, as_json: bool) -> None:
    """Put a mail address or a telephone number on the list, such as one from a do-not-call register.

    It counts from the next touch on, for whatever lead has it. A lead's own objection is `thaw opt-out`.
    """
    service = app.service
    pepper = open_pepper(app.settings, service.engine)
    keys = _keys(pepper, email, phone, country)
    if not email and not covered(channel) & reach("phone"):
        raise InputError(f"a telephone number says nothing of {words(channel or '')}: name the mail address as well")
    with transaction(service.engine) as connection:
        suppressions.lock(connection, alone=True)
        suppressions.add(connection, keys, channel=channel, reason="added", since=service.now().date())
        found = suppressions.find(connection, keys)
    if as_json:
        app.print_json({"entries": list(map(_shown, found))})
    else:
        for listed in found:
            click.echo(_line(_shown(listed)))


def _keys(pepper: Pepper, email: str | None, phone: str | None, country: str | None) -> Sequence[str]:
    try:
        keys = [pepper.key("email", mail_address(values.email(email)))] if email else []
        if phone:
            place = values.country(country) if country else None
            if not phone.strip().startswith("+") and place is None:
                raise InputError(f"--phone {phone}: which country? Begin with +, as in +15550104477, or name it with --country")
            keys.append(pepper.key("phone", phone_line(phone, place)))
    except Unreadable as error:
        raise InputError(f"{error.message} {error.suggestion}") from error
    if not keys:
        raise InputError("name somebody: --email, --phone, or both")
    return keys


@list_group.command("rekey")
@json_option
@pass_app
def rekey_(app: App, as_json: bool) -> None:
    """Key the list anew, because the secret that it was keyed with is lost for good.

    People who are known stay on the list. Entries of people who are not, above all of those who were erased, stand for nobody
    any more: an import then recognises them by the CRM's id alone.
    """
    pepper, left = rekey(app.settings, app.service.engine)
    if as_json:
        app.print_json({"fingerprint": pepper.fingerprint, "left_behind": left})
    else:
        click.echo(
            f"keyed anew with the secret {pepper.fingerprint}; {count(left, 'entry', 'entries')} stand for nobody any more"
        )


COMMANDS = (list_group,)
