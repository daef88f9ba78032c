"""The commands for organisations and their tables: `orgs`, `preview`, `init`, `weekly`, `verify`, `clear`."""

import datetime
from typing import Annotated

import typer

from tformance_seed.cli import completion, console
from tformance_seed.cli.connections import announce, ask, open_database
from tformance_seed.cli.options import (
    ORGANISATION,
    Catalog,
    Database,
    Days,
    Json,
    Organisations,
    Until,
    Wait,
    Yes,
    optional,
    parse_day,
)
from tformance_seed.errors import SeedError
from tformance_seed.settings import DEFAULT_DAYS, DEFAULT_SEED


def orgs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD]...",
            help="Only those with these words in slug, name, industry or repositories.",
            show_default=False,
        ),
    ] = None,
    scenarios: Annotated[bool, typer.Option("--scenarios", help="List the scenarios alone.")] = False,
    catalog: Catalog = None,
    days: Days = None,
    as_json: Json = False,
) -> None:
    """List the catalogue's organisations and the scenarios."""
    from tformance_seed.catalog.organisations import load_organisations, search
    from tformance_seed.catalog.scenarios import load_scenarios
    from tformance_seed.cli import organisation_views

    known = load_organisations(catalog)
    found = search(known, words or ())
    shown = load_scenarios() if scenarios or not words else {}
    view = organisation_views.catalogue({} if scenarios else found, shown, days or DEFAULT_DAYS)
    console.show(view, as_json=as_json, paged=True)
    if not found:
        console.print_notice(organisation_views.nothing_found(words or (), known))


def preview(
    organisation: Annotated[
        str,
        typer.Argument(
            metavar="ORG", help="Slug of an organisation.", autocompletion=completion.organisations
        ),
    ],
    week: Annotated[
        str | None, optional("DATE", "Any day of the week to show (default: the last week that is over).")
    ] = None,
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="A different number gives different data.")
    ] = DEFAULT_SEED,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Show a week of an organisation's pull requests.

    No database is needed.
    """
    from tformance_seed.cli import week_view
    from tformance_seed.commands.week import show_week

    now = datetime.datetime.now(datetime.UTC)
    monday, shown = show_week(organisation, parse_day("--week", week), random_seed, catalog, now)
    console.show(week_view.week(organisation, monday, shown), as_json=as_json)


def init(database: Database, as_json: Json = False) -> None:
    """Create missing tables, with all keys and indexes.

    Existing tables stay as they are.
    """
    from tformance_seed.cli import organisation_views
    from tformance_seed.storage.schema.create import create_missing

    with open_database(database) as opened:
        announce(opened, database)
        created = create_missing(opened)
    console.show(organisation_views.created(created), as_json=as_json)


def weekly(
    database: Database,
    organisations: Organisations = None,
    days: Days = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Recompute weekly metrics, by default of all organisations."""
    from tformance_seed import ledger
    from tformance_seed.cli import organisation_views
    from tformance_seed.commands import maintain

    last_day = parse_day("--until", until)
    with open_database(database, "write") as opened:
        chosen = list(maintain.find_own_teams(opened, organisations or ()))
        announce(opened, database)
        results = maintain.recompute_weekly(opened, chosen, days, last_day)
        view = organisation_views.weekly(results, ledger.team_slugs(opened))
    console.show(view, as_json=as_json)


def verify(
    database: Database,
    organisations: Organisations = None,
    as_json: Json = False,
) -> None:
    """Check the data, and print digests of its content."""
    from tformance_seed import ledger
    from tformance_seed.cli import organisation_views
    from tformance_seed.commands import maintain

    with open_database(database, "read") as opened:
        reports = maintain.verify_teams(opened, organisations or ())
        view = organisation_views.verified(reports, ledger.team_slugs(opened))
    console.show(view, as_json=as_json)
    if unfinished := ", ".join(report.organisation for report in reports if report.unfinished):
        raise SeedError(
            f"{unfinished}: a run is unfinished, so rows may be missing; let it finish or repeat its "
            "command, then verify again"
        )
    if inconsistent := ", ".join(report.organisation for report in reports if report.violations):
        raise SeedError(f"{inconsistent}: the data is inconsistent; see above")


def clear(
    database: Database,
    organisations: Annotated[list[str], typer.Argument(metavar="ORG...", **ORGANISATION)],
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Also clear adopted teams; the teams themselves stay."),
    ] = False,
    including: Annotated[
        str | None,
        optional("NAMES", "Also rows that others added, such as notes,memberships,members."),
    ] = None,
    yes: Yes = False,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Remove what was seeded for organisations, after confirmation.

    Rows that others added to a team stay, and the team with them.
    """
    from tformance_seed import ledger
    from tformance_seed.cli import organisation_views
    from tformance_seed.commands import maintain

    names = [name for name in (including or "").split(",") if name]
    with open_database(database, "write") as opened:
        planned = maintain.preview_clear(opened, organisations, names, adopt=adopt)
        if planned:
            announce(opened, database)
            ask(*organisation_views.removal_question(planned), yes=yes, as_json=as_json)
        teams = ledger.team_slugs(opened)
        removed = maintain.clear_teams(opened, list(planned), names, wait=wait)
    console.show(organisation_views.cleared(removed, organisations, teams), as_json=as_json)
