"""What the result of a command consists of: lines, paragraphs and tables for people, and a value for JSON."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Line:
    """One line, which is never wrapped, such as a command to paste; its beginning may have a style.

    Parameters:
      label: the styled beginning.
      style: keyword arguments of ``typer.style``, by default bold.
      indent: the number of spaces before it.
    """

    text: str = ""
    label: str = ""
    style: Mapping[str, Any] = field(default_factory=lambda: {"bold": True})
    indent: int = 0


@dataclass(frozen=True)
class Paragraph:
    """Running text, wrapped to the width of the terminal, with an optional styled label in front.

    Parameters:
      label_style: keyword arguments of ``typer.style``.
      indent: the number of spaces before the first line.
    """

    text: str
    label: str = ""
    label_style: Mapping[str, Any] = field(default_factory=dict)
    indent: int = 0


@dataclass(frozen=True)
class Table:
    """A titled table.

    Parameters:
      right_aligned: whether each column is right-aligned; by default columns of numbers are, except for the
        first column.
      dispensable: the columns that are left out, in this order, where a terminal is too narrow for all.
      prose: the columns of running text, which may go on below; values of others are never broken.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right_aligned: Sequence[bool] | None = None
    dispensable: Sequence[str] = ()
    prose: Collection[str] = ()


@dataclass(frozen=True)
class View:
    """A command's result in two forms: the fields of an object for programs, and blocks for people.

    A block that is a string is one line without style.
    """

    data: Mapping[str, Any]
    blocks: Sequence[Table | Paragraph | Line | str]


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts, such as ``2 runs``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def rate(written: int, per_second: float) -> str:
    """Return the end of a line about rows that were written; empty if none was."""
    return f": {per_second:,.0f} rows written per second" if written else ""
