"""The generated source: an organisation's pull requests, commits and files, each a function of its number."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.ragged import cumulative_sums, differences, split_totals
from tformance_seed.sources.records import Batch, Columns, Members
from tformance_seed.sources.synthetic.assistance import TOOLS
from tformance_seed.sources.synthetic.calendar import calendars
from tformance_seed.sources.synthetic.changes import KINDS, Changes, decide
from tformance_seed.sources.synthetic.people import people
from tformance_seed.sources.synthetic.texts import Wording
from tformance_seed.sources.synthetic.trees import Tree, plant

Ints = npt.NDArray[np.int64]

#: By kind of change: share of additions among a file's lines; shares of files added, removed, renamed.
MAKE_UP = {
    "fix": (0.66, 0.03, 0.01, 0.005),
    "feat": (0.80, 0.22, 0.01, 0.01),
    "refactor": (0.45, 0.08, 0.10, 0.06),
    "perf": (0.60, 0.02, 0.01, 0.005),
    "chore": (0.45, 0.03, 0.05, 0.01),
    "docs": (0.72, 0.12, 0.02, 0.02),
    "test": (0.78, 0.18, 0.02, 0.01),
    "ci": (0.58, 0.05, 0.02, 0.01),
}
_MAKE_UP = np.array([MAKE_UP[kind] for kind in KINDS])

#: How far a file's share of additions lies from its kind's, at most.
ADDITIONS_NOISE = 0.2

#: Status of a file, in the order of the shares above; the rest is modified.
ADDED, REMOVED = 0, 1
STATUSES = np.array([b"added", b"removed", b"renamed", b"modified"])

#: How unevenly lines lie: a file weighs 1 + EXTENT x u^4, a commit 1 + EXTENT x u^2, and the first commit of
#: a pull request EXTENT more.
EXTENT = 1000

#: Share of the commits that an AI tool signs, where it signs any (one is certain).
SIGNED_COMMITS = 0.6

#: JSON lists of the tools by index, and of none at index -1.
_TOOL_LISTS = np.array([json_text([tool.name.decode()]).encode() for tool in TOOLS] + [b"[]"])


class SyntheticSource:
    """What happened in an organisation of the catalogue, made up.

    Every row is a function of the profile, of repository and number; a slid window keeps what it had. Pull
    requests stand by repository and number; a batch is of one repository.

    Raises:
      InputError: the window begins before 2015.
    """

    name = "synthetic"
    fingerprint = ""
    waits = False
    shares_issues = False

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._calendars = calendars(profile)
        self._trees: dict[int, Tree] = {}
        self.total = self.places = sum(calendar.total for calendar in self._calendars)
        self.inputs: dict[str, Any] = {"members": profile.members}
        self.record: dict[str, Any] = {}
        self.warnings: list[str] = []
        if profile.prs is not None:  # so many in so many days is the rate at which a repository goes on
            self.inputs |= {"prs": profile.prs, "days": len(profile.days)}

    @cached_property
    def _people(self) -> Members:
        return people(self._profile)

    def members(self) -> Members:
        """Everybody who can be an author or a reviewer."""
        return self._people

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Pull requests of a range of places, which stand by repository and number; a batch is of one."""
        wording = Wording(self._profile)
        first = 0
        for index, calendar in enumerate(self._calendars):
            last = first + calendar.total
            begin, end = max(start, first), min(stop, last)
            if begin < end:
                tree = self._tree(index)
                numbers = calendar.first + np.arange(begin - first, end - first)
                changes = decide(self._profile, self._people, calendar, index, tree, numbers)
                reverted = np.unique(changes.reverted[changes.is_revert])
                originals = decide(self._profile, self._people, calendar, index, tree, reverted)
                quoted = wording.subjects(originals, wording.words(originals), tree.packages, {})
                quotes = dict(zip(reverted.tolist(), quoted, strict=True))
                yield Batch(begin, end, *self._tables(changes, tree, wording, quotes))
            first = last

    def _tree(self, index: int) -> Tree:
        """The files of a repository, which all its tasks share."""
        if index not in self._trees:
            self._trees[index] = plant(self._profile, self._profile.organisation.repos[index])
        return self._trees[index]

    def _tables(
        self, changes: Changes, tree: Tree, wording: Wording, quotes: dict[int, bytes]
    ) -> tuple[Columns, Columns, Columns]:
        """Pull requests, commits and files; ``quotes`` are the subjects of what reverts take back."""
        said = wording.words(changes)
        subjects = wording.subjects(changes, said, tree.packages, quotes)
        files = self._files(changes, tree)
        starts = np.flatnonzero(changes.file_place == 0)
        additions = np.add.reduceat(files["additions"], starts)
        pull_requests = {
            "repository": np.full(len(changes.key), changes.repository.encode()),
            "number": changes.number,
            "key": changes.key,
            "title": np.array(wording.titles(changes, subjects)),
            "body": np.array(wording.bodies(changes, said, subjects)),
            "state": changes.state,
            "author": changes.author,
            "ended_at": changes.ended_at,
            "created_at": np.full(len(changes.key), np.datetime64("NaT", "s")),
            "additions": additions,
            "deletions": changes.lines - additions,
            "labels": wording.labels(changes),
            "jira_key": changes.jira_key,
            "is_revert": changes.is_revert,
            "is_hotfix": changes.is_hotfix,
            "is_draft": changes.is_draft,
            "is_bot": changes.is_bot,
            "ai_kind": changes.ai_kind,
            "ai_tools": _TOOL_LISTS[changes.tool],
            "has_ai_commits": changes.signed,
            "has_ai_files": changes.configures,
        }
        signed = self._signed_commits(changes)
        messages = wording.messages(changes, said, subjects, signed)
        return pull_requests, self._commits(changes, additions, signed, messages), files

    def _files(self, changes: Changes, tree: Tree) -> Columns:
        random, owner, place = self._profile.random, changes.file_owner, changes.file_place
        key, counts = changes.key[owner], np.bincount(owner)
        share, *likely = _MAKE_UP[changes.kind][owner].T
        status = (random.uniform("status", key, place) >= np.cumsum(likely, axis=0)).sum(axis=0)
        # What stands at the root, and all that a bot touches, stays where it is.
        status[(changes.file_row >= tree.size) | changes.is_bot[owner]] = len(STATUSES) - 1
        u = random.uniform("file lines", key, place)
        lines = split_totals(changes.lines, counts, 1 + np.floor(EXTENT * (u * u) * (u * u)).astype(np.int64))
        share = share + random.uniform("additions", key, place, low=-ADDITIONS_NOISE, high=ADDITIONS_NOISE)
        additions = np.select(
            [status == ADDED, status == REMOVED], [lines, 0], np.rint(lines * share).astype(np.int64)
        )
        return {
            "pull_request": owner,
            "filename": tree.names[changes.file_row],
            "status": STATUSES[status],
            "additions": additions,
            "deletions": lines - additions,
            "file_category": tree.categories[changes.file_row],
        }

    def _signed_commits(self, changes: Changes) -> npt.NDArray[np.bool_]:
        """Which commits an AI tool signs: one of each pull request that it signs, and more."""
        random, owner, place = self._profile.random, changes.commit_owner, changes.commit_place
        certain = np.floor(random.uniform("signed commit", changes.key) * np.bincount(owner)).astype(np.int64)
        more = random.chance("signs too", SIGNED_COMMITS, changes.key[owner], place)
        return changes.signed[owner] & (more | (place == certain[owner]))

    def _commits(
        self,
        changes: Changes,
        additions: Ints,
        signed: npt.NDArray[np.bool_],
        messages: list[bytes],
    ) -> Columns:
        owner, place = changes.commit_owner, changes.commit_place
        key, counts = changes.key[owner], np.bincount(owner)
        u = self._profile.random.uniform("commit lines", key, place)
        weights = 1 + np.floor(EXTENT * (u * u)).astype(np.int64) + np.where(place == 0, EXTENT, 0)
        lines = split_totals(changes.lines, counts, weights)
        # The additions up to each commit keep step with the lines, so none has more of them than lines.
        added = differences(
            cumulative_sums(lines, counts) * np.repeat(additions, counts) // np.repeat(changes.lines, counts),
            counts,
        )
        return {
            "pull_request": owner,
            "repository": np.full(len(owner), changes.repository.encode()),
            "sha": self._profile.random.hexadecimal("sha", key, place),
            "message": np.array(messages),
            "additions": added,
            "deletions": lines - added,
            "committed_at": np.full(len(owner), np.datetime64("NaT", "s")),
            "author": changes.author[owner],
            "ai_co_authors": _TOOL_LISTS[np.where(signed, changes.tool[owner], -1)],
            "is_ai_assisted": signed,
        }
