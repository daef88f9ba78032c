"""A generated repository lives: changes agree with their titles, and files with their history."""

import datetime
import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from benchmarks.realism import tells
from benchmarks.realism.histories import generate
from tests.support.synthetic import make_profile, read, read_large
from tformance_seed.catalog import load_organisations
from tformance_seed.sources.synthetic.threads import thread_of
from tformance_seed.sources.synthetic.trees import build_tree

#: Half a year of a busy and of a small organisation.
SINCE, UNTIL = datetime.date(2025, 7, 1), datetime.date(2025, 12, 31)

#: A tell -> the least and the most that is seen in real histories and in generated ones.
RANGES = {
    tells.with_identifier: (0.35, 0.75),
    tells.words_used_once: (0.65, 0.85),
    tells.same_frame: (0, 7),
    tells.long_names: (0.15, 0.85),
    tells.depth_spread: (0.8, 2.7),
    tells.huge: (0, 0.065),
    tells.many_files: (0, 0.08),
    tells.tiny_new_files: (0, 0.2),
    tells.same_author_again: (0.1, 0.45),
    tells.author_shares_file: (0.08, 0.35),
    tells.hottest_file: (2, 10),
    tells.fixes_in_tests_only: (0, 0.03),
    tells.fixes_with_tests: (0.05, 0.75),
    tells.with_lock_file: (0.02, 0.4),
    tells.weekend: (0, 0.15),
    tells.in_a_burst: (0.05, 0.35),
    tells.on_new_year: (0, 0),
}


@pytest.mark.parametrize("slug", ["dify", "formbricks", "surrealdb"])
@pytest.mark.parametrize("tell", RANGES, ids=lambda tell: tell.__name__)
def test_a_history_has_the_figures_of_real_ones(histories, slug, tell):
    low, high = RANGES[tell]
    assert low <= tell(histories[slug]) <= high


@pytest.fixture(scope="module")
def histories():
    return {slug: generate(slug, 1, SINCE, UNTIL) for slug in ("dify", "formbricks", "surrealdb")}


def files_by_pull_request(batch):
    """Return, by repository and number, the files: name -> (status, additions, deletions)."""
    prs, files = batch.pull_requests, batch.files
    names = list(zip(prs["repository"].tolist(), prs["number"].tolist(), strict=True))
    found = {name: {} for name in names}
    columns = [
        files[name].tolist() for name in ("pull_request", "filename", "status", "additions", "deletions")
    ]
    for owner, filename, *change in zip(*columns, strict=True):
        found[names[owner]][filename] = tuple(change)
    return found


@pytest.mark.parametrize("slug", ["polar", "vercel", "keycloak"])
def test_what_is_added_was_not_there_and_what_is_removed_is_gone(slug):
    batch = read(make_profile(slug, prs=4000))
    prs = batch.pull_requests
    known = {
        repository.encode(): build_tree(make_profile(slug), repository).known
        for repository in load_organisations()[slug].repos
    }
    history = defaultdict(list)
    reverts = {
        (repository, number)
        for repository, number, is_revert in zip(
            prs["repository"].tolist(), prs["number"].tolist(), prs["is_revert"].tolist(), strict=True
        )
        if is_revert
    }
    for (repository, number), files in files_by_pull_request(batch).items():
        for name, (status, _, _) in files.items():
            if (repository, number) not in reverts:
                history[repository, name].append(status)
    statuses = Counter()
    for (repository, name), seen in history.items():
        if set(seen) - {b"modified"}:
            assert len(seen) == 1, (name, seen)
            assert name not in known[repository]
            statuses[seen[0]] += 1
        else:
            assert name in known[repository]
    assert min(statuses[status] for status in (b"added", b"removed", b"renamed")) > 20


def test_a_revert_mirrors_what_it_reverts():
    batch = read(make_profile("calcom", prs=4000))
    prs, files = batch.pull_requests, files_by_pull_request(batch)
    mirrored = {b"added": b"removed", b"removed": b"added"}
    found = 0
    for row in np.flatnonzero(prs["is_revert"]).tolist():
        number = int(re.match(rb"Reverts .+#(\d+)\.", prs["body"][row])[1])
        original = files.get((prs["repository"][row], number))
        if original is None or any(
            b"curs" in name or b"CLAUDE" in name or b"AGENTS" in name for name in original
        ):
            continue  # before the window, or with a file of an AI tool in it
        undone = files[prs["repository"][row], int(prs["number"][row])]
        assert undone == {
            name: (mirrored.get(status, status), deletions, additions)
            for name, (status, additions, deletions) in original.items()
        }
        found += 1
    assert found > 20


def test_titles_say_what_changed():
    batch = read_large("antiwork", 0.566)
    files = files_by_pull_request(batch)
    seen = Counter()
    for title, names, is_revert in zip(
        batch.pull_requests["title"].tolist(),
        map(list, files.values()),
        batch.pull_requests["is_revert"].tolist(),
        strict=True,
    ):
        prefix = re.match(rb"(?:\[?[A-Z]+-\d+\]?:? )?(ci|docs|test)(?:\([^)]*\))?: ", title)
        if is_revert or prefix is None:
            continue
        kind = prefix[1]
        fits = {
            b"ci": lambda name: name.startswith(b".github/"),
            b"docs": lambda name: name.endswith((b".md", b".mdx")),
            b"test": lambda name: b"test" in name or b"spec" in name,
        }[kind]
        seen[kind, any(map(fits, names))] += 1
    for kind in (b"ci", b"docs", b"test"):
        assert seen[kind, True] > 50
        assert seen[kind, False] < 0.1 * seen[kind, True], kind


def test_versions_of_releases_ascend():
    prs = read(make_profile("posthog", prs=6000)).pull_requests
    last: dict[bytes, tuple[int, ...]] = {}
    releases = 0
    for repository, title in zip(prs["repository"].tolist(), prs["title"].tolist(), strict=True):
        released = re.search(rb"(?:[Rr]elease v|[Bb]ump version to |[Pp]repare )(\d+)\.(\d+)\.(\d+)", title)
        if released and not title.startswith(b"Revert"):
            version = tuple(map(int, released.groups()))
            assert last.get(repository, (0, 0, 0)) < version
            last[repository] = version
            releases += 1
    assert releases > 20


def test_nothing_ends_on_christmas_and_new_year():
    prs = read(make_profile("posthog", since=datetime.date(2024, 12, 1), until=datetime.date(2025, 1, 31)))
    days = {str(day) for day in prs.pull_requests["ended_at"].astype("datetime64[D]")}
    assert not days & {"2024-12-25", "2025-01-01"}
    assert {"2024-12-24", "2024-12-26", "2025-01-02"} <= days


def test_a_thread_depends_on_the_numbers_before_alone():
    random = make_profile().random
    numbers = np.arange(1, 3000)
    threads = thread_of(random, "acme/app", numbers)
    assert np.array_equal(thread_of(random, "acme/app", numbers[1500:]), threads[1500:])
    assert (threads <= numbers).all()
    assert 0.35 < (threads < numbers).mean() < 0.55
