import numpy as np
import pytest

from tests.support.batches import make_batch, make_members, make_profile
from tformance_seed.catalog.calibration import PUBLISHED_BY_AI_KIND
from tformance_seed.sampling.distributions import root
from tformance_seed.simulate.timing import fill_times
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW

COUNT = 20_000


def timed(profile, count=COUNT, **choice):
    members = make_members(max(profile.members, 3), profile)
    simulated = make_batch(profile, members, np.arange(1, count + 1), **choice)
    fill_times(simulated, members, profile)
    return simulated


@pytest.mark.parametrize("kind", [AI_NONE, AI_CODE, AI_REVIEW])
def test_hours_have_the_published_median_and_mean(kind):
    prs = timed(make_profile(), kind=kind, state=b"merged").pull_requests
    published = PUBLISHED_BY_AI_KIND[kind]
    review = prs["review_time_hours"][~np.isnan(prs["review_time_hours"])]
    assert np.median(prs["cycle_time_hours"]) == pytest.approx(published.cycle_hours_median, rel=0.03)
    assert prs["cycle_time_hours"].mean() == pytest.approx(published.cycle_hours_mean, rel=0.03)
    assert np.median(review) == pytest.approx(
        published.review_hours_median, rel=0.1
    )  # 0.1 h has two decimals
    assert review.mean() == pytest.approx(published.review_hours_mean, rel=0.03)


@pytest.mark.parametrize("own", [5.0, 7.1, 25.0, 61.4, 300.0])
@pytest.mark.parametrize("share", [0.0, 0.121, 0.9])
def test_an_organisations_own_mean_replaces_the_published_one(own, share):
    profile = make_profile(cycle_hours=own, ai_pr_share=share)
    parts = (1 - share, share * 0.263 / 0.998, share * 0.735 / 0.998)
    mean = 0.0
    for kind, part in enumerate(parts):
        prs = timed(profile, kind=kind, state=b"merged").pull_requests
        assert np.median(prs["cycle_time_hours"]) == pytest.approx(
            PUBLISHED_BY_AI_KIND[kind].cycle_hours_median, rel=0.07
        )
        mean += part * prs["cycle_time_hours"].mean()
    assert mean == pytest.approx(own, rel=0.03)


def test_first_reviews_keep_the_published_mean_where_the_cycle_has_room():
    prs = timed(make_profile(cycle_hours=61.4), kind=AI_NONE, state=b"merged").pull_requests
    assert np.nanmean(prs["review_time_hours"]) == pytest.approx(12.5, rel=0.03)


def test_a_scenario_sets_the_means_of_each_week():
    profile = make_profile("ai-success")
    prs = timed(profile, state=b"merged", days=56).pull_requests
    week = (prs["ended_at"].astype("datetime64[D]") - np.datetime64(profile.since)).astype(np.int64) // 7
    cycle = [prs["cycle_time_hours"][week == number].mean() for number in range(8)]
    review = [np.nanmean(prs["review_time_hours"][week == number]) for number in range(8)]
    assert cycle == pytest.approx(np.linspace(72, 24, 8), rel=0.03)
    assert review == pytest.approx(np.linspace(24, 8, 8), rel=0.03)


@pytest.mark.parametrize("scenario", [None, "review-bottleneck"])
def test_things_happen_in_order(scenario):
    prs = timed(make_profile(scenario)).pull_requests
    reviewed = ~np.isnat(prs["first_review_at"])
    assert (prs["created_at"] < prs["ended_at"]).all()
    assert (prs["created_at"] < prs["first_review_at"])[reviewed].all()
    assert (prs["first_review_at"] <= prs["ended_at"])[reviewed].all()
    merged = prs["state"] == b"merged"
    assert (prs["merged_at"] == prs["ended_at"])[merged].all()
    assert np.isnat(prs["merged_at"][~merged]).all()
    assert np.isnan(prs["cycle_time_hours"][~merged]).all()
    assert not np.isnan(prs["cycle_time_hours"][merged]).any()


def test_hours_are_the_difference_of_the_times_rounded_as_by_python():
    prs = timed(make_profile()).pull_requests
    merged = prs["state"] == b"merged"
    seconds = (prs["merged_at"] - prs["created_at"])[merged].astype(np.int64).tolist()
    expected = [round(value / 3600, 2) for value in seconds]
    assert any(value % 36 == 18 for value in seconds)  # halfway between two hundredths
    assert prs["cycle_time_hours"][merged].tolist() == expected


def test_most_pull_requests_are_reviewed_and_all_that_ai_reviews():
    prs = timed(make_profile()).pull_requests
    reviewed = ~np.isnat(prs["first_review_at"])
    people_merged = (prs["state"] == b"merged") & ~prs["is_bot"] & (prs["ai_kind"] != AI_REVIEW)
    assert reviewed[people_merged].mean() == pytest.approx(0.85, abs=0.01)
    assert reviewed[prs["ai_kind"] == AI_REVIEW].all()


def test_a_known_creation_stays_and_bounds_the_first_review():
    profile = make_profile()
    members = make_members(5, profile)
    simulated = make_batch(profile, members, np.arange(1, 2001))
    created = simulated.pull_requests["ended_at"] - np.arange(2000).astype("timedelta64[s]")
    simulated.pull_requests["created_at"] = created
    fill_times(simulated, members, profile)
    prs = simulated.pull_requests
    assert (prs["created_at"] == created).all()
    reviewed = ~np.isnat(prs["first_review_at"])
    assert (prs["first_review_at"] >= created)[reviewed].all()
    assert (prs["first_review_at"] <= prs["ended_at"])[reviewed].all()


def test_commits_come_in_order_the_first_before_the_pull_request():
    simulated = timed(make_profile(), count=3000)
    commits, prs = simulated.commits, simulated.pull_requests
    owner, when = commits["pull_request"], commits["committed_at"]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    assert (when[first] < prs["created_at"][owner[first]]).all()
    same = owner[1:] == owner[:-1]
    assert (when[1:] >= when[:-1])[same].all()
    assert (when <= prs["ended_at"][owner]).all()
    assert (when > prs["first_review_at"][owner]).any()


def test_people_sleep_at_night():
    profile = make_profile()
    simulated = timed(profile, count=3000)
    commits, prs = simulated.commits, simulated.pull_requests
    owner = commits["pull_request"]
    hour = (commits["committed_at"].astype(np.int64) + profile.utc_offset) % 86400 / 3600
    night = (hour < 7) | (hour >= 22)
    long = (prs["ended_at"] - prs["created_at"])[owner] > np.timedelta64(1, "D")
    assert not night[long].any()
    assert not night[np.flatnonzero(np.diff(owner, prepend=-1))].any()
    by_hour = np.bincount(hour[~night].astype(int), minlength=22)[7:]
    assert by_hour.max() < 0.2 * by_hour.sum()


def test_known_commit_times_stay():
    profile = make_profile()
    members = make_members(5, profile)
    simulated = make_batch(profile, members, np.arange(1, 200))
    known = np.arange(len(simulated.commits["sha"])) % 3 == 0
    when = np.datetime64("2025-01-01T10:00:00", "s")
    simulated.commits["committed_at"][known] = when
    fill_times(simulated, members, profile)
    assert (simulated.commits["committed_at"][known] == when).all()
    assert not np.isnat(simulated.commits["committed_at"]).any()


def test_long_durations_lean_towards_whole_days():
    prs = timed(make_profile(), kind=AI_NONE, state=b"merged").pull_requests
    hour = prs["created_at"].astype("datetime64[h]").astype(np.int64) % 24
    night = (hour < 5) | (hour >= 22)
    assert night[prs["cycle_time_hours"] > 48].mean() < 0.2  # 7 of 24 hours, were it not so


@pytest.mark.parametrize("exponent", [1, 3, 9, 0.2])
def test_a_root_is_found_as_exactly_as_floats_allow(exponent):
    found = root(lambda x: x**exponent - 2.0, 0.0, 1e6)
    assert found == pytest.approx(2.0 ** (1 / exponent), rel=1e-14)


def test_where_there_is_no_root_the_nearer_end_is_returned():
    assert root(lambda x: x + 1.0, 0.0, 8.0) == 0.0
    assert root(lambda x: x - 9.0, 0.0, 8.0) == 8.0
