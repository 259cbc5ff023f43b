"""What the actors of this process work with. Set once at the start of a process; importing opens nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from actors.apply import Applier
from actors.bell import Bell, NoBell
from actors.broker import broker, connect, watchdog
from actors.committer import Committer
from actors.deliverer import Deliverer, Post
from models.database import Engine


@dataclass(frozen=True)
class Runtime:
    """One process's connection to PostgreSQL and Redis, and its clock."""

    engine: Engine
    clock: Callable[[], datetime]
    bell: Bell
    committer: Committer
    deliverer: Deliverer


_current: Runtime | None = None


def configure(
    engine: Engine,
    clock: Callable[[], datetime],
    *,
    redis_url: str | None,
    namespace: str,
    post: Post | None = None,
    postal_address: str = "",
) -> Runtime:
    """Point this process's broker at *redis_url*, if there is one, and return what its actors will use.

    Mail goes out by *post*, if there is one, and has to carry *postal_address*.
    """
    global _current  # noqa: PLW0603  # Dramatiq calls actors without arguments of ours, so they look here
    if redis_url:
        connect(redis_url, namespace)
    bell = Bell(broker) if redis_url else NoBell()
    committer = Committer(engine, Applier(engine, clock, postal_address=postal_address), bell)
    deliverer = Deliverer(engine, Applier(engine, clock), bell, clock, post)
    watchdog.probe = committer.trouble
    _current = Runtime(engine, clock, bell, committer, deliverer)
    return _current


def current() -> Runtime:
    """Return this process's runtime.

    Raises
    ------
    RuntimeError
        When `configure` was not called; workers are started with ``thaw worker`` or ``dramatiq service.worker:broker``.
    """
    if _current is None:
        raise RuntimeError("the actors are not configured: start workers with `dramatiq service.worker:broker`")
    return _current
