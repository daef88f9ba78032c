"""The history of a repository and what its commits changed, streamed from git."""

import math
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from tformance_seed.errors import SeedError
from tformance_seed.sources.git.process import Git

#: Most paths named to git in one call, well below what the system lets a command line hold.
MAX_EXCLUDED = 500

#: Most processes of git that compare commits at the same time, over all threads: each unpacks what it reads
#: into memory of its own.
READERS = min(4, os.cpu_count() or 1)

#: Commits for one of them, at least: as it unpacks anew what the others have unpacked, fewer do not pay.
LEAST_COMMITS = 50

STATUSES = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}

_HISTORY = "%H%x00%P%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00"
_CO_AUTHORS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x01)"
_HISTORY_FIELDS = 8
_CHANGE = ">%H%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00%b"
_CHANGE_FIELDS = 7

_readers = ThreadPoolExecutor(READERS)


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


@dataclass(frozen=True)
class Gaps:
    """Contents of files that a repository lacks, as partial clones do."""

    blobs: set[str] = field(default_factory=set)  #: object names
    commits: set[str] = field(default_factory=set)  #: in which a file had or got one of them
    filenames: set[str] = field(default_factory=set)  #: those files

    def within(self, change: Change) -> list[File]:
        """The files of a change whose contents are missing."""
        return [file for file in change.files if not self.blobs.isdisjoint(file.blobs)]


def history(git: Git) -> Iterator[Logged]:
    """Every commit that HEAD reaches, children before their parents; authors through ``.mailmap``.

    Raises:
      SeedError: git failed, because commits are missing or damaged.
    """
    form = f"--format={_HISTORY}{_CO_AUTHORS}"
    tokens = git.stream("log", "-z", "--topo-order", "--encoding=UTF-8", form, git.head, "--")
    records = zip(*[tokens] * _HISTORY_FIELDS, strict=True)
    for sha, parents, committed, authored, name, email, subject, trailers in records:
        yield Logged(
            sha,
            parents.split(),
            *_times(committed, authored),
            (name, email),
            subject,
            [_identity(trailer) for trailer in trailers.split("\1") if trailer],
        )


def find_gaps(git: Git, lines: list[str], commits: Collection[str]) -> Gaps:
    """What is missing of the changes of ``lines``.

    Parameters:
      lines: as for ``changes``.
      commits: those of the lines and the parents that they are compared with.

    Raises:
      SeedError: folders of a commit are missing, not just contents.
    """
    gaps = Gaps(_missing(git, commits))
    if not gaps.blobs:
        return gaps
    if _missing(git, commits, "--filter=blob:none"):
        raise SeedError(f"repository {git.path}: folders of its commits are missing")
    for change in _diff(git, lines, "--no-renames"):
        if lost := gaps.within(change):
            gaps.commits.add(change.sha)
            gaps.filenames.update(file.filename for file in lost)
    return gaps


def changes(git: Git, lines: list[str], gaps: Gaps) -> Iterator[Change]:
    """The commits of ``lines`` in that order, each a commit, or a commit and the parent to compare with.

    A file in a gap is listed, and counts no lines. To compare is nearly all of the work of reading a history,
    so several processes of git share it; what they say is held in memory.

    Raises:
      SeedError: git failed.
    """
    size = max(LEAST_COMMITS, math.ceil(len(lines) / READERS))
    parts = [lines[start : start + size] for start in range(0, len(lines), size)]
    for read in _readers.map(lambda part: list(_compared(git, part, gaps)), parts):
        yield from read


def _compared(git: Git, lines: list[str], gaps: Gaps) -> Iterator[Change]:
    in_gap = [line[: len(git.head)] in gaps.commits for line in lines]
    whole = _diff(git, [line for line, gap in zip(lines, in_gap, strict=True) if not gap], "--numstat", "-M")
    for line, gap in zip(lines, in_gap, strict=True):
        yield _around(git, line, gaps) if gap else next(whole)


def _missing(git: Git, commits: Collection[str], *options: str) -> set[str]:
    question = ("rev-list", "--objects", "--missing=print", "--no-object-names", "--no-walk=unsorted")
    answers = git.stream(*question, *options, "--stdin", lines=commits, separator=b"\n")
    return {line[1:] for line in answers if line.startswith("?")}


def _around(git: Git, line: str, gaps: Gaps) -> Change:
    """A commit that git cannot compare as a whole: what is lost is listed, the rest is counted."""
    change = next(_diff(git, [line], "--no-renames"))
    lost = gaps.within(change)
    if len(lost) > MAX_EXCLUDED:
        return change
    excluded = [f":(exclude,literal){file.filename}" for file in lost]
    counted = next(_diff(git, [line], "--numstat", "-M", "--", ".", *excluded))
    return change._replace(files=counted.files + lost)


def _diff(git: Git, lines: list[str], *options: str) -> Iterator[Change]:
    form = ("--stdin", "-r", "-z", "--root", "--always", "--raw", "--no-abbrev", "--encoding=UTF-8")
    safe = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none", f"-O{os.devnull}")
    return _changes(git.stream("diff-tree", *form, *safe, f"--format={_CHANGE}", *options, lines=lines))


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
