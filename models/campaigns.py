"""Campaigns and sales events as their events leave them, and what their decisions look at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, get_args
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models import contacts, suppressions
from models.database import tell
from models.leads import Locked, upsert
from workflows.audience import Asked, Audience, audience_of
from workflows.campaign import Campaign
from workflows.campaign_events import PersonFacts
from workflows.codec import canonical
from workflows.commands import Mode
from workflows.event_list import barred
from workflows.lead import Lead
from workflows.sales_event import SalesEvent
from workflows.suppression import MODES, refused_by, verdict

_lead = msgspec.json.Decoder(Lead).decode
_campaign = msgspec.json.Decoder(Campaign).decode
_sales_event = msgspec.json.Decoder(SalesEvent).decode

_lock_sales_events = text("SELECT id, body, hash FROM sales_events WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_lock_campaigns = text("SELECT id, body, hash FROM campaigns WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")


def lock(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Locked[Any]]:
    """Lock and return those of *ids* that are sales events or campaigns, in this order, each in id order."""
    found: dict[UUID, Locked[Any]] = {}
    for statement, decode in ((_lock_sales_events, _sales_event), (_lock_campaigns, _campaign)):
        for row in connection.execute(statement, {"ids": list(ids)}):
            found[row.id] = Locked(decode(row.body), row.hash)
    return found


def row_of(state: Campaign | SalesEvent, hash_: bytes) -> dict[str, Any]:
    """Return the row that a campaign or a sales event makes in its table."""
    return {
        "id": state.id,
        "name": state.name,
        "version": state.version,
        "recorded_at": state.recorded_at,
        "hash": hash_,
        "body": canonical(state).decode(),
    }


_types = {
    "id": "uuid", "name": "text", "version": "integer", "recorded_at": "timestamptz", "hash": "bytea", "body": "text",
}  # fmt: skip
_save = {table: upsert(table, _types) for table in ("campaigns", "sales_events")}


def table_of(state: Campaign | SalesEvent) -> str:
    """Return the table in which *state* has its row."""
    return "campaigns" if isinstance(state, Campaign) else "sales_events"


def save(connection: Connection, states: Sequence[tuple[Campaign | SalesEvent, bytes]]) -> None:
    """Write *states* with the hashes of their newest events."""
    for table, statement in _save.items():
        rows = [row_of(state, hash_) for state, hash_ in states if table_of(state) == table]
        if rows:
            tell(connection, statement, {name: [row[name] for row in rows] for name in _types})


def find_campaign(connection: Connection, campaign_id: UUID) -> Campaign | None:
    """Return one campaign, or None."""
    body = connection.scalar(text("SELECT body FROM campaigns WHERE id = :id"), {"id": campaign_id})
    return _campaign(body) if body else None


def list_campaigns(connection: Connection) -> list[Campaign]:
    """Return all campaigns by name."""
    return [_campaign(body) for body in connection.scalars(text("SELECT body FROM campaigns ORDER BY name"))]


def find_sales_event(connection: Connection, event_id: UUID) -> SalesEvent | None:
    """Return one sales event, or None."""
    body = connection.scalar(text("SELECT body FROM sales_events WHERE id = :id"), {"id": event_id})
    return _sales_event(body) if body else None


def list_sales_events(connection: Connection) -> list[SalesEvent]:
    """Return all sales events by id."""
    return [_sales_event(body) for body in connection.scalars(text("SELECT body FROM sales_events ORDER BY id"))]


_left = text("""
    SELECT id FROM leads WHERE id = ANY(:ids) AND (state = 'do_not_contact' OR erased_at IS NOT NULL)
""")


def gone(connection: Connection, lead_ids: Sequence[UUID]) -> tuple[UUID, ...]:
    """Return those of *lead_ids* who opted out or were erased, under this lead or another of the same person, by id."""
    if not lead_ids:
        return ()
    listed = suppressions.entries_of(connection, lead_ids)
    kept_out = {id_ for id_, entries in listed.items() if refused_by(verdict(entries)) >= MODES}
    return tuple(sorted({*connection.scalars(_left, {"ids": list(lead_ids)}), *kept_out}))


def seats_of_gone(connection: Connection, now: datetime) -> dict[UUID, list[UUID]]:
    """Return by sales event, of those still to come, who has a seat or waits for one although they are `gone`."""
    guests = {each.id: (*each.seated, *each.waiting) for each in list_sales_events(connection) if each.starts_at > now}
    left = set(gone(connection, [id_ for ids in guests.values() for id_ in ids]))
    return {event_id: found for event_id, ids in guests.items() if (found := [id_ for id_ in ids if id_ in left])}


def open_deals(connection: Connection) -> list[Lead]:
    """Return the leads with an open opportunity, by id."""
    rows = connection.scalars(text("SELECT body FROM leads WHERE body::jsonb -> 'open_opportunity' = 'true' ORDER BY id"))
    return [_lead(body) for body in rows]


# One statement, so one snapshot: see `models.rep_books`.
_audience = text("""
    SELECT NULL AS body, position FROM log_head
    UNION ALL SELECT body, NULL FROM leads
     WHERE state = 'won' OR CAST(body::jsonb #>> '{decline,at}' AS timestamptz) >= :first
""")


def read_audience(connection: Connection, asked: Asked, mode: Mode) -> Audience:
    """Return who belongs to an audience that writes in *mode*, what is known of each apart from the log, and the position.

    The caller has changed no lead in this transaction, or the leads would not be those of that position.
    """
    leads: list[Lead] = []
    position = 0
    for body, at in connection.execute(_audience, {"first": asked.declined_from - timedelta(days=1)}):
        if body is None:
            position = at
        else:
            leads.append(_lead(body))
    found = audience_of(leads, asked)
    return Audience(leads=found, people=_people(connection, [lead.id for lead in found], mode), position=position)


_keys = text("""
    SELECT lead_id, coalesce(fields ->> 'company', '') <> '' AS company,
           coalesce(fields ->> 'last_meeting_topic', '') <> '' AS topic, coalesce(keys, '{}') AS keys
      FROM contacts WHERE lead_id = ANY(:ids) ORDER BY lead_id
""")


def _people(connection: Connection, ids: Sequence[UUID], mode: Mode) -> dict[UUID, PersonFacts]:
    rows = connection.execute(_keys, {"ids": list(ids)}).all()
    same = _same({row.lead_id: [key for key in row.keys_ if _identifies(key)] for row in map(_Known._make, rows)})
    listed = suppressions.entries_of(connection, list(ids))
    people = {}
    for row in map(_Known._make, rows):
        refused = refused_by(verdict(listed.get(row.lead_id, ())))
        people[row.lead_id] = PersonFacts(
            company=row.company,
            last_meeting_topic=row.topic,
            same_as=same.get(row.lead_id),
            suppressed=tuple(each for each in get_args(Mode) if each in refused and each == mode),
        )
    return people


class _Known(NamedTuple):
    lead_id: UUID
    company: bool
    topic: bool
    keys_: list[str]


def _identifies(key: str) -> bool:
    """Tell whether an identifier is one person's; a telephone line may be a household's."""
    return not key.startswith("phone:")


def _same(keys: dict[UUID, list[str]]) -> dict[UUID, UUID]:
    """Return for each lead that shares an identifier with another the first of them, by id, also by way of a third."""
    first: dict[str, UUID] = {}
    parent: dict[UUID, UUID] = {}

    def root(id_: UUID) -> UUID:
        while parent.get(id_, id_) != id_:
            id_ = parent[id_]
        return id_

    for id_ in sorted(keys):
        for key in keys[id_]:
            other = first.setdefault(key, id_)
            low, high = sorted((root(other), root(id_)))
            if low != high:
                parent[high] = low
    roots = {id_: root(id_) for id_ in keys}
    shared = {found for id_, found in roots.items() if found != id_}
    return {id_: found for id_, found in roots.items() if found in shared}


def hidden_from(connection: Connection, lead_id: UUID, events: Sequence[SalesEvent]) -> list[UUID]:
    """Return those of *events* whose hosts exclude the lead's company (A0-9)."""
    company = connection.scalar(text("SELECT fields ->> 'company' FROM contacts WHERE lead_id = :id"), {"id": lead_id})
    if not company:
        return []
    names = contacts.find_documents(connection, [each.document_id for event in events for each in event.excluded])
    return [
        event.id
        for event in events
        if barred(company, [names[each.document_id] for each in event.excluded if each.document_id in names])
    ]
