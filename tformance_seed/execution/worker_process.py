"""One process under the supervisor: ``python -m tformance_seed.workers.process LIFELINE QUEUES THREADS``.

It works until SIGTERM, until it has done its number of tasks, or until the end of LIFELINE, a file
descriptor, tells that its supervisor is gone; then it finishes what is in hand. With MODULE:FUNCTION in place
of queues and threads it runs a process that Dramatiq's middleware wants beside the workers.
"""

import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

import dramatiq

from tformance_seed import execution as workers
from tformance_seed.errors import SeedError
from tformance_seed.execution.middleware import RestartAfter

log = logging.getLogger(__name__)

#: Tasks after which a process makes room for a new one.
TASKS = 100


def work(lifeline: int, queues: str, threads: str) -> None:
    """Do tasks until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _when_alone(lifeline, stop.set)
    broker = workers.crew.broker
    broker.add_middleware(RestartAfter(TASKS, stop.set))
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, queues=set(queues.split(",")), worker_threads=int(threads))
    worker.start()
    log.info("ready for %s with %s threads", queues, threads)
    stop.wait()
    worker.stop()
    broker.close()


def fork(lifeline: int, path: str) -> None:
    """Run a function that ends on SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _when_alone(lifeline, lambda: os.kill(os.getpid(), signal.SIGTERM))
    module, _, name = path.partition(":")
    sys.exit(getattr(importlib.import_module(module), name)())


def _when_alone(lifeline: int, call: Callable[[], None]) -> None:
    """Nobody writes to the pipe, so reading ends when the supervisor, who has the other end, is gone."""

    def watch() -> None:
        os.read(lifeline, 1)
        call()

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    _, lifeline, *arguments = sys.argv
    try:
        (work if len(arguments) > 1 else fork)(int(lifeline), *arguments)
    except SeedError as error:
        sys.exit(f"tformance-seed worker: {error}")
