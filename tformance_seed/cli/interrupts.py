"""Interrupts from the keyboard, which end a command in one line whatever it is doing."""

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn  # importing it takes longer than everything else here

#: Exit status of a command that the user interrupted from the keyboard: 128 plus the number of SIGINT.
INTERRUPTED = 130

#: What the user reads then.
INTERRUPTION = "interrupted; what was committed is safe, and the same command resumes from there"


class Interrupts:
    """What is known in this process about interrupts.

    Attributes:
      received: Whether there was one: some libraries turn it into another error.
      work_begun: Whether there is work to end in an orderly way.
    """

    received = False
    work_begun = False


def handle_interrupts() -> None:
    """Handle interrupts from now on, unless they are ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def begin_work() -> None:
    """Let interrupts raise an exception from now on."""
    Interrupts.work_begun = True


def ignore_interrupts() -> None:
    """Ignore interrupts from now on, since the command has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(*_signal: object) -> "NoReturn":
    """Interrupt the work; before there is any, end at once: an import may swallow an exception."""
    Interrupts.received = True
    if not Interrupts.work_begun:
        with contextlib.suppress(OSError):
            os.write(2, f"tformance-seed: {INTERRUPTION}\n".encode())
        os._exit(INTERRUPTED)
    raise KeyboardInterrupt
