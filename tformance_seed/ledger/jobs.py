"""Runs and their jobs: begun, gone on with, superseded."""

import datetime
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.canonical_json import json_text
from tformance_seed.errors import OrganisationBusyError
from tformance_seed.ledger.teams import own_team
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask
from tformance_seed.storage.transactions import lock_organisations, transaction

#: The version of what is generated: raised when the same inputs give other rows than before.
DATA_VERSION = 2

#: The version of how a job is cut: raised when stages, phases or plans change, so that what another version
#: has begun is begun anew. It finds its rows unchanged.
PLAN_VERSION = 6

#: States of a job. Only a running one writes; every transaction makes sure of that.
RUNNING, FINISHED, CANCELLED, SUPERSEDED = "running", "finished", "cancelled", "superseded"

#: States of a task.
WAITING, IN_HAND, DONE, FAILED = "waiting", "in hand", "done", "failed"

#: The task with which every job begins: it makes the team.
FIRST_TASK = {"stage": "team", "start": 0, "stop": 1, "phase": 0, "queue": "sync", "state": WAITING}

#: A run of which nothing was heard for so long is taken to be dead: others may take its organisations.
SILENCE = datetime.timedelta(seconds=30)

#: Seconds between two tries at an organisation that another run has.
BUSY_POLL = 0.5


def now() -> datetime.datetime:
    """The present, for the ledger alone: no content depends on it."""
    return datetime.datetime.now(datetime.UTC)


def identity(*inputs: Any) -> str:
    """A digest of inputs: jobs with the same one produce the same content, in the same tasks."""
    text = json_text([DATA_VERSION, PLAN_VERSION, *inputs])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def start_run(parameters: Mapping[str, Any], jobs: Sequence[SeedJob]) -> SeedRun:
    """Record a run of these jobs under a new name."""
    moment = now()
    name = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    ids = [job.id for job in jobs]
    return SeedRun.create(name=name, parameters=dict(parameters), jobs=ids, started_at=moment)


@dataclass(frozen=True)
class JobRequest:
    """A state to bring an organisation into; ``anew``: from the start, whatever there is."""

    slug: str
    identity: str
    plan: Mapping[str, Any]
    anew: bool


@dataclass(frozen=True)
class Opened:
    """The job that brings an organisation into a state; ``goes_on``: it is one that did not end."""

    job: SeedJob
    goes_on: bool


def refused(wanted: Sequence[JobRequest]) -> dict[str, str]:
    """Why organisations cannot be had just now, by organisation: another run has them."""
    return _refused(wanted, _unfinished([each.slug for each in wanted]))


def _refused(wanted: Sequence[JobRequest], unfinished: Mapping[str, SeedJob]) -> dict[str, str]:
    reasons = {}
    for each in wanted:
        last = unfinished.get(each.slug)
        if last is not None and not _goes_on(last, each) and (reason := _busy(last)):
            reasons[each.slug] = reason
    return reasons


def open_jobs(wanted: Sequence[JobRequest]) -> tuple[dict[str, Opened], dict[str, str]]:
    """Open jobs, by organisation, all in one transaction; and why others are ``refused``.

    What others had in hand with an organisation is over then: their transactions have ended or will see
    that they are superseded.
    """
    opened: dict[str, Opened] = {}
    new: list[JobRequest] = []
    slugs = [each.slug for each in wanted]
    database = SeedJob._meta.database
    with transaction(database):
        lock_organisations(database, slugs)
        unfinished = _unfinished(slugs)
        reasons = _refused(wanted, unfinished)
        for each in wanted:
            last = unfinished.get(each.slug)
            if each.slug in reasons:
                continue
            if last is not None and _goes_on(last, each):
                apart = last.plan["summaries_apart"]  # as it is in the tasks that are done already
                last.state, last.plan = RUNNING, {**each.plan, "summaries_apart": apart}
                last.save(only=[SeedJob.state, SeedJob.plan])
                reopen_tasks([last.id])
                opened[each.slug] = Opened(last, goes_on=True)
                continue
            if last is not None:
                supersede(each.slug)
            new.append(each)
        return opened | _enter(new), reasons


def _goes_on(last: SeedJob, wanted: JobRequest) -> bool:
    """Whether an unfinished job leads to what is wanted."""
    return last.identity == wanted.identity and not wanted.anew and _stands(last)


def _enter(wanted: Sequence[JobRequest]) -> dict[str, Opened]:
    """Enter new jobs and the first task of each."""
    if not wanted:
        return {}
    same = {"state": RUNNING, "created_at": now()}
    SeedJob.insert_many(
        [same | {"organisation": each.slug, "identity": each.identity, "plan": each.plan} for each in wanted]
    ).execute()
    jobs = _unfinished([each.slug for each in wanted])
    SeedTask.insert_many([FIRST_TASK | {"job": job.id} for job in jobs.values()]).execute()
    return {slug: Opened(job, goes_on=False) for slug, job in jobs.items()}


def reopen_tasks(jobs: Sequence[int]) -> None:
    """Make the tasks of jobs that are not done wait again, as if nobody had ever begun them."""
    undone = (SeedTask.job.in_(jobs)) & (SeedTask.state != DONE)
    SeedTask.update(state=WAITING, attempts=0, reason="").where(undone).execute()


def supersede(slug: str) -> None:
    """End an organisation's unfinished jobs: what they still have in hand will not be written."""
    live = (SeedJob.organisation == slug) & SeedJob.state.in_([RUNNING, CANCELLED])
    SeedJob.update(state=SUPERSEDED).where(live).execute()


def unfinished(slug: str) -> bool:
    """Whether the last work on an organisation has not come to its end."""
    return slug in _unfinished([slug])


def check_idle(slug: str) -> None:
    """See that nobody is seeding an organisation.

    Raises:
      OrganisationBusyError: somebody is, or was a moment ago.
    """
    job = _unfinished([slug]).get(slug)
    if job is not None and (reason := _busy(job)):
        raise OrganisationBusyError(reason)


def _busy(job: SeedJob) -> str | None:
    """Why nobody else may have the organisation of an unfinished job; None where they may."""
    if job.state != RUNNING:
        return None
    tasks = SeedTask.select(
        peewee.fn.MAX(SeedTask.taken_at),
        peewee.fn.MAX(SeedTask.finished_at),
        peewee.fn.COUNT(SeedTask.id).filter(SeedTask.state.in_([WAITING, IN_HAND])),
    ).where(SeedTask.job == job.id)
    (taken, finished, left) = tasks.tuples().get()
    as_moment = SeedTask.taken_at.python_value
    heard = max(moment for moment in (as_moment(taken), as_moment(finished), job.created_at) if moment)
    if not left or now() - heard >= SILENCE:
        return None
    run = run_of(job)
    stop = f", or stop it with: tformance-seed cancel {run.name}" if run else ""
    return (
        f"another run is seeding {job.organisation} in this database, last heard of "
        f"{(now() - heard).total_seconds():.0f} s ago: wait for it to end (seed and clear do so with "
        f"--wait){stop}"
    )


def run_of(job: SeedJob) -> SeedRun | None:
    """The latest run that has a job; None where one died before it was entered."""
    runs = SeedRun.select().order_by(SeedRun.id.desc())
    return next((run for run in runs.iterator() if job.id in run.jobs), None)


def _unfinished(slugs: Sequence[str]) -> dict[str, SeedJob]:
    """The last job of each organisation, of those that have not come to their end."""
    last = SeedJob.select(peewee.fn.MAX(SeedJob.id)).where(SeedJob.organisation.in_(slugs))
    jobs = SeedJob.select().where(
        SeedJob.id.in_(last.group_by(SeedJob.organisation)), SeedJob.state.in_([RUNNING, CANCELLED])
    )
    return {job.organisation: job for job in jobs.order_by(SeedJob.id)}


def _stands(job: SeedJob) -> bool:
    """Whether the team that a job made is still there."""
    return job.phase == 0 or own_team(job.organisation) is not None
