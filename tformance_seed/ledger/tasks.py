"""Tasks: taken, entered in the transaction that writes their rows, done or failed; and what comes next.

A task's row in the ledger is the lock on it. So a task that is delivered twice, late or out of order is done
once or not at all, and one whose worker died is free again when the server has noticed.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import peewee

from tformance_seed.bulk import Result
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.ledger.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    FINISHED,
    IN_HAND,
    RUNNING,
    WAITING,
    now,
    reopen_tasks,
)
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask, SeedTeam
from tformance_seed.storage.transactions import begin_writing, lock_organisations, transaction


@dataclass(frozen=True)
class Key:
    """What a message says of a task; the run is for people, and for what follows."""

    run: str
    job: int
    organisation: str
    stage: str
    start: int

    def __str__(self) -> str:
        return f"{self.organisation}/{self.stage}/{self.start}"


@dataclass(frozen=True)
class Task:
    """A task as the ledger has it; ``attempts``: how often it was begun."""

    key: Key
    id: int
    stop: int
    phase: int
    attempts: int


class Stale(Exception):  # noqa: N818 - no error: somebody else did it, or nobody wants it any more
    """A task is not to be done, or not again."""


_BRIEF = (SeedTask.id, SeedTask.stop, SeedTask.phase, SeedTask.attempts)

#: Of a task joined with its job: it is of the phase that the job is in, and the job still runs.
_IN_TURN = (SeedJob.state == RUNNING) & (SeedTask.phase == SeedJob.phase)


def _named(value: Parameters) -> peewee.Expression:
    """Of a task joined with its job: it is the one that a message means."""
    return (
        (SeedJob.id == value("job"))
        & (SeedJob.organisation == value("organisation"))
        & (SeedTask.stage == value("stage"))
        & (SeedTask.start == value("start"))
    )


_FIND = PreparedStatement(
    lambda _database, value: SeedTask.select(*_BRIEF).join(SeedJob).where(_named(value))
)


def find(key: Key) -> Task | None:
    """The task of a message; None where this ledger has none such."""
    row = _FIND(SeedTask._meta.database, **dataclasses.asdict(key)).fetchone()
    return row and Task(key, *row)


_PHASE = PreparedStatement(
    lambda _database, value: SeedJob.select(SeedJob.phase).where(SeedJob.id == value("job"))
)


def follows(task: Task) -> bool:
    """Whether a task's job has gone on to a later phase."""
    row = _PHASE(SeedJob._meta.database, job=task.key.job).fetchone()
    return row is not None and row[0] > task.phase


def _taken(database: peewee.Database, value: Parameters) -> peewee.Query:
    wanted = SeedTask.select(SeedTask.id).join(SeedJob).where(_named(value), _IN_TURN)
    taken = SeedTask.update(
        {
            SeedTask.state: IN_HAND,
            SeedTask.attempts: SeedTask.attempts + 1,
            SeedTask.worker: value("worker"),
            SeedTask.taken_at: value("now", SeedTask.taken_at),
            SeedTask.reason: "",
        }
    ).where(SeedTask.id.in_(wanted), SeedTask.state.in_([WAITING, IN_HAND]))
    if not is_postgresql(database):
        return taken
    # For this one transaction: what a crash of the server could lose is that the task was begun.
    lazily = peewee.fn.set_config("synchronous_commit", "off", True) == "off"
    return taken.where(lazily).returning(*_BRIEF)


_TAKE = PreparedStatement(_taken)


def take(key: Key, worker: str) -> Task | None:
    """Enter that the task of a message is in hand; None where it is done, or not wanted now, or not there."""
    database = SeedTask._meta.database
    cursor = _TAKE(database, worker=worker, now=now(), **dataclasses.asdict(key))
    if not cursor.rowcount:
        return None
    # Many an SQLite is older than its RETURNING.
    return Task(key, *cursor.fetchone()) if is_postgresql(database) else find(key)


def _wanted(database: peewee.Database, value: Parameters) -> peewee.Query:
    mine = (
        SeedTask.select(SeedTask.id)
        .join(SeedJob)
        .where(SeedTask.id == value("task"), SeedTask.state.in_([WAITING, IN_HAND]), _IN_TURN)
    )
    return mine.for_update(of=SeedTask) if is_postgresql(database) else mine


_WANTED = PreparedStatement(_wanted)


def enter(task: Task, *, alone: bool = False) -> None:
    """Begin to write a task's rows, in the transaction that will: from now on nobody else can.

    Parameters:
      alone: keep everybody else away from the organisation, not from the task only.
    Raises:
      Stale: somebody did it meanwhile, or its job was cancelled or superseded.
    """
    database = SeedTask._meta.database
    begin_writing(database, task.key.organisation, alone=alone)
    if _WANTED(database, task=task.id).fetchone() is None:
        raise Stale


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

#: The tasks of a phase as (stage, queue, start, stop); None where there is no such phase.
Phase = list[tuple[str, str, int, int]] | None

#: Tasks to send, each with its queue: none where their job is finished; None where its phase is not over.
Following = list[tuple[str, Key]] | None


def complete(task: Task, results: Mapping[str, Result], phase: Callable[[int], Phase]) -> Following:
    """Enter that a task is done, in the transaction that wrote its rows; it is the last thing in it.

    The task that is the last of its phase begins the next phase that has any tasks, or finishes the job. So
    there is no moment in which a job has nothing to do and is not finished.

    Returns:
      What to send once the transaction is committed.
    """
    database = SeedTask._meta.database
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
        _HOLD_JOB(database, job=task.key.job)
    if _UNDONE(database, job=task.key.job, phase=task.phase).fetchone() is not None:
        return None
    number, following = task.phase, []
    while following is not None and not following:  # a phase may have no tasks
        number += 1
        following = phase(number)
    if following is None:
        _FINISH_JOB(database, job=task.key.job, now=now())
        _FINISH_TEAM(database, organisation=task.key.organisation, now=now())
        return []
    _BEGIN_PHASE(database, job=task.key.job, phase=number)
    _plan(task.key.job, number, following)
    return [
        (queue, dataclasses.replace(task.key, stage=stage, start=start))
        for stage, queue, start, _ in following
    ]


_HOLD_JOB = PreparedStatement(
    lambda _database, value: SeedJob.select(SeedJob.id).where(SeedJob.id == value("job")).for_update()
)

_UNDONE = PreparedStatement(
    lambda _database, value: (
        SeedTask.select(SeedTask.id)
        .where(SeedTask.job == value("job"), SeedTask.phase == value("phase"), SeedTask.state != DONE)
        .limit(1)
    )
)

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
        SeedTeam.slug == value("organisation")
    )
)


def _plan(job_id: int, phase: int, tasks: list[tuple[str, str, int, int]]) -> None:
    names = ("stage", "queue", "start", "stop")
    same = {"job": job_id, "phase": phase, "state": WAITING}
    rows = [same | dict(zip(names, task, strict=True)) for task in tasks]
    for begin in range(0, len(rows), 1000):
        SeedTask.insert_many(rows[begin : begin + 1000]).execute()


def put_back(task: Task, reason: str = "") -> bool:
    """Enter that a task waits to be tried again, and why; False where it is done after all."""
    return _leave(task, WAITING, reason)


def fail(task: Task, reason: str) -> bool:
    """Enter that a task failed, and why trying again will not mend it; False where it is done after all."""
    return _leave(task, FAILED, reason)


def _leave(task: Task, state: str, reason: str) -> bool:
    undone = SeedTask.state.in_([WAITING, IN_HAND])
    entry = SeedTask.update(state=state, reason=reason, finished_at=now())
    return entry.where(SeedTask.id == task.id, undone).execute() > 0


def waiting(run: str, jobs: Collection[int], *, in_hand: bool = True) -> list[tuple[str, Key]]:
    """The tasks of jobs that somebody should be doing now, each with its queue.

    Parameters:
      in_hand: also those that somebody has begun, and may have left.
    """
    rows = (
        SeedTask.select(SeedTask.queue, SeedJob.id, SeedJob.organisation, SeedTask.stage, SeedTask.start)
        .join(SeedJob)
        .where(SeedJob.id.in_(list(jobs)), _IN_TURN)
        .where(SeedTask.state.in_([WAITING, IN_HAND] if in_hand else [WAITING]))
        .order_by(SeedTask.id)
        .tuples()
    )
    return [(queue, Key(run, *rest)) for queue, *rest in rows]


def reopen(run: SeedRun) -> None:
    """Make what failed or was cancelled wait again.

    Jobs that another run has superseded stay as they are.
    """
    database = SeedJob._meta.database
    for job in SeedJob.select().where(SeedJob.id.in_(run.jobs)).order_by(SeedJob.id):
        with transaction(database):
            lock_organisations(database, [job.organisation])
            mine = (SeedJob.id == job.id) & SeedJob.state.in_([RUNNING, CANCELLED])
            if SeedJob.update(state=RUNNING).where(mine).execute():
                reopen_tasks([job.id])


def cancel(run: SeedRun) -> list[str]:
    """Cancel a run's jobs; returns once nothing of them is in hand any more. The organisations cancelled."""
    database = SeedJob._meta.database
    cancelled = []
    for job in (
        SeedJob.select().where(SeedJob.id.in_(run.jobs), SeedJob.state == RUNNING).order_by(SeedJob.id)
    ):
        with transaction(database):
            lock_organisations(database, [job.organisation])  # which waits for the transactions under way
            mine = (SeedJob.id == job.id) & (SeedJob.state == RUNNING)
            if SeedJob.update(state=CANCELLED).where(mine).execute():
                cancelled.append(job.organisation)
                left = (SeedTask.job == job.id) & (SeedTask.state == IN_HAND)
                SeedTask.update(state=WAITING).where(left).execute()
    return cancelled
