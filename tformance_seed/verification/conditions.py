"""Conditions that rules are made of: expressions, or functions that make one for a database and a team."""

import datetime
import functools
import operator
from collections.abc import Iterable
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    JiraIssue,
    PRFile,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    Team,
)
from tformance_seed.storage.models.fields import JSONField

#: SQLite does not count parts of seconds, so a duration may be off by one.
SECONDS_TOLERANCE = 1

#: Hours have two decimals: they stand for a time to within half a hundredth of an hour.
HOURS_TOLERANCE = 18 + SECONDS_TOLERANCE

#: A percentage has two decimals, so it stands for a rate to within 1/200 of a percent; here one of a little
#: less than 200 parts, to leave room for the binary fractions of SQLite.
PERCENT_PARTS = 199.8

#: Somebody who uses AI tools may leave them alone for a few days, but not for so long.
SETTLED = datetime.timedelta(days=14)

#: Statuses of Jira issues on which work has ended.
RESOLVED = ("Done", "Won't Do")

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


def not_json() -> dict[Model, Condition]:
    """Table -> one of its JSON columns holds other text, which SQLite lets pass."""

    def invalid(columns: list[JSONField]) -> Condition:
        return lambda database, _: (
            peewee.Value(False)
            if is_postgresql(database)
            else _any([column.is_null(False) & (fn.json_valid(column) == 0) for column in columns])
        )

    found = {
        model: [field for field in model._meta.sorted_fields if isinstance(field, JSONField)]
        for model in APPLICATION
    }
    return {model: invalid(columns) for model, columns in found.items() if columns}


def refers_to_another_team() -> dict[Model, Condition]:
    """Table -> a row refers to one that is not of the team."""

    def not_among_own(references: list[peewee.ForeignKeyField]) -> Condition:
        return lambda _, team_id: _any(
            [_is_missing(field, field.rel_model.id, team_id) for field in references]
        )

    found = {
        model: [field for field in model._meta.refs if field.rel_model is not Team] for model in APPLICATION
    }
    return {model: not_among_own(references) for model, references in found.items() if references}


def _is_missing(value: peewee.Field, column: peewee.Field, team_id: int) -> peewee.Expression:
    """A value is in no row of the team that has such a column; NULL is no value.

    Not written as NOT IN: where its rows exceed the memory for hashes, PostgreSQL reads all of them for each
    value, while this is an anti-join or a look-up in an index.
    """
    other = column.model.alias()
    same = getattr(other, column.name) == value
    return value.is_null(False) & ~fn.EXISTS(other.select(other.id).where(other.team == team_id, same))


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


def copilot_days_off() -> dict[Model, Condition]:
    """Table -> its Copilot figures of a day are not what the members' use of that day adds up to.

    Days without recorded use are left alone.
    """
    active, shown, accepted = (
        fn.COUNT(AIUsageDaily.id),
        fn.SUM(AIUsageDaily.suggestions_shown),
        fn.SUM(AIUsageDaily.suggestions_accepted),
    )
    return {
        CopilotSeatSnapshot: _days_off({CopilotSeatSnapshot.active_this_cycle: active}),
        CopilotLanguageDaily: _days_off(
            {
                CopilotLanguageDaily.suggestions_shown: shown,
                CopilotLanguageDaily.suggestions_accepted: accepted,
            }
        ),
        CopilotEditorDaily: _days_off(
            {
                CopilotEditorDaily.suggestions_shown: shown,
                CopilotEditorDaily.suggestions_accepted: accepted,
                CopilotEditorDaily.active_users: active,
            }
        ),
    }


def _days_off(figures: dict[peewee.Field, peewee.Function]) -> Condition:
    """The sums of a day's figures are not the aggregates of that day's Copilot use."""
    (model,) = {field.model for field in figures}

    def condition(_: peewee.Database, team_id: int) -> peewee.Expression:
        def by_day(date: peewee.Field, values: Iterable[peewee.Function]) -> peewee.ModelSelect:
            return date.model.select(date, *values).where(date.model.team == team_id).group_by(date)

        of_copilot = AIUsageDaily.source == "copilot"
        stored = by_day(model.date, map(fn.SUM, figures))
        used = by_day(AIUsageDaily.date, figures.values()).where(of_copilot)
        wrong = (stored - used).alias("wrong")
        recorded = by_day(AIUsageDaily.date, []).where(of_copilot)
        return model.date.in_(peewee.Select([wrong], [wrong.c.date])) & model.date.in_(recorded)

    return condition


def without_issue(_: peewee.Database, team_id: int) -> peewee.Expression:
    """A merged pull request has a Jira key, the team has issues, and none of them has that key."""
    issues = JiraIssue.select(JiraIssue.id).where(JiraIssue.team == team_id)
    has_key = (PullRequest.state == "merged") & (PullRequest.jira_key > "")
    return has_key & fn.EXISTS(issues) & _is_missing(PullRequest.jira_key, JiraIssue.jira_key, team_id)


def without_usage(_: peewee.Database, team_id: int) -> peewee.Expression:
    """An author says AI, the team had recorded the use of AI tools for a while, and none of it is theirs."""
    first = AIUsageDaily.select(fn.MIN(AIUsageDaily.created_at)).where(AIUsageDaily.team == team_id).scalar()
    if first is None:
        return peewee.Value(False)
    settled = PRSurvey.created_at >= first + SETTLED
    return PRSurvey.author_ai_assisted & settled & _is_missing(PRSurvey.author, AIUsageDaily.member, team_id)


def has_not_reviewed() -> peewee.Expression:
    """Who answers a survey as a reviewer has not reviewed the pull request."""
    own = (PRReview.pull_request == PRSurvey.pull_request) & (PRReview.reviewer == PRSurveyReview.reviewer)
    return ~fn.EXISTS(PRReview.select(PRReview.id).where(own))
