"""An import takes in nobody who was erased, whatever the id, and says so row by row; who objected becomes do-not-contact."""

from pathlib import Path

import pytest

from models import imports
from models.database import Connection
from service.imports.problems import FileError
from tests.service.imports.office import MAPPING, Office, counts, row
from tests.service.world import World


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "crm.toml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def erased(world: World, office: Office, mapping: Path) -> World:
    """Ada was taken in as A-1 and erased; Bela is A-2, and objected."""
    world.rep()
    rows = (row(1), row(2, name="Bela Brookhollow", email="bela@example.com", phone="+15550109999", street="2 Side St"))
    world.ok("import", office.export(*rows), "--mapping", mapping)
    world.work()
    world.ok("erase", "A-1", "--reason", "asked for it")
    with world.worker():
        world.ok("opt-out", "A-2")
    return world


def test_an_erased_person_stays_out_under_any_id(erased: World, office: Office, mapping: Path) -> None:
    """By the CRM's id, by mail, by name and number, by name and address; the other rows are taken in all the same."""
    rows = (
        row(1, name="Somebody", email="", phone="", street=""),
        row(7, name="A. A.", email="ADA@example.com", phone="", street=""),
        row(8, name="Amberfield, Ada", email="", phone="+1 (555) 010-4477", street=""),
        row(9, email="", phone="", street="1, main st"),
        row(10, name="Cora Cinderwell", email="cora@example.com", street="9 End St"),
    )
    for dry_run in ("--dry-run", "--wait"):
        with erased.worker():
            said = erased.said("import", office.export(*rows), "--mapping", mapping, dry_run)
        assert (said["totals"]["created"], said["totals"]["suppressed"], said["totals"]["rejected"]) == (1, 4, 0)
        assert [(each["line"], each["code"], each["value"]) for each in said["suppressed"]] == [
            (line, "erased_person", "") for line in (2, 3, 4, 5)
        ]
    shown = erased.ok("import", office.export(*rows), "--mapping", mapping)
    assert "Passed over: line 2, 3, 4, 5: This person was erased, and stays erased." in shown
    assert [("A-10",), ("A-2",)] == [tuple(each) for each in office.ask("SELECT external_id FROM contacts ORDER BY 1")]
    # Who shares only the line is another person, and is not called on it.
    assert "nothing goes out by call" in erased.refused(1, "suppressions", "check", "A-10")


def test_who_objected_is_registered_as_do_not_contact(erased: World, office: Office, mapping: Path) -> None:
    rows = (row(3, name="Bela", email="bela@example.com", phone="", street=""),)
    report = erased.said("import", office.export(*rows), "--mapping", mapping)
    erased.work()
    assert [("on_suppression_list", 1, 2)] == [
        (each["code"], each["count"], each["first_line"])
        for each in report["warnings"]
        if each["code"] == "on_suppression_list"
    ]
    assert "do_not_contact" == erased.said("lead", "A-3")["lead"]["state"]


def test_somebody_who_came_back_is_a_new_lead_and_waits_for_consent(erased: World, office: Office, mapping: Path) -> None:
    """Nothing ties her to the erased history, and only recorded consent takes her off the list (T47)."""
    erased.ok("import", office.export(row(1)), "--mapping", mapping, "--readmit", "A-1")
    erased.work()
    said = erased.said("lead", "A-1")
    (old,) = office.ask("SELECT id FROM leads WHERE erased_at IS NOT NULL")
    assert (said["lead"]["state"], said["lead"]["id"] != str(old.id)) == ("do_not_contact", True)
    with erased.worker():
        erased.ok("consent", "A-1", "--evidence", "web form of 5 January", "--mode", "email", "--as", "manager:mia")
    assert erased.said("lead", "A-1")["lead"]["modes"] == ["email"]
    refused = erased.refused(1, "suppressions", "check", "A-1")
    assert "email" not in refused.splitlines()[-1]
    again = erased.said("import", office.export(row(1)), "--mapping", mapping)
    assert again["totals"]["unchanged"] == 1


def test_without_redis_each_is_taken_in_whole_and_says_so(erased: World, office: Office, mapping: Path) -> None:
    """To take in again, to consent, to merge and to erase: an answer each time, and all of it is done once Redis is back."""
    there = erased.environ["THAW_REDIS_URL"]
    erased.environ["THAW_REDIS_URL"] = "redis://127.0.0.1:1/0"
    rows = (row(1), row(2, name="Cora Cinderwell", email="cora@example.com", street="9 End St", phone=""))
    erased.ok("import", office.export(*rows), "--mapping", mapping, "--readmit", "A-1")
    erased.work()
    for typed in (
        ("consent", "A-1", "--evidence", "web form of 5 January", "--mode", "email", "--as", "manager:mia"),
        ("merge", "A-2", "--into", "A-1", "--as", "manager:mia"),
    ):
        said = erased.ok(*typed)
        assert said.startswith("accepted as ")
        assert said.endswith("; it is applied once Redis is back\n")
    erased.work()
    said = erased.ok("erase", "A-1", "--reason", "asked for it")
    assert "erased: lead " in said
    erased.environ["THAW_REDIS_URL"] = there
    assert [(2,)] == [tuple(each) for each in office.ask("SELECT count(*) FROM leads WHERE erased_at IS NOT NULL")]
    assert ["lead_merged"] == [each for (each,) in office.ask("SELECT type FROM events WHERE type = 'lead_merged'")]
    assert erased.said("verify")["findings"] == []
    assert erased.said("rederive", "--all")["mismatches"] == []


def test_an_erasure_and_an_import_at_the_same_moment(
    office: Office, world: World, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows were compared before the erasure, and are written after it: nothing is imported, and the next run knows."""
    world.rep()
    world.ok("import", office.export(row(1)), "--mapping", mapping)
    world.work()
    compare = imports.compare

    def overtaken(connection: Connection, source: str, **more: object) -> imports.Compared:
        found = compare(connection, source, **more)  # type: ignore[arg-type]  # passed on as they came
        world.ok("erase", "A-1", "--reason", "asked for it")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(imports, "compare", overtaken)
        said = world.refused(2, "import", office.export(row(9)), "--mapping", mapping)
    assert "Another program wrote or erased some of these leads at the same moment. Nothing was imported. Run it again." in said
    assert world.said("import", office.export(row(9)), "--mapping", mapping)["totals"]["suppressed"] == 1
    assert world.said("erase", "A-1", "--reason", "asked for it again")["erased"][0]["already"]


def test_an_id_that_is_in_no_row_cannot_be_readmitted(office: Office) -> None:
    with pytest.raises(FileError, match="No good row has the id A-9"):
        office.report(row(1), readmit=frozenset({"A-9"}))
    assert office.ask("SELECT * FROM contacts") == []


def test_an_erasure_that_only_the_ledger_knows_counts(office: Office) -> None:
    """The database was restored from before the lead was taken in."""
    taken = office.report(row(1))
    (lead,) = office.ask("SELECT lead_id FROM contacts")
    office.ask("DELETE FROM contacts")
    office.ask("DELETE FROM messages")
    report = office.report(row(1), erased=frozenset({lead.lead_id}))
    assert (counts(taken), counts(report), report.totals.suppressed) == ((1, 0, 0, 0), (0, 0, 0, 0), 1)


def test_a_mail_address_is_no_id(office: Office) -> None:
    """The id of a lead is made of it, and stands in the log when the person is long erased."""
    assert [(2, "id", "personal_id")] == office.codes({**row(1), "id": "ada@example.com"})
