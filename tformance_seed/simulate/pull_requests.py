"""Rows of the table PullRequest."""

import re

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Texts
from tformance_seed.simulate.columns import with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.detection import DETECTION_VERSION
from tformance_seed.sources.records import Columns, Members

#: Share of people's pull requests that have a milestone: the quarter in which the pull request ends.
MILESTONES = 0.15

#: GitHub's keywords for closing an issue, followed by the issue's number.
CLOSES = re.compile(rb"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d{1,9})\b", re.IGNORECASE)

#: Columns of a complete batch that are copied into the table unchanged.
COPIED_COLUMNS = (
    "title",
    "body",
    "state",
    "author",
    "additions",
    "deletions",
    "labels",
    "jira_key",
    "is_revert",
    "is_hotfix",
    "is_draft",
    "has_ai_commits",
    "has_ai_files",
    "has_ai_review",
    "merged_at",
    "first_review_at",
    "cycle_time_hours",
    "review_time_hours",
    "review_rounds",
    "commits_after_first_review",
    "avg_fix_response_hours",
    "total_comments",
)


#: Columns that a source observes, all of them or none.
OBSERVED_COLUMNS = ("assignees", "linked_issues", "milestone_title")


def pull_requests(batch: CompleteBatch) -> Columns:
    """Return PullRequest rows without their summaries, and what follows from those.

    A row's timestamp is the end of the pull request.
    """
    prs, members = batch.pull_requests, batch.members
    observed = {name: prs[name] for name in OBSERVED_COLUMNS if name in prs}
    return with_timestamps(
        {
            **{name: prs[name] for name in COPIED_COLUMNS},
            "github_pr_id": prs["number"],
            "github_repo": prs["repository"],
            "pr_created_at": prs["created_at"],
            "synced_at": prs["ended_at"],
            "is_ai_assisted": prs["ai_tools"] != b"[]",
            "ai_tools_detected": prs["ai_tools"],
            "ai_detection_version": np.full(len(prs["key"]), DETECTION_VERSION.encode()),
            **(observed or _simulated(prs, members, batch.profile)),
        },
        prs["ended_at"],
    )


def _simulated(prs: Columns, members: Members, profile: Profile) -> Columns:
    """Return ``OBSERVED_COLUMNS`` for a source that does not observe them."""
    authors, author = np.unique(prs["author"], return_inverse=True)
    assignees = [_assignees(members, row) for row in authors.tolist()]
    return {
        "assignees": np.array([*assignees, b"[]"], dtype="S")[author],
        "linked_issues": np.array([_linked_issues(body) for body in prs["body"].tolist()], dtype="S"),
        "milestone_title": _milestones(prs, profile),
    }


def _milestones(prs: Columns, profile: Profile) -> Texts:
    """Return each pull request's milestone: the quarter in which it ends, such as 2026 Q1; empty for none."""
    month = prs["ended_at"].astype("datetime64[M]").astype(np.int64)
    quarters, index = np.unique(month // 3, return_inverse=True)
    names = [f"{1970 + quarter // 4} Q{quarter % 4 + 1}".encode() for quarter in quarters.tolist()]
    has_milestone = profile.random.chance("milestone", MILESTONES, prs["key"]) & (prs["author"] >= 0)
    return np.where(has_milestone, np.array(names, dtype="S")[index] if names else b"", b"")


def _assignees(members: Members, author: int) -> bytes:
    """Return the logins to which the author's pull requests are assigned, as a JSON list."""
    login = members.columns["github_username"][author].decode() if author >= 0 else ""
    return json_text([login] if login else []).encode()


def _linked_issues(body: bytes) -> bytes:
    """Return the numbers of the issues that a text closes, as a JSON list."""
    if b" #" not in body:  # quicker than a search
        return b"[]"
    numbers = set(map(int, CLOSES.findall(body)))
    return b"[%s]" % b",".join(b"%d" % number for number in sorted(numbers))
