"""Count the use of AI tools as their vendors record it, and the members who use them."""

import datetime
from collections.abc import Sequence
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.metrics.weekly import monday, monday_of
from tformance_seed.report.daily.counts import Counts, Row, as_date, rows_of
from tformance_seed.storage.models import AIUsageDaily, CopilotSeatSnapshot, PRReview, PullRequest

#: Who is counted of the members in a week: those who were active; those of them whose organisation records
#: the use of AI tools; and those who used any AI tool. Those who used one tool follow, by its name, which is
#: shorter: the column has 20 characters.
ACTIVE, RECORDED, WITH_AI = (
    "active, of any organisation",
    "active, where use is recorded",
    "users of any one AI tool",
)

#: Values of the dimension ``use`` of Copilot's seats.
SEAT_USES = ("active", "inactive")


def usage(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count days on which a member used a tool, by the source of the record."""
    columns = (AIUsageDaily.team, AIUsageDaily.date, AIUsageDaily.source)
    query = AIUsageDaily.select(*columns, fn.COUNT(AIUsageDaily.id))
    rows = rows_of(database, query.where(AIUsageDaily.team.in_(list(teams))).group_by(*columns))
    return Counts({"source": sorted({source for _, _, source, _ in rows})}, ("count",), rows)


def member_days(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count days on which a member used any tool, once however many they used."""
    columns = (AIUsageDaily.team, AIUsageDaily.date)
    query = AIUsageDaily.select(*columns, fn.COUNT(AIUsageDaily.member.distinct()))
    of_teams = query.where(AIUsageDaily.team.in_(list(teams))).group_by(*columns)
    return Counts({}, ("count",), rows_of(database, of_teams))


def adoption(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count members by week: those who were active, who used any AI tool, and who used each of them.

    A member is active in a week with a pull request that they opened or merged as its author, a review that
    they submitted, or a day on which they used an AI tool. Before an organisation's first record of such a
    day, who used tools is not known: active members count as recorded from that week on.
    """
    of_teams = list(teams)

    def acts(model: Any, member: Any, moment: Any) -> Any:
        columns = (model.team, monday(database, moment), peewee.Value(ACTIVE), member)
        return model.select(*columns).where(
            model.team.in_(of_teams), member.is_null(False), moment.is_null(False)
        )

    used = (
        AIUsageDaily.select(
            AIUsageDaily.team,
            _week_of(database, AIUsageDaily.date),
            AIUsageDaily.member,
            AIUsageDaily.source,
        )
        .where(AIUsageDaily.team.in_(of_teams))
        .distinct()
        .cte("used", columns=("team", "week", "member", "source"))
    )
    who = (used.c.team, used.c.week)
    seen = (
        peewee.Select([used], [*who, peewee.Value(ACTIVE), used.c.member])
        | peewee.Select([used], [*who, peewee.Value(WITH_AI), used.c.member])
        | peewee.Select([used], [*who, used.c.source, used.c.member])
        | acts(PullRequest, PullRequest.author, PullRequest.pr_created_at)
        | acts(PullRequest, PullRequest.author, PullRequest.merged_at)
        | acts(PRReview, PRReview.reviewer, PRReview.submitted_at)
    ).cte("seen", columns=("team", "week", "who", "member"))
    columns = (seen.c.team, seen.c.week, seen.c.who)
    query = peewee.Select([seen], [*columns, fn.COUNT(seen.c.member)]).group_by(*columns)
    rows = [
        (team, as_date(week), name, count)
        for team, week, name, count in rows_of(database, query.with_cte(used, seen))
    ]
    tools = sorted({name for _, _, name, _ in rows} - {ACTIVE, WITH_AI})
    who_counts = [ACTIVE, RECORDED, WITH_AI, *tools]
    return Counts({"who": who_counts}, ("count",), [*rows, *_recorded(rows)], by_week=True)


def _recorded(rows: Sequence[Row]) -> list[Row]:
    """Return the counts of active members from each team's first week with a use of AI on."""
    first: dict[int, datetime.date] = {}
    for team, week, name, _ in rows:
        if name == WITH_AI:
            first[team] = min(week, first.get(team, week))
    return [
        (team, week, RECORDED, count)
        for team, week, name, count in rows
        if name == ACTIVE and team in first and week >= first[team]
    ]


def _week_of(database: peewee.Database, date: peewee.DateField) -> Any:
    """Return, as SQL, the Monday of a date's week."""
    if is_postgresql(database):
        return fn.date_trunc("week", date.cast("TIMESTAMP")).cast("DATE")
    return monday(database, date)


def seats(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count Copilot's seats by week, as of the last day of the week that has a record of them."""
    snapshot = CopilotSeatSnapshot
    columns = (snapshot.team, snapshot.date, snapshot.active_this_cycle, snapshot.inactive_this_cycle)
    query = snapshot.select(*columns).where(snapshot.team.in_(list(teams))).order_by(snapshot.date)
    last = {(team, monday_of(day)): uses for team, day, *uses in rows_of(database, query)}
    rows = [
        (*key, use, count)
        for key, counts in last.items()
        for use, count in zip(SEAT_USES, counts, strict=True)
    ]
    return Counts({"use": SEAT_USES}, ("count",), rows, by_week=True)
