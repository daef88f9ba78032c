"""All output to standard output, standard error and the terminal."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from tformance_seed.cli.hints import PROGRAM, complete

if TYPE_CHECKING:
    from rich.status import Status

    from tformance_seed.ledger import RunStatus
    from tformance_seed.sources.request import FetchListener

#: The separator between two columns of a table.
COLUMN_GAP = "  "

#: The width of a paragraph, in characters, if the output is not a terminal.
PIPE_WIDTH = 120

#: The number of spaces before every line of a paragraph except the first.
HANGING_INDENT = 6

#: Seconds without any worker activity after which a hint explains how to go on.
NO_WORKER_HINT_AFTER = 30.0

#: Seconds between updates of the progress bars of `status --watch`.
WATCH_INTERVAL = 1.0


@dataclass(frozen=True)
class Table:
    """A titled table in a command's result.

    Parameters:
      right_aligned: whether each column is right-aligned; by default columns of numbers are, except for the
        first column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right_aligned: Sequence[bool] | None = None


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
class View:
    """A command's result in two forms: a JSON-compatible value, and blocks for people.

    A block that is a string is printed as a separate line and never wrapped.
    """

    data: Any
    blocks: Sequence[Table | Paragraph | str]


def show(view: View, *, as_json: bool) -> None:
    """Print a command's result, either as one JSON object or for people.

    Whoever closes standard output has read enough; the work is done, so that is no error.
    """
    with suppress(BrokenPipeError):
        if as_json:
            print_json(view.data)
            return
        for block in view.blocks:
            if isinstance(block, Table):
                print_table(block)
            elif isinstance(block, Paragraph):
                _print_paragraph(block)
            else:
                print_message(complete(block))


def print_json(value: Any) -> None:
    """Print a value as JSON; types that JSON lacks are printed as strings."""
    print(json.dumps(value, indent=2, default=str))


def print_message(message: str) -> None:
    """Print a message on standard output, without styles if that is not a terminal."""
    typer.echo(message)


def print_warning(message: str) -> None:
    """Print a warning, as one line on standard error."""
    _print_on_stderr(f"warning: {message}")


def print_error(message: str) -> None:
    """Print an error, as one line on standard error."""
    _print_on_stderr(message)


def _print_on_stderr(message: str) -> None:
    with suppress(OSError):  # nobody reads standard error any more, which is no reason to end a run
        print(f"{PROGRAM}: {complete(' '.join(message.split()))}", file=sys.stderr, flush=True)


def bold(text: str) -> str:
    """Return a text in bold."""
    return typer.style(text, bold=True)


def confirm(question: str) -> bool | None:
    """Ask a question on standard error and return the answer; None if there is none on standard input."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return None


def silence_logging() -> None:
    """Keep log records of drivers and libraries off standard error; the command reports what matters."""
    import logging

    logging.getLogger().addHandler(logging.NullHandler())


def print_table(table: Table) -> None:
    """Print a table below its title, followed by an empty line.

    Lines are as wide as necessary; if the terminal is narrower, cells are folded. Rich is imported only in
    that case: importing it takes longer than everything else that `orgs` does.
    """
    cells = [list(table.columns), *([_cell(value) for value in row] for row in table.rows)]
    right_aligned = table.right_aligned or [
        column > 0 and all(_is_number(row[column]) for row in table.rows)
        for column in range(len(table.columns))
    ]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    width = sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)
    if sys.stdout.isatty() and shutil.get_terminal_size().columns < width:
        _print_folded(table.title, cells, right_aligned)
    else:
        head, *lines = (_line(row, widths, right_aligned) for row in cells)
        typer.echo("\n".join([typer.style(table.title, italic=True), bold(head), *lines]))
    typer.echo()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or not value


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _width(text: str) -> int:
    """Return the width of a text in terminal columns: characters of some scripts fill two columns."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _line(row: list[str], widths: list[int], right_aligned: Sequence[bool]) -> str:
    padded = []
    for text, width, right in zip(row, widths, right_aligned, strict=True):
        padding = " " * (width - _width(text))
        padded.append(padding + text if right else text + padding)
    return COLUMN_GAP.join(padded).rstrip()


def _print_folded(title: str, cells: list[list[str]], right_aligned: Sequence[bool]) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    columns, *rows = cells
    for column, right in zip(columns, right_aligned, strict=True):
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _print_paragraph(paragraph: Paragraph) -> None:
    from rich.console import Console
    from rich.text import Text

    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH
    label = typer.style(paragraph.label, **paragraph.label_style)
    indent = paragraph.indent
    text = complete(paragraph.text)
    for line in Text(paragraph.label + text).wrap(Console(width=columns), columns - HANGING_INDENT):
        text = line.plain.rstrip()
        if indent == paragraph.indent:
            text = label + text.removeprefix(paragraph.label)
        typer.echo(" " * indent + text)
        indent = HANGING_INDENT


@contextmanager
def fetch_listener() -> Iterator["FetchListener"]:
    """Yield what a source tells of its fetching: lines on standard error, where a terminal shows more."""
    from tformance_seed.sources.request import FetchListener

    if not sys.stderr.isatty():
        yield FetchListener(say=print_error)
        return
    with ExitStack() as stack:
        status: list[Status] = []

        def show(text: str) -> None:
            from rich.console import Console
            from rich.text import Text

            if not status:
                status.append(stack.enter_context(Console(stderr=True).status("")))
            with suppress(OSError):
                status[0].update(Text(text))

        yield FetchListener(say=print_error, show=show)


@contextmanager
def progress(*, workers: bool) -> Iterator[Callable[["RunStatus"], None] | None]:
    """Yield a function that shows a run's progress on standard error.

    Parameters:
      workers: other processes do the work, so if none of them is active, print a hint on how to go on.
    Yields:
      The function; None if there are no workers and standard error is not a terminal.
    """
    if not workers and not sys.stderr.isatty():
        yield None
        return
    with _progress_bars() as show_bars:
        silence = _Silence()

        def show_progress(status: "RunStatus") -> None:
            if workers:
                silence.check(status)
            show_bars(status)

        yield show_progress


def watch(get_status: Callable[[], "RunStatus"]) -> None:
    """Show progress bars for a run on standard error until it is finished."""
    with _progress_bars() as show_bars:
        silence = _Silence()
        while not (status := get_status()).is_finished:
            silence.check(status)
            show_bars(status)
            time.sleep(WATCH_INTERVAL)


class _Silence:
    """Says so, in one line, when no worker has been active for a while."""

    def __init__(self) -> None:
        self._activity = -1
        self._since = 0.0
        self._is_told = False

    def check(self, status: "RunStatus") -> None:
        """Compare a run's status with the last one."""
        now = time.monotonic()
        if status.activity_counter != self._activity:
            self._activity, self._since, self._is_told = status.activity_counter, now, False
        elif not self._is_told and now - self._since > NO_WORKER_HINT_AFTER:
            self._is_told = True
            print_error(
                f"run {status.run} is waiting: no worker has started or finished a task for "
                f"{now - self._since:.0f} s; start a worker with: {PROGRAM} worker; or go on without one: "
                f"press Ctrl-C, then {PROGRAM} retry {status.run} --broker none"
            )


@contextmanager
def _progress_bars() -> Iterator[Callable[["RunStatus"], None]]:
    """Yield a function that draws one bar for the organisations and one for each stage."""
    if not sys.stderr.isatty():
        yield lambda _status: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar_ids: dict[str, TaskID] = {}

    def show_bars(status: "RunStatus") -> None:
        counts = {"organisations": (sum(job.is_finished for job in status.jobs), len(status.jobs))}
        for job in status.jobs:
            for stage in job.stages:
                done, total = counts.get(stage.stage, (0, 0))
                counts[stage.stage] = (done + stage.items_done, total + stage.items)
        for name, (done, total) in counts.items():
            if name not in bar_ids:
                bar_ids[name] = bars.add_task(name.replace("_", " "), total=total)
            with suppress(OSError):
                bars.update(bar_ids[name], completed=done, total=total)

    with bars:
        yield show_bars
