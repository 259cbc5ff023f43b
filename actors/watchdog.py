"""A worker that has silently stopped consuming ends itself, and whoever supervises it starts another.

Dramatiq's consumer threads can die for good while the process stays up (a Redis that goes away at the wrong moment), its
worker threads too, the transaction that they all wait for can hang, and workers outlive a master that was killed. Each of these
is seen here.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import structlog
from dramatiq.middleware import Middleware

#: Exit status of a worker that ended itself, chosen to be told apart from crashes (EX_SOFTWARE of sysexits.h).
EXIT_STATUS = 70

CHECK_SECONDS = 1.0

log = structlog.get_logger()


class Watchdog(Middleware):
    """Watch the worker's threads and parent from a thread of its own."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._parent = 0
        #: Says what is wrong with what the worker's threads wait for, None when nothing is.
        self.probe: Callable[[], str | None] = lambda: None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Start watching."""
        self._stopping.clear()
        # Not who our parent is now: a master that was killed while we booted has left us to another one already.
        master = multiprocessing.parent_process()
        self._parent = (master and master.pid) or os.getppid()
        threading.Thread(target=self._watch, args=(worker,), name="watchdog", daemon=True).start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Stop watching: from here on threads end because they are told to."""
        self._stopping.set()

    def _watch(self, worker: Any) -> None:
        while not self._stopping.wait(CHECK_SECONDS):
            trouble = self._trouble(worker)
            if trouble and not self._stopping.is_set():
                try:
                    log.critical("worker_gave_up", trouble=trouble, exit_status=EXIT_STATUS)
                finally:
                    # Even if nobody is left to read that. No clean-up: the threads that would take part in it are gone.
                    os._exit(EXIT_STATUS)

    def _trouble(self, worker: Any) -> str | None:
        if os.getppid() != self._parent:
            return "the master process is gone"
        for name, consumer in worker.consumers.items():
            if not consumer.is_alive():
                return f"the consumer of {name} has died"
        if not all(thread.is_alive() for thread in worker.workers):
            return "a worker thread has died"
        return self.probe()
