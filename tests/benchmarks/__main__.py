"""``make bench``: every benchmark on one machine in one run. The last line is one JSON object with all figures."""

import json
import sys

import click
from rich.console import Console

from tests.benchmarks import imports, replay, timers, transitions
from tests.benchmarks.figures import Figure, show
from tests.benchmarks.machine import machine
from tests.benchmarks.stage import open_stage

BENCHMARKS = {"a": transitions, "b": replay, "c": timers, "d": imports}


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: a look at whether it runs, not at how fast.")
@click.option("--only", default="a,b,c,d", show_default=True, help="Which to run: a transitions, b replay, c timers, d import.")
@click.option("--grid", is_flag=True, help="Try many settings of the workers instead.")
def main(quick: bool, only: str, grid: bool) -> None:
    """Measure, print a table for each benchmark, and one JSON object as the last line."""
    unknown = set(only.split(",")) - BENCHMARKS.keys()
    if unknown:
        raise click.BadParameter(f"there is no benchmark {', '.join(sorted(unknown))}; choose from a, b, c, d")
    console = Console(highlight=False)
    with open_stage(quick=quick) as stage:
        here = machine(stage.server_url, stage.redis_url)
        console.print(f"{here.cores} cores, {here.memory_mb:,} MB, {here.cpu}; load {here.load} before the start")
        console.print(f"{here.system}, Python {here.python}, PostgreSQL {here.postgresql}, {here.redis}\n")
        if grid:
            for line in transitions.grid(stage):
                console.print(line)
            return
        figures: list[Figure] = []
        for letter in only.split(","):
            benchmark = BENCHMARKS[letter]
            found, notes = benchmark.run(stage)
            show(console, f"({letter}) {benchmark.TITLE}", found, notes)
            figures += found
    missed = [figure.key for figure in figures if figure.missed]
    result = {"machine": here._asdict(), "quick": quick, "missed": missed}
    sys.stdout.write(json.dumps(result | {figure.key: round(figure.value, 3) for figure in figures}) + "\n")


if __name__ == "__main__":
    main()
