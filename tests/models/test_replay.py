"""The log read at full speed: the same states as event by event, in constant memory, and the connection unharmed."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from models import book, erasure, frozen, replay, tracing
from models.audit import SCANNED
from models.database import Connection, transaction
from models.events import append, read_stream
from models.rebuild import rebuild
from models.replay import decode_events, fold_events, fold_rows, read_streams, scan
from models.verify import verify
from tests.benchmarks.log import lives, make_projections
from tests.desk import Desk
from tests.statements import on_each_statement
from tests.workflows.make_golden import _lives
from workflows.codec import canonical, chain_hash
from workflows.events import event_type
from workflows.fold import fold
from workflows.invitation_streams import Stream, fold_stream
from workflows.lead import Lead


@pytest.fixture
def written(desk: Desk) -> Desk:
    """Return a desk whose log holds a few hundred more events, and whose projections are rebuilt from it."""
    desk.honest = False
    with transaction(desk.engine) as connection:
        append(connection, list(lives(600)))
    make_projections(desk.engine)
    return desk


def test_a_fold_reads_no_more_of_an_event_than_replayed_has() -> None:
    """Whatever happened before, the short form of an event leaves the lead as the whole one does."""
    seen = set()
    for life in _lives():
        lead: Lead | None = None
        for recorded in life.history:
            after = fold(lead, recorded)
            (short,) = decode_events([canonical(recorded)])
            assert after == fold_stream(lead, short) == fold_events(lead, [short])
            assert (short.stream_id, short.playbook) == (recorded.stream_id, recorded.playbook)
            seen.add(event_type(recorded.data))
            lead = after
    assert len(seen) > 40


def test_two_events_in_one_body_are_not_taken_for_two() -> None:
    """Bodies are decoded together, and are one event each all the same."""
    body = canonical(next(_lives()).history[0])
    with pytest.raises(msgspec.DecodeError):
        decode_events([body + b"," + body])


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_whole_log_folds_to_what_its_streams_fold_to_one_by_one(
    written: Desk, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """States and hashes are those of the slow way, for leads and reps, in the order of their ids, however large a piece is."""
    monkeypatch.setattr(replay, "PIECE_EVENTS", size)
    monkeypatch.setattr(replay, "SCAN_PIECES", size)
    monkeypatch.setattr(replay, "PAGE_EVENTS", 5 * size)
    with transaction(written.engine) as connection:
        ids = connection.scalars(text("SELECT DISTINCT stream_id FROM events ORDER BY stream_id")).all()
        slowly = [fold_rows(read_stream(connection, id_)) for id_ in ids]
        quickly: dict[bytes, Stream | None] = {}
        with closing(scan(connection, ("body",))) as pieces:
            for id_, bodies in pieces:
                quickly[id_] = fold_events(quickly.get(id_), decode_events(bodies))
        assert [(id_.bytes, folded.state) for id_, folded in zip(ids, slowly, strict=True) if folded] == list(quickly.items())
        histories = [(id_, list(history)) for id_, history in read_streams(connection)]
        assert [] == verify(connection).findings
    assert [(id_, len(history)) for id_, history in histories] == [
        (id_, folded.state.version) for id_, folded in zip(ids, slowly, strict=True) if folded
    ]
    assert all(recorded.stream_id == id_ for id_, history in histories for recorded in history)
    before = written.ask("SELECT * FROM leads ORDER BY id")
    assert len(before) == make_projections(written.engine).leads
    assert before == written.ask("SELECT * FROM leads ORDER BY id")


def test_a_scan_reads_in_the_order_of_the_index(written: Desk) -> None:
    """However large the log, it is not sorted as a whole: only the events of one stream are, and those are in order already."""
    with transaction(written.engine) as connection:
        connection.execute(text(replay._in_order_of_the_index))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {replay._statement(SCANNED)}", replay.EVERY).scalars())
    assert "Index Scan using events_stream_version" in plan
    assert "Presorted Key: events.stream_id" in plan
    assert 1 == plan.count("Sort  (cost")


#: What may have to look at every event or message there is, however few of them are asked for.
LONG: dict[str, Callable[[Connection], object]] = {
    "leads": lambda connection: next(book.leads_at(connection, datetime.now(UTC))),
    "standings": lambda connection: next(book.standings_at(connection, datetime.now(UTC))),
    "streams": lambda connection: next(read_streams(connection)),
    "library": frozen.read_library,
    "calendars": frozen.read_calendars,
    "beginning": frozen.began_at,
    "slots": lambda connection: tracing.slots_held(connection, [("dan", date(2026, 1, 5))], upto=1, plan=UUID(int=1)),
    "erasure": lambda connection: erasure.remove(connection, UUID(int=1), reason_id=UUID(int=2), message_id=UUID(int=3)),
    "verify": verify,
}


@pytest.mark.parametrize("read", LONG.values(), ids=LONG)
def test_what_may_look_at_the_whole_log_may_take_as_long_as_that_needs(
    written: Desk, read: Callable[[Connection], object]
) -> None:
    """The limit of a minute is for locks that are stuck; it holds again in the next transaction."""
    for _ in range(2):
        with transaction(written.engine) as connection:
            assert "1min" == connection.scalar(text("SHOW statement_timeout"))
            read(connection)
            assert "0" == connection.scalar(text("SHOW statement_timeout"))


def test_a_rebuild_has_no_limit_of_time_from_its_first_statement_on(written: Desk) -> None:
    """Emptying the tables of a long log takes longer than a lock may be stuck, before any event is read."""
    heard: list[str] = []
    on_each_statement(written.engine, lambda _, statement: heard.append(statement))
    with transaction(written.engine) as connection:
        rebuild(connection)
    assert heard.index("SET LOCAL statement_timeout = 0") < heard.index("DELETE FROM leads")


def test_a_scan_that_is_given_up_leaves_its_transaction_as_it_was(written: Desk) -> None:
    """What was written before is kept, and the next statement works."""
    with transaction(written.engine) as connection:
        connection.execute(text("UPDATE leads SET owner = 'eve'"))
        with closing(scan(connection, SCANNED)) as pieces:
            lead_id = next(islice(pieces, 20, None))[0]
        owners = connection.scalars(text("SELECT DISTINCT owner FROM leads")).all()
        planner = [connection.scalar(text(f"SHOW {name}")) for name in ("enable_seqscan", "statement_timeout")]
    assert ["eve"] == owners
    assert ["on", "1min"] == planner
    assert len(lead_id) == 16
    assert [("eve",)] == written.ask("SELECT DISTINCT owner FROM leads")


CHANGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a space": ("body_not_canonical", lambda body: body.replace(b":", b": ", 1)),
    "a space in the command": ("body_not_canonical", lambda body: body.replace(b'"command":{', b'"command":{ ')),
    "a space in the pin": ("body_not_canonical", lambda body: body.replace(b'"playbook":{', b'"playbook":{ ')),
    "a key twice": ("body_not_canonical", lambda body: body.replace(b'"actor"', b'"actor":"x","actor"', 1)),
    "no JSON": ("body_unreadable", lambda body: body + b"}"),
    "another type": ("body_unreadable", lambda body: body.replace(b'"note_sent"', b'"note_eaten"')),
    "a field too many": ("body_unreadable", lambda body: body.replace(b'"command":{', b'"command":{"colour":"red",')),
    "another actor": ("copy_differs", lambda body: body.replace(b'"actor":"rep:dan"', b'"actor":"rep:eve"')),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_body_that_was_changed_with_its_hash_is_found_all_the_same(written: Desk, kind: str) -> None:
    """Whoever works out the hash anew has still to write what the service would have written."""
    row = written.ask("SELECT stream_id, version, body FROM events WHERE type = 'note_sent' ORDER BY position LIMIT 1")[0]
    code, change = CHANGES[kind]
    body = change(str(row[2]).encode())
    assert body != str(row[2]).encode()
    before = written.ask("SELECT hash FROM events WHERE stream_id = :id AND version = :v - 1", id=row[0], v=row[1])[0][0]
    with written.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text("UPDATE events SET body = :body, hash = :hash WHERE stream_id = :id AND version = :version"),
            {"body": body.decode(), "hash": chain_hash(before, body), "id": row[0], "version": row[1]},  # type: ignore[arg-type]
        )
    with transaction(written.engine) as connection:
        assert code in {finding.code for finding in verify(connection).findings}
