"""Build rows of the record from pull requests, as they stood when the window ended."""

from collections.abc import Container
from typing import NamedTuple

from tformance_seed.canonical_json import json_text
from tformance_seed.sampling.keyed_random import text_key
from tformance_seed.sources.detection import (
    ai_tools,
    co_author_tools,
    is_ai_file,
    is_hotfix,
    is_revert,
    jira_key,
)
from tformance_seed.sources.github import facts
from tformance_seed.sources.github.snapshots import (
    Snapshot,
    Window,
    account_identity,
    commit_identity,
    is_program,
    tool_of,
)
from tformance_seed.sources.people import Identity
from tformance_seed.sources.records import (
    CHECK_RUN_COLUMNS,
    COMMENT_COLUMNS,
    COMMIT_COLUMNS,
    DEPLOYMENT_COLUMNS,
    FILE_COLUMNS,
    OPTIONAL_PULL_REQUEST_COLUMNS,
    PULL_REQUEST_COLUMNS,
    REVIEW_COLUMNS,
    Batch,
    ai_kind,
    one_pull_request_key,
)
from tformance_seed.sources.rows import (
    MAX_BODY,
    MAX_FILENAME,
    MAX_MESSAGE,
    Row,
    clean_text,
    file_rows,
    rows_to_columns,
)

#: Maximum lengths of the columns for a key, a milestone, the name of a check and a commit's hash.
MAX_JIRA_KEY, MAX_MILESTONE, MAX_CHECK_NAME, MAX_SHA = 50, 255, 255, 40

#: The columns of pull requests: those of every source, and those that only this one observes.
PULL_REQUESTS = PULL_REQUEST_COLUMNS | {
    name: OPTIONAL_PULL_REQUEST_COLUMNS[name] for name in ("assignees", "linked_issues", "milestone_title")
}

#: Table of the record -> its columns.
TABLES = {
    "pull_requests": PULL_REQUESTS,
    "commits": COMMIT_COLUMNS,
    "files": FILE_COLUMNS,
    "reviews": REVIEW_COLUMNS,
    "comments": COMMENT_COLUMNS,
    "check_runs": CHECK_RUN_COLUMNS,
    "deployments": DEPLOYMENT_COLUMNS,
}


class Key(NamedTuple):
    """A row that can be in one place only: its table, what names it, and the pull request that has it."""

    table: str
    name: str | int
    repository: str
    number: int


def named_rows(pull_request: facts.PullRequest) -> list[tuple[str, str | int]]:
    """Return the rows below a pull request that have names of their own: table and name."""
    return [
        *(("commits", commit.sha[:MAX_SHA]) for commit in pull_request.commits),
        *(("reviews", review.id) for review in pull_request.reviews or () if review.id),
        *(("comments", comment.id) for comment in pull_request.comments or ()),
        *(("check_runs", run.id) for run in pull_request.check_runs or ()),
        *(("deployments", deployment.id) for deployment in pull_request.deployments or ()),
    ]


class BatchBuilder:
    """Builds the rows of one batch by adding one pull request after another.

    Parameters:
      member_of: maps an identity to a row of Members; bots and strangers are not included.
      elsewhere: rows that another pull request has.
      observed: the optional tables that the source observes.
      emails: whether to leave people's addresses in the texts.
    """

    def __init__(
        self,
        window: Window,
        member_of: dict[Identity, int],
        elsewhere: Container[Key],
        observed: Container[str],
        *,
        emails: bool,
    ) -> None:
        self._window, self._member_of, self._elsewhere = window, member_of, elsewhere
        self._observed, self._emails = observed, emails
        self._rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self._named: set[tuple[str, str | int]] = set()

    def batch(self, start: int, stop: int) -> Batch:
        """Return all rows added so far as a batch with these positions."""
        tables = {
            name: rows_to_columns(self._rows[name], columns)
            for name, columns in TABLES.items()
            if name in ("pull_requests", "commits", "files") or name in self._observed
        }
        return Batch(start, stop, **tables)

    def add(self, repository: str, pull_request: facts.PullRequest, stood: Snapshot) -> None:
        """Add a pull request with everything that belongs to it."""
        author = self._row_of(pull_request.author)
        title = self._clean(pull_request.title or f"Pull request {pull_request.number}", MAX_BODY)
        body = self._clean(pull_request.body, MAX_BODY)
        here = len(self._rows["pull_requests"])
        signed = self._add_commits(repository, pull_request, stood, here)
        additions, deletions, has_ai_files = self._add_files(pull_request, here)
        tools = ai_tools(f"{title}\n{body}")
        if (tool := tool_of(pull_request.author)) and tool not in tools:
            tools.append(tool)
        self._add_reviews(repository, pull_request, stood, here, author)
        self._add_comments(repository, pull_request, stood, here)
        self._add_check_runs(repository, pull_request, here)
        self._add_deployments(repository, pull_request, stood, here)
        self._rows["pull_requests"].append(
            {
                "repository": repository,
                "number": pull_request.number,
                "key": one_pull_request_key(repository, pull_request.number),
                "title": title,
                "body": body,
                "state": stood.state,
                "author": author,
                "ended_at": stood.ended,
                "created_at": stood.created,
                "first_review_at": None,
                "additions": additions,
                "deletions": deletions,
                "labels": json_text(pull_request.labels),
                "jira_key": (jira_key(title) or jira_key(pull_request.branch))[:MAX_JIRA_KEY],
                "is_revert": is_revert(title),
                "is_hotfix": is_hotfix(title),
                "is_draft": pull_request.is_draft,
                "is_bot": is_program(pull_request.author),
                "ai_kind": ai_kind(tools, signed=signed),
                "ai_tools": json_text(tools),
                "has_ai_commits": signed,
                "has_ai_files": has_ai_files,
                "assignees": json_text(pull_request.assignees),
                "linked_issues": json_text(sorted(set(pull_request.linked_issues))),
                "milestone_title": pull_request.milestone[:MAX_MILESTONE],
            }
        )

    def _row_of(self, account: facts.Account | None) -> int:
        """Return the row of Members of an account; -1 if there is none, as for programs."""
        if account is None or is_program(account):
            return -1
        return self._member_of.get(account_identity(account), -1)

    def _clean(self, text: str, size: int) -> str:
        return clean_text(text, size, emails=self._emails)

    def _is_taken(self, table: str, name: str | int, repository: str, number: int) -> bool:
        """Return whether a row is there already, or elsewhere; it is there from now on."""
        if (table, name) in self._named or Key(table, name, repository, number) in self._elsewhere:
            return True
        self._named.add((table, name))
        return False

    def _add_commits(
        self, repository: str, pull_request: facts.PullRequest, stood: Snapshot, here: int
    ) -> bool:
        """Add commits, those that were written last at the end; return whether one names an AI co-author."""
        rows: list[Row] = []
        for commit in pull_request.commits:
            sha = commit.sha[:MAX_SHA]
            if self._is_taken("commits", sha, repository, pull_request.number):
                continue
            written = self._window.seconds(commit.authored_at)
            if stood.state == "open" and self._window.known(commit.committed_at) is None:
                continue
            message = self._clean(commit.message, MAX_MESSAGE)
            tools = co_author_tools(message)
            rows.append(
                {
                    "pull_request": here,
                    "repository": repository,
                    "sha": sha,
                    "message": message,
                    "additions": commit.additions,
                    "deletions": commit.deletions,
                    "committed_at": min(written, stood.ended),
                    "author": self._member_of.get(commit_identity(commit), -1),
                    "ai_co_authors": json_text(tools),
                    "is_ai_assisted": bool(tools),
                }
            )
        self._rows["commits"] += sorted(rows, key=lambda row: row["committed_at"])
        return any(row["is_ai_assisted"] for row in rows)

    def _add_files(self, pull_request: facts.PullRequest, here: int) -> tuple[int, int, bool]:
        """Add files; those whose truncated names are equal share a row.

        Returns:
          Lines added and deleted, and whether a file configures an AI tool.
        """
        files = ((file.name, file.status, file.additions, file.deletions) for file in pull_request.files)
        rows = file_rows(here, files)
        self._rows["files"] += rows
        lines = [sum(row[name] for row in rows) for name in ("additions", "deletions")]
        return lines[0], lines[1], any(is_ai_file(row["filename"]) for row in rows)

    def _add_reviews(
        self, repository: str, pull_request: facts.PullRequest, stood: Snapshot, here: int, author: int
    ) -> None:
        """Add the reviews by others that were given between creation and end; later ones changed nothing."""
        rows: list[Row] = []
        for place, review in enumerate(pull_request.reviews or ()):
            name = review.id or text_key(f"{repository}#{pull_request.number}/review/{place}") >> 2
            when = self._window.known(review.submitted_at)
            reviewer = self._row_of(review.author)
            is_own = reviewer == author >= 0 or (
                review.author is not None and review.author == pull_request.author
            )
            if (
                when is None
                or is_own
                or not stood.created <= when <= stood.ended
                or self._is_taken("reviews", name, repository, pull_request.number)
            ):
                continue
            tool = tool_of(review.author)
            rows.append(
                {
                    "pull_request": here,
                    "github_review_id": name,
                    "reviewer": reviewer,
                    "state": "commented" if review.state == "dismissed" else review.state,
                    "submitted_at": when,
                    "body": self._clean(review.body, MAX_BODY),
                    "is_ai_review": bool(tool),
                    "ai_reviewer_type": tool,
                }
            )
        self._rows["reviews"] += sorted(rows, key=lambda row: row["submitted_at"])

    def _add_comments(
        self, repository: str, pull_request: facts.PullRequest, stood: Snapshot, here: int
    ) -> None:
        rows: list[Row] = []
        for comment in pull_request.comments or ():
            when = self._window.known(comment.created_at)
            if (
                when is None
                or when < stood.created
                or self._is_taken("comments", comment.id, repository, pull_request.number)
            ):
                continue
            rows.append(
                {
                    "pull_request": here,
                    "github_comment_id": comment.id,
                    "author": self._row_of(comment.author),
                    "body": self._clean(comment.body, MAX_BODY),
                    "comment_type": "issue" if comment.path is None else "review",
                    "path": comment.path and comment.path[:MAX_FILENAME],
                    "line": comment.line,
                    "in_reply_to_id": comment.reply_to,
                    "comment_created_at": when,
                    "comment_updated_at": self._window.known(comment.updated_at),
                }
            )
        self._rows["comments"] += sorted(rows, key=lambda row: row["comment_created_at"])

    def _add_check_runs(self, repository: str, pull_request: facts.PullRequest, here: int) -> None:
        """Add the check runs that had begun; those that ended after the window were in progress."""
        for run in pull_request.check_runs or ():
            started, completed = (self._window.known(when) for when in (run.started_at, run.completed_at))
            if (run.started_at is not None and started is None) or self._is_taken(
                "check_runs", run.id, repository, pull_request.number
            ):
                continue
            is_over = run.status == "completed" and (completed is not None or run.completed_at is None)
            if completed is not None and started is not None:
                completed = max(started, completed)
            timed = is_over and started is not None and completed is not None
            self._rows["check_runs"].append(
                {
                    "pull_request": here,
                    "github_check_run_id": run.id,
                    "name": run.name[:MAX_CHECK_NAME],
                    "status": "in_progress" if run.status == "completed" and not is_over else run.status,
                    "conclusion": run.conclusion if is_over else None,
                    "started_at": started,
                    "completed_at": completed if is_over else None,
                    "duration_seconds": completed - started if timed and completed and started else None,
                }
            )

    def _add_deployments(
        self, repository: str, pull_request: facts.PullRequest, stood: Snapshot, here: int
    ) -> None:
        """Add the deployments of the merge; one from before it is the repository's alone."""
        if stood.state != "merged":
            return
        for deployment in pull_request.deployments or ():
            when = self._window.known(deployment.created_at)
            if when is None or self._is_taken("deployments", deployment.id, repository, pull_request.number):
                continue
            self._rows["deployments"].append(
                {
                    "pull_request": here if when >= stood.ended else -1,
                    "github_deployment_id": deployment.id,
                    "repository": repository,
                    "environment": deployment.environment,
                    "status": deployment.status,
                    "deployed_at": when,
                    "sha": deployment.sha[:MAX_SHA],
                    "creator": self._row_of(deployment.creator),
                }
            )
