"""Times whole commands: how quickly they start, and a git history against git itself."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks.measures import Measure, Ratio

#: Rounds that count, after one for the disk's cache and for Python's bytecode.
ROUNDS, GIT_ROUNDS = 21, 3

#: Python may write bytecode, as pip does at installation: the libraries have theirs too.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

BARE = [sys.executable, "-c", "import typer, rich"]
OURS = [sys.executable, "-m", "tformance_seed"]


def startup(console: Console) -> tuple[list[Measure], list[Ratio]]:
    """Compare `--help` and `orgs` with an interpreter that only imports the command line's libraries."""
    commands = {"import typer, rich": BARE, "--help": [*OURS, "--help"], "orgs": [*OURS, "orgs"]}
    seconds = _in_turn(commands, ROUNDS, console)
    measures = [Measure("start", name, "", 0, times) for name, times in seconds.items()]
    return measures, [
        Ratio(
            f"{name}: times `import typer, rich`",
            1.5,
            seconds[name] / seconds["import typer, rich"],
            at_most=True,
        )
        for name in ("--help", "orgs")
    ]


def git(console: Console, repository: Path) -> tuple[list[Measure], list[Ratio]]:
    """Compare seeding the whole history of a repository with `git log --numstat` of the same."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder).absolute() / "git.db"
        whole = ["--repo", str(repository), "--days", "9000", "--database", f"sqlite:///{database}"]
        commands = {
            "git log --numstat": ["git", "-C", str(repository), "log", "--numstat"],
            "seed --repo": [*OURS, "seed", *whole],
        }
        seconds = _in_turn(commands, GIT_ROUNDS, console, lambda: database.unlink(missing_ok=True))
    measures = [Measure("git", name, "", 0, times) for name, times in seconds.items()]
    ratio = seconds["seed --repo"] / seconds["git log --numstat"]
    return measures, [Ratio("git source: times `git log --numstat`", 2, ratio, at_most=True)]


def _in_turn(
    commands: dict[str, list[str]], rounds: int, console: Console, prepare: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Return the median seconds of each command, run in turn."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(1 + rounds):
        prepare()
        for name, argv in commands.items():
            console.print(f"command: {name}")
            began = time.perf_counter()
            subprocess.run(
                argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT
            )
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds[1:]) for name, seconds in times.items()}
