"""Actors on a broker: each finds its message's task in the ledger, runs it, and sends the next tasks."""

import contextlib
import dataclasses
import functools
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import dramatiq
import peewee
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware.threading import Interrupt
from dramatiq.rate_limits import WindowRateLimiter

from tformance_seed import ledger, settings
from tformance_seed.errors import SeedError, TransientError
from tformance_seed.execution import retry
from tformance_seed.execution.broker import BrokerConfig
from tformance_seed.execution.broker_errors import connection_errors, error_message
from tformance_seed.execution.context_cache import ContextCache
from tformance_seed.execution.log_format import task_context
from tformance_seed.ledger import QueuedTask, Task, TaskKey
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
QUEUES = tuple(ACTORS)


class TaskFailed(Exception):  # noqa: N818 - the name that shows in Dramatiq's logs
    """A task failed for good; the reason is in the ledger."""


class Executor:
    """The actors of one process on one broker.

    Parameters:
      config: the broker and its rate limits.
      open_database: opens the database that has the ledger; called once, when it is first needed.
    """

    def __init__(self, config: BrokerConfig, open_database: Callable[[], peewee.Database]) -> None:
        self.broker = config.broker
        self.rate_limiter_backend = config.rate_limiter_backend
        self._open_database = open_database
        self._database: peewee.Database | None = None
        self._opening = threading.Lock()
        self._contexts = ContextCache(self._load_context)
        self._registered_jobs: set[int] = set()
        #: Set once every job registered here has finished here, or one of its tasks has failed here.
        self.jobs_finished = threading.Event()
        self.actors = {queue: self._declare_actor(queue) for queue in QUEUES}

    def _declare_actor(self, queue: str) -> dramatiq.Actor[..., dict[str, int] | None]:
        name, priority = ACTORS[queue]

        def actor(**message: Any) -> dict[str, int] | None:
            return self._handle_message(queue, TaskKey(**message))

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

    @property
    def limits_summaries(self) -> bool:
        """Whether requests for summaries are limited, so that summaries need separate tasks."""
        return self.rate_limiter_backend is not None

    @functools.cached_property
    def _rate_limiter(self) -> WindowRateLimiter:
        """The limit on the requests for summaries that all workers together send per second."""
        return WindowRateLimiter(
            self.rate_limiter_backend, "tformance_seed-llm", limit=settings.llm_rate(), window=1
        )

    def register_job(self, job: SeedJob, plan: Plan) -> None:
        """Register a job started in this process: keep its plan, and note when it is finished."""
        self._registered_jobs.add(job.id)
        self._contexts.add(job.id, lambda: JobContext(self.database, job, plan))

    def _job_finished(self, job: int) -> None:
        """Set ``jobs_finished`` once the last job registered here has finished or failed."""
        self._registered_jobs.discard(job)
        if not self._registered_jobs:
            self.jobs_finished.set()

    def _load_context(self, job_id: int) -> JobContext:
        job = ledger.find_job(self.database, job_id)
        return JobContext(self.database, job, restore(job.plan, job.fingerprint))

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
            except connection_errors() as error:
                if time.monotonic() > deadline:
                    raise TransientError(
                        f"the broker went away: {error_message(error)}. What was committed is safe; "
                        f"when it is back, continue with: tformance-seed retry {run}"
                    ) from None
                delay = retry.broker_delay(attempts)
                log.warning(
                    "the broker is unreachable (%s); trying again in %d ms", error_message(error), delay
                )
            attempts += 1
            time.sleep(delay / 1000)

    def _handle_message(self, queue: str, key: TaskKey) -> dict[str, int] | None:
        """Run a message's task.

        Returns:
          The numbers of rows written and unchanged; None if there was nothing to do.
        Raises:
          RateLimitExceeded: too many requests for summaries were sent in this second.
          Retry: the task failed and should be tried again.
          TaskFailed: the task failed for good.
        """
        task = None
        with task_context(key):
            try:
                with self._rate_limit(queue):
                    claimed = ledger.claim(self.database, key, f"{socket.gethostname()}:{os.getpid()}")
                    task = claimed or self._find_task(key)
                    results = self._run_task(claimed) if claimed else None
                    if results is None and ledger.phase_advanced(self.database, task):
                        # The worker that ran it may have died before sending the next tasks.
                        self.send(ledger.current_tasks(self.database, key.run, [key.job], claimed=False))
            except RateLimitExceeded:
                raise
            except (Exception, Interrupt) as error:  # noqa: BLE001 - handled and recorded in the ledger
                self.close()  # whatever state the connection is in
                raise self._handle_failure(key, task, error) from None
        if results is None:
            log.debug("%s: nothing to do", key)
            return None
        return {
            "rows_written": sum(result.written for result in results.values()),
            "rows_unchanged": sum(result.unchanged for result in results.values()),
        }

    @contextlib.contextmanager
    def _rate_limit(self, queue: str) -> Iterator[None]:
        """Raise RateLimitExceeded if too many requests for summaries were sent in this second."""
        if queue != "llm" or not self.limits_summaries:
            yield
            return
        with self._rate_limiter.acquire():
            yield

    def _find_task(self, key: TaskKey) -> Task:
        task = ledger.find_task(self.database, key)
        if task is None:
            raise SeedError(
                f"run {key.run} has no task {key} in this database: do all sides use the same DATABASE_URL?"
            )
        return task

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

    def _handle_failure(self, key: TaskKey, task: Task | None, error: BaseException) -> Exception:
        """Record a failure in the ledger; return the exception that makes Dramatiq retry the task, or not."""
        decision = retry.decide(error, task.attempts if task else 0)
        again = decision.retry
        if task is not None:
            self._contexts.discard(key.job)
            again = self._record_failure(task, decision)
        traceback = error if decision.unexpected else None
        if again:
            log.warning("%s: to be tried again: %s", key, decision.reason, exc_info=traceback)
            return Retry(decision.reason, delay=decision.delay)
        log.error("%s: failed: %s", key, decision.reason, exc_info=traceback)
        self._job_finished(key.job)
        return TaskFailed(decision.reason)

    def _record_failure(self, task: Task, decision: retry.Decision) -> bool:
        """Record a failure in the ledger, and return whether the message should be delivered again."""
        try:
            record = ledger.requeue if decision.retry else ledger.fail
            undone = record(self.database, task, decision.reason)
        except peewee.PeeweeException as error:
            self.close()
            return decision.retry or is_transient(error)
        return decision.retry or not undone  # delivered again, the message of a done task sends the next ones
