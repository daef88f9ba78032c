"""Pull requests are numbered as they were opened, beside issues, and belong to issues of Jira."""

import numpy as np

from tests.support.synthetic import DAY, UNTIL, make_profile, read, scenario_profile
from tformance_seed.catalog import load_organisations
from tformance_seed.sources.synthetic.calendar import make_calendars
from tformance_seed.sources.synthetic.numbering import issue_keys, pull_request_numbers


def test_numbers_have_gaps_and_what_was_merged_late_has_a_low_one():
    for slug in ("posthog", "plausible", "dub"):
        profile = make_profile(slug)
        (calendar, *_), repository = make_calendars(profile), profile.organisation.repos[0]
        ordinals = np.arange(calendar.first, calendar.first + calendar.total)
        numbers = pull_request_numbers(profile, calendar, repository, ordinals)
        gaps = np.diff(np.sort(numbers))
        assert gaps.min() == 1
        assert 1.1 < gaps.mean() < 2.5
        assert gaps.max() > 4
        rises = (np.diff(numbers) > 0).mean()
        assert 0.6 < rises < 0.97
        behind = np.maximum.accumulate(numbers) - numbers
        assert behind.max() > 5 * calendar.rate  # was open for days
        assert np.median(behind) < 3 * calendar.rate


def test_numbers_of_some_are_those_of_all():
    profile = make_profile("dub")
    (calendar, *_), repository = make_calendars(profile), profile.organisation.repos[0]
    ordinals = np.arange(calendar.first, calendar.first + 300)
    numbers = pull_request_numbers(profile, calendar, repository, ordinals)
    some = np.array([7, 8, 250, 90, 0])
    assert np.array_equal(numbers[some], pull_request_numbers(profile, calendar, repository, ordinals[some]))
    first = pull_request_numbers(profile, calendar, repository, np.arange(1, 200))
    assert first.min() >= 1
    assert len(set(first.tolist())) == len(first)


def test_issues_of_all_repositories_differ_and_rise():
    for slug in ("polar", "calcom", "dub"):
        profile, ordinals = make_profile(slug), np.arange(1, 3000)
        seen: set[bytes] = set()
        for repository in load_organisations()[slug].repos:
            keys = issue_keys(profile, repository, ordinals).tolist()
            assert (np.diff([int(key.rpartition(b"-")[2]) for key in keys]) > 0).all()
            assert seen.isdisjoint(keys)
            seen.update(keys)


def test_some_issues_have_several_pull_requests_of_one_day():
    prs = read(make_profile("posthog", since=UNTIL - 60 * DAY)).pull_requests
    rows: dict[bytes, list[int]] = {}
    for row, key in enumerate(prs["issue_key"].tolist()):
        if key:
            rows.setdefault(key, []).append(row)
    several = [some for some in rows.values() if len(some) > 1]
    assert 0.02 < len(several) / len(rows) < 0.2
    for some in several:
        assert len(set(prs["ended_at"][some].astype("datetime64[D]").tolist())) == 1
        assert len(set(prs["repository"][some].tolist())) == 1
    for key, issue in zip(prs["jira_key"].tolist(), prs["issue_key"].tolist(), strict=True):
        assert key in (b"", issue)


def test_in_a_scenario_each_issue_has_one_pull_request():
    keys = [key for key in read(scenario_profile("baseline")).pull_requests["issue_key"].tolist() if key]
    assert len(set(keys)) == len(keys) > 50
