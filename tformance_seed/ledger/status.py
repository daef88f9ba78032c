"""The status of a run, derived from the ledger alone."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import from_database
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

#: The share of an organisation's time that each phase takes (``pipeline.stages`` says what they are): rounded
#: from two runs on SQLite. Elsewhere they are a guess, which the time that is left may be wrong by.
PHASE_SHARES = (0.05, 0.7, 0.05, 0.2)

#: The share of a run that must be done before the time that is left is estimated from it.
MIN_SHARE = 0.02

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

    @property
    def tasks(self) -> int:
        """The number of all its tasks."""
        return self.done + self.claimed + self.stalled + self.waiting + self.failed


@dataclass
class JobStatus:
    """One organisation of a run; ``state`` is the state of its job, or "failed" if that cannot continue.

    ``seconds`` is the time that its tasks took so far, added up, without the time that they waited.
    """

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

    @property
    def share(self) -> float:
        """The share of its work that is done, about, from 0 to 1: it never falls, and is 1 at the end."""
        if self.state == FINISHED:
            return 1.0
        return sum(share * self.share_of_phase(phase) for phase, share in enumerate(PHASE_SHARES))

    def share_of_phase(self, phase: int) -> float:
        """Return the share of a phase's tasks that are done: 0 before the phase begins, 1 when it is over."""
        if phase != self.phase or self.state == FINISHED:
            return float(phase < self.phase or self.state == FINISHED)
        stages = [stage for stage in self.stages if stage.phase == phase]
        return sum(stage.done for stage in stages) / max(sum(stage.tasks for stage in stages), 1)


@dataclass
class RunStatus:
    """The status of a run.

    ``seconds`` is the time since its start, or from its start to its end if it has ended. ``seconds_left`` is
    estimated from the share of its work that is done; it is None while that is little, and once the run has
    ended. ``silent_seconds`` is the time since a task was last claimed or ended; it is None once the run has
    ended. ``activity_counter`` counts all claims, completions and answers of language models so far, so it
    changes whenever anything happens.
    """

    run: str
    state: str
    jobs: list[JobStatus]
    seconds: float
    seconds_left: float | None
    silent_seconds: float | None
    rows_written: int
    rows_unchanged: int
    rows_per_second: float
    activity_counter: int

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen without intervention."""
        return self.state != RUNNING

    @property
    def share(self) -> float:
        """The share of its work that is done, about, from 0 to 1: it never falls, and is 1 at the end."""
        return sum(job.share for job in self.jobs) / max(len(self.jobs), 1)


@dataclass(frozen=True)
class RunSummary:
    """A run in a list: its name, when it began, its state, and what it did.

    ``seconds`` is the time that its tasks took, added up, without the time that they waited.
    """

    run: str
    started_at: datetime.datetime
    state: str
    organisations: int
    finished: int
    rows_written: int
    rows_unchanged: int
    seconds: float


def find_run(database: peewee.Database, name: str | None = None) -> SeedRun:
    """Return the run with a name, or the latest run.

    Raises:
      InputError: there is no such run.
    """
    runs = SeedRun.select().order_by(SeedRun.id.desc())
    run: SeedRun | None = (runs if name is None else runs.where(SeedRun.name == name)).first(database)
    if run is None:
        raise InputError(
            "no run is recorded in this database; start with: tformance-seed seed"
            if name is None
            else f"no run {name} in this database; all are listed by: tformance-seed runs"
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
    jobs = [_job_status(job, by_job[job.id]) for job in rows]
    states = [job.state for job in jobs] + [FAILED] * (len(rows) < len(run.jobs))
    state = _worst(states)
    ended = [job.finished_at for job in rows if job.finished_at]
    end = moment if state == RUNNING or not ended else max(ended)
    seconds = max((end - run.started_at).total_seconds(), MIN_SECONDS)
    written = sum(job.rows_written for job in jobs)
    share = sum(job.share for job in jobs) / max(len(jobs), 1)
    last = max([run.started_at, *(counts.last for job in by_job.values() for counts in job if counts.last)])
    return RunStatus(
        run=run.name,
        state=state,
        jobs=jobs,
        seconds=seconds,
        seconds_left=seconds * (1 - share) / share if state == RUNNING and share >= MIN_SHARE else None,
        silent_seconds=max(0.0, (moment - last).total_seconds()) if state == RUNNING else None,
        rows_written=written,
        rows_unchanged=sum(job.rows_unchanged for job in jobs),
        rows_per_second=written / seconds,
        activity_counter=activity_counter(database, run),
    )


def _worst(states: Sequence[str]) -> str:
    return next((name for name in WORST_FIRST if name in states), FINISHED)


def list_runs(database: peewee.Database) -> list[RunSummary]:
    """Return all runs, the latest first."""
    pending = fn.COUNT(SeedTask.id).filter(SeedTask.state.in_(PENDING) & (SeedTask.phase == SeedJob.phase))
    work = (fn.SUM(SeedTask.rows_written), fn.SUM(SeedTask.rows_unchanged), fn.SUM(SeedTask.seconds))
    jobs = SeedJob.select(SeedJob.id, SeedJob.state, pending, *work).join(SeedTask)
    with snapshot(database):
        runs = list(SeedRun.select().order_by(SeedRun.id.desc()).execute(database))
        rows = jobs.group_by(SeedJob.id, SeedJob.state).tuples().execute(database)
        by_id = {row[0]: row[1:] for row in rows}
    summaries = []
    for run in runs:
        found = [by_id[job] for job in run.jobs if job in by_id]
        states = [FAILED if state == RUNNING and not left else state for state, left, *_ in found]
        states += [FAILED] * (len(run.jobs) - len(found))
        written, unchanged, seconds = (sum(job[number] or 0 for job in found) for number in (2, 3, 4))
        summaries.append(
            RunSummary(
                run=run.name,
                started_at=run.started_at,
                state=_worst(states),
                organisations=len(run.jobs),
                finished=states.count(FINISHED),
                rows_written=int(written),
                rows_unchanged=int(unchanged),
                seconds=float(seconds),
            )
        )
    return summaries


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
    seconds: float
    last: datetime.datetime | None
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
            fn.SUM(SeedTask.seconds),
            fn.MAX(SeedTask.claimed_at),
            fn.MAX(SeedTask.finished_at),
            fn.MAX(SeedTask.reason),
        )
        .where(SeedTask.job.in_(run.jobs))
        .group_by(SeedTask.job, SeedTask.stage, SeedTask.phase, SeedTask.state)
        .order_by(SeedTask.phase, fn.MIN(SeedTask.id))
    )
    by_job: dict[int, list[_TaskCounts]] = defaultdict(list)
    for job_id, stage, phase, state, *sums, work, claimed, ended, reason in query.tuples().execute(database):
        moments = [from_database(SeedTask.claimed_at, each) for each in (claimed, ended) if each is not None]
        tasks, overdue, items, written, unchanged = map(int, sums)
        last = max(moments, default=None)
        counts = _TaskCounts(
            stage, phase, state, tasks, overdue, items, written, unchanged, float(work), last, reason
        )
        by_job[job_id].append(counts)
    return by_job


def _job_status(job: SeedJob, counted: Sequence[_TaskCounts]) -> JobStatus:
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
        seconds=sum(counts.seconds for counts in counted),
        reason=reasons[-1] if reasons else "",
        stages=list(stages.values()),
    )
