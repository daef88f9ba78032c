"""What holds of every table that a batch makes."""

import datetime
from itertools import chain

import numpy as np
import pytest

from tests.support.batches import REPOSITORIES, UNTIL, make_batch, make_members, make_profile, simulate
from tformance_seed.storage.models import github, surveys

MODELS = {
    model.__name__: model
    for model in (
        github.PullRequest,
        github.Commit,
        github.PRFile,
        github.PRReview,
        github.PRCheckRun,
        github.PRComment,
        github.Deployment,
        surveys.PRSurvey,
        surveys.PRSurveyReview,
    )
}
UNIQUE = {
    "PRReview": "github_review_id",
    "PRCheckRun": "github_check_run_id",
    "PRComment": "github_comment_id",
    "Deployment": "github_deployment_id",
    "PRSurvey": "token",
}


@pytest.fixture(scope="module")
def profile():
    return make_profile()


@pytest.fixture(scope="module")
def members(profile):
    return make_members(12, profile)


@pytest.fixture(scope="module")
def simulated(profile, members):
    return simulate(make_batch(profile, members, np.arange(1, 501)), members, profile)


def rows_by_pull_request(tables, numbers):
    """(table, pull request's number) -> its rows, references to rows resolved."""
    found = {}
    surveyed = tables["PRSurvey"]["pull_request"]
    for name, columns in tables.items():
        if name == "PullRequest":
            owner = np.arange(len(numbers))
        elif name == "PRSurveyReview":
            owner = surveyed[columns["survey"]]
        else:
            owner = columns["pull_request"]
        values = [columns[key].tolist() for key in sorted(set(columns) - {"pull_request", "survey"})]
        for row, record in zip(numbers[owner].tolist(), zip(*values, strict=True), strict=True):
            found.setdefault((name, row), []).append(repr(record))
    return found


def test_tables_have_every_field_but_the_team_and_the_id(simulated):
    assert set(simulated) == set(MODELS)
    for name, model in MODELS.items():
        assert set(simulated[name]) == set(model._meta.fields) - {"id", "team"}, name
        assert len({len(column) for column in simulated[name].values()}) == 1, name
        assert len(simulated[name]["created_at"]) > 0, name


def is_null(column, field):
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getmaskarray(column)
    if column.dtype.kind == "M":
        return np.isnat(column)
    if column.dtype.kind == "f":
        return np.isnan(column)
    return (
        column == -1 if field.__class__.__name__ == "ForeignKeyField" else np.zeros(len(column), dtype=bool)
    )


def test_values_are_legal(simulated):
    for name, model in MODELS.items():
        for field_name, field in model._meta.fields.items():
            if field_name in ("id", "team"):
                continue
            column = simulated[name][field_name]
            null = is_null(column, field)
            assert field.null or not null.any(), (name, field_name)
            values = np.asarray(column)[~null].tolist()
            values = {value.decode() if isinstance(value, bytes) else value for value in values}
            if field.choices:
                assert values <= {choice for choice, _ in field.choices}, (name, field_name)
            if getattr(field, "max_length", None) and values:
                assert max(map(len, values)) <= field.max_length, (name, field_name)


def test_identifiers_are_unique(simulated):
    for name, column in UNIQUE.items():
        assert len(np.unique(simulated[name][column])) == len(simulated[name][column]), name


def test_a_batch_of_one_makes_the_same_rows_as_a_batch_of_many(profile, members, simulated):
    numbers = np.arange(1, 501)
    together = rows_by_pull_request(simulated, numbers)
    alone = {}
    for number in chain(range(1, 41), range(480, 501)):
        single = np.array([number])
        alone |= rows_by_pull_request(
            simulate(make_batch(profile, members, single), members, profile), single
        )
    assert len(alone) > 300
    assert alone == {key: rows for key, rows in together.items() if key[1] <= 40 or key[1] >= 480}


def test_a_window_slid_by_a_day_changes_no_older_row(profile, members):
    numbers = np.arange(1, 501)
    tomorrow = make_profile(until=UNTIL + datetime.timedelta(days=1))
    before = rows_by_pull_request(simulate(make_batch(profile, members, numbers), members, profile), numbers)
    after = rows_by_pull_request(simulate(make_batch(tomorrow, members, numbers), members, tomorrow), numbers)
    assert all(set(rows) <= set(after[key]) for key, rows in before.items())
    added = sum(len(rows) for rows in after.values()) - sum(len(rows) for rows in before.values())
    assert added > 0


@pytest.mark.parametrize("scenario", [None, "detective-game", "review-bottleneck"])
def test_nothing_happens_at_or_after_the_end(scenario):
    profile = make_profile(scenario)
    members = make_members(profile.members, profile)
    tables = simulate(make_batch(profile, members, np.arange(1, 1001), days=3), members, profile)
    for name, columns in tables.items():
        for field, column in columns.items():
            if column.dtype.kind == "M" and field != "token_expires_at":  # a date set, not an event
                assert not (column >= profile.end).any(), (name, field)


def test_another_seed_makes_other_rows(members, simulated):
    other = make_profile(seed=2)
    tables = simulate(make_batch(other, members, np.arange(1, 501)), members, other)
    assert not set(tables["PRSurvey"]["token"].tolist()) & set(simulated["PRSurvey"]["token"].tolist())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_small_organisations_have_no_one_review_their_own_work(count):
    profile = make_profile()
    members = make_members(count, profile)
    simulated = simulate(make_batch(profile, members, np.arange(1, 200)), members, profile)
    author = simulated["PullRequest"]["author"][simulated["PRReview"]["pull_request"]]
    reviewer = simulated["PRReview"]["reviewer"]
    assert not ((reviewer == author) & (reviewer >= 0)).any()
    assert (reviewer >= 0).any() == (count > 0)
    reviewed = ~np.isnat(simulated["PullRequest"]["first_review_at"])
    assert set(simulated["PRReview"]["pull_request"].tolist()) == set(np.flatnonzero(reviewed).tolist())


def test_an_empty_batch_makes_empty_tables(profile, members):
    tables = simulate(make_batch(profile, members, np.zeros(0)), members, profile)
    assert {len(column) for columns in tables.values() for column in columns.values()} == {0}


def test_pull_requests_without_commits_and_files_are_fine(profile, members):
    bare = make_batch(profile, members, np.arange(1, 50))
    bare.commits = {name: column[:0] for name, column in bare.commits.items()}
    bare.files = {name: column[:0] for name, column in bare.files.items()}
    tables = simulate(bare, members, profile)
    assert len(tables["Deployment"]["sha"]) == 0
    assert tables["PRComment"]["path"].mask.all()
    assert (tables["PullRequest"]["commits_after_first_review"] == 0).all()


def test_keys_name_one_issue_for_each_pull_request(profile, members, simulated):
    both = [
        make_batch(profile, members, np.arange(1, 300), repository=name.encode()) for name in REPOSITORIES
    ]
    keys = np.concatenate([simulate(rows, members, profile)["PullRequest"]["jira_key"] for rows in both])
    keys = keys[keys != b""]
    assert len(np.unique(keys)) == len(keys)
    bots = simulated["PullRequest"]["author"] < 0
    assert (simulated["PullRequest"]["jira_key"][bots] == b"").all()
    by_people = simulated["PullRequest"]["jira_key"][~bots]
    linked = by_people != b""
    assert linked.mean() == pytest.approx(0.85, abs=0.04)
    assert np.char.startswith(by_people[linked], b"ACME-").all()
