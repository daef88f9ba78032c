import datetime
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.repositories import ANN, BOB, CARL, Contents, Workshop, profile, read_all, source
from tformance_seed.sources.git import GitSource, Repository, default_until, log, repository_name
from tformance_seed.sources.git.mainline import Forest, Node
from tformance_seed.sources.git.numbers import Numbers
from tformance_seed.sources.git.process import Git
from tformance_seed.sources.records import COMMIT_COLUMNS, pull_request_key


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "api")
    made.commit("Begin", "2025-02-01 09:00", files={"README.md": "hello\n"})
    return made


def merge(workshop: Workshop, number: int, branch: str, at: str, body: str = "A title\n\nA body") -> str:
    return workshop.merge(branch, message=f"Merge pull request #{number} from corp/{branch}\n\n{body}", at=at)


def mixture(workshop: Workshop) -> None:
    """A squash, a merge of two commits, a direct commit, a merge of a branch, another squash."""
    workshop.commit("Squash one (#1)", "2025-03-02 10:00", BOB)
    workshop.branch("feature/two")
    workshop.commit("Two, first", "2025-03-04 10:00", BOB, authored="2025-02-20 08:00")
    workshop.commit("Two, second", "2025-03-04 11:00", ANN, authored="2025-03-03 08:00")
    merge(workshop, 2, "feature/two", "2025-03-05 12:00")
    workshop.commit("Direct", "2025-03-06 10:00")
    workshop.branch("side")
    workshop.commit("On the side", "2025-03-07 10:00")
    workshop.merge("side", message="Merge branch 'side'", at="2025-03-08 10:00")
    workshop.commit("Squash three (#3)", "2025-03-09 10:00", CARL)


def test_squash_commit_is_a_pull_request_with_itself_as_its_commit(workshop: Workshop) -> None:
    sha = workshop.commit(
        "Add a limit (#17)\n\n* one\n* two",
        "2025-03-02 10:00",
        BOB,
        authored="2025-03-01 10:00",
        files={"app/limit.py": "a\nb\nc\n", "README.md": "bye\n"},
    )
    contents = read_all(source(workshop.path))
    (row,) = contents.pull_requests
    assert (row["repository"], row["number"], row["title"]) == ("acme/api", 17, "Add a limit")
    assert row["body"] == "* one\n* two"
    assert (row["state"], row["author"], row["labels"]) == ("merged", "bobray", "[]")
    assert row["ended_at"] == moment("2025-03-02 10:00")
    assert row["created_at"] is None
    assert (row["additions"], row["deletions"]) == (4, 1)
    assert row["key"] == pull_request_key("acme/api", np.array([17]))[0]
    (commit,) = contents.commits
    assert commit["sha"] == sha
    assert commit["pull_request"] == 17
    assert commit["message"] == "Add a limit (#17)\n\n* one\n* two"
    assert (commit["additions"], commit["deletions"]) == (4, 1)
    assert commit["committed_at"] == moment("2025-03-02 10:00")
    assert commit.keys() == COMMIT_COLUMNS.keys()


def test_a_merge_has_the_commits_that_it_merged_and_their_true_dates(workshop: Workshop) -> None:
    mixture(workshop)
    contents = read_all(source(workshop.path))
    row = contents.pull_request(2)
    assert contents.subjects(2) == ["Two, first", "Two, second"]
    assert (row["created_at"], row["opened_after"]) == (None, moment("2025-02-20 08:00"))
    assert row["ended_at"] == moment("2025-03-05 12:00")
    assert (row["title"], row["body"], row["author"]) == ("A title", "A body", "bobray")
    assert (row["additions"], row["deletions"]) == (2, 0)
    times = [commit["committed_at"] for commit in contents.commits if commit["pull_request"] == 2]
    assert times == [moment("2025-02-20 08:00"), moment("2025-03-03 08:00")]
    assert not any("Merge pull request" in commit["message"] for commit in contents.commits)


def test_a_mixture_is_read_oldest_first(workshop: Workshop) -> None:
    mixture(workshop)
    read = source(workshop.path)
    contents = read_all(read)
    assert contents.numbers == [1, 2, 3]
    assert contents.loose == ["Direct", "On the side"]
    assert read.total == 3
    assert read.length == 5


def test_title_of_a_merge_without_one_is_its_branch(workshop: Workshop) -> None:
    workshop.branch("feature/ABC-7-fix_the-bug")
    workshop.commit("Work", "2025-03-02 10:00")
    merge(workshop, 4, "feature/ABC-7-fix_the-bug", "2025-03-03 10:00", body="")
    row = read_all(source(workshop.path)).pull_request(4)
    assert row["title"] == "feature ABC 7 fix the bug"
    assert row["jira_key"] == "ABC-7"


def test_merge_of_one_commit_changes_what_that_commit_changes(workshop: Workshop) -> None:
    workshop.branch("one")
    workshop.commit("Work", "2025-03-02 10:00", files={"app/one.py": "1\n2\n"})
    workshop.git("checkout", "--quiet", "main")
    workshop.git("merge", "--quiet", "--no-ff", "--no-commit", "one")
    workshop.commit("Merge pull request #1 from ann/one\n\nOne", "2025-03-03 10:00", files={"evil.py": "x\n"})
    row = read_all(source(workshop.path)).pull_request(1)
    assert (row["title"], row["additions"], row["files"][0]["filename"]) == ("One", 2, "app/one.py")
    assert len(row["files"]) == 1


def test_commit_written_after_it_was_committed_is_dated_by_that(workshop: Workshop) -> None:
    workshop.branch("odd")
    workshop.commit("From a clock that is fast", "2025-03-02 10:00", authored="2025-03-20 10:00")
    merge(workshop, 5, "odd", "2025-03-03 10:00")
    contents = read_all(source(workshop.path))
    assert contents.commits[0]["committed_at"] == moment("2025-03-02 10:00")
    assert contents.pull_request(5)["opened_after"] == moment("2025-03-02 10:00")


def test_branch_off_a_merged_branch_leaves_the_older_commits_to_the_older_merge(workshop: Workshop) -> None:
    workshop.branch("first")
    workshop.commit("Of the first", "2025-03-02 10:00")
    workshop.branch("second", "first")
    workshop.commit("Of the second", "2025-03-02 11:00")
    merge(workshop, 6, "first", "2025-03-03 10:00")
    merge(workshop, 7, "second", "2025-03-04 10:00")
    contents = read_all(source(workshop.path))
    assert contents.subjects(6) == ["Of the first"]
    assert contents.subjects(7) == ["Of the second"]
    assert read_all(source(workshop.path, since="2025-03-04")).subjects(7) == ["Of the second"]


def test_update_of_a_branch_from_main_counts_no_lines_and_owns_no_work_of_main(workshop: Workshop) -> None:
    workshop.branch("long")
    workshop.commit("Long, before", "2025-03-02 10:00")
    workshop.git("checkout", "--quiet", "main")
    workshop.commit("Main goes on (#8)", "2025-03-03 10:00")
    workshop.merge("main", message="Merge branch 'main' into long", at="2025-03-04 10:00", into="long")
    workshop.commit("Long, after", "2025-03-04 11:00")
    merge(workshop, 9, "long", "2025-03-05 10:00")
    contents = read_all(source(workshop.path))
    assert contents.subjects(9) == ["Long, before", "Merge branch 'main' into long", "Long, after"]
    lines = [commit["additions"] for commit in contents.commits if commit["pull_request"] == 9]
    assert lines == [1, 0, 1]
    assert contents.pull_request(9)["additions"] == 2
    assert contents.subjects(8) == ["Main goes on (#8)"]


def test_a_commit_belongs_to_the_oldest_that_reaches_it_in_whatever_order_branches_are_listed() -> None:
    graph = {
        "head": ["old", "new side"],
        "old": ["root", "old side"],
        "old side": ["shared"],
        "new side": ["shared"],
        "shared": ["root"],
        "root": [],
    }
    nodes = [Node(sha, parents, 0, 0, ("", ""), []) for sha, parents in graph.items()]
    forest = Forest("acme/api", 0, Numbers())
    owners = {
        node.sha: forest.place(position, node, on_mainline=node.sha in {"head", "old", "root"}).sha
        for position, node in enumerate(nodes)
    }
    assert owners == {
        "head": "head",
        "old": "old",
        "old side": "old",
        "new side": "head",
        "shared": "old",
        "root": "root",
    }


def test_first_commit_of_all_can_be_a_pull_request(tmp_path: Path) -> None:
    Workshop(tmp_path / "api").commit("Begin (#1)", "2025-03-02 10:00", files={"a.py": "1\n2\n"})
    row = read_all(source(tmp_path / "api")).pull_request(1)
    assert (row["additions"], row["files"][0]["status"]) == (2, "added")


def test_octopus_brings_in_all_its_branches(workshop: Workshop) -> None:
    for name in ("left", "right"):
        workshop.branch(name)
        workshop.commit(f"Of {name}", "2025-03-02 10:00")
    workshop.merge("left", "right", message="Merge branches 'left' and 'right'", at="2025-03-03 10:00")
    contents = read_all(source(workshop.path))
    assert sorted(contents.loose) == ["Of left", "Of right"]
    assert contents.pull_requests == []


def test_merge_with_a_squash_subject_and_squash_with_a_merge_subject_are_pull_requests(
    workshop: Workshop,
) -> None:
    workshop.branch("titled")
    workshop.commit("Inside", "2025-03-02 10:00")
    workshop.merge("titled", message="A titled merge (#10)", at="2025-03-03 10:00")
    workshop.commit("Merge pull request #11 from corp/flat\n\nFlat", "2025-03-04 10:00")
    contents = read_all(source(workshop.path))
    assert contents.subjects(10) == ["Inside"]
    assert contents.pull_request(10)["title"] == "A titled merge"
    assert contents.pull_request(11)["title"] == "Flat"
    assert contents.pull_request(11)["opened_after"] is None
    assert len(contents.subjects(11)) == 1


def test_the_oldest_of_two_commits_with_a_number_is_the_pull_request(workshop: Workshop) -> None:
    workshop.commit("Landed (#12)", "2025-03-02 10:00")
    workshop.commit("Something else", "2025-03-03 10:00")
    workshop.commit("Landed again (#12)", "2025-03-04 10:00")
    contents = read_all(source(workshop.path))
    assert [row["title"] for row in contents.pull_requests] == ["Landed"]
    assert contents.loose == ["Something else", "Landed again (#12)"]
    # The same whether or not the older one is in the window: moving that changes nothing.
    assert read_all(source(workshop.path, since="2025-03-03")).loose == contents.loose


def test_the_window_holds_the_main_line_of_its_days(workshop: Workshop) -> None:
    workshop.commit("Late on the day before (#1)", "2025-03-01 23:59:59")
    workshop.commit("First second (#2)", "2025-03-02 00:00:00")
    workshop.commit("With a clock gone wrong (#3)", "2025-05-01 10:00")
    workshop.commit("Last second (#4)", "2025-03-03 23:59:59")
    workshop.commit("Too late (#5)", "2025-03-04 00:00:00")
    assert read_all(source(workshop.path, since="2025-03-02", until="2025-03-03")).numbers == [2, 4]


def test_sliding_the_window_leaves_older_pull_requests_and_people_as_they_are(workshop: Workshop) -> None:
    mixture(workshop)
    workshop.commit("A day later (#4)", "2025-03-10 10:00", "Dee Fox <dee@corp.io>")
    before = read_all(source(workshop.path, since="2025-03-02", until="2025-03-09"))
    after = read_all(source(workshop.path, since="2025-03-03", until="2025-03-10"))
    assert before.numbers == [1, 2, 3]
    assert after.numbers == [2, 3, 4]
    assert before.pull_requests[1:] == after.pull_requests[:-1]
    assert before.commits[1:] == after.commits[:-1]
    shared = before.members.keys() & after.members.keys()
    assert shared == {"ann-lee", "bobray", "carl-ek"}
    assert all(before.members[login] == after.members[login] for login in shared)


def same(contents: Contents, other: Contents) -> bool:
    return (contents.pull_requests, contents.commits) == (other.pull_requests, other.commits)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_batches_of_any_size_are_the_same(workshop: Workshop, size: int) -> None:
    mixture(workshop)
    read = source(workshop.path)
    whole, parts = read_all(read, 5), read_all(read, size)
    assert same(whole, parts)
    assert parts.ranges[0][0] == 0
    assert parts.ranges[-1][1] == read.length
    assert all(stop == start for (_, stop), (start, _) in zip(parts.ranges, parts.ranges[1:], strict=False))
    assert all(stop - start <= size for start, stop in parts.ranges)


def test_several_processes_of_git_read_what_one_reads(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture(workshop)
    read = source(workshop.path)
    alone = read_all(read, 5)
    asked = []
    stream = Git.stream

    def noted(git: Git, *arguments: str, **options: Any) -> Iterator[str]:
        asked.append(arguments[0])
        return stream(git, *arguments, **options)

    monkeypatch.setattr(Git, "stream", noted)
    monkeypatch.setattr(log, "MAX_PROCESSES", 3)
    monkeypatch.setattr(log, "MIN_COMMITS", 1)
    assert read_all(read, 5) == alone
    assert asked == ["diff-tree"] * 3


def test_a_range_of_positions_leaves_out_the_others_with_their_commits(workshop: Workshop) -> None:
    mixture(workshop)
    whole, rest = read_all(source(workshop.path)), read_all(source(workshop.path), 2, first=2)
    assert rest.ranges == [(2, 4), (4, 5)]
    assert rest.numbers == whole.numbers[-len(rest.numbers) :]
    assert rest.loose == ["Direct", "On the side"]
    assert len(rest.commits) < len(whole.commits)


def test_several_repositories_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("web", "api"):
        made = Workshop(tmp_path / name)
        made.commit(f"First of {name} (#1)", "2025-03-02 10:00")
        made.commit(f"Second of {name} (#2)", "2025-03-03 10:00")
    read = source(tmp_path / "web", tmp_path / "api")
    contents = read_all(read, 3)
    rows = [(row["repository"], row["number"]) for row in contents.pull_requests]
    assert rows == [("acme/api", 1), ("acme/api", 2), ("acme/web", 1), ("acme/web", 2)]
    assert len({row["key"] for row in contents.pull_requests}) == 4
    assert read.total == 4
    assert len(contents.members) == 1


def test_commits_that_a_fork_shares_have_one_row(workshop: Workshop, tmp_path: Path) -> None:
    workshop.commit("Shared (#1)", "2025-03-02 10:00")
    workshop.git("clone", "--quiet", str(workshop.path), str(tmp_path / "fork"))
    Workshop(tmp_path / "fork").commit("Own (#2)", "2025-03-03 10:00")
    contents = read_all(source(workshop.path, tmp_path / "fork"))
    assert [(row["repository"], row["number"]) for row in contents.pull_requests] == [
        ("acme/api", 1),
        ("acme/fork", 1),
        ("acme/fork", 2),
    ]
    assert [commit["repository"] for commit in contents.commits] == ["acme/api", "acme/fork"]


def test_bare_clone_says_the_same_as_a_checkout_with_attributes_and_changes(
    workshop: Workshop, tmp_path: Path
) -> None:
    workshop.commit("Attributes (#1)", "2025-03-02 09:00", files={".gitattributes": "*.py -diff\n"})
    mixture(workshop)
    workshop.git("clone", "--quiet", "--bare", str(workshop.path), str(tmp_path / "bare" / "api"))
    (workshop.path / ".mailmap").write_text("Somebody Else <else@corp.io> <ann@corp.io>\n")
    workshop.git("config", "core.worktree", "..")  # as in a submodule
    checkout, bare = source(workshop.path), source(tmp_path / "bare" / "api")
    assert same(read_all(checkout), read_all(bare))
    assert read_all(checkout).members == read_all(bare).members
    assert checkout.fingerprint == bare.fingerprint
    assert read_all(bare).pull_request(2)["additions"] == 2


def test_fingerprint_names_the_commits_that_were_read(workshop: Workshop) -> None:
    first = workshop.head
    tip = workshop.commit("One (#1)", "2025-03-02 10:00")
    head = workshop.commit("Outside (#2)", "2025-04-02 10:00")
    assert source(workshop.path).fingerprint == f"acme/api:{head}:{first}..{tip}"


def test_name_comes_from_the_origin_or_the_folder(workshop: Workshop, tmp_path: Path) -> None:
    assert repository_name(workshop.path) == "api"
    assert repository_name(workshop.path / ".git") == "api"
    assert repository_name(tmp_path / "api.git") == "api"
    assert repository_name(tmp_path / "corp+api" / "repo") == "corp/api"
    for url, name in {
        "https://github.com/corp/api.git": "corp/api",
        "git@github.com:corp/web-app.git": "corp/web-app",
        "ssh://git@host:22/group/sub/x.js/": "sub/x.js",
        "/srv/git/api.git": "api",
        "file:///srv/git/api.git": "api",
    }.items():
        workshop.git("config", "remote.origin.url", url)
        assert repository_name(workshop.path) == name


def test_window_ends_by_default_with_the_newest_commit(workshop: Workshop) -> None:
    workshop.commit("Newest", "2025-03-07 23:30")
    repositories = [Repository(workshop.path, "api")]
    noon = functools.partial(datetime.datetime, hour=12, tzinfo=datetime.UTC)
    assert default_until(repositories, noon(2025, 6, 1)) == datetime.date(2025, 3, 7)
    assert default_until(repositories, noon(2025, 3, 8)) == datetime.date(2025, 3, 7)
    # A commit that is dated in the future does not count before that time.
    assert default_until(repositories, noon(2025, 3, 7)) == datetime.date(2025, 3, 6)
    assert default_until(repositories, noon(2025, 3, 2)) == datetime.date(2025, 3, 1)


def test_inputs_say_whether_addresses_are_kept(workshop: Workshop) -> None:
    repositories = [Repository(workshop.path, "api")]
    window = profile(since="2025-01-01")
    assert GitSource(repositories, window).inputs == {"emails": False}
    assert GitSource(repositories, window, emails=True).inputs == {"emails": True}
