"""Run the actors in threads of this process, to seed without a broker."""

import contextlib
import time
from collections.abc import Iterator

import dramatiq
import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.execution import broker
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.middleware import OnThreadEnd

#: Threads on PostgreSQL: one generates rows while the server writes the rows of others. SQLite allows only
#: one writer, so it gets one thread, unless threads wait for a language model, and write hardly anything.
THREADS = 4

#: Seconds to wait for the tasks that are still running when a command ends early. What they would commit
#: later is safe; only one that waits for the database runs for as long.
LEAVE_AFTER = 10.0


@contextlib.contextmanager
def executor(database: peewee.Database, *, asks_model: bool = False) -> Iterator[Executor]:
    """Run actors in threads until the block ends; give the tasks that are still running time to end.

    Parameters:
      asks_model: whether a language model writes summaries.
    """
    executor = Executor(broker.in_process(), lambda: database)
    executor.broker.add_middleware(OnThreadEnd(executor.close))
    executor.broker.emit_after("process_boot")
    threads = THREADS if is_postgresql(database) or asks_model else 1
    worker = dramatiq.Worker(executor.broker, worker_threads=threads)
    worker.start()
    try:
        yield executor
    finally:
        executor.stopping.set()
        for thread in worker.workers:
            thread.stop()
        deadline = time.monotonic() + LEAVE_AFTER
        for thread in worker.workers:
            thread.join(max(0.0, deadline - time.monotonic()))
        for consumer in worker.consumers.values():
            consumer.stop()  # no need to wait: the tasks it prefetched are also in the ledger
        executor.language_model.close()
        executor.broker.close()
