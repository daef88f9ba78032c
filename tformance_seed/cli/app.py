"""The commands: parse, call, print. What they need is imported when they run, so that help is quick."""

import datetime
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from tformance_seed import __version__, settings
from tformance_seed.errors import InputError, SeedError

if TYPE_CHECKING:
    import peewee

    from tformance_seed.execution.executor import Executor
    from tformance_seed.planning.plan import Plan

PROGRAM = "tformance-seed"

#: Exit status of a command that the keyboard interrupted.
INTERRUPTED = 130

#: What Typer raises for a wrong command line; the class is public only through its children.
UsageError = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name=PROGRAM,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # with Rich in it, help takes three times as long
    help="Fill a tformance database with believable data: fast, repeatably, at any scale.",
)

Database = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        default_factory=settings.database_url,
        show_default=False,
        help="sqlite:///file, postgresql://..., or embedded:///folder. "
        f"Else DATABASE_URL, else {settings.DEFAULT_DATABASE}.",
    ),
]
Organisations = Annotated[
    list[str] | None, typer.Argument(metavar="[ORG]...", help="Slugs of organisations.", show_default=False)
]
Catalog = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Your own catalogue, in TOML.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Until = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Last day of the window (default: today).", show_default=False),
]
Days = Annotated[
    int | None, typer.Option(metavar="N", help="Days of the window (default: 90).", show_default=False)
]

Broker = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        default_factory=settings.broker_url,
        show_default=False,
        help="redis://... or amqp://... of the workers. Else BROKER_URL, else REDIS_URL, else this process.",
    ),
]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; the workers go on.")]
Run = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="A run's name (default: the latest).", show_default=False),
]


def _optional(metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text, show_default=False)


@app.command()
def seed(
    database: Database,
    broker: Broker,
    organisations: Organisations = None,
    everything: Annotated[bool, typer.Option("--all", help="Every organisation of the catalogue.")] = False,
    source: Annotated[str | None, _optional("synthetic|git", "Where pull requests come from.")] = None,
    repo: Annotated[list[Path] | None, _optional("PATH", "A clone, bare or not; may be repeated.")] = None,
    days: Days = None,
    until: Until = None,
    members: Annotated[int | None, _optional("N", "People in each organisation.")] = None,
    prs: Annotated[int | None, _optional("N", "Pull requests of each organisation, exactly.")] = None,
    adoption: Annotated[float | None, _optional("RATE", "Share of people who use AI tools, 0 to 1.")] = None,
    scenario: Annotated[str | None, _optional("NAME", "Eight weeks that make a point; see `orgs`.")] = None,
    random_seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another number, other data.")] = 42,
    chunk_size: Annotated[int | None, _optional("N", "Rows of a transaction.")] = None,
    catalog: Catalog = None,
    emails: Annotated[bool, typer.Option("--emails", help="Keep the real addresses of a clone.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Remove what was seeded before.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Seed into a team that was not made here.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another run on the organisation.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, write nothing.")
    ] = False,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Fill the database with organisations; run it again and nothing changes."""
    from tformance_seed.cli import output
    from tformance_seed.commands import preview
    from tformance_seed.commands import seed as seeding
    from tformance_seed.planning import plan as planning

    request = planning.Request(
        organisations=organisations or (),
        everything=everything,
        source=source,
        repositories=repo or (),
        days=days,
        until=_day("--until", until),
        members=members,
        prs=prs,
        adoption=adoption,
        scenario=scenario,
        seed=random_seed,
        emails=emails,
        catalog=catalog,
        options=planning.Options(chunk_size=chunk_size, adopt=adopt, clear=clear, wait=wait),
    )
    planned = planning.plan(request, _today())
    _warn(planned)
    if dry_run:
        output.dry_run(preview.preview(database, request, planned), as_json=as_json)
        return
    _check_detach(broker, detach=detach)
    with _open(database) as opened, _crew(broker, opened) as crew:
        if detach:
            begun = seeding.begin(opened, crew, request, planned)
            output.detached(begun, as_json=as_json)
            failures = begun.failures
        else:
            with output.progress(workers=broker is not None) as show:
                outcome = seeding.run(opened, crew, request, planned, show)
            output.seeded(outcome, database, as_json=as_json)
            failures = outcome.failures
    if failures:
        raise SeedError(_failures(failures))


@app.command()
def worker(
    database: Database,
    broker: Broker,
    processes: Annotated[int | None, _optional("N", "Processes, each for all the queues.")] = None,
    threads: Annotated[int | None, _optional("N", "Threads of each process.")] = None,
    queues: Annotated[str | None, _optional("NAMES", "Of sync, compute, llm (default: all).")] = None,
) -> None:
    """Run workers until told to stop; they do what `seed --broker` hands out."""
    from tformance_seed.execution import supervisor

    if broker is None:
        raise InputError("workers need a broker: add --broker redis://host:6379/0, or set REDIS_URL")
    groups = supervisor.groups(processes=processes, threads=threads, queues=queues)
    sys.exit(supervisor.Supervisor(groups, database=database, broker=broker).run())


@app.command()
def status(
    database: Database,
    run: Run = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it until the run is over.")] = False,
    as_json: Json = False,
) -> None:
    """How a run stands, by default the latest: per organisation and stage, from the ledger."""
    from tformance_seed import ledger
    from tformance_seed.cli import output
    from tformance_seed.commands import maintain as maintenance

    with _open(database, "read") as opened:
        maintenance.check_ledger(opened)
        record = ledger.find_run(run)
        if watch and not as_json:
            output.watch(lambda: ledger.status(record))
        else:
            while watch and not ledger.status(record).over:
                time.sleep(1)
        output.status(ledger.status(record), as_json=as_json)


@app.command()
def retry(
    database: Database,
    broker: Broker,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")],
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Send again what failed, was cancelled or got lost of a run."""
    from tformance_seed import ledger
    from tformance_seed.cli import output
    from tformance_seed.commands import maintain as maintenance
    from tformance_seed.commands import seed as seeding

    _check_detach(broker, detach=detach)
    with _open(database, "write") as opened, _crew(broker, opened) as crew:
        maintenance.check_ledger(opened)
        record = ledger.find_run(run)
        ledger.reopen(record)
        crew.send(ledger.waiting(record.name, record.jobs), seeding.PATIENCE)
        if detach:
            output.detached(seeding.Begun(record, {}, frozenset()), as_json=as_json)
            return
        with output.progress(workers=broker is not None) as show:
            outcome = seeding.conclude(opened, record, seeding.watch(opened, crew, record, show))
        output.seeded(outcome, database, as_json=as_json)
    if outcome.failures:
        raise SeedError(_failures(outcome.failures))


@app.command()
def cancel(
    database: Database,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")],
    as_json: Json = False,
) -> None:
    """Stop a run after what is in hand, and say what is left."""
    from tformance_seed import ledger
    from tformance_seed.cli import output
    from tformance_seed.commands import maintain as maintenance

    with _open(database, "write") as opened:
        maintenance.check_ledger(opened)
        record = ledger.find_run(run)
        cancelled = ledger.cancel(record)
        output.cancelled(cancelled, ledger.status(record), as_json=as_json)


@app.command()
def orgs(catalog: Catalog = None, days: Days = None, as_json: Json = False) -> None:
    """The catalogue, with what each organisation would produce; and the scenarios."""
    from tformance_seed.catalog.organisations import load
    from tformance_seed.cli import output

    if days is not None and days < 1:
        raise InputError(f"--days {days}: impossible window; want at least 1 day")
    output.organisations(load(catalog), days or 90, as_json=as_json)


@app.command()
def init(database: Database) -> None:
    """Make the tables that are missing, with every key and index. Existing tables stay as they are."""
    from tformance_seed.storage.schema.create import create_missing

    with _open(database) as opened:
        made = create_missing(opened)
    print(f"made {len(made)} tables" if made else "nothing is missing")


@app.command()
def weekly(
    database: Database,
    organisations: Organisations = None,
    days: Days = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Compute weekly metrics anew, by default of all that was seeded."""
    from tformance_seed.cli import output
    from tformance_seed.commands import maintain as maintenance

    last = _day("--until", until)
    with _open(database, "write") as opened:
        reports = maintenance.recompute_weekly(opened, organisations or (), days, last)
    output.weekly(reports, as_json=as_json)


@app.command()
def verify(
    database: Database,
    organisations: Organisations = None,
    as_json: Json = False,
) -> None:
    """Check that the data agrees with itself, and print a digest of its content for each table."""
    from tformance_seed.cli import output
    from tformance_seed.commands import maintain as maintenance

    with _open(database, "read") as opened:
        reports = maintenance.verify_teams(opened, organisations or ())
    output.verified(reports, as_json=as_json)
    if bad := [report for report in reports if report.violations]:
        names = ", ".join(report.organisation for report in bad)
        if any(report.unfinished for report in bad):
            raise SeedError(
                f"{names}: a run is unfinished; let it end, or type its command again, then verify"
            )
        raise SeedError(f"{names}: the data does not agree with itself; see above")


@app.command()
def report(
    database: Database,
    organisations: Organisations = None,
    exact: Annotated[bool, typer.Option("--exact", help="Count the rows of every table.")] = False,
    html: Annotated[Path | None, _optional("FILE", "Make a page to show: charts, without network.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    as_json: Json = False,
) -> None:
    """What is in the database: sizes, rows, organisations, AI usage; of all organisations by default."""
    if markdown and as_json:
        raise InputError("--markdown and --json do not go together; choose one")
    from tformance_seed.report import gather, text
    from tformance_seed.storage.transactions import reading

    if html is not None:
        from tformance_seed.report import page

        page.check(html)
    with _open(database, "read") as opened, reading(opened):
        found = gather(opened, organisations or (), exact=exact)
        if html is not None:
            written = page.write(html, opened, found)
    if as_json:
        text.show_json(found)
    elif markdown:
        text.show_markdown(found)
    elif html is not None:
        print(f"wrote {html}, {text.size(written)}: open it in a browser")
    else:
        text.show(found)


@app.command()
def clear(
    database: Database,
    organisations: Annotated[list[str], typer.Argument(metavar="ORG...", help="Slugs of organisations.")],
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Also what was seeded into an adopted team; the team stays.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another run on the organisation.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what this package seeded for organisations; asks first."""
    from tformance_seed.cli import output
    from tformance_seed.commands import maintain as maintenance

    if as_json and not yes:
        raise InputError("--json cannot ask; add --yes")
    with _open(database, "write") as opened:
        maintenance.check_clearable(opened, organisations, adopt=adopt)
        if not yes:
            _ask(f"Remove all seeded data of {', '.join(organisations)}?")
        removed = maintenance.clear_teams(opened, organisations, wait=wait)
    output.cleared(removed, as_json=as_json)


@app.command()
def doctor(
    database: Database,
    broker: Broker,
    ram: Annotated[str | None, _optional("SIZE", "The server's memory, such as 8GB.")] = None,
    cpus: Annotated[int | None, _optional("N", "The server's processor cores.")] = None,
    teams: Annotated[int | None, _optional("N", "Teams to expect (default: those found).")] = None,
    as_sql: Annotated[bool, typer.Option("--sql", help="Print a script for psql.")] = False,
    as_json: Json = False,
) -> None:
    """Whether schema, server and workers are fit, and what to do where they are not. Changes nothing."""
    from tformance_seed import doctor as doctors

    if as_sql and as_json:
        raise InputError("--sql and --json: want one of them")
    _say_it_alone()
    given = doctors.Given.parse(ram, cpus, teams)
    with _open(database, "read") as opened:
        report = doctors.examine(opened, database, broker, given)
    if as_sql or as_json:
        print(doctors.script(report) if as_sql else doctors.as_json(report), end="" if as_sql else "\n")
    else:
        doctors.show(report)
    if report.stops:
        names = ", ".join(sorted({finding.name for finding in report.stops}))
        raise SeedError(f"it cannot be seeded as it is: {names}")


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"{PROGRAM} {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


def main() -> NoReturn:
    """Run a command; whatever goes wrong is one line on standard error and an exit status."""
    try:
        status = app(standalone_mode=False) or 0
        if status == INTERRUPTED:  # Typer catches the keyboard's interrupt itself
            raise KeyboardInterrupt
    except UsageError as error:
        status = _complain(error.format_message(), error.exit_code)  # type: ignore[attr-defined]
    except SeedError as error:
        status = _complain(str(error), error.exit_status)
    except (KeyboardInterrupt, typer.Abort):
        status = _complain(
            "interrupted; what was committed is safe, the same command goes on from there", 130
        )
    except BrokenPipeError:
        status = 1
    except OSError as error:
        status = _complain(f"{error.strerror or error}; what was committed is safe", 1)
    except Exception as error:
        status = _complain(_unexpected(error), 1)
    sys.stdout.flush()
    sys.exit(status)


def _complain(message: str, status: int) -> int:
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)
    return status


def _unexpected(error: Exception) -> str:
    """One line for what nobody foresaw; a refusal of the database in its own words."""
    import peewee

    from tformance_seed.storage.failures import to_seed_error

    if isinstance(error, peewee.PeeweeException):
        return str(to_seed_error(error))
    return (
        f"unexpected {type(error).__name__}: {error}. What was committed is safe; "
        "please report this with the command that you typed"
    )


@contextmanager
def _open(url: str, access: str = "create") -> "Iterator[peewee.Database]":
    """The database, closed afterwards: SQLite then tidies up its files."""
    from tformance_seed.storage.connection import connect

    database = connect(url, access=access)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _crew(broker: str | None, database: "peewee.Database") -> "Iterator[Executor]":
    """Who does the tasks: workers behind a broker, or threads of this process."""
    _say_it_alone()
    from tformance_seed.execution import broker as brokers
    from tformance_seed.execution import local
    from tformance_seed.execution.executor import Executor

    if broker is None:
        with local.crew(database) as made:
            yield made
    else:
        setup = brokers.connect(broker)
        setup.check()
        yield Executor(setup, lambda: database)


def _say_it_alone() -> None:
    """What the drivers log does not show: the command says itself what there is to say."""
    import logging

    logging.getLogger().addHandler(logging.NullHandler())


def _check_detach(broker: str | None, *, detach: bool) -> None:
    if detach and broker is None:
        raise InputError("--detach needs workers to go on with it: add --broker URL, or set REDIS_URL")


def _ask(question: str) -> None:
    try:
        sure = typer.confirm(question, err=True)
    except typer.Abort:
        raise SeedError("nothing was removed; where nobody can be asked, add --yes") from None
    if not sure:
        raise SeedError("nothing was removed")


def _day(option: str, text: str | None) -> datetime.date | None:
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: no such day; want one such as 2026-01-31") from None


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _warn(planned: "list[Plan]") -> None:
    for item in planned:
        for warning in getattr(item.source, "warnings", ()):
            print(f"{PROGRAM}: warning: {warning}", file=sys.stderr)


def _failures(failures: Mapping[str, str]) -> str:
    (slug, reason), *more = failures.items()
    rest = f" (and {len(more)} more organisations failed)" if more else ""
    return f"{slug}: {reason}{rest}"
