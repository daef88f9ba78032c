"""Tables for people: aligned in a pipe, as wide as a terminal allows."""

import contextlib
import os
import pty
import re
import subprocess

import pytest

from tests.support.commands import argv, clean, command
from tformance_seed.cli.console import Table, print_table


def shown(capsys: pytest.CaptureFixture[str], columns: tuple[str, ...], *rows: tuple) -> list[str]:
    print_table(Table("Title", columns, rows))
    title, *lines, end = capsys.readouterr().out.split("\n")[:-1]
    assert (title, end) == ("Title", "")
    return lines


def test_text_is_left_aligned_and_numbers_are_right_aligned(capsys):
    assert shown(capsys, ("name", "rows", "seconds"), ("a", 1234, 0.5), ("longer", 5, 12.25)) == [
        "name     rows  seconds",
        "a       1,234     0.50",
        "longer      5    12.25",
    ]


def test_a_column_of_numbers_may_have_gaps_but_no_words(capsys):
    assert shown(capsys, ("name", "done", "running"), ("a", "", 3), ("b", 10, "3 + 1 stalled")) == [
        "name  done  running",
        "a           3",
        "b       10  3 + 1 stalled",
    ]


def test_wide_characters_fill_two_columns(capsys):
    assert shown(capsys, ("name", "rows"), ("東京", 1), ("abc", 22)) == [
        "name  rows",
        "東京     1",
        "abc     22",
    ]


def test_what_looks_like_markup_is_shown_as_it_is(capsys):
    assert shown(capsys, ("name",), ("[bold]x[/]",)) == ["name", "[bold]x[/]"]


def test_a_table_without_rows_shows_its_head(capsys):
    assert shown(capsys, ("name", "rows")) == ["name  rows"]


def test_a_table_in_a_pipe_is_aligned_lines_without_colour():
    title, head, *lines = command("orgs", COLUMNS="40").stdout.splitlines()
    assert title.startswith("100 organisations")
    name, members = head.index("name"), head.index("members") + len("members")
    rows = lines[: lines.index("")]
    assert len(rows) == 100
    assert all(row[name - 2 : name] == "  " != row[name] for row in rows)
    assert all(row[members - 1].isdigit() and row[members] == " " for row in rows)
    assert not any("\x1b" in line or line != line.rstrip() for line in [title, head, *lines])


@pytest.mark.parametrize("width", [60, 200])
def test_a_table_on_a_terminal_keeps_to_its_width(width):
    terminal, side = pty.openpty()
    run = subprocess.Popen(argv("orgs"), stdout=side, env=clean({"COLUMNS": str(width), "TERM": "xterm"}))
    os.close(side)
    shown = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other side is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    assert run.wait() == 0
    assert b"\x1b[1m" in shown  # a head in bold
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).splitlines()
    assert max(map(len, lines)) <= width
    folded = "ecommerce" not in "\n".join(lines)
    assert folded == (width == 60)
