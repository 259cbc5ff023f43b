"""The tampering drill on a bundle: somebody without the key changes it, makes every digest anew, and is found and named."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked, verdict

ALTERED, INCOMPLETE, UNSIGNED = 1, 2, 3


def is_note(body: dict[str, Any]) -> bool:
    return bool(body["data"]["type"] == "note_sent")


def test_a_byte_in_a_body_is_found_and_the_event_named(filled: Filled) -> None:
    """Without touching anything else; with the manifest made anew; and with every hash of the index made anew."""
    forged = Forged(filled.bundles["all"])
    number = forged.at(is_note)
    position, stream, version = forged.index()[number][:3]
    forged.change(number, b'"medium":"hand_written"', b'"medium":"hand_writteN"')
    named = f"event {position} (note_sent, version {version} of {stream})"
    for bundle in (forged.zip(), Forged(forged.zip()).listed_anew()):
        report = checked(bundle, filled.key)
        assert ALTERED == report.status
        assert any(f"{named}: its hash does not follow" in f.sentence for f in report.ordered())
    forged.rehash()
    status, sentence = verdict(forged.listed_anew(), filled.key)
    # Among the events of two checkpoints is as near as anybody can come who has no hash that he may believe.
    assert (ALTERED, True) == (
        status,
        f"events {filled.sizes[0] + 1} to" in sentence and "first other one is among" in sentence,
    )


def test_a_byte_in_a_hash_is_found_and_the_event_named(filled: Filled) -> None:
    forged = Forged(filled.bundles["one"])
    rows = forged.index()
    rows[3][3] = "0" * 64
    forged.put_index(rows)
    status, sentence = verdict(forged.listed_anew(), filled.key)
    assert (ALTERED, True) == (status, sentence.startswith(f"event {rows[3][0]} ("))


def test_an_event_that_is_taken_out_is_named(filled: Filled) -> None:
    """From the middle, without and with a hash in its place; the newest; and all of a lead's events."""
    lead = str(filled.leads[1])
    middle = Forged(filled.bundles["one"])
    number = next(n for n, row in enumerate(middle.index()) if row[1:3] == [lead, 4])
    (position, *_), body = middle.index()[number], middle.lines("events.ndjson")[number]
    middle.remove(number)
    report = checked(Forged(middle.zip()).listed_anew(), filled.key)
    found = [finding.sentence for finding in report.ordered()]
    assert INCOMPLETE == report.status
    assert any(f"event {position} is missing: neither it is here nor a hash in its place" in each for each in found)
    assert any("version 4 is missing before event" in each for each in found)
    put_hash(middle, position, body)
    status, sentence = verdict(middle.listed_anew(), filled.key)
    assert (INCOMPLETE, True) == (status, "version 4 is missing before event" in sentence), sentence

    tail = Forged(filled.bundles["one"])
    rows = tail.index()
    number = max(n for n, row in enumerate(rows) if row[1] == lead)
    body = tail.lines("events.ndjson")[number]
    tail.remove(number)
    put_hash(tail, rows[number][0], body)
    status, sentence = verdict(tail.listed_anew(), filled.key)
    assert (INCOMPLETE, f"{lead}: version {rows[number][2]} is missing") == (status, sentence.partition(", and")[0])

    whole = Forged(filled.bundles["some"])
    gone = [n for n, row in enumerate(whole.index()) if row[1] == lead]
    bodies = [(whole.index()[n][0], whole.lines("events.ndjson")[n]) for n in gone]
    whole.remove(*gone)
    for position, body in bodies:
        put_hash(whole, position, body)
    status, sentence = verdict(whole.listed_anew(), filled.key)
    assert (INCOMPLETE, f"{lead}: version 1 is missing") == (status, sentence.partition(", and")[0])


def put_hash(forged: Forged, position: int, body: bytes) -> None:
    """Put the hash of an event into the tree, in its place, as an exporter does for events that are not asked for."""
    from workflows.merkle import leaf_hash

    line = b'[0,%d,"%s"]\n' % (position - 1, leaf_hash(body[:-1]).hex().encode())

    def begins(each: bytes) -> int:
        level, number, _ = each.strip(b"[]\n").split(b",")
        return int(number) << int(level)

    forged.put("tree.ndjson", sorted([*forged.lines("tree.ndjson"), line], key=begins))


def test_an_event_missing_from_the_whole_log_or_a_range_is_named(filled: Filled) -> None:
    """Even with a hash in its place: the bundle is to hold it."""
    for name in ("all", "range"):
        forged = Forged(filled.bundles[name])
        number = next(n for n, row in enumerate(forged.index()) if row[0] == 50)
        body = forged.lines("events.ndjson")[number]
        forged.remove(number)
        put_hash(forged, 50, body)
        report = checked(forged.listed_anew(), filled.key)
        assert INCOMPLETE == report.status
        assert any("event 50 is missing: there is only a hash instead" in f.sentence for f in report.ordered())


def swap_bodies(forged: Forged) -> None:
    """Two events of different leads change places, with all that names them."""
    rows, bodies = forged.index(), forged.lines("events.ndjson")
    rows[40][1:], rows[41][1:] = rows[41][1:], rows[40][1:]
    bodies[40], bodies[41] = bodies[41], bodies[40]
    forged.put_index(rows)
    forged.put("events.ndjson", bodies)


def swap_positions(forged: Forged) -> None:
    rows = forged.index()
    rows[40][0], rows[41][0] = rows[41][0], rows[40][0]
    forged.put_index(rows)


def many_reordered(forged: Forged) -> None:
    """All events dealt out anew, each history in its own order, so that every chain is as it was."""
    rows, bodies = forged.index(), forged.lines("events.ndjson")
    dealt = sorted(zip(rows, bodies, strict=True), key=lambda pair: (pair[0][2], pair[0][1]))
    assert [row for row, _ in dealt] != rows
    forged.put_index([[number, *row[1:]] for number, (row, _) in enumerate(dealt, start=1)])
    forged.put("events.ndjson", [body for _, body in dealt])


def insert(forged: Forged) -> None:
    """A second note is put in behind a lead's first, the later ones numbered anew, and every hash and position made right."""
    rows, bodies = forged.index(), forged.lines("events.ndjson")
    number = forged.at(is_note)
    stream = rows[number][1]
    rows.insert(number + 1, list(rows[number]))
    bodies.insert(number + 1, bodies[number])
    for behind in range(number + 1, len(rows)):
        rows[behind][0] += 1
        if rows[behind][1] == stream:
            bodies[behind] = numbered(bodies[behind], rows[behind][2] + 1)
            rows[behind][2] += 1
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert len({tuple(row[1:3]) for row in rows}) == len(rows)
    forged.put_index(rows)
    forged.put("events.ndjson", bodies)
    forged.rehash()


def numbered(body: bytes, version: int) -> bytes:
    """Return a body with another version: the last of its fields."""
    changed, times = re.subn(rb'"version":\d+\}\n$', b'"version":%d}\n' % version, body)
    assert times == 1, body
    return changed


def older_checkpoint(forged: Forged) -> None:
    """The newest checkpoint gives way to an earlier one, whose signature is right."""
    import json

    first = json.loads(forged.lines("checkpoints.ndjson")[0])["note"]
    forged.files["checkpoint.note"] = first.encode()
    forged.files["checkpoints.ndjson"] = b""


def old_checkpoint(forged: Forged) -> None:
    """An old checkpoint says another size."""
    lines = forged.lines("checkpoints.ndjson")
    name, size, rest = lines[0].split(b"\\n", 2)
    forged.put("checkpoints.ndjson", [b"\\n".join((name, b"1" + size, rest)), *lines[1:]])


def playbook(forged: Forged) -> None:
    name = next(name for name in forged.files if name.startswith("playbooks/"))
    forged.files[name] = forged.files[name].replace(b'"stale_after_days":90', b'"stale_after_days":91')


def renamed_playbook(forged: Forged) -> None:
    """An edited playbook under the name that its own digest gives it: the one that events pin is missing then."""
    import hashlib

    name = next(name for name in forged.files if name.startswith("playbooks/"))
    edited = forged.files.pop(name).replace(b'"stale_after_days":90', b'"stale_after_days":91')
    forged.files[f"playbooks/{hashlib.sha256(edited).hexdigest()}.json"] = edited


def opened_text(forged: Forged) -> None:
    forged.files["opened.ndjson"] = forged.files["opened.ndjson"].replace(b"tomatoes", b"potatoes", 1)


def strange_text(forged: Forged) -> None:
    """A text with a commitment that fits, and that no event has."""
    import hashlib
    import json

    line = json.loads(forged.lines("opened.ndjson")[0]) | {"salt": "00", "text": "you hate us"}
    line["commitment"] = hashlib.sha256(b"\x00you hate us").hexdigest()
    raw = json.dumps(line, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    forged.put("opened.ndjson", sorted([*forged.lines("opened.ndjson"), raw]))


def text_removed(forged: Forged) -> None:
    forged.put("opened.ndjson", forged.lines("opened.ndjson")[1:])


def heads_removed(forged: Forged) -> None:
    del forged.files["leads.ndjson"]


def line_of_lead_removed(forged: Forged) -> None:
    forged.put("leads.ndjson", forged.lines("leads.ndjson")[1:])


def head_lowered(forged: Forged) -> None:
    """A lead's head with the version before the last."""
    forged.files["leads.ndjson"] = re.sub(rb'"version":\d+', b'"version":3', forged.files["leads.ndjson"], count=1)


def tree_cut(forged: Forged) -> None:
    forged.put("tree.ndjson", forged.lines("tree.ndjson")[:-1])


def tree_longer(forged: Forged) -> None:
    forged.put("tree.ndjson", [*forged.lines("tree.ndjson"), forged.lines("tree.ndjson")[-1]])


def bodies_cut(forged: Forged) -> None:
    forged.put("events.ndjson", forged.lines("events.ndjson")[:-1])


def signed_elsewhere(forged: Forged) -> None:
    """A newest checkpoint without any signature of the key."""
    note = forged.files["checkpoint.note"].decode()
    forged.files["checkpoint.note"] = note.replace("— example.com/thaw ", "— example.com/else ").encode()


@pytest.mark.parametrize(
    ("name", "change", "status", "sentence"),
    [
        ("all", swap_bodies, ALTERED, "is over other events than these"),
        ("all", many_reordered, ALTERED, "is over other events than these"),
        ("all", swap_positions, ALTERED, "event 41 does not stand behind event 42"),
        ("all", insert, ALTERED, "is over other events than these"),
        ("one", older_checkpoint, ALTERED, "stands behind the"),
        ("one", old_checkpoint, ALTERED, "checkpoints.ndjson: the signature of example.com/thaw"),
        ("one", playbook, ALTERED, "is not the playbook that its name is the digest of"),
        ("one", renamed_playbook, INCOMPLETE, "is not in the bundle"),
        ("all", opened_text, ALTERED, "is not what the log committed to"),
        ("all", strange_text, INCOMPLETE, "is here, and no event of it that commits to it"),
        ("all", text_removed, INCOMPLETE, "a text that it commits to is not here"),
        ("one", heads_removed, INCOMPLETE, "leads.ndjson is missing"),
        ("some", line_of_lead_removed, INCOMPLETE, "nothing says that they are all"),
        ("one", head_lowered, ALTERED, "does not prove its newest event"),
        ("one", tree_cut, INCOMPLETE, "is missing: neither it is here nor a hash in its place"),
        ("one", tree_longer, ALTERED, "tree.ndjson has more lines than the tree has room for"),
        ("one", bodies_cut, INCOMPLETE, "events.ndjson ends before index.ndjson does"),
        ("one", signed_elsewhere, UNSIGNED, "is not signed by the key given"),
    ],
)
def test_a_forgery_is_found(filled: Filled, name: str, change: Callable[[Forged], None], status: int, sentence: str) -> None:
    """Each with a manifest, a seal and, where it matters, hashes that fit."""
    forged = Forged(filled.bundles[name])
    change(forged)
    report = checked(forged.listed_anew(), filled.key)
    found = [finding.sentence for finding in report.ordered()]
    assert status == report.status, found
    assert any(sentence in each for each in found), found


@pytest.mark.parametrize("change", [swap_bodies, playbook, lambda forged: forged.files.update({"FORMAT.txt": b"trust me"})])
def test_a_signed_manifest_holds_whatever_it_lists(filled: Filled, change: Callable[[Forged], None]) -> None:
    """With the manifest as it was signed any change is one to what it lists; with another one its signature does not fit."""
    forged = Forged(filled.bundles["all"])
    change(forged)
    found = [f.sentence for f in checked(forged.zip(), filled.key).ordered()]
    assert any("is not what the manifest says" in each for each in found), found
    note = forged.files["manifest.note"]
    again = Forged(forged.listed_anew())
    again.files["manifest.note"] = note
    report = checked(again.zip(), filled.key)
    assert ALTERED == report.status
    assert "manifest.note is not over this manifest" in [f.sentence for f in report.ordered()]


def test_another_key_signs_nothing_here(filled: Filled, tmp_path: Path) -> None:
    """A forger who signs the whole forged log with a key of the same name is found out by the key that was handed over."""
    forged = Forged(filled.bundles["all"])
    strange = forged.sign_whole(tmp_path)
    bundle = forged.listed_anew()
    status, sentence = verdict(bundle, filled.key)
    assert (UNSIGNED, True) == (status, "is not signed by the key given" in sentence)
    status, sentence = verdict(bundle, "")
    assert (UNSIGNED, True) == (status, "no key was given" in sentence)
    assert 0 == verdict(bundle, strange)[0]


def test_who_has_the_key_too_is_found_by_a_checkpoint_kept_elsewhere(filled: Filled) -> None:
    """A rewritten log that the operator signs anew contradicts what was kept, which bounds the first other event."""
    forged = Forged(filled.bundles["all"])
    number = forged.at(is_note)
    position = forged.index()[number][0]
    # Another rep, in all that names him: the decision still follows from what was recorded.
    forged.change(number, b"rep:dan", b"rep:bob")
    forged.rehash()
    forged.sign_whole(filled.home)
    bundle = forged.listed_anew()
    found = checked(bundle, filled.key).ordered()
    # Nothing else is wrong with it; whoever forges more makes the heads anew as well.
    assert [True] == ["has other heads than the streams had" in finding.sentence for finding in found]
    later = next(size for size in filled.sizes if size >= position)
    kept = filled.notes[filled.sizes.index(later)]
    status, sentence = verdict(bundle, filled.key, kept=(kept,))
    assert (ALTERED, True) == (status, f"the checkpoint of {later} events kept elsewhere is over other events" in sentence)


def test_a_kept_checkpoint_of_somebody_else_is_not_believed(filled: Filled, tmp_path: Path) -> None:
    forged = Forged(filled.bundles["all"])
    forged.sign_whole(tmp_path)
    strange = forged.files["checkpoint.note"].decode()
    status, sentence = verdict(filled.bundles["all"], filled.key, kept=(strange,))
    assert (UNSIGNED, True) == (status, "kept elsewhere is not signed by the key given" in sentence)
