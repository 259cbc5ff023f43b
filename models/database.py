"""The connection to PostgreSQL: engine, schema check, and errors that say what to do."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy import Connection as Connection
from sqlalchemy import Engine as Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.pool import QueuePool


class ModelError(Exception):
    """The base of this package's errors."""


class DatabaseError(ModelError):
    """PostgreSQL refused a statement for another reason than those below; nothing was changed."""


class DeniedError(DatabaseError):
    """This login may not do that; nothing was changed."""


class DatabaseUnavailableError(ModelError):
    """PostgreSQL cannot be reached or went away; nothing was changed, and the call may be repeated."""


class DatabaseFullError(ModelError):
    """PostgreSQL has no room left; nothing was changed."""


class LockedError(ModelError):
    """Somebody else holds a row or table for longer than we wait; nothing was changed, and the call may be repeated later."""


class ErasedError(ModelError):
    """The data would be about somebody who was erased; nothing was changed."""


class ConcurrentAppendError(ModelError):
    """Another transaction appended to the same stream first; nothing was changed, and the call may be repeated at once."""


#: What every session is set to, unless the URL says otherwise.
LIMITS = "-c statement_timeout=60000 -c lock_timeout=20000"

#: What every session is set to in any case. Server, database and user may have other defaults, under which we would misread.
#: Where rows are hidden from a login by a policy, it gets an error, and not the others as if they were all.
SESSION = "-c timezone=UTC -c datestyle=ISO -c default_transaction_isolation=read\\ committed -c row_security=off"


def make_engine(database_url: str, *, pool_size: int = 5, max_overflow: int = 5, application_name: str = "thaw") -> Engine:
    """Return an engine for *database_url* (``postgresql://…``); nothing is connected yet.

    It keeps up to *pool_size* sessions open, and has up to *max_overflow* more as long as they are needed.

    Sessions get a statement timeout of 60 s and a lock timeout of 20 s, so that a stuck lock becomes an error that is seen.
    What the URL itself says of a session goes before what we would say, but for its name, by which processes are counted.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    ours: dict[str, Any] = {
        "connect_timeout": 10,
        # A server that is gone without a word is noticed after half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "client_encoding": "utf8",
    }
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=max_overflow,
        # Parameters can be people's words; an error must not print them.
        hide_parameters=True,
        connect_args={name: value for name, value in ours.items() if name not in url.query}
        | {"application_name": application_name, "options": _options(url)},
    )
    event.listen(engine, "connect", _send_lists_in_binary)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _check_rested)
    return engine


def _options(url: URL) -> str:
    """Return the options of a session: ours, then those in *url*, where the later one counts; what we rest on comes last."""
    given = url.query.get("options", ())
    theirs = [given] if isinstance(given, str) else given
    return " ".join([LIMITS, *theirs, SESSION])


#: A connection that was used so lately is taken to be whole. Asking each time costs a twentieth of a batch.
RESTED_SECONDS = 1.0


def _note_use(_: object, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _check_rested(connection: psycopg.Connection[object], record: Any, _: object) -> None:
    """See whether a connection still works that has rested in the pool; otherwise the pool makes another."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < RESTED_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


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
    LockedError, ConcurrentAppendError, DatabaseError
        When the server refused; nothing was changed.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise translated(error) from error


@contextmanager
def rehearsal(engine: Engine) -> Iterator[Connection]:
    """Run the block in one transaction of which nothing stays; raises as `transaction` does."""
    with transaction(engine) as connection:
        yield connection
        connection.rollback()


def take_as_long_as_needed(connection: Connection) -> None:
    """Set no limit to the statements of this transaction: what takes long in a long log is no lock that is stuck."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))


@contextmanager
def driver_errors(statement: str) -> Iterator[None]:
    """Raise for *statement*, which the block runs with the driver alone, what `transaction` raises for others."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(DBAPIError.instance(statement, None, error, psycopg.Error)) from error  # type: ignore[arg-type]  # the stub knows no None


def ask(connection: Connection, statement: str, parameters: Mapping[str, object]) -> list[Any]:
    """Return the rows that *statement* gives for *parameters*, which it names ``%(so)s``: run with the driver alone.

    For the statements of a batch, where SQLAlchemy would take as much time as the driver.
    """
    with driver_errors(statement):
        rows: list[Any] = _driver(connection).execute(statement, parameters, binary=True).fetchall()
    return rows


def tell(connection: Connection, statement: str, parameters: Mapping[str, object]) -> None:
    """Run *statement* as `ask` does where it gives no rows that anybody wants."""
    with driver_errors(statement):
        _driver(connection).execute(statement, parameters)


def _driver(connection: Connection) -> Any:
    if not connection.in_transaction():
        # As SQLAlchemy does before a statement of its own; it commits nothing that it did not see begin.
        connection.begin()
    return connection.connection.driver_connection


def scrub(error: DBAPIError, first_line: str) -> None:
    """Cut *error* and what the driver said down to *first_line*, wherever they are printed.

    What PostgreSQL says behind it, as DETAIL and CONTEXT, are the values: rows of people, who would end in logs and tracebacks.
    """
    error.args = (f"({type(error.orig).__name__}) {first_line}",)
    if error.orig is not None:
        error.orig.args = (first_line,)


#: What our own triggers raise (`migrations`).
_ERASED = "TH001"

#: No connection is left (53300); an idle transaction was ended (25P03); the server only reads (25006).
_AWAY = frozenset({"53300", "25P03", "25006"})

#: Others held a lock for too long (55P03), or a statement took too long, which is mostly that (57014).
_LOCKED = frozenset({"55P03", "57014"})


def translated(error: DBAPIError) -> ModelError:
    """Return the error of ours that says what *error* means."""
    state = getattr(error.orig, "sqlstate", None) or ""
    first_line = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    scrub(error, first_line)
    if state.startswith("53") and state != "53300":
        return DatabaseFullError(f"PostgreSQL has run out of room: {first_line}")
    if state == _ERASED:
        return ErasedError(first_line)
    if state == "23505" and "events_stream_version" in first_line:
        return ConcurrentAppendError("another transaction appended to the same stream first")
    if state in _LOCKED:
        return LockedError(f"somebody else holds what this needs: {first_line}")
    if error.connection_invalidated or state[:2] in {"08", "57"} or (isinstance(error, OperationalError) and not state):
        return DatabaseUnavailableError(f"PostgreSQL is not reachable: {first_line}")
    if state in _AWAY:
        return DatabaseUnavailableError(f"PostgreSQL cannot do this now: {first_line}")
    if state in {"40001", "40P01"}:
        return ConcurrentAppendError(f"PostgreSQL asked for another try: {first_line}")
    if state == "42501" and "permission denied" in first_line:
        return DeniedError(f"this login may not do that ({first_line}): `thaw roles` says what each may do")
    return DatabaseError(f"PostgreSQL refused: {first_line}")


def ping(connection: Connection) -> str:
    """Return the server's version, such as ``16.4``."""
    return str(connection.scalar(text("SHOW server_version")))
