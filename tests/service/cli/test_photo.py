"""A photo of a note with its two key sentences: taken in, read as far as that goes, shown, handed out and erased."""

import base64
import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from models.database import transaction
from service.bundle import verify
from service.photos import MOST_BYTES, kept_as, photo_in
from tests.service.sheets import sheet
from tests.service.world import MONDAY, WHY, World
from workflows.events import NoteSent, event_type

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 600
PERSONAL = "How are the bees on your roof?"
CALL = "I'll call you next week."
SENTENCES = ("--sentence", PERSONAL, "--sentence", CALL)
REST = ("--attest", "reminds_who_we_are", "--attest", "not_form_letter")


@pytest.fixture
def due(world: World, tmp_path: Path) -> World:
    """The Tuesday on which dan has notes to write to Ada and Bela, and a photo of one."""
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    (tmp_path / "note.jpg").write_bytes(JPEG)
    return world


@pytest.fixture
def sent(due: World, tmp_path: Path) -> World:
    """The same evening: the note to Ada is in the post."""
    with due.worker():
        due.ok("note-sent", "V-0000", "--photo", tmp_path / "note.jpg", *SENTENCES, *REST)
    return due


def documents(world: World) -> dict[str, str]:
    """Return what is kept outside the log, by kind."""
    with transaction(world.engine) as connection:
        return {row.kind: row.body for row in connection.exec_driver_sql("SELECT kind, body FROM documents")}


def test_what_two_sentences_tell_is_checked_and_the_rest_is_vouched_for(due: World, tmp_path: Path) -> None:
    """A4-7, A4-8, A4-9, A4-10: what is personal and the promise are read; the rest cannot be."""
    photo = ("--photo", tmp_path / "note.jpg")
    with due.worker():
        assert "refused (check.reminds_who_we_are)" in due.refused(1, "note-sent", "V-0000", *photo, *SENTENCES)
        for left_out, rule in ((PERSONAL, "personal_fact"), (CALL, "future_call")):
            others = [each if each != left_out else "All is well here." for each in SENTENCES]
            assert f"refused (check.{rule})" in due.refused(1, "note-sent", "V-0000", *photo, *others, "--attest-all")
        for right, wrong, said in (
            (CALL, "I'll call you tomorrow.", "“tomorrow”, and the call is planned for another day"),
            (CALL, f"{CALL} {{name}}", "A mark of a mail merge was left in it"),
            (CALL, f"Dear Bela, {CALL}", "The greeting is for another of your leads."),
        ):
            others = [each if each != right else wrong for each in SENTENCES]
            assert said in due.refused(1, "note-sent", "V-0000", *photo, *others, "--attest-all")
        due.ok("note-sent", "V-0000", *photo, *SENTENCES, *REST)
    recorded = due.events(due.leads[0])[-1]
    assert isinstance(recorded.data, NoteSent)
    assert recorded.data.photo
    assert recorded.used
    verdicts = {each.check: each for each in recorded.used.verdicts if each.check != "not_suppressed"}
    by_program = {check for check, each in verdicts.items() if each.source.startswith("content check")}
    assert by_program == {"personal_fact", "future_call"}
    assert {verdicts[check].inputs["read"] for check in by_program} == {"two sentences"}
    assert {check for check, each in verdicts.items() if each.source == "attested by rep:dan"} == {*REST} - {"--attest"}
    assert due.said("rederive", "V-0000")["mismatches"] == []


def test_what_was_found_of_two_sentences_is_a_remark_and_passes_nothing(due: World, tmp_path: Path) -> None:
    """A4-9: the same two sentences to somebody else may stand in a form letter as well as in another note of one's own."""
    command = ("--photo", tmp_path / "note.jpg", *SENTENCES, *REST[:2])
    with due.worker():
        due.ok("note-sent", "V-0000", *command, *REST[2:])
        checked = due.said("check", "V-0001", *SENTENCES)
        assert (checked["fine"], checked["to_attest"]) == (True, ["reminds_who_we_are", "not_form_letter"])
        said = due.refused(1, "note-sent", "V-0001", *command)
        assert "refused (check.not_form_letter)" in said
        assert "Attest that the note does not read like a form letter, or change it, or override" in " ".join(said.split())
        due.ok("note-sent", "V-0001", *command, *REST[2:])
    recorded = due.events(due.leads[1])[-1]
    assert recorded.used
    (likeness,) = (each for each in recorded.used.verdicts if each.check == "not_form_letter")
    assert (likeness.source, likeness.passed, likeness.level) == ("attested by rep:dan", True, "warn")
    assert (likeness.score, likeness.inputs["read"]) == (1000, "two sentences")
    assert due.said("rederive", "V-0001")["mismatches"] == []


def test_a_photo_that_is_kept_with_another_note_is_remarked_on(due: World, tmp_path: Path) -> None:
    """A4-11: it is taken, for people may know better; a refused entry's photo is nobody's note, and one's own says nothing."""
    command = ("--photo", tmp_path / "note.jpg", *SENTENCES)
    remark = "--photo: the same photo is kept with the note to V-0000 (Ada Amberfield); is it the right one?"
    with due.worker():
        due.refused(1, "note-sent", "V-0000", *command)
        assert "the same photo" not in due.thaw("note-sent", "V-0001", *command).output
        assert "the same photo" not in due.ok("note-sent", "V-0000", *command, *REST)
        assert remark in " ".join(due.thaw("note-sent", "V-0001", *command, *REST).output.split())
    assert "note_sent" in {event_type(each.data) for each in due.events(due.leads[1])}


def test_a_photo_is_kept_like_any_text_and_shown_wherever_the_note_is(sent: World) -> None:
    """A4-11: the sheet has the two sentences and how to see the rest; nothing of either is in the log."""
    assert documents(sent)["text"] == f"{PERSONAL}\n{CALL}"
    assert documents(sent)["photo"] == f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    assert not [each for each in sent.events(sent.leads[0]) if "bees" in str(each) or "base64" in str(each)]
    figures, _ = (line["figures"] for line in sent.said("accountability", "--from", "2026-01-05")["lines"])
    assert (figures["notes"], figures["from_photo"], figures["unverified"]) == (1, 1, 0)
    assert "Ada Amberfield" in sent.ok("accountability", "--from", "2026-01-05", "--leads", "from_photo")
    history = sent.ok("history", "V-0000", "--no-wait")
    assert ", photo [document " in " ".join(history.split())
    assert PERSONAL in history
    assert "base64" not in history
    version = len(sent.events(sent.leads[0]))
    assert "read two sentences" in " ".join(sent.ok("why", "V-0000", version).split())
    sent.at(MONDAY + timedelta(days=8, hours=2))
    (item,) = (item for item in sheet(sent).items if item.key == "V-0000")
    said = f"note: “{PERSONAL}” … “{CALL}”; the rest stands in a photo: thaw note-photo V-0000 -o FILE"
    assert said in item.notes


def test_the_photo_comes_out_byte_for_byte(sent: World, tmp_path: Path) -> None:
    """A4-11: for its owner's eyes, over nothing that is there already; and as long as it is kept."""
    out = tmp_path / "out.jpg"
    sent.ok("note-photo", "V-0000", "-o", out)
    assert (out.read_bytes(), out.stat().st_mode & 0o777) == (JPEG, 0o600)
    out.write_bytes(b"mine")
    assert "is there already; --force replaces it" in sent.refused(2, "note-photo", "V-0000", "-o", out)
    assert out.read_bytes() == b"mine"
    said = sent.said("note-photo", "V-0000", "-o", out, "--force", "--event", 4)
    assert (said["kind"], said["bytes"], said["sentences"]) == ("JPEG", len(JPEG), [PERSONAL, CALL])
    assert out.read_bytes() == JPEG
    assert "is a folder" in sent.refused(2, "note-photo", "V-0000", "-o", tmp_path)
    assert "cannot be written: No such file" in sent.refused(2, "note-photo", "V-0000", "-o", tmp_path / "no" / "where")
    assert "no note to Bela" in sent.refused(2, "note-photo", "V-0001", "-o", tmp_path / "b")
    assert "event 2 of Ada Amberfield is no note with a photo" in sent.refused(
        2, "note-photo", "V-0000", "--event", 2, "-o", tmp_path / "b"
    )
    sent.sql("DELETE FROM documents WHERE kind = 'photo'")
    assert "is gone" in sent.refused(2, "note-photo", "V-0000", "-o", tmp_path / "b")
    assert not list(tmp_path.glob("b*"))


def test_a_photo_goes_into_an_opened_bundle_and_with_its_lead(due: World, tmp_path: Path) -> None:
    """As large as one may be: it is exported with its salt, checked by the verifier, and erased like the other texts."""
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(MOST_BYTES - 8))
    with due.worker():
        due.ok("note-sent", "V-0000", "--photo", tmp_path / "large.png", *SENTENCES, *REST)
    assert due.said("verify")["findings"] == []
    due.ok("keys", "init", "--name", "example.com/thaw")
    path = tmp_path / "v.zip"
    assert due.said("export", *WHY, "V-0000", "-o", path, "--opened")["texts"] == 3
    with zipfile.ZipFile(path) as bundle:
        texts = [json.loads(line)["text"] for line in bundle.read("opened.ndjson").splitlines()]
    assert documents(due)["photo"] in texts
    assert verify.main([str(path), "--key", _key(due)]) == 0
    due.ok("erase", "V-0000", "--reason", "asked for by letter")
    assert documents(due).keys() == {"operator_reason", "erasure_reason"}
    assert "is gone" in due.refused(2, "note-photo", due.leads[0], "-o", tmp_path / "b")


def _key(world: World) -> str:
    return str(world.said("keys", "show")["verifier_keys"][0])


@pytest.mark.parametrize(
    ("kind", "content"),
    [("PNG", b"\x89PNG\r\n\x1a\n1"), ("HEIC", b"\0\0\0\x18ftypheic\0"), ("PDF", b"%PDF-1.7\n"), ("JPEG", JPEG)],
)
def test_every_kind_of_photo_is_told_by_its_first_bytes(kind: str, content: bytes) -> None:
    """And comes out as it went in."""
    assert photo_in(kept_as(content)) == (kind, content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b"GIF89a", "it is none of JPEG, PNG, HEIC, PDF, by its first bytes"),
        (b"\xff\xd8\xff" + bytes(MOST_BYTES), "it is too large: 8 MB are the most"),
        ("folder", "cannot be read: Is a directory"),
        ("gone", "cannot be read: No such file or directory"),
        ("pipe", "is no file"),
    ],
    ids=["empty", "gif", "large", "folder", "gone", "pipe"],
)
def test_what_is_no_photo_is_refused_before_anything_is_kept(
    due: World, tmp_path: Path, content: bytes | str, sentence: str
) -> None:
    """One sentence, and the lead is where it was."""
    path = tmp_path / "given"
    if content == "folder":
        path.mkdir()
    elif content == "gone":
        path.symlink_to(tmp_path / "nothing")
    elif content == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(content)  # type: ignore[arg-type]  # bytes, as no string is left
    said = " ".join(due.refused(2, "note-sent", "V-0000", "--photo", path, *SENTENCES, "--attest-all").split())
    assert sentence in said
    assert (documents(due), due.lead(due.leads[0]).state) == ({}, "note_due")


def test_the_two_sentences_are_read_beforehand(due: World) -> None:
    """A4-8: the verdicts are those of the entry, what two sentences cannot tell is named, and nothing is written."""
    assert "--attest-all --photo FILE --sentence TEXT --sentence TEXT" in due.ok("today", "--rep", "dan")
    said = due.said("check", "V-0000", *SENTENCES)
    assert said["fine"]
    assert {each["inputs"]["read"] for each in said["verdicts"]} == {"two sentences"}
    assert {"personal_fact", "future_call"} <= {each["check"] for each in said["verdicts"]}
    assert said["to_attest"] == ["reminds_who_we_are", "not_form_letter"]
    told = due.ok("check", "V-0000", *SENTENCES)
    assert "two sentences cannot tell: reminds_who_we_are, not_form_letter; vouch for them with --attest" in told
    assert "refuse  future_call: It says “tomorrow”" in due.refused(
        1, "check", "V-0000", *SENTENCES[:3], "I'll call you tomorrow."
    )
    for options, sentence in (
        (SENTENCES[:2], "a note with a photo needs --sentence twice, and it is here 1 times"),
        (
            (*SENTENCES, "--text", "All of it."),
            "say what the text is, with --text or with --text-file, or with --sentence twice",
        ),
        ((*SENTENCES, "--kind", "touch"), "--sentence is for a note with a photo; say what the touch is, with --text"),
    ):
        assert sentence in " ".join(due.refused(2, "check", "V-0000", *options).split())
    assert documents(due) == {}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--photo",), "--photo needs --sentence twice, and it is here 0 times"),
        (("--photo", *SENTENCES[:2]), "--photo needs --sentence twice, and it is here 1 times"),
        (("--photo", *SENTENCES, *SENTENCES[:2]), "--photo needs --sentence twice, and it is here 3 times"),
        (SENTENCES, "--sentence goes with --photo"),
        (("--photo", *SENTENCES, "--text", "All of it."), "--photo and --text go not together"),
        (("--photo", *SENTENCES[:3], " "), "it is empty; write something"),
        (("--photo", *SENTENCES[:3], "on and " * 4_000), "the checks read 20,000 at most: shorten it."),
    ],
)
def test_a_photo_and_two_sentences_come_together(due: World, tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    """Neither without the other, and not beside the whole text."""
    given = [part for each in options for part in ((each, tmp_path / "note.jpg") if each == "--photo" else (each,))]
    said = " ".join(due.refused(2, "note-sent", "V-0000", *given, "--attest-all").split())
    assert sentence in said
    assert (documents(due), due.lead(due.leads[0]).state) == ({}, "note_due")
