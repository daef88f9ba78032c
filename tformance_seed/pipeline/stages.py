"""Seed one organisation, from source to metrics. Only this module knows the order of the stages.

team and members -> AI usage, pull requests with everything that belongs to them -> summaries, Jira issues ->
weekly metrics, Copilot figures with reviewer pairs and insights. Summaries are written with their pull
requests unless a language model writes them. Jira issues are written with their pull requests unless
several pull requests may share one. Each stage is divided into tasks. Each task is one transaction, which
also records the task in the ledger. The tasks of a phase may run in parallel, on any machine.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import peewee

from tformance_seed import ledger
from tformance_seed.pipeline import aggregate, generate
from tformance_seed.pipeline.job_context import GENERATION_LOCK, JobContext, Results, Write
from tformance_seed.storage.failures import UNIQUE_VIOLATION, sqlstate
from tformance_seed.storage.transactions import transaction

#: The phase that acquires the team; in later phases the team must exist.
TEAM_PHASE = 0


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline.

    ``queue`` returns the name of its tasks' queue (see ``execution``). ``ranges`` divides the stage into
    tasks when its phase begins: each task has an offset and a limit. ``prepare`` generates a task's rows
    outside any transaction, and returns a function that writes them inside one. ``exclusive``: no other task
    may write to the organisation at the same time. ``ask`` comes before ``prepare``: it waits for others, and
    writes to the ledger alone.
    """

    phase: int
    queue: Callable[[JobContext], str]
    ranges: Callable[[JobContext], Iterator[tuple[int, int]]]
    prepare: Callable[[JobContext, int, int], Write]
    exclusive: bool = False
    ask: Callable[[JobContext, ledger.Task], None] | None = None


@dataclass(frozen=True)
class TaskOutcome:
    """The outcome of a task: results by table, tasks to send next, and whether its job is finished."""

    results: Results
    next_tasks: list[ledger.QueuedTask]
    job_finished: bool


def perform(context: JobContext, task: ledger.Task) -> TaskOutcome:
    """Do one task in one transaction, which also records it in the ledger.

    Raises:
      ledger.StaleTaskError: another worker did the task, or its job is no longer running.
      SeedError: the source failed, or the team does not belong to the package or was deleted.
      peewee.DatabaseError: the database failed; the task wrote nothing.
    """
    try:
        return _perform(context, task)
    except peewee.IntegrityError as error:
        context.invalidate()
        if task.phase > TEAM_PHASE:
            _ = context.team  # raises SeedError if the team, which the rows refer to, was deleted
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
    return _perform(context, task)


def _perform(context: JobContext, task: ledger.Task) -> TaskOutcome:
    stage = STAGES[task.key.stage]
    if stage.ask is not None:
        stage.ask(context, task)
    with contextlib.nullcontext() if context.source.waits else GENERATION_LOCK:
        began = time.perf_counter()
        write = stage.prepare(context, task.key.offset, task.limit)
        seconds = time.perf_counter() - began
    results: Results = {}
    with transaction(context.database):
        ledger.lock_for_write(context.database, task, exclusive=stage.exclusive)
        began = time.perf_counter()
        write(results)
        seconds += time.perf_counter() - began
        if not ledger.complete(context.database, task, results, seconds):
            return TaskOutcome(results, [], job_finished=False)
        next_tasks = _advance(context, task)
    return TaskOutcome(results, next_tasks, job_finished=not next_tasks)


def _advance(context: JobContext, task: ledger.Task) -> list[ledger.QueuedTask]:
    """Begin the next phase that has any tasks, and return them; if there is none, finish the job."""
    for phase in sorted({stage.phase for stage in STAGES.values() if stage.phase > task.phase}):
        if planned := _plan_phase(context, phase):
            return ledger.begin_phase(context.database, task, phase, planned)
    ledger.finish_job(context.database, task)
    return []


def _plan_phase(context: JobContext, phase: int) -> list[ledger.PlannedTask]:
    return [
        ledger.PlannedTask(name, stage.queue(context), offset, limit)
        for name, stage in STAGES.items()
        if stage.phase == phase
        for offset, limit in stage.ranges(context)
    ]


def single_task(_context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield the only range of a stage that consists of a single task."""
    yield 0, 1


def source_queue(context: JobContext) -> str:
    """Return the queue for tasks that read the source: it depends on whether reading it involves waiting."""
    return "sync" if context.source.waits else "compute"


def _sync(_context: JobContext) -> str:
    return "sync"


def _compute(_context: JobContext) -> str:
    return "compute"


#: The stages in order. Stages of the same phase do not depend on each other.
STAGES = {
    "team": Stage(TEAM_PHASE, _sync, single_task, generate.team, exclusive=True),
    "ai_usage": Stage(1, _compute, generate.usage_ranges, generate.usage),
    "pull_requests": Stage(1, source_queue, generate.pull_request_ranges, generate.pull_requests),
    "summaries": Stage(
        2,
        aggregate.summary_queue,
        aggregate.summary_ranges,
        aggregate.summaries,
        ask=aggregate.ask_for_summaries,
    ),
    "jira": Stage(2, _compute, aggregate.jira_ranges, aggregate.jira),
    "weekly": Stage(3, _compute, single_task, aggregate.weekly),
    "copilot_and_insights": Stage(3, _compute, single_task, aggregate.copilot_and_insights),
}
