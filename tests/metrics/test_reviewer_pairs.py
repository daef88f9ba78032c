import datetime
import itertools
import random

import peewee
import pytest

from tests.support.teams import DAY, HOUR, MONDAY, add, add_members, add_team
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.metrics import refresh_reviewer_pairs
from tformance_seed.metrics.reviewer_pairs import pairs_query
from tformance_seed.storage.models import PRReview, PullRequest, ReviewerCorrelation, Team, TeamMember


def add_pull_request(team: Team, number: int) -> PullRequest:
    return add(PullRequest, team=team, github_pr_id=number, github_repo="a/b", state="open")


def add_review(
    pull_request: PullRequest,
    reviewer: TeamMember | None,
    state: str,
    when: datetime.datetime | None,
) -> None:
    team = pull_request.team
    add(
        PRReview,
        team=team,
        pull_request=pull_request,
        reviewer=reviewer,
        state=state,
        submitted_at=when,
    )


def stored(team: Team) -> dict[tuple[str, str], tuple]:
    """Return together, agreements, disagreements and latest review by (first, second) GitHub id."""
    names = dict(TeamMember.select(TeamMember.id, TeamMember.github_id).tuples())
    return {
        (names[row.reviewer_1_id], names[row.reviewer_2_id]): (
            row.prs_reviewed_together,
            row.agreements,
            row.disagreements,
            row.created_at,
        )
        for row in ReviewerCorrelation.select().where(ReviewerCorrelation.team == team)
    }


def random_reviews(team: Team, members: list[TeamMember], seed: int) -> None:
    draw = random.Random(seed)
    for number in range(40):
        pull_request = add_pull_request(team, number)
        moments = draw.sample(range(1000), 8)
        for place in range(draw.randrange(8)):
            add_review(
                pull_request,
                draw.choice([*members, None]),
                draw.choice(["approved", "changes_requested", "commented"]),
                None if draw.random() < 0.1 else MONDAY + HOUR * moments[place],
            )


def recomputation(team: Team) -> dict[tuple[str, str], tuple]:
    names = dict(TeamMember.select(TeamMember.id, TeamMember.github_id).tuples())
    words: dict[int, dict[str, list]] = {}
    reviews = PRReview.select().where(PRReview.team == team, PRReview.submitted_at.is_null(False))
    for review in reviews.order_by(PRReview.submitted_at):
        if review.reviewer_id is not None:
            word = words.setdefault(review.pull_request_id, {}).setdefault(
                names[review.reviewer_id], [None, None]
            )
            word[1] = review.submitted_at
            if review.state != "commented":
                word[0] = review.state
    pairs: dict[tuple[str, str], tuple] = {}
    for reviewers in words.values():
        for (one, a), (two, b) in itertools.combinations(sorted(reviewers.items()), 2):
            said = a[0] is not None and b[0] is not None
            together, agreed, disagreed, latest = pairs.get((one, two), (0, 0, 0, a[1]))
            pairs[one, two] = (
                together + 1,
                agreed + (said and a[0] == b[0]),
                disagreed + (said and a[0] != b[0]),
                max(latest, a[1], b[1]),
            )
    return pairs


@pytest.mark.parametrize("seed", [1, 2])
def test_pairs_equal_a_recomputation(database: peewee.Database, seed: int) -> None:
    team = add_team("acme")
    random_reviews(team, add_members(team, 5), seed)
    expected = recomputation(team)
    assert refresh_reviewer_pairs(database, team.id) == (len(expected), 0)
    assert stored(team) == expected
    assert len(expected) == 10


def test_the_last_verdict_counts_and_comments_after_it_do_not(database: peewee.Database) -> None:
    team = add_team("acme")
    one, two, three = add_members(team, 3)
    pull_request = add_pull_request(team, 1)
    add_review(pull_request, one, "changes_requested", MONDAY)
    add_review(pull_request, one, "approved", MONDAY + HOUR)
    add_review(pull_request, one, "commented", MONDAY + 2 * HOUR)
    add_review(pull_request, two, "approved", MONDAY)
    add_review(pull_request, three, "commented", MONDAY + DAY)
    refresh_reviewer_pairs(database, team.id)
    assert stored(team) == {
        ("100", "101"): (1, 1, 0, MONDAY + 2 * HOUR),
        ("100", "102"): (1, 0, 0, MONDAY + DAY),
        ("101", "102"): (1, 0, 0, MONDAY + DAY),
    }


def test_of_two_reviews_in_one_second_the_request_for_changes_counts(database: peewee.Database) -> None:
    team = add_team("acme")
    one, two = add_members(team, 2)
    pull_request = add_pull_request(team, 1)
    for state in ("approved", "changes_requested", "approved"):
        add_review(pull_request, one, state, MONDAY)
    add_review(pull_request, two, "approved", MONDAY)
    refresh_reviewer_pairs(database, team.id)
    assert stored(team) == {("100", "101"): (1, 0, 1, MONDAY)}


def test_the_order_in_a_pair_follows_names_not_ids(database: peewee.Database) -> None:
    team = add_team("acme")
    names = ["b", "B", "10", "9", "é", "z"]
    members = {
        name: add(TeamMember, team=team, display_name=name, github_id=name)
        for name in sorted(names, reverse=True)
    }
    for email in ("y@example.com", "x@example.com"):
        members[email] = add(TeamMember, team=team, display_name=email, email=email)
    pull_request = add_pull_request(team, 1)
    for member in members.values():
        add_review(pull_request, member, "approved", MONDAY)
    refresh_reviewer_pairs(database, team.id)
    ids = {member.id: name for name, member in members.items()}
    order = ["x@example.com", "y@example.com", *sorted(names, key=str.encode)]
    pairs = {(ids[row.reviewer_1_id], ids[row.reviewer_2_id]) for row in ReviewerCorrelation.select()}
    assert pairs == set(itertools.combinations(order, 2))


def test_names_are_compared_byte_by_byte_whatever_the_servers_locale(database: peewee.Database) -> None:
    """No test server has another collation, so only the statement can be inspected."""
    statement, _ = database.get_sql_context().sql(pairs_query(database, 1)).query()
    collation = 'COLLATE "C"' if is_postgresql(database) else "COLLATE BINARY"
    assert statement.count(collation) == 4


def test_only_changed_pairs_are_written_and_stale_ones_deleted(database: peewee.Database) -> None:
    team, other = add_team("acme"), add_team("other")
    for seed, one in enumerate((team, other)):
        random_reviews(one, add_members(one, 5), seed)
        refresh_reviewer_pairs(database, one.id)
    others, ids = stored(other), {row.id for row in ReviewerCorrelation.select()}
    assert refresh_reviewer_pairs(database, team.id) == (0, 10)
    quitter = TeamMember.get(TeamMember.team == team, TeamMember.github_id == "102")
    PRReview.delete().where(PRReview.reviewer == quitter).execute()
    assert refresh_reviewer_pairs(database, team.id) == (4, 6)
    assert stored(team) == recomputation(team)
    assert stored(other) == others
    assert {row.id for row in ReviewerCorrelation.select()} < ids
