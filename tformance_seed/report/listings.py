"""The page's lists of each organisation's insights, repositories, members and pull requests."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee
from peewee import fn

from tformance_seed.metrics.ai_assistance import WITH_AI
from tformance_seed.metrics.weekly import hundredths
from tformance_seed.report.daily.work import MOMENT
from tformance_seed.report.queries import MERGED
from tformance_seed.storage.models import AIUsageDaily, DailyInsight, PRReview, PullRequest, TeamMember

#: The maximum number of rows of one list for all organisations together, which bounds the size of the page,
#: and the least and greatest number for each of them.
MAX_ROWS, MIN_ROWS_EACH, MAX_ROWS_EACH = 4_000, 20, 200

#: Priorities of insights, the highest first.
PRIORITIES = ("high", "medium", "low")

Row = Sequence[Any]


@dataclass(frozen=True)
class Rows:
    """An organisation's rows of a list: the first ones, and the number of all."""

    first: Sequence[Row]
    total: int


#: Returns the rows of each team with the given ids that has any, at most a number of them.
Query = Callable[[peewee.Database, Sequence[int], int], Mapping[int, Rows]]


@dataclass(frozen=True)
class Listing:
    """A list on the page, of which every organisation has rows.

    Parameters:
      name: the list's id on the page.
      one, many: what a row is, and what several are.
      order: the order of the rows, after "the first ones ": in words.
      columns: heading -> format of the column: text, word (which is not broken), count, share,
        hours or day.
      day: the heading of the column with the day to which a row belongs; empty if it belongs to none.
    """

    name: str
    title: str
    one: str
    many: str
    order: str
    columns: Mapping[str, str]
    query: Query
    day: str = ""


def rows_each(organisations: int) -> int:
    """Return the maximum number of rows of a list for each of a number of organisations."""
    return max(MIN_ROWS_EACH, min(MAX_ROWS_EACH, MAX_ROWS // max(organisations, 1)))


def repositories(database: peewee.Database, teams: Sequence[int], limit: int) -> Mapping[int, Rows]:
    """Count pull requests by repository, the repository with the most first."""
    found = _counted(database, teams, PullRequest.github_repo)
    rows: dict[int, list[Row]] = {team: [] for team in teams}
    for (team, repository), (count, merged, with_ai, hours, last) in found.items():
        rows[team].append((repository, count, merged, with_ai / count, hours, last))
    return _first(rows, limit, by=lambda row: (-row[1], row[0]))


def members(database: peewee.Database, teams: Sequence[int], limit: int) -> Mapping[int, Rows]:
    """Count what members did: those with the most pull requests and reviews first."""
    people = TeamMember.select(TeamMember.team, TeamMember.id, TeamMember.display_name, TeamMember.role)
    authored = _counted(database, teams, PullRequest.author)
    given = _counts(database, teams, PRReview.reviewer)
    used = _counts(database, teams, AIUsageDaily.member)
    rows: dict[int, list[Row]] = {team: [] for team in teams}
    for team, member, name, role in people.where(TeamMember.team.in_(list(teams))).tuples().execute(database):
        count, _merged, with_ai, hours, _last = authored.get((team, member), (0, 0, 0, None, None))
        share = with_ai / count if count else None
        reviews, days = given.get((team, member), 0), used.get((team, member), 0)
        rows[team].append((name, role, count, share, hours, reviews, days))
    return _first(rows, limit, by=lambda row: (-row[2] - row[5], row[0]))


def pull_requests(database: peewee.Database, teams: Sequence[int], limit: int) -> Mapping[int, Rows]:
    """Return pull requests, the most recently merged or, if they were not merged, opened ones first."""
    totals = dict(
        PullRequest.select(PullRequest.team, fn.COUNT(PullRequest.id))
        .where(PullRequest.team.in_(list(teams)))
        .group_by(PullRequest.team)
        .tuples()
        .execute(database)
    )
    return {team: Rows(_latest(database, team, limit), total) for team, total in totals.items()}


def _latest(database: peewee.Database, team: int, limit: int) -> list[Row]:
    query = (
        PullRequest.select(
            PullRequest.github_repo,
            PullRequest.github_pr_id,
            PullRequest.title,
            TeamMember.display_name,
            PullRequest.state,
            PullRequest.pr_created_at,
            PullRequest.merged_at,
            PullRequest.is_ai_assisted,
            PullRequest.ai_tools_detected,
            PullRequest.cycle_time_hours,
            PullRequest.additions + PullRequest.deletions,
        )
        .join(TeamMember, peewee.JOIN.LEFT_OUTER, on=PullRequest.author == TeamMember.id)
        .where(PullRequest.team == team)
        .order_by(MOMENT.desc(nulls="LAST"), PullRequest.id.desc())
        .limit(limit)
    )
    return [_pull_request(*row) for row in query.tuples().execute(database)]


def _pull_request(
    repository: str,
    number: int,
    title: str,
    author: str | None,
    state: str,
    opened: datetime.datetime | None,
    merged: datetime.datetime | None,
    with_ai: bool | None,
    tools: Sequence[Any] | None,
    hours: float | None,
    lines: int,
) -> Row:
    moment = merged if state == "merged" and merged else opened
    names = ", ".join(tool for tool in tools or () if isinstance(tool, str))
    return (
        f"#{number}",
        title,
        repository,
        author,
        state,
        moment.date() if moment else None,
        (names or "yes") if with_ai else "no",
        None if hours is None else float(hours),
        lines,
    )


def insights(database: peewee.Database, teams: Sequence[int], limit: int) -> Mapping[int, Rows]:
    """Return each team's insights of the last day that has any, the most important ones first."""
    newest = (
        DailyInsight.select(DailyInsight.team, fn.MAX(DailyInsight.date).alias("date"))
        .where(DailyInsight.team.in_(list(teams)))
        .group_by(DailyInsight.team)
        .alias("newest")
    )
    query = (
        DailyInsight.select(
            DailyInsight.team,
            DailyInsight.title,
            DailyInsight.description,
            DailyInsight.priority,
            DailyInsight.date,
        )
        .join(newest, on=(DailyInsight.team == newest.c.team_id) & (DailyInsight.date == newest.c.date))
        .order_by(DailyInsight.id)
    )
    rows: dict[int, list[Row]] = {}
    for team, *row in query.tuples().execute(database):
        rows.setdefault(team, []).append(row)
    return _first(rows, limit, by=lambda row: PRIORITIES.index(row[2]) if row[2] in PRIORITIES else 0)


def _counted(
    database: peewee.Database, teams: Sequence[int], key: peewee.Field
) -> dict[tuple[int, Any], tuple[int, int, int, float | None, datetime.date | None]]:
    """Return figures of pull requests by team and a column that is not NULL.

    They are the numbers of all, of merged and of AI-assisted ones, their mean hours from creation to merge,
    and the last day.
    """
    query = (
        PullRequest.select(
            PullRequest.team,
            key,
            fn.COUNT(PullRequest.id),
            fn.COUNT(PullRequest.id).filter(MERGED),
            fn.COUNT(PullRequest.id).filter(WITH_AI),
            fn.SUM(hundredths(PullRequest.cycle_time_hours)).filter(MERGED),
            fn.COUNT(PullRequest.cycle_time_hours).filter(MERGED),
            fn.MAX(MOMENT),
        )
        .where(PullRequest.team.in_(list(teams)), key.is_null(False))
        .group_by(PullRequest.team, key)
    )
    return {
        (team, value): (
            count,
            merged,
            with_ai,
            float(hours) / timed / 100 if timed else None,
            _day(last),
        )
        for team, value, count, merged, with_ai, hours, timed, last in query.tuples().execute(database)
    }


def _day(moment: datetime.datetime | str | None) -> datetime.date | None:
    """Return the day of a computed time, which SQLite returns as text."""
    return None if moment is None else datetime.date.fromisoformat(str(moment)[:10])


def _counts(
    database: peewee.Database, teams: Sequence[int], member: peewee.ForeignKeyField
) -> dict[tuple[int, int], int]:
    """Return the number of rows of a table by team and member."""
    table = member.model
    query = table.select(table.team, member, fn.COUNT(table.id)).where(table.team.in_(list(teams)))
    return {
        (team, who): count
        for team, who, count in query.group_by(table.team, member).tuples().execute(database)
    }


def _first(rows: Mapping[int, list[Row]], limit: int, by: Callable[[Row], Any]) -> dict[int, Rows]:
    return {team: Rows(sorted(each, key=by)[:limit], len(each)) for team, each in rows.items()}


#: All lists of an organisation, in page order.
LISTINGS = (
    Listing(
        name="insights",
        title="Latest insights",
        one="insight",
        many="insights",
        order="with the highest priority",
        columns={"Insight": "text", "What it says": "text", "Priority": "word", "Day": "day"},
        query=insights,
        day="Day",
    ),
    Listing(
        name="repositories",
        title="Repositories",
        one="repository",
        many="repositories",
        order="with the most pull requests",
        columns={
            "Repository": "text",
            "Pull requests": "count",
            "Merged": "count",
            "With AI": "share",
            "Cycle hours, mean": "hours",
            "Last activity": "day",
        },
        query=repositories,
    ),
    Listing(
        name="people",
        title="People",
        one="person",
        many="people",
        order="with the most pull requests and reviews",
        columns={
            "Name": "text",
            "Role": "word",
            "Pull requests": "count",
            "With AI": "share",
            "Cycle hours, mean": "hours",
            "Reviews given": "count",
            "AI usage, days": "count",
        },
        query=members,
    ),
    Listing(
        name="recent",
        title="Pull requests",
        one="pull request",
        many="pull requests",
        order="that were merged or opened last",
        columns={
            "Number": "word",
            "Title": "text",
            "Repository": "text",
            "Author": "text",
            "State": "word",
            "Day": "day",
            "AI": "text",
            "Cycle hours": "hours",
            "Lines changed": "count",
        },
        query=pull_requests,
        day="Day",
    ),
)


def gather_listings(
    database: peewee.Database, teams: Sequence[int], limit: int
) -> dict[str, Mapping[int, Rows]]:
    """Return the rows of all lists, by the list's name and the team's id."""
    return {listing.name: listing.query(database, teams, limit) for listing in LISTINGS}
