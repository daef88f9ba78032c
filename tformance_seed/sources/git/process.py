"""Git as a program that is called, with every setting that could change its words set here.

It reads the commits alone: no working tree, index or attributes, so that a clone says the same wherever it
lies and whatever is checked out.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from tformance_seed.errors import InputError, SeedError

#: The oldest git that has every option used here.
OLDEST_GIT = (2, 31)

#: Variables that would lead git to another repository, or its words to another form.
FOREIGN = re.compile(
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

#: Settings of the user's that would change the output, overruled. ``protocol.allow``: an older git than
#: GIT_NO_LAZY_FETCH would ask the network for what a partial clone lacks.
SETTINGS = {
    "core.quotePath": "false",
    "core.attributesFile": os.devnull,
    "diff.algorithm": "myers",
    "diff.renameLimit": "1000",
    "log.showSignature": "false",
    "mailmap.file": "",
    "protocol.allow": "never",
}

#: Bytes read from git at a time.
CHUNK = 1 << 18


class Git:
    """A repository to ask.

    Parameters:
      path: of a clone or a bare repository, the folder itself.

    Raises:
      InputError: git is missing or too old, or there is no readable, whole repository with commits.
    """

    def __init__(self, path: Path) -> None:
        _require_git()
        self.path = path
        if not path.is_dir():
            raise InputError(f"repository {path}: no such folder; name a clone or a bare repository")
        question = ("rev-parse", "--is-shallow-repository", "--absolute-git-dir")
        answer = _run(["git", "-C", str(path), *question], _only_here(path))
        if answer.returncode:
            raise InputError(f"repository {path}: {_refusal(answer.stderr, path)}")
        shallow, folder = answer.stdout.rstrip("\n").split("\n", 1)
        self._folder = folder
        if shallow == "true":
            raise InputError(f"repository {path}: is shallow; fetch the rest with: git fetch --unshallow")
        self._mailmap = ""
        # A file that is not there: with an index, git would read attributes from it.
        self._environment = _environment(GIT_INDEX_FILE=f"{folder}/no-index")
        head = _run(self._command("rev-parse", "--verify", "--quiet", "HEAD"), self._environment)
        self.head = head.stdout.strip()
        if not self.head:
            raise InputError(f"repository {path}: has no commits on its HEAD; commit or check out a branch")
        mailmap = f"{self.head}:.mailmap"  # may be absent, and in partial clones missing, which git dies of
        if _run(self._command("cat-file", "-e", mailmap), self._environment).returncode == 0:
            self._mailmap = mailmap

    def _command(self, *arguments: str) -> list[str]:
        settings = SETTINGS | {"mailmap.blob": self._mailmap}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return ["git", f"--git-dir={self._folder}", f"--work-tree={self._folder}", *options, *arguments]

    def stream(self, *arguments: str, lines: Iterable[str] = (), separator: bytes = b"\0") -> Iterator[str]:
        """What git prints when it reads ``lines``, cut at the separators.

        Raises:
          SeedError: git failed, with its own last words.
        """
        with tempfile.TemporaryFile() as questions, tempfile.TemporaryFile() as complaints:
            questions.writelines(f"{line}\n".encode() for line in lines)
            questions.seek(0)
            process = subprocess.Popen(  # noqa: S603 (a list of arguments, no shell)
                self._command(*arguments),
                stdin=questions,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=self._environment,
                cwd=self._folder,
            )
            output: IO[bytes] = process.stdout  # type: ignore[assignment]  # it is a pipe
            try:
                rest = b""
                while chunk := output.read(CHUNK):
                    *tokens, rest = (rest + chunk).split(separator)
                    for token in tokens:
                        yield token.decode("utf-8", "replace")
                process.wait()
            finally:
                process.kill()
                output.close()
                process.wait()
            if process.returncode:
                complaints.seek(0)
                words = _last_line(complaints.read().decode("utf-8", "replace"))
                raise SeedError(f"repository {self.path}: git {arguments[0]}: {words}")

    def head_committed(self) -> int:
        """When the newest commit was made, in seconds since 1970.

        Raises:
          SeedError: it is missing or damaged.
        """
        return int("".join(self.stream("log", "-1", "-z", "--format=%ct", self.head, "--")) or 0)


def origin_url(path: Path) -> str:
    """Where a repository was cloned from; empty where nothing says so."""
    _require_git()
    answer = _run(["git", "-C", str(path), "config", "--get", "remote.origin.url"], _only_here(path))
    return answer.stdout.strip()


def _only_here(path: Path) -> dict[str, str]:
    """Git would go on to look in the folders above, and find another repository there."""
    return _environment(GIT_CEILING_DIRECTORIES=str(path.resolve().parent))


def _require_git() -> None:
    try:
        answer = _run(["git", "--version"], _environment())
    except OSError as error:
        raise InputError("git cannot be run; install it, or put it on the PATH") from error
    version = re.search(r"(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_GIT:
        wanted = ".".join(map(str, OLDEST_GIT))
        raise InputError(f"git is too old ({answer.stdout.strip()}); install {wanted} or newer")


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
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    return kept | ENVIRONMENT | own


def _refusal(stderr: str, path: Path) -> str:
    """Why git does not open a folder, and what to do."""
    if "dubious ownership" in stderr or "unsafe repository" in stderr:
        remedy = f"git config --global --add safe.directory '{path.resolve()}'"
        return f"belongs to another user; if you trust it: {remedy}"
    if "not a git repository" in stderr:
        return "not a git repository; name the folder of a clone or a bare repository"
    return _last_line(stderr)


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "failed without a word"
