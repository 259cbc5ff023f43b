"""The log folded again: one stream after another, in constant memory, whatever the number of events.

Two ways lead through it. `read_streams` gives whole rows, a page at a time, and leaves the connection free between pages.
`fold_log` and `scan` are for reading everything: rows come over as PostgreSQL holds them, bodies and ids as bytes, and the
server reads ahead while we fold.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from psycopg import capabilities
from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import Connection, text

from models.database import ModelError, driver_errors
from models.events import EventRow, event_columns
from workflows.codec import GENESIS, chain_hash
from workflows.events import AnyEvent, Effects, Recorded, decode_recorded
from workflows.fold import fold
from workflows.lead import Lead, Rep
from workflows.rep import fold_rep

#: So many rows come over the network at a time. More are no faster, and take room in the processor's caches.
SCAN_ROWS = 500


class Folded(NamedTuple):
    """A stream after its last event: the state, and that event's hash."""

    state: Lead | Rep
    hash: bytes


class Replayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a fold reads of most events: `Recorded` without what the decision used and where it came from.

    The fields are in the order of the canonical body, in which they are found fastest.
    """

    data: AnyEvent
    effects: Effects
    occurred_at: datetime
    recorded_at: datetime
    state: str
    version: int


_replayed: msgspec.json.Decoder[Replayed] = msgspec.json.Decoder(Replayed)

#: Events of which a fold reads more than that: they open a stream, or pin a playbook.
WHOLE = frozenset({b"lead_registered", b"calendar_frozen", b"revival_queued", b"playbook_migrated"})


class BrokenChainError(ModelError):
    """An event's hash does not follow from the event before it and its body: the log was changed."""


def fold_log(connection: Connection, *, hashes_checked: bool = False) -> Iterator[Folded]:
    """Yield each stream as its newest event leaves it, in the order of their ids. For all other checks see `models.verify`.

    Raises
    ------
    BrokenChainError
        When a hash is wrong and *hashes_checked* is asked for.
    """
    current: bytes | None = None
    state: Lead | Rep | None = None
    hash_ = b""
    for stream_id, type_, body, newest in scan(connection, "stream_id, type, body, hash"):
        if stream_id != current:
            if state is not None:
                yield Folded(state, hash_)
            current, state, hash_ = stream_id, None, GENESIS
        if hashes_checked and chain_hash(hash_, body) != newest:
            raise BrokenChainError(f"the chain of {UUID(bytes=stream_id)} breaks; run `thaw verify` to see where")
        # Replayed has what a fold reads of all other events; tests/models/test_replay.py holds it to that.
        recorded = decode_recorded(body) if type_ in WHOLE else cast("Recorded", _replayed.decode(body))
        state, hash_ = fold_next(state, recorded), newest
    if state is not None:
        yield Folded(state, hash_)


def scan(connection: Connection, columns: str) -> Generator[tuple[Any, ...]]:
    """Yield these *columns* of all events: streams in the order of their ids, the events of each oldest first.

    Texts and ids come as bytes. Nothing else may be asked on *connection* before the last row, or before the iterator is
    closed.
    """
    driver: Any = connection.connection.driver_connection
    # Closing early cancels the query, which would otherwise take the caller's transaction with it.
    unharmed = connection.begin_nested()
    with driver.cursor(binary=True) as cursor:
        for name in ("text", "uuid"):
            cursor.adapters.register_loader(name, ByteaBinaryLoader)
        statement = f"SELECT {columns} FROM events ORDER BY stream_id, version"
        size = SCAN_ROWS if capabilities.has_stream_chunked() else 1
        try:
            with driver_errors(statement), closing(cursor.stream(statement, binary=True, size=size)) as rows:
                yield from rows
        finally:
            unharmed.rollback()


def read_streams(connection: Connection, *, chunk: int = 10_000) -> Iterator[tuple[UUID, Iterator[EventRow]]]:
    """Yield each stream with its events, oldest first; streams in the order of their ids."""
    return groupby(_by_stream(connection, chunk), key=attrgetter("stream_id"))


def _by_stream(connection: Connection, chunk: int) -> Iterator[EventRow]:
    statement = text(
        f"SELECT {event_columns} FROM events WHERE (stream_id, version) > (:stream_id, :version) "
        f"ORDER BY stream_id, version LIMIT :chunk"
    )
    stream_id, version = UUID(int=0), 0
    while rows := connection.execute(statement, {"stream_id": stream_id, "version": version, "chunk": chunk}).all():
        yield from map(EventRow._make, rows)
        stream_id, version = rows[-1].stream_id, rows[-1].version


def fold_next(state: Lead | Rep | None, recorded: Recorded) -> Lead | Rep | None:
    """Return the stream's state after *recorded*, whichever kind of stream it is; the service's own has none."""
    if recorded.state == "service":
        return None
    if recorded.state == "rep":
        return fold_rep(state if isinstance(state, Rep) else None, recorded)
    return fold(state if isinstance(state, Lead) else None, recorded)


def fold_rows(rows: Iterator[EventRow] | list[EventRow]) -> Folded | None:
    """Return what *rows*, the first events of one stream, fold to; None when there are none."""
    state: Lead | Rep | None = None
    hash_ = b""
    for row in rows:
        state, hash_ = fold_next(state, decode_recorded(row.body.encode())), row.hash
    return Folded(state, hash_) if state is not None else None
