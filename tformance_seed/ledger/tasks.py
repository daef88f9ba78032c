"""Tasks: claimed, locked by the transaction that writes their rows, completed or failed.

A task's row in the ledger is the lock on it. So a task that is delivered twice, late or out of order is done
once or not at all, and one whose worker died can be claimed again when the server has noticed.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import peewee

from tformance_seed.bulk import Result
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import insert_rows
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.ledger.jobs import (
    CANCELLED,
    CLAIMED,
    DONE,
    FAILED,
    FINISHED,
    PENDING,
    RUNNING,
    WAITING,
    now,
    reopen_tasks,
)
from tformance_seed.ledger.teams import team_deleted
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask, SeedTeam, Team
from tformance_seed.storage.transactions import begin_writing, lock_organisations, transaction

#: Tasks that one INSERT adds to the ledger, far below SQLite's limit of parameters.
INSERT_CHUNK = 1_000


@dataclass(frozen=True)
class TaskKey:
    """What a message says of a task; the run is for people, and for the messages of the next tasks."""

    run: str
    job: int
    organisation: str
    stage: str
    offset: int

    def __str__(self) -> str:
        return f"{self.organisation}/{self.stage}/{self.offset}"


@dataclass(frozen=True)
class Task:
    """A task of the ledger: ``limit`` items of its stage from ``key.offset`` on.

    ``attempts`` counts how often it was claimed.
    """

    key: TaskKey
    id: int
    limit: int
    phase: int
    attempts: int


@dataclass(frozen=True)
class PlannedTask:
    """A task of the next phase, not yet in the ledger."""

    stage: str
    queue: str
    offset: int
    limit: int


#: The name of a queue and the task to send to it.
QueuedTask = tuple[str, TaskKey]


class StaleTaskError(Exception):
    """A task is not to be done, or not again: another worker did it, or its job no longer runs."""


_TASK_COLUMNS = (SeedTask.id, SeedTask.limit, SeedTask.phase, SeedTask.attempts)

#: Of a task joined with its job: it is of the phase that the job is in, and the job still runs.
_IS_CURRENT = (SeedJob.state == RUNNING) & (SeedTask.phase == SeedJob.phase)


def _has_key(value: Parameters) -> peewee.Expression:
    """Match, of tasks joined with their jobs, the one that a message means."""
    return (
        (SeedJob.id == value("job"))
        & (SeedJob.organisation == value("organisation"))
        & (SeedTask.stage == value("stage"))
        & (SeedTask.offset == value("offset"))
    )


_FIND = PreparedStatement(
    lambda _database, value: SeedTask.select(*_TASK_COLUMNS).join(SeedJob).where(_has_key(value))
)


def find_task(database: peewee.Database, key: TaskKey) -> Task | None:
    """Return the task of a message; None if the ledger has no such task."""
    row = _FIND(database, **dataclasses.asdict(key)).fetchone()
    return Task(key, *row) if row else None


_PHASE = PreparedStatement(
    lambda _database, value: SeedJob.select(SeedJob.phase).where(SeedJob.id == value("job"))
)


def phase_advanced(database: peewee.Database, task: Task) -> bool:
    """Return whether the job of a task has moved on to a later phase."""
    row = _PHASE(database, job=task.key.job).fetchone()
    return row is not None and row[0] > task.phase


def _claim(database: peewee.Database, value: Parameters) -> peewee.Query:
    current = SeedTask.select(SeedTask.id).join(SeedJob).where(_has_key(value), _IS_CURRENT)
    claim = SeedTask.update(
        {
            SeedTask.state: CLAIMED,
            SeedTask.attempts: SeedTask.attempts + 1,
            SeedTask.worker: value("worker"),
            SeedTask.claimed_at: value("now", SeedTask.claimed_at),
            SeedTask.reason: "",
        }
    ).where(SeedTask.id.in_(current), SeedTask.state.in_(PENDING))
    if not is_postgresql(database):
        return claim
    # For this one transaction: what a crash of the server could lose is that the task was claimed.
    asynchronously = peewee.fn.set_config("synchronous_commit", "off", True) == "off"
    return claim.where(asynchronously).returning(*_TASK_COLUMNS)


_CLAIM = PreparedStatement(_claim)


def claim(database: peewee.Database, key: TaskKey, worker: str) -> Task | None:
    """Claim the task of a message; None if it is done, not to be done now, or not in the ledger."""
    cursor = _CLAIM(database, worker=worker, now=now(), **dataclasses.asdict(key))
    if not cursor.rowcount:
        return None
    # Many SQLite libraries are older than its RETURNING.
    return Task(key, *cursor.fetchone()) if is_postgresql(database) else find_task(database, key)


def _lock_task(database: peewee.Database, value: Parameters) -> peewee.Query:
    task = (
        SeedTask.select(SeedTask.id)
        .join(SeedJob)
        .where(SeedTask.id == value("task"), SeedTask.state.in_(PENDING), _IS_CURRENT)
    )
    return task.for_update(of=SeedTask) if is_postgresql(database) else task


_LOCK_TASK = PreparedStatement(_lock_task)


def lock_for_write(database: peewee.Database, task: Task, *, exclusive: bool = False) -> None:
    """Begin to write a task's rows, in the transaction that will: from now on no other worker can.

    Parameters:
      exclusive: lock the whole organisation, not only the task.
    Raises:
      StaleTaskError: the task was done meanwhile, or its job was cancelled or superseded.
    """
    begin_writing(database, task.key.organisation, exclusive=exclusive)
    if _LOCK_TASK(database, task=task.id).fetchone() is None:
        raise StaleTaskError


_COMPLETE = PreparedStatement(
    lambda _database, value: SeedTask.update(
        {
            SeedTask.state: DONE,
            SeedTask.finished_at: value("now", SeedTask.finished_at),
            SeedTask.rows_written: value("written"),
            SeedTask.rows_unchanged: value("unchanged"),
            SeedTask.tables: value("tables", SeedTask.tables),
        }
    ).where(SeedTask.id == value("task"))
)

_LOCK_JOB = PreparedStatement(
    lambda _database, value: SeedJob.select(SeedJob.id).where(SeedJob.id == value("job")).for_update()
)

_UNFINISHED_TASK = PreparedStatement(
    lambda _database, value: (
        SeedTask.select(SeedTask.id)
        .where(SeedTask.job == value("job"), SeedTask.phase == value("phase"), SeedTask.state != DONE)
        .limit(1)
    )
)


def complete(database: peewee.Database, task: Task, results: Mapping[str, Result]) -> bool:
    """Record that a task is done, in the transaction that wrote its rows, after all of them.

    Returns:
      Whether it was the last of its phase. Then the same transaction must begin the next phase
      (``begin_phase``) or finish the job (``finish_job``): so there is no moment in which a job has nothing
      to do and is not finished.
    """
    _COMPLETE(
        database,
        task=task.id,
        now=now(),
        written=sum(result.written for result in results.values()),
        unchanged=sum(result.unchanged for result in results.values()),
        tables={name: [r.written, r.unchanged, round(r.seconds, 4)] for name, r in results.items()},
    )
    # Those that end at once wait for one another here, so that one of them sees all others done.
    if is_postgresql(database):
        _LOCK_JOB(database, job=task.key.job)
    return _UNFINISHED_TASK(database, job=task.key.job, phase=task.phase).fetchone() is None


_BEGIN_PHASE = PreparedStatement(
    lambda _database, value: SeedJob.update({SeedJob.phase: value("phase")}).where(SeedJob.id == value("job"))
)

_FINISH_JOB = PreparedStatement(
    lambda _database, value: SeedJob.update(
        {SeedJob.state: FINISHED, SeedJob.finished_at: value("now", SeedJob.finished_at)}
    ).where(SeedJob.id == value("job"))
)


def _finish_team(_database: peewee.Database, value: Parameters) -> peewee.Query:
    team = Team.select(Team.id).where(
        Team.id == SeedTeam.team_id,
        Team.slug == SeedTeam.slug,
        Team.created_at == SeedTeam.team_created_at,
    )
    update = SeedTeam.update({SeedTeam.seeded_at: value("now", SeedTeam.seeded_at)})
    return update.where(SeedTeam.slug == value("organisation"), peewee.fn.EXISTS(team))


_FINISH_TEAM = PreparedStatement(_finish_team)


def begin_phase(
    database: peewee.Database, task: Task, phase: int, tasks: Sequence[PlannedTask]
) -> list[QueuedTask]:
    """Move the job of a task on to a later phase, with these tasks.

    Returns:
      What to send once the transaction is committed.
    """
    _BEGIN_PHASE(database, job=task.key.job, phase=phase)
    common = {"job": task.key.job, "phase": phase, "state": WAITING}
    rows = [common | dataclasses.asdict(planned) for planned in tasks]
    for first in range(0, len(rows), INSERT_CHUNK):
        insert_rows(database, SeedTask, rows[first : first + INSERT_CHUNK])
    return [
        (planned.queue, dataclasses.replace(task.key, stage=planned.stage, offset=planned.offset))
        for planned in tasks
    ]


def finish_job(database: peewee.Database, task: Task) -> None:
    """Record that the job of a task is finished, and when its team was seeded.

    Raises:
      SeedError: the team was deleted meanwhile.
    """
    moment, slug = now(), task.key.organisation
    _FINISH_JOB(database, job=task.key.job, now=moment)
    if not _FINISH_TEAM(database, organisation=slug, now=moment).rowcount:
        raise team_deleted(slug)


def requeue(database: peewee.Database, task: Task, reason: str = "") -> bool:
    """Record that a task waits to be tried again, and why; False if it is done after all."""
    return _release(database, task, WAITING, reason)


def fail(database: peewee.Database, task: Task, reason: str) -> bool:
    """Record that a task failed, and why a retry would not help; False if it is done after all."""
    return _release(database, task, FAILED, reason)


def _release(database: peewee.Database, task: Task, state: str, reason: str) -> bool:
    pending = SeedTask.state.in_(PENDING)
    update = SeedTask.update(state=state, reason=reason, finished_at=now())
    released: int = update.where(SeedTask.id == task.id, pending).execute(database)
    return released > 0


def current_tasks(
    database: peewee.Database, run: str, jobs: Collection[int], *, claimed: bool = True
) -> list[QueuedTask]:
    """Return the unfinished tasks of the phases that running jobs are in, each with its queue.

    Parameters:
      claimed: include those that a worker has claimed, and may have abandoned.
    """
    rows = (
        SeedTask.select(SeedTask.queue, SeedJob.id, SeedJob.organisation, SeedTask.stage, SeedTask.offset)
        .join(SeedJob)
        .where(SeedJob.id.in_(list(jobs)), _IS_CURRENT)
        .where(SeedTask.state.in_(PENDING if claimed else [WAITING]))
        .order_by(SeedTask.id)
        .tuples()
    )
    return [(queue, TaskKey(run, *rest)) for queue, *rest in rows.execute(database)]


def _jobs_of(database: peewee.Database, run: SeedRun) -> list[SeedJob]:
    return list(SeedJob.select().where(SeedJob.id.in_(run.jobs)).order_by(SeedJob.id).execute(database))


def reopen(database: peewee.Database, run: SeedRun) -> None:
    """Make the tasks of a run that failed or were cancelled wait again.

    Jobs that another run has superseded stay as they are.
    """
    for job in _jobs_of(database, run):
        with transaction(database):
            lock_organisations(database, [job.organisation])
            live = (SeedJob.id == job.id) & SeedJob.state.in_([RUNNING, CANCELLED])
            if SeedJob.update(state=RUNNING).where(live).execute(database):
                reopen_tasks(database, [job.id])


def cancel(database: peewee.Database, run: SeedRun) -> list[str]:
    """Cancel the running jobs of a run, once their transactions have ended; return their organisations."""
    cancelled = []
    for job in _jobs_of(database, run):
        with transaction(database):
            lock_organisations(database, [job.organisation])  # which waits for the transactions in progress
            live = (SeedJob.id == job.id) & (SeedJob.state == RUNNING)
            if SeedJob.update(state=CANCELLED).where(live).execute(database):
                cancelled.append(job.organisation)
                claimed = (SeedTask.job == job.id) & (SeedTask.state == CLAIMED)
                SeedTask.update(state=WAITING).where(claimed).execute(database)
    return cancelled
