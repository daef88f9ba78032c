"""What is known of a pull request: the form in which caches keep it, whoever wrote them."""

import datetime
from typing import Annotated

import msgspec

#: Numbers as the application's columns hold them: names of rows, and counts of lines.
Identifier = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Lines = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]

#: The number of a pull request or an issue.
Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]

Time = datetime.datetime


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Anything that is known; values that are the default are left out of caches."""


class Account(Fact, frozen=True):
    """An account on GitHub. ``name`` is what its owner is called; ``id`` is None where it is not known."""

    login: str
    id: Identifier | None = None
    name: str | None = None
    is_bot: bool = False


class Commit(Fact, frozen=True):
    """A commit of a pull request. ``account`` is its author's, None if GitHub knows none."""

    sha: str
    message: str
    authored_at: Time
    committed_at: Time
    additions: Lines = 0
    deletions: Lines = 0
    author_name: str = ""
    author_email: str = ""
    account: Account | None = None


class File(Fact, frozen=True):
    """A file that a pull request changes; ``status`` is added, modified, removed or renamed."""

    name: str
    status: str
    additions: Lines = 0
    deletions: Lines = 0


class Review(Fact, frozen=True):
    """A submitted review; ``state`` is approved, changes_requested, commented or dismissed."""

    state: str
    submitted_at: Time
    id: Identifier | None = None
    body: str = ""
    author: Account | None = None


class Comment(Fact, frozen=True):
    """A comment: on a line if it has a ``path``, else on the pull request as a whole."""

    id: Identifier
    body: str
    created_at: Time
    updated_at: Time | None = None
    author: Account | None = None
    path: str | None = None
    line: Lines | None = None
    reply_to: Identifier | None = None


class CheckRun(Fact, frozen=True):
    """A check run of the last commit, with the application's ``status`` and ``conclusion``."""

    id: Identifier
    name: str
    status: str
    conclusion: str | None = None
    started_at: Time | None = None
    completed_at: Time | None = None


class Deployment(Fact, frozen=True):
    """A deployment of the merge, with the application's ``environment`` and ``status``."""

    id: Identifier
    environment: str
    status: str
    created_at: Time
    sha: str
    creator: Account | None = None


class PullRequest(Fact, frozen=True):
    """A pull request; None for what was not observed, as opposed to observed and empty."""

    number: Number
    title: str
    created_at: Time
    updated_at: Time
    body: str = ""
    is_draft: bool = False
    merged_at: Time | None = None
    closed_at: Time | None = None
    author: Account | None = None
    branch: str = ""
    milestone: str = ""
    labels: list[str] = msgspec.field(default_factory=list)
    assignees: list[str] = msgspec.field(default_factory=list)
    linked_issues: list[Number] = msgspec.field(default_factory=list)
    commits: list[Commit] = msgspec.field(default_factory=list)
    files: list[File] = msgspec.field(default_factory=list)
    reviews: list[Review] | None = None
    comments: list[Comment] | None = None
    check_runs: list[CheckRun] | None = None
    deployments: list[Deployment] | None = None


#: GitHub's words for the state of a check run, a deployment and a file -> the application's.
CHECK_STATUSES = {
    "completed": "completed",
    "in_progress": "in_progress",
    "pending": "queued",
    "queued": "queued",
    "requested": "queued",
    "waiting": "queued",
}
CHECK_CONCLUSIONS = {
    name: name
    for name in (
        "success",
        "failure",
        "skipped",
        "cancelled",
        "timed_out",
        "action_required",
        "neutral",
        "stale",
    )
} | {"startup_failure": "failure"}
FILE_STATUSES = {
    "added": "added",
    "changed": "modified",
    "copied": "added",
    "deleted": "removed",
    "modified": "modified",
    "removed": "removed",
    "renamed": "renamed",
    "unchanged": "modified",
}
DEPLOYMENT_STATUSES = {
    "abandoned": "error",
    "active": "success",
    "destroyed": "success",
    "error": "error",
    "failure": "failure",
    "inactive": "success",
    "in_progress": "pending",
    "pending": "pending",
    "queued": "pending",
    "success": "success",
    "waiting": "pending",
}

#: The states of a review that was submitted. A dismissed one is no verdict any more.
REVIEW_STATES = ("approved", "changes_requested", "commented", "dismissed")

#: The application's environments, by words in the names of GitHub's; others belong to neither.
ENVIRONMENTS = {
    "production": ("prod", "live", "github-pages"),
    "staging": ("stag", "preview", "test", "dev", "qa"),
}


def environment(name: str) -> str:
    """Return the application's environment that a name on GitHub stands for; empty for neither."""
    lowered = name.lower()
    return next((kind for kind, words in ENVIRONMENTS.items() if any(word in lowered for word in words)), "")
