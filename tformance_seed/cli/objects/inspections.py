"""The objects of the commands that read a database, and of the one that keeps a server up."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

from tformance_seed.cli.objects.shared import Slug, TeamSlug

if TYPE_CHECKING:
    from tformance_seed.doctor import Report as Examination
    from tformance_seed.report import Organisation, Report, Table, Usage
    from tformance_seed.storage.schema.findings import Finding as Found


class Statistics(TypedDict):
    """Figures of the whole database, whichever organisations were chosen."""

    bytes: Annotated[int, "size of the database"]
    pull_requests: Annotated[int, "pull requests in it"]
    bytes_per_pull_request: Annotated[float | None, "size for each pull request; null if there is none"]
    cache_hit_ratio: Annotated[float | None, "share of blocks that came from the cache; null on SQLite"]
    connections: Annotated[int | None, "connections to the database; null on SQLite"]
    active_connections: Annotated[int | None, "connections that run a statement; null on SQLite"]


class TableSize(TypedDict):
    """The rows and the size of a table."""

    table: Annotated[str, "name of the table"]
    rows: Annotated[int | None, "its rows"]
    exact: Annotated[bool, "whether they were counted; otherwise the server's estimate"]
    heap_bytes: Annotated[int | None, "size without indexes"]
    index_bytes: Annotated[int | None, "size of its indexes"]
    total_bytes: Annotated[int | None, "both"]
    bytes_per_row: Annotated[float | None, "both, for each row"]


class ReportedOrganisation(TypedDict):
    """An organisation, over all time."""

    organisation: Slug
    team: TeamSlug
    name: Annotated[str, "name"]
    members: Annotated[int, "people"]
    pull_requests: Annotated[int, "pull requests"]
    merged: Annotated[int, "merged pull requests"]
    ai_share: Annotated[float | None, "share of pull requests in which AI was found"]
    mean_cycle_hours: Annotated[float | None, "mean hours from creation to merge"]
    median_cycle_hours: Annotated[float | None, "median hours from creation to merge"]
    weeks: Annotated[int, "weeks in which a pull request was merged"]
    first_week: Annotated[datetime.date | None, "Monday of the first one"]
    last_week: Annotated[datetime.date | None, "Monday of the last one"]
    seeded_at: Annotated[datetime.datetime | None, "when it was last seeded; null if it was not seeded here"]
    origin: Annotated[
        str,
        "where its rows come from: `simulated`; `history` with simulated parts; `adopted`, beside rows that "
        "were there before; `unknown`, not made by this package",
    ]


class UsageRows(TypedDict):
    """An organisation's rows of daily AI usage, compared with the formula for them."""

    organisation: Slug
    team: TeamSlug
    since: Annotated[datetime.date | None, "first day of AI usage"]
    until: Annotated[datetime.date | None, "last day"]
    shift_weeks: Annotated[int, "weeks by which `--shift-to` moved the organisation's history; 0 without"]
    members: Annotated[int, "people"]
    workdays: Annotated[int, "days from Monday to Friday"]
    rows: Annotated[int, "rows of daily AI usage"]
    adoption: Annotated[
        float | None,
        "share of people who use AI tools, as the ledger has it; null if it was not seeded here",
    ]
    formula_rows: Annotated[float | None, "members x workdays x 0.85 x adoption"]
    implied_adoption: Annotated[float | None, "adoption that the rows imply"]


class Reported(TypedDict):
    """What is in a database."""

    statistics: Annotated[Statistics, "figures of the whole database"]
    tables: Annotated[list[TableSize], "tables"]
    organisations: Annotated[list[ReportedOrganisation], "organisations"]
    usage: Annotated[list[UsageRows], "daily AI usage, by organisation"]
    notes: Annotated[list[str], "remarks, such as what cannot be known"]


class Machine(TypedDict):
    """The machine of a database server."""

    memory: Annotated[int, "the server's memory"]
    cores: Annotated[int, "its processor cores"]
    known_from: Annotated[str, "how they are known"]
    assumed: Annotated[bool, "whether one of them had to be assumed"]


class Finding(TypedDict):
    """What one check found."""

    name: Annotated[str, "[name of the finding](findings.md)"]
    severity: Annotated[str, "`error`, `warning`, `advice` or `ok`"]
    where: Annotated[str, "table, column, setting or queue"]
    now: Annotated[str, "what it is"]
    recommended: Annotated[str, "what it should be; empty where none can be named"]
    why: Annotated[str, "why it matters"]
    todo: Annotated[str, "what to do"]
    statement: Annotated[str | None, "SQL or a command that does it, or null"]
    safe: Annotated[bool, "whether the statement removes nothing"]


class Section(TypedDict):
    """Findings about one subject."""

    section: Annotated[str, "`schema`, `server`, `health` or `workers`"]
    summary: Annotated[str, "its state in one line"]
    findings: Annotated[list[Finding], "findings"]


class Examined(TypedDict):
    """Whether a database is ready."""

    fit: Annotated[bool, "whether it can be seeded"]
    purpose: Annotated[
        Literal["production", "demo", "load-test"],
        "what findings are weighed for",
    ]
    tier: Annotated[str, "`starter`, `growth` or `scale`"]
    teams: Annotated[int, "teams, found or expected"]
    pull_requests: Annotated[int, "pull requests found"]
    machine: Annotated[Machine | None, "the server's machine; null on SQLite"]
    sections: Annotated[list[Section], "findings, by subject"]


class Served(TypedDict):
    """What is up."""

    folder: Annotated[str, "where the server keeps its data"]
    url: Annotated[str, "its URL for other programs, with the password"]


def reported(report: "Report", teams: Mapping[str, str]) -> Reported:
    """Return the object for a report.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    database = report.database
    return {
        "statistics": {
            "bytes": database.bytes,
            "pull_requests": database.pull_requests,
            "bytes_per_pull_request": database.bytes_per_pull_request,
            "cache_hit_ratio": database.cache_hit_ratio,
            "connections": database.connections,
            "active_connections": database.active_connections,
        },
        "tables": [_table(table) for table in report.tables],
        "organisations": [_organisation(each, teams) for each in report.organisations],
        "usage": [_usage(each, teams) for each in report.usage],
        "notes": list(report.notes),
    }


def _table(table: "Table") -> TableSize:
    return {
        "table": table.table,
        "rows": table.rows,
        "exact": table.exact,
        "heap_bytes": table.heap_bytes,
        "index_bytes": table.index_bytes,
        "total_bytes": table.total_bytes,
        "bytes_per_row": table.bytes_per_row,
    }


def _organisation(each: "Organisation", teams: Mapping[str, str]) -> ReportedOrganisation:
    team = {"team": teams.get(each.organisation)}
    return cast("ReportedOrganisation", dataclasses.asdict(each) | team)


def _usage(each: "Usage", teams: Mapping[str, str]) -> UsageRows:
    return cast("UsageRows", dataclasses.asdict(each) | {"team": teams.get(each.organisation)})


def examined(examination: "Examination") -> Examined:
    """Return the object for an examination."""
    machine = examination.machine
    return {
        "fit": not examination.errors,
        "purpose": examination.purpose,
        "tier": examination.tier,
        "teams": examination.teams,
        "pull_requests": examination.pull_requests,
        "machine": None if machine is None else cast("Machine", dataclasses.asdict(machine)),
        "sections": [
            {
                "section": section.title.lower(),
                "summary": section.summary,
                "findings": [_finding(finding) for finding in section.findings],
            }
            for section in examination.sections
        ],
    }


def _finding(finding: "Found") -> Finding:
    return cast("Finding", dataclasses.asdict(finding))
