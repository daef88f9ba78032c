"""Run the doctor in this process, and pick findings by name."""

from collections.abc import Iterable

from tests.support.databases import connect
from tformance_seed import doctor
from tformance_seed.execution.broker_health import check_broker
from tformance_seed.storage.schema.findings import Finding


def examined(
    url: str, broker: str | None = None, purpose: doctor.Purpose | None = "production", **given: int
) -> doctor.Report:
    database = connect(url, access="read")
    try:
        found = list(check_broker(broker)) if broker is not None else None
        return doctor.examine(database, url, doctor.Overrides(**given), found, purpose)
    finally:
        database.close()


def findings(report: doctor.Report, section: str | None = None) -> list[Finding]:
    """Return the findings that need attention, of one section or of all."""
    return [
        finding
        for part in report.sections
        if section in (None, part.title)
        for finding in part.findings
        if finding.severity != "ok"
    ]


def only(found: Iterable[Finding], name: str, where: str = "") -> Finding:
    """Return the one finding of that name, about an object whose name contains ``where``."""
    (one,) = [finding for finding in found if finding.name == name and where in finding.where]
    return one


def none(found: Iterable[Finding], name: str, where: str = "") -> bool:
    return not [finding for finding in found if finding.name == name and where in finding.where]
