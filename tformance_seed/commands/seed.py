"""A seeding command: its tasks entered in the ledger and sent to who does them, then watched to the end."""

import contextlib
import datetime
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import peewee

from tformance_seed import ledger
from tformance_seed.bulk import Result
from tformance_seed.errors import InputError, SeedError
from tformance_seed.execution.executor import Executor
from tformance_seed.ledger import RunStatus
from tformance_seed.planning.plan import Plan
from tformance_seed.planning.request import Request
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.failures import error_message, is_transient, to_seed_error
from tformance_seed.storage.models import APPLICATION, SeedJob, SeedRun, SeedTask
from tformance_seed.storage.schema.create import prepare

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Jobs that are opened in one transaction, which holds a lock on each of their organisations.
TOGETHER = 100

#: Seconds between two looks at whether a run goes on: a thirtieth of what it has taken, at least and at most;
#: and sooner where the last job has come to its end in this process.
LOOK = (0.05, 0.5)

#: Seconds between two pictures of a run for whoever watches; longer where one takes over a twentieth of it.
PICTURE = 0.25

#: Seconds in which nothing happened after which tasks are sent again, doubling each time: the broker may
#: have lost them. One that comes twice does no harm.
STALLED = 30.0

#: Seconds without the database or the broker after which a command gives up.
PATIENCE = 60.0

#: Seconds between two tries at a database or a broker that is away.
AGAIN = 2.0


@dataclass
class Report:
    """What happened to one organisation."""

    organisation: str
    since: datetime.date
    until: datetime.date
    members: int = 0
    pull_requests: int = 0
    started_over: bool = False
    resumed: bool = False
    seconds: float = 0.0
    tables: dict[str, Result] = field(default_factory=dict)


@dataclass
class Outcome:
    """What a run did: reports of the organisations that are done, reasons of those that are not."""

    run: str
    reports: list[Report]
    failures: dict[str, str]


@dataclass(frozen=True)
class Begun:
    """A run that is in the ledger: why organisations are not in it, which go on where another run ended."""

    record: SeedRun
    failures: dict[str, str]
    resumed: frozenset[str]


def begin(database: peewee.Database, executor: Executor, request: Request, planned: Sequence[Plan]) -> Begun:
    """Enter a run and its tasks in the ledger, and send the first of them.

    Raises:
      InputError: the database is not fit, or a team is somebody else's; nothing was written.
    """
    options = request.options
    parts = [planned[start : start + TOGETHER] for start in range(0, len(planned), TOGETHER)]
    try:
        prepare(database)
        for part in parts:
            ledger.check_ownership([item.slug for item in part], adopt=options.adopt, clear=options.clear)
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        raise InputError(
            f"the database cannot be seeded: {error_message(error)}; nothing was written"
        ) from error
    jobs: list[SeedJob] = []
    failures: dict[str, str] = {}
    resumed = set()
    for part in parts:
        left = {item.slug: _wanted(item, executor) for item in part}
        while left:
            while options.wait and ledger.refused(list(left.values())):
                time.sleep(ledger.BUSY_POLL)
            opened, refused = ledger.open_jobs(list(left.values()))
            for item in part:
                if item.slug in opened:
                    jobs.append(opened[item.slug].job)
                    executor.register_job(opened[item.slug].job, item)
            resumed |= {slug for slug, each in opened.items() if each.goes_on}
            if not options.wait:
                failures |= refused
                break
            left = {slug: left[slug] for slug in refused}  # somebody was quicker
    record = ledger.start_run(request.parameters(), jobs)
    executor.send(ledger.waiting(record.name, record.jobs), PATIENCE)
    return Begun(record, failures, frozenset(resumed))


def _wanted(item: Plan, executor: Executor) -> ledger.JobRequest:
    plan = item.record() | {"summaries_apart": executor.limits_summaries}
    return ledger.JobRequest(item.slug, item.fingerprint(), plan, anew=item.options.clear)


def run(
    database: peewee.Database,
    executor: Executor,
    request: Request,
    planned: Sequence[Plan],
    progress: Callable[[RunStatus], None] | None = None,
) -> Outcome:
    """Seed what was planned; an organisation that fails does not stop the others.

    Raises:
      InputError: the database is not fit, or a team is somebody else's; nothing was written.
      SeedError: the database went away.
    """
    begun = begin(database, executor, request, planned)
    outcome = conclude(database, begun.record, watch(database, executor, begun.record, progress))
    outcome.failures |= begun.failures
    for report in outcome.reports:
        report.resumed = report.organisation in begun.resumed
    return outcome


def watch(
    database: peewee.Database,
    executor: Executor,
    record: SeedRun,
    progress: Callable[[RunStatus], None] | None = None,
) -> RunStatus:
    """Look on until a run is over; where nothing happens for long, send what should be under way again.

    Raises:
      SeedError: the database went away, or the run is no longer in it.
    """
    going = ledger.going(record)
    began = quiet_since = time.monotonic()
    patience, heard, next_look, next_picture = STALLED, -1, began, began
    while True:
        over = not _read(database, record, going)
        moment = time.monotonic()
        if over or (progress and moment >= next_picture):
            status = _read(database, record, lambda: ledger.status(record))
            if progress:
                progress(status)
            if status.over:
                return status
            next_picture = moment + max(PICTURE, 20 * (time.monotonic() - moment))
        if moment >= next_look:
            next_look, before = moment + STALLED / 6, heard
            heard = _read(database, record, lambda: ledger.heard(record))
            if heard != before:
                quiet_since = moment
        if moment - quiet_since > patience:
            lost = _read(database, record, lambda: ledger.waiting(record.name, record.jobs))
            log.warning("nothing happened for %.0f s; sending %d tasks again", patience, len(lost))
            with contextlib.suppress(SeedError):  # the broker is away: later, then
                executor.send(lost, AGAIN)
            quiet_since, patience = moment, 2 * patience
        least, most = LOOK
        executor.jobs_finished.wait(min(max(least, (moment - began) / 30), most))
        executor.jobs_finished.clear()


def _read(database: peewee.Database, record: SeedRun, call: Callable[[], T]) -> T:
    """Read the ledger, waiting for a database that is away.

    Raises:
      SeedError: it is away for long, or refuses for good.
    """
    began = time.monotonic()
    while True:
        try:
            return call()
        except (peewee.DatabaseError, peewee.InterfaceError) as error:
            disconnect(database)
            if not is_transient(error) or time.monotonic() - began > PATIENCE:
                raise SeedError(
                    f"{to_seed_error(error)}; how far it came is told by: tformance-seed status {record.name}"
                ) from error
            time.sleep(AGAIN)


def conclude(database: peewee.Database, record: SeedRun, status: RunStatus) -> Outcome:
    """The outcome of a run that is over, from the ledger.

    Raises:
      SeedError: the database went away.
    """
    return _read(database, record, lambda: _outcome(record, status))


def _outcome(record: SeedRun, status: RunStatus) -> Outcome:
    outcome = Outcome(record.name, [], {})
    jobs = {job.organisation: job for job in SeedJob.select().where(SeedJob.id.in_(record.jobs))}
    tables = _tables(record)
    for job in status.jobs:
        if job.state == ledger.FINISHED:
            entry = jobs[job.organisation]
            outcome.reports.append(_report(entry, record, tables.get(entry.id, {})))
        else:
            outcome.failures[job.organisation] = job.reason or NOT_FINISHED[job.state].format(record.name)
    return outcome


#: Why an organisation is not done that did not fail.
NOT_FINISHED = {
    ledger.RUNNING: "not done yet; see: tformance-seed status {}",
    ledger.FAILED: "left by another version of tformance_seed; seed it again",
    ledger.CANCELLED: "cancelled; go on with: tformance-seed retry {}",
    ledger.SUPERSEDED: "another run took the organisation over, or it was cleared",
}


def _tables(record: SeedRun) -> dict[int, dict[str, Result]]:
    """What was done to each table since a run began, by job."""
    tasks = SeedTask.select(SeedTask.job, SeedTask.tables).where(
        SeedTask.job.in_(record.jobs), SeedTask.finished_at >= record.started_at
    )
    by_job: dict[int, dict[str, Result]] = {}
    for job, tables in tasks.order_by(SeedTask.phase, SeedTask.id).tuples():
        totals = by_job.setdefault(job, {})
        for name, figures in tables.items():
            totals[name] = totals.get(name, Result()) + Result(*figures)
    return by_job


def _report(job: SeedJob, record: SeedRun, tables: dict[str, Result]) -> Report:
    """What the ledger says of an organisation that is done."""
    order = [model._meta.table_name for model in APPLICATION]
    return Report(
        organisation=job.organisation,
        since=datetime.date.fromisoformat(job.plan["since"]),
        until=datetime.date.fromisoformat(job.plan["until"]),
        members=job.members,
        pull_requests=job.pull_requests,
        started_over=job.started_over,
        seconds=(job.finished_at - max(job.created_at, record.started_at)).total_seconds(),
        tables={
            name: tables[name]
            for name in sorted(tables, key=lambda name: order.index(name.partition(".")[0]))
        },
    )
