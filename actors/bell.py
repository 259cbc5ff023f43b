"""Ringing: messages onto Redis, many in one round trip, as Dramatiq's documented wire format has them.

A ring carries ids only. Whatever becomes of it (lost, doubled, late) the row in ``messages`` decides what happens.
"""

import time
from collections.abc import Sequence
from typing import NoReturn
from uuid import uuid4

import redis
import structlog
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from actors.broker import DELIVERIES_QUEUE, QUEUE
from models.messages import Ring
from workflows.actor_names import DELIVERIES

#: More waiting rings than this and no more are added: PostgreSQL keeps them, and workers have plenty.
QUEUE_LIMIT = 20_000

log = structlog.get_logger()


class BellUnavailableError(Exception):
    """Redis cannot be reached; nothing is lost, and the clock rings again when it is back."""


class Bell:
    """The Redis side of the messages."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker

    def ring(self, rings: Sequence[Ring]) -> None:
        """Put *rings* on the queue, in order.

        Raises
        ------
        BellUnavailableError
            When Redis did not take them; some may be there all the same.
        """
        by_queue: dict[str, dict[str, Ring]] = {}
        for ring in rings:
            by_queue.setdefault(queue_of(ring.actor_name), {})[str(uuid4())] = ring
        if not by_queue:
            return
        try:
            with self._broker.client.pipeline(transaction=True) as pipeline:
                for queue, copies in by_queue.items():
                    key = f"{self._broker.namespace}:{queue}"
                    # Contents before ids: a worker that fetched an id without its content would hold it forever.
                    pipeline.hset(f"{key}.msgs", mapping={copy: _encode(ring, copy) for copy, ring in copies.items()})
                    pipeline.rpush(key, *copies)
                pipeline.execute()
        except redis.RedisError as error:
            raise BellUnavailableError(f"Redis is not reachable: {error}") from error

    def ring_soon(self, rings: Sequence[Ring]) -> None:
        """Ring, or leave it to the clock when Redis is away: the rows are committed and will be rung again."""
        try:
            self.ring(rings)
        except BellUnavailableError as error:
            log.warning("bell_unavailable", rings=len(rings), error=str(error))

    def depth(self) -> int:
        """Return how many rings wait on Redis, fetched ones not counted.

        Raises
        ------
        BellUnavailableError
            When Redis is away.
        """
        try:
            return int(self._broker.client.llen(f"{self._broker.namespace}:{QUEUE}"))
        except redis.RedisError as error:
            raise BellUnavailableError(f"Redis is not reachable: {error}") from error

    def in_flight(self) -> int:
        """Return how many rings Redis holds in all, fetched and not yet acknowledged ones included."""
        try:
            return int(self._broker.client.hlen(f"{self._broker.namespace}:{QUEUE}.msgs"))
        except redis.RedisError as error:
            raise BellUnavailableError(f"Redis is not reachable: {error}") from error

    def run_id(self) -> str:
        """Return the id that Redis gave itself at its start."""
        try:
            return str(self._broker.client.info("server")["run_id"])
        except redis.RedisError as error:
            raise BellUnavailableError(f"Redis is not reachable: {error}") from error

    def marker(self) -> str | None:
        """Return what `mark` wrote last, None when it is gone."""
        try:
            found = self._broker.client.get(self._marker_key)
        except redis.RedisError as error:
            raise BellUnavailableError(f"Redis is not reachable: {error}") from error
        return found.decode(errors="replace") if isinstance(found, bytes) else None

    def mark(self, marker: str) -> None:
        """Write *marker*, which a Redis that lost its data no longer has."""
        try:
            self._broker.client.set(self._marker_key, marker)
        except redis.RedisError as error:
            raise BellUnavailableError(f"Redis is not reachable: {error}") from error

    def close(self) -> None:
        """Close the connections to Redis."""
        self._broker.client.close()

    @property
    def namespace(self) -> str:
        """What stands before each key."""
        return str(self._broker.namespace)

    @property
    def _marker_key(self) -> str:
        return f"{self._broker.namespace}:marker"


class NoBell(Bell):
    """Where nobody named a Redis: whoever reads needs none, and what is handed in all the same waits for the clock."""

    def __init__(self) -> None:
        """Take no broker."""

    def __getattr__(self, name: str) -> NoReturn:
        """Say so: it is the broker that is looked for."""
        raise BellUnavailableError("Redis is not named in THAW_REDIS_URL")


def queue_of(actor_name: str) -> str:
    """Return the queue of the actor called *actor_name*."""
    return DELIVERIES_QUEUE if actor_name in DELIVERIES else QUEUE


def _encode(ring: Ring, copy: str) -> bytes:
    message_id = str(ring.message_id)
    message: Message[None] = Message(
        queue_name=queue_of(ring.actor_name),
        actor_name=ring.actor_name,
        args=(),
        kwargs={"message": message_id, "stream": str(ring.stream_id), "ring": ring.number},
        options={"redis_message_id": copy, "correlation_id": str(ring.correlation_id)},
        message_id=message_id,
        message_timestamp=int(time.time() * 1000),
    )
    return message.encode()
