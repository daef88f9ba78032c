"""Conditions that rules are made of: expressions, or functions that make one for a database and a team."""

import datetime
import functools
import operator
from typing import Any

import peewee
from peewee import fn

from tformance_seed.database import is_postgresql
from tformance_seed.models import (
    APPLICATION,
    AIUsageDaily,
    JiraIssue,
    PRFile,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    Team,
)

#: SQLite does not count parts of seconds, so a duration may be off by one.
SECONDS_TOLERANCE = 1

#: Hours have two decimals: they stand for a time to within half a hundredth of an hour.
HOURS_TOLERANCE = 18 + SECONDS_TOLERANCE

#: A percentage has two decimals, so it stands for a rate to within 1/200 of a percent; here one of a little
#: less than 200 parts, to leave room for the binary fractions of SQLite.
PERCENT_PARTS = 199.8

#: Somebody who uses AI tools may leave them alone for a few days, but not for so long.
SETTLED = datetime.timedelta(days=14)

Model = Any  #: one of the application's models
Condition = Any  #: an expression, or what makes one of a database and the id of a team

#: Whether AI was found in a pull request.
WITH_AI = fn.COALESCE(PullRequest.is_ai_assisted, False)


def _any(conditions: list[peewee.Expression]) -> peewee.Expression:
    return functools.reduce(operator.or_, conditions)


def illegal_choices() -> dict[Model, Condition]:
    """Table -> one of its columns has a value that is none of its choices."""
    found = {
        model: [
            field.not_in([value for value, _ in field.choices])
            for field in model._meta.sorted_fields
            if field.choices
        ]
        for model in APPLICATION
    }
    return {model: _any(conditions) for model, conditions in found.items() if conditions}


def too_long() -> dict[Model, Condition]:
    """Table -> one of its texts is longer than the column, which SQLite lets pass."""
    found = {
        model: [
            fn.LENGTH(field) > field.max_length
            for field in model._meta.sorted_fields
            if isinstance(field, peewee.CharField)
        ]
        for model in APPLICATION
    }
    return {model: _any(conditions) for model, conditions in found.items() if conditions}


def refers_to_another_team() -> dict[Model, Condition]:
    """Table -> a row refers to one that is not of the team."""

    def not_among_own(references: list[peewee.ForeignKeyField]) -> Condition:
        return lambda _, team_id: _any(
            [field.not_in(_ids(field.rel_model.alias(), team_id)) for field in references]
        )

    found = {
        model: [field for field in model._meta.refs if field.rel_model is not Team] for model in APPLICATION
    }
    return {model: not_among_own(references) for model, references in found.items() if references}


def _ids(parent: peewee.ModelAlias, team_id: int) -> peewee.ModelSelect:
    return parent.select(parent.id).where(parent.team == team_id)


def has_namesake(_: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Another pull request of the team has the same repository and number."""
    other = PullRequest.alias()
    same = (other.github_pr_id == PullRequest.github_pr_id) & (other.github_repo == PullRequest.github_repo)
    return fn.EXISTS(other.select(other.id).where(other.team == team_id, same, other.id < PullRequest.id))


def _seconds(database: peewee.Database, later: peewee.Field, earlier: peewee.Field) -> peewee.ColumnBase:
    """Seconds from one moment to another."""
    if is_postgresql(database):
        return fn.date_part("epoch", later - earlier)
    return fn.strftime("%s", later).cast("INTEGER") - fn.strftime("%s", earlier).cast("INTEGER")


def duration_off(
    value: peewee.Field, later: peewee.Field, earlier: peewee.Field, unit: int, tolerance: int
) -> Condition:
    """A duration, in units of so many seconds, is not that between two moments, or is known without both."""

    def condition(database: peewee.Database, _: int) -> peewee.Expression:
        difference = fn.ABS(value * unit - _seconds(database, later, earlier))
        unknown = later.is_null() | earlier.is_null()
        return (value.is_null() != unknown) | (difference > tolerance)

    return condition


def hours_off(value: peewee.Field, later: peewee.Field, earlier: peewee.Field) -> Condition:
    """A time in hours is not that between two moments, or is known without both."""
    return duration_off(value, later, earlier, 3600, HOURS_TOLERANCE)


def of_children(child: Model, column: peewee.ColumnBase) -> peewee.ModelSelect:
    """What is computed over a pull request's children."""
    return child.select(column).where(child.pull_request == PullRequest.id)


def sum_of_files(column: peewee.Field) -> peewee.ModelSelect:
    """What a column of a pull request's files adds up to."""
    return of_children(PRFile, fn.COALESCE(fn.SUM(column), 0))


def on_weekend(database: peewee.Database, _: int) -> peewee.Expression:
    """AI was used on a Saturday or Sunday."""
    if is_postgresql(database):
        return fn.date_part("isodow", AIUsageDaily.date).in_([6, 7])
    return fn.strftime("%w", AIUsageDaily.date).in_(["6", "0"])


def rate_off(rate: peewee.Field, accepted: peewee.Field, shown: peewee.Field) -> peewee.Expression:
    """A percentage is not that of the accepted among the shown."""
    off = fn.ABS(rate * shown - accepted * 100) * PERCENT_PARTS
    return (shown > 0) & (rate.is_null() | (off > shown))


def without_issue(_: peewee.Database, team_id: int) -> peewee.Expression:
    """A merged pull request has a Jira key, the team has issues, and none of them has that key."""
    issues = JiraIssue.select(JiraIssue.jira_key).where(JiraIssue.team == team_id)
    has_key = (PullRequest.state == "merged") & (PullRequest.jira_key > "")
    return has_key & fn.EXISTS(issues) & PullRequest.jira_key.not_in(issues)


def without_usage(_: peewee.Database, team_id: int) -> peewee.Expression:
    """An author says AI, the team had recorded the use of AI tools for a while, and none of it is theirs."""
    usage = AIUsageDaily.select(AIUsageDaily.member).where(AIUsageDaily.team == team_id)
    first = AIUsageDaily.select(fn.MIN(AIUsageDaily.created_at)).where(AIUsageDaily.team == team_id).scalar()
    if first is None:
        return peewee.Value(False)
    settled = PRSurvey.created_at >= first + SETTLED
    return PRSurvey.author_ai_assisted & settled & PRSurvey.author.not_in(usage)


def has_not_reviewed() -> peewee.Expression:
    """Who answers a survey as a reviewer has not reviewed the pull request."""
    own = (PRReview.pull_request == PRSurvey.pull_request) & (PRReview.reviewer == PRSurveyReview.reviewer)
    return ~fn.EXISTS(PRReview.select(PRReview.id).where(own))
