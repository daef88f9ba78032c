"""Build rows of the record from commits: titles, authors, files, and signs of AI use."""

import re
from collections import Counter

from tformance_seed.canonical_json import json_text
from tformance_seed.sources.detection import (
    ai_tools,
    author_tool,
    co_author_tools,
    is_ai_file,
    is_bot,
    is_hotfix,
    is_revert,
    jira_key,
    signing_tools,
)
from tformance_seed.sources.git.conventions import CHANGE_ID, GERRIT, Named, find_pull_request
from tformance_seed.sources.git.log import Change
from tformance_seed.sources.git.mainline import Entry
from tformance_seed.sources.git.numbers import CLONED
from tformance_seed.sources.people import Identity
from tformance_seed.sources.records import (
    COMMIT_COLUMNS,
    FILE_COLUMNS,
    OPTIONAL_PULL_REQUEST_COLUMNS,
    PULL_REQUEST_COLUMNS,
    Batch,
    ai_kind,
    one_pull_request_key,
)
from tformance_seed.sources.rows import (
    MAX_BODY,
    MAX_FILENAME,
    MAX_MESSAGE,
    UNKNOWN_TIME,
    Row,
    clean_text,
    file_rows,
    rows_to_columns,
)

#: Bots that update dependencies; their pull requests are labelled on GitHub.
DEPENDENCY_BOTS = re.compile(r"(?:dependabot|renovate)\b.*", re.IGNORECASE)

#: The columns of pull requests that a clone has.
COLUMNS = PULL_REQUEST_COLUMNS | {
    name: OPTIONAL_PULL_REQUEST_COLUMNS[name] for name in ("opened_after", "signed_by_ai")
}

#: The conventions in which a commit keeps its author's date when it lands; a squash has that of the merge.
KEPT = (CLONED, GERRIT.name, CHANGE_ID.name)


class BatchBuilder:
    """Builds the rows of one batch by adding one commit of the main line after another.

    Parameters:
      member_of: maps an author to a row of Members; bots are not included.
      shared: (repository, commit) pairs to skip, because another repository has the commit's row.
      shift: seconds by which the times of commits are moved (those of the main line are moved already).
      emails: whether to leave people's e-mail addresses in the texts.
    """

    def __init__(
        self,
        member_of: dict[Identity, int],
        shared: set[tuple[str, str]],
        shift: int,
        *,
        emails: bool,
    ) -> None:
        self._member_of = member_of
        self._shared = shared
        self._shift = shift
        self._emails = emails
        self._pull_requests: list[Row] = []
        self._commits: list[Row] = []
        self._files: list[Row] = []

    def add(self, entry: Entry, changes: list[Change]) -> None:
        """Add an entry with the changes of its revisions."""
        if entry.number:
            own, *merged = changes
            if entry.merges_one:
                (one,) = merged
                own = own._replace(additions=one.additions, deletions=one.deletions, files=one.files)
            self._add_pull_request(entry, own, merged if entry.is_merge else [own])
        else:
            for change in changes:
                self._add_commit(entry, change, -1)

    def batch(self, start: int, stop: int) -> Batch:
        """Return all rows added so far as a batch with these positions."""
        pull_requests = rows_to_columns(self._pull_requests, COLUMNS)
        commits = rows_to_columns(self._commits, COMMIT_COLUMNS)
        return Batch(start, stop, pull_requests, commits, rows_to_columns(self._files, FILE_COLUMNS))

    def _add_pull_request(self, entry: Entry, own: Change, commits: list[Change]) -> None:
        """Add a pull request whose overall change is ``own`` and which consists of ``commits``."""
        row = len(self._pull_requests)
        named = find_pull_request(own.subject, own.body) or Named("", entry.number, own.subject, own.body, "")
        title = clean_text(named.title or f"Pull request {entry.number}", MAX_BODY, emails=self._emails)
        body = clean_text(named.body, MAX_BODY, emails=self._emails)
        named_in_commits = [self._add_commit(entry, commit, row) for commit in commits]
        signed = any(
            signing_tools(*each.author, f"{each.subject}\n\n{each.body}")
            for each in {each.sha: each for each in [own, *commits]}.values()
        )
        name, email = infer_author(own, commits)
        tools = ai_tools(f"{title}\n{body}")
        if (tool := author_tool(name, email)) and tool not in tools:
            tools.append(tool)
        began = min((commit.authored + self._shift for commit in commits), default=UNKNOWN_TIME)
        self._pull_requests.append(
            {
                "repository": entry.repository,
                "number": entry.number,
                "key": one_pull_request_key(entry.repository, entry.number),
                "title": title,
                "body": body,
                "state": "merged",
                "author": self._member_of.get((name, email), -1),
                "ended_at": entry.committed,
                "created_at": UNKNOWN_TIME,
                "first_review_at": UNKNOWN_TIME,
                "additions": sum(file.additions for file in own.files),
                "deletions": sum(file.deletions for file in own.files),
                "labels": json_text(["dependencies"] if DEPENDENCY_BOTS.match(name) else []),
                "jira_key": jira_key(title) or jira_key(named.branch),
                "is_revert": is_revert(title),
                "is_hotfix": is_hotfix(title),
                "is_draft": False,
                "is_bot": is_bot(name, email),
                "ai_kind": ai_kind(tools, signed=any(named_in_commits)),
                "ai_tools": json_text(tools),
                "has_ai_commits": any(named_in_commits),
                "has_ai_files": any(is_ai_file(file.filename[:MAX_FILENAME]) for file in own.files),
                "opened_after": min(began, entry.committed)
                if entry.is_merge or entry.convention in KEPT
                else UNKNOWN_TIME,
                "signed_by_ai": signed,
            }
        )
        self._add_files(own, row)

    def _add_commit(self, entry: Entry, change: Change, row: int) -> bool:
        """Add a commit, unless it is shared; return whether it was added and names an AI as co-author."""
        message = clean_text(f"{change.subject}\n\n{change.body}".strip(), MAX_MESSAGE, emails=self._emails)
        tools = []
        if (entry.repository, change.sha) not in self._shared:
            tools = co_author_tools(message)
            itself = change.sha == entry.sha and not entry.is_merge
            self._commits.append(
                {
                    "pull_request": row,
                    "repository": entry.repository,
                    "sha": change.sha,
                    "message": message,
                    "additions": change.additions,
                    "deletions": change.deletions,
                    "committed_at": entry.committed
                    if itself
                    else min(change.authored + self._shift, entry.committed),
                    "author": self._member_of.get(change.author, -1),
                    "ai_co_authors": json_text(tools),
                    "is_ai_assisted": bool(tools),
                }
            )
        return bool(tools)

    def _add_files(self, own: Change, pull_request: int) -> None:
        """Add the files of a pull request; files whose truncated names are equal share a row."""
        files = ((file.filename, file.status, file.additions, file.deletions) for file in own.files)
        self._files.extend(file_rows(pull_request, files))


def infer_author(own: Change, commits: list[Change]) -> Identity:
    """Return the author of most of the commits (in a tie, the first one), or of ``own`` if there are none."""
    return Counter(commit.author for commit in commits or [own]).most_common(1)[0][0]
