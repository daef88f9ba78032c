"""Show the report as tables, Markdown and JSON."""

import dataclasses
from typing import Any

from tformance_seed.cli.blocks import Table, View
from tformance_seed.report import Report
from tformance_seed.report.sections import format_note, sections


def report(report: Report) -> View:
    """Show a report's sections as tables, followed by its notes."""
    tables = [
        Table(section.title, section.headings, section.rows, section.right_aligned)
        for section in sections(report)
    ]
    return View(_data(report), [*tables, *report.notes])


def _data(report: Report) -> dict[str, Any]:
    values = dataclasses.asdict(report)
    values["database"]["bytes_per_pull_request"] = report.database.bytes_per_pull_request
    for table, table_values in zip(report.tables, values["tables"], strict=True):
        table_values |= {"total_bytes": table.total_bytes, "bytes_per_row": table.bytes_per_row}
    return values


def markdown(report: Report) -> list[str]:
    """Return the lines of a report as Markdown."""
    lines = []
    for section in sections(report):
        rules = ["---:" if right else "---" for right in section.right_aligned]
        rows = (section.headings, rules, *section.rows)
        lines += [f"## {_escape(section.title)}", ""]
        lines += [f"| {' | '.join(map(_escape, row))} |" for row in rows]
        lines.append("")
    return [*lines, *map(format_note, report.notes)]


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")
