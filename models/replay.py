"""The log folded again: one stream after another, in constant memory, whatever the number of events.

PostgreSQL puts some events of a stream together in one row, a piece: what each row costs on its way is then paid once for many
events, and their bodies are decoded in one call. `scan` is for reading everything: the server reads ahead while we fold.
`pages` leaves the connection free between its pages.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

import msgspec
from psycopg import capabilities
from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import Connection

from models.database import driver_errors, take_as_long_as_needed
from models.events import EventRow
from workflows.events import AnyEvent, Effects, PlaybookPin, Recorded, UnreadableEventError, decode_recorded
from workflows.fold import fold_all
from workflows.invitation_streams import Stream, fold_stream
from workflows.lead import BESIDE_LEADS, Lead

T = TypeVar("T")

#: A piece has so many events at most.
PIECE_EVENTS = 64

#: So many pieces come over the network at a time: no more than the server has room to send while we fold those before.
SCAN_PIECES = 8

#: So many events are on a page.
PAGE_EVENTS = 1_000


class Ids(NamedTuple):
    """Streams from one id to another, both of them included."""

    first: UUID
    last: UUID


#: Every stream.
EVERY = Ids(UUID(int=0), UUID(int=2**128 - 1))


def parts(count: int) -> list[Ids]:
    """Return *count* parts of all ids, one behind the other: about as many streams in each, for ids are hashes mostly."""
    borders = [(number << 128) // count for number in range(count + 1)]
    return [Ids(UUID(int=first), UUID(int=end - 1)) for first, end in pairwise(borders)]


class Folded(NamedTuple):
    """A stream after its last event: the state, and that event's hash."""

    state: Stream
    hash: bytes


class Replayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a fold reads of an event: `Recorded` without what the decision used and where it came from.

    The fields are in the order of the canonical body, in which they are found fastest.
    """

    data: AnyEvent
    effects: Effects
    occurred_at: datetime
    pin: msgspec.Raw = msgspec.field(name="playbook")
    recorded_at: datetime
    state: str
    stream: msgspec.Raw = msgspec.field(name="stream_id")
    version: int

    # Few events are asked for these two, and reading them takes an eighth of the time of all.
    @property
    def playbook(self) -> PlaybookPin | None:
        """The playbook version in force."""
        return _pin.decode(self.pin)

    @property
    def stream_id(self) -> UUID:
        """The stream."""
        return _id.decode(self.stream)


_pin: msgspec.json.Decoder[PlaybookPin | None] = msgspec.json.Decoder(PlaybookPin | None)
_id: msgspec.json.Decoder[UUID] = msgspec.json.Decoder(UUID)
_replayed: msgspec.json.Decoder[list[Replayed]] = msgspec.json.Decoder(list[Replayed])


def decode_events(bodies: Sequence[bytes]) -> list[Recorded]:
    """Return what a fold reads of the events in *bodies*, and nothing else of them: each is a `Replayed`.

    Raises
    ------
    UnreadableEventError
        When one of them is no event.
    """
    # tests/models/test_replay.py holds Replayed to what a fold reads.
    return cast("list[Recorded]", decode_together(_replayed, bodies))


def decode_together(decoder: msgspec.json.Decoder[list[T]], bodies: Sequence[bytes]) -> list[T]:
    """Return what *decoder* makes of *bodies* in one call, one thing of each; raises as `decode_events` does."""
    try:
        found = decoder.decode(b"[" + b",".join(bodies) + b"]")
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableEventError(str(error)) from error
    if len(found) != len(bodies):
        raise UnreadableEventError("a body holds more than one event")
    return found


def scan(connection: Connection, columns: Sequence[str], ids: Ids = EVERY) -> Generator[tuple[Any, ...]]:
    """Yield the events of the streams *ids* in pieces: a stream's id, and a list for each of *columns*, oldest event first.

    Streams come in the order of their ids, each in one piece or several. Texts and ids come as bytes; cast to ``varchar`` they
    come as strings. Nothing else may be asked on *connection* before the last piece, or before the iterator is closed.
    """
    statement = _statement(columns)
    # Closing early cancels the query, which would otherwise take the caller's transaction with it.
    unharmed = connection.begin_nested()
    with _binary_cursor(connection) as cursor:
        size = SCAN_PIECES if capabilities.has_stream_chunked() else 1
        try:
            with driver_errors(statement):
                cursor.execute(_in_order_of_the_index)
                with closing(cursor.stream(statement, ids, binary=True, size=size)) as rows:
                    yield from rows
        finally:
            unharmed.rollback()


def _statement(columns: Sequence[str]) -> str:
    gathered = ", ".join(f"array_agg({column})" for column in columns)
    return (
        f"SELECT stream_id, {gathered} FROM ("
        f"SELECT *, (version - 1) / {PIECE_EVENTS} AS piece FROM events WHERE stream_id BETWEEN %s AND %s "
        f"ORDER BY stream_id, piece, version"
        f") AS e GROUP BY stream_id, piece ORDER BY stream_id, piece"
    )


# Without sorting or hashing the whole log, which would fill the disk, and without a limit of time: what takes long here is us.
_in_order_of_the_index = """
    SELECT set_config(name, value, true) FROM (VALUES ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'),
      ('enable_sort', 'off'), ('enable_hashagg', 'off'), ('max_parallel_workers_per_gather', '0'), ('work_mem', '64MB'),
      ('statement_timeout', '0')
    ) AS settings (name, value)
"""


def pages(
    connection: Connection,
    columns: Sequence[str],
    *,
    where: str = "true",
    values: Mapping[str, object] | None = None,
    chunk: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Yield the events of which *where*, with its *values*, is true, as `scan` does; *chunk* events come at a time.

    The connection is free whenever an item was taken. All items are of one moment in a REPEATABLE READ transaction only.
    """
    statement = (
        f"SELECT stream_id, {', '.join(f'array_agg({column})' for column in columns)}, max(version) FROM ("
        f"SELECT * FROM events WHERE (stream_id, version) > (%(stream_id)s, %(version)s) AND {where} "
        f"ORDER BY stream_id, version LIMIT {chunk or PAGE_EVENTS}) AS e GROUP BY stream_id ORDER BY stream_id"
    )
    # Where few events are asked for, one page may take the whole log.
    take_as_long_as_needed(connection)
    behind: dict[str, object] = {"stream_id": UUID(int=0), "version": 0}
    while True:
        with _binary_cursor(connection) as cursor, driver_errors(statement):
            rows = cursor.execute(statement, {**(values or {}), **behind}, prepare=True).fetchall()
        if not rows:
            return
        for row in rows:
            yield row[:-1]
        behind = {"stream_id": UUID(bytes=rows[-1][0]), "version": rows[-1][-1]}


def _binary_cursor(connection: Connection) -> Any:
    """Return a cursor that gives texts and ids as PostgreSQL holds them: as bytes."""
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor(binary=True)
    for name in ("text", "uuid"):
        cursor.adapters.register_loader(name, ByteaBinaryLoader)
    return cursor


def read_streams(connection: Connection) -> Iterator[tuple[UUID, Iterator[Recorded]]]:
    """Yield each stream with its events, whole, oldest first, streams in the order of their ids; decoded as they are taken.

    Raises
    ------
    UnreadableEventError
        From a stream's iterator, at a body that is no event.
    """
    for stream_id, pieces in groupby(pages(connection, ("body",)), key=itemgetter(0)):
        yield UUID(bytes=stream_id), (decode_recorded(body) for piece in pieces for body in piece[1])


def fold_events(state: Stream | None, history: Sequence[Recorded]) -> Stream | None:
    """Return the stream's state after *history*, its next events: what `fold_stream` makes of one after the other."""
    if BESIDE_LEADS.isdisjoint([recorded.state for recorded in history]):
        return fold_all(state if isinstance(state, Lead) else None, history)
    for recorded in history:
        state = fold_stream(state, recorded)
    return state


def fold_rows(rows: Iterator[EventRow] | list[EventRow]) -> Folded | None:
    """Return what *rows*, the first events of one stream, fold to; None when there are none."""
    state: Stream | None = None
    hash_ = b""
    for row in rows:
        state, hash_ = fold_stream(state, decode_recorded(row.body.encode())), row.hash
    return Folded(state, hash_) if state is not None else None
