"""What is made of a row: a lead, or everything that is wrong with it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.imports.mapping_file import parse_mapping
from service.imports.orders import Orders, reference
from service.imports.problems import RowError
from service.imports.reader import Record
from service.imports.rows import Interpreter, Row
from tests.service.imports.office import ADA, COLUMNS, MAPPING, NOW, row
from workflows.codec import canonical, derived_id
from workflows.commands import MarkWon, QueueRevival, RecordDecline, RegisterLead, decode_command

mapping = parse_mapping(MAPPING)


def read(cells: dict[str, str], text: str = MAPPING) -> tuple[Row | None, list[RowError], list[str]]:
    interpreter = Interpreter(parse_mapping(text), COLUMNS, NOW)
    found = interpreter.read(Record(2, [cells[column] for column in COLUMNS], None))
    return found, interpreter.errors, interpreter.warnings


def good(**fields: str) -> Row:
    found, errors, _ = read(row(**fields))
    assert errors == []
    assert found is not None
    return found


def command(found: Row) -> RegisterLead:
    made = Orders(mapping, NOW).register(found.registration, reference(derived_id("x"), "0" * 64))
    assert decode_command(canonical(made)) == made
    return made


def test_a_good_row_is_a_lead_with_its_ways_to_be_reached() -> None:
    found = good()

    assert found.fields == {
        "name": "Ada Amberfield", "address": "1 Main St\nSpringfield", "phone": "+15550104477", "email": "ada@example.com",
        "facts": ["keeps bees"],
    }  # fmt: skip
    made = command(found)
    assert made.modes == ("handwritten_note", "post", "call", "email")
    assert (made.value_band, made.qualified, made.last_contact_on) == (1, True, date(2025, 3, 1))
    assert made.then == (QueueRevival(),)


def test_the_ways_to_be_reached_follow_what_is_known() -> None:
    assert good(street="", phone="", email="").registration.modes == ()
    assert good(phone="", email="").registration.modes == ("handwritten_note", "post")
    assert read(row(street="", phone="", email=""))[2] == ["incomplete_address", "unreachable"]
    american = MAPPING.replace("[dates]", '[phones]\ncalling_code = "1"\n[dates]')
    assert read(row(phone="555 0199"), american)[2] == ["phone_digits"]
    assert read(row(phone="555 0199"))[2] == ["phone_without_country"]
    assert read(row(phone="+44 20 7946 0"), american)[2] == read(row(phone="212 555 0199 ext 12"), american)[2] == []


def test_a_stage_is_treated_as_the_mapping_says() -> None:
    lost = command(good(stage="lost", closed_on="2025-06-01", why="Price"))
    won = command(good(stage="WON", closed_on="2025-06-01"))
    open_ = command(good(stage="Open"))

    # Noon in New York is that day everywhere that a rep may be.
    assert [type(each) for each in (*lost.then, *won.then)] == [RecordDecline, MarkWon]
    assert isinstance(lost.then[0], RecordDecline)
    assert (lost.then[0].stated_reason, str(lost.then[0].occurred_at)) == ("price", "2025-06-01 16:00:00+00:00")
    assert (won.client, open_.open_opportunity, open_.then) == (True, True, ())


def test_a_decline_of_today_is_not_in_the_future() -> None:
    lost = command(good(stage="Lost", closed_on="2026-01-05"))

    assert lost.then[0].occurred_at == NOW


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"id": " "}, [("id", "empty_id")]),
        ({"id": "=1"}, [("id", "formula_cell")]),
        ({"id": "x" * 201}, [("id", "too_long")]),
        ({"rep": ""}, [("rep", "empty_owner")]),
        ({"rep": "x" * 81}, [("rep", "too_long")]),
        ({"rep": "a\nb"}, [("rep", "line_break")]),
        ({"name": "@ada"}, [("name", "formula_cell")]),
        ({"name": "a\0"}, [("name", "nul_byte")]),
        ({"fact": "x" * 10_000_000}, [("fact", "too_long")]),
        ({"met_on": "01.03.2025"}, [("met_on", "bad_date")]),
        ({"met_on": "2026-01-06"}, [("met_on", "future_date")]),
        ({"value": "many"}, [("value", "bad_number")]),
        ({"good": "perhaps"}, [("good", "bad_yes_no")]),
        ({"stage": "Lsot"}, [("stage", "unknown_stage")]),
        ({"stage": ""}, [("stage", "unknown_stage")]),
        ({"stage": "Lost"}, [("closed_on", "empty_date")]),
        ({"stage": "Lost", "closed_on": "never"}, [("closed_on", "bad_date")]),
        ({"stage": "Lost", "closed_on": "2025-06-01", "why": "mood"}, [("why", "unknown_reason")]),
        ({"phone": "12", "email": "ada"}, [("phone", "bad_phone"), ("email", "bad_email")]),
    ],
)
def test_all_that_is_wrong_with_a_row_is_named(fields: dict[str, str], errors: list[tuple[str, str]]) -> None:
    found, named, _ = read(row(**fields))

    assert found is None
    assert [(error.column, error.code) for error in named] == errors
    assert all(error.message and error.suggestion and len(error.value) <= 80 for error in named)


def test_the_days_between_two_dates_stand_in_for_the_time_invested() -> None:
    text = MAPPING.replace("[dates]", '[minutes]\nsince = "met_on"\nuntil = "closed_on"\nper_day = 5\n[dates]')

    found, errors, _ = read(row(closed_on="2025-03-11"), text)
    backwards = read(row(closed_on="2025-02-11"), text)[1]

    assert errors == []
    assert found is not None
    assert found.registration.minutes_invested == 50
    assert [error.code for error in backwards] == ["date_order"]
    assert good(closed_on="2025-03-11").registration.minutes_invested == 0


def test_a_value_that_is_spelled_two_ways_is_replaced() -> None:
    found, _, warnings = read(row(name="Adah"), MAPPING.replace("[dates]", '[replace.name]\nAdah = "Ada"\n[dates]'))

    assert found is not None
    assert found.fields["name"] == "Ada"
    assert warnings == ["replaced_value"]


wild = st.text(max_size=20) | st.sampled_from(
    ["", "Old", "Lost", "Won", "Open", "2025-01-01", "-5", "price", "yes", "+15550104477"]
)


@settings(deadline=None)
@given(changes=st.dictionaries(st.sampled_from(COLUMNS), wild, max_size=6))
def test_every_row_is_a_command_that_can_be_carried_out_or_says_why_not(changes: dict[str, str]) -> None:
    found, errors, _ = read({**ADA, **changes})

    assert (found is None) == bool(errors)
    if found:
        command(found)
