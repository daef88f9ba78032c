"""A completed batch as rows of the tables PullRequest, Commit and PRFile."""

import re

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.simulate.columns import stamped
from tformance_seed.simulate.summaries import ai_signals
from tformance_seed.sources.records import AI_NONE, Batch, Columns, Members

#: Share of the pull requests of people that are on a milestone, which is the quarter in which they end.
MILESTONES = 0.15

#: Issues that a pull request closes, in GitHub's own words.
CLOSES = re.compile(rb"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d{1,9})\b", re.IGNORECASE)

#: Columns that go into the table as they are in the record.
SAME = (
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


def pull_requests(batch: Batch, members: Members, profile: Profile) -> Columns:
    """PullRequest rows of a batch that the other modules have completed, but for their summaries."""
    prs = batch.pull_requests
    authors, author = np.unique(prs["author"], return_inverse=True)
    assignees = [_assignees(members, row) for row in authors.tolist()]
    return stamped(
        {
            **{name: prs[name] for name in SAME},
            **ai_signals(batch),
            "github_pr_id": prs["number"],
            "github_repo": prs["repository"],
            "pr_created_at": prs["created_at"],
            "synced_at": prs["ended_at"],
            "is_ai_assisted": prs["ai_kind"] != AI_NONE,
            "ai_tools_detected": prs["ai_tools"],
            "assignees": np.array([*assignees, b"[]"], dtype="S")[author],
            "linked_issues": np.array(
                [_linked(body) if b" #" in body else b"[]" for body in prs["body"].tolist()], dtype="S"
            ),
            "milestone_title": _milestones(prs, profile),
        },
        prs["ended_at"],
    )


def commits(batch: Batch) -> Columns:
    """Commit rows of a batch whose times are filled in."""
    rows = dict(batch.commits)
    rows["github_sha"], rows["github_repo"] = rows.pop("sha"), rows.pop("repository")
    return stamped(rows, rows["committed_at"])


def files(batch: Batch) -> Columns:
    """PRFile rows of a batch; they date from the end of their pull request."""
    rows = batch.files
    return stamped(
        {**rows, "changes": rows["additions"] + rows["deletions"]},
        batch.pull_requests["ended_at"][rows["pull_request"]],
    )


def _milestones(prs: Columns, profile: Profile) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    month = prs["ended_at"].astype("datetime64[M]").astype(np.int64)
    years, index = np.unique(month // 3, return_inverse=True)
    names = [f"{1970 + quarter // 4} Q{quarter % 4 + 1}".encode() for quarter in years.tolist()]
    has = profile.random.chance("milestone", MILESTONES, prs["key"]) & (prs["author"] >= 0)
    return np.where(has, np.array(names, dtype="S")[index] if names else b"", b"")


def _assignees(members: Members, author: int) -> bytes:
    login = members.columns["github_username"][author].decode() if author >= 0 else ""
    return json_text([login] if login else []).encode()


def _linked(body: bytes) -> bytes:
    """The numbers of the issues that a text closes, as a JSON list."""
    numbers = set(map(int, CLOSES.findall(body)))
    return b"[%s]" % b",".join(b"%d" % number for number in sorted(numbers))
