"""The caches of the application's former seeder: read as they are, and whatever is damaged left out."""

import datetime
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.commands import command
from tests.support.github.fetching import utc
from tests.support.github.old_caches import document, entry, write
from tests.support.seeds import content, seed
from tformance_seed import verification
from tformance_seed.errors import InputError
from tformance_seed.sources.github.cache import DamagedError
from tformance_seed.sources.github.histories import find_caches, read_histories
from tformance_seed.sources.github.old_cache import read_old_cache
from tformance_seed.storage.models import (
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PullRequest,
    Team,
    TeamMember,
)

UNTIL = datetime.date(2026, 2, 10)


def read(tmp_path, *entries: Any, **values: Any):
    return read_old_cache(write(tmp_path, "acme/api", *entries, **values), "acme/api")


def days(count: int) -> list[dict[str, Any]]:
    return [entry(number, f"2026-01-{number:02}") for number in range(1, count + 1)]


def test_everything_in_an_entry_is_read(tmp_path) -> None:
    cache = read(tmp_path, entry(7))
    assert (cache.repository, cache.damaged) == ("acme/api", [])
    assert (cache.since, cache.fetched_at) == (utc("2025-12-01 00:00"), utc("2026-02-20 10:00"))
    found = cache.pull_requests[7]
    assert (found.author.login, found.author.id, found.labels) == ("ann", 11, ["bug"])
    assert (found.assignees, found.linked_issues, found.branch) == (["bobray"], [5], "branch-7")
    assert (found.merged_at, found.created_at) == (utc("2026-02-02 20:00"), utc("2026-02-02 08:00"))
    assert (found.commits[0].sha, found.reviews[0].state) == (f"{7:040x}", "approved")
    assert (found.files[0].name, found.check_runs[0].id) == ("src/f7.py", 70_007)
    assert (found.comments, found.deployments) == (None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-02T08:00:00Z", "2026-02-02 08:00"),
        ("2026-02-02T08:00:00", "2026-02-02 08:00"),
        ("2026-02-02T08:00:00.123456+00:00", "2026-02-02 08:00:00.123456"),
        ("2026-02-02T10:00:00+02:00", "2026-02-02 08:00"),
        ("2026-02-02", "2026-02-02 00:00"),
    ],
)
def test_times_of_every_iso_form_are_read(tmp_path, text, expected) -> None:
    assert read(tmp_path, entry(1, created_at=text)).pull_requests[1].created_at == utc(expected)


def test_states_that_are_not_legal_become_legal_ones(tmp_path) -> None:
    files = [
        {"filename": name, "status": name, "additions": 0, "deletions": 1}
        for name in ("added", "deleted", "removed", "renamed", "copied", "changed", "unchanged", "odd")
    ]
    reviews = [
        {"github_review_id": number, "reviewer_login": "bobray", "state": state, "submitted_at": when}
        for number, (state, when) in enumerate(
            [("DISMISSED", "2026-02-02T12:00:00Z"), ("changes_requested", "2026-02-02T13:00:00Z")], start=1
        )
    ]
    found = read(tmp_path, entry(1, files=files, reviews=reviews)).pull_requests[1]
    assert [file.status for file in found.files] == [
        "added",
        "removed",
        "removed",
        "renamed",
        "added",
        "modified",
        "modified",
        "modified",
    ]
    assert [review.state for review in found.reviews] == ["dismissed", "changes_requested"]


@pytest.mark.parametrize(
    ("number", "known"), [(11, 11), ("11", 11), (None, None), ("MDQ6VXNlcjE=", None), (0, None)]
)
def test_only_numbers_are_ids_of_authors(tmp_path, number, known) -> None:
    assert read(tmp_path, entry(1, author_id=number)).pull_requests[1].author.id == known


def test_a_damaged_entry_is_reported_and_left_out_and_the_rest_is_used(tmp_path) -> None:
    broken = entry(3)
    broken["reviews"] = [{"state": "APPROVED"}, *broken["reviews"], 7]
    cache = read(tmp_path, entry(1), "nonsense", entry(2, created_at="soon"), broken, entry(-4))
    assert sorted(cache.pull_requests) == [1, 3]
    assert len(cache.pull_requests[3].reviews) == 1
    assert [line.partition(":")[0] for line in cache.damaged] == [
        "prs[1]",
        "prs[2]",
        "prs[3].reviews[0]",
        "prs[3].reviews[2]",
        "prs[4]",
    ]
    assert cache.warning.count("\n") == 0
    assert cache.warning.endswith("; and 2 more")


def test_characters_that_no_database_stores_are_replaced(database, tmp_path) -> None:
    odd = "a\x00b\ud800c"
    write(tmp_path, "acme/api", entry(1, title=odd, body=odd, labels=[odd], assignees=[odd], head_ref=odd))
    seed(database, "acme", source="cache", cache_dir=tmp_path, until=UNTIL, days=60)
    assert PullRequest.get().labels == ["a?b?c"]
    assert verification.check(database, Team.get().id) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"prs": 3}', "\x00", "[" * 100_000])
def test_a_file_that_is_no_cache_is_damaged(tmp_path, text) -> None:
    path = tmp_path / "api.json"
    path.write_text(text)
    with pytest.raises(DamagedError):
        read_old_cache(path, "acme/api")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged_entries(draw) -> Any:
    """An entry in which something, somewhere, is something else."""
    made = entry(draw(st.integers(1, 9)))
    where: Any = made
    while True:
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        key = draw(st.sampled_from(keys))
        if isinstance(where[key], dict | list) and where[key] and draw(st.booleans()):
            where = where[key]
            continue
        where[key] = draw(JSON)
        return made


@settings(max_examples=60, deadline=None)
@given(entries=st.lists(damaged_entries() | JSON, max_size=4))
def test_whatever_is_damaged_the_rest_can_be_seeded(tmp_path_factory, entries) -> None:
    folder = tmp_path_factory.mktemp("old")
    path = write(folder, "acme/api", *entries, entry(100))
    cache = read_old_cache(path, "acme/api")
    assert 100 in cache.pull_requests
    assert all(line.startswith(("prs[", "its ")) for line in cache.damaged)
    json.dumps(document("acme/api", *entries))


@settings(max_examples=3, deadline=None)
@given(entries=st.lists(damaged_entries(), min_size=9, max_size=9))
def test_what_is_left_of_a_damaged_cache_makes_an_organisation_that_agrees_with_itself(
    tmp_path_factory, entries
) -> None:
    folder = tmp_path_factory.mktemp("old")
    write(folder, "acme/api", *entries, entry(100))
    arguments = [
        "--cache-dir",
        folder,
        "--until",
        UNTIL,
        "--days",
        "60",
        "--database",
        f"sqlite:///{folder}/x.db",
    ]
    result = command("seed", "--source", "cache", "acme", *arguments)
    assert result.returncode == 0, result.stderr
    assert command("verify", "--database", f"sqlite:///{folder}/x.db").returncode == 0


def test_a_cache_becomes_an_organisation_that_agrees_with_itself(database, tmp_path) -> None:
    write(tmp_path, "acme/api", *days(30))
    write(tmp_path, "acme/web", *(entry(number, commits=[]) | {"check_runs": []} for number in (1, 2)))
    report = seed(database, "acme", source="cache", cache_dir=tmp_path, until=UNTIL, days=60).reports[0]
    assert (report.pull_requests, report.members) == (32, 2)
    assert verification.check(database, Team.get().id) == []
    assert PullRequest.select().where(PullRequest.github_pr_id == 1).count() == 2
    assert (PRReview.select().count(), PRFile.select().count()) == (30, 32)
    assert PRCheckRun.select().count() == 30
    assert PRComment.select().count() > 0  # the cache has none, so they are simulated
    again = seed(database, "acme", source="cache", cache_dir=tmp_path, until=UNTIL, days=60).reports[0]
    assert sum(result.written for result in again.tables.values()) == 0


def test_the_window_of_a_cache_ends_before_it_was_fetched(database, tmp_path) -> None:
    write(tmp_path, "acme/api", *days(20))
    report = seed(database, "acme", source="cache", cache_dir=tmp_path, until=None, days=60).reports[0]
    assert report.until == datetime.date(2026, 2, 19)


def test_an_old_cache_can_be_moved_to_now(database, tmp_path) -> None:
    write(tmp_path, "acme/api", *days(20))
    shift_to = datetime.date(2026, 6, 1)
    options = {"source": "cache", "cache_dir": tmp_path, "until": UNTIL, "days": 60}
    report = seed(database, "acme", **options, shift_to=shift_to).reports[0]
    assert (report.shift_weeks, report.pull_requests) == (15, 20)
    assert verification.check(database, Team.get().id) == []
    assert PullRequest.select().where(PullRequest.merged_at < datetime.datetime(2026, 4, 1)).count() == 0


def test_people_without_ids_are_the_same_in_every_repository(database, tmp_path) -> None:
    write(tmp_path, "acme/api", entry(1, author_id=None))
    write(tmp_path, "acme/web", entry(1, author_id=None, author_login="Ann"))
    seed(database, "acme", source="cache", cache_dir=tmp_path, until=UNTIL, days=60)
    assert sorted(member.github_username.lower() for member in TeamMember.select()) == ["ann", "bobray"]
    ids = [member.github_id for member in TeamMember.select()]
    assert all(number.isdecimal() for number in ids)
    assert content(database, "acme").digest


@pytest.mark.parametrize(
    ("file", "stated"), [("acme/copy", "acme/api"), ("acme/copy", "ACME/Api"), ("Acme/API", "Acme/API")]
)
def test_of_two_caches_of_one_repository_the_newest_counts(tmp_path, file, stated) -> None:
    write(tmp_path, "acme/api", *days(4))
    newer = write(tmp_path, file, *days(9), repo=stated, fetched_at="2026-02-21T10:00:00+00:00")
    caches = find_caches(tmp_path, "acme", [])
    assert len(caches) == 2
    for each in (caches, dict(reversed(caches.items()))):
        (history,) = read_histories(each)
        assert (history.path, history.repository, len(history.pull_requests)) == (newer, stated, 9)
        assert history.warnings == (
            f"cache {tmp_path}/acme/api.json is left out: {newer} is of the same repository",
        )


def test_of_two_caches_of_the_same_time_the_fullest_counts(database, tmp_path) -> None:
    write(tmp_path, "acme/api", *days(9))
    write(tmp_path, "acme/copy", *days(4), repo="acme/api")
    report = seed(database, "acme", source="cache", cache_dir=tmp_path, until=UNTIL, days=60).reports[0]
    assert report.pull_requests == 9
    assert verification.check(database, Team.get().id) == []


def test_damage_is_told_and_status_is_0(tmp_path) -> None:
    write(tmp_path, "acme/api", entry(1), 7)
    (tmp_path / "acme" / "web.json").write_text("{")
    arguments = ["--cache-dir", tmp_path, "--database", f"sqlite:///{tmp_path}/x.db"]
    result = command("seed", "--source", "cache", "acme", "--until", UNTIL, "--days", "60", *arguments)
    assert result.returncode == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if "warning: cache" in line]
    assert len(warnings) == 2
    assert "prs[1]: it is not an object" in warnings[0]
    assert "web.json is damaged: it is not JSON; it is left out" in warnings[1]


def test_what_is_missing_is_one_line_and_status_2(tmp_path) -> None:
    (tmp_path / "acme").mkdir()
    for folder in (tmp_path, tmp_path / "nowhere"):
        result = command("seed", "--source", "cache", "acme", "--cache-dir", folder)
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    (tmp_path / "acme" / "api.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        seed(f"sqlite:///{tmp_path}/x.db", "acme", source="cache", cache_dir=tmp_path)
