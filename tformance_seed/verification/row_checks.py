"""Checks of rows against rules that a database cannot express: patterns in texts, contents of JSON.

Each returns the ids of a team's rows that break the rule.
"""

import functools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import peewee

from tformance_seed.simulate.ai_signals import weigh
from tformance_seed.simulate.summary_format import SUMMARY_VERSION, is_valid_summary
from tformance_seed.sources.detection import (
    DETECTION_VERSION,
    ai_tools,
    co_author_tools,
    file_category,
    is_ai_file,
    jira_key,
)
from tformance_seed.sources.detection.logins import LOGINS
from tformance_seed.storage.models import Commit, PRFile, PullRequest

#: Returns the ids of the rows of a team that break a rule.
RowCheck = Callable[[peewee.Database, int], list[int]]

#: Words of which one is in the path of every file that configures an AI tool.
AI_FILE_WORDS = ("claude", "cursor", "copilot", "aider", "coderabbit", "greptile")


def undetected_tools(database: peewee.Database, team_id: int) -> list[int]:
    """Find pull requests whose AI tools are not those in title and body.

    A pull request without a member as author may have one more, the login of the bot that opened it.
    """
    fields = (
        PullRequest.title,
        PullRequest.body,
        PullRequest.author,
        PullRequest.is_ai_assisted,
        PullRequest.ai_tools_detected,
        PullRequest.ai_detection_version,
    )
    wrong = []
    for row, title, body, author, assisted, tools, version in _pull_requests(database, team_id, *fields):
        found = ai_tools(f"{title}\n{body}")
        by_bot = author is None and tools[:-1] == found and tools[-1:] and tools[-1] in LOGINS
        if (tools != found and not by_bot) or assisted is not bool(tools) or version != DETECTION_VERSION:
            wrong.append(row)
    return wrong


def other_jira_keys(database: peewee.Database, team_id: int) -> list[int]:
    """Find pull requests whose Jira key is not the first one in the title, if there is one."""
    length = PullRequest.jira_key.max_length
    rows = _pull_requests(database, team_id, PullRequest.title, PullRequest.jira_key)
    return [row for row, title, key in rows if (found := jira_key(title)) and found[:length] != key]


def wrong_signals(database: peewee.Database, team_id: int) -> list[int]:
    """Find pull requests whose AI signals and confidence do not follow from what was found.

    Those without a summary are left out: it may not have been written yet.
    """
    fields = (
        PullRequest.llm_summary,
        PullRequest.ai_tools_detected,
        PullRequest.has_ai_commits,
        PullRequest.has_ai_review,
        PullRequest.has_ai_files,
        PullRequest.ai_signals,
        PullRequest.ai_confidence_score,
    )
    wrong = []
    for row, summary, tools, commits, review, files, stored, score in _pull_requests(
        database, team_id, *fields
    ):
        if is_valid_summary(summary):
            signals, expected = weigh(summary["ai"], tools, commits=commits, review=review, files=files)
            if (stored, score) != (signals, Decimal(str(expected))):
                wrong.append(row)
    return wrong


def invalid_summaries(database: peewee.Database, team_id: int) -> list[int]:
    """Find pull requests whose summary is not in the application's format and version."""
    rows = _pull_requests(database, team_id, PullRequest.llm_summary, PullRequest.llm_summary_version)
    return [
        row
        for row, summary, version in rows
        if summary is not None and not (version == SUMMARY_VERSION and is_valid_summary(summary))
    ]


def undetected_co_authors(database: peewee.Database, team_id: int) -> list[int]:
    """Find commits whose AI co-authors are not those in the trailers."""
    query = Commit.select(Commit.id, Commit.message, Commit.ai_co_authors, Commit.is_ai_assisted).where(
        Commit.team == team_id,
        Commit.message.contains("co-authored-by:")
        | Commit.is_ai_assisted
        | (Commit.ai_co_authors.cast("TEXT") != "[]"),
    )
    return [
        row
        for row, message, tools, assisted in query.tuples().iterator(database)
        if (tools, assisted) != (found := co_author_tools(message), bool(found))
    ]


def other_file_categories(database: peewee.Database, team_id: int) -> list[int]:
    """Find files whose category is not that of their path."""
    category_of = functools.lru_cache(maxsize=None)(file_category)
    query = PRFile.select(PRFile.id, PRFile.filename, PRFile.file_category).where(PRFile.team == team_id)
    return [row for row, name, category in query.tuples().iterator(database) if category_of(name) != category]


def undetected_ai_files(database: peewee.Database, team_id: int) -> list[int]:
    """Find pull requests that touch the configuration of an AI tool and do not say so, or vice versa."""
    words = functools.reduce(lambda one, other: one | other, map(PRFile.filename.contains, AI_FILE_WORDS))
    files = PRFile.select(PRFile.pull_request, PRFile.filename).where(PRFile.team == team_id, words)
    touching = {owner for owner, name in files.tuples().iterator(database) if is_ai_file(name)}
    flagged = PullRequest.select(PullRequest.id).where(PullRequest.team == team_id, PullRequest.has_ai_files)
    return sorted(touching ^ {row for (row,) in flagged.tuples().iterator(database)})


def _pull_requests(
    database: peewee.Database, team_id: int, *fields: peewee.Field
) -> Iterator[tuple[Any, ...]]:
    """Yield the ids and some columns of a team's pull requests."""
    query = PullRequest.select(PullRequest.id, *fields).where(PullRequest.team == team_id)
    yield from query.tuples().iterator(database)
