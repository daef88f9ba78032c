"""Counts by organisation and week: the queries behind the charts and headline figures of the HTML report.

A week begins on Monday, in UTC. A merged pull request counts in the week of its merge, any other pull
request in the week of its creation, and a review in the week of its submission. Hours are counted in
logarithmic bins, which can be added up over organisations and weeks, and give the median of any selection to
within one bin.
"""

import bisect
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee
from peewee import fn

from tformance_seed.metrics.ai_assistance import WITH_AI_NUMBER
from tformance_seed.metrics.weekly import hundredths, monday, monday_of
from tformance_seed.report.queries import MERGED
from tformance_seed.storage.models import AIUsageDaily, PRReview, PullRequest, TeamMember

#: The number of bins per doubling of the hours.
BINS_PER_DOUBLING = 4

#: The lower edge of the first doubling, in hours: just under 2 minutes.
MIN_HOURS = 1 / 32

#: The number of times the hours double, starting at ``MIN_HOURS`` and ending at about 3 weeks.
DOUBLINGS = 14
MAX_HOURS = MIN_HOURS * 2**DOUBLINGS

#: Hours at the edges of the bins. Bin 0 is below all edges, the last bin above all of them.
BIN_EDGES = tuple(
    MIN_HOURS * 2 ** (step / BINS_PER_DOUBLING) for step in range(BINS_PER_DOUBLING * DOUBLINGS + 1)
)

#: The bin for pull requests whose hours are unknown.
UNKNOWN_BIN = len(BIN_EDGES) + 1
BINS = range(UNKNOWN_BIN + 1)

#: The maximum number of reviewers counted per organisation: those with the most reviews over all time.
MAX_REVIEWERS = 50

#: The time at which a pull request counts.
MOMENT = peewee.Case(None, [(MERGED, PullRequest.merged_at)], PullRequest.pr_created_at)

NO_YES = (0, 1)
WEEKDAYS = range(7)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Counts:
    """The result of a query: sums by organisation, week and any other dimensions.

    Each row consists of a team's id, a Monday, a value for every dimension, and a number for every measure.

    Parameters:
      dimensions: name of each other dimension -> its values, in the order in which charts show them.
    """

    dimensions: Mapping[str, Sequence[Any]]
    measures: Sequence[str]
    rows: Sequence[Row]


#: Returns counts for the teams with the given ids.
Query = Callable[[peewee.Database, Sequence[int]], Counts]


class Reviewer(NamedTuple):
    """A member who has reviewed pull requests."""

    id: int
    name: str
    team: int


def pull_requests(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count pull requests, and add up hundredths of hours from creation to merge."""
    dimensions = {"merged": NO_YES, "with_ai": NO_YES, "bin": BINS}
    dated = MOMENT.is_null(False)
    rows = _timed(database, teams, MOMENT, PullRequest.cycle_time_hours, _as_number(MERGED), where=[dated])
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
        monday(database, moment),
        *more,
        WITH_AI_NUMBER,
        _bin(database, hours),
    )
    total = fn.COALESCE(fn.SUM(hundredths(hours)), 0).cast("BIGINT")
    query = PullRequest.select(*columns, fn.COUNT(PullRequest.id), total)
    positions = [peewee.SQL(str(position)) for position in range(1, len(columns) + 1)]
    return _rows(database, query.where(PullRequest.team.in_(list(teams)), *where).group_by(*positions))


def _rows(database: peewee.Database, query: Any) -> list[Row]:
    return list(query.tuples().execute(database))


def _as_number(condition: Any) -> peewee.Case:
    """Return, as SQL, 1 if a condition holds, and 0 if it does not or is NULL."""
    return peewee.Case(None, [(condition, 1)], 0)


def _bin(database: peewee.Database, hours: Any) -> Any:
    """Return, as SQL, the bin of hours; on SQLite, register PostgreSQL's function for it first."""
    if isinstance(database, peewee.SqliteDatabase):
        database.register_function(_find_bin, "width_bucket", 1)
        found = fn.width_bucket(hours)
    else:
        edges = peewee.Value(list(BIN_EDGES), unpack=False).cast("DOUBLE PRECISION[]")
        found = fn.width_bucket(hours.cast("DOUBLE PRECISION"), edges)
    return fn.COALESCE(found, UNKNOWN_BIN)


def _find_bin(hours: float | None) -> int | None:
    return None if hours is None else bisect.bisect_right(BIN_EDGES, hours)


def tools(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count merged pull requests by AI tool detected in them, with the most frequent tool first."""
    columns = (PullRequest.team, monday(database, PullRequest.merged_at), PullRequest.ai_tools_detected)
    query = PullRequest.select(*columns, fn.COUNT(PullRequest.id))
    counted = _rows(database, query.where(PullRequest.team.in_(list(teams)), MERGED).group_by(*columns))
    rows = [
        (team, week, tool, count)
        for team, week, detected, count in counted
        for tool in {tool for tool in detected or () if isinstance(tool, str)}
    ]
    return Counts({"tool": _by_frequency(rows)}, ("count",), rows)


def _by_frequency(rows: Sequence[tuple[int, datetime.date, str, int]]) -> list[str]:
    totals: dict[str, int] = {}
    for _team, _week, tool, count in rows:
        totals[tool] = totals.get(tool, 0) + count
    return sorted(totals, key=lambda tool: (-totals[tool], tool))


def usage(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count days on which a member used a tool, by weekday and by the source of the record."""
    columns = (AIUsageDaily.team, AIUsageDaily.date, AIUsageDaily.source)
    query = AIUsageDaily.select(*columns, fn.COUNT(AIUsageDaily.id))
    counted = _rows(database, query.where(AIUsageDaily.team.in_(list(teams))).group_by(*columns))
    rows = [(team, monday_of(day), day.weekday(), source, count) for team, day, source, count in counted]
    sources = sorted({source for *_, source, _count in rows})
    return Counts({"weekday": WEEKDAYS, "source": sources}, ("count",), rows)


def reviews(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count reviews by reviewer, for those reviewers in each organisation who gave the most reviews."""
    team, reviewer, moment = PRReview.team, PRReview.reviewer, PRReview.submitted_at
    week = monday(database, moment)
    weekly = (
        PRReview.select(
            team.alias("team"),
            reviewer.alias("reviewer"),
            week.alias("week"),
            fn.COUNT(PRReview.id).alias("given"),
        )
        .where(team.in_(list(teams)), reviewer.is_null(False), moment.is_null(False))
        .group_by(team, reviewer, week)
        .alias("weekly")
    )
    key = [weekly.c.team, weekly.c.reviewer]
    total = fn.SUM(weekly.c.given).over(partition_by=key).alias("total")
    totals = peewee.Select([weekly], [*key, weekly.c.week, weekly.c.given, total]).alias("totals")
    busiest_first = [totals.c.total.desc(), totals.c.reviewer]
    rank = fn.DENSE_RANK().over(partition_by=[totals.c.team], order_by=busiest_first).alias("position")
    ranked = peewee.Select([totals], [peewee.SQL("totals.*"), rank]).alias("ranked")
    columns = (TeamMember.id, TeamMember.display_name, ranked.c.team, ranked.c.week, ranked.c.given)
    query = (
        TeamMember.select(*columns)
        .join(ranked, on=TeamMember.id == ranked.c.reviewer)
        .where(ranked.c.position <= MAX_REVIEWERS)
        .order_by(TeamMember.id)
    )
    rows = [
        # SQLite returns computed dates as text.
        (team_id, datetime.date.fromisoformat(str(start)), Reviewer(member, name, team_id), given)
        for member, name, team_id, start, given in _rows(database, query)
    ]
    return Counts({"reviewer": list(dict.fromkeys(row[2] for row in rows))}, ("count",), rows)


def count_undated(database: peewee.Database, teams: Sequence[int]) -> int:
    """Count pull requests that belong to no week because they have no date."""
    return int(
        PullRequest.select().where(PullRequest.team.in_(list(teams)), MOMENT.is_null()).count(database)
    )
