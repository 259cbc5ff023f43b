"""Proofs of many streams' heads at one position, from one pass over all heads, in about 120 bytes of memory per stream."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from workflows.heads import Head, leaf_of
from workflows.merkle import HASH_BYTES, Node, inclusion_spans, node_hash, prove, subtrees

_ID_BYTES = 16


class PackedHeads:
    """The tree over all heads, packed: `workflows.heads.HeadsTree` for logs of a million streams."""

    def __init__(self, heads: Iterable[Head]) -> None:
        """Take *heads* in the order of their stream ids."""
        self._ids, self._commitments = bytearray(), bytearray()
        self._levels = [bytearray()]
        for head in heads:
            commitment = head.commitment
            self._ids += head.stream_id.bytes
            self._commitments += commitment
            self._levels[0] += leaf_of(head.stream_id, commitment)
        while len(self._levels[-1]) >= 2 * HASH_BYTES:
            self._levels.append(_above(self._levels[-1]))

    def __len__(self) -> int:
        """Return how many streams there are."""
        return len(self._ids) // _ID_BYTES

    def prove(self, head: Head) -> dict[str, Any] | None:
        """Return the proof of *head*, as `leads.ndjson` has it; None when its stream had no event, or a later one."""
        index = bisect_left(range(len(self)), head.stream_id.bytes, key=self._id)
        if index == len(self) or self._id(index) != head.stream_id.bytes or self._commitment(index) != head.commitment:
            return None
        last = len(self) - 1
        return {
            "version": head.version,
            "hash": head.hash.hex(),
            "index": index,
            "path": self._path(index),
            "before": self._neighbour(index - 1) if index else None,
            "behind": self._neighbour(index + 1) if index < last else None,
        }

    def _neighbour(self, index: int) -> dict[str, Any]:
        commitment = self._commitment(index).hex()
        return {
            "lead": str(UUID(bytes=self._id(index))),
            "commitment": commitment,
            "index": index,
            "path": self._path(index),
        }

    def _path(self, index: int) -> list[str]:
        spans = inclusion_spans(index, len(self))
        hashes = {node: self._hash(node) for span in spans for node in subtrees(span)}
        return [step.hex() for step in prove(spans, hashes)]

    def _id(self, index: int) -> bytes:
        return bytes(self._ids[_ID_BYTES * index : _ID_BYTES * (index + 1)])

    def _commitment(self, index: int) -> bytes:
        return bytes(self._commitments[HASH_BYTES * index : HASH_BYTES * (index + 1)])

    def _hash(self, node: Node) -> bytes:
        begin = HASH_BYTES * node.number
        return bytes(self._levels[node.level][begin : begin + HASH_BYTES])


def _above(level: bytearray) -> bytearray:
    """Return the hashes of the complete pairs of *level*."""
    above = bytearray()
    for begin in range(0, len(level) - 2 * HASH_BYTES + 1, 2 * HASH_BYTES):
        middle = begin + HASH_BYTES
        above += node_hash(bytes(level[begin:middle]), bytes(level[middle : middle + HASH_BYTES]))
    return above
