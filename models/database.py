"""The connection to PostgreSQL: engine, schema check, and errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import Connection as Connection
from sqlalchemy import Engine as Engine
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool


class ModelError(Exception):
    """The base of this package's errors."""


class DatabaseUnavailableError(ModelError):
    """PostgreSQL cannot be reached or went away; nothing was changed, and the call may be repeated."""


class DatabaseFullError(ModelError):
    """PostgreSQL has no room left; nothing was changed."""


class ConcurrentAppendError(ModelError):
    """Another transaction appended to the same stream first; nothing was changed, and the call may be repeated at once."""


def make_engine(database_url: str, *, pool_size: int = 5, application_name: str = "thaw") -> Engine:
    """Return an engine for *database_url* (``postgresql://…``); nothing is connected yet.

    Sessions get a statement timeout of 60 s and a lock timeout of 20 s, so that a stuck lock becomes an error that is seen.
    """
    url = database_url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=5,
        pool_pre_ping=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 10,
            "options": "-c statement_timeout=60000 -c lock_timeout=20000 -c timezone=UTC",
        },
    )
    event.listen(engine, "connect", _send_lists_in_binary)
    return engine


def _send_lists_in_binary(connection: psycopg.Connection[object], _: object) -> None:
    # As text, every quote of every body in a list is escaped, which took two thirds of the time of a batch.
    connection.adapters.register_dumper(list, ListBinaryDumper)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run the block in one transaction on *engine*.

    Raises
    ------
    DatabaseUnavailableError
        When the server is away, before or in the middle; the transaction's fate is then rolled back or, if the connection
        broke at the commit itself, unknown: the caller repeats with the same message ids, which is harmless.
    DatabaseFullError
        When the server's disk is full.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise translated(error) from error


def translated(error: DBAPIError) -> Exception:
    """Return the error of ours that says what *error* means, or *error* itself."""
    state = getattr(error.orig, "sqlstate", None) or ""
    first_line = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if state.startswith("53") and state != "53300":
        return DatabaseFullError(f"PostgreSQL has run out of room: {first_line}")
    if state == "23505" and "events_stream_version" in str(error.orig):
        return ConcurrentAppendError("another transaction appended to the same stream first")
    if error.connection_invalidated or state[:2] in {"08", "57"} or (isinstance(error, OperationalError) and not state):
        return DatabaseUnavailableError(f"PostgreSQL is not reachable: {first_line}")
    if state in {"40001", "40P01"}:
        return ConcurrentAppendError(f"PostgreSQL asked for another try: {first_line}")
    return error


def ping(connection: Connection) -> str:
    """Return the server's version, such as ``16.4``."""
    return str(connection.scalar(text("SHOW server_version")))
