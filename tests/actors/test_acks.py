"""Acknowledgements: sent together, none left over, and only of what is still ours."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from dramatiq.errors import ConnectionClosed
from structlog.testing import capture_logs

from actors.acks import Broker
from actors.bell import Bell
from actors.broker import QUEUE, redis_client
from models.messages import Ring


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[Broker]:
    """Yield a broker of our own, with its queue."""
    broker = Broker(client=redis_client(redis_url), namespace=namespace, middleware=[])
    broker.declare_queue(QUEUE)
    yield broker
    broker.client.close()


def fetch(broker: Broker, count: int) -> tuple[Any, list[Any]]:
    """Ring *count* times and return a consumer with what it fetched."""
    Bell(broker).ring([Ring(uuid4(), uuid4(), "decline", uuid4(), 1) for _ in range(count)])
    consumer = broker.consume(QUEUE, prefetch=count, timeout=10)
    return consumer, [next(consumer) for _ in range(count)]


def held(broker: Broker) -> tuple[int, int]:
    """Return how many messages Redis holds, and how many of them as fetched by us."""
    space = broker.namespace
    return (
        int(broker.client.hlen(f"{space}:{QUEUE}.msgs")),
        int(broker.client.scard(f"{space}:__acks__.{broker.broker_id}.{QUEUE}")),
    )


def test_many_threads_acknowledge_and_nothing_is_left_over(broker: Broker) -> None:
    """Whoever sends takes along what the others hand in, up to the last one."""
    consumer, messages = fetch(broker, 400)
    assert (400, 400) == held(broker)

    def acknowledge(mine: list[Any]) -> None:
        for message in mine:
            consumer.ack(message)

    threads = [threading.Thread(target=acknowledge, args=(messages[number::16],)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (0, 0) == held(broker)
    assert 0 == consumer.outstanding_message_count


def test_what_could_not_be_sent_goes_with_the_next_one(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Redis is away Dramatiq hears of it, and nothing is forgotten, even by a consumer that came later."""
    consumer, (first, second, third) = fetch(broker, 3)

    def away(**_: object) -> None:
        raise redis.ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setitem(broker.scripts, "acks", away)
        for message in (first, second):
            with pytest.raises(ConnectionClosed, match="away"):
                consumer.ack(message)
    assert (3, 3) == held(broker)
    broker.consume(QUEUE, prefetch=1, timeout=10).ack(third)
    assert (0, 0) == held(broker)


def test_what_was_given_to_another_worker_is_not_dropped(broker: Broker) -> None:
    """A worker that was taken for dead acknowledges too late: its message is another's by now, and stays."""
    consumer, (message,) = fetch(broker, 1)
    broker.client.delete(f"{broker.namespace}:__acks__.{broker.broker_id}.{QUEUE}")
    consumer.ack(message)
    assert (1, 0) == held(broker)


def almost(**fields: Any) -> bytes:
    """Return what looks like one of our messages, but for *fields*."""
    usual = {"queue_name": QUEUE, "actor_name": "decline", "args": [], "kwargs": {}, "message_id": "1", "message_timestamp": 1}
    return json.dumps({**usual, "options": {"redis_message_id": "1"}, **fields}).encode()


GARBAGE = (
    b"", b"\xff\xfe\x00garbage", b"null", b"[1, 2]", b'{"hello": "world"}', almost(options={}), almost(options=[]),
    almost(actor_name=["decline"]), almost(message_id=[]), almost(kwargs=None),
)  # fmt: skip


def test_what_cannot_be_read_is_dropped_and_the_rest_goes_on(broker: Broker) -> None:
    """Garbage before, between and behind rings costs none of them, and stays nowhere on Redis."""
    bell, key = Bell(broker), f"{broker.namespace}:{QUEUE}"

    def litter(number: int) -> None:
        for index, data in enumerate(GARBAGE):
            broker.client.hset(f"{key}.msgs", f"garbage-{number}-{index}", data)
            broker.client.rpush(key, f"garbage-{number}-{index}")

    litter(1)
    for number in (2, 3):
        bell.ring([Ring(uuid4(), uuid4(), "decline", uuid4(), 1) for _ in range(5)])
        litter(number)
    consumer: Any = broker.consume(QUEUE, prefetch=7, timeout=10)
    with capture_logs() as lines:
        messages: list[Any] = []
        while len(messages) < 10:
            message = next(consumer)
            if message is not None:
                messages.append(message)
                consumer.ack(message)
        assert next(consumer) is None
    assert (0, 0, 0) == (*held(broker), int(broker.client.llen(key)))
    assert 0 == consumer.outstanding_message_count
    assert {"unreadable_messages_dropped"} == {line["event"] for line in lines}
    assert 3 * len(GARBAGE) == sum(line["count"] for line in lines)
