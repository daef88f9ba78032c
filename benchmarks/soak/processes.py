"""Run commands and workers: as forks of a process that has imported everything, so that a run is all work
and no start, or as a user does.
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.commands import argv, clean
from tests.support.constants import with_constants

#: What a fork finds imported; the rest of the package follows from these.
PRELOADED = (
    "dramatiq.brokers.redis",
    "numpy.char",
    "redis",
    "tformance_seed.cli.app",
    "tformance_seed.cli.entry",
    "tformance_seed.cli.organisation_views",
    "tformance_seed.cli.run_views",
    "tformance_seed.commands.maintain",
    "tformance_seed.commands.preview",
    "tformance_seed.commands.seed",
    "tformance_seed.execution.worker_process",
    "tformance_seed.sources.registry",
    "tformance_seed.sources.synthetic.source",
    "tformance_seed.verification",
    "unicodedata",
)

#: Lost messages return, and are sent again, after seconds instead of most of a minute.
CONSTANTS = {"execution.broker.HEARTBEAT_TIMEOUT": 3_000, "commands.watch.STALLED_AFTER": 6.0}

#: Seconds between two looks at whether a fork has begun.
POLL_INTERVAL = 0.002

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*PRELOADED, __name__])


class Process:
    """A process that keeps what it prints in a folder of its own.

    Parameters:
      folder: where that is made.
    """

    returncode: int | None

    def __init__(self, folder: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="process", dir=folder))

    @property
    def output(self) -> str:
        """What it has printed on standard output."""
        return self._read("stdout")

    @property
    def errors(self) -> str:
        """What it has printed on standard error."""
        return self._read("stderr")

    def wait(self, seconds: float) -> int | None:
        """Return its exit status, negative for a signal; None if it is still running after these seconds."""
        raise NotImplementedError

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        raise NotImplementedError

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""


class Fork(Process):
    """A fork that runs a function, which ends it by SystemExit or with status 0."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], run: Callable[..., object], *arguments: str
    ) -> None:
        super().__init__(folder)
        self._process = _context.Process(
            target=_main, args=(str(self.folder), clean(dict(variables)), run, arguments), daemon=True
        )
        self._process.start()
        while not (self.folder / "stderr").exists() and self._process.is_alive():
            time.sleep(POLL_INTERVAL)

    @property
    def returncode(self) -> int | None:  # type: ignore[override]
        """Its exit status; None while it is running."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int | None:
        self._process.join(seconds)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self._process.pid or 0, number)


class Started(Process):
    """A command as a user starts it: it also imports what it needs."""

    def __init__(self, folder: Path, variables: Mapping[str, str], *arguments: str) -> None:
        super().__init__(folder)
        with (self.folder / "stdout").open("w") as output, (self.folder / "stderr").open("w") as errors:
            self._process = subprocess.Popen(
                argv(*arguments),
                stdout=output,
                stderr=errors,
                env=clean({**variables, **with_constants(CONSTANTS)}),
            )

    @property
    def returncode(self) -> int | None:  # type: ignore[override]
        """Its exit status; None while it is running."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)


def command(*arguments: str) -> None:
    """Run a command as the installed program does."""
    from tformance_seed.cli.entry import main

    sys.argv = ["tformance-seed", *arguments]
    main()


def worker(queues: str, threads: str) -> None:
    """Run tasks as a process under the supervisor does; here the supervisor's pipe never closes."""
    from tformance_seed.execution.worker_process import run_tasks

    run_tasks(os.pipe()[0], queues, threads)


def _main(folder: str, environment: dict[str, str], run: Callable[..., object], arguments: list[str]) -> None:
    from tformance_seed.cli.interrupts import handle_interrupts

    handle_interrupts()
    for name, value in CONSTANTS.items():
        module, _, constant = f"tformance_seed.{name}".rpartition(".")
        setattr(importlib.import_module(module), constant, value)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    run(*arguments)
