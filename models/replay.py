"""The log folded again: one stream after another, in constant memory, whatever the number of events."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from models.events import EventRow, event_columns
from workflows.events import Recorded, decode_recorded
from workflows.fold import fold
from workflows.lead import Lead, Rep
from workflows.rep import fold_rep


class Folded(NamedTuple):
    """A stream after its last event: the state, and that event's hash."""

    state: Lead | Rep
    hash: bytes


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


def fold_next(state: Lead | Rep | None, recorded: Recorded) -> Lead | Rep:
    """Return the stream's state after *recorded*, whichever kind of stream it is."""
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
