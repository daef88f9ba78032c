"""The synthetic source: generates the pull requests, commits and files of an organisation."""

import functools
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints, Texts
from tformance_seed.sampling.ragged import cumulative_sums, differences, split_totals
from tformance_seed.sources.detection import ai_tools as detect
from tformance_seed.sources.detection import co_author_tools, is_ai_file, is_hotfix, is_revert
from tformance_seed.sources.records import Batch, Columns, Members
from tformance_seed.sources.synthetic.calendar import make_calendars
from tformance_seed.sources.synthetic.changes import Changes, generate_pull_requests
from tformance_seed.sources.synthetic.people import generate_members
from tformance_seed.sources.synthetic.texts import WritingStyle, writing_style
from tformance_seed.sources.synthetic.touches import STATUSES
from tformance_seed.sources.synthetic.trees import Tree, build_tree
from tformance_seed.sources.synthetic.words import ai_tools

#: How unevenly lines are distributed: a commit weighs 1 + UNEVENNESS x u^2, and the first commit of a pull
#: request UNEVENNESS more.
UNEVENNESS = 1000

#: Share of commits that an AI tool signs, in pull requests in which it signs any (at least one).
SIGNED_COMMIT_SHARE = 0.6


class SyntheticSource:
    """The generated history of an organisation.

    Every row is a function of the profile, its repository and its ordinal, so a window that moves keeps the
    rows that it already had. Pull requests are ordered by repository and end; a batch belongs to one
    repository.

    Raises:
      InputError: the window begins before 2015.
    """

    name = "synthetic"
    fingerprint = ""
    waits = False

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.shares_issues = profile.scenario is None
        self._calendars = make_calendars(profile)
        self.total = self.length = sum(calendar.total for calendar in self._calendars)
        self.inputs: dict[str, Any] = {"members": profile.members}
        self.record: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.warnings: list[str] = []
        if profile.prs is not None:  # the rate of the repositories depends on it and on the number of days
            self.inputs |= {"prs": profile.prs, "days": len(profile.days)}

    @cached_property
    def _members(self) -> Members:
        return generate_members(self._profile)

    def members(self) -> Members:
        """Return all members, each of whom can be an author or a reviewer."""
        return self._members

    def continues(self, state: Mapping[str, Any], people: Collection[str]) -> bool:  # noqa: ARG002
        """Return True: the inputs say everything."""
        return True

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the pull requests at a range of positions, in one batch per repository."""
        first = 0
        for index, calendar in enumerate(self._calendars):
            last = first + calendar.total
            begin, end = max(start, first), min(stop, last)
            if begin < end:
                tree, style = self._tree(index), self._style(index)
                ordinals = calendar.first + np.arange(begin - first, end - first)
                changes = generate_pull_requests(
                    self._profile, self._members, calendar, index, tree, ordinals
                )
                reverted = np.unique(changes.reverted_ordinal[changes.is_revert])
                reverted_subjects = self._subjects(index, reverted) if len(reverted) else {}
                yield Batch(begin, end, *self._tables(changes, style, reverted_subjects))
            first = last

    def _subjects(self, index: int, ordinals: Ints) -> dict[int, bytes]:
        """Return the subjects of pull requests of a repository, by number."""
        tree, style = self._tree(index), self._style(index)
        calendar = self._calendars[index]
        changes = generate_pull_requests(self._profile, self._members, calendar, index, tree, ordinals)
        subjects = style.subjects(changes, style.pick_words(changes), {})
        return dict(zip(changes.number.tolist(), subjects, strict=True))

    def _tree(self, index: int) -> Tree:
        """Return the file tree of a repository."""
        return build_tree(self._profile, self._profile.organisation.repos[index])

    def _style(self, index: int) -> WritingStyle:
        """Return the customs of a repository."""
        organisation = self._profile.organisation
        return writing_style(
            self._profile.seed, organisation.slug, organisation.repos[index], self._tree(index)
        )

    def _tables(
        self, changes: Changes, style: WritingStyle, reverted_subjects: dict[int, bytes]
    ) -> tuple[Columns, Columns, Columns]:
        """Return the tables of pull requests, commits and files."""
        words = style.pick_words(changes)
        subjects = style.subjects(changes, words, reverted_subjects)
        files = self._files(changes)
        starts = np.flatnonzero(changes.touches.position == 0)
        additions = np.add.reduceat(files["additions"], starts)
        titles, bodies = style.titles(changes, subjects), style.bodies(changes, words)
        is_signed = self._signed_commits(changes)
        commits = self._commits(changes, additions, style.messages(changes, words, subjects, is_signed))
        pull_requests: Columns = {
            "repository": np.full(len(changes.key), changes.repository.encode()),
            "number": changes.number,
            "key": changes.key,
            "title": np.array(titles),
            "body": np.array(bodies),
            "state": changes.state,
            "author": changes.author,
            "ended_at": changes.ended_at,
            "created_at": np.full(len(changes.key), np.datetime64("NaT", "s")),
            "first_review_at": np.full(len(changes.key), np.datetime64("NaT", "s")),
            "additions": additions,
            "deletions": changes.lines - additions,
            "labels": style.labels(changes),
            "jira_key": np.where(changes.names_issue, changes.jira_key, b""),
            "is_revert": np.array([is_revert(title.decode()) for title in titles], dtype=bool),
            "is_hotfix": np.array([is_hotfix(title.decode()) for title in titles], dtype=bool),
            "is_draft": changes.is_draft,
            "is_bot": changes.is_bot,
            "ai_kind": changes.ai_kind,
            "ai_tools": self._detected(changes, titles, bodies),
            "has_ai_commits": np.bincount(
                changes.commit_owner, weights=commits["is_ai_assisted"], minlength=len(titles)
            )
            > 0,
            "has_ai_files": changes.configures & _tools_with_files()[changes.tool],
            "point": changes.point,
            "issue_key": changes.jira_key,
        }
        if changes.used_ai is not None:
            pull_requests["used_ai"] = changes.used_ai
        return pull_requests, commits, files

    def _files(self, changes: Changes) -> Columns:
        touches = changes.touches
        return {
            "pull_request": touches.owner,
            "filename": touches.name,
            "status": STATUSES[touches.status],
            "additions": touches.additions,
            "deletions": touches.deletions,
            "file_category": touches.category,
        }

    def _signed_commits(self, changes: Changes) -> Booleans:
        """Return which commits an AI tool signs: at least one in each pull request in which it signs any."""
        random, owner, position = self._profile.random, changes.commit_owner, changes.commit_position
        u = random.uniform("signed commit", changes.key)
        certain = np.floor(u * np.bincount(owner)).astype(np.int64)
        others = random.chance("signs too", SIGNED_COMMIT_SHARE, changes.key[owner], position)
        is_signed: Booleans = changes.is_signed[owner] & (others | (position == certain[owner]))
        return is_signed

    def _detected(self, changes: Changes, titles: list[bytes], bodies: list[bytes]) -> Texts:
        """Return the AI tools that title and body mention, as a JSON list.

        No text but a tool's mentions one, unless the names that the organisation chose do.
        """
        names = f"{changes.repository}\n{self._profile.organisation.jira_scheme(changes.repository)[0]}-"
        chosen = [f"{names}{digit}" for digit in range(10)]
        is_suspect = (changes.tool >= 0) | any(detect(text) for text in chosen)
        lists = [b"[]"] * len(titles)
        for row in np.flatnonzero(is_suspect).tolist():
            lists[row] = json_text(detect((titles[row] + b"\n" + bodies[row]).decode())).encode()
        return np.array(lists, dtype="S")

    def _commits(self, changes: Changes, additions: Ints, messages: list[bytes]) -> Columns:
        owner, position = changes.commit_owner, changes.commit_position
        key, counts = changes.key[owner], np.bincount(owner)
        u = self._profile.random.uniform("commit lines", key, position)
        first_commit = np.where(position == 0, UNEVENNESS, 0)
        weights = 1 + np.floor(UNEVENNESS * (u * u)).astype(np.int64) + first_commit
        lines = split_totals(changes.lines, counts, weights)
        # Cumulative additions are proportional to cumulative lines, so no commit adds more than its lines.
        totals = np.repeat(additions, counts), np.repeat(changes.lines, counts)
        tools = np.array([_co_authors(message) for message in messages], dtype="S")
        commit_additions = differences(cumulative_sums(lines, counts) * totals[0] // totals[1], counts)
        return {
            "pull_request": owner,
            "repository": np.full(len(owner), changes.repository.encode()),
            "sha": self._profile.random.hexadecimal("sha", key, position),
            "message": np.array(messages),
            "additions": commit_additions,
            "deletions": lines - commit_additions,
            "committed_at": np.full(len(owner), np.datetime64("NaT", "s")),
            "author": changes.author[owner],
            "ai_co_authors": tools,
            "is_ai_assisted": tools != b"[]",
        }


def _co_authors(message: bytes) -> bytes:
    """Return the AI co-authors of a commit, as a JSON list."""
    _, mark, trailers = message.partition(b"\n\n")
    return _co_authors_of(trailers) if mark else b"[]"


@functools.lru_cache(maxsize=4096)
def _co_authors_of(trailers: bytes) -> bytes:
    return json_text(co_author_tools(trailers.decode())).encode()


@functools.cache
def _tools_with_files() -> Booleans:
    """Return which AI tools have a configuration file that is known as such; False at index -1."""
    return np.array([is_ai_file(tool.file) for tool in ai_tools()] + [False])
