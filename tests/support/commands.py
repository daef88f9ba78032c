"""Runs the command line in a process of its own, as a user does."""

import os
import subprocess
import sys
from pathlib import Path

#: Variables that the package reads; none reaches a command unless a test says so.
OURS = {
    "DATABASE_URL",
    "BROKER_URL",
    "REDIS_URL",
    "TFORMANCE_LLM_RATE",
    "TFORMANCE_LOG",
    "TFORMANCE_PROMETHEUS",
}


def command(
    *arguments: str, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m tformance_seed``; the environment names no database."""
    return subprocess.run(
        argv(*arguments), capture_output=True, text=True, cwd=folder, env=clean(environment), check=False
    )


def start(*arguments: str) -> subprocess.Popen[str]:
    """The same, without waiting."""
    return subprocess.Popen(
        argv(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean()
    )


def argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tformance_seed", *map(str, arguments)]


def clean(extra: dict[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, "COLUMNS": "200", **(extra or {})}
