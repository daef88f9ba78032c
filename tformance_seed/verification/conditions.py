"""The conditions that rules consist of: expressions, or functions of a database and a team's id."""

import datetime
import functools
import operator
from collections.abc import Callable, Sequence

import peewee
from peewee import fn

from tformance_seed.bulk import is_distinct
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    ApplicationModel,
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
    TeamMember,
)
from tformance_seed.storage.models.fields import JSONField

#: Tolerance in seconds: SQLite ignores fractions of a second, so a duration may differ by one second.
SECONDS_TOLERANCE = 1

#: Tolerance in seconds: hours have two decimals, so a duration may differ by half a hundredth of an hour.
HOURS_TOLERANCE = 18 + SECONDS_TOLERANCE

#: A percentage has two decimals, so it may differ from the exact rate by 1/200 of a percent. The value is
#: slightly less than 200 to allow for SQLite's binary fractions.
PARTS_OF_A_PERCENT = 199.8

#: The longest time that a person who uses AI tools may go without using any.
MAX_DAYS_WITHOUT_USAGE = datetime.timedelta(days=14)

#: Statuses of resolved Jira issues.
RESOLVED = ("Done", "Won't Do")

#: One of the application's models.
Model = type[ApplicationModel]

#: An expression, or a function that returns one for a database and a team's id.
Condition = peewee.ColumnBase | Callable[[peewee.Database, int], peewee.ColumnBase]


def _any(conditions: Sequence[peewee.ColumnBase]) -> peewee.ColumnBase:
    """Return the condition that at least one of the conditions holds."""
    return functools.reduce(operator.or_, conditions)


def has_illegal_choice() -> dict[Model, Condition]:
    """Return, by table, the condition that a column has a value that is not among its choices."""
    found = {
        model: [
            field.not_in([value for value, _ in field.choices])
            for field in model._meta.sorted_fields
            if field.choices
        ]
        for model in APPLICATION
    }
    return {model: _any(conditions) for model, conditions in found.items() if conditions}


def has_too_long_text() -> dict[Model, Condition]:
    """Return, by table, the condition that a text is longer than its column allows, which SQLite accepts."""
    found = {
        model: [
            fn.LENGTH(field) > field.max_length
            for field in model._meta.sorted_fields
            if isinstance(field, peewee.CharField)
        ]
        for model in APPLICATION
    }
    return {model: _any(conditions) for model, conditions in found.items() if conditions}


def has_invalid_json() -> dict[Model, Condition]:
    """Return, by table, the condition that a JSON column holds invalid JSON, which SQLite accepts."""

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
    """Return, by table, the condition that a row refers to a row of another team."""

    def not_among_own(references: list[peewee.ForeignKeyField]) -> Condition:
        return lambda _, team_id: _any(
            [_is_absent(field, field.rel_model.id, team_id) for field in references]
        )

    found = {
        model: [field for field in model._meta.refs if field.rel_model is not Team] for model in APPLICATION
    }
    return {model: not_among_own(references) for model, references in found.items() if references}


def _is_absent(value: peewee.Field, column: peewee.Field, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a value is not NULL, and no row of the team has it in a column.

    This avoids NOT IN, for which PostgreSQL would read all rows once for each value if they exceed the memory
    for hashes. NOT EXISTS becomes an anti-join or an index lookup.
    """
    other = column.model.alias()
    same = getattr(other, column.name) == value
    exists = fn.EXISTS(other.select(other.id).where(other.team == team_id, same))
    absent: peewee.ColumnBase = value.is_null(False) & ~exists
    return absent


def is_duplicate(_: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that an earlier pull request of the team has the same repository and number."""
    other = PullRequest.alias()
    same = (other.github_pr_id == PullRequest.github_pr_id) & (other.github_repo == PullRequest.github_repo)
    return fn.EXISTS(other.select(other.id).where(other.team == team_id, same, other.id < PullRequest.id))


def seconds_between(
    database: peewee.Database, later: peewee.Field, earlier: peewee.Field
) -> peewee.ColumnBase:
    """Return the seconds between two timestamps."""
    if is_postgresql(database):
        return fn.date_part("epoch", later - earlier)
    return fn.strftime("%s", later).cast("INTEGER") - fn.strftime("%s", earlier).cast("INTEGER")


def duration_differs(
    value: peewee.Field, later: peewee.Field, earlier: peewee.Field, unit: int, tolerance: int
) -> Condition:
    """Return the condition that a duration does not match two timestamps.

    It must be the time between them, or NULL if either of them is NULL.

    Parameters:
      unit: the duration's unit, in seconds.
      tolerance: the maximum difference, in seconds.
    """

    def condition(database: peewee.Database, _: int) -> peewee.ColumnBase:
        difference = fn.ABS(value * unit - seconds_between(database, later, earlier))
        unknown = later.is_null() | earlier.is_null()
        return (value.is_null() != unknown) | (difference > tolerance)

    return condition


def hours_differ(value: peewee.Field, later: peewee.Field, earlier: peewee.Field) -> Condition:
    """Return the condition that a duration in hours does not match two timestamps."""
    return duration_differs(value, later, earlier, 3600, HOURS_TOLERANCE)


def aggregate_of_children(parent: peewee.ForeignKeyField, column: peewee.ColumnBase) -> peewee.Select:
    """Return the query for an aggregate over a pull request's rows in the table of the field ``parent``."""
    query: peewee.Select = parent.model.select(column).where(parent == PullRequest.id)
    return query


def exists_child(parent: peewee.ForeignKeyField, condition: peewee.ColumnBase) -> peewee.Function:
    """Return the condition that a row of the pull request in the table of the field ``parent`` meets one."""
    return fn.EXISTS(parent.model.select(parent.model.id).where(parent == PullRequest.id, condition))


def sum_of_files(column: peewee.Field) -> peewee.Select:
    """Return the query for the sum of a column over a pull request's files."""
    return aggregate_of_children(PRFile.pull_request, fn.COALESCE(fn.SUM(column), 0))


def is_on_weekend(database: peewee.Database, _: int) -> peewee.ColumnBase:
    """Return the condition that AI was used on a Saturday or Sunday."""
    if is_postgresql(database):
        return fn.date_part("isodow", AIUsageDaily.date).in_([6, 7])
    return fn.strftime("%w", AIUsageDaily.date).in_(["6", "0"])


def rate_differs(rate: peewee.Field, accepted: peewee.Field, shown: peewee.Field) -> peewee.ColumnBase:
    """Return the condition that a percentage is not the share of shown suggestions that were accepted."""
    difference = fn.ABS(rate * shown - accepted * 100) * PARTS_OF_A_PERCENT
    return (shown > 0) & (rate.is_null() | (difference > shown))


def copilot_days_differ() -> dict[Model, Condition]:
    """Return, by table, the condition that a day's Copilot figures are not the sum of the members' usage.

    Days without recorded usage are ignored.
    """
    active, shown, accepted = (
        fn.COUNT(AIUsageDaily.id),
        fn.SUM(AIUsageDaily.suggestions_shown),
        fn.SUM(AIUsageDaily.suggestions_accepted),
    )
    return {
        CopilotLanguageDaily: _days_differ(
            {
                CopilotLanguageDaily.suggestions_shown: shown,
                CopilotLanguageDaily.suggestions_accepted: accepted,
            }
        ),
        CopilotEditorDaily: _days_differ(
            {
                CopilotEditorDaily.suggestions_shown: shown,
                CopilotEditorDaily.suggestions_accepted: accepted,
                CopilotEditorDaily.active_users: active,
            }
        ),
    }


def _days_differ(figures: dict[peewee.Field, peewee.Function]) -> Condition:
    """Return the condition that the sums of a day's figures differ from aggregates of its Copilot usage."""
    (model,) = {field.model for field in figures}
    date = model.date

    def condition(_: peewee.Database, team_id: int) -> peewee.ColumnBase:
        of_copilot = (AIUsageDaily.team == team_id) & (AIUsageDaily.source == "copilot")
        stored = model.select(date, *map(fn.SUM, figures)).where(model.team == team_id).group_by(date)
        used = AIUsageDaily.select(AIUsageDaily.date, *figures.values()).where(of_copilot)
        wrong = (stored - used.group_by(AIUsageDaily.date)).alias("wrong")
        recorded = AIUsageDaily.select(AIUsageDaily.date).where(of_copilot).distinct()
        differs: peewee.ColumnBase = date.in_(peewee.Select([wrong], [wrong.c.date])) & date.in_(recorded)
        return differs

    return condition


def has_too_few_seats(_: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that more members used Copilot on a day than have an active seat."""
    of_copilot = (AIUsageDaily.team == team_id) & (AIUsageDaily.source == "copilot")
    same_day = AIUsageDaily.date == CopilotSeatSnapshot.date
    users = AIUsageDaily.select(fn.COUNT(AIUsageDaily.id)).where(of_copilot, same_day)
    too_few: peewee.ColumnBase = CopilotSeatSnapshot.active_this_cycle < users
    return too_few


def has_no_such_activity(database: peewee.Database, _: int) -> peewee.ColumnBase:
    """Return the condition that a member's last activity is on a day without use of Copilot by them."""
    moment = TeamMember.copilot_last_activity_at
    day: peewee.ColumnBase = fn.SUBSTR(moment, 1, 10)
    if is_postgresql(database):
        day = fn.timezone("UTC", moment).cast("DATE")
    same_day = (AIUsageDaily.member == TeamMember.id) & (AIUsageDaily.date == day)
    used = AIUsageDaily.select(AIUsageDaily.id).where(same_day, AIUsageDaily.source == "copilot")
    absent: peewee.ColumnBase = moment.is_null(False) & ~fn.EXISTS(used)
    return absent


def is_wrongly_connected(_: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a team's Copilot is connected although there are no figures of it."""
    figures = CopilotSeatSnapshot.select(CopilotSeatSnapshot.id).where(CopilotSeatSnapshot.team == team_id)
    wrong: peewee.ColumnBase = (Team.copilot_status == "connected") & ~fn.EXISTS(figures)
    return wrong


def has_unknown_issue(_: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that a merged pull request has a Jira key without an issue.

    Teams without any issues are ignored.
    """
    issues = JiraIssue.select(JiraIssue.id).where(JiraIssue.team == team_id)
    has_key = (PullRequest.state == "merged") & (PullRequest.jira_key > "")
    absent = _is_absent(PullRequest.jira_key, JiraIssue.jira_key, team_id)
    unknown: peewee.ColumnBase = has_key & fn.EXISTS(issues) & absent
    return unknown


def has_no_recorded_usage(database: peewee.Database, team_id: int) -> peewee.ColumnBase:
    """Return the condition that an author's answer is AI, but no usage of AI tools is recorded for them.

    Surveys from before the team began to record usage, or from shortly afterwards, are ignored.
    """
    recorded = AIUsageDaily.select(fn.MIN(AIUsageDaily.created_at)).where(AIUsageDaily.team == team_id)
    first = recorded.scalar(database)
    if first is None:
        return peewee.Value(False)
    by_author = PRSurvey.author_ai_assisted & is_distinct(database, PRSurvey.author_response_source, "auto")
    expected = by_author & (PRSurvey.created_at >= first + MAX_DAYS_WITHOUT_USAGE)
    absent: peewee.ColumnBase = expected & _is_absent(PRSurvey.author, AIUsageDaily.member, team_id)
    return absent


def has_not_reviewed() -> peewee.ColumnBase:
    """Return the condition that a surveyed reviewer has not reviewed the pull request."""
    own = (PRReview.pull_request == PRSurvey.pull_request) & (PRReview.reviewer == PRSurveyReview.reviewer)
    missing: peewee.ColumnBase = ~fn.EXISTS(PRReview.select(PRReview.id).where(own))
    return missing
