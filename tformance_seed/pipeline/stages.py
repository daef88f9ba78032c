"""One organisation from source to metrics: the only place that knows the order.

team and members -> AI usage, pull requests with all that hangs on them -> summaries, Jira issues -> weekly
metrics, figures (Copilot's, pairs of reviewers, insights). Summaries come with their pull requests where
nobody limits requests for them, and so do Jira issues where no two pull requests share one. Each stage is
cut into tasks, each task is a transaction that also enters it in the ledger; the tasks of a phase may be done
side by side, by anybody.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import peewee

from tformance_seed import ledger
from tformance_seed.ledger import Task
from tformance_seed.pipeline import aggregate as aggregates
from tformance_seed.pipeline import generate as loading
from tformance_seed.pipeline.job_context import MAKING, JobContext, Results, Write
from tformance_seed.storage.failures import UNIQUE_VIOLATION, sqlstate
from tformance_seed.storage.transactions import transaction


@dataclass(frozen=True)
class Stage:
    """A stage of the order.

    ``queue`` says what its tasks do (see ``workers``); ``ranges`` cuts the stage into tasks when its phase
    begins; ``prepare`` makes a task's rows, outside of any transaction, and returns what writes them inside
    of one. ``alone``: nobody else may write to the organisation meanwhile.
    """

    phase: int
    queue: Callable[[JobContext], str]
    ranges: Callable[[JobContext], Iterator[tuple[int, int]]]
    prepare: Callable[[JobContext, int, int], Write]
    alone: bool = False


def perform(work: JobContext, task: Task) -> tuple[Results, ledger.Following]:
    """Do one task: one transaction, entered in the ledger by itself.

    Returns:
      Results by table, and the tasks that are to be sent now (``ledger.Following``).
    Raises:
      ledger.Stale: somebody else did it, or its job is over.
      SeedError: the source failed, or the team is not the package's own.
      peewee.DatabaseError: the database failed; nothing of the task was written.
    """
    try:
        return _perform(work, task)
    except peewee.IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
    work.doubt()
    return _perform(work, task)


def _perform(work: JobContext, task: Task) -> tuple[Results, ledger.Following]:
    stage = STAGES[task.key.stage]
    with contextlib.nullcontext() if work.source.waits else MAKING:
        write = stage.prepare(work, task.key.start, task.stop)
    results: Results = {}
    with transaction(work.database):
        ledger.enter(task, alone=stage.alone)
        write(results)
        following = ledger.complete(task, results, partial(_phase, work))
    return results, following


def _phase(work: JobContext, number: int) -> ledger.Phase:
    """The tasks of a phase; None after the last one."""
    stages = [(name, stage) for name, stage in STAGES.items() if stage.phase == number]
    if not stages:
        return None
    return [(name, stage.queue(work), *places) for name, stage in stages for places in stage.ranges(work)]


def _once(_work: JobContext) -> Iterator[tuple[int, int]]:
    yield 0, 1


def _read(work: JobContext) -> str:
    return "sync" if work.source.waits else "compute"


def _compute(_work: JobContext) -> str:
    return "compute"


#: The order of work: stages of one phase do not depend on each other.
STAGES = {
    "team": Stage(0, lambda _work: "sync", _once, loading.team, alone=True),
    "ai_usage": Stage(1, _compute, loading.usage_ranges, loading.usage),
    "pull_requests": Stage(1, _read, loading.pull_request_ranges, loading.pull_requests),
    "summaries": Stage(2, lambda _work: "llm", aggregates.summary_ranges, aggregates.summaries),
    "jira": Stage(2, _compute, aggregates.jira_ranges, aggregates.jira),
    "weekly": Stage(3, _compute, _once, aggregates.weekly),
    "figures": Stage(3, _compute, _once, aggregates.figures),
}
