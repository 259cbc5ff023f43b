"""The whole book at a past moment: every lead from what had been recorded by then, without snapshots."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from models.replay import decode_events, decode_together, pages
from workflows.events import LeadHeld, LeadReassigned, LeadRegistered, LeadReleased
from workflows.fold import FoldError, fold_all
from workflows.lead import BESIDE_LEADS, ENDS_HOLD, Lead
from workflows.merge_events import DuplicateTakenIn, LeadMerged
from workflows.service_stream import SERVICE_ID

# Versions are recorded in order, so that what was recorded by a moment is the first part of each stream. Left out are the
# service's own stream, and the events of reps by their type: a calendar alone is longer than a lead's whole history.
_recorded_by = (
    "recorded_at <= %(at)s AND position < %(before)s AND type NOT IN ('calendar_frozen', 'day_planned') "
    "AND stream_id <> %(service)s"
)

_LAST = 2**63 - 1


def leads_at(connection: Connection, at: datetime, *, before: int = _LAST, chunk: int | None = None) -> Iterator[Lead]:
    """Yield each lead as what was recorded up to *at* leaves it, by id; those registered later are missing.

    With *before* only events at smaller positions of the log count, which parts those of one moment.

    One lead and *chunk* events are in memory at a time.

    Raises
    ------
    FoldError, UnreadableEventError
        When a lead's events cannot be folded; ``thaw verify`` says which.
    """
    for _, pieces in _streams(connection, at, before, chunk):
        lead: Lead | None = None
        for bodies in pieces:
            # Those of other streams are refusals, all that is left here of such a stream.
            lead = fold_all(lead, [recorded for recorded in decode_events(bodies) if recorded.state not in BESIDE_LEADS])
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
    merged_into: UUID | None = None
    """Into which lead it had been merged."""


class _Said(msgspec.Struct, frozen=True, gc=False):
    """What a standing takes from an event's own part."""

    type: str
    owner: str = ""
    reason: object = None
    """Of a hold a word; in other events whatever they call so."""
    into: UUID | None = None


class _Glance(msgspec.Struct, frozen=True, gc=False):
    """What a standing takes from an event; the rest of the body is passed over unread."""

    data: _Said
    occurred_at: datetime
    state: str
    version: int


_glances: msgspec.json.Decoder[list[_Glance]] = msgspec.json.Decoder(list[_Glance])

_REGISTERED, _HELD, _RELEASED, _REASSIGNED, _MERGED, _TAKEN_IN = (
    str(type_.__struct_config__.tag)
    for type_ in (LeadRegistered, LeadHeld, LeadReleased, LeadReassigned, LeadMerged, DuplicateTakenIn)
)


def standings_at(connection: Connection, at: datetime, *, chunk: int | None = None) -> Iterator[Standing]:
    """Yield where each lead stood as of *at*, like `leads_at` in a fraction of its time: most of each body is not decoded.

    Raises
    ------
    FoldError, UnreadableEventError
        When an event is none, or a lead's first does not register it.
    """
    for stream_id, pieces in _streams(connection, at, _LAST, chunk):
        standing: Standing | None = None
        for bodies in pieces:
            for seen in decode_together(_glances, bodies):
                if seen.state not in BESIDE_LEADS:
                    standing = _next(standing, seen, stream_id)
        if standing is not None:
            yield standing


def _next(standing: Standing | None, seen: _Glance, stream_id: UUID) -> Standing:
    said = seen.data
    if standing is None:
        if said.type != _REGISTERED:
            raise FoldError(f"a lead's first event is {_REGISTERED}, not {said.type}")
        return Standing(id=stream_id, version=1, state=seen.state, since=seen.occurred_at, owner=said.owner, held=None)
    standing.version = seen.version
    if seen.state != standing.state:
        standing.state, standing.since = seen.state, seen.occurred_at
        if seen.state in ENDS_HOLD:
            standing.held = None
    if said.type == _HELD:
        standing.held = str(said.reason)
    elif said.type in (_RELEASED, _MERGED):
        standing.held = None
    elif said.type == _REASSIGNED:
        standing.owner = said.owner
    if said.type in (_MERGED, _TAKEN_IN):
        standing.merged_into = said.into
    return standing


def _streams(
    connection: Connection, at: datetime, before: int, chunk: int | None
) -> Iterator[tuple[UUID, Iterable[list[bytes]]]]:
    """Yield each stream with its bodies, in pieces."""
    found = pages(
        connection, ("body",), where=_recorded_by, values={"at": at, "before": before, "service": SERVICE_ID}, chunk=chunk
    )
    for stream_id, pieces in groupby(found, key=itemgetter(0)):
        yield UUID(bytes=stream_id), map(itemgetter(1), pieces)
