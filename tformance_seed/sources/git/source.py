"""The git source: pull requests, commits and files out of the history of real repositories.

The first-parent chain of HEAD is what landed. A commit of it that lies in the window is one place in the
source's order, oldest first: a pull request if its message says so (squashed: the subject ends in ``(#12)``;
merged: ``Merge pull request #12 from ...``), else commits outside any. What git does not know (reviews, when
a squashed pull request was opened) is left to the simulation.
"""

import datetime
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError, SeedError
from tformance_seed.sources.git.log import Change, Gaps, changes, find_gaps
from tformance_seed.sources.git.mainline import History, Landing, read_history
from tformance_seed.sources.git.people import People
from tformance_seed.sources.git.process import Git, origin_url
from tformance_seed.sources.git.rows import Rows
from tformance_seed.sources.records import Batch, Members

#: ``owner/name`` at the end of a server's URL, ``https://host/owner/name.git`` or ``git@host:owner/name``.
REMOTE = re.compile(r"(?!file:)(?:\w+://[^/]+/|[^/\s]+:)(?:\S*/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """A repository to read.

    Parameters:
      path: of a clone, or of a bare repository; the folder itself.
      name: what to call it, ``owner/name``.
    """

    path: Path
    name: str


def repository_name(path: Path) -> str:
    """What to call a repository: ``owner/name`` of its origin if that is on a server, else after its folder.

    A folder ``owner+name`` means the same as ``owner/name``.
    """
    if remote := REMOTE.fullmatch(origin_url(path)):
        return remote[1]
    folder = path.resolve()
    if folder.name == ".git" or (folder.name == "repo" and "+" in folder.parent.name):
        folder = folder.parent
    return folder.name.removesuffix(".git").replace("+", "/", 1)


def default_until(repositories: list[Repository], today: datetime.date) -> datetime.date:
    """The last day of the window where the user names none: that of the newest commit, or today if earlier.

    Raises:
      InputError: as for ``GitSource``.
    """
    newest = 0
    for repository in repositories:
        with _readable():
            newest = max(newest, Git(repository.path).head_committed())
    return min(today, datetime.datetime.fromtimestamp(newest, datetime.UTC).date())


class GitSource:
    """The history of repositories within the profile's window.

    ``places`` counts what landed: each place is a pull request or commits outside any, so a batch may have
    no pull request at all. ``total`` counts the pull requests. ``warnings`` says what could not be read.

    Parameters:
      repositories: of different names.
      profile: of the organisation; its window is of days on which something landed, in UTC.
      emails: keep people's e-mail addresses, which are made up or removed otherwise.

    Raises:
      InputError: git is missing or too old; a path is no repository, or it is empty, shallow or truncated;
        nothing landed within the window.
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
        self._emails = emails
        self._gaps: dict[str, Gaps] = {}
        people = People()
        histories = []
        for repository in sorted(repositories, key=lambda repository: repository.name):
            with _readable():
                git = Git(repository.path)
                history = read_history(git, repository.name, profile.since, profile.until, people)
                self._gaps[repository.name] = self._find_gaps(history)
            histories.append(history)
        self._gits = {history.repository: history.git for history in histories}
        if len(self._gits) < len(histories):
            raise InputError("two repositories have one name; rename a folder, or give each its origin's URL")
        self._landings = [landing for history in histories for landing in history.landings]
        if not self._landings:
            raise InputError(_nothing(histories, profile))
        self._elsewhere = _elsewhere(self._landings) if len(histories) > 1 else set()
        self._members, self._member_of = people.members(profile, emails=emails)
        self.fingerprint = " ".join(f"{history.repository}:{history.extent}" for history in histories)
        self.length = len(self._landings)
        self.total = sum(landing.number > 0 for landing in self._landings)

    def members(self) -> Members:
        """Everybody who wrote something in the window or shortly before it."""
        return self._members

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """What landed in a range of places, as one batch.

        Raises:
          SeedError: git failed.
        """
        rows = Rows(self._member_of, self._elsewhere, emails=self._emails)
        for landing, read_changes in self._read(self._landings[start:stop]):
            rows.add(landing, read_changes)
        yield rows.batch(start, stop)

    def _read(self, landings: list[Landing]) -> Iterator[tuple[Landing, list[Change]]]:
        for repository, group in groupby(landings, key=lambda landing: landing.repository):
            own = list(group)
            lines = [line for landing in own for line in landing.lines]
            read = changes(self._gits[repository], lines, self._gaps[repository])
            for landing in own:
                yield landing, list(islice(read, len(landing.lines)))

    def _find_gaps(self, history: History) -> Gaps:
        lines = [line for landing in history.landings for line in landing.lines]
        gaps = find_gaps(history.git, lines, history.commits)
        if gaps.filenames:
            self.warnings.append(
                f"repository {history.git.path}: lacks contents of {len(gaps.filenames)} files, such as"
                f" {min(gaps.filenames)!r}; their lines are not counted where they are missing"
            )
        return gaps


@contextmanager
def _readable() -> Iterator[None]:
    """While a repository is looked over, what git cannot read is the input's fault."""
    try:
        yield
    except InputError:
        raise
    except SeedError as error:
        raise InputError(f"{error}; it is truncated or damaged: clone it again") from error


def _elsewhere(landings: list[Landing]) -> set[tuple[str, str]]:
    """Repository and commit, of commits that an earlier repository has too: forks share their past."""
    first: dict[str, str] = {}
    return {
        (landing.repository, sha)
        for landing in landings
        for sha in [landing.sha, *(sha for sha, _ in landing.side)]
        if first.setdefault(sha, landing.repository) != landing.repository
    }


def _nothing(histories: list[History], profile: Profile) -> str:
    """Why there is nothing to seed, and a window in which there is."""
    days = sorted(day for history in histories for day in history.days)
    names = ", ".join(history.repository for history in histories)
    before = [day for day in days if day <= profile.until]
    near = (
        f"--until {before[-1]}, or --days {(profile.until - before[-1]).days + 1}"
        if before
        else f"--until {days[-1]}"
    )
    return (
        f"repository {names}: nothing landed from {profile.since} to {profile.until}; its history runs from"
        f" {days[0]} to {days[-1]}: try {near}"
    )
