"""The stored tree: roots and proofs are those of the bodies, and nobody alters what is stored."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from models import checkpoints, tree
from models.database import Engine, ModelError, make_engine, transaction
from models.tree import BLOCK_EVENTS, TreeError, consistency_proof, extend, frontier_at, inclusion_proof
from tests.workflows.test_merkle import naive_root
from workflows.merkle import leaf_hash, verify_consistency, verify_inclusion

SIZE = 2 * BLOCK_EVENTS + 100
LEAVES = [leaf_hash(f"body {number}".encode()) for number in range(1, SIZE + 1)]
ROOTS = {size: naive_root(LEAVES[:size]) for size in range(SIZE + 1)}


def fill(engine: Engine, first: int, last: int) -> None:
    """Write events of which only place and body are meant: the tree looks at nothing else."""
    with transaction(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO events SELECT n, gen_random_uuid(), 1, '', 1, 'body ' || n, now(), now(), gen_random_uuid(), '', "
                "gen_random_uuid(), NULL, NULL, '' FROM generate_series(CAST(:first AS bigint), :last) n"
            ),
            {"first": first, "last": last},
        )


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    fill(made, 1, SIZE)
    yield made
    made.dispose()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_proofs_from_the_stored_tree_verify(engine: Engine, data: st.DataObject) -> None:
    """Every event is proved in every checkpoint behind it, and every checkpoint to begin with every earlier one."""
    with transaction(engine) as connection:
        extend(connection, SIZE)
        size = data.draw(st.integers(1, SIZE))
        position = data.draw(st.integers(1, size))
        proof = inclusion_proof(connection, position, size)
        assert verify_inclusion(position - 1, size, LEAVES[position - 1], proof, ROOTS[size])
        proof = consistency_proof(connection, position, size)
        assert verify_consistency(position, ROOTS[position], size, ROOTS[size], proof)
        assert ROOTS[size] == frontier_at(connection, size).root


def test_a_tree_that_grows_in_steps_is_the_one_that_is_made_at_once(engine: Engine) -> None:
    """Whatever the steps, roots and stored nodes are the same, and only whole blocks are stored."""
    with transaction(engine) as connection:
        for size in (0, 1, 255, 256, 257, 300, SIZE):
            assert ROOTS[size] == extend(connection, size).root
        stepwise = list(tree.read_nodes(connection))
        assert [(8, 0), (8, 1), (9, 0)] == [stored.node for stored in stepwise]
        assert 2 * BLOCK_EVENTS == tree.stored_size(connection)
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM tree_nodes"))
        extend(connection, SIZE)
        assert stepwise == list(tree.read_nodes(connection))


def test_a_proof_that_the_tree_cannot_give_is_refused(engine: Engine) -> None:
    """Before there is a checkpoint, behind the end of the log and across a gap there is an error, and no proof."""
    with transaction(engine) as connection:
        with pytest.raises(TreeError, match=r"does not hold the events 257 to 512: run `thaw checkpoint`"):
            inclusion_proof(connection, 1, SIZE)
        extend(connection, SIZE)
        with pytest.raises(TreeError, match=f"the log has no event {SIZE + 1}"):
            inclusion_proof(connection, SIZE, SIZE + 1)
        with pytest.raises(TreeError, match=f"the log has no event {SIZE + 1}"):
            extend(connection, SIZE + 1)
        with pytest.raises(ValueError, match="has no leaf"):
            inclusion_proof(connection, 0, SIZE)
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM events WHERE position = 600"))
        with pytest.raises(TreeError, match="the log has no event 600"):
            frontier_at(connection, SIZE)


@pytest.mark.parametrize("table", ["tree_nodes", "checkpoints", "checkpoint_deliveries"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET size = 1", "TRUNCATE {}"])
def test_what_was_written_is_not_changed(engine: Engine, table: str, change: str) -> None:
    """Nodes, checkpoints and deliveries are append-only, like the log."""
    statement = change.format(table).replace("SET size", "SET level" if table == "tree_nodes" else "SET size")
    with pytest.raises(ModelError, match=f"table {table} is append-only"), transaction(engine) as connection:
        connection.execute(text(statement))


def test_the_newest_checkpoint_waits_until_it_has_arrived(engine: Engine) -> None:
    """Of several checkpoints only the newest is to be sent to a destination, once; each destination has its own."""
    with transaction(engine) as connection:
        assert checkpoints.undelivered(connection, "file") is None
        for size in (1, 2):
            checkpoints.save(connection, size=size, root=ROOTS[size], note="")
        waiting = checkpoints.undelivered(connection, "file")
        assert waiting
        assert 2 == waiting.size
        checkpoints.delivered(connection, "file", 2)
        checkpoints.delivered(connection, "file", 2)
        assert checkpoints.undelivered(connection, "file") is None
        assert checkpoints.undelivered(connection, "webhook")
        assert [1, 2] == [row.size for row in checkpoints.read_all(connection)]
        assert 0 <= checkpoints.seconds_since(connection, waiting.made_at) < 60


def test_two_do_not_make_checkpoints_at_once(engine: Engine) -> None:
    """While one transaction may make a checkpoint, another is told no, and may when the first has ended."""
    with transaction(engine) as one:
        assert checkpoints.lock(one, wait=True)
        with transaction(engine) as other:
            assert not checkpoints.lock(other, wait=False)
    with transaction(engine) as other:
        assert checkpoints.lock(other, wait=False)
