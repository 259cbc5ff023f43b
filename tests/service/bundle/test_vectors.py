"""The numbers of the published specifications come out, and the verifier rests on nothing but the standard library."""

import ast
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import verify
from service.bundle.archive import DIGITS, SEAL
from service.bundle.writing import FORMAT
from tests.workflows.test_codec import SORTED
from tests.workflows.test_merkle import INCLUSION, LEAVES, ROOTS, naive_root
from tests.workflows.test_notes import FOO, NOTE, PETER, TEXT
from workflows import notes, timers, transitions
from workflows.events import Effects, Recorded
from workflows.lead import ENDS_HOLD, RESTING
from workflows.merkle import Span, subtrees
from workflows.notes import NoteError

SOURCE = Path(verify.__file__)

FILES = (
    "manifest.json", "checkpoint.note", "events.ndjson", "index.ndjson", "tree.ndjson", "checkpoints.ndjson", "leads.ndjson",
    "opened.ndjson", "manifest.note", "playbooks/", "verify.py",
)  # fmt: skip

# RFC 8032, 7.1: the public key, the message, the signature.
TEST_1024 = (
    "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf73be"
    "84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e2664"
    "0f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100"
    "ab5d1a36553e06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1"
    "231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d95629e9855a94a7c1958d1f8"
    "ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187e"
    "bb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf"
    "80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b"
    "82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf26"
    "8cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda08"
    "47dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b0"
    "1e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f"
    "64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc"
    "820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5fb93246f6"
    "b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef13695"
    "46868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c"
    "0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0"
)
ED25519 = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246551"
            "41438e7a100b"
        ),
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
            "291612bb0c00"
        ),
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027"
            "beceea1ec40a"
        ),
    ),
    "TEST 1024": (
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        TEST_1024,
        (
            "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00"
            "a9704a188a03"
        ),
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9be"
            "f1177331a704"
        ),
    ),
}

ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("name", ED25519)
def test_the_signatures_of_rfc_8032_verify_and_nothing_near_them(name: str) -> None:
    """As they stand; not with a bit changed in key, message or signature, and not with the same S one order higher."""
    public, message, signature = (bytes.fromhex(each) for each in ED25519[name])
    assert verify.signed_by(public, message, signature)
    for bit in (0, 7, 255, 256, 300, 511):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8
        assert not verify.signed_by(public, message, bytes(changed))
    assert not verify.signed_by(public, message + b"x", signature)
    assert not verify.signed_by(bytes([public[0] ^ 1]) + public[1:], message, signature)
    higher = int.from_bytes(signature[32:], "little") + ORDER
    assert not verify.signed_by(public, message, signature[:32] + higher.to_bytes(32, "little"))
    assert not verify.signed_by(public[:31], message, signature)
    assert not verify.signed_by(public, message, signature[:63])


@pytest.mark.parametrize(
    "encoded",
    [
        (2**255 - 19).to_bytes(32, "little"),  # y is the prime itself, which stands for 0
        (2**255 - 18).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),  # x is 0, and said to be odd
        (2).to_bytes(32, "little"),  # no point of the curve
    ],
)
def test_a_point_has_one_encoding(encoded: bytes) -> None:
    """RFC 8032, 5.1.3: what decodes to nothing is no key."""
    assert verify._point(encoded) is None
    assert not verify.signed_by(encoded, b"", bytes(64))


def weak_points() -> set[bytes]:
    """Return the points of which eight times is the neutral one: what any point comes to, times the order of the base point."""
    found = set()
    for y in range(2, 60):
        point, made = verify._point(y.to_bytes(32, "little")), verify._IDENTITY
        for bit in f"{verify._L:b}" if point else "":
            made = verify._sum(made, made)
            made = verify._sum(made, point) if bit == "1" and point else made
        found.add(verify._encoded(made))
    return found


def test_a_key_by_which_anybody_can_sign_is_refused() -> None:
    """All eight of them, by the verifier and by the service; signatures by one would bind nobody."""
    points = weak_points()
    assert len(points) == 8
    forged = (1).to_bytes(32, "little") + bytes(32)
    assert verify.signed_by((1).to_bytes(32, "little"), b"whatever it says", forged)
    for public in points:
        material = b"\x01" + public
        id_ = hashlib.sha256(b"example.com/thaw\n" + material).hexdigest()[:8]
        encoded = f"example.com/thaw+{id_}+{base64.b64encode(material).decode()}"
        with pytest.raises(ValueError, match="whoever likes can sign by it"):
            verify.parse_key(encoded)
        with pytest.raises(NoteError, match="whoever likes can sign by it"):
            notes.parse_key(encoded)


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_the_library_signs_verifies(seed: bytes, message: bytes) -> None:
    """The other implementation, which signs the checkpoints, agrees."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify.signed_by(public, message, signature)
    assert not verify.signed_by(public, message + b"\0", signature)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_rfc_6962_come_out(size: int) -> None:
    """Leaf by leaf, and with complete subtrees in the place of leaves."""
    tree = verify.Tree()
    for leaf in LEAVES[:size]:
        tree.push(leaf)
    assert (size, ROOTS[size]) == (tree.size, tree.root())
    pruned = verify.Tree()
    for level, number in subtrees(Span(0, size)):
        pruned.push(naive_root(LEAVES[number << level : (number + 1) << level]), level)
    assert ROOTS[size] == pruned.root()


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_the_inclusion_proofs_of_rfc_6962_verify(index: int, size: int, path: list[str]) -> None:
    steps = [bytes.fromhex(step) for step in path]
    assert verify.proves_inclusion(index, size, LEAVES[index], steps, ROOTS[size])
    assert not verify.proves_inclusion(index, size, LEAVES[index], [*steps, ROOTS[1]], ROOTS[size])
    assert not verify.proves_inclusion(index, size, ROOTS[0], steps, ROOTS[size])
    assert not verify.proves_inclusion(size, size, LEAVES[index], steps, ROOTS[size])


def test_a_subtree_begins_where_one_of_its_size_can() -> None:
    tree = verify.Tree()
    tree.push(LEAVES[0])
    with pytest.raises(ValueError, match="a subtree of 2 leaves cannot begin behind 1"):
        tree.push(ROOTS[2], 1)


def test_only_what_is_in_the_order_of_rfc_8785_is_read() -> None:
    """What is sorted by the numbers of its characters is refused."""
    value = json.loads(SORTED)
    assert value == verify.read_canonical(SORTED.encode())
    with pytest.raises(ValueError, match="canonical"):
        verify.read_canonical(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_is_what_another_library_makes(value: Any) -> None:
    """Of all that bodies may hold."""
    assert rfc8785.dumps(value) == verify.canonical(value)
    assert value == verify.read_canonical(verify.canonical(value))


@pytest.mark.parametrize(
    "line", [b'{"a":1.0}', b'{"a":1e3}', b'{"a":1,"a":1}', b"[1, 2]", b"nul", b'"\\u0041"', b'"\\/"', b"-0"]
)
def test_what_is_not_canonical_is_refused(line: bytes) -> None:
    """Fractions, keys that are there twice, spaces, strings that are written longer than they need be."""
    with pytest.raises(ValueError, match=r".+"):
        verify.read_canonical(line)


def test_the_notes_and_keys_of_c2sp_are_read() -> None:
    """The published note is signed by the published key; another text is not, and another key says nothing."""
    peter, foo = verify.parse_key(PETER), verify.parse_key(FOO)
    assert (TEXT, (peter,)) == verify.open_note(NOTE, [foo, peter])
    assert (TEXT, ()) == verify.open_note(NOTE, [foo])
    with pytest.raises(verify.WrongError, match="is not over this text"):
        verify.open_note(NOTE.replace("answer", "Answer"), [peter])
    for mangled in (PETER[:-1], PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("+ARp", "+BRp"), "", "+", "a+b"):
        with pytest.raises(ValueError, match=r".+"):
            verify.parse_key(mangled)


@pytest.mark.parametrize(
    "bad",
    [TEXT, NOTE[:-1], f"\x01{NOTE}", NOTE.replace("PeterNeumann", "Bad Name"), f"{NOTE}Unexpected line.\n",
     f"{TEXT}\n— PeterNeumann x08=\n", f"{TEXT}\n{NOTE.splitlines()[-1]}\n" + f"{NOTE.splitlines()[-1]}\n" * 100],
    ids=range(7),
)  # fmt: skip
def test_what_is_no_note_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"it "):
        verify.open_note(bad, [])


def test_the_log_of_a_checkpoint_is_that_of_its_key(tmp_path: Path) -> None:
    """A note that a known key of another name signed is no checkpoint of that log."""
    from service.keys import KeyFiles, signed
    from service.settings import Settings
    from workflows.notes import Checkpoint

    keys = KeyFiles(Settings(home=str(tmp_path)))
    key = verify.parse_key(str(keys.init("one.example")))
    for origin, signers in (("one.example", (key,)), ("other.example", ())):
        note = str(signed(Checkpoint(origin, 3, bytes(32)), keys.signing()))
        assert signers == verify.open_checkpoint(note, [key]).signers


def test_the_verifier_imports_the_standard_library_only_and_is_old_python() -> None:
    """Every import in it, wherever it stands; and a Python of 3.8 could read it."""
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert imported <= sys.stdlib_module_names
    assert not imported & {"zoneinfo", "tomllib", "graphlib", "socket", "urllib", "http", "subprocess", "ctypes"}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__"}


def test_the_table_of_the_verifier_is_that_of_the_machine() -> None:
    """Written down twice, from one specification: whoever adds a row adds it to the verifier, and to FORMAT.txt."""
    ours = [
        (
            row.id or None,
            row.sources,
            row.event,
            row.target,
            row.triggers,
            row.guards,
            row.arms,
            row.cancels,
            row.uses,
            row.keeps,
        )
        for row in (*transitions.ROWS, *transitions.ASIDES)
    ]
    assert ours == [tuple(row) for row in verify.ROWS]
    assert transitions.STATES == verify.STATES
    assert set(RESTING) == set(verify.RESTING)
    assert set(ENDS_HOLD) == set(verify.ENDS_HOLD)


def test_the_timers_of_the_verifier_are_those_of_the_machine() -> None:
    ours = {
        name: (spec.clock, spec.counts_from, spec.at == "end", spec.fires, spec.retry_working_days, spec.ended_by)
        for name, spec in timers.TIMERS.items()
    }
    assert ours == {name: tuple(timer) for name, timer in verify.TIMERS.items()}


def test_both_sides_mean_the_same_format() -> None:
    """What exporter and verifier have to say alike, each for itself."""
    assert (SEAL, FORMAT) == (verify.SEAL, verify.FORMAT)
    assert len(SEAL) + DIGITS == verify.SEAL_BYTES
    assert 33 == len(base64.b64decode(PETER.rpartition("+")[2] + "=="[: -len(PETER.rpartition("+")[2]) % 4]))


def test_the_page_on_the_format_names_all_that_the_verifier_knows() -> None:
    """Files, the table word by word, timers, what is asked, and what the status means."""
    page = SOURCE.with_name("FORMAT.txt").read_text()
    assert verify.TABLE in page
    for name in FILES:
        assert name in page
    words = set(re.findall(r"\w+", page))
    for word in [*verify.TIMERS, *verify.ASKED, *verify.STATES, *Recorded.__struct_fields__, *Effects.__struct_fields__]:
        assert word in words, word
    for status, verdict in enumerate(verify.VERDICTS[1:], start=1):
        line = next(line for line in page.splitlines() if line.startswith(f"    {status}  "))
        assert verdict in line or status == verify.UNDERIVED
    defaults = re.search(r"WHAT A PLAYBOOK LEAVES OUT.*?\n(\{\n.*?\n\})\n", page, re.DOTALL)
    assert defaults
    assert json.loads(defaults[1]) == verify._OF_PLAYBOOKS
    assert max(len(line) for line in page.splitlines()) <= 128
