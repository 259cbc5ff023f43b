"""A service on a stage: real worker and clock processes that a test starts, kills and counts, on a clock that it drives.

The processes have the login of the service; the test itself asks as the owner of the database.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from actors.submit import Submission, submit
from models.database import DatabaseUnavailableError
from service.clocks import DrivenClock
from service.keeper import Kept, Order
from service.settings import Settings, environment
from service.wiring import Service, connect, worker_environment
from tests.logins import service_url

ROOT = Path(__file__).parents[1]

SECONDS = 60.0
"""A condition that is not met within this time will never be."""

POLL_SECONDS = 0.02

#: In the environment of each process on a stage, so that one that was left behind is found.
MARK = "THAW_TEST_STAGE"

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"

DUE = "SELECT count(*) FROM messages WHERE settled_at IS NULL AND due_at <= %s"


def until(condition: Callable[[], object], what: str, *, seconds: float = SECONDS) -> None:
    """Look again and again, and return once *condition* holds; *what* says in the error what never came."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"this never came: {what}"
        time.sleep(POLL_SECONDS)


class Asker:
    """Asks one database in a session of its own, kept open, and in a new one when PostgreSQL was away."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: psycopg.Connection[Any] | None = None

    def rows(self, question: str, *arguments: object) -> list[Any]:
        """Return the rows of the answer."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                self._connection = self._connection or psycopg.connect(self._database_url, autocommit=True)
                cursor = self._connection.execute(question.encode(), arguments)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)

    def number(self, question: str, *arguments: object) -> int:
        """Return the one number that is the answer."""
        return int(self.rows(question, *arguments)[0][0])

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def ask(database_url: str, question: str, *arguments: object) -> list[Any]:
    """Return the rows of the answer, asked in a session for this question alone."""
    with contextlib.closing(Asker(database_url)) as asker:
        return asker.rows(question, *arguments)


def children_of(pid: int) -> list[int]:
    """Return the processes that *pid* started and that are still there."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def processes_of(mark: str, home: Path | None = None) -> dict[int, str]:
    """Return those processes of a stage or a THAW_HOME that are alive, with their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            marked = f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0")
            housed = home is not None and (process / "cwd").resolve().is_relative_to(home)
            if (marked or housed) and " Z " not in (process / "stat").read_text().rpartition(")")[2][:3]:
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def dramatiq_command(broker: str) -> list[str]:
    """Return the command line of ``thaw worker`` for the broker called *broker*."""
    program = shutil.which("dramatiq", path=str(Path(sys.executable).parent)) or "dramatiq"
    return [program, broker, "--processes", "1", "--threads", "64", "--skip-logging", "--worker-fork-timeout", "1000"]


class Hired:
    """One process on the stage. A keeper stands behind it, as behind those of ``thaw up``, so that it cannot outlive us."""

    def __init__(self, name: str, argv: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            order = Order(argv=argv, env=environ, cwd=str(ROOT), grace_seconds=30.0)
            self._kept = Kept(order, name=f"test-{name}", output=output.fileno())
        self.pid = self._kept.pid
        self.told = False
        """Whether the test ended it, or waited for its end; one that ended by itself is a failure."""

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._kept.poll() is not None

    def kill(self) -> None:
        """Kill -9 the process that does the work; a Dramatiq master then ends by itself."""
        for pid in children_of(self.pid) or [self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.await_end()

    def kill_all(self) -> None:
        """Kill -9 the process and all that it started, at once, as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.await_end()

    def release(self) -> None:
        """Ask it to stop, without waiting."""
        self._kept.release()

    def stop(self) -> int:
        """Ask it to stop, wait until it has, and return its exit code."""
        self.told = True
        return self._kept.stop()

    def await_end(self) -> int:
        """Wait until it has ended by itself and return its exit code."""
        readable, _, _ = select.select([self._kept], [], [], SECONDS)
        assert readable, f"{self.name} does not end:\n{self.log.read_text()[-2000:]}"
        return self.stop()

    def said(self, words: str) -> bool:
        """Whether *words* stand in its log."""
        return words in self.log.read_text()


class Stage:
    """A database, a namespace on Redis, a clock, and the processes that were hired for them."""

    def __init__(self, database_url: str, redis_url: str, namespace: str, folder: Path) -> None:
        self.folder = folder
        self.mark = uuid4().hex
        self.database_url = database_url
        self.asker = Asker(database_url)
        self.clock = DrivenClock(folder / "clock")
        self.settings = Settings(
            database_url=service_url(database_url),
            redis_url=redis_url,
            namespace=namespace,
            home=str(folder / "home"),
            clock_file=str(folder / "clock"),
            clock_poll_ms=50,
            log="json",
        )
        self.hired: list[Hired] = []
        self._service: Service | None = None

    @property
    def service(self) -> Service:
        """This process's own hold on the service, to submit with."""
        if self._service is None:
            self._service = connect(self.settings, name="thaw test")
        return self._service

    def hire_worker(self, broker: str = "service.worker:broker", **environ: str) -> Hired:
        """Start a worker as ``thaw worker`` does, or one with another *broker*."""
        return self.hire("worker", dramatiq_command(broker), self.environ(**environ))

    def hire_clock(self) -> Hired:
        """Start a clock."""
        return self.hire("clock", [sys.executable, "-m", "service", "clock"])

    def hire(self, name: str, argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Hired:
        """Start the process *argv*, in the environment of this stage unless another is named."""
        log = self.folder / f"{name}-{len(self.hired)}.log"
        self.hired.append(Hired(name, argv, self.environ() if environ is None else environ, log))
        return self.hired[-1]

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of a process on this stage."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("THAW_")}
        return worker_environment(ours) | environment(self.settings) | {MARK: self.mark} | more

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Hand in *submissions*, with the same ids again while PostgreSQL is away: all that a client has to do."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                self.accept(submissions)
            except DatabaseUnavailableError:
                if time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return

    def accept(self, submissions: Sequence[Submission]) -> None:
        """Hand in *submissions* once."""
        submit(self.service.engine, self.service.bell, submissions, now=self.clock())

    def due(self) -> int:
        """Return how many messages are due and not settled."""
        return self.asker.number(DUE, self.clock())

    def hurry(self) -> None:
        """Let the back-off pass: what was rung and did not settle is rung again now, instead of half a minute later."""
        backing_off = "settled_at IS NULL AND ring_again_at IS NOT NULL"
        self.asker.rows(f"UPDATE messages SET ring_again_at = clock_timestamp() WHERE {backing_off}")

    def settle(self, *, patience: float = 1.0) -> None:
        """Wait until nothing is due any more. Back-off passes at once whenever nothing moved for *patience* seconds."""
        left, moved, end = self.due(), time.monotonic(), time.monotonic() + SECONDS
        while left:
            assert time.monotonic() < end, f"{left} messages do not settle:\n{self._last_words()}"
            time.sleep(POLL_SECONDS)
            before, left = left, self.due()
            if left != before:
                moved = time.monotonic()
            elif time.monotonic() - moved > patience:
                self.hurry()
                moved = time.monotonic()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for *condition*, and say what all processes said last when it never comes."""
        try:
            until(condition, what)
        except AssertionError as error:
            error.add_note(self._last_words())
            raise

    def await_crew(self) -> None:
        """Wait until all processes have found their way to PostgreSQL; one that never did is started anew in life."""
        for role in ("worker", "clock"):
            expected = sum(hired.name == role for hired in self.hired)
            self.until(lambda: self.asker.number(SESSIONS, f"thaw {role}") >= expected, f"each {role} is connected")  # noqa: B023

    def unsettled(self, ids: Sequence[UUID]) -> int:
        """Return how many of the messages *ids* are not settled."""
        return self.asker.number("SELECT count(*) FROM messages WHERE id = ANY(%s) AND settled_at IS NULL", list(ids))

    def _last_words(self) -> str:
        return "\n".join(f"{h.log.name}{' (gone)' if h.gone else ''}: {h.log.read_text()[-1500:]}" for h in self.hired)

    def close(self) -> None:
        """Stop all processes; none may be left."""
        deserters = [hired for hired in self.hired if hired.gone and not hired.told]
        words = self._last_words() if deserters else ""
        for hired in self.hired:
            hired.release()
        for hired in self.hired:
            hired.stop()
        self.asker.close()
        if self._service is not None:
            self._service.engine.dispose()
            self._service.bell._broker.client.close()  # a process of its own would close it at its end
        left = processes_of(self.mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == {}
        assert not deserters, f"{[hired.name for hired in deserters]} ended by themselves:\n{words}"


@contextlib.contextmanager
def on_stage(database_url: str, redis_url: str, namespace: str, folder: Path) -> Iterator[Stage]:
    """Yield a stage, with nobody on it, and clear it at the end."""
    stage = Stage(database_url, redis_url, namespace, folder)
    try:
        yield stage
    finally:
        stage.close()


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes through /proc")
