"""Acknowledgements: sent together, none left over, and only of what is still ours."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from dramatiq.errors import ConnectionClosed

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
