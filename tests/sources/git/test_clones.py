"""Where a clone keeps its history: worktrees, borrowed objects, and what is no repository at all."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repositories import Content, Workshop, content_of, read_all, source
from tformance_seed.errors import InputError
from tformance_seed.sources.git.process import REFTABLE_VERSION


def test_worktrees_and_borrowed_objects_are_read_as_git_reads_them(
    workshop: Workshop, plain: Content, tmp_path: Path
) -> None:
    for name in ("worktree", "shared", "separate"):
        (tmp_path / name).mkdir()
    workshop.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree" / "api"))
    workshop.git("clone", "--quiet", "--shared", ".", str(tmp_path / "shared" / "api"))
    separate = ("--separate-git-dir", str(tmp_path / "elsewhere"))
    workshop.git("clone", "--quiet", *separate, ".", str(tmp_path / "separate" / "api"))
    for name in ("worktree", "shared", "separate"):
        assert read_all(source(tmp_path / name / "api")) == plain[0]
    workshop.git("update-ref", "-d", "HEAD")
    assert read_all(source(tmp_path / "worktree" / "api")) == plain[0]


def test_sha256_history_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", "--object-format=sha256", folder], check=True)
    made = Workshop(folder)
    made.commit("One (#1)", "2025-03-02 10:00")
    contents = read_all(source(folder))
    assert contents.numbers == [1]
    assert contents.commits[0]["sha"] == made.head[:40]


def test_refs_in_a_reftable_are_read_by_a_git_that_can(
    workshop: Workshop, plain: Content, tmp_path: Path
) -> None:
    """A git that cannot is named, instead of a clone that were damaged."""
    version = re.search(r"(\d+)\.(\d+)", workshop.git("--version"))
    assert version
    if (int(version[1]), int(version[2])) >= REFTABLE_VERSION:
        clone = tmp_path / "reftable" / "api"
        workshop.git("clone", "--quiet", "--bare", "--ref-format=reftable", ".", str(clone))
        assert (clone / "reftable" / "tables.list").read_text()
        assert content_of(clone) == plain
        return
    workshop.git("config", "core.repositoryFormatVersion", "1")
    workshop.git("config", "extensions.refStorage", "reftable")
    with pytest.raises(InputError, match=r"api: its refs are in a reftable, which needs git 2\.45 or newer$"):
        source(workshop.path)


@pytest.mark.parametrize(
    "name",
    ["HEAD", "config", "packed-refs", "refs/heads/main", "objects/info/alternates", "objects/pack/a.idx"],
)
def test_a_pipe_in_a_clone_is_refused_instead_of_waited_for(workshop: Workshop, name: str) -> None:
    pipe = workshop.path / ".git" / name
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    with pytest.raises(InputError, match=rf"{name} is not a file"):
        source(workshop.path)


@pytest.mark.parametrize("name", [".mailmap", ".gitattributes", ".git/index", ".git/info/attributes"])
def test_a_pipe_where_nothing_is_read_is_not_noticed(workshop: Workshop, plain: Content, name: str) -> None:
    pipe = workshop.path / name
    pipe.unlink(missing_ok=True)
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe)
    assert content_of(workshop.path) == plain


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("gitdir: /nowhere", "not a git repository"),
        ("gitdir: .", "not a git repository"),
        ("gitdir: a\0b", "not a git repository"),
        ("nonsense", "not a git repository"),
        ("", "not a git repository"),
        ("gitdir: /dev/zero", "not a git repository"),
        ("x" * 10_000, "not a git repository"),
    ],
)
def test_a_file_called_git_that_leads_nowhere_is_refused(tmp_path: Path, pointer: str, message: str) -> None:
    (tmp_path / ".git").write_text(pointer)
    with pytest.raises(InputError, match=message):
        source(tmp_path)


@pytest.mark.parametrize(
    "head", ["", "ref: ../../x", "ref: --output=x", "x" * 40, "\0", "ref: refs/heads/\x1b[2J"]
)
def test_a_head_that_is_none_is_refused_in_one_line(workshop: Workshop, head: str) -> None:
    (workshop.path / ".git" / "HEAD").write_text(head)
    with pytest.raises(InputError) as raised:
        source(workshop.path)
    assert str(raised.value).isprintable()


def test_path_that_is_not_utf_8_is_refused_and_a_link_to_it_is_read(pattern: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    shutil.copytree(pattern, odd)
    with pytest.raises(InputError, match=r"caf\\xe9: its path is not UTF-8"):
        source(odd)
    (tmp_path / "api").symlink_to(odd)
    assert content_of(tmp_path / "api") == content_of(pattern)
