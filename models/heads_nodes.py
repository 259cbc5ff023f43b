"""Nodes of recorded heads trees, kept so that the proof of one head reads a hundred heads and not all.

A cache, on which nothing rests: it is made of the events (`models.heads`), what it leads to is held against the recorded root
before it is given (`models.head_proofs`), and `models.verify_heads` compares it with the events. Kept are the nodes of the
newest recorded heads and of those that the newest checkpoint covers; nobody asks for a proof among others.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from workflows.heads import BLOCK_LEVEL, HeadsNode
from workflows.merkle import Node


def read(connection: Connection, size: int) -> list[HeadsNode]:
    """Return what is kept of the heads of the first *size* events, in the order in which the tree over them grows."""
    statement = text(
        "SELECT level, number, last, hash FROM heads_nodes WHERE size = :size "
        "ORDER BY (CAST(number AS numeric) + 1) * power(CAST(2 AS numeric), level), level"
    )
    rows = connection.execute(statement, {"size": size})
    return [HeadsNode(Node(level, number), last.bytes, hash_) for level, number, last, hash_ in rows]


def block_of(connection: Connection, size: int, stream_id: UUID) -> int | None:
    """Return the number of the block that a stream's head is in if it is in any: the first that ends with it or behind it."""
    statement = text("SELECT min(number) FROM heads_nodes WHERE size = :size AND level = :level AND last >= :id")
    found: int | None = connection.scalar(statement, {"size": size, "level": BLOCK_LEVEL, "id": stream_id})
    return found


def ends(connection: Connection, size: int, blocks: Collection[int]) -> dict[int, UUID]:
    """Return the streams with which *blocks* end, as far as they are kept."""
    statement = text("SELECT number, last FROM heads_nodes WHERE size = :size AND level = :level AND number = ANY(:blocks)")
    rows = connection.execute(statement, {"size": size, "level": BLOCK_LEVEL, "blocks": list(blocks)})
    return {row.number: row.last for row in rows}


def hashes(connection: Connection, size: int, nodes: Collection[Node]) -> dict[Node, bytes]:
    """Return the hashes of *nodes*, as far as they are kept."""
    statement = text(
        "SELECT level, number, hash FROM heads_nodes JOIN unnest(CAST(:levels AS smallint[]), CAST(:numbers AS integer[])) "
        "AS wanted (level, number) USING (level, number) WHERE size = :size"
    )
    wanted = {"levels": [node.level for node in nodes], "numbers": [node.number for node in nodes]}
    rows = connection.execute(statement, {"size": size, **wanted})
    return {Node(level, number): hash_ for level, number, hash_ in rows}


def sizes(connection: Connection) -> set[int]:
    """Return of how many events heads are kept."""
    return set(connection.scalars(text("SELECT DISTINCT size FROM heads_nodes")))


def forget(connection: Connection, *, but: Collection[int]) -> None:
    """Remove what is not of the heads of so many events."""
    connection.execute(text("DELETE FROM heads_nodes WHERE size <> ALL(:sizes)"), {"sizes": list(but)})


def keep(connection: Connection, size: int, nodes: Sequence[HeadsNode]) -> None:
    """Keep the *nodes* of the heads of the first *size* events, of which nothing is kept yet."""
    statement = text(
        "INSERT INTO heads_nodes (size, level, number, last, hash) SELECT CAST(:size AS bigint), * FROM "
        "unnest(CAST(:levels AS smallint[]), CAST(:numbers AS integer[]), CAST(:lasts AS uuid[]), CAST(:hashes AS bytea[]))"
    )
    columns = {
        "size": size,
        "levels": [each.node.level for each in nodes],
        "numbers": [each.node.number for each in nodes],
        "lasts": [UUID(bytes=each.last) for each in nodes],
        "hashes": [each.hash for each in nodes],
    }
    connection.execute(statement, columns)
