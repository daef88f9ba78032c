"""The commands for runs: `status`, `runs`, `retry` and `cancel`."""

from typing import Annotated

import typer

from tformance_seed.cli import console
from tformance_seed.cli.connections import announce, open_database
from tformance_seed.cli.options import (
    Broker,
    Database,
    Detach,
    Json,
    LatestRun,
    Quiet,
    Verbose,
    check_detach,
    check_verbosity,
)
from tformance_seed.cli.progress import progress
from tformance_seed.cli.progress import watch as watch_run
from tformance_seed.cli.seed_commands import raise_failures


def status(
    database: Database,
    run: LatestRun = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep showing progress until the run finishes.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "-v",
            "--verbose",
            "--all",
            help="Show every organisation with its stages.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how far a run is, what failed and what is slowest."""
    from tformance_seed import ledger
    from tformance_seed.cli import status_views
    from tformance_seed.commands import maintain

    with open_database(database, "read") as opened:
        maintain.check_ledger(opened)
        record = ledger.find_run(opened, run)
        if watch:
            watch_run(lambda: ledger.run_status(opened, record))
        found = ledger.run_status(opened, record)
        view = status_views.status(found, ledger.team_slugs(opened), everything=everything)
        console.show(view, as_json=as_json)


def runs(database: Database, as_json: Json = False) -> None:
    """List the runs that a database knows, the latest first."""
    from tformance_seed import ledger
    from tformance_seed.cli import status_views
    from tformance_seed.commands import maintain

    with open_database(database, "read") as opened:
        maintain.check_ledger(opened)
        found = ledger.list_runs(opened)
    console.show(status_views.runs(found), as_json=as_json, paged=True)


def retry(
    database: Database,
    broker: Broker,
    run: LatestRun = None,
    detach: Detach = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Send failed, cancelled and lost tasks of a run again."""
    from tformance_seed import ledger
    from tformance_seed.cli import run_views
    from tformance_seed.commands import maintain
    from tformance_seed.commands import seed as seeding

    check_detach(broker, detach=detach)
    check_verbosity(quiet=quiet, verbose=verbose)
    with open_database(database, "write") as opened:
        maintain.check_ledger(opened)
        record = ledger.find_run(opened, run)
        announce(opened, database)
        console.set_up_logging()
        with progress(workers=broker is not None) as show_progress:
            outcome = seeding.retry(opened, record, broker=broker, detach=detach, progress=show_progress)
    view = run_views.detached(outcome) if detach else run_views.outcome(outcome, verbose=verbose)
    console.show(view, as_json=as_json)
    raise_failures(outcome.failures)


def cancel(database: Database, run: LatestRun = None, as_json: Json = False) -> None:
    """Stop a run after its running tasks; show what is left."""
    from tformance_seed import ledger
    from tformance_seed.cli import status_views
    from tformance_seed.commands import maintain

    with open_database(database, "write") as opened:
        maintain.check_ledger(opened)
        record = ledger.find_run(opened, run)
        announce(opened, database)
        cancelled = ledger.cancel(opened, record)
        status = ledger.run_status(opened, record)
        view = status_views.cancelled(cancelled, status, ledger.team_slugs(opened))
        console.show(view, as_json=as_json)
