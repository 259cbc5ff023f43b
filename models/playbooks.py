"""Published playbooks and frozen calendars: written once, found by digest, never changed."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, text

from models.database import ModelError
from workflows.calendars import Calendar
from workflows.codec import canonical, digest
from workflows.playbooks import Playbook

_playbook_decoder = msgspec.json.Decoder(Playbook)
_calendar_decoder = msgspec.json.Decoder(Calendar)


class PublishedError(ModelError):
    """A version of a playbook is published already, with another content; published versions never change."""


def publish(connection: Connection, playbook: Playbook) -> bool:
    """Publish *playbook* and return whether it is new.

    Raises
    ------
    PublishedError
        When this id and version are published with another content.
    """
    body = canonical(playbook)
    known = connection.scalar(
        text("SELECT digest FROM playbooks WHERE id = :id AND version = :version"),
        {"id": playbook.id, "version": playbook.version},
    )
    if known is not None and known != digest(body):
        raise PublishedError(
            f"{playbook.id}@{playbook.version} is published already and never changes; give the new content a higher version"
        )
    result = connection.execute(
        text("INSERT INTO playbooks (digest, id, version, body) VALUES (:digest, :id, :version, :body) ON CONFLICT DO NOTHING"),
        {"digest": digest(body), "id": playbook.id, "version": playbook.version, "body": body.decode()},
    )
    return result.rowcount == 1


def newest_playbook(connection: Connection, playbook_id: str) -> Playbook | None:
    """Return the highest published version of a playbook, or None."""
    body = connection.scalar(
        text("SELECT body FROM playbooks WHERE id = :id ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1"),
        {"id": playbook_id},
    )
    return _playbook_decoder.decode(body) if body else None


def playbooks_by_digest(connection: Connection, digests: Sequence[str]) -> dict[str, Playbook]:
    """Return published playbooks by digest."""
    rows = connection.execute(text("SELECT digest, body FROM playbooks WHERE digest = ANY(:d)"), {"d": list(digests)})
    return {row[0]: _playbook_decoder.decode(row[1]) for row in rows}


def playbook_ids(connection: Connection) -> list[str]:
    """Return the ids of all published playbooks, in order."""
    return list(connection.scalars(text("SELECT DISTINCT id FROM playbooks ORDER BY id")))


def save_calendar(connection: Connection, calendar_digest: str, calendar: Calendar) -> None:
    """Keep a frozen calendar under its digest."""
    connection.execute(
        text("INSERT INTO calendars (digest, body) VALUES (:digest, :body) ON CONFLICT DO NOTHING"),
        {"digest": calendar_digest, "body": canonical(calendar).decode()},
    )


def calendars_of_reps(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """Return the digest of the calendar in force for each of the reps *names*."""
    rows = connection.execute(text("SELECT name, calendar FROM reps WHERE name = ANY(:names)"), {"names": list(names)})
    return {row[0]: row[1] for row in rows}


class InForce(NamedTuple):
    """Digests of what is in force: the newest playbooks by id, and calendars by rep."""

    playbooks: dict[str, str]
    calendars: dict[str, str]


_in_force = text("""
    SELECT 'playbook', id, digest
      FROM (SELECT DISTINCT ON (id) id, digest FROM playbooks WHERE id = ANY(:ids)
             ORDER BY id, string_to_array(version, '.')::int[] DESC) AS newest
    UNION ALL SELECT 'calendar', name, calendar FROM reps WHERE name = ANY(:reps)
""")


def in_force(connection: Connection, *, playbook_ids: Sequence[str], reps: Sequence[str]) -> InForce:
    """Return the digests of the newest of *playbook_ids* and of the calendars of *reps*, asked in one statement."""
    found = InForce({}, {})
    for kind, name, known in connection.execute(_in_force, {"ids": list(playbook_ids), "reps": list(reps)}):
        (found.playbooks if kind == "playbook" else found.calendars)[name] = known
    return found


def calendars_by_digest(connection: Connection, digests: Sequence[str]) -> dict[str, Calendar]:
    """Return frozen calendars by digest."""
    rows = connection.execute(text("SELECT digest, body FROM calendars WHERE digest = ANY(:d)"), {"d": list(digests)})
    return {row[0]: _calendar_decoder.decode(row[1]) for row in rows}
