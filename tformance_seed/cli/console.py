"""All output to standard output, standard error and the terminal.

Whatever is printed here passes ``printable`` first, line by line: data cannot control a terminal.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from tformance_seed.cli import answer, pager
from tformance_seed.cli.blocks import Line, Paragraph, Table, View
from tformance_seed.cli.hints import PROGRAM, complete
from tformance_seed.cli.interrupts import Interrupts
from tformance_seed.cli.tables import lay_out, wrap
from tformance_seed.printable import printable

if TYPE_CHECKING:
    from rich.status import Status

    from tformance_seed.sources.request import FetchListener

#: The width of a paragraph, in characters, if the output is not a terminal.
PIPE_WIDTH = 120

#: The number of spaces before every line of a paragraph except the first.
HANGING_INDENT = 6


class Verbosity:
    """How much is printed.

    Attributes:
      quiet: Whether only errors are, as ``--quiet`` asks, and JSON if that was asked for.
      verbose: Whether more is than usual, as ``--verbose`` asks.
    """

    quiet = False
    verbose = False


def show(view: View, *, as_json: bool, paged: bool = False) -> None:
    """Print a command's result for people, or leave it to be printed as JSON when the command has ended.

    Whoever closes standard output has read enough; the work is done, so that is no error.

    Parameters:
      paged: whether to show it page by page where it is longer than the terminal.
    """
    if as_json:
        answer.set_result(view.data)
        return
    lines = [] if Verbosity.quiet else [line for block in view.blocks for line in _lines_of(block)]
    if paged and pager.is_wanted(len(lines)) and pager.page("".join(f"{_styled(line)}\n" for line in lines)):
        return
    with suppress(BrokenPipeError):
        print_lines(lines)


def print_message(message: str) -> None:
    """Print a message on standard output, each of its lines by itself."""
    print_lines(map(Line, message.split("\n")))


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines on standard output, without styles if that is not a terminal."""
    for line in lines:
        typer.echo(_styled(line))


def _styled(line: Line) -> str:
    label = printable(line.label)
    styled = typer.style(label, **line.style) if label else ""
    return " " * line.indent + styled + printable(line.text)


def print_notice(message: str) -> None:
    """Print, as one line on standard error, what the user should know but need not act upon."""
    if not Verbosity.quiet:
        print_error(message)


def print_warning(message: str) -> None:
    """Print a warning, as one line on standard error."""
    print_notice(f"warning: {message}")


def print_error(message: str) -> None:
    """Print an error, as one line on standard error."""
    text = printable(complete(" ".join(message.split())))
    with suppress(OSError):  # nobody reads standard error any more, which is no reason to end a run
        print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)


def confirm(question: str, details: Sequence[str] = ()) -> bool | None:
    """Ask a question on standard error and return the answer; None if there is none on standard input.

    Parameters:
      details: lines that are printed before it.
    """
    for line in details:
        typer.echo(printable(line), err=True)
    try:
        return typer.confirm(printable(question), err=True)
    except typer.Abort:
        typer.echo(err=True)  # ends the line of the question
        if Interrupts.received:  # Typer makes the same of it as of the end of the input
            raise
        return None


def set_up_logging() -> None:
    """Keep log records of drivers and libraries off standard error; the command reports what matters.
    If more is to be printed than usual, records of this package are: a line for each task that ends here.
    """
    import logging

    own = logging.getLogger("tformance_seed")
    own.setLevel(logging.INFO if Verbosity.verbose else logging.NOTSET)
    logging.getLogger().addHandler(logging.NullHandler())
    if Verbosity.verbose:
        from tformance_seed.execution.log_format import TextFormatter

        handler = logging.StreamHandler()
        handler.setFormatter(TextFormatter(f"{PROGRAM}: %(message)s"))
        handler.addFilter(logging.Filter(own.name))
        logging.getLogger().addHandler(handler)


def terminal_width() -> int | None:
    """Return the columns of the terminal that shows standard output; None if there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _lines_of(block: Table | Paragraph | Line | str) -> Iterator[Line]:
    if isinstance(block, Table):
        yield from lay_out(block, terminal_width())
        yield Line()
    elif isinstance(block, Paragraph):
        yield from _paragraph(block)
    elif isinstance(block, Line):
        yield replace(block, label=complete(block.label), text=complete(block.text))
    else:
        yield Line(complete(block))


def _paragraph(paragraph: Paragraph) -> Iterator[Line]:
    width = (terminal_width() or PIPE_WIDTH) - HANGING_INDENT
    text = printable(paragraph.label + complete(paragraph.text))
    first, *others = wrap(text.lstrip(" "), width)
    label = printable(paragraph.label)
    if not label or not first.startswith(label):  # a label of several words may be wrapped itself
        label = ""
    yield Line(first.removeprefix(label), label, paragraph.label_style, paragraph.indent)
    yield from (Line(line, indent=HANGING_INDENT) for line in others)


@contextmanager
def fetch_listener() -> Iterator["FetchListener"]:
    """Yield what a source tells of its fetching: lines on standard error, where a terminal shows more."""
    from tformance_seed.sources.request import FetchListener

    if Verbosity.quiet or not sys.stderr.isatty():
        yield FetchListener(say=print_notice)
        return
    with ExitStack() as stack:
        status: list[Status] = []

        def show(text: str) -> None:
            from rich.console import Console
            from rich.text import Text

            if not status:
                status.append(stack.enter_context(Console(stderr=True).status("")))
            with suppress(OSError):
                status[0].update(Text(printable(text)))

        yield FetchListener(say=print_notice, show=show)
