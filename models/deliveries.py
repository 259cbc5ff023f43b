"""What sending mail asks of the database: one sender at a time, what is to be sent to whom, and the mail of a message id."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.database import translated


@contextmanager
def alone(engine: Engine, message_id: UUID) -> Iterator[bool]:
    """Hold the conversation of one message, unless another process or thread does; yield whether we do.

    It is held by a session, so that whoever dies lets go of it, and not by a transaction, which would keep PostgreSQL from
    cleaning up while a mail server takes its time.
    """
    key = int.from_bytes(message_id.bytes[:8], "big", signed=True)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            held = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
            try:
                yield held
            finally:
                if held:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
    except DBAPIError as error:
        raise translated(error) from error


class Outgoing(NamedTuple):
    """A mail and where its lead can be reached now."""

    body: str | None
    """None when it was erased."""
    email: str | None
    """The contact's mail address, as it is now."""


def outgoing(connection: Connection, lead_id: UUID, document_id: UUID) -> Outgoing:
    """Return the mail kept as *document_id*, and its lead's present address."""
    row = connection.execute(
        text(
            "SELECT (SELECT body FROM documents WHERE id = :document AND lead_id = :lead), "
            "(SELECT fields ->> 'email' FROM contacts WHERE lead_id = :lead)"
        ),
        {"document": document_id, "lead": lead_id},
    ).one()
    return Outgoing(*row)


def bodies_sent(connection: Connection, lead_id: UUID) -> list[str]:
    """Return the mails to a lead that a server took over, oldest first; those that were erased are missing."""
    rows = connection.execute(
        text("""
            SELECT d.body FROM events sent
              JOIN documents d ON d.lead_id = sent.stream_id AND d.kind = 'mail'
                              AND d.message_id = CAST(CAST(sent.body AS jsonb) -> 'data' ->> 'mail' AS uuid)
             WHERE sent.stream_id = :lead AND sent.type = 'mail_sent' ORDER BY sent.version
        """),
        {"lead": lead_id},
    )
    return list(rows.scalars())


def lead_of_mail(connection: Connection, mail_id: UUID) -> UUID | None:
    """Return the lead that the mail *mail_id* was for; its id is that of the message which queued it."""
    found: UUID | None = connection.scalar(
        text("SELECT stream_id FROM messages WHERE id = :id AND actor_name = 'mail_queued'"), {"id": mail_id}
    )
    return found


def unconfirmed(connection: Connection, owner: str | None = None) -> list[UUID]:
    """Return the leads, of *owner* or of all, of whose last mail nobody knows whether it went out."""
    rows = connection.execute(
        text(
            "SELECT id FROM leads WHERE (CAST(:owner AS text) IS NULL OR owner = :owner) AND erased_at IS NULL "
            'AND body LIKE \'%"status":"unconfirmed"%\' ORDER BY id'
        ),
        {"owner": owner},
    )
    return list(rows.scalars())


def waiting(connection: Connection) -> int:
    """Return how many mails wait to be sent, now or later."""
    statement = text("SELECT count(*) FROM messages WHERE settled_at IS NULL AND actor_name = 'mail_sending'")
    return int(connection.scalar(statement) or 0)
