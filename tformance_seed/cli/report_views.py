"""Show the report as tables, Markdown and JSON."""

from collections.abc import Mapping

from tformance_seed.cli.blocks import Table, View
from tformance_seed.cli.objects import inspections
from tformance_seed.report import Report
from tformance_seed.report.sections import format_note, sections


def report(report: Report, teams: Mapping[str, str]) -> View:
    """Show a report's sections as tables, followed by its notes.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    tables = [
        Table(section.title, section.headings, section.rows, section.right_aligned)
        for section in sections(report)
    ]
    return View(inspections.reported(report, teams), [*tables, *report.notes])


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
