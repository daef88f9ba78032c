"""The actors within this process: what seeds where there is no broker."""

import contextlib
from collections.abc import Iterator

import dramatiq
import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.execution import broker
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.middleware import ThreadEnd

#: Threads: one makes rows while PostgreSQL takes in those of others. SQLite has one writer.
THREADS = 4


@contextlib.contextmanager
def crew(database: peewee.Database) -> Iterator[Executor]:
    """Actors at work in threads of this process, until the block ends; they finish what is in hand then."""
    made = Executor(broker.local(), lambda: database)
    made.broker.add_middleware(ThreadEnd(made.close))
    made.broker.emit_after("process_boot")
    threads = THREADS if is_postgresql(database) else 1
    worker = dramatiq.Worker(made.broker, worker_threads=threads)
    worker.start()
    try:
        yield made
    finally:
        for thread in worker.workers:
            thread.stop()
        for thread in worker.workers:
            thread.join()
        for consumer in worker.consumers.values():
            consumer.stop()  # by itself within a moment: what it holds is in the ledger, too
        made.broker.close()
