"""Events per second from the database in one process: folded, and verified with hashes, beside the rate of reading alone."""

import psycopg

from models.database import transaction
from models.replay import fold_log
from models.verify import verify
from tests.benchmarks.figures import Figure
from tests.benchmarks.log import make_projections, write_log
from tests.benchmarks.stage import Stage, Stopwatch, engine_of

TITLE = "Replay and verification, one process"

AIM_FOLDED, AIM_VERIFIED = 150_000.0, 75_000.0


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with a note on the log."""
    with stage.database() as url, engine_of(url) as engine:
        events = write_log(engine, stage.size(200_000, 3_000))
        rebuilt = make_projections(engine)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        read = _read(url, events)
        with transaction(engine) as connection:
            watch = Stopwatch()
            streams = sum(1 for _ in fold_log(connection))
            folded = events / watch.seconds
        with transaction(engine) as connection:
            watch = Stopwatch()
            verified = verify(connection)
            checked = events / watch.seconds
        # The generator stages no messages of a worker, so "forgotten" cannot occur: rebuild staged every timer.
        if verified.findings or verified.events != events:
            raise RuntimeError(f"the log of the benchmark does not verify: {verified.findings[:3]}")
    figures = [
        Figure("replay.read_per_second", "rows read by psycopg, nothing done with them", read, "/s"),
        Figure("replay.folded_per_second", "events folded", folded, "/s", AIM_FOLDED),
        Figure("replay.verified_per_second", "events verified, hashes and projections", checked, "/s", AIM_VERIFIED),
        Figure("replay.folded_over_read", "folded / read", folded / read, "x"),
    ]
    return figures, [f"{events:,} events of {streams:,} leads, {rebuilt.leads:,} rows in the book"]


def _read(url: str, events: int) -> float:
    """Return how many rows per second psycopg reads of the log, in the order of a fold."""
    with psycopg.connect(url) as connection, connection.cursor(name="read", binary=True) as cursor:
        cursor.itersize = 2_000
        watch = Stopwatch()
        cursor.execute("SELECT stream_id, type, body, hash FROM events ORDER BY stream_id, version")
        if sum(1 for _ in cursor) != events:
            raise RuntimeError("the log changed while it was read")
        return events / watch.seconds
