"""Actors on a broker, and what they do: find a message's task in the ledger, do it, send what follows."""

import contextlib
import dataclasses
import functools
import logging
import math
import os
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import dramatiq
import peewee
from dramatiq.common import compute_backoff
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware.threading import Interrupt
from dramatiq.rate_limits import WindowRateLimiter

from tformance_seed import ledger, settings
from tformance_seed.errors import SeedError
from tformance_seed.execution import logs
from tformance_seed.execution.broker import AWAY, SOFT_LIMIT, Setup, said
from tformance_seed.ledger import Key, Task
from tformance_seed.pipeline import stages as pipeline
from tformance_seed.pipeline.job_context import JobContext, Results
from tformance_seed.planning.plan import Plan, restore
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.failures import is_transient, sqlstate, to_seed_error
from tformance_seed.storage.models import SeedJob

log = logging.getLogger(__name__)

#: Queue -> (name of its actor, priority: lower ones go first, so what was begun is finished first).
ACTORS = {"sync": ("read_source", 20), "compute": ("compute", 10), "llm": ("summarise", 0)}
QUEUES = tuple(ACTORS)

#: How often a task may be begun: more often, and it is the task that kills its workers.
MOST_ATTEMPTS = 10

#: Jobs whose plans a process keeps at hand.
WORKS = 8

#: Milliseconds between two tries to reach a broker that is away: at first, and at most.
BROKER_BACKOFF = (100, 5_000)

#: PostgreSQL takes no more connections: another thread may well have one, so try again soon, in milliseconds.
TOO_MANY_CONNECTIONS = "53300"
FULL_BACKOFF = 1_000

#: Who does a task, for the ledger.
WORKER = f"{socket.gethostname()}:{os.getpid()}"


class TaskFailed(Exception):  # noqa: N818 - the name that shows in Dramatiq's logs
    """A task that failed for good; its reason is in the ledger."""


class Executor:
    """The actors of one process on one broker.

    Parameters:
      setup: the broker with its rate limits.
      database: opens the database with the ledger, bound to the models; called once, when first needed.
    """

    def __init__(self, setup: Setup, database: Callable[[], peewee.Database]) -> None:
        self.broker = setup.broker
        self.limits = setup.limits
        self._open = database
        self._database: peewee.Database | None = None
        self._works: OrderedDict[int, JobContext] = OrderedDict()
        self._lock = threading.Lock()
        self._planning: dict[int, threading.Lock] = {}
        #: Set when the last of the jobs that were begun here is done or fails here, for who watches.
        self.finished = threading.Event()
        self._begun: set[int] = set()
        self.actors = {queue: self._declare(queue) for queue in QUEUES}

    def _declare(self, queue: str) -> dramatiq.Actor:
        name, priority = ACTORS[queue]

        def actor(run: str, job: int, organisation: str, stage: str, start: int) -> dict[str, int] | None:
            return self._receive(queue, Key(run, job, organisation, stage, start))

        return dramatiq.actor(
            actor, actor_name=name, queue_name=queue, priority=priority, broker=self.broker, throws=TaskFailed
        )

    def _connect(self) -> peewee.Database:
        """The database, opened when first needed: each thread gets a connection of its own."""
        with self._lock:
            if self._database is None:
                self._database = self._open()
            return self._database

    def close(self) -> None:
        """Close this thread's connection."""
        if self._database is not None:
            disconnect(self._database)

    @functools.cached_property
    def limiter(self) -> WindowRateLimiter:
        """How many requests for summaries all workers may make in a second."""
        return WindowRateLimiter(self.limits, "tformance_seed-llm", limit=settings.llm_rate(), window=1)

    @property
    def limited(self) -> bool:
        """Whether requests for summaries are limited, so that they are tasks of their own."""
        return self.limits is not None

    def know(self, job: SeedJob, planned: Plan) -> None:
        """Take over a job that was begun in this process, and as long as there is room, its plan."""
        self._begun.add(job.id)
        if len(self._works) < WORKS:
            self._works[job.id] = JobContext(self._connect(), job, planned)

    def send(self, tasks: Iterable[tuple[str, Key]], patience: float = math.inf) -> None:
        """Send a message for each task to its queue, waiting for a broker that is away.

        Parameters:
          patience: seconds to wait in all.
        Raises:
          SeedError: it is away for longer.
        """
        began, (least, most) = time.monotonic(), BROKER_BACKOFF
        for queue, key in tasks:
            message = self.actors[queue].message(**dataclasses.asdict(key))
            tries = 0
            while True:
                try:
                    self.broker.enqueue(message)
                    break
                except AWAY as error:
                    if time.monotonic() - began > patience:
                        raise SeedError(
                            f"the broker went away: {said(error)}. What was committed is safe; "
                            f"when it is back, go on with: tformance-seed retry {key.run}"
                        ) from None
                    tries, delay = compute_backoff(tries, factor=least, max_backoff=most)
                    log.warning("the broker is away (%s); trying again in %d ms", said(error), delay)
                    time.sleep(delay / 1000)

    def _receive(self, queue: str, key: Key) -> dict[str, int] | None:
        """Do what a message says. Returns rows written and unchanged; None where there was nothing to do.

        Raises:
          Retry: what went wrong may pass.
          TaskFailed: it will not, or it did not pass often enough.
        """
        task = None
        limit = self.limiter.acquire if queue == "llm" and self.limited else contextlib.nullcontext
        try:
            with logs.about(key), limit():
                self._connect()
                taken = ledger.take(key, WORKER)
                task = taken or ledger.find(key)
                if task is None:
                    raise SeedError(
                        f"run {key.run} has no task {key} in this database: "
                        "do all sides use the same DATABASE_URL?"
                    )
                results = self._do(taken) if taken else None
                if results is None and ledger.follows(task):  # who did it may have died before sending that
                    self.send(ledger.waiting(key.run, [key.job], in_hand=False))
        except RateLimitExceeded:
            raise
        except (Exception, Interrupt) as error:  # noqa: BLE001 - judged and entered in the ledger
            self.close()  # the connection is in who knows what state
            raise self._judged(key, task, error) from None
        if results is None:
            log.debug("%s: nothing to do", key)
            return None
        return {
            "rows_written": sum(result.written for result in results.values()),
            "rows_unchanged": sum(result.unchanged for result in results.values()),
        }

    def _do(self, task: Task) -> Results | None:
        """Do a task and send what follows; None where somebody else did, or nobody wants it any more."""
        began = time.perf_counter()
        if task.attempts > MOST_ATTEMPTS:
            raise SeedError(f"given up: {MOST_ATTEMPTS} workers died or were stopped while at it")
        try:
            results, following = pipeline.perform(self._work(task.key.job), task)
        except ledger.Stale:
            return None
        written = sum(result.written for result in results.values())
        log.info("%s: %d rows written in %.2f s", task.key, written, time.perf_counter() - began)
        if following:
            self.send(following)
        elif following is not None:
            self._over(task.key.job)
        return results

    def _over(self, job: int) -> None:
        """Tell who watches when the last of the jobs that were begun here is done, or has failed."""
        self._begun.discard(job)
        if not self._begun:
            self.finished.set()

    def _work(self, job_id: int) -> JobContext:
        with self._lock:
            planning = self._planning.setdefault(job_id, threading.Lock())
        with planning:
            with self._lock:
                work = self._works.get(job_id)
            if work is None:
                job = SeedJob.get_by_id(job_id)
                work = JobContext(self._connect(), job, restore(job.plan, job.identity))
            with self._lock:  # others may have thrown it out meanwhile
                self._works[job_id] = work
                self._works.move_to_end(job_id)
                while len(self._works) > WORKS:
                    old, _ = self._works.popitem(last=False)
                    self._planning.pop(old, None)
        return work

    def _judged(self, key: Key, task: Task | None, error: BaseException) -> Exception:
        """Enter in the ledger what went wrong, and say whether to try again."""
        if isinstance(error, AWAY):
            reason, again = f"the broker is away: {said(error)}", True
        elif isinstance(error, Interrupt):
            reason, again = f"interrupted: it took over {SOFT_LIMIT // 1000} s", True
        elif isinstance(error, peewee.PeeweeException):
            reason, again = str(to_seed_error(error)), is_transient(error)
        elif isinstance(error, SeedError):
            reason, again = str(error), self._database is None
        else:
            log.error("%s: unexpected", key, exc_info=error)
            reason, again = f"unexpected {type(error).__name__}: {error}; please report this", False
        if task is not None:
            with self._lock:
                self._works.pop(task.key.job, None)
            again = again and task.attempts < MOST_ATTEMPTS
            try:
                undone = (ledger.put_back if again else ledger.fail)(task, reason)
                again = again or not undone  # a message that comes again sends what follows
            except peewee.PeeweeException as silent:
                self.close()
                again = again or is_transient(silent)
        if again:
            log.warning("%s: to be tried again: %s", key, reason)
            full = isinstance(error, peewee.PeeweeException) and sqlstate(error) == TOO_MANY_CONNECTIONS
            return Retry(reason, delay=FULL_BACKOFF if full else None)
        log.error("%s: failed: %s", key, reason)
        self._over(key.job)
        return TaskFailed(reason)
