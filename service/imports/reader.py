"""From bytes to records: UTF-8 with or without a BOM, RFC 4180 quoting, in memory that does not grow with the file.

Whatever the bytes are, each record is either cells or says what is wrong with it, and reading goes on after it; only a file
that cannot be a table at all is given up.
"""

import csv
import hashlib
import io
from collections.abc import Collection, Iterator
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, NamedTuple, cast

from service.imports.problems import FileError, did_you_mean

#: A record may have this many characters. A quotation mark that is never closed would otherwise take in the whole file.
RECORD_CHARACTERS_MAX = 16_777_216

#: The header is looked for, with each delimiter, in this many lines: a quoted column name may hold line breaks.
HEADER_LINES_MAX = 50
HEADER_CHARACTERS_MAX = 65_536

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

_MAGIC = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
)
_SAVE = "Save it as “CSV UTF-8 (comma delimited)” and import that file."


class Damage(NamedTuple):
    """What is wrong with a record as a whole."""

    code: str
    message: str
    suggestion: str


class Record(NamedTuple):
    """One record. *line* is where it starts, from 1, as a text editor counts."""

    line: int
    cells: list[str]
    """In the order of the header. Bytes that are not UTF-8 stand as lone surrogates (PEP 383)."""
    damage: Damage | None


class Digesting(io.RawIOBase):
    """A file that is hashed while it is read, so that the digest is of the very bytes that were used."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Tell that it is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what comes next."""
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._hash.update(found)
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def digest(self) -> str:
        """Return SHA-256 of what was read, in hexadecimal; of the whole file once all of it was read."""
        return self._hash.hexdigest()


def as_text(file: BinaryIO) -> io.TextIOWrapper:
    """Return *file* as text for `Records`; closing the text closes the file.

    Raises
    ------
    FileError
        When the file is of another kind, such as a workbook.
    """
    buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", file))
    start = buffered.peek(8)[:8]
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            buffered.close()
            raise FileError("not_text", f"The file is {kind}, not a CSV file.", _SAVE)
    return io.TextIOWrapper(buffered, encoding="utf-8", errors="surrogateescape", newline="")


class Records:
    """The records of a CSV file, after its header."""

    def __init__(self, text: io.TextIOWrapper, columns: Collection[str], delimiter: str = "") -> None:
        """Read the header of *text* (see `as_text`), which must have *columns*; an empty *delimiter* is found out.

        Raises
        ------
        FileError
            When the file is empty, is no text, or a column is missing.
        """
        # One more than may be, so that a longer line is noticed and not read.
        self._read_line = partial(text.readline, RECORD_CHARACTERS_MAX + 1)
        self._record_line = 1
        self._record_characters = 0
        self._bytes_read = 0
        self._lines_read = 0
        self._last_line = ""
        self._broken: Damage | None = None
        # A field may be as long as its record; the default of 131,072 would end the reading of the file.
        csv.field_size_limit(RECORD_CHARACTERS_MAX)
        first = self._first_lines()
        self.bom = bool(first) and first[0].startswith("\ufeff")
        """Whether the file starts with a byte order mark."""
        if self.bom:
            first[0] = first[0][1:]
            self._bytes_read = 3
        self.delimiter = delimiter or _best_delimiter(first, columns)
        self._reader = csv.reader(self._watched(chain(first, iter(self._read_line, ""))), delimiter=self.delimiter, strict=True)
        self.header = self._read_header(columns)
        """Names of the columns, without the blanks around them."""

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file the records so far took."""
        return self._bytes_read

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in the order of the file; blank lines are passed over.

        Raises
        ------
        FileError
            When a record is longer than any record can be.
        """
        width = len(self.header)
        while True:
            line = self._record_line = self._reader.line_num + 1
            self._record_characters, self._broken = 0, None
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Record(line, [self._last_line.strip()], self._broken or _quoting(str(error)))
                continue
            if cells:
                yield Record(line, cells, self._broken or (None if len(cells) == width else _width(len(cells), width)))

    def _first_lines(self) -> list[str]:
        """Return enough lines to hold the header."""
        lines: list[str] = []
        while len(lines) < HEADER_LINES_MAX and sum(map(len, lines)) < HEADER_CHARACTERS_MAX:
            line = self._read_line()
            if not line:
                break
            lines.append(line)
        return lines

    def _watched(self, lines: Iterator[str]) -> Iterator[str]:
        """Pass on *lines*, and note how long the record gets and where it is not UTF-8."""
        for line in lines:
            self._lines_read += 1
            self._last_line = line
            self._record_characters += len(line)
            if self._record_characters > RECORD_CHARACTERS_MAX:
                raise FileError(
                    "record_too_long",
                    f"The row that starts on line {self._record_line:,} has more than {RECORD_CHARACTERS_MAX:,} characters.",
                    "Most likely a quotation mark in it is never closed.",
                )
            if line.isascii():
                self._bytes_read += len(line)
            else:
                encoded = line.encode("utf-8", "surrogateescape")
                self._broken = self._broken or _encoding(encoded, self._lines_read, self._bytes_read)
                self._bytes_read += len(encoded)
            yield line

    def _read_header(self, columns: Collection[str]) -> tuple[str, ...]:
        try:
            header = next(cells for record in self._reader if any(cells := tuple(cell.strip() for cell in record)))
        except StopIteration:
            raise FileError("empty_file", "The file is empty.", "The first line must name the columns.") from None
        except csv.Error as error:
            raise FileError("header", f"The first line, which must name the columns, cannot be read: {error}.") from error
        if self._broken:
            raise FileError("encoding", f"In the names of the columns {self._broken.message}", self._broken.suggestion)
        if any("\0" in name for name in header):
            raise FileError("not_text", "The file holds NUL bytes and is no text in UTF-8.", _SAVE)
        _require(header, columns, self.delimiter)
        return header


def _best_delimiter(lines: list[str], columns: Collection[str]) -> str:
    """Return the delimiter under which the header has most of *columns*, then most cells; the first of equals."""

    def fits(delimiter: str) -> tuple[int, int]:
        try:
            header = {cell.strip() for cell in next(csv.reader(lines, delimiter=delimiter, strict=True), [])}
        except csv.Error:
            return 0, 0
        return len(header.intersection(columns)), len(header)

    return max(DELIMITERS, key=fits)


def _require(header: tuple[str, ...], columns: Collection[str], delimiter: str) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        named = ", ".join(f"“{column}”" for column in missing)
        hint = did_you_mean(missing[0], header) or f" It has: {', '.join(header)[:300]}."
        raise FileError(
            "missing_column",
            f"The file has no column {named} (columns are separated by {DELIMITERS[delimiter]}).",
            f"{hint.strip()} Correct the mapping or export the column.",
        )
    twice = [column for column in columns if header.count(column) > 1]
    if twice:
        raise FileError(
            "duplicate_column", f"The file has the column “{twice[0]}” more than once.", "Rename or remove the others."
        )


def _encoding(line: bytes, number: int, offset: int) -> Damage | None:
    """Say where the *line* stops being UTF-8; *offset* is the number of bytes before it."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = line[error.start]
        guess = bytes([byte]).decode("cp1252", "ignore")
        meant = f" (it would be “{guess}” in Windows-1252)" if guess.isprintable() and guess else ""
        return Damage(
            "encoding",
            f"byte 0x{byte:02x} at offset {offset + error.start:,} of the file (line {number:,}) is not UTF-8{meant}.",
            "Save the file as UTF-8; in Excel that is “CSV UTF-8 (comma delimited)”.",
        )
    return None


def _quoting(complaint: str) -> Damage:
    if "unexpected end of data" in complaint:
        return Damage(
            "unclosed_quote",
            "A quotation mark in this row is never closed, so that everything after it was read as one field.",
            "Close it, or write a quotation mark inside a field twice.",
        )
    return Damage(
        "quoting",
        "After a quotation mark that closes a field there is something else than a delimiter.",
        "Write a quotation mark inside a field twice.",
    )


def _width(found: int, expected: int) -> Damage:
    too_many = "Put a field that contains the delimiter in quotation marks."
    suggestion = too_many if found > expected else "Add the empty fields at its end."
    return Damage("columns", f"The row has {found} fields, the header has {expected}.", suggestion)
