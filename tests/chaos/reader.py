"""A reader that follows the log as any outsider may: it asks for what stands behind the last position that it saw."""

import contextlib
import threading
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import psycopg

from tests.stage import POLL_SECONDS


class Seen(NamedTuple):
    """One event as the reader saw it."""

    position: int
    stream_id: UUID
    version: int
    hash: bytes


class Reader:
    """Follows the log in a thread of its own, through all restarts of PostgreSQL."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader")
        self.seen: list[Seen] = []

    def _run(self) -> None:
        last_round = False
        while not last_round:
            last_round = self._stopping.is_set()
            with (
                contextlib.suppress(psycopg.OperationalError),
                psycopg.connect(self._database_url, autocommit=True) as connection,
            ):
                while self._read(connection):
                    pass
                while not self._stopping.wait(POLL_SECONDS / 4):
                    self._read(connection)
            self._stopping.wait(POLL_SECONDS)

    def _read(self, connection: psycopg.Connection) -> int:
        last = self.seen[-1].position if self.seen else 0
        rows = connection.execute(
            "SELECT position, stream_id, version, hash FROM events WHERE position > %s ORDER BY position LIMIT 100", [last]
        ).fetchall()
        self.seen += [Seen(*row) for row in rows]
        return len(rows)


@contextlib.contextmanager
def following(database_url: str) -> Iterator[Reader]:
    """Yield a reader that follows the log until the block ends, and then reads to the end."""
    reader = Reader(database_url)
    reader._thread.start()
    try:
        yield reader
    finally:
        reader._stopping.set()
        reader._thread.join()
