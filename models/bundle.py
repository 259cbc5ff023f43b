"""What a bundle of the log is made of, read in the order of the log and in constant memory."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import Connection, text

from models.database import driver_errors
from models.tree import TreeError
from workflows.codec import canonical
from workflows.heads import Head

#: So many events are read at a time.
CHUNK_ROWS = 2_000


class BundledRow(NamedTuple):
    """An event as bundles hold it: texts as bytes, hashes in hexadecimal."""

    position: int
    stream_id: bytes
    version: bytes
    hash: bytes
    body: bytes
    previous_position: int | None
    """Of the event before it in its stream; None for the first."""
    previous_hash: bytes | None


class Frozen(NamedTuple):
    """A calendar that a rep's stream has at *position*."""

    position: int
    rep: str
    digest: str
    playbook: str | None
    """The digest of the one that the rep's days follow with it."""


class Opened(NamedTuple):
    """A text that is kept outside the log, with its salt."""

    id: UUID
    text: str
    salt: bytes
    commitment: str


def may_append(connection: Connection) -> bool:
    """Tell whether this login may add to the log: an auditor may only read it."""
    return bool(connection.scalar(text("SELECT has_table_privilege('events', 'INSERT')")))


def positions_of(connection: Connection, stream_ids: Collection[UUID], size: int) -> "array[int]":
    """Return the positions of all events of these streams among the first *size*, ascending."""
    statement = text("SELECT position FROM events WHERE stream_id = ANY(:ids) AND position <= :size ORDER BY position")
    return array("q", connection.scalars(statement, {"ids": list(stream_ids), "size": size}))


def read_rows(connection: Connection, positions: Sequence[int], *, chunk: int = CHUNK_ROWS) -> Iterator[BundledRow]:
    """Yield the events at *positions*, which ascend.

    Raises
    ------
    TreeError
        When there is no event at one of them.
    """
    statement = (
        "SELECT e.position, e.stream_id::text, e.version::text, encode(e.hash, 'hex'), e.body, p.position, "
        "encode(p.hash, 'hex') FROM events e LEFT JOIN events p ON p.stream_id = e.stream_id AND p.version = e.version - 1 "
        "WHERE {} ORDER BY e.position"
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        cursor.adapters.register_loader("text", ByteaBinaryLoader)
        for begin in range(0, len(positions), chunk):
            some = positions[begin : begin + chunk]
            if some[-1] - some[0] + 1 == len(some):
                asked, values = "e.position BETWEEN %s AND %s", (some[0], some[-1])
            else:
                asked, values = "e.position = ANY(%s)", (list(some),)  # type: ignore[assignment]  # psycopg takes either
            with driver_errors(statement):
                rows = cursor.execute(statement.format(asked), values).fetchall()
            if len(rows) != len(some):
                there = {row[0] for row in rows}
                raise TreeError(f"the log has no event {next(p for p in some if p not in there)}: run `thaw verify`")
            yield from map(BundledRow._make, rows)


def frozen_calendars(connection: Connection, size: int) -> list[Frozen]:
    """Return all calendars that reps froze among the first *size* events, in the order of the log."""
    rows = connection.execute(
        text(
            "SELECT e.position, reps.name, e.body::jsonb -> 'data' ->> 'digest', e.body::jsonb -> 'playbook' ->> 'digest' "
            "FROM reps JOIN events e ON e.stream_id = reps.id "
            "WHERE e.type = 'calendar_frozen' AND e.position <= :size ORDER BY e.position"
        ),
        {"size": size},
    )
    return [Frozen(*row) for row in rows]


def playbook_texts(connection: Connection, digests: Collection[str]) -> dict[str, str]:
    """Return the canonical texts of published playbooks by the digests under which they are published."""
    rows = connection.execute(text("SELECT digest, body FROM playbooks WHERE digest = ANY(:d)"), {"d": list(digests)})
    return {row.digest: row.body for row in rows}


def heads_of(connection: Connection, stream_ids: Collection[UUID], size: int) -> dict[UUID, Head]:
    """Return the newest event among the first *size* of each of these streams that has one."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (stream_id) stream_id, version, hash FROM events WHERE stream_id = ANY(:ids) "
            "AND position <= :size ORDER BY stream_id, version DESC"
        ),
        {"ids": list(stream_ids), "size": size},
    )
    return {row.stream_id: Head(*row) for row in rows}


def long_texts(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the documents *ids* that are too long to be held by the thousand: photos."""
    statement = text("SELECT id FROM documents WHERE id = ANY(:ids) AND octet_length(body) > 100000")
    return set(connection.scalars(statement, {"ids": list(ids)}))


def texts_changed_behind(connection: Connection, size: int, leads: Collection[UUID] | None) -> bool:
    """Whether texts to which the first *size* events commit may be gone or replaced, as only a later event says.

    New contact data is kept also where the lead refuses what else comes with it.
    """
    statement = text(
        "SELECT EXISTS (SELECT FROM events WHERE position > :size "
        "AND (type IN ('lead_erased', 'event_texts_erased', 'contact_updated') "
        """OR type = 'command_refused' AND strpos(body, '"command":"update_contact"') > 0) """
        "AND (CAST(:leads AS uuid[]) IS NULL OR stream_id = ANY(:leads)))"
    )
    return bool(connection.scalar(statement, {"size": size, "leads": None if leads is None else list(leads)}))


def contacts_under_way(connection: Connection, leads: Collection[UUID] | None) -> int:
    """Return how many messages wait, or are dead, that bring contact data which is kept already and no event commits to yet."""
    statement = text(
        "SELECT count(*) FROM messages WHERE (settled_at IS NULL OR outcome = 'dead') AND actor_name = 'contact_updated' "
        "AND (CAST(:leads AS uuid[]) IS NULL OR stream_id = ANY(:leads))"
    )
    return int(connection.scalar(statement, {"leads": None if leads is None else list(leads)}) or 0)


def find_texts(connection: Connection, ids: Collection[UUID]) -> list[Opened]:
    """Return what is kept under *ids*: documents, and the contacts of leads with these ids; what was erased is missing."""
    asked = {"ids": list(ids)}
    documents = connection.execute(text("SELECT id, body, salt, commitment FROM documents WHERE id = ANY(:ids)"), asked)
    contacts = connection.execute(
        text("SELECT lead_id, fields, salt, commitment FROM contacts WHERE lead_id = ANY(:ids)"), asked
    )
    found = [Opened(*row) for row in documents]
    return found + [Opened(row.lead_id, canonical(row.fields).decode(), row.salt, row.commitment) for row in contacts]
