"""Wait for the end of a run: it finishes, it fails, or something keeps it from going on."""

import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import peewee

from tformance_seed import ledger
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.errors import SeedError, TransientError
from tformance_seed.execution import retry
from tformance_seed.execution.executor import Executor
from tformance_seed.ledger import RunStatus
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.failures import to_seed_error
from tformance_seed.storage.models import SeedRun

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Called with the status of a run, at most a few times per second.
Progress = Callable[[RunStatus], None]

#: The minimum and maximum seconds between checks of whether a run has ended. In between, the interval is the
#: time the run has taken so far, divided by ``POLLS_PER_RUN``. It is cut short if all jobs end here.
POLL_INTERVAL = (0.05, 0.5)
POLLS_PER_RUN = 30

#: The minimum seconds between reports of progress. If a report is slow, the interval grows to
#: ``PROGRESS_SHARE`` times the time that it took.
PROGRESS_INTERVAL = 0.25
PROGRESS_SHARE = 20

#: Seconds without any activity after which tasks are sent again, in case the broker lost them; doubled each
#: time. A task that arrives twice does no harm.
STALLED_AFTER = 30.0

#: The number of checks for activity within ``STALLED_AFTER``.
ACTIVITY_CHECKS = 6


def watch(
    database: peewee.Database, executor: Executor, record: SeedRun, progress: Progress | None = None
) -> RunStatus:
    """Poll until a run has ended; if nothing happens for a long time, find out why.

    Raises:
      SeedError: the run cannot go on: database or broker refuse or are unreachable.
    """
    count_active_jobs = ledger.count_active_jobs(record)
    health = _Health(database, executor, record)
    began = next_report = time.monotonic()
    while True:
        ended = not read_ledger(database, record, lambda: count_active_jobs(database))
        moment = time.monotonic()
        if ended or (progress and moment >= next_report):
            status = read_ledger(database, record, lambda: ledger.run_status(database, record))
            if progress:
                progress(status)
            if status.is_finished:
                return status
            next_report = moment + max(PROGRESS_INTERVAL, PROGRESS_SHARE * (time.monotonic() - moment))
        health.check(moment)
        shortest, longest = POLL_INTERVAL
        executor.jobs_finished.wait(min(max(shortest, (moment - began) / POLLS_PER_RUN), longest))
        executor.jobs_finished.clear()


class _Health:
    """Whether a run goes on. If nothing happens, it looks for an obstacle, and sends pending tasks again."""

    def __init__(self, database: peewee.Database, executor: Executor, record: SeedRun) -> None:
        self.database, self.executor, self.record = database, executor, record
        self._next_check = self._well_at = self._sent_at = time.monotonic()
        self._activity, self._patience = -1, STALLED_AFTER

    def check(self, moment: float) -> None:
        """Check what is known in this process, and from time to time the ledger.

        Raises:
          SeedError: something keeps the run from going on, and does not pass or has not for too long.
        """
        if obstacle := self.executor.obstacle():
            raise self._stopped(obstacle)
        if moment < self._next_check:
            return
        self._next_check = moment + STALLED_AFTER / ACTIVITY_CHECKS
        before = self._activity
        self._activity = read_ledger(
            self.database, self.record, lambda: ledger.activity_counter(self.database, self.record)
        )
        if self._activity != before:
            self._well_at = self._sent_at = moment
        elif obstacle := self._find_obstacle():
            if not isinstance(obstacle, TransientError) or moment - self._well_at > retry.GIVE_UP_AFTER:
                raise self._stopped(obstacle)
        else:
            self._well_at = moment
            if moment - self._sent_at > self._patience:
                self._send_again()
                self._sent_at, self._patience = moment, 2 * self._patience

    def _find_obstacle(self) -> SeedError | None:
        """Return what keeps every process from taking a task; None if nothing is found."""
        try:
            self.executor.check_broker()
        except SeedError as error:
            return error
        if not is_postgresql(self.database):
            return None  # its one writer may hold the lock for a while, and the executor's threads know
        with ThreadPoolExecutor(1) as another_session:
            return another_session.submit(self._find_obstacle_of_database).result()

    def _find_obstacle_of_database(self) -> SeedError | None:
        try:
            ledger.check_writable(self.database, self.record)
        except (peewee.DatabaseError, peewee.InterfaceError) as error:
            return to_seed_error(error)
        finally:
            disconnect(self.database)
        return None

    def _send_again(self) -> None:
        tasks = read_ledger(
            self.database,
            self.record,
            lambda: ledger.current_tasks(self.database, self.record.name, self.record.jobs),
        )
        log.warning("nothing happened for %.0f s; sending %d tasks again", self._patience, len(tasks))
        with contextlib.suppress(TransientError):  # the broker went away again: the next check tells
            self.executor.send(tasks, retry.RETRY_DELAY)

    def _stopped(self, obstacle: SeedError) -> SeedError:
        """Return the error with which the command ends: rows are committed, so the input was not wrong."""
        kind = TransientError if isinstance(obstacle, TransientError) else SeedError
        return kind(
            f"run {self.record.name} cannot go on: {obstacle}; once that is mended, continue with: "
            f"tformance-seed retry {self.record.name}"
        )


def read_ledger(database: peewee.Database, record: SeedRun, call: Callable[[], T]) -> T:
    """Read the ledger; wait while the database is unreachable.

    Raises:
      SeedError: the database was unreachable for too long, or refused the query.
    """
    try:
        return retry.until_available(database, call)
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        failure = to_seed_error(error)
        raise type(failure)(
            f"{failure}; how far it got is shown by: tformance-seed status {record.name}"
        ) from error
