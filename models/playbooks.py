"""Published playbooks and frozen calendars: written once, found by digest, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, text

from models.database import ModelError, ask
from workflows.calendars import Calendar
from workflows.codec import canonical, digest
from workflows.lead import Lead
from workflows.playbooks import Playbook, decode_playbook

_calendar_decoder = msgspec.json.Decoder(Calendar)
_lead_decoder = msgspec.json.Decoder(Lead)


class PublishedError(ModelError):
    """A version of a playbook is published already, with another content; published versions never change."""


class Published(NamedTuple):
    """A published version."""

    id: str
    version: str
    digest: str
    body: str
    source: str
    """The TOML that it was published from; other playbooks may extend it."""
    published_at: datetime


def publish(connection: Connection, playbook: Playbook, source: str = "") -> bool:
    """Publish *playbook*, read from the text *source* if there is one, and return whether it is new.

    Raises
    ------
    PublishedError
        When this id and version are published with another content.
    """
    body = canonical(playbook)
    result = connection.execute(
        text(
            "INSERT INTO playbooks (digest, id, version, body, source) VALUES (:digest, :id, :version, :body, :source) "
            "ON CONFLICT DO NOTHING"
        ),
        {
            "digest": digest(body),
            "id": playbook.id,
            "version": playbook.version,
            "body": body.decode(),
            "source": source,
        },
    )
    if result.rowcount == 1:
        return True
    # Read behind the attempt, which waited for whoever published it in the same moment.
    known = connection.scalar(
        text("SELECT body FROM playbooks WHERE id = :id AND version = :version"),
        {"id": playbook.id, "version": playbook.version},
    )
    # Compared by what they say: a release that knows more fields writes the same playbook in other bytes.
    if known is None or decode_playbook(known) != playbook:
        raise PublishedError(
            f"{playbook.id}@{playbook.version} is published already and never changes; give the new content a higher version"
        )
    return False


def newest_playbook(connection: Connection, playbook_id: str) -> Playbook | None:
    """Return the highest published version of a playbook, or None."""
    body = connection.scalar(
        text("SELECT body FROM playbooks WHERE id = :id ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1"),
        {"id": playbook_id},
    )
    return decode_playbook(body) if body else None


def playbooks_by_digest(connection: Connection, digests: Sequence[str]) -> dict[str, Playbook]:
    """Return published playbooks by digest."""
    rows = connection.execute(text("SELECT digest, body FROM playbooks WHERE digest = ANY(:d)"), {"d": list(digests)})
    return {row[0]: decode_playbook(row[1]) for row in rows}


def find_published(connection: Connection, named: str) -> Published | None:
    """Return the version called *named*: ``id@version``, or ``id`` for the newest; None when there is none."""
    id_, _, version = named.partition("@")
    row = connection.execute(
        text(
            "SELECT id, version, digest, body, source, published_at FROM playbooks WHERE id = :id "
            "AND (:version = '' OR version = :version) ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1"
        ),
        {"id": id_, "version": version},
    ).one_or_none()
    return Published(*row) if row else None


def all_published(connection: Connection) -> list[Published]:
    """Return every published version, by id, the newest first."""
    rows = connection.execute(
        text(
            "SELECT id, version, digest, body, source, published_at FROM playbooks "
            "ORDER BY id, string_to_array(version, '.')::int[] DESC"
        )
    )
    return [Published(*row) for row in rows]


def pinned_leads(connection: Connection, digest_: str) -> list[Lead]:
    """Return the leads that follow the version with this digest, in the order of their ids."""
    rows = connection.execute(
        text("SELECT body FROM leads WHERE body::jsonb #>> '{playbook,digest}' = :digest ORDER BY id"), {"digest": digest_}
    )
    return [_lead_decoder.decode(row[0]) for row in rows]


def following_reps(connection: Connection, digest_: str) -> list[str]:
    """Return the names of the reps whose days are planned by the version with this digest, or made of it, in order."""
    statement = text(
        "SELECT name FROM reps WHERE body::jsonb #>> '{playbook,digest}' = :digest "
        "OR body::jsonb #>> '{layers,digest}' = :digest ORDER BY name"
    )
    return list(connection.scalars(statement, {"digest": digest_}))


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
    """Digests of what is in force: the newest playbooks by id, and by rep the calendar and the playbook of the days."""

    playbooks: dict[str, str]
    calendars: dict[str, str]
    followed: dict[str, str]


_in_force = """
    SELECT 'playbook', id, digest
      FROM (SELECT DISTINCT ON (id) id, digest FROM playbooks WHERE id = ANY(%(ids)s)
             ORDER BY id, string_to_array(version, '.')::int[] DESC) AS newest
    UNION ALL SELECT 'calendar', name, calendar FROM reps WHERE name = ANY(%(reps)s)
    UNION ALL SELECT 'followed', name, body::jsonb -> 'playbook' ->> 'digest' FROM reps WHERE name = ANY(%(reps)s)
"""


def in_force(connection: Connection, *, playbook_ids: Sequence[str], reps: Sequence[str]) -> InForce:
    """Return the digests of the newest of *playbook_ids*, and what is in force for *reps*, asked in one statement."""
    found = InForce({}, {}, {})
    by_kind = {"playbook": found.playbooks, "calendar": found.calendars, "followed": found.followed}
    for kind, name, known in ask(connection, _in_force, {"ids": list(playbook_ids), "reps": list(reps)}):
        if known:
            by_kind[kind][name] = known
    return found


def calendars_by_digest(connection: Connection, digests: Sequence[str]) -> dict[str, Calendar]:
    """Return frozen calendars by digest."""
    rows = connection.execute(text("SELECT digest, body FROM calendars WHERE digest = ANY(:d)"), {"d": list(digests)})
    return {row[0]: _calendar_decoder.decode(row[1]) for row in rows}
