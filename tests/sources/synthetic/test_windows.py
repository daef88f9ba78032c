"""Which pull requests a window has does not depend on what else it has."""

import datetime

import numpy as np
import pytest

from tests.support.synthetic import DAY, UNTIL, make_profile, read, rows_by_number
from tformance_seed.errors import InputError
from tformance_seed.sources.records import (
    PULL_REQUEST_COLUMNS,
)
from tformance_seed.sources.synthetic import SyntheticSource


@pytest.mark.parametrize("prs", [None, 150])
def test_a_window_that_slid_by_a_day_keeps_what_it_had(prs):
    before = rows_by_number(read(make_profile(since=UNTIL - 29 * DAY, until=UNTIL, prs=prs)))
    after = rows_by_number(read(make_profile(since=UNTIL - 28 * DAY, until=UNTIL + DAY, prs=prs)))
    kept = before.keys() & after.keys()
    assert len(kept) > 0.8 * len(before)
    assert all(before[name] == after[name] for name in kept)
    column = list(PULL_REQUEST_COLUMNS).index("ended_at")
    newest = max(seen["row"][column] for seen in before.values())
    assert all(after[name]["row"][column] > newest for name in after.keys() - kept)


def test_a_window_has_all_that_ended_in_it_and_nothing_else():
    long = read(make_profile(since=UNTIL - 60 * DAY)).pull_requests
    short_profile = make_profile(since=UNTIL - 20 * DAY, until=UNTIL - 5 * DAY)
    short = read(short_profile).pull_requests
    day = long["ended_at"].astype("datetime64[D]")
    within = (day >= np.datetime64(short_profile.since)) & (day <= np.datetime64(short_profile.until))
    assert 0 < within.sum() == len(short["key"]) == SyntheticSource(short_profile).total
    assert set(long["key"][within]) == set(short["key"])


def test_an_average_year_has_the_yearly_rate():
    profile = make_profile(since=datetime.date(2025, 1, 1))
    assert SyntheticSource(profile).total == pytest.approx(profile.organisation.prs_per_year, rel=0.03)


@pytest.mark.parametrize("prs", [0, 1, 2, 7, 100, 4321])
@pytest.mark.parametrize("days", [1, 30, 365])
def test_a_given_number_of_pull_requests_is_exact(prs, days):
    for since in (datetime.date(2015, 1, 1), datetime.date(2025, 3, 2)):
        source = SyntheticSource(make_profile(since=since, until=since + (days - 1) * DAY, prs=prs))
        assert source.total == prs
        batches = list(source.batches(0, source.length))
        assert sum(len(batch.pull_requests["key"]) for batch in batches) == prs
        assert all(batch.pull_requests["number"].min() >= 1 for batch in batches)


def test_a_given_number_fills_the_window_and_no_more():
    profile = make_profile(prs=2000)
    ended = read(profile).pull_requests["ended_at"]
    assert abs((ended.min() - np.datetime64(profile.since)).astype("timedelta64[D]").astype(int)) < 10
    assert ended.max() < profile.end


def test_repositories_share_numbers_and_the_first_is_the_busiest():
    profile = make_profile()
    prs = read(profile).pull_requests
    numbers = {
        repository: set(prs["number"][prs["repository"] == repository.encode()].tolist())
        for repository in profile.organisation.repos
    }
    counts = [len(values) for values in numbers.values()]
    assert counts == sorted(counts, reverse=True)
    assert all(len(values) < max(values) - min(values) < 3 * len(values) for values in numbers.values())
    everywhere = read(
        make_profile(since=datetime.date(2015, 1, 1), until=datetime.date(2016, 12, 31))
    ).pull_requests
    pairs = list(zip(everywhere["repository"].tolist(), everywhere["number"].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert len(set(everywhere["number"].tolist())) < len(pairs)


def test_a_window_before_2015_is_an_input_error():
    with pytest.raises(InputError, match="windows begin on 2015-01-01 or later"):
        SyntheticSource(make_profile(since=datetime.date(2014, 12, 31)))


def test_inputs_are_what_the_content_depends_on():
    assert SyntheticSource(make_profile()).inputs == {"members": make_profile().members}
    assert SyntheticSource(make_profile(prs=5)).inputs == {
        "members": make_profile().members,
        "prs": 5,
        "days": 184,
    }
