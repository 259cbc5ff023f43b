"""What changes in the CRM becomes the command that fits."""

from datetime import date, timedelta

import msgspec
import pytest

from tests.service.imports.office import NOW, Office, counts, kinds, row
from workflows.commands import (
    Command,
    MarkWon,
    Qualify,
    QueueRevival,
    Reassign,
    RecordDecline,
    RecordReason,
    RegisterLead,
    UpdateContact,
)


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


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"value": "7000"}, {"value_band": 2}),
        ({"value": ""}, {"value_band": 0}),
        ({"met_on": "2025-06-01"}, {"last_contact_on": date(2025, 6, 1), "last_contact_before": date(2025, 3, 1)}),
        ({"met_on": ""}, {"last_contact_on": None, "last_contact_before": date(2025, 3, 1)}),
        ({"city": "Shelbyville"}, {}),
    ],
)
def test_what_the_crm_says_of_the_sale_is_carried_when_it_changed_and_only_then(
    office: Office, after: dict[str, str], said: dict[str, object]
) -> None:
    office.run(row())

    report = office.report(row(**after))

    assert (counts(report), report.warnings) == ((0, 1, 0, 0), ())
    command = office.commands()[1]
    assert isinstance(command, UpdateContact)
    fields = ("last_contact_on", "last_contact_before", "stage_depth", "value_band", "minutes_added")
    carried = {field: getattr(command, field) for field in fields}
    assert {field: value for field, value in carried.items() if value is not msgspec.UNSET} == said


def test_a_contact_from_elsewhere_is_not_told_what_its_first_row_leaves_out(office: Office) -> None:
    office.run(row())
    office.ask("UPDATE contacts SET imported = NULL")

    office.run(row(met_on="", value="7000"))

    command = office.commands()[1]
    assert isinstance(command, UpdateContact)
    assert (command.last_contact_on, command.value_band) == (msgspec.UNSET, 2)


def test_a_contact_from_elsewhere_is_taken_over(office: Office) -> None:
    office.run(row())
    office.ask("UPDATE contacts SET imported = NULL")

    report = office.report(row(stage="Lost", closed_on="2025-06-01"))

    assert counts(report) == (0, 1, 0, 0)
    assert kinds(office.commands()) == [RegisterLead, UpdateContact, Qualify, RecordDecline]


def test_more_changed_rows_than_fit_on_a_page_are_all_updated(office: Office) -> None:
    office.run(*[row(number) for number in range(1200)])

    report = office.report(*[row(number, city="Shelbyville") for number in range(1200)])

    assert (counts(report), report.messages) == ((0, 1200, 0, 0), 1200)
    assert office.report(*[row(number, city="Shelbyville") for number in range(1200)]).totals.unchanged == 1200
