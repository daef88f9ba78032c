"""Compute in the database which members review together, and how many times they agree."""

from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.refresh import Refresh, non_id_fields
from tformance_seed.storage.models import PRReview, ReviewerCorrelation, TeamMember

#: The states of a review that are a verdict.
VERDICTS = ("approved", "changes_requested")


def refresh_reviewer_pairs(
    database: peewee.Database, team_id: int, adopted_max_id: int = 0
) -> tuple[int, int]:
    """Compute and store, for each pair of members who reviewed together, how many times they (dis)agreed.

    Parameters:
      adopted_max_id: rows up to this id existed before the team was adopted, and stay as they are.

    Returns:
      The number of rows inserted, changed or deleted, and the number that were already correct.
    """
    return _REFRESH(database, after_id=adopted_max_id, team=team_id)


def pairs_query(team_id: Any) -> peewee.Select:
    """Return the query for all rows that ``ReviewerCorrelation`` should hold for a team.

    A reviewer's verdict on a pull request is their first review of it that is not just a comment; if an
    approval and a request for changes have the same time, the latter counts. Two reviewers with verdicts
    agree if these are the same. The first member of a pair is the one with the lower id.

    Parameters:
      team_id: a value, or a parameter of a ``PreparedStatement``.
    """
    verdicts = _first_verdicts(team_id)
    first, second = verdicts.alias("first"), verdicts.alias("second")
    agreed = fn.COUNT(peewee.SQL("*")).filter(first.c.verdict == second.c.verdict)
    disagreed = fn.COUNT(peewee.SQL("*")).filter(first.c.verdict != second.c.verdict)
    first_is_later = first.c.decided_at > second.c.decided_at
    latest = fn.MAX(peewee.Case(None, [(first_is_later, first.c.decided_at)], second.c.decided_at))
    columns: dict[str, Any] = {
        "created_at": latest,
        "updated_at": latest,
        "prs_reviewed_together": fn.COUNT(peewee.SQL("*")),
        "agreements": agreed,
        "disagreements": disagreed,
        "reviewer_1": first.c.reviewer_id,
        "reviewer_2": second.c.reviewer_id,
        "team": peewee.Cast(team_id, "BIGINT"),
    }
    named = [columns[field.name].alias(field.column_name) for field in non_id_fields(ReviewerCorrelation)]
    together = (first.c.pull_request_id == second.c.pull_request_id) & (
        first.c.reviewer_id < second.c.reviewer_id
    )
    return (
        peewee.Select([first], named)
        .join(second, on=together)
        .group_by(first.c.reviewer_id, second.c.reviewer_id)
    )


def _first_verdicts(team_id: Any) -> peewee.Select:
    """Return the query for each reviewer's first verdict on each pull request: 1 if they approved, else 0."""
    decided = fn.MIN(PRReview.submitted_at)
    approved = decided.filter(PRReview.state == "approved")
    requested = decided.filter(PRReview.state == "changes_requested")
    return (
        PRReview.select(
            PRReview.pull_request.alias("pull_request_id"),
            TeamMember.id.alias("reviewer_id"),
            decided.alias("decided_at"),
            peewee.Case(None, [(requested.is_null() | (approved < requested), 1)], 0).alias("verdict"),
        )
        .join(TeamMember, on=PRReview.reviewer == TeamMember.id)
        # Filter members by team: otherwise the server would read the members of all teams for the join.
        .where(
            PRReview.team == team_id,
            TeamMember.team == team_id,
            PRReview.submitted_at.is_null(False),
            PRReview.state.in_(VERDICTS),
        )
        .group_by(PRReview.pull_request, TeamMember.id)
    )


_REFRESH = Refresh(
    ReviewerCorrelation,
    lambda _database, value: pairs_query(value("team")),
    lambda value: ReviewerCorrelation.team == value("team"),
)
