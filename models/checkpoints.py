"""Signed checkpoints of the log: kept for ever, one per size, and where each has arrived."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from models.finite import bounded, columns_of
from models.tables import checkpoints

#: Held to the end of the transaction by whoever makes a checkpoint or records heads. Any constant would do.
ADVISORY_LOCK = 7_468_617_702


#: No row has a smaller number.
_LEAST = -(2**63)


class CheckpointRow(NamedTuple):
    """A checkpoint as stored."""

    size: int
    root: bytes
    note: str
    made_at: datetime
    """On the database's clock."""


#: Nobody keeps the service from signing and verifying by a moment that Python cannot hold.
_ROW = columns_of(checkpoints)


def lock(connection: Connection, *, wait: bool) -> bool:
    """Take the right to make the next checkpoint, to the end of the transaction; False when another holds it and not *wait*."""
    if wait:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK}))


def newest(connection: Connection) -> CheckpointRow | None:
    """Return the newest checkpoint, None when there is none yet."""
    row = connection.execute(text(f"SELECT {_ROW} FROM checkpoints ORDER BY size DESC LIMIT 1")).first()
    return CheckpointRow(*row) if row else None


def find(connection: Connection, size: int) -> CheckpointRow | None:
    """Return the checkpoint of *size* events."""
    row = connection.execute(text(f"SELECT {_ROW} FROM checkpoints WHERE size = :size"), {"size": size}).first()
    return CheckpointRow(*row) if row else None


def read_all(connection: Connection) -> Iterator[CheckpointRow]:
    """Yield all checkpoints, the smallest first, in constant memory; a row may have any size, also one below 0."""
    after = _LEAST
    statement = text(f"SELECT {_ROW} FROM checkpoints WHERE size > :after ORDER BY size LIMIT 1000")
    while rows := connection.execute(statement, {"after": after}).all():
        yield from map(CheckpointRow._make, rows)
        after = rows[-1].size


def milestones(connection: Connection, *, before: int) -> list[CheckpointRow]:
    """Return some checkpoints of fewer than *before* events, the smallest first: enough to compare a log with its past.

    They are the first one, the last of each day (UTC) of the newest hundred days, and before that the last of each month.
    """
    statement = text(f"""
        WITH known AS (
            SELECT *, made_at AT TIME ZONE 'UTC' AS at, max(made_at) OVER () - made_at AS age
              FROM (SELECT {_ROW} FROM checkpoints WHERE size < :before) AS earlier
        ), last AS (
            SELECT DISTINCT ON (grain) size FROM (
                SELECT size, date_trunc(CASE WHEN age < interval '100 days' THEN 'day' ELSE 'month' END, at) AS grain FROM known
            ) AS grains ORDER BY grain, size DESC
        )
        SELECT size, root, note, made_at FROM known
         WHERE size IN (SELECT size FROM last UNION SELECT min(size) FROM known) ORDER BY size
    """)
    return [CheckpointRow(*row) for row in connection.execute(statement, {"before": before})]


def seconds_since(connection: Connection, moment: datetime) -> float:
    """Return how many seconds ago *moment* was on the database's clock; less than 0 where that was put back since."""
    return float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp() - :moment)"), {"moment": moment}) or 0)


def save(connection: Connection, *, size: int, root: bytes, note: str) -> None:
    """Keep a checkpoint. There can be only one of a size, and none smaller than the newest is ever made."""
    statement = text("INSERT INTO checkpoints (size, root, note) VALUES (:size, :root, :note)")
    connection.execute(statement, {"size": size, "root": root, "note": note})


def undelivered(connection: Connection, destination: str) -> CheckpointRow | None:
    """Return the newest checkpoint if it has not arrived at *destination*; older ones say nothing that it does not say."""
    last = newest(connection)
    if last is None:
        return None
    statement = text("SELECT 1 FROM checkpoint_deliveries WHERE destination = :destination AND size = :size")
    arrived = connection.scalar(statement, {"destination": destination, "size": last.size})
    return None if arrived else last


def first_lost(connection: Connection) -> int | None:
    """Return the size of the smallest checkpoint that has arrived somewhere and is not here; None where none is missing."""
    statement = "SELECT min(size) FROM checkpoint_deliveries d WHERE NOT EXISTS (SELECT FROM checkpoints WHERE size = d.size)"
    size: int | None = connection.scalar(text(statement))
    return size


def seconds_since_delivery(connection: Connection, destination: str) -> float | None:
    """Return how many seconds ago, on the database's clock, a checkpoint arrived at *destination*; None when none has.

    Less than 0 where that clock was put back since.
    """
    statement = text(
        f"SELECT extract(epoch FROM clock_timestamp() - max({bounded('delivered_at')})) FROM checkpoint_deliveries "
        "WHERE destination = :destination"
    )
    seconds = connection.scalar(statement, {"destination": destination})
    return None if seconds is None else float(seconds)


class Failure(NamedTuple):
    """What keeps checkpoints from arriving somewhere."""

    destination: str
    size: int
    """Of the checkpoint that was tried last."""
    error: str
    since: datetime
    """Of the first failure after the last success, on the database's clock."""
    times: int


def failed(connection: Connection, destination: str, size: int, error: str) -> None:
    """Remember that the checkpoint of *size* events did not arrive at *destination*, until one does."""
    statement = text(
        "INSERT INTO checkpoint_failures (destination, size, error) VALUES (:destination, :size, :error) "
        "ON CONFLICT (destination) DO UPDATE SET size = excluded.size, error = excluded.error, "
        "times = checkpoint_failures.times + 1"
    )
    connection.execute(statement, {"destination": destination, "size": size, "error": error})


def failures(connection: Connection) -> list[Failure]:
    """Return where checkpoints do not arrive, by name."""
    rows = connection.execute(
        text(f"SELECT destination, size, error, {bounded('since')}, times FROM checkpoint_failures ORDER BY destination")
    )
    return [Failure(*row) for row in rows]


def delivered(connection: Connection, destination: str, size: int) -> None:
    """Remember that the checkpoint of *size* events has arrived at *destination*."""
    statement = text(
        "INSERT INTO checkpoint_deliveries (destination, size) VALUES (:destination, :size) ON CONFLICT DO NOTHING"
    )
    connection.execute(statement, {"destination": destination, "size": size})
    connection.execute(text("DELETE FROM checkpoint_failures WHERE destination = :name"), {"name": destination})
