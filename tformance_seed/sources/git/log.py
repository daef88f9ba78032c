"""Read the history of a repository and what its commits changed, streamed from git."""

import functools
import math
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from tformance_seed.errors import SeedError
from tformance_seed.sources.git.process import Git

#: Paths that one call of git excludes at most, well below what a command line can hold.
MAX_EXCLUDED = 500

#: Processes of git that compare commits at the same time, over all threads: each unpacks what it reads into
#: memory of its own.
MAX_PROCESSES = min(4, os.cpu_count() or 1)

#: Commits that a process compares, at least: it unpacks again what others have unpacked, so fewer do not pay.
MIN_COMMITS = 50

STATUSES = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}

_HISTORY = "%H%x00%P%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00"
_CO_AUTHORS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x01)"
_HISTORY_FIELDS = 8
_CHANGE = ">%H%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00%b"
_CHANGE_FIELDS = 7


class LoggedCommit(NamedTuple):
    """A commit of the history; times in seconds since 1970."""

    sha: str
    parents: list[str]
    committed: int
    authored: int
    author: tuple[str, str]  # name and e-mail address
    subject: str
    co_authors: list[tuple[str, str]]  # name and e-mail address


class ChangedFile(NamedTuple):
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
    files: list[ChangedFile]


@dataclass(frozen=True)
class MissingContents:
    """Contents of files that a repository lacks, as a partial clone does."""

    blobs: set[str] = field(default_factory=set)  #: object names
    commits: set[str] = field(default_factory=set)  #: in which a file had or got one of them
    filenames: set[str] = field(default_factory=set)  #: those files

    def files_of(self, change: Change) -> list[ChangedFile]:
        """Return the files of a change whose contents are missing."""
        return [file for file in change.files if not self.blobs.isdisjoint(file.blobs)]


@functools.cache
def _thread_pool() -> ThreadPoolExecutor:
    """Return the threads that read what the processes of git print."""
    return ThreadPoolExecutor(MAX_PROCESSES)


def history(git: Git) -> Iterator[LoggedCommit]:
    """Yield every commit that HEAD reaches, children before their parents; authors through ``.mailmap``.

    Raises:
      SeedError: git failed, because commits are missing or damaged.
    """
    form = f"--format={_HISTORY}{_CO_AUTHORS}"
    tokens = git.stream("log", "-z", "--topo-order", "--encoding=UTF-8", form, git.head, "--")
    records = zip(*[tokens] * _HISTORY_FIELDS, strict=True)
    for sha, parents, committed, authored, name, email, subject, trailers in records:
        yield LoggedCommit(
            sha,
            parents.split(),
            *_times(committed, authored),
            (name, email),
            subject,
            [_identity(trailer) for trailer in trailers.split("\1") if trailer],
        )


def find_missing_contents(git: Git, revisions: list[str], commits: Collection[str]) -> MissingContents:
    """Return what is missing to compare commits.

    Parameters:
      revisions: as for ``changes``.
      commits: those of the revisions and the parents that they are compared with.

    Raises:
      SeedError: folders of a commit are missing, not just contents.
    """
    missing = MissingContents(_missing_objects(git, commits))
    if not missing.blobs:
        return missing
    if _missing_objects(git, commits, "--filter=blob:none"):
        raise SeedError(f"repository {git.path}: folders of its commits are missing")
    for change in _diff(git, revisions, "--no-renames"):
        if absent := missing.files_of(change):
            missing.commits.add(change.sha)
            missing.filenames.update(file.filename for file in absent)
    return missing


def changes(git: Git, revisions: list[str], missing: MissingContents) -> Iterator[Change]:
    """Yield commits with what they changed, in order.

    A file whose contents are missing is listed, and counts no lines. Comparing is nearly all of the work of
    reading a history, so several processes of git share it; their output is kept in memory.

    Parameters:
      revisions: each a commit, or a commit and the parent to compare it with, separated by a space.

    Raises:
      SeedError: git failed.
    """
    size = max(MIN_COMMITS, math.ceil(len(revisions) / MAX_PROCESSES))
    parts = [revisions[start : start + size] for start in range(0, len(revisions), size)]
    for read in _thread_pool().map(lambda part: list(_compare(git, part, missing)), parts):
        yield from read


def _compare(git: Git, revisions: list[str], missing: MissingContents) -> Iterator[Change]:
    incomplete = [revision[: len(git.head)] in missing.commits for revision in revisions]
    marked = list(zip(revisions, incomplete, strict=True))
    complete = _diff(git, [revision for revision, gap in marked if not gap], "--numstat", "-M")
    for revision, gap in marked:
        yield _diff_excluding(git, revision, missing) if gap else next(complete)


def _missing_objects(git: Git, commits: Collection[str], *options: str) -> set[str]:
    """Return the objects that commits refer to and the repository lacks."""
    command = ("rev-list", "--objects", "--missing=print", "--no-object-names", "--no-walk=unsorted")
    output = git.stream(*command, *options, "--stdin", lines=commits, separator=b"\n")
    return {line[1:] for line in output if line.startswith("?")}


def _diff_excluding(git: Git, revision: str, missing: MissingContents) -> Change:
    """Return a commit that git cannot compare as a whole: what is missing is listed, the rest counted."""
    change = next(_diff(git, [revision], "--no-renames"))
    absent = missing.files_of(change)
    if len(absent) > MAX_EXCLUDED:
        return change
    excluded = [f":(exclude,literal){file.filename}" for file in absent]
    counted = next(_diff(git, [revision], "--numstat", "-M", "--", ".", *excluded))
    return change._replace(files=counted.files + absent)


def _diff(git: Git, revisions: list[str], *options: str) -> Iterator[Change]:
    """Yield what ``git diff-tree`` finds."""
    form = ("--stdin", "-r", "-z", "--root", "--always", "--raw", "--no-abbrev", "--encoding=UTF-8")
    safe = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none", f"-O{os.devnull}")
    return _changes(git.stream("diff-tree", *form, *safe, f"--format={_CHANGE}", *options, lines=revisions))


def _changes(tokens: Iterator[str]) -> Iterator[Change]:
    """Parse what ``git diff-tree -z --raw --numstat`` prints: header, raw lines, counts."""
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
            ChangedFile(filename, status, added, deleted, blobs)
            for (filename, status, blobs), (added, deleted) in zip(raw, counts, strict=True)
        ]
        yield Change(sha, *_times(committed, authored), (name, email), subject, body, files)


def _identity(trailer: str) -> tuple[str, str]:
    """Return name and address of ``name <address>``."""
    name, _, rest = trailer.partition("<")
    return name.strip(), rest.partition(">")[0].strip()


def _times(committed: str, authored: str) -> tuple[int, int]:
    """Return a commit's times; git prints nothing for one that it cannot read."""
    when = int(committed or 0)
    return when, int(authored or 0) or when
