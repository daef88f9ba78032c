import numpy as np
import pytest

from tformance_seed.simulate.change_types import change_types

#: Labels that say nothing about the type.
PLAIN = (b"[]", b'["backend"]')


def type_of(title: str, labels: bytes = b"[]", categories: tuple[bytes, ...] = (b"backend",)) -> str:
    prs = {"title": np.array([title.encode()], "S"), "labels": np.array([labels])}
    files = {
        "pull_request": np.zeros(len(categories), dtype=np.int64),
        "file_category": np.array(categories, dtype="S"),
    }
    (found,) = change_types(prs, files)
    return found


@pytest.mark.parametrize("form", ["{}", "AB-10: {}", "[AB-10] {}", "{} (AB-10)", "AB-1 - {}"])
@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("feat(api): let members export it", "feature"),
        ("fix: handle it", "bugfix"),
        ("fix!: hotfix, handle it", "bugfix"),
        ("refactor(auth): extract it", "refactor"),
        ("perf: cache it", "refactor"),
        ("docs: explain it", "docs"),
        ("test: cover it", "test"),
        ("chore(deps): bump it", "chore"),
        ("ci: pin it", "ci"),
        ("Support exports in billing", "feature"),
        ("Prevent timeouts when it rains", "bugfix"),
        ("Explain exports", "docs"),
        ("Bump lodash from 1.0.0 to 1.0.1", "chore"),
        ("api: fix the list", "bugfix"),
        ('Revert "feat: add it"', "bugfix"),
        ("Hotfix: it", "bugfix"),
    ],
)
def test_type_follows_from_the_title_whatever_its_jira_key(form: str, title: str, wanted: str) -> None:
    assert type_of(form.format(title)) == wanted


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (b'["bug"]', "bugfix"),
        (b'["enhancement"]', "feature"),
        (b'["docs"]', "docs"),
        (b'["documentation"]', "docs"),
        (b'["backend","Fix"]', "bugfix"),
        (b'["backend"]', "feature"),
        (b"[]", "feature"),
    ],
)
def test_labels_say_it_where_no_prefix_does(labels: bytes, wanted: str) -> None:
    assert type_of("Handle the list", labels) == ("bugfix" if labels in PLAIN else wanted)
    assert type_of("The list", labels) == wanted
    assert type_of("ci: the list", labels) == "ci"


@pytest.mark.parametrize(
    ("categories", "wanted"),
    [
        ((b"docs", b"docs"), "docs"),
        ((b"test",), "test"),
        ((b"docs", b"test"), "feature"),
        ((b"docs", b"backend"), "feature"),
        ((), "feature"),
    ],
)
def test_files_say_it_where_no_word_does(categories: tuple[bytes, ...], wanted: str) -> None:
    assert type_of("The list", categories=categories) == wanted
