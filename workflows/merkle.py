"""The Merkle tree over the log: RFC 6962 section 2.1 (RFC 9162 section 2.1), SHA-256, pure.

The leaf of the event at position *n* (dense, from 1) has the index *n* - 1 and is SHA-256 over ``0x00`` and the event's
canonical body, byte for byte as ``events.body`` holds it. An inner node is SHA-256 over ``0x01`` and its two children.

A *node* is named by level and number: (level, number) is the complete subtree over the leaves from ``number << level`` on,
``1 << level`` of them. Complete subtrees never change once they are complete, so that they can be stored; any root and any
proof is made of them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: The root of the tree without leaves: SHA-256 of nothing.
EMPTY_ROOT = hashlib.sha256(b"").digest()

HASH_BYTES = 32


class Node(NamedTuple):
    """The name of a complete subtree: 2**level leaves, the first of which has the index ``number << level``."""

    level: int
    number: int


class Span(NamedTuple):
    """The leaves from *begin* to before *end*, by index; one hash of a proof covers one span."""

    begin: int
    end: int


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (32 bytes); *data* is an event's canonical body."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (32 bytes)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(span: Span) -> list[Node]:
    """Return the largest complete subtrees that *span* is made of, from left to right."""
    nodes = []
    begin = span.begin
    while begin < span.end:
        level = (span.end - begin).bit_length() - 1
        if begin:
            # A subtree begins at a multiple of its size.
            level = min(level, (begin & -begin).bit_length() - 1)
        nodes.append(Node(level, begin >> level))
        begin += 1 << level
    return nodes


def _joined(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees of falling size, from left to right."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """A tree that grows at its right end, held as the complete subtrees of falling size that it is made of.

    One more leaf costs one hash and, on average, one inner node; the root costs at most one hash per level.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Start from a tree of *size* leaves, whose `subtrees` have *hashes*, from left to right.

        Raises
        ------
        ValueError
            When there are more or fewer hashes than the tree has such subtrees.
        """
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves is made of {size.bit_count()} complete subtrees, not {len(hashes)}")
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Take one more leaf hash; return the subtrees that it completed above itself, smallest first."""
        return self._push(leaf, 0)

    def extend(self, leaves: Sequence[bytes], level: int) -> list[tuple[Node, bytes]]:
        """Take more leaf hashes; return the subtrees of *level* and above that they complete, in the order of their ends.

        *level* is above 0. Whole subtrees of that level are made at once, in half the time.
        """
        made, begin, block = [], 0, 1 << level
        while begin < len(leaves):
            if self.size % block == 0 and begin + block <= len(leaves):
                whole = levels(leaves[begin : begin + block])[-1][0]
                made.append((Node(level, self.size >> level), whole))
                made += self._push(whole, level)
                begin += block
            else:
                made += [each for each in self._push(leaves[begin], 0) if each[0].level >= level]
                begin += 1
        return made

    def _push(self, hash_: bytes, level: int) -> list[tuple[Node, bytes]]:
        """Take a complete subtree of *level* behind the others; return those that it completed above itself."""
        made, number = [], self.size >> level
        self.size += 1 << level
        while number & 1:
            hash_ = node_hash(self._hashes.pop(), hash_)
            level, number = level + 1, number >> 1
            made.append((Node(level, number), hash_))
        self._hashes.append(hash_)
        return made

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return _joined(self._hashes) if self._hashes else EMPTY_ROOT


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return what the inclusion proof of the leaf *index* in a tree of *size* leaves consists of: RFC 6962, 2.1.1.

    Raises
    ------
    ValueError
        When the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    spans, begin, end = [], 0, size
    while end - begin > 1:
        split = begin + _largest_power_below(end - begin)
        if index < split:
            spans.append(Span(split, end))
            end = split
        else:
            spans.append(Span(begin, split))
            begin = split
    return spans[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """Return what the proof consists of that a tree of *second* leaves begins with one of *first*: RFC 6962, 2.1.2.

    Raises
    ------
    ValueError
        When *first* is not between 0 and *second*.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} leaves cannot begin with one of {first}")
    if first in (0, second):
        return []
    spans, begin, end, whole = [], 0, second, True
    while end != first:
        split = begin + _largest_power_below(end - begin)
        if first <= split:
            spans.append(Span(split, end))
            end = split
        else:
            spans.append(Span(begin, split))
            begin, whole = split, False
    return ([] if whole else [Span(begin, end)]) + spans[::-1]


def prove(spans: Sequence[Span], hashes: Mapping[Node, bytes]) -> list[bytes]:
    """Return the proof over *spans*, from the hashes of all their `subtrees`."""
    return [_joined([hashes[node] for node in subtrees(span)]) for span in spans]


def levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return the hashes of all complete subtrees over leaf hashes: by level, the leaves first, and there by number."""
    made = [leaves]
    while len(made[-1]) > 1:
        pairs = iter(made[-1])
        # An odd one out is the beginning of a subtree that is not complete.
        made.append([node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)])
    return made


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether *proof* shows that the tree of *size* leaves with *root* has the hash *leaf* at *index*: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, last, made = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            made = node_hash(step, made)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            made = node_hash(made, step)
        node, last = node >> 1, last >> 1
    return last == 0 and made == root


def verify_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether *proof* shows that the tree of *second* leaves begins with that of *first*, by their roots: RFC 9162, 2.1.4.2."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    steps = list(proof) if first & (first - 1) else [first_root, *proof]
    if not steps:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _largest_power_below(number: int) -> int:
    """Return the largest power of two that is smaller than *number*, for numbers above 1."""
    return 1 << (number - 1).bit_length() - 1
