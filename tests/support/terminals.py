"""Run programs at a terminal of their own, as a person does."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

#: What styles a text, moves the cursor or the like.
CONTROL = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>()][0-9A-Za-z]?)")

#: Seconds that a program may take to say what is waited for.
PATIENCE = 60


class Terminal:
    """A program at a terminal: what it shows, and what is typed."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], *, columns: int = 80, lines: int = 24
    ) -> None:
        self._here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        kept = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
        self._process = subprocess.Popen(
            argv,
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
            env={**kept, "TERM": "xterm"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(there)
        os.set_blocking(self._here, False)
        self.raw = ""

    @property
    def text(self) -> str:
        """What was shown so far, without styles."""
        return CONTROL.sub("", self.raw).replace("\r", "")

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self._here, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text is shown."""
        end = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < end, f"no {text!r} in {self.text!r}"
            self._read()
            time.sleep(0.02)

    def wait(self) -> int:
        """Wait for the end of the program; return its exit status."""
        while self._process.poll() is None:
            self._read()
            time.sleep(0.02)
        self._read()
        return self._process.returncode

    def close(self) -> None:
        """End the program, if it has not ended."""
        self._process.kill()
        self._process.wait()
        os.close(self._here)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # nothing yet, or the other side is closed
            while part := os.read(self._here, 65536):
                self.raw += part.decode(errors="replace")
