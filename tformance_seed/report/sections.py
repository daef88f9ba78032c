"""The sections of a report: titled tables of formatted figures, as a terminal and a page show them."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tformance_seed.catalog.calibration import USAGE_FORMULA
from tformance_seed.report.figures import Database, Organisation, Report, Table, Usage

#: The text for an unknown figure.
UNKNOWN = "-"

#: Units for sizes as PostgreSQL defines them, each ``UNIT_FACTOR`` times the one before.
UNITS = ("bytes", "kB", "MB", "GB", "TB")
UNIT_FACTOR = 1_024


def format_text(value: str) -> str:
    """Return a text unchanged."""
    return value


def format_count(value: float) -> str:
    """Format a number without decimals."""
    return f"{value:,.0f}"


def format_hours(value: float) -> str:
    """Format hours with two decimals."""
    return f"{value:,.2f}"


def format_share(value: float) -> str:
    """Format a share, from 0 to 1, as a percentage with two decimals."""
    return f"{value:.2%}"


def format_size(value: float) -> str:
    """Format bytes in the largest unit that gives at least 1."""
    unit = 0
    while value >= UNIT_FACTOR and unit + 1 < len(UNITS):
        value, unit = value / UNIT_FACTOR, unit + 1
    return f"{value:,.1f} {UNITS[unit]}" if unit else f"{value:,.0f} {UNITS[0]}"


def format_day(value: datetime.date) -> str:
    """Format a date, or the date of a point in time."""
    return f"{value:%Y-%m-%d}"


def format_note(note: str) -> str:
    """Return a note as a sentence."""
    return f"{note[0].upper()}{note[1:]}."


@dataclass(frozen=True)
class Column:
    """A column of a section: its heading, the attribute that it shows, and its format."""

    heading: str
    attribute: str
    format: Callable[[Any], str] = format_text

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers, which are right-aligned."""
        return self.format not in (format_text, format_day)

    def cell(self, row: Any) -> str:
        """Return the column's formatted figure for a row."""
        value = getattr(row, self.attribute)
        return UNKNOWN if value is None else self.format(value)


DATABASE = (
    Column("database size", "bytes", format_size),
    Column("pull requests", "pull_requests", format_count),
    Column("size per pull request", "bytes_per_pull_request", format_size),
    Column("cache hit ratio", "cache_hit_ratio", format_share),
    Column("connections", "connections", format_count),
    Column("active connections", "active_connections", format_count),
)
TABLES = (
    Column("table", "table"),
    Column("rows", "rows", format_count),
    Column("heap", "heap_bytes", format_size),
    Column("indexes", "index_bytes", format_size),
    Column("total", "total_bytes", format_size),
    Column("bytes per row", "bytes_per_row", format_count),
)
ORGANISATIONS = (
    Column("organisation", "organisation"),
    Column("members", "members", format_count),
    Column("pull requests", "pull_requests", format_count),
    Column("merged", "merged", format_count),
    Column("with AI", "ai_share", format_share),
    Column("cycle hours, mean", "mean_cycle_hours", format_hours),
    Column("median", "median_cycle_hours", format_hours),
    Column("weeks", "weeks", format_count),
    Column("first week", "first_week", format_day),
    Column("last week", "last_week", format_day),
    Column("seeded", "seeded_at", format_day),
)
USAGE = (
    Column("organisation", "organisation"),
    Column("from", "since", format_day),
    Column("to", "until", format_day),
    Column("members", "members", format_count),
    Column("workdays", "workdays", format_count),
    Column("adoption", "adoption", format_share),
    Column("expected rows", "formula_rows", format_count),
    Column("rows", "rows", format_count),
    Column("implied adoption", "implied_adoption", format_share),
)

#: Titles for the section on tables, by whether rows were counted.
TABLES_TITLES = {True: "Tables", False: "Tables, with rows as the server estimates them (--exact counts)"}


@dataclass(frozen=True)
class Section:
    """A titled table of formatted cells; ``right_aligned`` has one entry per column."""

    title: str
    headings: Sequence[str]
    right_aligned: Sequence[bool]
    rows: Sequence[Sequence[str]]


def sections(report: Report) -> list[Section]:
    """Return a report's sections: database, tables, organisations, AI usage."""
    return [
        _database_section(report.database),
        _section(TABLES_TITLES[report.tables[0].exact], TABLES, report.tables),
        _section("Organisations", ORGANISATIONS, report.organisations),
        _section(_usage_title(report.usage), USAGE, report.usage),
    ]


def _usage_title(usage: Sequence[Usage]) -> str:
    """Return the formula as a title, with its result if every adoption is known."""
    title = f"AI usage: {USAGE_FORMULA}"
    known = [item.formula_rows for item in usage if item.formula_rows is not None]
    if not known or len(known) < len(usage):
        return title
    return f"{title} = {sum(known):,.0f} rows in all; there are {sum(item.rows for item in usage):,}"


def _database_section(database: Database) -> Section:
    title = f"{database.name}: {database.kind} {database.version}"
    rows = [(column.heading, column.cell(database)) for column in DATABASE]
    return Section(title, ("figure", "value"), (False, True), rows)


def _section(
    title: str, columns: Sequence[Column], rows: Sequence[Table] | Sequence[Organisation] | Sequence[Usage]
) -> Section:
    cells = [[column.cell(row) for column in columns] for row in rows]
    return Section(title, [c.heading for c in columns], [c.is_number for c in columns], cells)
