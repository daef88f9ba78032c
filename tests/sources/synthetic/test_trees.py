"""Files of repositories, and which of them pull requests touch."""

from collections import Counter

import numpy as np
import pytest

from tests.support.synthetic import DAY, SINCE, make_profile, read, read_large
from tformance_seed.catalog import load_organisations
from tformance_seed.sources import detection
from tformance_seed.sources.synthetic.sizes import FILES
from tformance_seed.sources.synthetic.trees import STEPS, build_tree


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


@pytest.mark.parametrize("slug", ["polar", "posthog", "laravel", "neon", "fastapi", "traefik", "spree"])
def test_trees_have_each_file_once_and_more_than_a_pull_request_can_touch(slug):
    profile = make_profile(slug)
    for repository in profile.organisation.repos:
        tree = build_tree(profile, repository)
        files = tree.names[: tree.size + tree.root].tolist()
        assert len(set(files)) == len(files)
        assert tree.size > FILES.cap * STEPS.max()


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
