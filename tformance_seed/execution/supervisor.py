"""Keeps worker processes running: one that ends is replaced, alone, while the others go on."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tformance_seed.errors import InputError
from tformance_seed.execution import logs
from tformance_seed.execution.broker import connect
from tformance_seed.execution.executor import QUEUES

log = logging.getLogger(__name__)

#: Queue -> (processes, threads of each): threads where a task waits, processes where it computes.
DEFAULTS = {"sync": (1, 4), "compute": (os.cpu_count() or 1, 1), "llm": (1, 2)}

#: Seconds between two looks at the processes.
LOOK = 0.1

#: A process that lived for less, in seconds, died as soon as it began. Each such end in a row doubles the
#: seconds before the next start, from the first of ``BACKOFF`` up to the second.
SHORT_LIFE = 1.5
BACKOFF = (1.0, 30.0)


@dataclass(frozen=True)
class Group:
    """Processes of one kind."""

    queues: tuple[str, ...]
    processes: int
    threads: int


def groups(*, processes: int | None, threads: int | None, queues: str | None) -> list[Group]:
    """What to run: each queue's default, or processes of the given kind that serve all the queues.

    Raises:
      InputError: an unknown queue, or a number below 1.
    """
    names = tuple(name.strip() for name in queues.split(",")) if queues is not None else QUEUES
    if unknown := [name for name in names if name not in QUEUES]:
        raise InputError(f"--queues {unknown[0]}: want some of {','.join(QUEUES)}, with commas between")
    for option, number in (("processes", processes), ("threads", threads)):
        if number is not None and number < 1:
            raise InputError(f"--{option} {number}: want at least 1")
    if processes is None and threads is None:
        return [Group((name,), *DEFAULTS[name]) for name in names]
    return [Group(names, processes or os.cpu_count() or 1, threads or 1)]


@dataclass
class Slot:
    """A place for one process: the one that runs, when it began, crashes in a row, when to start the next.

    ``arguments`` are those of ``workers.process``, but for the lifeline.
    """

    name: str
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    lifeline: int = -1
    began: float = 0.0
    crashes: int = 0
    due: float = field(default_factory=time.monotonic)


class Supervisor:
    """Runs worker processes until SIGTERM or SIGINT.

    Each process holds one end of a pipe of its own; when this process is gone, however it went, they read
    the end of it and stop after what they have in hand.
    """

    def __init__(self, groups: Sequence[Group], *, database: str, broker: str) -> None:
        self.environment = {**os.environ, "DATABASE_URL": database, "BROKER_URL": broker}
        kinds = [group for group in groups for _ in range(group.processes)]
        self.slots = [
            Slot(f"worker {number} for {', '.join(kind.queues)}", (",".join(kind.queues), str(kind.threads)))
            for number, kind in enumerate(kinds, 1)
        ]
        # Processes that middleware wants beside the workers, such as the one that Prometheus asks.
        for middleware in connect(broker).broker.middleware:
            for fork in middleware.forks:
                self.slots.append(Slot(fork.__name__, (f"{fork.__module__}:{fork.__name__}",)))
        self.stopping = 0

    def run(self) -> int:
        """Returns an exit status: 0 unless a second signal cut the ending short."""
        logs.configure()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            for slot in self.slots:
                self._look_after(slot)
            time.sleep(LOOK)
        log.info("stopping: worker processes finish what is in hand")
        for slot in self.slots:
            if slot.process is not None:
                slot.process.terminate()
        while any(slot.process is not None and slot.process.poll() is None for slot in self.slots):
            if self.stopping > 1:
                for slot in self.slots:
                    if slot.process is not None:
                        slot.process.kill()
            time.sleep(LOOK)
        return min(self.stopping - 1, 1)

    def _stop(self, *_signal: object) -> None:
        self.stopping += 1

    def _look_after(self, slot: Slot) -> None:
        if slot.process is not None and (status := slot.process.poll()) is not None:
            self._reap(slot, status)
        if slot.process is None and time.monotonic() >= slot.due:
            self._start(slot)

    def _start(self, slot: Slot) -> None:
        end, slot.lifeline = os.pipe()
        argv = [sys.executable, "-m", "tformance_seed.execution.worker_process", str(end), *slot.arguments]
        slot.process = subprocess.Popen(argv, env=self.environment, pass_fds=[end])  # noqa: S603 - ourselves
        os.close(end)
        slot.began = time.monotonic()
        log.info("process %d is %s", slot.process.pid, slot.name)

    def _reap(self, slot: Slot, status: int) -> None:
        os.close(slot.lifeline)
        lived = time.monotonic() - slot.began
        pid, slot.process = slot.process.pid if slot.process else 0, None
        if status == 0:
            slot.crashes, slot.due = 0, time.monotonic()
            log.info("process %d, %s, ended after its tasks; starting another", pid, slot.name)
            return
        how = (
            f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"
        )
        slot.crashes = slot.crashes + 1 if lived < SHORT_LIFE else 0
        least, most = BACKOFF
        delay = min(most, least * 2 ** (slot.crashes - 1)) if slot.crashes > 1 else 0.0
        slot.due = time.monotonic() + delay
        log.error(
            "process %d, %s, %s after %.1f s; starting another %s",
            pid,
            slot.name,
            how,
            lived,
            f"in {delay:.0f} s, since {slot.crashes} in a row ended so soon" if delay else "at once",
        )
