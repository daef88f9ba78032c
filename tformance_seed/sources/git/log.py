"""What git says of a repository, streamed: who committed what and when, and which lines changed.

Git is a program that is called, with every setting that could change its words set here. It reads the
commits alone: no working tree, index or attributes, so that a clone says the same wherever it lies.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

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
    "mailmap.blob": "HEAD:.mailmap",
    "protocol.allow": "never",
}

#: Bytes read from git at a time.
CHUNK = 1 << 18

#: Most paths named to git in one call, well below what the system lets a command line hold.
MAX_EXCLUDED = 500

STATUSES = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}

_HISTORY = "%H%x00%P%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00"
_CO_AUTHORS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x01)"
_HISTORY_FIELDS = 8
_CHANGE = ">%H%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00%b"
_CHANGE_FIELDS = 7


class Logged(NamedTuple):
    """A commit as the history tells it; times in seconds since 1970."""

    sha: str
    parents: list[str]
    committed: int
    authored: int
    author: tuple[str, str]  # name and e-mail address
    subject: str
    co_authors: list[tuple[str, str]]  # name and e-mail address


class File(NamedTuple):
    """A file in a change; ``blobs`` are the objects before and after."""

    filename: str
    status: str
    additions: int
    deletions: int
    blobs: tuple[str, str]


class Change(NamedTuple):
    """A commit with its files; of a merge, none unless a parent was named."""

    sha: str
    committed: int
    authored: int
    author: tuple[str, str]  # name and e-mail address
    subject: str
    body: str
    files: list[File]


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
        self._lost: set[str] = set()
        self._gaps: set[str] = set()
        if shallow == "true":
            raise InputError(f"repository {path}: is shallow; fetch the rest with: git fetch --unshallow")
        # A file that is not there: with an index, git would read attributes from it.
        self._environment = _environment(GIT_INDEX_FILE=f"{folder}/no-index")
        head = _run(self._command("rev-parse", "--verify", "--quiet", "HEAD"), self._environment)
        self.head = head.stdout.strip()
        if not self.head:
            raise InputError(f"repository {path}: has no commits on its HEAD; commit or check out a branch")

    def _command(self, *arguments: str) -> list[str]:
        settings = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        return ["git", f"--git-dir={self._folder}", f"--work-tree={self._folder}", *settings, *arguments]

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
            try:
                rest = b""
                while chunk := process.stdout.read(CHUNK):
                    *tokens, rest = (rest + chunk).split(separator)
                    for token in tokens:
                        yield token.decode("utf-8", "replace")
                process.wait()
            finally:
                process.kill()
                process.stdout.close()
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

    def history(self) -> Iterator[Logged]:
        """Every commit that HEAD reaches, children before their parents; authors through ``.mailmap``."""
        tokens = self.stream(
            "log",
            "-z",
            "--topo-order",
            "--encoding=UTF-8",
            f"--format={_HISTORY}{_CO_AUTHORS}",
            self.head,
            "--",
        )
        for sha, parents, committed, authored, name, email, subject, trailers in zip(
            *[tokens] * _HISTORY_FIELDS, strict=True
        ):
            yield Logged(
                sha,
                parents.split(),
                *_times(committed, authored),
                (name, email),
                subject,
                [_identity(trailer) for trailer in trailers.split("\1") if trailer],
            )

    def find_gaps(self, lines: list[str], commits: Collection[str]) -> set[str]:
        """The files among the changes of ``lines`` whose contents the repository lacks, as partial clones do.

        From then on ``changes`` works around them: such a file is listed and counts no lines.

        Parameters:
          lines: as for ``changes``.
          commits: those of the lines and the parents that they are compared with.

        Raises:
          SeedError: folders of a commit are missing, not just contents.
        """
        self._lost = self._missing(commits)
        if not self._lost:
            return set()
        if self._missing(commits, "--filter=blob:none"):
            raise SeedError(f"repository {self.path}: folders of its commits are missing")
        names: set[str] = set()
        for change in self._diff(lines, "--no-renames"):
            if lost := self._lost_files(change):
                self._gaps.add(change.sha)
                names.update(file.filename for file in lost)
        return names

    def _missing(self, commits: Collection[str], *options: str) -> set[str]:
        question = ("rev-list", "--objects", "--missing=print", "--no-object-names", "--no-walk=unsorted")
        answers = self.stream(*question, *options, "--stdin", lines=commits, separator=b"\n")
        return {line[1:] for line in answers if line.startswith("?")}

    def _lost_files(self, change: Change) -> list[File]:
        return [file for file in change.files if not self._lost.isdisjoint(file.blobs)]

    def changes(self, lines: list[str]) -> Iterator[Change]:
        """The commits of ``lines`` in that order, each a commit, or a commit and the parent to compare with.

        Raises:
          SeedError: git failed.
        """
        in_gap = {line: line[: len(self.head)] in self._gaps for line in lines} if self._gaps else {}
        whole = self._diff([line for line in lines if not in_gap.get(line)], "--numstat", "-M")
        for line in lines:
            yield self._around_gap(line) if in_gap.get(line) else next(whole)

    def _around_gap(self, line: str) -> Change:
        """A commit that git cannot compare as a whole: what is lost is listed, the rest is counted."""
        change = next(self._diff([line], "--no-renames"))
        lost = self._lost_files(change)
        if len(lost) > MAX_EXCLUDED:
            return change
        excluded = [f":(exclude,literal){file.filename}" for file in lost]
        counted = next(self._diff([line], "--numstat", "-M", "--", ".", *excluded))
        return change._replace(files=counted.files + lost)

    def _diff(self, lines: list[str], *options: str) -> Iterator[Change]:
        form = ("--stdin", "-r", "-z", "--root", "--always", "--raw", "--no-abbrev", "--encoding=UTF-8")
        safe = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none", "-O" + os.devnull)
        return _changes(self.stream("diff-tree", *form, *safe, f"--format={_CHANGE}", *options, lines=lines))


def _changes(tokens: Iterator[str]) -> Iterator[Change]:
    """Commits out of what ``git diff-tree -z --raw --numstat`` prints: head, raw lines, counts."""
    token = next(tokens, None)
    while token is not None:
        sha = token[1:]
        committed, authored, name, email, subject, body = (next(tokens) for _ in range(_CHANGE_FIELDS - 1))
        raw: list[tuple[str, str, tuple[str, str]]] = []
        counts: list[tuple[int, int]] = []
        for token in tokens:
            entry = token.removeprefix("\n")
            if entry.startswith(">"):
                break
            if entry.startswith(":"):
                _, _, before, after, status = entry.split(" ")
                filename = next(tokens)
                if status[0] in "RC":
                    filename = next(tokens)
                raw.append((filename, STATUSES.get(status[0], "modified"), (before, after)))
            else:
                added, deleted, filename = entry.split("\t", 2)
                if not filename:  # renamed: both names follow
                    next(tokens), next(tokens)
                counts.append((int(added), int(deleted)) if added != "-" else (0, 0))
        else:
            token = None
        counts = counts or [(0, 0)] * len(raw)
        files = [
            File(filename, status, added, deleted, blobs)
            for (filename, status, blobs), (added, deleted) in zip(raw, counts, strict=True)
        ]
        yield Change(sha, *_times(committed, authored), (name, email), subject, body, files)


def _identity(trailer: str) -> tuple[str, str]:
    """Name and address of ``name <address>``."""
    name, _, rest = trailer.partition("<")
    return name.strip(), rest.partition(">")[0].strip()


def _times(committed: str, authored: str) -> tuple[int, int]:
    """A commit's times; git prints nothing for one that it cannot read."""
    landed = int(committed or 0)
    return landed, int(authored or 0) or landed


def origin_url(path: Path) -> str:
    """Where a repository was cloned from; empty where nothing says so."""
    _require_git()
    answer = _run(["git", "-C", str(path), "config", "--get", "remote.origin.url"], _only_here(path))
    return answer.stdout.strip()


def _only_here(path: Path) -> dict[str, str]:
    """Git would go on to look in the folders above, and find another repository there."""
    return _environment(GIT_CEILING_DIRECTORIES=str(path.resolve().parent))


@cache
def _require_git() -> None:
    try:
        answer = _run(["git", "--version"], _environment())
    except FileNotFoundError as error:
        raise InputError("git is not installed or not on the PATH; install it") from error
    version = re.search(r"(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_GIT:
        wanted = ".".join(map(str, OLDEST_GIT))
        raise InputError(f"git is too old ({answer.stdout.strip()}); install {wanted} or newer")


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(  # noqa: S603 (a list of arguments, no shell)
        command,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
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
