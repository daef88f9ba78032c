"""Seeding: plan a request, record it in the ledger, send its tasks to an executor, and wait for its end."""

import contextlib
import datetime
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import peewee

from tformance_seed import ledger
from tformance_seed.bulk import Result
from tformance_seed.bulk.peewee_internals import table_name
from tformance_seed.commands import access
from tformance_seed.commands.access import Login
from tformance_seed.commands.analyse import analyse
from tformance_seed.commands.ownership import check_ownership
from tformance_seed.commands.watch import Progress, read_ledger, watch
from tformance_seed.errors import InputError, SeedError, UnavailableError
from tformance_seed.execution import local
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.retry import GIVE_UP_AFTER
from tformance_seed.ledger import RunStatus, SummaryCosts
from tformance_seed.llm.endpoint import check_settings
from tformance_seed.planning.plan import Plan, make_plans
from tformance_seed.planning.request import Options, Request
from tformance_seed.settings import GENERATED
from tformance_seed.storage.failures import error_message, first_error, is_transient
from tformance_seed.storage.models import ACCESS, APPLICATION, SeedJob, SeedRun, SeedTask
from tformance_seed.storage.schema.create import prepare

log = logging.getLogger(__name__)

#: The maximum number of jobs opened in one transaction, which holds a lock on each of their organisations.
JOB_BATCH_SIZE = 100

#: State of a job -> why its organisation is not done, if the ledger gives no other reason.
NOT_FINISHED = {
    ledger.RUNNING: "not done yet; see: tformance-seed status {}",
    ledger.FAILED: "its tasks are gone from the ledger, or another version left it; seed it again",
    ledger.CANCELLED: "cancelled; resume it with: tformance-seed retry {}",
    ledger.SUPERSEDED: "another run superseded this one, or it was cleared",
}


@dataclass
class Report:
    """The result of seeding one organisation.

    Attributes:
      organisation: Its slug.
      since: First day of its window.
      until: Last day of its window.
      shift_weeks: Number of weeks by which the source's times were moved into the window.
      members: Number of people.
      pull_requests: Number of pull requests in the window.
      started_over: Whether it was removed and seeded again because its inputs had changed.
      resumed: Whether an unfinished run was resumed.
      seconds: Time that its own tasks took in this run, added up, without the time that they waited.
      conventions: Repository -> how many of its pull requests were recognised by each convention; empty
        unless they are those of a clone.
      tables: Name of a table -> the numbers of rows written and unchanged, and the seconds taken.
      summaries: What was asked of a language model, and what came of it; None if summaries are generated.
    """

    organisation: str
    since: datetime.date
    until: datetime.date
    shift_weeks: int = 0
    members: int = 0
    pull_requests: int = 0
    started_over: bool = False
    resumed: bool = False
    seconds: float = 0.0
    conventions: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: dict[str, Result] = field(default_factory=dict)
    summaries: SummaryCosts | None = None


@dataclass
class Outcome:
    """The outcome of a run.

    Attributes:
      run: The run's name.
      reports: A report for each organisation that is done.
      failures: Slug of any other organisation -> why it is not done; empty if all are done.
      seconds: Time from the beginning of the run to its end.
      login: How to open the organisations in the application; None if there is nothing to log in to.
      notes: Remarks for the user, one line each.
      teams: Slug of an organisation in the database -> slug of its team in the application; empty for a run
        that has not ended.
    """

    run: str
    reports: list[Report]
    failures: dict[str, str]
    seconds: float = 0.0
    login: Login | None = None
    notes: list[str] = field(default_factory=list)
    teams: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BegunRun:
    """A run recorded in the ledger, the organisations it resumes, and why others are not part of it.

    ``login`` and ``notes`` are those of its ``Outcome``.
    """

    record: SeedRun
    failures: dict[str, str]
    resumed: frozenset[str]
    login: Login | None = None
    notes: Sequence[str] = ()


def plan(
    request: Request, warn: Callable[[str], None] = log.warning, *, broker: str | None = None
) -> list[Plan]:
    """Plan the organisations of a request.

    Parameters:
      warn: called with each remark of the source on what it found.
      broker: the URL of the workers' broker; None: this process does the tasks.
    Raises:
      InputError: the request is invalid, or this process is to ask a language model and cannot.
    """
    request.options.check()
    if broker is None and request.options.model is not None:
        check_settings()
    planned = make_plans(request, ledger.now())
    for item in planned:
        for warning in item.source.warnings:
            warn(warning)
    return planned


def seed(
    database: peewee.Database,
    request: Request,
    planned: Sequence[Plan],
    *,
    broker: str | None = None,
    detach: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Seed the planned organisations; if one fails, the others continue.

    Parameters:
      broker: the URL of the workers' broker; None: run the tasks in threads of this process.
      detach: return when the first tasks are sent; the outcome has no reports then.
      progress: called with the run's status while it is running.
    Raises:
      InputError: the database cannot be seeded, or a team does not belong to the package; nothing was
        written.
      SeedError: the database or the broker became unreachable.
    """
    with open_executor(database, broker, asks_model=request.options.model is not None) as executor:
        begun = begin(database, executor, request, planned)
        return _outcome_of(database, executor, begun, detach=detach, progress=progress)


def retry(
    database: peewee.Database,
    record: SeedRun,
    *,
    broker: str | None = None,
    detach: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Send the failed, cancelled and lost tasks of a run again. The parameters are those of ``seed``.

    Raises:
      InputError: the run was planned by another version, whose workers may be gone.
      SeedError: the database or the broker became unreachable.
    """
    asks_model = record.parameters["summaries"] != GENERATED
    with open_executor(database, broker, asks_model=asks_model) as executor:
        begun = resume(database, executor, record)
        return _outcome_of(database, executor, begun, detach=detach, progress=progress)


def _outcome_of(
    database: peewee.Database,
    executor: Executor,
    begun: BegunRun,
    *,
    detach: bool,
    progress: Progress | None,
) -> Outcome:
    """Return the outcome of a run when it has ended, or if ``detach`` is set, at once."""
    outcome, notes = Outcome(begun.record.name, [], {}), []
    if not detach:
        outcome = collect_outcome(database, begun.record, watch(database, executor, begun.record, progress))
        notes = analyse(database, _tables_written(outcome))
    outcome.failures |= begun.failures
    outcome.login, outcome.notes = begun.login, [*begun.notes, *notes]
    for report in outcome.reports:
        report.resumed = report.organisation in begun.resumed
    return outcome


def _tables_written(outcome: Outcome) -> set[str]:
    """Return the names of the tables in which a run changed rows."""
    return {
        name.partition(".")[0]
        for report in outcome.reports
        for name, result in report.tables.items()
        if result.written
    }


@contextlib.contextmanager
def open_executor(
    database: peewee.Database, broker: str | None, *, asks_model: bool = False
) -> Iterator[Executor]:
    """Open the executor of tasks: workers behind a broker, or without a broker, threads of this process.

    Parameters:
      asks_model: whether a language model writes summaries.
    Raises:
      InputError: the URL is malformed, or needs a driver that is not installed.
      UnavailableError: the broker does not answer.
    """
    if broker is None:
        with local.executor(database, asks_model=asks_model) as executing:
            yield executing
        return
    from tformance_seed.execution import broker as brokers

    config = brokers.connect(broker)
    config.check()
    try:
        yield Executor(config, lambda: database)
    finally:
        config.broker.close()


def begin(
    database: peewee.Database, executor: Executor, request: Request, planned: Sequence[Plan]
) -> BegunRun:
    """Record a run and its jobs in the ledger, and send the first tasks.

    Raises:
      InputError: the database cannot be seeded, or a team does not belong to the package; nothing was
        written.
      UnavailableError: the database does not answer; nothing was written.
    """
    options = request.options
    batches = [planned[first : first + JOB_BATCH_SIZE] for first in range(0, len(planned), JOB_BATCH_SIZE)]
    try:
        prepare(database)
        for batch in batches:
            check_ownership(database, options, batch)
        granted = access.grant(database, options.access, planned)
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        kind = UnavailableError if is_transient(error) else InputError
        reason = error_message(first_error(error))
        raise kind(f"the database cannot be seeded: {reason}; nothing was written") from error
    jobs: list[SeedJob] = []
    failures: dict[str, str] = {}
    resumed: set[str] = set()
    for batch in batches:
        granting = [replace(item, grant=granted.grant) for item in batch]
        opened, conflicts = _open_jobs(database, executor, granting, wait=options.wait)
        jobs += [each.job for each in opened.values()]
        resumed |= {slug for slug, each in opened.items() if each.resumed}
        failures |= conflicts
    record = ledger.start_run(database, request.parameters(), jobs)
    executor.send(ledger.current_tasks(database, record.name, record.jobs), GIVE_UP_AFTER)
    return BegunRun(record, failures, frozenset(resumed), granted.login, granted.notes)


def resume(database: peewee.Database, executor: Executor, record: SeedRun) -> BegunRun:
    """Reopen the failed and cancelled tasks of a run, and send every task that is not done.

    Raises:
      InputError: the run was planned by another version, whose workers may be gone.
    """
    if not all(ledger.is_of_this_version(database, job) for job in record.jobs):
        raise InputError(
            f"run {record.name} was planned by another version of tformance_seed: seed its organisations "
            "again, which continues from their rows"
        )
    ledger.reopen(database, record)
    executor.send(ledger.current_tasks(database, record.name, record.jobs), GIVE_UP_AFTER)
    return BegunRun(record, {}, frozenset())


def _open_jobs(
    database: peewee.Database, executor: Executor, batch: Sequence[Plan], *, wait: bool
) -> tuple[dict[str, ledger.OpenedJob], dict[str, str]]:
    """Open jobs for a batch of plans; if ``wait`` is set, wait for organisations that are busy.

    Returns:
      The opened jobs, and the reasons why the other organisations have none, both by organisation.
    """
    opened: dict[str, ledger.OpenedJob] = {}
    requests = {item.slug: _job_request(item) for item in batch}
    while True:
        while wait and ledger.find_conflicts(database, list(requests.values())):
            time.sleep(ledger.BUSY_POLL_INTERVAL)
        now_opened, conflicts = ledger.open_jobs(database, list(requests.values()))
        for item in batch:
            if item.slug in now_opened:
                opened[item.slug] = now_opened[item.slug]
                executor.register_job(opened[item.slug].job, item)
        if not wait or not conflicts:
            return opened, conflicts
        requests = {slug: requests[slug] for slug in conflicts}  # another run was faster: wait for it


def _job_request(item: Plan) -> ledger.JobRequest:
    return ledger.JobRequest(item.slug, item.fingerprint(), item.record(), restart=item.options.clear)


def collect_outcome(database: peewee.Database, record: SeedRun, status: RunStatus) -> Outcome:
    """Return the outcome of a run that has ended, from the ledger.

    Raises:
      SeedError: the database became unreachable.
    """
    return read_ledger(database, record, lambda: _outcome(database, record, status))


def _outcome(database: peewee.Database, record: SeedRun, status: RunStatus) -> Outcome:
    outcome = Outcome(record.name, [], {}, status.seconds, teams=ledger.team_slugs(database))
    if len(status.jobs) < len(record.jobs):
        raise SeedError(f"the ledger lost jobs of run {record.name}: run the same command again")
    rows = SeedJob.select().where(SeedJob.id.in_(record.jobs)).execute(database)
    jobs = {job.organisation: job for job in rows}
    work, costs = _work(database, record), ledger.summary_costs(database, record.name)
    for job in status.jobs:
        if job.state == ledger.FINISHED:
            entry = jobs[job.organisation]
            outcome.reports.append(_report(entry, work.get(entry.id, _Work()), costs))
        else:
            outcome.failures[job.organisation] = job.reason or NOT_FINISHED[job.state].format(record.name)
    return outcome


@dataclass
class _Work:
    """What the tasks of a job wrote to each table, and how long they took."""

    tables: dict[str, Result] = field(default_factory=dict)
    seconds: float = 0.0


def _work(database: peewee.Database, record: SeedRun) -> dict[int, _Work]:
    """Return, by job, what was done since a run began."""
    tasks = (
        SeedTask.select(SeedTask.job, SeedTask.tables, SeedTask.seconds)
        .where(SeedTask.job.in_(record.jobs), SeedTask.finished_at >= record.started_at)
        .order_by(SeedTask.phase, SeedTask.id)
    )
    by_job: dict[int, _Work] = {}
    for job, tables, seconds in tasks.tuples().execute(database):
        work = by_job.setdefault(job, _Work())
        work.seconds += seconds
        for name, figures in tables.items():
            work.tables[name] = work.tables.get(name, Result()) + Result(*figures)
    return by_job


def _report(job: SeedJob, work: _Work, costs: Mapping[str, SummaryCosts]) -> Report:
    """Return the report on an organisation that is done, from its job in the ledger."""
    model = Options(**job.plan["options"]).model
    nothing = None if model is None else SummaryCosts(model)
    order = [table_name(model) for model in (*APPLICATION, *ACCESS)]
    return Report(
        organisation=job.organisation,
        since=datetime.date.fromisoformat(job.plan["since"]),
        until=datetime.date.fromisoformat(job.plan["until"]),
        shift_weeks=job.plan["shift_weeks"],
        conventions=job.plan["source_record"].get("conventions", {}),
        members=job.members,
        pull_requests=job.pull_requests,
        started_over=job.started_over,
        seconds=work.seconds,
        tables={
            name: work.tables[name]
            for name in sorted(work.tables, key=lambda name: order.index(name.partition(".")[0]))
        },
        summaries=costs.get(job.organisation, nothing),
    )
