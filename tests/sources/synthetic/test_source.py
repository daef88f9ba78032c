"""The generated source: calibrated, the same whatever the batches and the window, and like a team."""

import dataclasses
import datetime
import functools
import json
import re
from collections import Counter

import numpy as np
import pytest

from tformance_seed.catalog import Organisation, load, load_scenarios
from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError
from tformance_seed.sources import detection
from tformance_seed.sources.records import (
    AI_CODE,
    AI_NONE,
    AI_REVIEW,
    COMMIT_COLUMNS,
    FILE_COLUMNS,
    PULL_REQUEST_COLUMNS,
    Batch,
    joined,
    pull_request_key,
)
from tformance_seed.sources.synthetic import SyntheticSource
from tformance_seed.sources.synthetic.assistance import TOOLS, ai_kinds
from tformance_seed.sources.synthetic.sizes import COMMITS, FILES, lines_changed
from tformance_seed.sources.synthetic.trees import STEPS, plant

SINCE, UNTIL = datetime.date(2025, 7, 1), datetime.date(2025, 12, 31)
DAY = datetime.timedelta(days=1)

#: Lines changed by kind of AI: published median and mean.
PUBLISHED = {AI_NONE: (44, 652), AI_CODE: (56, 419), AI_REVIEW: (47, 421)}


def told(
    slug: str = "polar",
    seed: int = 7,
    since: datetime.date = SINCE,
    until: datetime.date = UNTIL,
    own: dict | None = None,
    **values,
) -> Profile:
    organisation = dataclasses.replace(load()[slug], **(own or {}))
    values = {"members": organisation.members, "adoption": organisation.ai_adoption_rate, **values}
    return Profile(organisation, seed, since, until, **values)


def scenario(name: str, seed: int = 7) -> Profile:
    organisation = Organisation(name, name, (f"{name}/app",), jira_project_key="DEMO")
    since = datetime.date(2025, 10, 6)
    members = load_scenarios()[name].members
    return Profile(organisation, seed, since, since + 55 * DAY, members, scenario=load_scenarios()[name])


def read(profile: Profile, size: int = 5000, first: int = 0) -> Batch:
    """All batches from a place on as one."""
    source = SyntheticSource(profile)
    starts = range(first, source.places, size)
    batches = [batch for start in starts for batch in source.batches(start, min(start + size, source.places))]
    return joined(batches)


@functools.cache
def large(slug: str, share: float | None, seed: int = 7) -> Batch:
    return read(told(slug, seed, own={"ai_pr_share": share}, prs=20_000))


def lines(batch: Batch) -> np.ndarray:
    return batch.pull_requests["additions"] + batch.pull_requests["deletions"]


def named(batch: Batch) -> dict[tuple[bytes, int], dict]:
    """Everything about each pull request, by repository and number."""
    prs = batch.pull_requests
    found = {}
    tables = []
    for table in (batch.commits, batch.files):
        starts = np.searchsorted(table["pull_request"], np.arange(len(prs["key"]) + 1))
        names = [name for name in table if name != "pull_request"]
        tables.append((starts, {name: table[name].tolist() for name in names}))
    columns = {name: values.tolist() for name, values in prs.items()}
    for row in range(len(prs["key"])):
        hanging = [
            {name: values[starts[row] : starts[row + 1]] for name, values in table.items()}
            for starts, table in tables
        ]
        found[prs["repository"][row], int(prs["number"][row])] = {
            "row": [values[row] for values in columns.values()],
            "hanging": hanging,
        }
    return found


CALIBRATED = [("polar", None), ("antiwork", 0.566), ("rallly", 0.897)]


@pytest.mark.parametrize(("slug", "share"), CALIBRATED)
def test_ai_is_found_in_the_published_share(slug, share):
    kind = large(slug, share).pull_requests["ai_kind"]
    assert (kind != AI_NONE).mean() == pytest.approx(share or 0.121, rel=0.02)
    assert (kind == AI_CODE).sum() / (kind != AI_NONE).sum() == pytest.approx(0.263, rel=0.03)


@pytest.mark.parametrize(("slug", "share"), CALIBRATED)
@pytest.mark.parametrize("kind", PUBLISHED)
def test_lines_have_the_published_median_and_mean(slug, share, kind):
    batch = large(slug, share)
    ours = lines(batch)[batch.pull_requests["ai_kind"] == kind]
    median, mean = PUBLISHED[kind]
    assert np.median(ours) == pytest.approx(median, rel=0.06)
    assert ours.mean() == pytest.approx(mean, rel=0.06)
    assert ours.min() >= 1
    assert ours.max() <= 20_000
    assert Counter(ours.tolist())[int(ours.max())] < 5  # nothing piles up at the cap


@pytest.mark.parametrize(("slug", "share"), CALIBRATED)
def test_files_and_commits_have_the_published_means(slug, share):
    batch = large(slug, share)
    files, commits = (np.bincount(table["pull_request"]) for table in (batch.files, batch.commits))
    assert files.mean() == pytest.approx(8.8, rel=0.02)
    assert commits.mean() == pytest.approx(4.1, rel=0.02)
    assert (np.median(files), np.median(commits)) == (3, 2)
    assert (files <= lines(batch)).all()
    assert (commits <= lines(batch)).all()
    assert np.corrcoef(np.log(files), np.log(lines(batch)))[0, 1] > 0.5


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_scales_of_files_and_commits_solve_the_published_means(kind):
    grid = (np.arange(512) + 0.5) / 512
    u, v = np.meshgrid(grid, grid)
    size = lines_changed(kind, u)
    assert FILES.of(size, u, v).mean() == pytest.approx(8.8, rel=0.01)
    assert COMMITS.of(size, u, v).mean() == pytest.approx(4.1, rel=0.01)


def test_states_bots_reverts_and_hotfixes_come_in_their_shares():
    prs = large("polar", None).pull_requests
    merged = prs["state"] == b"merged"
    assert merged.mean() == pytest.approx(0.88, abs=0.01)
    assert (prs["state"] == b"closed").mean() == pytest.approx(0.08, abs=0.01)
    assert (prs["state"] == b"open").mean() == pytest.approx(0.04, abs=0.005)
    assert prs["is_bot"][prs["ai_kind"] == AI_NONE].mean() == pytest.approx(0.06, abs=0.006)
    assert prs["is_revert"][merged].mean() == pytest.approx(0.02, abs=0.004)
    assert prs["is_hotfix"][merged].mean() == pytest.approx(0.03, abs=0.005)
    assert not (prs["is_revert"] & prs["is_hotfix"]).any()
    assert set(prs["state"][prs["is_draft"]]) == {b"open"}
    bots = prs["is_bot"]
    assert (prs["ai_kind"][bots] == AI_NONE).all()
    assert (prs["author"][bots] == -1).all()
    assert (prs["author"][~bots] >= 0).all()
    assert all(title.startswith(b"Bump ") for title in prs["title"][bots].tolist())
    assert set(prs["labels"][bots]) == {b'["dependencies"]'}
    assert set(prs["jira_key"][bots]) == {b""}


def test_reverts_of_a_scenario_follow_its_rate():
    told_ = scenario("review-bottleneck")
    wide = dataclasses.replace(told_, members=300)
    prs = read(wide).pull_requests
    week = np.rint(wide.progress(prs["ended_at"]) * 7)
    merged = prs["state"] == b"merged"
    assert prs["is_revert"][merged & (week == 0)].mean() == pytest.approx(0.03, abs=0.015)
    assert prs["is_revert"][merged & (week == 7)].mean() == pytest.approx(0.08, abs=0.02)


@pytest.mark.parametrize(("name", "falls"), [("ai-success", True), ("review-bottleneck", False)])
def test_reverts_of_a_small_team_move_as_its_scenario_says(name, falls):
    moved = 0
    for seed in range(8):
        told_ = scenario(name, seed)
        prs = read(told_).pull_requests
        merged, late = prs["state"] == b"merged", told_.progress(prs["ended_at"]) > 0.5
        before, after = (prs["is_revert"][merged & half].mean() for half in (~late, late))
        moved += before > after if falls else before < after
        rate = told_.scenario.revert_rate.at(told_.progress(prs["ended_at"][merged])).sum()
        assert rate - 1 < prs["is_revert"].sum() <= rate + 1
    assert moved >= 7


@pytest.mark.parametrize(
    "told_", [told(prs=6000), scenario("review-bottleneck", 3)], ids=["rate", "scenario"]
)
def test_reverts_take_back_an_earlier_pull_request_that_a_person_had_merged(told_):
    prs = read(told_).pull_requests
    place = {key: row for row, key in enumerate(zip(prs["repository"], prs["number"].tolist(), strict=True))}
    found = 0
    for row in np.flatnonzero(prs["is_revert"]).tolist():
        quoted = re.match(rb'Revert "(.+)"', prs["title"][row]).group(1)
        repository, number = re.match(rb"Reverts (.+)#(\d+)\.", prs["body"][row]).groups()
        assert repository == prs["repository"][row]
        assert 1 <= prs["number"][row] - int(number) <= 16
        original = place.get((repository, int(number)))
        if original is None:  # it ended before the window
            continue
        found += 1
        assert quoted in prs["title"][original]
        assert prs["state"][original] == b"merged"
        assert prs["author"][original] >= 0
        assert not prs["is_revert"][original]
        assert prs["ended_at"][original] < prs["ended_at"][row]
    assert found > 0.9 * prs["is_revert"].sum() > 0


def test_versions_of_a_package_ascend_with_the_pull_requests():
    prs = read(told(prs=6000)).pull_requests
    last: dict[tuple[bytes, bytes], tuple[int, ...]] = {}
    bumps = 0
    for repository, title in zip(prs["repository"], prs["title"].tolist(), strict=True):
        if bump := re.fullmatch(rb"Bump (\S+) from (\S+) to (\S+)", title):
            old, new = (tuple(int(part) for part in text.split(b".")) for text in bump.groups()[1:])
            package = repository, bump.group(1)
            assert last.get(package, (0, 0, 0)) <= old < new
            assert new[0] < 25
            bumps += package in last
            last[package] = new
    assert bumps > 100


@pytest.mark.parametrize("size", [1, 100])
def test_batches_of_any_size_give_the_same_rows(size):
    profile = told(since=datetime.date(2025, 12, 1), until=datetime.date(2025, 12, 20))
    whole, pieces = read(profile), read(profile, size)
    for table in ("pull_requests", "commits", "files"):
        for name, values in getattr(whole, table).items():
            assert np.array_equal(values, getattr(pieces, table)[name], equal_nan=name.endswith("_at")), name


def test_batches_hold_the_columns_of_the_record():
    batch = next(SyntheticSource(told()).batches(0, 50))
    assert list(batch.pull_requests) == list(PULL_REQUEST_COLUMNS)
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
def test_a_range_of_places_is_covered_by_batches_of_one_repository_each(start, stop):
    batches = list(SyntheticSource(told()).batches(start, stop))
    assert [place for batch in batches for place in range(batch.start, batch.stop)] == list(
        range(start, stop)
    )
    for batch in batches:
        assert len(batch.pull_requests["number"]) == batch.stop - batch.start
        assert len(set(batch.pull_requests["repository"].tolist())) == 1


def test_a_place_is_the_same_whatever_else_is_read():
    profile = told(until=datetime.date(2025, 7, 20))
    whole, rest = named(read(profile)), named(read(profile, 7, first=55))
    assert len(rest) == len(whole) - 55
    assert all(whole[name] == seen for name, seen in rest.items())


@pytest.mark.parametrize("prs", [None, 150])
def test_a_window_that_slid_by_a_day_keeps_what_it_had(prs):
    before = named(read(told(since=UNTIL - 29 * DAY, until=UNTIL, prs=prs)))
    after = named(read(told(since=UNTIL - 28 * DAY, until=UNTIL + DAY, prs=prs)))
    kept = before.keys() & after.keys()
    assert len(kept) > 0.8 * len(before)
    assert all(before[name] == after[name] for name in kept)
    column = list(PULL_REQUEST_COLUMNS).index("ended_at")
    newest = max(seen["row"][column] for seen in before.values())
    assert all(after[name]["row"][column] > newest for name in after.keys() - kept)


def test_a_window_holds_all_that_ended_in_it_and_nothing_else():
    long = read(told(since=UNTIL - 60 * DAY)).pull_requests
    short_profile = told(since=UNTIL - 20 * DAY, until=UNTIL - 5 * DAY)
    short = read(short_profile).pull_requests
    day = long["ended_at"].astype("datetime64[D]")
    within = (day >= np.datetime64(short_profile.since)) & (day <= np.datetime64(short_profile.until))
    assert 0 < within.sum() == len(short["key"]) == SyntheticSource(short_profile).total
    assert set(long["key"][within]) == set(short["key"])


def test_an_average_year_holds_the_yearly_rate():
    profile = told(since=datetime.date(2025, 1, 1))
    assert SyntheticSource(profile).total == pytest.approx(profile.organisation.prs_per_year, rel=0.03)


@pytest.mark.parametrize("prs", [0, 1, 2, 7, 100, 4321])
@pytest.mark.parametrize("days", [1, 30, 365])
def test_a_given_number_of_pull_requests_is_exact(prs, days):
    for since in (datetime.date(2015, 1, 1), datetime.date(2025, 3, 2)):
        source = SyntheticSource(told(since=since, until=since + (days - 1) * DAY, prs=prs))
        assert source.total == prs
        batches = list(source.batches(0, source.places))
        assert sum(len(batch.pull_requests["key"]) for batch in batches) == prs
        assert all(batch.pull_requests["number"].min() >= 1 for batch in batches)


def test_a_given_number_fills_the_window_and_no_more():
    profile = told(prs=2000)
    ended = read(profile).pull_requests["ended_at"]
    assert abs((ended.min() - np.datetime64(profile.since)).astype("timedelta64[D]").astype(int)) < 10
    assert ended.max() < profile.end


def test_repositories_share_numbers_and_the_first_is_the_busiest():
    profile = told()
    prs = read(profile).pull_requests
    numbers = {
        repository: set(prs["number"][prs["repository"] == repository.encode()].tolist())
        for repository in profile.organisation.repos
    }
    counts = [len(values) for values in numbers.values()]
    assert counts == sorted(counts, reverse=True)
    assert all(max(values) - min(values) + 1 == len(values) for values in numbers.values())
    everywhere = read(told(since=datetime.date(2015, 1, 1), until=datetime.date(2016, 12, 31))).pull_requests
    pairs = list(zip(everywhere["repository"].tolist(), everywhere["number"].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert len(set(everywhere["number"].tolist())) < len(pairs)


def test_lines_of_files_and_of_commits_sum_to_those_of_the_pull_request():
    batch = large("antiwork", 0.566)
    for table in (batch.files, batch.commits):
        for name in ("additions", "deletions"):
            assert (table[name] >= 0).all()
            sums = np.bincount(table["pull_request"], weights=table[name]).astype(int)
            assert np.array_equal(sums, batch.pull_requests[name])
        assert (table["additions"] + table["deletions"] >= 1).all()
    share = batch.pull_requests["additions"].sum() / lines(batch).sum()
    assert 0.6 < share < 0.8
    added, removed = (batch.files["status"] == status for status in (b"added", b"removed"))
    assert (batch.files["deletions"][added] == 0).all()
    assert (batch.files["additions"][removed] == 0).all()
    assert (batch.files["status"] == b"modified").mean() > 0.75


def test_files_come_once_in_a_pull_request_and_back_in_others():
    batch = large("polar", None)
    files = Counter(zip(batch.files["pull_request"].tolist(), batch.files["filename"].tolist(), strict=True))
    assert max(files.values()) == 1
    names = Counter(batch.files["filename"].tolist())
    assert names.most_common(1)[0][1] > 5 * np.median(list(names.values()))
    assert np.char.str_len(batch.files["filename"]).max() <= 500
    seen = set(batch.files["file_category"].tolist())
    assert {b"backend", b"frontend", b"test", b"docs", b"config"} <= seen
    for name in names:
        assert "{" not in name.decode()


@pytest.mark.parametrize("slug", ["polar", "posthog", "laravel", "neon", "fastapi", "traefik", "spree"])
def test_trees_hold_each_file_once_and_more_than_a_pull_request_walks_past(slug):
    profile = told(slug)
    for repository in profile.organisation.repos:
        tree = plant(profile, repository)
        files = tree.names[: tree.size + tree.root].tolist()
        assert len(set(files)) == len(files)
        assert tree.size > FILES.cap * STEPS.max()


def test_categories_are_what_the_names_say():
    batch = read(told(until=SINCE + 20 * DAY))
    pairs = set(zip(batch.files["filename"].tolist(), batch.files["file_category"].tolist(), strict=True))
    assert all(detection.file_category(name.decode()).encode() == category for name, category in pairs)


def test_everybody_is_somebody_else():
    people = SyntheticSource(told(members=80_000)).members().columns
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
    few, many = (SyntheticSource(told(members=count)).members() for count in (20, 900))
    later = SyntheticSource(told(members=20, since=UNTIL, until=UNTIL + 50 * DAY)).members()
    for name, values in few.columns.items():
        assert np.array_equal(values, many.columns[name][:20]), name
        assert np.array_equal(values, later.columns[name]), name
    assert np.array_equal(few.key, many.key[:20])
    assert np.array_equal(few.adoption_threshold, many.adoption_threshold[:20])
    assert np.allclose(few.weight / few.weight[0], many.weight[:20] / many.weight[0])
    assert few.weight.sum() == pytest.approx(1)


@pytest.mark.parametrize("count", [5, 33, 1000])
def test_as_many_members_use_ai_as_the_rate_says(count):
    for seed in range(10):
        draw = SyntheticSource(told(seed=seed, members=count)).members().adoption_threshold
        for rate in (0.1, 0.45, 0.8):
            assert abs((draw < rate).sum() - rate * count) <= 2


def test_a_few_people_do_most_of_the_work():
    profile = told("posthog")
    author = large("posthog", None).pull_requests["author"]
    work = np.sort(np.bincount(author[author >= 0], minlength=profile.members))[::-1]
    assert 0.55 < work[: profile.members // 5].sum() / work.sum() < 0.75
    assert work[0] / work.sum() < 0.25
    assert (work > 0).mean() > 0.9


@pytest.mark.parametrize("adoption", [0.2, 0.45, 1.0])
def test_authors_of_pull_requests_with_ai_use_ai(adoption):
    for given in (False, True):
        profile = told("posthog", prs=2000, adoption=adoption, adoption_given=given)
        prs = read(profile).pull_requests
        draw = SyntheticSource(profile).members().adoption_threshold
        with_ai = prs["ai_kind"] != AI_NONE
        assert with_ai.any()
        assert (draw[prs["author"][with_ai]] < adoption).all()


def test_where_nobody_uses_ai_none_is_found():
    for given in (False, True):
        prs = read(told(prs=500, adoption=0.0, adoption_given=given)).pull_requests
        assert (prs["ai_kind"] == AI_NONE).all()


@pytest.mark.parametrize(
    ("size", "files", "chance"),
    [(10, 1, 0.30), (151, 3, 0.38), (301, 4, 0.50), (150, 5, 0.35), (300, 6, 0.48), (5000, 50, 0.55)],
)
def test_a_given_rate_rises_with_the_size_of_the_change(size, files, chance):
    profile = told("posthog", adoption=0.3, adoption_given=True)
    u = (np.arange(1000) + 0.5) / 1000
    row = [np.full(1000, value) for value in (np.datetime64("2025-09-01", "s"), size, files)]
    kind = ai_kinds(profile, SyntheticSource(profile).members(), u, *row, None)
    assert (kind == AI_CODE).sum() == pytest.approx(1000 * chance, abs=1)
    assert (kind == AI_NONE).sum() == 1000 - (kind == AI_CODE).sum()


def test_a_given_rate_shows_in_the_pull_requests_and_ends_at_85_percent():
    for adoption, share in ((0.3, 0.38), (1.0, 0.85)):
        batch = read(told("posthog", prs=5000, adoption=adoption, adoption_given=True))
        kind = batch.pull_requests["ai_kind"]
        assert (kind == AI_CODE).mean() == pytest.approx(share, abs=0.01)
        assert (kind != AI_REVIEW).all()


def test_tools_come_as_often_as_published_and_follow_the_months():
    prs = large("rallly", 0.897).pull_requests
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


def test_what_texts_say_agrees_with_the_flags():
    batch = read(told("rallly", prs=3000))
    prs, commits, files = batch.pull_requests, batch.commits, batch.files
    messages: dict[int, list[str]] = {}
    for row, message, tools, assisted in zip(
        commits["pull_request"].tolist(),
        commits["message"].tolist(),
        commits["ai_co_authors"].tolist(),
        commits["is_ai_assisted"].tolist(),
        strict=True,
    ):
        text = message.decode()
        messages.setdefault(row, []).append(text)
        assert detection.ai_tools(text) == json.loads(tools)
        assert assisted == (tools != b"[]")
    configured = {
        row
        for row, name in zip(files["pull_request"].tolist(), files["filename"].tolist(), strict=True)
        if detection.is_ai_config(name.decode())
    }
    for row in range(len(prs["key"])):
        title, body = prs["title"][row].decode(), prs["body"][row].decode()
        signed = any(detection.ai_tools(text) for text in messages[row])
        assert detection.ai_tools("\n\n".join([title, body, *messages[row]])) == json.loads(
            prs["ai_tools"][row]
        )
        assert detection.ai_tools(title) == []
        assert signed == prs["has_ai_commits"][row]
        assert (row in configured) == prs["has_ai_files"][row]
        assert detection.jira_key(title).encode() == prs["jira_key"][row]
        assert detection.is_revert(title) == prs["is_revert"][row]
        assert detection.is_hotfix(title) == prs["is_hotfix"][row]
        assert (prs["ai_tools"][row] == b"[]") == (prs["ai_kind"][row] == AI_NONE)
    code = prs["ai_kind"] == AI_CODE
    assert prs["has_ai_commits"][code].mean() == pytest.approx(0.8, abs=0.05)
    assert 0.04 < prs["has_ai_files"][code].mean() < 0.13
    assert not prs["has_ai_commits"][~code].any()


def test_every_tool_is_recognised_by_what_it_leaves():
    for tool in TOOLS:
        name = tool.name.decode()
        assert detection.ai_tools(f"Some text.\n\n{tool.mention.decode()}\n- more") == [name]
        assert (name in detection.REVIEW_TOOLS) == (tool.trailer == b"")
        if tool.trailer:
            assert detection.ai_tools(f"fix: typo\n\n{tool.trailer.decode()}") == [name]
            assert detection.is_ai_config(tool.file)


def test_titles_differ_and_name_the_issue():
    prs = read(told(prs=1000)).pull_requests
    people = ~prs["is_bot"]
    assert len(set(prs["title"].tolist())) >= 990
    assert (prs["jira_key"][people] != b"").mean() == pytest.approx(0.6, abs=0.05)
    keys = [key for key in prs["jira_key"].tolist() if key]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(rb"POLAR-\d{4,}", key) for key in keys)
    for key, title in zip(prs["jira_key"].tolist(), prs["title"].tolist(), strict=True):
        assert key == b"" or title.startswith((key, b"[" + key)) or title.endswith(b"(" + key + b")")


def test_bodies_are_of_all_lengths():
    bodies = np.char.str_len(large("polar", None).pull_requests["body"])
    assert 300 < bodies.mean() < 500
    assert 0.05 < (bodies == 0).mean() < 0.15
    assert bodies.max() < 1600
    assert (bodies > 800).mean() > 0.05


def test_texts_and_labels_are_well_formed():
    batch = read(told(prs=2000))
    prs = batch.pull_requests
    for name in ("title", "body"):
        assert not any(b"%(" in text or b"\x00" in text or b"{" in text for text in prs[name].tolist())
    assert all(prs["title"].tolist())
    assert all(batch.commits["message"].tolist())
    labels = [json.loads(text) for text in prs["labels"].tolist()]
    assert all(isinstance(label, str) for entry in labels for label in entry)
    assert {"bug", "dependencies", "hotfix"} <= {label for entry in labels for label in entry}
    first = np.append(0, np.flatnonzero(np.diff(batch.commits["pull_request"])) + 1)
    for row, commit in enumerate(first.tolist()):
        subject = batch.commits["message"][commit].split(b"\n")[0]
        assert subject in prs["title"][row]


def test_commits_have_shas_of_their_own_and_the_author():
    batch = large("polar", None)
    assert len(np.unique(batch.commits["sha"])) == len(batch.commits["sha"])
    owner = batch.commits["pull_request"]
    assert np.array_equal(batch.commits["author"], batch.pull_requests["author"][owner])
    assert np.array_equal(batch.commits["repository"], batch.pull_requests["repository"][owner])


def test_weekends_and_the_days_between_the_years_are_quiet():
    profile = told("posthog", since=datetime.date(2024, 1, 1))
    days = read(profile).pull_requests["ended_at"].astype("datetime64[D]")
    weekday = (days.astype(np.int64) + 3) % 7
    assert (weekday >= 5).mean() == pytest.approx(0.24 / 5.24, abs=0.01)
    between = (days >= np.datetime64("2024-12-25")) & (days <= np.datetime64("2025-01-07"))
    assert between.sum() < 0.5 * 14 / 731 * len(days)


def test_people_end_their_work_in_working_hours():
    offsets = set()
    for seed in range(4):
        profile = told("posthog", seed=seed, since=UNTIL - 90 * DAY)
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


@pytest.mark.parametrize("name", list(load_scenarios()))
def test_a_scenario_has_its_pull_requests_and_its_adoption(name):
    shares = []
    for seed in range(8):
        profile = scenario(name, seed)
        batch = read(profile)
        prs = batch.pull_requests
        week = (prs["ended_at"].astype("datetime64[D]") - np.datetime64(profile.since)).astype(int) // 7
        assert set(week.tolist()) == set(range(8))
        low, high = profile.scenario.prs_per_member_week
        counts = Counter(zip(week.tolist(), prs["author"].tolist(), strict=True))
        assert len(counts) == 8 * profile.members
        assert {low, high} <= set(counts.values()) <= set(range(low, high + 1))
        assert np.array_equal(prs["number"], np.arange(1, len(week) + 1))
        assert (np.diff(week) >= 0).all()
        assert ((prs["ended_at"].astype("datetime64[D]").astype(np.int64) + 3) % 7 < 5).all()
        adoption = profile.scenario.ai_adoption_rate.at(np.arange(8) / 7)
        draw = SyntheticSource(profile).members().adoption_threshold
        users = (draw[:, None] < adoption).sum(axis=0)
        assert (np.abs(users - adoption * profile.members) <= 0.51).all()
        assert set(prs["ai_kind"].tolist()) <= {AI_NONE, AI_CODE}
        with_ai = prs["ai_kind"] == AI_CODE
        assert (draw[prs["author"][with_ai]] < adoption[week[with_ai]]).all()
        shares.append([with_ai[week == number].mean() for number in range(8)])
    assert np.mean(shares) == pytest.approx(adoption.mean(), abs=0.04)
    assert np.mean(shares, axis=0)[0] == pytest.approx(adoption[0], abs=0.08)
    assert np.mean(shares, axis=0)[7] == pytest.approx(adoption[7], abs=0.08)


def test_another_seed_tells_another_story():
    one, other = (read(told(seed=seed, prs=200)) for seed in (1, 2))
    for name in ("title", "author", "ended_at", "ai_kind", "additions"):
        assert not np.array_equal(one.pull_requests[name], other.pull_requests[name]), name
    assert not set(one.commits["sha"].tolist()) & set(other.commits["sha"].tolist())


def test_two_readings_are_the_same():
    profile = told(prs=300)
    assert named(read(profile)) == named(read(told(prs=300)))


def test_a_window_before_2015_is_an_input_error():
    with pytest.raises(InputError, match="windows begin on 2015-01-01 or later"):
        SyntheticSource(told(since=datetime.date(2014, 12, 31)))


def test_inputs_tell_what_the_content_depends_on():
    assert SyntheticSource(told()).inputs == {"members": told().members}
    assert SyntheticSource(told(prs=5)).inputs == {"members": told().members, "prs": 5, "days": 184}


def test_a_file_is_of_the_category_that_its_name_tells():
    names: set[bytes] = set()
    for organisation in load().values():
        tree = plant(told(organisation.slug), organisation.repos[0])
        told_ = [detection.file_category(name.decode()).encode() for name in tree.names.tolist()]
        assert tree.categories.tolist() == told_
        names.update(tree.names.tolist())
    assert len(names) > 10_000
