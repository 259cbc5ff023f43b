"""Taking a person's data away for good: contact, texts, and whatever messages still say."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import contacts
from models.database import take_as_long_as_needed
from workflows.events import Holdings, Recorded, decode_recorded

_empty_messages = text("""
    UPDATE messages SET body = '{}', "then" = NULL, error = NULL, traceback = NULL,
           settled_at = coalesce(settled_at, clock_timestamp()),
           worker = CASE WHEN outcome IS NOT NULL AND outcome <> 'dead' THEN worker END,
           outcome = CASE WHEN outcome IS NOT NULL AND outcome <> 'dead' THEN outcome
                          WHEN EXISTS (SELECT FROM events WHERE message_id = messages.id) THEN 'applied'
                          ELSE 'superseded' END,
           reason = CASE WHEN outcome IS NULL OR outcome = 'dead' THEN 'the lead was erased' ELSE reason END
     WHERE stream_id = :lead_id AND id <> :kept AND body <> '{}'
       AND NOT (actor_name = :taking_in AND (outcome IS NULL OR outcome = 'dead'))
""")

_forget_errors = text("""
    UPDATE messages SET error = NULL, traceback = NULL
     WHERE stream_id = :lead_id AND actor_name = :taking_in AND (settled_at IS NULL OR outcome = 'dead') AND error IS NOT NULL
""")

#: The actor of a message that says that a duplicate was merged into the lead.
_TAKING_IN = "duplicate_taken_in"


def remove(connection: Connection, lead_id: UUID, *, reason_id: UUID, message_id: UUID) -> Holdings:
    """Remove all personal data of a lead whose row the caller has locked; return what there was.

    What stays is the document *reason_id*, which says why, and the message *message_id*, which asks for this. All other
    messages of the lead are emptied, and those that waited or were dead are superseded, but for a mail that is on its way: of
    that the log has an event already; and but for a duplicate on its way, which is to hear of the erasure in answer: that
    message holds no personal data. There is no index over settled messages, so that all are looked at once.
    """
    take_as_long_as_needed(connection)
    contact = connection.scalar(text("DELETE FROM contacts WHERE lead_id = :id RETURNING commitment"), {"id": lead_id})
    documents = connection.scalars(
        text("DELETE FROM documents WHERE lead_id = :id AND id <> :kept RETURNING commitment"),
        {"id": lead_id, "kept": reason_id},
    ).all()
    values = {"lead_id": lead_id, "kept": message_id, "taking_in": _TAKING_IN}
    emptied = connection.execute(_empty_messages, values).rowcount
    connection.execute(_forget_errors, values)
    return Holdings(contact=contact, documents=tuple(sorted(documents)), messages=emptied)


_erasures = """
    SELECT CAST(body::jsonb #>> '{command,reason,document_id}' AS uuid) FROM events
     WHERE stream_id = :id AND body::jsonb #>> '{command,command}' = 'erase_event_texts' AND type
"""
_texts = text(f"""
    SELECT commitment, id IN ({_erasures} = 'command_refused') AS asked_in_vain FROM documents
     WHERE lead_id = :id AND id <> ALL(:but) AND id NOT IN ({_erasures} = 'event_texts_erased')
     ORDER BY commitment
""")
_remove_texts = text(f"""
    DELETE FROM documents
     WHERE lead_id = :id AND id <> ALL(:but) AND id NOT IN ({_erasures} = 'event_texts_erased')
""")


def texts_of(connection: Connection, event_id: UUID, *, but: Collection[UUID]) -> tuple[str, ...]:
    """Return the commitments of what an erasure of a sales event's texts would remove, in order: not the documents *but*, nor
    the reasons that the receipts of earlier erasures name. Where all that is left says why an erasure was asked for in vain,
    that is nothing.
    """
    rows = connection.execute(_texts, {"id": event_id, "but": list(but)}).all()
    return () if all(row.asked_in_vain for row in rows) else tuple(row.commitment for row in rows)


def remove_texts(connection: Connection, event_id: UUID, *, but: Collection[UUID]) -> None:
    """Remove what `texts_of` says, with the salts."""
    connection.execute(_remove_texts, {"id": event_id, "but": list(but)})


class Standing(NamedTuple):
    """What this database holds of a lead that a ledger says was erased."""

    registered: bool
    erased_at: datetime | None
    has_contact: bool

    @property
    def is_back(self) -> bool:
        """Whether there is something to erase: an older backup brought it back."""
        return self.erased_at is None and (self.registered or self.has_contact)


_standings = """
    SELECT given.id, l.id IS NOT NULL AS registered, l.erased_at, {contact} AS has_contact
      FROM unnest(CAST(:ids AS uuid[])) AS given (id) LEFT JOIN leads l ON l.id = given.id
"""
_has_contact = "EXISTS (SELECT FROM contacts c WHERE c.lead_id = given.id)"


def standings(connection: Connection, lead_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return how each of *lead_ids* stands in this database; where contacts are closed to this login, as if there were none."""
    statement = _standings.format(contact=_has_contact if contacts.are_open(connection) else "false")
    rows = connection.execute(text(statement), {"ids": list(lead_ids)})
    return {row.id: Standing(row.registered, row.erased_at, row.has_contact) for row in rows}


class TextsStanding(NamedTuple):
    """What this database holds of an erasure of a sales event's texts that a ledger names."""

    known: bool
    """The event is in it."""
    receipt: bool
    """The receipt is in the log."""
    left: bool
    """There are texts that the erasure would remove."""
    asked: str | None
    """What became of the message that asked for it: ``waits``, or its outcome; None when it is not here."""


_texts_standing = text("""
    SELECT EXISTS (SELECT FROM sales_events WHERE id = :id) AS known,
           EXISTS (SELECT FROM events WHERE stream_id = :id AND type = 'event_texts_erased'
                      AND (hash = :receipt OR message_id = :message_id)) AS receipt,
           (SELECT coalesce(outcome, 'waits') FROM messages WHERE id = :message_id) AS asked
""")


def texts_standing(connection: Connection, event_id: UUID, *, message_id: UUID, receipt: bytes) -> TextsStanding:
    """Return how an erasure stands in this database; where texts are closed to this login, as if those of a known event were
    left. The *receipt* is its hash, empty when it is not known.
    """
    row = connection.execute(_texts_standing, {"id": event_id, "message_id": message_id, "receipt": receipt}).one()
    left = bool(texts_of(connection, event_id, but=())) if contacts.are_open(connection) else row.known
    return TextsStanding(row.known, row.receipt, left, row.asked)


class Receipt(NamedTuple):
    """The event by which a lead, or what was written about a sales event, was erased."""

    position: int
    hash: bytes
    recorded: Recorded


def sources(connection: Connection) -> list[str]:
    """Return the CRMs from which leads came that were erased."""
    statement = text("SELECT DISTINCT body::jsonb ->> 'source' FROM leads WHERE erased_at IS NOT NULL")
    return list(connection.scalars(statement))


_receipts = text("""
    SELECT position, hash, body FROM events
     WHERE type = 'lead_erased' AND stream_id = ANY(SELECT id FROM leads WHERE erased_at IS NOT NULL)
       AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
     ORDER BY position
""")


def receipts(connection: Connection, lead_ids: Collection[UUID] | None = None) -> dict[UUID, Receipt]:
    """Return the receipts of all erasures, or of those of *lead_ids*, in the order of the log."""
    rows = connection.execute(_receipts, {"ids": list(lead_ids) if lead_ids is not None else None})
    found = (Receipt(row.position, row.hash, decode_recorded(row.body.encode())) for row in rows)
    return {receipt.recorded.stream_id: receipt for receipt in found}


_texts_receipts = text("""
    SELECT position, hash, body FROM events
     WHERE type = 'event_texts_erased'
       AND stream_id = ANY(SELECT id FROM sales_events WHERE body::jsonb ->> 'erased_at' IS NOT NULL)
     ORDER BY position
""")


def texts_receipts(connection: Connection) -> list[Receipt]:
    """Return the receipts of all erasures of what was written about sales events, in the order of the log."""
    rows = connection.execute(_texts_receipts)
    return [Receipt(row.position, row.hash, decode_recorded(row.body.encode())) for row in rows]
