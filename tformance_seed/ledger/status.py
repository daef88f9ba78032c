"""How a run stands, told from the ledger alone."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import peewee
from peewee import fn

from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.errors import InputError
from tformance_seed.ledger.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    FINISHED,
    IN_HAND,
    RUNNING,
    SUPERSEDED,
    WAITING,
    now,
)
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask
from tformance_seed.storage.transactions import reading

#: A task in hand for longer is called silent: nobody may be at it any more.
SILENT = datetime.timedelta(seconds=60)

#: A run is what the first of these is that any of its organisations is.
WORST_FIRST = (RUNNING, FAILED, CANCELLED, SUPERSEDED, FINISHED)


@dataclass
class StageStatus:
    """Tasks of one stage of one organisation, by state; places are pull requests, members and the like."""

    stage: str
    phase: int
    done: int = 0
    in_hand: int = 0
    silent: int = 0
    waiting: int = 0
    failed: int = 0
    places: int = 0
    places_done: int = 0


@dataclass
class JobStatus:
    """One organisation of a run. ``state``: the job's, or "failed" where nothing is left that could go on."""

    organisation: str
    state: str
    phase: int
    rows_written: int = 0
    rows_unchanged: int = 0
    seconds: float = 0.0
    reason: str = ""
    stages: list[StageStatus] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen without somebody's word."""
        return self.state != RUNNING


@dataclass
class RunStatus:
    """How a run stands.

    ``seconds`` are those since its start, up to its end where it has ended; ``seconds_left`` is guessed from
    the share of tasks that are done, None where nothing is yet; ``heard`` counts everything that was ever
    taken or finished, so it changes whenever anything happens.
    """

    run: str
    state: str
    jobs: list[JobStatus]
    seconds: float
    seconds_left: float | None
    rows_written: int
    rows_unchanged: int
    rows_a_second: float
    heard: int

    @property
    def over(self) -> bool:
        """Whether nothing more will happen without somebody's word."""
        return self.state != RUNNING


def find_run(name: str | None = None) -> SeedRun:
    """The run of that name, or the latest.

    Raises:
      InputError: there is none.
    """
    runs = SeedRun.select().order_by(SeedRun.id.desc())
    run = (runs if name is None else runs.where(SeedRun.name == name)).first()
    if run is None:
        raise InputError(
            "nothing was seeded into this database yet; start with: tformance-seed seed"
            if name is None
            else f"no run {name} in this database; the latest is shown by: tformance-seed status"
        )
    return run


def going(run: SeedRun) -> Callable[[], int]:
    """What tells, for little, how many of a run's jobs are not over."""

    def build(_database: peewee.Database, _value: Parameters) -> peewee.Query:
        current = SeedTask.select().where(SeedTask.job == SeedJob.id, SeedTask.phase == SeedJob.phase)
        left = fn.EXISTS(current.where(SeedTask.state.in_([WAITING, IN_HAND])))
        mine = SeedJob.id.in_(run.jobs) & (SeedJob.state == RUNNING)
        return SeedJob.select(fn.COUNT(SeedJob.id)).where(mine, left)

    statement = PreparedStatement(build)
    return lambda: statement(SeedJob._meta.database).fetchone()[0]


def heard(run: SeedRun) -> int:
    """How often anything of a run was taken or finished, so that it changes whenever anything happens."""
    done = fn.COUNT(SeedTask.id).filter(SeedTask.state == DONE)
    return SeedTask.select(fn.SUM(SeedTask.attempts) + done).where(SeedTask.job.in_(run.jobs)).scalar() or 0


def status(run: SeedRun) -> RunStatus:
    """How a run stands now."""
    moment = now()
    silent = (SeedTask.state == IN_HAND) & (SeedTask.taken_at < moment - SILENT)
    counted = (
        SeedTask.select(
            SeedTask.job,
            SeedTask.stage,
            SeedTask.phase,
            SeedTask.state,
            fn.COUNT(SeedTask.id),
            fn.COUNT(SeedTask.id).filter(silent),
            fn.SUM(SeedTask.stop - SeedTask.start),
            fn.SUM(SeedTask.rows_written),
            fn.SUM(SeedTask.rows_unchanged),
            fn.MAX(SeedTask.reason),
        )
        .where(SeedTask.job.in_(run.jobs))
        .group_by(SeedTask.job, SeedTask.stage, SeedTask.phase, SeedTask.state)
        .order_by(SeedTask.phase, fn.MIN(SeedTask.id))
        .tuples()
    )
    by_job = defaultdict(list)
    with reading(SeedJob._meta.database):
        for job_id, *counts in counted:
            by_job[job_id].append(counts)
        rows = list(SeedJob.select().where(SeedJob.id.in_(run.jobs)).order_by(SeedJob.id))
    jobs = [_job(job, by_job[job.id], moment) for job in rows]
    states = [job.state for job in jobs]
    state = next((name for name in WORST_FIRST if name in states), FINISHED)
    ended = [job.finished_at for job in rows if job.finished_at]
    end = moment if state == RUNNING or not ended else max(ended)
    seconds = max((end - run.started_at).total_seconds(), 1e-3)
    stages = [stage for job in jobs for stage in job.stages]
    done = sum(stage.done for stage in stages)
    left = sum(stage.waiting + stage.in_hand for stage in stages)
    written = sum(job.rows_written for job in jobs)
    return RunStatus(
        run=run.name,
        state=state,
        jobs=jobs,
        seconds=seconds,
        seconds_left=seconds * left / done if done and state == RUNNING else None,
        rows_written=written,
        rows_unchanged=sum(job.rows_unchanged for job in jobs),
        rows_a_second=written / seconds,
        heard=heard(run),
    )


def _job(job: SeedJob, counted: Sequence[Sequence], moment: datetime.datetime) -> JobStatus:
    stages: dict[str, StageStatus] = {}
    for name, phase, state, tasks, silent, places, *_ in counted:
        stage = stages.setdefault(name, StageStatus(name, phase))
        stage.places += int(places)
        if state == IN_HAND:
            stage.silent += silent
            stage.in_hand += tasks - silent
        elif state == DONE:
            stage.done += tasks
            stage.places_done += int(places)
        elif state == FAILED:
            stage.failed += tasks
        else:
            stage.waiting += tasks
    current = [stage for stage in stages.values() if stage.phase == job.phase]
    going = any(stage.waiting or stage.in_hand or stage.silent for stage in current)
    state = FAILED if job.state == RUNNING and not going else job.state
    reasons = [reason for *_, reason in counted if reason]
    return JobStatus(
        organisation=job.organisation,
        state=state,
        phase=job.phase,
        rows_written=sum(int(counts[6]) for counts in counted),
        rows_unchanged=sum(int(counts[7]) for counts in counted),
        seconds=((job.finished_at or moment) - job.created_at).total_seconds(),
        reason=reasons[-1] if reasons else "",
        stages=list(stages.values()),
    )
