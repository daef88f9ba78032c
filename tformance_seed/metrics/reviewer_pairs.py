"""Who reviews with whom, and how often they agree, computed where the data is."""

from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.refresh import Refresh, non_id_fields
from tformance_seed.storage.models import PRReview, ReviewerCorrelation, TeamMember

#: Collations that compare text byte by byte: PostgreSQL's default one depends on the server's locale.
BYTEWISE = {True: '"C"', False: "BINARY"}


def refresh_reviewer_pairs(
    database: peewee.Database, team_id: int, adopted_max_id: int = 0
) -> tuple[int, int]:
    """Compute, for each two members who reviewed the same pull request, how often and how they agreed.

    Parameters:
      adopted_max_id: rows up to this id were there before the team was adopted, and stay as they are.

    Returns:
      How many rows were inserted, changed or deleted, and how many were right already.
    """
    return _REFRESH(database, after_id=adopted_max_id, team=team_id)


def pairs_query(database: peewee.Database, team_id: Any) -> peewee.Select:
    """Every row that ``ReviewerCorrelation`` should hold for a team.

    A reviewer's word on a pull request is their last review of it that is not a mere comment (of the same
    second, changes requested); two agree if both approved or both requested changes. Who has only commented
    reviewed together with the others, but neither agrees nor disagrees. Of two members the first is the one
    whose (github_id, email) sorts first: ids differ from database to database.

    Parameters:
      team_id: a value, or what stands for it in a ``PreparedStatement``.
    """
    words = _words(database, team_id)
    first, second = words.alias("first"), words.alias("second")
    agreed = fn.COUNT(peewee.SQL("*")).filter(first.c.word == second.c.word)
    disagreed = fn.COUNT(peewee.SQL("*")).filter(first.c.word != second.c.word)
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
        [getattr(word.c, name) for name in ("github_id", "email", "reviewer_id")] for word in (first, second)
    ]
    together = (first.c.pull_request_id == second.c.pull_request_id) & (
        peewee.Tuple(*names[0]) < peewee.Tuple(*names[1])
    )
    return (
        peewee.Select([first], named)
        .join(second, on=together)
        .group_by(first.c.reviewer_id, second.c.reviewer_id)
    )


def _words(database: peewee.Database, team_id: Any) -> peewee.Select:
    """What each reviewer said of each pull request in the end, and when they last reviewed it.

    The word is 1 where they approved, 0 where they requested changes, NULL where they only commented.
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
            peewee.Case(None, [(approves, 1), (requested.is_null(False), 0)]).alias("word"),
        )
        .join(TeamMember, on=PRReview.reviewer == TeamMember.id)
        # Members by their team, too: the server would read those of all teams to join them.
        .where(PRReview.team == team_id, TeamMember.team == team_id, PRReview.submitted_at.is_null(False))
        .group_by(PRReview.pull_request, TeamMember.id)
    )


_REFRESH = Refresh(
    ReviewerCorrelation,
    lambda database, value: pairs_query(database, value("team")),
    lambda value: ReviewerCorrelation.team == value("team"),
)
