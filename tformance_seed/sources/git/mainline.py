"""What landed in a repository: the first-parent chain of HEAD, and what each commit of it brought in."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tformance_seed.sources.git.log import Logged, history
from tformance_seed.sources.git.people import People
from tformance_seed.sources.git.process import Git

#: The subject of a squashed pull request: GitHub adds the number to the title.
SQUASHED = re.compile(r"(?P<title>.*?)\s*\(#(?P<number>[1-9]\d{0,8})\)\s*")

#: The subject of a merged one; the branch without its owner.
MERGED = re.compile(r"Merge pull request #(?P<number>[1-9]\d{0,8}) from (?:[^/\s]+/)?(?P<branch>\S+).*")

EPOCH = datetime.date(1970, 1, 1)
DAY = 86_400  # seconds


@dataclass(slots=True)
class Landing:
    """A commit of the chain, and the commits that no older one of the chain reaches, oldest first.

    ``number`` is 0 where it is no pull request; ``parent`` is empty for the first commit of all.
    """

    repository: str
    sha: str
    parent: str
    committed: int  #: seconds since 1970
    is_merge: bool
    number: int
    side: list[tuple[str, bool]] = field(default_factory=list)  #: commit, and whether it is a merge

    @property
    def lines(self) -> list[str]:
        """The commits to read, as ``Git.changes`` wants them.

        A pull request's own comes first, compared with what it landed on. Outside of any, merges say nothing
        that the merged commits do not say.
        """
        if self.number:
            return [f"{self.sha} {self.parent}".rstrip(), *(sha for sha, _ in self.side)]
        every = [*self.side, (self.sha, self.is_merge)]
        return [sha for sha, is_merge in every if not is_merge]


@dataclass
class History:
    """What landed within a window, oldest first, and how far the whole history goes."""

    git: Git
    repository: str
    landings: list[Landing]
    commits: set[str]  #: all commits of the landings and what they are compared with
    days: list[datetime.date]  #: days on which anything ever landed, in order
    extent: str  #: names the range of commits, ``HEAD:boundary..tip``


def read_history(
    git: Git, repository: str, since: datetime.date, until: datetime.date, people: People
) -> History:
    """Read all commits, but not what they changed; tell ``people`` of the authors.

    Parameters:
      since, until: what landed on these days or between is in the window, by committer date in UTC.

    Raises:
      SeedError: git failed, because commits are missing or damaged.
    """
    chain: list[Landing | None] = []
    numbers: set[int] = set()
    days: set[datetime.date] = set()
    commits: set[str] = set()
    for commit, place, is_landing in placed(history(git)):
        if is_landing:
            day = _day(commit.committed)
            days.add(day)
            landed = _landing(repository, commit, numbers)
            chain.append(landed if since <= day <= until else None)
        landing = chain[place]
        if landing:
            commits.update([commit.sha, *commit.parents[:1]])
            if not is_landing:
                landing.side.append((commit.sha, len(commit.parents) > 1))
        selected = landing is not None
        people.add(commit.author, commit.authored, commits=1, selected=selected)
        for co_author in commit.co_authors:
            people.add(co_author, commit.authored, commits=0, selected=selected)
    landings = [landing for landing in reversed(chain) if landing]
    for landed in landings:
        landed.side.reverse()
    extent = f"{landings[0].parent}..{landings[-1].sha}" if landings else ""
    landings = [landing for landing in landings if landing.lines]
    return History(git, repository, landings, commits, sorted(days), f"{git.head}:{extent}")


def placed(commits: Iterator[Logged]) -> Iterator[tuple[Logged, int, bool]]:
    """Each commit with the place on the chain that it landed with (0: HEAD), and whether it is that place.

    A commit lands with the oldest commit of the chain that reaches it. Children come before their parents,
    so by the time a commit is seen, all that reach it have said where they landed.
    """
    place = -1
    expected: str | None = None
    landed: dict[str, int] = {}
    for commit in commits:
        is_landing = expected in (None, commit.sha)
        if is_landing:
            place += 1
            landed.pop(commit.sha, None)
            expected = commit.parents[0] if commit.parents else ""
            here, brought = place, commit.parents[1:]
        else:
            here, brought = landed.pop(commit.sha), commit.parents
        for parent in brought:
            landed[parent] = max(here, landed.get(parent, 0))
        yield commit, here, is_landing


def _landing(repository: str, commit: Logged, numbers: set[int]) -> Landing:
    """A commit of the chain. Of those that name the same pull request, the newest is the pull request."""
    named = SQUASHED.fullmatch(commit.subject) or MERGED.fullmatch(commit.subject)
    number = int(named["number"]) if named else 0
    if number in numbers:
        number = 0
    numbers.add(number)
    return Landing(
        repository,
        commit.sha,
        commit.parents[0] if commit.parents else "",
        commit.committed,
        len(commit.parents) > 1,
        number,
    )


def _day(seconds: int) -> datetime.date:
    """The day in UTC."""
    return EPOCH + datetime.timedelta(days=seconds // DAY)
