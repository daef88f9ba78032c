"""A report for people: tables on a terminal, or in Markdown. Both print the same cells."""

import dataclasses
import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tformance_seed.cli.tables import table
from tformance_seed.report.figures import Database, Organisation, Report, Table, Usage

#: What stands for a figure that is not known.
UNKNOWN = "-"

#: Units of sizes as PostgreSQL counts them: each is 1,024 of the one before.
UNITS = ("bytes", "kB", "MB", "GB", "TB")

#: Of a unit, the least that is shown in the next one.
LEAST = 1_024


def plain(value: str) -> str:
    """A text as it is."""
    return value


def whole(value: float) -> str:
    """A number without decimals."""
    return f"{value:,.0f}"


def hours(value: float) -> str:
    """Hours, to the hundredth."""
    return f"{value:,.2f}"


def share(value: float) -> str:
    """A share of 1 in percent, to the hundredth."""
    return f"{value:.2%}"


def size(value: float) -> str:
    """Bytes in the greatest unit of which there is at least one."""
    unit = 0
    while value >= LEAST and unit + 1 < len(UNITS):
        value, unit = value / LEAST, unit + 1
    return f"{value:,.1f} {UNITS[unit]}" if unit else f"{value:,.0f} {UNITS[0]}"


def day(value: datetime.date) -> str:
    """A day, or the day of a moment."""
    return f"{value:%Y-%m-%d}"


@dataclass(frozen=True)
class Column:
    """A figure under its heading: an attribute, and how it is written."""

    heading: str
    attribute: str
    written: Callable[[Any], str] = plain

    @property
    def is_number(self) -> bool:
        """Whether it stands to the right."""
        return self.written not in (plain, day)

    def cell(self, row: Any) -> str:
        """The figure as text."""
        value = getattr(row, self.attribute)
        return UNKNOWN if value is None else self.written(value)


DATABASE = (
    Column("database size", "bytes", size),
    Column("pull requests", "pull_requests", whole),
    Column("size per pull request", "bytes_per_pull_request", size),
    Column("cache hit ratio", "cache_hit_ratio", share),
    Column("connections", "connections", whole),
    Column("active connections", "active_connections", whole),
)
TABLES = (
    Column("table", "table"),
    Column("rows", "rows", whole),
    Column("heap", "heap_bytes", size),
    Column("indexes", "index_bytes", size),
    Column("total", "total_bytes", size),
    Column("bytes a row", "bytes_per_row", whole),
)
ORGANISATIONS = (
    Column("organisation", "organisation"),
    Column("members", "members", whole),
    Column("pull requests", "pull_requests", whole),
    Column("merged", "merged", whole),
    Column("with AI", "ai_share", share),
    Column("cycle hours, mean", "mean_cycle_hours", hours),
    Column("median", "median_cycle_hours", hours),
    Column("weeks", "weeks", whole),
    Column("first week", "first_week", day),
    Column("last week", "last_week", day),
    Column("seeded", "seeded_at", day),
)
USAGE = (
    Column("organisation", "organisation"),
    Column("from", "since", day),
    Column("to", "until", day),
    Column("members", "members", whole),
    Column("workdays", "workdays", whole),
    Column("adoption", "adoption", share),
    Column("rows by the formula", "formula_rows", whole),
    Column("rows", "rows", whole),
    Column("adoption they imply", "implied_adoption", share),
)

#: By whether rows were counted.
TABLES_TITLES = {True: "Tables", False: "Tables, with rows as the server estimates them (--exact counts)"}


@dataclass(frozen=True)
class Section:
    """A table under a title: headings, whether each stands to the right, and rows of cells."""

    title: str
    headings: Sequence[str]
    right: Sequence[bool]
    rows: Sequence[Sequence[str]]


def sections(report: Report) -> list[Section]:
    """The tables of a report."""
    return [
        _facts(report.database),
        _section(TABLES_TITLES[report.tables[0].exact], TABLES, report.tables),
        _section("Organisations", ORGANISATIONS, report.organisations),
        _section(_usage_title(report.usage), USAGE, report.usage),
    ]


def _usage_title(usage: Sequence[Usage]) -> str:
    """The formula; and what it comes to, where every adoption is known."""
    title = "AI usage: members x workdays x 0.85 x adoption"
    known = [item.formula_rows for item in usage if item.formula_rows is not None]
    if not known or len(known) < len(usage):
        return title
    return f"{title} = {sum(known):,.0f} rows in all; there are {sum(item.rows for item in usage):,}"


def _facts(database: Database) -> Section:
    title = f"{database.name}: {database.kind} {database.version}"
    rows = [(column.heading, column.cell(database)) for column in DATABASE]
    return Section(title, ("what", "figure"), (False, True), rows)


def _section(
    title: str, columns: Sequence[Column], rows: Sequence[Table] | Sequence[Organisation] | Sequence[Usage]
) -> Section:
    cells = [[column.cell(row) for column in columns] for row in rows]
    return Section(title, [c.heading for c in columns], [c.is_number for c in columns], cells)


def show(report: Report) -> None:
    """Print it for a terminal, or unbroken where that is none."""
    for section in sections(report):
        table(section.title, section.headings, section.rows, section.right)
    for note in report.notes:
        print(note)


def show_markdown(report: Report) -> None:
    """Print it in Markdown."""
    print("\n".join(markdown(report)))


def markdown(report: Report) -> list[str]:
    """Its lines in Markdown."""
    lines = []
    for section in sections(report):
        rules = ["---:" if right else "---" for right in section.right]
        lines += [f"## {_escaped(section.title)}", ""]
        lines += [f"| {' | '.join(map(_escaped, row))} |" for row in (section.headings, rules, *section.rows)]
        lines.append("")
    return lines + [sentence(note) for note in report.notes]


def sentence(note: str) -> str:
    """A note as it stands among other sentences."""
    return f"{note[0].upper()}{note[1:]}."


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")


def show_json(report: Report) -> None:
    """Print it as one JSON object."""
    values = dataclasses.asdict(report)
    values["database"]["bytes_per_pull_request"] = report.database.bytes_per_pull_request
    for row, values_of in zip(report.tables, values["tables"], strict=True):
        values_of |= {"total_bytes": row.total_bytes, "bytes_per_row": row.bytes_per_row}
    print(json.dumps(values, indent=2, default=str))
