"""The heads of all streams, read from the log and recorded in it on the service's own stream."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models import operations
from workflows.events import HeadsRecorded, decode_recorded
from workflows.heads import Head, HeadProof, HeadsTree, leaf_of
from workflows.merkle import Frontier
from workflows.service_stream import SERVICE_ID

#: So many heads are read at a time.
CHUNK_ROWS = 5_000


class RecordedHeads(NamedTuple):
    """A heads root as it stands in the log."""

    position: int
    version: int
    hash: bytes
    recorded_at: datetime
    data: HeadsRecorded


def heads_in_order(connection: Connection, size: int) -> Iterator[Head]:
    """Yield the newest event of every stream among the first *size* events, in the order of the stream ids.

    In constant memory; *connection* is in a transaction.
    """
    statement = _newest_of_each.execution_options(stream_results=True, yield_per=CHUNK_ROWS)
    with connection.execute(statement, {"size": size}) as rows:
        yield from map(Head._make, rows)


# From one stream to the next by the index: of all their other events not one is read, and nothing is sorted but the heads.
_newest_of_each = text("""
    WITH RECURSIVE streams (id) AS (
        (SELECT stream_id FROM events ORDER BY stream_id LIMIT 1)
         UNION ALL
        SELECT (SELECT stream_id FROM events WHERE stream_id > streams.id ORDER BY stream_id LIMIT 1)
          FROM streams WHERE streams.id IS NOT NULL
    )
    SELECT head.* FROM streams, LATERAL (
        SELECT stream_id, version, hash FROM events
         WHERE stream_id = streams.id AND position <= :size ORDER BY version DESC LIMIT 1
    ) AS head ORDER BY stream_id
""")


def measured(connection: Connection, size: int) -> HeadsRecorded:
    """Return what is to be recorded of the heads of the first *size* events."""
    frontier = Frontier()
    for head in heads_in_order(connection, size):
        frontier.append(leaf_of(head.stream_id, head.commitment))
    return HeadsRecorded(size=size, streams=frontier.size, root=frontier.root.hex())


def newest(connection: Connection, *, before: int | None = None) -> RecordedHeads | None:
    """Return the newest recorded heads, or the newest up to the position *before*; None when there are none."""
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
        raise TypeError(f"event {row.position} is no heads_recorded")
    return RecordedHeads(row.position, row.version, row.hash, recorded.recorded_at, recorded.data)


def record(connection: Connection, data: HeadsRecorded, *, now: datetime, actor: str) -> int:
    """Append *data* to the service's own stream and return its position. Last in its transaction, under `checkpoints.lock`."""
    return operations.append(connection, data, now=now, by=actor).position


def prove_head(connection: Connection, stream_id: UUID, size: int) -> HeadProof:
    """Return the proof of a stream's head among the first *size* events, for recorded heads of that size.

    Costs one pass over the heads; for many streams keep a `workflows.heads.HeadsTree`.

    Raises
    ------
    LookupError
        When the stream had no event by then.
    """
    return HeadsTree(list(heads_in_order(connection, size))).prove(stream_id)
