"""The status of a run, derived from the ledger alone."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.errors import InputError
from tformance_seed.ledger.jobs import (
    CANCELLED,
    CLAIMED,
    DONE,
    FAILED,
    FINISHED,
    PENDING,
    RUNNING,
    SUPERSEDED,
    now,
)
from tformance_seed.storage.models import SeedJob, SeedRun, SeedSummary, SeedTask
from tformance_seed.storage.transactions import snapshot, transaction

#: A task claimed for longer than this is reported as stalled: its worker may be gone.
STALLED_AFTER = datetime.timedelta(seconds=60)

#: How long ``check_writable`` waits for a lock that another session holds.
LOCK_TIMEOUT = "5s"

#: A run's state is the first of these states that any of its jobs is in.
WORST_FIRST = (RUNNING, FAILED, CANCELLED, SUPERSEDED, FINISHED)

#: The shortest time, in seconds, that a run is assumed to have taken, so that rates are finite.
MIN_SECONDS = 1e-3


@dataclass
class StageStatus:
    """The number of tasks of one stage of one organisation, by state.

    ``claimed`` does not include the ``stalled`` ones. Items are pull requests, members and the like.
    """

    stage: str
    phase: int
    done: int = 0
    claimed: int = 0
    stalled: int = 0
    waiting: int = 0
    failed: int = 0
    items: int = 0
    items_done: int = 0


@dataclass
class JobStatus:
    """One organisation of a run; ``state`` is the state of its job, or "failed" if that cannot continue."""

    organisation: str
    state: str
    phase: int
    rows_written: int = 0
    rows_unchanged: int = 0
    seconds: float = 0.0
    reason: str = ""
    stages: list[StageStatus] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen without intervention."""
        return self.state != RUNNING


@dataclass
class RunStatus:
    """The status of a run.

    ``seconds`` is the time since its start, or from its start to its end if it has ended. ``seconds_left`` is
    estimated from the share of tasks that are done; it is None while none is done, and once the run has
    ended. ``activity_counter`` counts all claims, completions and answers of language models so far, so it
    changes whenever anything happens.
    """

    run: str
    state: str
    jobs: list[JobStatus]
    seconds: float
    seconds_left: float | None
    rows_written: int
    rows_unchanged: int
    rows_per_second: float
    activity_counter: int

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen without intervention."""
        return self.state != RUNNING


def find_run(database: peewee.Database, name: str | None = None) -> SeedRun:
    """Return the run with a name, or the latest run.

    Raises:
      InputError: there is no such run.
    """
    runs = SeedRun.select().order_by(SeedRun.id.desc())
    run: SeedRun | None = (runs if name is None else runs.where(SeedRun.name == name)).first(database)
    if run is None:
        raise InputError(
            "nothing was seeded into this database yet; start with: tformance-seed seed"
            if name is None
            else f"no run {name} in this database; the latest is shown by: tformance-seed status"
        )
    return run


def count_active_jobs(run: SeedRun) -> Callable[[peewee.Database], int]:
    """Return a cheap function that counts the jobs of a run that still have tasks to do."""

    def build(_database: peewee.Database, _value: Parameters) -> peewee.Query:
        current = SeedTask.select().where(SeedTask.job == SeedJob.id, SeedTask.phase == SeedJob.phase)
        pending = fn.EXISTS(current.where(SeedTask.state.in_(PENDING)))
        running = SeedJob.id.in_(run.jobs) & (SeedJob.state == RUNNING)
        return SeedJob.select(fn.COUNT(SeedJob.id)).where(running, pending)

    statement = PreparedStatement(build)
    return lambda database: statement(database).fetchone()[0]


def activity_counter(database: peewee.Database, run: SeedRun) -> int:
    """Return the number of claims, completions and answers in a run, which changes if anything happens."""
    done = fn.COUNT(SeedTask.id).filter(SeedTask.state == DONE)
    counted = SeedTask.select(fn.SUM(SeedTask.attempts) + done).where(SeedTask.job.in_(run.jobs))
    answers = SeedSummary.select(fn.COUNT(SeedSummary.id)).where(SeedSummary.run == run.name)
    return int(counted.scalar(database) or 0) + int(answers.scalar(database))


def check_writable(database: peewee.Database, run: SeedRun) -> None:
    """Write to the ledger as a worker that takes a task would, but without an effect.

    Raises:
      peewee.DatabaseError: it could not be written to; a lock is not waited for.
    """
    with transaction(database):
        if is_postgresql(database):
            peewee.Select(columns=[fn.set_config("lock_timeout", LOCK_TIMEOUT, True)]).execute(database)
        SeedRun.update(name=SeedRun.name).where(SeedRun.id == run.id).execute(database)
        for model in (SeedJob, SeedTask):
            model.update(state=model.state).where(model.id == 0).execute(database)


def run_status(database: peewee.Database, run: SeedRun) -> RunStatus:
    """Return the current status of a run."""
    moment = now()
    with snapshot(database):
        by_job = _count_tasks(database, run, moment)
        rows = list(SeedJob.select().where(SeedJob.id.in_(run.jobs)).order_by(SeedJob.id).execute(database))
    jobs = [_job_status(job, by_job[job.id], moment) for job in rows]
    states = [job.state for job in jobs] + [FAILED] * (len(rows) < len(run.jobs))
    state = next((name for name in WORST_FIRST if name in states), FINISHED)
    ended = [job.finished_at for job in rows if job.finished_at]
    end = moment if state == RUNNING or not ended else max(ended)
    seconds = max((end - run.started_at).total_seconds(), MIN_SECONDS)
    stages = [stage for job in jobs for stage in job.stages]
    done = sum(stage.done for stage in stages)
    left = sum(stage.waiting + stage.claimed for stage in stages)
    written = sum(job.rows_written for job in jobs)
    return RunStatus(
        run=run.name,
        state=state,
        jobs=jobs,
        seconds=seconds,
        seconds_left=seconds * left / done if done and state == RUNNING else None,
        rows_written=written,
        rows_unchanged=sum(job.rows_unchanged for job in jobs),
        rows_per_second=written / seconds,
        activity_counter=activity_counter(database, run),
    )


@dataclass(frozen=True)
class _TaskCounts:
    """Tasks of one stage that are in one state; the fields are the columns of ``_count_tasks``."""

    stage: str
    phase: int
    state: str
    tasks: int
    stalled: int
    items: int
    rows_written: int
    rows_unchanged: int
    reason: str


def _count_tasks(
    database: peewee.Database, run: SeedRun, moment: datetime.datetime
) -> dict[int, list[_TaskCounts]]:
    """Count the tasks of a run by job, stage and state, with the stages in order."""
    stalled = (SeedTask.state == CLAIMED) & (SeedTask.claimed_at < moment - STALLED_AFTER)
    query = (
        SeedTask.select(
            SeedTask.job,
            SeedTask.stage,
            SeedTask.phase,
            SeedTask.state,
            fn.COUNT(SeedTask.id),
            fn.COUNT(SeedTask.id).filter(stalled),
            fn.SUM(SeedTask.limit),
            fn.SUM(SeedTask.rows_written),
            fn.SUM(SeedTask.rows_unchanged),
            fn.MAX(SeedTask.reason),
        )
        .where(SeedTask.job.in_(run.jobs))
        .group_by(SeedTask.job, SeedTask.stage, SeedTask.phase, SeedTask.state)
        .order_by(SeedTask.phase, fn.MIN(SeedTask.id))
    )
    by_job: dict[int, list[_TaskCounts]] = defaultdict(list)
    for job_id, stage, phase, state, *sums, reason in query.tuples().execute(database):
        tasks, overdue, items, written, unchanged = map(int, sums)
        counts = _TaskCounts(stage, phase, state, tasks, overdue, items, written, unchanged, reason)
        by_job[job_id].append(counts)
    return by_job


def _job_status(job: SeedJob, counted: Sequence[_TaskCounts], moment: datetime.datetime) -> JobStatus:
    stages: dict[str, StageStatus] = {}
    for counts in counted:
        stage = stages.setdefault(counts.stage, StageStatus(counts.stage, counts.phase))
        stage.items += counts.items
        if counts.state == CLAIMED:
            stage.stalled += counts.stalled
            stage.claimed += counts.tasks - counts.stalled
        elif counts.state == DONE:
            stage.done += counts.tasks
            stage.items_done += counts.items
        elif counts.state == FAILED:
            stage.failed += counts.tasks
        else:
            stage.waiting += counts.tasks
    current = [stage for stage in stages.values() if stage.phase == job.phase]
    is_active = any(stage.waiting or stage.claimed or stage.stalled for stage in current)
    reasons = [counts.reason for counts in counted if counts.reason]
    return JobStatus(
        organisation=job.organisation,
        state=FAILED if job.state == RUNNING and not is_active else job.state,
        phase=job.phase,
        rows_written=sum(counts.rows_written for counts in counted),
        rows_unchanged=sum(counts.rows_unchanged for counts in counted),
        seconds=max(0.0, ((job.finished_at or moment) - job.created_at).total_seconds()),
        reason=reasons[-1] if reasons else "",
        stages=list(stages.values()),
    )
