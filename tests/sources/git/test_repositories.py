"""The git source on repositories that are damaged, foreign, partial or empty."""

import datetime
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.repositories import Imported, Workshop, import_history, read_all, source
from tformance_seed.errors import InputError, SeedError, TransientError
from tformance_seed.sources.git import Repository, default_until
from tformance_seed.sources.git.process import Git


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "api")
    made.commit("Begin", "2025-02-01 09:00", files={"README.md": "hello\n"})
    made.commit("One (#1)", "2025-03-02 10:00", files={"app/one.py": "1\n", "video.mp4": "old\n" * 50})
    made.commit("Two (#2)", "2025-03-03 10:00", files={"app/two.py": "1\n2\n", "video.mp4": "new\n" * 50})
    made.commit(
        "Three (#3)", "2025-03-04 10:00", files={"app/one.py": "1\n2\n3\n", "video.mp4": "last\n" * 50}
    )
    return made


def complaint(path: Path, **window: str) -> str:
    with pytest.raises(InputError) as raised:
        source(path, **window)
    message = str(raised.value)
    assert "\n" not in message
    return message


def lose(workshop: Workshop, name: str) -> None:
    """Take an object out of a repository."""
    sha = workshop.git("rev-parse", name)
    (workshop.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()


def test_missing_folder_and_plain_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert complaint(tmp_path / "nowhere").startswith(f"repository {tmp_path}/nowhere: no such folder")
    assert "no such folder" in complaint(tmp_path / "file")


def test_folder_without_a_repository_is_refused_even_inside_another(workshop: Workshop) -> None:
    assert "not a git repository" in complaint(workshop.path / "app")


def test_repository_without_commits_is_refused(tmp_path: Path) -> None:
    Workshop(tmp_path / "empty")
    assert "has no commits" in complaint(tmp_path / "empty")


def test_shallow_clone_is_refused_with_its_remedy(workshop: Workshop, tmp_path: Path) -> None:
    workshop.git("clone", "--quiet", "--depth=1", f"file://{workshop.path}", str(tmp_path / "shallow"))
    assert "git fetch --unshallow" in complaint(tmp_path / "shallow")


def test_missing_commit_is_refused(workshop: Workshop) -> None:
    lose(workshop, "HEAD~2")
    assert "truncated or damaged" in complaint(workshop.path)


def test_missing_folder_of_a_commit_is_refused(workshop: Workshop) -> None:
    lose(workshop, "HEAD~1:app")
    assert "truncated or damaged" in complaint(workshop.path)


def test_missing_head_is_refused(workshop: Workshop) -> None:
    lose(workshop, "HEAD")
    assert "truncated or damaged" in complaint(workshop.path)
    with pytest.raises(InputError, match="truncated or damaged"):
        default_until([Repository(workshop.path, "api")], datetime.datetime.now(datetime.UTC))


def test_repository_of_another_user_is_read_as_nothing_in_it_is_obeyed(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspicious = tmp_path / "bin" / "git"
    suspicious.parent.mkdir()
    suspicious.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {shutil.which("git")} "$@"\n')
    suspicious.chmod(0o755)
    monkeypatch.setenv("PATH", str(suspicious.parent))
    assert read_all(source(workshop.path)).numbers == [1, 2, 3]


def test_two_repositories_of_one_name_are_refused(workshop: Workshop, tmp_path: Path) -> None:
    shutil.copytree(workshop.path, tmp_path / "copy" / "api")
    with pytest.raises(InputError, match="one name"):
        source(workshop.path, tmp_path / "copy" / "api")


@pytest.mark.parametrize(
    ("since", "until", "remedy"),
    [
        ("2025-06-01", "2025-06-30", "try --until 2025-03-04, or --days 119"),
        ("2024-01-01", "2024-12-31", "try --until 2025-03-04"),
        ("2025-02-10", "2025-02-20", "try --until 2025-02-01, or --days 20"),
    ],
)
def test_a_window_without_commits_is_refused_with_a_better_one(
    workshop: Workshop, since: str, until: str, remedy: str
) -> None:
    message = complaint(workshop.path, since=since, until=until)
    assert "history runs from 2025-02-01 to 2025-03-04" in message
    assert message.endswith(remedy)


def test_git_that_is_missing_or_too_old_is_named(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    assert "git cannot be run" in complaint(workshop.path)
    (programs / "git").write_text("#!/bin/sh\necho git version 2.17.1\n")
    (programs / "git").chmod(0o755)
    assert complaint(workshop.path) == "git is too old (git version 2.17.1); install 2.31 or newer"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of git that were started."""
    commands: list[str] = []
    run = Git._run

    def recorded(
        git: Git, folder: Path, arguments: tuple[str, ...], *rest: Any, **named: Any
    ) -> Iterator[bytes]:
        commands.append(arguments[0])
        return run(git, folder, arguments, *rest, **named)

    monkeypatch.setattr(Git, "_run", recorded)
    return commands


def test_missing_contents_cost_only_their_own_lines(workshop: Workshop, started: list[str]) -> None:
    whole = read_all(source(workshop.path))
    lose(workshop, "HEAD~1:video.mp4")
    read = source(workshop.path)
    started.clear()
    contents = read_all(read)
    assert started == ["diff-tree"] * 3  # of those that are whole, of those that are not, and to count these
    assert [row["additions"] for row in whole.pull_requests] == [51, 52, 52]
    assert [row["additions"] for row in contents.pull_requests] == [51, 2, 2]
    for before, after in zip(whole.pull_requests, contents.pull_requests, strict=True):
        assert {file["filename"] for file in before["files"]} == {file["filename"] for file in after["files"]}
    assert contents.pull_request(2)["files"][-1] == {
        "filename": "video.mp4",
        "status": "modified",
        "additions": 0,
        "deletions": 0,
        "file_category": "other",
    }
    (warning,) = read.warnings
    assert "lacks contents of 1 files, such as 'video.mp4'" in warning
    assert read_all(read, size=1).pull_requests == contents.pull_requests


def test_missing_contents_outside_the_window_go_unnoticed(workshop: Workshop) -> None:
    lose(workshop, "HEAD~2:video.mp4")
    assert source(workshop.path, since="2025-03-04").warnings == []
    # The day before compares with what is missing.
    assert len(source(workshop.path, since="2025-03-03").warnings) == 1


def test_partial_clone_is_read_without_the_network(workshop: Workshop, tmp_path: Path) -> None:
    (workshop.path / ".mailmap").write_text("Ann Lee <ann@corp.io> <a@home.net>\n")
    workshop.commit("Names", "2025-03-05 10:00")
    workshop.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial" / "api"
    workshop.git("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{workshop.path}", str(partial))
    objects = sorted((partial / "objects").rglob("*"))
    read = source(partial)
    contents = read_all(read)
    assert sorted((partial / "objects").rglob("*")) == objects
    assert [len(row["files"]) for row in contents.pull_requests] == [2, 2, 2]
    assert {row["additions"] for row in contents.pull_requests} == {0}
    assert "lacks contents of 5 files" in read.warnings[0]


def test_clone_without_contents_takes_no_process_a_commit(tmp_path: Path, started: list[str]) -> None:
    commits = [
        Imported(f"c{each}", f"c{each - 1}" if each else "", f"Change (#{each + 1})", "2025-03-02 10:00", who)
        for each, who in enumerate(["Ann Lee <ann@corp.io>", "G\udcf6ran Ek <g@corp.io>"] * 20)
    ]
    import_history(tmp_path / "api", *commits)
    Workshop(tmp_path / "api").git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial" / "api"
    partial.parent.mkdir()
    origin = f"file://{tmp_path}/api"
    Workshop(tmp_path / "other").git("clone", "-q", "--bare", "--filter=blob:none", origin, str(partial))
    contents = read_all(source(partial))
    assert len(contents.numbers) == 40
    assert {row["author"] for row in contents.pull_requests} == {"ann-lee", "gran-ek"}
    assert len(started) < 20


def test_a_failure_of_git_is_reported_with_its_message(workshop: Workshop) -> None:
    read = source(workshop.path)
    lose(workshop, "HEAD:app/one.py")
    with pytest.raises(SeedError, match=r"git diff-tree: fatal: unable to read"):
        read_all(read)


def test_git_that_is_killed_or_cannot_start_may_succeed_later(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = source(workshop.path)
    impostor = tmp_path / "bin" / "git"
    impostor.parent.mkdir()
    impostor.write_text("#!/bin/sh\nkill -9 $$\n")
    impostor.chmod(0o755)
    monkeypatch.setenv("PATH", str(impostor.parent))
    with pytest.raises(TransientError, match="git diff-tree"):
        list(read.batches(0, 1))
    impostor.chmod(0o644)
    with pytest.raises(TransientError, match="git cannot be started"):
        list(read.batches(0, 1))
