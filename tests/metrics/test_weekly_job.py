"""Weekly metrics are those that the application's weekly job writes."""

from decimal import Decimal

import peewee

from tests.metrics.test_weekly import WEEK, stored
from tests.support.teams import DAY, MONDAY, add, add_members, add_team
from tformance_seed.metrics import refresh_weekly
from tformance_seed.storage.models import PRSurvey, PRSurveyReview, PullRequest, TeamMember, WeeklyMetrics


def test_a_week_of_the_application_is_ours(database: peewee.Database) -> None:
    """What is wanted was computed by the application's weekly job."""
    team = add_team("acme")
    author, reviewer, idle, gone = add_members(team, 4)
    TeamMember.update(is_active=False).where(TeamMember.id == gone).execute()
    answers = [(True, 3, True), (False, 2, False), (None, 2, False), ()]
    for number, answer in enumerate(answers):
        pull_request = add(
            PullRequest,
            team=team,
            author=author,
            github_pr_id=number,
            github_repo="a/b",
            state="merged",
            merged_at=MONDAY + DAY,
            additions=100 * (number + 1),
            deletions=10,
            is_ai_assisted=number < 2,
        )
        if answer:
            answered, rating, right = answer
            when = MONDAY + 2 * DAY if answered is not None else None
            survey = add(
                PRSurvey,
                team=team,
                pull_request=pull_request,
                author=author,
                author_ai_assisted=answered,
                author_responded_at=when,
            )
            given = {"quality_rating": rating, "ai_guess": True, "guess_correct": right}
            add(PRSurveyReview, team=team, survey=survey, reviewer=reviewer, **given)
    refresh_weekly(database, team.id, MONDAY.date(), MONDAY.date())
    rows = {member: row for (member, _), row in stored(team).items()}
    assert rows.keys() == {author.id, reviewer.id, idle.id}
    names = "prs_merged lines_added lines_removed ai_assisted_prs surveys_completed avg_quality_rating"
    assert [rows[author.id][name] for name in names.split()] == [4, 1000, 40, 1, 2, Decimal("2.33")]
    assert rows[author.id]["guess_accuracy"] == Decimal("33.33")
    assert rows[idle.id] == {
        **dict.fromkeys(rows[idle.id], 0),
        **dict.fromkeys(("created_at", "updated_at"), MONDAY),
        **{name: None for name in rows[idle.id] if name.startswith(("avg", "guess"))},
    }


def test_ratings_are_rounded_as_by_the_application(database: peewee.Database) -> None:
    team = add_team("acme")
    author, *reviewers = add_members(team, 9)
    pull_request = add(
        PullRequest,
        team=team,
        author=author,
        github_pr_id=1,
        github_repo="a/b",
        state="merged",
        merged_at=MONDAY,
    )
    survey = add(PRSurvey, team=team, pull_request=pull_request)
    for reviewer, rating in zip(reviewers, [3, 2, 2, 2, 2, 2, 2, 2], strict=True):
        add(PRSurveyReview, team=team, survey=survey, reviewer=reviewer, quality_rating=rating)
    refresh_weekly(database, team.id, MONDAY.date(), MONDAY.date())
    assert WeeklyMetrics.get(WeeklyMetrics.member == author).avg_quality_rating == Decimal("2.12")


def test_a_week_without_a_merge_between_two_has_rows(database: peewee.Database) -> None:
    team = add_team("acme")
    members = add_members(team, 2)
    for number, merged_at in enumerate([MONDAY, MONDAY + 2 * WEEK]):
        values = {"github_pr_id": number, "github_repo": "a/b", "state": "merged", "merged_at": merged_at}
        add(PullRequest, team=team, author=members[0], **values)
    for day in (MONDAY.date(), MONDAY.date() + WEEK, MONDAY.date() + 2 * WEEK):
        assert refresh_weekly(database, team.id, day, day) == (2, 0)
    assert refresh_weekly(database, team.id, MONDAY.date() - WEEK, MONDAY.date() - WEEK) == (0, 0)
    assert refresh_weekly(database, team.id, MONDAY.date(), MONDAY.date() + 3 * WEEK) == (0, 6)
