"""Scenarios have the figures of their tables; a table is all that one needs."""

from collections import Counter

import numpy as np
import pytest

from tests.support.synthetic import read, scenario_profile
from tformance_seed.catalog import load_scenarios
from tformance_seed.sources.records import (
    AI_CODE,
    AI_NONE,
)
from tformance_seed.sources.synthetic import SyntheticSource


@pytest.mark.parametrize("name", list(load_scenarios()))
def test_a_scenario_has_its_pull_requests_and_its_adoption(name):
    shares = []
    for seed in range(8):
        profile = scenario_profile(name, seed)
        batch = read(profile)
        prs = batch.pull_requests
        week = (prs["ended_at"].astype("datetime64[D]") - np.datetime64(profile.since)).astype(int) // 7
        assert set(week.tolist()) == set(range(8))
        low, high = profile.scenario.prs_per_member_week
        counts = Counter(zip(week.tolist(), prs["author"].tolist(), strict=True))
        assert len(counts) == 8 * profile.members
        assert {low, high} <= set(counts.values()) <= set(range(low, high + 1))
        assert (np.diff(prs["number"][np.argsort(prs["ended_at"], kind="stable")]) > 0).all()
        assert (np.diff(week) >= 0).all()
        assert ((prs["ended_at"].astype("datetime64[D]").astype(np.int64) + 3) % 7 < 5).all()
        adoption = profile.scenario.ai_adoption_rate.at(np.arange(8) / 7)
        draw = SyntheticSource(profile).members().adoption_threshold
        users = (draw[:, None] < adoption).sum(axis=0)
        assert (np.abs(users - adoption * profile.members) <= 0.51).all()
        assert set(prs["ai_kind"].tolist()) <= {AI_NONE, AI_CODE}
        with_ai = prs["ai_kind"] == AI_CODE
        assert not (with_ai & ~prs["used_ai"]).any()
        merged = prs["state"] == b"merged"
        for number, rate in enumerate(adoption):  # as near as so few pull requests allow
            used = prs["used_ai"][merged & (week == number)]
            assert abs(used.sum() - rate * len(used)) <= 0.5
        shares.append([with_ai[week == number].mean() for number in range(8)])
    assert np.mean(shares) == pytest.approx(adoption.mean(), abs=0.04)
    assert np.mean(shares, axis=0)[0] == pytest.approx(adoption[0], abs=0.08)
    assert np.mean(shares, axis=0)[7] == pytest.approx(adoption[7], abs=0.08)
