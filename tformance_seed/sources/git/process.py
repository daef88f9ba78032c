"""Run git on a clone in which nobody has set anything.

Git obeys the settings of the repository it is run in: they name programs to start, servers to call, and files
that change what it shows. So it never runs in a clone, but in an empty repository of our own, made for each
call, with a clean environment, whose objects are those of the clone. What is not there cannot be obeyed:
neither settings, nor attributes, grafts, replacements, hooks, remotes, working tree or index. The same
commits give the same results, wherever they are and whatever is checked out.
"""

import os
import re
import resource
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from operator import methodcaller
from pathlib import Path
from typing import IO

from tformance_seed.errors import InputError, SeedError, TransientError
from tformance_seed.sources.git.clone import find_clone, read_head

#: The oldest version of git that has every option used here. None of them needs a newer one to be safe: there
#: is no remote to fetch missing objects from.
MIN_GIT_VERSION = (2, 31)

#: The first version of git that reads refs in a reftable.
REFTABLE_VERSION = (2, 45)

#: The user's environment variables that git gets: where programs and their libraries are.
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

ENVIRONMENT = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LANGUAGE": "C",
    "LC_ALL": "C",
    # The C library of Linux gives the memory of each unpacked object back to the system, and gets it again,
    # which takes a sixth of the time of comparing commits (mallopt(3); other systems ignore these).
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}

#: Settings of the repository in which git runs. Additional indexes of a clone could contradict its objects.
SETTINGS = {
    "core.repositoryFormatVersion": "1",
    "core.bare": "true",
    "core.commitGraph": "false",
    "core.multiPackIndex": "false",
    "core.quotePath": "false",
    "diff.renameLimit": "1000",
}

#: A branch that does not exist. Some versions of git read attributes from ``HEAD`` in a bare repository.
NO_HEAD = "ref: refs/heads/none"

#: Where refs are.
REFS = ("refs", "packed-refs", "reftable")

#: The ref by which a forge offers the newest commit of a pull request: GitHub, GitLab, Bitbucket Server.
PULL_REQUEST_REF = re.compile(r"refs/(?:pull/|merge-requests/|pull-requests/)([1-9]\d{0,8})/(?:head|from)")

#: The message of git if it prints none, as in answer to a question with ``--quiet``.
NO_MESSAGE = "failed without a message"

#: Maximum number of bytes kept of one field in git's output, such as a message; the rest is skipped.
MAX_FIELD = 1 << 18

#: Number of bytes read from git at a time.
READ_SIZE = MAX_FIELD

#: Maximum number of bytes read of git's error output.
MAX_MESSAGE = 1 << 12

#: Maximum number of seconds that one call of git may take, and that its output may take to be read.
TIME_LIMIT = 600

#: Maximum memory of one git process in bytes, apart from the files that it maps (on Linux).
MEMORY_LIMIT = 2 << 30


class UnreadableError(SeedError):
    """Git cannot read the history of a repository."""


class Git:
    """A repository that is read through git.

    Parameters:
      path: the folder of a clone or of a bare repository, not a folder inside it.

    Raises:
      InputError: git is missing or too old, or the path is not a readable repository with commits.
    """

    def __init__(self, path: Path) -> None:
        version = _require_git()
        self.path = path
        self._clone = find_clone(path)
        self._settings = dict(SETTINGS)
        theirs = self._read_settings()
        self.origin = theirs.get("remote.origin.url", "")
        if theirs.get("extensions.objectformat") == "sha256":
            self._settings |= {"extensions.objectFormat": "sha256"}
        self._is_reftable = theirs.get("extensions.refstorage") == "reftable"
        if self._is_reftable and version < REFTABLE_VERSION:
            required = ".".join(map(str, REFTABLE_VERSION))
            raise InputError(
                f"repository {path}: its refs are in a reftable, which needs git {required} or newer"
            )
        self.head = self._find_head()
        self._settings |= {"mailmap.blob": f"{self.head}:.mailmap"}

    def stream(
        self,
        *arguments: str,
        lines: Iterable[str] = (),
        separator: bytes = b"\0",
        errors: str = "replace",
    ) -> Iterator[str]:
        """Run git with ``lines`` as its input and yield its output, split at the separators.

        Parameters:
          errors: how to decode bytes that are not UTF-8.

        Raises:
          TransientError: git was killed or could not be started; retrying may help.
          UnreadableError: git failed; the message ends with the last line of git's error output.
          SeedError: git took too long or needed too much memory.
        """
        with self._empty_repository() as folder:
            yield from map(
                methodcaller("decode", "utf-8", errors), self._run(folder, arguments, lines, separator)
            )

    def head_committed(self) -> int:
        """Return the committer time of HEAD, in seconds since 1970.

        Raises:
          SeedError: the commit is missing or damaged.
        """
        return int("".join(self.stream("log", "-1", "-z", "--format=%ct", self.head, "--")) or 0)

    def descends_from(self, commit: str) -> bool:
        """Return whether a commit is in the history of HEAD; a commit that is gone is not.

        Raises:
          SeedError: git was killed or took too long.
        """
        try:
            return not list(self.stream("merge-base", "--is-ancestor", commit, self.head))
        except UnreadableError:
            return False

    def _read_settings(self) -> dict[str, str]:
        """Return the clone's own settings, as data: names in lower case -> values."""
        file = self._clone.common / "config"
        if not file.is_file():
            return {}
        listed = self.stream("config", "--file", str(file), "--no-includes", "--null", "--list")
        return {name: value for name, _, value in (entry.partition("\n") for entry in listed)}

    def pull_request_heads(self) -> dict[str, list[int]]:
        """Return the newest commits of pull requests that were cloned with their refs -> their numbers."""
        listed = self._ask_refs(self._clone.common, "for-each-ref", "--format=%(objectname) %(refname)")
        heads: dict[str, list[int]] = {}
        for sha, _, name in (line.partition(" ") for line in listed):
            if found := PULL_REQUEST_REF.fullmatch(name):
                heads.setdefault(sha, []).append(int(found[1]))
        return {sha: sorted(numbers) for sha, numbers in heads.items()}

    def _find_head(self) -> str:
        """Return the commit that is checked out."""
        clone = self._clone
        branch = self._ask_refs(clone.folder, "symbolic-ref", "--quiet", "HEAD")
        place, name = (clone.common, branch[0]) if branch else (clone.folder, "HEAD")
        head = self._ask_refs(place, "rev-parse", "--verify", "--quiet", name)
        if not head:
            raise InputError(
                f"repository {self.path}: has no commits on its HEAD; commit or check out a branch"
            )
        return head[0]

    def _ask_refs(self, place: Path, *arguments: str) -> list[str]:
        """Run git on the refs in a folder; return the lines of its answer, none if it says no.

        A linked worktree has only its HEAD in a reftable of its own.
        """
        with self._empty_repository() as folder:
            (folder / "refs").rmdir()
            for name in REFS:
                (folder / name).symlink_to((place if name == "reftable" else self._clone.common) / name)
            if self._is_reftable:
                _write_settings(folder, self._settings | {"extensions.refStorage": "reftable"})
            else:
                _write(folder / "HEAD", read_head(self._clone))
            try:
                answer = self._run(folder, arguments, separator=b"\n")
                return [line.decode("utf-8", "replace") for line in answer]
            except UnreadableError as error:
                if str(error).endswith(NO_MESSAGE):
                    return []
                raise

    @contextmanager
    def _empty_repository(self) -> Iterator[Path]:
        """Make a repository without refs, remotes, files or any setting but our own."""
        with tempfile.TemporaryDirectory(prefix="tformance-seed-git-") as name:
            folder = Path(name)
            (folder / "refs").mkdir()
            _write(folder / "HEAD", NO_HEAD)
            _write_settings(folder, self._settings)
            yield folder

    def _run(
        self,
        folder: Path,
        arguments: tuple[str, ...],
        lines: Iterable[str] = (),
        separator: bytes = b"\0",
    ) -> Iterator[bytes]:
        """Run git in a repository whose objects are the clone's, and yield its output."""
        environment = _environment(folder) | {
            "GIT_DIR": str(folder),
            "GIT_OBJECT_DIRECTORY": str(self._clone.common / "objects"),
        }
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
            stdin.writelines(f"{line}\n".encode() for line in lines)
            stdin.seek(0)
            # Names of files are as git wrote them, whatever the machine's own encoding.
            command = [each.encode("utf-8", "surrogateescape") for each in ("git", *arguments)]
            try:
                process = subprocess.Popen(  # noqa: S603 (a list of arguments, no shell)
                    command,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=environment,
                    cwd=folder,
                )
            except OSError as error:
                raise TransientError(f"repository {self.path}: git cannot be started: {error}") from error
            output: IO[bytes] = process.stdout  # type: ignore[assignment]  # it is a pipe
            try:
                _limit_memory(process.pid)
                yield from _split(_read(output), separator)
                process.wait(TIME_LIMIT)
            except (TimeoutError, subprocess.TimeoutExpired):
                raise SeedError(
                    f"repository {self.path}: git {arguments[0]} took longer than {TIME_LIMIT} seconds"
                ) from None
            finally:
                process.kill()
                output.close()
                process.wait()
            if process.returncode:
                raise self._failure(arguments[0], process.returncode, _message(stderr))

    def _failure(self, command: str, status: int, message: str) -> SeedError:
        """Return the error for a git process that failed."""
        name = f"repository {self.path}"
        if status < 0:  # killed, as for lack of memory
            return TransientError(f"{name}: git {command}: {message}")
        if "memory" in message:
            return SeedError(f"{name}: git {command} needs more than {MEMORY_LIMIT >> 30} GiB of memory")
        if self._clone.is_shallow:
            return InputError(f"{name}: is shallow; fetch the rest with: git fetch --unshallow")
        return UnreadableError(f"{name}: git {command}: {message}")


def _require_git() -> tuple[int, int]:
    """Return the version of git; raise InputError if it is missing or too old."""
    command = ["git", "--version"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            answer = subprocess.run(  # noqa: S603 (a list of arguments, no shell)
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                env=_environment(Path(folder)),
                cwd=folder,
                timeout=TIME_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError("git cannot be run; install it, or put it on the PATH") from error
    version = re.search(r"(\d+)\.(\d+)", answer.stdout)
    found = (int(version[1]), int(version[2])) if version else (0, 0)
    if found < MIN_GIT_VERSION:
        required = ".".join(map(str, MIN_GIT_VERSION))
        raise InputError(f"git is too old ({answer.stdout.strip()}); install {required} or newer")
    return found


def _environment(home: Path) -> dict[str, str]:
    """Return the environment in which git finds no settings of the user."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT_VARIABLES}
    return kept | ENVIRONMENT | {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}


def _write_settings(folder: Path, settings: Mapping[str, str]) -> None:
    named = ((*name.split("."), value) for name, value in settings.items())
    _write(folder / "config", "".join(f"[{section}]\n{key} = {value}\n" for section, key, value in named))


def _write(file: Path, text: str) -> None:
    file.write_bytes(os.fsencode(f"{text}\n"))


def _limit_memory(process: int) -> None:
    """Keep a process from using up the machine's memory, as comparing a forged commit could."""
    if sys.platform == "linux":
        with suppress(OSError, ValueError):  # it has ended, or has a lower limit already
            resource.prlimit(process, resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))


def _read(output: IO[bytes]) -> Iterator[bytes]:
    """Yield what a process prints; raise TimeoutError if that takes longer than ``TIME_LIMIT``."""
    end = time.monotonic() + TIME_LIMIT
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0 and selector.select(left):
            chunk = os.read(output.fileno(), READ_SIZE)
            if not chunk:
                return
            yield chunk
    raise TimeoutError


def _split(chunks: Iterable[bytes], separator: bytes) -> Iterator[bytes]:
    """Yield the fields that end with the separator, at most ``MAX_FIELD`` bytes of each.

    A chunk is not longer than that.
    """
    rest = b""
    for chunk in chunks:
        *fields, end = chunk.split(separator)
        if fields:
            fields[0] = (rest + fields[0])[:MAX_FIELD]
            rest = b""
            yield from fields
        if len(rest) < MAX_FIELD:
            rest += end


def _message(stderr: IO[bytes]) -> str:
    """Return the last error that a process reported, as one line."""
    end = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, end - MAX_MESSAGE))
    last = re.split(r"^(?=fatal: |error: )", stderr.read().decode("utf-8", "replace"), flags=re.MULTILINE)[-1]
    return " ".join(last.split()) or NO_MESSAGE
