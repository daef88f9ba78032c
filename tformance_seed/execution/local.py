"""Runs the actors in threads of this process: how to seed without a broker."""

import contextlib
from collections.abc import Iterator

import dramatiq
import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.execution import broker
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.middleware import OnThreadEnd

#: Threads on PostgreSQL: one generates rows while the server writes those of others. SQLite has one writer.
THREADS = 4


@contextlib.contextmanager
def executor(database: peewee.Database) -> Iterator[Executor]:
    """Run actors in threads until the block ends; the tasks that they run then are finished first."""
    executor = Executor(broker.in_process(), lambda: database)
    executor.broker.add_middleware(OnThreadEnd(executor.close))
    executor.broker.emit_after("process_boot")
    worker = dramatiq.Worker(executor.broker, worker_threads=THREADS if is_postgresql(database) else 1)
    worker.start()
    try:
        yield executor
    finally:
        for thread in worker.workers:
            thread.stop()
        for thread in worker.workers:
            thread.join()
        for consumer in worker.consumers.values():
            consumer.stop()  # not waited for: what it prefetched is in the ledger, too
        executor.broker.close()
