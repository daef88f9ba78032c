"""Ways to break each rule of verification; each returns the name of the table where it does."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import peewee

from tests.support.teams import DAY, HOUR, MONDAY, Coherent, add, add_members, add_team
from tests.verification.corruptions_of_usage import OF_USAGE
from tests.verification.derived_corruptions import DERIVED
from tests.verification.rows import change, one
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.models import (
    AIUsageDaily,
    Commit,
    DailyInsight,
    Deployment,
    JiraIssue,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    ReviewerCorrelation,
    TeamMember,
    WeeklyMetrics,
)

MINUTE = datetime.timedelta(minutes=1)


# Pull request 1 is merged and reviewed, 5 is merged without a review, 13 is open and has one reviewer.


def illegal_choice(team: Coherent) -> str:
    return change(one(PRFile), status="copied")


def too_long(team: Coherent) -> str:
    if is_postgresql(team.database):  # which would refuse it
        team.database.execute_sql("ALTER TABLE metrics_prfile ALTER COLUMN filename TYPE text")
    return change(one(PRFile), filename="x" * 498 + ".py")


def stranger_as_creator(team: Coherent) -> str:
    (stranger,) = add_members(add_team("other"), 1)
    return change(one(Deployment), creator=stranger)


def same_number_twice(team: Coherent) -> str:
    table = PullRequest._meta.table_name
    (index,) = [
        index for index in team.database.get_indexes(table) if index.unique and len(index.columns) == 3
    ]
    team.database.execute_sql(f'DROP INDEX "{index.name}"')
    return change(one(PullRequest, 5), github_pr_id=15)


def review_before_creation(team: Coherent) -> str:
    pull_request, time = one(PullRequest, 23), one(PullRequest, 23).pr_created_at - HOUR
    for review in PRReview.select().where(PRReview.pull_request == pull_request):
        change(review, submitted_at=time)
    return change(pull_request, first_review_at=time, review_time_hours=-1, commits_after_first_review=2)


def merge_before_review(team: Coherent) -> str:
    pull_request = one(PullRequest, 1)
    time = pull_request.merged_at + HOUR
    for review in PRReview.select().where(PRReview.pull_request == pull_request):
        change(review, submitted_at=time)
    hours = pull_request.cycle_time_hours + 1
    return change(pull_request, first_review_at=time, review_time_hours=hours, commits_after_first_review=0)


def merge_before_creation(team: Coherent) -> str:
    pull_request = one(PullRequest, 5)
    return change(pull_request, pr_created_at=pull_request.merged_at + HOUR, cycle_time_hours=-1)


def closed_with_a_merge(team: Coherent) -> str:
    pull_request = one(PullRequest, 7)
    merged_at = pull_request.pr_created_at + DAY
    return change(pull_request, merged_at=merged_at, cycle_time_hours=24)


def merged_without_a_time(team: Coherent) -> str:
    return change(one(PullRequest, 3), state="merged", title="Change", jira_key="")


def wrong_cycle_hours(team: Coherent) -> str:
    pull_request = one(PullRequest, 1)
    return change(pull_request, cycle_time_hours=pull_request.cycle_time_hours + Decimal("0.02"))


def no_review_hours(team: Coherent) -> str:
    return change(one(PullRequest, 3), review_time_hours=None)


def earlier_review(team: Coherent) -> str:
    review = one(PRReview, 1)
    change(review, submitted_at=review.submitted_at - MINUTE)
    return PullRequest._meta.table_name


def file_too_few(team: Coherent) -> str:
    one(PRFile, 1).delete_instance()
    return PullRequest._meta.table_name


def wrong_changes(team: Coherent) -> str:
    return change(one(PRFile), changes=0)


def review_by_the_author(team: Coherent) -> str:
    pull_request = one(PullRequest, 3)
    return change(one(PRReview, 3), reviewer=pull_request.author)


def commit_after_the_merge(team: Coherent) -> str:
    return change(one(Commit, 5), committed_at=one(PullRequest, 5).merged_at + MINUTE)


def commit_of_another_repository(team: Coherent) -> str:
    return change(one(Commit, 1), github_repo="acme/api")


def comment_before_creation(team: Coherent) -> str:
    return change(one(PRComment, 1), comment_created_at=one(PullRequest, 1).pr_created_at - MINUTE)


def wrong_duration(team: Coherent) -> str:
    return change(one(PRCheckRun), duration_seconds=92)


def deployment_of_an_open_one(team: Coherent) -> str:
    return change(one(Deployment), pull_request=one(PullRequest, 3))


def deployment_before_the_merge(team: Coherent) -> str:
    return change(one(Deployment, 1), deployed_at=one(PullRequest, 1).pr_created_at)


def unknown_issue(team: Coherent) -> str:
    return change(one(PullRequest, 1), title="AC-9999 Change", jira_key="AC-9999")


def wrong_issue_hours(team: Coherent) -> str:
    return change(one(JiraIssue), cycle_time_hours=1)


def done_without_a_time(team: Coherent) -> str:
    return change(one(JiraIssue), resolved_at=None, cycle_time_hours=None)


def resolved_in_progress(team: Coherent) -> str:
    return change(one(JiraIssue), status="In Progress")


def survey_of_an_open_one(team: Coherent) -> str:
    pull_request = one(PullRequest, 3)
    mine = {"pull_request": pull_request, "author": pull_request.author}
    return add(PRSurvey, team=team.team, **mine)._meta.table_name


def survey_of_another_author(team: Coherent) -> str:
    return change(one(PRSurvey, 1), author=None)


def answer_without_a_time(team: Coherent) -> str:
    return change(one(PRSurvey, 1), author_responded_at=None)


def automatic_denial(team: Coherent) -> str:
    return change(one(PRSurvey, 1), author_response_source="auto")


def author_without_usage(team: Coherent) -> str:
    long_ago = MONDAY - datetime.timedelta(days=28)
    usage = AIUsageDaily.update(member=bystander(team), created_at=long_ago)
    usage.where(AIUsageDaily.member == one(PullRequest, 6).author).execute()
    return PRSurvey._meta.table_name


def guess(*, answered: bool) -> Any:
    """Return a reviewer's guess about a survey that the author answered, or did not answer."""
    surveys = PRSurvey.select().where(PRSurvey.author_ai_assisted.is_null(not answered))
    return PRSurveyReview.get(PRSurveyReview.survey.in_(surveys))


def wrong_verdict(team: Coherent) -> str:
    answer = guess(answered=True)
    return change(answer, guess_correct=not answer.guess_correct)


def guess_without_a_verdict(team: Coherent) -> str:
    return change(guess(answered=True), guess_correct=None)


def verdict_without_an_answer(team: Coherent) -> str:
    return change(guess(answered=False), guess_correct=True)


def bystander(team: Coherent) -> TeamMember:
    return add(TeamMember, team=team.team, display_name="Bystander", github_id="999")


def answer_of_a_bystander(team: Coherent) -> str:
    return change(one(PRSurveyReview), reviewer=bystander(team))


def answer_before_the_merge(team: Coherent) -> str:
    return change(one(PRSurvey, 1), author_responded_at=one(PullRequest, 1).merged_at - MINUTE)


def guess_before_the_merge(team: Coherent) -> str:
    answer = one(PRSurveyReview)
    return change(answer, responded_at=answer.survey.pull_request.merged_at - MINUTE)


def wrong_insight(team: Coherent) -> str:
    return change(one(DailyInsight), metric_value={"headline": "All is well"})


def missing_insight(team: Coherent) -> str:
    assert one(DailyInsight).delete_instance() == 1
    return DailyInsight._meta.table_name


#: Rule -> ways to break it, each of which breaks no other.
CORRUPTIONS: dict[str, list[Callable[[Coherent], str]]] = DERIVED | {
    "choices": [illegal_choice],
    "lengths": [too_long],
    "own_team": [stranger_as_creator],
    "pull_request_unique": [same_number_twice],
    "review_after_creation": [review_before_creation],
    "merge_after_review": [merge_before_review],
    "merge_after_creation": [merge_before_creation],
    "merged_when": [closed_with_a_merge, merged_without_a_time],
    "cycle_hours": [wrong_cycle_hours],
    "review_hours": [no_review_hours],
    "first_review": [earlier_review],
    "lines_counted": [file_too_few],
    "changes_add_up": [wrong_changes],
    "review_by_other": [review_by_the_author],
    "commit_before_merge": [commit_after_the_merge],
    "commit_repository": [commit_of_another_repository],
    "comment_after_creation": [comment_before_creation],
    "check_duration": [wrong_duration],
    "deployed_after_merge": [deployment_of_an_open_one, deployment_before_the_merge],
    "jira_issue_known": [unknown_issue],
    "jira_hours": [wrong_issue_hours],
    "jira_resolved": [done_without_a_time, resolved_in_progress],
    "survey_of_merged": [survey_of_an_open_one],
    "survey_of_author": [survey_of_another_author],
    "answer_when": [answer_without_a_time],
    "answer_after_merge": [answer_before_the_merge],
    "automatic_answer": [automatic_denial],
    "answer_has_usage": [author_without_usage],
    "guess_right": [wrong_verdict, guess_without_a_verdict, verdict_without_an_answer],
    "guess_after_merge": [guess_before_the_merge],
    "surveyed_reviewed": [answer_of_a_bystander],
    **OF_USAGE,
}


def wrong_week(team: Coherent) -> str:
    return change(one(WeeklyMetrics), lines_added=7)


def first_weeks_missing(team: Coherent) -> str:
    WeeklyMetrics.delete().where(
        WeeklyMetrics.week_start == WeeklyMetrics.select(peewee.fn.MIN(WeeklyMetrics.week_start))
    ).execute()
    return WeeklyMetrics._meta.table_name


def all_weeks_missing(team: Coherent) -> str:
    WeeklyMetrics.delete().execute()
    return WeeklyMetrics._meta.table_name


def surplus_week(team: Coherent) -> str:
    return add(
        WeeklyMetrics, team=team.team, member=team.members[0], week_start=datetime.date(2026, 1, 5)
    )._meta.table_name


def wrong_pair(team: Coherent) -> str:
    pair = one(ReviewerCorrelation)
    return change(pair, agreements=pair.agreements + 1)


def missing_pair(team: Coherent) -> str:
    one(ReviewerCorrelation).delete_instance()
    return ReviewerCorrelation._meta.table_name


#: Rule about an aggregate -> ways to break it, after which it must not be recomputed.
STALE: dict[str, list[Callable[[Coherent], str]]] = {
    "weekly_metrics": [wrong_week, first_weeks_missing, all_weeks_missing, surplus_week],
    "reviewer_pairs": [wrong_pair, missing_pair],
    "insights": [wrong_insight, missing_insight],
}
