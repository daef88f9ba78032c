"""The commands that only read: `report` and `doctor`, and `schema`."""

from pathlib import Path
from typing import Annotated

import typer

from tformance_seed.cli import completion, console
from tformance_seed.cli.blocks import Line
from tformance_seed.cli.connections import open_database
from tformance_seed.cli.options import Broker, Database, Json, Organisations, optional
from tformance_seed.errors import InputError, SeedError


def report(
    database: Database,
    organisations: Organisations = None,
    exact: Annotated[bool, typer.Option("--exact", help="Count the rows of every table.")] = False,
    html: Annotated[Path | None, optional("FILE", "Write a standalone HTML report with charts.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    as_json: Json = False,
) -> None:
    """Show sizes, rows, organisations and AI usage."""
    if markdown and as_json:
        raise InputError("--markdown and --json exclude each other; choose one")
    from tformance_seed import ledger
    from tformance_seed.cli import report_views
    from tformance_seed.report import gather
    from tformance_seed.report.sections import format_size
    from tformance_seed.storage.transactions import snapshot

    if html is not None:
        try:
            from tformance_seed.report import page
        except ImportError as error:
            raise InputError("--html needs an extra: pip install 'tformance_seed[report]'") from error
        page.check(html)
    with open_database(database, "read") as opened, snapshot(opened):
        gathered = gather(opened, organisations or (), exact=exact)
        teams = ledger.team_slugs(opened)
        if html is not None:
            size = page.write(html, opened, gathered)
    if markdown:
        console.print_lines(map(Line, report_views.markdown(gathered)))
    elif html is not None and not as_json:
        console.print_message(f"wrote {html}, {format_size(size)}; open it in a browser")
    else:
        console.show(report_views.report(gathered, teams), as_json=as_json)


def doctor(
    database: Database,
    broker: Broker,
    ram: Annotated[str | None, optional("SIZE", "Memory of the server, such as 8GB.")] = None,
    cpus: Annotated[int | None, optional("N", "Processor cores of the server.")] = None,
    teams: Annotated[int | None, optional("N", "Teams to expect (default: those found).")] = None,
    purpose: Annotated[
        str | None,
        typer.Option(
            "--for",
            autocompletion=completion.purposes,
            metavar="production|demo|load-test",
            show_default=False,
            help="What the database is for, by which findings are weighed (default: production, unless every "
            "team was seeded: then demo, or load-test if there are many).",
        ),
    ] = None,
    as_sql: Annotated[bool, typer.Option("--sql", help="Print the remedies as a script for psql.")] = False,
    as_json: Json = False,
) -> None:
    """Diagnose schema, server and workers; suggest remedies.

    Changes nothing.
    """
    from tformance_seed.cli import doctor_views
    from tformance_seed.commands.diagnose import diagnose
    from tformance_seed.doctor import Overrides, parse_purpose, sql_script

    if as_sql and as_json:
        raise InputError("--sql and --json exclude each other; choose one")
    console.set_up_logging()
    overrides, meant_for = Overrides.parse(ram, cpus, teams), parse_purpose(purpose)
    with open_database(database, "read") as opened:
        examined = diagnose(opened, database, overrides, broker, meant_for)
    if as_sql:
        console.print_message(sql_script(examined).removesuffix("\n"))
    else:
        console.show(doctor_views.report(examined), as_json=as_json)
    if examined.errors:
        names = ", ".join(sorted({finding.name for finding in examined.errors}))
        raise SeedError(f"the database cannot be seeded as it is: {names}")


def schema(
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="Name of a command that has --json.")],
) -> None:
    """Print the JSON Schema of what a command prints with --json."""
    from tformance_seed.cli.objects.schema import RESULTS, schema_text

    if command not in RESULTS:
        raise InputError(f"no command {command} prints JSON; choose one of {', '.join(RESULTS)}")
    console.print_message(schema_text(command))
