"""Conditions on columns of pull requests that are derived from their reviews, commits, comments and files."""

import peewee
from peewee import fn

from tformance_seed.bulk import is_distinct
from tformance_seed.storage.models import Commit, PRComment, PRReview, PullRequest
from tformance_seed.verification.conditions import (
    HOURS_TOLERANCE,
    aggregate_of_children,
    exists_child,
    seconds_between,
)


def comments_differ(_database: peewee.Database, _team_id: int) -> peewee.ColumnBase:
    """Return the condition that the comment count is not that of the comments and the reviews with a text."""
    comments = aggregate_of_children(PRComment.pull_request, fn.COUNT(PRComment.id))
    texts = fn.COUNT(PRReview.id).filter(PRReview.body != "")
    counted = peewee.Expression(comments, "+", aggregate_of_children(PRReview.pull_request, texts))
    differs: peewee.ColumnBase = PullRequest.total_comments != counted
    return differs


def commits_differ(_database: peewee.Database, _team_id: int) -> peewee.ColumnBase:
    """Return the condition that the count of commits after the first review is wrong."""
    after = fn.COUNT(Commit.id).filter(Commit.committed_at > PullRequest.first_review_at)
    differs: peewee.ColumnBase = PullRequest.commits_after_first_review != aggregate_of_children(
        Commit.pull_request, after
    )
    return differs


def rounds_differ(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that the number of rounds is not that of the reviews that a commit answers."""
    return _fixes_differ(database, team_id, wrong_rounds=True)


def fix_hours_differ(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that the mean hours until a requested change was committed are wrong."""
    return _fixes_differ(database, team_id, wrong_rounds=False)


def _fixes_differ(database: peewee.Database, team_id: int, *, wrong_rounds: bool) -> peewee.ColumnBase:
    """Compare with the requests for changes, and the first commit after each, of every pull request."""
    following = Commit.select(fn.MIN(Commit.committed_at)).where(
        Commit.pull_request == PRReview.pull_request, Commit.committed_at > PRReview.submitted_at
    )
    asked = (
        PRReview.select(
            PRReview.pull_request.alias("pull_request_id"),
            PRReview.submitted_at.alias("asked_at"),
            following.alias("fixed_at"),
        )
        .where(PRReview.team == team_id, PRReview.state == "changes_requested")
        .alias("asked")
    )
    waited = seconds_between(database, asked.c.fixed_at, asked.c.asked_at)
    by_pull_request = (
        peewee.Select(
            [asked],
            [
                asked.c.pull_request_id.alias("pull_request_id"),
                fn.COUNT(asked.c.fixed_at).alias("rounds"),
                fn.AVG(waited).alias("waited"),
            ],
        )
        .group_by(asked.c.pull_request_id)
        .alias("fixes")
    )
    pull_request = PullRequest.alias()
    stored = pull_request.avg_fix_response_hours
    waited = by_pull_request.c.waited
    wrong = (
        is_distinct(database, pull_request.review_rounds, fn.COALESCE(by_pull_request.c.rounds, 0))
        if wrong_rounds
        else (stored.is_null() != waited.is_null()) | (fn.ABS(stored * 3600 - waited) > HOURS_TOLERANCE)
    )
    differing = (
        pull_request.select(pull_request.id)
        .join(
            by_pull_request,
            peewee.JOIN.LEFT_OUTER,
            on=by_pull_request.c.pull_request_id == pull_request.id,
        )
        .where(pull_request.team == team_id, wrong)
    )
    return PullRequest.id.in_(differing)


def signs_differ(_database: peewee.Database, _team_id: int) -> peewee.ColumnBase:
    """Return the condition that commits or reviews show AI and the pull request does not, or vice versa."""
    in_commits = exists_child(
        Commit.pull_request, Commit.is_ai_assisted | (Commit.ai_co_authors.cast("TEXT") != "[]")
    )
    in_reviews = exists_child(PRReview.pull_request, PRReview.is_ai_review)
    differ: peewee.ColumnBase = (PullRequest.has_ai_commits != in_commits) | (
        PullRequest.has_ai_review != in_reviews
    )
    return differ


def flags_differ(_database: peewee.Database, _team_id: int) -> peewee.ColumnBase:
    """Return the condition that the title says revert or hotfix and the flag does not, or vice versa."""
    differ: peewee.ColumnBase = (PullRequest.is_revert != PullRequest.title.contains("revert")) | (
        PullRequest.is_hotfix != PullRequest.title.contains("hotfix")
    )
    return differ
