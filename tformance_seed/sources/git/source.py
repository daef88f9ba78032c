"""Read pull requests, commits and files from the history of real repositories.

The main line is the first-parent chain of HEAD. Each main-line commit within the window is one position in
the source's order, oldest first. It is a pull request if its message says so (squashed: the subject ends in
``(#12)``; merged: ``Merge pull request #12 from ...``); otherwise it represents commits outside pull
requests. Data that git does not have (reviews, when a squashed pull request was opened) is left to the
simulation.
"""

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError, SeedError, TransientError
from tformance_seed.sources.git.log import Change, MissingContents, changes, find_missing_contents
from tformance_seed.sources.git.mainline import Entry, History, read_history
from tformance_seed.sources.git.process import Git, UnreadableError
from tformance_seed.sources.git.rows import BatchBuilder
from tformance_seed.sources.people import People
from tformance_seed.sources.records import Batch, Members
from tformance_seed.sources.request import last_whole_day

#: ``owner/name`` at the end of a server's URL, ``https://host/owner/name.git`` or ``git@host:owner/name``.
REMOTE = re.compile(r"(?!file:)(?:\w+://[^/]+/|[^/\s]+:)(?:\S*/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """A repository to read.

    Parameters:
      path: the folder of a clone or of a bare repository, not a folder inside it.
      name: the name to use for it, ``owner/name``.
    """

    path: Path
    name: str


def repository_name(path: Path) -> str:
    """Return the name to use for a repository: ``owner/name`` of its origin on a server, else of its folder.

    A folder called ``owner+name`` stands for ``owner/name``.
    """
    with suppress(SeedError):  # it is raised again when the repository is read
        if remote := REMOTE.fullmatch(Git(path).origin):
            return remote[1]
    folder = path.resolve()
    if folder.name == ".git" or (folder.name == "repo" and "+" in folder.parent.name):
        folder = folder.parent
    return folder.name.removesuffix(".git").replace("+", "/", 1)


def default_until(repositories: list[Repository], now: datetime.datetime) -> datetime.date:
    """Return the default last day of the window: the day of the newest HEAD commit.

    If that is dated in the future, it is the last day that is over.

    Raises:
      InputError: git is missing or too old, or a path is not a complete repository with commits.
    """
    newest = 0
    for repository in repositories:
        with _unreadable_is_input_error():
            newest = max(newest, Git(repository.path).head_committed())
    if newest > now.timestamp():
        return last_whole_day(now)
    return datetime.datetime.fromtimestamp(newest, datetime.UTC).date()


class GitSource:
    """The history of repositories within the profile's window.

    Each position is a pull request or commits outside pull requests, so a batch may have no pull request.

    Parameters:
      repositories: the repositories to read; their names must differ.
      profile: the organisation's profile; its window selects main-line commits by their day in UTC, after
        all times have been moved by its ``shift_weeks``.
      emails: keep people's e-mail addresses; otherwise they are replaced by generated ones or redacted.

    Raises:
      InputError: git is missing or too old; a path is not a repository, or the repository is empty, shallow
        or damaged; two repositories have the same name; the main line has no commit within the window.
    """

    name = "git"
    waits = True
    shares_issues = True

    def __init__(self, repositories: list[Repository], profile: Profile, *, emails: bool = False) -> None:
        self.inputs: dict[str, Any] = {"emails": emails}
        self.record: dict[str, Any] = {
            "repositories": [[str(item.path.absolute()), item.name] for item in repositories],
            "emails": emails,
        }
        self.warnings: list[str] = []
        self._emails, self._shift = emails, profile.shift_seconds
        self._missing: dict[str, MissingContents] = {}
        people = People()
        histories = []
        for repository in sorted(repositories, key=lambda repository: repository.name):
            with _unreadable_is_input_error():
                git = Git(repository.path)
                history = read_history(git, repository.name, profile, people)
                self._missing[repository.name] = self._find_missing(history)
            if not history.numbers:
                self.warnings.append(
                    f"repository {repository.path}: no commit names the pull request that it lands;"
                    " all become direct commits"
                )
            histories.append(history)
        self.record["conventions"] = {history.repository: history.conventions for history in histories}
        self._gits = {history.repository: history.git for history in histories}
        self._roots = {history.repository: history.root for history in histories}
        if len(self._gits) < len(histories):
            raise InputError("two repositories have one name; rename a folder, or give each its origin's URL")
        self._entries = [commit for history in histories for commit in history.entries]
        if not self._entries:
            raise InputError(_no_commits(histories, profile))
        self.known_until = _known_until(histories, profile)
        self._shared = shared_commits(self._entries) if len(histories) > 1 else set()
        self._members, self._member_of = people.members(profile, emails=emails)
        self._people = people.github_ids
        self.state: dict[str, Any] = {
            "heads": {repository: git.head for repository, git in self._gits.items()},
            "pull_requests": {history.repository: _ranges(history.numbers) for history in histories},
        }
        self.fingerprint = " ".join(f"{history.repository}:{history.extent}" for history in histories)
        self.length = len(self._entries)
        self.total = sum(commit.number > 0 for commit in self._entries)

    def members(self) -> Members:
        """Return everybody who committed in the window or shortly before it."""
        return self._members

    def continues(self, state: Mapping[str, Any], people: Collection[str]) -> bool:
        """Return whether each HEAD grew out of the earlier one, and all that it had still is what it was.

        Whoever committed under a name alone has another account once an address of theirs shows it; and later
        commits may show that numbers are those of issues.

        Raises:
          SeedError: git failed.
        """
        if state == self.state:
            return True
        heads = state["heads"].items()
        grew = all(self._gits[repository].descends_from(commit) for repository, commit in heads)
        return grew and self._people.issuperset(people) and self._has_pull_requests(state["pull_requests"])

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield a range of positions as one batch.

        Raises:
          SeedError: git failed.
        """
        builder = BatchBuilder(self._member_of, self._shared, self._shift, emails=self._emails)
        for commit, read_changes in self._read(self._entries[start:stop]):
            builder.add(commit, read_changes)
        yield builder.batch(start, stop)

    def first_files(self, repository: str) -> Iterator[str]:
        """Yield the names of the files with which the main line of a repository began.

        Raises:
          SeedError: git failed.
        """
        root = self._roots[repository]
        return self._gits[repository].stream("ls-tree", "-r", "-z", "--name-only", root)

    def _has_pull_requests(self, earlier: Mapping[str, list[list[int]]]) -> bool:
        """Return whether all pull requests are there that were found in an earlier state."""
        return all(
            set(_numbers(self.state["pull_requests"][repository])).issuperset(_numbers(ranges))
            for repository, ranges in earlier.items()
        )

    def _read(self, commits: list[Entry]) -> Iterator[tuple[Entry, list[Change]]]:
        """Yield commits on the main line with the changes of their revisions."""
        for repository, group in groupby(commits, key=lambda commit: commit.repository):
            own = list(group)
            revisions = [revision for commit in own for revision in commit.revisions]
            read = changes(self._gits[repository], revisions, self._missing[repository])
            for commit in own:
                yield commit, list(islice(read, len(commit.revisions)))

    def _find_missing(self, history: History) -> MissingContents:
        """Return the contents that a repository lacks, and add a warning about them."""
        revisions = (revision for commit in history.entries for revision in commit.revisions)
        missing = find_missing_contents(history.git, revisions, history.commits)
        if missing.filenames:
            self.warnings.append(
                f"repository {history.git.path}: lacks contents of {len(missing.filenames)} files, such as"
                f" {min(missing.filenames)!r}; their lines are not counted where they are missing"
            )
        return missing


@contextmanager
def _unreadable_is_input_error() -> Iterator[None]:
    """Convert git's failures to InputError while a request is being planned."""
    try:
        yield
    except UnreadableError as error:
        raise InputError(f"{error}; it is truncated or damaged: clone it again") from error
    except (InputError, TransientError):
        raise
    except SeedError as error:
        raise InputError(str(error)) from error


def _ranges(numbers: list[int]) -> list[list[int]]:
    """Return the first and last number of each run of consecutive ones; the numbers are in order."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] >= number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _numbers(ranges: list[list[int]]) -> Iterator[int]:
    """Yield the numbers in ranges."""
    return (number for first, last in ranges for number in range(first, last + 1))


def shared_commits(commits: list[Entry]) -> set[tuple[str, str]]:
    """Return (repository, commit) pairs for commits that an earlier repository also has, as forks do."""
    first: dict[str, str] = {}
    return {
        (commit.repository, sha)
        for commit in commits
        for sha in [commit.sha, *(merged.sha for merged in commit.merged)]
        if first.setdefault(sha, commit.repository) != commit.repository
    }


def _known_until(histories: list[History], profile: Profile) -> datetime.datetime | None:
    """Return the time of the newest commit on any main line, if the window extends beyond it."""
    newest = datetime.datetime.fromtimestamp(max(history.newest for history in histories), datetime.UTC)
    return newest if newest.date() <= profile.until else None


def _no_commits(histories: list[History], profile: Profile) -> str:
    """Explain why there is nothing to seed, and suggest a window that has commits."""
    since, until = (day - profile.shift for day in (profile.since, profile.until))
    days = sorted(day for history in histories for day in history.days)
    names = ", ".join(history.repository for history in histories)
    before = [day for day in days if day <= until]
    near = (
        f"--until {before[-1]}, or --days {(until - before[-1]).days + 1}"
        if before
        else f"--until {days[-1]}"
    )
    return (
        f"repository {names}: no commit on the main line from {since} to {until}; its history"
        f" runs from {days[0]} to {days[-1]}: try {near}"
    )
