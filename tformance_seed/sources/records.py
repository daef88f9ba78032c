"""The record that every source fills: members, pull requests and their child tables, as columns.

The columns of a table are NumPy arrays of the same length: ``S`` (UTF-8 bytes) for text, ``int64``,
``float64``, ``bool``, and ``datetime64[s]`` in UTC with NaT for "not known". A reference is an index:
``author`` is a row of ``Members``, ``pull_request`` a row of the batch's own pull requests; -1 means none.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Times, UInt64
from tformance_seed.sampling.keyed_random import finalise, finalise_integer, text_key
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.sources.detection import REVIEW_TOOLS, UNCOUNTED_TOOLS

Columns = dict[str, npt.NDArray[Any]]

#: Values of the pull request column ``ai_kind``: no AI that counts was found, AI wrote code, or AI only
#: reviewed.
AI_NONE, AI_CODE, AI_REVIEW = 0, 1, 2

#: The sequence that decides the kind, size and times of a pull request, which are calibrated together.
PULL_REQUEST = SobolSequence(
    "pull request", ("AI kind", "lines", "files", "commits", "first review", "cycle")
)

#: Number of weeks for which a member counts as active after their last commit.
RECENT_WEEKS = 13

#: The columns of ``Batch.pull_requests``.
PULL_REQUEST_COLUMNS = {
    "repository": "S, owner/name",
    "number": "int64; repository and number name a pull request",
    "key": "uint64, the hash of both that keys every random value about it",
    "title": "S",
    "body": "S",
    "state": "S: open, merged, closed",
    "author": "int64, row of Members; -1 for bots",
    "ended_at": "datetime64[s]: merged, closed, or of an open one the last thing that happened",
    "created_at": "datetime64[s], NaT where the source cannot know",
    "first_review_at": "datetime64[s], NaT where the source cannot know or there is no review",
    "additions": "int64, lines, the sum over its files",
    "deletions": "int64, lines",
    "labels": "S, a JSON list of strings",
    "jira_key": "S, from the title, else from the branch; empty where there is none",
    "is_revert": "bool, from the title",
    "is_hotfix": "bool, from the title",
    "is_draft": "bool",
    "is_bot": "bool: opened by a bot",
    "ai_kind": "int8: AI_NONE, AI_CODE, AI_REVIEW",
    "ai_tools": "S, a JSON list of the tools detected in title and body, and as author",
    "has_ai_commits": "bool: a commit names an AI co-author",
    "has_ai_files": "bool: it touches files that configure an AI tool",
}

#: Columns of ``Batch.pull_requests`` that a source may leave to the simulation.
OPTIONAL_PULL_REQUEST_COLUMNS = {
    "used_ai": "bool: the author used AI, whether or not a trace of it is found",
    "point": "int64, the place in the sequence PULL_REQUEST; the number, if it is left out",
    "issue_key": "S, the key of the Jira issue that it belongs to, named or not; empty for none",
    "assignees": "S, a JSON list of logins",
    "linked_issues": "S, a JSON list of the numbers of the issues that it closes",
    "milestone_title": "S, empty for none",
    "opened_after": "datetime64[s], the oldest commit was written then; NaT where not known",
    "signed_by_ai": "bool: an AI tool signed a commit or the text, one that the application knows or another",
}

#: The columns of ``Batch.commits``. The rows of a pull request are contiguous, oldest first.
COMMIT_COLUMNS = {
    "pull_request": "int64, row of the batch's pull requests; -1 for a commit outside any",
    "repository": "S",
    "sha": "S40",
    "message": "S",
    "additions": "int64",
    "deletions": "int64",
    "committed_at": "datetime64[s], NaT where the source cannot know",
    "author": "int64, row of Members; -1 for bots",
    "ai_co_authors": "S, a JSON list of tools",
    "is_ai_assisted": "bool",
}

#: The columns of ``Batch.files``. The rows of a pull request are contiguous, and their file names are unique.
FILE_COLUMNS = {
    "pull_request": "int64",
    "filename": "S, at most 500 characters",
    "status": "S: added, modified, removed, renamed",
    "additions": "int64",
    "deletions": "int64",
    "file_category": "S: frontend, backend, javascript, test, docs, config, other",
}

#: The columns of ``Batch.reviews``. The rows of a pull request are contiguous, oldest first, and between its
#: creation and its end.
REVIEW_COLUMNS = {
    "pull_request": "int64",
    "github_review_id": "int64, names the review",
    "reviewer": "int64, row of Members, never the author; -1 for bots and strangers",
    "state": "S: approved, changes_requested, commented; taken as commented if no member is the reviewer",
    "submitted_at": "datetime64[s]",
    "body": "S",
    "is_ai_review": "bool",
    "ai_reviewer_type": "S, the AI tool; empty for people",
}

#: The columns of ``Batch.check_runs``. NaT, NaN and masked values are NULL.
CHECK_RUN_COLUMNS = {
    "pull_request": "int64",
    "github_check_run_id": "int64, names the check run",
    "name": "S",
    "status": "S: queued, in_progress, completed",
    "conclusion": "S: success, failure, skipped, cancelled, timed_out, action_required, neutral, stale, NULL",
    "started_at": "datetime64[s], or NULL",
    "completed_at": "datetime64[s], or NULL",
    "duration_seconds": "int64, from start to end; or NULL",
}

#: The columns of ``Batch.comments``. The rows of a pull request are contiguous, and not before its creation.
COMMENT_COLUMNS = {
    "pull_request": "int64",
    "github_comment_id": "int64, names the comment",
    "author": "int64, row of Members; -1 for bots and strangers",
    "body": "S",
    "comment_type": "S: issue (on the whole), review (on a line)",
    "path": "S, the file; or NULL",
    "line": "int64, or NULL",
    "in_reply_to_id": "int64, the comment that it answers; or NULL",
    "comment_created_at": "datetime64[s]",
    "comment_updated_at": "datetime64[s], or NULL",
}

#: The columns of ``Batch.deployments``. The pull requests are merged; no deployment is before the merge.
DEPLOYMENT_COLUMNS = {
    "pull_request": "int64; -1 for none",
    "github_deployment_id": "int64, names the deployment",
    "repository": "S",
    "environment": "S: production, staging",
    "status": "S: success, failure, pending, error",
    "deployed_at": "datetime64[s]",
    "sha": "S40, the commit",
    "creator": "int64, row of Members; -1 for bots and strangers",
}


def ai_kind(tools: Collection[str], *, signed: bool) -> int:
    """Return the column ``ai_kind``.

    Parameters:
      tools: the tools detected in the pull request.
      signed: whether a commit names an AI co-author.
    """
    counted = set(tools) - UNCOUNTED_TOOLS
    if signed or counted - REVIEW_TOOLS:
        return AI_CODE
    return AI_REVIEW if counted else AI_NONE


def pull_request_key(repository: str, numbers: Ints) -> UInt64:
    """Return the column ``key`` for pull requests in one repository, given their numbers."""
    return finalise(np.uint64(text_key(repository)) ^ finalise(numbers.astype(np.uint64)))


def one_pull_request_key(repository: str, number: int) -> int:
    """Return the same for one pull request, without the cost of arrays."""
    return finalise_integer(text_key(repository) ^ finalise_integer(number))


@dataclass
class Members:
    """The people of an organisation; references to members are row numbers.

    ``columns`` holds the columns of the table except the team: display_name, email, github_username,
    github_id (never empty), jira_account_id, slack_user_id (S), role (S), is_active (bool), and
    created_at (datetime64[s]).
    """

    columns: Columns
    key: UInt64  #: the key of every random value about a member; a function of github_id
    weight: Floats  #: share of the organisation's work; sums to 1
    adoption_threshold: Floats  #: the member uses AI tools if this is below the adoption rate
    activity: "Activity | None" = None  #: None: all members are always active
    #: The width of the range of adoption rates, around the threshold, in which a member's use of AI grows.
    adoption_range: float = 0.0
    #: Whether each member who uses an AI tool every day uses another than Copilot; None: it is drawn.
    other_tool: Booleans | None = None

    def __len__(self) -> int:
        return len(self.key)

    def count_at(self, when: Times) -> Ints:
        """Return how many members are active at each time."""
        if self.activity is None:
            return np.full(len(when), len(self))
        active: Ints = np.count_nonzero(self.activity.commits_before(when), axis=1)
        return active

    def ai_intensity(self, rows: Ints, adoption: Floats) -> Floats:
        """Return how much members use AI at the given adoption rates, from 0 to 1; 0 for row -1."""
        if not self.adoption_range:
            return self.uses_ai(rows, adoption).astype(np.float64)
        threshold = np.append(self.adoption_threshold, np.inf)[rows]
        intensity: Floats = np.clip(0.5 + (adoption - threshold) / self.adoption_range, 0.0, 1.0)
        return intensity

    def uses_ai(self, rows: Ints, adoption: Floats) -> Booleans:
        """Return whether members use AI tools at the given adoption rates; False for row -1 (no member)."""
        threshold = np.append(self.adoption_threshold, np.inf)  # the last one is for row -1
        return threshold[rows] < adoption


@dataclass
class Activity:
    """Commits in a real history by week and member, which show who was active at which time.

    Only whole weeks before a moment count, so that new commits in the history do not change its past.
    """

    first_week: np.datetime64  #: Monday of the first week, ``datetime64[D]``
    weekly_commits: Ints  #: weeks x members

    def commits_before(self, when: Times, members: slice | npt.NDArray[np.intp] = slice(None)) -> Ints:
        """Return commit counts in the ``RECENT_WEEKS`` whole weeks before each time: times x members."""
        week = (when.astype("datetime64[D]") - self.first_week).astype(np.int64) // 7
        return self._recent[:, members][np.clip(week, 0, len(self._recent) - 1)]

    @cached_property
    def _recent(self) -> Ints:
        """Commit counts in the ``RECENT_WEEKS`` before each week and after the last one: weeks x members."""
        total = np.cumsum(np.pad(self.weekly_commits, [(1, RECENT_WEEKS), (0, 0)]), axis=0)
        return total - np.pad(total[:-RECENT_WEEKS], [(RECENT_WEEKS, 0), (0, 0)])


@dataclass
class Batch:
    """Consecutive pull requests from a source, with their commits and files.

    A source provides an optional table either in all of its batches or in none, in which case the table is
    simulated.
    """

    start: int  #: first position in the source's order
    stop: int  #: one past the last position
    pull_requests: Columns
    commits: Columns
    files: Columns
    reviews: Columns | None = None
    check_runs: Columns | None = None
    comments: Columns | None = None
    deployments: Columns | None = None


#: The tables of a batch that a source may leave to the simulation.
OPTIONAL_TABLES = ("reviews", "check_runs", "comments", "deployments")


def join(batches: list[Batch]) -> Batch:
    """Join consecutive batches into one: a few large columns cost less than many small ones."""
    first, *others = batches
    if not others:
        return first
    sizes = [len(batch.pull_requests["key"]) for batch in batches]
    observed = [name for name in OPTIONAL_TABLES if getattr(first, name) is not None]
    return Batch(
        first.start,
        others[-1].stop,
        _concatenate([batch.pull_requests for batch in batches]),
        _join_children([batch.commits for batch in batches], sizes),
        _join_children([batch.files for batch in batches], sizes),
        **{name: _join_children([getattr(batch, name) for batch in batches], sizes) for name in observed},
    )


def _join_children(parts: list[Columns], sizes: list[int]) -> Columns:
    """Join one child table of consecutive batches, which have ``sizes`` pull requests."""
    columns = _concatenate(parts)
    before = np.repeat(np.cumsum([0, *sizes[:-1]]), [len(part["pull_request"]) for part in parts])
    columns["pull_request"] += np.where(columns["pull_request"] < 0, 0, before)
    return columns


def _concatenate(parts: list[Columns]) -> Columns:
    """Concatenate the rows of all parts; masked values stay masked."""
    joined: Columns = {}
    for name in parts[0]:
        values = [part[name] for part in parts]
        masked = any(isinstance(column, np.ma.MaskedArray) for column in values)
        joined[name] = _concatenate_masked(values) if masked else np.concatenate(values)
    return joined


def _concatenate_masked(columns: list[npt.NDArray[Any]]) -> np.ma.MaskedArray[Any, Any]:
    """Concatenate columns with their masks (``np.ma.concatenate`` is not typed)."""
    masks = [np.ma.getmaskarray(column) for column in columns]
    return np.ma.MaskedArray(np.concatenate(columns), mask=np.concatenate(masks))


class Source(Protocol):
    """The interface between a source and the pipeline."""

    name: str
    #: The user's options apart from the organisation and the window, for the ledger; JSON values, no secrets.
    inputs: dict[str, Any]
    #: The data that ``SourceType.restore`` needs in addition to the profile; JSON values, no secrets. One
    #: that has to recognise pull requests adds ``conventions``: by repository and convention, how many.
    record: dict[str, Any]
    #: The state in which it was read, for ``continues`` of a later run; JSON values. Empty if it never loses
    #: what it once had.
    state: dict[str, Any]
    #: Messages to the user about data that could not be read, one line each.
    warnings: list[str]
    #: Identifies the content apart from the organisation and the window (for git: the commits read).
    fingerprint: str
    #: Whether reading it waits on something other than this processor, such as git or a network.
    waits: bool
    #: Whether two pull requests may name the same Jira issue.
    shares_issues: bool
    #: Total number of pull requests that ``batches`` yields.
    total: int
    #: Number of positions in the source's own order; each is a pull request, or commits outside any.
    length: int

    def members(self) -> Members:
        """Return everybody who can be an author or reviewer."""

    def continues(self, state: Mapping[str, Any], people: Collection[str]) -> bool:
        """Return whether everything is still so that was read of it in an earlier state.

        Parameters:
          state: the earlier state.
          people: the ``github_id`` of each member that was read until then.
        """

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the pull requests at a range of positions in the source's own, fixed order."""
