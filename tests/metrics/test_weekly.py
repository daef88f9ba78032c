import datetime
import random
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal

import peewee
import pytest

from tests.support.databases import connect
from tests.support.teams import DAY, MONDAY, Coherent, add, add_members, add_team
from tformance_seed.metrics import refresh_weekly
from tformance_seed.storage.models import (
    Commit,
    DailyInsight,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    ReviewerCorrelation,
    Team,
    TeamMember,
    WeeklyMetrics,
)
from tformance_seed.storage.schema.create import create_missing

WEEK = 7 * DAY
WEEKS = 5
SINCE, UNTIL = MONDAY.date() + 9 * DAY, MONDAY.date() + 25 * DAY
FIRST, LAST = MONDAY.date() + WEEK, MONDAY.date() + 3 * WEEK


def random_rows(team: Team, members: list[TeamMember], seed: int) -> None:
    """Add rows that need not agree with one another, some at the edges of weeks, some without values."""
    draw = random.Random(seed)

    def moment() -> datetime.datetime:
        edge = draw.choice([datetime.timedelta(0), datetime.timedelta(microseconds=-1), DAY])
        spread = datetime.timedelta(seconds=draw.randrange(7 * 86400)) if edge == DAY else edge
        return MONDAY + draw.randrange(WEEKS) * WEEK + spread

    def maybe(value: object) -> object:
        return None if draw.random() < 0.2 else value

    def amount(places: int) -> Decimal:
        return Decimal(draw.randrange(100_000)).scaleb(-places)

    for number in range(150):
        state = draw.choice(["merged", "merged", "merged", "open", "closed"])
        author = maybe(draw.choice(members))
        pull_request = add(
            PullRequest,
            team=team,
            author=author,
            github_pr_id=number,
            github_repo="a/b",
            state=state,
            merged_at=moment() if state == "merged" else None,
            cycle_time_hours=maybe(amount(2)),
            review_time_hours=maybe(amount(2)),
            additions=draw.randrange(10_000),
            deletions=draw.randrange(10_000),
            is_revert=draw.random() < 0.3,
            is_hotfix=draw.random() < 0.3,
        )
        add(
            Commit,
            team=team,
            author=maybe(draw.choice(members)),
            github_sha=str(number),
            github_repo="a/b",
            committed_at=maybe(moment()),
            additions=draw.randrange(10_000),
            deletions=draw.randrange(10_000),
        )
        if draw.random() < 0.7:
            survey = add(
                PRSurvey,
                team=team,
                pull_request=pull_request,
                author_responded_at=maybe(moment()),
                author_ai_assisted=maybe(draw.random() < 0.5),
            )
            for reviewer in draw.sample(members, 2):
                add(
                    PRSurveyReview,
                    team=team,
                    survey=survey,
                    reviewer=reviewer,
                    quality_rating=maybe(draw.randint(1, 3)),
                    ai_guess=maybe(draw.random() < 0.5),
                    guess_correct=maybe(draw.random() < 0.6),
                )


def mean(values: list[Decimal]) -> Decimal | None:
    if not values:
        return None
    return (sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def recompute(team: Team, first: datetime.date, last: datetime.date) -> dict[tuple, dict]:
    """Return the expected rows by member and week, counted one by one."""

    def week(moment: datetime.datetime) -> datetime.date:
        return moment.date() - moment.weekday() * DAY

    lists: dict[tuple, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for pull_request in PullRequest.select().where(PullRequest.team == team, PullRequest.state == "merged"):
        cell = lists[pull_request.author_id, week(pull_request.merged_at)]
        cell["merged"].append(pull_request)
        for survey in PRSurvey.select().where(PRSurvey.pull_request == pull_request):
            cell["surveys"].append(survey)
            cell["answers"] += list(PRSurveyReview.select().where(PRSurveyReview.survey == survey))
    for commit in Commit.select().where(Commit.team == team, Commit.committed_at.is_null(False)):
        lists[commit.author_id, week(commit.committed_at)]["commits"].append(commit)
    merges = [week(one.merged_at) for cell in lists.values() for one in cell["merged"]]
    for number in range((max(merges) - min(merges)).days // 7 + 1):
        for member in TeamMember.select().where(TeamMember.team == team, TeamMember.is_active):
            lists[member.id, min(merges) + number * WEEK]  # a row without data

    rows = {}
    for (member, start), cell in lists.items():
        if member is None or not first <= start <= last:
            continue
        merged, answers = cell["merged"], cell["answers"]
        guesses = sum(answer.ai_guess is not None for answer in answers)
        right = Decimal(100 * sum(answer.guess_correct is True for answer in answers))
        ratings = [Decimal(answer.quality_rating) for answer in cell["answers"] if answer.quality_rating]
        cycles = [one.cycle_time_hours for one in merged if one.cycle_time_hours is not None]
        waits = [one.review_time_hours for one in merged if one.review_time_hours is not None]
        monday = datetime.datetime.combine(start, datetime.time(), datetime.UTC)
        rows[member, start] = {
            "created_at": monday,
            "updated_at": monday,
            "prs_merged": len(merged),
            "avg_cycle_time_hours": mean(cycles),
            "avg_review_time_hours": mean(waits),
            "commits_count": len(cell["commits"]),
            "lines_added": sum(one.additions for one in merged),
            "lines_removed": sum(one.deletions for one in merged),
            "revert_count": sum(one.is_revert for one in merged),
            "hotfix_count": sum(one.is_hotfix for one in merged),
            "story_points_completed": Decimal("0.0"),
            "issues_resolved": 0,
            "ai_assisted_prs": sum(survey.author_ai_assisted is True for survey in cell["surveys"]),
            "avg_quality_rating": mean(ratings),
            "surveys_completed": sum(one.author_responded_at is not None for one in cell["surveys"]),
            "guess_accuracy": mean([right / guesses]) if guesses else None,
        }
    return rows


def stored(team: Team) -> dict[tuple, dict]:
    rows = {}
    for row in WeeklyMetrics.select().where(WeeklyMetrics.team == team).dicts():
        del row["id"], row["team"]
        rows[row.pop("member"), row.pop("week_start")] = row
    return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_weekly_metrics_equal_a_recomputation(database: peewee.Database, seed: int) -> None:
    team = add_team("acme")
    random_rows(team, add_members(team, 5), seed)
    written, unchanged = refresh_weekly(database, team.id, SINCE, UNTIL)
    expected = recompute(team, FIRST, LAST)
    assert stored(team) == expected
    assert (written, unchanged) == (len(expected), 0)
    assert len(expected) == 15


def test_the_window_is_widened_to_whole_weeks(database: peewee.Database) -> None:
    team = add_team("acme")
    random_rows(team, add_members(team, 3), 3)
    refresh_weekly(database, team.id, SINCE, SINCE)
    assert {start for _, start in stored(team)} == {FIRST}
    assert refresh_weekly(database, team.id, FIRST, FIRST + 6 * DAY) == (0, len(stored(team)))


def test_only_changed_rows_are_written(database: peewee.Database) -> None:
    team = add_team("acme")
    members = add_members(team, 5)
    random_rows(team, members, 4)
    refresh_weekly(database, team.id, SINCE, UNTIL)
    before = dict(WeeklyMetrics.select(WeeklyMetrics.id, WeeklyMetrics.week_start).tuples())
    merge = FIRST + WEEK + DAY
    one = PullRequest.select().where(PullRequest.state == "merged", PullRequest.author == members[0]).first()
    one.merged_at = datetime.datetime.combine(merge, datetime.time(), datetime.UTC)
    one.cycle_time_hours = Decimal("9999.99")
    one.save()
    written, unchanged = refresh_weekly(database, team.id, SINCE, UNTIL)
    assert 1 <= written <= 2
    assert written + unchanged == len(before)
    assert stored(team) == recompute(team, FIRST, LAST)
    assert dict(WeeklyMetrics.select(WeeklyMetrics.id, WeeklyMetrics.week_start).tuples()) == before


def test_rows_of_the_window_without_data_are_deleted_and_all_others_stay(database: peewee.Database) -> None:
    teams = [add_team("acme"), add_team("other")]
    for seed, team in enumerate(teams):
        random_rows(team, add_members(team, 5), seed)
        refresh_weekly(database, team.id, MONDAY.date(), MONDAY.date() + 6 * WEEK)
    others, mine = stored(teams[1]), stored(teams[0])
    for model, moment in (
        (PullRequest, PullRequest.merged_at),
        (Commit, Commit.committed_at),
    ):
        model.update({moment: None}).where(model.team == teams[0]).execute()
    gone = sum(FIRST <= start <= LAST for _, start in mine)
    assert refresh_weekly(database, teams[0].id, SINCE, UNTIL) == (gone, 0)
    assert stored(teams[0]) == {key: row for key, row in mine.items() if not FIRST <= key[1] <= LAST}
    assert stored(teams[1]) == others


def test_a_mean_is_rounded_half_to_even(database: peewee.Database) -> None:
    team = add_team("acme")
    (member,) = add_members(team, 1)
    for number, cycle in enumerate(["0.01", "0.02", "1.00", "1.01"]):
        add(
            PullRequest,
            team=team,
            author=member,
            github_pr_id=number,
            github_repo="a/b",
            state="merged",
            merged_at=MONDAY + number // 2 * WEEK,
            cycle_time_hours=Decimal(cycle),
        )
    refresh_weekly(database, team.id, MONDAY.date(), MONDAY.date() + WEEK)
    means = WeeklyMetrics.select(WeeklyMetrics.avg_cycle_time_hours).order_by(WeeklyMetrics.week_start)
    assert [mean for (mean,) in means.tuples()] == [Decimal("0.02"), Decimal("1.00")]


def test_intermediate_sums_may_exceed_32_bits(database: peewee.Database) -> None:
    team = add_team("acme")
    (member,) = add_members(team, 1)
    for number in range(3):
        add(
            PullRequest,
            team=team,
            author=member,
            github_pr_id=number,
            github_repo="a/b",
            state="merged",
            merged_at=MONDAY,
            cycle_time_hours=Decimal("99999999.99"),
        )
    refresh_weekly(database, team.id, MONDAY.date(), MONDAY.date())
    assert WeeklyMetrics.get().avg_cycle_time_hours == Decimal("99999999.99")


def test_rows_of_another_team_that_refer_to_this_one_do_not_count(coherent: Coherent) -> None:
    """Neither in the weekly metrics nor in the reviewer pairs and the insights."""
    other = add_team("other")
    (stranger,) = add_members(other, 1)
    known = PRSurvey.select().join(PRSurveyReview).where(PRSurvey.author_responded_at.is_null(False))
    lost, kept = known.distinct().order_by(PRSurvey.id).limit(2)
    PRSurveyReview.delete().where(PRSurveyReview.survey == lost).execute()
    lost.delete_instance()
    coherent.compute()
    computed = (WeeklyMetrics, ReviewerCorrelation, DailyInsight)
    before = [list(model.select().order_by(model.id).tuples()) for model in computed]
    answered = {"quality_rating": 1, "guess_correct": False, "responded_at": MONDAY}
    survey = add(
        PRSurvey,
        team=other,
        pull_request=lost.pull_request,
        author=lost.author,
        author_responded_at=lost.author_responded_at,
    )
    add(PRSurveyReview, team=coherent.team, survey=survey, reviewer=coherent.members[0], **answered)
    add(PRSurveyReview, team=other, survey=kept, reviewer=stranger, **answered)
    for review in list(PRReview.select()):
        add(
            PRReview,
            team=coherent.team,
            pull_request=review.pull_request,
            reviewer=stranger,
            github_review_id=10_000 + review.id,
            state="approved",
            submitted_at=review.submitted_at,
        )
    coherent.compute()
    assert [list(model.select().order_by(model.id).tuples()) for model in computed] == before


def test_a_team_without_data_has_no_weeks(database: peewee.Database) -> None:
    assert refresh_weekly(database, add_team("acme").id, SINCE, UNTIL) == (0, 0)


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[peewee.Database]:
    opened = connect(postgresql_url)
    create_missing(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_weeks_are_in_utc_whatever_the_sessions_time_zone(postgresql: peewee.Database, zone: str) -> None:
    postgresql.execute_sql("SET TIME ZONE %s", (zone,))
    team = add_team("acme")
    random_rows(team, add_members(team, 4), 5)
    refresh_weekly(postgresql, team.id, SINCE, UNTIL)
    assert stored(team) == recompute(team, FIRST, LAST)


def test_one_statement_computes_an_organisation_on_postgresql(
    postgresql: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = add_team("acme")
    random_rows(team, add_members(team, 2), 6)
    statements = []
    execute = postgresql.execute_sql

    def record(statement: str, parameters: object = None) -> object:
        statements.append(statement)
        return execute(statement, parameters)

    monkeypatch.setattr(postgresql, "execute_sql", record)
    refresh_weekly(postgresql, team.id, SINCE, UNTIL)
    assert len(statements) == 1


def test_second_run_changes_no_statistic_of_postgresql(postgresql: peewee.Database) -> None:
    team = Coherent(postgresql)
    before = statistics(postgresql)
    team.compute()
    assert statistics(postgresql) == before
    assert all(inserted for _, inserted, _, _ in before)
    PullRequest.update(is_revert=True).where(PullRequest.team == team.team).execute()
    team.compute()
    assert statistics(postgresql) != before


def statistics(database: peewee.Database) -> list[tuple]:
    """Return rows inserted, changed and deleted so far in the aggregates' tables."""
    database.execute_sql("SELECT pg_stat_force_next_flush()")
    return database.execute_sql(
        "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relname IN "
        "('metrics_weeklymetrics', 'metrics_reviewercorrelation', 'metrics_dailyinsight') ORDER BY relname"
    ).fetchall()
