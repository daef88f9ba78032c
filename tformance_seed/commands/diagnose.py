"""Diagnose a database and the workers' broker."""

import peewee

from tformance_seed.doctor import Overrides, Purpose, Report, examine


def diagnose(
    database: peewee.Database,
    url: str,
    overrides: Overrides,
    broker: str | None,
    purpose: Purpose | None = None,
) -> Report:
    """Examine a database, and its workers' broker if there is one; change nothing.

    Parameters:
      url: the URL of the database, for the report.
      broker: the URL of the broker; None: there are no workers.
      purpose: what the database is for; None: what it is probably for.
    """
    findings = None
    if broker is not None:
        from tformance_seed.execution.broker_health import check_broker

        findings = list(check_broker(broker))
    return examine(database, url, overrides, findings, purpose)
