"""Long lists go through the user's pager, at a terminal and nowhere else."""

import contextlib

import pytest

from tests.support.commands import argv, clean, command
from tests.support.terminals import Terminal


@pytest.fixture
def pager(tmp_path):
    """A pager that marks what it shows."""
    program = tmp_path / "pager"
    program.write_text("#!/bin/sh\necho PAGED\ncat\n")
    program.chmod(0o755)
    return str(program)


def shown(pager, *arguments, lines=24):
    with contextlib.closing(Terminal(argv(*arguments), clean({"PAGER": pager}), lines=lines)) as terminal:
        assert terminal.wait() == 0
        return terminal.text


def test_a_list_that_is_longer_than_the_terminal_is_paged(pager):
    text = shown(pager, "orgs")
    assert text.startswith("PAGED\n100 organisations")
    assert "\nScenarios" in text


def test_a_list_that_fits_is_not(pager):
    assert "PAGED" not in shown(pager, "orgs", "--scenarios")
    assert "PAGED" not in shown(pager, "orgs", lines=200)


@pytest.mark.parametrize("none", ["", "cat", "/no/such/pager"])
def test_nor_where_there_is_no_pager(none):
    assert shown(none, "orgs").startswith("100 organisations")


def test_nor_in_a_pipe(pager):
    assert "PAGED" not in command("orgs", PAGER=pager).stdout
