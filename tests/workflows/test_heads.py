"""The heads root: one head per stream under it, provable, and no second one beside it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.workflows.heads_tree import HeadsTree, root_of
from workflows.heads import BLOCK_LEVEL, Head, leaf_of, summed, verify_head
from workflows.merkle import EMPTY_ROOT, levels

heads = st.lists(
    st.builds(Head, st.uuids(), st.integers(1, 2**31), st.binary(min_size=32, max_size=32)),
    min_size=1, max_size=40, unique_by=lambda head: head.stream_id,
).map(sorted)  # fmt: skip


@given(heads, st.data())
def test_every_head_is_proved_and_no_other(heads: list[Head], data: st.DataObject) -> None:
    """The proof shows this head of this stream under this root, and nothing when any of these is another."""
    head = data.draw(st.sampled_from(heads))
    root, streams = root_of(heads), len(heads)
    proof = HeadsTree(heads).prove(head.stream_id)
    assert verify_head(proof, head, streams=streams, root=root)
    assert not verify_head(proof, head._replace(version=head.version + 1), streams=streams, root=root)
    assert not verify_head(proof, head._replace(hash=bytes(31) + b"x"), streams=streams, root=root)
    assert not verify_head(proof, head._replace(stream_id=UUID(int=head.stream_id.int ^ 1)), streams=streams, root=root)
    assert not verify_head(proof, head, streams=2 * streams, root=root)
    assert not verify_head(proof, head, streams=streams, root=EMPTY_ROOT)


@given(heads.filter(lambda found: len(found) > 1), st.data())
def test_a_neighbour_cannot_be_left_out(heads: list[Head], data: st.DataObject) -> None:
    """Without a neighbour that must be there, the proof says nothing: a second head could stand in its place."""
    head = data.draw(st.sampled_from(heads))
    root, streams = root_of(heads), len(heads)
    proof = HeadsTree(heads).prove(head.stream_id)
    side = "before" if proof.before else "behind"
    assert not verify_head(replace(proof, **{side: None}), head, streams=streams, root=root)
    assert not verify_head(replace(proof, **{side: proof.own}), head, streams=streams, root=root)


def test_two_heads_of_one_stream_are_not_provable() -> None:
    """Whoever puts a shorter history beside the true one cannot prove either."""
    stream = UUID(int=7)
    both = [
        Head(UUID(int=1), 1, bytes(32)),
        Head(stream, 3, bytes(32)),
        Head(stream, 5, bytes(32)),
        Head(UUID(int=9), 1, bytes(32)),
    ]
    proof = HeadsTree(both).prove(stream)
    root = root_of(both)
    assert not any(verify_head(proof, head, streams=4, root=root) for head in both)


def test_a_neighbour_shows_its_id_and_nothing_else() -> None:
    """What a proof holds of a neighbour is its id and a digest, from which version and hash cannot be read."""
    heads = [Head(UUID(int=1), 3, bytes(32)), Head(UUID(int=2), 4, bytes(32))]
    before = HeadsTree(heads).prove(UUID(int=2)).before
    assert before
    assert (UUID(int=1), heads[0].commitment) == (before.stream_id, before.commitment)
    assert root_of(heads[:1]) == leaf_of(UUID(int=1), heads[0].commitment)


def test_a_stream_without_events_has_no_proof() -> None:
    """What is not among the heads cannot be proved."""
    for unknown in (UUID(int=1), UUID(int=3)):
        with pytest.raises(LookupError, match="has no event"):
            HeadsTree([Head(UUID(int=2), 1, bytes(32))]).prove(unknown)


@given(st.integers(0, 300))
def test_what_heads_come_to_has_every_complete_subtree_of_a_block_and_more(streams: int) -> None:
    """Under the same root, each with the stream of its last head, in the order of their ends."""
    heads = [Head(UUID(int=number), 1, bytes(32)) for number in range(1, streams + 1)]
    leaves = [leaf_of(head.stream_id, head.commitment) for head in heads]
    found = summed((head.stream_id.bytes, leaf) for head, leaf in zip(heads, leaves, strict=True))
    assert (streams, root_of(heads)) == (found.streams, found.root)
    expected = [
        (((number + 1) << level, level), hash_)
        for level, of_level in enumerate(levels(leaves))
        for number, hash_ in enumerate(of_level)
        if level >= BLOCK_LEVEL
    ]
    said = [((int.from_bytes(each.last), each.node.level), each.hash) for each in found.nodes]
    assert sorted(expected) == said
    assert all((each.node.number + 1) << each.node.level == int.from_bytes(each.last) for each in found.nodes)
