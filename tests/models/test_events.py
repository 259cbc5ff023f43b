"""The log: append-only, dense, and in commit order for every reader."""

import random
import threading
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import events
from models.database import ConcurrentAppendError, Engine, transaction
from tests.desk import Desk
from workflows.codec import GENESIS, chain_hash
from workflows.events import SCHEMA, Effects, Recorded, ResponseWindowClosed

MOMENT = datetime(2026, 1, 5, tzinfo=UTC)


def recorded(stream_id: UUID, version: int = 1) -> Recorded:
    return Recorded(
        stream_id=stream_id,
        version=version,
        schema=SCHEMA,
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        message_id=uuid4(),
        actor="clock",
        correlation_id=uuid4(),
        causation_id=None,
        playbook=None,
        row=None,
        state="no_response",
        effects=Effects(),
        data=ResponseWindowClosed(),
        command=None,
        used=None,
    )


@pytest.fixture(autouse=True)
def made_up(desk: Desk) -> None:
    """Say that the events here are made up: nobody decided them."""
    desk.honest = False


@pytest.mark.parametrize(
    "change",
    ["UPDATE events SET actor = 'nobody'", "DELETE FROM events", "TRUNCATE events", "UPDATE playbooks SET body = ''"],
)
def test_the_log_and_the_published_playbooks_refuse_every_change(desk: Desk, change: str) -> None:
    """UPDATE, DELETE and TRUNCATE are refused by the database itself."""
    with pytest.raises(DBAPIError, match="append-only"), desk.engine.begin() as connection:
        connection.execute(text(change))


def test_a_body_is_stored_as_it_was_hashed(desk: Desk) -> None:
    """The stored body hashes to the stored hash."""
    stream_id = uuid4()
    with transaction(desk.engine) as connection:
        events.append(connection, [events.chained(recorded(stream_id), GENESIS)])
        (row,) = events.read_stream(connection, stream_id)
    assert chain_hash(GENESIS, row.body.encode()) == row.hash


def test_the_same_version_cannot_be_written_twice(desk: Desk) -> None:
    """Two writers of one stream: the second fails whole, and its positions are not used up."""
    stream_id = uuid4()
    with transaction(desk.engine) as connection:
        before = events.append(connection, [events.chained(recorded(stream_id), GENESIS)])
    with pytest.raises(ConcurrentAppendError), transaction(desk.engine) as connection:
        events.append(connection, [events.chained(recorded(stream_id), GENESIS)])
    with transaction(desk.engine) as connection:
        assert before == events.head_position(connection)


def test_no_reader_misses_an_event_while_many_write_and_some_roll_back(desk: Desk) -> None:
    """Invariant 3: a reader that always asks for what comes after the last position sees each event once, in order."""
    with transaction(desk.engine) as connection:
        start = events.head_position(connection)
    stopping = threading.Event()
    seen: list[int] = []
    reader = threading.Thread(target=_tail, args=(desk.engine, start, seen, stopping))
    reader.start()
    writers = [threading.Thread(target=_write, args=(desk.engine, seed)) for seed in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stopping.set()
    reader.join()
    with transaction(desk.engine) as connection:
        head = events.head_position(connection)
    assert list(range(start + 1, head + 1)) == seen
    assert head > start + 100


def _tail(engine: Engine, after: int, seen: list[int], stopping: threading.Event) -> None:
    while True:
        last_look = stopping.is_set()
        with transaction(engine) as connection:
            for row in events.read_log(connection, after=after):
                seen.append(row.position)
                after = row.position
        if last_look:
            return


def _write(engine: Engine, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(40):
        with engine.connect() as connection:
            events.append(connection, [events.chained(recorded(uuid4()), GENESIS) for _ in range(dice.randint(1, 3))])
            if dice.random() < 0.1:
                connection.rollback()
            else:
                connection.commit()
