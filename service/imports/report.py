"""What an import did, or would do: totals, warnings, and every rejected row."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from models.doubles import NewDouble
from models.imports import Opposed
from service.imports.problems import FileError, RowError
from service.wording import shared, typed_id

#: So many errors are listed in the report; all of them are counted, and ``--errors`` writes the rows of all.
LISTED_MAX = 1_000

#: The last four are the full-width forms, which some spreadsheets take for the same.
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")

WARNINGS = {
    "blank_row": "blank rows, passed over",
    "no_name": "leads without a name",
    "no_company": "leads without a company",
    "unreachable": "leads without address, phone number and email address, whom nobody can write to or call",
    "incomplete_address": "leads with a town but no street, to whom no note can be sent",
    "phone_without_country": "leads with a phone number without its country (set calling_code in the mapping)",
    "phone_digits": "leads with a North American phone number that has not ten digits (an area code may be missing)",
    "replaced_value": "leads with a value that was replaced as the mapping says",
    "region_unknown": "leads with a mail address and no region, who get no mail without a consent (set region or "
    "region_unless_said in the mapping)",
    "region_assumed": "leads whose row says no region, for whom that of the mapping stands (region_unless_said)",
    "region_may_be_state": "leads with a region such as CA, read as Canada and not as California (set region_country in the "
    "mapping if the column holds states)",
    "on_suppression_list": "leads of people on the suppression list, who are registered as do-not-contact",
}


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """A warning, once for all rows that it concerns."""

    code: str
    count: int
    first_line: int
    message: str


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows there are and what becomes of them; the last five add up to *rows*."""

    rows: int
    created: int
    updated: int
    unchanged: int
    suppressed: int
    """Leads whose personal data was erased on request: they stay erased."""
    rejected: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report, the same for a dry run and the real one but for the fields that say which it was."""

    file: str
    source: str
    delimiter: str
    delimiter_declared: bool
    byte_order_mark: bool
    dry_run: bool
    partial: bool
    imported: bool
    """Whether the good rows are in the database now."""
    totals: Totals
    messages: int
    """Commands that the import stages for the workers."""
    new_reps: tuple[str, ...]
    """Reps who get a calendar, in name order."""
    warnings: tuple[Warned, ...]
    errors_by_code: dict[str, int]
    errors: tuple[RowError, ...]
    """By line; `LISTED_MAX` at most."""
    errors_left_off: int
    suppressed: tuple[RowError, ...]
    """Rows of people who were erased, by line; `LISTED_MAX` at most. They are no errors: the other rows are imported."""
    merged: tuple[RowError, ...]
    """Changed rows of leads that were merged into others, by line; `LISTED_MAX` at most. They are no errors."""
    doubles: tuple[RowError, ...]
    """New rows that may be somebody who is known already, by line; `LISTED_MAX` at most. They are no errors."""
    doubles_in_all: int
    correlation_id: str
    """Of all that follows from this import; empty when nothing does."""


def refused_row(line: int) -> RowError:
    """Return why the row on *line* is passed over, without a word of what stands in it."""
    return RowError(
        line=line,
        column="",
        code="erased_person",
        value="",
        message="This person was erased, and stays erased.",
        suggestion="Take the row out of the export; or, if they came back by themselves, name its id with --readmit.",
    )


def merged_row(line: int, into: str) -> RowError:
    """Return what became of the changed row on *line*, whose lead was merged into the one to be typed as *into*."""
    return RowError(
        line=line,
        column="",
        code="merged_lead",
        value="",
        message=f"This lead was merged into {into}: that it was won or lost is told there, and its contact data stays here.",
        suggestion="Merge the two in the CRM, too, or take the row out of the export.",
    )


def double_row(double: NewDouble) -> RowError:
    """Return that a new row may be somebody who is known already, and what to type if so."""
    typed, into = typed_id(double.lead_id, double.external_id), typed_id(double.into, double.into_external_id)
    return RowError(
        line=double.line,
        column="",
        code="suspected_double",
        value="",
        message=f"{typed} may be the person of {into}: {shared(double.kinds)}.",
        suggestion=f"If so: thaw merge {typed} --into {into} --as manager:NAME",
    )


class Rejects:
    """The file of rejected rows: the row as it was, and why it was rejected. Made with the first of them."""

    def __init__(self, path: Path | None, source: Path | None = None) -> None:
        """Write to *path*, which must not be the file *source*; None for no file."""
        if path and source and path.exists() and path.samefile(source):
            raise FileError("same_file", f"The rejected rows cannot be written to {path}, which is the file to import.")
        self._path = path
        self._file: IO[str] | None = None
        self._writer: Any = None

    def write(self, header: Sequence[str], cells: Sequence[str], errors: Sequence[RowError]) -> None:
        """Write one row with everything that is wrong with it."""
        if self._path is None:
            return
        if self._file is None:
            # With a BOM, because Excel takes a CSV file without one for Windows-1252.
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*map(guarded, header), "rejected_line", "rejected_code", "rejected_because"])
        padded = [*cells, *[""] * (len(header) - len(cells))]
        reasons = "\n".join(f"{error.column}: {error.message} {error.suggestion}".removeprefix(": ") for error in errors)
        codes = " ".join(dict.fromkeys(error.code for error in errors))
        self._writer.writerow([*map(guarded, padded), errors[0].line, codes, guarded(reasons)])

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def guarded(value: str) -> str:
    """Return *value* so that no spreadsheet runs it as a formula (OWASP, "CSV Injection"), and no terminal as a command."""
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in "\t\n\r" else repr(c)[1:-1] for c in text)
    return f"'{text}" if text.lstrip(" ").startswith(_RUN_BY_SPREADSHEETS) else text


class Tally:
    """Counts while the file is read."""

    def __init__(self, rejects: Rejects, header: Sequence[str]) -> None:
        self._rejects = rejects
        self._header = header
        self._warnings: dict[str, tuple[int, int]] = {}
        self._listed: list[RowError] = []
        self._errors: Counter[str] = Counter()
        self.rows = 0
        """Without blank ones."""
        self.rejected = 0

    def warn(self, codes: Sequence[str], line: int) -> None:
        """Count warnings about the row on *line*, each code once."""
        for code in set(codes):
            count, first = self._warnings.get(code, (0, line))
            self._warnings[code] = (count + 1, first)

    def count_opposed(self, opposed: Opposed) -> None:
        """Count the new leads of people who are on the suppression list."""
        if opposed.number:
            self._warnings["on_suppression_list"] = opposed

    def reject(self, cells: Sequence[str], errors: Sequence[RowError]) -> None:
        """Count a rejected row."""
        self.rejected += 1
        self._errors.update(error.code for error in errors)
        self._listed += errors[: LISTED_MAX - len(self._listed)]
        self._rejects.write(self._header, cells, errors)

    def warnings(self) -> tuple[Warned, ...]:
        """Return the warnings, in the order of `WARNINGS`."""
        return tuple(
            Warned(code=code, count=self._warnings[code][0], first_line=self._warnings[code][1], message=message)
            for code, message in WARNINGS.items()
            if code in self._warnings
        )

    def warned(self, code: str) -> int:
        """Return how many rows gave rise to the warning *code*."""
        return self._warnings.get(code, (0, 0))[0]

    def errors(self) -> tuple[dict[str, int], tuple[RowError, ...], int]:
        """Return the number of errors by code (most frequent first), the listed ones, and how many are not listed."""
        left_off = self._errors.total() - len(self._listed)
        return dict(self._errors.most_common()), tuple(self._listed), left_off
