"""Acknowledgements, many in one round trip.

Dramatiq's threads acknowledge one message each, in a round trip of its own. After a group commit that is a hundred round trips
at one moment, and they take more of a worker's time than the transitions. Here the first thread that acknowledges sends what
has gathered, and goes on until nothing is left; the others hand theirs in and take the next message.

An acknowledgement that is lost on the way, because the process dies or Redis does, costs another delivery of a message that is
settled, and that does nothing.
"""

import threading
import time
from collections import deque
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

#: The most that one round trip carries: Redis answers nobody else meanwhile, some 2 µs for each.
MAX_ACKS = 500

# The keys, and that only what was still ours is dropped, are those of Dramatiq's own script (dispatch.lua, "ack").
_SCRIPT = """
redis.call("zadd", KEYS[3], ARGV[1], ARGV[2])
for number = 3, #ARGV do
    if redis.call("srem", KEYS[1], ARGV[number]) > 0 then
        redis.call("hdel", KEYS[2], ARGV[number])
    end
end
"""


class Broker(RedisBroker):
    """Dramatiq's broker for Redis, with acknowledgements that are sent together."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
        self.scripts["acks"] = self.client.register_script(_SCRIPT)
        #: Of all queues: the queue's name and the copy's id on Redis. They outlive the consumer, which a lost connection ends.
        self._acks: deque[tuple[str, str]] = deque()
        self._sending = threading.Lock()

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        """What reads a queue."""
        return _Consumer

    def acknowledge(self, queue_name: str, copy: str) -> None:
        """Acknowledge one message: now, together with those of other threads, or by the thread that is sending already.

        Raises
        ------
        redis.RedisError
            When Redis is away. What was not sent goes with the next acknowledgement.
        """
        self._acks.append((queue_name, copy))
        # Looking again after the release takes along what came in between, and was left to us.
        while self._acks and self._sending.acquire(blocking=False):
            try:
                self._send()
            finally:
                self._sending.release()

    def _send(self) -> None:
        taken = [self._acks.popleft() for _ in range(min(len(self._acks), MAX_ACKS))]
        by_queue: dict[str, list[str]] = {}
        for queue_name, copy in taken:
            by_queue.setdefault(queue_name, []).append(copy)
        try:
            for queue_name, copies in by_queue.items():
                self.scripts["acks"](
                    keys=[
                        f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}",
                        f"{self.namespace}:{queue_name}.msgs",
                        f"{self.namespace}:__heartbeats__",
                    ],
                    args=[int(time.time() * 1000), self.broker_id, *copies],
                )
        except redis.RedisError:
            self._acks.extendleft(reversed(taken))
            raise


class _Consumer(_RedisConsumer):
    """A consumer that leaves its acknowledgements to the broker."""

    def ack(self, message: Any) -> None:
        """Acknowledge *message*."""
        try:
            self.broker.acknowledge(self.queue_name, message.options["redis_message_id"])
        except (redis.ConnectionError, redis.TimeoutError) as error:
            # Dramatiq comes again with the same message until Redis is back, and takes the others' along.
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
        finally:
            self.queued_message_ids.discard(message.message_id)
