"""The heads of all streams, read from the log and recorded in it on the service's own stream."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from models import checkpoints, heads_nodes, operations
from models.replay import Ids, parts
from workflows.events import HeadsRecorded, UnreadableEventError, decode_recorded
from workflows.heads import Head, HeadsNode, leaf_of, summed
from workflows.service_stream import SERVICE_ID

#: So many heads are read at a time.
CHUNK_ROWS = 5_000

#: Reading all heads takes so many statements, each for a part of the ids: one for all of millions would run into its timeout.
PARTS = 16


class RecordedHeads(NamedTuple):
    """A heads root as it stands in the log."""

    position: int
    version: int
    hash: bytes
    recorded_at: datetime
    data: HeadsRecorded


class Measured(NamedTuple):
    """What is to be recorded of heads, and the nodes to be kept for proofs."""

    data: HeadsRecorded
    nodes: list[HeadsNode]


def heads_in_order(connection: Connection, size: int) -> Iterator[Head]:
    """Yield the newest event of every stream among the first *size* events, in the order of the stream ids.

    In constant memory; *connection* is in a transaction.
    """
    statement = _newest_of_each.execution_options(stream_results=True, yield_per=CHUNK_ROWS)
    for ids in parts(PARTS):
        with connection.execute(statement, {"size": size, **ids._asdict()}) as rows:
            yield from map(Head._make, rows)


def heads_between(connection: Connection, size: int, ids: Ids) -> list[Head]:
    """Return the same of the streams *ids* alone."""
    return [Head._make(row) for row in connection.execute(_newest_of_each, {"size": size, **ids._asdict()})]


# From one stream to the next by the index: of all their other events not one is read, and nothing is sorted but the heads.
_newest_of_each = text("""
    WITH RECURSIVE streams (id) AS (
        (SELECT stream_id FROM events WHERE stream_id BETWEEN :first AND :last ORDER BY stream_id LIMIT 1)
         UNION ALL
        SELECT (SELECT stream_id FROM events WHERE stream_id > streams.id AND stream_id <= :last ORDER BY stream_id LIMIT 1)
          FROM streams WHERE streams.id IS NOT NULL
    )
    SELECT head.* FROM streams, LATERAL (
        SELECT stream_id, version, hash FROM events
         WHERE stream_id = streams.id AND position <= :size ORDER BY version DESC LIMIT 1
    ) AS head ORDER BY stream_id
""")


def measured(connection: Connection, size: int) -> Measured:
    """Return what is to be recorded of the heads of the first *size* events."""
    heads = heads_in_order(connection, size)
    found = summed((head.stream_id.bytes, leaf_of(head.stream_id, head.commitment)) for head in heads)
    return Measured(HeadsRecorded(size=size, streams=found.streams, root=found.root.hex()), found.nodes)


def newest(connection: Connection, *, before: int | None = None) -> RecordedHeads | None:
    """Return the newest recorded heads, or the newest up to the position *before*; None when there are none.

    Raises
    ------
    UnreadableEventError
        When that event is none, or another.
    """
    row = connection.execute(
        text(
            "SELECT position, version, hash, body FROM events WHERE stream_id = :id AND type = 'heads_recorded' "
            "AND position <= coalesce(CAST(:before AS bigint), position) ORDER BY version DESC LIMIT 1"
        ),
        {"id": SERVICE_ID, "before": before},
    ).first()
    if row is None:
        return None
    recorded = decode_recorded(row.body.encode())
    if not isinstance(recorded.data, HeadsRecorded):
        raise UnreadableEventError(f"event {row.position} is no heads_recorded")
    return RecordedHeads(row.position, row.version, row.hash, recorded.recorded_at, recorded.data)


def record(connection: Connection, found: Measured, *, now: datetime, actor: str) -> int:
    """Append *found* to the service's own stream and return its position. Last in its transaction, under `checkpoints.lock`."""
    signed = _signed(connection)
    heads_nodes.forget(connection, but=[signed.data.size] if signed else [])
    heads_nodes.keep(connection, found.data.size, found.nodes)
    # Behind that, because whoever wants to append waits from here on.
    return operations.append(connection, found.data, now=now, by=actor).position


def rebuild_nodes(connection: Connection) -> None:
    """Make the nodes anew that are kept for proofs. The caller has locked their table and the head of the log."""
    heads_nodes.forget(connection, but=[])
    for size in {known.data.size for known in (newest(connection), _signed(connection)) if known}:
        heads_nodes.keep(connection, size, measured(connection, size).nodes)


def _signed(connection: Connection) -> RecordedHeads | None:
    """Return the newest recorded heads that a checkpoint covers: those of which proofs are asked."""
    checkpoint = checkpoints.newest(connection)
    return newest(connection, before=checkpoint.size) if checkpoint else None
