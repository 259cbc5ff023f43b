"""``thaw import`` as people type it: sentences, statuses, one JSON object, and leads that the workers then apply."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from models import imports
from models.database import DatabaseUnavailableError
from service.cli import imports as command
from tests.service.imports.office import MAPPING, NOW, Office, row
from tests.service.world import World
from workflows.events import ContactUpdated


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "crm.toml"
    path.write_text(MAPPING)
    return path


def test_leads_are_taken_in_and_applied(world: World, office: Office, mapping: Path) -> None:
    path = office.export(row(1), row(2, stage="Lost", closed_on="2025-06-01"), row(3, stage="Won", closed_on="2025-06-01"))

    said = world.ok("import", path, "--mapping", mapping)
    world.work()

    assert "3 leads accepted; applied by the workers. New with a calendar: 1 rep." in said
    states = office.ask("SELECT c.external_id, l.state FROM leads l JOIN contacts c ON c.lead_id = l.id ORDER BY 1")
    assert [tuple(found) for found in states] == [("A-1", "note_due"), ("A-2", "declined"), ("A-3", "won")]


def test_changes_reach_the_lead(world: World, office: Office, mapping: Path) -> None:
    world.ok("import", office.export(row()), "--mapping", mapping)
    world.work()

    world.ok("import", office.export(row(stage="Lost", closed_on="2025-12-01", email="", rep="eve")), "--mapping", mapping)
    world.work()

    lead = world.lead(office.ask("SELECT lead_id FROM contacts")[0].lead_id)
    assert (lead.state, lead.owner, lead.modes) == ("declined", "eve", ("handwritten_note", "post", "call"))
    assert office.ask("SELECT DISTINCT outcome FROM messages WHERE settled_at IS NOT NULL ORDER BY 1") == [
        ("applied",),
        ("superseded",),
    ]


def test_a_higher_value_in_a_later_export_moves_a_lead_up_the_queue(world: World, office: Office, mapping: Path) -> None:
    """The lead that was worth least comes first once the CRM says so; the event carries the change and the score."""
    rows = [row(1, value="1200"), row(2, value="10")]
    world.ok("import", office.export(*rows), "--mapping", mapping)
    world.at(NOW + timedelta(hours=12))
    world.ok("import", office.export(rows[0], row(2, value="90000", met_on="2025-05-01")), "--mapping", mapping)
    world.work()

    (second,) = office.ask("SELECT lead_id FROM contacts WHERE external_id = 'A-2'")
    lead = world.lead(second.lead_id)
    assert (lead.value_band, str(lead.last_contact_at)) == (2, "2025-05-01 00:00:00+00:00")
    found = [recorded.data for recorded in world.events(second.lead_id) if isinstance(recorded.data, ContactUpdated)]
    assert [(event.value_band, event.last_contact_on) for event in found] == [(2, date(2025, 5, 1))]


def test_an_active_prospect_is_not_revived(world: World, office: Office, mapping: Path) -> None:
    mapping.write_text(MAPPING.replace('treat_as = "open"', 'treat_as = "open"\nqueue = true'))

    world.ok("import", office.export(row(stage="Open")), "--mapping", mapping)
    world.work()

    assert office.ask("SELECT rule FROM messages WHERE outcome = 'refused'") == [("active_prospect",)]


def test_waiting_ends_when_the_workers_are_through(world: World, office: Office, mapping: Path) -> None:
    with world.worker():
        said = world.said("import", office.export(row(1), row(2)), "--mapping", mapping, "--wait")

    assert set(said["outcomes"]) <= {"applied", "superseded"}
    assert office.ask("SELECT state FROM leads") == [("note_due",), ("note_due",)]


def test_a_new_rep_whose_leads_come_in_the_middle_of_a_day_has_work_the_same_day(
    world: World, office: Office, mapping: Path
) -> None:
    """The plan is for 06:00 and the import comes at 10:00: the day's five notes are the best five of the whole file."""
    world.replans = True
    rows = [row(number, value=str(number * 500)) for number in range(12)]

    with world.worker():
        world.ok("import", office.export(*rows), "--mapping", mapping, "--wait")
        notes = [item for item in world.said("today", "--rep", "dan")["items"] if item["kind"] == "note"]

    keys = {item["key"] for item in notes}
    assert len(keys) == len(notes) == 5
    # By value come first and last; the plan waits for all of them.
    assert {"A-10", "A-11"} <= keys <= {f"A-{number}" for number in range(2, 12)}
    assert office.ask("SELECT kind, day::text, count(*) FROM slots GROUP BY 1, 2 ORDER BY 2") == [
        ("note", "2026-01-05", 5),
        ("promised_call", "2026-01-12", 5),
    ]


def test_waiting_outlasts_a_restart_of_postgresql(
    world: World, office: Office, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was accepted is applied whether or not anybody waits; one that stays away is said."""
    look, looks = imports.unsettled, []

    def away_at_first(*arguments: Any, **more: Any) -> int:
        looks.append(arguments)
        if len(looks) < 3:
            raise DatabaseUnavailableError("PostgreSQL is not reachable: gone")
        return look(*arguments, **more)

    monkeypatch.setattr(imports, "unsettled", away_at_first)
    monkeypatch.setattr(command, "LOOK_SECONDS", 0.01)
    with world.worker():
        said = world.said("import", office.export(row(1)), "--mapping", mapping, "--wait")
    assert set(said["outcomes"]) <= {"applied", "superseded"}
    looks.clear()
    monkeypatch.setattr(command, "AWAY_SECONDS", 0.0)
    assert "PostgreSQL is not reachable: gone" in world.refused(
        3, "import", office.export(row(2)), "--mapping", mapping, "--wait"
    )


def test_the_answer_is_one_object(world: World, office: Office, mapping: Path) -> None:
    said = world.said("import", office.export(row()), "--mapping", mapping, "--dry-run")

    assert said["totals"] == {"rows": 1, "created": 1, "updated": 0, "unchanged": 0, "suppressed": 0, "rejected": 0}
    assert (said["dry_run"], said["imported"], said["delimiter"]) == (True, False, ",")


def test_rejected_rows_end_in_status_1_and_say_why(world: World, office: Office, mapping: Path) -> None:
    rows = [row(number, stage="[red]?") for number in range(30)]

    said = world.refused(1, "import", office.export(*rows), "--mapping", mapping)

    assert "30 rows rejected" in said
    assert "[red]?" in said
    assert "… and 10 more. In all: unknown_stage 30." in said
    assert "Nothing was imported, because rows are rejected." in said


def test_partial_says_what_was_left_out(world: World, office: Office, mapping: Path) -> None:
    path, errors = office.export(row(1), row(2, stage="?")), office.folder / "rejected.csv"

    said = world.ok("import", path, "--mapping", mapping, "--partial", "--errors", errors)

    assert "1 lead accepted, 1 rejected row left out; applied by the workers." in said
    assert f"The rejected rows are in {errors}." in said
    assert "every row is rejected" in world.refused(
        1, "import", office.export(row(2, stage="?")), "--mapping", mapping, "--partial"
    )


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_what_cannot_be_imported_is_one_sentence(world: World, office: Office, mapping: Path, flags: tuple[str, ...]) -> None:
    empty, xlsx = office.folder / "empty.csv", office.folder / "book.csv"
    empty.write_bytes(b"")
    xlsx.write_bytes(b"PK\x03\x04")
    for path, sentence in [
        (office.folder / "none.csv", "There is no file"),
        (office.folder, "is a folder, not a file"),
        (empty, "The file is empty."),
        (xlsx, "The file is an Excel or OpenDocument workbook, not a CSV file."),
        (mapping, "The file has no column"),
    ]:
        result = world.thaw("import", path, "--mapping", mapping, *flags)
        assert result.exit_code == 2, result.output
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1
        assert not flags or sentence in json.loads(result.stdout)["error"]["message"]


def test_a_file_with_only_a_header_is_nothing_to_do(world: World, office: Office, mapping: Path) -> None:
    assert "a header and no rows" in world.ok("import", office.export(), "--mapping", mapping)


def test_a_database_that_is_away_is_one_sentence(world: World, office: Office, mapping: Path) -> None:
    world.environ["THAW_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"

    assert "PostgreSQL is not reachable" in world.refused(3, "import", office.export(row()), "--mapping", mapping)


def test_a_file_of_rejected_rows_that_cannot_be_written_is_one_sentence(world: World, office: Office, mapping: Path) -> None:
    nowhere = office.folder / "none" / "rejected.csv"

    said = world.refused(3, "import", office.export(row(stage="?")), "--mapping", mapping, "--errors", nowhere)

    assert "No such file or directory" in said
    assert office.everything() == [[], []]
