"""The whole book at a past moment: every lead from what had been recorded by then, without snapshots."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from workflows.events import LeadHeld, LeadReassigned, LeadRegistered, decode_recorded
from workflows.fold import FoldError, fold
from workflows.lead import ENDS_HOLD, Lead
from workflows.service_stream import SERVICE_ID

# Versions are recorded in order, so that what was recorded by a moment is the first part of each stream. Left out are the
# service's own stream, and the events of reps by their type: a calendar alone is longer than a lead's whole history.
_page = text("""
    SELECT stream_id, version, type, body FROM events
     WHERE (stream_id, version) > (:stream_id, :version) AND recorded_at <= :at AND position < :before
       AND type NOT IN ('calendar_frozen', 'day_planned') AND stream_id <> :service
     ORDER BY stream_id, version LIMIT :chunk
""")


class _Row(NamedTuple):
    stream_id: UUID
    version: int
    type: str
    body: str


def leads_at(connection: Connection, at: datetime, *, before: int = 2**63 - 1, chunk: int = 10_000) -> Iterator[Lead]:
    """Yield each lead as what was recorded up to *at* leaves it, by id; those registered later are missing.

    With *before* only events at smaller positions of the log count, which parts those of one moment.

    One lead and *chunk* events are in memory at a time.

    Raises
    ------
    FoldError, msgspec.ValidationError
        When a lead's events cannot be folded; ``thaw verify`` says which.
    """
    for _, rows in groupby(_rows(connection, at, before, chunk), key=attrgetter("stream_id")):
        lead: Lead | None = None
        for row in rows:
            if lead is None and row.type == "command_refused":
                break  # a rep's stream, of which nothing else is read
            lead = fold(lead, decode_recorded(row.body.encode()))
        if lead is not None:
            yield lead


class Standing(msgspec.Struct, kw_only=True):
    """Where a lead stood: what people ask of a whole book, and what `leads_at` says of it too."""

    id: UUID
    version: int
    state: str
    since: datetime
    """The occurrence of the event that led there."""
    owner: str
    held: str | None
    """Why it was on hold."""


class _Glance(msgspec.Struct, frozen=True, gc=False):
    """What a standing takes from most events; the rest of the body is passed over unread."""

    occurred_at: datetime
    state: str
    version: int


_glance: msgspec.json.Decoder[_Glance] = msgspec.json.Decoder(_Glance)


def standings_at(connection: Connection, at: datetime, *, chunk: int = 10_000) -> Iterator[Standing]:
    """Yield where each lead stood as of *at*, like `leads_at` in a third of its time: most of each body is not decoded.

    Raises
    ------
    FoldError, msgspec.ValidationError
        As `leads_at` does.
    """
    for _, rows in groupby(_rows(connection, at, 2**63 - 1, chunk), key=attrgetter("stream_id")):
        standing: Standing | None = None
        for row in rows:
            if standing is None and row.type == "command_refused":
                break
            standing = _next(standing, row)
        if standing is not None:
            yield standing


def _next(standing: Standing | None, row: _Row) -> Standing:
    body = row.body.encode()
    if standing is None:
        first = decode_recorded(body)
        if not isinstance(first.data, LeadRegistered):
            raise FoldError(f"a lead's first event is lead_registered, not {row.type}")
        return Standing(
            id=row.stream_id, version=1, state=first.state, since=first.occurred_at, owner=first.data.owner, held=None
        )
    seen = _glance.decode(body)
    standing.version = seen.version
    if seen.state != standing.state:
        standing.state, standing.since = seen.state, seen.occurred_at
        if seen.state in ENDS_HOLD:
            standing.held = None
    if row.type in ("lead_held", "lead_reassigned"):
        match decode_recorded(body).data:
            case LeadHeld(reason=reason):
                standing.held = reason
            case LeadReassigned(owner=owner):
                standing.owner = owner
    elif row.type == "lead_released":
        standing.held = None
    return standing


def _rows(connection: Connection, at: datetime, before: int, chunk: int) -> Iterator[_Row]:
    stream_id, version = UUID(int=0), 0
    while rows := connection.execute(
        _page, {"stream_id": stream_id, "version": version, "at": at, "before": before, "chunk": chunk, "service": SERVICE_ID}
    ).all():
        yield from map(_Row._make, rows)
        stream_id, version = rows[-1].stream_id, rows[-1].version
