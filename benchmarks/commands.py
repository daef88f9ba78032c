"""Whole commands, timed from outside: how soon they start, a git history against git itself."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.measures import Measure, Ratio

ROUNDS = 7

BARE = [sys.executable, "-c", "import typer, rich"]
OURS = [sys.executable, "-m", "tformance_seed"]


def startup(console: Console) -> tuple[list[Measure], list[Ratio]]:
    """`--help` and `orgs` against an interpreter that only imports the command line's libraries."""
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
    """Seeding a repository's whole history, against `git log --numstat` of the same."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder).absolute()}/git.db"
        commands = {
            "git log --numstat": ["git", "-C", str(repository), "log", "--numstat"],
            "seed --repo": [
                *OURS,
                "seed",
                "--repo",
                str(repository),
                "--days",
                "9000",
                "--clear",
                "--database",
                database,
            ],
        }
        seconds = _in_turn(commands, 1, console)
    measures = [Measure("git", name, "", 0, times) for name, times in seconds.items()]
    ratio = seconds["seed --repo"] / seconds["git log --numstat"]
    return measures, [Ratio("git source: times `git log --numstat`", 2, ratio, at_most=True)]


def _in_turn(commands: dict[str, list[str]], rounds: int, console: Console) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, argv in commands.items():
            console.print(f"command: {name}")
            began = time.perf_counter()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}
