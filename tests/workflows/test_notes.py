"""Signed notes and checkpoints: the published vectors, and nothing that is not exactly one is accepted."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle import verify
from workflows.merkle import EMPTY_ROOT
from workflows.notes import (
    Checkpoint,
    Note,
    NoteError,
    Signature,
    VerifierKey,
    parse_checkpoint,
    parse_key,
    parse_note,
    signers,
    split_notes,
)

# The vectors of golang.org/x/mod/sumdb/note, note_test.go.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{LINE}"

# The example of the specification: c2sp.org/signed-note.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def yes(_: bytes, __: bytes, ___: bytes) -> bool:
    return True


def no(_: bytes, __: bytes, ___: bytes) -> bool:
    return False


@pytest.mark.parametrize("encoded", [PETER, FOO])
def test_the_published_keys_are_read_and_written_as_they_are(encoded: str) -> None:
    """A verifier key comes back as it was; its id is the published one."""
    key = parse_key(encoded)
    assert encoded == str(key)
    assert encoded.split("+")[1] == key.id.hex()


def test_a_mangled_key_is_refused() -> None:
    """No part of a verifier key is one, nor is one with any character changed: the first vectors of note_test.go."""
    mangled = [PETER[a:b] for a in range(len(PETER)) for b in range(a + 1, len(PETER) + 1) if b - a < len(PETER)]
    mangled += [PETER[:n] + chr(ord(PETER[n]) + 1) + PETER[n + 1 :] for n in range(len(PETER))]
    # Of a wrong length, and of an unknown algorithm, each with a fitting id.
    mangled += ["PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="]
    mangled += ["PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"]
    for one in mangled:
        with pytest.raises(NoteError):
            parse_key(one)


# The examples of the specifications: c2sp.org/tlog-checkpoint, signed by two keys as in c2sp.org/tlog-witness.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_NOTE = (
    f"{SOFA}\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— example.com/behind-the-sofa "
    "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
)


@pytest.mark.parametrize(
    "read", [lambda raw: parse_checkpoint(parse_note(raw).text), lambda raw: verify.open_checkpoint(raw, [])],
    ids=["service", "verifier"],
)  # fmt: skip
def test_the_published_checkpoint_is_read(read: Callable[[str], Checkpoint]) -> None:
    """By our parser and by the verifier's in a bundle, which share no code; signed by nobody whom we know."""
    root = bytes.fromhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62")
    assert ("example.com/behind-the-sofa", 20852163, root) == read(SOFA_NOTE)[:3]
    assert SOFA_NOTE == str(parse_note(SOFA_NOTE))
    for good, bad in (("20852163", "020852163"), ("q2I=\n\n", "q2I=\n"), ("q2I=", "q2J=")):
        with pytest.raises(ValueError, match=r".+"):
            read(SOFA_NOTE.replace(good, bad))


def test_the_published_note_is_read_and_written_as_it_is() -> None:
    """A note comes back byte for byte, and its signature names the key."""
    note = parse_note(NOTE)
    assert (TEXT, NOTE) == (note.text, str(note))
    assert [parse_key(PETER)] == signers(note, [parse_key(PETER), parse_key(FOO)], yes)


@pytest.mark.parametrize(
    "bad",
    [
        TEXT,
        f"{TEXT}\n",
        NOTE[:-1],
        f"\x01{NOTE}",
        NOTE.replace("PeterNeumann", "Bad Name"),
        NOTE.replace("PeterNeumann", "Bad+Name"),
        f"{NOTE}Unexpected line.\n",
        f"{TEXT}\n— PeterNeumann x08=\n",
        f"{TEXT}\n— PeterNeumann !!!!\n",
        f"{TEXT}\n{LINE * 101}",
        f"{'x' * 1_000_000}{NOTE}",
    ],
)
def test_what_is_no_note_is_refused(bad: str) -> None:
    """The malformed notes of note_test.go, too many signatures and too long a text are no notes."""
    with pytest.raises(NoteError):
        parse_note(bad)


def test_a_known_key_must_have_signed_and_an_unknown_one_says_nothing() -> None:
    """A wrong signature of a known key is an error; an unknown key is passed over; of two by one key one is looked at."""
    with pytest.raises(NoteError, match="PeterNeumann\\+c74f20a3 is not over this text"):
        signers(parse_note(NOTE), [parse_key(PETER)], no)
    assert [] == signers(parse_note(NOTE), [parse_key(FOO)], no)
    asked: list[bytes] = []

    def ask(_: bytes, message: bytes, __: bytes) -> bool:
        asked.append(message)
        return True

    signers(parse_note(f"{TEXT}\n{LINE}{LINE}"), [parse_key(PETER)], ask)
    assert [TEXT.encode()] == asked


ROOT = base64.b64encode(EMPTY_ROOT).decode()


@given(st.integers(0, 2**53), st.binary(min_size=32, max_size=32), st.lists(st.from_regex(r"[a-z ]{1,9}", fullmatch=True)))
def test_a_checkpoint_comes_back_as_it_was(size: int, root: bytes, extensions: list[str]) -> None:
    """A checkpoint read from its text is the checkpoint."""
    checkpoint = Checkpoint("thaw/ab", size, root, tuple(extensions))
    assert checkpoint == parse_checkpoint(str(checkpoint))


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "thaw/ab\n0\n",
        f"\n0\n{ROOT}\n",
        f"thaw/ab\n00\n{ROOT}\n",
        f"thaw/ab\n-1\n{ROOT}\n",
        f"thaw/ab\n٣\n{ROOT}\n",
        f"thaw/ab\n3\n{ROOT}",
        f"thaw/ab\n3\n{ROOT[:-4]}\n",
        f"thaw/ab\n3\n{ROOT}\n\n",
        f"thaw/ab\n3\n{ROOT[:-2]}V=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(bad: str) -> None:
    """Missing lines, sizes in another form, roots of another length and Base64 of another form are no checkpoint."""
    with pytest.raises(NoteError):
        parse_checkpoint(bad)


def test_a_file_of_notes_is_taken_apart() -> None:
    """Notes that stand one behind the other, with empty lines or without, come out one by one, a cut-off one last."""
    first = str(Note("thaw/ab\n1\nx\n", (Signature("thaw/ab", b"1234", b"x"), Signature("other", b"1234", b"y"))))
    assert [first, NOTE, first] == split_notes(f"{first}{NOTE}\n\n{first}\n")
    assert [first, "thaw/ab\n2\n"] == split_notes(f"{first}\nthaw/ab\n2\n")
    assert [] == split_notes("\n")


def test_the_id_of_a_key_depends_on_its_name() -> None:
    """The same key under another name has another id."""
    assert VerifierKey("a", bytes(32)).id != VerifierKey("b", bytes(32)).id
