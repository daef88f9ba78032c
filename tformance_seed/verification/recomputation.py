"""Compare stored aggregates with recomputed ones, inside the database."""

import datetime

import peewee
from peewee import fn

from tformance_seed.bulk.keys import unique_key
from tformance_seed.bulk.peewee_internals import fields_by_name
from tformance_seed.bulk.refresh import non_id_fields
from tformance_seed.ledger import max_id_before_adoption
from tformance_seed.metrics.insights import last_day_differs
from tformance_seed.metrics.reviewer_pairs import pairs_query
from tformance_seed.metrics.weekly import weekly_query, weeks
from tformance_seed.storage.models import (
    PullRequest,
    ReviewerCorrelation,
    SeedTeam,
    TeamMember,
    WeeklyMetrics,
)
from tformance_seed.storage.schema.create import has_team_registry


def has_wrong_weekly_metrics(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a member has a wrong, missing or surplus row.

    All weeks from the first merge or row to the last are recomputed.
    """
    merged = (PullRequest.team == team_id) & (PullRequest.state == "merged")
    stored = WeeklyMetrics.team == team_id
    days: list[datetime.date] = []
    for moment, condition in ((PullRequest.merged_at, merged), (WeeklyMetrics.week_start, stored)):
        query = moment.model.select(fn.MIN(moment), fn.MAX(moment)).where(condition)
        for value in query.tuples().execute(database)[0]:
            if value is not None:
                days.append(value.date() if isinstance(value, datetime.datetime) else value)
    if not days:
        return peewee.SQL("1 = 0")
    computed = weekly_query(database, team_id, *weeks(min(days), max(days)))
    return _differs(database, computed, WeeklyMetrics.member, team_id)


def has_wrong_pair(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a member is the first of a pair with a wrong, missing or surplus row."""
    return _differs(database, pairs_query(team_id), ReviewerCorrelation.reviewer_1, team_id)


def has_wrong_insight(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that the insights of the team's last day are not those of its data.

    Earlier ones say what was so on their days.
    """
    return peewee.SQL("1 = 1" if last_day_differs(database, team_id) else "1 = 0")


def _differs(
    database: peewee.Database, computed: peewee.Select, member: peewee.ForeignKeyField, team_id: int
) -> peewee.ColumnBase:
    """Return the condition that a member has a row that is only stored or only computed.

    Rows from before the team's adoption stay as they were, whatever the data says now.
    """
    model, row_id = member.model, fields_by_name(member.model)["id"]
    stored = model.select(*non_id_fields(model)).where(model.team == team_id)
    before = _last_before_adoption(database, team_id, model)
    surplus, missing = (stored.where(row_id > before) - computed), (computed - stored)
    members = []
    for wrong, alias in ((surplus, "surplus"), (missing, "missing")):
        rows = wrong.alias(alias)
        query = peewee.Select([rows], [getattr(rows.c, member.column_name)])
        if before:
            key = unique_key(model).fields
            columns = peewee.Tuple(*(getattr(rows.c, field.column_name) for field in key))
            query = query.where(
                columns.not_in(model.select(*key).where(model.team == team_id, row_id <= before))
            )
        members.append(query)
    return TeamMember.id.in_(members[0] + members[1])


def _last_before_adoption(database: peewee.Database, team_id: int, model: type[peewee.Model]) -> int:
    """Return the greatest id in a table when the team was adopted; 0 for a team that was not."""
    if not has_team_registry(database):
        return 0
    team: SeedTeam | None = SeedTeam.select().where(SeedTeam.team_id == team_id).first(database)
    return 0 if team is None else max_id_before_adoption(team, model)
