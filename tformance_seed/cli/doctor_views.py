"""Show the doctor's report as text for a terminal, and as JSON."""

import itertools
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from tformance_seed.cli.blocks import Line, Paragraph, View
from tformance_seed.cli.objects import inspections
from tformance_seed.doctor import PURPOSES, Report
from tformance_seed.storage.schema.findings import Finding

#: Severity -> its style in a terminal, the worst severity first. Findings that are ok are not listed.
SEVERITY_STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "advice": {"fg": "cyan"},
}

#: The number of findings with the same name that are listed if there are at least two more. The rest are
#: counted; ``--json`` lists all of them.
MAX_LISTED = 8

#: The numbers of spaces before the heading of a group, before its findings, and before a finding's statement.
GROUP_INDENT, FINDING_INDENT, STATEMENT_INDENT = 2, 4, 8


def report(report: Report) -> View:
    """Show a report by section and severity; a section without anything to list takes one line."""
    return View(inspections.examined(report), list(_blocks(report)))


def _blocks(report: Report) -> Iterator[Paragraph | Line]:
    for section in report.sections:
        yield Line(label=section.title, text=f": {section.summary}")
        for severity in SEVERITY_STYLES:
            findings = [finding for finding in section.findings if finding.severity == severity]
            by_name = itertools.groupby(sorted(findings, key=attrgetter("name")), attrgetter("name"))
            for name, group in by_name:
                yield from _group(severity, name, list(group))
    others = " or ".join(purpose for purpose in PURPOSES if purpose != report.purpose)
    text = f": {report.purpose}, {report.why}; --for {others} weighs findings otherwise"
    yield Paragraph(text, "Purpose", {"bold": True})


def _group(severity: str, name: str, findings: list[Finding]) -> Iterator[Paragraph | Line]:
    """Show the findings with one name; if all have the same reason, give it only once, in the heading."""
    reasons = {finding.because for finding in findings}
    common = reasons.pop() if len(reasons) == 1 else ""
    heading = f" {name}: {common}" if common else f" {name}"
    yield Paragraph(heading, severity, SEVERITY_STYLES[severity], GROUP_INDENT)
    listed = findings if len(findings) <= MAX_LISTED + 1 else findings[:MAX_LISTED]
    for finding in listed:
        parts = (finding.state, "" if common else finding.because)
        yield Paragraph("; ".join(filter(None, parts)), indent=FINDING_INDENT)
        for line in (finding.statement or "").splitlines():
            yield Line(label=line, indent=STATEMENT_INDENT)
    if len(findings) > len(listed):
        rest = f"and {len(findings) - len(listed):,} more, which --json lists"
        yield Paragraph(rest, indent=FINDING_INDENT)
