"""Counts by week that can be added up: what a page needs to show any organisation in any period.

A week is one from Monday to Sunday, UTC. A merged pull request belongs to the week of its merge, another one
to that of its creation, a review to the week in which it was given. Hours are counted in logarithmic bins,
which can be added up, too, and from which the median of any period can be told to within a bin.
"""

import bisect
import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.metrics.weekly import WEEK, hundredths, monday, monday_of
from tformance_seed.report.queries import MERGED
from tformance_seed.storage.models import AIUsageDaily, PRReview, PullRequest, Team, TeamMember

#: Bins to each doubling of the hours; how often they double, and from which on: 2 minutes to 3 weeks.
FINENESS, DOUBLINGS, FIRST = 4, 14, 1 / 32
LAST = FIRST * 2**DOUBLINGS

#: Hours at which the bins meet. Bin 0 is below all of them, the last one above.
EDGES = tuple(FIRST * 2 ** (step / FINENESS) for step in range(FINENESS * DOUBLINGS + 1))

#: The bin of pull requests that have no such time.
UNTIMED = len(EDGES) + 1

#: Of each organisation, so many reviewers are told apart: those with the most reviews over all time.
REVIEWERS = 50

#: The moment that decides to which week a pull request belongs.
DATE = peewee.Case(None, [(MERGED, PullRequest.merged_at)], PullRequest.pr_created_at)

WEEKDAYS = range(7)
NO_YES = (0, 1)


@dataclass(frozen=True)
class Series:
    """Sums by several dimensions, each a number from 0.

    ``keys`` are the combinations that have any, ascending, each as one number: of mixed radix, by the sizes
    in ``dimensions``. ``sums`` has by the name of a measure one number for each key.
    """

    dimensions: Mapping[str, int]
    keys: Sequence[int]
    sums: Mapping[str, Sequence[int]]

    def packed(self) -> dict[str, Any]:
        """The series as JSON values: of the ascending keys the steps alone, which are short."""
        steps = np.diff(np.array(self.keys, np.int64), prepend=0).tolist()
        return {"dimensions": dict(self.dimensions), "steps": steps, "sums": dict(self.sums)}


@dataclass(frozen=True)
class Weeks:
    """What happened by week.

    ``mondays`` are all from the first to the last week that has anything; ``tools`` those found in merged
    pull requests, the most frequent first; ``sources`` those of daily AI usage; ``reviewers`` have a name and
    the place of their organisation; ``undated`` counts pull requests that belong to no week.
    """

    mondays: Sequence[datetime.date]
    tools: Sequence[str]
    sources: Sequence[str]
    reviewers: Sequence[tuple[str, int]]
    undated: int
    series: Mapping[str, Series]


def gather(database: peewee.Database, slugs: Sequence[str]) -> Weeks:
    """What the organisations named have, by week; in the series each is its place among ``slugs``."""
    teams = dict(Team.select(Team.slug, Team.id).where(Team.slug.in_(list(slugs))).tuples())
    ids = [teams[slug] for slug in slugs]
    pull_requests = _pull_requests(database, ids)
    first_reviews = _first_reviews(database, ids)
    tools, usage = _tools(database, ids), _usage(ids)
    reviewers, reviews = _reviews(database, ids)
    mondays = _mondays(
        row[1] for rows in (pull_requests, first_reviews, tools, usage, reviews) for row in rows
    )
    tool_names, sources = _by_frequency(tools), sorted({row[3] for row in usage})
    mine = {"organisation": ids, "week": mondays}
    timed = {"with_ai": NO_YES, "bin": range(UNTIMED + 1)}
    return Weeks(
        mondays=mondays,
        tools=tool_names,
        sources=sources,
        reviewers=[(name, ids.index(team)) for name, team in reviewers.values()],
        undated=PullRequest.select().where(PullRequest.team.in_(ids), DATE.is_null()).count(),
        series={
            "pull_requests": series(pull_requests, ("count", "hundredths"), **mine, merged=NO_YES, **timed),
            "first_reviews": series(first_reviews, ("count", "hundredths"), **mine, **timed),
            "tools": series(tools, ("count",), **mine, tool=tool_names),
            "usage": series(usage, ("count",), **mine, weekday=WEEKDAYS, source=sources),
            "reviews": series(reviews, ("count",), reviewer=list(reviewers), week=mondays),
        },
    )


def series(rows: Iterable[Sequence[Any]], measures: Sequence[str], **dimensions: Sequence[Any]) -> Series:
    """Add rows up: each has a value of every dimension (of those given), then a number for every measure."""
    places = [{value: place for place, value in enumerate(values)} for values in dimensions.values()]
    totals: dict[int, list[int]] = {}
    for row in rows:
        key = 0
        for place, value in zip(places, row, strict=False):
            key = key * len(place) + place[value]
        numbers = row[len(places) :]
        known = totals.get(key)
        totals[key] = [a + b for a, b in zip(known, numbers, strict=True)] if known else list(numbers)
    keys = sorted(totals)
    return Series(
        dimensions={name: len(values) for name, values in dimensions.items()},
        keys=keys,
        sums={name: [totals[key][place] for key in keys] for place, name in enumerate(measures)},
    )


def _mondays(weeks: Iterable[datetime.date]) -> list[datetime.date]:
    have = set(weeks)
    if not have:
        return []
    first = min(have)
    return [first + number * WEEK for number in range((max(have) - first) // WEEK + 1)]


def _by_frequency(tools: Sequence[Sequence[Any]]) -> list[str]:
    counts: dict[str, int] = {}
    for *_, tool, count in tools:
        counts[tool] = counts.get(tool, 0) + count
    return sorted(counts, key=lambda tool: (-counts[tool], tool))


def _bin(database: peewee.Database, hours: peewee.Field) -> peewee.ColumnBase:
    """The bin of a number of hours. PostgreSQL has a function for it, SQLite is given one."""
    if is_postgresql(database):
        edges = peewee.Value(list(EDGES), unpack=False).cast("DOUBLE PRECISION[]")
        found = fn.width_bucket(hours.cast("DOUBLE PRECISION"), edges)
    else:
        database.register_function(_place, "width_bucket", 1)
        found = fn.width_bucket(hours)
    return fn.COALESCE(found, UNTIMED)


def _place(hours: float | None) -> int | None:
    return None if hours is None else bisect.bisect_right(EDGES, hours)


def _yes(condition: Any) -> peewee.Case:
    """1 where a condition holds, else (or where it cannot be told) 0."""
    return peewee.Case(None, [(condition, 1)], 0)


def _pull_requests(database: peewee.Database, teams: list[int]) -> list[tuple]:
    """(team, week, merged, with AI, bin, count, hundredths of hours), of those that belong to a week."""
    dated = DATE.is_null(False)
    return _timed(database, teams, DATE, PullRequest.cycle_time_hours, _yes(MERGED), where=[dated])


def _first_reviews(database: peewee.Database, teams: list[int]) -> list[tuple]:
    """(team, week, with AI, bin, count, hundredths of hours), of merged ones that have such a time."""
    hours = PullRequest.review_time_hours
    return _timed(database, teams, PullRequest.merged_at, hours, where=(MERGED, hours.is_null(False)))


def _timed(
    database: peewee.Database,
    teams: list[int],
    moment: peewee.ColumnBase,
    hours: peewee.Field,
    *more: peewee.ColumnBase,
    where: Sequence[Any] = (),
) -> list[tuple]:
    by = (
        PullRequest.team,
        monday(database, moment),
        *more,
        _yes(PullRequest.is_ai_assisted),
        _bin(database, hours),
    )
    query = PullRequest.select(
        *by, fn.COUNT(PullRequest.id), fn.COALESCE(fn.SUM(hundredths(hours)), 0).cast("BIGINT")
    ).where(PullRequest.team.in_(teams), *where)
    numbered = [peewee.SQL(str(place)) for place in range(1, len(by) + 1)]
    return list(query.group_by(*numbered).tuples().iterator())


def _tools(database: peewee.Database, teams: list[int]) -> list[tuple[int, datetime.date, str, int]]:
    """(team, week, tool, count), of merged pull requests in which AI tools were found."""
    by = (PullRequest.team, monday(database, PullRequest.merged_at), PullRequest.ai_tools_detected)
    query = PullRequest.select(*by, fn.COUNT(PullRequest.id)).where(PullRequest.team.in_(teams), MERGED)
    return [
        (team, week, tool, count)
        for team, week, tools, count in query.group_by(*by).tuples().iterator()
        for tool in {tool for tool in tools or () if isinstance(tool, str)}
    ]


def _usage(teams: list[int]) -> list[tuple[int, datetime.date, int, str, int]]:
    """(team, week, weekday, source, count) of daily AI usage."""
    by = (AIUsageDaily.team, AIUsageDaily.date, AIUsageDaily.source)
    query = AIUsageDaily.select(*by, fn.COUNT(AIUsageDaily.id)).where(AIUsageDaily.team.in_(teams))
    return [
        (team, monday_of(day), day.weekday(), source, count)
        for team, day, source, count in query.group_by(*by).tuples().iterator()
    ]


def _reviews(
    database: peewee.Database, teams: list[int]
) -> tuple[dict[int, tuple[str, int]], list[tuple[int, datetime.date, int]]]:
    """Name and team of each organisation's busiest reviewers by id; and (reviewer, week, count)."""
    team, reviewer, moment = PRReview.team, PRReview.reviewer, PRReview.submitted_at
    week = monday(database, moment)
    weekly = (
        PRReview.select(
            team.alias("team"),
            reviewer.alias("reviewer"),
            week.alias("week"),
            fn.COUNT(PRReview.id).alias("given"),
        )
        .where(team.in_(teams), reviewer.is_null(False), moment.is_null(False))
        .group_by(team, reviewer, week)
        .alias("weekly")
    )
    mine = [weekly.c.team, weekly.c.reviewer]
    total = fn.SUM(weekly.c.given).over(partition_by=mine).alias("total")
    totals = peewee.Select([weekly], [*mine, weekly.c.week, weekly.c.given, total]).alias("totals")
    busiest = [totals.c.total.desc(), totals.c.reviewer]
    place = fn.DENSE_RANK().over(partition_by=[totals.c.team], order_by=busiest).alias("place")
    ranked = peewee.Select([totals], [peewee.SQL("totals.*"), place]).alias("ranked")
    query = (
        TeamMember.select(
            TeamMember.id, TeamMember.display_name, ranked.c.team, ranked.c.week, ranked.c.given
        )
        .join(ranked, on=TeamMember.id == ranked.c.reviewer)
        .where(ranked.c.place <= REVIEWERS)
        .order_by(TeamMember.id)
    )
    names, reviews = {}, []
    for member, name, of, start, given in query.tuples().iterator():
        names[member] = (name, of)
        reviews.append((member, datetime.date.fromisoformat(str(start)), given))  # SQLite has text for a date
    return names, reviews
