"""Files that are no bundles, or bundles of somebody who means harm: each gets a sentence, and none of them the memory."""

import base64
import errno
import hashlib
import io
import json
import os
import shlex
import stat
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import verify
from service.bundle.archive import SEAL
from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked, verdict
from workflows.codec import BODY_BYTES_MAX

LATER = b'{"format":"thaw-bundle-2","files":[],"selection":{"kind":"all"},"events":0,"opened":false,"made_at":"","release":""}'


def sealed(raw: bytes) -> bytes:
    """Return a zip of somebody else's with the end of a bundle."""
    body = raw[:-22] + raw[-22:-2] + struct.pack("<H", verify.SEAL_BYTES) + verify.SEAL
    return body + hashlib.sha256(body).hexdigest().encode()


def zipped(*entries: tuple[Any, bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **options) as zip_:
        for name, content in entries:
            zip_.writestr(name, content)
    return sealed(file.getvalue())


def sentences(bundle: bytes, filled: Filled, **options: Any) -> list[str]:
    report = checked(bundle, filled.key, **options)
    assert report.status in (1, 2, 5)
    return [finding.sentence for finding in report.ordered()]


@pytest.mark.parametrize("raw", [b"", b"PK", b"hello" * 100, bytes(200), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_none(filled: Filled, raw: bytes) -> None:
    assert (2, "it does not end as a bundle does: it is none, or it was cut off") == verdict(raw, filled.key)


def test_a_truncated_bundle_is_incomplete(filled: Filled) -> None:
    """Cut anywhere, it says so."""
    bundle = filled.bundles["one"]
    for end in (1, 100, len(bundle) // 2, len(bundle) - 100, len(bundle) - 1):
        assert (2, "it does not end as a bundle does: it is none, or it was cut off") == verdict(bundle[:end], filled.key)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([("../../etc/cron.d/x", b"")], "the file ../../etc/cron.d/x does not belong in a bundle"),
        ([("/etc/passwd", b"")], "the file /etc/passwd does not belong in a bundle"),
        ([("playbooks/../manifest.json", b"")], "does not belong in a bundle"),
        ([("notes.txt", b"read me")], "the file notes.txt does not belong in a bundle"),
        ([("\x1b[2Jmanifest.json", b"")], "the file \\u001b[2Jmanifest.json does not belong in a bundle"),
        ([("events.ndjson/", b"")], "does not belong in a bundle"),
        ([(link("events.ndjson"), b"/dev/zero")], "the file events.ndjson is a link or a folder, not a file"),
        ([("manifest.json", b"{}")], "the manifest cannot be read"),
        ([("manifest.json", b"[1,2")], "the manifest cannot be read"),
        ([("manifest.json", b"\xff\xfe")], "the manifest cannot be read"),
        ([("manifest.json", b"[" * 100_000)], "the manifest cannot be read"),
        ([("manifest.json", LATER)], "it is of a format that this verifier does not know"),
        ([("FORMAT.txt", b"")], "manifest.json is missing"),
        ([], "manifest.json is missing"),
    ],
)  # fmt: skip
def test_what_does_not_belong_in_it_is_named(filled: Filled, entries: list[Any], sentence: str) -> None:
    """Paths, links, folders, other files, manifests that are none; control characters are shown escaped."""
    found = sentences(zipped(*entries), filled)
    assert any(sentence in each for each in found), found


def test_a_name_that_is_there_twice_is_named(filled: Filled) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        bundle = zipped(("manifest.json", b"{}"), ("manifest.json", b"{}"))
    assert "the file manifest.json is in it twice" in sentences(bundle, filled)


def test_what_stands_beside_the_listed_files_is_found(filled: Filled) -> None:
    """Before the first one, between two, behind the last; and a header that says of a file otherwise than the list."""
    raw = filled.bundles["one"]
    with zipfile.ZipFile(io.BytesIO(raw)) as zip_:
        first, second, *_ = sorted(member.header_offset for member in zip_.infolist())
        directory = zip_.start_dir
        names = zip_.namelist()
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as zip_:
        zip_.writestr("events.ndjson", b"another story")
    forgeries = [b"#!/bin/sh\n" + raw, raw[:6] + b"\x01" + raw[7:], raw[:8] + b"\x00" + raw[9:]]
    for at in (first, second, directory):
        forged = io.BytesIO(raw)
        with zipfile.ZipFile(forged, "a") as zip_:
            moved = [member for member in zip_.infolist() if member.header_offset >= at]
            for member in moved:
                member.header_offset += len(hidden.getvalue())
            zip_.start_dir += len(hidden.getvalue())
            forged.seek(0)
            forged.write(raw[:at] + hidden.getvalue() + raw[at:directory])
            zip_.comment = SEAL + b"0" * 64
        with zipfile.ZipFile(forged) as zip_:
            assert names == zip_.namelist()
            assert zip_.testzip() is None
        forgeries.append(forged.getvalue())
    for forged_raw in forgeries:
        sealed = forged_raw[:-64] + hashlib.sha256(forged_raw[:-64]).hexdigest().encode()
        assert sentences(sealed, filled) == ["the zip file holds more than the files that it lists, or other ones"]


def test_an_encrypted_or_strangely_compressed_file_is_named(filled: Filled) -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_LZMA) as zip_:
        zip_.writestr("FORMAT.txt", b"x" * 100)
    assert any("compressed in a way that no bundle uses" in each for each in sentences(sealed(stored.getvalue()), filled))
    raw = bytearray(zipped(("FORMAT.txt", b"x")))
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    assert any("FORMAT.txt is encrypted" in each for each in sentences(bytes(raw), filled))


def test_a_bomb_does_not_go_off(filled: Filled) -> None:
    """Neither one that says how large it is, nor one that lies, nor a list of files without end; memory stays small."""
    bomb = zipped(("events.ndjson", b"a" * (50 << 20)))
    liar = bytearray(bomb)
    at = liar.rindex(b"PK\x01\x02") + 24
    liar[at : at + 4] = struct.pack("<L", 1000)
    list_ = bytearray(zipped(("FORMAT.txt", b"")))
    end = list_.rindex(b"PK\x05\x06")
    list_[end + 12 : end + 16] = struct.pack("<L", 1 << 30)
    tracemalloc.start()
    assert any("would unpack to more than 200 times its size" in each for each in sentences(bomb, filled))
    assert sentences(bytes(liar), filled)
    assert "its list of files is longer than that of any bundle" in sentences(bytes(list_), filled)
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


def test_more_than_one_wants_to_read_is_not_read(filled: Filled) -> None:
    """``--max-bytes`` is a limit on what the bundle says; nothing is unpacked."""
    status, sentence = verdict(filled.bundles["one"], filled.key, max_bytes=1000)
    assert (5, True) == (status, "more than 1,000 are read only with --max-bytes" in sentence)


@pytest.mark.parametrize("name", ["events.ndjson", "opened.ndjson"])
def test_a_huge_line_is_refused(name: str, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of any file has a limit."""
    limit = 100_000
    monkeypatch.setattr(verify, "LINE_BYTES_MAX", limit)
    for length in (limit - 1, 5 * limit):
        forged = Forged(filled.bundles["one"])
        forged.files[name] = os.urandom(length).replace(b"\n", b"x") + b"\n"
        found = sentences(forged.listed_anew(), filled)
        assert found
        assert any(f"{name} has a line of more than {limit:,} bytes" in each for each in found) == (length > limit), found


def test_the_limit_of_a_line_is_that_of_an_event() -> None:
    """What the log may hold the verifier reads, and FORMAT.txt says how much that is."""
    assert BODY_BYTES_MAX == verify.LINE_BYTES_MAX
    said = Path(verify.__file__).with_name("FORMAT.txt").read_text()
    assert f"No line of a file has more than {BODY_BYTES_MAX:,} bytes." in said


class Pieces(verify.Bundle):
    """A file of a bundle, as it comes out of the zip."""

    def __init__(self, files: dict[str, list[bytes]]) -> None:
        self._files = files

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield what was given."""
        yield from self._files[name]


@given(st.lists(st.lists(st.sampled_from([b"a", b"bc", b"\n"]), min_size=1).map(b"".join)))
def test_lines_come_out_however_the_file_is_cut(pieces: list[bytes]) -> None:
    """As one split of the whole gives them; and what has no end is named."""
    *lines, rest = b"".join(pieces).split(b"\n")
    found: list[bytes] = []
    with pytest.raises(verify.WrongError, match="ends in the middle of a line") if rest else nullcontext():
        found.extend(Pieces({"leads.ndjson": pieces}).lines("leads.ndjson"))
    assert found == lines


def test_hostile_bodies_are_shown_escaped(filled: Filled, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A name that would rewrite the terminal's line, and text that runs from right to left, do neither."""
    forged = Forged(filled.bundles["all"])
    number = forged.at(lambda body: bool(body["data"]["type"] == "note_sent"))
    forged.change(number, b'"type":"note_sent"', '"type":"note\\u001b[2K\u202e\u2066sent"'.encode())
    path = tmp_path / "\x1b[31mb.zip"
    path.write_bytes(forged.listed_anew())
    assert 1 == verify.main([str(path), "--key", filled.key])
    printed = capsys.readouterr().out
    assert "note\\u001b[2K\\u202e\\u2066sent" in printed
    assert printed.startswith("\\u001b[31mb.zip: ")
    assert not set("\x1b\u202e\u2066") & set(printed)


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b"[]", b"null", b"1", b'"x"', b"", b"\xff", b"{" * 5000, b"[" * 200_000, b'{"data":1}', b'{"a":1.5}',
        b'{"a":NaN}',        b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a": 1}', b'{"a":"\\ud800"}', b"9" * 5000,
        b'{"data":{"type":"note_sent"},"stream_id":"x","version":1}',
        b'{"data":{"type":["a"]},"schema":1,"state":"queued","stream_id":1,"version":{}}',
    ],
    ids=range(19),
)  # fmt: skip
def test_no_body_stops_the_verifier(filled: Filled, body: bytes) -> None:
    """Whatever stands in the place of a body is a finding."""
    forged = Forged(filled.bundles["one"])
    for number in (0, 3):
        bodies = forged.lines("events.ndjson")
        bodies[number] = body + b"\n"
        forged.put("events.ndjson", bodies)
    assert sentences(forged.listed_anew(), filled)


@pytest.mark.parametrize("commitment", [[], {}, None, 1, "x", "é" * 64])
def test_a_commitment_that_is_none_is_a_finding(filled: Filled, commitment: object) -> None:
    """In the place of that of an opened text."""
    forged = Forged(filled.bundles["one"])
    first, *lines = forged.lines("opened.ndjson")
    changed = verify.canonical(json.loads(first) | {"commitment": commitment}) + b"\n"
    forged.put("opened.ndjson", [changed, *lines])
    assert any("opened.ndjson: it is not a SHA-256" in sentence for sentence in sentences(forged.listed_anew(), filled))


def test_names_in_the_manifest_that_are_none_are_files_that_are_missing(filled: Filled) -> None:
    """Numbers, lists and nothing at all beside the names of files."""
    forged = Forged(filled.bundles["one"])
    manifest = json.loads(forged.files["manifest.json"])
    manifest["files"] += [{"name": name, "bytes": 1, "sha256": ""} for name in (10**30, ["x"], None)]
    forged.files["manifest.json"] = json.dumps(manifest).encode()
    found = sentences(forged.zip(), filled)
    assert {"['x'] is missing: the manifest lists it", "None is missing: the manifest lists it"} <= set(found)


@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_no_change_of_shape_stops_the_verifier(filled: Filled, data: st.DataObject) -> None:
    """Any value of any body in the place of another one, under the right key: findings, or none, and no crash."""
    forged = Forged(filled.bundles["all"])
    bodies = [verify.read_canonical(line[:-1]) for line in forged.lines("events.ndjson")]
    number = data.draw(st.integers(0, len(bodies) - 1))
    path, node = [], bodies[number]
    while isinstance(node, dict) and node:
        path.append(data.draw(st.sampled_from(sorted(node))))
        node = node[path[-1]]
        if data.draw(st.booleans()):
            break
    target = bodies[number]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = data.draw(
        st.sampled_from(
            [None, 1, -1, 2**60, "", "x", "2026-13-45", "9999-12-31", "9999-12-31T23:59:59Z", [], {}, [1], {"a": 1}]
        )
    )
    forged.put("events.ndjson", [verify.canonical(body) + b"\n" for body in bodies])
    forged.rehash()
    forged.sign_whole(filled.home)
    assert checked(forged.listed_anew(), filled.key).status in (0, 1, 2, 4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.zip"], "No such file or directory"),
        ([], "the following arguments are required: bundle"),
        (["b.zip", "--key", "x"], "--key x: it is not"),
        (["b.zip", "--key", "example.com/thaw+00000000+{material}"], "its id does not belong to its name and key"),
        (["b.zip", "--checkpoint", "missing.note"], "No such file or directory"),
        (["b.zip", "--checkpoint", "b.zip"], "verify.py: "),
        (["b.zip", "--checkpoint", "empty.note"], "empty.note: it holds none"),
        (["b.zip", "--checkpoint", "bad.note"], "bad.note: it does not end with an empty line and signature lines"),
        (["b.zip", "--checkpoint", "long.note"], "long.note: it is too long; put the notes that matter"),
        (["b.zip", "--max-bytes", "much"], "invalid int value"),
    ],
)
def test_arguments_that_are_none_are_refused(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], sentence: str,
) -> None:  # fmt: skip
    """With a sentence, and the status of what was not checked."""
    monkeypatch.chdir(tmp_path)
    Path("b.zip").write_bytes(filled.bundles["one"])
    Path("empty.note").write_text("\n")
    Path("bad.note").write_text("trust me\n")
    Path("long.note").write_text("\n" * (verify.WHOLE_BYTES_MAX + 1))
    material = base64.b64encode(b"\x01" + bytes(32)).decode()
    try:
        status = verify.main([argument.format(material=material) for argument in arguments])
    except SystemExit as exit_:
        status = exit_.code  # type: ignore[assignment]  # argparse ends the program
    assert (5, True) == (status, sentence in capsys.readouterr().err)


def test_no_room_for_temporary_files_is_a_sentence(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    path = tmp_path / "b.zip"
    path.write_bytes(filled.bundles["one"])
    assert 5 == verify.main([str(path), "--key", filled.key])
    assert "No space left on device" in capsys.readouterr().err


def test_what_cannot_be_printed_is_escaped(filled: Filled, tmp_path: Path) -> None:
    """On a terminal that knows ASCII only."""
    path = tmp_path / "b.zip"
    path.write_bytes(Forged(filled.bundles["all"]).listed_anew())
    command = [sys.executable, "-I", "-S", verify.__file__, str(path), "--checkpoint", str(tmp_path / "ä"), "--key", filled.key]
    done = subprocess.run(command, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}, capture_output=True, check=False)
    assert (5, b"") == (done.returncode, done.stdout)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("where", [">&-", ">/dev/full", "<&- >&- 2>&-"])
def test_what_cannot_be_written_is_not_called_altered(filled: Filled, tmp_path: Path, where: str) -> None:
    """Python alone would end with 1, or 120, where nobody can read what came of it."""
    path = tmp_path / "b.zip"
    path.write_bytes(filled.bundles["one"])
    command = (
        f"{shlex.quote(sys.executable)} -I -S {shlex.quote(verify.__file__)} {path} --key {shlex.quote(filled.key)} {where}"
    )
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False)
    assert (5, b"") == (done.returncode, done.stdout)
    assert "2>&-" in where or done.stderr == b"verify.py: what came of it could not be written to the standard output\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "not memory enough"),
        (TypeError("x \x1b"), "a mistake in the verifier, which says nothing of the bundle"),
    ],
)
def test_what_stops_the_verifier_is_not_called_altered(
    filled: Filled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    sentence: str,
) -> None:
    """Whatever it is, nothing was checked, and nobody is accused."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(verify, "read_playbooks", fails)
    path = tmp_path / "b.zip"
    path.write_bytes(filled.bundles["one"])
    assert 5 == verify.main([str(path), "--key", filled.key])
    said = capsys.readouterr().err
    assert sentence in said
    assert said.removesuffix("\n").isprintable()


def test_a_closed_standard_error_stops_nothing(filled: Filled, tmp_path: Path) -> None:
    """What there is to say goes to the standard output."""
    path = tmp_path / "b.zip"
    path.write_bytes(filled.bundles["one"])
    command = f"{shlex.quote(sys.executable)} -I -S {shlex.quote(verify.__file__)} {path} --key {shlex.quote(filled.key)} 2>&-"
    done = subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith(b"nothing is wrong (exit status 0)\n")
