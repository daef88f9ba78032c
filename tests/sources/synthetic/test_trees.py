"""Files of repositories, and which of them pull requests touch."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher

import numpy as np
import pytest

from tests.support.synthetic import DAY, SINCE, make_profile, read, read_large
from tformance_seed.catalog import load_organisations
from tformance_seed.catalog.languages import Shares, load_ecosystems, load_languages
from tformance_seed.sources import detection
from tformance_seed.sources.synthetic.sizes import FILES
from tformance_seed.sources.synthetic.touches import STEPS
from tformance_seed.sources.synthetic.trees import Tree, build_tree

#: Number of files about a noun that each language has.
FILES_ABOUT_A_NOUN = 6


def test_a_file_comes_once_in_a_pull_request_and_again_in_others():
    batch = read_large("polar", None)
    files = Counter(zip(batch.files["pull_request"].tolist(), batch.files["filename"].tolist(), strict=True))
    assert max(files.values()) == 1
    names = Counter(batch.files["filename"].tolist())
    assert names.most_common(1)[0][1] > 5 * np.median(list(names.values()))
    assert np.char.str_len(batch.files["filename"]).max() <= 500
    seen = set(batch.files["file_category"].tolist())
    assert {b"backend", b"frontend", b"test", b"docs", b"config"} <= seen
    for name in names:
        assert "{" not in name.decode()


@pytest.mark.parametrize("slug", ["zulip", "netdata", "polar"])
def test_a_huge_change_of_a_repository_without_a_lock_file_has_each_file_once(slug):
    batch = read(make_profile(slug, 11, prs=1500))
    files = Counter(zip(batch.files["pull_request"].tolist(), batch.files["filename"].tolist(), strict=True))
    assert max(files.values()) == 1


def trees() -> Iterator[tuple[str, Tree, Shares]]:
    """Yield every repository of the catalogue with its files, and the shares of its languages."""
    for slug, organisation in load_organisations().items():
        profile = make_profile(slug)
        for repository in organisation.repos:
            languages = organisation.languages_of(repository, profile.random)
            yield repository, build_tree(profile, repository), languages


def test_trees_have_each_file_once_and_more_than_a_pull_request_can_touch():
    for repository, tree, _ in trees():
        files = tree.names[: tree.size + tree.root].tolist()
        assert len(set(files)) == len(files), repository
        assert tree.size > FILES.cap * STEPS.max()


def test_files_are_in_the_languages_of_their_repository():
    for repository, tree, languages in trees():
        wanted: Counter[str] = Counter()
        for language, share in languages.items():
            for path in load_languages()[language].files:
                wanted[extension(path)] += share / FILES_ABOUT_A_NOUN
        names = [name.decode() for name in tree.names[: tree.size].tolist()]
        found = Counter(extension(name) for name in names)
        for each, share in wanted.items():
            assert found[each] / tree.size == pytest.approx(share, abs=0.04), (repository, each)
        assert sum(found[each] for each in wanted) / tree.size > 0.95


def extension(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.partition(".")[2] or name


def test_every_language_has_files_for_the_whole_share_of_a_repository():
    for name, language in load_languages().items():
        assert len(set(language.files)) == FILES_ABOUT_A_NOUN, name
        assert all("{area}" in path.lower() and "{noun}" in path.lower() for path in language.files), name


@pytest.mark.parametrize(
    ("slug", "manifests"),
    [
        ("polar", {"pyproject.toml", "package.json"}),
        ("plausible", {"mix.exs", "mix.lock", "package.json"}),
        ("lago", {"go.mod", "go.sum", "docker-compose.yml"}),
        ("keycloak", {"pom.xml", "package.json"}),
        ("ollama", {"go.mod", "CMakeLists.txt"}),
        ("appflowy", {"pubspec.yaml", "Cargo.toml"}),
    ],
)
def test_a_bot_updates_packages_of_its_repository_in_their_manifests(slug, manifests):
    batch = read(make_profile(slug, prs=5000))
    prs, files = batch.pull_requests, batch.files
    first = prs["repository"] == prs["repository"][0]
    touched = {
        name.decode()
        for owner, name in zip(files["pull_request"].tolist(), files["filename"].tolist(), strict=True)
        if prs["is_bot"][owner] and first[owner]
    }
    assert manifests <= touched
    roots = [paths for each in load_ecosystems().values() for paths in each.manifests]
    assert touched <= {path for paths in roots for path in paths}
    titles = [title.decode() for title in prs["title"][prs["is_bot"] & first].tolist()]
    updated = {
        re.fullmatch(r"(?:Bump|chore\(deps\): update dependency) (\S+) .*", title)[1] for title in titles
    }
    ecosystems = {name for name, each in load_ecosystems().items() if not updated.isdisjoint(each.packages)}
    languages = load_organisations()[slug].languages[0]
    known = {load_languages()[language].ecosystem for language in languages}
    assert "actions" in ecosystems
    assert ecosystems - {"actions"} <= known


def test_a_bot_changes_a_line_of_each_manifest_and_the_rest_of_the_lock_file():
    batch = read(make_profile("formbricks", prs=3000))
    prs, files = batch.pull_requests, batch.files
    updates = [
        (name.rpartition(b"/")[2].decode(), added, removed)
        for owner, name, added, removed in zip(
            *(files[name].tolist() for name in ("pull_request", "filename", "additions", "deletions")),
            strict=True,
        )
        if prs["is_bot"][owner] and np.count_nonzero(files["pull_request"] == owner) > 1
    ]
    assert len(updates) > 100
    manifests = [change for name, *change in updates if name == "package.json"]
    assert np.mean([change == [1, 1] for change in manifests]) > 0.9
    assert np.mean([added for name, added, _ in updates if "lock" in name]) > 5


def test_new_files_of_a_pull_request_are_about_one_thing():
    batch = read(make_profile("calcom", prs=2000))
    added = defaultdict(list)
    columns = (batch.files[name].tolist() for name in ("pull_request", "filename", "status"))
    for owner, name, status in zip(*columns, strict=True):
        if status == b"added":
            added[owner].append(re.sub(r"[^a-z]", "", name.decode().lower().rpartition(".")[0]))
    several = [names for names in added.values() if len(names) > 1]
    assert len(several) > 200
    for names in several:
        matches = (SequenceMatcher(None, names[0], name).find_longest_match() for name in names[1:])
        assert min(match.size for match in matches) >= 8, names


def test_files_have_the_category_that_their_names_imply():
    batch = read(make_profile(until=SINCE + 20 * DAY))
    pairs = set(zip(batch.files["filename"].tolist(), batch.files["file_category"].tolist(), strict=True))
    assert all(detection.file_category(name.decode()).encode() == category for name, category in pairs)


def test_the_files_of_every_tree_have_the_category_that_their_names_imply():
    names: set[bytes] = set()
    for organisation in load_organisations().values():
        tree = build_tree(make_profile(organisation.slug), organisation.repos[0])
        profile = [detection.file_category(name.decode()).encode() for name in tree.names.tolist()]
        assert tree.categories.tolist() == profile
        names.update(tree.names.tolist())
    assert len(names) > 10_000
