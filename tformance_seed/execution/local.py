"""Run the actors in threads of this process, to seed without a broker."""

import contextlib
from collections.abc import Iterator

import dramatiq
import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.execution import broker
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.middleware import OnThreadEnd

#: Threads on PostgreSQL: one generates rows while the server writes the rows of others. SQLite allows only
#: one writer, so it gets one thread.
THREADS = 4


@contextlib.contextmanager
def executor(database: peewee.Database) -> Iterator[Executor]:
    """Run actors in threads until the block ends; wait then for the tasks that are still running."""
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
            consumer.stop()  # no need to wait: the tasks it prefetched are also in the ledger
        executor.broker.close()
