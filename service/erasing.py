"""Erasing a person: found under every lead, noted in the ledger, applied here and now, and answered with the receipt."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

import msgspec

from actors.submit import Submission, stage
from models import contacts, erasure, messages, suppressions, views
from models.contacts import Contact
from models.database import Connection, DatabaseUnavailableError, ErasedError, ModelError, transaction
from models.erasure import Receipt
from models.merges import merged_with
from models.messages import Ring
from models.suppressions import Namesake
from service.ledger import Book, Entry, Ledger, Line
from service.restored import compare, complete
from service.wiring import Service
from workflows.codec import derived_id
from workflows.commands import EraseLead
from workflows.events import LeadErased
from workflows.suppression import Kind

#: How often a lead is tried at once that somebody else holds, two seconds each time.
TRIES = 3

#: Identifiers that are one person's; a telephone line may be shared.
PERSONAL: frozenset[Kind] = frozenset({"email", "person", "post", "crm"})


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the receipt, the same however often it is asked for; without one, what keeps the lead."""

    lead_id: UUID
    """The lead, or the sales event."""
    of: Literal["lead", "event"] = "lead"
    """Of an *event* what was written about it was erased."""
    erased_at: datetime | None = None
    """When it was erased first."""
    position: int | None = None
    """Of the receipt in the log."""
    version: int | None = None
    hash: str | None = None
    """SHA-256 of the receipt, in hexadecimal; the ledger has it too."""
    contacts: int = 0
    documents: int = 0
    messages: int = 0
    reapplied: bool = False
    already: bool = False
    """It had been erased before."""
    waits: str = ""
    """Why it is accepted and not done yet."""


class Same(NamedTuple):
    """The leads to which identifiers belong."""

    person: list[Namesake]
    """Of the same person, as a mail address, a name with a number or an address say."""
    line: list[Namesake]
    """Only a telephone line is shared, as in a household or behind a switchboard."""


def holders(connection: Connection, keys: Sequence[str], *, but: Sequence[UUID] = ()) -> Same:
    """Return the leads to which *keys* belong, without those of *but*."""
    found = [each for each in suppressions.namesakes(connection, keys) if each.lead_id not in but]
    person = [each for each in found if not PERSONAL.isdisjoint(each.kinds)]
    return Same(person, [each for each in found if each not in person])


def keys_of_person(connection: Connection, lead_id: UUID) -> dict[UUID, list[str]]:
    """Return the lead and all others of the same person, each with its keys: namesakes, theirs, and who was merged with any."""
    known: dict[UUID, list[str]] = {}
    waiting = [lead_id]
    while waiting:
        each = waiting.pop()
        known[each] = suppressions.keys_of(connection, each)
        others = [other.lead_id for other in holders(connection, known[each]).person] + tied(connection, [each])
        waiting += [other for other in dict.fromkeys(others) if other not in {*known, *waiting}]
    return known


def tied(connection: Connection, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Return the leads that were merged with those of *lead_ids* and are not erased yet, by id."""
    others = views.find_leads(connection, sorted(merged_with(connection, lead_ids)))
    return [lead.id for lead in others if not lead.erased_at]


def named_in(words: str, contact: Contact) -> str:
    """Return by what *words*, which outlive an erasure, name the person behind *contact*; empty when they do not."""
    folded = words.casefold()
    if str(contact.fields.get("email") or "\0").casefold() in folded:
        return "mail address"
    if not set(re.findall(r"\w{3,}", str(contact.fields.get("name", "")).casefold())).isdisjoint(re.findall(r"\w+", folded)):
        return "name"
    digits = "".join(re.findall(r"\d", str(contact.fields.get("phone", "")).partition(";")[0]))
    if len(digits) >= 6 and digits[-6:] in re.sub(r"[\s().-]", "", words):
        return "telephone number"
    return "id in the CRM" if contact.external_id in words and len(contact.external_id) >= 3 else ""


def erase(service: Service, lead_id: UUID, reason: str, asked_by: str) -> Erased:
    """Erase the lead, with the *reason* that stays, and return the receipt; the first one, if it was erased before.

    Raises
    ------
    LedgerError
        When the ledger cannot be written; nothing was erased.
    ModelError
        When PostgreSQL refused or is away. If it went away at the commit itself, the ledger holds the intention, and nothing
        is served until ``thaw erasures reapply`` has seen to it.
    """
    with Ledger(service.settings).writing() as book:
        receipt = _receipt(service, lead_id)
        if receipt is None:
            ring = _intend(service, book, lead_id, reason, asked_by)
            if ring is not None:
                return _carry_out(service, book, ring)
            receipt = _receipt(service, lead_id)
        elif lead_id not in book.entries():
            book.close_with(receipt)
    assert receipt is not None  # noqa: S101  # the database has just refused to take in anything about an erased lead
    return _answer(receipt, already=True)


def _intend(service: Service, book: Book, lead_id: UUID, reason: str, asked_by: str) -> Ring | None:
    """Note the intention and stage the command; None when another machine was faster."""
    line: Line | None = None
    message_id = uuid4()
    try:
        with transaction(service.engine) as connection:
            document_id = derived_id("document", message_id, "reason")
            kept = contacts.save_document(connection, document_id, lead_id, "erasure_reason", reason)
            submission = Submission(id=message_id, stream_id=lead_id, command=EraseLead(reason=kept), asked_by=asked_by)
            rings = stage(connection, [submission], now=service.now())
            line = Line(kind="intended", lead_id=lead_id, message_id=message_id, at=service.now(), reason=kept)
            # Before the commit: should this process end right behind it, the next start knows what to look for.
            book.append(line)
    except DatabaseUnavailableError:
        raise
    except ModelError as error:
        if line is not None:
            book.append(msgspec.structs.replace(line, kind="withdrawn"))
        if isinstance(error, ErasedError):
            return None
        raise
    return rings[0]


def _carry_out(service: Service, book: Book, ring: Ring) -> Erased:
    """Apply the command of *ring* in this process, as a worker would, and note the receipt."""
    for _ in range(TRIES):
        service.runtime.committer.apply_all([ring])
        receipt = _receipt(service, ring.stream_id)
        if receipt is not None:
            book.close_with(receipt)
            return _answer(receipt, already=receipt.recorded.message_id != ring.message_id)
    with transaction(service.engine) as connection:
        message = messages.find(connection, ring.message_id)
    return Erased(lead_id=ring.stream_id, waits=(message.error if message else None) or "somebody else holds the lead")


def reapply(service: Service, asked_by: str) -> list[Erased]:
    """Erase everybody again whom the ledger knows to be erased and this database knows; return the receipts, oldest first.

    The ledger gets the receipts that it lacks. Raises as `erase` does.
    """
    ledger = Ledger(service.settings)
    complete(ledger, service.engine)
    answers = []
    with ledger.writing() as book:
        entries = book.entries()
        for lead_id, standing in compare(service.engine, entries).items():
            if standing.is_back:
                if not standing.registered:
                    _register(service, lead_id)
                answers.append(_carry_out(service, book, _ring_again(service, entries[lead_id], asked_by)))
    return answers


def _register(service: Service, lead_id: UUID) -> None:
    """Apply what waits for a lead that was taken in and is not registered yet: only then can it be erased."""
    with transaction(service.engine) as connection:
        waiting = messages.waiting_for(connection, lead_id)
    service.runtime.committer.apply_all(waiting)


def _ring_again(service: Service, entry: Entry, asked_by: str) -> Ring:
    """Return a ring for the command that erases the lead of *entry*: the one that waits already, or a new one."""
    line = entry.line
    with transaction(service.engine) as connection:
        waits = messages.find(connection, line.message_id)
        if waits is not None and waits.settled_at is None:
            return Ring(waits.id, waits.stream_id, waits.actor_name, waits.id, 1)
        command = EraseLead(reason=line.reason, first_erased_at=line.at if entry.done else None)
        submission = Submission(
            id=derived_id("erase again", line.lead_id, line.event, line.message_id),
            stream_id=line.lead_id,
            command=command,
            asked_by=asked_by,
        )
        (ring,) = stage(connection, [submission], now=service.now())
    return ring


def _receipt(service: Service, lead_id: UUID) -> Receipt | None:
    with transaction(service.engine) as connection:
        return erasure.receipts(connection, [lead_id]).get(lead_id)


def _answer(receipt: Receipt, *, already: bool) -> Erased:
    recorded, data = receipt.recorded, receipt.recorded.data
    assert isinstance(data, LeadErased)  # noqa: S101  # what a receipt holds
    return Erased(
        lead_id=recorded.stream_id,
        erased_at=data.erased_at,
        position=receipt.position,
        version=recorded.version,
        hash=receipt.hash.hex(),
        contacts=int(data.contact is not None),
        documents=len(data.documents),
        messages=data.messages,
        reapplied=data.reapplied,
        already=already,
    )
