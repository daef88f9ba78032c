"""Summaries of pull requests, told from what the database knows of them."""

import datetime
from typing import Any

import numpy as np
import peewee

from tformance_seed.database import is_postgresql
from tformance_seed.metrics.refresh import changes
from tformance_seed.models import PRFile, PullRequest
from tformance_seed.models.fields import JSONField, json_text
from tformance_seed.simulate.summaries import SUMMARY_VERSION, summaries
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW
from tformance_seed.upsert import is_distinct

#: The first moment of a window, and the first one after it.
Window = tuple[datetime.datetime, datetime.datetime]


def pull_request_ids(team_id: int, window: Window, above: int) -> list[int]:
    """The ids of a team's pull requests that ended in a window, or have no summary yet, in order.

    Parameters:
      above: pull requests up to this id are somebody else's and left out.
    """
    query = PullRequest.select(PullRequest.id).where(_mine(team_id, above + 1, None, window))
    return [row[0] for row in query.order_by(PullRequest.id).tuples().iterator()]


def summarise(
    database: peewee.Database, team_id: int, first: int, stop: int, window: Window
) -> tuple[int, int]:
    """Write the summaries of a team's pull requests from one id up to, but not including, another.

    Returns:
      How many were written, and how many were right already.
    """
    query = (
        PullRequest.select(
            PullRequest.id,
            PullRequest.title,
            PullRequest.state,
            PullRequest.additions,
            PullRequest.deletions,
            PullRequest.review_rounds,
            PullRequest.review_time_hours,
            PullRequest.first_review_at.is_null(False),
            PullRequest.is_hotfix,
            PullRequest.is_revert,
            PullRequest.is_ai_assisted,
            PullRequest.has_ai_commits,
            PullRequest.has_ai_review,
            PullRequest.ai_tools_detected,
        )
        .where(_mine(team_id, first, stop, window))
        .order_by(PullRequest.id)
    )
    rows = database.execute(query).fetchall()  # as the driver has them: Peewee's conversion takes longer
    if not rows:
        return 0, 0
    ids, titles, states, *numbers, used, signed, reviewed_by_ai, tools = zip(*rows, strict=True)
    additions, deletions, rounds, hours, reviewed, hotfix, revert = numbers
    kinds = np.where(reviewed_by_ai, AI_REVIEW, AI_CODE)
    prs = {
        "title": np.array([title.encode() for title in titles], dtype=object),
        "state": np.array([state.encode() for state in states]),
        "additions": np.array(additions, dtype=np.int64),
        "deletions": np.array(deletions, dtype=np.int64),
        "review_rounds": np.array([value or 0 for value in rounds], dtype=np.int64),
        "review_time_hours": np.array([np.nan if value is None else float(value) for value in hours]),
        "reviewed": np.array(reviewed, dtype=bool),
        "is_hotfix": np.array(hotfix, dtype=bool),
        "is_revert": np.array(revert, dtype=bool),
        "ai_kind": np.where(np.array(used, dtype=bool), kinds, AI_NONE),
        "has_ai_commits": np.array(signed, dtype=bool),
        "ai_tools": np.array([json_text(_value(value)).encode() for value in tools], dtype=object),
    }
    texts = summaries(prs, _files(database, team_id, np.array(ids)))
    return _store(database, ids, texts)


def _mine(team_id: int, first: int, stop: int | None, window: Window) -> peewee.Expression:
    """The window's pull requests, and all that have no summary of this version yet."""
    since, until = window
    mine = (PullRequest.team == team_id) & (PullRequest.id >= first)
    due = (PullRequest.synced_at >= since) & (PullRequest.synced_at < until)
    mine &= due | (PullRequest.llm_summary_version != SUMMARY_VERSION)
    return mine if stop is None else mine & (PullRequest.id < stop)


def _value(json: Any) -> Any:
    """A JSON column as a driver has it: SQLite's is text."""
    return JSONField.python_value(PullRequest.ai_tools_detected, json)


def _files(
    database: peewee.Database, team_id: int, ids: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> dict[str, Any]:
    """The files of pull requests; those of one stand together."""
    query = (
        PRFile.select(PRFile.pull_request, PRFile.filename, PRFile.file_category)
        .where(PRFile.team == team_id, PRFile.pull_request.in_(ids.tolist()))
        .order_by(PRFile.pull_request)
    )
    rows = database.execute(query).fetchall()
    owners, names, categories = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "pull_request": np.searchsorted(ids, np.array(owners, dtype=np.int64)),
        "filename": np.array([name.encode() for name in names], dtype=object),
        "file_category": np.array([category.encode() for category in categories], dtype="S"),
    }


def _store(database: peewee.Database, ids: tuple[int, ...], texts: list[bytes]) -> tuple[int, int]:
    made = [(pk, text.decode(), SUMMARY_VERSION) for pk, text in zip(ids, texts, strict=True)]
    told = peewee.ValuesList(made).cte("told", columns=("id", "summary", "version"))
    summary = told.c.summary.cast("JSONB") if is_postgresql(database) else told.c.summary
    new = {PullRequest.llm_summary: summary, PullRequest.llm_summary_version: told.c.version}
    differs = is_distinct(database, peewee.Tuple(*new), peewee.Tuple(*new.values()))
    update = PullRequest.update(new).from_(told).where(PullRequest.id == told.c.id, differs)
    written = changes(database, update.with_cte(told))
    return written, len(ids) - written
