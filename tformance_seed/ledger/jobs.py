"""Runs and their jobs: opening, resuming and superseding them."""

import datetime
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import exists, from_database, insert_rows
from tformance_seed.canonical_json import json_text
from tformance_seed.errors import OrganisationBusyError, SeedError
from tformance_seed.ledger.rows import table_with_lost_rows
from tformance_seed.ledger.teams import own_team
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask
from tformance_seed.storage.transactions import lock_organisations, transaction

#: The version of the generated content: increased whenever the same inputs give different rows than before.
DATA_VERSION = 5

#: The version of how a job is divided into tasks: increased when stages, phases or plans change, so that a
#: job begun by another version is restarted. The restarted job finds its rows unchanged.
PLAN_VERSION = 8

#: States of a job. Only a running job writes; every transaction checks this.
RUNNING, FINISHED, CANCELLED, SUPERSEDED = "running", "finished", "cancelled", "superseded"

#: States of a task.
WAITING, CLAIMED, DONE, FAILED = "waiting", "claimed", "done", "failed"

#: States of a task that is still to be done.
PENDING = (WAITING, CLAIMED)

#: The first task of every job: it creates the team.
FIRST_TASK = {"stage": "team", "offset": 0, "limit": 1, "phase": 0, "queue": "sync", "state": WAITING}

#: A run without any activity for this long is presumed dead, so other runs may seed its organisations.
STALE_RUN_TIMEOUT = datetime.timedelta(seconds=30)

#: Seconds between attempts to open an organisation that another run is seeding.
BUSY_POLL_INTERVAL = 0.5


def version() -> list[int]:
    """Return the versions of content and tasks; a job planned with others is not for this process."""
    return [DATA_VERSION, PLAN_VERSION]


def now() -> datetime.datetime:
    """Return the current time. Only the ledger uses it: no content depends on it."""
    return datetime.datetime.now(datetime.UTC)


def fingerprint(*inputs: Any) -> str:
    """Return a digest of inputs: jobs with the same digest produce the same content in the same tasks."""
    text = json_text([*version(), *inputs])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def start_run(database: peewee.Database, parameters: Mapping[str, Any], jobs: Sequence[SeedJob]) -> SeedRun:
    """Record a run of these jobs under a new name, and return it."""
    moment = now()
    name = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    ids = [job.id for job in jobs]
    row = {"name": name, "parameters": dict(parameters), "jobs": ids, "started_at": moment}
    insert_rows(database, SeedRun, [row])
    return SeedRun.select().where(SeedRun.name == name).get(database)


@dataclass(frozen=True)
class JobRequest:
    """The state that an organisation should be brought into.

    ``restart``: start from the beginning, even if an unfinished job could be resumed.
    """

    slug: str
    fingerprint: str
    plan: Mapping[str, Any]
    restart: bool


@dataclass(frozen=True)
class OpenedJob:
    """The job that brings an organisation into the requested state.

    ``resumed``: an earlier run left it unfinished.
    """

    job: SeedJob
    resumed: bool


def find_conflicts(database: peewee.Database, requests: Sequence[JobRequest]) -> dict[str, str]:
    """Return, by organisation, why it cannot be seeded now: another run is seeding it."""
    return _find_conflicts(
        database, requests, _unfinished_jobs(database, [request.slug for request in requests])
    )


def _find_conflicts(
    database: peewee.Database, requests: Sequence[JobRequest], unfinished: Mapping[str, SeedJob]
) -> dict[str, str]:
    reasons = {}
    for request in requests:
        last = unfinished.get(request.slug)
        if last is None or _can_resume(database, last, request):
            continue
        if reason := _busy_reason(database, last):
            reasons[request.slug] = reason
    return reasons


def open_jobs(
    database: peewee.Database, requests: Sequence[JobRequest]
) -> tuple[dict[str, OpenedJob], dict[str, str]]:
    """Open jobs in one transaction.

    If another run left a job unfinished, it is resumed if it leads to the requested state, and superseded
    otherwise. A superseded job writes nothing more: each of its transactions has either ended or will find
    that it was superseded.

    Returns:
      The opened jobs, and the reasons why others conflict with another run (see ``find_conflicts``), both by
      organisation.
    """
    opened: dict[str, OpenedJob] = {}
    new: list[JobRequest] = []
    slugs = [request.slug for request in requests]
    with transaction(database):
        lock_organisations(database, slugs)
        unfinished = _unfinished_jobs(database, slugs)
        conflicts = _find_conflicts(database, requests, unfinished)
        for request in requests:
            last = unfinished.get(request.slug)
            if request.slug in conflicts:
                continue
            if last is not None and _can_resume(database, last, request):
                opened[request.slug] = _resume(database, last, request)
                continue
            if last is not None:
                supersede(database, request.slug)
            new.append(request)
        return opened | _create_jobs(database, new), conflicts


def _can_resume(database: peewee.Database, job: SeedJob, request: JobRequest) -> bool:
    """Return whether an unfinished job leads to the requested state, and all that it did is still there."""
    if job.fingerprint != request.fingerprint or request.restart or not _has_open_task(database, job):
        return False
    team = own_team(database, job.organisation)
    if team is None:
        return bool(job.phase == 0)
    return table_with_lost_rows(database, job.id, team.team_id) is None


def _has_open_task(database: peewee.Database, job: SeedJob) -> bool:
    current = (SeedTask.job == job.id) & (SeedTask.phase == job.phase) & (SeedTask.state != DONE)
    return bool(exists(database, SeedTask.select().where(current)))


def _resume(database: peewee.Database, job: SeedJob, request: JobRequest) -> OpenedJob:
    job.state, job.plan = RUNNING, dict(request.plan)
    SeedJob.update(state=job.state, plan=job.plan).where(SeedJob.id == job.id).execute(database)
    reopen_tasks(database, [job.id])
    return OpenedJob(job, resumed=True)


def _create_jobs(database: peewee.Database, requests: Sequence[JobRequest]) -> dict[str, OpenedJob]:
    """Insert new jobs, each with its first task."""
    if not requests:
        return {}
    common = {"state": RUNNING, "created_at": now()}
    rows = [
        common | {"organisation": request.slug, "fingerprint": request.fingerprint, "plan": request.plan}
        for request in requests
    ]
    insert_rows(database, SeedJob, rows)
    jobs = _unfinished_jobs(database, [request.slug for request in requests])
    insert_rows(database, SeedTask, [FIRST_TASK | {"job": job.id} for job in jobs.values()])
    return {slug: OpenedJob(job, resumed=False) for slug, job in jobs.items()}


def reopen_tasks(database: peewee.Database, jobs: Sequence[int]) -> None:
    """Reset the unfinished tasks of jobs to waiting, as if they had never been attempted."""
    unfinished = (SeedTask.job.in_(jobs)) & (SeedTask.state != DONE)
    SeedTask.update(state=WAITING, attempts=0, reason="").where(unfinished).execute(database)


def supersede(database: peewee.Database, slug: str) -> None:
    """End an organisation's unfinished jobs: any of their tasks still running will write nothing."""
    unfinished = (SeedJob.organisation == slug) & SeedJob.state.in_([RUNNING, CANCELLED])
    SeedJob.update(state=SUPERSEDED).where(unfinished).execute(database)


def unfinished_organisations(database: peewee.Database) -> set[str]:
    """Return the organisations whose last job has not finished."""
    return set(_unfinished_jobs(database))


def check_idle(database: peewee.Database, slug: str) -> None:
    """Check that no run is seeding an organisation.

    Raises:
      OrganisationBusyError: a run is seeding it, or was until a moment ago.
    """
    job = _unfinished_jobs(database, [slug]).get(slug)
    if job is not None and (reason := _busy_reason(database, job)):
        raise OrganisationBusyError(reason)


def _busy_reason(database: peewee.Database, job: SeedJob) -> str | None:
    """Return why another run may not seed the organisation of an unfinished job; None if it may."""
    if job.state != RUNNING:
        return None
    tasks = SeedTask.select(
        peewee.fn.MAX(SeedTask.claimed_at),
        peewee.fn.MAX(SeedTask.finished_at),
        peewee.fn.COUNT(SeedTask.id).filter(SeedTask.state.in_(PENDING)),
    ).where(SeedTask.job == job.id)
    ((*moments, pending),) = tasks.tuples().execute(database)
    active = [from_database(SeedTask.claimed_at, moment) for moment in moments if moment is not None]
    last: datetime.datetime = max([job.created_at, *active])
    # A moment in the future is that of a clock which was ahead.
    if not pending or abs(now() - last) >= STALE_RUN_TIMEOUT:
        return None
    run = run_of(database, job)
    advice = f", or stop it with: tformance-seed cancel {run.name}" if run else ""
    return (
        f"another run is seeding {job.organisation} in this database (last activity "
        f"{abs((now() - last).total_seconds()):.0f} s ago): wait for it to end (seed and clear do so with "
        f"--wait){advice}"
    )


def run_of(database: peewee.Database, job: SeedJob) -> SeedRun | None:
    """Return the latest run that includes a job; None if the run died before it was recorded."""
    runs = SeedRun.select().order_by(SeedRun.id.desc())
    return next((run for run in runs.iterator(database) if job.id in run.jobs), None)


def find_job(database: peewee.Database, job_id: int) -> SeedJob:
    """Return a job by its id.

    Raises:
      SeedError: the ledger has no such job.
    """
    job: SeedJob | None = SeedJob.select().where(SeedJob.id == job_id).first(database)
    if job is None:
        raise SeedError(f"job {job_id} is not in the ledger; seed the organisation again")
    return job


def is_of_this_version(database: peewee.Database, job_id: int) -> bool:
    """Return whether a job was planned by this version; True as well if the ledger has no such job."""
    job: SeedJob | None = SeedJob.select(SeedJob.plan).where(SeedJob.id == job_id).first(database)
    return job is None or job.plan.get("version") == version()


def _unfinished_jobs(database: peewee.Database, slugs: Sequence[str] | None = None) -> dict[str, SeedJob]:
    """Return the last job of each organisation, by slug, unless that job has finished.

    Parameters:
      slugs: the organisations; None: all of them.
    """
    last = SeedJob.select(peewee.fn.MAX(SeedJob.id))
    if slugs is not None:
        last = last.where(SeedJob.organisation.in_(slugs))
    jobs = SeedJob.select().where(
        SeedJob.id.in_(last.group_by(SeedJob.organisation)), SeedJob.state.in_([RUNNING, CANCELLED])
    )
    return {job.organisation: job for job in jobs.order_by(SeedJob.id).execute(database)}
