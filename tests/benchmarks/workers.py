"""What the workers of the transitions benchmark import, beside the real ``service.worker:broker``.

Each callable configures the process as `service.worker` does and changes one thing. The ``dramatiq`` command line, the broker,
its middleware, the actors and the queue are the real ones.
"""

import os
from threading import local

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import actors.campaign_transitions
import actors.transitions
from actors import committer, runtime
from actors.apply import Applier
from actors.broker import QUEUE, broker, connect, redis_client
from actors.transitions import transition
from models.messages import Ring
from service import worker
from service.settings import read_settings
from service.wiring import resolve_urls

__all__ = ["actors", "noop", "one_by_one", "per_thread", "stock_noop"]


def _noop(message: str, stream: str, ring: int = 1) -> None:  # called as every transition is
    """Do nothing: what remains is Dramatiq and Redis."""


transition(actor_name="noop")(_noop)


def noop() -> object:
    """Take a worker that only does nothing."""
    settings = read_settings(os.environ)
    connect(resolve_urls(settings)[1], settings.namespace)
    return broker


def stock_noop() -> object:
    """Take the same with Dramatiq's broker as it comes, which acknowledges each message in a round trip of its own."""
    settings = read_settings(os.environ)
    stock = RedisBroker(  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
        client=redis_client(resolve_urls(settings)[1]),
        namespace=settings.namespace,
        heartbeat_timeout=broker.heartbeat_timeout,
        maintenance_chance=broker.maintenance_chance,
        middleware=broker.middleware,
    )
    dramatiq.actor(actor_name="noop", broker=stock, queue_name=QUEUE, max_retries=0)(_noop)
    dramatiq.set_broker(stock)  # the command line takes this one, whatever is returned
    return stock


def one_by_one() -> object:
    """Take a worker whose committer applies one message per transaction."""
    committer.MAX_BATCH = 1
    return worker.broker()


class _PerThread:
    """In the place of the committer: each thread applies its own message in a transaction of its own."""

    def __init__(self, configured: runtime.Runtime) -> None:
        self._runtime = configured
        self._mine = local()

    def apply(self, ring: Ring) -> None:
        """Apply *ring* alone."""
        if not hasattr(self._mine, "applier"):
            self._mine.applier = Applier(self._runtime.engine, self._runtime.clock)
        self._runtime.bell.ring_soon(self._mine.applier.apply([ring]))


def per_thread() -> object:
    """Take a worker as one would write it first: a transaction per message, in the thread that got it."""
    found = worker.broker()
    object.__setattr__(runtime.current(), "committer", _PerThread(runtime.current()))
    return found
