"""Run one process under the supervisor.

``python -m tformance_seed.execution.worker_process LIFELINE QUEUES THREADS`` runs tasks until it receives
SIGTERM or SIGINT, has run ``MAX_TASKS`` tasks, or reads end-of-file from the file descriptor LIFELINE, which
means that its supervisor is gone. Then it finishes its current tasks and exits. With MODULE:FUNCTION instead
of queues and threads it runs a process that Dramatiq's middleware needs beside the workers.
"""

import importlib
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import dramatiq

from tformance_seed.errors import SeedError
from tformance_seed.execution.app import create_executor
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.middleware import RestartAfter

log = logging.getLogger(__name__)

#: The number of tasks after which a process is replaced by a new one.
MAX_TASKS = 100

#: Seconds that a process without a running task waits for its broker before it ends.
LEAVE_AFTER = 5.0

#: Seconds between checks of whether a task is still running.
POLL_INTERVAL = 0.1


def run_tasks(lifeline: int, queues: str, threads: str) -> None:
    """Run tasks until a signal, the end of the supervisor or the maximum number of tasks stops it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    on_supervisor_exit(lifeline, stop.set)
    executor = create_executor()
    broker = executor.broker
    broker.add_middleware(RestartAfter(MAX_TASKS, stop.set))
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, queues=set(queues.split(",")), worker_threads=int(threads))
    worker.start()
    log.info("ready for %s with %s threads", queues, threads)
    stop.wait()
    _finish(worker, executor)


def _finish(worker: dramatiq.Worker, executor: Executor) -> None:
    """Let the current tasks end, and return messages to the broker if it answers.

    Otherwise the broker returns them by itself, once it misses this process.
    """
    executor.stopping.set()

    def stop() -> None:
        worker.stop()
        executor.broker.close()

    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    deadline = math.inf
    while stopping.is_alive() and time.monotonic() < deadline:
        stopping.join(POLL_INTERVAL)
        if executor.is_idle:
            deadline = min(deadline, time.monotonic() + LEAVE_AFTER)


def run_fork(lifeline: int, path: str) -> None:
    """Run a function until it returns or SIGTERM ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    on_supervisor_exit(lifeline, lambda: os.kill(os.getpid(), signal.SIGTERM))
    module, _, name = path.partition(":")
    sys.exit(getattr(importlib.import_module(module), name)())


def on_supervisor_exit(lifeline: int, call: Callable[[], None]) -> None:
    """Call a function once the supervisor, which holds the other end of the pipe, is gone.

    The supervisor never writes, so a read returns only when the pipe is closed.
    """

    def watch() -> None:
        os.read(lifeline, 1)
        call()

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    _, lifeline, *arguments = sys.argv
    try:
        (run_tasks if len(arguments) > 1 else run_fork)(int(lifeline), *arguments)
    except SeedError as error:
        sys.exit(f"tformance-seed worker: {error}")
