"""Generated pull requests have the published figures."""

import datetime
from collections import Counter

import numpy as np
import pytest

from tests.support.synthetic import DAY, UNTIL, lines_of, make_profile, read, read_large
from tformance_seed.catalog import load_organisations
from tformance_seed.catalog.organisations import repository_weights
from tformance_seed.sources.records import (
    AI_CODE,
    AI_NONE,
    AI_REVIEW,
)
from tformance_seed.sources.synthetic import SyntheticSource
from tformance_seed.sources.synthetic.assistance import assign_ai_kinds
from tformance_seed.sources.synthetic.habits import HABITS, habit
from tformance_seed.sources.synthetic.sizes import COMMITS, FILES, lines_changed

#: Lines changed by kind of AI: published median and mean.
LINES = {AI_NONE: (44, 652), AI_CODE: (56, 419), AI_REVIEW: (47, 421)}

CALIBRATED = [("polar", None), ("antiwork", 0.566), ("rallly", 0.897)]


@pytest.mark.parametrize(("slug", "share"), CALIBRATED)
def test_ai_is_found_in_the_published_share(slug, share):
    kind = read_large(slug, share).pull_requests["ai_kind"]
    assert (kind != AI_NONE).mean() == pytest.approx(share or 0.121, rel=0.02)
    assert (kind == AI_CODE).sum() / (kind != AI_NONE).sum() == pytest.approx(0.263, rel=0.03)


@pytest.mark.parametrize(("slug", "share"), CALIBRATED)
@pytest.mark.parametrize("kind", LINES)
def test_lines_have_the_published_median_and_mean(slug, share, kind):
    batch = read_large(slug, share)
    ours = lines_of(batch)[batch.pull_requests["ai_kind"] == kind]
    median, mean = LINES[kind]
    assert np.median(ours) == pytest.approx(median, rel=0.1)
    assert ours.mean() == pytest.approx(mean, rel=0.1)
    assert ours.min() >= 1
    assert ours.max() <= 100_000
    assert Counter(ours.tolist())[int(ours.max())] < 5  # nothing piles up at the cap


@pytest.mark.parametrize(("slug", "share"), CALIBRATED)
def test_files_and_commits_have_the_published_means(slug, share):
    batch = read_large(slug, share)
    files, commits = (np.bincount(table["pull_request"]) for table in (batch.files, batch.commits))
    assert files.mean() == pytest.approx(8.8, rel=0.05)
    assert commits.mean() == pytest.approx(4.1, rel=0.03)
    assert (np.median(files), np.median(commits)) == (3, 2)
    assert (files <= lines_of(batch)).all()
    assert (commits <= lines_of(batch)).all()
    assert np.corrcoef(np.log(files), np.log(lines_of(batch)))[0, 1] > 0.5


@pytest.mark.parametrize("kind", LINES)
def test_the_scales_of_files_and_commits_solve_the_published_means(kind):
    grid = (np.arange(512) + 0.5) / 512
    u, v = np.meshgrid(grid, grid)
    size = lines_changed(kind, u)
    assert FILES.counts(size, u, v).mean() == pytest.approx(8.8, rel=0.01)
    assert COMMITS.counts(size, u, v).mean() == pytest.approx(4.1, rel=0.01)


def test_states_bots_reverts_and_hotfixes_come_in_their_shares():
    prs = read_large("polar", None).pull_requests
    organisation, random = make_profile("polar").organisation, make_profile("polar").random
    merged = prs["state"] == b"merged"
    assert merged.mean() == pytest.approx(0.84, abs=0.01)
    assert (prs["state"] == b"closed").mean() == pytest.approx(0.08, abs=0.01)
    assert (prs["state"] == b"open").mean() == pytest.approx(0.08, abs=0.005)
    habits = [habit(random, repository, "bots") for repository in organisation.repos]
    expected = 0.06 * np.average(habits, weights=repository_weights(len(habits)))
    assert prs["is_bot"][prs["ai_kind"] == AI_NONE].mean() == pytest.approx(expected, abs=0.006)
    assert prs["is_revert"][merged].mean() == pytest.approx(0.02, abs=0.004)
    assert prs["is_hotfix"][merged].mean() == pytest.approx(0.03, abs=0.005)
    assert not (prs["is_revert"] & prs["is_hotfix"]).any()
    assert set(prs["state"][prs["is_draft"]]) == {b"open"}
    bots = prs["is_bot"]
    assert (prs["ai_kind"][bots] == AI_NONE).all()
    assert (prs["author"][bots] == -1).all()
    assert (prs["author"][~bots] >= 0).all()
    assert all(
        title.startswith((b"Bump ", b"chore(deps): update dependency "))
        for title in prs["title"][bots].tolist()
    )
    assert set(prs["labels"][bots]) == {b'["dependencies"]'}
    assert set(prs["jira_key"][bots]) == {b""}


def test_habits_differ_and_leave_the_shares_of_all_as_they_are():
    bots, weekends = (
        np.array(
            [
                habit(make_profile(slug).random, repository, name)
                for slug, organisation in load_organisations().items()
                for repository in organisation.repos
            ]
        )
        for name in ("bots", "weekends")
    )
    assert bots.mean() == pytest.approx(1, abs=0.15)
    for values, (low, high, _) in ((bots, HABITS["bots"]), (weekends, HABITS["weekends"])):
        assert low <= values.min() < low + 0.05 < high / 2 < values.max() <= high


def test_no_ai_is_found_where_no_member_uses_it():
    for given in (False, True):
        prs = read(make_profile(prs=500, adoption=0.0, adoption_given=given)).pull_requests
        assert (prs["ai_kind"] == AI_NONE).all()


@pytest.mark.parametrize(
    ("size", "files", "chance"),
    [(10, 1, 0.30), (151, 3, 0.38), (301, 4, 0.50), (150, 5, 0.35), (300, 6, 0.48), (5000, 50, 0.55)],
)
def test_a_given_rate_rises_with_the_size_of_the_change(size, files, chance):
    profile = make_profile("posthog", adoption=0.3, adoption_given=True)
    u = (np.arange(1000) + 0.5) / 1000
    row = [np.full(1000, value) for value in (size, files)]
    kind = assign_ai_kinds(profile, SyntheticSource(profile).members(), u, *row, None)
    assert (kind == AI_CODE).sum() == pytest.approx(1000 * chance, abs=1)
    assert (kind == AI_NONE).sum() == 1000 - (kind == AI_CODE).sum()


def test_a_given_rate_shows_in_the_pull_requests_and_ends_at_85_percent():
    for adoption, share in ((0.3, 0.365), (1.0, 0.85)):
        batch = read(make_profile("posthog", prs=5000, adoption=adoption, adoption_given=True))
        kind = batch.pull_requests["ai_kind"]
        assert (kind == AI_CODE).mean() == pytest.approx(share, abs=0.01)
        assert (kind != AI_REVIEW).all()


def test_tools_come_as_often_as_published_and_follow_the_months():
    prs = read_large("rallly", 0.897).pull_requests
    code = Counter(prs["ai_tools"][prs["ai_kind"] == AI_CODE].tolist())
    review = Counter(prs["ai_tools"][prs["ai_kind"] == AI_REVIEW].tolist())
    assert review[b'["coderabbit"]'] / review.total() == pytest.approx(11104 / 18630, abs=0.02)
    assert review[b'["cubic"]'] / review.total() == pytest.approx(6943 / 18630, abs=0.02)
    assert {b'["devin"]', b'["cursor"]', b'["claude"]', b'["copilot"]', b'["chatgpt"]'} <= code.keys()
    month = prs["ended_at"].astype("datetime64[M]")
    of_code = prs["ai_kind"] == AI_CODE
    share = [
        (prs["ai_tools"][of_code & (month == np.datetime64(at))] == b'["cursor"]').mean()
        for at in ("2025-07", "2025-11")
    ]
    assert share[1] > 2 * share[0]


def test_weekends_and_the_days_between_the_years_are_quiet():
    profile = make_profile("posthog", since=datetime.date(2024, 1, 1))
    days = read(profile).pull_requests["ended_at"].astype("datetime64[D]")
    weekday = (days.astype(np.int64) + 3) % 7
    repositories = profile.organisation.repos
    weekends = [habit(profile.random, repository, "weekends") for repository in repositories]
    shares = [2 * weekend / (5 + 2 * weekend) for weekend in weekends]
    expected = np.average(shares, weights=repository_weights(len(shares)))
    assert (weekday >= 5).mean() == pytest.approx(expected, abs=0.01)
    between = (days >= np.datetime64("2024-12-25")) & (days <= np.datetime64("2025-01-07"))
    assert between.sum() < 0.5 * 14 / 731 * len(days)


def test_people_end_their_work_in_working_hours():
    offsets = set()
    for seed in range(4):
        profile = make_profile("posthog", seed=seed, since=UNTIL - 90 * DAY)
        prs = read(profile).pull_requests
        offset = profile.utc_offset
        offsets.add(offset)
        local = (prs["ended_at"].astype(np.int64) + offset) % 86400 / 3600
        assert ((local >= 9) & (local < 18.5)).mean() > 0.8
        assert ((local >= 18.5) & (local < 24)).mean() > 0.03
        assert (local < 7).mean() < 0.01
        assert prs["ended_at"].min() >= np.datetime64(profile.since)
        assert prs["ended_at"].max() < profile.end
    assert len(offsets) > 1
