"""Pull requests whose commits were rebased or picked when they were merged, known by their refs."""

from pathlib import Path

from tests.support.repositories import Contents, Imported, Workshop, import_history, read_all, source

#: The commits of a pull request, an hour apart, as they are on its branch.
BRANCH = [
    Imported("begin", "", "Begin", "2025-03-02 08:00"),
    Imported("one", "begin", "One", "2025-03-02 09:00"),
    Imported("two", "one", "Two", "2025-03-02 10:00"),
]


def copy(name: str, parents: str, message: str, authored: str, at: str = "2025-03-03 12:00") -> Imported:
    return Imported(name, parents, message, at, authored=authored)


#: The same, rebased onto the main line.
MAIN = [
    Imported("other", "begin", "Other", "2025-03-03 11:00"),
    copy("copy1", "other", "One", "2025-03-02 09:00"),
    copy("copy2", "copy1", "Two", "2025-03-02 10:00"),
    Imported("later", "copy2", "Later", "2025-03-04 12:00"),
]


def content(folder: Path, commits: list[Imported], refs: dict[int, str]) -> Contents:
    """What is read of a history with the heads of these pull requests."""
    names = import_history(folder, *commits)
    for number, name in refs.items():
        Workshop(folder).git("update-ref", f"refs/pull/{number}/head", names[name])
    return read_all(source(folder))


def owned(contents: Contents) -> dict[int, list[str]]:
    return {number: contents.subjects(number) for number in sorted(contents.numbers)}


def test_rebased_pull_request_has_the_copies_of_its_commits(tmp_path: Path) -> None:
    contents = content(tmp_path / "api", BRANCH + MAIN, {7: "two"})
    assert owned(contents) == {7: ["One", "Two"]}
    assert contents.loose == ["Begin", "Other", "Later"]
    row = contents.pull_request(7)
    assert (row["ended_at"].day, row["opened_after"].hour, row["additions"]) == (3, 9, 2)
    assert sorted(file["filename"] for file in row["files"]) == ["copy1.py", "copy2.py"]
    assert [each["additions"] for each in contents.commits if each["pull_request"] == 7] == [1, 1]


def test_rebased_pull_request_merged_beside_the_main_line_is_found_there(tmp_path: Path) -> None:
    merge = Imported("merge", "begin copy2", "Merge branch 'develop'", "2025-03-05 12:00")
    contents = content(tmp_path / "api", [*BRANCH, *MAIN[:-1], merge], {7: "two"})
    assert owned(contents) == {7: ["One", "Two"]}
    assert contents.pull_request(7)["ended_at"].day == 3


def test_stacked_pull_requests_have_their_own_commits_each(tmp_path: Path) -> None:
    contents = content(tmp_path / "api", BRANCH + MAIN, {6: "one", 7: "two"})
    assert owned(contents) == {6: ["One"], 7: ["Two"]}
    assert [row["opened_after"].hour for row in contents.pull_requests] == [9, 10]


def test_main_line_merged_into_the_branch_is_no_part_of_the_pull_request(tmp_path: Path) -> None:
    sync = Imported("sync", "one other", "Merge branch 'main'", "2025-03-03 11:30")
    two = Imported("three", "sync", "Two", "2025-03-03 11:40", authored="2025-03-02 10:00")
    contents = content(tmp_path / "api", [*BRANCH[:2], MAIN[0], sync, two, *MAIN[1:]], {7: "three"})
    assert owned(contents) == {7: ["One", "Two"]}


def test_pull_request_of_which_only_the_newest_commit_was_cloned_has_that_one(tmp_path: Path) -> None:
    import_history(tmp_path / "theirs", *BRANCH, *MAIN)
    shop, theirs = Workshop(tmp_path / "api"), f"file://{tmp_path}/theirs"
    shop.git("fetch", "--quiet", theirs, "refs/heads/later:refs/heads/later")
    shop.git("fetch", "--quiet", "--depth", "1", theirs, "refs/heads/two:refs/pull/7/head")
    shop.git("symbolic-ref", "HEAD", "refs/heads/later")
    contents = read_all(source(shop.path))
    assert owned(contents) == {7: ["Two"]}
    assert contents.loose == ["Begin", "Other", "One", "Later"]


def test_pull_request_that_another_one_replaced_is_not_merged(tmp_path: Path) -> None:
    merge = Imported("merge", "other copy2", "Merge pull request #9 from ann/two", "2025-03-05 12:00")
    contents = content(tmp_path / "api", [*BRANCH, *MAIN[:-1], merge], {7: "two", 9: "copy2"})
    assert owned(contents) == {9: ["One", "Two"]}


def test_of_two_pull_requests_of_one_commit_the_last_is_merged(tmp_path: Path) -> None:
    again = Imported("again", "one", "Two", "2025-03-02 11:00", authored="2025-03-02 10:00")
    contents = content(tmp_path / "api", [*BRANCH, again, *MAIN], {7: "two", 8: "again"})
    assert owned(contents) == {8: ["One", "Two"]}


def test_pull_request_that_copies_what_was_merged_before_is_not_merged(tmp_path: Path) -> None:
    backport = copy("backport", "begin", "Two", "2025-03-02 10:00", "2025-03-06 12:00")
    assert owned(content(tmp_path / "api", [*BRANCH, backport, *MAIN], {8: "backport"})) == {}


def test_title_that_names_its_own_number_is_believed(tmp_path: Path) -> None:
    named = Imported("named", "later", "Two (#7)", "2025-03-05 12:00")
    contents = content(tmp_path / "api", [*BRANCH, *MAIN, named], {7: "two"})
    assert owned(contents) == {7: ["Two (#7)"]}
