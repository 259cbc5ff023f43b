"""What every benchmark stands on: the servers, a fresh database, worker processes of the real command line, and a stopwatch."""

import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from migrations.runner import migrate
from models.database import Engine, make_engine
from service.embedded import EmbeddedServers
from service.keeper import Kept, Order
from service.playbooks import publish_shipped
from service.wiring import worker_environment
from tests.servers import PREFIX, fresh_database

#: The module of the real workers, as ``thaw worker`` names it.
WORKERS = "service.worker:broker"

#: Where the packages are; children are started there.
ROOT = Path(__file__).parents[2]

BOOT_SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    """The servers, and how large the benchmarks are to be. The URLs hold passwords."""

    server_url: str
    redis_url: str
    quick: bool = False
    events: int | None = None
    """So many events are to be in the long log, if somebody wants another number than usual."""

    def size(self, usual: int, quick: int) -> int:
        """Return *usual*, or *quick* in a quick run."""
        return quick if self.quick else usual

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of a migrated database with the shipped playbooks, for one benchmark alone."""
        with fresh_database(self.server_url) as url:
            with engine_of(url) as engine:
                migrate(engine)
                publish_shipped(engine)
            yield url

    @contextmanager
    def namespace(self) -> Iterator[str]:
        """Yield a prefix for keys on Redis, which are deleted afterwards."""
        name = f"{PREFIX}{uuid.uuid4().hex[:12]}"
        yield name
        with redis.Redis.from_url(self.redis_url) as client:
            for key in client.scan_iter(match=f"{name}*", count=1000):
                client.delete(key)


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Worker processes: how many, with how many threads and messages at hand each, and what they import."""

    module: str = WORKERS
    processes: int = 1
    threads: int = 64
    prefetch: int = 256

    @contextmanager
    def at_work(self, stage: Stage, database_url: str, namespace: str) -> Iterator[list[Kept]]:
        """Run the workers, one ``dramatiq`` command line per process as ``thaw worker`` does; yield once all look for work."""
        program = shutil.which("dramatiq", path=str(Path(sys.executable).parent)) or "dramatiq"
        arguments = [
            program, self.module, "--processes", "1", "--threads", str(self.threads),
            "--skip-logging", "--worker-shutdown-timeout", "15000",
        ]  # fmt: skip
        told = {
            "THAW_DATABASE_URL": database_url,
            "THAW_REDIS_URL": stage.redis_url,
            "THAW_NAMESPACE": namespace,
            "THAW_LOG_LEVEL": "error",
            "dramatiq_queue_prefetch": str(self.prefetch),
        }
        with ExitStack() as stack, redis.Redis.from_url(stage.redis_url) as client:
            kept = []
            for number in range(1, self.processes + 1):
                worker = Kept(
                    Order(argv=arguments, env={**worker_environment(), **told}, cwd=str(ROOT)), name=f"worker-{number}"
                )
                stack.callback(worker.stop)
                kept.append(worker)
            _await_heartbeats(client, namespace, kept)
            yield kept


def _await_heartbeats(client: "redis.Redis", namespace: str, kept: Sequence[Kept]) -> None:
    """Return when each worker has fetched once: its heartbeat is there from then on (dispatch.lua)."""
    deadline = time.monotonic() + BOOT_SECONDS
    while int(client.zcard(f"{namespace}:__heartbeats__")) < len(kept):
        if time.monotonic() > deadline or any(worker.poll() is not None for worker in kept):
            raise RuntimeError("the workers did not start; their output above says why")
        time.sleep(0.02)


@contextmanager
def engine_of(database_url: str) -> Iterator[Engine]:
    """Yield an engine that is disposed of when the block ends."""
    engine = make_engine(database_url, application_name="thaw bench")
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_stage(*, quick: bool = False, events: int | None = None) -> Iterator[Stage]:
    """Yield the stage: the servers that the environment names, otherwise an embedded pair in a folder that is thrown away."""
    database_url, redis_url = os.environ.get("THAW_DATABASE_URL"), os.environ.get("THAW_REDIS_URL")
    with ExitStack() as stack:
        if not database_url or not redis_url:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="thaw-bench-"))
            embedded = stack.enter_context(EmbeddedServers(Path(home), database=not database_url, redis=not redis_url))
            database_url = database_url or embedded.database_url
            redis_url = redis_url or embedded.redis_url
        yield Stage(database_url, redis_url, quick, events)


class Stopwatch:
    """Runs from its making; `seconds` is what has passed."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._started
