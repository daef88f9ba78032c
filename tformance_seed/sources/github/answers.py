"""The shape of pull requests in GitHub's answers, which are checked against it, and the facts in them."""

import datetime
from collections.abc import Iterator
from typing import Any

import msgspec

from tformance_seed.sampling.keyed_random import text_key
from tformance_seed.sources.github import facts
from tformance_seed.sources.github.facts import Identifier, Lines, Number
from tformance_seed.sources.github.replies import Answer, Page


class Actor(Answer):
    """A user, a bot, or an account of another kind."""

    login: str
    typename: str = msgspec.field(default="User", name="__typename")
    database_id: Identifier | None = None
    name: str | None = None

    def account(self) -> facts.Account:
        """Return who it is."""
        return facts.Account(self.login, self.database_id, self.name or None, self.typename == "Bot")


class Name(Answer):
    """A label."""

    name: str


class Login(Answer):
    """A user of whom only the login is asked for."""

    login: str


class Title(Answer):
    """A milestone."""

    title: str


class Owned(Answer):
    """The repository of an issue."""

    name_with_owner: str


class Issue(Answer):
    """An issue that a pull request closes."""

    number: Number
    repository: Owned


class Named(Answer):
    """A node with an id of the database, which may not fit GitHub's type for it and is None then."""

    id: str
    full_database_id: str | int | None = None

    @property
    def identifier(self) -> int:
        """The number of the node in the database, else one that follows from its id."""
        number = int(self.full_database_id or 0)
        return number if 0 < number < 2**63 else text_key(self.id) >> 2 or 1


class Comment(Named, kw_only=True):
    """A comment on a pull request, or on one of its lines."""

    body: str
    created_at: datetime.datetime
    updated_at: datetime.datetime | None = None
    author: Actor | None = None
    path: str | None = None
    line: Lines | None = None
    original_line: Lines | None = None
    reply_to: Named | None = None

    def fact(self) -> facts.Comment:
        """Return the comment as it is kept."""
        return facts.Comment(
            id=self.identifier,
            body=self.body,
            created_at=self.created_at,
            updated_at=self.updated_at,
            author=_account(self.author),
            path=self.path,
            line=self.original_line if self.line is None else self.line,
            reply_to=self.reply_to.identifier if self.reply_to else None,
        )


class Review(Named, kw_only=True):
    """A review with the comments that it makes on lines."""

    state: str
    comments: Page[Comment]
    body: str = ""
    submitted_at: datetime.datetime | None = None
    author: Actor | None = None


class GitActor(Answer):
    """The author of a commit."""

    name: str | None = None
    email: str | None = None
    user: Actor | None = None


class Commit(Answer):
    """A commit."""

    oid: str
    message: str
    authored_date: datetime.datetime
    committed_date: datetime.datetime
    additions: Lines
    deletions: Lines
    author: GitActor | None = None


class PullRequestCommit(Answer):
    """A commit of a pull request."""

    commit: Commit


class File(Answer):
    """A changed file."""

    path: str
    additions: Lines
    deletions: Lines
    change_type: str


class CheckRun(Answer):
    """A check run; or a commit status, which has no id."""

    typename: str = msgspec.field(name="__typename")
    id: str = ""
    database_id: Identifier | None = None
    name: str = ""
    status: str = ""
    conclusion: str | None = None
    started_at: datetime.datetime | None = None
    completed_at: datetime.datetime | None = None


class Rollup(Answer):
    """The checks of a commit."""

    contexts: Page[CheckRun]


class HeadCommit(Answer):
    """The last commit of a pull request; ``status_check_rollup`` is None if it has no checks."""

    id: str
    status_check_rollup: Rollup | None = None


class Head(Answer):
    """The last commit of a pull request, as an item."""

    commit: HeadCommit


class Heads(Answer):
    """A list of one."""

    nodes: list[Head | None]


class Deployment(Answer):
    """A deployment."""

    id: str
    created_at: datetime.datetime
    commit_oid: str
    database_id: Identifier | None = None
    environment: str | None = None
    state: str | None = None
    creator: Actor | None = None


class MergeCommit(Answer):
    """The commit that merged a pull request."""

    id: str
    deployments: Page[Deployment] | None = None


class PullRequest(Answer):
    """A pull request with the first page of each of its lists."""

    id: str
    number: Number
    title: str
    body: str
    is_draft: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime
    merged_at: datetime.datetime | None
    closed_at: datetime.datetime | None
    head_ref_name: str
    author: Actor | None
    milestone: Title | None
    labels: Page[Name] | None
    assignees: Page[Login]
    closing_issues_references: Page[Issue] | None
    comments: Page[Comment]
    reviews: Page[Review] | None
    commits: Page[PullRequestCommit]
    files: Page[File] | None
    head: Heads
    merge_commit: MergeCommit | None

    def fact(self, repository: str) -> facts.PullRequest:
        """Return the pull request as it is kept, once all of its lists are complete.

        Parameters:
          repository: its repository, owner/name.
        """
        reviews = [review for review in self.reviews or () if review.submitted_at]
        line_comments = [comment for review in reviews for comment in review.comments]
        return facts.PullRequest(
            number=self.number,
            title=self.title,
            created_at=self.created_at,
            updated_at=self.updated_at,
            body=self.body,
            is_draft=self.is_draft,
            merged_at=self.merged_at,
            closed_at=self.closed_at,
            author=_account(self.author),
            branch=self.head_ref_name,
            milestone=self.milestone.title if self.milestone else "",
            labels=[label.name for label in self.labels or ()],
            assignees=[user.login for user in self.assignees],
            linked_issues=[
                issue.number
                for issue in self.closing_issues_references or ()
                if issue.repository.name_with_owner.lower() == repository.lower()
            ],
            commits=[_commit(item.commit) for item in self.commits],
            files=[_file(file) for file in self.files or ()],
            reviews=[_review(review) for review in reviews],
            comments=[comment.fact() for comment in (*self.comments, *line_comments)],
            check_runs=[
                _check_run(run)
                for head in self.head.nodes
                if head and head.commit.status_check_rollup
                for run in head.commit.status_check_rollup.contexts
                if run.typename == "CheckRun"
            ],
            deployments=[
                _deployment(item, kind)
                for item in (self.merge_commit.deployments if self.merge_commit else None) or ()
                if (kind := facts.environment(item.environment or ""))
            ],
        )


class PullRequests(Answer):
    """A page of a repository's pull requests; the repository may have another name than was asked for."""

    name_with_owner: str
    pull_requests: Page[PullRequest]


class PullRequestsAnswer(Answer):
    """The answer to ``queries.PULL_REQUESTS``."""

    repository: PullRequests | None


#: A list below a pull request: its name in ``queries.NESTED``, the id of the node that has it, and the page
#: to which the next ones are added.
List = tuple[str, str, Page[Any]]

#: Name in ``queries.NESTED`` -> the shape of a page of that list.
NEXT_PAGE: dict[str, Any] = {
    "labels": Page[Name],
    "assignees": Page[Login],
    "linked_issues": Page[Issue],
    "comments": Page[Comment],
    "reviews": Page[Review],
    "line_comments": Page[Comment],
    "commits": Page[PullRequestCommit],
    "files": Page[File],
    "check_runs": Page[CheckRun],
    "deployments": Page[Deployment],
}


def lists(pull_request: PullRequest) -> Iterator[List]:
    """Yield every list below a pull request."""
    own: dict[str, Page[Any] | None] = {
        "labels": pull_request.labels,
        "assignees": pull_request.assignees,
        "linked_issues": pull_request.closing_issues_references,
        "comments": pull_request.comments,
        "reviews": pull_request.reviews,
        "commits": pull_request.commits,
        "files": pull_request.files,
    }
    yield from ((name, pull_request.id, page) for name, page in own.items() if page)
    yield from map(line_comments, pull_request.reviews or ())
    for head in pull_request.head.nodes:
        if head and head.commit.status_check_rollup:
            yield "check_runs", head.commit.id, head.commit.status_check_rollup.contexts
    if (merge := pull_request.merge_commit) and merge.deployments:
        yield "deployments", merge.id, merge.deployments


def line_comments(review: Review) -> List:
    """Return the list of a review's comments."""
    return "line_comments", review.id, review.comments


def _account(actor: Actor | None) -> facts.Account | None:
    return actor.account() if actor else None


def _commit(commit: Commit) -> facts.Commit:
    author = commit.author or GitActor()
    return facts.Commit(
        sha=commit.oid,
        message=commit.message,
        authored_at=commit.authored_date,
        committed_at=commit.committed_date,
        additions=commit.additions,
        deletions=commit.deletions,
        author_name=author.name or "",
        author_email=author.email or "",
        account=_account(author.user),
    )


def _file(file: File) -> facts.File:
    status = facts.FILE_STATUSES.get(file.change_type.lower(), "modified")
    return facts.File(file.path, status, file.additions, file.deletions)


def _review(review: Review) -> facts.Review:
    state = review.state.lower()
    assert review.submitted_at is not None  # noqa: S101 - the others are pending
    return facts.Review(
        state=state if state in facts.REVIEW_STATES else "commented",
        submitted_at=review.submitted_at,
        id=review.identifier,
        body=review.body,
        author=_account(review.author),
    )


def _check_run(run: CheckRun) -> facts.CheckRun:
    return facts.CheckRun(
        id=run.database_id or text_key(run.id) >> 2 or 1,
        name=run.name,
        status=facts.CHECK_STATUSES.get(run.status.lower(), "queued"),
        conclusion=facts.CHECK_CONCLUSIONS.get((run.conclusion or "").lower()),
        started_at=run.started_at,
        completed_at=run.completed_at,
    )


def _deployment(item: Deployment, kind: str) -> facts.Deployment:
    return facts.Deployment(
        id=item.database_id or text_key(item.id) >> 2 or 1,
        environment=kind,
        status=facts.DEPLOYMENT_STATUSES.get((item.state or "").lower(), "pending"),
        created_at=item.created_at,
        sha=item.commit_oid,
        creator=_account(item.creator),
    )
