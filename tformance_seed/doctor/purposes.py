"""What a database is for, which decides how much a finding matters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

import peewee

from tformance_seed.bulk.peewee_internals import exists, table_name
from tformance_seed.doctor.tiers import TIERS, Tier
from tformance_seed.errors import InputError
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import SeedTeam, Team
from tformance_seed.storage.schema.create import knows_teams
from tformance_seed.storage.schema.findings import Finding, Name

Purpose = Literal["production", "demo", "load-test"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

#: Purpose -> the findings that are in order for it, whatever they say, unless they block seeding. A demo is
#: neither fast nor safe from crashes, and nobody keeps an eye on it; in a load test, rows of yesterday have
#: had no queries, and what the application's migrations create is not what is tested.
IN_ORDER: Mapping[Purpose, frozenset[Name]] = {
    "production": frozenset(),
    "demo": frozenset(
        {
            "setting",
            "setting-unsafe",
            "machine-unknown",
            "machine-small",
            "pooler",
            "read-replica",
            "cache-hit-ratio",
            "unused-index",
            "unused-application-index",
            "duplicate-index",
            "sequential-scans",
            "dead-rows",
            "forced-checkpoints",
            "statements-not-recorded",
            "statements-hidden",
            "slow-statement",
            "workers",
            "redis-eviction",
            "redis-persistence",
            "redis-hidden",
        }
    ),
    "load-test": frozenset(
        {"read-replica", "unused-index", "unused-application-index", "duplicate-index", "redis-persistence"}
    ),
}


def parse_purpose(text: str | None) -> Purpose | None:
    """Return the purpose that an option names; None if it is not given.

    Raises:
      InputError: there is no such purpose.
    """
    for purpose in PURPOSES:
        if text is not None and text.lower() == purpose:
            return purpose
    if text is None:
        return None
    raise InputError(f"--for {text}: expected {', '.join(PURPOSES[:-1])} or {PURPOSES[-1]}")


def likely_purpose(database: peewee.Database, tier: Tier) -> tuple[Purpose, str]:
    """Return what a database is probably for, and why: where a team is of others, it is taken seriously."""
    if not knows_teams(database) and table_name(SeedTeam) in table_names(database):
        return "production", "since what an older version seeded here is not known until `init`"
    if not knows_teams(database) or not exists(database, Team.select()):
        return "production", "since nothing here was seeded"
    own = SeedTeam.select(SeedTeam.team_id).where(SeedTeam.created_here)
    if exists(database, Team.select().where(Team.id.not_in(own))):
        return "production", "since some teams here were not seeded"
    if tier == TIERS[0]:
        return "demo", "since every team here was seeded"
    return "load-test", f"since every team here was seeded, and they are of tier {tier.name}"


def weighed(finding: Finding, purpose: Purpose) -> Finding:
    """Return a finding as it matters for a purpose."""
    if finding.severity != "error" and finding.name in IN_ORDER[purpose]:
        return replace(finding, severity="ok")
    return finding
