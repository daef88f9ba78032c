"""Members are distinct and stable, and work as a team does."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.synthetic import DAY, UNTIL, make_profile, read, read_large
from tformance_seed.sources.records import (
    AI_NONE,
)
from tformance_seed.sources.synthetic import SyntheticSource
from tformance_seed.sources.synthetic.people import argsort_smallest

HASHES = st.integers(min_value=0, max_value=2**64 - 1)


def test_members_are_distinct():
    people = SyntheticSource(make_profile(members=80_000)).members().columns
    unique = ("display_name", "email", "github_username", "github_id", "jira_account_id", "slack_user_id")
    for name in unique:
        assert len(np.unique(people[name])) == 80_000, name
    forms = {
        "email": rb"[a-z0-9-]+@polar\.example\.com",
        "github_username": rb"[a-z0-9-]{1,39}",
        "github_id": rb"[1-9]\d{6,7}",
        "jira_account_id": rb"5f[0-9a-f]{22}",
        "slack_user_id": rb"U[0-9A-Z]{10}",
    }
    for name, form in forms.items():
        assert all(re.fullmatch(form, value) for value in people[name][:2000].tolist()), name
    roles = Counter(people["role"].tolist())
    assert people["role"][0] == b"admin"
    assert roles[b"admin"] == 1
    assert roles[b"lead"] / 80_000 == pytest.approx(0.1, abs=0.01)
    assert people["created_at"].min() >= np.datetime64("2021-01-01")
    assert people["created_at"].max() < np.datetime64("2025-01-01")


def test_members_stay_who_they_are_when_more_come():
    few, many = (SyntheticSource(make_profile(members=count)).members() for count in (20, 900))
    later = SyntheticSource(make_profile(members=20, since=UNTIL, until=UNTIL + 50 * DAY)).members()
    for name, values in few.columns.items():
        assert np.array_equal(values, many.columns[name][:20]), name
        assert np.array_equal(values, later.columns[name]), name
    assert np.array_equal(few.key, many.key[:20])
    assert np.allclose(few.weight / few.weight[0], many.weight[:20] / many.weight[0])
    assert few.weight.sum() == pytest.approx(1)


@pytest.mark.parametrize("count", [5, 33, 1000])
def test_the_share_of_members_who_use_ai_is_the_rate(count):
    for seed in range(10):
        draw = SyntheticSource(make_profile(seed=seed, members=count)).members().adoption_threshold
        for rate in (0.1, 0.45, 0.8):
            assert abs((draw < rate).sum() - rate * count) <= 2


@pytest.mark.parametrize("count", [12, 20, 100])
def test_those_who_use_ai_do_their_share_of_the_work_and_most_of_it_with_copilot(count):
    off, with_copilot = [], []
    for seed in range(20):
        profile = make_profile(seed=seed, members=count, adoption=0.4)
        members = SyntheticSource(profile).members()
        uses_ai = members.adoption_threshold < 0.4
        off.append(members.weight[uses_ai].sum() - 0.4)
        with_copilot.append(members.weight[uses_ai & ~members.other_tool].sum())
        assert 0.6 <= 1 - members.other_tool[uses_ai].mean() <= 0.85
    assert np.std(off) < 0.09  # by chance alone, 0.19 in a team of twelve
    assert np.mean(np.array(with_copilot) >= 0.25) >= 0.85


def test_a_few_people_do_most_of_the_work():
    profile = make_profile("posthog")
    author = read_large("posthog", None).pull_requests["author"]
    work = np.sort(np.bincount(author[author >= 0], minlength=profile.members))[::-1]
    assert 0.55 < work[: profile.members // 5].sum() / work.sum() < 0.75
    assert work[0] / work.sum() < 0.25
    assert (work > 0).mean() > 0.9


@pytest.mark.parametrize("adoption", [0.2, 0.45, 1.0])
def test_authors_of_pull_requests_with_ai_use_ai(adoption):
    for is_given in (False, True):
        profile = make_profile("posthog", prs=2000, adoption=adoption, adoption_given=is_given)
        prs = read(profile).pull_requests
        draw = SyntheticSource(profile).members().adoption_threshold
        with_ai = prs["ai_kind"] != AI_NONE
        assert with_ai.any()
        assert (draw[prs["author"][with_ai]] < adoption).all()


@given(st.lists(HASHES, min_size=1, max_size=30, unique=True), st.integers(min_value=0, max_value=40))
def test_the_smallest_values_are_the_first_of_all_in_order(values, count):
    array = np.array(values, dtype=np.uint64)
    assert argsort_smallest(array, count)[:count].tolist() == np.argsort(array)[:count].tolist()
