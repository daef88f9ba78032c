"""The entries of a repository's history: the commits of its main line, and the pull requests beside it.

The main line is the first-parent chain of HEAD. Pull requests are landed beside it as well, on a branch that
is merged later or behind a merge whose parents are swapped. Every other commit belongs to one entry.
"""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.git.conventions import CHANGE_ID, GERRIT, SQUASH
from tformance_seed.sources.git.graph import Node, descend_from, find_parts
from tformance_seed.sources.git.log import Revision, history, map_identities, read_commits
from tformance_seed.sources.git.numbers import CLONED, Claim, Claims, Numbers
from tformance_seed.sources.git.process import Git
from tformance_seed.sources.people import Identity, People

EPOCH = datetime.date(1970, 1, 1)
DAY = 86_400  # seconds
LAST_DAY = (datetime.date.max - EPOCH).days

#: Maximum depth to which branches that were merged into branches are told apart.
MAX_DEPTH = 50

#: A pull request that was merged into the branch of another is that of a fork, which counts from 1, if its
#: number is less than this share of the other's, and less by so many at least.
FORK_SHARE, FORK_DISTANCE = 0.5, 50


class Merged(NamedTuple):
    """A commit that belongs to an entry; ``parent`` is its first one, empty for a root commit."""

    sha: str
    parent: str
    is_merge: bool

    @property
    def revision(self) -> Revision:
        """What to read of it; a merge adds nothing to the commits that it merges."""
        return Revision(self.sha, self.sha if self.is_merge else self.parent)


@dataclass(slots=True, eq=False)
class Entry:
    """A commit on the main line, or one that lands a pull request, with the commits that belong to it.

    ``number`` is 0 if it is not a pull request; ``parent`` is empty for the root commit.
    """

    repository: str
    sha: str
    parent: str  #: the commit to compare a pull request with
    committed: int  #: seconds since 1970, moved into the window
    is_merge: bool  #: it consists of the merged commits, not of itself
    number: int = 0
    convention: str = ""  #: by which its number was found
    integrates: bool = False  #: it merges a branch into which pull requests are merged
    submits: bool = False  #: Gerrit made it to merge changes, which land with it
    merged: list[Merged] = field(default_factory=list)  #: oldest first

    @property
    def revisions(self) -> list[Revision]:
        """The commits to read.

        For a pull request, this commit comes first, compared with its parent; not so if it merges a single
        commit, which is compared instead. Outside pull requests, merges are left out, because they add
        nothing to the commits that they merge.
        """
        if self.merges_one:
            (one,) = self.merged
            return [Revision(self.sha, self.sha), Revision(one.sha, one.parent, lists_files=True)]
        if self.number:
            whole = Revision(self.sha, self.parent, lists_files=True)
            return [whole, *(each.revision for each in self.merged)]
        commits = [each.revision for each in self.merged if not each.is_merge]
        return commits if self.is_merge else [*commits, Revision(self.sha, self.parent)]

    @property
    def merges_one(self) -> bool:
        """Whether it is a pull request that merges a single commit, whose changes are then its own."""
        if not (self.number and self.is_merge and len(self.merged) == 1):
            return False
        (one,) = self.merged
        return not one.is_merge and one.sha != self.sha


@dataclass
class History:
    """The entries within a window, oldest first, and what is known about the whole history."""

    git: Git
    repository: str
    entries: list[Entry]
    commits: set[str]  #: all commits that are read, and the parents that they are compared with
    days: list[datetime.date]  #: all days with a commit on the main line, in order, before they are moved
    root: str  #: the oldest commit on the main line
    newest: int  #: time of the newest commit on the main line, moved like the others
    extent: str  #: identifies the range of commits, ``HEAD:boundary..tip``
    numbers: list[int]  #: of all pull requests of the whole history, in order

    @property
    def conventions(self) -> dict[str, int]:
        """How many pull requests each convention found within the window, the one with most first."""
        return dict(Counter(entry.convention for entry in self.entries if entry.number).most_common())


def read_history(git: Git, repository: str, profile: Profile, people: People) -> History:
    """Read all commits, but not their changes, and add their authors to ``people``.

    Parameters:
      profile: its window selects entries by their committer date in UTC, moved by its ``shift_weeks``.

    Raises:
      SeedError: git failed, for example because commits are missing or damaged.
    """
    heads = git.pull_request_heads()
    nodes, mainline, claims = _read_nodes(git, heads)
    numbers = claims.decide(descend_from(nodes, mainline[-1]))
    on_mainline = set(mainline)
    numbers.parts = find_parts(git, nodes, on_mainline, numbers)
    forest = Forest(repository, profile.shift_seconds, numbers)
    commits: set[str] = set()
    times: list[int] = []
    days: set[datetime.date] = set()
    chain: list[Node] = []  # the main line within the window, newest first
    for position, node in enumerate(nodes):
        owner = forest.place(position, node, on_mainline=node.sha in on_mainline)
        within = profile.since <= _day(owner.committed) <= profile.until
        if node.sha in on_mainline:
            days.add(_day(node.committed))
            times.append(owner.committed)
            if within:
                chain.append(node)
        if within:
            commits.update([node.sha, *node.parents[:1]])
        # Clocks may be wrong: nothing was written after it landed.
        authored = min(node.authored + profile.shift_seconds, owner.committed)
        people.add(node.author, authored, commits=1, selected=within)
        for co_author in node.co_authors:
            people.add(co_author, authored, commits=0, selected=within)
    extent = f"{''.join(chain[-1].parents[:1])}..{chain[0].sha}" if chain else ""
    everything = forest.finish()
    entries = [entry for entry in everything if profile.since <= _day(entry.committed) <= profile.until]
    commits.update(name for entry in entries for name in (entry.sha, entry.parent) if name)
    refs = f"+{_digest(heads)}" if heads else ""  # they say which refs to trust, and which merges are sure
    return History(
        git,
        repository,
        [entry for entry in entries if entry.revisions],
        commits,
        sorted(days),
        mainline[-1],
        max(times),
        f"{git.head}{refs}:{extent}",
        sorted(entry.number for entry in everything if entry.number),
    )


def _read_nodes(git: Git, heads: Mapping[str, list[int]]) -> tuple[list[Node], list[str], Claims]:
    """Return all commits, children before parents, the main line, and which pull requests they name."""
    claims = Claims(heads, read_commits(git, heads))
    nodes: list[Node] = []
    mainline: list[str] = []
    authors: dict[Identity, Identity] = {}  # one object for each, since each has many commits
    expected: str | None = None
    for position, commit in enumerate(history(git)):
        if on_mainline := expected in (None, commit.sha):
            mainline.append(commit.sha)
            expected = commit.parents[0] if commit.parents else ""
        author = authors.setdefault(commit.author, commit.author)
        nodes.append(
            Node(commit.sha, commit.parents, commit.committed, commit.authored, author, commit.co_authors)
        )
        claims.add(position, commit, on_mainline=on_mainline)
    mapped = map_identities(git, {each for node in nodes for each in node.co_authors})
    nodes = [
        node._replace(co_authors=[mapped.get(each, each) for each in node.co_authors])
        if node.co_authors
        else node
        for node in nodes
    ]
    return nodes, mainline, claims


class _Place(NamedTuple):
    """Where a commit is: its key, the entry to which it belongs, and whether that merged this very commit."""

    key: tuple[int, ...]
    owner: Entry
    is_head: bool


#: A pull request's own first-parent chain: the entry, and the length of the keys on the chain.
_Chain = tuple[Entry, int]


class Forest:
    """Assigns each commit to an entry, as commits come, children before parents.

    A commit on the main line is an entry. Any other belongs to the oldest commit on the main line that
    reaches it; the branch that this one merged has a first-parent chain of its own, on which each commit may
    land a pull request and then has what it merged, and so on with the branches merged into branches. What
    lands no pull request belongs to the entry around it.

    So a commit's place is a key: the index on the main line, newest first, the index on the chain of the
    branch, ... Of the keys by which a commit is reached the greatest one, the oldest, counts.

    Parameters:
      shift: seconds by which times are moved.
    """

    def __init__(self, repository: str, shift: int, numbers: Numbers) -> None:
        self._repository, self._shift, self._numbers = repository, shift, numbers
        self._entries: list[Entry] = []  # newest first
        self._reached: dict[str, _Place] = {}  # commits that are not placed yet
        self._starts: dict[_Chain, str] = {}  # the commits from which chains branched off
        self._ends: list[tuple[Entry, _Chain]] = []  # pull requests to compare with those
        self._copied: dict[str, Entry | None] = dict.fromkeys(numbers.parts.values())
        self._length = 0  # of the main line so far

    def place(self, position: int, node: Node, *, on_mainline: bool) -> Entry:
        """Return the entry to which a commit belongs, which is new if the commit is one itself."""
        if on_mainline:
            self._reached.pop(node.sha, None)
            entry = self._add_part(node)
            entry = entry or self._add(node, self._landed(position, None), node.committed + self._shift)
            entry.submits = position in self._numbers.submits
            self._add_heads_on_mainline(node, entry)
            self._reach(node.parents[1:], _Place((self._length, 0), entry, is_head=True))
            self._length += 1
            return entry
        place = self._reached.pop(node.sha)
        key, outer = place.key, self._add_heads(node, place)
        self._starts[outer, len(key)] = "".join(node.parents[:1])
        entry = outer
        if claim := self._landed(position, outer):
            entry = self._add(node, claim, outer.committed if outer.submits else node.committed + self._shift)
        elif part := self._add_part(node):
            entry = part
        else:
            outer.merged.append(Merged(node.sha, "".join(node.parents[:1]), len(node.parents) > 1))
        older = (*key[:-1], key[-1] + 1)
        self._reach(node.parents[:1], _Place(older, outer, is_head=False))
        deeper = (*key, 0) if len(key) < MAX_DEPTH else older
        self._reach(node.parents[1:], _Place(deeper, entry, is_head=entry is not outer))
        return entry

    def finish(self) -> list[Entry]:
        """Return all entries, oldest first, once every commit has its place."""
        for entry, chain in self._ends:
            entry.parent = self._starts.get(chain) or entry.parent
        for entry in self._entries:
            entry.merged.reverse()
        return self._entries[::-1]

    def _reach(self, parents: Iterable[str], place: _Place) -> None:
        for parent in parents:
            other = self._reached.get(parent)
            if other is None or other.key < place.key:
                self._reached[parent] = place

    def _landed(self, position: int, outer: Entry | None) -> Claim | None:
        """Return the claim of the pull request that a commit lands, None if it lands none.

        In the branch of another pull request, people refer to issues, and forks have numbers of their own.
        """
        claim = self._numbers.landed.get(position)
        if claim is None or claim.is_proven or outer is None or not outer.number:
            return claim
        if claim.copied:  # from a pull request that this one replaced
            return claim if outer.integrates else None
        if claim.convention == CHANGE_ID.name:  # the hook that writes it may be used without Gerrit
            return claim if outer.convention in (GERRIT.name, CHANGE_ID.name) else None
        if claim.convention == CLONED or outer.convention == CHANGE_ID.name:
            return claim
        is_sure = claim.by_github or outer.integrates or self._numbers.trusts_titles
        if claim.convention == SQUASH.name and not is_sure:
            return None
        limit = min(FORK_SHARE * outer.number, outer.number - FORK_DISTANCE)
        return None if claim.number < limit else claim

    def _add(self, node: Node, claim: Claim | None, committed: int) -> Entry:
        """Add a commit as an entry of its own."""
        parent = "".join(node.parents[:1])
        entry = Entry(self._repository, node.sha, parent, committed, len(node.parents) > 1)
        if claim and not claim.batch:
            entry.number, entry.integrates = claim.number, claim.integrates
            entry.convention = claim.convention
        if claim and node.sha in self._copied:
            entry.is_merge = True
            entry.merged.append(Merged(node.sha, parent, False))
            self._copied[node.sha] = entry
        self._entries.append(entry)
        return entry

    def _add_part(self, node: Node) -> Entry | None:
        """Add a commit to the pull request that was copied with it; None if there is none."""
        entry = self._copied.get(self._numbers.parts.get(node.sha, ""))
        if entry:
            entry.parent = "".join(node.parents[:1])
            entry.merged.append(Merged(node.sha, entry.parent, False))
        return entry

    def _add_heads_on_mainline(self, node: Node, entry: Entry) -> None:
        """Make a commit on the main line the pull requests that end with it, and that nothing merged."""
        for number, convention in self._numbers.heads.get(node.sha, ()):
            if entry.number:  # one more that consists of the same commit
                entry = Entry(self._repository, node.sha, entry.parent, entry.committed, True)
                self._entries.append(entry)
            entry.number, entry.convention = number, convention

    def _add_heads(self, node: Node, place: _Place) -> Entry:
        """Add the pull requests that end with a commit beside the main line, landed with what is around them.

        Returns:
          The entry to which the rest of the commit's chain belongs.
        """
        owner = place.owner
        for number, convention in self._numbers.heads.get(node.sha, ()):
            parent = "".join(node.parents[:1])
            entry = Entry(
                self._repository, node.sha, parent, place.owner.committed, True, number, convention=convention
            )
            self._entries.append(entry)
            if owner is place.owner and not (place.is_head and owner.number):
                owner = entry
            self._ends.append((entry, (owner, len(place.key))))
        return owner


def _digest(heads: Mapping[str, list[int]]) -> str:
    """Identify the refs of pull requests in a clone."""
    text = json_text(sorted(heads.items()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _day(seconds: int) -> datetime.date:
    """Convert seconds since 1970 to a day in UTC, the last one there is for any later moment."""
    return EPOCH + datetime.timedelta(days=min(seconds // DAY, LAST_DAY))
