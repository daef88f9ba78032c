"""Pull requests beside the first-parent chain: each once, with its own commits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.repositories import Contents, Imported, Workshop, import_history, read_all, source
from tformance_seed.sources.git.graph import Node
from tformance_seed.sources.git.mainline import Entry, Forest
from tformance_seed.sources.git.numbers import Claim, Numbers

GITHUB = "GitHub <noreply@github.com>"


def commits(*lines: tuple[str, ...]) -> list[Imported]:
    """Commits a minute apart: name, parents, message, and the committer if it is not somebody at a shell."""
    return [
        Imported(
            name,
            parents,
            message,
            f"2025-03-02 {10 + minute // 60}:{minute % 60:02}",
            committer=(*who, "W <w@w.io>")[0],
        )
        for minute, (name, parents, message, *who) in enumerate(lines)
    ]


def content(folder: Path, *lines: tuple[str, ...], refs: dict[str, str] | None = None) -> Contents:
    """What is read of a history in which refs point at commits."""
    names = import_history(folder, *commits(*lines))
    for ref, name in (refs or {}).items():
        Workshop(folder).git("update-ref", ref, names[name])
    return read_all(source(folder))


def owned(contents: Contents) -> dict[int, list[str]]:
    return {number: contents.subjects(number) for number in sorted(contents.numbers)}


def test_foxtrot_leaves_the_pull_requests_behind_swapped_parents_as_they_were(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("one", "root", "One (#1)"),
        ("work", "one", "Work on two"),
        ("two", "one work", "Merge pull request #2 from ann/two\n\nTwo"),
        ("direct", "two", "Push to main"),
        ("local", "one", "Local work"),
        ("fox", "local direct", "Merge branch 'main' of github.com:acme/api"),
    )
    assert owned(contents) == {1: ["One (#1)"], 2: ["Work on two"]}
    assert contents.loose == ["Begin", "Local work", "Push to main"]
    assert contents.pull_request(2)["ended_at"].minute == 3


def test_develop_merged_into_main_keeps_its_pull_requests_and_their_dates(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Work on one"),
        ("one", "root a", "Merge pull request #1 from ann/one\n\nOne"),
        ("two", "one", "Two (#2)"),
        ("bump", "two", "Bump version"),
        ("release", "root bump", "Merge pull request #3 from acme/develop\n\nRelease 1.0"),
        ("three", "bump", "Four (#4)"),
        ("release2", "release three", "Merge branch 'develop'"),
    )
    assert owned(contents) == {
        1: ["Work on one"],
        2: ["Two (#2)"],
        3: ["Bump version"],
        4: ["Four (#4)"],
    }
    assert [row["ended_at"].minute for row in contents.pull_requests] == [2, 3, 5, 6]


def test_maintenance_branch_merged_up_gives_each_number_once(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("main1", "root", "Feature (#1)"),
        ("fix", "root", "Fix (#2)"),
        ("backport", "fix", "Feature (#1)"),
        ("up", "main1 backport", "Merge branch '1.x'"),
    )
    assert owned(contents) == {1: ["Feature (#1)"], 2: ["Fix (#2)"]}
    assert contents.loose == ["Begin", "Feature (#1)"]


def test_pull_request_into_the_branch_of_another_is_one_of_its_own(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("feature", "root", "Feature"),
        ("help", "feature", "Help"),
        ("five", "feature help", "Merge pull request #15 from bob/help\n\nHelp"),
        ("more", "five", "More, see issue (#11)"),
        ("four", "root more", "Merge pull request #14 from ann/feature\n\nFeature"),
    )
    assert owned(contents) == {14: ["Feature", "More, see issue (#11)"], 15: ["Help"]}


def test_numbers_of_a_fork_are_not_those_of_the_repository(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("upstream", "root", "Two hundred (#200)"),
        ("fork", "root", "Work in a fork"),
        ("sync", "fork upstream", "Merge pull request #3 from acme/main\n\nUpdate"),
        ("land", "upstream sync", "Merge pull request #210 from ann/main\n\nWork"),
    )
    assert owned(contents) == {
        200: ["Two hundred (#200)"],
        210: ["Work in a fork", "Merge pull request #3 from acme/main"],
    }


def test_numbers_of_a_library_that_was_merged_in_are_not_those_of_the_repository(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("one", "root", "One (#1)"),
        ("library", "", "Begin of the library"),
        ("theirs", "library", "Theirs (#7)"),
        ("subtree", "one theirs", "Add the library"),
    )
    assert owned(contents) == {1: ["One (#1)"]}
    assert "Theirs (#7)" in contents.loose


def test_batch_of_bors_is_a_pull_request_for_each_number(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Work a"),
        ("a2", "a", "More a"),
        ("b", "root", "Work b"),
        ("batch", "root a2 b", "Merge #11 #12\n\n11: A r=ann\n\n12: B r=ann"),
    )
    assert owned(contents) == {11: ["Work a", "More a"], 12: ["Work b"]}
    assert [row["additions"] for row in contents.pull_requests] == [4, 2]
    assert {row["ended_at"].minute for row in contents.pull_requests} == {4}


def test_rollup_of_homu_is_a_pull_request_around_others(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Work a"),
        ("ra", "root a", "Rollup merge of #98 - ann:a, r=bob\n\nA"),
        ("b", "root", "Work b"),
        ("rb", "ra b", "Rollup merge of #99 - bob:b, r=ann\n\nB"),
        ("auto", "root rb", "Auto merge of #100 - ann:rollup, r=ann\n\nRollup of 2 pull requests"),
    )
    assert owned(contents) == {98: ["Work a"], 99: ["Work b"], 100: []}


def test_refs_find_what_no_message_names(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Work a"),
        ("stack", "a", "Work on top"),
        ("merge", "root stack", "Merge branch 'a'"),
        ("pushed", "merge", "Pushed as it was"),
        ("direct", "pushed", "Direct"),
        refs={"refs/pull/1/head": "a", "refs/pull/2/head": "stack", "refs/pull/3/head": "pushed"},
    )
    assert owned(contents) == {1: ["Work a"], 2: ["Work on top"], 3: ["Pushed as it was"]}
    assert contents.loose == ["Begin", "Direct"]


def test_two_pull_requests_of_one_commit_are_both_there_and_the_commit_once(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Work a"),
        ("merge", "root a", "Merge pull request #2 from ann/a\n\nA"),
        refs={"refs/pull/1/head": "a", "refs/pull/2/head": "a"},
    )
    assert owned(contents) == {1: [], 2: ["Work a"]}
    assert [row["additions"] for row in contents.pull_requests if row["number"] == 1] == [2]


def test_refs_of_another_history_are_not_believed(tmp_path: Path) -> None:
    """A mirror on one forge has numbers of its own."""
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "A\n\nSee merge request acme/api!5"),
        ("b", "a", "B\n\nSee merge request acme/api!6"),
        ("c", "b", "C\n\nSee merge request acme/api!7"),
        refs={"refs/pull/1/head": "b"},
    )
    assert contents.numbers == [5, 6, 7]


def test_refs_that_merges_name_tell_the_numbers_of_a_subtree_apart(tmp_path: Path) -> None:
    lines: list[tuple[str, ...]] = [("m0", "", "Begin")]
    for number in range(1, 21):
        message = f"Auto merge of #{number} - ann:b{number}, r=bob"
        lines += [
            (f"b{number}", f"m{number - 1}", f"Work {number}"),
            (f"m{number}", f"m{number - 1} b{number}", message),
        ]
    theirs = [
        (f"t{number}", f"t{number - 1}" if number > 101 else "m20", f"Auto merge of #{number} - x:y, r=z")
        for number in range(101, 131)
    ]
    contents = content(
        tmp_path / "api",
        *lines,
        *theirs,
        ("sync", "m20 t130", "Merge from upstream"),
        refs={f"refs/pull/{number}/head": f"b{number}" for number in range(1, 21)},
    )
    assert contents.numbers == list(range(1, 21))


def test_refs_of_what_was_pushed_as_it_was_are_believed_over_a_few_titles(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("one", "root", "One"),
        ("issue", "one", "Fix an issue (#77)"),
        ("other", "issue", "Fix an issue (#78)"),
        ("two", "other", "Two"),
        ("three", "two", "Three"),
        refs={
            f"refs/merge-requests/9{number}/head": name for number, name in enumerate(["one", "two", "three"])
        },
    )
    assert contents.numbers == [90, 91, 92]


def test_merge_of_the_very_commit_of_a_ref_is_believed_wherever_it_is(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Work a"),
        ("one", "root a", "Merge pull request #101 from ann/a"),
        ("site", "", "Begin of the site"),
        ("b", "site", "Work b"),
        ("two", "site b", "Merge pull request #2 from bob/b"),
        ("join", "one two", "Merge pull request #102 from ann/site"),
        refs={"refs/pull/101/head": "a", "refs/pull/2/head": "b", "refs/pull/102/head": "two"},
    )
    assert owned(contents) == {2: ["Work b"], 101: ["Work a"], 102: ["Begin of the site"]}


def test_pull_requests_newer_than_the_refs_are_found(tmp_path: Path) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("one", "root", "One (#1)"),
        ("two", "one", "Two (#3)"),
        ("issue", "two", "Fix an issue (#2)"),
        ("new", "issue", "New (#4)"),
        refs={"refs/pull/1/head": "one", "refs/pull/3/head": "two"},
    )
    assert contents.numbers == [1, 3, 4]


def test_numbers_of_another_project_are_not_those_of_the_repository(tmp_path: Path) -> None:
    lines = [(f"c{number}", f"c{number - 1}", f"Merge coin/coin#{number}: Title") for number in range(11, 20)]
    contents = content(
        tmp_path / "api", ("c10", "", "Begin"), *lines, ("gui", "c19", "Merge coin/gui#21: A window")
    )
    assert contents.numbers == list(range(11, 20))
    assert contents.loose == ["Begin", "Merge coin/gui#21: A window"]


@pytest.mark.parametrize("who", [GITHUB, "W <w@w.io>"])
def test_title_in_the_branch_of_a_pull_request_names_another_only_if_the_forge_made_it(
    tmp_path: Path, who: str
) -> None:
    contents = content(
        tmp_path / "api",
        ("root", "", "Begin"),
        ("a", "root", "Inner (#13)", who),
        ("merge", "root a", "Merge pull request #14 from ann/a\n\nA"),
    )
    assert contents.numbers == ([13, 14] if who == GITHUB else [14])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Node], list[str], dict[int, Claim]]:
    """A history, newest first; its main line; and claims of some of its commits to distinct numbers."""
    size = draw(st.integers(1, 25))
    nodes = [Node("0", [], 0, 0, ("", ""), [])]
    for index in range(1, size):
        pick = st.integers(0, index - 1).map(str)
        parents = draw(st.lists(pick, min_size=1, max_size=3, unique=True))
        nodes.append(Node(str(index), parents, index, index, ("", ""), []))
    reached = {str(size - 1)}
    for node in reversed(nodes):
        if node.sha in reached:
            reached.update(node.parents)
    nodes = [node for node in reversed(nodes) if node.sha in reached]
    parents_of = {node.sha: node.parents for node in nodes}
    mainline = [nodes[0].sha]
    while parents_of[mainline[-1]]:
        mainline.append(parents_of[mainline[-1]][0])
    named = draw(st.sets(st.integers(0, len(nodes) - 1)))
    claims = {
        position: Claim(position, 100 + position, "GitHub merge", "", 0, False, False, True, {})
        for position in named
    }
    return nodes, mainline, claims


def place(nodes: list[Node], mainline: list[str], numbers: Numbers) -> tuple[dict[str, Entry], list[Entry]]:
    forest = Forest("acme/api", 0, numbers)
    owners = {
        node.sha: forest.place(position, node, on_mainline=node.sha in mainline)
        for position, node in enumerate(nodes)
    }
    return owners, forest.finish()


@given(histories())
def test_each_commit_belongs_to_one_entry_and_each_number_has_one(
    history: tuple[list[Node], list[str], dict[int, Claim]],
) -> None:
    nodes, mainline, claims = history
    owners, entries = place(nodes, mainline, Numbers(claims))
    assert len(entries) == len(set(mainline) | {nodes[position].sha for position in claims})
    held = [entry.sha for entry in entries] + [each.sha for entry in entries for each in entry.merged]
    assert sorted(held) == sorted(node.sha for node in nodes)
    numbers = sorted(entry.number for entry in entries if entry.number)
    assert numbers == sorted(claim.number for claim in claims.values())
    ancestors = {node.sha: {node.sha} for node in nodes}
    for node in reversed(nodes):
        for parent in node.parents:
            ancestors[node.sha] |= ancestors[parent]
    for node in nodes:
        assert node.sha in ancestors[owners[node.sha].sha]
        first_parent = owners[node.sha].parent
        if first_parent and node.sha != owners[node.sha].sha:
            assert node.sha not in ancestors[first_parent]


@given(histories())
def test_a_history_that_grows_leaves_every_commit_where_it_was(
    history: tuple[list[Node], list[str], dict[int, Claim]],
) -> None:
    nodes, mainline, claims = history
    if len(mainline) == 1:
        return
    reached = {mainline[1]}
    for node in nodes:
        if node.sha in reached:
            reached.update(node.parents)
    kept = [(position, node) for position, node in enumerate(nodes) if node.sha in reached]
    older = Numbers({new: claims[position] for new, (position, _) in enumerate(kept) if position in claims})
    before, _ = place([node for _, node in kept], mainline[1:], older)
    after, _ = place(nodes, mainline, Numbers(claims))
    assert {sha: entry.sha for sha, entry in before.items()} == {sha: after[sha].sha for sha in before}
