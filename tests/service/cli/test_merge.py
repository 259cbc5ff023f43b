"""``thaw merge``: a duplicate ends in another lead, and every way to it leads on, or says where."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from service.cli import main
from service.pepper import fill_keys
from service.settings import Settings
from tests.service.imports.office import MAPPING, Office, office, row
from tests.service.world import MONDAY, World
from workflows.events import event_type

__all__ = ["office"]

ANN = ("--as", "manager:ann")


@pytest.fixture
def two(world: World) -> World:
    """Ada as V-0000 and, with another address, as V-0001; dan has written to the second. Cora is V-0002."""
    world.rep()
    world.take_in(person={"name": "Ada Amberfield", "email": "ada@new.example"})
    world.take_in(person={"name": "A. Amberfield", "email": "ada@old.example"})
    world.take_in(person={"name": "Cora Cinderwell", "email": "cora@example.com"})
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0001", "--text", "Dear Ada", "--override", "It is what this test begins with.")
    return world


@pytest.fixture
def merged(two: World) -> World:
    """Ada's second lead is merged into the first."""
    with two.worker():
        two.ok("merge", "V-0001", "--into", "V-0000", *ANN)
    two.work()
    return two


def mail(world: World, raw: bytes) -> str:
    """Hand in a mail, and return what is said of it."""
    with world.worker():
        result = CliRunner().invoke(main, ["inbound"], input=raw, env=world.environ)
    assert result.exit_code == 0, result.output
    world.work()
    return result.output


def test_a_manager_merges_and_the_answer_says_where_the_person_goes_on(two: World) -> None:
    """Both halves stand in the log; the promised call is given up, with its slot."""
    with two.worker():
        assert "Only a manager can decide this" in two.refused(1, "merge", "V-0001", "--into", "V-0000")
        result = two.thaw("merge", "V-0001", "--into", "V-0000", *ANN)
        assert "the call that was promised for Tue 2026-01-13 ends with this lead; to go on with it" in result.stderr
        said = result.stdout
        assert "applied: lead_merged. A. Amberfield is dropped now; next: nothing: it was merged into lead" in said
        two.work()
    assert "duplicate_taken_in" == event_type(two.events(two.leads[0])[-1].data)
    assert (two.leads[0], None, ()) == (
        two.lead(two.leads[1]).merged_into, two.lead(two.leads[1]).call_on, two.lead(two.leads[1]).slots,
    )  # fmt: skip
    assert two.lead(two.leads[0]).last_touch_at is not None


def test_the_same_entry_again_gives_the_same_answer(two: World) -> None:
    """Whoever repeats what he does not know the fate of changes nothing more."""
    id_ = uuid4()
    with two.worker():
        first = two.ok("merge", "V-0001", "--into", "V-0000", *ANN, "--id", id_)
        assert first == two.ok("merge", "V-0001", "--into", "V-0000", *ANN, "--id", id_)
    assert 1 == [event_type(each.data) for each in two.events(two.leads[1])].count("lead_merged")


def test_what_cannot_be_merged_into_is_said_before_anything_is_kept(merged: World) -> None:
    """The lead itself, one that was merged, one that was erased, one that nobody knows."""
    assert "that is the lead itself" in merged.refused(2, "merge", "V-0002", "--into", "V-0002", *ANN)
    said = merged.refused(2, "merge", "V-0002", "--into", "V-0001", *ANN)
    assert "was merged into V-0000 (Ada Amberfield); name that lead instead" in said
    assert "no lead is known as 'V-9'" in merged.refused(2, "merge", "V-0002", "--into", "V-9", *ANN)
    merged.ok("erase", "V-0002", "--reason", "asked for it")
    said = merged.refused(2, "merge", "V-0000", "--into", merged.leads[2], *ANN)
    assert "nothing more is recorded about this person" in said


def test_what_people_record_on_a_merged_lead_names_the_other_one(merged: World) -> None:
    """Refused before it is kept, with the key to type; and along two merges the last one."""
    version = merged.lead(merged.leads[1]).version
    for typed in (
        ("note-sent", "V-0001", "--text", "Dear Ada"), ("reply", "V-0001", "--channel", "email"), ("queue", "V-0001"),
        ("merge", "V-0001", "--into", "V-0002", *ANN), ("law", "set", "V-0001", "--region", "US-NY"),
    ):  # fmt: skip
        assert "was merged into V-0000 (Ada Amberfield); name that lead instead" in merged.refused(2, *typed)
    assert version == merged.lead(merged.leads[1]).version
    with merged.worker():
        merged.ok("merge", "V-0000", "--into", "V-0002", *ANN)
    merged.work()
    said = merged.refused(2, "queue", "V-0001")
    assert "into V-0000 (Ada Amberfield), and that one into V-0002 (Cora Cinderwell); name the last one instead" in said


def test_an_objection_by_the_old_name_is_taken_and_passed_on(merged: World) -> None:
    """An opt-out is always accepted (T48)."""
    with merged.worker():
        merged.ok("opt-out", "V-0001", "--channel", "email")
        merged.work()
        merged.ok("opt-out", "V-0001")
    merged.work()
    assert ["do_not_contact"] * 2 == [merged.lead(id_).state for id_ in merged.leads[:2]]


def test_whoever_looks_at_either_lead_is_told_of_the_other(merged: World) -> None:
    """lead, replay, why, explain, history, leads; and their objects."""
    first, second = merged.leads[:2]
    for looked in (("lead", "V-0001"), ("replay", "V-0001"), ("why", "V-0001"), ("explain", "V-0001"), ("history", "V-0001")):
        shown = " ".join(merged.ok(*looked).split())
        assert f"merged into V-0000 (Ada Amberfield): the person goes on as that lead, {first}" in shown, looked
    with merged.worker():
        for looked in (("lead", "V-0000"), ("replay", "V-0000"), ("why", "V-0000"), ("explain", "V-0000")):
            shown = " ".join(merged.ok(*looked).split())
            assert f"took in V-0001 (A. Amberfield), whose history is a stream of its own: {second}" in shown, looked
    shown = merged.ok("leads", "--state", "dropped")
    assert "merged into V-0000" in shown
    assert shown.startswith("V-0001         A. Amberfield          dropped         since ")
    (listed,) = [each for each in merged.said("leads")["leads"] if each["merged_into"]]
    assert (str(second), str(first), "A. Amberfield") == (listed["lead_id"], listed["merged_into"], listed["name"])
    assert str(first) == merged.said("lead", "V-0001")["lead"]["merged_into"]
    said = merged.said("history", "V-0001")
    assert ("lead_merged", None) == (said["history"][-1]["event"], said["answer"])
    why = merged.ok("why", "V-0001")
    assert "the lead into which it was to be merged: not merged" in why
    assert "do not contact no" in why
    assert "staged it" in merged.ok("why", "V-0000")
    merged.at(MONDAY + timedelta(days=2))
    assert "it was merged into lead" in merged.ok("why-not", "V-0001", "--on", "2026-01-07")


def test_auditors_find_nothing_wrong(merged: World, tmp_path: Path) -> None:
    """verify, rederive, rebuild; and a bundle of either lead names the other until it has both."""
    merged.ok("opt-out", "V-0001", "--no-wait")
    merged.work()
    assert "nothing is wrong" in merged.ok("verify")
    for lead in ((), ("V-0001",), ("V-0000",)):
        assert 0 == merged.thaw("rederive", *(lead or ("--all",))).exit_code
    merged.ok("rebuild", "--reason", "a test")
    merged.ok("keys", "init", "--name", "example.com/thaw")
    path = tmp_path / "b.zip"
    said = merged.ok("export", "V-0000", "--reason", "an audit", "-o", path)
    assert "NOT in it: the history of V-0001 (A. Amberfield), the same person, as a merge says" in said
    assert [str(merged.leads[0])] == merged.said("export", "V-0001", "--reason", "an audit", "-o", path, "--force")["elsewhere"]
    assert [] == merged.said("export", "V-0001", "V-0000", "--reason", "an audit", "-o", path, "--force")["elsewhere"]
    key = said.rpartition("--key ")[2].strip()
    checked = merged.ok("verify-bundle", path, "--key", key)
    assert "merged into another, which was told what stands in its history" in " ".join(checked.split())


def test_an_erasure_names_the_leads_that_hold_the_same_person(merged: World) -> None:
    """From either side; with --all-of-them they go, too. The other lead is not contacted from the first one on."""
    said = merged.ok("erase", "V-0000", "--reason", "asked for it")
    assert "the same person, by a merge, is not erased: `thaw erase V-0001`" in said
    merged.work()
    assert "do_not_contact" == merged.lead(merged.leads[1]).state
    again = merged.said("erase", merged.leads[0], "--reason", "asked for it")
    assert [str(merged.leads[1])] == again["merged"]
    assert [] == merged.said("erase", "V-0001", "--reason", "asked for it")["merged"]
    assert merged.lead(merged.leads[1]).erased_at


def test_all_of_a_person_are_erased_at_once(merged: World) -> None:
    """By what only the duplicate is known by, too."""
    said = merged.said("erase", "V-0001", "--reason", "asked for it", "--all-of-them")
    assert {str(merged.leads[0]), str(merged.leads[1])} == {each["lead_id"] for each in said["erased"]}
    assert [] == said["merged"]


def test_mail_goes_to_the_lead_that_goes_on(merged: World) -> None:
    """An answer from the old address; an objection is recorded where the address is, and passed on."""
    fill_keys(Settings(home=merged.environ["THAW_HOME"]), merged.engine)
    answer = b"From: ada@old.example\r\nTo: dan@x.example\r\nMessage-ID: <1@old>\r\nSubject: Re: hello\r\n\r\nTell me more.\r\n"
    said = mail(merged, answer)
    first, second = merged.leads[:2]
    assert f"lead {second.hex[:12]} was merged into lead {first.hex[:12]}" in said
    assert "re_engaged" == merged.lead(first).state
    assert "dropped" == merged.lead(second).state
    objection = answer.replace(b"<1@old>", b"<2@old>").replace(b"Tell me more.", b"Please unsubscribe me.")
    assert "applied: channel_opted_out. A. Amberfield is dropped" in mail(merged, objection)
    assert [("email",), ("email",)] == [merged.lead(id_).modes_refused for id_ in (first, second)]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """What the columns of the exports mean."""
    path = tmp_path / "crm.toml"
    path.write_text(MAPPING)
    return path


def test_an_import_leads_on_to_the_lead_that_goes_on(world: World, office: Office, mapping: Path) -> None:
    """That the duplicate was won reaches the other lead; its contact data stays with it, and an unchanged row says nothing."""
    world.rep()
    rows = [row(1), row(2, name="A. Amberfield", email="ada@old.example", phone="+15550109999", street="2 Side St")]

    def taken_in(*options: str) -> Any:
        with world.worker():
            said = world.said("import", office.export(*rows), "--mapping", mapping, *options)
        world.work()
        return said

    taken_in()
    first, second = (id_ for (id_,) in office.ask("SELECT lead_id FROM contacts ORDER BY external_id"))
    with world.worker():
        world.ok("merge", "A-2", "--into", "A-1", *ANN)
    world.work()
    assert [] == taken_in()["merged"]
    rows[1] |= {"phone": "+15550101111"}
    (told,) = taken_in("--dry-run")["merged"]
    assert (3, "merged_lead", True) == (told["line"], told["code"], "was merged into A-1" in told["message"])
    assert "Merged: line 3: This lead was merged into A-1" in world.ok("import", office.export(*rows), "--mapping", mapping)
    world.work()
    assert ["contact_updated"] == [event_type(each.data) for each in world.events(second)][-1:]
    assert "queued" == world.lead(first).state
    rows[1] |= {"stage": "Won", "closed_on": "2026-01-04"}
    said = taken_in()
    assert (1, 2) == (said["totals"]["updated"], said["messages"])
    assert ("won", "dropped") == (world.lead(first).state, world.lead(second).state)
    rows[1] |= {"rep": "eve", "good": "no"}
    taken_in()
    assert ["contact_updated"] == [event_type(each.data) for each in world.events(second)][-1:]
    assert ("dan", True) == (world.lead(first).owner, world.lead(first).qualified)
    assert "nothing is wrong" in world.ok("verify")
    world.ok("keys", "init", "--name", "example.com/thaw")
    made = world.ok("export", "A-1", "A-2", "--opened", "--reason", "an audit", "-o", mapping.with_name("b.zip"))
    key = made.rpartition("--key ")[2].strip()
    assert "nothing is wrong" in world.ok("verify-bundle", mapping.with_name("b.zip"), "--key", key)
