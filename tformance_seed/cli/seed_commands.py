"""The commands that seed: `seed`, and `worker`, which runs its tasks."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tformance_seed import settings
from tformance_seed.cli import answer, completion, console, hints
from tformance_seed.cli.connections import announce, ask, open_database, open_existing
from tformance_seed.cli.interrupts import begin_work
from tformance_seed.cli.options import (
    Broker,
    Catalog,
    Database,
    Days,
    Detach,
    Json,
    Organisations,
    Quiet,
    SeedUntil,
    ShiftTo,
    Verbose,
    Yes,
    check_broker,
    check_detach,
    check_verbosity,
    optional,
    parse_day,
)
from tformance_seed.cli.progress import progress
from tformance_seed.errors import InputError, SeedError
from tformance_seed.settings import DEFAULT_LOGIN, DEFAULT_SEED, GENERATED
from tformance_seed.sources.registry import SOURCES


def seed(
    context: typer.Context,
    database: Database,
    broker: Broker,
    organisations: Organisations = None,
    everything: Annotated[bool, typer.Option("--all", help="Every organisation of the catalogue.")] = False,
    source: Annotated[
        str | None,
        optional(
            "|".join(SOURCES),
            "Where pull requests come from (default: synthetic, or as other options say).",
            completion.sources,
        ),
    ] = None,
    repo: Annotated[list[Path] | None, optional("PATH", "A clone, bare or not; may be repeated.")] = None,
    days: Days = None,
    until: SeedUntil = None,
    shift_to: ShiftTo = None,
    members: Annotated[int | None, optional("N", "Members of each organisation.")] = None,
    prs: Annotated[int | None, optional("N", "Exact number of pull requests of each organisation.")] = None,
    adoption: Annotated[float | None, optional("RATE", "Share of members who use AI tools, 0 to 1.")] = None,
    scenario: Annotated[
        str | None,
        optional(
            "NAME",
            "Eight weeks of a small team that show one effect: {scenarios}; `orgs --scenarios` tells more.",
            completion.scenarios,
        ),
    ] = None,
    scale: Annotated[
        str | None,
        optional("NAME", "Members and pull requests as of: document, 2.8 million rows with --all."),
    ] = None,
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="A different number gives different data.")
    ] = DEFAULT_SEED,
    chunk_size: Annotated[int | None, optional("N", "Rows in a transaction.")] = None,
    catalog: Catalog = None,
    emails: Annotated[
        bool, typer.Option("--emails", help="Keep the real email addresses of commits.")
    ] = False,
    members_from: Annotated[
        str | None,
        optional(
            "KINDS", "Who is a member: authors,reviewers (default), one of these, or all who took part."
        ),
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch everything from GitHub again.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Take what was fetched from GitHub before.")
    ] = False,
    cache_dir: Annotated[
        Path | None,
        optional("FOLDER", "Caches of GitHub (default: in ~/.cache)."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="First remove what was seeded before.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Seed into a team that this package did not create.")
    ] = False,
    slug: Annotated[
        str | None, optional("SLUG", "The team's slug in the application (default: the application's own).")
    ] = None,
    login: Annotated[
        str | None,
        optional("EMAIL", f"Who can open the teams in the application (default: {DEFAULT_LOGIN})."),
    ] = None,
    no_login: Annotated[bool, typer.Option("--no-login", help="Make no user and no membership.")] = False,
    password: Annotated[
        str | None, optional("TEXT", "Password of a new user (better: TFORMANCE_PASSWORD).")
    ] = None,
    integrations: Annotated[
        str | None, optional("NAMES", "Integrations of the teams: jira. The application would call out.")
    ] = None,
    complete_onboarding: Annotated[
        bool, typer.Option("--complete-onboarding", help="End the onboarding of adopted teams.")
    ] = False,
    summaries: Annotated[
        str,
        typer.Option(
            metavar="generated|MODEL",
            help="Summaries of pull requests: generated, or by a language model at TFORMANCE_LLM_URL.",
        ),
    ] = GENERATED,
    max_tokens: Annotated[
        int | None, optional("N", "Tokens that all requests to the model may spend together.")
    ] = None,
    yes: Yes = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for other runs on an organisation, and for GitHub's limits.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")
    ] = False,
    detach: Detach = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Fill the database with organisations; a rerun changes nothing."""
    from tformance_seed.cli import organisation_views, run_views
    from tformance_seed.commands import seed as seeding
    from tformance_seed.commands.preview import count_foreign_teams, preview, preview_removals
    from tformance_seed.planning.access import Access
    from tformance_seed.planning.request import Options, Request
    from tformance_seed.storage.connection import is_remote

    hints.remember_typed(context)
    check_verbosity(quiet=quiet, verbose=verbose)
    if no_login and (login is not None or password is not None):
        given = "--password" if login is None else "--login"
        raise InputError(f"--no-login and {given} cannot be combined; choose one")
    access = Access(
        login=None if no_login else DEFAULT_LOGIN if login is None else login,
        password=settings.password() if password is None else password,
        integrations=tuple(name for name in (integrations or "").split(",") if name),
        complete_onboarding=complete_onboarding,
    )
    request = Request(
        organisations=organisations or (),
        everything=everything,
        source=source,
        repositories=repo or (),
        days=days,
        until=parse_day("--until", until),
        shift_to=parse_day("--shift-to", shift_to),
        members=members,
        prs=prs,
        adoption=adoption,
        scenario=scenario,
        scale=scale,
        seed=random_seed,
        emails=emails,
        catalog=catalog,
        members_from=members_from,
        cache_dir=cache_dir,
        refresh=refresh,
        offline=offline,
        patient=wait,
        options=Options(
            chunk_size=chunk_size,
            adopt=adopt,
            clear=clear,
            slug=slug,
            wait=wait,
            access=access,
            summaries=summaries,
            max_tokens=max_tokens,
        ),
    )
    begin_work()
    console.set_up_logging()
    with console.fetch_listener() as listener:
        planned = seeding.plan(replace(request, listener=listener), console.print_warning, broker=broker)
    if dry_run:
        with open_existing(database) as found:
            view = run_views.dry_run(preview(found, request, planned))
        console.show(view, as_json=as_json)
        return
    check_detach(broker, detach=detach)
    check_broker(broker)
    with open_database(database) as opened:
        removals = preview_removals(opened, request, planned)
        announce(opened, database)
        if removals:
            ask(*organisation_views.removal_question(removals), yes=yes, as_json=as_json)
        if is_remote(opened) and (foreign := count_foreign_teams(opened)):
            others = f"{foreign} teams that" if foreign > 1 else "a team that"
            ask(
                f"This database is on another host and holds {others} this package did not make. "
                "Write to it?",
                yes=yes,
                as_json=as_json,
            )
        with progress(workers=broker is not None) as show_progress:
            outcome = seeding.seed(
                opened, request, planned, broker=broker, detach=detach, progress=show_progress
            )
    view = run_views.detached(outcome) if detach else run_views.outcome(outcome, verbose=verbose)
    console.show(view, as_json=as_json)
    for note in outcome.notes:
        console.print_warning(note)
    raise_failures(outcome.failures)


def raise_failures(failures: Mapping[str, str]) -> None:
    """Raise SeedError with the first reason if any organisation failed."""
    if not failures:
        return
    (slug, reason), *more = failures.items()
    rest = f" (and {len(more)} more organisations failed)" if more else ""
    raise SeedError(f"{slug}: {reason}{rest}")


def worker(
    database: Database,
    broker: Broker,
    processes: Annotated[int | None, optional("N", "Processes; each serves all queues.")] = None,
    threads: Annotated[int | None, optional("N", "Threads in each process.")] = None,
    queues: Annotated[str | None, optional("NAMES", "Some of sync, compute, llm (default: all).")] = None,
    as_json: Json = False,
) -> None:
    """Run workers for the tasks that `seed --broker` sends.

    They run until they are stopped.
    """
    from tformance_seed.cli.objects import runs
    from tformance_seed.execution import supervisor
    from tformance_seed.urls import without_secrets

    if broker is None:
        raise InputError(
            "workers need a broker: add --broker redis://host:6379/0 or set TFORMANCE_BROKER_URL"
        )
    groups = supervisor.worker_groups(processes=processes, threads=threads, queues=queues)
    running = supervisor.Supervisor(groups, database=database, broker=broker)
    running.check_broker()
    if as_json:
        answer.set_result(runs.workers(without_secrets(broker), groups))
        answer.finish()
    sys.exit(running.run())
