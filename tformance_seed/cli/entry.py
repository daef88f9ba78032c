"""The entry point of the command: it prepares the process before anything slow is imported."""

import contextlib
import os
import sys
import threading

from tformance_seed.cli.interrupts import (
    Interrupts,
    handle_interrupts,
    ignore_interrupts,
    say_interrupted,
)
from tformance_seed.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

#: The highest descriptor of a standard stream.
STANDARD_ERROR = 2


def main() -> "NoReturn":
    """Run the command that the arguments name, and exit with its status."""
    handle_interrupts()
    _open_missing_streams()
    _silence_hooks()
    try:
        from tformance_seed.cli import app

        app.main()
    except SystemExit as end:
        status = end.code
    except BaseException as error:
        if Interrupts.received:
            say_interrupted()
            status = Interrupts.exit_status
        else:
            line = printable(f"unexpected {type(error).__name__}: {error}")
            with contextlib.suppress(OSError):
                sys.stderr.write(f"tformance-seed: {line}\n")
            status = 1
    ignore_interrupts()
    _detach_broken_streams()
    sys.exit(status)


def _open_missing_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Otherwise Python would print errors on standard output, and the next file that is opened, such as the
    database, would be taken for a standard stream by every library and child process.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for good


def _silence_hooks() -> None:
    """Keep tracebacks that libraries and the interpreter print by themselves off standard error.

    The commands report every error in one line. Drivers written in C print the one that they replace.
    """

    def ignore(*_error: object) -> None:
        pass

    sys.excepthook = sys.unraisablehook = threading.excepthook = ignore


def _detach_broken_streams() -> None:
    """Let the interpreter flush its streams without an error where the reader is gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
