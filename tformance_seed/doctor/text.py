"""A report as a person reads it in a terminal, and as one JSON object."""

import dataclasses
import itertools
import json
import sys
from operator import attrgetter

from rich.console import Console
from rich.text import Text

from tformance_seed.doctor.examination import Report
from tformance_seed.storage.schema.findings import Finding

#: Severities by weight, and how each looks in a terminal. What is fine is counted, not shown.
STYLES = {"stops": "bold red", "warns": "yellow", "advises": "cyan"}

#: Findings of one kind that are shown; the rest is counted, and ``--json`` has it.
SHOWN = 8

#: Columns of an output that is no terminal. A section's own line and statements are never broken.
WIDE = 120

#: Blanks before a line that goes on with the one above.
HANGING = 6


def show(report: Report) -> None:
    """Print a report, grouped; one line for a section in which all is well."""
    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)
    for section in report.sections:
        console.print(Text.assemble((section.title, "bold"), f": {section.summary}"), soft_wrap=True)
        for severity, style in STYLES.items():
            found = [finding for finding in section.findings if finding.severity == severity]
            by_name = itertools.groupby(sorted(found, key=attrgetter("name")), attrgetter("name"))
            for name, same in by_name:
                _group(console, Text.assemble((severity, style), f" {name}"), list(same))


def _group(console: Console, heading: Text, findings: list[Finding]) -> None:
    """Findings of one name; why they matter once in front, where it is the same for all."""
    common = findings[0].because if len({finding.because for finding in findings}) == 1 else ""
    if common:
        heading.append(f": {common}")
    _print(console, heading, indent=2)
    shown = findings if len(findings) <= SHOWN + 1 else findings[:SHOWN]
    for finding in shown:
        parts = (finding.state, "" if common else finding.because)
        _print(console, Text("; ".join(filter(None, parts))), indent=4)
        for line in (finding.statement or "").splitlines():
            console.print(" " * 8 + line, style="bold", markup=False, soft_wrap=True)
    if len(findings) > len(shown):
        rest = f"and {len(findings) - len(shown):,} more, which --json names"
        _print(console, Text(rest), indent=4)


def _print(console: Console, text: Text, indent: int) -> None:
    """Text, broken between words and indented."""
    for line in text.wrap(console, console.width - HANGING):
        line.rstrip()
        console.print(Text(" " * indent) + line)
        indent = HANGING


def as_json(report: Report) -> str:
    """A report as one JSON object."""
    return json.dumps(
        {
            "fit": not report.stops,
            "database": report.database,
            "tier": report.tier,
            "teams": report.teams,
            "pull_requests": report.pull_requests,
            "machine": report.machine and dataclasses.asdict(report.machine),
            "sections": {
                section.title.lower(): {
                    "summary": section.summary,
                    "findings": [dataclasses.asdict(finding) for finding in section.findings],
                }
                for section in report.sections
            },
        },
        indent=2,
    )
