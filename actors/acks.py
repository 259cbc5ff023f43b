"""What a worker fetches and acknowledges: acknowledgements many in one round trip, and nothing unreadable in hand.

Dramatiq's threads acknowledge one message each, in a round trip of its own. After a group commit that is a hundred round trips
at one moment, and they take more of a worker's time than the transitions. Here the first thread that acknowledges sends what
has gathered, and goes on until nothing is left; the others hand theirs in and take the next message.

An acknowledgement that is lost on the way, because the process dies or Redis does, costs another delivery of a message that is
settled, and that does nothing.

What stands on Redis and is no message (garbage, or JSON of somebody else's) would end Dramatiq's consumer with all that it has
fetched, again and again. Here it is dropped: the row in PostgreSQL, if there is one, is rung again.
"""

import threading
import time
from collections import deque
from typing import Any

import redis
import structlog
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError

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


log = structlog.get_logger()


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
    """A consumer that leaves its acknowledgements to the broker, and drops what it cannot read."""

    def __next__(self) -> Any:
        """Return the next message, None when there is none at the moment."""
        while True:
            try:
                message = super().__next__()  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
            except (DecodeError, TypeError):
                # A message id that cannot be kept in a set is a TypeError there.
                self._drop_unreadable()
                continue
            if message is None or _is_message(message):
                return message
            self.queued_message_ids.discard(message.message_id)
            self._drop_unreadable()

    def _drop_unreadable(self) -> None:
        """Drop all that we have fetched and cannot read, from Redis and from what waits here: Dramatiq does not say its id."""
        self.message_cache = [data for data in self.message_cache if _is_readable(data)]
        space, client = self.broker.namespace, self.broker.client
        try:
            copies = list(client.smembers(f"{space}:__acks__.{self.broker.broker_id}.{self.queue_name}"))
            contents = client.hmget(f"{space}:{self.queue_name}.msgs", copies) if copies else []
            dropped = [
                copy.decode()
                for copy, data in zip(copies, contents, strict=True)
                if data is not None and not _is_readable(data)
            ]
            for copy in dropped:
                self.broker.acknowledge(self.queue_name, copy)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
        if dropped:
            log.error("unreadable_messages_dropped", queue=self.queue_name, count=len(dropped), ids=dropped[:10])

    def ack(self, message: Any) -> None:
        """Acknowledge *message*."""
        try:
            self.broker.acknowledge(self.queue_name, message.options["redis_message_id"])
        except (redis.ConnectionError, redis.TimeoutError) as error:
            # Dramatiq comes again with the same message until Redis is back, and takes the others' along.
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
        finally:
            self.queued_message_ids.discard(message.message_id)


def _is_message(message: Any) -> bool:
    """Tell whether *message* has what Dramatiq and we need of it; its decoder takes any object with the right keys."""
    texts = (message.queue_name, message.actor_name, message.message_id)
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(message.kwargs, dict)
        and isinstance(message.options, dict)
        and isinstance(message.options.get("redis_message_id"), str)
    )


def _is_readable(data: bytes) -> bool:
    try:
        return _is_message(Message.decode(data))
    except DecodeError:
        return False
