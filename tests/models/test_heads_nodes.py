"""The nodes of recorded heads trees: proofs from them are those from all heads, and nothing rests on them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from models import checkpoints, heads, heads_nodes
from models.database import Engine, make_engine, transaction
from models.head_proofs import prove_from_nodes
from models.rebuild import rebuild
from models.verify_tree import verify_tree
from tests.desk import Desk
from tests.workflows.heads_tree import HeadsTree
from workflows.events import HeadsRecorded
from workflows.heads import BLOCK_HEADS
from workflows.service_stream import SERVICE_ID

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


def write(connection: Connection, book: list[int]) -> None:
    """Write events, each of the stream that *book* names; of these only ids, versions and hashes are looked at."""
    versions: dict[int, int] = {}
    ids, numbers = [], []
    for stream in book:
        versions[stream] = versions.get(stream, 0) + 1
        # As with ids that are hashes, neighbours in the order of ids come to the log at any time.
        ids.append(UUID(int=stream * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
        numbers.append(versions[stream])
    connection.execute(
        text(
            "INSERT INTO events SELECT n, id, version, '', 1, 'body ' || n, now(), now(), gen_random_uuid(), '', "
            "gen_random_uuid(), NULL, NULL, sha256(CAST(CAST(n AS text) AS bytea)) "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[])) WITH ORDINALITY AS book (id, version, n)"
        ),
        {"ids": ids, "numbers": numbers},
    )
    connection.execute(text("UPDATE log_head SET position = :last"), {"last": len(book)})


def recorded(connection: Connection) -> HeadsRecorded:
    """Record the heads of all that is written, and return what was recorded."""
    size = connection.scalar(text("SELECT position FROM log_head"))
    heads.record(connection, heads.measured(connection, int(size or 0)), now=NOW, actor="test")
    found = heads.newest(connection)
    assert found
    return found.data


def all_heads(connection: Connection, said: HeadsRecorded) -> HeadsTree:
    return HeadsTree(list(heads.heads_in_order(connection, said.size)))


#: Few streams with many events, and so many that there are blocks, more of them than one level's.
books = st.integers(1, 5 * BLOCK_HEADS).flatmap(
    lambda streams: st.tuples(
        st.permutations(range(1, streams + 1)), st.lists(st.integers(1, streams + 20), max_size=60), st.integers(0, 60)
    )
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(books, st.data())
def test_a_proof_from_the_nodes_is_the_one_from_all_heads(
    engine: Engine, book: tuple[list[int], list[int], int], data: st.DataObject
) -> None:
    """Whatever the book, whatever came behind the recorded heads, for the first and the last stream and any between."""
    first, then, later = book
    with engine.connect() as connection, connection.begin() as begun:
        write(connection, [*first, *then])
        size = max(len(first), len(first) + len(then) - later)
        found = heads.measured(connection, size)
        heads_nodes.keep(connection, size, found.nodes)
        every = [head.stream_id for head in heads.heads_in_order(connection, size)]
        assert len(every) == found.data.streams
        tree = all_heads(connection, found.data)
        some = data.draw(st.sets(st.integers(0, len(every) - 1), max_size=6))
        # At the borders of blocks a neighbour is in another one.
        borders = {BLOCK_HEADS - 1, BLOCK_HEADS, len(every) // BLOCK_HEADS * BLOCK_HEADS, 0, len(every) - 1}
        for index in some | {index for index in borders if index < len(every)}:
            assert prove_from_nodes(connection, every[index], found.data) == tree.prove(every[index])
        begun.rollback()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE heads_nodes SET hash = sha256('') WHERE (level, number) = (6, 1)", "65 to 128"),
        ("UPDATE heads_nodes SET hash = sha256('') WHERE (level, number) = (7, 0)", "1 to 128"),
        ("UPDATE heads_nodes SET last = '00000000-0000-0000-0000-000000000000' WHERE (level, number) = (6, 0)", "1 to 64"),
        ("UPDATE heads_nodes SET last = 'ffffffff-ffff-ffff-ffff-ffffffffffff' WHERE (level, number) = (6, 1)", "65 to 128"),
        ("UPDATE heads_nodes SET number = 7 WHERE (level, number) = (6, 2)", "449 to 512"),
        ("INSERT INTO heads_nodes SELECT size, 0, 0, last, hash FROM heads_nodes WHERE (level, number) = (7, 0)", "1 to 1"),
        ("UPDATE heads_nodes SET size = 7", None),
        ("DELETE FROM heads_nodes WHERE level = 6 AND number = 1", ""),
        ("DELETE FROM heads_nodes WHERE level = 7", ""),
        ("DELETE FROM heads_nodes", ""),
    ],
)
def test_a_wrong_node_is_named_and_proves_nothing(engine: Engine, change: str, found: str | None) -> None:
    """With nodes altered, put in or gone, there is no proof but the one from all heads; verify names what is wrong."""
    with transaction(engine) as connection:
        write(connection, [*range(1, 201), *range(1, 100, 7)])
        said = recorded(connection)
        assert [] == verify_tree(connection).findings
        tree = all_heads(connection, said)
        every = [head.stream_id for head in heads.heads_in_order(connection, said.size)][::25]
        assert None not in [prove_from_nodes(connection, id_, said) for id_ in every]
        assert connection.execute(text(change)).rowcount
        from_nodes = [prove_from_nodes(connection, id_, said) for id_ in every]
        assert None in from_nodes or found == "1 to 1"
        for id_, proof in zip(every, from_nodes, strict=True):
            assert proof in (None, tree.prove(id_))
        findings = verify_tree(connection).findings
        if found == "":
            assert [] == findings  # what is missing takes time, and nothing else
            return
        ((code, position, stream_id, sentence),) = findings
        assert ("heads_node_differs", SERVICE_ID) == (code, stream_id)
        if found is None:
            assert (None, True) == (position, "over the heads of 7 events, which no event recorded" in sentence)
        else:
            assert (216, True) == (position, f"over the heads {found} of those that event 216 recorded" in sentence)


@pytest.mark.parametrize(("level", "number"), [(-1, 0), (20_000, 0), (6, 2_147_483_647), (32_767, -1)])
def test_a_node_that_no_tree_can_have_is_named(engine: Engine, level: int, number: int) -> None:
    """Of heads, and of the tree over the events; a rebuild forgets that of heads."""
    with transaction(engine) as connection:
        write(connection, list(range(1, 201)))
        recorded(connection)
        values = {"level": level, "number": number}
        connection.execute(
            text("INSERT INTO heads_nodes SELECT size, :level, :number, last, '' FROM heads_nodes WHERE level = 7"), values
        )
        (finding,) = verify_tree(connection).findings
        assert "heads_node_differs" == finding.code
        assert (f" of level {level} " in finding.sentence) is (level != 6)
        heads.rebuild_nodes(connection)
        connection.execute(text("INSERT INTO tree_nodes VALUES (:level, :number, '')"), values)
        assert ["tree_node_differs"] == [each.code for each in verify_tree(connection).findings]


def test_with_since_the_nodes_of_earlier_heads_are_not_compared(engine: Engine) -> None:
    """Nor are these heads; those behind the note are."""
    with transaction(engine) as connection:
        write(connection, list(range(1, 201)))
        recorded(connection)
        connection.execute(text("UPDATE heads_nodes SET hash = ''"))
        assert ["heads_node_differs"] == [finding.code for finding in verify_tree(connection, since=200).findings]
        assert [] == verify_tree(connection, since=201).findings


def test_a_stream_that_had_no_event_by_then_has_no_proof(engine: Engine) -> None:
    """One that nobody knows, and one that came later."""
    with transaction(engine) as connection:
        write(connection, list(range(1, 201)))
        found = heads.measured(connection, 150)
        heads_nodes.keep(connection, 150, found.nodes)
        known = {head.stream_id for head in heads.heads_in_order(connection, 150)}
        later = [head.stream_id for head in heads.heads_in_order(connection, 200) if head.stream_id not in known]
        assert 50 == len(later)
        for unknown in [UUID(int=1), UUID(int=2**128 - 1), *later]:
            assert prove_from_nodes(connection, unknown, found.data) is None


def test_heads_of_more_events_than_there_were_are_named(engine: Engine) -> None:
    """Even of more than there are now."""
    with transaction(engine) as connection:
        write(connection, list(range(1, 11)))
        found = heads.measured(connection, 10)
        heads.record(
            connection, found._replace(data=HeadsRecorded(size=999, streams=10, root="00" * 32)), now=NOW, actor="test"
        )
        assert ["heads_differ"] == [finding.code for finding in verify_tree(connection).findings]


def test_nodes_are_kept_of_the_newest_heads_and_of_those_that_are_signed(desk: Desk) -> None:
    """Proofs are asked of no others; a rebuild makes the same again, whatever was there."""
    desk.queued(BLOCK_HEADS)
    sizes = []
    for signed in (False, True, False, False):
        with transaction(desk.engine) as connection:
            said = recorded(connection)
            sizes.append(said.size)
            if signed:
                checkpoints.save(connection, size=said.size + 1, root=b"", note="")
    with transaction(desk.engine) as connection:
        assert {sizes[1], sizes[3]} == heads_nodes.sizes(connection)
        kept = {size: heads_nodes.read(connection, size) for size in sizes}
        assert [0, 1, 0, 1] == [len(kept[size]) for size in sizes]
        connection.execute(text("UPDATE heads_nodes SET hash = '', size = size - 1"))
        rebuild(connection)
        assert kept == {size: heads_nodes.read(connection, size) for size in sizes}
        assert {sizes[1], sizes[3]} == heads_nodes.sizes(connection)


def test_no_statement_reads_the_heads_of_all_streams(engine: Engine) -> None:
    """One for all of ten million events took longer than a statement may: each asks for a part, and together they miss none."""
    with transaction(engine) as connection:
        write(connection, list(range(1, 201)))
        asked: list[tuple[int, int]] = []

        def note(*said: Any) -> None:
            asked.append((said[3]["first"].int, said[3]["last"].int))

        event.listen(connection, "before_cursor_execute", note)
        found = list(heads.heads_in_order(connection, 200))
    assert [head.stream_id for head in found] == sorted({head.stream_id for head in found})
    assert 200 == len(found)
    assert max(last - first for first, last in asked) < 2**128 // 10
    assert [0, *(last + 1 for _, last in asked)] == [*(first for first, _ in asked), 2**128]
