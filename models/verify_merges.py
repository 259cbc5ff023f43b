"""Do both halves of a merge say the same? The duplicate says into which lead it went, and that lead what it took in.

What a bundle shows of this the offline verifier compares, too. Here the message between the two is at hand as well: a merge of
which the other lead has not heard yet is whole while its message waits, or is dead and can be tried again.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, text

from models.findings import Finding
from workflows.commands import Command, decode_command
from workflows.events import Recorded, UnreadableEventError, decode_recorded
from workflows.merge_commands import DuplicateFacts, TakeInDuplicate
from workflows.merge_events import DuplicateTakenIn, LeadMerged

#: So many halves are held against the others at a time.
PAGE_ROWS = 500

#: The events that are the halves: of the duplicate, and of the lead into which it went.
_TYPES = ("lead_merged", "duplicate_taken_in")


class _Merge(NamedTuple):
    """One event that merged a lead: in the duplicate's stream, its version, and into which lead."""

    duplicate: UUID
    version: int
    into: UUID


class _Half(NamedTuple):
    """What one of the two streams says of a merge."""

    position: int
    about: str
    merge: _Merge
    facts: DuplicateFacts


def verify_merges(connection: Connection, streams: Collection[UUID] | None = None) -> Iterator[Finding]:
    """Yield each merge of which one half is missing, or says something else than the other, in the order of the log.

    With *streams* only the halves in these are held against the others. Bodies that cannot be read `models.verify` names.
    """
    after = 0
    while rows := connection.execute(_halves, {"after": after, "ids": _given(streams), "page": PAGE_ROWS}).all():
        after = rows[-1].position
        told, took = ([half for row in rows if row.type == type_ for half in _half(row)] for type_ in _TYPES)
        yield from sorted([*_of_told(connection, told), *_of_took(connection, took)], key=lambda finding: finding.place)


def _given(streams: Collection[UUID] | None) -> list[UUID] | None:
    return None if streams is None else list(streams)


def _decoded(row: Row[Any]) -> Recorded | None:
    try:
        return decode_recorded(row.body.encode())
    except UnreadableEventError:
        return None


def _half(row: Row[Any]) -> Iterator[_Half]:
    recorded = _decoded(row)
    if recorded is None:
        return
    about = f"event {row.position} ({row.type}, version {recorded.version} of {recorded.stream_id})"
    match recorded.data:
        case LeadMerged(into=into, facts=facts):
            yield _Half(row.position, about, _Merge(recorded.stream_id, recorded.version, into), facts)
        case DuplicateTakenIn(duplicate=duplicate, version=version, facts=facts):
            yield _Half(row.position, about, _Merge(duplicate, version, recorded.stream_id), facts)


def _of_took(connection: Connection, halves: list[_Half]) -> Iterator[Finding]:
    """Compare what leads took in with what stands in the duplicates' histories."""
    rows = connection.execute(_of_streams, {"ids": [half.merge.duplicate for half in halves], "types": ["lead_merged"]})
    known = {each.merge: each.facts for row in rows for each in _half(row)}
    merged = {(merge.duplicate, merge.version) for merge in known}
    for half in halves:
        if known.get(half.merge) != half.facts:
            says = "says otherwise" if (half.merge.duplicate, half.merge.version) in merged else "knows of no such merge"
            yield _finding(half, f"the history of {half.merge.duplicate} {says}")


def _of_told(connection: Connection, halves: list[_Half]) -> Iterator[Finding]:
    """Look whether each lead that was merged arrived where it went, or is on its way."""
    into = list({half.merge.into for half in halves})
    arrived = set[_Merge]()
    for row in connection.execute(_of_streams, {"ids": into, "types": ["duplicate_taken_in", "command_refused"]}):
        arrived.update(half.merge for half in _half(row))
        if row.type == "command_refused" and (recorded := _decoded(row)):
            arrived.update(_asked(recorded.command, row.stream_id))
    for row in connection.execute(_on_their_way, {"ids": into}):
        arrived.update(_asked(_command(row.body), row.stream_id))
    for half in halves:
        if half.merge not in arrived:
            yield _finding(half, f"lead {half.merge.into} never took it in, and no message says that it will")


def _asked(command: Command | None, stream_id: UUID) -> Iterator[_Merge]:
    if isinstance(command, TakeInDuplicate):
        yield _Merge(command.duplicate, command.version, stream_id)


def _command(body: str) -> Command | None:
    try:
        return decode_command(body)
    except (msgspec.DecodeError, RecursionError):
        return None


def _finding(half: _Half, sentence: str) -> Finding:
    return Finding("merge_differs", half.position, half.merge.duplicate, f"{half.about}: {sentence}")


_halves = text("""
    SELECT position, type, body FROM events
     WHERE position > :after AND type IN ('lead_merged', 'duplicate_taken_in')
       AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
     ORDER BY position LIMIT :page
""")

_of_streams = text("SELECT position, stream_id, type, body FROM events WHERE stream_id = ANY(:ids) AND type = ANY(:types)")

_on_their_way = text("""
    SELECT stream_id, body FROM messages
     WHERE stream_id = ANY(:ids) AND actor_name = 'duplicate_taken_in' AND (outcome IS NULL OR outcome = 'dead')
""")
