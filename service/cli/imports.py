"""``thaw import``: leads from a CSV export, all or nothing, with a report that a salesperson can act on."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial as partial_
from pathlib import Path
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models import imports
from models.database import DatabaseUnavailableError, transaction
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.operator import by_option, operator, reason_option
from service.imports.mapping_file import read_with_digest
from service.imports.problems import CannotImportError, FileError
from service.imports.reader import DELIMITERS
from service.imports.report import Report
from service.imports.run import Advance, Result, Wish, run_import
from service.ledger import Ledger
from service.pepper import fill_keys, open_pepper
from service.wiring import Service

#: So many errors are printed; ``--json`` lists more, ``--errors`` writes the rows of all.
PRINTED_ERRORS = 20

#: Width of the table of errors where there is no terminal to fit it to.
PIPE_COLUMNS = 140

#: How often ``--wait`` looks, and after how long without progress it says so.
LOOK_SECONDS, STALLED_SECONDS = 0.5, 30.0

#: How long ``--wait`` bears with a PostgreSQL that is away: what was accepted is applied without us.
AWAY_SECONDS = 60.0


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), required=True, help="What the columns mean (TOML).")
@click.option("--dry-run", is_flag=True, help="Check and report everything, change nothing.")
@click.option("--partial", is_flag=True, help="Import the good rows even if others are rejected.")
@click.option(
    "--errors", type=click.Path(path_type=Path), metavar="FILE", help="Write the rejected rows and the reasons to FILE."
)
@click.option(
    "--readmit",
    multiple=True,
    metavar="ID",
    help="Take in the row with this id although the person was erased: they came back by themselves. Registered as "
    "do-not-contact until `thaw consent` records their consent. May be repeated.",
)
@click.option("--wait", is_flag=True, help="Wait until the workers have applied everything.")
@reason_option
@by_option
@json_option
@pass_app
def import_(
    app: App,
    file: Path,
    mapping_file: Path,
    dry_run: bool,
    partial: bool,
    errors: Path | None,
    readmit: tuple[str, ...],
    wait: bool,
    reason: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Take in leads from FILE, a CSV export of your CRM.

    All or nothing: one rejected row, and nothing is imported, unless you say --partial. Importing the same file again
    changes nothing.

    \b
    Exit status: 0 the rows were imported (a dry run: would be);
                 1 rows were rejected, and nothing was imported (--partial: no row was good);
                 2 the file or the mapping cannot be used; 3 the database is away or full.
    """
    wish = Wish(dry_run=dry_run, partial=partial, errors=errors, readmit=frozenset(readmit), by=operator(by), reason=reason)
    try:
        result = _import(app, file, mapping_file, wish, quiet=as_json)
    except CannotImportError as error:
        if as_json:
            app.print_json({"error": {"code": error.code, "message": error.message, "suggestion": error.suggestion}})
        raise InputError(str(error)) from error
    report, outcomes = result.report, None
    if result.rings:
        app.service.bell.ring_soon(result.rings)
    if not as_json:
        show(app.console, report, errors)
    try:
        if wait and report.imported and report.messages:
            outcomes = _wait(app.service, report, quiet=as_json)
    finally:
        # The import is done, whatever becomes of the waiting.
        if as_json:
            app.print_json(msgspec.to_builtins(report) | ({} if outcomes is None else {"outcomes": outcomes}))
    if outcomes is not None and not as_json:
        app.console.print(f"Settled: {', '.join(f'{count:,} {outcome}' for outcome, count in outcomes.items()) or 'nothing'}.")
    if report.totals.rejected and (not partial or report.totals.rejected == report.totals.rows):
        raise SystemExit(REFUSED)


def _import(app: App, file: Path, mapping_file: Path, wish: Wish, *, quiet: bool) -> Result:
    if file.is_dir() or not file.exists():
        raise FileError("no_file", f"{file} is a folder, not a file." if file.is_dir() else f"There is no file {file}.")
    mapping, mapping_digest = read_with_digest(mapping_file)
    service = app.service
    wish = wish._replace(mapping_digest=mapping_digest, erased=frozenset(Ledger(app.settings).erased()))
    pepper = open_pepper(app.settings, service.engine, kept=not wish.dry_run)
    if not wish.dry_run:
        fill_keys(app.settings, service.engine)
    with _reading(file, quiet=quiet) as advance:
        return run_import(service.engine, file, mapping, wish, pepper=pepper, now=service.now(), advance=advance)


def show(console: Console, report: Report, errors: Path | None) -> None:
    """Print *report* for people."""
    say = partial_(console.print, soft_wrap=True)
    totals = report.totals
    how = "as declared" if report.delimiter_declared else "found out"
    dry = "; a dry run, so that all below is what would happen" if report.dry_run else ""
    say(f"{escape(report.file)}: {_counted(totals.rows, 'row')}, {DELIMITERS[report.delimiter]} between fields ({how}){dry}")
    for name in ("created", "updated", "unchanged", "suppressed", "rejected"):
        if (count := getattr(totals, name)) or name != "suppressed":
            say(f"{count:>11,} {name}" + (" (erased people)" if name == "suppressed" else ""))
    for warned in report.warnings:
        say(f"[yellow]Note:[/] {escape(warned.message)}: {warned.count:,}, the first on line {warned.first_line:,}")
    if report.suppressed:
        lines = ", ".join(f"{each.line:,}" for each in report.suppressed[:PRINTED_ERRORS])
        more = ", …" if totals.suppressed > PRINTED_ERRORS else ""
        why = report.suppressed[0]
        say(f"[yellow]Passed over:[/] line {lines}{more}: {why.message} {why.suggestion} [dim]{why.code}[/]")
    for each in report.merged[:PRINTED_ERRORS]:
        say(f"[yellow]Merged:[/] line {each.line:,}: {escape(each.message)} {each.suggestion} [dim]{each.code}[/]")
    if len(report.merged) > PRINTED_ERRORS:
        say(f"[yellow]Merged:[/] {len(report.merged) - PRINTED_ERRORS:,} more lines of leads that were merged")
    for each in report.doubles[:PRINTED_ERRORS]:
        say(f"[yellow]Double?[/] line {each.line:,}: {escape(each.message)} {escape(each.suggestion)} [dim]{each.code}[/]")
    if report.doubles_in_all > PRINTED_ERRORS:
        say(f"[yellow]Double?[/] {report.doubles_in_all - PRINTED_ERRORS:,} more; `thaw alerts` names them all")
    if report.errors:
        _show_errors(console, report)
        say(f"The rejected rows are in {escape(str(errors))}." if errors else "--errors FILE writes the rejected rows out.")
    say(conclusion(report))


def _show_errors(console: Console, report: Report) -> None:
    table = Table(title=f"{_counted(report.totals.rejected, 'row')} rejected", title_justify="left", title_style="bold red")
    table.add_column("Line", justify="right")
    for heading in ("Column", "Value", "What is wrong"):
        table.add_column(heading, overflow="fold")
    for error in report.errors[:PRINTED_ERRORS]:
        told = f"{escape(error.message)} {escape(error.suggestion)} [dim]{error.code}[/]"
        table.add_row(f"{error.line:,}", escape(error.column), escape(error.value), told)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    console.print(table)
    more = sum(report.errors_by_code.values()) - min(len(report.errors), PRINTED_ERRORS)
    if more:
        by_code = ", ".join(f"{code} {count:,}" for code, count in report.errors_by_code.items())
        console.print(f"… and {more:,} more. In all: {by_code}.", soft_wrap=True)


def conclusion(report: Report) -> str:
    """Say in a sentence or two what has been done and what happens next."""
    totals = report.totals
    good = totals.created + totals.updated
    if not totals.rows:
        return "The file has a header and no rows: there is nothing to import."
    if totals.rejected and not report.partial:
        would = "would be" if report.dry_run else "was"
        return f"Nothing {would} imported, because rows are rejected. Correct them, or import the others with --partial."
    if totals.rejected == totals.rows:
        return f"Nothing {'would be' if report.dry_run else 'was'} imported, because every row is rejected."
    left_out = (
        f", {_counted(totals.rejected, 'rejected row')} {'would be ' if report.dry_run else ''}left out"
        if totals.rejected
        else ""
    )
    if report.dry_run:
        reps = f" New with a calendar would be {_counted(len(report.new_reps), 'rep')}." if report.new_reps else ""
        return f"Dry run: nothing was changed. {_counted(good, 'lead')} would be accepted{left_out}.{reps}"
    if not good:
        return f"Nothing was changed: there is nothing new in the file{left_out}."
    reps = f" New with a calendar: {_counted(len(report.new_reps), 'rep')}." if report.new_reps else ""
    return f"{_counted(good, 'lead')} accepted{left_out}; applied by the workers.{reps}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def _reading(file: Path, *, quiet: bool) -> Iterator[Advance]:
    """Show how much of the file has been read, when somebody watches."""
    console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=console.quiet) as progress:
        task = progress.add_task("reading", total=file.stat().st_size)
        yield lambda done: progress.update(task, completed=done)


def _wait(service: Service, report: Report, *, quiet: bool) -> dict[str, int]:
    """Wait until everything that follows from the import is settled and return how many messages ended how."""
    correlation_id = UUID(report.correlation_id)
    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    best, since = None, time.monotonic()
    seen = since
    with Progress(*columns, console=console, transient=True, disable=quiet or not sys.stderr.isatty()) as progress:
        task = progress.add_task("applying", total=None)
        most = report.messages
        while True:
            try:
                with transaction(service.engine) as connection:
                    left = imports.unsettled(connection, correlation_id, now=service.now())
                    if not left:
                        return imports.outcomes(connection, correlation_id)
            except DatabaseUnavailableError:
                if time.monotonic() - seen > AWAY_SECONDS:
                    raise
                time.sleep(LOOK_SECONDS)
                continue
            seen = time.monotonic()
            # Applying a message may stage others, so that the total grows.
            most = max(most, left)
            progress.update(task, completed=most - left, total=most)
            if best is None or left < best:
                best, since = left, time.monotonic()
            elif time.monotonic() - since > STALLED_SECONDS:
                since = time.monotonic()
                seconds = f"{STALLED_SECONDS:.0f} s"
                console.print(f"{_counted(left, 'message')} left, and none was applied for {seconds}. Is `thaw up` running?")
            time.sleep(LOOK_SECONDS)


COMMANDS = (import_,)
