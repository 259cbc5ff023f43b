"""Keep a list of processes running: start again what dies, stop all when asked, leave none behind."""

import contextlib
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from service.keeper import KeeperError, Kept, Order

DELAY_SECONDS_MIN = 0.2
DELAY_SECONDS_MAX = 10.0

HEALTHY_SECONDS = 30.0
"""A process that lived this long had started well: what went wrong before no longer counts."""


@dataclass(frozen=True)
class Child:
    """One process to keep running."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""


@dataclass
class Backoff:
    """How long to wait before the next start: doubles with each early death, from 0.2 s to 10 s."""

    deaths: int = 0

    def delay_after(self, lived_seconds: float) -> float:
        """Count a death after *lived_seconds* and return the seconds to wait."""
        self.deaths = 1 if lived_seconds >= HEALTHY_SECONDS else self.deaths + 1
        return float(min(DELAY_SECONDS_MIN * 2 ** min(self.deaths - 1, 10), DELAY_SECONDS_MAX))


class Supervisor:
    """Runs *children* until `stop`, SIGINT or SIGTERM; they die with it, however it dies.

    Each child leads a process group of its own behind a keeper, which also ends what a dead child leaves in its group.
    """

    def __init__(self, children: Sequence[Child], *, grace_seconds: float = 20.0) -> None:
        """Say what to run, and how many seconds a child has between SIGTERM and SIGKILL; nothing is started yet."""
        self._grace_seconds = grace_seconds
        self._backoffs = {child.name: Backoff() for child in children}
        self._running: dict[str, tuple[Kept, float]] = {}
        self._due = [(0.0, child) for child in children]
        """Children to start, with the reading of the monotonic clock at which to do so."""
        self._stopping = threading.Event()
        self._awoken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._log = structlog.get_logger()

    def run(self) -> None:
        """Start all children and keep them running; return when told to stop and the last of them is gone."""
        with self._awoken, self._wake, selectors.DefaultSelector() as selector, self._signals():
            selector.register(self._awoken, selectors.EVENT_READ)
            try:
                while not self._stopping.is_set():
                    self._start_due(selector)
                    soonest = min((due for due, _ in self._due), default=None)
                    timeout = None if soonest is None else max(0.0, soonest - time.monotonic())
                    for key, _ in selector.select(timeout):
                        if key.data is not None:
                            selector.unregister(key.fileobj)
                            self._bury(key.data)
            finally:
                self._stop_all()

    def stop(self) -> None:
        """Ask `run` to end; from any thread, and harmless when it has ended."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def pids(self) -> dict[str, int]:
        """Return the process numbers of the children that run now, by name."""
        return {name: kept.pid for name, (kept, _) in list(self._running.items())}

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM stop us, if we are in the thread that may say so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_due(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        due = [child for moment, child in self._due if moment <= now]
        self._due = [(moment, child) for moment, child in self._due if moment > now]
        for child in due:
            order = Order(argv=child.argv, env={**os.environ, **child.env}, grace_seconds=self._grace_seconds)
            try:
                kept = Kept(order, name=child.name)
            except KeeperError as error:
                delay = self._put_off(child, 0.0)
                self._log.error("child_not_started", child=child.name, reason=str(error), retry_in_seconds=delay)
                continue
            self._running[child.name] = kept, time.monotonic()
            selector.register(kept, selectors.EVENT_READ, child)
            self._log.info("child_started", child=child.name, pid=kept.pid)

    def _bury(self, child: Child) -> None:
        kept, started = self._running.pop(child.name)
        code = kept.stop()
        delay = self._put_off(child, time.monotonic() - started)
        self._log.warning("child_died", child=child.name, pid=kept.pid, exit_code=code, restart_in_seconds=delay)

    def _put_off(self, child: Child, lived_seconds: float) -> float:
        delay = self._backoffs[child.name].delay_after(lived_seconds)
        self._due.append((time.monotonic() + delay, child))
        return delay

    def _stop_all(self) -> None:
        for kept, _ in self._running.values():
            kept.release()
        for name, (kept, _) in self._running.items():
            self._log.info("child_stopped", child=name, pid=kept.pid, exit_code=kept.stop())
        self._running.clear()
