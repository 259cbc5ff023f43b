"""``thaw playbook simulate``: half a year under a playbook, in memory, without servers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Generic, TypeVar

import click
import msgspec

from service.calendars import CalendarError, freeze_calendar
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.columns import in_columns
from service.cli.ops import bar
from service.cli.playbook import read_file
from service.cli.typed import DAY
from service.office import Office, Week
from service.offices import USUALLY_ANSWERED, KeepInTouch, Method, OtherOffice, RealReason, method_of
from service.playbooks import read_beside_shipped, shipped_playbooks
from service.times import parse_day, shown_day
from service.wording import count, plain
from workflows.accountability import FIGURES, Figure
from workflows.playbooks import Playbook
from workflows.regions import is_known

_COLUMNS: tuple[tuple[Figure, str], ...] = (
    ("notes", "notes"), ("calls", "calls"), ("kept", "kept"), ("follow_ups", "follow-ups"), ("breakups", "breakups"),
    ("nurture_touches", "nurture"), ("decisions_yes", "yes"), ("decisions_no", "no"), ("minutes", "minutes"),
)  # fmt: skip


class SimulatedWeek(msgspec.Struct, frozen=True, kw_only=True):
    """A week of all reps together."""

    first: date
    people: int
    """Leads that somebody wrote to or called for the first time."""
    figures: dict[Figure, int]


class OtherWeek(msgspec.Struct, frozen=True, kw_only=True):
    """A week of all reps together, in the columns of a method that begins with no note."""

    first: date
    counts: dict[str, int]


W = TypeVar("W", SimulatedWeek, OtherWeek)


class Simulated(msgspec.Struct, Generic[W], frozen=True, kw_only=True):
    """What ``thaw playbook simulate --json`` prints."""

    playbook: str
    reps: int
    answer_rate: int
    events: int
    weeks: tuple[W, ...]


_OFFICES: Mapping[Method, type[Office]] = {"notes": Office, "keep-in-touch": KeepInTouch, "real-reason": RealReason}


@click.command()
@click.argument("playbook")
@click.option("--weeks", type=click.IntRange(1, 260), default=26, show_default=True, help="For how long.")
@click.option(
    "--reps", type=click.IntRange(1, 50), default=3, show_default=True, help="How many reps, each with leads of his own."
)
@click.option(
    "--calendar", default="US", show_default=True, metavar="COUNTRY[-REGION]", help="Whose public holidays: US, DE-BY …"
)
@click.option("--timezone", default="America/New_York", show_default=True, help="Where reps and prospects are.")
@click.option(
    "--leads", type=click.IntRange(1, 20_000), help="Cold leads of each rep; as many as can be written to, when left out."
)
@click.option(
    "--answer-rate",
    type=click.IntRange(0, 100),
    help="Attempts that are answered, percent: 40; of monthly touches 2, of those asked why 50.",
)
@click.option("--start", type=DAY, default="2026-01-05", show_default=True, help="The first day.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed gives the same people and the same answers."
)
@json_option
@pass_app
def simulate(
    app: App,
    playbook: str,
    weeks: int,
    reps: int,
    calendar: str,
    timezone: str,
    leads: int | None,
    answer_rate: int | None,
    start: str,
    seed: int,
    as_json: bool,
) -> None:
    """Live through some months under PLAYBOOK, a file or the id of a shipped one, and print what each week holds.

    The plans and decisions are the service's own, made in memory on a clock of their own; the people and what they answer are
    invented. Nothing is kept.

    Each method has columns of its own: notes and calls; with keep-in-touch the monthly touches of people in nurture; with
    real-reason two new noes a day for each rep, why they said it, and the homework. Letters of campaigns are not simulated.
    """
    read = _read(playbook)
    if read.invitation:
        raise InputError(
            f"{read.id}@{read.version} is for letters of campaigns, which have no part in the simulation of reps' days; "
            "`thaw campaign letters NAME` shows on which days those of a campaign leave"
        )
    method = method_of(read)
    rate = USUALLY_ANSWERED[method] if answer_rate is None else answer_rate
    first = parse_day(start)
    last = first + timedelta(weeks=weeks) - timedelta(days=1)
    country, _, region = calendar.partition("-")
    try:
        # A promise and a timer may reach beyond the last day: two years, as the longest of them.
        frozen = freeze_calendar(country, region, timezone, first - timedelta(days=366), last + timedelta(days=731))
    except (CalendarError, OverflowError) as error:
        raise InputError(str(error)) from error
    office = _OFFICES[method](
        read,
        {f"rep-{number}": frozen for number in range(1, reps + 1)},
        start=first,
        leads=leads if leads is not None else max(1, read.capacity.notes * 5 * weeks),
        answer_rate=rate / 100,
        seed=seed,
        country=country if is_known(country) else None,
    )
    days = weeks * 7
    with bar("simulating") as progress:
        for number in range(days):
            office.live(first + timedelta(days=number))
            progress(number + 1, days)
    if isinstance(office, OtherOffice):
        _print_other(app, read, office, reps=reps, rate=rate, first=first, last=last, as_json=as_json)
        return
    lived = [week for week in office.weeks() if week.first <= last]
    if as_json:
        app.print_json(
            Simulated(
                playbook=f"{read.id}@{read.version}",
                reps=reps,
                answer_rate=rate,
                events=len(office.log),
                weeks=tuple(_shown(week) for week in lived),
            )
        )
        return
    click.echo(
        f"{read.id}@{read.version}: {plain(read.title)}; {count(reps, 'rep')}, {count(weeks, 'week')} from {shown_day(first)}, "
        f"{rate} % answered"
    )
    for line in in_columns(_rows(lived), left=1):
        click.echo(line)


def _print_other(
    app: App, read: Playbook, office: OtherOffice, *, reps: int, rate: int, first: date, last: date, as_json: bool
) -> None:
    lived = office.counted(first, last)
    exactly = f"{read.id}@{read.version}"
    if as_json:
        weeks = tuple(OtherWeek(first=week.first, counts=week.counts) for week in lived)
        events = len(office.log)
        app.print_json(Simulated(playbook=exactly, reps=reps, answer_rate=rate, events=events, weeks=weeks))
        return
    columns = [*office.columns, "minutes"]
    rows: list[tuple[object, ...]] = [("week from", *columns)]
    rows += [(shown_day(week.first), *(week.counts[column] for column in columns)) for week in lived]
    rows.append(("together", *(sum(week.counts[column] for week in lived) for column in columns)))
    click.echo(
        f"{exactly}: {plain(read.title)}; {count(reps, 'rep')}, {count(len(lived), 'week')} from {shown_day(first)}, "
        f"{rate} % answered"
    )
    for line in in_columns(rows, left=1):
        click.echo(line)


def _read(named: str) -> Playbook:
    if Path(named).is_file():
        return read_beside_shipped(read_file(named))
    shipped = shipped_playbooks()
    if named not in shipped:
        raise InputError(
            f"{plain(named, 80)!r} is neither a file nor a shipped playbook; there is {', '.join(sorted(shipped))}"
        )
    return shipped[named][0]


def _shown(week: Week) -> SimulatedWeek:
    return SimulatedWeek(first=week.first, people=week.people, figures={name: week.figures.get(name, 0) for name in FIGURES})


def _rows(weeks: Sequence[Week]) -> Iterator[tuple[object, ...]]:
    yield ("week from", "people", *(head for _, head in _COLUMNS))
    for week in weeks:
        yield (shown_day(week.first), week.people, *(week.figures.get(figure, 0) for figure, _ in _COLUMNS))
    sums = (sum(week.figures.get(figure, 0) for week in weeks) for figure, _ in _COLUMNS)
    yield ("together", sum(week.people for week in weeks), *sums)


COMMANDS = (simulate,)
