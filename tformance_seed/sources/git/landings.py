"""What landed in a repository: the first-parent chain of HEAD, and what each commit of it brought in."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tformance_seed.sources.git.log import Git, Logged
from tformance_seed.sources.git.people import People

#: The subject of a squashed pull request: GitHub adds the number to the title.
SQUASHED = re.compile(r"(?P<title>.*?)\s*\(#(?P<number>[1-9]\d{0,8})\)\s*")

#: The subject of a merged one; the branch without its owner.
MERGED = re.compile(r"Merge pull request #(?P<number>[1-9]\d{0,8}) from (?:[^/\s]+/)?(?P<branch>\S+).*")


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
    days: set[datetime.date] = set()
    commits: set[str] = set()
    for commit, place, is_landing in _placed(git.history()):
        if is_landing:
            day = _day(commit.committed)
            days.add(day)
            chain.append(_landing(repository, commit) if since <= day <= until else None)
        landing = chain[place]
        if landing:
            commits.update([commit.sha, *commit.parents[:1]])
            if not is_landing:
                landing.side.append((commit.sha, len(commit.parents) > 1))
        selected = landing is not None
        people.add(commit.name, commit.email, commit.authored, commits=1, selected=selected)
        for co_author in commit.co_authors:
            name, _, email = co_author.partition("<")
            people.add(name.strip(), email.rstrip("> "), commit.authored, commits=0, selected=selected)
    landings = [landing for landing in reversed(chain) if landing]
    _number_once(landings)
    for landing in landings:
        landing.side.reverse()
    extent = f"{landings[0].parent}..{landings[-1].sha}" if landings else ""
    landings = [landing for landing in landings if landing.lines]
    return History(git, repository, landings, commits, sorted(days), f"{git.head}:{extent}")
