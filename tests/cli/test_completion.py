"""Completion of command lines, in the shells themselves."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import clean, command
from tests.support.terminals import Terminal
from tformance_seed.cli.completion import SHELLS

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path):
    """An environment in which the program is on PATH, as an installer puts it there."""
    program = tmp_path / "bin" / "tformance-seed"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m tformance_seed \"$@\"\n")
    program.chmod(0o755)
    paths = {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT)}
    return clean({**paths, "HOME": str(tmp_path)})


def in_bash(environment, *words):
    """What bash offers for the last of some words."""
    line = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(tformance-seed completion bash)"; '
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        '_tformance_seed_completion tformance-seed; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ver",), ["verify"]),
        (("seed", "pola"), ["polar"]),
        (("seed", "--scenario", "de"), ["detective-game"]),
        (("seed", "--source", "s"), ["synthetic"]),
        (("seed", "--dry"), ["--dry-run"]),
        (("verify", "basel"), ["baseline"]),
        (("clear", "pola"), ["polar"]),
        (("completion", "z"), ["zsh"]),
        (("doctor", "--for", "d"), ["demo"]),
    ],
    ids=" ".join,
)
def test_bash_completes(environment, words, offered):
    assert in_bash(environment, "tformance-seed", *words) == offered


def test_organisations_of_ones_own_catalogue_are_completed(environment, tmp_path):
    (tmp_path / "own.toml").write_text('[acme]\nname = "Acme"\n')
    begun = ("tformance-seed", "seed", "--catalog", str(tmp_path / "own.toml"))
    assert in_bash(environment, *begun, "ac") == ["acme"]
    (tmp_path / "own.toml").write_text("[acme")
    assert in_bash(environment, *begun, "ac") == []


@pytest.mark.shells
def test_fish_completes(environment):
    script = 'tformance-seed completion fish | source; complete -C "tformance-seed seed pola"'
    done = subprocess.run(["fish", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["polar"]


@pytest.mark.shells
def test_zsh_completes(environment):
    with contextlib.closing(Terminal(["zsh", "-f", "-i"], environment)) as zsh:
        setting_up = 'autoload -U compinit; compinit -u; eval "$(tformance-seed completion zsh)"'
        zsh.type(f'PS1="> "; {setting_up}; echo rea""dy\n')
        zsh.wait_for("ready")
        zsh.type("tformance-seed seed pola\t")
        zsh.wait_for("seed polar")


def test_a_shell_that_is_not_known_is_one_line():
    refused = command("completion", "tcsh")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert all(shell in refused.stderr for shell in SHELLS)
