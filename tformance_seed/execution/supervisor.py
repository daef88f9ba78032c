"""Keep worker processes running: a process that ends is replaced while the others continue."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tformance_seed.errors import InputError, UnavailableError
from tformance_seed.execution import log_format, retry
from tformance_seed.execution.broker import QUEUES, connect

log = logging.getLogger(__name__)

#: Queue -> (processes, threads per process): threads if its tasks mostly wait, processes if they compute.
#: None: one process per core.
DEFAULT_SIZES: dict[str, tuple[int | None, int]] = {"sync": (1, 4), "compute": (None, 1), "llm": (1, 2)}

#: Seconds between checks of the processes.
POLL_INTERVAL = 0.1

#: A failed process that lived for less than this, in seconds, crashed on start (see ``retry.process_delay``).
MIN_LIFETIME = 1.5


@dataclass(frozen=True)
class WorkerGroup:
    """Processes of one kind: the queues that each serves, their number, and the threads per process."""

    queues: tuple[str, ...]
    processes: int
    threads: int


def worker_groups(*, processes: int | None, threads: int | None, queues: str | None) -> list[WorkerGroup]:
    """Return the worker processes to run.

    If neither size is given, each queue gets its default; otherwise every process serves all the queues.

    Raises:
      InputError: a queue is unknown, or a number is below 1.
    """
    names = tuple(name.strip() for name in queues.split(",")) if queues is not None else QUEUES
    if unknown := [name for name in names if name not in QUEUES]:
        raise InputError(f"--queues {unknown[0]}: expected some of {','.join(QUEUES)}, separated by commas")
    for option, number in (("processes", processes), ("threads", threads)):
        if number is not None and number < 1:
            raise InputError(f"--{option} {number}: expected at least 1")
    cores = os.cpu_count() or 1
    if processes is None and threads is None:
        sizes = {name: DEFAULT_SIZES[name] for name in names}
        return [WorkerGroup((name,), number or cores, each) for name, (number, each) in sizes.items()]
    return [WorkerGroup(names, processes or cores, threads or 1)]


@dataclass
class Slot:
    """A process to keep running.

    Parameters:
      arguments: the arguments of ``worker_process``, except the lifeline.
      lifeline: the supervisor's end of the pipe that tells the process that its supervisor is alive.
      started_at, due: when the process started and when to start the next one, on the monotonic clock.
      crashes: how many times in a row it crashed on start.
    """

    name: str
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    lifeline: int = -1
    started_at: float = 0.0
    crashes: int = 0
    due: float = field(default_factory=time.monotonic)

    @property
    def is_running(self) -> bool:
        """Whether its process has started and has not ended."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs worker processes until SIGTERM or SIGINT.

    Each process is connected to the supervisor by a pipe. If the supervisor ends for any reason, the
    processes read end-of-file from their pipes, finish their current tasks and exit.
    """

    def __init__(self, groups: Sequence[WorkerGroup], *, database: str, broker: str) -> None:
        self.environment = {**os.environ, "DATABASE_URL": database, "TFORMANCE_BROKER_URL": broker}
        processes = [group for group in groups for _ in range(group.processes)]
        self.slots = [
            Slot(
                f"worker {number} for {', '.join(group.queues)}",
                (",".join(group.queues), str(group.threads)),
            )
            for number, group in enumerate(processes, 1)
        ]
        self.broker = connect(broker)
        # Processes that middleware runs beside the workers, such as the one that Prometheus scrapes.
        for middleware in self.broker.broker.middleware:
            for fork in middleware.forks:
                self.slots.append(Slot(fork.__name__, (f"{fork.__module__}:{fork.__name__}",)))
        self.signals = 0

    def check_broker(self) -> None:
        """Check that the broker takes messages; one that does not answer is waited for.

        Raises:
          InputError: the broker refuses this user or this address.
        """
        log_format.configure()
        try:
            self.broker.check()
        except UnavailableError as error:
            log.warning("%s; waiting for it", error)

    def run(self) -> int:
        """Run until a signal arrives.

        Returns:
          The exit status: 0, or 1 if a second signal killed the processes.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._count_signal)
        while not self.signals:
            for slot in self.slots:
                self._ensure_running(slot)
            time.sleep(POLL_INTERVAL)
        self._stop()
        return min(self.signals - 1, 1)

    def _count_signal(self, *_signal: object) -> None:
        self.signals += 1

    def _stop(self) -> None:
        """Let the processes finish their current tasks; kill them on a second signal."""
        log.info("stopping: worker processes finish their current tasks")
        for slot in self.slots:
            if slot.process is not None:
                slot.process.terminate()
        while running := [slot.process for slot in self.slots if slot.process and slot.is_running]:
            if self.signals > 1:
                for process in running:
                    process.kill()
            time.sleep(POLL_INTERVAL)

    def _ensure_running(self, slot: Slot) -> None:
        if slot.process is not None and (status := slot.process.poll()) is not None:
            self._reap(slot, slot.process.pid, status)
        if slot.process is None and time.monotonic() >= slot.due:
            self._start(slot)

    def _start(self, slot: Slot) -> None:
        end, slot.lifeline = os.pipe()
        argv = [sys.executable, "-m", "tformance_seed.execution.worker_process", str(end), *slot.arguments]
        slot.process = subprocess.Popen(argv, env=self.environment, pass_fds=[end])  # noqa: S603 - ourselves
        os.close(end)
        slot.started_at = time.monotonic()
        log.info("process %d is %s", slot.process.pid, slot.name)

    def _reap(self, slot: Slot, pid: int, status: int) -> None:
        """Clean up after a process that ended, and decide when to start the next one."""
        os.close(slot.lifeline)
        slot.process = None
        lifetime = time.monotonic() - slot.started_at
        if status == 0:
            slot.crashes, slot.due = 0, time.monotonic()
            log.info("process %d, %s, ended after its tasks; starting another", pid, slot.name)
            return
        slot.crashes = slot.crashes + 1 if lifetime < MIN_LIFETIME else 0
        delay = retry.process_delay(slot.crashes)
        slot.due = time.monotonic() + delay
        log.error(
            "process %d, %s, %s after %.1f s; starting another %s",
            pid,
            slot.name,
            f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}",
            lifetime,
            f"in {delay:.0f} s, since {slot.crashes} in a row ended so soon" if delay else "at once",
        )
