"""What our GitHub knows: people, repositories, pull requests, as GraphQL names them."""

import datetime
import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


def time(text: str) -> str:
    """``2026-03-01 10:00`` as GitHub writes it."""
    return datetime.datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(login: str, number: int | None, name: str | None = None) -> Row:
    return {"__typename": "User", "id": f"U_{login}", "databaseId": number, "login": login, "name": name}


def bot(login: str, number: int = 9_000) -> Row:
    return {"__typename": "Bot", "id": f"BOT_{login}", "databaseId": number, "login": login}


ANN, BOB, EVE = user("ann", 11, "Ann Lee"), user("bobray", 1234, "Bob Ray"), user("eve", 13)
DEPENDABOT, CODERABBIT = bot("dependabot", 49699333), bot("coderabbitai", 9001)


def email(person: Row) -> str:
    return f"{person['databaseId']}+{person['login']}@users.noreply.github.com"


def sha_of(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode()).hexdigest()


@dataclass
class World:
    """Repositories with pull requests; every node can be found by its id."""

    nodes: dict[str, Row] = field(default_factory=dict)
    owners: dict[str, Row] = field(default_factory=dict)
    repositories: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = itertools.count(5_000_000_000)  # beyond 32 bits, as on GitHub

    def repository(self, name: str, owner_name: str = "Acme Rockets") -> Row:
        """A repository, owner/name, added if it is not there."""
        login = name.partition("/")[0]
        owner = self.owners.setdefault(
            login,
            {
                "__typename": "Organization",
                "id": f"O_{login}",
                "login": login,
                "name": owner_name,
                "repositories": [],
            },
        )
        if name not in self.repositories:
            made = {
                "__typename": "Repository",
                "id": f"R_{name}",
                "nameWithOwner": name,
                "isFork": False,
                "pullRequests": [],
            }
            self.repositories[name] = made
            owner["repositories"].append(made)
        return self.repositories[name]

    def node(self, kind: str, **values: Any) -> Row:
        number = next(self._ids)
        row = {"__typename": kind, "id": f"{kind}_{number}", "fullDatabaseId": str(number), **values}
        self.nodes[row["id"]] = row
        return row

    def pull_request(self, repository: str, number: int, created: str, **values: Any) -> Row:
        """A pull request with one commit and one file, opened by Ann; ``merged`` or ``closed`` is when."""
        merged, closed = values.pop("merged", None), values.pop("closed", None)
        ended = merged or closed
        at = time(created)
        updated = time(values.pop("updated", None) or ended or created)
        author = values.pop("author", ANN)
        commits = values.pop("commits", None)
        if commits is None:
            commits = [self.commit(f"Work on {repository}#{number}", created, author)]
        row = self.node(
            "PullRequest",
            number=number,
            title=f"Change {number}",
            body="",
            isDraft=False,
            createdAt=at,
            updatedAt=updated,
            mergedAt=time(merged) if merged else None,
            closedAt=time(ended) if ended else None,
            headRefName=f"branch-{number}",
            author=author,
            milestone=None,
            labels=[],
            assignees=[],
            closingIssuesReferences=[],
            comments=[],
            reviews=[],
            commits=[{"commit": commit} for commit in commits],
            files=[self.file(f"src/part{number}.py")],
            mergeCommit=None,
        )
        if merged:
            row["mergeCommit"] = self.commit(f"Merge {repository}#{number}", merged, author)
        row |= values
        self.repository(repository)["pullRequests"].append(row)
        return row

    def commit(self, message: str, at: str, author: Row | None = None, **values: Any) -> Row:
        """A commit; without an author it is one of whom GitHub knows a name and an address."""
        known = {"name": author["login"], "email": email(author), "user": author} if author else None
        if author and author["__typename"] != "User":
            known["user"] = None
        return self.node(
            "Commit",
            **{
                "oid": sha_of(message, at, author and author["login"]),
                "message": message,
                "authoredDate": time(at),
                "committedDate": time(at),
                "additions": 3,
                "deletions": 1,
                "author": known,
                "deployments": [],
                "statusCheckRollup": None,
            }
            | values,
        )

    @staticmethod
    def file(path: str, change: str = "MODIFIED", additions: int = 3, deletions: int = 1) -> Row:
        return {"path": path, "additions": additions, "deletions": deletions, "changeType": change}

    def review(
        self, by: Row | None, at: str | None, state: str = "APPROVED", body: str = "", *comments: Row
    ) -> Row:
        return self.node(
            "PullRequestReview",
            author=by,
            state=state,
            body=body,
            submittedAt=at and time(at),
            comments=list(comments),
        )

    def comment(self, by: Row | None, at: str, body: str = "Hm", **values: Any) -> Row:
        """A comment; one with a ``path`` is on a line."""
        kind = "PullRequestReviewComment" if "path" in values else "IssueComment"
        if kind == "PullRequestReviewComment":
            values = {"line": 7, "originalLine": 7, "replyTo": None} | values
        return self.node(kind, author=by, body=body, createdAt=time(at), updatedAt=time(at), **values)

    def checks(self, commit: Row, *runs: Row) -> None:
        commit["statusCheckRollup"] = {"contexts": list(runs)}

    def check_run(self, name: str, at: str, conclusion: str | None = "SUCCESS", seconds: int = 100) -> Row:
        began = datetime.datetime.fromisoformat(at)
        ended = began + datetime.timedelta(seconds=seconds)
        return self.node(
            "CheckRun",
            databaseId=len(self.nodes) + 1,
            name=name,
            status="COMPLETED" if conclusion else "IN_PROGRESS",
            conclusion=conclusion,
            startedAt=time(at),
            completedAt=time(str(ended)) if conclusion else None,
        )

    def deployment(self, commit: Row, at: str, environment: str = "Production", state: str = "ACTIVE") -> Row:
        made = self.node(
            "Deployment",
            databaseId=len(self.nodes) + 1,
            environment=environment,
            state=state,
            createdAt=time(at),
            commitOid=commit["oid"],
            creator=BOB,
        )
        commit["deployments"].append(made)
        return made
