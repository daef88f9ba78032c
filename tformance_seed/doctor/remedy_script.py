"""Write the statements in a report as a script for psql."""

from collections.abc import Iterator

from tformance_seed.doctor.examination import Report, Section
from tformance_seed.doctor.server import RELOAD, RESTART

#: Sections whose statements are SQL.
SECTIONS = ("Schema", "Server", "Health")


def sql_script(report: Report) -> str:
    """Return the statements that remedy the findings; those that need a decision first are commented out.

    Run the script in psql outside a transaction, since ALTER SYSTEM and VACUUM are not allowed in one.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    sections = [section for section in report.sections if section.title in SECTIONS]
    todo = [finding for section in sections for finding in section.findings if finding.statement]
    yield f"-- {_line(report.database)}, for psql; not inside a transaction."
    yield "-- Statements behind -- are to be considered first; remove the two dashes to run them."
    for section in sections:
        yield from _section(section)
    if any(finding.todo == RELOAD for finding in todo if finding.safe):
        yield "\nSELECT pg_reload_conf();"
    if waiting := [finding.where for finding in todo if finding.todo == RESTART]:
        yield f"\n-- After a restart of the server: {', '.join(waiting)}"
    if not todo:
        yield "-- Nothing to do."


def _section(section: Section) -> Iterator[str]:
    findings = [finding for finding in section.findings if finding.statement]
    if findings:
        yield f"\n-- {section.title}: {_line(section.summary)}"
    for finding in findings:
        yield f"-- {_line(f'{finding.state}; {finding.because}')}"
        for line in (finding.statement or "").splitlines():
            yield line if finding.safe else f"-- {line}"


def _line(text: str) -> str:
    """Return text on one line: psql would run a second line, which the comment mark does not cover."""
    return " ".join(text.split())
