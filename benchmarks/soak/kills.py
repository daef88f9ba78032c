"""Kill processes, connections and servers of runs at random instants, and compare what they end with."""

import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg2

from benchmarks.soak.findings import Findings
from benchmarks.soak.processes import CONSTANTS, Fork, Process, Started, command, worker
from tests.support.constants import with_constants
from tests.support.servers import Postgres, Redis, postgres
from tests.support.workers import Workers, kill, urls

#: Two small organisations, whose rows are committed in some fifty transactions.
ARGUMENTS = ("resend", "dub", "--days", "10", "--until", "2026-03-18", "--chunk-size", "40")

#: Seconds after which a command that should have ended hangs.
PATIENCE = 300.0

#: Seconds between two looks at a run and its workers.
POLL_INTERVAL = 0.2

#: Kills after which a round, which begins with an empty database, is left to end by itself.
KILLS_PER_ROUND = 12

#: The factor by which the time until a kill grows after a round with as many kills as that, and shrinks after
#: a round that ended before.
ADAPTATION = 1.4

#: One round in so many is of real commands, which also import what they need, and of supervised workers.
REAL_ROUNDS = 8

#: Signals of which a run dies at once or in an orderly way.
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)

#: Problems after which there is no need to go on.
ENOUGH = 20


def run(total: int, seed: int, findings: Findings) -> None:
    """Kill as often as asked, a third of it each on SQLite, PostgreSQL and workers, at the same time."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        expected = _undisturbed(folder)
        soaks = [
            kind(folder, f"{seed} {kind.__name__}", expected)
            for kind in (OnSqlite, OnPostgresql, WithWorkers)
        ]
        shares = [total // 3 + (number < total % 3) for number in range(len(soaks))]
        running = [pool.submit(soak.soak, share) for soak, share in zip(soaks, shares, strict=True)]
        for soak, done in zip(soaks, running, strict=True):
            done.result()
            findings.add(soak.findings)


def _undisturbed(folder: Path) -> dict[str, str]:
    variables = urls(f"sqlite:///{folder}/undisturbed.db", None)
    seeded = Fork(folder, variables, command, "seed", *ARGUMENTS)
    assert seeded.wait(PATIENCE) == 0, seeded.errors
    verified = Fork(folder, variables, command, "verify", "--json")
    assert verified.wait(PATIENCE) == 0, verified.errors
    return _digests(verified.output)


def _digests(output: str) -> dict[str, str]:
    return {entry["organisation"]: entry["digest"] for entry in json.loads(output)["organisations"]}


class _Soak:
    """Rounds of one kind.

    Attributes:
      life: Seconds within which a run is killed.
    """

    #: What may be killed beside a run, as often as it stands here.
    victims: tuple[str, ...] = ()

    def __init__(self, folder: Path, seed: str, expected: dict[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.random, self.findings, self.expected = random.Random(seed), Findings(), expected
        self.life = self.start_time = 0.0
        self.real = False

    def soak(self, wanted: int) -> None:
        """Kill as often as wanted."""
        with ExitStack() as servers:
            self.open(servers)
            began = time.monotonic()
            Started(self.folder, {}, "--version").wait(PATIENCE)
            self.start_time = time.monotonic() - began
            began = time.monotonic()
            self._round(0)
            self.life = time.monotonic() - began
            while (left := wanted - self.findings.kills.total()) > 0 and len(self.findings.problems) < ENOUGH:
                self.real = self.findings.rounds.total() % REAL_ROUNDS == 0
                kills = self._round(min(left, KILLS_PER_ROUND))
                self.life *= ADAPTATION if kills == KILLS_PER_ROUND else 1 / ADAPTATION
                self._show(wanted)

    def open(self, servers: ExitStack) -> None:
        """Start what all rounds need."""

    def begin(self) -> dict[str, str]:
        """Prepare a round; return the variables that name its database and broker."""
        raise NotImplementedError

    def tend(self) -> None:
        """Replace what has ended by itself."""

    def end(self) -> None:
        """Check and remove what the round left."""

    def kill(self, victim: str) -> bool:
        """Kill something other than the run; return whether it was there."""
        raise NotImplementedError

    def _round(self, wanted: int) -> int:
        """Start runs and kill until one ends by itself; compare; return the number of kills."""
        self.variables = self.begin()
        self.findings.rounds[type(self).__name__] += 1
        kills, disturbed, run = 0, False, self.start("seed", *ARGUMENTS)
        while True:
            life = self.random.uniform(0, self.life + self.start_time * self.real)
            status = self._wait(run, life if kills < wanted else PATIENCE)
            if status == 0:
                break
            if status is not None:
                self._check_end(run)
                if not disturbed:
                    self.findings.report(f"{self}: a run failed by itself: {run.errors}")
                    break
                disturbed, run = False, self.start("seed", *ARGUMENTS)
            elif kills == wanted:
                self.findings.report(f"{self}: a command that should have ended hangs")
                run.send_signal(signal.SIGKILL)
                break
            elif (victim := self.random.choice((*self.victims, "run"))) != "run":
                if self.kill(victim):
                    self.findings.kills[victim] += 1
                    kills, disturbed = kills + 1, True
            else:
                run.send_signal(number := self.random.choice(SIGNALS))
                self.findings.kills[f"run by {number.name}"] += 1
                kills += 1
                if self._wait(run, PATIENCE) is None:
                    self.findings.report(f"{self}: a run does not end on {number.name}")
                    run.send_signal(signal.SIGKILL)
                self._check_end(run)
                disturbed, run = False, self.start("seed", *ARGUMENTS)
        self._check_end(run)
        self._compare()
        self.end()
        return kills

    def start(self, *arguments: str) -> Process:
        """Start a command on the round's database."""
        if self.real:
            return Started(self.folder, self.variables, *arguments)
        return Fork(self.folder, self.variables, command, *arguments)

    def _wait(self, run: Process, seconds: float) -> int | None:
        deadline = time.monotonic() + seconds
        while (status := run.wait(max(0.0, min(POLL_INTERVAL, deadline - time.monotonic())))) is None:
            if time.monotonic() > deadline:
                return None
            self.tend()
        return status

    def _check_end(self, run: Process) -> None:
        self.findings.check_output(f"{self}", run.errors)
        if run.returncode not in (0, 1, 2, 130, 143, -signal.SIGKILL, -signal.SIGTERM):
            self.findings.report(f"{self}: status {run.returncode}: {run.errors}")
        if sum(": writing to " not in line for line in run.errors.splitlines()) > 1:
            self.findings.report(f"{self}: more than one line: {run.errors[-1500:]}")

    def _compare(self) -> None:
        """Compare the content with that of an undisturbed run, and see that another run writes nothing."""
        variables = urls(self.variables["DATABASE_URL"], None)
        done = []
        for arguments in (("verify",), ("seed", *ARGUMENTS)):
            done.append(Fork(self.folder, variables, command, *arguments, "--json"))
            if done[-1].wait(PATIENCE) != 0:
                self.findings.report(f"{self}: {arguments[0]} fails: {done[-1].errors}")
                return
        verified, again = done
        if (found := _digests(verified.output)) != self.expected:
            self.findings.report(f"{self}: {found} instead of {self.expected}")
        if written := sum(table["rows_written"] for table in json.loads(again.output)["tables"]):
            self.findings.report(f"{self}: a second run wrote {written} rows")

    def _show(self, wanted: int) -> None:
        done, rounds = self.findings.kills.total(), self.findings.rounds.total()
        print(
            f"{self}: {done} of {wanted} kills in {rounds} rounds within {self.life:.1f} s, "
            f"{len(self.findings.problems)} problems",
            file=sys.stderr,
        )

    def __str__(self) -> str:
        return f"{type(self).__name__}, round {self.findings.rounds.total()}"


class OnSqlite(_Soak):
    """Kills runs on an SQLite file."""

    def begin(self) -> dict[str, str]:
        return urls(f"sqlite:///{self.folder}/round{self.findings.rounds.total()}.db", None)

    def end(self) -> None:
        for path in self.folder.glob("round*"):
            path.unlink()


class OnPostgresql(_Soak):
    """Kills runs on PostgreSQL, their connections, and the server."""

    victims = ("run", "run", "connections", "connections", "server")

    def open(self, servers: ExitStack) -> None:
        self.server: Postgres = servers.enter_context(postgres(durable=True))

    def begin(self) -> dict[str, str]:
        return urls(self.server.new_database(), None)

    def kill(self, victim: str) -> bool:
        if victim == "server":
            self.server.crash()
            self.server.start()
            return True
        return bool(
            self.server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = '{self._name}' AND random() < {self.random.uniform(0.2, 1)}"
            )
        )

    def end(self) -> None:
        self.server.execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    @property
    def _name(self) -> str:
        return str(psycopg2.extensions.parse_dsn(self.variables["DATABASE_URL"])["dbname"])


class WithWorkers(OnPostgresql):
    """Kills workers, their supervisor, runs, connections, PostgreSQL and Redis."""

    victims = (
        *("worker",) * 4,
        "run",
        "connections",
        "redis",
        "redis and what it kept",
        "supervisor",
        "server",
    )

    def open(self, servers: ExitStack) -> None:
        super().open(servers)
        self.broker = Redis(Path(tempfile.mkdtemp(dir=self.folder)), durable=True)
        self.broker.start()
        servers.callback(self.broker.crash)

    def begin(self) -> dict[str, str]:
        self.broker.empty()
        self.variables = urls(self.server.new_database(), self.broker.url)
        self.supervisor = self._supervisor() if self.real else None
        self.workers = [] if self.real else [self._worker() for _ in range(2)]
        return self.variables

    def _supervisor(self) -> Workers:
        url, broker = self.variables["DATABASE_URL"], self.broker.url
        return Workers(
            self.folder, url, broker, "--processes", "2", "--threads", "2", **with_constants(CONSTANTS)
        )

    def _worker(self) -> Fork:
        return Fork(self.folder, self.variables, worker, "sync,compute,llm", "2")

    def tend(self) -> None:
        for number, process in enumerate(self.workers):
            if process.returncode is not None:
                self._check_worker(process)
                self.workers[number] = self._worker()

    def kill(self, victim: str) -> bool:
        if victim == "worker":
            return self._kill_worker()
        if victim == "supervisor":
            return self._kill_supervisor()
        if victim.startswith("redis"):
            self.broker.crash()
            if victim != "redis":
                self.broker.forget()
            self.broker.start()
            return True
        return super().kill(victim)

    def _kill_worker(self) -> bool:
        if self.supervisor is None:
            number = self.random.randrange(len(self.workers))
            self.workers[number].send_signal(self.random.choice(SIGNALS))
            return True
        children = self.supervisor.children()
        if children:
            with contextlib.suppress(ProcessLookupError):
                kill(self.random.choice(children))
        return bool(children)

    def _kill_supervisor(self) -> bool:
        if self.supervisor is None:
            return False
        self.supervisor.process.kill()
        self.supervisor.process.wait()
        self.supervisor = self._supervisor()
        return True

    def _check_worker(self, process: Fork) -> None:
        self.findings.check_output(f"{self}, a worker", process.errors)
        if process.returncode not in (0, -signal.SIGKILL):
            self.findings.report(
                f"{self}: a worker ended with {process.returncode}: {process.errors[-1500:]}"
            )

    def end(self) -> None:
        if self.supervisor is not None:
            self.supervisor.stop()
        for process in self.workers:
            process.send_signal(signal.SIGTERM)
            if process.wait(PATIENCE) is None:
                self.findings.report(f"{self}: a worker does not end on SIGTERM")
                process.send_signal(signal.SIGKILL)
            self._check_worker(process)
        for log in self.folder.glob("worker-*"):
            self.findings.check_output(f"{self}, workers", log.read_text())
            log.unlink()
        super().end()
