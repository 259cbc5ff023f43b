"""The proof of one stream's head under recorded heads, from the nodes that are kept of their tree."""

from bisect import bisect_left
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection

from models import heads_nodes
from models.heads import heads_between
from models.replay import EVERY, Ids
from workflows.events import HeadsRecorded
from workflows.heads import (
    BLOCK_HEADS,
    BLOCK_LEVEL,
    Head,
    HeadProof,
    head_proof,
    leaf_of,
    nodes_of,
    shown,
    verify_head,
)
from workflows.merkle import Node, levels


def prove_from_nodes(connection: Connection, stream_id: UUID, recorded: HeadsRecorded) -> HeadProof | None:
    """Return the proof from the nodes that are kept; None when these do not lead to the root that was recorded.

    Two blocks of heads are read, or three, whatever the number of streams.
    """
    try:
        tree = _KeptTree(connection, recorded)
        index, head = tree.find(stream_id)
        proof = tree.prove(index)
    except LookupError:
        return None
    return proof if verify_head(proof, head, streams=recorded.streams, root=bytes.fromhex(recorded.root)) else None


class _KeptTree:
    """The tree over recorded heads; LookupError where what is kept of it is not what the log has."""

    def __init__(self, connection: Connection, recorded: HeadsRecorded) -> None:
        self._connection = connection
        self._size = recorded.size
        self._streams = recorded.streams
        #: So many blocks are whole; fewer heads than a block has stand behind them.
        self._whole = recorded.streams >> BLOCK_LEVEL
        self._blocks: dict[int, list[Head]] = {}

    def find(self, stream_id: UUID) -> tuple[int, Head]:
        """Return the head of the stream, and its index."""
        found = heads_nodes.block_of(self._connection, self._size, stream_id)
        number = self._whole if found is None else found
        self._read({number, self._whole})
        heads = self._blocks[number]
        place = bisect_left(heads, stream_id, key=lambda head: head.stream_id)
        if heads[place].stream_id != stream_id:
            raise LookupError
        return (number << BLOCK_LEVEL) + place, heads[place]

    def prove(self, index: int) -> HeadProof:
        """Return the proof of the head at *index*, which was found."""
        self._read({at >> BLOCK_LEVEL for at in shown(index, self._streams)})
        asked = nodes_of(index, self._streams)
        hashes = heads_nodes.hashes(self._connection, self._size, [node for node in asked if node.level >= BLOCK_LEVEL])
        within = {number: levels([leaf_of(h.stream_id, h.commitment) for h in heads]) for number, heads in self._blocks.items()}
        for level, number in asked:
            if level < BLOCK_LEVEL:
                block, place = divmod(number, BLOCK_HEADS >> level)
                hashes[Node(level, number)] = within[block][level][place]
        return head_proof(index, self._streams, self._leaf, hashes)

    def _leaf(self, index: int) -> tuple[UUID, bytes]:
        head = self._blocks[index >> BLOCK_LEVEL][index % BLOCK_HEADS]
        return head.stream_id, head.commitment

    def _read(self, numbers: Collection[int]) -> None:
        """Read the heads of blocks, if that was not done."""
        missing = set(numbers).difference(self._blocks)
        if not missing:
            return
        ends = heads_nodes.ends(self._connection, self._size, missing | {number - 1 for number in missing})
        for number in missing:
            first = UUID(int=min(ends[number - 1].int + 1, EVERY.last.int)) if number else EVERY.first
            ids = Ids(first, ends[number] if number < self._whole else EVERY.last)
            heads = heads_between(self._connection, self._size, ids)
            if len(heads) != min(BLOCK_HEADS, self._streams - (number << BLOCK_LEVEL)):
                raise LookupError
            self._blocks[number] = heads
