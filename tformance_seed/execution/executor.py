"""Actors on a broker: each finds its message's task in the ledger, runs it, and sends the next tasks."""

import dataclasses
import functools
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import dramatiq
import peewee
from dramatiq.errors import Retry
from dramatiq.middleware.threading import Interrupt
from dramatiq.rate_limits import WindowRateLimiter

from tformance_seed import ledger, settings
from tformance_seed.errors import SeedError, TransientError
from tformance_seed.execution import retry
from tformance_seed.execution.broker import QUEUES, BrokerConfig
from tformance_seed.execution.broker_errors import broker_errors, explain
from tformance_seed.execution.context_cache import ContextCache
from tformance_seed.execution.log_format import task_context
from tformance_seed.ledger import QueuedTask, Task, TaskKey
from tformance_seed.llm.language_model import LanguageModel
from tformance_seed.pipeline import stages
from tformance_seed.pipeline.job_context import JobContext, Results
from tformance_seed.planning.plan import Plan, restore
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.failures import is_transient
from tformance_seed.storage.models import SeedJob

log = logging.getLogger(__name__)

#: Queue -> (name of its actor, priority). Lower priorities run first, so that work already begun is finished
#: before new work is started.
ACTORS = {"sync": ("read_source", 20), "compute": ("compute", 10), "llm": ("summarise", 0)}

#: Why a task is left to workers of another version, and the milliseconds after which its message returns to
#: the queue, where they may find it.
OTHER_VERSION, OTHER_VERSION_DELAY = "planned by another version", 1_000


def worker_name() -> str:
    """Return the name under which this thread claims tasks, unlike that of any other thread anywhere."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"


class TaskFailed(Exception):  # noqa: N818 - the name that shows in Dramatiq's logs
    """A task failed for good; the reason is in the ledger."""


class UnknownTaskError(SeedError):
    """The ledger had no task when a message came that refers to one."""


class Executor:
    """The actors of one process on one broker.

    Parameters:
      config: the broker and its rate limits.
      open_database: opens the database that has the ledger; called once, when it is first needed.
    """

    def __init__(self, config: BrokerConfig, open_database: Callable[[], peewee.Database]) -> None:
        self.broker = config.broker
        self.check_broker = config.check
        self._rate_limits = config.rate_limits
        self._open_database = open_database
        self._database: peewee.Database | None = None
        self._opening = threading.Lock()
        self._contexts = ContextCache(self._load_context)
        self._registered_jobs: set[int] = set()
        #: Set once every job registered here has finished here, or one of its tasks has failed here.
        self.jobs_finished = threading.Event()
        #: Set when the process is to end: what waits for the broker waits no longer.
        self.stopping = threading.Event()
        self.language_model = LanguageModel(self._may_ask, self.stopping)
        self._of_this_version: dict[int, bool] = {}
        self._running: set[int] = set()  # the threads that have claimed a task
        #: What keeps tasks from being claimed or recorded here, and since when; None while nothing does.
        self._blocked: tuple[SeedError, float] | None = None
        self.actors = {queue: self._declare_actor(queue) for queue in QUEUES}

    def _declare_actor(self, queue: str) -> dramatiq.Actor[..., dict[str, int] | None]:
        name, priority = ACTORS[queue]

        def actor(**message: Any) -> dict[str, int] | None:
            return self._handle_message(TaskKey(**message))

        decorate = dramatiq.actor(
            actor_name=name, queue_name=queue, priority=priority, broker=self.broker, throws=TaskFailed
        )
        return decorate(actor)

    @property
    def database(self) -> peewee.Database:
        """The database, opened when first needed; each thread has its own connection."""
        with self._opening:
            if self._database is None:
                self._database = self._open_database()
            return self._database

    def close(self) -> None:
        """Close this thread's connection to the database."""
        if self._database is not None:
            disconnect(self._database)

    @functools.cached_property
    def _rate_limiter(self) -> WindowRateLimiter:
        """The limit on the requests that all workers together send to language models per second."""
        return WindowRateLimiter(
            self._rate_limits(), "tformance_seed-llm", limit=settings.llm_rate(), window=1
        )

    def _may_ask(self) -> bool:
        """Return whether another request may be sent to a language model now; if so, it is counted."""
        with self._rate_limiter.acquire(raise_on_failure=False) as acquired:
            return bool(acquired)

    def register_job(self, job: SeedJob, plan: Plan) -> None:
        """Register a job started in this process: keep its plan, and note when it is finished."""
        self._registered_jobs.add(job.id)
        self._contexts.add(job.id, lambda: JobContext(self.database, job, plan, self.language_model))

    def _job_finished(self, job: int) -> None:
        """Set ``jobs_finished`` once the last job registered here has finished or failed."""
        self._registered_jobs.discard(job)
        if not self._registered_jobs:
            self.jobs_finished.set()

    def _load_context(self, job_id: int) -> JobContext:
        job = ledger.find_job(self.database, job_id)
        planned = restore(job.plan, job.fingerprint)
        return JobContext(self.database, job, planned, self.language_model)

    def send(self, tasks: Iterable[QueuedTask], timeout: float = math.inf) -> None:
        """Send a message for each task to its queue; wait while the broker is unreachable.

        Parameters:
          timeout: seconds to wait in total.
        Raises:
          TransientError: the broker was unreachable for longer than that.
        """
        deadline = time.monotonic() + timeout
        for queue, key in tasks:
            self._send(self.actors[queue].message(**dataclasses.asdict(key)), key.run, deadline)

    def _send(self, message: dramatiq.Message[Any], run: str, deadline: float) -> None:
        attempts = 0
        while True:
            try:
                self.broker.enqueue(message)
                return
            except broker_errors() as error:
                delay = retry.broker_delay(attempts)
                if self.stopping.is_set() or time.monotonic() + delay / 1000 > deadline:
                    raise TransientError(
                        f"{explain(error)}. What was committed is safe; "
                        f"continue with: tformance-seed retry {run}"
                    ) from None
                log.warning("%s; trying again in %d ms", explain(error), delay)
            attempts += 1
            self.stopping.wait(delay / 1000)

    def _handle_message(self, key: TaskKey) -> dict[str, int] | None:
        """Run a message's task.

        Returns:
          The numbers of rows written and unchanged; None if there was nothing to do.
        Raises:
          Retry: the task failed and should be tried again.
          TaskFailed: the task failed for good.
        """
        task, began = None, time.monotonic()
        with task_context(key):
            try:
                if not self._is_of_this_version(key.job):
                    log.info("%s: left to workers of the version that planned it", key)
                    raise Retry(OTHER_VERSION, delay=OTHER_VERSION_DELAY)
                claimed = ledger.claim(self.database, key, worker_name())
                task = claimed or self._find_task(key)
                results = self._run_claimed(claimed) if claimed else None
                if results is None and ledger.phase_advanced(self.database, task):
                    # The worker that ran it may have died before sending the next tasks.
                    self.send(ledger.current_tasks(self.database, key.run, [key.job], claimed=False))
            except Retry:
                raise
            except (Exception, Interrupt) as error:  # noqa: BLE001 - handled and recorded in the ledger
                self.close()  # whatever state the connection is in
                raise self._handle_failure(key, task, error, began) from None
        if results is None:
            log.debug("%s: nothing to do", key)
            return None
        return {
            "rows_written": sum(result.written for result in results.values()),
            "rows_unchanged": sum(result.unchanged for result in results.values()),
        }

    def _is_of_this_version(self, job: int) -> bool:
        if job not in self._of_this_version:
            self._of_this_version[job] = ledger.is_of_this_version(self.database, job)
        return self._of_this_version[job]

    def _find_task(self, key: TaskKey) -> Task:
        task = ledger.find_task(self.database, key)
        if task is None:
            raise UnknownTaskError(
                f"run {key.run} has no task {key} in this database: was its ledger emptied, or do not all "
                "sides use the same DATABASE_URL?"
            )
        return task

    @property
    def is_idle(self) -> bool:
        """Whether no thread of this process is running a task."""
        return not self._running

    def obstacle(self) -> SeedError | None:
        """Return why tasks can be neither claimed nor recorded here; None if some can, or soon may be."""
        blocked = self._blocked
        if blocked is None or not self.is_idle:
            return None
        failure, since = blocked
        passing = isinstance(failure, TransientError) and time.monotonic() - since < retry.GIVE_UP_AFTER
        return None if passing else failure

    def _run_claimed(self, task: Task) -> Results | None:
        """Run a task that was claimed, which proves that tasks can be."""
        self._blocked = None
        self._running.add(threading.get_ident())
        try:
            return self._run_task(task)
        finally:
            self._running.discard(threading.get_ident())

    def _run_task(self, task: Task) -> Results | None:
        """Run a task and send the next ones; return None if another worker did it, or its job has ended."""
        start = time.perf_counter()
        retry.check_attempts(task.attempts)
        try:
            outcome = stages.perform(self._contexts.get(task.key.job), task)
        except ledger.StaleTaskError:
            return None
        written = sum(result.written for result in outcome.results.values())
        log.info("%s: %d rows written in %.2f s", task.key, written, time.perf_counter() - start)
        self.send(outcome.next_tasks)
        if outcome.job_finished:
            self._job_finished(task.key.job)
        return outcome.results

    def _handle_failure(
        self, key: TaskKey, task: Task | None, error: BaseException, began: float
    ) -> Exception:
        """Record a failure in the ledger; return the exception that makes Dramatiq retry the task, or not.

        Parameters:
          began: when the message arrived, on the monotonic clock.
        """
        decision = retry.decide(error, task.attempts if task else 0)
        self._contexts.discard(key.job)
        again, reason = self._record_failure(key, task, decision, began), decision.reason
        traceback = error if decision.unexpected else None
        if again:
            log.warning("%s: to be tried again: %s", key, reason, exc_info=traceback)
            return Retry(reason, delay=decision.delay)
        log.error("%s: failed: %s", key, reason, exc_info=traceback)
        self._job_finished(key.job)
        return TaskFailed(reason)

    def _record_failure(
        self, key: TaskKey, task: Task | None, decision: retry.Decision, began: float
    ) -> bool:
        """Record a failure in the ledger, and return whether the message should be delivered again.

        A task that could not be claimed is recorded only if it failed for good; one that was entered while
        its message was looking for it has not. If the ledger takes no record, nobody else would ever learn of
        the failure, so ``obstacle`` tells.
        """
        again = decision.retry
        try:
            if task is None and not again and self._database is not None:
                task = ledger.find_task(self.database, key)
                if task is not None and isinstance(decision.failure, UnknownTaskError):
                    return True  # and another worker may be doing it
            if task is not None:
                record = ledger.requeue if again else ledger.fail
                undone = record(self.database, task, decision.reason)
                return again or not undone  # delivered again, the message of a done task sends the next ones
        except (SeedError, peewee.PeeweeException) as error:
            self.close()
            again = again or is_transient(error)
            task = None
        if self._blocked is None or not decision.retry:
            self._blocked = (decision.failure, began)
        return again
