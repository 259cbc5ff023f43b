"""``thaw demo``: half a year of 5+5+5 before your eyes."""

import shlex
from datetime import date

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from models import leads
from models.database import make_engine, transaction
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.run import bring_up_to_date, children, own_servers
from service.demo.report import weekly
from service.demo.run import END, LEADS, REP, START, Plan, Result, fresh_home, in_background, is_empty, live_through
from service.history import read_history, told
from service.logs import set_up_logs
from service.settings import Settings
from service.supervisor import Supervisor
from service.times import zone_of
from service.wiring import Service, connect, owner_url
from workflows.calendars import Absence

#: Characters in a line when nobody's terminal says how many there are.
PIPE_WIDTH = 110


@click.command()
@click.option(
    "--leave", metavar="FIRST:LAST", multiple=True, help="Days on which the rep is away, such as 2026-03-09:2026-03-20."
)
@click.option(
    "--long-gap",
    type=click.Choice(["skip", "accept"]),
    default="skip",
    show_default=True,
    help="Notes whose call would come more than ten calendar days later: leave them out, or write them all the same.",
)
@click.option("--seed", default=555, show_default=True, help="Draws the sample and every outcome.")
@json_option
@pass_app
def demo(app: App, leave: tuple[str, ...], long_gap: str, seed: int, as_json: bool) -> None:
    """Work 700 invented cold leads through the first half of 2026, on real servers, workers and clock."""
    plan = Plan(seed=seed, leave=tuple(_absence(text) for text in leave), long_gap="accept" if long_gap == "accept" else "skip")
    console = Console(quiet=as_json, highlight=False, soft_wrap=True, width=None if app.on_terminal else PIPE_WIDTH)
    with fresh_home(app.settings) as (settings, clock), own_servers(settings):
        set_up_logs(settings)
        _refuse_used_database(settings)
        bring_up_to_date(settings)
        service = connect(settings, name="thaw demo")
        _introduce(console, plan)
        supervisor = Supervisor(children(settings))
        with in_background(supervisor.run, supervisor.stop), _progress(console) as progress:
            days = progress.add_task("days", total=(END - START).days + 1, day="")
            result = live_through(
                service,
                clock,
                plan,
                lambda day, done: progress.update(
                    days, completed=(day - START).days + 1, day=f"{day:%a %d %b} {done:>5} commands"
                ),
            )
        _tell(console, result)
        if not as_json:
            _replay_three(console, service, result)
            console.print(f"\nAll of it stays: `export THAW_HOME={shlex.quote(settings.home)}` and `thaw up` open it again.")
        service.engine.dispose()
    app.print_json(result.figures)
    if result.verified.findings or result.figures.messages_lost:
        raise SystemExit(1)


def _refuse_used_database(settings: Settings) -> None:
    engine = make_engine(owner_url(settings), application_name="thaw demo")
    try:
        with transaction(engine) as connection:
            empty = is_empty(connection)
    finally:
        engine.dispose()
    if not empty:
        raise InputError("the demonstration needs an empty database, and the log of this one has events in it")


def _absence(text: str) -> Absence:
    first, _, last = text.partition(":")
    try:
        return Absence(first=date.fromisoformat(first), last=date.fromisoformat(last or first))
    except ValueError as error:
        raise InputError(f"--leave {text!r}: write FIRST:LAST as in 2026-03-09:2026-03-20 ({error})") from error


def _introduce(console: Console, plan: Plan) -> None:
    console.print(f"{REP}: {LEADS} invented cold leads, five notes and five promised calls a working day, US federal holidays")
    for absence in plan.leave:
        console.print(f"on leave {absence.first} to {absence.last}; long gaps: {plan.long_gap}")
    console.print(f"from {START:%A %d %B %Y} to {END:%A %d %B %Y}, on a clock that is driven; everything else is real\n")


def _progress(console: Console) -> Progress:
    """Return a progress bar on a terminal, and nothing in a pipe."""
    return Progress(
        TextColumn("{task.fields[day]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not console.is_terminal,
    )


def _tell(console: Console, result: Result) -> None:
    table = Table(title="Accountability, by week", title_justify="left")
    for heading in (
        "week of",
        "working days",
        "notes",
        "promises due",
        "kept on the day",
        "other touches",
        "decisions",
    ):
        table.add_column(heading, justify="left" if heading == "week of" else "right")
    for row in weekly(result.touches, result.calendar, start=START, end=result.end):
        table.add_row(*(str(cell) for cell in row))
    console.print(table)
    verified = result.verified
    console.print(f"\nverify: {verified.events} events in {verified.streams} streams, ", end="")
    console.print("nothing wrong" if not verified.findings else "\n".join(f.sentence for f in verified.findings))


def _replay_three(console: Console, service: Service, result: Result) -> None:
    """Replay the leads with the longest histories, one in each of three states."""
    zone = zone_of(result.calendar)
    with transaction(service.engine) as connection:
        for state in ("won", "declined", "breakup_sent"):
            found = leads.longest_history(connection, state)
            if found is None:
                continue
            console.print(f"\nthaw replay {found}")
            for entry in read_history(connection, found).entries:
                for line in told(entry, zone):
                    console.print(f"  {line}", markup=False)


COMMANDS = (demo,)
