"""Tables for people: aligned in a pipe, as wide as a terminal allows."""

import contextlib
import datetime
import io
import json
import os
import pty
import re
import subprocess
import sys
from unittest import mock

import pytest

import tformance_seed
from tests.support.commands import argv, clean, command
from tformance_seed.cli import answer, console, progress
from tformance_seed.cli.blocks import Paragraph, Table, View
from tformance_seed.cli.objects.shared import VERSION
from tformance_seed.ledger import JobStatus, RunStatus, StageStatus
from tformance_seed.ledger.status import PHASE_SHARES
from tformance_seed.pipeline.stages import STAGES


def shown(capsys: pytest.CaptureFixture[str], columns: tuple[str, ...], *rows: tuple) -> list[str]:
    console.show(View({}, [Table("Title", columns, rows)]), as_json=False)
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


@pytest.mark.parametrize("width", [50, 200])
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
    left_out = "ecommerce" not in "\n".join(lines)
    assert left_out == (width == 50)


def test_a_view_is_one_json_object_or_blocks_for_people(capsys):
    view = View({"rows": 2, "day": datetime.date(2026, 3, 18)}, [Table("Title", ("a",), [(1,)]), "a line"])
    answer.begin("verify")
    console.show(view, as_json=True)
    assert capsys.readouterr().out == ""
    answer.finish()
    fields = {"version": VERSION, "command": "verify", "database": None, "error": None}
    assert json.loads(capsys.readouterr().out) == {**fields, "rows": 2, "day": "2026-03-18"}
    console.show(view, as_json=False)
    assert capsys.readouterr().out == "Title\na\n1\n\na line\n"


def test_a_paragraph_is_wrapped_with_a_hanging_indent(capsys, monkeypatch):
    monkeypatch.setattr(console, "PIPE_WIDTH", 30)
    paragraph = Paragraph(" name: because of many words that follow", "error", {"bold": True}, indent=2)
    console.show(View({}, [paragraph]), as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "  error name: because of",
        "      many words that follow",
    ]


def test_an_error_is_one_line_on_standard_error(capsys):
    console.print_error("first\n  second")
    assert capsys.readouterr() == ("", "tformance-seed: first second\n")


def test_a_run_without_workers_shows_how_to_go_on_once(capsys, monkeypatch):
    monkeypatch.setattr(progress, "NO_WORKER_HINT_AFTER", -1)
    run = RunStatus("run-1", "running", [], 1.0, None, 0.0, 0, 0, 0.0, activity_counter=0)
    with progress.progress(workers=True) as show_progress:
        show_progress(run)
        show_progress(run)
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "start a worker with: tformance-seed worker; or go on without one" in errors
    assert "tformance-seed retry run-1 --broker none" in errors


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_a_bar_for_organisations_and_for_each_stage(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    begun = [StageStatus("ai_usage", 1, done=1, waiting=3)]
    jobs = [JobStatus("acme", "running", 1, stages=begun), JobStatus("polar", "finished", 3)]
    run = RunStatus("run-1", "running", jobs, 1.0, 125.0, 0.0, 0, 0, 0.0, activity_counter=1)
    with progress.progress(workers=False) as show_progress:
        show_progress(run)
    drawn = sys.stderr.getvalue()
    assert "61%, 1 of 2 organisations, about 2 min 5 s left" in drawn
    assert "ai usage" in drawn
    assert "1 of 4 tasks known" in drawn


def test_progress_never_goes_back_and_is_complete_at_the_end_only(url):
    shares, phases = [], {}

    def watched(status):
        shares.append(status.share)
        for bar in progress.progress_of(status):
            phases.setdefault(bar.phase, []).append(bar.share)
            assert bar.figures.startswith("100%") == status.is_finished or bar.phase is not None

    with (
        mock.patch("tformance_seed.commands.watch.PROGRESS_INTERVAL", 0),
        mock.patch("tformance_seed.commands.watch.PROGRESS_SHARE", 0),
    ):
        outcome = tformance_seed.seed(
            url, "polar", "resend", days=12, prs=40, until="2026-03-18", chunk_size=60, progress=watched
        )
    assert outcome.failures == {}
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert [share for share in shares if share == 1] == shares[-1:]
    assert all(found == sorted(found) for found in phases.values())


def test_there_is_a_share_for_each_phase():
    assert len(PHASE_SHARES) == len({stage.phase for stage in STAGES.values()})
    assert sum(PHASE_SHARES) == pytest.approx(1)


def test_progress_in_a_pipe_is_not_shown():
    with progress.progress(workers=False) as show_progress:
        assert show_progress is None
