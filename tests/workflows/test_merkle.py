"""The Merkle tree: the published vectors, and the definition of RFC 6962 for every shape of tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    Span,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
    levels,
    node_hash,
    prove,
    subtrees,
    verify_consistency,
    verify_inclusion,
)

# The vectors of the reference implementation of RFC 6962: certificate-transparency, cpp/merkletree/merkle_tree_test.cc. There
# leaves are counted from 1, here from 0.
LEAVES = [
    leaf_hash(bytes.fromhex(data))
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [
    (0, 1, []),
    (0, 8, [_A, _B, _C]),
    (5, 8, [_D, _E, ROOTS[4].hex()]),
    (2, 3, [ROOTS[2].hex()]),
    (1, 5, [ROOTS[1].hex(), _B, _D]),
]
CONSISTENCY = [(1, 1, []), (1, 8, [_A, _B, _C]), (6, 8, [_F, _E, ROOTS[4].hex()]), (2, 5, [_B, _D])]


def naive_root(leaves: list[bytes]) -> bytes:
    """Return the hash of RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = max(power for power in (1 << n for n in range(20)) if power < len(leaves))
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def all_nodes(leaves: list[bytes]) -> dict[Node, bytes]:
    """Return every complete subtree over leaf hashes by its name."""
    return {Node(level, number): hash_ for level, hashes in enumerate(levels(leaves)) for number, hash_ in enumerate(hashes)}


def numbered(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(size: int) -> None:
    """The roots over the first 0 to 8 published leaves are the published ones."""
    frontier = Frontier()
    frontier.extend(LEAVES[:size], 1)
    assert ROOTS[size] == frontier.root == naive_root(LEAVES[:size])


@pytest.mark.parametrize(("index", "size", "published"), INCLUSION)
def test_the_published_inclusion_proofs_come_out_and_verify(index: int, size: int, published: list[str]) -> None:
    """Each published inclusion proof is made from the leaves, and shows what it is for."""
    proof = prove(inclusion_spans(index, size), all_nodes(LEAVES[:size]))
    assert published == [step.hex() for step in proof]
    assert verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@pytest.mark.parametrize(("first", "second", "published"), CONSISTENCY)
def test_the_published_consistency_proofs_come_out_and_verify(first: int, second: int, published: list[str]) -> None:
    """Each published consistency proof is made from the leaves, and shows what it is for."""
    proof = prove(consistency_spans(first, second), all_nodes(LEAVES[:second]))
    assert published == [step.hex() for step in proof]
    assert verify_consistency(first, ROOTS[first], second, ROOTS[second], proof)


@given(st.integers(0, 300), st.data())
def test_a_tree_that_grows_has_the_root_of_the_definition(size: int, data: st.DataObject) -> None:
    """A frontier of any size, taken up again from its stored subtrees, has the root of RFC 6962."""
    leaves = numbered(size)
    stored = all_nodes(leaves)
    kept = data.draw(st.integers(0, size))
    frontier = Frontier(kept, [stored[node] for node in subtrees(Span(0, kept))])
    assert naive_root(leaves[:kept]) == frontier.root
    made = [node for leaf in leaves[kept:] for node in frontier.append(leaf)]
    assert naive_root(leaves) == frontier.root
    assert all(stored[node] == hash_ for node, hash_ in made)


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 4))
def test_a_tree_that_grows_by_many_leaves_is_the_one_that_grows_by_each(sizes: list[int], level: int) -> None:
    """It names the same complete subtrees of that level and above, in the same order."""
    leaves = numbered(sum(sizes))
    one_by_one, by_many = Frontier(), Frontier()
    each = [made for leaf in leaves for made in one_by_one.append(leaf)]
    many = [made for size in sizes for made in by_many.extend([leaves.pop(0) for _ in range(size)], level)]
    assert (one_by_one.size, one_by_one.root) == (by_many.size, by_many.root)
    assert [made for made in each if made[0].level >= level] == many


@given(st.integers(1, 300), st.data())
def test_every_leaf_is_proved_and_no_other(size: int, data: st.DataObject) -> None:
    """An inclusion proof shows its leaf at its index in its tree, and nothing when any of these is another."""
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else size
    leaves = numbered(size)
    root, proof = naive_root(leaves), prove(inclusion_spans(index, size), all_nodes(leaves))
    assert verify_inclusion(index, size, leaves[index], proof, root)
    assert not verify_inclusion(other, size, leaves[index], proof, root)
    assert not verify_inclusion(index, size, leaf_hash(b"other"), proof, root)
    assert not verify_inclusion(index, size, leaves[index], [*proof, leaves[0]], root)
    assert not verify_inclusion(index, size, leaves[index], proof[1:], root) or not proof
    assert not verify_inclusion(-1, size, leaves[index], proof, root)


@given(st.integers(0, 200), st.integers(0, 200))
def test_every_beginning_is_proved_and_no_fork(first: int, more: int) -> None:
    """A consistency proof shows that one tree begins with the other, and nothing when a leaf before the cut is another."""
    second = first + more
    leaves = numbered(second)
    forked = [leaf_hash(b"other"), *leaves[1:first]] if first else [leaf_hash(b"other")]
    old, new = naive_root(leaves[:first]), naive_root(leaves)
    proof = prove(consistency_spans(first, second), all_nodes(leaves))
    assert verify_consistency(first, old, second, new, proof)
    assert not verify_consistency(first, naive_root(forked), second, new, proof)
    assert not verify_consistency(first, old, second, leaf_hash(b"other"), proof) or first == 0
    assert not verify_consistency(first, old, second, new, [*proof, old])
    if proof:
        assert not verify_consistency(first, old, second, new, proof[:-1])


def test_what_no_tree_has_is_refused() -> None:
    """A leaf behind the end, a beginning longer than the whole, and a frontier that is not one are errors."""
    with pytest.raises(ValueError, match="a tree of 3 leaves has no leaf 3"):
        inclusion_spans(3, 3)
    with pytest.raises(ValueError, match="cannot begin with one of 4"):
        consistency_spans(4, 3)
    with pytest.raises(ValueError, match="made of 2 complete subtrees, not 1"):
        Frontier(3, [EMPTY_ROOT])
    assert not verify_inclusion(3, 3, LEAVES[0], [], ROOTS[3])
    assert not verify_consistency(4, ROOTS[4], 3, ROOTS[3], [])
    assert [Node(2, 1), Node(0, 8)] == subtrees(Span(4, 9))
