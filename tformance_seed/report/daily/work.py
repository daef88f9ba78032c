"""Count pull requests, reviews and the AI tools that were found in pull requests."""

import datetime
from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee
from peewee import fn

from tformance_seed.metrics.ai_assistance import WITH_AI_NUMBER
from tformance_seed.report.daily.counts import (
    BINS,
    NO_YES,
    Counts,
    Row,
    as_date,
    as_number,
    bin_of,
    by_position,
    day_of,
    rows_of,
    total_hundredths,
)
from tformance_seed.report.queries import MERGED
from tformance_seed.storage.models import PRReview, PullRequest, TeamMember

#: The maximum number of reviewers counted per organisation: those with the most reviews over all time.
MAX_REVIEWERS = 50

#: The time at which a pull request counts.
MOMENT = peewee.Case(None, [(MERGED, PullRequest.merged_at)], PullRequest.pr_created_at)


class Reviewer(NamedTuple):
    """A member who has reviewed pull requests."""

    id: int
    name: str
    team: int


def pull_requests(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count pull requests, and add up hundredths of hours from creation to merge."""
    dimensions = {"merged": NO_YES, "with_ai": NO_YES, "bin": BINS}
    dated = MOMENT.is_null(False)
    rows = _timed(database, teams, MOMENT, PullRequest.cycle_time_hours, as_number(MERGED), where=[dated])
    return Counts(dimensions, ("count", "hundredths"), rows)


def first_reviews(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count merged pull requests with a review, and add up hundredths of hours to the first review."""
    hours = PullRequest.review_time_hours
    rows = _timed(database, teams, PullRequest.merged_at, hours, where=[MERGED, hours.is_null(False)])
    return Counts({"with_ai": NO_YES, "bin": BINS}, ("count", "hundredths"), rows)


def _timed(
    database: peewee.Database,
    teams: Sequence[int],
    moment: Any,
    hours: Any,
    *more: Any,
    where: Sequence[Any],
) -> list[Row]:
    columns = (
        PullRequest.team,
        day_of(database, moment),
        *more,
        WITH_AI_NUMBER,
        bin_of(database, hours),
    )
    query = PullRequest.select(*columns, fn.COUNT(PullRequest.id), total_hundredths(hours))
    chosen = query.where(PullRequest.team.in_(list(teams)), *where)
    return rows_of(database, chosen.group_by(*by_position(len(columns))))


def tools(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count merged pull requests by AI tool detected in them, with the most frequent tool first."""
    columns = (PullRequest.team, day_of(database, PullRequest.merged_at), PullRequest.ai_tools_detected)
    query = PullRequest.select(*columns, fn.COUNT(PullRequest.id))
    counted = rows_of(database, query.where(PullRequest.team.in_(list(teams)), MERGED).group_by(*columns))
    rows = [
        (team, day, tool, count)
        for team, day, detected, count in counted
        for tool in {tool for tool in detected or () if isinstance(tool, str)}
    ]
    return Counts({"tool": _by_frequency(rows)}, ("count",), rows)


def _by_frequency(rows: Sequence[tuple[int, datetime.date, str, int]]) -> list[str]:
    totals: dict[str, int] = {}
    for _team, _day, tool, count in rows:
        totals[tool] = totals.get(tool, 0) + count
    return sorted(totals, key=lambda tool: (-totals[tool], tool))


def reviews(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count reviews by reviewer, for those reviewers in each organisation who gave the most reviews."""
    team, reviewer, moment = PRReview.team, PRReview.reviewer, PRReview.submitted_at
    day = day_of(database, moment)
    daily = (
        PRReview.select(
            team.alias("team"),
            reviewer.alias("reviewer"),
            day.alias("day"),
            fn.COUNT(PRReview.id).alias("given"),
        )
        .where(team.in_(list(teams)), reviewer.is_null(False), moment.is_null(False))
        .group_by(team, reviewer, day)
        .alias("daily")
    )
    key = [daily.c.team, daily.c.reviewer]
    total = fn.SUM(daily.c.given).over(partition_by=key).alias("total")
    totals = peewee.Select([daily], [*key, daily.c.day, daily.c.given, total]).alias("totals")
    busiest_first = [totals.c.total.desc(), totals.c.reviewer]
    rank = fn.DENSE_RANK().over(partition_by=[totals.c.team], order_by=busiest_first).alias("position")
    ranked = peewee.Select([totals], [peewee.SQL("totals.*"), rank]).alias("ranked")
    columns = (TeamMember.id, TeamMember.display_name, ranked.c.team, ranked.c.day, ranked.c.given)
    query = (
        TeamMember.select(*columns)
        .join(ranked, on=TeamMember.id == ranked.c.reviewer)
        .where(ranked.c.position <= MAX_REVIEWERS)
        .order_by(TeamMember.id)
    )
    rows = [
        (team_id, as_date(start), Reviewer(member, name, team_id), given)
        for member, name, team_id, start, given in rows_of(database, query)
    ]
    return Counts({"reviewer": list(dict.fromkeys(row[2] for row in rows))}, ("count",), rows)


def count_undated(database: peewee.Database, teams: Sequence[int]) -> int:
    """Count pull requests that belong to no day because they have no date."""
    return int(
        PullRequest.select().where(PullRequest.team.in_(list(teams)), MOMENT.is_null()).count(database)
    )
