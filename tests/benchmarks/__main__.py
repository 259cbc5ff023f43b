"""Run the benchmarks: ``make bench``, or ``python -m tests.benchmarks [--quick] [--only audit] [--events N] [--grid]``.

They start servers of their own in a folder that is thrown away, or use those that THAW_DATABASE_URL and THAW_REDIS_URL name,
each benchmark in a database of its own. The last line of the output is one JSON object with all figures.
"""

import argparse
import sys
from types import ModuleType

import msgspec
from rich.console import Console

from service.logs import set_up_logs
from service.settings import Settings
from tests.benchmarks import audit, imports, replay, timers, transitions
from tests.benchmarks.figures import Figure, show
from tests.benchmarks.log import EVENTS_MOST, LIVED_EVENTS_MOST
from tests.benchmarks.machine import Machine, machine
from tests.benchmarks.stage import Stage, Stopwatch, open_stage
from tests.logins import pytest_sessionfinish as drop_logins

#: By name, in the order in which they run.
BENCHMARKS: dict[str, ModuleType] = {
    "transitions": transitions,
    "replay": replay,
    "audit": audit,
    "timers": timers,
    "import": imports,
}

#: In a shorter log there is not one of each life.
EVENTS_LEAST = 500

LONG = f"so many events in the log of audit, a million unless said; of more than {LIVED_EVENTS_MOST:,} most are copied lives"


def main(arguments: list[str] | None = None) -> int:
    """Run what *arguments* ask for, print it, and return the exit status: 1 for a missed aim if ``--strict`` is given."""
    asked = _parser().parse_args(arguments)
    names = asked.only.split(",") if asked.only else list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"there is no benchmark called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    console = Console(width=120)
    with open_stage(quick=asked.quick, events=asked.events) as stage:
        found = machine(stage.server_url, stage.redis_url)
        _introduce(console, found)
        if asked.grid:
            for line in transitions.grid(stage):
                console.print(line, highlight=False)
            return 0
        figures = [figure for name in names for figure in _measure(console, stage, BENCHMARKS[name])]
    missed = [figure.key for figure in figures if figure.missed]
    result = {
        "machine": found,
        "quick": asked.quick,
        "figures": {figure.key: round(figure.value, 3) for figure in figures},
        "aims": {figure.key: figure.aim for figure in figures if figure.aim is not None},
        "missed": missed,
    }
    sys.stdout.write(f"{msgspec.json.encode(result).decode()}\n")
    return 1 if missed and asked.strict else 0


def _measure(console: Console, stage: Stage, benchmark: ModuleType) -> list[Figure]:
    watch = Stopwatch()
    figures, notes = benchmark.run(stage)
    show(console, benchmark.TITLE, figures, [*notes, f"measured in {watch.seconds:.0f} s"])
    return list(figures)


def _introduce(console: Console, found: Machine) -> None:
    packages = ", ".join(f"{name} {version}" for name, version in found.packages.items())
    console.print(f"[bold]{found.cpu}[/], {found.cores} cores, {found.memory_mb:,} MB; {found.system}", highlight=False)
    console.print(f"Python {found.python}, PostgreSQL {found.postgresql}, {found.redis}; {packages}", highlight=False)
    busy = " [red]The machine is busy with something else: compare only figures of this one run.[/]" if found.load > 0.5 else ""
    console.print(f"Load before the start: {found.load}.{busy}\n", highlight=False)


def _events(typed: str) -> int:
    if not typed.isdecimal() or not EVENTS_LEAST <= int(typed) <= EVENTS_MOST:
        raise argparse.ArgumentTypeError(f"a number of events from {EVENTS_LEAST} to {EVENTS_MOST}, not {typed}")
    return int(typed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure Thaw on this machine.")
    parser.add_argument("--quick", action="store_true", help="small sizes: see that all works, believe no figure")
    parser.add_argument("--only", metavar="A,B", help=f"only these of {', '.join(BENCHMARKS)}")
    parser.add_argument("--events", type=_events, metavar="N", help=LONG)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when an aim is missed")
    parser.add_argument("--grid", action="store_true", help="try settings of the workers instead, some minutes")
    return parser


if __name__ == "__main__":
    set_up_logs(Settings(log_level="error"))
    try:
        sys.exit(main())
    finally:
        drop_logins()
