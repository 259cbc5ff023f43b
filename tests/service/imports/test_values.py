"""Reading single values: what is right is made uniform, what is not is named."""

import contextlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.find import is_rep_name
from service.imports import values
from service.imports.problems import Unreadable, shown

american = values.phone_reader("1", "1")
abroad = values.phone_reader("", "")
german_day = values.day_reader("%d.%m.%Y")
iso_day = values.day_reader("%Y-%m-%d")
plain_number = values.number_reader(".", "")
english_number = values.number_reader(".", ",")
german_number = values.number_reader(",", ".")


def refusal(read: Callable[[str], object], value: str) -> str:
    with pytest.raises(Unreadable) as caught:
        read(value)
    assert caught.value.suggestion
    return caught.value.code


@pytest.mark.parametrize("value", ["=1+1", "+SUM(A1)", "-x", "@x"])
def test_a_text_that_a_spreadsheet_would_run_is_refused(value: str) -> None:
    assert refusal(values.text, value) == "formula_cell"


@pytest.mark.parametrize(
    ("value", "code"),
    [("a\0b", "nul_byte"), ("a\x1bb", "control_character"), ("a\x92b", "control_character"), ("x" * 100_001, "too_long")],
)
def test_what_cannot_be_kept_is_refused(value: str, code: str) -> None:
    assert refusal(values.plain, value) == code


def test_line_breaks_and_tabs_are_kept_in_texts_and_refused_in_names() -> None:
    assert values.plain("a\n\tb") == "a\n\tb"
    assert refusal(lambda value: values.line(value, 80), "a\nb") == "line_break"
    assert refusal(lambda value: values.line(value, 80), "x" * 81) == "too_long"


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (american, "+1 (555) 010-4477", "+15550104477"),
        (american, "(555) 010-4477", "+15550104477"),
        (american, "1-555-010-4477 ext. 12", "+15550104477;ext=12"),
        (american, "0044 20 7946 0000", "+442079460000"),
        (american, "'+44 (0)20 7946 0000", "+442079460000"),
        (abroad, "030 123456", "030123456"),
    ],
)
def test_telephone_numbers_become_international_where_that_is_known(
    read: Callable[[str], str], value: str, expected: str
) -> None:
    assert read(value) == expected


@pytest.mark.parametrize("value", ["12", "555-CALL-NOW", "+1+2", "1" * 16, "1" + " " * 100_000 + "z", "٥٥٥٠١٠٤٤"])
def test_what_is_no_telephone_number_is_refused(value: str) -> None:
    assert refusal(american, value) == "bad_phone"


def test_a_formula_in_a_column_of_telephone_numbers_is_called_one() -> None:
    assert refusal(american, "=1+1") == "formula_cell"


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (plain_number, "-12.5", Decimal("-12.5")),
        (plain_number, "'-12.5", Decimal("-12.5")),
        (english_number, "$1,234.50", Decimal("1234.5")),
        (german_number, "1.234,50 €", Decimal("1234.5")),
    ],
)
def test_numbers_are_read_as_the_mapping_says(read: Callable[[str], Decimal], value: str, expected: Decimal) -> None:
    assert read(value) == expected


@pytest.mark.parametrize("value", ["1e5", "NaN", "1,5", "1,23.5", "--1", "٣", "9" * 20, ""])
def test_what_is_no_number_is_refused(value: str) -> None:
    assert refusal(plain_number, value) == "bad_number"


def test_days_are_read_as_the_mapping_says() -> None:
    assert iso_day("2024-02-29") == date(2024, 2, 29)
    assert german_day("29.02.2024") == date(2024, 2, 29)


@pytest.mark.parametrize("value", ["2023-02-29", "20240229", "2024-W09-4", "01.02.2024", "0001-01-01", "1899-12-30"])
def test_what_is_no_day_is_refused_with_one_that_is(value: str) -> None:
    with pytest.raises(Unreadable, match=r"day|long ago") as caught:
        iso_day(value)

    assert (caught.value.code, caught.value.suggestion) == ("bad_date", "Write it like 2026-03-31.")


@pytest.mark.parametrize(
    ("form", "value", "says"),
    [
        ("%m/%d/%Y", "2025-06-03", "This day is written otherwise"),
        ("%m/%d/%Y", "6/3/25", "This day is written otherwise"),
        ("%m/%d/%Y", "31/12/2025", "This is no day that there is."),
        ("%Y-%m-%d", "2023-02-29", "This is no day that there is."),
        ("%d %b %Y", "31.12.2025", "This day is written otherwise"),
        ("%d %b %Y", "31 Feb 2025", "This is no day that there is."),
    ],
)
def test_a_day_in_another_form_is_told_from_one_that_is_none(form: str, value: str, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        values.day_reader(form)(value)

    assert str(caught.value).startswith(says)


def test_countries_go_by_code_or_name() -> None:
    assert [values.country(name) for name in ("us", "USA", "United States", "Germany")] == ["US", "US", "US", "DE"]
    assert refusal(values.country, "Frnace") == "unknown_country"


def test_a_city_alone_is_no_time_zone_but_close() -> None:
    assert values.timezone("America/New_York") == "America/New_York"
    with pytest.raises(Unreadable) as caught:
        values.timezone("America/NewYork")
    assert "America/New_York" in caught.value.suggestion


@pytest.mark.parametrize("value", ["ann", "ann@x", "ann@x.com, bob@x.com", "a b@x.com", "@x.com", "a@" + "x" * 300 + ".com"])
def test_what_is_no_email_address_is_refused(value: str) -> None:
    assert refusal(values.email, value) in {"bad_email", "formula_cell"}


@settings(deadline=None)
@given(value=st.text(min_size=1))
def test_every_reader_answers_every_text(value: str) -> None:
    readers: list[Callable[[str], object]] = [
        values.plain, values.text, values.email, values.country, values.timezone, values.yes_no, values.count, american,
        iso_day, german_day, english_number,
    ]  # fmt: skip
    for read in readers:
        with contextlib.suppress(Unreadable):
            read(value)


@settings(deadline=None)
@given(value=st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_what_a_report_shows_is_one_short_line(value: str) -> None:
    assert shown(value).isprintable()
    assert shown(value).encode().decode() == shown(value)
    assert shown("y" * 100) == "y" * 79 + "…"


def test_a_reader_with_a_memory_says_the_same_twice() -> None:
    calls = []

    def read(value: str) -> str:
        calls.append(value)
        return values.text(value)

    remembered = values.remembered(read)

    assert [remembered("a"), remembered("a"), refusal(remembered, "=a"), refusal(remembered, "=a")] == [
        "a", "a", "formula_cell", "formula_cell",
    ]  # fmt: skip
    assert calls == ["a", "=a"]


@pytest.mark.parametrize("name", ["dan", "zoë 🍅", "Dan O'Neil", "x" * 80])
def test_a_reps_name_is_what_rep_set_accepts(name: str) -> None:
    assert values.rep_name(name) == name
    assert is_rep_name(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("dan\u200b", "bad_name"),
        ("dan ", "bad_name"),
        (" dan", "bad_name"),
        ("dan\u00a0smith", "bad_name"),
        ("x" * 81, "too_long"),
        ("d\nan", "line_break"),
    ],
)
def test_a_name_that_rep_set_refuses_is_refused_in_a_file_too(name: str, code: str) -> None:
    assert refusal(values.rep_name, name) == code
    assert not is_rep_name(name)


def test_localtime_is_no_time_zone() -> None:
    assert refusal(values.timezone, "localtime") == "unknown_timezone"
