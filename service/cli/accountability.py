"""``thaw accountability``: what each rep did, promised and kept, counted from the log."""

import csv
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import click
import msgspec

from models import frozen, views
from models.database import Connection
from service.cli.accounted import Traced, print_listed
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.columns import in_columns
from service.cli.ops import progress_bar
from service.cli.typed import DAY
from service.find import find_rep
from service.times import parse_day, shown_day
from service.wording import plain
from workflows.accountability import FIGURES, Accountability, Diaries, Figure, Place
from workflows.events import Recorded

#: So many weeks are shown when nobody says since when, the present one included.
_WEEKS = 4

#: What a table on a terminal holds, under what head, and what that means; ``--csv`` and ``--json`` have every figure.
COLUMNS: tuple[tuple[Figure, str, str], ...] = (
    ("notes", "notes", "notes in the post"),
    ("notes_missed", "missed", "notes that were planned and not written that day"),
    ("notes_absent", "notes-away", "the same on a day on which the rep turned out to be away"),
    ("calls", "calls", "promised calls made, on whatever day"),
    (
        "promised",
        "promised",
        "calls that notes promised for these days: each is kept, late, broken, calls-away, lifted or open",
    ),
    ("kept", "kept", "made in time"),
    ("late", "late", "made after their time"),
    ("broken", "broken", "never made: the promise expired"),
    ("promises_absent", "calls-away", "late or never made, for a day on which the rep turned out to be away"),
    ("lifted", "lifted", "needless: they answered first, said no or opted out, or the note came back"),
    ("open", "open", "not made yet"),
    ("follow_ups", "follow-ups", "later attempts, by whatever mode"),
    ("breakups", "breakups", "breakups sent"),
    ("decisions_yes", "yes", "decisions for us: a decision on a call, a meeting, a deal won"),
    ("decisions_no", "no", "clear refusals, which are decisions, too"),
    ("minutes", "minutes", "minutes logged"),
    ("minutes_released", "released", "minutes of attempts that letting go of somebody saved"),
    ("overrides", "overrides", "things done in spite of a rule, with a reason"),
    ("unverified", "unread", "notes, and halves of breakups, of which no text was given, so that no program read them"),
    ("from_photo", "photo", "notes of which two sentences were read, and the rest stands in a photo"),
    ("reasons_unverified", "reason?", "leads of which only a generic reason for their no is known"),
    ("below_the_floor", "silent", "leads that wait or rest, and hear from us too rarely since these days"),
)


class Accounted(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report."""

    rep: str
    first: date
    """The day, the Monday of the week, or the first of the month."""
    figures: dict[Figure, int]
    """Every figure, 0 included; `workflows.accountability` says what each counts."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw accountability --json`` prints."""

    lines: tuple[Accounted, ...]
    """By rep, then by day."""


@click.command()
@click.option("--rep", "rep_name", help="Only this rep.")
@click.option("--from", "since", type=DAY, metavar="DAY", help="The first day; four weeks ago when left out.")
@click.option(
    "--to", "until", type=DAY, metavar="DAY", help="The last day; without it, everything up to now and promised ahead."
)
@click.option("--by", "unit", type=click.Choice(["day", "week", "month"]), show_default="week", help="What a line is.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, every figure.")
@click.option(
    "--leads",
    "figure",
    type=click.Choice(FIGURES),
    metavar="FIGURE",
    help="List what one figure counts instead: each lead with its event, and of overrides the reason. One of "
    + ", ".join(FIGURES)
    + ".",
)
@json_option
@pass_app
def accountability(
    app: App,
    rep_name: str | None,
    since: str | None,
    until: str | None,
    unit: str | None,
    as_csv: bool,
    figure: Figure | None,
    as_json: bool,
) -> None:
    """Print what each rep did on which days: notes, calls, promises and what became of them, decisions, minutes, overrides.

    A promise counts on the day that the note named. What was not done on a day on which the rep turned out to be away is
    away, and nothing was missed. All of it is counted from the log; below the table stands what each column means.
    """
    if as_csv and (as_json or figure):
        raise InputError("--csv goes neither with --json nor with --leads: choose one")
    if figure and unit:
        raise InputError(f"--by {unit} goes not with --leads, which lists days: leave one out")
    unit = unit or "week"
    first = parse_day(since) if since else _monday(app.service.now().date()) - timedelta(weeks=_WEEKS - 1)
    last = parse_day(until) if until else date.max
    if last < first:
        raise InputError(f"--to {last} is before --from {first}: the first day comes first")
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        if rep_name:
            rep_name = find_rep(connection, rep_name).name
        traced = Traced(figure, rep_name, first, last)
        figures = _counted(connection, traced, app.service.now())
        listed = traced.listed(connection)
    if figure:
        print_listed(app, figure, listed, as_json=as_json)
    else:
        _print(app, _lines(figures, rep_name, first, last, unit), unit, as_csv=as_csv, as_json=as_json, first=first)


def _counted(connection: Connection, traced: Traced, now: datetime) -> Mapping[Place, Counter[Figure]]:
    library = frozen.read_library(connection)
    counted = Accountability(Diaries(frozen.read_calendars(connection)), library.playbooks, traced.take, now)
    with progress_bar(connection, "counting") as progress:
        seen = itertools.count(1)
        for _, history in frozen.histories(connection):
            counted.take(_watched(history, lambda: progress(next(seen))))
    return counted.figures


def _print(app: App, lines: list[Accounted], unit: str, *, as_csv: bool, as_json: bool, first: date) -> None:
    if as_json:
        app.print_json(Report(lines=tuple(lines)))
    elif as_csv:
        _print_csv(lines)
    elif lines:
        shown = _shown(lines)
        for text in (*in_columns(_rows(lines, shown, unit), left=2), "", *_legend(shown)):
            click.echo(text)
    else:
        click.echo(f"nothing was done or promised from {shown_day(first)} on")


def _watched(history: Iterator[Recorded], step: Callable[[], None]) -> Iterator[Recorded]:
    for recorded in history:
        step()
        yield recorded


def _lines(figures: Mapping[Place, Counter[Figure]], rep: str | None, first: date, last: date, unit: str) -> list[Accounted]:
    sums: dict[Place, Counter[Figure]] = {}
    for place, counts in figures.items():
        if first <= place.day <= last and rep in (None, place.rep):
            sums.setdefault(Place(place.rep, _start(place.day, unit)), Counter()).update(counts)
    return [
        Accounted(rep=place.rep, first=place.day, figures={figure: counts[figure] for figure in FIGURES})
        for place, counts in sorted(sums.items())
    ]


def _start(day: date, unit: str) -> date:
    return {"day": day, "week": _monday(day), "month": day.replace(day=1)}[unit]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _shown(lines: Sequence[Accounted]) -> tuple[tuple[Figure, str, str], ...]:
    # A column of which nothing is to be said would push what matters off the page.
    return tuple(column for column in COLUMNS if any(line.figures[column[0]] for line in lines))


def _rows(lines: Sequence[Accounted], shown: Sequence[tuple[Figure, str, str]], unit: str) -> Iterator[tuple[object, ...]]:
    yield ("rep", {"day": "day", "week": "week from", "month": "month from"}[unit], *(head for _, head, _ in shown))
    for line in lines:
        yield (plain(line.rep), shown_day(line.first), *(line.figures[figure] or "·" for figure, _, _ in shown))


def _legend(shown: Sequence[tuple[Figure, str, str]]) -> Iterator[str]:
    """Yield what each column counts that is shown."""
    yield from (f"  {head:<10}  {meaning}" for _, head, meaning in shown)


def _print_csv(lines: Iterable[Accounted]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["rep", "first", *FIGURES])
    for line in lines:
        writer.writerow([_harmless(line.rep), line.first, *line.figures.values()])


def _harmless(name: str) -> str:
    """Return *name* so that no spreadsheet takes it for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


COMMANDS = (accountability,)
