"""Lay out tables for a terminal: no value is ever broken or shortened, whatever the width.

If a table does not fit, headings and running text go on below; then columns are left out, the least important
first; and if even the others do not fit, each row becomes a record with one field a line.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tformance_seed.cli.blocks import Line, Table
from tformance_seed.printable import printable

#: The separator between two columns of a table, and between a record's names and values.
GAP = "  "

#: Columns of the terminal that running text has at least, if it is that long, before other columns go.
PROSE_WIDTH = 24

#: Styles of the title, and of the line about columns that are left out.
TITLE, REMARK = {"italic": True}, {"dim": True}


def lay_out(table: Table, width: int | None) -> list[Line]:
    """Return the lines of a table, its title included.

    Parameters:
      width: columns of the terminal; None if there is none, so that lines are as wide as necessary.
    """
    grid = _Grid(table)
    if width is None or grid.natural_width() <= width:
        widths = [column.natural for column in grid.columns]
        return [*_title(table, width), *grid.lines(widths)]
    left_out: list[str] = []
    for name in ["", *table.dispensable]:
        if name in grid.names:
            grid.remove(name)
            left_out.append(name)
        if (fitting := grid.fit(width)) is not None:
            return [*_title(table, width), *grid.lines(fitting), *_remark(left_out, width)]
    return [*_title(table, width), *_records(_Grid(table), width)]


def wrap(text: str, width: int) -> list[str]:
    """Wrap a text at its spaces; a word that is longer than a line has a line of its own."""
    lines, used = [""], 0
    for word in text.split(" "):
        size = cell_width(word)
        if lines[-1] and used + 1 + size > width:
            lines.append(word)
            used = size
        else:
            used += size + (lines[-1] != "")
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def cell_width(text: str) -> int:
    """Return the width of a text in columns of a terminal: characters of some scripts fill two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


class _Column:
    """A column: its heading and cells as they are shown, and how wide it is.

    Attributes:
      natural: the width that it fills if nothing goes on below.
      least: the width that it needs.
    """

    def __init__(self, heading: str, values: Sequence[Any], *, is_prose: bool, right: bool) -> None:
        self.heading, self.is_prose, self.right = printable(heading), is_prose, right
        self.cells = [_cell(value) for value in values]
        longest = max(map(cell_width, self.cells), default=0)
        self.natural = max(cell_width(self.heading), longest)
        if is_prose:
            longest = max(min(longest, PROSE_WIDTH), *map(_longest_word, ["", *self.cells]))
        self.least = max(_longest_word(self.heading), longest)


class _Grid:
    """The columns of a table that are shown."""

    def __init__(self, table: Table) -> None:
        self.columns = [
            _Column(
                heading,
                [row[number] for row in table.rows],
                is_prose=heading in table.prose,
                right=table.right_aligned[number]
                if table.right_aligned
                else number > 0 and all(_is_number(row[number]) for row in table.rows),
            )
            for number, heading in enumerate(table.columns)
        ]
        self.names = list(table.columns)
        self.rows = len(table.rows)

    def remove(self, name: str) -> None:
        """Remove a column."""
        position = self.names.index(name)
        del self.names[position], self.columns[position]

    def natural_width(self) -> int:
        """Return the width of a line of which nothing goes on below."""
        return sum(column.natural for column in self.columns) + self._gaps()

    def fit(self, width: int) -> list[int] | None:
        """Return the widths of the columns in lines of a width; None if they do not fit."""
        widths = [column.least for column in self.columns]
        spare = width - sum(widths) - self._gaps()
        if spare < 0:
            return None
        # Running text has more use for spare room than headings have.
        for number in sorted(range(len(widths)), key=lambda number: not self.columns[number].is_prose):
            more = min(spare, self.columns[number].natural - widths[number])
            widths[number] += more
            spare -= more
        return widths

    def lines(self, widths: Sequence[int]) -> Iterator[Line]:
        """Yield the lines of the head and the rows."""
        for line in self._row(widths, [column.heading for column in self.columns]):
            yield Line(label=line)
        for number in range(self.rows):
            yield from map(Line, self._row(widths, [column.cells[number] for column in self.columns]))

    def _row(self, widths: Sequence[int], texts: Sequence[str]) -> Iterator[str]:
        parts = [
            [text] if cell_width(text) <= width else wrap(text, width)
            for text, width in zip(texts, widths, strict=True)
        ]
        for number in range(max(map(len, parts), default=0)):
            line = []
            for column, width, part in zip(self.columns, widths, parts, strict=True):
                text = part[number] if number < len(part) else ""
                padding = " " * (width - cell_width(text))
                line.append(padding + text if column.right else text + padding)
            yield GAP.join(line).rstrip()

    def _gaps(self) -> int:
        return len(GAP) * (len(self.columns) - 1)


def _records(grid: _Grid, width: int) -> Iterator[Line]:
    """Yield each row as a record: a line for each field that is not empty, and an empty line after it."""
    names = max(cell_width(column.heading) for column in grid.columns)
    beside = names + len(GAP) + max(_needed(column) for column in grid.columns) <= width
    for number in range(grid.rows):
        if number:
            yield Line()
        for column in grid.columns:
            text = column.cells[number]
            if not text:
                continue
            room = width - names - len(GAP) if beside else width - len(GAP)
            first, *others = wrap(text, room) if column.is_prose else [text]
            if beside:
                padding = " " * (names - cell_width(column.heading))
                yield Line(label=f"{column.heading}{padding}{GAP}", text=first)
                others = [" " * names + GAP + line for line in others]
            else:
                yield Line(label=column.heading)
                yield Line(GAP + first)
                others = [GAP + line for line in others]
            yield from map(Line, others)


def _needed(column: _Column) -> int:
    """Return the width that a column's values need where each has a line of its own."""
    measure = _longest_word if column.is_prose else cell_width
    return max(map(measure, column.cells), default=0)


def _title(table: Table, width: int | None) -> list[Line]:
    title = printable(table.title)
    return [Line(label=line, style=TITLE) for line in ([title] if width is None else wrap(title, width))]


def _remark(left_out: Sequence[str], width: int) -> list[Line]:
    """Say which columns are left out; nothing if none is."""
    if not left_out:
        return []
    text = f"not shown here: {', '.join(map(printable, left_out))}; a wider terminal shows them"
    return [Line(label=line, style=REMARK) for line in wrap(text, width)]


def _longest_word(text: str) -> int:
    return max(map(cell_width, text.split(" ")))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or not value


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
