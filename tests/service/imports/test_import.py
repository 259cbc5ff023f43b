"""Importing into PostgreSQL: all or nothing, twice is once, and nobody is made known who was erased."""

import hashlib
from datetime import timedelta

import msgspec
import pytest

from models.contacts import Contact, find_by_external_id
from models.database import transaction
from service.imports import writing
from service.imports.mapping_file import parse_mapping
from service.imports.report import Report
from service.imports.run import Wish, run_import
from tests.service.imports.office import NOW, PEPPER, Office, counts, row
from workflows.codec import canonical, derived_id
from workflows.commands import (
    RegisterLead,
    SetCalendar,
    decode_command,
)
from workflows.rep import rep_id


def told_apart(report: Report) -> Report:
    """Return *report* without what tells a dry run from a real one."""
    return msgspec.structs.replace(report, dry_run=False, imported=False, correlation_id="")


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


def test_a_rep_whom_nobody_knows_gets_a_calendar(office: Office) -> None:
    office.run(row(1), row(2, rep="eve"))

    question = "SELECT stream_id, body, asked_by FROM messages ORDER BY body LIKE '%set_calendar%' DESC"
    first, second, *leads = office.ask(question)
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


def test_somebody_who_was_erased_stays_erased(office: Office) -> None:
    office.run(row())
    office.ask(
        """
        INSERT INTO events (position, stream_id, version, type, schema, body, occurred_at, recorded_at, message_id, actor,
                            correlation_id, hash)
        SELECT (SELECT position + 1 FROM log_head), lead_id, 1, 'lead_registered', 1, '', now(), now(), lead_id, 'import',
               lead_id, ''
          FROM contacts
        """
    )
    office.ask("DELETE FROM contacts")

    report = office.report(row())

    assert (counts(report), report.totals.suppressed, report.messages) == ((0, 0, 0, 0), 1, 0)
    assert office.ask("SELECT * FROM contacts") == []


def test_few_leads_are_rung_at_once_and_many_are_left_to_the_clock(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    few = office.run(row(1), row(2))
    changed = office.run(row(1, name="Adah"), row(2))
    monkeypatch.setattr(writing, "RUNG_LEADS_MAX", 1)
    many = office.run(row(3), row(4))

    rung = {ring.message_id for result in (few, changed, many) for ring in result.rings}
    assert [len(result.rings) for result in (few, changed, many)] == [3, 1, 0]
    assert {id_ for (id_,) in office.ask("SELECT id FROM messages WHERE rings = 1")} == rung
    assert office.ask("SELECT count(*) FROM messages WHERE rings = 0 AND due_at <= :now", now=NOW) == [(2,)]


def test_rejected_rows_are_written_so_that_they_can_be_corrected_and_imported(office: Office) -> None:
    errors = office.folder / "rejected.csv"
    office.run(row(1), row(2, phone="+12", fact="-50% off"), row(3, name="=cmd|' /C calc'!A0"), partial=True, errors=errors)
    text = errors.read_text(encoding="utf-8-sig")

    assert "'+12" in text
    assert "'-50% off" in text
    assert "'=cmd" in text
    assert text.splitlines()[0].endswith("good,state,rejected_line,rejected_code,rejected_because")

    errors.write_text(text.replace("'+12,", "'+1 555 010 4477,").replace("'=cmd|' /C calc'!A0", "Cora"), encoding="utf-8-sig")
    again = run_import(office.engine, errors, parse_mapping(office.mapping), Wish(), pepper=PEPPER, now=NOW).report
    assert counts(again) == (2, 0, 0, 0)
    (contact,) = _contacts(office, "A-2")
    assert (contact.fields["phone"], contact.fields["facts"]) == ("+15550104477", ["'-50% off"])


def _contacts(office: Office, external_id: str) -> list[Contact]:
    with transaction(office.engine) as connection:
        return find_by_external_id(connection, external_id)


def test_errors_are_listed_up_to_a_limit_and_counted_beyond(office: Office) -> None:
    report = office.report(*[row(number, stage="?") for number in range(1100)])

    assert (len(report.errors), report.errors_left_off, report.errors_by_code) == (1000, 100, {"unknown_stage": 1100})


def test_text_of_every_alphabet_comes_out_as_it_went_in(office: Office) -> None:
    names = ["Søren Ærø", "李小龍", "Ἀγαθή", 'O\'Brien "Bob"', "back\\slash\\N", "tab\there", "two\nlines", "emoji 🐝", "\\."]
    rows = [row(number, name=name) for number, name in enumerate(names)]

    office.run(*rows)

    assert [found for (found,) in office.ask("SELECT fields ->> 'name' FROM contacts ORDER BY external_id")] == names
    assert counts(office.report(*rows)) == (0, 0, len(names), 0)
