"""Tasks: claimed, locked by the transaction that writes their rows, then completed or failed.

A task is locked by locking its row in the ledger. So a task that is delivered twice, late or out of order is
done once or not at all. If its worker dies, it can be claimed again once the server has noticed.
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
from tformance_seed.ledger.rows import check_rows
from tformance_seed.ledger.teams import own_team, team_deleted
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask, SeedTeam
from tformance_seed.storage.transactions import begin_writing, lock_organisations, transaction

#: Tasks that one INSERT adds to the ledger: few enough to stay far below SQLite's limit on parameters.
INSERT_CHUNK = 1_000


@dataclass(frozen=True)
class TaskKey:
    """The contents of a task's message.

    The run does not identify the task: it is for people, and for the messages of the next tasks.
    """

    run: str
    job: int
    organisation: str
    stage: str
    offset: int

    def __str__(self) -> str:
        return f"{self.organisation}/{self.stage}/{self.offset}"


@dataclass(frozen=True)
class Task:
    """A task in the ledger: ``limit`` items of its stage, starting at ``key.offset``.

    ``attempts`` is the number of times it has been claimed, and ``worker`` is who claimed it last.
    """

    key: TaskKey
    id: int
    limit: int
    phase: int
    attempts: int
    worker: str


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
    """A task must not be done (again): another worker did it, or its job is no longer running."""


_TASK_COLUMNS = (SeedTask.id, SeedTask.limit, SeedTask.phase, SeedTask.attempts, SeedTask.worker)

#: Matches a task, joined with its job, if the job is still running and is in the task's phase.
_IS_CURRENT = (SeedJob.state == RUNNING) & (SeedTask.phase == SeedJob.phase)


def _has_key(value: Parameters) -> peewee.Expression:
    """Match the task, joined with its job, that a message refers to."""
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
    """Return the task that a message refers to; None if the ledger has no such task."""
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
    # For this transaction only: if the server crashes, nothing but the record of the claim can be lost.
    asynchronously = peewee.fn.set_config("synchronous_commit", "off", True) == "off"
    return claim.where(asynchronously).returning(*_TASK_COLUMNS)


_CLAIM = PreparedStatement(_claim)


def claim(database: peewee.Database, key: TaskKey, worker: str) -> Task | None:
    """Claim the task that a message refers to, and return it.

    Returns:
      None if the task is already done, must not be done now, or is not in the ledger.
    """
    cursor = _CLAIM(database, worker=worker, now=now(), **dataclasses.asdict(key))
    if not cursor.rowcount:
        return None
    # Many installed SQLite libraries are too old for RETURNING.
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
    """Lock a task, in the transaction that will write its rows, so that no other worker can write them.

    Parameters:
      exclusive: lock the whole organisation, not only the task.
    Raises:
      StaleTaskError: the task has been done or has failed meanwhile, its job was cancelled or superseded, or
        the job is in another phase.
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
            SeedTask.seconds: value("seconds"),
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


def complete(
    database: peewee.Database, task: Task, results: Mapping[str, Result], seconds: float = 0.0
) -> bool:
    """Record that a task is done, in the transaction that wrote its rows, once all of them are written.

    Parameters:
      seconds: the time that it took to make and write the rows.
    Returns:
      Whether it was the last task of its phase. If so, the same transaction must begin the next phase
      (``begin_phase``) or finish the job (``finish_job``), so that a job is never seen with nothing to do
      and yet unfinished.
    """
    _COMPLETE(
        database,
        task=task.id,
        now=now(),
        written=sum(result.written for result in results.values()),
        unchanged=sum(result.unchanged for result in results.values()),
        seconds=round(seconds, 4),
        tables={name: [r.written, r.unchanged, round(r.seconds, 4)] for name, r in results.items()},
    )
    # Tasks that end at the same time wait for each other here, so that the last one sees all others done.
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


_FINISH_TEAM = PreparedStatement(
    lambda _database, value: SeedTeam.update({SeedTeam.seeded_at: value("now", SeedTeam.seeded_at)}).where(
        SeedTeam.team_id == value("team")
    )
)


def begin_phase(
    database: peewee.Database, task: Task, phase: int, tasks: Sequence[PlannedTask]
) -> list[QueuedTask]:
    """Move the job of a task on to a later phase, and add that phase's tasks to the ledger.

    Returns:
      The tasks to send once the transaction is committed.
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
    """Record that the job of a task is finished, and the time at which its team was seeded.

    Raises:
      SeedError: the team, or a part of what the job wrote, has been deleted meanwhile.
    """
    moment, slug = now(), task.key.organisation
    _FINISH_JOB(database, job=task.key.job, now=moment)
    team = own_team(database, slug)
    if team is None:
        raise team_deleted(database, slug)
    _FINISH_TEAM(database, team=team.team_id, now=moment)
    check_rows(database, task.key.job, team.team_id, slug)


def requeue(database: peewee.Database, task: Task, reason: str = "") -> bool:
    """Record that a task is waiting to be tried again, and why; return False as ``fail`` does."""
    return _release(database, task, WAITING, reason)


def fail(database: peewee.Database, task: Task, reason: str) -> bool:
    """Record that a task failed for good, and why.

    Returns:
      False if that is no longer this attempt's to say: the task is done, or was reopened meanwhile.
    """
    return _release(database, task, FAILED, reason)


def _release(database: peewee.Database, task: Task, state: str, reason: str) -> bool:
    update = SeedTask.update(state=state, reason=reason, finished_at=now())
    released: int = update.where(same_claim(task), SeedTask.state.in_(PENDING)).execute(database)
    return released > 0


def same_claim(task: Task) -> peewee.Expression:
    """Match a task that nobody has claimed or reopened since; a thread that is busy claims no other."""
    return (SeedTask.id == task.id) & (SeedTask.worker == task.worker) & (SeedTask.attempts == task.attempts)


def current_tasks(
    database: peewee.Database, run: str, jobs: Collection[int], *, claimed: bool = True
) -> list[QueuedTask]:
    """Return the pending tasks of the current phases of those jobs that are running, each with its queue.

    Parameters:
      claimed: include tasks that a worker has claimed and may have abandoned.
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
    """Reset a run's failed and cancelled tasks to waiting.

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
            lock_organisations(database, [job.organisation])  # waits for the transactions in progress
            live = (SeedJob.id == job.id) & (SeedJob.state == RUNNING)
            if SeedJob.update(state=CANCELLED).where(live).execute(database):
                cancelled.append(job.organisation)
                claimed = (SeedTask.job == job.id) & (SeedTask.state == CLAIMED)
                SeedTask.update(state=WAITING).where(claimed).execute(database)
    return cancelled
