"""What the planner looks at, read from the projections at one moment, with the position of the log that this moment is."""

from collections import defaultdict
from datetime import date, timedelta
from typing import get_args

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, text

from models import suppressions
from workflows.books import HORIZON_DAYS, Book, loads_of, probed_until
from workflows.commands import Mode
from workflows.cover import Colleague
from workflows.lead import Lead
from workflows.suppression import refused_by, verdict

_decode = msgspec.json.Decoder(Lead).decode

# One statement, so one snapshot. Who appends holds the head of the log until the commit, so that every snapshot sees leads,
# slots and head of the same prefix of the log, as long as this transaction has changed none of them.
_book = text("""
    SELECT 'position' AS what, NULL AS body, position, NULL::date AS day FROM log_head
    UNION ALL SELECT state, body, NULL, NULL FROM leads
     WHERE owner = :rep AND state IN ('queued', 'no_response', 're_engaged', 'breakup_sent')
    UNION ALL SELECT state, body, NULL, NULL FROM leads
     WHERE owner = :rep AND state = 'call_due' AND call_by IS NULL
    UNION ALL SELECT state, body, NULL, NULL FROM leads
     WHERE owner = :rep AND state = 'note_sent' AND call_on <= :first AND call_by IS NULL
    UNION ALL SELECT state, body, NULL, NULL FROM leads
     WHERE call_by = :rep AND (state = 'call_due' OR (state = 'note_sent' AND call_on <= :first))
    UNION ALL SELECT state, body, NULL, NULL FROM leads
     WHERE owner = :rep AND state = 'declined'
       AND (body::jsonb -> 'timers' -> 'reason_probe' ->> 'due_at')::timestamptz < :probed_until
    UNION ALL SELECT kind, NULL, NULL, day FROM slots WHERE rep = :rep AND day BETWEEN :first AND :last
    UNION ALL SELECT kind, 'colleague', NULL, day FROM slots WHERE rep = :colleague AND day BETWEEN :first AND :last
""")


def read_book(connection: Connection, rep: str, today: date, colleague: Colleague | None = None) -> Book:
    """Return *rep*'s leads that a plan for *today* may touch, and what is taken of today and the days after it, also of a
    *colleague*'s who calls instead.

    The caller has changed no lead and no slot in this transaction, or the book would hold what the log does not yet.
    """
    leads: dict[str, list[Lead]] = defaultdict(list)
    slots = []
    of_colleague = []
    position = 0
    parameters = {
        "rep": rep,
        "colleague": colleague.name if colleague else None,
        "first": today,
        "last": today + timedelta(days=HORIZON_DAYS),
        "probed_until": probed_until(today),
    }
    for what, body, at, day in connection.execute(_book, parameters):
        if body is not None and day is not None:
            of_colleague.append((what, day))
        elif body is not None:
            leads[what].append(_decode(body))
        elif day is not None:
            slots.append((what, day))
        else:
            position = at
    planned = [lead.id for lead in (*leads["queued"], *leads["no_response"])]
    listed = suppressions.entries_of(connection, planned)
    refused = {lead_id: refused_by(verdict(entries)) for lead_id, entries in sorted(listed.items())}
    return Book(
        suppressed={
            lead_id: tuple(mode for mode in get_args(Mode) if mode in modes) for lead_id, modes in refused.items() if modes
        },
        queued=tuple(leads["queued"]),
        silent=tuple(leads["no_response"]),
        called=tuple(leads["call_due"]),
        opening=tuple(leads["note_sent"]),
        engaged=tuple(leads["re_engaged"]),
        parted=tuple(leads["breakup_sent"]),
        probed=tuple(leads["declined"]),
        loads=loads_of(slots),
        colleague=replace(colleague, loads=loads_of(of_colleague)) if colleague else None,
        position=position,
    )
