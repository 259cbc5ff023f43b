"""The team's queue as a cut-bait card compares with it, read at one moment, with the position in the log that it is."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, text

from models.playbooks import playbooks_by_digest
from workflows.cut_bait import IMPORTANT, Kind, owed_of, queue, room_of
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
    SELECT stage, band, important, leads, NULL::uuid AS id, NULL::bigint AS position FROM kinds
    UNION ALL SELECT NULL, NULL, NULL, NULL, id, NULL FROM first
    UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, position FROM log_head
""")
_tried = text("SELECT state, body FROM leads WHERE owner = :owner AND state IN ('no_response', 'call_due')")
_followed = text("SELECT body::jsonb -> 'playbook' ->> 'digest' FROM reps WHERE name = :owner")


def read_queue(connection: Connection, owner: str, now: datetime) -> Queue:
    """Return the queue of the whole team, who is first in *owner*'s own, and whom *owner* owes a further attempt at *now*.

    The caller has changed no lead in this transaction, or the queue would hold what the log does not yet.
    """
    counts: dict[Kind, int] = {}
    position, next_lead = 0, None
    for stage, band, important, leads, id_, at in connection.execute(_queue, {"owner": owner, "important": IMPORTANT}):
        if leads is not None:
            counts[Kind(stage, band, important)] = leads
        elif id_ is not None:
            next_lead = id_
        else:
            position = at
    return queue(counts, next_lead, position, *_owed(connection, owner, now))


def _owed(connection: Connection, owner: str, now: datetime) -> tuple[tuple[Owed, ...], int] | tuple[()]:
    """Return whom *owner* owes a further attempt, and for how many there is room; nothing of a rep without a playbook."""
    tried: dict[str, list[Lead]] = {"no_response": [], "call_due": []}
    for state, body in connection.execute(_tried, {"owner": owner}):
        tried[state].append(_lead_decoder.decode(body))
    digest = connection.scalar(_followed, {"owner": owner})
    pins = {lead.playbook.digest for lead in tried["no_response"] if lead.playbook}
    known = playbooks_by_digest(connection, sorted({*pins, digest} - {None}))
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
