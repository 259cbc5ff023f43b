"""Leads and reps as their events leave them: read and locked to decide, written beside the events."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.database import ask, tell
from models.events import pinned
from workflows.codec import canonical
from workflows.invitation_streams import Stream
from workflows.lead import Lead, Rep
from workflows.timers import fires

_lead_decoder = msgspec.json.Decoder(Lead)
_rep_decoder = msgspec.json.Decoder(Rep)


S_co = TypeVar("S_co", bound=Stream, covariant=True)


class Locked(NamedTuple, Generic[S_co]):
    """A stream's newest state and hash, locked to the end of the transaction."""

    state: S_co
    hash: bytes


_lock_leads = "SELECT id, body, hash FROM leads WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE"
_lock_reps = "SELECT id, body, hash FROM reps WHERE id = ANY(%(ids)s) OR name = ANY(%(names)s) ORDER BY id FOR UPDATE"


def lock_leads(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Locked[Lead]]:
    """Lock and return those of *ids* that are leads. Leads are locked in id order and before reps, so nobody deadlocks."""
    rows = ask(connection, _lock_leads, {"ids": list(ids)})
    return {row[0]: Locked(_lead_decoder.decode(row[1]), row[2]) for row in rows}


def lock_reps(connection: Connection, *, ids: Sequence[UUID] = (), names: Sequence[str] = ()) -> dict[UUID, Locked[Rep]]:
    """Lock and return the reps with one of *ids* or *names*."""
    rows = ask(connection, _lock_reps, {"ids": list(ids), "names": list(names)})
    return {row[0]: Locked(_rep_decoder.decode(row[1]), row[2]) for row in rows}


def rep_names(connection: Connection, ids: Sequence[UUID]) -> list[str]:
    """Return the names of those of *ids* that are reps."""
    return [row[0] for row in ask(connection, "SELECT name FROM reps WHERE id = ANY(%(ids)s)", {"ids": list(ids)})]


#: Who says anew what a rep's days follow has this alone. Any constant would do.
_CHANGING_REPS = 7_468_617_705


def change_reps(connection: Connection) -> None:
    """Let nobody else say what reps' days follow to the end of the transaction; before reading what they follow."""
    tell(connection, "SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": _CHANGING_REPS})


def lead_row(lead: Lead, hash_: bytes) -> dict[str, Any]:
    """Return the row of ``leads`` that *lead* makes: a function of the log alone."""
    firing = [(timer.due_at, name) for name, timer in lead.timers.items() if fires(name)]
    due_at, name = min(firing) if firing else (None, None)
    return {
        "id": lead.id,
        "version": lead.version,
        "state": lead.state,
        "owner": lead.owner,
        "playbook": pinned(lead.playbook),
        "score": lead.score.total if lead.score else None,
        "last_contact_at": lead.last_contact_at,
        "call_on": lead.call_on,
        "call_by": lead.call_by or None,
        "next_timer": name,
        "next_due_at": due_at,
        "held": lead.hold.reason if lead.hold else None,
        "erased_at": lead.erased_at or None,
        "recorded_at": lead.recorded_at,
        "hash": hash_,
        "body": canonical(lead).decode(),
    }


def rep_row(rep: Rep, hash_: bytes) -> dict[str, Any]:
    """Return the row of ``reps`` that *rep* makes."""
    return {
        "id": rep.id,
        "name": rep.name,
        "version": rep.version,
        "calendar": rep.calendar_digest,
        "recorded_at": rep.recorded_at,
        "hash": hash_,
        "body": canonical(rep).decode(),
    }


_lead_types = {
    "id": "uuid", "version": "integer", "state": "text", "owner": "text", "playbook": "text", "score": "integer",
    "last_contact_at": "timestamptz", "call_on": "date", "call_by": "text", "next_timer": "text", "next_due_at": "timestamptz",
    "held": "text", "erased_at": "timestamptz", "recorded_at": "timestamptz", "hash": "bytea", "body": "text",
}  # fmt: skip
_rep_types = {
    "id": "uuid", "name": "text", "version": "integer", "calendar": "text", "recorded_at": "timestamptz", "hash": "bytea",
    "body": "text",
}  # fmt: skip


def upsert(table: str, types: dict[str, str]) -> str:
    """Return the statement that writes rows of *table*, whose columns have *types*, where they are newer than what is there."""
    columns = ", ".join(types)
    arrays = ", ".join(f"CAST(%({name})s AS {type_}[])" for name, type_ in types.items())
    changes = ", ".join(f"{name} = excluded.{name}" for name in types if name != "id")
    return (
        f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) "
        f"ON CONFLICT (id) DO UPDATE SET {changes} WHERE {table}.version < excluded.version"
    )


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return *rows*, which all have the same keys in the same order, by column."""
    return dict(zip(rows[0], map(list, zip(*(row.values() for row in rows), strict=True)), strict=True))


_save_leads = upsert("leads", _lead_types)
_save_reps = upsert("reps", _rep_types)


def save_leads(connection: Connection, leads: Sequence[tuple[Lead, bytes]]) -> None:
    """Write *leads* with the hashes of their newest events."""
    if leads:
        tell(connection, _save_leads, _columns([lead_row(lead, hash_) for lead, hash_ in leads]))


def save_reps(connection: Connection, reps: Sequence[tuple[Rep, bytes]]) -> None:
    """Write *reps* with the hashes of their newest events."""
    if reps:
        tell(connection, _save_reps, _columns([rep_row(rep, hash_) for rep, hash_ in reps]))


def find_lead(connection: Connection, lead_id: UUID) -> Lead | None:
    """Return one lead, or None."""
    body = connection.scalar(text("SELECT body FROM leads WHERE id = :id"), {"id": lead_id})
    return _lead_decoder.decode(body) if body else None


def find_rep(connection: Connection, name: str) -> Rep | None:
    """Return one rep by name, or None."""
    body = connection.scalar(text("SELECT body FROM reps WHERE name = :name"), {"name": name})
    return _rep_decoder.decode(body) if body else None


def list_reps(connection: Connection) -> list[Rep]:
    """Return all reps by name."""
    return [_rep_decoder.decode(body) for body in connection.scalars(text("SELECT body FROM reps ORDER BY name"))]


def owned_leads(connection: Connection, owner: str, states: Sequence[str], *, limit: int | None = None) -> list[Lead]:
    """Return *owner*'s leads in *states*, best score first, then longest without contact, then by id."""
    rows = connection.scalars(
        text(
            "SELECT body FROM leads WHERE owner = :owner AND state = ANY(:states) "
            "ORDER BY score DESC NULLS LAST, last_contact_at NULLS FIRST, id LIMIT :limit"
        ),
        {"owner": owner, "states": list(states), "limit": limit},
    )
    return [_lead_decoder.decode(body) for body in rows]


def count_by_state(connection: Connection, owner: str | None = None) -> dict[str, int]:
    """Return how many leads are in each state, of all or of one owner."""
    rows = connection.execute(
        text(
            "SELECT state, count(*) FROM leads WHERE CAST(:owner AS text) IS NULL OR owner = :owner "
            "GROUP BY state ORDER BY state"
        ),
        {"owner": owner},
    )
    return {row[0]: row[1] for row in rows}


def longest_history(connection: Connection, state: str) -> UUID | None:
    """Return the lead in *state* with the most events, None when nobody is in it."""
    found: UUID | None = connection.scalar(
        text("SELECT id FROM leads WHERE state = :state ORDER BY version DESC, id LIMIT 1"), {"state": state}
    )
    return found
