"""The Merkle tree over the log as it is stored, and the proofs that it gives.

Stored are the complete subtrees of 256 events and more (`BLOCK_LEVEL`): one row for 128 events, so that the tree of a million
events is 8,000 rows. Whatever is smaller is made of the bodies of one block, which are read when they are asked for. So a proof
costs two or three statements and about a thousand hashes, whatever the length of the log.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import Connection, text

from models.database import ModelError
from workflows.merkle import Frontier, Node, Span, consistency_spans, inclusion_spans, leaf_hash, node_hash, prove, subtrees

#: Subtrees of this level and above are stored; a block is one of this level: 256 events. The height of C2SP's tlog-tiles.
BLOCK_LEVEL = 8
BLOCK_EVENTS = 1 << BLOCK_LEVEL

#: So many bodies are read at a time.
CHUNK_ROWS = 5_000

#: So many leaves go into the tree at a time: about a thousand nodes are written for them.
CHUNK_LEAVES = 1 << 17


class TreeError(ModelError):
    """The stored tree does not reach as far as it was asked for, or the log has a gap there."""


class StoredNode(NamedTuple):
    """A complete subtree as stored."""

    node: Node
    hash: bytes


def read_leaves(connection: Connection, span: Span) -> Iterator[bytes]:
    """Yield the leaf hashes of *span*, in order, in constant memory.

    Raises
    ------
    TreeError
        When an event is missing from the log there.
    """
    for begin in range(span.begin, span.end, CHUNK_ROWS):
        last = min(begin + CHUNK_ROWS, span.end)
        expected = begin
        for position, body in _bodies(connection, begin, last):
            if position != expected + 1:
                break
            expected = position
            yield leaf_hash(body)
        if expected != last:
            raise TreeError(f"the log has no event {expected + 1}: run `thaw verify`")


def _bodies(connection: Connection, after: int, last: int) -> list[tuple[int, bytes]]:
    """Return position and body of the events behind *after* up to *last*, in order."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        # As bytes: nothing but a hash is made of them. Hashing them in PostgreSQL was twice as slow.
        cursor.adapters.register_loader("text", ByteaBinaryLoader)
        statement = "SELECT position, body FROM events WHERE position > %s AND position <= %s ORDER BY position"
        found: list[tuple[int, bytes]] = cursor.execute(statement, (after, last)).fetchall()
        return found


def read_nodes(connection: Connection) -> Iterator[StoredNode]:
    """Yield all stored nodes in the order in which a growing log completes them, in constant memory.

    *connection* is in a transaction, which may be used for other statements meanwhile.
    """
    statement = text(
        "SELECT level, number, hash FROM tree_nodes "
        "ORDER BY (CAST(number AS numeric) + 1) * power(CAST(2 AS numeric), greatest(level, 0)), level"
    ).execution_options(stream_results=True, yield_per=CHUNK_ROWS)
    with connection.execute(statement) as rows:
        for level, number, hash_ in rows:
            yield StoredNode(Node(level, number), hash_)


def stored_size(connection: Connection) -> int:
    """Return how many events, a multiple of 256, the stored nodes cover."""
    statement = text("SELECT coalesce(max(number) + 1, 0) FROM tree_nodes WHERE level = :level")
    return int(connection.scalar(statement, {"level": BLOCK_LEVEL}) or 0) << BLOCK_LEVEL


def frontier_at(connection: Connection, size: int) -> Frontier:
    """Return the tree over the first *size* events, made of stored nodes and of the bodies behind the last one.

    Raises
    ------
    TreeError
        When the log or the stored tree has a gap.
    """
    covered = min(stored_size(connection), size >> BLOCK_LEVEL << BLOCK_LEVEL)
    nodes = subtrees(Span(0, covered))
    found = _fetch(connection, nodes)
    frontier = Frontier(covered, [found[node] for node in nodes])
    for leaf in read_leaves(connection, Span(covered, size)):
        frontier.append(leaf)
    return frontier


def extend(connection: Connection, size: int) -> Frontier:
    """Store what is missing of the tree over the first *size* events and return it; costs as much as there are new events.

    One transaction at a time may do so: hold `models.checkpoints.lock`.

    Raises
    ------
    TreeError
        When the log or the stored tree has a gap.
    """
    covered = stored_size(connection)
    frontier = frontier_at(connection, min(covered, size))
    leaves = read_leaves(connection, Span(frontier.size, size))
    while some := list(islice(leaves, CHUNK_LEAVES)):
        _store(connection, frontier.extend(some, BLOCK_LEVEL))
    return frontier


def inclusion_proof(connection: Connection, position: int, size: int) -> list[bytes]:
    """Return the proof that the event at *position* is among the first *size*, for `verify_inclusion` at index position - 1.

    Raises
    ------
    TreeError
        When the stored tree does not reach that far: there is no checkpoint of that size yet.
    ValueError
        When there is no such event among so many.
    """
    return _prove(connection, inclusion_spans(position - 1, size))


def consistency_proof(connection: Connection, first: int, second: int) -> list[bytes]:
    """Return the proof that the first *second* events begin with the first *first*, for `verify_consistency`.

    Raises
    ------
    TreeError
        When the stored tree does not reach that far.
    ValueError
        When *first* is not between 0 and *second*.
    """
    return _prove(connection, consistency_spans(first, second))


def _prove(connection: Connection, spans: list[Span]) -> list[bytes]:
    return prove(spans, _resolve(connection, [node for span in spans for node in subtrees(span)]))


def cover(connection: Connection, spans: Iterable[Span]) -> Iterator[StoredNode]:
    """Yield the complete subtrees that *spans* are made of, in order and in constant memory: hashes instead of their events.

    Raises
    ------
    TreeError
        When the log or the stored tree does not reach that far.
    """
    nodes = (node for span in spans for node in subtrees(span))
    while some := list(islice(nodes, CHUNK_ROWS)):
        hashes = _resolve(connection, some)
        for node in some:
            yield StoredNode(node, hashes[node])


def _resolve(connection: Connection, nodes: list[Node]) -> dict[Node, bytes]:
    """Return the hashes of *nodes*: stored ones, and smaller ones made of the bodies of their blocks."""
    hashes = _fetch(connection, [node for node in nodes if node.level >= BLOCK_LEVEL])
    blocks: dict[int, list[Node]] = {}
    for node in nodes:
        if node.level < BLOCK_LEVEL:
            blocks.setdefault(node.number >> (BLOCK_LEVEL - node.level), []).append(node)
    for block, small in blocks.items():
        hashes |= _within(connection, block, small)
    missing = [node for node in nodes if node not in hashes]
    if missing:
        raise TreeError(f"the log has no event {((missing[0].number + 1) << missing[0].level)}: run `thaw verify`")
    return hashes


def _within(connection: Connection, block: int, nodes: list[Node]) -> dict[Node, bytes]:
    """Return those of *nodes*, all smaller than a block, that lie in the block numbered *block* and have all their events."""
    hashes: list[bytes] = []
    for position, body in _bodies(connection, block << BLOCK_LEVEL, (block + 1) << BLOCK_LEVEL):
        if position != (block << BLOCK_LEVEL) + len(hashes) + 1:
            break  # behind a gap nothing has its place
        hashes.append(leaf_hash(body))
    found = {}
    for level in range(BLOCK_LEVEL):
        first = block << (BLOCK_LEVEL - level)
        for node in nodes:
            if node.level == level and 0 <= node.number - first < len(hashes):
                found[node] = hashes[node.number - first]
        pairs = iter(hashes)
        # An odd one out is the beginning of a subtree that is not complete.
        hashes = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)]
    return found


def _fetch(connection: Connection, nodes: list[Node]) -> dict[Node, bytes]:
    if not nodes:
        return {}
    statement = text(
        "SELECT level, number, hash FROM tree_nodes JOIN unnest(CAST(:levels AS smallint[]), CAST(:numbers AS bigint[])) "
        "AS wanted (level, number) USING (level, number)"
    )
    rows = connection.execute(statement, {"levels": [n.level for n in nodes], "numbers": [n.number for n in nodes]})
    found = {Node(level, number): hash_ for level, number, hash_ in rows}
    for node in nodes:
        if node not in found:
            raise TreeError(
                f"the tree does not hold the events {(node.number << node.level) + 1} to {(node.number + 1) << node.level}: "
                f"run `thaw checkpoint`, or `thaw verify` if it did once"
            )
    return found


def _store(connection: Connection, made: Iterable[tuple[Node, bytes]]) -> None:
    rows = list(made)
    if rows:
        statement = text(
            "INSERT INTO tree_nodes (level, number, hash) "
            "SELECT * FROM unnest(CAST(:levels AS smallint[]), CAST(:numbers AS bigint[]), CAST(:hashes AS bytea[]))"
        )
        columns = {
            "levels": [node.level for node, _ in rows],
            "numbers": [node.number for node, _ in rows],
            "hashes": [hash_ for _, hash_ in rows],
        }
        connection.execute(statement, columns)
