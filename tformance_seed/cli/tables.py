"""Tables for people: aligned lines, as wide as they need; Rich folds them where a terminal is narrower.

Rich is imported where it is needed: to load it and let it draw takes longer than all else that `orgs` does.
"""

import shutil
import sys
from collections.abc import Sequence
from typing import Any

import typer

#: What stands between two columns.
GAP = "  "


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    right: Sequence[bool] | None = None,
) -> None:
    """Print a table below its title, with an empty line after it.

    Parameters:
      right: which columns stand to the right; by default those of numbers, but for the first.
    """
    cells = [list(columns), *([_cell(value) for value in row] for row in rows)]
    numeric = right or [
        place > 0 and all(_is_number(row[place]) for row in rows) for place in range(len(columns))
    ]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    width = sum(widths) + len(GAP) * (len(widths) - 1)
    if sys.stdout.isatty() and shutil.get_terminal_size().columns < width:
        _fold(title, cells, numeric)
    else:
        head, *lines = (_line(row, widths, numeric) for row in cells)
        typer.echo("\n".join([typer.style(title, italic=True), typer.style(head, bold=True), *lines]))
    typer.echo()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or not value


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: characters of some scripts take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _line(row: list[str], widths: list[int], numeric: Sequence[bool]) -> str:
    padded = []
    for text, width, right in zip(row, widths, numeric, strict=True):
        space = " " * (width - _width(text))
        padded.append(space + text if right else text + space)
    return GAP.join(padded).rstrip()


def _fold(title: str, cells: list[list[str]], numeric: Sequence[bool]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    columns, *rows = cells
    for column, right in zip(columns, numeric, strict=True):
        drawn.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(highlight=False).print(drawn)
