"""Messages: staged once, claimed by one, rung again, failed with back-off, dead, revived."""

from datetime import timedelta
from uuid import uuid4

import pytest

from models import messages
from models.database import transaction
from models.messages import CommandReusedError
from tests.desk import Desk
from workflows.commands import AnswerImportance


def test_the_same_id_with_the_same_command_is_one_message(desk: Desk) -> None:
    """Submitting twice equals submitting once."""
    id_, lead_id = uuid4(), uuid4()
    assert 1 == len(desk.submit(lead_id, AnswerImportance(importance=3), id_=id_))
    assert [] == desk.submit(lead_id, AnswerImportance(importance=3), id_=id_)
    assert [(1,)] == desk.ask("SELECT count(*) FROM messages WHERE id = :id", id=id_)


def test_the_same_id_with_another_command_is_refused_and_nothing_of_the_batch_is_kept(desk: Desk) -> None:
    """An id that is taken by another body fails the whole submission."""
    id_, lead_id = uuid4(), uuid4()
    desk.submit(lead_id, AnswerImportance(importance=3), id_=id_)
    with pytest.raises(CommandReusedError, match=str(id_)):
        desk.submit(lead_id, AnswerImportance(importance=4), id_=id_)
    with pytest.raises(CommandReusedError):
        desk.submit(uuid4(), AnswerImportance(importance=3), id_=id_)


def test_what_is_due_is_claimed_once_and_what_is_not_due_stays(desk: Desk) -> None:
    """A claim takes what is due, and a second claim finds nothing of it."""
    desk.submit(uuid4(), AnswerImportance(importance=1))
    desk.ask("UPDATE messages SET ring_again_at = NULL, rings = 0 WHERE settled_at IS NULL")
    with transaction(desk.engine) as connection:
        assert 1 == len(messages.claim_due(connection, now=desk.now, limit=10))
        assert [] == messages.claim_due(connection, now=desk.now, limit=10)
    with transaction(desk.engine) as connection:
        assert 0 == len(messages.claim_overdue(connection, limit=10))


def test_two_clocks_never_claim_the_same_message(desk: Desk) -> None:
    """Rows that one transaction holds are passed over by another."""
    for _ in range(20):
        desk.submit(uuid4(), AnswerImportance(importance=1))
    desk.ask("UPDATE messages SET ring_again_at = NULL, rings = 0 WHERE settled_at IS NULL")
    with desk.engine.begin() as one, desk.engine.begin() as other:
        first = messages.claim_due(one, now=desk.now, limit=12)
        second = messages.claim_due(other, now=desk.now, limit=12)
    assert 12 == len(first)
    assert 8 == len(second)
    assert not {ring.message_id for ring in first} & {ring.message_id for ring in second}


def test_a_rung_message_is_rung_again_only_after_its_lease(desk: Desk) -> None:
    """Not before the lease is over, and with the number of rings counted."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    with transaction(desk.engine) as connection:
        assert [] == messages.claim_overdue(connection, limit=10)
    desk.ask("UPDATE messages SET ring_again_at = clock_timestamp() WHERE id = :id", id=ring.message_id)
    with transaction(desk.engine) as connection:
        assert [2] == [again.number for again in messages.claim_overdue(connection, limit=10)]


def test_failures_back_off_and_end_as_dead_with_error_and_traceback(desk: Desk) -> None:
    """The last of the allowed attempts settles the message as dead; a retry gives it a fresh start."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    for attempt in (1, 2, 3):
        with transaction(desk.engine) as connection:
            outcome = messages.fail(connection, ring.message_id, error="it broke", traceback="here", max_attempts=3)
        assert ("dead" if attempt == 3 else None) == outcome
    with transaction(desk.engine) as connection:
        (dead,) = messages.list_dead(connection)
        assert ("it broke", "here", 3) == (dead.error, dead.traceback, dead.attempts)
        assert [ring.message_id] == messages.retry_dead(connection)
        assert [] == messages.list_dead(connection)
        assert [ring.message_id] == [r.message_id for r in messages.claim_due(connection, now=desk.now, limit=5)]


def test_a_settled_message_stays_as_it_was_settled(desk: Desk) -> None:
    """A late failure or a second settlement changes nothing."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    with transaction(desk.engine) as connection:
        messages.settle(connection, [messages.Settlement(ring.message_id, "applied", None, None)])
        messages.settle(connection, [messages.Settlement(ring.message_id, "refused", "rule", "reason")])
        assert messages.fail(connection, ring.message_id, error="late", traceback="", max_attempts=1) is None
        assert 0 == messages.count_delivery(connection, ring.message_id)
    assert ("applied", None) == (desk.message(ring.message_id).outcome, desk.message(ring.message_id).error)


def test_lost_counts_what_vanished_what_is_overdue_and_what_left_no_event(desk: Desk) -> None:
    """The count of lost messages is not zero when one is."""
    vanished = uuid4()
    (overdue,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    with transaction(desk.engine) as connection:
        assert 2 == messages.lost(connection, [vanished, overdue.message_id], now=desk.now)
        messages.settle(connection, [messages.Settlement(overdue.message_id, "applied", None, None)])
        assert 2 == messages.lost(connection, [vanished, overdue.message_id], now=desk.now)
        assert 1 == messages.lost(connection, [], now=desk.now - timedelta(days=1))
