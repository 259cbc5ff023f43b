"""The tree over all heads as the specification has it, held in memory whole: what the service's proofs are compared with."""

from bisect import bisect_left
from uuid import UUID

from tests.workflows.test_merkle import naive_root
from workflows.heads import Head, HeadProof, head_proof, leaf_of, nodes_of
from workflows.merkle import levels


def root_of(heads: list[Head]) -> bytes:
    """Return the root over *heads*, which stand in the order of their stream ids."""
    return naive_root([leaf_of(head.stream_id, head.commitment) for head in heads])


class HeadsTree:
    """The tree over the heads at one position of the log, for proofs."""

    def __init__(self, heads: list[Head]) -> None:
        """Take *heads* in the order of their stream ids."""
        self._heads = heads
        self._levels = levels([leaf_of(head.stream_id, head.commitment) for head in heads])

    def prove(self, stream_id: UUID) -> HeadProof:
        """Return the proof of the stream's head.

        Raises
        ------
        LookupError
            When the stream had no event at that position.
        """
        index = bisect_left(self._heads, stream_id, key=lambda head: head.stream_id)
        if index == len(self._heads) or self._heads[index].stream_id != stream_id:
            raise LookupError(f"stream {stream_id} has no event among these heads")
        streams = len(self._heads)
        hashes = {node: self._levels[node.level][node.number] for node in nodes_of(index, streams)}
        return head_proof(index, streams, self._leaf, hashes)

    def _leaf(self, index: int) -> tuple[UUID, bytes]:
        head = self._heads[index]
        return head.stream_id, head.commitment
