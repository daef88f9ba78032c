"""The main line of a repository: the first-parent chain of HEAD, with the commits that each one merged."""

import datetime
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.git.conventions import SQUASH, Named, find_pull_request, names_issues
from tformance_seed.sources.git.log import LoggedCommit, history
from tformance_seed.sources.git.process import Git
from tformance_seed.sources.people import People

#: The name of what is more certain than any convention: a clone that has the commits of pull requests.
CLONED = "refs of pull requests"

EPOCH = datetime.date(1970, 1, 1)
DAY = 86_400  # seconds
LAST_DAY = (datetime.date.max - EPOCH).days


@dataclass(slots=True)
class MainlineCommit:
    """A commit on the main line, with the commits that it reaches and no older main-line commit does.

    ``number`` is 0 if it is not a pull request; ``parent`` is empty for the root commit.
    """

    repository: str
    sha: str
    parent: str
    committed: int  #: seconds since 1970, moved into the window
    is_merge: bool
    number: int = 0
    #: The merged commits, oldest first, and whether each is a merge itself.
    merged: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def revisions(self) -> list[str]:
        """The commits to read, in the form that ``log.changes`` expects.

        For a pull request, this commit comes first, compared with its parent. Outside pull requests, merges
        are left out, because they add nothing to the commits that they merge.
        """
        if self.number:
            return [f"{self.sha} {self.parent}", *(sha for sha, _ in self.merged)]
        all_commits = [*self.merged, (self.sha, self.is_merge)]
        return [sha for sha, is_merge in all_commits if not is_merge]


@dataclass
class History:
    """The main line within a window, oldest first, and what is known about the whole history."""

    git: Git
    repository: str
    mainline: list[MainlineCommit]
    commits: set[str]  #: all commits that are read, and the parents that they are compared with
    days: list[datetime.date]  #: all days with a commit on the main line, in order, before they are moved
    root: str  #: the oldest commit on the main line
    newest: int  #: time of the newest commit on the main line, moved like the others
    extent: str  #: identifies the range of commits, ``HEAD:boundary..tip``
    conventions: Counter[str]  #: how many pull requests each convention found in the whole history


def read_history(git: Git, repository: str, profile: Profile, people: People) -> History:
    """Read all commits, but not their changes, and add their authors to ``people``.

    Parameters:
      profile: its window selects main-line commits by their committer date in UTC, moved by its
        ``shift_weeks``.

    Raises:
      SeedError: git failed, for example because commits are missing or damaged.
    """
    chain: list[MainlineCommit | None] = []
    landed: list[tuple[MainlineCommit, Named | None]] = []
    heads = git.pull_request_heads()
    days: set[datetime.date] = set()
    commits: set[str] = set()
    times: list[int] = []  # of the main line, HEAD first
    root = ""
    for commit, position, on_mainline in assign_to_mainline(history(git)):
        if on_mainline:
            days.add(_day(commit.committed))
            mainline_commit = _mainline_commit(repository, commit, profile.shift_seconds)
            landed.append((mainline_commit, _find_pull_request(commit, heads)))
            times.append(mainline_commit.committed)
            root = commit.sha
            within = profile.since <= _day(mainline_commit.committed) <= profile.until
            chain.append(mainline_commit if within else None)
        owner = chain[position]
        if owner:
            commits.update([commit.sha, *commit.parents[:1]])
            if not on_mainline:
                owner.merged.append((commit.sha, len(commit.parents) > 1))
        selected = owner is not None
        # Clocks may be wrong: nothing was written after it was on the main line.
        authored = min(commit.authored + profile.shift_seconds, times[position])
        people.add(commit.author, authored, commits=1, selected=selected)
        for co_author in commit.co_authors:
            people.add(co_author, authored, commits=0, selected=selected)
    conventions = _assign_numbers(landed, set(heads.values()))
    mainline = [each for each in reversed(chain) if each]
    for each in mainline:
        each.merged.reverse()
    extent = f"{mainline[0].parent}..{mainline[-1].sha}" if mainline else ""
    mainline = [each for each in mainline if each.revisions]
    return History(
        git,
        repository,
        mainline,
        commits,
        sorted(days),
        root,
        max(times),
        f"{git.head}:{extent}",
        conventions,
    )


def assign_to_mainline(commits: Iterator[LoggedCommit]) -> Iterator[tuple[LoggedCommit, int, bool]]:
    """Yield each commit, its position on the main line (0: HEAD), and whether it is on the main line itself.

    A commit is assigned to the oldest commit on the main line that reaches it. Children come before their
    parents, so by the time a commit is seen, all commits that reach it have been assigned.
    """
    last = -1
    expected: str | None = None
    assigned: dict[str, int] = {}
    for commit in commits:
        on_mainline = expected in (None, commit.sha)
        if on_mainline:
            last += 1
            assigned.pop(commit.sha, None)
            expected = commit.parents[0] if commit.parents else ""
            position, merged = last, commit.parents[1:]
        else:
            position, merged = assigned.pop(commit.sha), commit.parents
        for parent in merged:
            assigned[parent] = max(position, assigned.get(parent, 0))
        yield commit, position, on_mainline


def _mainline_commit(repository: str, commit: LoggedCommit, shift: int) -> MainlineCommit:
    """Return a commit on the main line, as yet without a number, its time moved by ``shift`` seconds."""
    parent = commit.parents[0] if commit.parents else ""
    return MainlineCommit(repository, commit.sha, parent, commit.committed + shift, len(commit.parents) > 1)


def _find_pull_request(commit: LoggedCommit, heads: Mapping[str, int]) -> Named | None:
    """Return the pull request that a commit lands: the one that it merges, whatever it says; or as it says.

    Parameters:
      heads: the newest commits of pull requests -> their numbers.
    """
    for parent in commit.parents[1:]:
        if parent in heads:
            return Named(CLONED, heads[parent], commit.subject, "", "")
    named = find_pull_request(commit.subject, commit.body)
    return named and named._replace(body="")


def _assign_numbers(
    landed: list[tuple[MainlineCommit, Named | None]], known: Collection[int]
) -> Counter[str]:
    """Give commits on the main line, newest first, their numbers; count pull requests by convention.

    If several commits name one pull request, only the newest gets its number. A number is no pull request's
    if it is an issue's, or if the clone has the pull requests that are named but for this one.

    Parameters:
      known: numbers of the pull requests that the clone has.
    """
    if names_issues(named for _, named in landed):
        landed = [(commit, named) for commit, named in landed if named and named.convention != SQUASH.name]
    numbers = {named.number for _, named in landed if named}
    if 2 * len(numbers & set(known)) >= len(numbers):
        numbers &= set(known)
    conventions: Counter[str] = Counter()
    for commit, named in landed:
        if named and named.number in numbers:
            commit.number = named.number
            numbers.remove(named.number)
            conventions[named.convention] += 1
    return conventions


def _day(seconds: int) -> datetime.date:
    """Convert seconds since 1970 to a day in UTC, the last one there is for any later moment."""
    return EPOCH + datetime.timedelta(days=min(seconds // DAY, LAST_DAY))
