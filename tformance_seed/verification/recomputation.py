"""Compare stored aggregates with recomputed ones, inside the database."""

import datetime

import peewee
from peewee import fn

from tformance_seed.bulk.refresh import non_id_fields
from tformance_seed.metrics.insights import last_day_differs
from tformance_seed.metrics.reviewer_pairs import pairs_query
from tformance_seed.metrics.weekly import weekly_query, weeks
from tformance_seed.storage.models import PullRequest, ReviewerCorrelation, TeamMember, WeeklyMetrics


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
    return _differs(computed, WeeklyMetrics.member, team_id)


def has_wrong_pair(_database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a member is the first of a pair with a wrong, missing or surplus row."""
    return _differs(pairs_query(team_id), ReviewerCorrelation.reviewer_1, team_id)


def has_wrong_insight(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that the insights of the team's last day are not those of its data.

    Earlier ones say what was so on their days.
    """
    return peewee.SQL("1 = 1" if last_day_differs(database, team_id) else "1 = 0")


def _differs(computed: peewee.Select, member: peewee.ForeignKeyField, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a member has a row that is only stored or only computed."""
    model = member.model
    stored = model.select(*non_id_fields(model)).where(model.team == team_id)
    surplus, missing = (stored - computed).alias("surplus"), (computed - stored).alias("missing")
    members = [peewee.Select([wrong], [getattr(wrong.c, member.column_name)]) for wrong in (surplus, missing)]
    return TeamMember.id.in_(members[0] + members[1])
