"""One worker process: ``python -m tformance_seed.workers.process QUEUES THREADS LIFELINE``.

It works until SIGTERM, until it has done its number of tasks, or until the end of LIFELINE, a file
descriptor, tells that its supervisor is gone; then it finishes what is in hand.
"""

import logging
import os
import signal
import sys
import threading

import dramatiq

from tformance_seed import workers
from tformance_seed.errors import SeedError
from tformance_seed.workers.middleware import RestartAfter

log = logging.getLogger(__name__)

#: Tasks after which a process makes room for a new one.
TASKS = 100


def main(queues: str, threads: str, lifeline: str) -> None:
    """Work until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_watch, args=(int(lifeline), stop), daemon=True).start()
    broker = workers.crew.broker
    broker.add_middleware(RestartAfter(TASKS, stop.set))
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, queues=set(queues.split(",")), worker_threads=int(threads))
    worker.start()
    log.info("ready for %s with %s threads", queues, threads)
    stop.wait()
    worker.stop()
    broker.close()


def _watch(lifeline: int, stop: threading.Event) -> None:
    """Nobody writes to the pipe, so reading ends when the supervisor, who has the other end, is gone."""
    os.read(lifeline, 1)
    stop.set()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SeedError as error:
        sys.exit(f"tformance-seed worker: {error}")
