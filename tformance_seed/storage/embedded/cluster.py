"""Make the folder in which PostgreSQL keeps its data, whole or not at all."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tformance_seed.errors import SeedError
from tformance_seed.storage.embedded.programs import ENGLISH, Account, version_of

#: The name of the superuser, and of the database that is there from the beginning.
SUPERUSER = "postgres"

#: A new folder's data, while ``initdb`` writes it, and once it is whole and moves to its place.
MAKING, MADE = ".making", ".made"

#: Moves last, so a folder with this file is complete.
MARK = "PG_VERSION"

#: Nobody but the folder's owner reaches the socket; whoever comes over the network needs a password.
INITDB = ("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C")

#: From this version on, PostgreSQL brings rules for letters of all languages that are the same everywhere.
BUILTIN_LOCALE = 17

#: In what PostgreSQL's programs print: a reason to fail, after what stands before it.
REASON = re.compile(r"^.*?(?:\b(?:FATAL|PANIC|ERROR): +|\b(?:fatal|error): )(.+)$", re.MULTILINE)


def version(folder: Path) -> int | None:
    """Return the major version of PostgreSQL that a folder's data is of; None if there is none."""
    try:
        text = (folder / MARK).read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(text) if text.isdecimal() else 0


def is_free(folder: Path, others: set[str]) -> bool:
    """Return whether a folder can become a server's: it has nothing but what an interrupted ``make`` left.

    Parameters:
      others: names of files that may be there as well.
    """
    if not folder.exists() or (folder / MADE).exists():
        return True
    return folder.is_dir() and {entry.name for entry in folder.iterdir()} <= {MAKING, *others}


def make(folder: Path, programs: Path, account: Account | None, lock: int) -> None:
    """Make the data of a server in a folder. After an interruption at any instant, it can be called again.

    Parameters:
      lock: a file descriptor with a lock that processes which outlive an interruption keep locked.

    Raises:
      SeedError: it failed, and the folder is as it was.
    """
    folder.chmod(0o700)  # PostgreSQL demands it
    making, made = folder / MAKING, folder / MADE
    if not made.exists():
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        try:
            _initialise(making, programs, account, lock)
            making.rename(made)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
    for entry in sorted(made.iterdir(), key=lambda path: path.name == MARK):
        entry.rename(folder / entry.name)
    made.rmdir()


def _initialise(folder: Path, programs: Path, account: Account | None, lock: int) -> None:
    if account:
        os.chown(folder, account.user, account.group)
    locale = []
    if version_of(programs) >= BUILTIN_LOCALE:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    data = data_directory(folder, account)
    result = subprocess.run(
        [programs / "initdb", f"--pgdata={data}", f"--username={SUPERUSER}", *INITDB, *locale],
        cwd=folder,
        pass_fds=[lock],
        env=os.environ | ENGLISH,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **(account.options if account else {}),
    )
    if result.returncode:
        raise SeedError(f"PostgreSQL could not make its files: {reason(result.stderr)}")


def data_directory(folder: Path, account: Account | None) -> str:
    """Return the name by which a program, started in the folder itself, opens it.

    A service account may enter the folder, but perhaps not those above it, such as root's home. Linux has a
    name for the folder that a program is in.
    """
    if account is None or account.can_reach(folder):
        return str(folder)
    return "/proc/self/cwd"


def reason(printed: str) -> str:
    """Return why a program failed, from what it printed."""
    lines = REASON.findall(printed) or printed.strip().splitlines() or ["it printed no reason"]
    return " ".join(lines[-1].split())
