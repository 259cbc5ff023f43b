"""What a benchmark found: figures with their aims, printed as a table, and as one JSON object for machines."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """One measured value."""

    key: str
    """Unique in the run, such as ``transitions.per_second``."""
    title: str
    value: float
    unit: str
    aim: float | None = None
    at_most: bool = False
    """The aim is a limit that is not to be passed, instead of one to be reached."""

    @property
    def missed(self) -> bool:
        """Whether there is an aim and the value is on the wrong side of it."""
        if self.aim is None:
            return False
        return self.value > self.aim if self.at_most else self.value < self.aim


def show(console: Console, title: str, figures: Sequence[Figure], notes: Sequence[str] = ()) -> None:
    """Print the figures of one benchmark."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("")
    table.add_column("aim", justify="right")
    table.add_column("")
    for figure in figures:
        aim = "" if figure.aim is None else f"{'at most ' if figure.at_most else ''}{number(figure.aim)}"
        verdict = "" if figure.aim is None else "[red]missed[/]" if figure.missed else "[green]met[/]"
        table.add_row(figure.title, number(figure.value), figure.unit, aim, verdict)
    console.print(table)
    for note in notes:
        console.print(f"  {note}", highlight=False)
    console.print()


def number(value: float) -> str:
    """Return *value* with as many digits as a person wants to read."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
