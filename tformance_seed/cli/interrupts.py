"""Signals that end a command, in one line whatever it is doing."""

import contextlib
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn  # importing it takes longer than everything else here

#: Exit status of a command that SIGINT ended, as the keyboard sends it; what Typer makes of one, too.
INTERRUPTED = 128 + signal.SIGINT

#: What the user reads then.
INTERRUPTION = "interrupted; what was committed is safe, and the same command resumes from there"

#: The object of a command that an interrupt ended before it could say more, as ``answer`` would make it, with
#: the command and the exit status. It is written by hand, since an interrupt must not import anything.
EARLY_ANSWER = (
    '{"version": 1, "command": %s, "database": null, "error": {"kind": "interrupted", '
    f'"message": "{INTERRUPTION}", "hint": null, "exit_status": %d}}}}\n'
)


class Interrupts:
    """What is known in this process about signals that end it.

    Attributes:
      received: Whether there was one: some libraries turn it into another error.
      exit_status: The exit status that follows from it: 128 plus its number.
      work_begun: Whether there is work to end in an orderly way.
    """

    received = False
    exit_status = INTERRUPTED
    work_begun = False


def handle_interrupts() -> None:
    """Handle interrupts and requests to terminate from now on, unless they are ignored."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is usual:
            signal.signal(number, _interrupt)


def begin_work() -> None:
    """Let interrupts raise an exception from now on."""
    Interrupts.work_begun = True


def ignore_interrupts() -> None:
    """Ignore interrupts from now on, since the command has ended."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, _frame: object) -> "NoReturn":
    """Interrupt the work; before there is any, end at once: an import may swallow an exception."""
    Interrupts.received, Interrupts.exit_status = True, 128 + number
    if not Interrupts.work_begun:
        say_interrupted()
        os._exit(Interrupts.exit_status)
    raise KeyboardInterrupt


def say_interrupted() -> None:
    """Say that the command was interrupted before it could say more; with ``--json``, as JSON too."""
    with contextlib.suppress(OSError):
        os.write(2, f"tformance-seed: {INTERRUPTION}\n".encode())
    if "--json" in sys.argv[1:]:
        command = f'"{sys.argv[1]}"' if sys.argv[1].isalpha() else "null"
        with contextlib.suppress(OSError):
            os.write(1, (EARLY_ANSWER % (command, Interrupts.exit_status)).encode())
