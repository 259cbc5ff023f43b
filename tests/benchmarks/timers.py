"""Durable timers: what is due is claimed as fast among a million that wait as among ten thousand, and reaches the workers."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import redis
from sqlalchemy import text

from actors.broker import QUEUE
from actors.clock import CLAIM_LIMIT
from models import rings
from models.database import Engine, transaction
from service.clocks import DrivenClock
from service.keeper import Kept, Order
from service.wiring import worker_environment
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import ROOT, Stage, Stopwatch, engine_of
from workflows.actor_names import actor_name
from workflows.codec import canonical
from workflows.commands import FireTimer

TITLE = "Timers that wait for months"

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

#: So many groups come due one minute after the other, one per pass; the last is left to the clock process.
GROUPS = 8

#: How often the same messages are rung again, to see what that leaves behind.
AGAIN = 10

INDEX = "messages_waiting"
LIMIT_SECONDS = 60.0


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with the plan in a note."""
    due, few, many = stage.size(5_000, 200), stage.size(10_000, 1_000), stage.size(1_000_000, 5_000)
    with stage.database() as url, engine_of(url) as engine:
        fill(url, few, due)
        among_few = min(claim(engine, group, due) for group in range(1, GROUPS))
    with stage.database() as url, engine_of(url) as engine:
        fill(url, many, due)
        plan = explain(engine)
        among_many = min(claim(engine, group, due) for group in range(1, GROUPS))
        again = ring_again(engine, due)
        rung = by_the_clock(stage, url, due)
    figures = [
        Figure("timers.among_few_ms", f"claiming {due:,} that are due among {few:,}", among_few * 1000, "ms"),
        Figure("timers.among_many_ms", f"claiming {due:,} that are due among {many:,}", among_many * 1000, "ms"),
        Figure("timers.many_over_few", "the second / the first", among_many / among_few, "x", 1.5, at_most=True),
        Figure("timers.rung_per_second", "by the clock process, from due to Redis", due / rung, "/s", 5_000),
        Figure("timers.tenth_over_first", f"ringing them again the {AGAIN}th time / the first", again[-1] / again[0], "x"),
    ]
    used = f"the claim uses the index {INDEX}" if INDEX in plan else f"the claim does not use the index {INDEX}:\n{plan}"
    return figures, [used]


def fill(url: str, count: int, due: int) -> None:
    """Put timers into the database: `GROUPS` times *due* that come due minute by minute, the others within six months.

    Those that come due together lie scattered over the whole table, which is the worst that can be.
    """
    command = FireTimer(timer="nurture_touch", armed_version=7)
    statement = """
        INSERT INTO messages (id, stream_id, actor_name, body, asked_by, correlation_id, causation_id, due_at)
        SELECT gen_random_uuid(), gen_random_uuid(), %(actor)s, %(body)s, 'clock', gen_random_uuid(), gen_random_uuid(),
               CASE WHEN number <= %(soon)s THEN %(now)s + (1 + number %% %(groups)s) * interval '1 minute'
                    ELSE %(now)s + interval '1 day' + random() * interval '180 days' END
          FROM generate_series(1, %(count)s) AS number ORDER BY random()
    """
    parameters = {
        "actor": actor_name(command), "body": canonical(command).decode(), "soon": due * GROUPS, "now": NOW,
        "groups": GROUPS, "count": count + due * (GROUPS - 1),
    }  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, parameters)
        connection.execute("VACUUM ANALYZE messages")


def claim(engine: Engine, group: int, due: int) -> float:
    """Claim the group that is due now, as the clock does but without Redis, and return the seconds that it took."""
    now, claimed, watch = NOW + timedelta(minutes=group), 0, Stopwatch()
    while claimed < due:
        with transaction(engine) as connection:
            found = len(rings.claim_due(connection, now=now, limit=CLAIM_LIMIT))
        if not found:
            raise RuntimeError(f"{claimed} of {due} due timers were found")
        claimed += found
    return watch.seconds


def explain(engine: Engine) -> str:
    """Return how PostgreSQL claims."""
    statement = text(f"EXPLAIN {rings._claim_due.text}")
    with transaction(engine) as connection:
        return "\n".join(connection.scalars(statement, {"now": NOW + timedelta(minutes=1), "limit": CLAIM_LIMIT}))


def ring_again(engine: Engine, due: int) -> Sequence[float]:
    """Let the first group's time pass again and again, as when no worker runs, and return the seconds of each claim."""
    seconds = []
    for _ in range(AGAIN):
        with transaction(engine) as connection:
            rings.ring_all_again(connection)
        watch, claimed = Stopwatch(), 0
        while claimed < due * (GROUPS - 1):
            with transaction(engine) as connection:
                claimed += len(rings.claim_overdue(connection, limit=CLAIM_LIMIT))
        seconds.append(watch.seconds)
    return seconds


def by_the_clock(stage: Stage, url: str, due: int) -> float:
    """Run a clock process, let the last group come due, and return the seconds until all of it is on Redis."""
    with (
        stage.namespace() as namespace,
        tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder,
        redis.Redis.from_url(stage.redis_url) as client,
    ):
        clock = DrivenClock(Path(folder) / "clock")
        clock.move(NOW)
        told = {
            "THAW_DATABASE_URL": url, "THAW_REDIS_URL": stage.redis_url, "THAW_NAMESPACE": namespace,
            "THAW_CLOCK_FILE": str(Path(folder) / "clock"), "THAW_LOG_LEVEL": "error",
        }  # fmt: skip
        order = Order(argv=[sys.executable, "-m", "service", "clock"], env={**worker_environment(), **told}, cwd=str(ROOT))
        process = Kept(order, name="clock")
        try:
            _await(lambda: client.exists(f"{namespace}:marker"), process)  # it has looked once
            clock.move(NOW + timedelta(minutes=GROUPS))
            watch = Stopwatch()
            _await(lambda: client.llen(f"{namespace}:{QUEUE}") >= due, process)
            return watch.seconds
        finally:
            process.stop()


def _await(condition: Callable[[], object], process: Kept) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError("the clock process did not do its work; its output above says why")
        time.sleep(0.002)
