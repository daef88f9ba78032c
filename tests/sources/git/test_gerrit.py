"""Changes on Gerrit, which their Change-Id names, and repositories in which it is only the hook's."""

import hashlib
from pathlib import Path

from tests.support.repositories import Contents, Imported, import_history, read_all, source
from tformance_seed.sources.git.conventions import CHANGE_ID, find_pull_request

GERRIT = "Zuul <zuul@review.io>"


def change_id(title: str) -> str:
    return f"Change-Id: I{hashlib.sha1(title.encode(), usedforsecurity=False).hexdigest()}"


def number(title: str) -> int:
    named = find_pull_request(title, f"Why\n\n{change_id(title)}\nSigned-off-by: Ann Lee <ann@corp.io>")
    assert named is not None
    assert (named.convention, named.title) == (CHANGE_ID.name, title)
    return named.number


def commit(name: str, parents: str, minute: int, message: str = "", committer: str = GERRIT) -> Imported:
    """A commit that is a change called as it is, unless it has another message."""
    at = f"2025-03-02 {10 + minute // 60}:{minute % 60:02}"
    return Imported(name, parents, message or f"{name}\n\n{change_id(name)}", at, committer=committer)


def content(folder: Path, *commits: Imported) -> Contents:
    import_history(folder, *commits)
    return read_all(source(folder))


def landed(contents: Contents) -> dict[str, tuple[list[str], int]]:
    """Title of a pull request -> the subjects of its commits, and the minute in which it was merged."""
    return {
        row["title"]: (contents.subjects(row["number"]), row["ended_at"].minute)
        for row in contents.pull_requests
    }


def test_each_change_is_a_pull_request_landed_by_the_merge_that_gerrit_made(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "nova",
        commit("root", "", 0, "Begin"),
        commit("one", "root", 1),
        commit("two", "root", 2),
        commit("mone", "root one", 5, 'Merge "one"'),
        commit("mtwo", "mone two", 6, 'Merge "two" into main'),
        commit("three", "mtwo", 7),
        commit("four", "mtwo", 8),
        commit("five", "four", 9),
        commit("mfive", "three five", 12, "Merge changes I0123456,I89abcdef into main"),
    )
    assert landed(contents) == {
        "one": (["one"], 5),
        "two": (["two"], 6),
        "three": (["three"], 7),
        "four": (["four"], 12),
        "five": (["five"], 12),
    }
    assert contents.loose == ["Begin"]
    assert contents.numbers == [number(row["title"]) for row in contents.pull_requests]
    assert contents.pull_request(number("five"))["opened_after"].minute == 9


def test_merge_of_a_branch_that_was_reviewed_leaves_the_changes_on_it_what_they_were(tmp_path: Path) -> None:
    up = f"Merge branch 'stable' into main\n\n* stable:\n  one\n\n{change_id('up')}"
    contents = content(
        tmp_path / "jgit",
        commit("root", "", 0, "Begin"),
        commit("one", "root", 1),
        commit("two", "root", 2),
        commit("loose", "two", 3, "Prepare 4.1"),
        commit("up", "loose one", 5, up),
    )
    titles = {"one": (["one"], 1), "two": (["two"], 2), "Merge branch 'stable' into main": ([], 5)}
    assert landed(contents) == titles


def test_change_that_was_picked_to_a_stable_branch_is_there_once(tmp_path: Path) -> None:
    picked = commit("picked", "root", 3, f"one\n\n(cherry picked from commit 1)\n{change_id('one')}")
    contents = content(
        tmp_path / "nova",
        commit("root", "", 0, "Begin"),
        commit("one", "root", 1),
        picked,
        commit("up", "one picked", 5, "Merge branch 'stable'"),
    )
    assert landed(contents) == {"one": (["one"], 1)}
    assert contents.loose == ["Begin", "one"]


def test_change_with_its_number_on_the_server_has_that(tmp_path: Path) -> None:
    reviewed = f"two\n\n{change_id('two')}\nReviewed-on: https://review.io/c/app/+/712"
    contents = content(
        tmp_path / "app",
        commit("root", "", 0, "Begin"),
        commit("one", "root", 1),
        commit("two", "one", 2, reviewed),
    )
    assert contents.numbers == [number("one"), 712]


def test_project_that_moved_to_gerrit_has_pull_requests_of_both(tmp_path: Path) -> None:
    before = [
        commit(f"b{each}", f"b{each - 1}" if each else "", each, f"B (#{each + 1})") for each in range(30)
    ]
    after = [commit(f"a{each}", f"a{each - 1}" if each else "b29", 30 + each) for each in range(25)]
    contents = content(tmp_path / "app", *before, *after)
    assert len(contents.numbers) == 55


def test_hook_in_a_repository_on_github_makes_no_pull_requests(tmp_path: Path) -> None:
    squashes = [
        commit(f"s{each}", f"s{each - 1}" if each else "", each, f"Title (#{each + 1})") for each in range(8)
    ]
    contents = content(
        tmp_path / "app",
        *squashes,
        commit("one", "s7", 21),
        commit("branch", "one", 22),
        commit("merge", "one branch", 23, "Merge pull request #9 from ann/branch\n\nNine"),
    )
    assert contents.numbers == list(range(1, 10))
    assert contents.subjects(9) == ["branch"]
    assert contents.loose == ["one"]


def test_hook_of_one_of_many_authors_makes_no_pull_requests(tmp_path: Path) -> None:
    plain = [
        commit(f"c{each}", f"c{each - 1}" if each else "", each, "" if each % 3 == 0 else "Work")
        for each in range(80)
    ]
    assert content(tmp_path / "app", *plain).numbers == []
