"""Facts about Jira issues, from pull requests in the database or from rows that are about to be written."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee
from peewee import fn

from tformance_seed.bulk import convert_columns
from tformance_seed.bulk.prepared import PreparedStatement
from tformance_seed.canonical_json import json_text
from tformance_seed.sources.records import Columns
from tformance_seed.storage.models import PullRequest

Facts = dict[str, npt.NDArray[Any]]

#: Columns of a pull request that become facts about its issue, apart from the key and the title.
FOR_FACTS = (
    "pr_created_at",
    "merged_at",
    "updated_at",
    "additions",
    "deletions",
    "labels",
    "author",
    "state",
)

#: Selects pull requests that have a Jira key, ordered by key and then by creation time.
_NAMED = PreparedStatement(
    lambda _database, value: (
        PullRequest.select(
            PullRequest.jira_key,
            PullRequest.pr_created_at,
            fn.COALESCE(PullRequest.merged_at, PullRequest.updated_at),
            PullRequest.additions + PullRequest.deletions,
            PullRequest.title,
            PullRequest.labels.cast("TEXT"),
            PullRequest.author,
            PullRequest.state,
        )
        .where(
            PullRequest.team == value("team"), PullRequest.jira_key > "", PullRequest.id > value("after_id")
        )
        .order_by(
            PullRequest.jira_key,
            PullRequest.pr_created_at,
            PullRequest.github_repo,
            PullRequest.github_pr_id,
        )
    )
)


def facts_from_columns(pull_requests: Columns) -> Facts:
    """Return the facts about the issues of pull requests that are about to be written.

    No two of the pull requests may have the same Jira key.

    Parameters:
      pull_requests: columns of PullRequest; rows without a key are ignored.
    """
    texts = {name: pull_requests[name] for name in ("jira_key", "title")}
    key, title = (
        column.values for column in convert_columns(PullRequest, texts)
    )  # as the table will store them
    rows = np.flatnonzero(key != b"")
    prs = {name: pull_requests[name][rows] for name in FOR_FACTS}
    merged = ~np.isnat(prs["merged_at"])
    return {
        "jira_key": key[rows],
        "first_created": prs["pr_created_at"],
        "last_ended": np.where(merged, prs["merged_at"], prs["updated_at"]),
        "lines": prs["additions"] + prs["deletions"],
        "title": title[rows],
        "labels": prs["labels"],
        "assignee": prs["author"],
        "state": prs["state"],
    }


def issue_facts(
    database: peewee.Database,
    team_id: int,
    member_ids: npt.NDArray[np.int64],
    size: int,
    adopted_max_id: int = 0,
) -> Iterator[Facts]:
    """Yield the facts for every Jira key in a team's pull requests, in key order and in batches.

    Parameters:
      member_ids: the id of each member; an assignee is an index into this array, or -1.
      size: the minimum number of pull requests per batch; those with the same key stay together.
      adopted_max_id: pull requests up to this id existed before the team was adopted, and are ignored.

    Yields:
      Columns jira_key, title, labels (``S``), first_created, last_ended (``datetime64[s]``), lines, assignee
      (``int64``) and state: merged if all pull requests are merged, closed if none is merged or open, else
      open.
    """
    member_of = {member_id: row for row, member_id in enumerate(member_ids.tolist())}
    rows: list[tuple[Any, ...]] = []
    # These are the driver's own values: Peewee's conversion would take longer than everything else here.
    for row in _NAMED(database, team=team_id, after_id=adopted_max_id):
        if len(rows) >= size and row[0] != rows[-1][0]:
            yield _facts(rows, member_of)
            rows = []
        rows.append(row)
    if rows:
        yield _facts(rows, member_of)


def _facts(rows: list[tuple[Any, ...]], member_of: dict[int, int]) -> Facts:
    keys, created, ended, lines, titles, labels, authors, states = zip(*rows, strict=True)
    starts = np.flatnonzero([True, *(a != b for a, b in zip(keys[1:], keys, strict=False))])
    merged = np.array([state == "merged" for state in states])
    unfinished = np.array([state == "open" for state in states])
    all_merged = np.logical_and.reduceat(merged, starts)
    any_left = np.logical_or.reduceat(unfinished | merged, starts)
    first = starts.tolist()
    return {
        "jira_key": np.array([keys[row].encode() for row in first]),
        "first_created": np.minimum.reduceat(_moments(created), starts),
        "last_ended": np.maximum.reduceat(_moments(ended), starts),
        "lines": np.add.reduceat(np.array(lines, dtype=np.int64), starts),
        "title": np.array([titles[row].encode() for row in first]),
        "labels": np.array([_canonical(labels[row]) for row in first]),
        "assignee": np.array([member_of.get(authors[row], -1) for row in first], dtype=np.int64),
        "state": np.where(all_merged, b"merged", np.where(any_left, b"open", b"closed")),
    }


@functools.lru_cache(maxsize=1024)
def _canonical(labels: str) -> bytes:
    return json_text(json.loads(labels)).encode()


def _moments(values: tuple[Any, ...]) -> npt.NDArray[np.datetime64]:
    """Convert a driver's timestamps: SQLite's are text in UTC, PostgreSQL's are aware datetimes."""
    if isinstance(values[0], str):
        return np.array(values, "M8[us]").astype("M8[s]")
    return np.array([moment.timestamp() for moment in values]).astype(np.int64).astype("M8[s]")
