"""The heads of all streams under one root, so that the completeness of one stream's history can be proved. Pure.

A head is the newest event of a stream at some position of the log: stream id, version, hash. The heads root is the root of a
Merkle tree (`workflows.merkle`) whose leaves stand in the order of the stream ids; a leaf's data are the 16 bytes of the stream
id and SHA-256 over the version (8 bytes, big-endian) and the hash (32 bytes). The root is recorded in the log
(`HeadsRecorded`), and so committed to by every later checkpoint.

A proof shows the stream's head together with its two neighbours in that order. So there is no second head of the same stream
under the root. Of a neighbour nothing is shown but its id: version and hash stay behind the inner digest.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

import msgspec

from workflows.merkle import inclusion_spans, leaf_hash, levels, merkle_root, prove, subtrees, verify_inclusion


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


def heads_root(heads: Iterable[Head]) -> bytes:
    """Return the root over *heads*, which stand in the order of their stream ids."""
    return merkle_root(leaf_of(head.stream_id, head.commitment) for head in heads)


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
        last = len(self._heads) - 1
        return HeadProof(
            own=self._path(index),
            before=self._path(index - 1) if index else None,
            behind=self._path(index + 1) if index < last else None,
        )

    def _path(self, index: int) -> HeadPath:
        head = self._heads[index]
        spans = inclusion_spans(index, len(self._heads))
        path = prove(spans, {node: self._levels[node.level][node.number] for span in spans for node in subtrees(span)})
        return HeadPath(stream_id=head.stream_id, commitment=head.commitment, index=index, path=tuple(path))


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
