"""Keys: the published vectors of Ed25519 and of signed notes, and a private key that stays in its file."""

import base64
import errno
import stat
from pathlib import Path

import pytest

from service import keys as keys_module
from service.evidence import read_notes
from service.keys import KeyFileError, KeyFiles, SigningKey, is_signed, opened, signed
from service.settings import Settings
from tests.workflows.test_notes import FOO, NOTE, PETER, TEXT
from workflows.merkle import EMPTY_ROOT
from workflows.notes import Checkpoint, Note, NoteError, parse_key, parse_note, signers

# RFC 8032, section 7.1: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]

# golang.org/x/mod/sumdb/note, note_test.go: a key made for tests.
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_the_published_signatures_come_out_and_verify(secret: str, public: str, message: str, signature: str) -> None:
    """The vectors of RFC 8032 are made and accepted; another message or key is not."""
    key = SigningKey("a", bytes.fromhex(secret))
    text = bytes.fromhex(message).decode("latin-1")
    assert public == key.verifier.public.hex()
    if text.isascii():
        assert signature == key.sign(text).bytes.hex()
    parts = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert is_signed(*parts)
    assert not is_signed(parts[0], parts[1] + b"x", parts[2])
    assert not is_signed(bytes(32), parts[1], parts[2])
    assert not is_signed(parts[0], parts[1], parts[2][:-1])


def test_the_published_note_comes_out_and_verifies() -> None:
    """The vector of sumdb/note is made byte for byte and accepted; with one letter changed it is refused."""
    key = SigningKey("PeterNeumann", PETERS_SEED)
    assert PETER == str(key.verifier)
    assert NOTE == str(Note(TEXT, (key.sign(TEXT),)))
    assert [parse_key(PETER)] == signers(parse_note(NOTE), [parse_key(PETER), parse_key(FOO)], is_signed)
    with pytest.raises(NoteError, match="not over this text"):
        signers(parse_note(NOTE.replace("answer", "question")), [parse_key(PETER)], is_signed)


def test_the_example_of_the_specification_verifies() -> None:
    """The note in c2sp.org/signed-note is signed by the key that it names."""
    line = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    note = parse_note(f"This is an example message.\n\n— example.com/foo {line}\n")
    assert [parse_key(FOO)] == signers(note, [parse_key(FOO)], is_signed)


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    return KeyFiles(Settings(home=str(tmp_path)))


def test_a_key_is_made_once_for_nobody_else_to_read(files: KeyFiles) -> None:
    """The private key's file has mode 0600, and a second one does not take its place."""
    verifier = files.init("thaw/ab")
    assert 0o600 == stat.S_IMODE(files.path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(files.path.parent.stat().st_mode)
    assert [verifier] == files.known() == [key.verifier for key in files.signing()]
    with pytest.raises(KeyFileError, match="thaw keys rotate"):
        files.init("thaw/ab")


def test_a_private_key_is_not_shown(files: KeyFiles) -> None:
    """Neither what prints a key nor an error about its file has the key in it."""
    files.init("thaw/ab")
    material = files.path.read_text().strip().split("+", 4)[4]
    assert material not in repr(files.signing())
    files.path.write_text(f"{files.path.read_text().strip()[:-4]}\n")
    with pytest.raises(KeyFileError, match="holds no private key") as refused:
        files.signing()
    assert material[:20] not in str(refused.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o606])
def test_a_key_that_others_can_reach_is_not_used(files: KeyFiles, mode: int) -> None:
    """A key file that others may read or write is refused."""
    files.init("thaw/ab")
    files.path.chmod(mode)
    with pytest.raises(KeyFileError, match="mode 0600"):
        files.signing()


@pytest.mark.parametrize("held", ["", "PRIVATE+KEY+a", "PRIVATE+KEY+a+b+c", "PRIVATE+KEY+a+00000000+AA==", "\x00"])
def test_a_file_without_a_key_is_refused(files: KeyFiles, held: str) -> None:
    """What holds no key, or none that fits its id, is refused; so is a file that is not there."""
    with pytest.raises(KeyFileError, match="thaw keys init"):
        files.signing()
    files.init("thaw/ab")
    files.path.write_text(held)
    with pytest.raises(KeyFileError, match="holds no private key"):
        files.signing()


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_key_may_have_is_refused(files: KeyFiles, name: str) -> None:
    """Names are those of signed notes; nothing is written for another."""
    with pytest.raises(KeyFileError, match="no name for a key"):
        files.init(name)
    assert not files.exist


def test_notes_are_read_as_they_are_sent(files: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In UTF-8, whatever the machine writes in otherwise: each signature begins with a dash that is not in ASCII."""
    files.init("thaw/ab")
    checkpoint = Checkpoint("thaw/ab", 0, EMPTY_ROOT)
    path = tmp_path / "kept"
    path.write_text(str(signed(checkpoint, files.signing())), encoding="utf-8")
    known = files.known()
    monkeypatch.setattr(Path, "read_text", lambda self, encoding="latin-1": self.read_bytes().decode(encoding))
    assert [checkpoint] == read_notes(path, known)


def test_a_rotation_ends_when_both_keys_have_signed(files: KeyFiles) -> None:
    """Old and new key sign until the old one is retired; a second rotation waits for that; the old public key stays known."""
    first = files.init("thaw/ab")
    old, new = files.rotate()
    assert (first, "thaw/ab") == (old, new.name)
    assert [new, old] == [key.verifier for key in files.signing()]
    with pytest.raises(KeyFileError, match="run `thaw checkpoint`"):
        files.rotate()
    note = str(signed(Checkpoint("thaw/ab", 0, EMPTY_ROOT), files.signing()))
    assert opened(note, [old]) == opened(note, [new])
    files.retire(new)
    assert [new, old] == [key.verifier for key in files.signing()]
    files.retire(old)
    assert [new] == [key.verifier for key in files.signing()]
    assert [old, new] == files.known()


def test_a_rotation_that_broke_off_can_be_done_again(files: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the disk is full before the new key is in its place: the old one signs on, and the next rotation takes."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    first = files.init("thaw/ab")
    with monkeypatch.context() as broken:
        broken.setattr("service.keys.write_private", full)
        with pytest.raises(OSError, match="No space"):
            files.rotate()
    assert [first] == [key.verifier for key in files.signing()]
    old, new = files.rotate()
    assert [new, old] == [new, first] == [key.verifier for key in files.signing()]


def test_a_key_is_on_the_disk_before_anybody_signs_with_it(files: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is written through before it has its name, and the folder behind that: a loss of power loses no key."""
    synced: list[tuple[str, bool]] = []
    name_of = "/proc/self/fd/{}".format

    def sync(descriptor: int) -> None:
        synced.append((Path(name_of(descriptor)).readlink().name, files.path.exists() and bool(files.path.read_text())))

    monkeypatch.setattr("os.fsync", sync)
    files.init("thaw/ab")
    files.rotate()
    made = [("signing.key.verifiers", False), ("signing.key", True), ("keys", True)]
    assert [*made, ("signing.key.verifiers", True), (".signing.key.draft", True), ("keys", True)] == synced


def test_half_a_key_is_not_left_in_the_way(files: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full while the first key is written, the next try makes it."""
    written = keys_module._write

    def full(descriptor: int, line: str) -> None:
        written(descriptor, line[:20])
        if line.startswith("PRIVATE"):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keys_module, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        files.init("thaw/ab")
    assert not files.exist


def test_a_note_of_another_key_or_log_is_refused(files: KeyFiles) -> None:
    """A checkpoint counts when a known key signed it under the log's own name."""
    files.init("thaw/ab")
    note = str(signed(Checkpoint("thaw/ab", 0, EMPTY_ROOT), files.signing()))
    with pytest.raises(NoteError, match="not signed by any key that is known"):
        opened(note, [parse_key(PETER)])
    foreign = str(signed(Checkpoint("thaw/cd", 0, EMPTY_ROOT), files.signing()))
    with pytest.raises(NoteError, match="of another log"):
        opened(foreign, files.known())
    with pytest.raises(NoteError, match="no checkpoint"):
        opened(NOTE, [parse_key(PETER)])


def test_a_damaged_list_of_public_keys_is_refused(files: KeyFiles) -> None:
    """A list in which one key was altered is not used at all."""
    files.init("thaw/ab")
    files.verifiers.write_text(files.verifiers.read_text().replace("thaw/ab", "thaw/cd"))
    with pytest.raises(KeyFileError, match="mistyped or altered"):
        files.known()
