"""Show a text page by page where it is longer than the terminal."""

import contextlib
import shutil
import subprocess
import sys

from tformance_seed import settings


def is_wanted(lines: int) -> bool:
    """Return whether somebody reads a text of so many lines at a terminal that is shorter."""
    is_read = sys.stdin.isatty() and sys.stdout.isatty()
    return is_read and lines >= shutil.get_terminal_size().lines


def page(text: str) -> bool:
    """Show a text in the user's pager; return False if there is none."""
    command, environment = settings.pager()
    program = shutil.which(command[0]) if command else None
    if program is None:
        return False
    with (
        subprocess.Popen(  # noqa: S603 - the program that the user named
            [program, *command[1:]],
            stdin=subprocess.PIPE,
            env=environment,
            text=True,
            errors="backslashreplace",
        ) as process
    ):
        with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the reader has read enough
            process.communicate(text)
        while process.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):  # what that means while a pager runs is its business
                process.wait()
    return True
