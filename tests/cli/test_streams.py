"""Closed or full standard streams, and interrupts at any instant: no run is lost, no traceback shown."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.commands import argv, clean, command, lines_of_errors
from tests.support.workers import digests
from tformance_seed.execution import log_format

SEED = ("seed", "resend", "--days", "9", "--until", "2026-03-18")


def run_in_shell(redirection, *arguments):
    """Run a command with redirected streams; return its exit status, output and errors."""
    line = f'"$@" {redirection}'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *argv(*arguments)],
        capture_output=True,
        text=True,
        env=clean(),
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("redirection", "status"),
    [
        (">&-", 0),
        ("2>&-", 0),
        ("<&- >&- 2>&-", 0),
        ("2>/dev/full", 0),
        (">/dev/full", 1),
        ("| true; exit ${PIPESTATUS[0]}", 0),
        ("2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}", 0),
    ],
)
def test_a_run_is_completed_whatever_becomes_of_its_output(tmp_path, redirection, status):
    url = f"sqlite:///{tmp_path}/x.db"
    returned, _, errors = run_in_shell(redirection, *SEED, "--database", url)
    assert returned == status
    assert "Traceback" not in errors
    assert lines_of_errors(errors) == status
    assert list(digests(url)) == ["resend"]


def test_whoever_closes_an_export_has_read_enough(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    assert command(*SEED, "--database", url).returncode == 0
    export = ("export", "--format", "sql", "--database", url)
    assert run_in_shell("| true; exit ${PIPESTATUS[0]}", *export) == (0, "", "")
    status, output, errors = run_in_shell(">/dev/full", *export)
    assert (status, output, errors.count("\n")) == (1, "", 1)


def test_a_closed_standard_input_gives_no_answer(tmp_path):
    status, output, errors = run_in_shell("<&-", "seed", "--database", "-")
    assert (status, output, errors.count("\n")) == (2, "", 1), errors
    assert "expected a URL on the first line of standard input" in errors


def test_an_error_never_stands_where_json_belongs(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    status, output, _ = run_in_shell("2>&-", "seed", "nonsense", "--json", "--database", url)
    assert (status, json.loads(output)["error"]["exit_status"]) == (2, 2)
    assert json.loads(run_in_shell("2>&-", *SEED, "--json", "--database", url)[1])["failures"] == []
    assert command("verify", "--database", url).returncode == 0


def test_no_library_takes_over_what_the_entry_point_does_about_exceptions(monkeypatch):
    """Typer does while it runs an application, so errors that drivers print themselves would show again."""
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    silenced = sys.excepthook
    assert command("orgs").returncode == 0
    assert sys.excepthook is silenced


def test_workers_print_no_error_that_a_driver_has_replaced(monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    log_format.ignore_replaced_errors()
    sys.excepthook(SystemError, SystemError("returned a result with an exception set"), None)
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match="wrong") as caught:
        raise ValueError("wrong")
    sys.excepthook(ValueError, caught.value, caught.tb)
    assert "Traceback" in capsys.readouterr().err


def interrupted(url, after):
    """Interrupt a command some time after Python has begun to import it; return its status and errors."""
    reading, writing = os.pipe()
    begin = f"import os; from tformance_seed.cli.entry import main; os.write({writing}, b'x'); main()"
    run = subprocess.Popen(
        [argv()[0], "-c", begin, "seed", "--all", "--database", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean(),
        pass_fds=[writing],
    )
    os.read(reading, 1)
    time.sleep(after)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    for descriptor in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    return run.returncode, errors


def test_an_interrupt_while_importing_is_one_line(tmp_path):
    for step in range(10):
        status, errors = interrupted(f"sqlite:///{tmp_path}/x.db", 0.02 + 0.1 * step)
        assert (status, lines_of_errors(errors)) == (130, 1), errors
        assert "interrupted" in errors
