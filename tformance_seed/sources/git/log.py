"""Read a repository's history, and the changes made by its commits, as a stream from git."""

import functools
import math
import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from tformance_seed.sources.git.process import Git, UnreadableError

#: Maximum number of paths that one call of git excludes, so that the command line stays short enough.
MAX_EXCLUDED = 500

#: Maximum number of git processes that compare commits at the same time, over all threads. Each unpacks the
#: objects that it reads into its own memory.
MAX_PROCESSES = min(4, os.cpu_count() or 1)

#: Minimum number of commits per process. Each process unpacks objects that others have also unpacked, so
#: smaller parts are not worth it: parts of 50 take a fifth more CPU time.
MIN_COMMITS = 500

STATUSES = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}

#: Maximum number of characters kept of a subject, a name or an address, and of each end of a message's body:
#: what it says first, and the trailers. Arrays are as wide as their longest text.
MAX_LINE, MAX_BODY = 1_000, 8_000

#: Maximum number of files listed of a change. GitHub lists as many; the lines of all are counted.
MAX_FILES = 3_000

#: Times from which on a clock was wrong, in seconds since 1970: those after the year 2099.
MAX_TIME = 4_102_444_800

_HISTORY = "%H%x00%P%x00%ct%x00%at%x00%aN%x00%aE%x00%cE%x00%s%x00%b%x00"
_CO_AUTHORS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x01)"
_HISTORY_FIELDS = 10
_CHANGE = ">%H%x00%ct%x00%at%x00%aN%x00%aE%x00%s%x00%b"
_CHANGE_FIELDS = 7


class LoggedCommit(NamedTuple):
    """A commit in the history; times are in seconds since 1970."""

    sha: str
    parents: list[str]
    committed: int
    authored: int
    author: tuple[str, str]  # name and e-mail address
    committer: str  # e-mail address
    subject: str
    body: str
    co_authors: list[tuple[str, str]]  # name and e-mail address


class ChangedFile(NamedTuple):
    """A changed file; ``blobs`` are the names of its objects before and after the change."""

    filename: str
    status: str
    additions: int
    deletions: int
    blobs: tuple[str, str]


class Revision(NamedTuple):
    """A commit to compare with a parent: empty for a root commit, itself if nothing is to be compared."""

    sha: str
    parent: str
    lists_files: bool = False


class Change(NamedTuple):
    """A commit with what it changed.

    The lines are those of all files; ``files`` are the first ``MAX_FILES`` if the revision lists them: a pull
    request's files are listed, those of its commits are not.
    """

    sha: str
    committed: int
    authored: int
    author: tuple[str, str]  # name and e-mail address
    subject: str
    body: str
    additions: int
    deletions: int
    files: list[ChangedFile]


@dataclass(frozen=True)
class MissingContents:
    """The file contents that a repository lacks, for example because it is a partial clone."""

    blobs: set[str] = field(default_factory=set)  #: names of the missing objects
    commits: set[str] = field(default_factory=set)  #: commits that replace or introduce one of them
    filenames: set[str] = field(default_factory=set)  #: names of the files concerned

    def files_of(self, change: Change) -> list[ChangedFile]:
        """Return the files in a change whose contents, before or after it, are missing."""
        return [file for file in change.files if not self.blobs.isdisjoint(file.blobs)]


@functools.cache
def _thread_pool() -> ThreadPoolExecutor:
    """Return the pool of threads that read the output of the git processes."""
    return ThreadPoolExecutor(MAX_PROCESSES)


def history(git: Git) -> Iterator[LoggedCommit]:
    """Yield every commit reachable from HEAD, children before parents, with authors mapped by ``.mailmap``.

    Raises:
      SeedError: git failed, for example because commits are missing or damaged.
    """
    return _log(git, "--topo-order", git.head, "--")


def read_commits(git: Git, names: Collection[str]) -> Iterator[LoggedCommit]:
    """Yield these commits alone, as ``history`` does; those that the repository lacks are left out.

    Raises:
      SeedError: git failed.
    """
    return _log(git, "--no-walk=unsorted", "--ignore-missing", "--stdin", lines=names) if names else iter(())


def read_branches(git: Git, heads: Collection[str]) -> Iterator[LoggedCommit]:
    """Yield the commits that are reachable from these heads and not from HEAD.

    Raises:
      SeedError: git failed, for example because commits are missing.
    """
    return _log(git, "--stdin", lines=[*heads, f"^{git.head}"])


def _log(git: Git, *options: str, lines: Collection[str] = ()) -> Iterator[LoggedCommit]:
    form = f"--format={_HISTORY}{_CO_AUTHORS}"
    tokens = git.stream("log", "-z", "--encoding=UTF-8", form, *options, lines=lines)
    records = zip(*[tokens] * _HISTORY_FIELDS, strict=True)
    for sha, parents, committed, authored, name, email, committer, subject, body, trailers in records:
        yield LoggedCommit(
            sha,
            parents.split(),
            *_times(committed, authored),
            (name[:MAX_LINE], email[:MAX_LINE]),
            committer[:MAX_LINE],
            *_message(subject, body),
            [_identity(trailer) for trailer in trailers.split("\1") if trailer],
        )


def map_identities(
    git: Git, identities: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return people as ``.mailmap`` has them: names and addresses -> the proper ones, if it can map them.

    Raises:
      SeedError: git failed.
    """
    known = sorted((name, email) for name, email in identities if email and not set("<>") & set(name + email))
    lines = [f"{name} <{email}>" for name, email in known]
    mapped = git.stream("check-mailmap", "--stdin", lines=lines, separator=b"\n") if lines else ()
    return dict(zip(known, map(_identity, mapped), strict=True))


def find_missing_contents(
    git: Git, revisions: Iterable[Revision], commits: Collection[str]
) -> MissingContents:
    """Return the file contents that are needed to compare commits but missing.

    Parameters:
      commits: the commits in the revisions, and the parents that they are compared with.

    Raises:
      SeedError: folders of a commit are missing, not only file contents.
    """
    missing = MissingContents(_missing_objects(git, commits))
    if not missing.blobs:
        return missing
    if _missing_objects(git, commits, "--filter=blob:none"):
        raise UnreadableError(f"repository {git.path}: folders of its commits are missing")
    for change in _diff(git, list(revisions), "--no-renames", max_files=None):
        if absent := missing.files_of(change):
            missing.commits.add(change.sha)
            missing.filenames.update(file.filename for file in absent)
    return missing


def changes(git: Git, revisions: list[Revision], missing: MissingContents) -> Iterator[Change]:
    """Yield commits with the files that they changed, in order.

    A file whose contents are missing is listed with zero lines. Comparing is most of the work in reading a
    history, so several git processes share it; their output is kept in memory.

    Raises:
      SeedError: git failed.
    """
    size = max(MIN_COMMITS, math.ceil(len(revisions) / MAX_PROCESSES))
    parts = [revisions[start : start + size] for start in range(0, len(revisions), size)]
    # Newest first: packs have the newest objects whole, and older ones as what differs from newer ones.
    for read in _thread_pool().map(lambda part: list(_compare(git, part[::-1], missing)), parts):
        yield from reversed(read)


def _compare(git: Git, revisions: list[Revision], missing: MissingContents) -> Iterator[Change]:
    incomplete = [revision.sha in missing.commits for revision in revisions]
    marked = list(zip(revisions, incomplete, strict=True))
    complete = _diff(git, [revision for revision, gap in marked if not gap], "--numstat", "-M")
    partial = _count_present(git, [revision for revision, gap in marked if gap], missing)
    for gap in incomplete:
        yield next(partial) if gap else next(complete)


def _missing_objects(git: Git, commits: Collection[str], *options: str) -> set[str]:
    """Return the objects that commits refer to but the repository lacks."""
    command = ("rev-list", "--quiet", "--objects", "--missing=print", "--no-walk=unsorted")
    output = git.stream(*command, *options, "--stdin", lines=commits, separator=b"\n")
    return {line.removeprefix("?") for line in output}


class _Partial(NamedTuple):
    """A commit that git cannot compare as a whole, and the files of it whose contents are missing."""

    revision: Revision
    change: Change
    absent: list[ChangedFile]

    @property
    def is_counted(self) -> bool:
        """Whether other files are there, and not too many to exclude."""
        return len(self.absent) < len(self.change.files) and len(self.absent) <= MAX_EXCLUDED


def _count_present(git: Git, revisions: list[Revision], missing: MissingContents) -> Iterator[Change]:
    """Yield commits that git cannot compare as a whole, with the lines of those files that are there.

    Files with missing contents are listed with zero lines. If there are more than ``MAX_EXCLUDED``, or no
    other files, nothing is counted. One process counts many commits: it leaves out what is missing in any of
    them, as long as that is there in none.
    """
    found = _diff(git, revisions, "--no-renames", max_files=None, errors="surrogateescape")
    group: list[_Partial] = []
    excluded: set[str] = set()
    counted: set[str] = set()
    for revision, change in zip(revisions, found, strict=True):
        partial = _Partial(revision, change, missing.files_of(change))
        if partial.is_counted:
            absent = {file.filename for file in partial.absent}
            present = {file.filename for file in change.files} - absent
            clash = not (absent.isdisjoint(counted) and present.isdisjoint(excluded))
            if clash or len(excluded | absent) > MAX_EXCLUDED:
                yield from _count_group(git, group, excluded)
                group, excluded, counted = [], set(), set()
            excluded |= absent
            counted |= present
        group.append(partial)
    yield from _count_group(git, group, excluded)


def _count_group(git: Git, group: list[_Partial], excluded: Collection[str]) -> Iterator[Change]:
    """Yield commits with the lines of all files but the excluded ones."""
    paths = [f":(exclude,literal){filename}" for filename in sorted(excluded)]
    revisions = [partial.revision for partial in group if partial.is_counted]
    counted = _diff(git, revisions, "--numstat", "-M", "--", ".", *paths)
    for partial in group:
        if partial.is_counted:
            change = next(counted)
            yield change._replace(files=_listed(partial.revision, change.files + partial.absent))
        else:
            change = partial.change
            name, email = map(_readable, change.author)
            yield change._replace(
                author=(name, email),
                subject=_readable(change.subject),
                body=_readable(change.body),
                files=_listed(partial.revision, change.files),
            )


def _listed(revision: Revision, files: list[ChangedFile]) -> list[ChangedFile]:
    """Return the files to list of a revision, their names as text."""
    if not revision.lists_files:
        return []
    return [file._replace(filename=_readable(file.filename)) for file in files[:MAX_FILES]]


def _readable(text: str) -> str:
    """Return a text that was decoded with ``surrogateescape`` as ``replace`` does it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _diff(
    git: Git,
    revisions: list[Revision],
    *options: str,
    max_files: int | None = MAX_FILES,
    errors: str = "replace",
) -> Iterator[Change]:
    """Yield the changes that ``git diff-tree`` finds.

    Parameters:
      max_files: maximum number of files to list of revisions that list them; None lists all of any.
      errors: how to decode bytes that are not UTF-8.
    """
    if not revisions:
        return iter(())
    form = ("--stdin", "-r", "-z", "--root", "--always", "--raw", "--no-abbrev", "--encoding=UTF-8")
    command = ("diff-tree", *form, f"--format={_CHANGE}", *options)
    # The parent is always named: git remembers one that it was given, and would compare with it again.
    lines = (f"{revision.sha} {revision.parent}".rstrip() for revision in revisions)
    tokens = git.stream(*command, lines=lines, errors=errors)
    limits = (max_files if max_files is None or each.lists_files else 0 for each in revisions)
    return _changes(tokens, limits)


def _changes(tokens: Iterator[str], limits: Iterator[int | None]) -> Iterator[Change]:
    """Parse the output of ``git diff-tree -z --raw --numstat``: header, raw lines, counts.

    Parameters:
      limits: for each change the maximum number of files to list, None for all.
    """
    token = next(tokens, None)
    while token is not None:
        sha, limit = token[1:], next(limits)
        committed, authored, name, email, subject, body = islice(tokens, _CHANGE_FIELDS - 1)
        raw: list[tuple[str, str, tuple[str, str]]] = []
        counts: list[tuple[int, int]] = []
        additions = deletions = 0
        for token in tokens:
            entry = token.removeprefix("\n")
            if entry.startswith(">"):
                break
            if entry.startswith(":"):
                _, _, before, after, status = entry.split(" ")
                filename = next(tokens)
                if status[0] in "RC":
                    filename = next(tokens)
                if limit is None or len(raw) < limit:
                    raw.append((filename, STATUSES.get(status[0], "modified"), (before, after)))
            else:
                added, deleted, filename = entry.split("\t", 2)
                if not filename:  # a rename: the old and the new name follow
                    next(tokens), next(tokens)
                lines = (int(added), int(deleted)) if added != "-" else (0, 0)
                additions, deletions = additions + lines[0], deletions + lines[1]
                if limit is None or len(counts) < limit:
                    counts.append(lines)
        else:
            token = None
        counts = counts or [(0, 0)] * len(raw)
        files = [
            ChangedFile(filename, status, added, deleted, blobs)
            for (filename, status, blobs), (added, deleted) in zip(raw, counts, strict=True)
        ]
        author = (name[:MAX_LINE], email[:MAX_LINE])
        message = _message(subject, body)
        yield Change(sha, *_times(committed, authored), author, *message, additions, deletions, files)


def _message(subject: str, body: str) -> tuple[str, str]:
    """Return a commit's message; of a body that is too long, its beginning and its end."""
    if len(subject) > MAX_LINE:
        subject = " ".join(subject.split())
        subject = subject if len(subject) <= MAX_LINE else f"{subject[: MAX_LINE - 20]} {subject[-19:]}"
    if len(body) > 2 * MAX_BODY:
        body = f"{body[:MAX_BODY]}\n{body[-MAX_BODY:]}"
    return subject, body


def _identity(trailer: str) -> tuple[str, str]:
    """Split ``name <address>`` into name and address."""
    name, _, rest = trailer.partition("<")
    return name.strip(), rest.partition(">")[0].strip()


def _times(committed: str, authored: str) -> tuple[int, int]:
    """Return a commit's times in seconds; git prints an empty string for a time that it cannot parse.

    A commit is not written after it was committed, whatever the author's clock said.
    """
    when = min(int(committed or 0), MAX_TIME)
    return when, min(int(authored or 0) or when, when)
