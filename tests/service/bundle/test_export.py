"""What is exported verifies, by whoever asks, and says how far it reaches; what cannot be exported is refused in a sentence."""

import errno
import hashlib
import io
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.submit import Submission, stage
from models import playbooks
from models.database import DatabaseUnavailableError, ModelError, make_engine, transaction
from service.bundle import archive, verify
from service.bundle import export as export_module
from service.bundle.archive import BundleError
from service.bundle.selection import Chosen, Selection
from service.calendars import freeze_calendar
from service.keys import KeyFiles
from service.notary import Notary
from service.settings import Settings
from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked, verdict
from tests.service.bundle.office import ALL, HORIZON, Office, leads_of
from workflows import commands as c
from workflows.calendars import Absence
from workflows.codec import canonical, chain_hash
from workflows.limits import Layers
from workflows.merkle import Span
from workflows.rep import rep_id

NO_KEY = KeyFiles(Settings(home="/nonexistent"))


@pytest.mark.parametrize("name", ["one", "some", "range", "all"])
def test_a_bundle_verifies(filled: Filled, name: str) -> None:
    """One lead, several, a range and the whole log: nothing is wrong, and decisions are made again."""
    report = checked(filled.bundles[name], filled.key)
    assert (0, []) == (report.status, report.ordered())
    said = "\n".join(report.checked)
    assert f"every event stands at its position among the {filled.size} of the checkpoint" in said
    assert "made again" in said
    assert {"one": 1, "some": 4}.get(name, 0) == said.count("and no others")


def test_the_whole_log_says_what_it_does_not_derive(filled: Filled) -> None:
    """Of the whole log only plans and heads are not made again."""
    report = checked(filled.bundles["all"], filled.key)
    left = [line for line in report.unchecked if line.startswith("what ")]
    assert ["they plan a day", "they record the heads of streams"] == [line.partition(": ")[2] for line in left]


def test_the_file_alone_verifies_under_a_bare_python(filled: Filled, tmp_path: Path) -> None:
    """The verify.py that lies in the bundle needs no package, no folder and no environment."""
    path = tmp_path / "b.zip"
    path.write_bytes(filled.bundles["one"])
    (tmp_path / "verify.py").write_bytes(Forged(filled.bundles["one"]).files["verify.py"])
    command = [sys.executable, "-I", "-S", "-W", "error", "verify.py", "b.zip", "--key", filled.key, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, check=False)
    assert (0, b"") == (done.returncode, done.stderr)
    assert "fine" == json.loads(done.stdout)["verdict"]


def test_any_subset_verifies(office: Office, tmp_path: Path) -> None:
    """Whichever leads or positions are asked for."""
    size = office.ask("SELECT position FROM log_head")[0][0]

    @settings(max_examples=12, deadline=None, database=None)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        if data.draw(st.booleans(), label="leads"):
            selection = leads_of(*data.draw(st.lists(st.sampled_from(office.leads), min_size=1, unique=True)))
        else:
            first = data.draw(st.integers(1, size))
            selection = Selection(kind="range", first=first, last=data.draw(st.integers(first, size)))
        bundle = office.bundle(selection, tmp_path / "b.zip", opened=data.draw(st.booleans(), label="opened"))
        assert (0, "") == verdict(bundle, office.key)

    holds()


@given(st.lists(st.integers(1, 60), unique=True), st.sets(st.integers(0, 70)), st.integers(60, 64))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_not_in_a_bundle_is_covered_once(positions: list[int], cuts: set[int], size: int) -> None:
    """Events and spans together are every leaf once, in order, and no span reaches over a cut."""
    chosen = Chosen([sorted(positions)], size)
    spans = list(chosen.between(cuts))
    covered = sorted([leaf for span in spans for leaf in range(*span)] + [position - 1 for position in positions])
    assert list(range(size)) == covered
    assert spans == sorted(spans)
    assert not any(span.begin < cut < span.end for span in spans for cut in cuts)
    assert all(chosen.holds(position) is (position in positions) for position in range(1, size + 1))


def test_a_range_and_what_it_rests_on_are_one_order() -> None:
    """A run before a range, and the range."""
    chosen = Chosen([[2, 3, 7], range(10, 15)], 20)
    assert [Span(0, 1), Span(3, 6), Span(7, 9), Span(14, 20)] == list(chosen.between(()))
    assert (8, True, False) == (len(chosen), chosen.holds(12), chosen.holds(8))


def test_what_is_not_covered_is_signed_first(office: Office, tmp_path: Path) -> None:
    """With a key at hand heads and a checkpoint are made when anything came since, and not otherwise."""
    count = "SELECT count(*) FROM checkpoints"
    known = office.ask(count)[0][0]
    lead = office.leads[1]
    for selection in (leads_of(lead), ALL, Selection(kind="range", first=1, last=9)):
        office.export(selection, tmp_path / "b.zip")
        assert known == office.ask(count)[0][0]
    office.now += timedelta(days=1)
    office.hand_in(office.leads[2], c.AnswerImportance(importance=3))
    made = office.export(leads_of(lead), tmp_path / "b.zip")
    assert known + 1 == office.ask(count)[0][0]
    assert (made.checkpoint, 0) == (made.heads and made.heads + 1, made.behind)
    report = checked((tmp_path / "b.zip").read_bytes(), office.key)
    assert (0, False) == (report.status, any("whether events of these leads are missing" in line for line in report.unchecked))
    office.hand_in(lead, c.AnswerImportance(importance=3))
    office.export(ALL, tmp_path / "b.zip")
    assert known + 2 == office.ask(count)[0][0]


def test_without_a_key_the_newest_checkpoint_is_taken_and_the_rest_counted(office: Office, tmp_path: Path) -> None:
    """What came after it is not in the bundle; events behind the heads are, and the verifier says what that means."""
    lead = office.leads[1]
    office.now += timedelta(days=1)
    office.hand_in(lead, c.AnswerImportance(importance=3))
    office.checkpoint()
    office.hand_in(lead, c.AnswerImportance(importance=2))
    made = office.export(leads_of(lead), tmp_path / "b.zip", keys=NO_KEY)
    assert (1, False) == (made.behind, made.signed)
    report = checked((tmp_path / "b.zip").read_bytes(), office.key)
    assert 0 == report.status
    assert any(line.endswith("and no others, and 1 event since") for line in report.checked)
    assert any("the manifest is not signed" in line for line in report.unchecked)
    whole = office.export(ALL, tmp_path / "b.zip", keys=NO_KEY)
    assert (1, made.checkpoint) == (whole.behind, whole.events)


def test_heads_that_are_older_than_the_checkpoint_leave_a_question(office: Office, tmp_path: Path) -> None:
    """What happened to other leads between heads and checkpoint hides behind hashes, and so might more of this one."""
    office.hand_in(office.leads[2], c.AnswerImportance(importance=2))
    office.checkpoint()
    bundle = office.bundle(leads_of(office.leads[1]), tmp_path / "b.zip", keys=NO_KEY)
    report = checked(bundle, office.key)
    assert 0 == report.status
    assert any("whether events of these leads are missing among" in line for line in report.unchecked)


@pytest.mark.parametrize(
    ("statement", "selection", "sentence"),
    [
        ("DELETE FROM checkpoints", "one", "nothing of the log is signed yet: run `thaw keys init`"),
        ("DELETE FROM checkpoints WHERE size > {sizes[0]}", "one", "no heads of streams are signed"),
        ("DELETE FROM checkpoints WHERE size > {sizes[1]}", "past", "and no key is here to sign one"),
        ("SELECT 1", 900, "the range cannot end at 900"),
        ("DELETE FROM events WHERE position = 90", 95, "no event 90"),
        ("DELETE FROM events WHERE position = 90", "one", "the log has no event"),
        ("DELETE FROM events WHERE position = {size}", "all", "the log has no event {size}"),
    ],
)
def test_what_cannot_be_proved_is_refused(
    office: Office, filled: Filled, tmp_path: Path, statement: str, selection: Any, sentence: str
) -> None:
    """Nothing signed, no heads, a range past what is signed or there, a hole in the log; and no file is left."""
    office.sql(statement.format(sizes=filled.sizes, size=filled.size))
    last = filled.sizes[1] + 1 if selection == "past" else selection
    asked = {"one": filled.one, "all": ALL}.get(str(selection)) or Selection(kind="range", first=80, last=last)
    with pytest.raises((BundleError, ModelError), match=sentence.format(size=filled.size)):
        office.export(asked, tmp_path / "b.zip", keys=NO_KEY)
    assert [] == list(tmp_path.iterdir())


def test_a_lead_that_came_after_what_is_signed_is_refused(office: Office, tmp_path: Path) -> None:
    """Its history cannot be proved complete."""
    lead = office.take_in(99)
    office.checkpoint()
    with pytest.raises(BundleError, match=f"lead {lead} came after what is signed"):
        office.export(leads_of(lead), tmp_path / "b.zip", keys=NO_KEY)


def test_a_full_disk_leaves_nothing(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the file nor a part of it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive.Member, "flush", full)
    with pytest.raises(OSError, match="No space left"):
        office.export(ALL, tmp_path / "b.zip")
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_is_there_stays(office: Office, tmp_path: Path) -> None:
    """It is replaced when that is asked for, and then by a whole bundle; only its owner may read it."""
    path = tmp_path / "b.zip"
    path.write_text("mine")
    with pytest.raises(BundleError, match="is there already"), archive.new_archive(path, force=False):
        pass
    assert "mine" == path.read_text()
    office.export(ALL, path)
    assert 0 == checked(path.read_bytes(), office.key).status
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    with pytest.raises(BundleError, match="is a folder"), archive.new_archive(tmp_path, force=True):
        pass


def test_kept_checkpoints_are_compared(office: Office, filled: Filled, tmp_path: Path) -> None:
    """The newest, one that the bundle has, one that it was asked to prove; and one that it cannot compare is named."""
    bundle = filled.bundles["one"]
    first, second, third = filled.notes
    assert (0, "") == verdict(bundle, filled.key, kept=(first, third))
    status, sentence = verdict(bundle, filled.key, kept=(second,))
    assert (2, True) == (status, f"the checkpoint of {filled.sizes[1]} events kept elsewhere cannot be compared" in sentence)
    assert (0, "") == verdict(filled.bundles["all"], filled.key, kept=filled.notes)
    kept = [verify.open_checkpoint(second, [])]
    asked = office.bundle(filled.one, tmp_path / "b.zip", kept=kept)
    report = checked(asked, filled.key, kept=(second,))
    assert 0 == report.status
    assert any(f"up to event {filled.sizes[1]}" in line for line in report.checked)


def test_a_checkpoint_from_the_future_says_that_events_are_missing(office: Office, filled: Filled, tmp_path: Path) -> None:
    """A kept note over more events than the bundle: it is older, or the log was put back to an earlier dump."""
    size = filled.sizes[-1]
    office.sql("DELETE FROM events WHERE position > :size", size=size)
    office.sql("DELETE FROM checkpoints WHERE size > :size", size=size)
    office.sql("UPDATE log_head SET position = :size", size=size)
    bundle = office.bundle(ALL, tmp_path / "b.zip", keys=NO_KEY)
    assert (0, "") == verdict(bundle, filled.key)
    later = Forged(filled.bundles["all"]).files["checkpoint.note"].decode()
    status, sentence = verdict(bundle, filled.key, kept=(later,))
    assert (2, True) == (status, f"is over {filled.size} events, and that of the bundle over {size}" in sentence)


def test_a_key_that_was_replaced_vouches_up_to_its_end(office: Office, tmp_path: Path) -> None:
    """The checkpoint in between carries both signatures; behind it only the new key signs, and the verifier is given both."""
    home = tmp_path / "home"
    shutil.copytree(office.keys.path.parent, home / "keys")
    keys = KeyFiles(Settings(home=str(home)))
    old, new = (str(key) for key in keys.rotate())
    for both in (True, False):
        office.now += timedelta(days=1)
        office.hand_in(office.leads[1], c.AnswerImportance(importance=3))
        bundle = office.bundle(leads_of(office.leads[1]), tmp_path / "b.zip", keys=keys)
        assert 0 == verdict(bundle, new)[0]
        assert (0 if both else 3) == verdict(bundle, old)[0]
    report = checked(bundle, new)
    assert any("who signed 1 earlier checkpoint: no key given here did" in line for line in report.unchecked)
    known = [verify.parse_key(old), verify.parse_key(new)]
    assert not any("who signed" in line for line in verify.check(io.BytesIO(bundle), known, []).unchecked)


def test_a_log_that_goes_on_under_another_name_verifies(office: Office, tmp_path: Path) -> None:
    """Somebody lost the key and made one for another name: what was signed before is proved where it was kept."""
    kept = [verify.open_checkpoint(office.notes[-1], [])]
    keys = KeyFiles(Settings(home=str(tmp_path / "home")))
    new = str(keys.init("example.com/other"))
    office.hand_in(office.leads[1], c.AnswerImportance(importance=3))
    bundle = office.bundle(leads_of(office.leads[1]), tmp_path / "b.zip", keys=keys, kept=kept)
    assert (0, "") == verdict(bundle, new)
    known = [verify.parse_key(office.key), verify.parse_key(new)]
    outside = [verify.open_checkpoint(office.notes[-1], known)]
    report = verify.check(io.BytesIO(bundle), known, outside)
    assert 0 == report.status
    assert any("the checkpoints kept elsewhere said" in line for line in report.checked)


def test_a_lead_that_was_expected_must_be_there(filled: Filled) -> None:
    """Whoever asked for a lead can say so; a range never proves one."""
    asked = str(filled.leads[1])
    for name, status in (("one", 0), ("some", 0), ("all", 0), ("range", 2)):
        assert status == checked(filled.bundles[name], filled.key, leads=[asked]).status
    status, sentence = verdict(filled.bundles["one"], filled.key, leads=[str(filled.leads[2])])
    assert (2, f"{filled.leads[2]} is to be in the bundle with its whole history, and is not") == (status, sentence)


def test_erased_texts_are_named_and_the_bundle_verifies(office: Office, filled: Filled, tmp_path: Path) -> None:
    """After an erasure that is in the log the texts are missing rightly; without one in the log, that is a finding."""
    lead = filled.leads[1]
    office.sql("DELETE FROM documents WHERE lead_id = :id", id=lead)
    office.sql("DELETE FROM contacts WHERE lead_id = :id", id=lead)
    status, sentence = verdict(office.bundle(filled.one, tmp_path / "b.zip", opened=True), filled.key)
    assert (2, True) == (status, "a text that it commits to is not here, and no erasure of it either" in sentence)
    office.hand_in(lead, c.EraseLead(reason=office.keep(lead, "operator_reason", "They asked us to.")), who="ops:ann")
    office.hand_in(lead, c.QueueRevival())
    report = checked(office.bundle(filled.one, tmp_path / "b.zip", opened=True), filled.key)
    assert (0, []) == (report.status, report.ordered())
    assert any(line.endswith("erased, as the log says") for line in report.unchecked)
    assert "1 text as the log committed to them" in report.checked
    assert 0 == checked(filled.bundles["one"], filled.key).status


@pytest.mark.parametrize("chosen", ["one", "all"])
def test_texts_that_go_meanwhile_are_not_called_missing(
    office: Office, filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    """Erased behind the newest checkpoint: with a key it is signed anew; without one there is no bundle that accuses."""
    lead, selection, path = filled.leads[1], filled.one if chosen == "one" else ALL, tmp_path / "b.zip"
    make = Notary.make

    def erased_behind(notary: Notary, *, wait: bool) -> object:
        made = make(notary, wait=wait)
        if not office.ask("SELECT FROM events WHERE type = 'lead_erased'"):
            office.hand_in(lead, c.EraseLead(reason=office.keep(lead, "erasure_reason", "They asked us to.")), who="ops:ann")
        return made

    office.hand_in(lead, c.AnswerImportance(importance=3))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Notary, "make", erased_behind)
        bundle = office.bundle(selection, path, opened=True)
    report = checked(bundle, office.key)
    assert (0, []) == (report.status, report.ordered())
    assert any(line.endswith("erased, as the log says") for line in report.unchecked)


@pytest.mark.parametrize("chosen", ["one", "all"])
def test_texts_that_went_behind_the_last_checkpoint_are_not_exported_without_a_key(
    office: Office, filled: Filled, tmp_path: Path, chosen: str
) -> None:
    """Nor while a message waits that brings contact data, or is dead; without texts, and of others, there is a bundle."""
    lead, selection, path = filled.leads[1], filled.one if chosen == "one" else ALL, tmp_path / "b.zip"
    waiting = uuid4()
    with transaction(office.engine) as connection:
        new = c.UpdateContact(contact=office.contact(lead, 1, phone="+15550009"), modes=("call",))
        stage(connection, [Submission(id=waiting, stream_id=lead, command=new, asked_by="import")], now=office.now, rung=False)
    for outcome in ("'dead', settled_at = now()", "NULL, settled_at = NULL"):
        with transaction(office.engine) as connection:
            connection.exec_driver_sql(f"UPDATE messages SET outcome = {outcome} WHERE id = '{waiting}'")
        with pytest.raises(BundleError, match="1 message with new contact data waits for a worker, or is dead, and no event"):
            office.export(selection, path, opened=True)
    office.work()
    with pytest.raises(BundleError, match="somebody was erased, or contact data replaced, behind the newest checkpoint"):
        office.export(selection, path, opened=True, keys=NO_KEY)
    assert not path.exists()
    assert 0 == checked(office.bundle(selection, path, keys=NO_KEY), office.key).status
    assert 0 == checked(office.bundle(leads_of(filled.leads[2]), path, opened=True, keys=NO_KEY), office.key).status
    report = checked(office.bundle(selection, path, opened=True), office.key)
    assert (0, []) == (report.status, report.ordered())


def test_contact_data_of_a_refused_update_behind_the_last_checkpoint_is_as_new_as_any(
    office: Office, filled: Filled, tmp_path: Path
) -> None:
    """The CRM gave a last contact of 1960: the lead refuses that, and the data that came with it is kept all the same."""
    lead, path = filled.leads[1], tmp_path / "b.zip"
    new = c.UpdateContact(contact=office.contact(lead, 1, phone="+15550009"), last_contact_on=date(1960, 1, 1))
    office.hand_in(lead, new, who="import")
    with pytest.raises(BundleError, match="contact data replaced, behind the newest checkpoint"):
        office.export(filled.one, path, opened=True, keys=NO_KEY)
    report = checked(office.bundle(filled.one, path, opened=True), office.key)
    assert (0, []) == (report.status, report.ordered())
    assert "2 texts: contact data that newer data replaced" in report.unchecked
    office.hand_in(lead, c.UpdateContact(contact=office.contact(lead, 1, phone="+15550010")), who="import")
    for chosen in (filled.one, ALL):
        assert 0 == checked(office.bundle(chosen, path, opened=True), office.key).status


def test_the_words_of_reps_are_said_to_be_left_out(office: Office, filled: Filled, tmp_path: Path) -> None:
    """A lead's decisions name a calendar that was frozen with a reason: the bundle of the lead lacks it, and says just that."""
    with transaction(office.engine) as connection:
        playbook = playbooks.newest_playbook(connection, "five-five-five")
    assert playbook
    away = (Absence(first=date(2026, 2, 9), last=date(2026, 2, 9)),)
    calendar = freeze_calendar("US", "", "America/New_York", *HORIZON, absences=away)
    words = office.keep(rep_id("dan"), "operator_reason", "He trains the new ones.")
    layers = Layers(base=playbook.id, digest=playbook.pin.digest, why=words)
    office.hand_in(rep_id("dan"), c.SetCalendar(rep="dan", calendar=calendar, playbook=playbook.id, layers=layers))
    office.hand_in(filled.leads[1], c.Hold(reason="manual"))
    said = "1 text: the words of reps, which a bundle of leads does not hold"
    report = checked(office.bundle(filled.one, tmp_path / "b.zip", opened=True), filled.key)
    assert (0, True) == (report.status, said in report.unchecked), report.unchecked
    assert not any("range" in line for line in report.unchecked), report.unchecked
    # In a bundle of everything the words are there, and missed where they are not.
    forged = Forged(office.bundle(ALL, tmp_path / "b.zip", opened=True))
    assert (0, "") == verdict(forged.listed_anew(), filled.key)
    forged.put("opened.ndjson", [line for line in forged.lines("opened.ndjson") if b"trains" not in line])
    status, sentence = verdict(forged.listed_anew(), filled.key)
    assert (2, True) == (status, "a text that it commits to is not here" in sentence)


def test_an_event_of_a_kind_to_come_is_left_open(office: Office, filled: Filled, tmp_path: Path) -> None:
    """It stands at its place and in its chain; what it followed from, this verifier does not know."""
    append_raw(office, filled.leads[1], {"type": "lead_dreamt_of"})
    report = checked(office.bundle(filled.one, tmp_path / "b.zip"), filled.key)
    assert (0, []) == (report.status, report.ordered())
    assert any("kinds that this verifier does not know" in line for line in report.unchecked)


def append_raw(office: Office, lead: Any, data: dict[str, Any]) -> None:
    """Append an event of a kind that this release does not know, as a later one would."""
    last = office.ask("SELECT * FROM events WHERE stream_id = :id ORDER BY version DESC LIMIT 1", id=lead)[0]._asdict()
    body = json.loads(last["body"]) | {"data": data, "row": None, "command": None, "used": None, "version": last["version"] + 1}
    body["message_id"] = "00000000-0000-0000-0000-00000000000f"
    body["effects"] = {"armed": {}, "cancelled": [], "frozen": None, "released": [], "reserved": [], "used": []}
    raw = canonical(body)
    office.sql(
        "INSERT INTO events SELECT :position, stream_id, version + 1, :type, schema, :body, occurred_at, recorded_at, "
        ":message, actor, correlation_id, causation_id, playbook, :hash FROM events WHERE position = :last",
        position=office.ask("SELECT position + 1 FROM log_head")[0][0], type=data["type"], body=raw.decode(),
        message=body["message_id"], hash=chain_hash(last["hash"], raw), last=last["position"],
    )  # fmt: skip
    office.sql("UPDATE log_head SET position = position + 1")


def test_an_export_is_recorded_before_it_leaves(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, what, which file and why; what cannot be recorded does not leave."""
    path = tmp_path / "b.zip"
    made = office.export(leads_of(office.leads[1]), path, by="ops:ann", reason="The court asked.", opened=True)
    (found,) = office.ask("SELECT body FROM events WHERE position = :position", position=made.recorded)
    data = json.loads(found.body)["data"]
    assert ("records_exported", hashlib.sha256(path.read_bytes()).hexdigest()) == (data["type"], data["digest"])
    assert (path.stat().st_size, [str(office.leads[1])], True) == (data["size_bytes"], data["leads"], data["opened"])
    assert 0 == checked(office.bundle(ALL, path, opened=True), office.key).status
    path.unlink()

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("PostgreSQL is not reachable")

    monkeypatch.setattr(export_module, "record_export", away)
    with pytest.raises(DatabaseUnavailableError):
        office.export(ALL, path, by="ops:ann")
    assert [] == list(tmp_path.iterdir())


def test_an_auditors_login_exports_what_it_may_read(office: Office, filled: Filled, tmp_path: Path) -> None:
    """Without a trace of its own in the log, to which it cannot write, and personal data only where it is opened to it."""
    path = tmp_path / "b.zip"
    with as_role(office, "thaw_auditor") as auditor:
        made = auditor.export(filled.some, path, keys=NO_KEY, by="ops:ann")
        assert (None, 0) == (made.recorded, checked(path.read_bytes(), filled.key).status)
        with pytest.raises(BundleError, match="this login may not read personal data"):
            auditor.export(filled.some, path, keys=NO_KEY, opened=True)
    with as_role(office, "thaw_auditor", "thaw_auditor_opened") as auditor:
        assert auditor.export(filled.some, path, keys=NO_KEY, opened=True).texts


@contextmanager
def as_role(office: Office, *roles: str) -> Iterator[Office]:
    """Yield the office for a login that has *roles* and nothing else."""
    login = f"auditor_{uuid4().hex}"
    office.sql(f"CREATE ROLE {login} LOGIN PASSWORD '{login}' IN ROLE {', '.join(roles)}")
    engine = make_engine(office.engine.url.set(username=login, password=login).render_as_string(hide_password=False))
    try:
        yield replace(office, engine=engine)
    finally:
        engine.dispose()
        office.sql(f"DROP ROLE {login}")


def test_the_same_log_gives_the_same_bundle(office: Office, tmp_path: Path) -> None:
    """Nothing of the machine and no clock but the service's goes into it."""
    first = office.bundle(ALL, tmp_path / "a.zip")
    second = office.bundle(ALL, tmp_path / "b.zip")
    assert first == second
    shutil.rmtree(tmp_path)


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Whoever else took the name while the bundle was written keeps it, and nothing of the bundle is left behind."""
    path = tmp_path / "bundle.zip"

    def bundle() -> None:
        with archive.new_archive(path, force=False) as made:
            made.add("FORMAT.txt", b"")
            made.seal()
            path.write_text("of others")

    with pytest.raises(BundleError, match="is there already"):
        bundle()
    assert [("bundle.zip", "of others")] == [(file.name, file.read_text()) for file in tmp_path.iterdir()]


def test_a_bundle_is_on_the_disk_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says who got it: so it is not lost with the power behind that."""
    synced: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(
        archive, "sync_folder", lambda folder: synced.append((folder, [file.name for file in folder.iterdir()]))
    )
    with archive.new_archive(tmp_path / "bundle.zip", force=False) as made:
        made.seal()
    assert [(tmp_path, ["bundle.zip"])] == synced
