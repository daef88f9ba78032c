"""What the database knows about pull requests, for a language model to summarise."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.metrics.summaries import Window, due
from tformance_seed.storage.models import PRFile, PullRequest

#: The characters of a body, and the number of files, that are told.
BODY_LENGTH, FILES = 4_000, 50

#: Key of a fact -> the column that holds it.
COLUMNS: dict[str, peewee.Field] = {
    "title": PullRequest.title,
    "body": PullRequest.body,
    "state": PullRequest.state,
    "labels": PullRequest.labels,
    "additions": PullRequest.additions,
    "deletions": PullRequest.deletions,
    "review_rounds": PullRequest.review_rounds,
    "hours_to_first_review": PullRequest.review_time_hours,
    "ai_tools_found": PullRequest.ai_tools_detected,
    "commits_by_ai": PullRequest.has_ai_commits,
    "reviewed_by_ai": PullRequest.has_ai_review,
}


@dataclass(frozen=True)
class PullRequestFacts:
    """A pull request, and what is known about it as JSON values, the same on every database."""

    id: int
    repository: str
    number: int
    facts: dict[str, Any]


def pull_request_facts(
    database: peewee.Database, team_id: int, first: int, stop: int, window: Window
) -> list[PullRequestFacts]:
    """Return the facts about the pull requests whose summaries ``refresh_summaries`` would write."""
    query = (
        PullRequest.select(
            PullRequest.id, PullRequest.github_repo, PullRequest.github_pr_id, *COLUMNS.values()
        )
        .where(due(team_id, first, stop, window))
        .order_by(PullRequest.id)
    )
    rows = list(query.tuples().execute(database))
    files = _files(database, team_id, [row[0] for row in rows])
    return [
        PullRequestFacts(row, repository, number, _facts(values, files[row]))
        for row, repository, number, *values in rows
    ]


def _facts(values: Sequence[Any], files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    facts = dict(zip(COLUMNS, values, strict=True))
    hours = facts["hours_to_first_review"]
    return facts | {
        "body": facts["body"][:BODY_LENGTH],
        "hours_to_first_review": None if hours is None else float(hours),
        "number_of_files": len(files),
        "files": list(files[:FILES]),
    }


def _files(
    database: peewee.Database, team_id: int, ids: Sequence[int]
) -> defaultdict[int, list[dict[str, Any]]]:
    """Return the files of pull requests, by its id and in the order of their names."""
    query = PRFile.select(PRFile.pull_request, PRFile.filename, PRFile.additions, PRFile.deletions).where(
        PRFile.team == team_id, PRFile.pull_request.in_(ids)
    )
    files: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for owner, name, additions, deletions in query.tuples().execute(database):
        files[owner].append({"name": name, "additions": additions, "deletions": deletions})
    for listed in files.values():  # here, since the order of texts differs from server to server
        listed.sort(key=lambda file: str(file["name"]))
    return files
