"""The addresses that reps write from: personal data of one's own people, and so apart from the log."""

from typing import NamedTuple

from sqlalchemy import Connection, text


class Mailbox(NamedTuple):
    """Where a rep's mail comes from."""

    address: str
    name: str
    """As it stands before the address; empty for none."""


def find(connection: Connection, rep: str) -> Mailbox | None:
    """Return a rep's own mailbox, None when none is known."""
    row = connection.execute(text("SELECT address, name FROM mailboxes WHERE rep = :rep"), {"rep": rep}).one_or_none()
    return Mailbox(*row) if row else None


def save(connection: Connection, rep: str, mailbox: Mailbox) -> None:
    """Set a rep's mailbox."""
    connection.execute(
        text(
            "INSERT INTO mailboxes (rep, address, name) VALUES (:rep, :address, :name) "
            "ON CONFLICT (rep) DO UPDATE SET address = excluded.address, name = excluded.name"
        ),
        {"rep": rep, **mailbox._asdict()},
    )
