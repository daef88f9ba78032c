"""The whole examination of a database: its sections, and the code that they share."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, table_name
from tformance_seed.doctor import health, server, slow_statements
from tformance_seed.doctor.machine import Overrides, detect_machine
from tformance_seed.doctor.purposes import Purpose, likely_purpose, weighed
from tformance_seed.doctor.server import format_setting
from tformance_seed.doctor.tiers import RULES, Machine, Tier, tier_for
from tformance_seed.doctor.workers import recommended_workers
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, PullRequest, Team
from tformance_seed.storage.schema import differences, missing_privileges
from tformance_seed.storage.schema.findings import Finding
from tformance_seed.storage.transactions import snapshot
from tformance_seed.urls import without_secrets

#: Returns a finding as it matters for what the database is for.
Weigh = Callable[[Finding], Finding]

#: Findings whose figures appear in the summary, whatever their severity.
SUMMARISED = ("cache-hit-ratio", "connections")


@dataclass(frozen=True)
class Section:
    """Findings about one subject, and a one-line summary."""

    title: str
    summary: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """The result of an examination; ``machine`` is the database server's machine, or None for SQLite.

    ``purpose`` is what findings are weighed for, and ``why`` says how that is known.
    """

    database: str
    tier: str
    teams: int
    pull_requests: int
    machine: Machine | None
    sections: list[Section]
    purpose: Purpose = "production"
    why: str = ""

    @property
    def errors(self) -> list[Finding]:
        """The findings that block seeding."""
        return [
            finding
            for section in self.sections
            for finding in section.findings
            if finding.severity == "error"
        ]


def examine(
    database: peewee.Database,
    url: str,
    overrides: Overrides,
    broker_findings: Sequence[Finding] | None = None,
    purpose: Purpose | None = None,
) -> Report:
    """Examine a database in a read-only transaction.

    Parameters:
      url: the URL of the database, for the report.
      broker_findings: findings about the workers' broker; None: it was not examined.
      purpose: what the database is for; None: what it is probably for.
    """
    why = "as given"
    with snapshot(database):
        teams, pull_requests = overrides.teams or _count(database, Team), _pull_requests(database)
        tier = tier_for(teams, pull_requests)
        if purpose is None:
            purpose, why = likely_purpose(database, tier)
        weigh = partial(weighed, purpose=purpose)
        sections, host = [_schema(database)], None
        if is_postgresql(database):
            host = detect_machine(database, overrides, tier)
            load = f"{_count_of(teams, 'team')}, {_count_of(pull_requests, 'pull request')}: tier {tier.name}"
            sections += _server(database, tier, host, load, weigh)
    sections.append(_workers(broker_findings, tier, teams, weigh, useful=is_postgresql(database)))
    return Report(without_secrets(url), tier.name, teams, pull_requests, host, sections, purpose, why)


def _schema(database: peewee.Database) -> Section:
    findings = [*differences(database), *missing_privileges(database)]
    if not table_names(database):
        return Section("Schema", "no tables yet; seeding creates them", findings)
    errors = sum(finding.severity == "error" for finding in findings)
    differs = f"{_count_of(len(findings), 'difference')}, of which {errors} block seeding"
    return Section("Schema", differs if findings else f"as expected, {len(APPLICATION)} tables", findings)


def _server(
    database: peewee.Database, tier: Tier, host: Machine, load: str, weigh: Weigh
) -> Iterator[Section]:
    session = server.session_info(database)
    findings = [weigh(finding) for finding in server.check(database, session, host, tier)]
    accepted = sum(finding.name == "setting" and finding.severity == "ok" for finding in findings)
    yield Section(
        "Server",
        f"PostgreSQL {session.version // 10000}.{session.version % 10000}; "
        f"{format_setting(host.memory, 'B')}, {host.cores} cores ({host.known_from}), SSD assumed; {load}; "
        f"{accepted} of {len(RULES)} settings as recommended",
        findings,
    )
    names = [table_name(model) for model in APPLICATION]
    checks = (health.check, slow_statements.check)
    findings = [weigh(finding) for check in checks for finding in check(database, session, names)]
    bad = sum(finding.severity != "ok" for finding in findings)
    facts = [finding.now for finding in findings if finding.name in SUMMARISED]
    summary = _count_of(bad, "thing") + " to look at" if bad else "good"
    yield Section("Health", "; ".join([summary, *facts]), findings)


def _count_of(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _workers(
    broker_findings: Sequence[Finding] | None, tier: Tier, teams: int, weigh: Weigh, *, useful: bool
) -> Section:
    findings = [weigh(finding) for finding in recommended_workers(tier, teams)] if useful else []
    size = f"tier {tier.name}" if useful else "SQLite has one writer at a time, so workers gain nothing"
    if broker_findings is None:
        return Section("Workers", f"{size}; no broker was named, so none was examined", findings)
    facts = [f"{finding.where} {finding.now}" for finding in broker_findings if finding.name == "queue"]
    return Section("Workers", "; ".join([size, *facts]), [*findings, *map(weigh, broker_findings)])


def _count(database: peewee.Database, model: type[peewee.Model]) -> int:
    """Count the rows of a table; return 0 if it is missing or unreadable, as the schema section reports."""
    if table_name(model) not in table_names(database):
        return 0
    with contextlib.suppress(peewee.ProgrammingError), database.atomic():
        return model.select().count(database)
    return 0


def _pull_requests(database: peewee.Database) -> int:
    """Return the planner's estimate of the number of pull requests, or without one, count them.

    Counting millions of rows is slow.
    """
    if is_postgresql(database):
        estimate = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)"
        row = execute_sql(database, estimate, (table_name(PullRequest),)).fetchone()
        if row and row[0] > 0:
            return int(row[0])
    return _count(database, PullRequest)
