"""Packages from npm, which some tests hold this package against."""

import shutil
import subprocess
from pathlib import Path


def install(package: str, folder: Path) -> Path:
    """Install a package of npm into a folder, without running anything of it, and return its own folder."""
    npm = shutil.which("npm")
    assert npm, "this test needs npm on PATH"
    arguments = [npm, "install", "--silent", "--no-save", "--ignore-scripts", package]
    subprocess.run(arguments, cwd=folder, check=True, timeout=150)
    return folder / "node_modules" / package
