"""Count deployments, answers to surveys, and Jira issues."""

import datetime
from collections.abc import Iterator, Sequence

import peewee
from peewee import fn

from tformance_seed.report.daily.counts import (
    BINS,
    NO_YES,
    UNKNOWN_BIN,
    Counts,
    Row,
    bin_of,
    by_position,
    day_of,
    find_bin,
    rows_of,
    total_hundredths,
)
from tformance_seed.report.queries import MERGED
from tformance_seed.storage.models import Commit, Deployment, JiraIssue, PRSurvey, PRSurveyReview, PullRequest

#: The environment whose deployments count, and the outcomes of those that are over.
PRODUCTION = "production"
SUCCESS, FAILURES = "success", ("failure", "error")

#: Values of the dimension ``answer`` of surveys: what the author said of AI, if anything.
UNANSWERED, SAID_NO, SAID_YES = range(3)

#: Values of the dimension ``guess`` of reviewers' answers: whether the reviewer guessed what the author said.
UNKNOWN_GUESS, WRONG, RIGHT = range(3)

HOUR = datetime.timedelta(hours=1)


def deployments(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count deployments to production that succeeded or failed, with the hours of two of DORA's metrics.

    A success has the lead time: from the first commit of the deployed pull request, or if none is known its
    creation, to the deployment. A failure has the time to restore service: to the repository's next success.
    Failures that follow another one before a success belong to the same incident and have none, as have
    failures that no success has followed. See https://dora.dev/guides/dora-metrics/
    """
    of_teams = list(teams)
    first = fn.MIN(Commit.committed_at).python_value(Commit.committed_at.python_value)
    commits = (
        Commit.select(Commit.pull_request, first.alias("first"))
        .where(Commit.team.in_(of_teams), Commit.pull_request.is_null(False))
        .group_by(Commit.pull_request)
        .alias("commits")
    )
    started = fn.COALESCE(commits.c.first, PullRequest.pr_created_at)
    query = (
        Deployment.select(
            Deployment.team,
            Deployment.github_repo,
            Deployment.deployed_at,
            Deployment.status,
            started.python_value(Commit.committed_at.python_value),
        )
        .join(PullRequest, peewee.JOIN.LEFT_OUTER, on=Deployment.pull_request == PullRequest.id)
        .join(commits, peewee.JOIN.LEFT_OUTER, on=commits.c.pull_request_id == PullRequest.id)
        .where(
            Deployment.team.in_(of_teams),
            Deployment.environment == PRODUCTION,
            Deployment.status.in_([SUCCESS, *FAILURES]),
        )
        .order_by(Deployment.team, Deployment.github_repo, Deployment.deployed_at, Deployment.id)
    )
    rows = list(_outcomes(rows_of(database, query)))
    return Counts({"failed": NO_YES, "bin": BINS}, ("count", "hundredths"), rows)


def _outcomes(found: Sequence[Row]) -> Iterator[Row]:
    """Yield the row of each deployment, from those of each repository in the order of time."""
    incident: tuple[int, str, datetime.datetime] | None = None
    for team, repository, moment, status, started in found:
        if incident and incident[:2] != (team, repository):
            yield _outcome(incident[0], incident[2], failed=True)
            incident = None
        if status == SUCCESS:
            if incident:
                yield _outcome(team, incident[2], moment - incident[2], failed=True)
                incident = None
            yield _outcome(team, moment, started and moment - started)
        elif incident:
            yield _outcome(team, moment, failed=True)
        else:
            incident = (team, repository, moment)
    if incident:
        yield _outcome(incident[0], incident[2], failed=True)


def _outcome(
    team: int, moment: datetime.datetime, took: datetime.timedelta | None = None, *, failed: bool = False
) -> Row:
    if took is None:
        return team, moment.date(), int(failed), UNKNOWN_BIN, 1, 0
    hours = max(took / HOUR, 0)
    return team, moment.date(), int(failed), find_bin(hours), 1, round(100 * hours)


def surveys(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count surveys on the day of the pull request's merge, by what the author answered."""
    answer = peewee.Case(
        None,
        [(PRSurvey.author_responded_at.is_null(), UNANSWERED), (PRSurvey.author_ai_assisted, SAID_YES)],
        SAID_NO,
    )
    columns = (PRSurvey.team, day_of(database, PullRequest.merged_at), answer)
    query = (
        PRSurvey.select(*columns, fn.COUNT(PRSurvey.id))
        .join(PullRequest, on=PRSurvey.pull_request == PullRequest.id)
        .where(PRSurvey.team.in_(list(teams)), MERGED)
        .group_by(*by_position(len(columns)))
    )
    return Counts({"answer": range(3)}, ("count",), rows_of(database, query))


def survey_reviews(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count reviewers' answers on the day of the merge, and add up their ratings, from 1 to 3.

    They are counted by what the author said, whether there is a rating, and whether the guess was right.
    """
    review = PRSurveyReview
    said = peewee.Case(
        None,
        [(PRSurvey.author_ai_assisted, SAID_YES), (PRSurvey.author_ai_assisted.is_null(), UNANSWERED)],
        SAID_NO,
    )
    guess = peewee.Case(
        None, [(review.guess_correct, RIGHT), (review.guess_correct.is_null(), UNKNOWN_GUESS)], WRONG
    )
    rated = peewee.Case(None, [(review.quality_rating.is_null(), 0)], 1)
    columns = (review.team, day_of(database, PullRequest.merged_at), said, rated, guess)
    query = (
        review.select(*columns, fn.COUNT(review.id), fn.COALESCE(fn.SUM(review.quality_rating), 0))
        .join(PRSurvey, on=review.survey == PRSurvey.id)
        .join(PullRequest, on=PRSurvey.pull_request == PullRequest.id)
        .where(review.team.in_(list(teams)), MERGED)
        .group_by(*by_position(len(columns)))
    )
    dimensions = {"answer": range(3), "rated": NO_YES, "guess": range(3)}
    return Counts(dimensions, ("count", "ratings"), rows_of(database, query))


def issues(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count Jira issues on the day of their resolution, and add up tenths of story points."""
    hours, points = JiraIssue.cycle_time_hours, fn.ROUND(JiraIssue.story_points * 10).cast("BIGINT")
    columns = (JiraIssue.team, day_of(database, JiraIssue.resolved_at), bin_of(database, hours))
    tenths = fn.COALESCE(fn.SUM(points), 0).cast("BIGINT")
    query = (
        JiraIssue.select(*columns, fn.COUNT(JiraIssue.id), total_hundredths(hours), tenths)
        .where(JiraIssue.team.in_(list(teams)), JiraIssue.resolved_at.is_null(False))
        .group_by(*by_position(len(columns)))
    )
    return Counts({"bin": BINS}, ("count", "hundredths", "tenths"), rows_of(database, query))
