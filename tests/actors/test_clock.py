"""The clock and the bell, on a real Redis: what is due is rung, what was lost is rung again."""

from datetime import timedelta
from uuid import uuid4

import pytest
import redis

from actors.bell import Bell, BellUnavailableError
from actors.broker import QUEUE, broker, redis_client
from actors.clock import Clock
from tests.desk import Desk
from workflows.commands import AnswerImportance


@pytest.fixture
def clock(desk: Desk) -> Clock:
    """Return a clock that has seen its Redis once and rung what there was."""
    clock = Clock(desk.service, desk.bell, lambda: desk.now)
    clock.tick()
    return clock


def waiting(desk: Desk, number: int) -> None:
    """Leave *number* messages due that nobody has rung."""
    for _ in range(number):
        desk.submit(uuid4(), AnswerImportance(importance=1))
    desk.ask("UPDATE messages SET ring_again_at = NULL, rings = 0 WHERE settled_at IS NULL AND due_at <= :now", now=desk.now)


def test_what_is_due_is_rung_once_and_what_dramatiq_reads_is_what_was_rung(desk: Desk, clock: Clock) -> None:
    """The bell's bytes are Dramatiq messages with the row's id, and carry ids only."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    desk.bell.ring([ring])
    consumer = broker.consume(QUEUE, prefetch=100, timeout=100)
    fetched = {message.message_id: message for message in iter(lambda: next(consumer), None)}
    message = fetched[str(ring.message_id)]
    assert "importance_answered" == message.actor_name
    assert {"message": str(ring.message_id), "stream": str(ring.stream_id), "ring": 1} == message.kwargs
    consumer.ack(message)
    consumer.close()
    assert 0 == clock.tick()


def test_a_timer_in_the_future_is_not_rung(desk: Desk, clock: Clock) -> None:
    """Only when its time has come on the service's clock."""
    (lead_id,) = desk.note_due()
    due_at = desk.lead(lead_id).timers["note_slot"].due_at
    desk.clock.moment = due_at - timedelta(seconds=1)
    clock.tick()
    before = desk.bell.depth()
    desk.clock.moment = due_at
    assert 1 <= clock.tick()
    assert desk.bell.depth() > before


def test_a_flushed_redis_is_noticed_and_everything_is_rung_again(
    desk: Desk, clock: Clock, redis_url: str, namespace: str
) -> None:
    """FLUSHALL costs a tick, never a message."""
    waiting(desk, 7)
    assert 7 == clock.tick()
    with redis.Redis.from_url(redis_url) as client:
        client.delete(*client.keys(f"{namespace}*"))
    assert 0 == desk.bell.depth()
    assert 7 == clock.tick()
    assert 7 == desk.bell.depth()
    assert 0 == clock.tick()


def test_redis_away_claims_nothing(desk: Desk, clock: Clock) -> None:
    """With nobody to ring, rows stay as they are and the error says so."""
    waiting(desk, 3)
    there, broker.client = broker.client, redis_client("redis://127.0.0.1:1/0")
    try:
        with pytest.raises(BellUnavailableError, match="Redis is not reachable"):
            Clock(desk.service, Bell(broker), lambda: desk.now).tick()
    finally:
        broker.client = there
    assert 3 == clock.tick()
