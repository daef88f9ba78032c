import numpy as np
import pytest

from tests.support.batches import make_batch, make_members, make_profile, simulate
from tformance_seed.sources.records import AI_NONE, AI_REVIEW

COUNT = 3000


@pytest.fixture(scope="module")
def simulated():
    """A completed batch, and its rows."""
    profile = make_profile()
    members = make_members(12, profile)
    rows = make_batch(profile, members, np.arange(1, COUNT + 1))
    return rows, simulate(rows, members, profile)


def test_the_first_review_is_at_its_time(simulated):
    prs, reviews = simulated[1]["PullRequest"], simulated[1]["PRReview"]
    first = np.flatnonzero(np.diff(reviews["pull_request"], prepend=-1))
    assert (reviews["submitted_at"][first] == prs["first_review_at"][reviews["pull_request"][first]]).all()
    assert len(first) == (~np.isnat(prs["first_review_at"])).sum()
    ended = simulated[0].pull_requests["ended_at"][reviews["pull_request"]]
    assert (reviews["submitted_at"] <= ended).all()


def test_merged_pull_requests_end_with_an_approval_by_a_person(simulated):
    prs, reviews = simulated[1]["PullRequest"], simulated[1]["PRReview"]
    last = np.flatnonzero(np.diff(reviews["pull_request"], append=-1))
    merged = prs["state"][reviews["pull_request"][last]] == b"merged"
    assert (reviews["state"][last][merged] == b"approved").all()
    assert (reviews["reviewer"][last][merged] >= 0).all()


def test_reviewers_are_others_than_the_author_and_one_to_three(simulated):
    prs, reviews = simulated[1]["PullRequest"], simulated[1]["PRReview"]
    owner, reviewer = reviews["pull_request"], reviews["reviewer"]
    people_ = reviewer >= 0
    assert (reviewer != prs["author"][owner])[people_].all()
    pairs = np.unique(np.stack([owner, reviewer])[:, people_], axis=1)
    assert set(np.bincount(pairs[0])[np.unique(pairs[0])].tolist()) == {1, 2, 3}


def test_changes_requested_are_followed_by_the_same_persons_final_verdict(simulated):
    reviews = simulated[1]["PRReview"]
    requested = np.flatnonzero(reviews["state"] == b"changes_requested")
    last = np.searchsorted(reviews["pull_request"], reviews["pull_request"][requested], side="right") - 1
    assert (reviews["reviewer"][requested] == reviews["reviewer"][last]).all()
    assert (reviews["submitted_at"][requested] <= reviews["submitted_at"][last]).all()


def test_bots_review_what_ai_reviewed_and_come_first(simulated):
    prs, reviews = simulated[0].pull_requests, simulated[1]["PRReview"]
    bots = reviews["is_ai_review"]
    assert (
        sorted(reviews["pull_request"][bots].tolist()) == np.flatnonzero(prs["ai_kind"] == AI_REVIEW).tolist()
    )
    assert (reviews["submitted_at"] == prs["first_review_at"][reviews["pull_request"]])[bots].all()
    assert (reviews["ai_reviewer_type"][bots] == b"coderabbit").all()
    assert (reviews["reviewer"][bots] == -1).all()
    assert (reviews["body"][bots] != b"").all()
    assert (reviews["ai_reviewer_type"][~bots] == b"").all()
    assert simulated[1]["PullRequest"]["has_ai_review"].tolist() == (prs["ai_kind"] == AI_REVIEW).tolist()


def test_counts_on_the_pull_request_match_its_rows(simulated):
    rows, tables = simulated
    prs, reviews = tables["PullRequest"], tables["PRReview"]
    commits = [[] for _ in range(COUNT)]
    for owner, when in zip(rows.commits["pull_request"], rows.commits["committed_at"], strict=True):
        commits[owner].append(when.astype(int))
    waits = [[] for _ in range(COUNT)]
    texts = [0] * COUNT
    columns = [reviews[name].tolist() for name in ("pull_request", "state", "body")]
    for owner, state, body, when in zip(*columns, reviews["submitted_at"].astype(int), strict=True):
        texts[owner] += body != b""
        later = [commit for commit in commits[owner] if commit > when]
        if state == b"changes_requested" and later:
            waits[owner].append(int(min(later) - when))
    after = [
        sum(commit > first.astype(int) for commit in own) if not np.isnat(first) else 0
        for own, first in zip(commits, prs["first_review_at"], strict=True)
    ]
    assert prs["commits_after_first_review"].tolist() == after
    assert prs["review_rounds"].tolist() == [len(own) for own in waits]
    np.testing.assert_array_equal(
        prs["avg_fix_response_hours"],
        [round(sum(own) / len(own) / 3600, 2) if own else np.nan for own in waits],
    )
    comments = np.bincount(tables["PRComment"]["pull_request"], minlength=COUNT)
    assert prs["total_comments"].tolist() == (comments + texts).tolist()
    assert (prs["review_rounds"] > 0).sum() > 100


def test_comments_are_within_the_pull_request_and_name_its_files(simulated):
    rows, tables = simulated
    comments, prs = tables["PRComment"], tables["PullRequest"]
    owner, when = comments["pull_request"], comments["comment_created_at"]
    assert (when >= prs["pr_created_at"][owner]).all()
    assert (when <= rows.pull_requests["ended_at"][owner]).all()
    assert (comments["comment_updated_at"] >= when).all()
    assert (comments["comment_updated_at"] <= rows.pull_requests["ended_at"][owner]).all()
    on_line = comments["comment_type"] == b"review"
    assert on_line.any()
    assert comments["path"].mask.tolist() == (~on_line).tolist() == comments["line"].mask.tolist()
    paths = set(zip(rows.files["pull_request"].tolist(), rows.files["filename"].tolist(), strict=True))
    assert set(zip(owner[on_line].tolist(), comments["path"][on_line].tolist(), strict=True)) <= paths
    assert comments["line"].min() >= 1
    assert 1.5 < len(owner) / COUNT < 2.5


def test_comments_have_many_texts(simulated):
    _, tables = simulated[-2:]
    assert len(np.unique(tables["PRComment"]["body"])) >= 80


def test_answers_are_the_authors_and_follow_the_question(simulated):
    comments, prs = simulated[1]["PRComment"], simulated[1]["PullRequest"]
    row_of = {number: row for row, number in enumerate(comments["github_comment_id"].tolist())}
    answers = np.flatnonzero(~comments["in_reply_to_id"].mask)
    assert len(answers) > 100
    for answer in answers.tolist():
        question = row_of[comments["in_reply_to_id"][answer]]
        assert comments["in_reply_to_id"].mask[question]
        assert comments["pull_request"][question] == comments["pull_request"][answer]
        assert comments["path"][question] == comments["path"][answer]
        assert comments["line"][question] == comments["line"][answer]
        assert comments["comment_created_at"][question] <= comments["comment_created_at"][answer]
        assert comments["author"][answer] == prs["author"][comments["pull_request"][answer]]


def test_checks_run_within_the_pull_request_about_four_each(simulated):
    rows, tables = simulated
    checks, prs = tables["PRCheckRun"], tables["PullRequest"]
    owner = checks["pull_request"]
    assert (checks["started_at"] >= prs["pr_created_at"][owner]).all()
    assert (checks["completed_at"] <= rows.pull_requests["ended_at"][owner]).all()
    duration = (checks["completed_at"] - checks["started_at"]).astype(int)
    assert duration.tolist() == checks["duration_seconds"].tolist()
    assert 3 <= len(owner) / COUNT <= 6
    assert (checks["conclusion"] == b"success").mean() == pytest.approx(0.9, abs=0.01)
    names = {
        repository: {
            tuple(sorted(checks["name"][owner == row].tolist()))
            for row in np.flatnonzero(prs["github_repo"] == repository)[:50].tolist()
        }
        for repository in np.unique(prs["github_repo"]).tolist()
    }
    assert all(len(sets) == 1 for sets in names.values())


def test_deployments_follow_the_merge_with_the_last_commit(simulated):
    rows, tables = simulated
    deployments, prs = tables["Deployment"], tables["PullRequest"]
    owner = deployments["pull_request"]
    assert (prs["state"][owner] == b"merged").all()
    assert (deployments["deployed_at"] > prs["merged_at"][owner]).all()
    last = np.searchsorted(rows.commits["pull_request"], owner, side="right") - 1
    assert (deployments["sha"] == rows.commits["sha"][last]).all()
    share = len(np.unique(owner)) / (prs["state"] == b"merged").sum()
    assert share == pytest.approx(0.3, abs=0.03)


def test_a_scenario_sets_the_share_of_checks_that_pass():
    profile = make_profile("ai-success")
    members = make_members(5, profile)
    tables = simulate(make_batch(profile, members, np.arange(1, 6001), days=56), members, profile)
    checks = tables["PRCheckRun"]
    ended = tables["PullRequest"]["created_at"][checks["pull_request"]]
    passed = checks["conclusion"] == b"success"
    progress = profile.progress(ended)
    assert passed[progress == 0].mean() == pytest.approx(0.85, abs=0.02)
    assert passed[progress == 1].mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_share_of_checks_that_pass_shows_in_eighty_pull_requests(seed):
    profile = make_profile("baseline", seed=seed)
    members = make_members(5, profile)
    checks = simulate(make_batch(profile, members, np.arange(1, 81), days=28), members, profile)["PRCheckRun"]
    assert (checks["conclusion"] == b"success").mean() == pytest.approx(0.88, abs=0.025)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bottleneck_has_one_person_do_sixty_percent_of_reviews(seed):
    profile = make_profile("review-bottleneck", seed=seed)
    members = make_members(5, profile)
    tables = simulate(make_batch(profile, members, np.arange(1, 4001), days=56), members, profile)
    by_people = tables["PRReview"]["reviewer"][tables["PRReview"]["reviewer"] >= 0]
    shares = np.bincount(by_people, minlength=5) / len(by_people)
    assert shares.max() == pytest.approx(0.6, abs=0.03)
    assert (shares > 0).all()


def test_without_a_bottleneck_reviews_are_spread():
    profile = make_profile("baseline")
    members = make_members(5, profile)
    tables = simulate(
        make_batch(profile, members, np.arange(1, 2001), days=56, kind=AI_NONE), members, profile
    )
    shares = np.bincount(tables["PRReview"]["reviewer"], minlength=5) / len(tables["PRReview"]["reviewer"])
    assert shares.max() < 0.45
