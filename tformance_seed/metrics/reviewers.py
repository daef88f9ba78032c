"""Who reviews with whom, and how often they agree, computed where the data is."""

from typing import Any

import peewee
from peewee import fn

from tformance_seed.database import is_postgresql
from tformance_seed.metrics.refresh import refresh
from tformance_seed.models import PRReview, ReviewerCorrelation, TeamMember

#: Collations that compare text byte by byte: PostgreSQL's default one depends on the server's locale.
BYTEWISE = {True: '"C"', False: "BINARY"}

#: What is known of a reviewer's word on a pull request.
WORD = ("pull_request_id", "reviewer_id", "verdict", "latest")


def reviewer_pairs(database: peewee.Database, team_id: int) -> tuple[int, int]:
    """Compute, for each two members who reviewed the same pull request, how often and how they agreed.

    Returns:
      How many rows were inserted, changed or deleted, and how many were right already.
    """
    return refresh(
        database,
        ReviewerCorrelation,
        pairs_query(database, team_id),
        ReviewerCorrelation.team == team_id,
    )


def pairs_query(database: peewee.Database, team_id: int) -> peewee.Select:
    """Every row that the table should hold for a team.

    A reviewer's word on a pull request is their last review of it that is not a mere comment; two agree if
    both approved or both requested changes. Who has only commented reviewed together with the others, but
    neither agrees nor disagrees. Of two members the first is the one whose (github_id, email) sorts first:
    ids differ from database to database.

    Yields the columns of ``ReviewerCorrelation`` in their order, the id left out.
    """
    words = _words(database, team_id)
    first, second = words.alias("first"), words.alias("second")
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
        "team": peewee.Value(team_id).cast("BIGINT"),
    }
    fields = [field.name for field in ReviewerCorrelation._meta.sorted_fields if field.name != "id"]
    together = (first.c.pull_request_id == second.c.pull_request_id) & (first.c.place < second.c.place)
    return (
        peewee.Select([first], [columns[name] for name in fields])
        .join(second, on=together)
        .group_by(first.c.reviewer_id, second.c.reviewer_id)
    )


def _words(database: peewee.Database, team_id: int) -> peewee.Select:
    """Each reviewer's word on each pull request (NULL: only comments), and when they last reviewed it."""
    review = PRReview.alias("review")
    mine = {"partition_by": [review.pull_request, review.reviewer]}
    is_comment = peewee.Case(None, [(review.state == "commented", 1)], 0)
    # Of reviews of the same second the later number counts; what follows decides where there is none.
    number = review.github_review_id.desc(nulls="last")
    ranked = (
        review.select(
            review.pull_request.alias("pull_request_id"),
            review.reviewer.alias("reviewer_id"),
            fn.NULLIF(review.state, "commented").alias("verdict"),
            fn.MAX(review.submitted_at).over(**mine).alias("latest"),
            fn.ROW_NUMBER()
            .over(order_by=[is_comment, review.submitted_at.desc(), number, review.state], **mine)
            .alias("recency"),
        )
        .where(review.team == team_id, review.reviewer.is_null(False), review.submitted_at.is_null(False))
        .alias("ranked")
    )
    places = _places(database, team_id).alias("places")
    columns = [*(getattr(ranked.c, name) for name in WORD), places.c.place]
    return (
        peewee.Select([ranked], columns)
        .join(places, on=places.c.id == ranked.c.reviewer_id)
        .where(ranked.c.recency == 1)
    )


def _places(database: peewee.Database, team_id: int) -> peewee.ModelSelect:
    """The members of a team numbered in the order of what names them everywhere."""
    bytewise = BYTEWISE[is_postgresql(database)]
    order = [TeamMember.github_id.collate(bytewise), TeamMember.email.collate(bytewise), TeamMember.id]
    return TeamMember.select(
        TeamMember.id.alias("id"), fn.ROW_NUMBER().over(order_by=order).alias("place")
    ).where(TeamMember.team == team_id)
