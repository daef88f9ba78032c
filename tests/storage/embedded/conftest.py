import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.commands import clean
from tests.support.servers import copy_cluster, wait_until
from tformance_seed.storage.embedded.server import Server

#: A program that uses the server of a folder, says so, and goes on for long.
USE = """
import pathlib, sys, time
from tformance_seed.storage.embedded.server import use
print(use(pathlib.Path(sys.argv[1])).url(), flush=True)
time.sleep(600)
"""


class User:
    """A process that uses the server of a folder."""

    def __init__(self, folder: Path, code: str = USE, **options: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean(),
            start_new_session=True,
            **options,
        )

    def url(self) -> str:
        """Wait until it uses the server, and return the server's URL."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return line.strip()

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it in some way, and wait for that."""
        self.process.send_signal(number)
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a server's data."""
    made = tmp_path / "pg"
    made.mkdir()
    copy_cluster(made)
    return made


@pytest.fixture
def use() -> Iterator[Callable[..., User]]:
    """Return a function that starts processes which use the server of a folder."""
    started: list[User] = []

    def start(folder: Path, **options: Any) -> User:
        started.append(User(folder, **options))
        return started[-1]

    yield start
    for user in started:
        user.end()


def processes_in(folder: Path) -> list[psutil.Process]:
    """Return what runs in a folder: its server with all processes, and their watcher."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_until_stopped(folder: Path) -> None:
    """Wait until no process is left in a folder, and check that the server may be started again."""
    wait_until(lambda: not processes_in(folder))
    assert not Server(folder).is_running()
