"""Not one bit of a bundle can change without being found."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked

#: What the signature covers, directly or by hashes: a change here is found even with every other digest made anew.
EVIDENCE = (
    "checkpoint.note", "events.ndjson", "index.ndjson", "leads.ndjson", "opened.ndjson", "playbooks", "tree.ndjson",
)  # fmt: skip


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_any_bit_of_the_file(filled: Filled) -> None:
    """Anywhere in the zip: headers, compressed bytes, the list of files, the seal itself."""
    bundle = filled.bundles["one"]

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.integers(0, 8 * len(bundle) - 1))
    def found(bit: int) -> None:
        assert checked(flipped(bundle, bit), filled.key).status in (1, 2, 3)

    found()
    for bit in range(8 * (len(bundle) - 200), 8 * len(bundle), 37):
        found_at_the_end = checked(flipped(bundle, bit), filled.key).status
        assert found_at_the_end in (1, 2, 3)


@pytest.mark.parametrize("name", ["one", "all"])
def test_any_bit_of_any_file_in_it(filled: Filled, name: str) -> None:
    """With a seal that fits: the manifest lists every file, and its signature covers the manifest."""
    whole = Forged(filled.bundles[name])
    choose = random.Random(5)
    for member, content in whole.files.items():
        if not content:
            continue
        for _ in range(4 if name == "one" else 1):
            forged = Forged(filled.bundles[name])
            forged.files[member] = flipped(content, choose.randrange(8 * len(content)))
            assert checked(forged.zip(), filled.key).status in (1, 2, 3), member


def test_any_bit_of_the_evidence_with_every_digest_made_anew(filled: Filled) -> None:
    """A forger without the key makes manifest and seal fit, and drops the signature of the manifest."""
    whole = Forged(filled.bundles["one"])
    members = [member for member in whole.files if member.startswith(EVIDENCE)]
    assert len(EVIDENCE) == len(members)

    @settings(max_examples=70, deadline=None, database=None)
    @given(st.data())
    def found(data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(members))
        bit = data.draw(st.integers(0, 8 * len(whole.files[member]) - 1))
        forged = Forged(filled.bundles["one"])
        forged.files[member] = flipped(whole.files[member], bit)
        assert checked(forged.listed_anew(), filled.key).status in (1, 2, 3)

    found()


def test_a_neighbour_is_named_in_one_form_only(filled: Filled) -> None:
    """In capital letters its id means the same, and is another text than the one that was proved."""
    forged = Forged(filled.bundles["one"])
    whole = forged.files["leads.ndjson"]
    forged.files["leads.ndjson"] = re.sub(rb'(?<="lead":")[^"]+(?=","path")', lambda found: found[0].upper(), whole)
    assert whole != forged.files["leads.ndjson"]
    assert checked(forged.listed_anew(), filled.key).status == 1
