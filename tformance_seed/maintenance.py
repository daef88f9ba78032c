"""What can be done with data that was seeded: weekly metrics anew, verification, removal."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field

import peewee

from tformance_seed import ledger, verify
from tformance_seed.database import organisation_lock
from tformance_seed.errors import InputError
from tformance_seed.metrics import extent, weekly_metrics
from tformance_seed.models import SeedTeam, Team
from tformance_seed.upsert import Result


@dataclass
class Verified:
    """The state of one organisation: rows and digest by table, and what does not agree."""

    organisation: str
    tables: dict[str, verify.TableDigest]
    digest: str
    violations: list[verify.Violation] = field(default_factory=list)


def teams(database: peewee.Database, slugs: Sequence[str]) -> dict[str, int]:
    """Ids of the teams named, or of all that the package made or adopted, by slug.

    Raises:
      InputError: there is no such team, or none at all.
    """
    if not set(database.get_tables()) >= {Team._meta.table_name}:
        raise InputError("the database has no tables of the application; seed it first: tformance-seed seed")
    if slugs:
        found = dict(Team.select(Team.slug, Team.id).where(Team.slug.in_(list(slugs))).tuples())
        if missing := [slug for slug in slugs if slug not in found]:
            raise InputError(
                f"no team {missing[0]} in the database; seed it first: tformance-seed seed {missing[0]}"
            )
        return {slug: found[slug] for slug in dict.fromkeys(slugs)}
    if SeedTeam._meta.table_name not in database.get_tables() or not SeedTeam.select().exists():
        raise InputError("nothing was seeded into this database yet; start with: tformance-seed seed")
    return dict(SeedTeam.select(SeedTeam.slug, SeedTeam.team_id).order_by(SeedTeam.slug).tuples())


def verify_teams(database: peewee.Database, slugs: Sequence[str]) -> list[Verified]:
    """Digest and check organisations, by default all seeded ones."""
    reports = []
    for slug, team_id in teams(database, slugs).items():
        content = verify.digest(database, team_id)
        reports.append(Verified(slug, content.tables, content.digest, verify.check(database, team_id)))
    return reports


def recompute_weekly(
    database: peewee.Database, slugs: Sequence[str], days: int | None, until: datetime.date | None
) -> dict[str, Result]:
    """Weekly metrics of a window, by default of everything that an organisation has."""
    results = {}
    for slug, team_id in teams(database, slugs).items():
        window = extent(team_id) if days is None and until is None else _window(days, until)
        with organisation_lock(database, slug):
            results[slug] = Result(*weekly_metrics(database, team_id, *window)) if window else Result()
    return results


def _window(days: int | None, until: datetime.date | None) -> tuple[datetime.date, datetime.date]:
    last = until or ledger.now().date()
    if days is not None and days < 1:
        raise InputError(f"--days {days}: impossible window; want at least 1 day")
    try:
        return last - datetime.timedelta(days=(days or 90) - 1), last
    except OverflowError:
        raise InputError(f"impossible window: {days} days up to {last}") from None


def check_clearable(database: peewee.Database, slugs: Sequence[str], *, adopt: bool) -> list[SeedTeam]:
    """The ledger's entries of teams that may be cleared.

    Raises:
      InputError: there is no such team, or the package did not make it (``adopt``: or adopt it).
    """
    teams(database, slugs)
    entries = []
    for slug in dict.fromkeys(slugs):
        has_ledger = SeedTeam._meta.table_name in database.get_tables()
        entry = ledger.own_team(slug) if has_ledger else None
        if entry is None:
            raise InputError(f"the team {slug} was not made by this package; nothing of it is removed")
        if not entry.made and not adopt:
            raise InputError(
                f"the team {slug} was adopted, not made here; --adopt removes what was seeded into it since"
            )
        entries.append(entry)
    return entries


def clear_teams(database: peewee.Database, slugs: Sequence[str], *, wait: bool) -> dict[str, dict[str, int]]:
    """Remove what was seeded for organisations: rows deleted, by organisation and table."""
    deleted = {}
    for slug in dict.fromkeys(slugs):
        with organisation_lock(database, slug, wait=wait):
            if entry := ledger.own_team(slug):
                deleted[slug] = ledger.clear_team(entry)
    return deleted
