"""Batches of any size give the same complete rows."""

import datetime

import numpy as np
import pytest

from tests.support.synthetic import lines_of, make_profile, read, read_large, rows_by_number
from tformance_seed.sources.records import (
    COMMIT_COLUMNS,
    FILE_COLUMNS,
    OPTIONAL_PULL_REQUEST_COLUMNS,
    PULL_REQUEST_COLUMNS,
    pull_request_key,
)
from tformance_seed.sources.synthetic import SyntheticSource


@pytest.mark.parametrize("size", [1, 100])
def test_batches_of_any_size_give_the_same_rows(size):
    profile = make_profile(since=datetime.date(2025, 12, 1), until=datetime.date(2025, 12, 20))
    whole, pieces = read(profile), read(profile, size)
    for table in ("pull_requests", "commits", "files"):
        for name, values in getattr(whole, table).items():
            assert np.array_equal(values, getattr(pieces, table)[name], equal_nan=name.endswith("_at")), name


def test_batches_have_the_columns_of_the_record():
    batch = next(SyntheticSource(make_profile()).batches(0, 50))
    assert list(batch.pull_requests) == [*PULL_REQUEST_COLUMNS, "point", "issue_key"]
    assert batch.pull_requests.keys() <= PULL_REQUEST_COLUMNS.keys() | OPTIONAL_PULL_REQUEST_COLUMNS.keys()
    assert list(batch.commits) == list(COMMIT_COLUMNS)
    assert list(batch.files) == list(FILE_COLUMNS)
    for table in (batch.pull_requests, batch.commits, batch.files):
        assert len({len(values) for values in table.values()}) == 1
    assert np.isnat(batch.pull_requests["created_at"]).all()
    assert np.isnat(batch.commits["committed_at"]).all()
    assert batch.pull_requests["ended_at"].dtype == "datetime64[s]"
    assert batch.commits["sha"].dtype == "S40"
    numbers = batch.pull_requests["number"]
    repository = batch.pull_requests["repository"][0].decode()
    assert np.array_equal(batch.pull_requests["key"], pull_request_key(repository, numbers))


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (17, 18), (5, 900)])
def test_a_range_is_covered_by_batches_of_one_repository_each(start, stop):
    batches = list(SyntheticSource(make_profile()).batches(start, stop))
    assert [place for batch in batches for place in range(batch.start, batch.stop)] == list(
        range(start, stop)
    )
    for batch in batches:
        assert len(batch.pull_requests["number"]) == batch.stop - batch.start
        assert len(set(batch.pull_requests["repository"].tolist())) == 1


def test_a_pull_request_is_the_same_whatever_else_is_read():
    profile = make_profile(until=datetime.date(2025, 7, 20))
    whole, rest = rows_by_number(read(profile)), rows_by_number(read(profile, 7, first=55))
    assert len(rest) == len(whole) - 55
    assert all(whole[name] == seen for name, seen in rest.items())


def test_lines_of_files_and_of_commits_sum_to_those_of_the_pull_request():
    batch = read_large("antiwork", 0.566)
    for table in (batch.files, batch.commits):
        for name in ("additions", "deletions"):
            assert (table[name] >= 0).all()
            sums = np.bincount(table["pull_request"], weights=table[name]).astype(int)
            assert np.array_equal(sums, batch.pull_requests[name])
        assert (table["additions"] + table["deletions"] >= 1).all()
    share = batch.pull_requests["additions"].sum() / lines_of(batch).sum()
    assert 0.6 < share < 0.8
    added, removed = (batch.files["status"] == status for status in (b"added", b"removed"))
    assert (batch.files["deletions"][added] == 0).all()
    assert (batch.files["additions"][removed] == 0).all()
    assert (batch.files["status"] == b"modified").mean() > 0.75


def test_commits_have_shas_of_their_own_and_the_author():
    batch = read_large("polar", None)
    assert len(np.unique(batch.commits["sha"])) == len(batch.commits["sha"])
    owner = batch.commits["pull_request"]
    assert np.array_equal(batch.commits["author"], batch.pull_requests["author"][owner])
    assert np.array_equal(batch.commits["repository"], batch.pull_requests["repository"][owner])


def test_another_seed_gives_other_content():
    one, other = (read(make_profile(seed=seed, prs=200)) for seed in (1, 2))
    for name in ("title", "author", "ended_at", "ai_kind", "additions"):
        assert not np.array_equal(one.pull_requests[name], other.pull_requests[name]), name
    assert not set(one.commits["sha"].tolist()) & set(other.commits["sha"].tolist())


def test_two_readings_are_the_same():
    profile = make_profile(prs=300)
    assert rows_by_number(read(profile)) == rows_by_number(read(make_profile(prs=300)))
