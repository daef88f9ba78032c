"""Summaries of pull requests, told from what the database knows of them."""

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk import convert_columns
from tformance_seed.bulk.conditional_update import update_where_different
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute
from tformance_seed.bulk.refresh import rows_changed
from tformance_seed.canonical_json import json_text
from tformance_seed.simulate.summaries import SUMMARY_VERSION, summaries
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Columns
from tformance_seed.storage.models import PRFile, PullRequest

#: The first moment of a window, and the first one after it.
Window = tuple[datetime.datetime, datetime.datetime]

Flags = npt.NDArray[np.bool_]

#: Columns of a pull request from which its summary is told.
TOLD = (
    "title",
    "state",
    "additions",
    "deletions",
    "review_rounds",
    "review_time_hours",
    "first_review_at",
    "is_hotfix",
    "is_revert",
    "is_ai_assisted",
    "has_ai_commits",
    "has_ai_review",
    "ai_tools_detected",
)


def pull_requests_to_summarise(
    database: peewee.Database, team_id: int, window: Window | None, adopted_max_id: int
) -> list[int]:
    """Return the ids of a team's pull requests that ended in a window or have no summary yet, in order.

    Parameters:
      window: None: only those without a summary.
      adopted_max_id: pull requests up to this id were there before the team was adopted, and are left out.
    """
    query = PullRequest.select(PullRequest.id).where(_mine(team_id, adopted_max_id + 1, None, window))
    return [row[0] for row in query.order_by(PullRequest.id).tuples().iterator(database)]


def refresh_summaries(
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
    tools = map(PullRequest.ai_tools_detected.python_value, tools)  # text where the database is SQLite
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
        "ai_kind": _kind(np.array(used, dtype=bool), np.array(reviewed_by_ai, dtype=bool)),
        "has_ai_commits": np.array(signed, dtype=bool),
        "ai_tools": np.array([json_text(value).encode() for value in tools], dtype=object),
    }
    texts = summaries(prs, _files(database, team_id, np.array(ids)))
    return _store(database, ids, texts)


def summarise_columns(pull_requests: Columns, files: Columns) -> Columns:
    """``llm_summary`` and ``llm_summary_version`` of rows that are about to be written.

    Parameters:
      pull_requests: columns of PullRequest.
      files: columns of PRFile; ``pull_request`` is a row of the former.
    """
    held = {
        made.field.name: made
        for made in convert_columns(PullRequest, {name: pull_requests[name] for name in TOLD})
    }
    values = {name: made.values for name, made in held.items()}
    hours = held["review_time_hours"]
    none = np.zeros(len(hours.values), dtype=bool)
    prs = values | {
        "review_rounds": np.where(held["review_rounds"].null, 0, values["review_rounds"]),
        "review_time_hours": np.where(hours.null, np.nan, hours.values / 10**hours.field.decimal_places),
        "reviewed": ~(none if held["first_review_at"].null is None else held["first_review_at"].null),
        "ai_kind": _kind(values["is_ai_assisted"], values["has_ai_review"]),
        "ai_tools": values["ai_tools_detected"],
    }
    texts = summaries(prs, _kept(files))
    return {
        "llm_summary": np.array(texts, dtype="S"),
        "llm_summary_version": np.full(len(texts), SUMMARY_VERSION.encode()),
    }


def _kind(used: Flags, reviewed: Flags) -> npt.NDArray[np.int64]:
    return np.where(used, np.where(reviewed, AI_REVIEW, AI_CODE), AI_NONE)


def _kept(files: Columns) -> Columns:
    """Files as their table will hold them: of names that were too long, two may have become the same."""
    (names,) = convert_columns(PRFile, {"filename": files["filename"]})
    if np.array_equal(names.values, files["filename"]):
        return files
    keys = zip(files["pull_request"].tolist(), names.values.tolist(), strict=True)
    last = {key: row for row, key in enumerate(keys)}
    rows = np.array(sorted(last.values()), dtype=np.int64)
    kept = {name: files[name][rows] for name in ("pull_request", "file_category")}
    return {**kept, "filename": names.values[rows]}


def _mine(team_id: int, first: int, stop: int | None, window: Window | None) -> peewee.Expression:
    """The window's pull requests, and all that have no summary of this version yet."""
    mine = (PullRequest.team == team_id) & (PullRequest.id >= first)
    due = PullRequest.llm_summary_version != SUMMARY_VERSION
    if window is not None:
        due |= (PullRequest.synced_at >= window[0]) & (PullRequest.synced_at < window[1])
    return mine & due if stop is None else mine & due & (PullRequest.id < stop)


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
    update = update_where_different(database, PullRequest, new).from_(told).where(PullRequest.id == told.c.id)
    written = rows_changed(database, execute(database, update.with_cte(told)))
    return written, len(ids) - written
