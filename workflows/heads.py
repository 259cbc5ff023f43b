"""The heads of all streams under one root, so that the completeness of one stream's history can be proved. Pure.

A head is the newest event of a stream at some position of the log: stream id, version, hash. The heads root is the root of a
Merkle tree (`workflows.merkle`) whose leaves stand in the order of the stream ids; a leaf's data are the 16 bytes of the stream
id and SHA-256 over the version (8 bytes, big-endian) and the hash (32 bytes). The root is recorded in the log
(`HeadsRecorded`), and so committed to by every later checkpoint.

A proof shows the stream's head together with its two neighbours in that order. So there is no second head of the same stream
under the root. Of a neighbour nothing is shown but its id: version and hash stay behind the inner digest.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice, pairwise
from typing import NamedTuple
from uuid import UUID

import msgspec

from workflows.merkle import Frontier, Node, inclusion_spans, leaf_hash, prove, subtrees, verify_inclusion

#: Subtrees of this level and above are stored; a block is one of this level: 64 heads that stand side by side.
BLOCK_LEVEL = 6
BLOCK_HEADS = 1 << BLOCK_LEVEL


class Head(NamedTuple):
    """The newest event of a stream."""

    stream_id: UUID
    version: int
    hash: bytes

    @property
    def commitment(self) -> bytes:
        """SHA-256 over version and hash: what a neighbour shows instead of them."""
        return hashlib.sha256(self.version.to_bytes(8, "big") + self.hash).digest()


class HeadPath(msgspec.Struct, frozen=True, kw_only=True):
    """The place of one head under a heads root."""

    stream_id: UUID
    commitment: bytes
    index: int
    """From 0, in the order of the stream ids."""
    path: tuple[bytes, ...]
    """The inclusion proof, from the leaf to the root."""


class HeadProof(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's head, and the heads before and behind it; where the stream is the first or last, that one is absent."""

    own: HeadPath
    before: HeadPath | None
    behind: HeadPath | None


def leaf_of(stream_id: UUID, commitment: bytes) -> bytes:
    """Return the hash of a head's leaf (32 bytes)."""
    return leaf_hash(stream_id.bytes + commitment)


class HeadsNode(NamedTuple):
    """A complete subtree over heads."""

    node: Node
    last: bytes
    """The id of the stream whose head is its last leaf: 16 bytes."""
    hash: bytes


class Summed(NamedTuple):
    """What heads come to."""

    streams: int
    root: bytes
    nodes: list[HeadsNode]
    """All complete subtrees of `BLOCK_LEVEL` and above, in the order of their ends."""


def summed(leaves: Iterable[tuple[bytes, bytes]]) -> Summed:
    """Return what heads come to: of each the stream's id (16 bytes) and the `leaf_of` it, in the order of the ids."""
    frontier, nodes, left = Frontier(), [], iter(leaves)
    while some := list(islice(left, BLOCK_HEADS)):
        last = some[-1][0]
        nodes += [HeadsNode(node, last, hash_) for node, hash_ in frontier.extend([leaf for _, leaf in some], BLOCK_LEVEL)]
    return Summed(frontier.size, frontier.root, nodes)


def shown(index: int, streams: int) -> range:
    """Return the indexes of the heads that the proof of the head at *index* shows: its own and its neighbours'."""
    return range(max(index - 1, 0), min(index + 2, streams))


def nodes_of(index: int, streams: int) -> set[Node]:
    """Return the complete subtrees that the proof of the head at *index* of so many *streams* is made of."""
    spans = (span for at in shown(index, streams) for span in inclusion_spans(at, streams))
    return {node for span in spans for node in subtrees(span)}


def head_proof(index: int, streams: int, leaf: Callable[[int], tuple[UUID, bytes]], hashes: Mapping[Node, bytes]) -> HeadProof:
    """Return the proof of the head at *index* of so many *streams*.

    *leaf* gives id and commitment of the heads that are `shown`; *hashes* holds the `nodes_of` the proof.
    """

    def path(at: int) -> HeadPath:
        stream_id, commitment = leaf(at)
        steps = prove(inclusion_spans(at, streams), hashes)
        return HeadPath(stream_id=stream_id, commitment=commitment, index=at, path=tuple(steps))

    paths = {at: path(at) for at in shown(index, streams)}
    return HeadProof(own=paths[index], before=paths.get(index - 1), behind=paths.get(index + 1))


def verify_head(proof: HeadProof, head: Head, *, streams: int, root: bytes) -> bool:
    """Whether *proof* shows that *head*, and no other, is that stream's head under the heads *root* of so many *streams*."""
    own, before, behind = proof.own, proof.before, proof.behind
    paths = [path for path in (before, own, behind) if path]
    return (
        (own.stream_id, own.commitment) == (head.stream_id, head.commitment)
        and (before is None) == (own.index == 0)
        and (behind is None) == (own.index == streams - 1)
        and all(right.index == left.index + 1 for left, right in pairwise(paths))
        and all(left.stream_id < right.stream_id for left, right in pairwise(paths))
        and all(verify_inclusion(p.index, streams, leaf_of(p.stream_id, p.commitment), p.path, root) for p in paths)
    )
