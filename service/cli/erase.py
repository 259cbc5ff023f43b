"""Erasing people, and the ledger of who was erased: what a restored backup must not bring back."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

import click
import msgspec

from models import contacts, erasure, views
from models.contacts import Contact
from models.database import transaction
from models.erasure import Receipt, TextsStanding
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.run import servers_at_hand
from service.cli.typed import TEXT
from service.erasing import Erased, Same, holders, keys_of_person, named_in, reapply, tied
from service.erasing import erase as erase_lead
from service.event_erasing import reapply_texts
from service.find import find_lead
from service.ledger import Entry, Ledger
from service.pepper import fill_keys
from service.restored import compare, compare_texts, is_back
from service.wording import count, key_of_id
from workflows.commands import Name

_KINDS = {"email": "mail address", "person": "name and telephone number", "post": "name and address", "crm": "id in the CRM"}


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another lead that shares identifiers with the erased one."""

    lead_id: UUID
    shares: tuple[str, ...]
    """``email``, ``phone``, ``person`` (name and number), ``post`` (name and address)."""


class ErasedShown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw erase --json`` prints."""

    erased: tuple[Erased, ...]
    same_person: tuple[Other, ...]
    """Leads of the same person that are not erased."""
    same_line: tuple[Other, ...]
    """Leads that share only a telephone line."""
    merged: tuple[UUID, ...]
    """Leads that were merged with it, so of the same person, and are not erased."""


def _asked_by(by: str | None) -> str:
    try:
        return f"operator:{msgspec.convert(by, Name)}" if by is not None else "operator"
    except msgspec.ValidationError as error:
        raise InputError(f"--by {by!r}: {error}") from error


_by_option = click.option("--by", metavar="NAME", help="Who decided it; the log keeps the name.")


@click.command()
@click.argument("lead")
@click.option(
    "--reason", type=TEXT, required=True, help="Why, such as 'asked for it by letter of 3 March'. It stays, so it names nobody."
)
@_by_option
@click.option(
    "--all-of-them", is_flag=True, help="Erase every lead of the same person: same mail address, or name and number, or merged."
)
@json_option
@pass_app
@click.pass_context
def erase(ctx: click.Context, app: App, lead: str, reason: str, by: str | None, all_of_them: bool, as_json: bool) -> None:
    """Erase all personal data of a lead, for good.

    The history stays, without the person: contact, texts and salts are gone, messages are emptied, nothing goes out any more,
    and a hash on the suppression list keeps the person from being taken in again. Repeating it gives the same answer.

    \b
    Exit status: 0 erased, now or before;
                 1 accepted, and not done yet: somebody else holds the lead, and the workers go on with it.
    """
    service, asked_by = app.service, _asked_by(by)
    fill_keys(app.settings, service.engine)
    with typed_errors(), transaction(service.engine) as connection:
        # Somebody else may have that name, and nothing brings back what is erased.
        lead_id = find_lead(connection, lead, by_name=False).lead.id
        keys = keys_of_person(connection, lead_id)
        going = list(keys) if all_of_them else [lead_id]
        known = contacts.find_contacts(connection, going)
    for each in known.values():
        if how := named_in(reason, each):
            raise InputError(f"--reason names the person, by {how}, and would outlive the erasure: say why without that")
    erased = [erase_lead(service, each, reason, asked_by) for each in going]
    with transaction(service.engine) as connection:
        # Looked up now, so that a lead is named that an import took in meanwhile.
        left = holders(connection, [key for each in going for key in keys[each]], but=going)
        merged = tuple(tied(connection, going))
        known = contacts.find_contacts(connection, [each.lead_id for each in (*left.person, *left.line)] + list(merged))
    if as_json:
        same, line = (tuple(Other(lead_id=each.lead_id, shares=each.kinds) for each in group) for group in left)
        app.print_json(ErasedShown(erased=tuple(erased), same_person=same, same_line=line, merged=merged))
    else:
        for sentence in (*(_sentence(each) for each in erased), *_others(left, merged, known)):
            click.echo(sentence)
    if any(each.waits for each in erased):
        ctx.exit(REFUSED)


def _sentence(erased: Erased) -> str:
    what = "lead" if erased.of == "lead" else "what was written about sales event"
    if erased.waits:
        return f"accepted, and not done yet: {what} {erased.lead_id}: {erased.waits}. The workers try again by themselves."
    assert erased.erased_at is not None  # noqa: S101  # a receipt says when
    gone = (
        f"{count(erased.contacts, 'contact')}, {count(erased.documents, 'text')}, {count(erased.messages, 'message')} emptied"
    )
    again = " again" if erased.reapplied else ""
    when = f" on {erased.erased_at.date()} already" if erased.already else ""
    gone = gone if erased.of == "lead" else count(erased.documents, "text")
    return (
        f"erased{again}{when}: {what} {erased.lead_id}: {gone}\n"
        f"receipt: event {erased.version}, at position {erased.position} of the log, {erased.hash}"
    )


def _others(left: Same, merged: tuple[UUID, ...], known: Mapping[UUID, Contact]) -> Iterator[str]:
    for lead_id in merged:
        yield f"the same person, by a merge, is not erased: `thaw erase {key_of_id(lead_id, known.get(lead_id))}`"
    for each in left.person:
        if each.lead_id in merged:
            continue
        how = ", and by ".join(_KINDS[kind] for kind in each.kinds if kind in _KINDS)
        key = key_of_id(each.lead_id, known.get(each.lead_id))
        yield f"the same person, by {how}, is not erased: `thaw erase {key}`"
    for each in left.line:
        yield f"the same telephone number, and perhaps another person: {key_of_id(each.lead_id, known.get(each.lead_id))}"


class ErasureShown(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure, as the ledger and the database have it."""

    lead_id: UUID
    """The lead, or the sales event."""
    of: str
    """``lead``, or ``event``: what was written about a sales event."""
    erased_at: datetime
    """When it was erased first, or was going to be."""
    receipt: str
    """SHA-256 of its event, in hexadecimal; empty when it is not known to be done."""
    in_ledger: bool
    stands: str
    """``erased`` here; ``back``: to be erased again; ``unknown``: it is not in this database; ``waits`` for a worker."""


@click.group()
def erasures() -> None:
    """The ledger of erasures, and what a restored backup brought back."""


@erasures.command("list")
@json_option
@pass_app
@click.pass_context
def list_(ctx: click.Context, app: App, as_json: bool) -> None:
    """List all erasures of the ledger and of this database. Exit status 1 when somebody is back who was erased.

    A login without contacts sees no person who was taken in again and is not registered yet.
    """
    ledger = Ledger(app.settings)
    entries = ledger.entries()
    with servers_at_hand(app.settings):
        standings = compare(app.unguarded.engine, entries)
        texts = compare_texts(app.unguarded.engine, ledger.texts())
        with views.snapshot(app.unguarded.engine) as connection:
            receipts = erasure.receipts(connection)
            of_texts = erasure.texts_receipts(connection)
        app.unguarded.engine.dispose()
    shown = []
    for lead_id, entry in entries.items():
        standing = standings[lead_id]
        stands = "back" if standing.is_back else "erased" if standing.erased_at else "unknown"
        shown.append(_shown(lead_id, entry, stands))
    for lead_id, receipt in receipts.items():
        if lead_id not in entries:
            at = receipt.recorded.occurred_at
            shown.append(
                ErasureShown(
                    lead_id=lead_id, of="lead", erased_at=at, receipt=receipt.hash.hex(), in_ledger=False, stands="erased"
                )
            )
    shown += _texts(texts, of_texts)
    if as_json:
        app.print_json({"ledger": str(ledger.path), "erasures": shown})
    else:
        _print(ledger, shown)
    if any(each.stands == "back" for each in shown):
        ctx.exit(REFUSED)


def _shown(lead_id: UUID, entry: Entry, stands: str) -> ErasureShown:
    line = entry.line
    return ErasureShown(lead_id=lead_id, of=line.of, erased_at=line.at, receipt=line.event, in_ledger=True, stands=stands)


def _texts(compared: Iterable[tuple[Entry, TextsStanding]], receipts: Iterable[Receipt]) -> Iterator[ErasureShown]:
    """Yield the newest erasure of each sales event's texts in the ledger, and those of events that it does not know."""
    named = set()
    for entry, standing in compared:
        named.add(entry.line.lead_id)
        waits = not entry.done and standing.asked is not None and not standing.receipt
        gone = "erased" if standing.receipt or standing.known else "unknown"
        stands = "back" if is_back(entry, standing) else "waits" if waits else gone
        yield _shown(entry.line.lead_id, entry, stands)
    for receipt in receipts:
        recorded = receipt.recorded
        if recorded.stream_id not in named:
            yield ErasureShown(
                lead_id=recorded.stream_id,
                of="event",
                erased_at=recorded.recorded_at,
                receipt=receipt.hash.hex(),
                in_ledger=False,
                stands="erased",
            )


_STANDS = {
    "erased": "erased",
    "back": "BACK in this database: run `thaw erasures reapply`",
    "unknown": "not known to this database; an import refuses it",
    "waits": "asked for, and waits for a worker",
}


def _print(ledger: Ledger, shown: list[ErasureShown]) -> None:
    for each in shown:
        lacking = "" if each.in_ledger else ", and not in the ledger: `thaw erasures reapply` notes it there"
        what = "" if each.of == "lead" else "what was written about a sales event: "
        click.echo(f"{each.lead_id}  {each.erased_at:%Y-%m-%d}  {what}{_STANDS[each.stands]}{lacking}")
    click.echo(f"{count(len(shown), 'erasure')}; the ledger is {ledger.path}")


@erasures.command("reapply")
@_by_option
@json_option
@pass_app
@click.pass_context
def reapply_(ctx: click.Context, app: App, by: str | None, as_json: bool) -> None:
    """Erase everybody again whom the ledger knows to be erased and a restored backup brought back.

    What was written about sales events and erased goes again, too. Each gets a receipt of its own, which names the day of the
    first. The ledger gets the receipts that it lacks.
    """
    asked_by = _asked_by(by)
    with servers_at_hand(app.settings):
        fill_keys(app.settings, app.unguarded.engine)
        erased = [*reapply(app.unguarded, asked_by), *reapply_texts(app.unguarded, asked_by)]
        app.unguarded.engine.dispose()
    if as_json:
        app.print_json({"erased": erased})
    else:
        for each in erased:
            click.echo(_sentence(each))
        click.echo(f"{count(len(erased), 'erasure')} applied again" if erased else "nobody is back who was erased")
    if any(each.waits for each in erased):
        ctx.exit(REFUSED)


COMMANDS = (erase, erasures)
