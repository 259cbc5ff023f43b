"""Events per second from the database, in one process: folded, folded with every hash checked, and verified in full.

Beside them the rate at which psycopg reads the same rows and does nothing with them, and how fast the `eventsourcing` library
replays where it can be had. The log is that of ten thousand leads, whose whole book is also listed as it was at a past moment.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from uuid import UUID

import psycopg
from sqlalchemy import text

from models.database import Engine, transaction
from models.replay import decode_events, fold_events, scan
from models.verify import verify
from models.views import snapshot
from service.verifiers import verifiers
from tests.benchmarks import peers
from tests.benchmarks.figures import Figure
from tests.benchmarks.imports import thaw
from tests.benchmarks.log import make_projections, write_log
from tests.benchmarks.stage import Stage, Stopwatch, engine_of
from workflows.codec import GENESIS, chain_hashes
from workflows.invitation_streams import Stream

TITLE = "Replay, one process"

#: Each rate is the best of so many passes: what disturbs a pass can only make it slower.
PASSES = 3


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with a note on the log."""
    with stage.database() as url, engine_of(url) as engine:
        count = write_log(engine, stage.size(154_000, 2_000))
        watch = Stopwatch()
        rebuilt = make_projections(engine)
        rebuild_seconds = watch.seconds
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        read = best(count, partial(_read, url))
        folded = best(count, partial(fold, engine, count, hashes=False))
        chained = best(count, partial(fold, engine, count, hashes=True))
        verified = best(count, partial(verify_all, engine, count))
        book = _list(stage, engine, url)
        peer = peers.replay_rate(stage)
    rates = {
        "read_per_second": ("rows read by psycopg, and nothing done with them", read, None),
        "folded_per_second": ("events folded", folded, 150_000),
        "chained_per_second": ("events folded, with every hash checked", chained, 75_000),
        "verified_per_second": ("events verified in full, with every projection", verified, None),
        "rebuilt_per_second": ("events from which all projections are rebuilt", count / rebuild_seconds, None),
    }
    figures = [Figure(f"replay.{key}", title, rate, "/s", aim) for key, (title, rate, aim) in rates.items()]
    figures.append(Figure("replay.book_seconds", "`thaw leads --at` of that book", book, "s", 2, at_most=True))
    if isinstance(peer, str):
        return figures, [_about(count, rebuilt.leads), f"eventsourcing is left out: {peer}"]
    figures.append(Figure("replay.eventsourcing_per_second", "events replayed by eventsourcing", peer, "/s"))
    figures.append(Figure("replay.over_eventsourcing", "folded / eventsourcing", folded / peer, "x"))
    return figures, [_about(count, rebuilt.leads)]


def _about(count: int, leads: int) -> str:
    return f"{count:,} events of {leads:,} leads; best of {PASSES} passes"


def best(count: int, once: Callable[[], None], passes: int = PASSES) -> float:
    """Return how many of *count* things are done in a second, when *once* does all."""
    seconds = []
    for _ in range(passes):
        watch = Stopwatch()
        once()
        seconds.append(watch.seconds)
    return count / min(seconds)


def _read(url: str) -> None:
    """Read what a fold reads, in its order, in constant memory."""
    with psycopg.connect(url) as connection, connection.cursor("rows", binary=True) as cursor:
        cursor.execute("SELECT stream_id::text, type, body, hash FROM events ORDER BY stream_id, version")
        while cursor.fetchmany(1_000):
            pass


def fold(engine: Engine, count: int, *, hashes: bool) -> None:
    """Fold the whole log of *count* events, as `models.verify_part` reads it, and check no more of it than the *hashes*."""
    folded, stream, hash_ = 0, b"", GENESIS
    state: Stream | None = None
    with transaction(engine) as connection, closing(scan(connection, ("body", "hash") if hashes else ("body",))) as pieces:
        for id_, bodies, *hashes_ in pieces:
            if id_ != stream:
                stream, state, hash_ = id_, None, GENESIS
            if hashes:
                if chain_hashes(hash_, bodies) != hashes_[0]:
                    raise RuntimeError(f"the chain of {UUID(bytes=id_)} breaks")
                hash_ = hashes_[0][-1]
            state = fold_events(state, decode_events(bodies))
            folded += len(bodies)
    if folded != count:
        raise RuntimeError(f"{folded} of {count} events were folded")


def verify_all(engine: Engine, count: int, processes: int = 1) -> None:
    """Verify the whole log of *count* events."""
    with snapshot(engine) as connection, verifiers(connection, processes) as parts:
        verified = verify(connection, parts=parts)
    if verified.events != count or verified.findings:
        raise RuntimeError(f"{verified.events} of {count} events were verified: {verified.findings}")


def _list(stage: Stage, engine: Engine, url: str) -> float:
    """Return the seconds that ``thaw leads --at`` takes, with a contact for each lead, at a moment when most had happened."""
    with transaction(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO contacts (lead_id, source, external_id, fields, salt, commitment) "
                "SELECT id, 'crm', 'B-' || id, CAST(:fields AS jsonb), '', '' FROM leads"
            ),
            {"fields": '{"name": "Person Example", "company": "Company"}'},
        )
        moment = connection.scalar(text("SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY recorded_at) FROM events"))
    assert isinstance(moment, datetime)
    told = {"THAW_DATABASE_URL": url, "THAW_REDIS_URL": stage.redis_url}
    return min(thaw(["leads", "--at", moment.isoformat()], told).seconds for _ in range(stage.size(PASSES, 1)))
