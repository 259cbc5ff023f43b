"""Proofs of streams' heads as `leads.ndjson` has them: of a few from the nodes that are kept, of many from all heads."""

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from uuid import UUID

from models.database import Connection
from models.head_proofs import prove_from_nodes
from models.heads import heads_in_order
from workflows.events import HeadsRecorded
from workflows.heads import BLOCK_HEADS, Head, HeadPath, HeadProof, head_proof, leaf_of, nodes_of
from workflows.merkle import HASH_BYTES, Node, node_hash

_ID_BYTES = 16


class HeadProofs:
    """The proofs of so many *leads*' heads under *recorded*."""

    def __init__(self, connection: Connection, recorded: HeadsRecorded, leads: int) -> None:
        """Read nothing yet."""
        self._connection = connection
        self._recorded = recorded
        self._few = leads * BLOCK_HEADS < recorded.streams

    def prove(self, head: Head) -> dict[str, Any] | None:
        """Return the proof of *head*, as `leads.ndjson` has it; None when its stream had no event, or a later one."""
        proof = prove_from_nodes(self._connection, head.stream_id, self._recorded) if self._few else None
        if proof is None or proof.own.commitment != head.commitment:
            proof = self._all.prove(head)
        return _told(head, proof) if proof else None

    @cached_property
    def _all(self) -> "PackedHeads":
        return PackedHeads(heads_in_order(self._connection, self._recorded.size))


def _told(head: Head, proof: HeadProof) -> dict[str, Any]:
    return {
        "version": head.version,
        "hash": head.hash.hex(),
        "index": proof.own.index,
        "path": [step.hex() for step in proof.own.path],
        "before": _neighbour(proof.before) if proof.before else None,
        "behind": _neighbour(proof.behind) if proof.behind else None,
    }


def _neighbour(found: HeadPath) -> dict[str, Any]:
    return {
        "lead": str(found.stream_id),
        "commitment": found.commitment.hex(),
        "index": found.index,
        "path": [step.hex() for step in found.path],
    }


class PackedHeads:
    """The tree over all heads in about 120 bytes of memory per stream, for logs of a million streams."""

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

    def prove(self, head: Head) -> HeadProof | None:
        """Return the proof of *head*; None when its stream had no event, or a later one."""
        index = bisect_left(range(len(self)), head.stream_id.bytes, key=self._id)
        if index == len(self) or self._leaf(index) != (head.stream_id, head.commitment):
            return None
        return head_proof(index, len(self), self._leaf, {node: self._hash(node) for node in nodes_of(index, len(self))})

    def _leaf(self, index: int) -> tuple[UUID, bytes]:
        commitment = bytes(self._commitments[HASH_BYTES * index : HASH_BYTES * (index + 1)])
        return UUID(bytes=self._id(index)), commitment

    def _id(self, index: int) -> bytes:
        return bytes(self._ids[_ID_BYTES * index : _ID_BYTES * (index + 1)])

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
