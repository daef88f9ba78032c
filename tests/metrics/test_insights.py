import datetime
from decimal import Decimal
from typing import Any

import peewee
import pytest

from tests.support.teams import DAY, HOUR, MONDAY, Coherent, add, add_members, add_team
from tformance_seed.metrics import refresh_insights
from tformance_seed.storage.models import DailyInsight, PRReview, PullRequest, Team

WEEK = 7 * DAY

#: A Wednesday; the last complete week before it; that week's Sunday.
UNTIL = datetime.date(2025, 3, 19)
LAST_WEEK = datetime.datetime(2025, 3, 10, tzinfo=datetime.UTC)
SUNDAY = datetime.date(2025, 3, 16)


def add_merged(
    team: Team,
    week: datetime.datetime,
    cycle: str | None,
    review: str | None = None,
    *,
    ai: bool = False,
    times: int = 1,
) -> None:
    for _ in range(times):
        add(
            PullRequest,
            team=team,
            github_pr_id=PullRequest.select().count(),
            github_repo="a/b",
            state="merged",
            merged_at=week + DAY,
            cycle_time_hours=cycle and Decimal(cycle),
            review_time_hours=review and Decimal(review),
            is_ai_assisted=ai,
        )


def add_open(team: Team, title: str, days: int) -> None:
    end = datetime.datetime.combine(UNTIL + DAY, datetime.time(), datetime.UTC)
    add(
        PullRequest,
        team=team,
        github_pr_id=PullRequest.select().count(),
        github_repo="a/b",
        title=title,
        state="open",
        pr_created_at=end - days * DAY - HOUR,
    )


def found(database: peewee.Database, team: Team, until: datetime.date = UNTIL) -> dict[str, Any]:
    """Return the insights of a team, by metric type."""
    refresh_insights(database, team.id, team.slug, until)
    return {row.metric_type: row for row in DailyInsight.select().where(DailyInsight.team == team)}


def test_cycle_time_is_compared_week_over_week(database: peewee.Database) -> None:
    team = add_team("acme")
    add_merged(team, LAST_WEEK - WEEK, "10.00", times=5)
    add_merged(team, LAST_WEEK, "12.00", times=3)
    add_merged(team, LAST_WEEK, "13.01", times=3)
    add_merged(team, LAST_WEEK, None)
    add_merged(team, LAST_WEEK + WEEK, "99")
    row = found(database, team)["cycle_time"]
    assert row.metric_value == {"current": 12.51, "previous": 10.0, "change_percent": 25.1}
    assert (row.category, row.priority, row.comparison_period) == ("trend", "high", "week_over_week")
    assert row.title == "Cycle time rose 25.1% to 12.51 hours"
    assert row.date == SUNDAY
    assert row.created_at == row.updated_at == LAST_WEEK + 6 * DAY


def test_too_few_pull_requests_give_no_insight(database: peewee.Database) -> None:
    team = add_team("acme")
    for ago in range(9):
        add_merged(
            team, LAST_WEEK - ago * WEEK, "10" if ago else "99", "1" if ago else "9", times=4 + (ago > 0)
        )
    assert found(database, team) == {}


@pytest.mark.parametrize(
    ("cycle", "priority", "title"),
    [
        ("10.00", "low", "Cycle time held at 10.00 hours"),
        ("9.50", "low", "Cycle time fell 5.0% to 9.50 hours"),
        ("5.00", "medium", "Cycle time fell 50.0% to 5.00 hours"),
        ("11.00", "medium", "Cycle time rose 10.0% to 11.00 hours"),
    ],
)
def test_priority_grows_with_the_change(
    database: peewee.Database, cycle: str, priority: str, title: str
) -> None:
    team = add_team("acme")
    add_merged(team, LAST_WEEK - WEEK, "10.00", times=5)
    add_merged(team, LAST_WEEK, cycle, times=5)
    row = found(database, team)["cycle_time"]
    assert (row.priority, row.title) == (priority, title)


def test_ai_adoption_is_compared_with_the_four_weeks_before(database: peewee.Database) -> None:
    team = add_team("acme")
    for ago in range(1, 5):
        add_merged(team, LAST_WEEK - ago * WEEK, None, ai=ago == 1, times=2)
    add_merged(team, LAST_WEEK - 5 * WEEK, None, ai=True, times=10)
    add_merged(team, LAST_WEEK, None, ai=True, times=4)
    add_merged(team, LAST_WEEK, None, times=2)
    row = found(database, team)["ai_adoption"]
    assert row.metric_value == {"current": 66.7, "previous": 25.0, "pull_requests": 6}
    assert (row.category, row.priority, row.date) == ("trend", "medium", SUNDAY)


@pytest.mark.parametrize(("review", "priority"), [("2.99", None), ("3.00", "medium"), ("4.00", "high")])
def test_a_slow_review_week_is_an_anomaly(
    database: peewee.Database, review: str, priority: str | None
) -> None:
    team = add_team("acme")
    for ago, usual in enumerate(["1.00", "2.00", "2.00", "90.00"], start=1):
        add_merged(team, LAST_WEEK - ago * WEEK, None, usual)
    add_merged(team, LAST_WEEK, None, review, times=5)
    row = found(database, team).get("review_time")
    assert (row and row.priority) == priority
    if row:
        assert row.category == "anomaly"
        assert row.metric_value == {"current": float(review), "usual": 2.0, "weeks": 4}


def test_pull_requests_with_ai_are_compared_with_those_without(database: peewee.Database) -> None:
    team = add_team("acme")
    add_merged(team, LAST_WEEK, "8.00", ai=True, times=4)
    add_merged(team, LAST_WEEK, "10.00", times=5)
    assert "ai_cycle_time" not in found(database, team)
    add_merged(team, LAST_WEEK - 3 * WEEK, "8.00", ai=True)
    row = found(database, team)["ai_cycle_time"]
    assert row.metric_value == {"with_ai": 8.0, "without_ai": 10.0, "change_percent": -20.0}
    assert row.title == "Pull requests with AI were merged 20.0% faster"
    assert (row.category, row.priority) == ("comparison", "medium")


def test_the_oldest_open_pull_requests_call_for_action(database: peewee.Database) -> None:
    team = add_team("acme")
    for title, days in (("new", 6), ("week", 7), ("old", 29), ("older", 12)):
        add_open(team, title, days)
    row = found(database, team)["open_pull_requests"]
    assert row.metric_value["count"] == 3
    assert [(one["title"], one["days"]) for one in row.metric_value["oldest"]] == [
        ("old", 29),
        ("older", 12),
        ("week", 7),
    ]
    assert (row.category, row.priority, row.date) == ("action", "medium", UNTIL)
    add_open(team, "x" * 300, 30)
    row = found(database, team)["open_pull_requests"]
    assert row.priority == "high"
    assert row.metric_value["oldest"][0]["title"] == "x" * 80


@pytest.mark.parametrize(("share", "priority"), [(3, None), (4, "medium"), (6, "high")])
def test_a_reviewer_with_most_reviews_is_a_bottleneck(
    database: peewee.Database, share: int, priority: str | None
) -> None:
    team = add_team("acme")
    members = add_members(team, 4)
    pull_request = add(PullRequest, team=team, github_pr_id=1, github_repo="a/b", state="merged")
    for place in range(20):
        reviewer = members[0] if place < 2 * share else members[1 + place % 3]
        add(
            PRReview,
            team=team,
            pull_request=pull_request,
            reviewer=reviewer,
            state="approved",
            submitted_at=LAST_WEEK,
        )
    for _ in range(50):
        long_ago = LAST_WEEK - 5 * WEEK
        add(
            PRReview,
            team=team,
            pull_request=pull_request,
            reviewer=members[1],
            state="approved",
            submitted_at=long_ago,
        )
    row = found(database, team).get("reviewer_load")
    assert (row and row.priority) == priority
    if row:
        assert row.title == f"Member 0 does {share}0.0% of all reviews"
        assert row.metric_value == {"reviews": 2 * share, "total": 20, "share_percent": 10.0 * share}


def test_a_team_without_data_has_no_insights(database: peewee.Database) -> None:
    team = add_team("acme")
    assert refresh_insights(database, team.id, team.slug, UNTIL) == (0, 0)


def test_a_sunday_ends_a_complete_week(database: peewee.Database) -> None:
    team = add_team("acme")
    add_merged(team, LAST_WEEK - WEEK, "10", times=5)
    add_merged(team, LAST_WEEK, "10", times=5)
    assert "cycle_time" not in found(database, team, SUNDAY - DAY)
    assert found(database, team, SUNDAY)["cycle_time"].date == SUNDAY


def test_second_run_writes_nothing_and_keeps_dismissals(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    DailyInsight.update(is_dismissed=True, dismissed_at=MONDAY).where(
        DailyInsight.id == rows[0]["id"]
    ).execute()
    rows[0] |= {"is_dismissed": True, "dismissed_at": MONDAY}
    coherent.compute()
    assert list(DailyInsight.select().order_by(DailyInsight.id).dicts()) == rows
    assert refresh_insights(database, team.id, team.slug, datetime.date(2025, 2, 19)) == (0, len(rows))


def test_only_what_differs_is_replaced(coherent: Coherent) -> None:
    team, database, until = coherent.team, coherent.database, datetime.date(2025, 2, 19)
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    assert len(rows) == 3
    DailyInsight.update(priority="low").where(DailyInsight.id == rows[1]["id"]).execute()
    twin = {name: value for name, value in rows[2].items() if name != "id"}
    DailyInsight.insert(twin).execute()
    stale = twin | {"metric_type": "reviewer_load", "category": "llm_insight"}
    DailyInsight.insert(stale).execute()
    assert refresh_insights(database, team.id, team.slug, until) == (3, 2)
    assert list(DailyInsight.select().order_by(DailyInsight.id).dicts()) == rows


def test_rows_of_other_days_teams_and_programs_stay(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    row = DailyInsight.select().order_by(DailyInsight.date.desc()).dicts().first()
    del row["id"]
    other = {"team": add_team("other").id}
    strangers = [row | other, row | {"date": row["date"] - DAY}, row | {"metric_type": "of the application"}]
    for stranger in strangers:
        DailyInsight.insert(stranger).execute()
    PullRequest.delete().execute()
    PRReview.delete().execute()
    assert refresh_insights(database, team.id, team.slug, row["date"]) == (3, 0)
    left = [{**kept, "id": None} for kept in DailyInsight.select().order_by(DailyInsight.id).dicts()]
    assert left == [stranger | {"id": None} for stranger in strangers]


def test_a_day_later_the_older_insights_stay(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    refresh_insights(database, team.id, team.slug, datetime.date(2025, 2, 20))
    later = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    assert later[: len(rows)] == rows
    assert {row["date"] for row in later[len(rows) :]} == {datetime.date(2025, 2, 20)}
