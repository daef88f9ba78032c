"""Kill processes and connections of runs at random instants, and compare what they end with."""

import contextlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2

from benchmarks.soak.findings import Findings
from tests.support.commands import command_process
from tests.support.constants import with_constants
from tests.support.servers import Postgres, Redis, postgres
from tests.support.workers import Workers, digests, kill, run_json, start

ARGUMENTS = ("polar", "resend", "dub", "--days", "30", "--until", "2026-03-18", "--chunk-size", "120")

#: Lost messages return, and are sent again, after seconds instead of most of a minute.
QUICK = with_constants({"execution.broker.HEARTBEAT_TIMEOUT": 3_000, "commands.watch.STALLED_AFTER": 6.0})

#: Seconds after which a command that should have ended hangs.
PATIENCE = 300

#: The largest number of kills in a round, which begins with an empty database.
KILLS_PER_ROUND = 8

#: Signals of which a run dies at once or in an orderly way.
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def run(total: int, seed: int, findings: Findings) -> None:
    """Kill as often as asked, in rounds on SQLite, PostgreSQL and workers in turn."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, postgres(durable=True) as server:
        folder = Path(name)
        began = time.monotonic()
        expected = _undisturbed(folder)
        soak = _Soak(folder, server, generator, findings, time.monotonic() - began)
        kinds = (soak.on_sqlite, soak.on_postgresql, soak.with_workers)
        while findings.kills.total() < total and len(findings.problems) < 20:
            kind = kinds[findings.rounds.total() % len(kinds)]
            findings.rounds[kind.__name__] += 1
            wanted = min(generator.randint(1, KILLS_PER_ROUND), total - findings.kills.total())
            soak.round(kind, wanted, expected)
            done = f"{findings.kills.total()} of {total} kills in {findings.rounds.total()} rounds"
            print(f"{done}, {len(findings.problems)} problems", file=sys.stderr)


def _undisturbed(folder: Path) -> dict[str, str]:
    url = f"sqlite:///{folder}/undisturbed.db"
    done = command_process("seed", *ARGUMENTS, "--database", url)
    assert done.returncode == 0, done.stderr
    return digests(url)


class _Soak:
    """What the rounds share.

    Parameters:
      whole: about how many seconds an undisturbed run takes.
    """

    def __init__(
        self, folder: Path, server: Postgres, generator: random.Random, findings: Findings, whole: float
    ) -> None:
        self.folder, self.server, self.random = folder, server, generator
        self.findings, self.whole = findings, whole

    def round(self, kind: Callable[[int], str], wanted: int, expected: dict[str, str]) -> None:
        """Kill some times, let the run end, and compare; remove what the round left."""
        try:
            url = kind(wanted)
            if (found := digests(url)) != expected:
                self.findings.report(f"{kind.__name__}: {found} instead of {expected}")
            again = run_json("seed", *ARGUMENTS, database=url)
            if written := sum(table["rows_written"] for table in again["tables"].values()):
                self.findings.report(f"{kind.__name__}: a second run wrote {written} rows")
        except (AssertionError, subprocess.TimeoutExpired) as error:
            self.findings.report(f"{kind.__name__}: {type(error).__name__}: {str(error)[:1500]}")
        for path in self.folder.glob("round*"):
            path.unlink()

    def on_sqlite(self, wanted: int) -> str:
        """Kill runs on an SQLite file."""
        url = f"sqlite:///{self.folder}/round.db"
        for _ in range(wanted):
            self._kill_run(url)
        return self._finish(url)

    def on_postgresql(self, wanted: int) -> str:
        """Kill runs on PostgreSQL, or their connections."""
        url = self.server.new_database()
        for _ in range(wanted):
            if self.random.random() < 0.5:
                self._kill_run(url)
                continue
            run = start("seed", *ARGUMENTS, database=url)
            self._wait()
            self._terminate_connections(url)
            self._end(run)
        return self._finish(url)

    def with_workers(self, wanted: int) -> str:
        """Kill workers, their supervisor, the run, connections, and Redis."""
        url, broker = self.server.new_database(), self._redis()
        workers = self._workers(url, broker)
        run = start("seed", *ARGUMENTS, database=url, broker=broker.url, **QUICK)
        for _ in range(wanted):
            self._wait(0.5)
            victim = self.random.choice(("worker", "worker", "supervisor", "run", "connections", "redis"))
            if victim == "connections":
                self._terminate_connections(url)
                continue
            self.findings.kills[victim] += 1
            if victim == "worker" and (children := workers.children()):
                with contextlib.suppress(ProcessLookupError):
                    kill(self.random.choice(children))
            elif victim == "supervisor":
                workers.process.kill()
                workers.process.wait()
                workers = self._workers(url, broker)
            elif victim == "run":
                run.kill()
                self._end(run)
                run = start("seed", *ARGUMENTS, database=url, broker=broker.url, **QUICK)
            elif victim == "redis":
                broker.crash()
                if self.random.random() < 0.3:
                    broker.forget()
                broker.start()
        self._end(run)
        self._finish(url, broker.url)
        for log in self.folder.glob("worker-*"):
            self.findings.check_output("worker", log.read_text())
        workers.end()
        broker.crash()
        for log in self.folder.glob("worker-*"):
            log.unlink()
        return url

    def _redis(self) -> Redis:
        folder = Path(tempfile.mkdtemp(prefix="redis", dir=self.folder))
        broker = Redis(folder, durable=True)
        broker.start()
        return broker

    def _workers(self, url: str, broker: Redis) -> Workers:
        return Workers(self.folder, url, broker.url, "--processes", "2", **QUICK)

    def _wait(self, share: float = 1.2) -> None:
        """Wait for a random part of the time that an undisturbed run takes."""
        time.sleep(self.random.uniform(0.05, share) * self.whole)

    def _kill_run(self, url: str) -> None:
        run = start("seed", *ARGUMENTS, database=url)
        self._wait()
        run.send_signal(number := self.random.choice(SIGNALS))
        if run.poll() is None:
            self.findings.kills[f"run by {number.name}"] += 1
        self._end(run)

    def _terminate_connections(self, url: str) -> None:
        name = psycopg2.extensions.parse_dsn(url)["dbname"]
        ended = self.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND random() < {self.random.uniform(0.2, 1)}"
        )
        self.findings.kills["connection"] += len(ended)

    def _end(self, run: "subprocess.Popen[str]") -> None:
        try:
            _, errors = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            run.kill()
            self.findings.report("a command that should have ended hangs")
            return
        self.findings.check_output("run", errors)
        if run.returncode not in (0, 1, 2, 130) and run.returncode > 0:
            self.findings.report(f"status {run.returncode}: {errors}")
        if errors.count("\n") > 1:
            self.findings.report(f"more than one line: {errors[-1500:]}")

    def _finish(self, url: str, broker: str | None = None) -> str:
        """Run to the end, undisturbed, once the killed run no longer counts as alive."""
        last = start("seed", *ARGUMENTS, "--wait", database=url, broker=broker, **QUICK)
        _, errors = last.communicate(timeout=PATIENCE)
        if last.returncode:
            self.findings.report(f"the last run failed: {errors}")
        return url
