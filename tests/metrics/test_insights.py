"""Insights that rules find, the facts behind them, and how a day's rows are kept up to date."""

import datetime
from typing import Any

import peewee
import pytest

from tests.support.teams import DAY, HOUR, MONDAY, UNTIL, Coherent, add, add_members, add_team
from tformance_seed.metrics import last_day_differs, refresh_insights
from tformance_seed.metrics.insight_facts import Facts, Merged, gather
from tformance_seed.metrics.insights import RULES
from tformance_seed.storage.models import DailyInsight, PRReview, PullRequest, ReviewerCorrelation

WEEK = 7 * DAY

#: A Wednesday, and the Mondays of the four complete weeks before it.
DATE = datetime.date(2026, 3, 18)
WEEKS = [datetime.date(2026, 2, 16) + ago * WEEK for ago in range(4)]


def found(facts: Facts) -> dict[tuple[str, str], Any]:
    """Return the insights that rules find, by metric type and period."""
    insights = [insight for rule in RULES for insight in rule(facts)]
    return {(insight.metric_type, insight.comparison_period): insight for insight in insights}


def by_day(**days: Merged) -> Facts:
    """Return facts of days before the date: ``d3`` is the third before it."""
    return Facts(DATE, without_ai={DATE - int(name[1:]) * DAY: merged for name, merged in days.items()})


def test_weeks_are_the_last_complete_ones() -> None:
    assert Facts(DATE).weeks == WEEKS
    assert Facts(DATE - 3 * DAY).weeks == WEEKS  # a Sunday completes its week
    assert Facts(DATE - 4 * DAY).weeks[-1] == WEEKS[-1] - WEEK


@pytest.mark.parametrize(
    ("first", "last", "change"),
    [((2, 10), (3, 10), None), ((2, 10), (6, 10), 40.0), ((6, 10), (2, 10), -40.0), ((0, 4), (9, 10), None)],
)
def test_adoption_in_surveys_is_a_trend(first: tuple, last: tuple, change: float | None) -> None:
    facts = Facts(DATE, surveys={WEEKS[0]: first, WEEKS[-1]: last})
    insight = found(facts).get(("ai_adoption", "4_weeks"))
    assert (insight and insight.metric_value["change"]) == change
    if insight:
        assert (insight.category, insight.priority) == ("trend", "medium")
        values = [(each["week"], each["value"]) for each in insight.metric_value["trend"]]
        shares = [10.0 * first[0], 0.0, 0.0, 10.0 * last[0]]
        assert values == list(zip(map(str, WEEKS), shares, strict=True))


@pytest.mark.parametrize(
    ("hours", "priority", "title"),
    [
        (11.9, None, ""),
        (12.0, "high", "Cycle time rose 20.0% in 4 weeks"),
        (8.0, "medium", "Cycle time fell 20.0% in 4 weeks"),
    ],
)
def test_cycle_time_is_a_trend(hours: float, priority: str | None, title: str) -> None:
    facts = Facts(DATE, without_ai={WEEKS[0] + DAY: Merged(5, 5000, 5)})
    facts.with_ai[WEEKS[-1]] = Merged(5, round(500 * hours), 5)
    insight = found(facts).get(("cycle_time", "4_weeks"))
    assert (insight and insight.priority) == priority
    if insight:
        assert (insight.category, insight.title) == ("trend", title)
        assert [each["value"] for each in insight.metric_value["trend"]] == [10.0, None, None, hours]


@pytest.mark.parametrize(("now", "value"), [(2, None), (3, 3.0), (6, 6.0)])
def test_three_times_the_usual_hotfixes_are_a_spike(now: int, value: float | None) -> None:
    facts = by_day(d0=Merged(9, hotfixes=now), d7=Merged(9, hotfixes=3), d34=Merged(9, hotfixes=1))
    insight = found(facts).get(("hotfix_spike", "4_weeks"))
    assert (insight and insight.metric_value["multiplier"]) == value
    if insight:
        assert (insight.category, insight.priority) == ("anomaly", "high")
        assert insight.metric_value == {"current_week": now, "previous_average": 1.0, "multiplier": value}


def test_without_earlier_hotfixes_there_is_no_spike() -> None:
    assert found(by_day(d0=Merged(9, hotfixes=9), d35=Merged(9, hotfixes=1))) == {}


def test_any_revert_in_seven_days_is_told() -> None:
    assert found(by_day(d7=Merged(9, reverts=1))) == {}
    insight = found(by_day(d6=Merged(9, reverts=2)))["revert_spike", "1_week"]
    assert (insight.category, insight.priority, insight.metric_value) == (
        "anomaly",
        "high",
        {"revert_count": 2},
    )


def test_more_than_a_fifth_of_failing_check_runs_is_told() -> None:
    facts = Facts(DATE, check_runs={"success": 79, "failure": 20, "skipped": 1})
    assert found(facts) == {}
    facts.check_runs["failure"] = 21
    insight = found(facts)["ci_failure_rate", "4_weeks"]
    assert (insight.category, insight.priority) == ("anomaly", "medium")
    assert insight.metric_value == {
        "failure_rate": 20.8,
        "total_runs": 101,
        "failure_count": 21,
        "success_count": 79,
    }


def test_five_merged_without_an_issue_are_told() -> None:
    assert found(by_day(d0=Merged(9, unlinked=4), d28=Merged(9, unlinked=9))) == {}
    insight = found(by_day(d0=Merged(9, unlinked=4), d27=Merged(9, unlinked=1)))["unlinked_prs", "4_weeks"]
    assert (insight.category, insight.priority) == ("action", "low")
    assert insight.metric_value == {"count": 5, "lookback_weeks": 4}


@pytest.mark.parametrize(
    ("ai", "count", "milestones"),
    [
        (0, 49, {}),
        (0, 50, {"pr_count": 50}),
        (0, 60, {"pr_count": 50}),
        (0, 61, {}),
        (20, 80, {"ai_adoption": 25}),
        (24, 80, {}),
        (91, 101, {"ai_adoption": 90, "pr_count": 100}),
    ],
)
def test_milestones_that_were_just_reached_are_told(ai: int, count: int, milestones: dict) -> None:
    facts = Facts(DATE, with_ai={DATE: Merged(ai)}, without_ai={DATE - 400 * DAY: Merged(count - ai)})
    reached = {insight.metric_type: insight for insight in found(facts).values()}
    assert {name: insight.metric_value["milestone"] for name, insight in reached.items()} == milestones
    assert {(insight.category, insight.priority) for insight in reached.values()} <= {("action", "low")}
    assert {insight.comparison_period for insight in reached.values()} <= {"all_time"}


def test_reviewers_who_always_agree_are_redundant(database: peewee.Database) -> None:
    team = add_team("acme")
    members = add_members(team, 6)
    pairs = [
        ((0, 1), 20, 19),
        ((0, 2), 20, 18),
        ((1, 2), 9, 9),
        ((3, 4), 30, 30),
        ((2, 3), 11, 11),
        ((4, 5), 10, 10),
    ]
    for (one, other), together, agreed in pairs:
        add(
            ReviewerCorrelation,
            team=team,
            reviewer_1=members[one],
            reviewer_2=members[other],
            prs_reviewed_together=together,
            agreements=agreed,
            disagreements=together - agreed,
        )
    refresh_insights(database, team.id, DATE)
    rows = DailyInsight.select().where(DailyInsight.team == team).order_by(DailyInsight.id)
    assert [row.metric_value["prs_reviewed_together"] for row in rows] == [30, 20, 11]
    assert {(row.category, row.priority, row.comparison_period) for row in rows} == {
        ("action", "low", "all_time")
    }
    assert rows[1].metric_value == {
        "reviewer_1": "Member 0",
        "reviewer_2": "Member 1",
        "agreement_rate": 95.0,
        "prs_reviewed_together": 20,
    }


def test_facts_are_counted_as_of_the_end_of_the_day(coherent: Coherent) -> None:
    """A coherent team has 30 pull requests: 24 are merged, 3 open, and every third has AI."""
    facts = gather(coherent.database, coherent.team.id, UNTIL)
    merged = [row for row in PullRequest.select() if row.state == "merged"]
    assert facts.merged(None).count == len(merged) == 24
    assert facts.merged(None, kinds=[facts.with_ai]).count == sum(row.is_ai_assisted for row in merged)
    assert facts.merged(None).reverts == sum(row.is_revert for row in merged)
    assert facts.merged(None).cycle == sum(row.cycle_time_hours * 100 for row in merged)
    assert facts.open_count == 3
    day = merged[5].merged_at.date()
    on_day = sum(row.merged_at.date() == day for row in merged)
    assert facts.between(day, day).count == on_day
    before = gather(coherent.database, coherent.team.id, day - DAY)
    assert before.merged(None).count == sum(row.merged_at.date() < day for row in merged)
    assert sum(reviewer.reviews[90] for reviewer in facts.reviewers) == PRReview.select().count()
    assert facts.check_runs == {"success": sum(row.merged_at.date() > UNTIL - 28 * DAY for row in merged)}
    assert sum(total for _, total in facts.surveys.values()) == sum(
        facts.weeks[0] <= row.merged_at.date() for row in merged
    )


def test_the_page_has_an_insight_for_each_period(coherent: Coherent) -> None:
    rows = DailyInsight.select().where(DailyInsight.category == "llm_insight").order_by(DailyInsight.id)
    assert [row.comparison_period for row in rows] == ["7", "30", "90"]
    for row in rows:
        assert (row.date, row.priority, row.metric_type) == (UNTIL, "medium", "llm_dashboard_insight")
        assert (row.title, row.description) == (row.metric_value["headline"], row.metric_value["detail"])
        assert row.created_at == datetime.datetime.combine(UNTIL, datetime.time(), datetime.UTC)


def test_a_team_without_data_has_no_insights(database: peewee.Database) -> None:
    team = add_team("acme")
    assert refresh_insights(database, team.id, DATE) == (0, 0)
    assert not last_day_differs(database, team.id)


def test_second_run_writes_nothing_and_keeps_dismissals(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    DailyInsight.update(is_dismissed=True, dismissed_at=MONDAY).where(
        DailyInsight.id == rows[0]["id"]
    ).execute()
    rows[0] |= {"is_dismissed": True, "dismissed_at": MONDAY}
    coherent.compute()
    assert list(DailyInsight.select().order_by(DailyInsight.id).dicts()) == rows
    assert refresh_insights(database, team.id, UNTIL) == (0, len(rows))


def test_only_what_differs_is_replaced(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    DailyInsight.update(priority="low").where(DailyInsight.id == rows[1]["id"]).execute()
    assert last_day_differs(database, team.id)
    twin = {name: value for name, value in rows[2].items() if name != "id"}
    DailyInsight.insert(twin).execute()
    DailyInsight.insert(twin | {"metric_type": "pr_count", "category": "action"}).execute()
    assert refresh_insights(database, team.id, UNTIL) == (3, len(rows) - 1)
    assert list(DailyInsight.select().order_by(DailyInsight.id).dicts()) == rows
    assert not last_day_differs(database, team.id)


def test_rows_of_earlier_days_other_teams_and_programs_stay(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    row = {name: value for name, value in rows[0].items() if name != "id"}
    strangers = [
        row | {"team": add_team("other").id},
        row | {"date": row["date"] - DAY},
        row | {"metric_type": "of the application"},
        row | {"created_at": row["created_at"] + HOUR},  # as the application writes it
    ]
    for stranger in strangers:
        DailyInsight.insert(stranger).execute()
    PullRequest.delete().execute()
    assert refresh_insights(database, team.id, UNTIL) == (len(rows), 0)
    left = [{**kept, "id": None} for kept in DailyInsight.select().order_by(DailyInsight.id).dicts()]
    assert left == [stranger | {"id": None} for stranger in strangers]


def test_a_day_later_the_older_insights_stay(coherent: Coherent) -> None:
    team, database = coherent.team, coherent.database
    rows = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    refresh_insights(database, team.id, UNTIL + DAY)
    later = list(DailyInsight.select().order_by(DailyInsight.id).dicts())
    assert later[: len(rows)] == rows
    assert {row["date"] for row in later[len(rows) :]} == {UNTIL + DAY}


def test_insights_of_later_days_are_renewed(coherent: Coherent) -> None:
    """A history may be filled in from its end; what is about all time then changes on the last day too."""
    team, database = coherent.team, coherent.database
    PullRequest.update(is_revert=False).execute()
    assert last_day_differs(database, team.id)
    refresh_insights(database, team.id, UNTIL - 5 * DAY)
    assert not last_day_differs(database, team.id)
    assert {row.date for row in DailyInsight.select()} == {UNTIL, UNTIL - 5 * DAY}
