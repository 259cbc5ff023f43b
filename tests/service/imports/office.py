"""An office with a CRM: writes exports, imports them, and looks at what came of it."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models.database import Engine, make_engine, transaction
from service.imports.mapping_file import parse_mapping
from service.imports.report import Report
from service.imports.run import Result, Wish, run_import
from service.pepper import Pepper
from tests.logins import service_url
from workflows.commands import AnyCommand, Command, decode_command, decode_commands

#: Ten o'clock in New York: noon of the same day is still to come.
NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)

MAPPING = """
source = "crm"
playbook = "five-five-five"
external_id = "id"
qualified = "good"
region = "state"
[owner]
column = "rep"
[calendar]
country = "US"
timezone = "America/New_York"
[contact]
name = "name"
address = ["street", "city"]
phone = "phone"
email = "email"
facts = ["fact"]
[dates]
last_contact = ["met_on"]
[value]
column = "value"
bands = [1000, 5000]
[stages]
column = "stage"
[stages.treat.Old]
queue = true
[stages.treat.Open]
treat_as = "open"
[stages.treat.Lost]
treat_as = "declined"
on = "closed_on"
reason_column = "why"
reasons = { price = "price", timing = "timing" }
[stages.treat.Won]
treat_as = "client"
on = "closed_on"
"""

COLUMNS = (
    "id", "rep", "name", "street", "city", "phone", "email", "fact", "met_on", "value", "stage", "closed_on", "why", "good",
    "state",
)  # fmt: skip

PEPPER = Pepper(bytes(32))

#: A row in which nothing is wrong.
ADA: Mapping[str, str] = {
    "id": "A-1", "rep": "dan", "name": "Ada Amberfield", "street": "1 Main St", "city": "Springfield",
    "phone": "+1 555 010 4477", "email": "ada@example.com", "fact": "keeps bees", "met_on": "2025-03-01", "value": "1200",
    "stage": "Old", "closed_on": "", "why": "", "good": "yes", "state": "US-NY",
}  # fmt: skip


def row(number: int = 1, /, **fields: str) -> dict[str, str]:
    """Return a good row with an id of its own, and with *fields* instead of Ada's."""
    return {**ADA, "id": f"A-{number}", **fields}


@dataclass
class Office:
    """What a test of the import works with."""

    engine: Engine
    """Of the login that the service has."""
    owner: Engine
    """Of the owner of the database, for looking and meddling."""
    folder: Path
    mapping: str = MAPPING

    def export(self, *rows: Mapping[str, str], name: str = "export.csv") -> Path:
        """Write an export."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    def run(self, *rows: Mapping[str, str], now: datetime = NOW, **wish: Any) -> Result:
        """Import *rows*."""
        mapping = parse_mapping(self.mapping)
        return run_import(self.engine, self.export(*rows), mapping, Wish(**wish), pepper=PEPPER, now=now)

    def report(self, *rows: Mapping[str, str], **wish: Any) -> Report:
        """Import *rows* and return the report."""
        return self.run(*rows, **wish).report

    def codes(self, *rows: Mapping[str, str]) -> list[tuple[int, str, str]]:
        """Return line, column and code of what is wrong with *rows*."""
        return [(error.line, error.column, error.code) for error in self.report(*rows, dry_run=True).errors]

    def ask(self, statement: str, **values: Any) -> list[Any]:
        """Return rows of the database."""
        with transaction(self.owner) as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def commands(self, external_id: str = "A-1") -> list[AnyCommand]:
        """Return the commands that were staged for a lead, in order."""
        statement = """
            SELECT m.body, m."then" FROM messages m JOIN contacts c ON c.lead_id = m.stream_id
             WHERE c.external_id = :external_id ORDER BY m.created_at, m.due_at
        """
        found = self.ask(statement, external_id=external_id)
        return [command for row in found for command in (decode_command(row.body), *decode_commands(row.then or "[]"))]

    def everything(self) -> list[Any]:
        """Return all that an import may write."""
        return [self.ask("SELECT * FROM contacts ORDER BY 1"), self.ask("SELECT id, body FROM messages ORDER BY 1")]


def counts(report: Report) -> tuple[int, int, int, int]:
    totals = report.totals
    return totals.created, totals.updated, totals.unchanged, totals.rejected


def kinds(commands: Sequence[Command]) -> list[type[Command]]:
    return [type(command) for command in commands]


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """Yield an office with an empty, migrated database."""
    engine, owner = make_engine(service_url(database_url)), make_engine(database_url)
    yield Office(engine, owner, tmp_path)
    owner.dispose()
    engine.dispose()
