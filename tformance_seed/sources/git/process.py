"""Run git, overriding every setting that could change its output.

Only commits are read, not the working tree, index or attributes, so that a clone gives the same results
wherever it is and whatever is checked out.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from tformance_seed.errors import InputError, SeedError, TransientError

#: The oldest version of git that has every option used here.
MIN_GIT_VERSION = (2, 31)

#: Environment variables that would direct git to another repository or change the format of its output.
MISLEADING_VARIABLES = re.compile(
    r"GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX"
    r"|EXTERNAL_DIFF|DIFF_OPTS|GRAFT_FILE|SHALLOW_FILE|REPLACE_REF_BASE|ICASE_PATHSPECS|LITERAL_PATHSPECS"
    r"|GLOB_PATHSPECS|NOGLOB_PATHSPECS|TRACE\w*)"
)
ENVIRONMENT = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}

#: Overrides for user settings that would change the output. ``protocol.allow``: versions of git that do not
#: know GIT_NO_LAZY_FETCH would fetch objects that a partial clone lacks from the network.
SETTINGS = {
    "core.quotePath": "false",
    "core.attributesFile": os.devnull,
    "diff.algorithm": "myers",
    "diff.renameLimit": "1000",
    "log.showSignature": "false",
    "mailmap.file": "",
    "protocol.allow": "never",
}

#: Number of bytes read from git at a time.
READ_SIZE = 1 << 18


class Git:
    """A repository that is read through git.

    Parameters:
      path: the folder of a clone or of a bare repository, not a folder inside it.

    Raises:
      InputError: git is missing or too old, or the path is not a readable, complete repository with commits.
    """

    def __init__(self, path: Path) -> None:
        _require_git()
        self.path = path
        if not path.is_dir():
            raise InputError(f"repository {path}: no such folder; name a clone or a bare repository")
        query = ("rev-parse", "--is-shallow-repository", "--absolute-git-dir")
        answer = _run(["git", "-C", str(path), *query], _confined_environment(path))
        if answer.returncode:
            raise InputError(f"repository {path}: {_explain_refusal(answer.stderr, path)}")
        shallow, folder = answer.stdout.rstrip("\n").split("\n", 1)
        self._folder = folder
        if shallow == "true":
            raise InputError(f"repository {path}: is shallow; fetch the rest with: git fetch --unshallow")
        self._mailmap = ""
        # This file does not exist: if there were an index, git would read attributes from it.
        self._environment = _environment(GIT_INDEX_FILE=f"{folder}/no-index")
        head = _run(self._command("rev-parse", "--verify", "--quiet", "HEAD"), self._environment)
        self.head = head.stdout.strip()
        if not self.head:
            raise InputError(f"repository {path}: has no commits on its HEAD; commit or check out a branch")
        mailmap = f"{self.head}:.mailmap"  # in a partial clone it may be missing, and git would fail
        if _run(self._command("cat-file", "-e", mailmap), self._environment).returncode == 0:
            self._mailmap = mailmap

    def _command(self, *arguments: str) -> list[str]:
        settings = SETTINGS | {"mailmap.blob": self._mailmap}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return ["git", f"--git-dir={self._folder}", f"--work-tree={self._folder}", *options, *arguments]

    def stream(self, *arguments: str, lines: Iterable[str] = (), separator: bytes = b"\0") -> Iterator[str]:
        """Run git with ``lines`` as its input and yield its output, split at the separators.

        Raises:
          TransientError: git was killed or could not be started; retrying may help.
          SeedError: git failed; the message ends with the last line of git's error output.
        """
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
            stdin.writelines(f"{line}\n".encode() for line in lines)
            stdin.seek(0)
            process = self._start(arguments, stdin, stderr)
            output: IO[bytes] = process.stdout  # type: ignore[assignment]  # it is a pipe
            try:
                rest = b""
                while chunk := output.read(READ_SIZE):
                    *tokens, rest = (rest + chunk).split(separator)
                    for token in tokens:
                        yield token.decode("utf-8", "replace")
                process.wait()
            finally:
                process.kill()
                output.close()
                process.wait()
            if process.returncode:
                stderr.seek(0)
                message = _last_line(stderr.read().decode("utf-8", "replace"))
                error = (
                    TransientError if process.returncode < 0 else SeedError
                )  # killed, as for lack of memory
                raise error(f"repository {self.path}: git {arguments[0]}: {message}")

    def _start(
        self, arguments: tuple[str, ...], stdin: IO[bytes], stderr: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start git with its output connected to a pipe."""
        try:
            return subprocess.Popen(  # noqa: S603 (a list of arguments, no shell)
                self._command(*arguments),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=self._environment,
                cwd=self._folder,
            )
        except OSError as error:
            raise TransientError(f"repository {self.path}: git cannot be started: {error}") from error

    def head_committed(self) -> int:
        """Return the committer time of HEAD, in seconds since 1970.

        Raises:
          SeedError: the commit is missing or damaged.
        """
        return int("".join(self.stream("log", "-1", "-z", "--format=%ct", self.head, "--")) or 0)


def origin_url(path: Path) -> str:
    """Return the URL that a repository was cloned from; empty if unknown."""
    _require_git()
    answer = _run(
        ["git", "-C", str(path), "config", "--get", "remote.origin.url"], _confined_environment(path)
    )
    return answer.stdout.strip()


def _confined_environment(path: Path) -> dict[str, str]:
    """Return an environment that keeps git from finding a repository in the folders above ``path``."""
    return _environment(GIT_CEILING_DIRECTORIES=str(path.resolve().parent))


def _require_git() -> None:
    try:
        answer = _run(["git", "--version"], _environment())
    except OSError as error:
        raise InputError("git cannot be run; install it, or put it on the PATH") from error
    version = re.search(r"(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < MIN_GIT_VERSION:
        required = ".".join(map(str, MIN_GIT_VERSION))
        raise InputError(f"git is too old ({answer.stdout.strip()}); install {required} or newer")


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (a list of arguments, no shell)
        command,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="surrogateescape",
        env=environment,
        check=False,
    )


def _environment(**own: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not MISLEADING_VARIABLES.fullmatch(name)}
    return kept | ENVIRONMENT | own


def _explain_refusal(stderr: str, path: Path) -> str:
    """Explain why git cannot open a folder, and what to do about it."""
    if "dubious ownership" in stderr or "unsafe repository" in stderr:
        remedy = f"git config --global --add safe.directory '{path.resolve()}'"
        return f"belongs to another user; if you trust it: {remedy}"
    if "not a git repository" in stderr:
        return "not a git repository; name the folder of a clone or a bare repository"
    return _last_line(stderr)


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "failed without a message"
