"""Run workers as a user does, and observe them from outside."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg2

from tests.support.commands import argv, clean, command
from tests.support.servers import wait_until


def urls(database: str, broker: str | None) -> dict[str, str]:
    """Return the variables that name a database and a broker."""
    return {"DATABASE_URL": database} | ({"TFORMANCE_BROKER_URL": broker} if broker else {})


class Workers:
    """A running ``worker`` command and its log."""

    def __init__(self, folder: Path, database: str, broker: str, *options: str, **environment: str) -> None:
        self.path = folder / f"worker-{len(list(folder.glob('worker-*')))}.log"
        self.environment = {**urls(database, broker), **environment}
        with self.path.open("w") as log:
            self.process = subprocess.Popen(
                argv("worker", *options), env=clean(self.environment), stdout=log, stderr=log
            )

    @property
    def log(self) -> str:
        return self.path.read_text()

    def children(self) -> list[psutil.Process]:
        """Return the worker processes that are running, oldest first."""
        try:
            found = psutil.Process(self.process.pid).children()
            return sorted(
                (child for child in found if child.status() != psutil.STATUS_ZOMBIE),
                key=lambda child: child.create_time(),
            )
        except psutil.NoSuchProcess:
            return []

    def ready(self, processes: int) -> list[psutil.Process]:
        """Wait until so many processes have started working, and return those that are running."""
        wait_until(lambda: self.log.count("ready for") >= processes)
        return self.children()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the supervisor a signal and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def end(self) -> None:
        """Kill the supervisor and its processes."""
        left = self.children()
        self.process.kill()
        self.process.wait()
        for child in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def kill(process: psutil.Process) -> None:
    """Kill a process so that it cannot react."""
    os.kill(process.pid, signal.SIGKILL)


def run_json(*arguments: str, database: str, broker: str | None = None) -> dict:
    """Return the JSON of a command, which must succeed."""
    result = command(*arguments, "--json", **urls(database, broker))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def digests(database: str) -> dict[str, str]:
    """Return the digest of every organisation, whose data must be consistent."""
    report = run_json("verify", database=database)["organisations"]
    assert not any(entry["violations"] for entry in report)
    return {entry["organisation"]: entry["digest"] for entry in report}


def statement(database: str, sql: str) -> list[tuple]:
    """Return the rows of a query."""
    connection = psycopg2.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.close()


def start(
    *arguments: str, database: str, broker: str | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Start a command in the background."""
    return subprocess.Popen(
        argv(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean({**urls(database, broker), **environment}),
    )
