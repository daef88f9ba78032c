"""Decide which commit of a history lands which pull request.

A number may be named by several commits: by the merge, by a backport, by a commit that refers to it, in the
history of a fork or of a library that was merged in. Each belongs to one of them at most.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tformance_seed.sources.git.conventions import (
    CHANGE_ID,
    GERRIT,
    OTHER_FORGES,
    SQUASH,
    SUBMITTED,
    Named,
    find_pull_request,
)
from tformance_seed.sources.git.log import LoggedCommit
from tformance_seed.sources.people import Identity

#: The name of what is more certain than any convention: a clone that has the commits of pull requests.
CLONED = "refs of pull requests"

#: The address of the committer of what is merged on GitHub's pages.
GITHUB = "noreply@github.com"

#: Minimum number of squashes from which repeated numbers show that they are those of issues, and the share.
MIN_REPEATED, REPEATED_SHARE = 20, 0.25

#: Minimum number of squashes made on GitHub's pages that show that a repository's titles end with the numbers
#: of pull requests.
MIN_SQUASHES = 20

#: Minimum number of changes that show that a repository is on Gerrit, if it has more pull requests of another
#: convention; the share of commits that have one in the time of most of them; and how many are "most".
MIN_CHANGES, CHANGES_SHARE, MOST = 20, 0.5, 0.9

#: Minimum number of merges that show that refs are those of a history.
MIN_PROVEN = 20

#: A project is another one if messages name it less often than this share of the one named most often.
OTHER_PROJECT_SHARE = 0.2


#: Names of branches into which pull requests are merged.
INTEGRATION_BRANCH = re.compile(r"(?:dev|develop|development|next|staging|integration|(?:release|v?\d)\S*)")


class Claim(NamedTuple):
    """A commit that names a pull request, or merges the newest commit of one.

    Parameters:
      position: of the commit in the history, newest first.
      titled: the number in parentheses that the title ends with as well; 0 if there is none.
      integrates: whether it merges a branch into which pull requests are merged, such as ``develop``.
      batch: the pull requests that its further parents bring in, by the parents' names.
      is_proven: whether it merges the very commit to which the ref of that number points.
      copied: the newest commit of the pull request, of which this one is a copy; empty if it is none.
    """

    position: int
    number: int
    convention: str
    project: str
    titled: int
    integrates: bool
    on_mainline: bool
    by_github: bool
    batch: Mapping[str, int]
    copied: str = ""
    is_proven: bool = False

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, int]:
        """Of two claims to a number the one with the higher rank is believed; of equals the older one."""
        is_squash = self.convention == SQUASH.name
        return (
            self.convention == CLONED or self.is_proven,
            self.on_mainline,
            not is_squash,
            self.by_github,
            self.position,
        )


@dataclass
class Numbers:
    """Which pull requests a history lands.

    Attributes:
      landed: position of a commit -> the claim that was believed.
      heads: name of a commit -> the pull requests that end with it, and by which convention they are known.
      submits: positions of the merges that Gerrit made, with which the changes that they merge landed.
      parts: name of a commit -> that of the copy with which the pull request ends that has both.
      trusts_refs: whether the clone's refs of pull requests are those of this history.
      trusts_titles: whether a number in parentheses at the end of a title is a pull request's wherever it is;
        otherwise, in the branch of a pull request, it may be an issue's.
    """

    landed: dict[int, Claim] = field(default_factory=dict)
    heads: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    submits: set[int] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    trusts_refs: bool = False
    trusts_titles: bool = False


#: What a copy of a commit has in common with it, as rebasing leaves it: author, author date, subject.
_Written = tuple[Identity, int, str]


class Claims:
    """The claims of a history's commits: ``add`` each commit, then ``decide``.

    Parameters:
      heads: the newest commit of each pull request that was cloned with its ref -> their numbers.
      commits: these commits, as far as the clone has them.
    """

    def __init__(self, heads: Mapping[str, list[int]], commits: Iterable[LoggedCommit]) -> None:
        self._heads = heads
        self._written: defaultdict[_Written, list[LoggedCommit]] = defaultdict(list)
        for commit in commits:
            if commit.sha in heads and len(commit.parents) == 1:
                self._written[_written(commit)].append(commit._replace(body=""))
        self._copies: list[tuple[Claim, list[str]]] = []  # commits that may be copies of these heads
        self._claims: list[Claim] = []
        self._plain: list[int] = []  # for each position, how many commits up to it are no merges
        self._submits: set[int] = set()  # the merges that Gerrit made
        self._merged: dict[int, list[str]] = {}  # position of a merge -> the heads among its further parents
        self._differ = 0  # merges that name another number than the ref that they merge
        self._reached: set[str] = set()  # the heads in the history
        self._mainline: set[str] = set()  # the heads on the main line
        self._closed: set[str] = set()  # heads that land another pull request, or are merges on the main line

    def add(self, position: int, commit: LoggedCommit, *, on_mainline: bool) -> None:
        """Add a commit at its position in the history, newest first."""
        named = find_pull_request(commit.subject, commit.body)
        self._plain.append((self._plain[-1] if self._plain else 0) + (len(commit.parents) <= 1))
        if len(commit.parents) > 1 and SUBMITTED.match(commit.subject):
            self._submits.add(position)
        if commit.sha in self._heads:
            self._reached.add(commit.sha)
            if on_mainline:
                self._mainline.add(commit.sha)
            if named or (on_mainline and len(commit.parents) > 1):
                self._closed.add(commit.sha)
        if merged := [parent for parent in commit.parents[1:] if parent in self._heads]:
            self._merged[position] = merged
        if named or merged:
            claim = _claim(position, commit, named, on_mainline=on_mainline)
            is_proven = any(claim.number in self._heads[parent] for parent in merged)
            self._differ += bool(named and merged and not is_proven)
            self._claims.append(claim._replace(is_proven=is_proven))
        if len(commit.parents) == 1 and (alike := self._written.get(_written(commit))):
            # A pull request to a maintenance branch may copy what was merged before: that is no merge of it.
            copied = [each.sha for each in alike if each.committed <= commit.committed]
            self._copies.append((_claim(position, commit, None, on_mainline=on_mainline), copied))

    def decide(self, related: Sequence[bool]) -> Numbers:
        """Return which commit lands which pull request.

        Parameters:
          related: for each position whether the commit descends from the first one of the main line. The
            others were written in another repository, whose numbers they name.
        """
        claims = [claim for claim in self._claims if related[claim.position] or claim.is_proven]
        named = _without_other_projects([claim for claim in claims if claim.number])
        if not self._is_on_gerrit(named):
            named = [claim for claim in named if claim.convention != CHANGE_ID.name]
        if _names_issues(claim for claim in named if claim.on_mainline):
            named = [claim for claim in named if claim.convention != SQUASH.name]
        known = {number for numbers in self._heads.values() for number in numbers}
        cloned = self._claim_heads(claims, known)
        reached = {number for sha in self._reached - self._closed for number in self._heads[sha]}
        numbers = {claim.number for claim in [*named, *cloned]} | reached
        are_known = bool(known) and 2 * len(numbers & known) >= len(numbers)
        # A history of which another repository's is a part, as by merges of its subtree, names those as well.
        proven = sum(claim.is_proven for claim in claims)
        trusts_refs = are_known or (proven >= MIN_PROVEN and proven > 9 * self._differ)
        if trusts_refs:
            newest = max(known) if are_known else max(numbers)  # the refs may have been fetched long ago
            others = _other_forges(named, known)
            kept = (
                claim
                for claim in named
                if claim.number in known or claim.number > newest or claim.convention in others
            )
            named = [*kept, *cloned]
            named += self._claim_copies(named, related)
        squashes = [claim for claim in named if claim.convention == SQUASH.name and claim.by_github]
        merges_squash = sum(claim.on_mainline for claim in squashes) >= MIN_SQUASHES
        decided = Numbers(
            submits=self._submits, trusts_refs=trusts_refs, trusts_titles=trusts_refs or merges_squash
        )
        best: dict[int, Claim] = {}
        for claim in named:
            best[claim.number] = max(claim, best.get(claim.number, claim), key=lambda each: each.rank)
        by_position: defaultdict[int, list[Claim]] = defaultdict(list)
        for claim in best.values():
            by_position[claim.position].append(claim)
        decided.landed = {
            position: max(rivals, key=lambda each: each.rank) for position, rivals in by_position.items()
        }
        self._add_heads(decided)
        return decided

    def _claim_heads(self, claims: Iterable[Claim], known: Collection[int]) -> list[Claim]:
        """Return the claims of merges that merge a pull request's head and do not name one that is known."""
        return [
            claim._replace(number=numbers[0], convention=CLONED, titled=0, batch={})
            for claim in claims
            if claim.number not in known
            for parent in self._merged.get(claim.position, [])
            if parent not in self._closed and parent not in self._mainline
            for numbers in [self._heads[parent]]
        ]

    def _is_on_gerrit(self, claims: Collection[Claim]) -> bool:
        """Return whether changes are those of a server: from the first to the last, most commits have one.

        The earliest and latest ones do not count, as they may be from before the repository moved to Gerrit,
        or from after it left.
        """
        changes = [claim for claim in claims if claim.convention in (GERRIT.name, CHANGE_ID.name)]
        if len(changes) < min(MIN_CHANGES, len(claims) - len(changes)):
            return False
        left_out = int((1 - MOST) / 2 * len(changes))
        most = changes[left_out : len(changes) - left_out]
        if not most:
            return False
        commits = self._plain[most[-1].position] - self._plain[most[0].position] + 1
        return len(most) >= CHANGES_SHARE * commits

    def _claim_copies(self, claims: Iterable[Claim], related: Sequence[bool]) -> list[Claim]:
        """Return the claims of commits that are copies of the heads of pull requests not landed otherwise.

        Of several pull requests that ended with one commit, the last one was merged: it replaced the others.
        """
        claims = list(claims)
        landed = {claim.number for claim in claims}
        landed.update(number for sha in self._reached for number in self._heads[sha])
        positions = {claim.position for claim in claims}
        copies = []
        for claim, heads in self._copies:
            numbers = [(number, sha) for sha in heads for number in self._heads[sha] if number not in landed]
            if numbers and claim.position not in positions and related[claim.position]:
                number, head = max(numbers)
                copies.append(claim._replace(number=number, convention=CLONED, copied=head))
        return copies

    def _add_heads(self, decided: Numbers) -> None:
        """Add the pull requests that no commit lands alone: of batches, and known by refs only."""
        claims = decided.landed.values()
        known = {claim.number for claim in claims if not claim.batch}
        heads = [
            (parent, number, claim.convention) for claim in claims for parent, number in claim.batch.items()
        ]
        if decided.trusts_refs:
            reached = sorted(self._reached - self._closed)
            heads += [(sha, number, CLONED) for sha in reached for number in self._heads[sha]]
        for sha, number, convention in heads:
            if number not in known:
                known.add(number)
                decided.heads.setdefault(sha, []).append((number, convention))


def _written(commit: LoggedCommit) -> _Written:
    return commit.author, commit.authored, commit.subject


def _claim(position: int, commit: LoggedCommit, named: Named | None, *, on_mainline: bool) -> Claim:
    """Return what a commit says; number 0 if it names no pull request."""
    titled = SQUASH.find(named.title, "") if named and named.convention != SQUASH.name else None
    numbers = [named.number, *named.others] if named else []
    is_batch = len(numbers) > 1 and len(numbers) == len(commit.parents) - 1
    return Claim(
        position,
        named.number if named else 0,
        named.convention if named else "",
        named.project if named else "",
        titled.number if titled else 0,
        named is not None and INTEGRATION_BRANCH.fullmatch(named.branch) is not None,
        on_mainline,
        commit.committer == GITHUB,
        dict(zip(commit.parents[1:], numbers, strict=True)) if is_batch else {},
    )


def _without_other_projects(claims: list[Claim]) -> list[Claim]:
    """Return the claims without those that name a project which is not the repository's."""
    projects = Counter(claim.project for claim in claims if claim.project)
    if not projects:
        return claims
    enough = OTHER_PROJECT_SHARE * max(projects.values())
    return [claim for claim in claims if not claim.project or projects[claim.project] >= enough]


def _other_forges(claims: Iterable[Claim], known: set[int]) -> set[str]:
    """Return the conventions of forges whose refs these are not: most of their numbers are not among them.

    The history has moved from one forge to another, or is mirrored where pull requests are made as well.
    """
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for claim in claims:
        numbers[claim.convention].add(claim.number)
    return {name for name in OTHER_FORGES if 2 * len(numbers[name] & known) < len(numbers[name])}


def _names_issues(claims: Iterable[Claim]) -> bool:
    """Return whether the numbers in parentheses at the end of titles are those of issues in a repository.

    They are if they repeat, as one issue may take several commits, or if more pull requests that follow
    another convention have a different number there than there are commits with one alone.
    """
    claims = list(claims)
    squashes = [claim.number for claim in claims if claim.convention == SQUASH.name]
    repeated = len(squashes) - len(set(squashes))
    if len(squashes) >= MIN_REPEATED and repeated > REPEATED_SHARE * len(squashes):
        return True
    differ = [claim.number != claim.titled for claim in claims if claim.titled]
    return 2 * sum(differ) > len(differ) and sum(differ) >= len(squashes)
