"""Weekly metrics for every member, computed in the database as the application's weekly job writes them.

Every active member has a row for every week from the team's first merge to its last, and whoever has data in
another week has one for that. The job leaves story points and resolved issues at 0.
"""

import datetime
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import fields_by_name, from_database
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.bulk.refresh import Refresh, non_id_fields
from tformance_seed.storage.models import (
    Commit,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    TeamMember,
    WeeklyMetrics,
)

WEEK = datetime.timedelta(days=7)

#: Column with a mean or a decimal -> the number of units per whole in which it is computed. The units are
#: integers because SQLite adds up binary fractions where PostgreSQL adds up decimals.
PARTS = {
    "avg_cycle_time_hours": 100.0,
    "avg_review_time_hours": 100.0,
    "avg_quality_rating": 100.0,
    "guess_accuracy": 100.0,
}

#: The measures for one member and week.
MEASURES = tuple(
    field.name
    for field in non_id_fields(WeeklyMetrics)
    if field.name not in {"created_at", "updated_at", "team", "member", "week_start"}
)


def refresh_weekly(
    database: peewee.Database,
    team_id: int,
    since: datetime.date,
    until: datetime.date,
    adopted_max_id: int = 0,
) -> tuple[int, int]:
    """Compute and store a team's weekly metrics for the weeks that contain the days ``since`` to ``until``.

    Parameters:
      adopted_max_id: rows up to this id existed before the team was adopted, and stay as they are.

    Returns:
      The number of rows inserted, changed or deleted, and the number that were already correct.
    """
    start, end = weeks(since, until)
    days = {"first": start.date(), "next": end.date()}
    return _REFRESH(database, after_id=adopted_max_id, team=team_id, start=start, end=end, **days)


def weeks(since: datetime.date, until: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the start of the week of ``since``, and the end of the week of ``until``."""
    return midnight(monday_of(since)), midnight(monday_of(until) + WEEK)


#: The timestamps that assign rows to weeks, and the weeks that are already stored.
_MOMENTS = (PullRequest.merged_at, Commit.committed_at, WeeklyMetrics.week_start)


def _ends(_database: peewee.Database, value: Parameters) -> peewee.Select:
    ends = [
        moment.model.select(fn.MIN(moment).alias("first"), fn.MAX(moment).alias("last"))
        .where(moment.model.team == value("team"))
        .alias(moment.column_name)
        for moment in _MOMENTS
    ]
    return peewee.Select(ends, [column for pair in ends for column in (pair.c.first, pair.c.last)])


_ENDS = PreparedStatement(_ends)


def data_extent(database: peewee.Database, team_id: int) -> tuple[datetime.date, datetime.date] | None:
    """Return the first and last day on which a team has data for weekly metrics; None if it has none."""
    row = _ENDS(database, team=team_id).fetchone()
    fields = [moment for moment in _MOMENTS for _ in range(2)]
    moments = [from_database(field, end) for field, end in zip(fields, row, strict=True) if end is not None]
    days = [end.date() if isinstance(end, datetime.datetime) else end for end in moments]
    return (min(days), max(days)) if days else None


def monday_of(day: datetime.date) -> datetime.date:
    """Return the Monday of a day's week."""
    return day - datetime.timedelta(days=day.weekday())


def midnight(day: datetime.date) -> datetime.datetime:
    """Return the start of a day in UTC."""
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def monday(database: peewee.Database, moment: Any) -> peewee.ColumnBase:
    """Return, as SQL, the Monday of a timestamp's week in UTC, whatever the session's time zone."""
    if is_postgresql(database):
        return fn.date_trunc("week", fn.timezone("UTC", moment)).cast("DATE")
    # SQLite rounds to milliseconds, so the last moments of a day would fall on the next day.
    day = fn.SUBSTR(moment, 1, 10)
    return fn.date(day, "weekday 0", "-6 days").python_value(datetime.date.fromisoformat)


def hundredths(column: peewee.Field) -> peewee.ColumnBase:
    """Return, as SQL, a column with at most two decimals as an integer number of hundredths."""
    return fn.ROUND(column * 100).cast("BIGINT")


def mean(total: peewee.ColumnBase, count: peewee.ColumnBase) -> peewee.ColumnBase:
    """Return, as SQL, a total over a count, rounded half to even to an integer; NULL if the count is 0."""
    doubled = total.cast("BIGINT") * 2 + count
    half_up = doubled / (fn.NULLIF(count, 0) * 2)
    is_tie_to_odd = (half_up * count * 2 == doubled) & (half_up / 2 * 2 != half_up)
    return half_up - peewee.Case(None, [(is_tie_to_odd, 1)], 0)


def weekly_query(database: peewee.Database, team_id: Any, start: Any, end: Any) -> peewee.Select:
    """Return the query for all rows that ``WeeklyMetrics`` should hold for the weeks between two moments.

    Parameters:
      team_id, start, end: values (``weeks`` returns the last two), or parameters of a ``PreparedStatement``.
    """

    def part(query: Any, member: Any, moment: Any, **measures: peewee.ColumnBase) -> Any:
        week = monday(database, moment)
        columns = [measures.get(name, peewee.SQL("NULL")).cast("BIGINT").alias(name) for name in MEASURES]
        return (
            query.select(member.alias("member_id"), week.alias("week_start"), *columns)
            .where(member.is_null(False), moment >= start, moment < end)
            .group_by(member, week)
        )

    merged = (PullRequest.team == team_id) & (PullRequest.state == "merged")
    count = fn.COUNT(PullRequest.id)
    # Filter each table by team: otherwise the server would read the surveys of all teams for the join.
    surveyed = (
        PRSurvey.select()
        .join(PullRequest, on=PRSurvey.pull_request == PullRequest.id)
        .where(merged, PRSurvey.team == team_id)
    )
    parts = (
        part(
            PullRequest.select().where(merged),
            PullRequest.author,
            PullRequest.merged_at,
            prs_merged=count,
            avg_cycle_time_hours=_mean_hours(PullRequest.cycle_time_hours),
            avg_review_time_hours=_mean_hours(PullRequest.review_time_hours),
            revert_count=count.filter(PullRequest.is_revert),
            hotfix_count=count.filter(PullRequest.is_hotfix),
            lines_added=fn.SUM(PullRequest.additions),
            lines_removed=fn.SUM(PullRequest.deletions),
        ),
        part(
            Commit.select().where(Commit.team == team_id),
            Commit.author,
            Commit.committed_at,
            commits_count=fn.COUNT(Commit.id),
        ),
        part(
            surveyed,
            PullRequest.author,
            PullRequest.merged_at,
            surveys_completed=fn.COUNT(PRSurvey.author_responded_at),
            ai_assisted_prs=fn.COUNT(PRSurvey.id).filter(PRSurvey.author_ai_assisted),
        ),
        part(
            surveyed.join(PRSurveyReview, on=PRSurveyReview.survey == PRSurvey.id).where(
                PRSurveyReview.team == team_id
            ),
            PullRequest.author,
            PullRequest.merged_at,
            avg_quality_rating=mean(
                fn.SUM(PRSurveyReview.quality_rating) * 100, fn.COUNT(PRSurveyReview.quality_rating)
            ),
            guess_accuracy=mean(
                fn.COUNT(PRSurveyReview.id).filter(PRSurveyReview.guess_correct) * 10_000,
                fn.COUNT(PRSurveyReview.ai_guess),
            ),
        ),
        _member_weeks(database, team_id, merged, start, end),
    )
    return _rows(database, team_id, parts)


def _member_weeks(
    database: peewee.Database, team_id: Any, merged: peewee.Expression, start: Any, end: Any
) -> peewee.Select:
    """Return a row without measures for every active member and week from the first merge to the last."""
    first = (
        PullRequest.select(
            monday(database, fn.MIN(PullRequest.merged_at)).alias("week_start"),
            monday(database, fn.MAX(PullRequest.merged_at)).alias("last_week"),
        )
        .where(merged)
        .cte("weeks", recursive=True, columns=("week_start", "last_week"))
    )
    following = (
        first.c.week_start + WEEK.days if is_postgresql(database) else fn.date(first.c.week_start, "+7 days")
    )
    weeks = first.union_all(
        peewee.Select([first], [following, first.c.last_week]).where(first.c.week_start < first.c.last_week)
    )
    listed = peewee.Select([weeks], [weeks.c.week_start]).with_cte(weeks).alias("weeks")
    is_within = (listed.c.week_start >= monday(database, start)) & (
        listed.c.week_start < monday(database, end)
    )
    measures = [peewee.SQL("NULL").cast("BIGINT").alias(name) for name in MEASURES]
    return (
        TeamMember.select(TeamMember.id.alias("member_id"), listed.c.week_start, *measures)
        .join(listed, on=is_within)
        .where(TeamMember.team == team_id, TeamMember.is_active)
    )


def _mean_hours(column: peewee.Field) -> peewee.ColumnBase:
    return mean(fn.SUM(hundredths(column)), fn.COUNT(column))


def _rows(database: peewee.Database, team_id: Any, parts: tuple[peewee.Select, ...]) -> peewee.Select:
    """Combine the parts of each member's week. Each measure is in only one part, so MAX finds it."""
    union: Any = parts[0]
    for other in parts[1:]:
        union = union.union_all(other)
    union = union.alias("parts")
    start_of_week = _moment(database, union.c.week_start)
    columns: dict[str, Any] = {
        "created_at": start_of_week,
        "updated_at": start_of_week,
        "week_start": union.c.week_start,
        "member": union.c.member_id,
        "team": peewee.Cast(team_id, "BIGINT"),
    }
    for name in MEASURES:
        known = fn.MAX(getattr(union.c, name))
        known = known if fields_by_name(WeeklyMetrics)[name].null else fn.COALESCE(known, 0)
        columns[name] = known / PARTS[name] if name in PARTS else known
    named = [columns[field.name].alias(field.column_name) for field in non_id_fields(WeeklyMetrics)]
    return peewee.Select([union], named).group_by(union.c.member_id, union.c.week_start)


def _moment(database: peewee.Database, week_start: peewee.ColumnBase) -> peewee.ColumnBase:
    """Return, as SQL, the start of a week in UTC: rows depend neither on when they are computed nor on the
    window, and the end of the last week may not have come.
    """
    if is_postgresql(database):
        return fn.timezone("UTC", week_start.cast("TIMESTAMP"))
    return fn.datetime(week_start)


_REFRESH = Refresh(
    WeeklyMetrics,
    lambda database, value: weekly_query(
        database,
        value("team"),
        *(value(name, PullRequest.merged_at) for name in ("start", "end")),  # same type as other timestamps
    ),
    lambda value: (
        (WeeklyMetrics.team == value("team"))
        & (WeeklyMetrics.week_start >= value("first", WeeklyMetrics.week_start))
        & (WeeklyMetrics.week_start < value("next", WeeklyMetrics.week_start))
    ),
)
