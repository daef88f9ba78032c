"""Rows of the shared record out of commits: titles, authors, files, and the traces of AI."""

import re
from collections import Counter
from typing import Any

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.sources.detection import (
    REVIEW_TOOLS,
    ai_identity,
    ai_tools,
    co_authors,
    file_category,
    is_ai_config,
    is_bot,
    is_hotfix,
    is_revert,
    jira_key,
)
from tformance_seed.sources.git.log import Change
from tformance_seed.sources.git.mainline import MERGED, SQUASHED, Landing
from tformance_seed.sources.git.people import Identity, redact
from tformance_seed.sources.records import (
    AI_CODE,
    AI_NONE,
    AI_REVIEW,
    COMMIT_COLUMNS,
    FILE_COLUMNS,
    PULL_REQUEST_COLUMNS,
    Batch,
    Columns,
    pull_request_key,
)

#: Characters of a message that are kept: arrays are as wide as their longest text, and 1 message in 2,000
#: of a real history is a dependency's whole change log.
MAX_TEXT = 8_000

#: Characters of a file's name, as in the table.
MAX_FILENAME = 500

#: Bots that keep dependencies up to date; GitHub labels what they open.
DEPENDENCY_BOTS = re.compile(r"(?:dependabot|renovate)\b.*", re.IGNORECASE)

#: What stands between the words of a branch's name.
READABLE = re.compile(r"[-_/]+")

#: The type with which the description of a column begins.
TYPE = re.compile(r"^[\w\[\]]+")

NOT_KNOWN = np.iinfo(np.int64).min  # NaT, as a number

Row = dict[str, Any]


class Rows:
    """The rows of one batch, filled landing by landing.

    Parameters:
      member_of: the row of Members that an author is; bots are in none.
      elsewhere: repository and commit of those whose row another repository gives.
      emails: leave people's e-mail addresses in the texts.
    """

    def __init__(
        self, member_of: dict[Identity, int], elsewhere: set[tuple[str, str]], *, emails: bool
    ) -> None:
        self._member_of = member_of
        self._elsewhere = elsewhere
        self._emails = emails
        self._pull_requests: list[Row] = []
        self._commits: list[Row] = []
        self._files: list[Row] = []

    def add(self, landing: Landing, changes: list[Change]) -> None:
        """A landing with what ``Git.changes`` says of its lines."""
        if landing.number:
            own, *side = changes
            self._add_pull_request(landing, own, side if landing.is_merge else [own])
        else:
            for change in changes:
                self._add_commit(landing, change, -1)

    def batch(self, start: int, stop: int) -> Batch:
        """All rows so far as the batch of these places."""
        pull_requests = _columns(self._pull_requests, PULL_REQUEST_COLUMNS)
        commits = _columns(self._commits, COMMIT_COLUMNS)
        return Batch(start, stop, pull_requests, commits, _columns(self._files, FILE_COLUMNS))

    def _add_pull_request(self, landing: Landing, own: Change, commits: list[Change]) -> None:
        place = len(self._pull_requests)
        title, body, branch = _title_and_body(own)
        title = title or f"Pull request {landing.number}"
        tools = set() if commits == [own] else set(ai_tools(f"{title}\n{body}"))
        ai_commits = False
        for commit in commits:
            signed, co_authored = self._add_commit(landing, commit, place)
            tools |= signed
            ai_commits |= co_authored
        name, email = _opener(own, commits)
        began = min((commit.authored for commit in commits), default=NOT_KNOWN)
        self._pull_requests.append(
            {
                "repository": landing.repository,
                "number": landing.number,
                "key": pull_request_key(landing.repository, np.array([landing.number]))[0],
                "title": self._fit(title),
                "body": self._fit(body),
                "state": "merged",
                "author": self._member_of.get((name, email), -1),
                "ended_at": landing.committed,
                "created_at": min(began, landing.committed) if landing.is_merge else NOT_KNOWN,
                "first_review_at": NOT_KNOWN,
                "additions": sum(file.additions for file in own.files),
                "deletions": sum(file.deletions for file in own.files),
                "labels": json_text(["dependencies"] if DEPENDENCY_BOTS.match(name) else []),
                "jira_key": jira_key(title) or jira_key(branch),
                "is_revert": is_revert(title),
                "is_hotfix": is_hotfix(title),
                "is_draft": False,
                "is_bot": is_bot(name, email),
                "ai_kind": AI_CODE if tools - REVIEW_TOOLS else AI_REVIEW if tools else AI_NONE,
                "ai_tools": json_text(sorted(tools)),
                "has_ai_commits": ai_commits,
                "has_ai_files": any(is_ai_config(file.filename) for file in own.files),
            }
        )
        self._add_files(own, place)

    def _add_commit(self, landing: Landing, change: Change, place: int) -> tuple[set[str], bool]:
        """A commit's row; the AI tools that signed it, and whether one of them is its author or co-author."""
        message = f"{change.subject}\n\n{change.body}".strip()
        signed = set(ai_tools(message))
        named = {ai_identity(*author) for author in [change.author, *co_authors(message)]} - {""}
        writers = named | (signed - REVIEW_TOOLS)
        if (landing.repository, change.sha) not in self._elsewhere:
            itself = change.sha == landing.sha
            self._commits.append(
                {
                    "pull_request": place,
                    "repository": landing.repository,
                    "sha": change.sha,
                    "message": self._fit(message),
                    "additions": sum(file.additions for file in change.files),
                    "deletions": sum(file.deletions for file in change.files),
                    "committed_at": landing.committed if itself else min(change.authored, landing.committed),
                    "author": self._member_of.get(change.author, -1),
                    "ai_co_authors": json_text(sorted(writers)),
                    "is_ai_assisted": bool(writers),
                }
            )
        return signed | named, bool(writers)

    def _add_files(self, own: Change, place: int) -> None:
        """Files of a pull request; names that are alike once they fit the table share a row."""
        files: dict[str, Row] = {}
        for file in own.files:
            name = file.filename[:MAX_FILENAME]
            row = files.setdefault(
                name,
                {
                    "pull_request": place,
                    "filename": name,
                    "status": file.status,
                    "additions": 0,
                    "deletions": 0,
                    "file_category": file_category(name),
                },
            )
            row["additions"] += file.additions
            row["deletions"] += file.deletions
        self._files.extend(files.values())

    def _fit(self, text: str) -> str:
        return (text if self._emails else redact(text))[:MAX_TEXT]


def _title_and_body(own: Change) -> tuple[str, str, str]:
    """Title and body of a pull request, and its branch where the message names it."""
    if squashed := SQUASHED.fullmatch(own.subject):
        return squashed["title"], own.body.strip(), ""
    merged = MERGED.fullmatch(own.subject)
    branch = merged["branch"] if merged else ""
    title, _, body = own.body.strip().partition("\n")
    return title.strip() or READABLE.sub(" ", branch), body.strip(), branch


def _opener(own: Change, commits: list[Change]) -> Identity:
    """Whoever wrote most of the commits, the first to come where two did; else who merged."""
    return Counter(commit.author for commit in commits or [own]).most_common(1)[0][0]


def _columns(rows: list[Row], described: dict[str, str]) -> Columns:
    """Rows as arrays of the types with which the record's descriptions begin."""
    columns: Columns = {}
    for name, description in described.items():
        kind = TYPE.findall(description)[0]
        values = [row[name] for row in rows]
        if kind.startswith("S"):
            values = [value.encode("utf-8", "replace") for value in values]
        columns[name] = np.array(values, dtype=kind)
    return columns
