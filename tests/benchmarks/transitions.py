"""Transitions per second, end to end: Redis, the stock ``dramatiq`` command line, one message and one durable event each.

Beside them on the same machine: the same workers with an actor that does nothing, with one transaction per message (in the
committer, and in each thread, which is how one would write it first), and plain single-row commits.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from statistics import median
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import text

from actors.bell import Bell
from actors.broker import QUEUE, broker, connect
from models.database import Engine, transaction
from models.messages import Ring
from tests.benchmarks import cast
from tests.benchmarks.commits import commits
from tests.benchmarks.figures import Figure, number
from tests.benchmarks.stage import Crew, Stage, Stopwatch, engine_of

TITLE = "Transitions, end to end through Redis and the dramatiq command line"

MODULE = "tests.benchmarks.workers"
POLL_SECONDS = 0.005
LIMIT_SECONDS = 120.0
CONNECTIONS = 8


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with a note on the setting."""
    crew = Crew()
    count, few, rounds = stage.size(5_000, 300), stage.size(1_500, 100), stage.size(5, 1)
    one_by_one = replace(crew, module=f"{MODULE}:one_by_one")
    per_thread = replace(crew, module=f"{MODULE}:per_thread", threads=CONNECTIONS)
    # In turn, round after round, so that a machine that grows busy or slow in between changes all of a round alike.
    measured = [
        Round(
            grouped=transitions(stage, crew, count),
            stock=idle_rate(stage, crew, count, "stock_noop"),
            ours=idle_rate(stage, crew, count, "noop"),
            single=transitions(stage, one_by_one, few),
            per_thread=transitions(stage, per_thread, few),
        )
        for _ in range(rounds)
    ]
    rates = {
        "per_second": ("transitions", median(each.grouped for each in measured)),
        "noop_per_second": ("doing nothing, with Dramatiq's own broker", median(each.stock for each in measured)),
        "noop_here_per_second": ("doing nothing, with our broker (acks sent together)", median(each.ours for each in measured)),
        "single_per_second": ("one transaction a message, in the committer", median(each.single for each in measured)),
        "per_thread_per_second": (
            f"one transaction a message, in each of {CONNECTIONS} threads", median(each.per_thread for each in measured)
        ),
        "commits_1_per_second": ("single-row commits, 1 connection", commits(stage, 1)),
        "commits_8_per_second": (f"single-row commits, {CONNECTIONS} connections", commits(stage, CONNECTIONS)),
    }  # fmt: skip
    ratios = {
        "over_single": (
            "transitions / better one with a transaction each",
            [each.grouped / max(each.single, each.per_thread) for each in measured],
            3,
        ),
        "over_noop": (
            "transitions / doing nothing with Dramatiq's own broker", [each.grouped / each.stock for each in measured], 0.5
        ),
        "over_noop_here": (
            "transitions / doing nothing with our broker", [each.grouped / each.ours for each in measured], None
        ),
    }  # fmt: skip
    figures = [Figure(f"transitions.{key}", title, rate, "/s") for key, (title, rate) in rates.items()]
    figures += [Figure(f"transitions.{key}", title, median(found), "x", aim) for key, (title, found, aim) in ratios.items()]
    notes = [
        f"{crew.processes} worker process, {crew.threads} threads, prefetch {crew.prefetch}, {count:,} messages a round",
        f"medians of {rounds} rounds, in each of which all take their turn; ratios are those of one round",
        *(f"{title}: {', '.join(map(number, sorted(found)))}" for title, found, _ in ratios.values()),
    ]
    return figures, notes


class Round(NamedTuple):
    """Rates per second that were measured one after the other."""

    grouped: float
    stock: float
    ours: float
    single: float
    per_thread: float


def transitions(stage: Stage, crew: Crew, count: int) -> float:
    """Return how many transitions per second *crew* makes of a mix of *count* messages, each applied with one event."""
    with stage.database() as url, stage.namespace() as namespace, engine_of(url) as engine:
        mix = cast.prepare(engine, count)
        rings = [ring for chunk in cast.chunks(mix, 1000) for ring in cast.hand_in(engine, chunk)]
        before = _events(engine)
        with crew.at_work(stage, url, namespace):
            seconds = _through_redis(stage, namespace, rings)
        _check(engine, rings, _events(engine) - before)
    return count / seconds


def idle_rate(stage: Stage, crew: Crew, count: int, module: str) -> float:
    """Return how many messages per second the same workers take, hand to an actor that does nothing, and acknowledge."""
    with stage.namespace() as namespace:
        rings = [Ring(uuid4(), uuid4(), "noop", uuid4(), 1) for _ in range(count)]
        with replace(crew, module=f"{MODULE}:{module}").at_work(stage, stage.server_url, namespace):
            return count / _through_redis(stage, namespace, rings)


def _through_redis(stage: Stage, namespace: str, rings: Sequence[Ring]) -> float:
    """Ring *rings* all at one moment and return the seconds until the last of them is acknowledged."""
    client = connect(stage.redis_url, f"{namespace}-aside")
    try:
        bell = Bell(broker)
        for chunk in cast.chunks(rings, 1000):
            bell.ring(chunk)
        queue = f"{namespace}:{QUEUE}"
        with client.pipeline(transaction=True) as pipeline:
            pipeline.rename(f"{bell.namespace}:{QUEUE}.msgs", f"{queue}.msgs")
            pipeline.rename(f"{bell.namespace}:{QUEUE}", queue)
            pipeline.execute()
        watch = Stopwatch()
        while int(client.hlen(f"{queue}.msgs")) > 0:
            if watch.seconds > LIMIT_SECONDS:
                raise RuntimeError(f"the workers did not get through {len(rings)} messages in {LIMIT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        return watch.seconds
    finally:
        client.close()


def _events(engine: Engine) -> int:
    with transaction(engine) as connection:
        return int(connection.scalar(text("SELECT count(*) FROM events")) or 0)


def _check(engine: Engine, rings: Sequence[Ring], events: int) -> None:
    """Make sure that what was measured is what was meant: every message applied, each with one event."""
    with transaction(engine) as connection:
        statement = text("SELECT count(*) FROM messages WHERE id = ANY(:ids) AND outcome = 'applied'")
        applied = connection.scalar(statement, {"ids": [ring.message_id for ring in rings]})
    if not applied == events == len(rings):
        raise RuntimeError(f"of {len(rings)} messages {applied} were applied, with {events} events")


def grid(stage: Stage) -> Iterator[str]:
    """Yield a line for each setting that is tried: processes, threads, prefetch, transitions and no-ops per second."""
    count = stage.size(8_000, 300)
    for processes, threads, prefetch in product((1, 2), (16, 32, 64, 128), (64, 256, 512)):
        crew = Crew(processes=processes, threads=threads, prefetch=prefetch)
        rate, noop = transitions(stage, crew, count), idle_rate(stage, crew, count, "noop")
        yield f"{processes} x {threads:3} threads, prefetch {prefetch:3}: {rate:6,.0f}/s, no-op {noop:6,.0f}/s"
