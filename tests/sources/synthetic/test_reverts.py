"""Reverts follow their rate and name what they revert."""

import dataclasses
import re

import numpy as np
import pytest

from tests.support.synthetic import (
    make_profile,
    read,
    scenario_profile,
)


def test_reverts_of_a_scenario_follow_its_rate():
    profile = scenario_profile("review-bottleneck")
    wide = dataclasses.replace(profile, members=300)
    prs = read(wide).pull_requests
    week = np.rint(wide.progress(prs["ended_at"]) * 7)
    merged = prs["state"] == b"merged"
    assert prs["is_revert"][merged & (week == 0)].mean() == pytest.approx(0.03, abs=0.015)
    assert prs["is_revert"][merged & (week == 7)].mean() == pytest.approx(0.08, abs=0.02)


@pytest.mark.parametrize(("name", "falls"), [("ai-success", True), ("review-bottleneck", False)])
def test_reverts_of_a_small_team_move_as_its_scenario_says(name, falls):
    moved = 0
    for seed in range(8):
        profile = scenario_profile(name, seed)
        prs = read(profile).pull_requests
        merged, late = prs["state"] == b"merged", profile.progress(prs["ended_at"]) > 0.5
        before, after = (prs["is_revert"][merged & half].mean() for half in (~late, late))
        moved += before > after if falls else before < after
        rate = profile.scenario.revert_rate.at(profile.progress(prs["ended_at"][merged])).sum()
        assert rate - 1 < prs["is_revert"].sum() <= rate + 1
    assert moved >= 7


@pytest.mark.parametrize(
    "profile", [make_profile(prs=6000), scenario_profile("review-bottleneck", 3)], ids=["rate", "scenario"]
)
def test_reverts_name_an_earlier_pull_request_that_a_person_had_merged(profile):
    prs = read(profile).pull_requests
    rows = {key: row for row, key in enumerate(zip(prs["repository"], prs["number"].tolist(), strict=True))}
    found = 0
    for row in np.flatnonzero(prs["is_revert"]).tolist():
        quoted = re.match(rb'Revert "(.+)"', prs["title"][row]).group(1)
        repository, number = re.match(rb"Reverts (.+)#(\d+)\.", prs["body"][row]).groups()
        assert repository == prs["repository"][row]
        assert number != b"%d" % prs["number"][row]
        original = rows.get((repository, int(number)))
        if original is None:  # it ended before the window
            continue
        found += 1
        assert quoted in prs["title"][original]
        assert prs["state"][original] == b"merged"
        assert prs["author"][original] >= 0
        assert not prs["is_revert"][original]
        assert prs["ended_at"][original] < prs["ended_at"][row]
    assert found > 0.9 * prs["is_revert"].sum() > 0
