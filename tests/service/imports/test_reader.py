"""Reading bytes as records: what a CSV writer wrote comes back, and whatever else the bytes are, they are an answer."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.imports import reader
from service.imports.problems import FileError
from service.imports.reader import DELIMITERS, Records, as_text

delimiters = st.sampled_from(sorted(DELIMITERS))
cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def read(data: bytes, columns: tuple[str, ...] = (), delimiter: str = "") -> Records:
    return Records(as_text(io.BytesIO(data)), columns, delimiter)


@settings(deadline=None)
@given(
    rows=st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=8)),
    delimiter=delimiters,
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
)
@example(rows=[["a\rb\r\nc\nd", '"', " x "]], delimiter=",", end="\r\n", bom=True)
def test_what_a_csv_writer_writes_is_read_back(rows: list[list[str]], delimiter: str, end: str, bom: bool) -> None:
    width = len(rows[0]) if rows else 1
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[f"column {number}" for number in range(width)], *rows])

    records = read(file.getvalue().encode("utf-8-sig" if bom else "utf-8"), delimiter=delimiter)

    assert (records.bom, len(records.header)) == (bom, width)
    assert [(record.cells, record.damage) for record in records] == [(row, None) for row in rows]


@settings(deadline=None, max_examples=150)
@given(
    data=st.binary(max_size=300)
    | st.lists(
        st.sampled_from([b"id", b",", b";", b"\n", b"\r", b'"', b"\xff", b"\xc3", b"\0", b"a", b"\xef\xbb\xbf", b"\xc3\xa9"])
    ).map(b"".join),
    head=st.sampled_from([b"", b"id,name\n", b"\xef\xbb\xbfid;name\r\n"]),
)
def test_whatever_the_bytes_are_reading_them_is_an_answer(data: bytes, head: bytes) -> None:
    try:
        records = read(head + data, ("id",))
        found = list(records)
    except FileError:
        return
    lines = [record.line for record in found]
    assert lines == sorted(set(lines))
    assert all(record.damage or len(record.cells) == len(records.header) for record in found)


@settings(deadline=None)
@given(names=st.lists(st.text("abc ,;|\t\"'\n", min_size=1).filter(str.strip), min_size=2, max_size=5), delimiter=delimiters)
def test_the_delimiter_is_found_out_by_the_columns_that_the_mapping_names(names: list[str], delimiter: str) -> None:
    columns = tuple(dict.fromkeys(name.strip() for name in names))
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerow(columns)

    records = read(file.getvalue().encode(), columns)

    assert set(columns) <= set(records.header)
    assert len(columns) == 1 or records.delimiter == delimiter


def test_a_record_is_said_to_be_on_the_line_where_it_starts() -> None:
    records = read(b'id,name\r\n1,"two\r\nlines"\r\n\r\n2,one\r\n', ("id",))

    assert [(record.line, record.cells) for record in records] == [(2, ["1", "two\r\nlines"]), (5, ["2", "one"])]


def test_bytes_that_are_not_utf8_cost_one_row_and_are_located() -> None:
    records = read("id,name\n1,é\n2,".encode() + b"caf\xe9\n3,x\n", ("id",))

    found = list(records)

    assert [bool(record.damage) for record in found] == [False, True, False]
    assert found[1].damage is not None
    assert found[1].damage.code == "encoding"
    assert "byte 0xe9 at offset 18 of the file (line 3)" in found[1].damage.message
    assert "“é” in Windows-1252" in found[1].damage.message


def test_a_byte_order_mark_counts_as_bytes_and_not_as_text() -> None:
    records = read(b"\xef\xbb\xbfid,name\n1,\xff\n", ("id",))

    (found,) = records
    assert (records.bom, records.header) == (True, ("id", "name"))
    assert found.damage is not None
    assert "at offset 13 of the file" in found.damage.message


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b'"a"b,c', "quoting"),
        (b"a", "columns"),
        (b"a,b,c", "columns"),
        (b'a,"b', "unclosed_quote"),
    ],
)
def test_a_broken_row_costs_no_other(row: bytes, code: str) -> None:
    found = list(read(b"id,name\n1,x\n" + row + b"\n2,y", ("id",)))

    assert found[1].damage is not None
    assert found[1].damage.code == code
    # What follows a quotation mark that is never closed belongs to its field.
    assert [record.cells for record in found if not record.damage] == [["1", "x"], ["2", "y"]][: 1 if row == b'a,"b' else 2]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"name\n1\n", "missing_column"),
        (b"id,id\n1,2\n", "duplicate_column"),
        (b"PK\x03\x04rest", "not_text"),
        ("id,name\n".encode("utf-16"), "not_text"),
        ("id,name\n".encode("utf-16-le"), "not_text"),
        (b"id,n\xe9\n1,2\n", "encoding"),
        (b"\n\n", "empty_file"),
    ],
)
def test_a_file_that_is_no_table_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FileError) as caught:
        read(data, ("id",))

    assert caught.value.code == code


def test_a_header_whose_quotation_mark_is_never_closed_is_refused() -> None:
    with pytest.raises(FileError, match="must name the columns"):
        read(b'id,"name\n1,x\n', ("id",), ",")


def test_blank_lines_before_the_header_are_passed_over() -> None:
    assert [record.line for record in read(b"\r\n\r\nid\r\n1\r\n", ("id",))] == [4]


def test_a_missing_column_is_named_with_the_nearest_there_is() -> None:
    with pytest.raises(FileError, match=r"no column “deal_stage”.*Did you mean deal stage?"):
        read(b"id,deal stage\n", ("id", "deal_stage"))


def test_a_field_of_ten_million_characters_is_read_in_bounded_memory() -> None:
    data = b"id,name\n1," + b"x" * 10_000_000 + b"\n2,y\n"
    tracemalloc.start()

    sizes = [len(record.cells[1]) for record in read(data, ("id",))]

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sizes == [10_000_000, 1]
    assert peak < 200_000_000


def test_a_quotation_mark_that_takes_in_the_rest_of_a_long_file_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "RECORD_CHARACTERS_MAX", 1000)
    records = read(b'id,name\n1,x\n2,"y\n' + b"3,z\n" * 1000, ("id",))

    with pytest.raises(FileError, match="The row that starts on line 3"):
        list(records)
