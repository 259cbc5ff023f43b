"""Published wordings: written once, found by name or digest, never changed."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from models.database import ModelError
from workflows.wordings import Wording


class WordingMissingError(ModelError):
    """No wording of this name is published: the database was not brought up to this release."""


class PublishedWording(NamedTuple):
    """One publication."""

    name: str
    digest: str
    text: str
    shipped: bool
    """It came with a release."""
    published_at: datetime
    in_force: bool
    """It is what is used now."""


#: The team's own newest, else the newest that a release brought.
_ORDER = "ORDER BY shipped, number DESC"


def latest(connection: Connection, name: str) -> Wording:
    """Return the newest approved wording called *name*.

    Raises
    ------
    WordingMissingError
        When none is published.
    """
    row = connection.execute(
        text(f"SELECT name, digest, body FROM wordings WHERE name = :name {_ORDER} LIMIT 1"), {"name": name}
    ).first()
    if row is None:
        raise WordingMissingError(f"no wording called {name} is published: run `thaw migrate`")
    return Wording(*row)


def publish(connection: Connection, wording: Wording, *, shipped: bool = False) -> bool:
    """Publish *wording*, and return whether that is new: not in force already, or of a release not there already."""
    if shipped:
        asked = "SELECT 1 FROM wordings WHERE name = :name AND digest = :digest AND shipped"
    else:
        asked = (
            f"SELECT 1 FROM (SELECT digest FROM wordings WHERE name = :name {_ORDER} LIMIT 1) AS last WHERE digest = :digest"
        )
    # Two who publish at once wait for each other, so that numbers are not given twice and the last one is the one in force.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('wordings', 0))"))
    if connection.execute(text(asked), {"name": wording.name, "digest": wording.digest}).first():
        return False
    connection.execute(
        text(
            "INSERT INTO wordings (number, name, digest, body, shipped) "
            "SELECT coalesce(max(number), 0) + 1, :name, :digest, :body, :shipped FROM wordings"
        ),
        {"name": wording.name, "digest": wording.digest, "body": wording.text, "shipped": shipped},
    )
    return True


def all_published(connection: Connection, name: str | None = None) -> list[PublishedWording]:
    """Return every publication, of one *name* or of all: by name, what is in force first."""
    rows = connection.execute(
        text(
            "SELECT name, digest, body, shipped, published_at, "
            f"row_number() OVER (PARTITION BY name {_ORDER}) = 1 FROM wordings "
            "WHERE CAST(:name AS text) IS NULL OR name = :name ORDER BY name, shipped, number DESC"
        ),
        {"name": name},
    )
    return [PublishedWording(*row) for row in rows]


def texts_of(connection: Connection, digests: Collection[str]) -> dict[str, str]:
    """Return published texts by their digests; unknown ones are missing."""
    rows = connection.execute(text("SELECT digest, body FROM wordings WHERE digest = ANY(:d)"), {"d": list(digests)})
    return {row.digest: row.body for row in rows}
