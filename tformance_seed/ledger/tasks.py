"""Tasks: taken, entered in the transaction that writes their rows, done or failed; and what comes next.

A task's row in the ledger is the lock on it. So a task that is delivered twice, late or out of order is done
once or not at all, and one whose worker died is free again when the server has noticed.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import peewee

from tformance_seed.database import hold_organisation, is_postgresql, transaction, write_to_organisation
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
from tformance_seed.models import SeedJob, SeedRun, SeedTask, SeedTeam
from tformance_seed.statements import Parameters, Statement
from tformance_seed.upsert import Result


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


_FIND = Statement(lambda _database, value: SeedTask.select(*_BRIEF).join(SeedJob).where(_named(value)))


def find(key: Key) -> Task | None:
    """The task of a message; None where this ledger has none such."""
    row = _FIND(SeedTask._meta.database, **dataclasses.asdict(key)).fetchone()
    return row and Task(key, *row)


_PHASE = Statement(lambda _database, value: SeedJob.select(SeedJob.phase).where(SeedJob.id == value("job")))


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


_TAKE = Statement(_taken)


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


_WANTED = Statement(_wanted)


def enter(task: Task, *, alone: bool = False) -> None:
    """Begin to write a task's rows, in the transaction that will: from now on nobody else can.

    Parameters:
      alone: keep everybody else away from the organisation, not from the task only.
    Raises:
      Stale: somebody did it meanwhile, or its job was cancelled or superseded.
    """
    database = SeedTask._meta.database
    write_to_organisation(database, task.key.organisation, alone=alone)
    if _WANTED(database, task=task.id).fetchone() is None:
        raise Stale


_COMPLETE = Statement(
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


def complete(task: Task, results: Mapping[str, Result]) -> None:
    """Enter that a task is done, in the transaction that wrote its rows."""
    _COMPLETE(
        SeedTask._meta.database,
        task=task.id,
        now=now(),
        written=sum(result.written for result in results.values()),
        unchanged=sum(result.unchanged for result in results.values()),
        tables={name: [r.written, r.unchanged, round(r.seconds, 4)] for name, r in results.items()},
    )


def put_back(task: Task, reason: str = "") -> None:
    """Enter that a task waits to be tried again, and why."""
    _leave(task, WAITING, reason)


def fail(task: Task, reason: str) -> None:
    """Enter that a task failed for a reason that trying again will not mend."""
    _leave(task, FAILED, reason)


def _leave(task: Task, state: str, reason: str) -> None:
    undone = SeedTask.state.in_([WAITING, IN_HAND])
    entry = SeedTask.update(state=state, reason=reason, finished_at=now())
    entry.where(SeedTask.id == task.id, undone).execute()


#: The tasks of a phase as (stage, queue, start, stop); None where there is no such phase.
Phase = list[tuple[str, str, int, int]] | None


_UNDONE = Statement(
    lambda _database, value: (
        SeedTask.select(SeedTask.id)
        .join(SeedJob)
        .where(SeedJob.id == value("job"), SeedTask.phase == SeedJob.phase, SeedTask.state != DONE)
        .limit(1)
    )
)


def advance(key: Key, phase: Callable[[int], Phase]) -> list[tuple[str, Key]] | None:
    """Where all tasks of a job's phase are done, begin the next one that has any, or finish the job.

    However many come here at once, the job advances once.

    Parameters:
      key: of a task of the job.

    Returns:
      The tasks to send, each with its queue: none where the job is finished; None where it did not advance.
    """
    database = SeedJob._meta.database

    def undone() -> bool:
        return _UNDONE(database, job=key.job).fetchone() is not None

    if undone():
        return None
    with transaction(database):
        row = _STANDING(database, job=key.job).fetchone()
        if row is None or row[1] != RUNNING or undone():
            return None
        organisation, _, current = row
        following: Phase = []
        while following is not None and not following:  # a phase may have no tasks
            current += 1
            following = phase(current)
        if following is None:
            SeedJob.update(state=FINISHED, finished_at=now()).where(SeedJob.id == key.job).execute()
            SeedTeam.update(seeded_at=now()).where(SeedTeam.slug == organisation).execute()
            return []
        SeedJob.update(phase=current).where(SeedJob.id == key.job).execute()
        _plan(key.job, current, following)
        return [
            (queue, dataclasses.replace(key, stage=stage, start=start))
            for stage, queue, start, _ in following
        ]


def _standing(database: peewee.Database, value: Parameters) -> peewee.Query:
    rows = SeedJob.select(SeedJob.organisation, SeedJob.state, SeedJob.phase).where(
        SeedJob.id == value("job")
    )
    return rows.for_update() if is_postgresql(database) else rows


_STANDING = Statement(_standing)


def _plan(job_id: int, phase: int, tasks: list[tuple[str, str, int, int]]) -> None:
    names = ("stage", "queue", "start", "stop")
    same = {"job": job_id, "phase": phase, "state": WAITING}
    rows = [same | dict(zip(names, task, strict=True)) for task in tasks]
    for begin in range(0, len(rows), 1000):
        SeedTask.insert_many(rows[begin : begin + 1000]).on_conflict_ignore().execute()


def waiting(run: str, jobs: Collection[int], *, in_hand: bool = True) -> list[tuple[str, Key]]:
    """The tasks of jobs that somebody should be doing now, each with its queue.

    Parameters:
      in_hand: also those that somebody has begun, and may have left; and of a job that somebody left between
        the end of a phase and the beginning of the next, a task that is done: it takes the job on.
    """
    rows = _current(jobs).where(SeedTask.state.in_([WAITING, IN_HAND] if in_hand else [WAITING]))
    found = [(queue, Key(run, *rest)) for queue, *rest in rows.order_by(SeedTask.id)]
    return found + _left_between(run, set(jobs) - {key.job for _, key in found}) if in_hand else found


def _left_between(run: str, jobs: set[int]) -> list[tuple[str, Key]]:
    """The first task of the phase of each job that still runs; all of its tasks are done."""
    rows = _current(jobs).where(SeedTask.state == DONE).order_by(SeedTask.id.desc())
    return list({job: (queue, Key(run, job, *rest)) for queue, job, *rest in rows}.values())


def _current(jobs: Collection[int]) -> peewee.ModelSelect:
    """Queue and key, but for the run, of the tasks of the phase that each running job is in."""
    return (
        SeedTask.select(SeedTask.queue, SeedJob.id, SeedJob.organisation, SeedTask.stage, SeedTask.start)
        .join(SeedJob)
        .where(SeedJob.id.in_(list(jobs)), _IN_TURN)
        .tuples()
    )


def reopen(run: SeedRun) -> None:
    """Make what failed or was cancelled wait again.

    Jobs that another run has superseded stay as they are.
    """
    database = SeedJob._meta.database
    with transaction(database):
        mine = SeedJob.id.in_(run.jobs)
        SeedJob.update(state=RUNNING).where(mine, SeedJob.state == CANCELLED).execute()
        jobs = SeedJob.select().where(mine, SeedJob.state == RUNNING).order_by(SeedJob.id)
        reopen_tasks([job.id for job in jobs])


def cancel(run: SeedRun) -> list[str]:
    """Cancel a run's jobs; returns once nothing of them is in hand any more. The organisations cancelled."""
    database = SeedJob._meta.database
    cancelled = []
    for job in (
        SeedJob.select().where(SeedJob.id.in_(run.jobs), SeedJob.state == RUNNING).order_by(SeedJob.id)
    ):
        with transaction(database):
            hold_organisation(database, job.organisation)  # which waits for the transactions under way
            mine = (SeedJob.id == job.id) & (SeedJob.state == RUNNING)
            if SeedJob.update(state=CANCELLED).where(mine).execute():
                cancelled.append(job.organisation)
                left = (SeedTask.job == job.id) & (SeedTask.state == IN_HAND)
                SeedTask.update(state=WAITING).where(left).execute()
    return cancelled
