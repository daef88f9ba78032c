"""Preview what a seeding command would do."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import peewee

from tformance_seed import ledger
from tformance_seed.bulk.peewee_internals import exists, table_name
from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.commands.ownership import check_ownership
from tformance_seed.errors import InputError
from tformance_seed.planning.plan import Plan
from tformance_seed.planning.request import Request
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import SeedTeam, Team
from tformance_seed.storage.schema.create import has_team_registry, prepare


@dataclass(frozen=True)
class Preview:
    """The effect that a run would have on one organisation."""

    organisation: str
    team: str
    since: datetime.date
    until: datetime.date
    shift_weeks: int
    members: int
    pull_requests: int
    ai_usage_rows: int
    conventions: Mapping[str, Mapping[str, int]]
    action: str


def preview(database: peewee.Database | None, request: Request, planned: Sequence[Plan]) -> list[Preview]:
    """Return what ``seed.run`` would do; write nothing.

    Parameters:
      database: None: a file that does not exist yet.
    """
    teams = ledger.team_slugs(database) if database is not None else {}
    fresh = database is None or table_name(Team) not in table_names(database)
    has_registry = database is not None and has_team_registry(database)
    previews = []
    for item in planned:
        profile, members = item.profile, len(item.source.members())
        usage = expected_usage_rows(members, len(profile.workdays), profile.mean_adoption)
        action = (
            "new"
            if database is None or fresh
            else _action(database, item, request, has_registry=has_registry)
        )
        previews.append(
            Preview(
                profile.organisation.slug,
                _team_slug(item, teams),
                profile.since,
                profile.until,
                profile.shift_weeks,
                members,
                item.source.total,
                round(usage),
                item.source.record.get("conventions", {}),
                action,
            )
        )
    return previews


def _team_slug(item: Plan, teams: Mapping[str, str]) -> str:
    """Return the slug that an organisation's team has, unless it gets another, or will have."""
    return item.team_slug if item.options.slug else teams.get(item.slug, item.team_slug)


def preview_removals(
    database: peewee.Database, request: Request, planned: Sequence[Plan]
) -> dict[str, ledger.Removal]:
    """Return, by organisation, the rows that a run would remove first: those of other inputs.

    Raises:
      InputError: a team that the package did not create is in the way.
    """
    if table_name(Team) not in table_names(database):
        return {}
    try:
        is_first = not has_team_registry(database)
    except InputError:  # an older version's: preparing keeps its teams
        prepare(database)
        is_first = False
    if is_first:
        return {}
    check_ownership(database, request.options, planned)
    own = {team.slug: team for team in ledger.own_teams(database)}
    return {
        item.slug: removal
        for item in planned
        if item.slug in own and _starts_over(database, own[item.slug], item, request)
        if (removal := ledger.plan_removal(database, own[item.slug], whole_team=False)).deleted
    }


def count_foreign_teams(database: peewee.Database) -> int:
    """Return how many teams of a database the package neither created nor adopted."""
    if table_name(Team) not in table_names(database):
        return 0
    own = ledger.own_teams(database) if has_team_registry(database) else []
    return int(Team.select().count(database)) - len(own)


def _starts_over(database: peewee.Database, own: SeedTeam, item: Plan, request: Request) -> bool:
    return request.options.clear or item.must_start_over(database, own)


def _action(database: peewee.Database, item: Plan, request: Request, *, has_registry: bool) -> str:
    slug = item.profile.organisation.slug
    own = ledger.own_team(database, slug) if has_registry else None
    if own is None and exists(database, Team.select().where(Team.slug == item.team_slug)):
        return (
            "adopt the team"
            if request.options.adopt
            else "refuse: the team was not created here; --adopt allows it"
        )
    if own is None:
        return "new"
    if _starts_over(database, own, item, request):
        return "start over: its rows are of other inputs, or --clear"
    return "bring up to date"
