"""Figures in columns, for a terminal and for a pipe alike: never wrapped, so that each line can be cut out and counted."""

from collections.abc import Iterable, Iterator, Sequence


def in_columns(rows: Iterable[Sequence[object]], *, left: int) -> Iterator[str]:
    """Yield a line for each of *rows*, the first being the heads; the first *left* columns are texts, the others figures."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()
