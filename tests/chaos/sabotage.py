"""Processes of the service that come to harm on purpose, at one exact instruction.

Workers are named to the stock command line, ``dramatiq tests.chaos.sabotage:poisoned``; the clock runs as ``python -m
tests.chaos.sabotage before`` (or ``after``) ringing, with what it has claimed not yet committed.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

from actors import committer
from actors.apply import _Apply
from actors.batch import Batch
from actors.bell import Bell
from actors.broker import broker
from models.messages import OpenMessage, Ring
from service.cli import main
from service.worker import broker as configured
from workflows.commands import AnyCommand

#: The message at which a poisoned worker dies, and the one that always raises.
KILLS, RAISES = "THAW_TEST_KILLS", "THAW_TEST_RAISES"

#: A file whose existence tells a worker to lose its consumer.
TRIGGER = "THAW_TEST_TRIGGER"

#: What a poisoned worker says when it dies: nothing that the watchdog says.
POISONED_STATUS = 66

#: After how many counted deliveries a poisoned worker buries a message: fewer than in life, because each costs a worker.
DELIVERIES = 2


class AlwaysFailsError(Exception):
    """What the message raises that always fails."""


def poisoned() -> object:
    """Configure a worker that one message kills, and that another one makes fail."""
    committer.MAX_DELIVERIES = DELIVERIES
    apply = _Apply._apply  # where it is decided that the message is open, and its work begins

    def apply_poison(self: _Apply, batch: Batch, message: OpenMessage, command: AnyCommand) -> None:
        if os.environ.get(KILLS) == str(message.id):
            os._exit(POISONED_STATUS)
        if os.environ.get(RAISES) == str(message.id):
            raise AlwaysFailsError("this one always fails")
        apply(self, batch, message, command)

    _Apply._apply = apply_poison  # type: ignore[method-assign]
    return configured()


class _Striker(Middleware):
    """Ends the thread that fetches from Redis, as an error does that nobody catches, once the trigger is pulled."""

    def after_worker_boot(self, broker: dramatiq.Broker, worker: Any) -> None:  # noqa: ARG002
        threading.Thread(target=self._wait, args=(worker,), daemon=True).start()

    def _wait(self, worker: Any) -> None:
        while not Path(os.environ[TRIGGER]).exists():
            threading.Event().wait(0.02)
        Path(os.environ[TRIGGER]).unlink()
        for consumer in worker.consumers.values():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(consumer.ident), ctypes.py_object(SystemExit))


def deaf() -> object:
    """Configure a worker that loses its consumer when it is told to."""
    broker.add_middleware(_Striker())
    return configured()


def die_at_the_next_ring(moment: str) -> None:
    """Let this process kill itself -9 *before* or *after* it puts its next rings on Redis."""
    ring = Bell.ring

    def fatal_ring(self: Bell, rings: Sequence[Ring]) -> None:
        if rings and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        ring(self, rings)
        if rings:
            os.kill(os.getpid(), signal.SIGKILL)

    Bell.ring = fatal_ring  # type: ignore[method-assign]


if __name__ == "__main__":
    die_at_the_next_ring(sys.argv[1])
    main(["clock"])
