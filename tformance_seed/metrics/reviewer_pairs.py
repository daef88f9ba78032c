"""Compute in the database which members review together, and how many times they agree."""

from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.refresh import Refresh, non_id_fields
from tformance_seed.storage.models import PRReview, ReviewerCorrelation, TeamMember

#: Collations that compare text byte by byte, by whether the database is PostgreSQL: its default collation
#: depends on the server's locale.
BYTEWISE = {True: '"C"', False: "BINARY"}


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


def pairs_query(database: peewee.Database, team_id: Any) -> peewee.Select:
    """Return the query for all rows that ``ReviewerCorrelation`` should hold for a team.

    A reviewer's final verdict on a pull request is their last review of it that is not just a comment; if an
    approval and a request for changes have the same time, the latter counts. Two reviewers agree if both
    approved or both requested changes. A reviewer who only commented counts as reviewing together with the
    others, but neither agrees nor disagrees. The first member of a pair is the one whose (github_id, email)
    sorts first, since ids differ from database to database.

    Parameters:
      team_id: a value, or a parameter of a ``PreparedStatement``.
    """
    verdicts = _final_verdicts(database, team_id)
    first, second = verdicts.alias("first"), verdicts.alias("second")
    agreed = fn.COUNT(peewee.SQL("*")).filter(first.c.verdict == second.c.verdict)
    disagreed = fn.COUNT(peewee.SQL("*")).filter(first.c.verdict != second.c.verdict)
    latest = fn.MAX(peewee.Case(None, [(first.c.latest > second.c.latest, first.c.latest)], second.c.latest))
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
    names = [
        [getattr(side.c, name) for name in ("github_id", "email", "reviewer_id")] for side in (first, second)
    ]
    together = (first.c.pull_request_id == second.c.pull_request_id) & (
        peewee.Tuple(*names[0]) < peewee.Tuple(*names[1])
    )
    return (
        peewee.Select([first], named)
        .join(second, on=together)
        .group_by(first.c.reviewer_id, second.c.reviewer_id)
    )


def _final_verdicts(database: peewee.Database, team_id: Any) -> peewee.Select:
    """Return the query for each reviewer's final verdict on each pull request, and their last review's time.

    The verdict is 1 if they approved, 0 if they requested changes, NULL if they only commented.
    """
    submitted = fn.MAX(PRReview.submitted_at)
    approved = submitted.filter(PRReview.state == "approved")
    requested = submitted.filter(PRReview.state == "changes_requested")
    approves = (approved > requested) | (approved.is_null(False) & requested.is_null())
    bytewise = BYTEWISE[is_postgresql(database)]
    return (
        PRReview.select(
            PRReview.pull_request.alias("pull_request_id"),
            TeamMember.id.alias("reviewer_id"),
            TeamMember.github_id.collate(bytewise).alias("github_id"),
            TeamMember.email.collate(bytewise).alias("email"),
            submitted.alias("latest"),
            peewee.Case(None, [(approves, 1), (requested.is_null(False), 0)]).alias("verdict"),
        )
        .join(TeamMember, on=PRReview.reviewer == TeamMember.id)
        # Filter members by team: otherwise the server would read the members of all teams for the join.
        .where(PRReview.team == team_id, TeamMember.team == team_id, PRReview.submitted_at.is_null(False))
        .group_by(PRReview.pull_request, TeamMember.id)
    )


_REFRESH = Refresh(
    ReviewerCorrelation,
    lambda database, value: pairs_query(database, value("team")),
    lambda value: ReviewerCorrelation.team == value("team"),
)
