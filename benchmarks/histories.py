"""Seed the whole histories of real clones, and say what was found: ``python -m benchmarks.histories CLONE``.

Prints a row for each clone: pull requests found of those that are there, members, bots, commits that AI tools
signed, the CPU time of reading it, git's included, and how many times that of ``git log --numstat`` it is,
the time and memory of seeding it, what ``verify`` says, and what a second run writes.

A pull request is there if its ref (``refs/pull/12/head``) is reached from HEAD, or if a message names it and
it has a ref; messages of libraries that were merged in do not count. Of another forge than that of the refs,
and in a clone without refs, the messages are all there is.
"""

import argparse
import datetime
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tformance_seed.sources.detection import is_bot, signing_tools
from tformance_seed.sources.git.conventions import OTHER_FORGES, find_pull_request
from tformance_seed.sources.git.plan import SOURCE_TYPE
from tformance_seed.sources.git.process import PULL_REQUEST_REF
from tformance_seed.sources.request import ContentRequest

#: A window that holds every commit of git's time, in days.
DAYS = "9000"

#: Number of positions that seeding reads at a time into SQLite.
POSITIONS = 500

COLUMNS = (
    "clone",
    "commits",
    "pull requests",
    "of true",
    "conventions",
    "members",
    "bots",
    "AI commits",
    "reading, CPU s",
    "times numstat",
    "seeding, s",
    "MiB",
    "verify",
    "second run",
)


@dataclass
class Truth:
    """What git itself says of a clone."""

    commits: int
    pull_requests: set[int]
    bots: int
    ai_commits: int


def main() -> None:
    """Print a row for each clone that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.histories")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    table = Table(*COLUMNS)
    for clone in parser.parse_args().clones:
        table.add_row(*measure(clone))
    Console(width=200).print(table)


def measure(clone: Path) -> tuple[str, ...]:
    """Seed a clone twice, verify it, and return its row."""
    known = truth(clone)
    started = _cpu()
    subprocess.run(["git", "-C", clone, "log", "--numstat", "HEAD"], stdout=subprocess.DEVNULL, check=False)
    numstat = _cpu() - started
    started = _cpu()
    _read(clone)
    reading = _cpu() - started
    with tempfile.TemporaryDirectory() as folder:
        database = ["--database", f"sqlite:///{Path(folder).absolute()}/history.db"]
        seed = ["seed", "--repo", str(clone), "--days", DAYS, *database, "--json"]
        report, seconds, memory = _run(*seed)
        again, _, _ = _run(*seed)
        verified, _, _ = _run("verify", *database, "--json")
        found = set(_numbers(Path(folder) / "history.db"))
    (organisation,) = report["organisations"]
    (repository,) = organisation["repositories"]
    conventions = {each["convention"]: each["pull_requests"] for each in repository["conventions"]}
    true = len(known.pull_requests)
    share = len(found & known.pull_requests) / true if true else 1.0
    written = sum(each["rows_written"] for each in again["tables"])
    return (
        clone.parent.name if clone.name == "repo" else clone.name,
        f"{known.commits:,}",
        f"{len(found):,}",
        f"{share:.1%} of {true:,}",
        ", ".join(f"{name} {count}" for name, count in conventions.items()) or "none",
        f"{organisation['members']:,}",
        f"{known.bots:,}",
        f"{known.ai_commits:,}",
        f"{reading:.1f}",
        f"{reading / numstat:.2f}",
        f"{seconds:.1f}",
        f"{memory:.0f}",
        "ok" if verified else "wrong",
        f"{written:,} rows",
    )


def truth(clone: Path) -> Truth:
    """Return what a clone's refs and messages say, without the rules that are measured."""
    refs: dict[int, str] = {}
    for line in _git(clone, "for-each-ref", "--format=%(objectname) %(refname)").splitlines():
        sha, _, name = line.partition(" ")
        if ref := PULL_REQUEST_REF.fullmatch(name):
            refs[int(ref[1])] = sha
    named: set[int] = set()
    elsewhere: set[int] = set()  # of these, those of forges that refs/pull is not of
    reached: set[str] = set()
    root = _git(clone, "rev-list", "--first-parent", "HEAD").split()[-1]
    related = {root, *_git(clone, "rev-list", "--ancestry-path", f"{root}..HEAD").split()}
    bots: set[str] = set()
    ai_commits = 0
    for record in _git(clone, "log", "--format=%H%x00%aN%x00%aE%x00%s%x00%b%x01", "HEAD").split("\1")[:-1]:
        sha, name, email, subject, body = record.lstrip("\n").split("\0")
        reached.add(sha)
        if sha in related and (found := find_pull_request(subject, body)):
            named |= {found.number, *found.others}
            elsewhere |= {found.number} if found.convention in OTHER_FORGES else set()
        if is_bot(name, email):
            bots.add(name)
        ai_commits += bool(signing_tools(name, email, f"{subject}\n\n{body}"))
    landed = {number for number, sha in refs.items() if sha in reached}
    is_theirs = 2 * len(named & refs.keys()) >= len(named) or 2 * len(landed) >= max(len(refs), 40)
    if 2 * len(elsewhere & refs.keys()) >= len(elsewhere):
        elsewhere.clear()  # they are those of the refs
    true = (named & refs.keys()) | landed | elsewhere if is_theirs else named
    return Truth(len(reached), true, len(bots), ai_commits)


def _read(clone: Path) -> None:
    """Read a clone as seeding does, and do nothing with it."""
    request = ContentRequest(repositories=[clone], days=int(DAYS))
    ((_, source),) = SOURCE_TYPE.plan(request, datetime.datetime.now(datetime.UTC))
    for start in range(0, source.length, POSITIONS):
        for _ in source.batches(start, min(start + POSITIONS, source.length)):
            pass


def _cpu() -> float:
    """Return the seconds of CPU time of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def _numbers(database: Path) -> list[int]:
    """Return the numbers of the pull requests in an SQLite database."""
    with sqlite3.connect(database) as opened:
        return [number for (number,) in opened.execute("SELECT github_pr_id FROM metrics_pullrequest")]


def _git(clone: Path, *arguments: str) -> str:
    command = ["git", "-C", str(clone), *arguments]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    ).stdout


def _run(*arguments: str) -> tuple[Any, float, float]:
    """Run a command; return its JSON, None if it failed, the seconds, and its greatest memory in MiB."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", "tformance_seed", *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = json.loads(output.read()) if process.returncode == 0 else None
    return printed, time.monotonic() - started, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
