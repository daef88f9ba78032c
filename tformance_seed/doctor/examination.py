"""The whole examination: which sections there are, and what they are told of each other."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.doctor import health, server
from tformance_seed.doctor import slow_statements as statements
from tformance_seed.doctor import worker_checks as workers
from tformance_seed.doctor.machine import Given, machine
from tformance_seed.doctor.server import shown
from tformance_seed.doctor.tiers import Machine, Tier, tier_for
from tformance_seed.storage import schema as contract
from tformance_seed.storage.connection import redacted
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, PullRequest, Team
from tformance_seed.storage.schema.findings import Finding
from tformance_seed.storage.transactions import reading

#: Findings whose figures are worth a line where all is well too.
SAID_OF_HEALTH = ("cache-hit-ratio", "connections")


@dataclass(frozen=True)
class Section:
    """What was looked at together, and what it comes to where all is well."""

    title: str
    summary: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """Everything found out about a database (``machine``: its server's; None for SQLite) and its workers."""

    database: str
    tier: str
    teams: int
    pull_requests: int
    machine: Machine | None
    sections: list[Section]

    @property
    def stops(self) -> list[Finding]:
        """What keeps the database from being seeded."""
        return [
            finding
            for section in self.sections
            for finding in section.findings
            if finding.severity == "stops"
        ]


def examine(database: peewee.Database, url: str, broker: str | None, given: Given) -> Report:
    """Look at everything, in a transaction that cannot write.

    Parameters:
      broker: the workers' broker; None: say only how many workers are needed.
    Raises:
      InputError: the broker's URL is malformed.
    """
    with reading(database):
        teams, pull_requests = given.teams or _count(database, Team), _pull_requests(database)
        tier = tier_for(teams, pull_requests)
        sections, host = [_schema(database)], None
        if is_postgresql(database):
            host = machine(database, given, tier)
            load = f"{_many(teams, 'team')}, {_many(pull_requests, 'pull request')}: tier {tier.name}"
            sections += _server(database, tier, host, load)
    sections.append(_workers(broker, tier, teams, useful=is_postgresql(database)))
    return Report(redacted(url), tier.name, teams, pull_requests, host, sections)


def _schema(database: peewee.Database) -> Section:
    found = [*contract.differences(database), *contract.missing_rights(database)]
    if not table_names(database):
        return Section("Schema", "no tables yet; seeding makes them", found)
    stopping = sum(finding.severity == "stops" for finding in found)
    differs = f"differences: {len(found)}, of which stop seeding: {stopping}"
    return Section("Schema", differs if found else f"fits, {len(APPLICATION)} tables", found)


def _server(database: peewee.Database, tier: Tier, host: Machine, load: str) -> Iterator[Section]:
    who = server.standing(database)
    found = list(server.check(database, who, host, tier))
    fitting = sum(finding.name == "setting" and finding.severity == "fine" for finding in found)
    yield Section(
        "Server",
        f"PostgreSQL {who.version // 10000}.{who.version % 10000}; {shown(host.memory, 'B')}, "
        f"{host.cores} cores ({host.known_from}), SSD assumed; {load}; "
        f"{fitting} of {len(server.RULES)} settings fit",
        found,
    )
    names = [model._meta.table_name for model in (*APPLICATION, *LEDGER)]
    found = [*health.check(database, who, names), *statements.check(database, who, names)]
    bad = sum(finding.severity != "fine" for finding in found)
    facts = [finding.now for finding in found if finding.name in SAID_OF_HEALTH]
    yield Section("Health", "; ".join([f"{bad} things to look at" if bad else "well", *facts]), found)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _workers(broker: str | None, tier: Tier, teams: int, *, useful: bool) -> Section:
    found = list(workers.recommended(tier, teams)) if useful else []
    size = f"tier {tier.name}" if useful else "SQLite takes one writer at a time, so several gain nothing"
    if broker is None:
        return Section("Workers", f"{size}; no broker was named, so none was asked", found)
    asked = list(workers.check(broker))
    facts = [f"{finding.where} {finding.now}" for finding in asked if finding.name == "queue"]
    return Section("Workers", "; ".join([size, *facts]), [*found, *asked])


def _count(database: peewee.Database, model: type[peewee.Model]) -> int:
    """Rows of a table; 0 where it is missing or may not be read, as the schema's findings say then."""
    if model._meta.table_name not in table_names(database):
        return 0
    with contextlib.suppress(peewee.ProgrammingError), database.atomic():
        return model.select().count(database)
    return 0


def _pull_requests(database: peewee.Database) -> int:
    """Pull requests as the planner knows them, since counting millions takes its time; else counted."""
    if is_postgresql(database):
        name = PullRequest._meta.table_name
        row = database.execute_sql(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (name,)
        ).fetchone()
        if row and row[0] > 0:
            return row[0]
    return _count(database, PullRequest)
