"""Messages: staged once, claimed by one, rung again, failed with back-off, dead, revived."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from actors.submit import Submission, stage
from models import attempts, messages, rings, tracing
from models.database import Connection, transaction
from models.messages import CommandReusedError
from tests.desk import Desk
from workflows.commands import AnswerImportance, Release


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
        assert 1 == len(rings.claim_due(connection, now=desk.now, limit=10))
        assert [] == rings.claim_due(connection, now=desk.now, limit=10)
    with transaction(desk.engine) as connection:
        assert 0 == len(rings.claim_overdue(connection, limit=10))


def test_two_clocks_never_claim_the_same_message(desk: Desk) -> None:
    """Rows that one transaction holds are passed over by another."""
    for _ in range(20):
        desk.submit(uuid4(), AnswerImportance(importance=1))
    desk.ask("UPDATE messages SET ring_again_at = NULL, rings = 0 WHERE settled_at IS NULL")
    with desk.engine.begin() as one, desk.engine.begin() as other:
        first = rings.claim_due(one, now=desk.now, limit=12)
        second = rings.claim_due(other, now=desk.now, limit=12)
    assert 12 == len(first)
    assert 8 == len(second)
    assert not {ring.message_id for ring in first} & {ring.message_id for ring in second}


def test_a_rung_message_is_rung_again_only_after_its_lease(desk: Desk) -> None:
    """Not before the lease is over, and with the number of rings counted."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    with transaction(desk.engine) as connection:
        assert [] == rings.claim_overdue(connection, limit=10)
    desk.ask("UPDATE messages SET ring_again_at = clock_timestamp() WHERE id = :id", id=ring.message_id)
    with transaction(desk.engine) as connection:
        assert [2] == [again.number for again in rings.claim_overdue(connection, limit=10)]


def test_what_was_rung_before_the_clock_went_back_is_rung_again_at_once(desk: Desk) -> None:
    """By a day: it would have waited for one, and `thaw verify` would have named the timer. What is paused stays so."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    for at, number in (("clock_timestamp() + interval '1 day'", 2), ("'infinity'", 2), ("'9999-01-01'", 3)):
        desk.ask(f"UPDATE messages SET ring_again_at = {at} WHERE id = :id", id=ring.message_id)
        with transaction(desk.engine) as connection:
            rings.claim_overdue(connection, limit=10)
        assert [(number,)] == desk.ask("SELECT rings FROM messages WHERE id = :id", id=ring.message_id)
    assert [(True,)] == desk.ask(
        "SELECT ring_again_at < clock_timestamp() + interval '1 hour' FROM messages WHERE id = :id", id=ring.message_id
    )


def after(desk: Desk, do: Callable[[Connection], object], message_id: UUID) -> int:
    """Return how many seconds *do* puts off the next ring of a message, by PostgreSQL's clock just before and after it."""
    statement = text("SELECT clock_timestamp()")
    with transaction(desk.engine) as connection:
        before = connection.scalar(statement)
        do(connection)
        then = connection.scalar(statement)
        due = connection.scalar(text("SELECT ring_again_at FROM messages WHERE id = :id"), {"id": message_id})
    assert before
    assert then
    assert due
    seconds: int = round((due - before).total_seconds())
    # To the microsecond, however long it took in between.
    assert before + timedelta(seconds=seconds) <= due <= then + timedelta(seconds=seconds)
    return seconds


def test_a_lease_doubles_from_half_a_minute_to_ten_minutes(desk: Desk) -> None:
    """Each ring that is not answered gives the next one twice the time, whoever rang first."""
    id_, stream_id = uuid4(), uuid4()

    def submit(connection: Connection) -> None:
        stage(connection, [Submission(id=id_, stream_id=stream_id, command=Release(), asked_by="crm")], now=desk.now)

    assert 30 == after(desk, submit, id_)
    for number, seconds in enumerate((60, 120, 240, 480, 600, 600, 600), start=2):
        desk.ask("UPDATE messages SET ring_again_at = clock_timestamp() WHERE id = :id", id=id_)
        assert seconds == after(desk, lambda connection: rings.claim_overdue(connection, limit=10), id_)
        assert [(number,)] == desk.ask("SELECT rings FROM messages WHERE id = :id", id=id_)
    desk.ask("UPDATE messages SET ring_again_at = NULL, rings = 0 WHERE id = :id", id=id_)
    assert 30 == after(desk, lambda connection: rings.claim_due(connection, now=desk.now, limit=10), id_)


def test_a_back_off_doubles_from_a_second_to_an_hour(desk: Desk) -> None:
    """1 s, 2 s, 4 s and so on, an hour at most."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))

    def fail(connection: Connection) -> None:
        attempts.fail(connection, ring.message_id, error="it broke", traceback="", max_attempts=100)

    found = [after(desk, fail, ring.message_id) for _ in range(15)]
    assert [*(2**attempt for attempt in range(12)), 3600, 3600, 3600] == found


def test_failures_back_off_and_end_as_dead_with_error_and_traceback(desk: Desk) -> None:
    """The last of the allowed attempts settles the message as dead; a retry gives it a fresh start."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    for attempt in (1, 2, 3):
        with transaction(desk.engine) as connection:
            outcome = attempts.fail(connection, ring.message_id, error="it broke", traceback="here", max_attempts=3)
        assert ("dead" if attempt == 3 else None) == outcome
    with transaction(desk.engine) as connection:
        (dead,) = attempts.list_dead(connection)
        assert ("it broke", "here", 3) == (dead.error, dead.traceback, dead.attempts)
        assert [(ring.message_id, 3, "it broke")] == [(r.id, r.attempts, r.error) for r in attempts.retry_dead(connection)]
        assert [] == attempts.list_dead(connection)
        assert [ring.message_id] == [r.message_id for r in rings.claim_due(connection, now=desk.now, limit=5)]


def test_a_settled_message_stays_as_it_was_settled(desk: Desk) -> None:
    """A late failure or a second settlement changes nothing."""
    (ring,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    with transaction(desk.engine) as connection:
        messages.settle(connection, [messages.Settlement(ring.message_id, "applied", None, None)])
        messages.settle(connection, [messages.Settlement(ring.message_id, "refused", "rule", "reason")])
        assert attempts.fail(connection, ring.message_id, error="late", traceback="", max_attempts=1) is None
        assert 0 == attempts.count_delivery(connection, ring.message_id)
    assert ("applied", None) == (desk.message(ring.message_id).outcome, desk.message(ring.message_id).error)


def test_the_worker_that_had_a_message_is_kept_with_the_error_of_its_last_attempt(desk: Desk) -> None:
    """Whoever fails, buries or settles says who it is, in the statement that does it; the traceback goes with the answer."""
    (ring,), (other,) = (desk.submit(uuid4(), AnswerImportance(importance=1)) for _ in range(2))

    def kept(id_: UUID) -> tuple[str | None, str | None, str | None]:
        with transaction(desk.engine) as connection:
            found = tracing.find_message(connection, id_)
        assert found
        return found.worker, found.error, desk.message(id_).traceback

    assert (None, None, None) == kept(ring.message_id)
    with transaction(desk.engine) as connection:
        attempts.fail(connection, ring.message_id, error="it broke", traceback="here", max_attempts=3, worker="left:1")
    assert ("left:1", "it broke", "here") == kept(ring.message_id)
    with transaction(desk.engine) as connection:
        messages.settle(connection, [messages.Settlement(ring.message_id, "applied", None, None)], worker="right:2")
        messages.settle(connection, [messages.Settlement(ring.message_id, "refused", None, None)], worker="late:3")
        attempts.bury(connection, other.message_id, error="no", worker="grave:4")
    assert ("right:2", "it broke", None) == kept(ring.message_id)
    assert ("grave:4", "no", None) == kept(other.message_id)


def test_lost_counts_what_vanished_what_is_overdue_and_what_left_no_event(desk: Desk) -> None:
    """The count of lost messages is not zero when one is."""
    vanished = uuid4()
    (overdue,) = desk.submit(uuid4(), AnswerImportance(importance=1))
    with transaction(desk.engine) as connection:
        assert 2 == messages.lost(connection, [vanished, overdue.message_id], now=desk.now)
        messages.settle(connection, [messages.Settlement(overdue.message_id, "applied", None, None)])
        assert 2 == messages.lost(connection, [vanished, overdue.message_id], now=desk.now)
        assert 1 == messages.lost(connection, [], now=desk.now - timedelta(days=1))
