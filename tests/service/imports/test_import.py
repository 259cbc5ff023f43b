"""Importing into PostgreSQL: all or nothing, twice is once, and what changes becomes the command that fits."""

import hashlib
import threading
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import imports
from models.contacts import Contact, find_by_external_id
from models.database import Connection, DatabaseFullError, DatabaseUnavailableError, make_engine, transaction
from service.imports import writing
from service.imports.mapping_file import parse_mapping
from service.imports.problems import ConflictError, FileError, MappingError
from service.imports.report import Report
from service.imports.run import Result, Wish, run_import
from tests.service.imports.office import NOW, Office, row
from workflows.codec import canonical, derived_id
from workflows.commands import (
    Command,
    MarkWon,
    Qualify,
    QueueRevival,
    Reassign,
    RecordDecline,
    RecordReason,
    RegisterLead,
    SetCalendar,
    UpdateContact,
    decode_command,
)
from workflows.rep import rep_id


def counts(report: Report) -> tuple[int, int, int, int]:
    totals = report.totals
    return totals.created, totals.updated, totals.unchanged, totals.rejected


def told_apart(report: Report) -> Report:
    """Return *report* without what tells a dry run from a real one."""
    return msgspec.structs.replace(report, dry_run=False, imported=False, correlation_id="")


def kinds(commands: Sequence[Command]) -> list[type[Command]]:
    return [type(command) for command in commands]


def test_new_rows_become_contacts_and_commands(office: Office) -> None:
    report = office.report(row(1), row(2))

    assert (counts(report), report.messages, report.new_reps, report.imported) == ((2, 0, 0, 0), 3, ("dan",), True)
    (registered,) = office.commands("A-2")
    assert isinstance(registered, RegisterLead)
    assert registered.contact.document_id == derived_id("lead", "crm", "A-2")


def test_the_log_gets_a_commitment_to_the_person_and_nothing_else(office: Office) -> None:
    office.run(row())

    (registered,) = office.commands()
    (body,) = office.ask("SELECT body FROM messages WHERE actor_name = 'register'")[0]
    (fields, salt, commitment) = office.ask("SELECT fields, salt, commitment FROM contacts")[0]
    assert isinstance(registered, RegisterLead)
    assert registered.contact.commitment == commitment == hashlib.sha256(salt + canonical(fields)).hexdigest()
    assert not any(word in body for word in ("Ada", "Main St", "4477", "example.com", "bees"))


def test_a_rep_whom_nobody_knows_gets_a_calendar_before_the_leads(office: Office) -> None:
    office.run(row(1), row(2, rep="eve"))

    first, second, *leads = office.ask("SELECT stream_id, body, asked_by FROM messages ORDER BY due_at, body")
    calendar = decode_command(first.body)
    assert isinstance(calendar, SetCalendar)
    assert {first.stream_id, second.stream_id} == {rep_id("dan"), rep_id("eve")}
    assert calendar.calendar.first < NOW.date() - timedelta(days=364)
    assert calendar.calendar.last > NOW.date() + timedelta(days=3 * 365)
    assert [lead.asked_by for lead in leads] == ["import"] * 2


def test_a_calendar_that_waits_already_is_not_sent_again(office: Office) -> None:
    office.run(row(1))

    report = office.run(row(2), now=NOW + timedelta(days=1)).report

    assert report.new_reps == ()


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    office.run(row(1), row(2))
    before = office.everything()

    report = office.report(row(1), row(2))

    assert (counts(report), report.messages) == ((0, 0, 2, 0), 0)
    assert office.everything() == before


def test_a_dry_run_says_the_same_and_changes_nothing(office: Office) -> None:
    office.run(row(1), row(2))
    rows = (row(1), row(2, name="Adah"), row(3, stage="Won", closed_on="2025-05-05"), row(4, rep="eve"))
    before = office.everything()

    dry = office.report(*rows, dry_run=True)

    assert office.everything() == before
    assert told_apart(dry) == told_apart(office.report(*rows))
    assert (counts(dry), dry.messages, dry.new_reps) == ((2, 1, 1, 0), 4, ("eve",))


def test_one_bad_row_and_nothing_is_imported(office: Office) -> None:
    rows = (row(1), row(2, stage="?"))

    report = office.report(*rows)

    assert (counts(report), report.imported) == ((1, 0, 0, 1), False)
    assert office.everything() == [[], []]
    assert told_apart(report) == told_apart(office.report(*rows, dry_run=True))


def test_partial_imports_the_good_rows(office: Office) -> None:
    report = office.report(row(1), row(2, stage="?"), row(1), partial=True)

    assert (counts(report), report.imported) == ((1, 0, 0, 2), True)
    assert [(error.line, error.code) for error in report.errors] == [(3, "unknown_stage"), (4, "duplicate_id")]
    assert "on line 2" in report.errors[1].message
    assert office.ask("SELECT external_id FROM contacts") == [("A-1",)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"phone": ""}, [UpdateContact]),
        ({}, {"rep": "eve"}, [UpdateContact, Reassign]),
        ({"good": ""}, {"good": "no"}, [UpdateContact, Qualify]),
        ({}, {"stage": "Lost", "closed_on": "2025-06-01"}, [UpdateContact, RecordDecline]),
        ({"stage": "Open"}, {"stage": "Won", "closed_on": "2025-06-01"}, [UpdateContact, MarkWon]),
        ({"stage": "Open"}, {"stage": "Old"}, [UpdateContact, QueueRevival]),
        ({}, {"stage": "Open"}, [UpdateContact]),
        (
            {"stage": "Lost", "closed_on": "2025-06-01"},
            {"stage": "Lost", "closed_on": "2025-07-01"},
            [UpdateContact, RecordDecline],
        ),
        (
            {"stage": "Lost", "closed_on": "2025-06-01"},
            {"stage": "Lost", "closed_on": "2025-06-01", "why": "price"},
            [UpdateContact, RecordReason],
        ),
    ],
)
def test_a_changed_row_becomes_the_commands_that_fit(
    office: Office, before: dict[str, str], after: dict[str, str], expected: list[type[Command]]
) -> None:
    office.run(row(**before))

    report = office.run(row(**after), now=NOW + timedelta(hours=1)).report

    assert counts(report) == (0, 1, 0, 0)
    commands = office.commands()
    assert kinds(commands) == [RegisterLead, *expected]
    (contact,) = office.ask("SELECT commitment FROM contacts")
    assert isinstance(commands[1], UpdateContact)
    assert commands[1].contact.commitment == contact.commitment
    assert commands[1].open_opportunity == (after.get("stage") == "Open")


def test_going_back_and_forth_is_a_change_each_time(office: Office) -> None:
    for name in ("Ada", "Bela", "Ada", "Bela"):
        office.run(row(name=name))

    assert kinds(office.commands()) == [RegisterLead, UpdateContact, UpdateContact, UpdateContact]
    assert office.ask("SELECT fields ->> 'name' FROM contacts") == [("Bela",)]


def test_what_no_command_can_carry_is_noted(office: Office) -> None:
    office.run(row())

    report = office.report(row(value="7000"))

    assert [(warned.code, warned.count) for warned in report.warnings] == [("kept_as_registered", 1)]


def test_a_contact_from_elsewhere_is_taken_over(office: Office) -> None:
    office.run(row())
    office.ask("UPDATE contacts SET imported = NULL")

    report = office.report(row(stage="Lost", closed_on="2025-06-01"))

    assert counts(report) == (0, 1, 0, 0)
    assert kinds(office.commands()) == [RegisterLead, UpdateContact, Qualify, RecordDecline]


def test_somebody_who_was_erased_stays_erased(office: Office) -> None:
    office.run(row())
    office.ask(
        """
        INSERT INTO events (position, stream_id, version, type, schema, body, occurred_at, recorded_at, message_id, actor,
                            correlation_id, hash)
        SELECT 1, lead_id, 1, 'lead_registered', 1, '', now(), now(), lead_id, 'import', lead_id, '' FROM contacts
        """
    )
    office.ask("DELETE FROM contacts")

    report = office.report(row())

    assert (counts(report), report.totals.suppressed, report.messages) == ((0, 0, 0, 0), 1, 0)
    assert office.ask("SELECT * FROM contacts") == []


def test_two_imports_of_one_file_at_the_same_moment_create_nothing_twice(office: Office) -> None:
    rows = [row(number) for number in range(300)]
    path = office.export(*rows)
    mapping = parse_mapping(office.mapping)
    reports: list[Report] = []
    threads = [
        threading.Thread(
            target=lambda: reports.append(run_import(office.engine, path, mapping, Wish(), now=NOW).report), name=f"import-{n}"
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts(report) for report in reports) == [(0, 0, 300, 0)] * 3 + [(300, 0, 0, 0)]
    assert office.ask("SELECT count(*) FROM messages WHERE actor_name = 'register'") == [(300,)]


def test_few_leads_are_rung_at_once_and_many_are_left_to_the_clock(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    few = office.run(row(1), row(2))
    changed = office.run(row(1, name="Adah"), row(2))
    monkeypatch.setattr(writing, "RUNG_LEADS_MAX", 1)
    many = office.run(row(3), row(4))

    rung = {ring.message_id for result in (few, changed, many) for ring in result.rings}
    assert [len(result.rings) for result in (few, changed, many)] == [3, 1, 0]
    assert {id_ for (id_,) in office.ask("SELECT id FROM messages WHERE rings = 1")} == rung
    assert office.ask("SELECT count(*) FROM messages WHERE rings = 0 AND due_at <= :now", now=NOW) == [(2,)]


def test_more_changed_rows_than_fit_on_a_page_are_all_updated(office: Office) -> None:
    office.run(*[row(number) for number in range(1200)])

    report = office.report(*[row(number, city="Shelbyville") for number in range(1200)])

    assert (counts(report), report.messages) == ((0, 1200, 0, 0), 1200)
    assert office.report(*[row(number, city="Shelbyville") for number in range(1200)]).totals.unchanged == 1200


def test_a_playbook_that_nobody_published_is_refused(office: Office) -> None:
    office.mapping = office.mapping.replace("five-five-five", "six-six-six")

    with pytest.raises(MappingError, match=r"No playbook called six-six-six is published. Published: five-five-five."):
        office.run(row())


def test_a_database_that_goes_away_in_the_middle_leaves_nothing(office: Office) -> None:
    path = office.export(*[row(number) for number in range(1000)])
    other = make_engine(office.engine.url.render_as_string(hide_password=False), application_name="thaw assassin")

    def kill(_: int) -> None:
        with transaction(other) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'thaw' AND datname = current_database()"
            )

    with pytest.raises(DatabaseUnavailableError):
        run_import(office.engine, path, parse_mapping(office.mapping), Wish(), now=NOW, advance=kill)
    other.dispose()

    assert office.everything() == [[], []]


def test_a_disk_that_is_full_is_said_to_be_and_leaves_nothing(office: Office) -> None:
    office.ask("CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100'; END $$")
    office.ask("CREATE TRIGGER no_room BEFORE INSERT ON contacts EXECUTE FUNCTION no_room()")

    with pytest.raises(DatabaseFullError):
        office.run(row())

    assert office.everything() == [[], []]


def test_a_contact_that_another_program_changes_meanwhile_is_a_conflict(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.run(row())
    compare = imports.compare

    def overtaken(connection: Connection, source: str) -> imports.Compared:
        found = compare(connection, source)
        office.ask("UPDATE contacts SET commitment = 'of another program'")
        return found

    monkeypatch.setattr(imports, "compare", overtaken)
    with pytest.raises(ConflictError, match="Run it again"):
        office.run(row(name="Bela"))

    assert kinds(office.commands()) == [RegisterLead]


def test_a_database_that_is_away_is_said_to_be(office: Office) -> None:
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(DatabaseUnavailableError):
        run_import(nowhere, office.export(row()), parse_mapping(office.mapping), Wish(), now=NOW)


def test_rejected_rows_are_written_so_that_they_can_be_corrected_and_imported(office: Office) -> None:
    errors = office.folder / "rejected.csv"
    office.run(row(1), row(2, phone="+12", fact="-50% off"), row(3, name="=cmd|' /C calc'!A0"), partial=True, errors=errors)
    text = errors.read_text(encoding="utf-8-sig")

    assert "'+12" in text
    assert "'-50% off" in text
    assert "'=cmd" in text
    assert text.splitlines()[0].endswith("good,rejected_line,rejected_code,rejected_because")

    errors.write_text(text.replace("'+12,", "'+1 555 010 4477,").replace("'=cmd|' /C calc'!A0", "Cora"), encoding="utf-8-sig")
    again = run_import(office.engine, errors, parse_mapping(office.mapping), Wish(), now=NOW).report
    assert counts(again) == (2, 0, 0, 0)
    (contact,) = _contacts(office, "A-2")
    assert (contact.fields["phone"], contact.fields["facts"]) == ("+15550104477", ["'-50% off"])


def _contacts(office: Office, external_id: str) -> list[Contact]:
    with transaction(office.engine) as connection:
        return find_by_external_id(connection, external_id)


def test_the_rejected_rows_never_overwrite_the_file(office: Office) -> None:
    path = office.export(row(stage="?"))

    with pytest.raises(FileError, match="which is the file to import"):
        run_import(office.engine, path, parse_mapping(office.mapping), Wish(errors=path), now=NOW)


def test_errors_are_listed_up_to_a_limit_and_counted_beyond(office: Office) -> None:
    report = office.report(*[row(number, stage="?") for number in range(1100)])

    assert (len(report.errors), report.errors_left_off, report.errors_by_code) == (1000, 100, {"unknown_stage": 1100})


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.sampled_from([b"A-1", b"dan", b",", b",,,,", b"\n", b'"', b"\xff", b"\0", b"Old", b"=1", b"2025-01-01", b"-"])
    ).map(b"".join)
)
def test_whatever_the_file_holds_a_dry_run_is_a_report(office: Office, data: bytes) -> None:
    path = office.folder / "wild.csv"
    path.write_bytes(b"id,rep,name,street,city,phone,email,fact,met_on,value,stage,closed_on,why,good\n" + data)

    result = run_import(office.engine, path, parse_mapping(office.mapping), Wish(dry_run=True), now=NOW)

    assert isinstance(result, Result)
    assert sum(counts(result.report)) == result.report.totals.rows


def test_text_of_every_alphabet_comes_out_as_it_went_in(office: Office) -> None:
    names = ["Søren Ærø", "李小龍", "Ἀγαθή", 'O\'Brien "Bob"', "back\\slash\\N", "tab\there", "two\nlines", "emoji 🐝", "\\."]
    rows = [row(number, name=name) for number, name in enumerate(names)]

    office.run(*rows)

    assert [found for (found,) in office.ask("SELECT fields ->> 'name' FROM contacts ORDER BY external_id")] == names
    assert counts(office.report(*rows)) == (0, 0, len(names), 0)
