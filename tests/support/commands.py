"""Run the command line: in this process where a process is not the point, else in one of its own."""

import contextlib
import io
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from tests.support import json_output
from tformance_seed.cli.app import main

#: Variables that the package reads; none reaches a command unless a test says so.
PACKAGE_VARIABLES = {
    "DATABASE_URL",
    "GITHUB_SEEDING_TOKENS",
    "GITHUB_TOKEN",
    "TFORMANCE_GITHUB_URL",
    "XDG_CACHE_HOME",
    "TFORMANCE_BROKER_URL",
    "TFORMANCE_REDIS_URL",
    "TFORMANCE_APP_URL",
    "TFORMANCE_LLM_KEY",
    "TFORMANCE_LLM_RATE",
    "TFORMANCE_LLM_TIMEOUT",
    "TFORMANCE_LLM_URL",
    "TFORMANCE_LOG",
    "TFORMANCE_PASSWORD",
    "TFORMANCE_PROMETHEUS",
}

#: Kinds of warnings that Python does not print by default.
HIDDEN_WARNINGS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def command(
    *arguments: object, folder: Path | None = None, answer: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command within this process; return its exit status and output as of a process.

    Parameters:
      folder: where it runs.
      answer: what is typed on its standard input.
      environment: variables beside those of the tests, which name no database.
    """
    argv = ["tformance-seed", *map(str, arguments)]
    output, errors = io.StringIO(), io.StringIO()
    with (
        _process_state(folder or Path.cwd(), environment),
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(sys, "stdin", io.StringIO(answer)),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code
    json_output.check(arguments, status, output.getvalue())
    return subprocess.CompletedProcess(argv, status, output.getvalue(), errors.getvalue())


@contextlib.contextmanager
def _process_state(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Set what a new process would have to itself, and restore it afterwards."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, clean(environment), clear=True),
        warnings.catch_warnings(),
    ):
        warnings.resetwarnings()
        for kind in HIDDEN_WARNINGS:
            warnings.simplefilter("ignore", kind)
        warnings.showwarning = _show_warning
        try:
            yield
        finally:
            root.handlers = handlers


def _show_warning(message, category, filename, lineno, file=None, line=None):
    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


def command_process(
    *arguments: object, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m tformance_seed`` as a user does; the environment names no database."""
    result = subprocess.run(
        argv(*arguments), capture_output=True, text=True, cwd=folder, env=clean(environment), check=False
    )
    json_output.check(arguments, result.returncode, result.stdout)
    return result


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a command in a process of its own, without waiting for it."""
    return subprocess.Popen(
        argv(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean()
    )


def lines_of_errors(errors: str) -> int:
    """Count the lines on standard error, except for the one that names the database."""
    return sum(": writing to " not in line for line in errors.splitlines())


def argv(*arguments: object) -> list[str]:
    """Return the command line of a process that runs a command."""
    return [sys.executable, "-m", "tformance_seed", *map(str, arguments)]


def clean(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment without the package's variables, but for those in ``extra``."""
    kept = {name: value for name, value in os.environ.items() if name not in PACKAGE_VARIABLES}
    return {**kept, "COLUMNS": "200", **(extra or {})}
