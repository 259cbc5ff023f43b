"""One import from end to end: one pass over the file, one transaction, one report.

A dry run does the same up to the point at which something would be written, and then rolls back.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET

from models import contacts, doubles, imports, operations, playbooks
from models.contacts import commit_to
from models.database import Connection, Engine, transaction
from models.doubles import NewDouble
from models.imports import Compared, ImportedRow
from models.messages import Ring
from service.imports.mapping import Mapping
from service.imports.orders import Orders, reference
from service.imports.problems import FileError, MappingError, RowError
from service.imports.reader import Digesting, Records, as_text
from service.imports.report import LISTED_MAX, Rejects, Report, Tally, Totals, double_row, merged_row, refused_row
from service.imports.rows import Interpreter, Row
from service.imports.writing import MergedRow, Writer
from service.pepper import Pepper
from service.wording import key_of_id
from workflows.codec import canonical, derived_id, digest
from workflows.layers import is_made
from workflows.lead import lead_id as lead_id_of
from workflows.operations import LeadsImported

#: `Advance` is called once for so many rows.
ADVANCE_ROWS = 500

Advance = Callable[[int], None]
"""Told now and then how many bytes of the file have been read."""


class Wish(NamedTuple):
    """How an import is to be done."""

    dry_run: bool = False
    partial: bool = False
    """Import the good rows even if others are rejected."""
    errors: Path | None = None
    """Where to write the rejected rows."""
    by: str = "import"
    """Who asked for it, as the log names him."""
    reason: str | None = None
    """Why, for the log; kept beside it."""
    mapping_digest: str = ""
    """SHA-256 of the mapping's file; empty: of its content, where there is no file."""
    readmit: frozenset[str] = frozenset()
    """Ids of people to take in although they were erased: they came back, and wait for their consent to be recorded."""
    erased: frozenset[UUID] = frozenset()
    """Leads that were erased according to the ledger, whatever the database says."""


class Result(NamedTuple):
    """The report, and what to ring now that the transaction is committed; nothing when it is left to the clock."""

    report: Report
    rings: list[Ring]


class _Undo(Exception):  # noqa: N818  # ends the transaction and is caught where that began
    """Roll back: a dry run, or rows were rejected."""


def run_import(
    engine: Engine,
    path: Path,
    mapping: Mapping,
    wish: Wish,
    *,
    pepper: Pepper,
    now: datetime,
    advance: Advance = lambda _: None,
) -> Result:
    """Import the file *path* and return what came of it. Nothing is written when a row is rejected, unless *wish* says so.

    Raises
    ------
    CannotImportError
        When the file or the mapping as a whole cannot be used; nothing was written.
    ModelError
        When PostgreSQL is away, failed or is full; nothing was written.
    OSError
        When a file cannot be read or written; nothing was written to the database.
    """
    with Digesting(path.open("rb")) as file, as_text(BufferedReader(file)) as text, Rejects(wish.errors, path) as rejects:
        return _Import(engine, text, file, path.name, mapping, wish, pepper, rejects, now, advance).run()


class _Import:
    def __init__(
        self,
        engine: Engine,
        text: TextIOWrapper,
        file: Digesting,
        name: str,
        mapping: Mapping,
        wish: Wish,
        pepper: Pepper,
        rejects: Rejects,
        now: datetime,
        advance: Advance,
    ) -> None:
        self._engine = engine
        self._file = file
        self._name = name
        self._mapping = mapping
        self._wish = wish
        self._pepper = pepper
        self._readmitted: set[str] = set()
        self._now = now
        self._advance = advance
        self._records = Records(text, mapping.columns(), mapping.delimiter)
        self._tally = Tally(rejects, self._records.header)
        self._orders = Orders(mapping, now)
        self._correlation_id = uuid4()

    def run(self) -> Result:
        """Do it."""
        with suppress(_Undo), transaction(self._engine) as connection:
            self._check_playbook(connection)
            imports.begin(connection)
            imports.copy_rows(connection, self._rows())
            if missing := self._wish.readmit - self._readmitted:
                raise FileError("readmit_unknown", f"No good row has the id {min(missing)}, which is to be readmitted.")
            apply = not self._wish.dry_run and (self._wish.partial or not self._tally.rejected)
            if apply:
                imports.wait_for_others(connection, self._mapping.source)
            compared = imports.compare(connection, self._mapping.source, erased=self._wish.erased)
            writer = Writer(
                connection, self._mapping, self._orders, now=self._now, correlation_id=self._correlation_id, apply=apply
            )
            doubled = doubles.new_doubles(connection, limit=LISTED_MAX)
            writer.write(compared)
            self._tally.count_opposed(imports.opposed(connection))
            suppressed = imports.suppressed_lines(connection, limit=LISTED_MAX)
            merged = _merged(connection, writer.merged[:LISTED_MAX])
            result = Result(self._report(compared, writer, suppressed, merged, doubled, imported=apply), writer.rings)
            if apply and writer.messages:
                self._record(connection, result.report)
            if not apply:
                raise _Undo
        return result

    def _record(self, connection: Connection, report: Report) -> None:
        """Say in the log that this file changed something."""
        reason = operations.keep_reason(connection, self._wish.reason) if self._wish.reason else UNSET
        done = LeadsImported(
            reason=reason,
            source=report.source,
            file=self._file.digest(),
            mapping=self._wish.mapping_digest or digest(canonical(self._mapping)),
            messages=report.messages,
            region_unless_said=self._mapping.region_unless_said or msgspec.UNSET,
            regions_assumed=self._tally.warned("region_assumed") or msgspec.UNSET,
            **msgspec.structs.asdict(report.totals),
        )
        operations.append(connection, done, now=self._now, by=self._wish.by, correlation_id=self._correlation_id)

    def _check_playbook(self, connection: Connection) -> None:
        wanted = self._mapping.playbook
        found = playbooks.newest_playbook(connection, wanted)
        if found is None:
            known = ", ".join(playbooks.playbook_ids(connection)) or "none"
            raise MappingError("playbook", f"No playbook called {wanted} is published.", f"Published: {known}.")
        if is_made(found):
            # Owners who are not known yet would follow it, too.
            below = found.extends[0].partition("@")[0]
            raise MappingError("playbook", f"{wanted} was made for the days of one rep.", f"Name what it was made of: {below}.")

    def _rows(self) -> Iterator[ImportedRow]:
        """Yield the good rows; the others go to the tally."""
        interpreter = Interpreter(self._mapping, self._records.header, self._now)
        for record in self._records:
            if not any(record.cells) or not any(map(str.strip, record.cells)):
                self._tally.warn(["blank_row"], record.line)
                continue
            self._tally.rows += 1
            if self._tally.rows % ADVANCE_ROWS == 0:
                self._advance(self._records.bytes_read)
            row = interpreter.read(record)
            if row is None:
                self._tally.reject(record.cells, interpreter.errors)
                continue
            self._tally.warn(interpreter.warnings, record.line)
            yield self._staged(row)

    def _staged(self, row: Row) -> ImportedRow:
        source = self._mapping.source
        fields, imported = canonical(row.fields), canonical(row.registration)
        salt, commitment = commit_to(fields)
        lead_id = lead_id_of(source, row.external_id)
        if row.external_id in self._wish.readmit:
            # A new lead: nothing ties the person to the history that was erased.
            lead_id = derived_id("lead", source, row.external_id, commitment)
            self._readmitted.add(row.external_id)
        command = self._orders.register(row.registration, reference(lead_id, commitment))
        return ImportedRow(
            line=row.line,
            external_id=row.external_id,
            lead_id=lead_id,
            owner=row.registration.owner,
            fields=fields.decode(),
            imported=imported.decode(),
            salt=salt,
            commitment=commitment,
            # From the salted commitment: an id stands in the log, and what it is made of must not be open to guessing.
            message_id=derived_id("import", lead_id, commitment),
            body=canonical(command).decode(),
            keys=f"{{{','.join(self._pepper.keys(source, row.external_id, row.fields))}}}",
            readmitted=row.external_id in self._wish.readmit,
        )

    def _report(
        self,
        compared: Compared,
        writer: Writer,
        suppressed: Sequence[int],
        merged: tuple[RowError, ...],
        doubled: Sequence[NewDouble],
        *,
        imported: bool,
    ) -> Report:
        by_code, listed, left_off = self._tally.errors()
        return Report(
            file=self._name,
            source=self._mapping.source,
            delimiter=self._records.delimiter,
            delimiter_declared=bool(self._mapping.delimiter),
            byte_order_mark=self._records.bom,
            dry_run=self._wish.dry_run,
            partial=self._wish.partial,
            imported=imported,
            totals=Totals(rows=self._tally.rows, **compared._asdict(), rejected=self._tally.rejected),
            messages=writer.messages,
            new_reps=tuple(writer.new_reps),
            warnings=self._tally.warnings(),
            errors_by_code=by_code,
            errors=listed,
            errors_left_off=left_off,
            suppressed=tuple(refused_row(line) for line in suppressed),
            merged=merged,
            doubles=tuple(map(double_row, doubled)),
            doubles_in_all=doubled[0].total if doubled else 0,
            correlation_id=str(self._correlation_id) if imported and writer.messages else "",
        )


def _merged(connection: Connection, rows: Sequence[MergedRow]) -> tuple[RowError, ...]:
    known = contacts.find_contacts(connection, list({row.lead_id for row in rows})) if rows else {}
    return tuple(merged_row(row.line, key_of_id(row.lead_id, known.get(row.lead_id))) for row in rows)
