"""Find where a clone keeps its history, without obeying any of its settings.

A clone is somebody else's input: its settings can name programs to run, servers to call and files that
change what git shows. Only the places of its objects and refs are taken from it.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tformance_seed.errors import InputError

#: Maximum size in bytes of the files that are read here; git writes about 50 bytes to each.
MAX_POINTER = 4096

#: What is the address of a repository rather than a folder; of two slashes, a path has one.
REMOTE = re.compile(r"\w+:/|[\w.-]+@[\w.-]+:|(www\.)?(github|gitlab)\.com/")

#: What git reads of a clone: its refs and their formats, its settings (as data), its objects.
READ_BY_GIT = ("config", "packed-refs", "refs", "reftable", "objects")


@dataclass(frozen=True)
class Clone:
    """A clone or a bare repository.

    A linked worktree has a folder of its own for ``HEAD``, and shares ``common`` with others; otherwise both
    are the same folder.
    """

    path: Path  #: as the user named it
    folder: Path
    common: Path

    @property
    def is_shallow(self) -> bool:
        """Return whether commits were left out when the repository was cloned."""
        shallow = self.common / "shallow"
        return shallow.is_file() and shallow.stat().st_size > 0


def find_clone(path: Path) -> Clone:
    """Return the clone at a path, which is its folder, or its ``.git``; not a folder inside it.

    A file called ``.git``, as in worktrees and submodules, is followed to the repository that it names.

    Raises:
      InputError: the path is not a repository, or not UTF-8, or git would have to read a pipe or a device.
    """
    try:
        str(path.absolute()).encode()  # the ledger stores it as text
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise InputError(
            f"repository {shown}: its path is not UTF-8; rename it, or name a link to it"
        ) from None
    if not os.path.isdir(path):
        hint = "name a clone or a bare repository"
        if REMOTE.match(str(path)):
            hint = "clone it first, with git clone, and name the folder; or seed it with --source github"
        raise InputError(f"repository {path}: no such folder; {hint}")
    folder = _follow(path, path / ".git", "gitdir: ") or path
    common = _follow(folder, folder / "commondir", "") or folder
    clone = Clone(path, Path(os.path.realpath(folder)), Path(os.path.realpath(common)))
    if not os.path.isdir(clone.common / "objects") or not os.path.isdir(clone.common / "refs"):
        raise InputError(
            f"repository {path}: not a git repository; name the folder of a clone or a bare repository"
        )
    for file in _files(clone):
        _require_regular(path, file)
    return clone


def read_head(clone: Clone) -> str:
    """Return the content of a clone's ``HEAD``: a commit, or the name of a branch."""
    head = clone.folder / "HEAD"
    if head.is_symlink() and (target := os.readlink(head)).startswith("refs/"):  # as git wrote it until 2005
        return f"ref: {target}"
    return _read(clone.path, head)


def _follow(start: Path, pointer: Path, prefix: str) -> Path | None:
    """Return the folder that a file points to, or itself if it is a folder; None if there is none."""
    if os.path.isdir(pointer):
        return pointer
    if not os.path.lexists(pointer):
        return None
    return start / _read(start, pointer).removeprefix(prefix)


def _read(path: Path, file: Path) -> str:
    """Return the text of a small file without the line break at its end."""
    _require_regular(path, file)
    try:
        with file.open("rb") as opened:
            return os.fsdecode(opened.read(MAX_POINTER)).rstrip("\n").partition("\0")[0]
    except OSError as error:
        raise InputError(f"repository {path}: {file} cannot be read: {error.strerror}") from error


def _files(clone: Clone) -> Iterator[Path]:
    """Yield every file that git may open."""
    for name in READ_BY_GIT:
        top = clone.common / name
        if not os.path.isdir(top):
            yield top
        for folder, _, files in os.walk(top):
            yield from (Path(folder, file) for file in files)


def _require_regular(path: Path, file: Path) -> None:
    """Refuse pipes and devices, at which a reader would wait for ever."""
    try:
        mode = file.stat().st_mode
    except OSError:
        return  # what is not there is not read
    if not stat.S_ISREG(mode):
        raise InputError(f"repository {path}: {file} is not a file; clone it again")
