"""A clone is somebody else's input: no setting of it, the user or the system runs or changes anything."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repositories import Content, Workshop, content_of, read_all, source
from tformance_seed.errors import InputError
from tformance_seed.sources.git import process, repository_name
from tformance_seed.sources.git.process import Git

#: Settings that name a program, a server, or a file with more settings.
RUN_BY_GIT = (
    "alias.config",
    "alias.diff-tree",
    "alias.log",
    "alias.rev-list",
    "alias.rev-parse",
    "alias.symbolic-ref",
    "core.alternateRefsCommand",
    "core.askPass",
    "core.editor",
    "core.fsmonitor",
    "core.gitProxy",
    "core.pager",
    "core.sshCommand",
    "credential.helper",
    "diff.evil.command",
    "diff.evil.textconv",
    "diff.external",
    "filter.evil.clean",
    "filter.evil.process",
    "filter.evil.smudge",
    "gpg.openpgp.program",
    "gpg.program",
    "gpg.ssh.defaultKeyCommand",
    "interactive.diffFilter",
    "pager.diff-tree",
    "pager.log",
    "remote.origin.receivepack",
    "remote.origin.uploadpack",
    "remote.origin.vcs",
    "sequence.editor",
    "trailer.evil.cmd",
    "trailer.evil.command",
    "uploadpack.packObjectsHook",
)

HOOKS = (
    "fsmonitor-watchman",
    "post-checkout",
    "post-index-change",
    "query-watchman",
    "reference-transaction",
)

#: Variables of the environment that name a program.
RUN_FROM_ENVIRONMENT = (
    "EDITOR",
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "PAGER",
    "SSH_ASKPASS",
)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A program that leaves a file called ``canary.ran`` behind when it runs."""
    program = tmp_path / "canary"
    program.write_text(f"#!/bin/sh\necho $0 $@ >> {program}.ran\n")
    program.chmod(0o755)
    return program


def has_run(canary: Path) -> bool:
    return canary.with_suffix(".ran").exists()


def dangerous_settings(canary: Path) -> str:
    entries = [f"[{section}]\n{key} = {canary}\n" for section, _, key in map(split, RUN_BY_GIT)]
    more = '[log]\nshowSignature = true\n[protocol "ext"]\nallow = always\n[core]\nhooksPath = /nowhere\n'
    return "".join(entries) + more


def split(name: str) -> tuple[str, str, str]:
    first, *middle, last = name.split(".")
    return (f'{first} "{".".join(middle)}"' if middle else first), ".", last


def test_the_canary_runs_where_git_obeys_a_clone(workshop: Workshop, canary: Path) -> None:
    workshop.git("config", "core.fsmonitor", str(canary))
    workshop.git("status")
    assert has_run(canary)


def test_no_program_named_in_a_clone_runs(workshop: Workshop, plain: Content, canary: Path) -> None:
    folder = workshop.path / ".git"
    (folder / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS:
        shutil.copy(canary, folder / "hooks" / hook)
    settings = dangerous_settings(canary)
    (folder / "included").write_text(settings)
    (folder / "config.worktree").write_text(settings)
    with (folder / "config").open("a") as config:
        config.write(settings)
        config.write(f'[include]\npath = {folder}/included\n[includeIf "gitdir:**"]\npath = included\n')
        config.write("[core]\nrepositoryFormatVersion = 1\n[extensions]\nworktreeConfig = true\n")
    assert content_of(workshop.path) == plain
    assert not has_run(canary)


def test_missing_objects_are_not_fetched_through_a_program_of_the_clone(
    workshop: Workshop, canary: Path
) -> None:
    url = f"ext::{canary} %S"
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": url,
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "protocol.allow": "always",
    }.items():
        workshop.git("config", name, value)
    sha = workshop.git("rev-parse", "HEAD~1:größer.txt")
    (workshop.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    read = source(workshop.path)
    read_all(read)
    assert "lacks contents" in read.warnings[0]
    assert not has_run(canary)


def test_no_program_named_by_the_user_or_the_system_runs(
    workshop: Workshop, plain: Content, canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    for file in (".gitconfig", ".config/git/config", "system"):
        (home / file).write_text(dangerous_settings(canary))
    (home / ".config" / "git" / "attributes").write_text("* diff=evil\n")
    for name in RUN_FROM_ENVIRONMENT:
        monkeypatch.setenv(name, str(canary))
    for name, value in {
        "HOME": str(home),
        "GIT_CONFIG_SYSTEM": str(home / "system"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(canary),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={canary}'",
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_TEMPLATE_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    assert content_of(workshop.path) == plain
    assert not has_run(canary)


def test_a_program_called_git_in_the_clone_or_in_the_current_folder_does_not_run(
    workshop: Workshop, plain: Content, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (workshop.path, workshop.path / ".git"):
        shutil.copy(canary, folder / "git")
    monkeypatch.chdir(workshop.path)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert content_of(workshop.path) == plain
    assert not has_run(canary)


def test_git_sees_our_settings_alone(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.git("config", "some.setting", "of the clone")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "some.setting")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "of the user")
    (tmp_path / ".gitconfig").write_text("[some]\nsetting = of the user\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    git = Git(workshop.path)
    seen = {entry.partition("\n")[0] for entry in git.stream("config", "--list", "--null")}
    assert seen == {*map(str.lower, process.SETTINGS), "mailmap.blob"}


def config(**settings: str) -> Callable[[Workshop], None]:
    def change(workshop: Workshop) -> None:
        for name, value in settings.items():
            workshop.git("config", name.replace("__", "."), value)

    return change


def file(name: str, text: str) -> Callable[[Workshop], None]:
    def change(workshop: Workshop) -> None:
        path = workshop.path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(head=workshop.head, older=workshop.git("rev-parse", "HEAD~1")))

    return change


def command(*arguments: str) -> Callable[[Workshop], None]:
    return lambda workshop: (
        subprocess.run(["git", *arguments], cwd=workshop.path, check=True, capture_output=True) and None
    )


@pytest.mark.parametrize(
    "change",
    [
        config(core__bigFileThreshold="10"),
        config(core__commentChar="C", core__ignoreCase="true", core__precomposeUnicode="true"),
        config(core__quotePath="true", core__whitespace="cr-at-eol", core__autocrlf="true"),
        config(core__worktree="/nonexistent"),
        config(core__bare="true"),
        config(core__attributesFile="/dev/zero", diff__orderFile="/dev/zero"),
        config(diff__renames="copies", diff__renameLimit="1", diff__algorithm="patience"),
        config(diff__relative="true", diff__noprefix="true", diff__ignoreSubmodules="all"),
        config(i18n__logOutputEncoding="UTF-16", i18n__commitEncoding="UTF-16"),
        config(log__mailmap="false", log__follow="true", log__date="relative", format__pretty="oneline"),
        config(log__excludeDecoration="true", notes__displayRef="*", color__ui="always"),
        config(mailmap__blob="HEAD:big.txt", mailmap__file="/dev/zero"),
        config(trailer__separators="=", trailer__eve__key="Co-authored-by"),
        config(core__repositoryFormatVersion="1", extensions__unknown="true"),
        config(core__sparseCheckout="true", feature__manyFiles="true", feature__experimental="true"),
        config(include__path="/dev/zero"),
        file("info/attributes", "* -diff\n"),
        file("info/grafts", "{head} {older}\n"),
        file("info/sparse-checkout", "nothing\n"),
        file("shallow", "{older}\n"),
        file("objects/info/commit-graph", "CGPH broken"),
        file("objects/pack/multi-pack-index", "MIDX broken"),
        command("replace", "HEAD~1", "HEAD~2"),
        command("commit-graph", "write", "--reachable", "--changed-paths"),
        command("repack", "-adq", "--write-bitmap-index"),
        command("pack-refs", "--all"),
        command("checkout", "--quiet", "--detach"),
    ],
)
def test_no_setting_of_a_clone_changes_what_is_read(
    workshop: Workshop, plain: Content, change: Callable[[Workshop], None]
) -> None:
    change(workshop)
    assert content_of(workshop.path) == plain


@pytest.mark.parametrize(
    "name",
    [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DEFAULT_HASH",
        "GIT_DIFF_OPTS",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_REF_PARANOIA",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_TRACE",
        "GIT_WORK_TREE",
        "LC_ALL",
        "TZ",
    ],
)
def test_no_variable_of_the_environment_changes_what_is_read(
    workshop: Workshop, plain: Content, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/nowhere")
    assert content_of(workshop.path) == plain


def test_branch_named_like_an_option_is_a_branch(workshop: Workshop, plain: Content, tmp_path: Path) -> None:
    workshop.git("update-ref", "refs/heads/--output=written", "HEAD")
    workshop.git("symbolic-ref", "HEAD", "refs/heads/--output=written")
    assert content_of(workshop.path) == plain
    assert list(tmp_path.rglob("written")) == []


def test_origin_of_another_place_is_not_included(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "more").write_text('[remote "origin"]\nurl = https://host/corp/included\n')
    workshop.git("config", "include.path", str(tmp_path / "more"))
    assert repository_name(workshop.path) == "api"


def test_git_that_does_not_answer_is_given_up(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text('#!/bin/sh\ntest "$1" = --version && echo git version 2.40 || exec sleep 1000\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(process, "TIME_LIMIT", 0.2)
    with pytest.raises(InputError, match=r"git config took longer than 0.2 seconds"):
        source(workshop.path)


def test_names_are_read_in_whatever_encoding_the_machine_has_for_its_files() -> None:
    script = (
        "from tformance_seed.sources.git.log import _readable; print(ascii(_readable('\\u65e5\\xe9\\udcff')))"
    )
    env = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
    shown = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == r"'\u65e5\xe9\ufffd'"
