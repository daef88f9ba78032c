"""What a source observes is written as it is, and what it does not is simulated around it."""

import numpy as np
import pytest

from tests.support.batches import simulate
from tests.support.observed import OBSERVED, make_source
from tests.support.seeds import seed
from tformance_seed import verification
from tformance_seed.simulate.completion import complete
from tformance_seed.sources.records import OPTIONAL_TABLES, Batch, Columns, join
from tformance_seed.sources.registry import SOURCES
from tformance_seed.storage.models import Deployment, PRCheckRun, PRComment, PRReview, PullRequest, Team

#: Table of the record -> model, the column that names a row, and what else must be as observed.
WRITTEN = {
    "reviews": (PRReview, "github_review_id", ("state", "submitted_at", "is_ai_review", "body")),
    "check_runs": (
        PRCheckRun,
        "github_check_run_id",
        ("name", "status", "conclusion", "started_at", "completed_at", "duration_seconds"),
    ),
    "comments": (
        PRComment,
        "github_comment_id",
        ("body", "comment_type", "path", "line", "in_reply_to_id", "comment_created_at"),
    ),
    "deployments": (Deployment, "github_deployment_id", ("environment", "status", "deployed_at", "sha")),
}
ORGANISATIONS = [*(name.replace("_", "-") for name in OPTIONAL_TABLES), "everything"]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(SOURCES, "observed", "tests.support.observed")


def observe(slug: str) -> Batch:
    source = make_source(slug)
    return join(list(source.batches(0, source.length)))


def observed_tables(batch: Batch) -> dict[str, Columns]:
    return {name: rows for name in OPTIONAL_TABLES if (rows := getattr(batch, name)) is not None}


def plain(column: np.ndarray) -> list:
    """Values as Python has them, None where NULL."""
    if isinstance(column, np.ma.MaskedArray):
        return [None if value is None else value for value in map(_decoded, column.tolist())]
    return [_decoded(value) for value in column.tolist()]


def _decoded(value):
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("slug", ORGANISATIONS)
def test_observed_tables_are_written_as_they_are(database, slug):
    seed(database, slug, source="observed")
    team = Team.get(Team.slug == slug)
    batch = observe(slug)
    prs = batch.pull_requests
    names = list(zip(plain(prs["repository"]), plain(prs["number"]), strict=True))
    for table, rows in observed_tables(batch).items():
        model, key, fields = WRITTEN[table]
        expected = {
            identifier: (names[owner] if owner >= 0 else None, *values)
            for identifier, owner, *values in zip(
                plain(rows[key]),
                rows["pull_request"].tolist(),
                *(plain(rows[name]) for name in fields),
                strict=True,
            )
        }
        found = {}
        query = model.select(model, PullRequest).left_outer_join(
            PullRequest, on=model.pull_request == PullRequest.id, attr="of"
        )
        for row in query.where(model.team == team.id):
            owner = getattr(row, "of", None)
            values = [getattr(row, name) for name in fields]
            values = [value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in values]
            found[getattr(row, key)] = (owner and (owner.github_repo, owner.github_pr_id), *values)
        assert len(expected) > 30
        assert found == expected, table


@pytest.mark.parametrize("slug", ORGANISATIONS)
def test_observed_and_simulated_rows_agree(database, slug):
    seed(database, slug, source="observed")
    assert verification.check(database, Team.get(Team.slug == slug).id) == []


def test_second_run_writes_nothing(database):
    seed(database, "everything", source="observed")
    again = seed(database, "everything", source="observed").reports[0].tables
    assert sum(result.written for result in again.values()) == 0


@pytest.mark.parametrize("table", OPTIONAL_TABLES)
def test_tables_that_are_not_observed_are_simulated(table):
    slug = table.replace("_", "-")
    batch, source = observe(slug), make_source(slug)
    completed = complete(batch, source.members(), source._profile)
    assert getattr(completed, table) is getattr(batch, table)
    for other in set(OPTIONAL_TABLES) - {table}:
        assert getattr(batch, other) is None
        assert len(getattr(completed, other)["pull_request"]) > 0, other


def test_counts_and_times_follow_from_what_was_observed():
    batch, source = observe("everything"), make_source("everything")
    prs = simulate(batch, source.members(), source._profile)["PullRequest"]
    reviewed = prs["github_pr_id"] % 3 > 0
    assert (prs["pr_created_at"] == prs["synced_at"] - np.timedelta64(96, "h")).all()
    first = np.where(reviewed, prs["synced_at"] - np.timedelta64(90, "h"), np.datetime64("NaT", "s"))
    np.testing.assert_array_equal(prs["first_review_at"], first)
    np.testing.assert_array_equal(prs["review_time_hours"], np.where(reviewed, 6.0, np.nan))
    merged = prs["state"] == b"merged"
    np.testing.assert_array_equal(prs["cycle_time_hours"], np.where(merged, 96.0, np.nan))
    assert (prs["review_rounds"] <= reviewed).all()
    assert (prs["total_comments"] == 2 * (prs["github_pr_id"] % 2 > 0) + 2 * reviewed).all()
    assert (prs["has_ai_review"] == (reviewed & (batch.pull_requests["ai_kind"] == 2))).all()


def test_the_first_of_observed_reviews_dates_the_pull_request():
    batch, source = observe("reviews"), make_source("reviews")
    assert np.isnat(batch.pull_requests["first_review_at"]).all()
    completed = complete(batch, source.members(), source._profile).pull_requests
    reviewed = completed["number"] % 3 > 0
    assert (np.isnat(completed["first_review_at"]) == ~reviewed).all()
    assert (
        completed["first_review_at"][reviewed] == (completed["ended_at"] - np.timedelta64(90, "h"))[reviewed]
    ).all()
    assert (completed["created_at"] < completed["first_review_at"])[reviewed].all()


def test_known_first_reviews_are_kept_and_begin_the_simulated_ones():
    batch, source = observe("check-runs"), make_source("check-runs")
    prs = batch.pull_requests
    known = prs["number"] % 2 > 0
    first = np.where(known, prs["ended_at"] - np.timedelta64(5, "h"), np.datetime64("NaT", "s"))
    prs["first_review_at"] = first.copy()
    completed = complete(batch, source.members(), source._profile)
    assert (prs["first_review_at"][known] == first[known]).all()
    assert (prs["created_at"][known] < first[known]).all()
    owner, begins = np.unique(completed.reviews["pull_request"], return_index=True)
    assert set(np.flatnonzero(known)) <= set(owner.tolist())
    assert (completed.reviews["submitted_at"][begins] == prs["first_review_at"][owner]).all()


def test_a_first_review_that_no_member_can_have_given_is_a_strangers():
    batch, source = observe("check-runs"), make_source("check-runs")
    alone = source.members()
    prs = batch.pull_requests
    prs["author"][:] = np.where(prs["author"] >= 0, 0, -1)
    only = {name: column[:1] for name, column in alone.columns.items()}
    alone = type(alone)(only, alone.key[:1], np.ones(1), alone.adoption_threshold[:1])
    prs["first_review_at"] = prs["ended_at"] - np.timedelta64(1, "h")
    completed = complete(batch, alone, source._profile)
    by_author = prs["author"][completed.reviews["pull_request"]] == 0
    assert len(np.unique(completed.reviews["pull_request"])) == len(prs["key"])
    assert (completed.reviews["reviewer"][by_author] == -1).all()
    assert (completed.reviews["state"][by_author] == b"commented").all()


def test_an_observed_verdict_by_nobody_is_a_comment():
    batch, source = observe("reviews"), make_source("reviews")
    batch.reviews["reviewer"][:] = -1
    completed = complete(batch, source.members(), source._profile)
    assert set(completed.reviews["state"].tolist()) == {b"commented"}


def test_batches_join_to_what_one_batch_would_be():
    source = make_source("everything")
    whole = observe("everything")
    numbers = np.concatenate([each.pull_requests["number"] for each in source.batches(0, source.length)])
    assert (whole.pull_requests["number"] == numbers).all()
    assert (whole.start, whole.stop) == (0, source.length)
    for name, rows in observed_tables(whole).items():
        expected = OBSERVED[name](whole)
        order, other = (np.argsort(each[WRITTEN[name][1]], kind="stable") for each in (rows, expected))
        for column in rows:
            if name != "deployments":  # of which each batch has one that belongs to no pull request
                assert plain(rows[column][order]) == plain(expected[column][other]), (name, column)
    assert (whole.deployments["pull_request"] < 0).sum() == 3
