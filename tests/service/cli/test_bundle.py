"""Bundles from the command line: what is said, what is refused, and that the enclosed verifier answers."""

import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from service.bundle import archive, verify
from service.cli.bundle import TAKE_OUT
from service.keys import KeyFiles
from service.keys import signed as made_of
from service.settings import Settings
from tests.service.world import MONDAY, WHY, World
from workflows.events import event_type
from workflows.notes import Checkpoint
from workflows.service_stream import SERVICE_ID


@pytest.fixture
def signed(world: World, tmp_path: Path) -> World:
    """Two leads, one with a note in the post, and a key."""
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--minutes", 9)
    world.ok("keys", "init", "--name", "example.com/thaw")
    return world


def test_a_lead_is_exported_and_checked(signed: World, tmp_path: Path) -> None:
    """What the command prints last checks the file; for programs there are objects."""
    path = tmp_path / "v.zip"
    lines = signed.ok("export", *WHY, "V-0000", "-o", path, "--opened").splitlines()
    size = int(lines[1].split()[4]) + 1
    rests = "4 events of 1 lead, and 2 events that they rest on"
    assert f"{path}: {rests}; the checkpoint is over {size} events" == lines[0]
    assert f"complete as of event {size - 1} of the log" == lines[1]
    assert "opened: 1 text. It holds personal data: hand it only to whom it concerns." == lines[2]
    assert lines[3].startswith("SHA-256 ")
    assert lines[3].endswith(f"; recorded as event {size + 1} of the log")
    assert f"exported 1 lead ({signed.leads[0].hex[:8]}): 6 events, with names and texts" in signed.ok("operations")
    assert "take a verify.py from elsewhere, or the one inside" in lines[4]
    script = "\n".join(lines[5:]).replace("python ", f"{sys.executable} ")
    subprocess.run(["/bin/sh", "-ec", script], check=True, cwd=tmp_path)
    command = lines[6].partition("python verify.py ")[2].split()
    unsigned = signed.refused(3, "verify-bundle", path)
    assert "\nNO KEY       no key was given with --key, so that nobody vouches for anything in it" in unsigned
    assert "WRONG" not in unsigned
    assert unsigned.endswith("\nverdict      not signed by a key given here; nothing else is wrong (exit status 3)\n")
    assert signed.ok("verify-bundle", *command).splitlines()[-1] == "verdict      nothing is wrong (exit status 0)"
    made = signed.said("export", *WHY, "--all", "-o", tmp_path / "all.zip")
    assert (made["events"], made["heads"], made["texts"], made["signed"]) == (size + 1, None, None, True)
    said = json.loads(signed.ok("verify-bundle", tmp_path / "all.zip", "--key", command[-1], "--json"))
    assert (0, "fine", []) == (said["status"], said["verdict"], said["findings"])


def test_the_key_that_is_printed_is_the_one_that_signed(signed: World, tmp_path: Path) -> None:
    """Not one that was remembered before a rotation broke off."""
    key = signed.ok("keys", "show").strip()
    with next((tmp_path / "home").rglob("*.verifiers")).open("a") as known:
        known.write("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n")
    assert signed.ok("export", *WHY, "--all", "-o", tmp_path / "v.zip").endswith(f" --key {key}\n")


def test_what_is_printed_takes_out_the_verifier_alone(tmp_path: Path) -> None:
    """Of somebody's zip nothing else is unpacked, and no more than a megabyte, however long it says it is."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as zip_:
        zip_.writestr("../../evil", b"x")
        zip_.writestr("verify.py", bytes(50_000_000))
    script = TAKE_OUT.format(path="b.zip").replace("python ", f"{sys.executable} ")
    subprocess.run(["/bin/sh", "-ec", script], check=True, cwd=tmp_path)
    assert {"b.zip": None, "verify.py": 1 << 20} == {
        path.name: path.stat().st_size if path.name == "verify.py" else None for path in tmp_path.iterdir()
    }
    assert Path(verify.__file__).stat().st_size < 1 << 19


def test_the_verifier_has_its_own_statuses(signed: World, tmp_path: Path) -> None:
    """As the file alone has them, help and mistakes included."""
    path, kept = tmp_path / "v.zip", tmp_path / "kept.note"
    kept.write_text(signed.ok("checkpoint").rstrip("\n"))  # as it comes out of some mail programs
    signed.ok("export", *WHY, "--all", "-o", path)
    assert "[not signed]" in signed.refused(3, "verify-bundle", path)
    assert signed.refused(5, "verify-bundle", tmp_path / "w.zip").startswith("thaw: No such file")
    assert "is a folder: name the zip file as it came" in signed.refused(5, "verify-bundle", tmp_path)
    assert "--lead V-0000: it is no id of a lead" in signed.refused(5, "verify-bundle", path, "--lead", "V-0000")
    assert "it is no text, and so no checkpoint" in signed.refused(5, "verify-bundle", path, "--checkpoint", path)
    key = signed.ok("keys", "show").strip()
    assert "nothing is wrong" in signed.ok("verify-bundle", path, "--key", key, "--checkpoint", kept)
    path.write_bytes(path.read_bytes()[:-1])
    assert "[incomplete]" in signed.refused(2, "verify-bundle", path)
    assert signed.refused(5, "verify-bundle").startswith("thaw: the following arguments are required: bundle")
    assert "--max-bytes" in signed.ok("verify-bundle", "--help")


def test_what_is_asked_for_must_be_one_thing(signed: World, tmp_path: Path) -> None:
    path = tmp_path / "v.zip"
    one_of_three = "name leads, or a range with --range A:B, or everything with --all: one of the three"
    for arguments in ((), ("V-0000", "--all"), ("--all", "--range", "1:2")):
        assert one_of_three in signed.refused(2, "export", *WHY, *arguments, "-o", path)
    for span in ("1", "0:3", "5:2", "a:b", "1:2:3", "-1:3", "٣:4"):
        assert "is no range of the log: name the first and the last position" in signed.refused(
            2, "export", *WHY, f"--range={span}", "-o", path
        )
    assert "no lead is known as 'V-9'" in signed.refused(2, "export", *WHY, "V-9", "-o", path)
    note = tmp_path / "kept.note"
    note.write_text("trust me\n")
    assert "holds what is no checkpoint" in signed.refused(2, "export", *WHY, "--all", "-o", path, "--kept", note)
    note.write_text("")
    assert "holds no checkpoint" in signed.refused(2, "export", *WHY, "--all", "-o", path, "--kept", note)
    note.write_bytes(b"PK\x03\x04\xea")
    assert "is no text, and so no checkpoint" in signed.refused(2, "export", *WHY, "--all", "-o", path, "--kept", note)
    assert not path.exists()


def test_a_checkpoint_from_the_future_or_of_somebody_else_is_refused(signed: World, tmp_path: Path) -> None:
    """Over more events than there are, though our key signed it; by a key that nobody knows; and no export is recorded."""
    path, note = tmp_path / "v.zip", tmp_path / "kept.note"
    size = signed.said("checkpoint")["size"]
    ours = KeyFiles(Settings(home=signed.environ["THAW_HOME"])).signing()
    strange = KeyFiles(Settings(home=str(tmp_path / "other")))
    strange.init("example.com/thaw")
    note.write_text(str(made_of(Checkpoint("example.com/thaw", 999_999, bytes(32)), ours)))
    for what in (("--all",), ("V-0000",), ("--range", "1:3")):
        shown = signed.refused(2, "export", *WHY, *what, "-o", path, "--kept", note)
        assert f"the checkpoint that was kept is over 999999 events, and the log has only {size}" in shown
    note.write_text(str(made_of(Checkpoint("example.com/thaw", size, bytes(32)), strange.signing())))
    assert "is not signed by any key that is known here" in signed.refused(
        2, "export", *WHY, "--all", "-o", path, "--kept", note
    )
    assert not path.exists()
    assert "exported" not in signed.ok("operations")
    assert size == signed.said("checkpoint")["size"], "nothing was signed on the way"


def test_who_was_given_a_lead_is_found(signed: World, tmp_path: Path) -> None:
    """By name, in a range that has an event of it, and with everything; what had none of it says nothing of it."""
    here, there = (f"{at}:{at}" for lead in ("V-0000", "V-0001") for at in [signed.said("why", lead, "1")["position"]])
    for number, asked in enumerate((("V-0000",), ("V-0001",), ("--all",), ("--range", here), ("--range", there))):
        signed.ok("export", *asked, "-o", tmp_path / f"{number}.zip", "--reason", f"call {number}")
    for lead, calls in (("V-0000", "023"), ("V-0001", "124")):
        found = signed.said("operations", "--lead", lead)["operations"]
        assert [f"call {number}" for number in calls] == [each["reason"] for each in found]
    newest = signed.take_in()
    assert "nothing was done with this lead\n" == signed.ok("operations", "--lead", newest)
    assert "no lead is known as 'V-9'" in signed.refused(2, "operations", "--lead", "V-9")


def test_without_a_key_no_more_is_promised_than_is_signed(signed: World, tmp_path: Path) -> None:
    """A kept checkpoint that was never stored here cannot be proved by an older one."""
    path, note = tmp_path / "v.zip", tmp_path / "kept.note"
    signed.ok("checkpoint")
    size = signed.said("checkpoint")["size"]
    signed.register(1)
    ours = KeyFiles(Settings(home=signed.environ["THAW_HOME"])).signing()
    note.write_text(str(made_of(Checkpoint("example.com/thaw", size + 1, bytes(32)), ours)))
    signed.environ["THAW_HOME"] = str(tmp_path / "auditor")
    shown = signed.refused(2, "export", *WHY, "--all", "-o", path, "--kept", note)
    assert f"the newest checkpoint is over {size} events, fewer than the {size + 1} of the one that was kept" in shown
    assert not path.exists()


def test_nothing_leaves_the_house_without_a_reason(signed: World, tmp_path: Path) -> None:
    """An export is refused without one; with one, all that it records on its way is in the name of who made it."""
    path = tmp_path / "v.zip"
    before = signed.ok("operations")
    for asked in (("V-0000",), ("--all",), ("--range", "1:2"), ("V-0000", "--opened", "--by", "ann")):
        assert "why? Say it with --reason" in signed.refused(2, "export", *asked, "-o", path)
    assert "it is empty" in signed.refused(2, "export", "--all", "-o", path, "--reason", " ")
    assert (path.exists(), signed.ok("operations")) == (False, before)
    signed.ok("export", "V-0000", "-o", path, "--reason", "the court asked", "--by", "ann")
    ours = [(event_type(each.data), each.actor) for each in signed.events(SERVICE_ID)]
    assert ours[-2:] == [("heads_recorded", "ops:ann"), ("records_exported", "ops:ann")]
    assert signed.said("operations")["operations"][-1]["reason"] == "the court asked"


def test_a_file_that_cannot_be_written_is_a_sentence(signed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There already, in no folder, a folder, and a full disk; and nothing is left behind."""
    path = tmp_path / "there" / "v.zip"
    before = signed.said("verify")["events"]
    for folder in (path.parent, Path("/proc/nowhere")):
        assert f"there is no folder {folder}" in signed.refused(2, "export", *WHY, "--all", "-o", folder / "v.zip")
    path.parent.mkdir()
    os.mkfifo(path)
    assert "is no file, and is not replaced" in signed.refused(2, "export", *WHY, "--all", "-o", path, "--force")
    path.unlink()
    path.write_text("mine")
    assert "is there already: name another file, or replace it with --force" in signed.refused(
        2, "export", *WHY, "--all", "-o", path
    )
    assert "is a folder: name a file in it" in signed.refused(2, "export", *WHY, "--all", "-o", path.parent, "--force")
    assert before == signed.said("verify")["events"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(archive.Archive, "seal", full)
        assert "thaw: No space left on device" in signed.refused(3, "export", *WHY, "--all", "-o", path, "--force")
    assert ["v.zip"] == [each.name for each in path.parent.iterdir()]
    assert "mine" == path.read_text()
    signed.ok("export", *WHY, "--all", "-o", path, "--force")
    assert "mine" != path.read_bytes()[:4].decode("latin-1")


def test_without_a_key_it_says_what_is_missing(world: World, tmp_path: Path) -> None:
    """Nothing signed; and what came after the newest checkpoint."""
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    world.rep()
    world.register(1)
    said = world.refused(2, "export", *WHY, "--all", "-o", tmp_path / "v.zip")
    assert "nothing of the log is signed yet: run `thaw keys init` where the clock runs" in said
    world.ok("keys", "init")
    world.ok("checkpoint", "--heads")
    world.at(MONDAY + timedelta(days=3))
    world.environ["THAW_HOME"] = str(tmp_path / "elsewhere")
    said = world.ok("export", *WHY, "V-0000", "-o", tmp_path / "v.zip")
    assert "NOT in it: " in said
    assert "its manifest is not signed: no key is here" in said
    assert said.splitlines()[-1].endswith("--key KEY")


def test_a_kept_checkpoint_is_proved(signed: World, tmp_path: Path) -> None:
    """Whoever kept a note that the bundle has not got asks for its proof."""
    key = signed.ok("keys", "show").strip()
    notes = []
    for number in range(3):
        note = tmp_path / f"{number}.note"
        note.write_text(signed.ok("checkpoint", "--heads"))
        notes.append(note)
    signed.ok("export", *WHY, "V-0000", "-o", tmp_path / "w.zip", "--kept", notes[1])
    said = signed.ok("verify-bundle", tmp_path / "w.zip", "--key", key, "--checkpoint", notes[1])
    assert "the log begins as the checkpoints kept elsewhere said" in said


def test_a_lead_that_was_erased_is_exported_without_the_person(signed: World, tmp_path: Path) -> None:
    """The CRM's id is gone with the person; by ours the whole history proves itself, its receipt and no text in it."""
    signed.ok("erase", "V-0000", "--reason", "asked for it", "--by", "pia")
    path = tmp_path / "v.zip"
    assert "no lead is known as 'V-0000'" in signed.refused(2, "export", *WHY, "V-0000", "-o", path)
    lines = signed.ok("export", *WHY, str(signed.leads[0])[:8], "-o", path, "--opened").splitlines()
    assert "opened: 1 text." in lines[2], "the reason of the erasure is all that is left"
    said = json.loads(signed.ok("verify-bundle", *lines[-1].partition("python verify.py ")[2].split(), "--json"))
    assert (0, []) == (said["status"], said["findings"])
    assert any("erased" in each for each in (*said["checked"], *said["not_checked"]))
    with zipfile.ZipFile(path) as bundle:
        texts = bundle.read("opened.ndjson").decode()
    assert "asked for it" in texts
    assert "Amberfield" not in texts
