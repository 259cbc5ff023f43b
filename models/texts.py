"""What content checks read: the words that go out, what is known of the lead, and what the team sent before."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models.database import ask


class Written(NamedTuple):
    """A text that was kept, and for whom."""

    id: UUID
    lead_id: UUID
    body: str
    writer: str | None
    written_at: datetime | None
    names: tuple[str, ...] = ()
    """Of the lead that it was for, person and company, where they were asked for and are known."""


def are_open(connection: Connection) -> bool:
    """Tell whether this login may read texts: an auditor need not."""
    return bool(connection.scalar(text("SELECT has_table_privilege('documents', 'SELECT')")))


def find_texts(connection: Connection, document_ids: Collection[UUID]) -> dict[UUID, Written]:
    """Return texts by their ids; those that are unknown or erased are missing."""
    if not document_ids:
        return {}
    statement = "SELECT id, lead_id, body, writer, written_at FROM documents WHERE id = ANY(%(ids)s)"
    return {row[0]: Written(*row) for row in ask(connection, statement, {"ids": list(document_ids)})}


def sent_before(connection: Connection, of: Written, kind: str, *, since: datetime) -> list[Written]:
    """Return the team's texts of *kind* for other leads since *since*, newest first: those that went out, or are about to.

    Each comes with the names of its lead.
    """
    rows = connection.execute(
        text(
            "SELECT d.id, d.lead_id, d.body, d.writer, d.written_at, c.fields ->> 'name', c.fields ->> 'company' "
            "FROM documents d LEFT JOIN messages m ON m.id = d.message_id LEFT JOIN contacts c ON c.lead_id = d.lead_id "
            "WHERE d.kind = :kind AND d.written_at >= :since AND d.lead_id <> :lead_id "
            "AND (m.outcome = 'applied' OR m.settled_at IS NULL AND (d.written_at, d.id) < (:written_at, :id)) "
            "ORDER BY d.written_at DESC, d.id"
        ),
        {"kind": kind, "since": since, "lead_id": of.lead_id, "written_at": of.written_at, "id": of.id},
    )
    return [
        Written(id_, lead_id, body, writer, written_at, tuple(name for name in names if name))
        for id_, lead_id, body, writer, written_at, *names in rows
    ]


def sent_to_others(connection: Connection, lead_id: UUID, kind: str, body: str) -> list[UUID]:
    """Return the leads other than *lead_id* to whom the same *body* of that *kind* went out, the latest first."""
    found = connection.execute(
        text(
            "SELECT d.lead_id FROM documents d JOIN messages m ON m.id = d.message_id "
            "WHERE d.kind = :kind AND d.body = :body AND d.lead_id <> :lead_id AND m.outcome = 'applied' "
            "ORDER BY d.written_at DESC, d.id"
        ),
        {"kind": kind, "body": body, "lead_id": lead_id},
    )
    return list(dict.fromkeys(found.scalars()))


def names_of_leads(connection: Connection, owner: str, *, but: UUID) -> Sequence[str]:
    """Return the names of all leads of *owner* except *but*."""
    rows = connection.execute(
        text(
            "SELECT c.fields ->> 'name' FROM leads l JOIN contacts c ON c.lead_id = l.id "
            "WHERE l.owner = :owner AND l.id <> :but AND c.fields ->> 'name' IS NOT NULL"
        ),
        {"owner": owner, "but": but},
    )
    return [row[0] for row in rows]


def facts_about(connection: Connection, lead_id: UUID) -> dict[str, Any]:
    """Return the contact's fields; empty when they are unknown or erased."""
    fields: dict[str, Any] | None = connection.scalar(text("SELECT fields FROM contacts WHERE lead_id = :id"), {"id": lead_id})
    return fields or {}


def latest(connection: Connection, lead_id: UUID, kind: str) -> str:
    """Return the newest text of *kind* that was kept of a lead, "" when there is none."""
    body: str | None = connection.scalar(
        text("SELECT body FROM documents WHERE lead_id = :id AND kind = :kind ORDER BY written_at DESC NULLS LAST LIMIT 1"),
        {"id": lead_id, "kind": kind},
    )
    return body or ""
