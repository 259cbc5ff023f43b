"""Personal data: contacts and documents. The log holds only salted commitments to what is here.

A commitment is SHA-256 over a random salt of 16 bytes and the canonical text. Erasing a person removes text and salt, and
nobody can then test a guess against the log.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from models.tables import contacts, documents
from workflows.codec import canonical
from workflows.commands import Reference


class Contact(NamedTuple):
    """A lead's personal data as the CRM gave it."""

    lead_id: UUID
    source: str
    external_id: str
    fields: dict[str, Any]
    commitment: str


class NewContact(NamedTuple):
    """A contact to write, with its fresh salt."""

    lead_id: UUID
    source: str
    external_id: str
    fields: dict[str, Any]
    salt: bytes
    commitment: str
    keys: Sequence[str] | None = None
    """What identifies the person, as `service.pepper` makes it; None leaves it to be worked out."""


def commit_to(content: bytes) -> tuple[bytes, str]:
    """Return a fresh salt and the commitment to *content* under it."""
    salt = secrets.token_bytes(16)
    return salt, hashlib.sha256(salt + content).hexdigest()


def new_contact(
    lead_id: UUID, source: str, external_id: str, fields: dict[str, Any], keys: Sequence[str] | None = None
) -> NewContact:
    """Return a contact ready to write; *fields* holds strings, integers, booleans and lists of those."""
    salt, commitment = commit_to(canonical(fields))
    return NewContact(lead_id, source, external_id, fields, salt, commitment, keys)


def save_contacts(connection: Connection, new: Sequence[NewContact]) -> None:
    """Write contacts, replacing the data of those that are known."""
    if not new:
        return
    statement = insert(contacts).values([contact._asdict() for contact in new])
    changed = {name: statement.excluded[name] for name in ("fields", "salt", "commitment", "keys")}
    connection.execute(statement.on_conflict_do_update(index_elements=["lead_id"], set_=changed))


def are_open(connection: Connection) -> bool:
    """Tell whether this login may read personal data: an auditor need not."""
    known: dict[str, bool] = connection.info
    if "contacts_are_open" not in known:
        allowed = connection.scalar(text("SELECT has_table_privilege('contacts', 'SELECT')"))
        known["contacts_are_open"] = bool(allowed)
    return known["contacts_are_open"]


def find_contacts(connection: Connection, lead_ids: Sequence[UUID]) -> dict[UUID, Contact]:
    """Return the contacts of *lead_ids*; an erased or unknown one is missing, and all are where they are closed to us."""
    if not are_open(connection):
        return {}
    rows = connection.execute(
        text("SELECT lead_id, source, external_id, fields, commitment FROM contacts WHERE lead_id = ANY(:ids)"),
        {"ids": list(lead_ids)},
    )
    return {row[0]: Contact(*row) for row in rows}


def find_by_external_id(connection: Connection, external_id: str, source: str | None = None) -> list[Contact]:
    """Return the contacts with *external_id*, of every source or of one; none where they are closed to us."""
    if not are_open(connection):
        return []
    rows = connection.execute(
        text(
            "SELECT lead_id, source, external_id, fields, commitment FROM contacts WHERE external_id = :external_id "
            "AND (CAST(:source AS text) IS NULL OR source = :source) ORDER BY source"
        ),
        {"external_id": external_id, "source": source},
    )
    return [Contact(*row) for row in rows]


def find_by_name(connection: Connection, name: str, most: int) -> list[Contact]:
    """Return at most *most* contacts called *name* in name or id, in capital or small letters; none where they are closed."""
    if not are_open(connection):
        return []
    rows = connection.execute(
        text(
            "SELECT lead_id, source, external_id, fields, commitment FROM contacts "
            "WHERE lower(fields->>'name') = lower(:name) OR lower(external_id) = lower(:name) "
            "ORDER BY source, external_id LIMIT :most"
        ),
        {"name": name, "most": most},
    )
    return [Contact(*row) for row in rows]


def find_resembling(connection: Connection, beginnings: Sequence[str], id_: str, most: int) -> list[Contact]:
    """Return at most *most* contacts with a word in the name that begins with one of *beginnings*, and those whose id in the
    CRM is *id_* but for zeros before a number; none where they are closed to us."""
    if not are_open(connection):
        return []
    unpadded = "regexp_replace(lower({}), '(^|[^0-9])0+([0-9])', '\\1\\2', 'g')"
    rows = connection.execute(
        text(
            "SELECT lead_id, source, external_id, fields, commitment FROM contacts "
            f"WHERE {unpadded.format('external_id')} = {unpadded.format('CAST(:id AS text)')} OR EXISTS ("
            "SELECT 1 FROM unnest(CAST(:beginnings AS text[])) AS beginning "
            "WHERE strpos(' ' || lower(fields->>'name'), ' ' || lower(beginning)) > 0) "
            "ORDER BY source, external_id LIMIT :most"
        ),
        {"beginnings": list(beginnings), "id": id_, "most": most},
    )
    return [Contact(*row) for row in rows]


def save_document(
    connection: Connection,
    document_id: UUID,
    lead_id: UUID,
    kind: str,
    body: str,
    *,
    writer: str | None = None,
    written_at: datetime | None = None,
    message_id: UUID | None = None,
) -> Reference:
    """Keep *body* outside the log and return the reference for the log. The same id again keeps the first text's salt.

    *message_id* is the message that hands it in; texts are compared with those of messages that were applied.

    Raises
    ------
    ValueError
        When the id is taken by another text.
    """
    salt, commitment = commit_to(body.encode())
    statement = insert(documents).values(
        id=document_id,
        lead_id=lead_id,
        kind=kind,
        body=body,
        salt=salt,
        commitment=commitment,
        writer=writer,
        written_at=written_at,
        message_id=message_id,
    )
    if not connection.execute(statement.on_conflict_do_nothing().returning(documents.c.id)).scalar():
        known = connection.execute(documents.select().where(documents.c.id == document_id)).one()
        if known.body != body or known.lead_id != lead_id:
            raise ValueError(f"the document id {document_id} is taken by another text")
        commitment = known.commitment
    return Reference(document_id=document_id, commitment=commitment)


def find_documents(connection: Connection, document_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the texts of documents; unknown and erased ones are missing."""
    rows = connection.execute(text("SELECT id, body FROM documents WHERE id = ANY(:ids)"), {"ids": list(document_ids)})
    return {row.id: row.body for row in rows}


def find_document(connection: Connection, document_id: UUID) -> str | None:
    """Return a document's text, or None when it is unknown or erased."""
    body: str | None = connection.scalar(text("SELECT body FROM documents WHERE id = :id"), {"id": document_id})
    return body
