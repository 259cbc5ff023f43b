"""A million timers that wait for months cost nothing: claiming those that are due, and ringing them."""

from datetime import UTC, datetime, timedelta
from statistics import median

import psycopg

from actors.bell import Bell
from actors.broker import broker, connect
from actors.clock import CLAIM_LIMIT, Clock
from models import messages
from models.database import Engine, transaction
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import Stage, Stopwatch, engine_of

TITLE = "Durable timers"

DUE = 5_000
ROUNDS = 5
AIM_RATIO, AIM_RUNG = 1.5, 5_000.0

_FILL = """
    INSERT INTO messages (id, stream_id, actor_name, body, asked_by, correlation_id, due_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'call_due',
           '{"armed_version":1,"command":"fire_timer","timer":"call_after_note"}', 'clock',
           gen_random_uuid(), %(now)s + %(after)s + random() * interval '180 days'
      FROM generate_series(1, %(count)s)
"""


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures."""
    many, few, due = stage.size(1_000_000, 20_000), stage.size(10_000, 2_000), stage.size(DUE, 500)
    now = datetime.now(UTC)
    with stage.database() as url, engine_of(url) as engine:
        _fill(url, now, few - due)
        with_few = _claim(url, engine, now, due)
        _fill(url, now, many - few)
        with_many = _claim(url, engine, now, due)
        rung = _ring(stage, url, engine, now, due)
    figures = [
        Figure("timers.claim_few_ms", f"claiming {due:,} of {few:,}", with_few * 1000, "ms"),
        Figure("timers.claim_many_ms", f"claiming {due:,} of {many:,}", with_many * 1000, "ms"),
        Figure("timers.claim_ratio", "many / few", with_many / with_few, "x", AIM_RATIO, at_most=True),
        Figure("timers.rung_per_second", "claimed and rung by the clock", rung, "/s", AIM_RUNG),
    ]
    return figures, [f"timers spread over 180 days; medians of {ROUNDS} rounds"]


def _fill(url: str, now: datetime, count: int, *, after: timedelta = timedelta(hours=1)) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FILL, {"now": now, "after": after, "count": count})
        connection.execute("VACUUM ANALYZE messages")


def _fill_due(url: str, now: datetime, count: int) -> None:
    """Add timers that came due just now, and forget those of earlier rounds."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM messages WHERE due_at <= %s", (now,))
        connection.execute(_FILL, {"now": now, "after": -timedelta(days=400), "count": count})
        connection.execute("VACUUM messages")


def _claim(url: str, engine: Engine, now: datetime, due: int) -> float:
    """Return the seconds in which all that is due is claimed, a thousand at a time as the clock does it."""
    seconds = []
    for _ in range(ROUNDS):
        _fill_due(url, now, due)
        watch, claimed = Stopwatch(), 0
        while claimed < due:
            with transaction(engine) as connection:
                rings = messages.claim_due(connection, now=now, limit=CLAIM_LIMIT)
            if not rings:
                raise RuntimeError(f"only {claimed} of {due} due timers were claimed")
            claimed += len(rings)
        seconds.append(watch.seconds)
    return median(seconds)


def _ring(stage: Stage, url: str, engine: Engine, now: datetime, due: int) -> float:
    """Return how many due timers per second the clock claims and rings on Redis."""
    rates = []
    for _ in range(ROUNDS):
        _fill_due(url, now, due)
        with stage.namespace() as namespace:
            client = connect(stage.redis_url, namespace)
            try:
                clock = Clock(engine, Bell(broker), lambda: now)
                watch = Stopwatch()
                while clock.tick():
                    pass
                rates.append(due / watch.seconds)
                if int(client.llen(f"{namespace}:transitions")) < due:
                    raise RuntimeError("not every due timer was rung")
            finally:
                client.close()
    return median(rates)
