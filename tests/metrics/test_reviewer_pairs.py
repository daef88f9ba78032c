import datetime
import itertools
import random

import peewee
import pytest

from tests.support.teams import HOUR, MONDAY, add, add_members, add_team
from tformance_seed.metrics import refresh_reviewer_pairs
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
    verdicts: dict[int, dict[str, tuple]] = {}
    reviews = PRReview.select().where(
        PRReview.team == team, PRReview.submitted_at.is_null(False), PRReview.state != "commented"
    )
    for review in reviews.order_by(PRReview.submitted_at):
        if review.reviewer_id is not None:
            of_pull_request = verdicts.setdefault(review.pull_request_id, {})
            of_pull_request.setdefault(names[review.reviewer_id], (review.state, review.submitted_at))
    pairs: dict[tuple[str, str], tuple] = {}
    for reviewers in verdicts.values():
        for (one, a), (two, b) in itertools.combinations(sorted(reviewers.items()), 2):
            together, agreed, disagreed, latest = pairs.get((one, two), (0, 0, 0, a[1]))
            agrees = a[0] == b[0]
            pairs[one, two] = (
                together + 1,
                agreed + agrees,
                disagreed + (not agrees),
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


B, C, D = "100", "101", "102"


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("reviews", "pairs"),
    [
        (
            [(B, "changes_requested"), (C, "changes_requested"), (D, "approved")],
            {(B, C): (1, 1, 0), (B, D): (1, 0, 1), (C, D): (1, 0, 1)},
        ),
        ([(B, "changes_requested"), (C, "commented")], {}),
        ([(B, "changes_requested"), (B, "approved"), (C, "approved")], {(B, C): (1, 0, 1)}),
        ([(B, "commented"), (B, "approved"), (C, "approved")], {(B, C): (1, 1, 0)}),
    ],
)
def test_pairs_are_those_of_the_application(
    database: peewee.Database, reviews: list, pairs: dict, reverse: bool
) -> None:
    """What is wanted was computed by the application, in both orders of insertion."""
    team = add_team("acme")
    members = {member.github_id: member for member in add_members(team, 3)}
    pull_request = add_pull_request(team, 1)
    timed = [(name, state, MONDAY + place * HOUR) for place, (name, state) in enumerate(reviews)]
    for name, state, when in reversed(timed) if reverse else timed:
        add_review(pull_request, members[name], state, when)
    refresh_reviewer_pairs(database, team.id)
    assert {pair: row[:3] for pair, row in stored(team).items()} == pairs


def test_of_two_reviews_in_one_second_the_request_for_changes_counts(database: peewee.Database) -> None:
    team = add_team("acme")
    one, two = add_members(team, 2)
    pull_request = add_pull_request(team, 1)
    for state in ("approved", "changes_requested", "approved"):
        add_review(pull_request, one, state, MONDAY)
    add_review(pull_request, two, "approved", MONDAY)
    refresh_reviewer_pairs(database, team.id)
    assert stored(team) == {(B, C): (1, 0, 1, MONDAY)}


def test_the_member_with_the_lower_id_comes_first(database: peewee.Database) -> None:
    team = add_team("acme")
    pull_request = add_pull_request(team, 1)
    for name in ("b", "B", "10", "9", "é", "z"):
        member = add(TeamMember, team=team, display_name=name, github_id=name)
        add_review(pull_request, member, "approved", MONDAY)
    refresh_reviewer_pairs(database, team.id)
    pairs = list(ReviewerCorrelation.select())
    assert len(pairs) == 15
    assert all(pair.reviewer_1_id < pair.reviewer_2_id for pair in pairs)


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
