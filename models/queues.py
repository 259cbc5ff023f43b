"""The team's queue as a cut-bait card compares with it, read at one moment, with the position in the log that it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, text

from models.playbooks import playbooks_by_digest
from workflows.cut_bait import Kind, owed_of, queue, room_of
from workflows.lead import Lead
from workflows.pursuit_facts import Owed, Queue

_lead_decoder = msgspec.json.Decoder(Lead)

# One statement, so one snapshot, and so one prefix of the log: see `models.rep_books`. Whoever is on hold waits for no turn.
_queue = text("""
    WITH queued AS (
        SELECT id, owner, score, last_contact_at, body::jsonb AS lead FROM leads WHERE state = 'queued' AND held IS NULL
    ), kinds AS (
        SELECT CAST(lead ->> 'stage_depth' AS int) AS stage, CAST(lead ->> 'value_band' AS int) AS band,
               coalesce(CAST(lead ->> 'importance' AS int) >= :important, false) AS important, count(*) AS leads
        FROM queued GROUP BY 1, 2, 3
    ), first AS (
        SELECT id FROM queued WHERE owner = :owner ORDER BY score DESC NULLS LAST, last_contact_at NULLS FIRST, id LIMIT 1
    )
    SELECT 'kind' AS what, stage, band, important, leads, NULL::uuid AS id, NULL::bigint AS position, NULL::text AS said
        FROM kinds
    UNION ALL SELECT 'first', NULL, NULL, NULL, NULL, id, NULL, NULL FROM first
    UNION ALL SELECT state, NULL, NULL, NULL, NULL, NULL, NULL, body
        FROM leads WHERE owner = :owner AND state IN ('no_response', 'call_due')
    UNION ALL SELECT 'followed', NULL, NULL, NULL, NULL, NULL, NULL, body::jsonb -> 'playbook' ->> 'digest'
        FROM reps WHERE name = :owner
    UNION ALL SELECT 'head', NULL, NULL, NULL, NULL, NULL, position, NULL FROM log_head
""")


def read_queue(connection: Connection, owner: str, now: datetime, high_from: int) -> Queue:
    """Return the queue of the whole team, who is first in *owner*'s own, and whom *owner* owes a further attempt at *now*.

    Leads of an importance of *high_from* or more are told apart: they get more attempts.

    All of it is as of the position that it names, whatever is committed meanwhile. The caller has changed no lead in this
    transaction, or the queue would hold what the log does not yet.
    """
    counts: dict[Kind, int] = {}
    tried: dict[str, list[Lead]] = {"no_response": [], "call_due": []}
    position, next_lead, followed = 0, None, None
    for row in connection.execute(_queue, {"owner": owner, "important": high_from}):
        match row.what:
            case "kind":
                counts[Kind(row.stage, row.band, row.important)] = row.leads
            case "first":
                next_lead = row.id
            case "followed":
                followed = row.said
            case "head":
                position = row.position
            case state:
                tried[state].append(_lead_decoder.decode(row.said))
    return queue(counts, next_lead, position, *_owed(connection, tried, followed, now))


def _owed(
    connection: Connection, tried: Mapping[str, Sequence[Lead]], digest: str | None, now: datetime
) -> tuple[tuple[Owed, ...], int] | tuple[()]:
    """Return who of those *tried* is owed a further attempt, and for how many there is room; nothing without a playbook.

    Playbooks never change, so that it does not matter when they are read.
    """
    if digest is None:
        return ()
    pins = {lead.playbook.digest for lead in tried["no_response"] if lead.playbook}
    known = playbooks_by_digest(connection, sorted({*pins, digest}))
    if digest not in known:
        return ()
    return owed_of(tried["no_response"], known, now), room_of(tried["call_due"], known[digest])


def waiting(connection: Connection, owner: str) -> int:
    """Count the leads in *owner*'s queue, those on hold not."""
    statement = text("SELECT count(*) FROM leads WHERE owner = :owner AND state = 'queued' AND held IS NULL")
    return connection.scalar(statement, {"owner": owner}) or 0


def leads_in(connection: Connection, states: Sequence[str], owner: str | None = None) -> list[Lead]:
    """Return the leads in *states* that are not on hold, of *owner* or of the whole team, by owner and id."""
    rows = connection.scalars(
        text(
            "SELECT body FROM leads WHERE state = ANY(:states) AND held IS NULL "
            "AND (CAST(:owner AS text) IS NULL OR owner = :owner) ORDER BY owner, id"
        ),
        {"states": list(states), "owner": owner},
    )
    return [_lead_decoder.decode(body) for body in rows]
