"""Summaries of pull requests, derived from rows in the database or rows that are about to be written."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk import convert_columns
from tformance_seed.bulk.columns import Column
from tformance_seed.bulk.conditional_update import update_where_different
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import decimal_digits, execute, from_database
from tformance_seed.bulk.refresh import rows_changed
from tformance_seed.canonical_json import json_text
from tformance_seed.simulate.ai_signals import weigh
from tformance_seed.simulate.summaries import summaries
from tformance_seed.simulate.summary_format import SUMMARY_VERSION
from tformance_seed.sources.records import Columns
from tformance_seed.storage.models import PRFile, PullRequest, SeedSummary, SeedTeam
from tformance_seed.storage.models.fields import JSONField, NumericField, TimestampField

#: The start of a window, and its end, which is not part of it.
Window = tuple[datetime.datetime, datetime.datetime]

Array = npt.NDArray[Any]

#: The columns of a pull request from which its summary is derived.
INPUT_FIELDS: tuple[peewee.Field, ...] = (
    PullRequest.title,
    PullRequest.state,
    PullRequest.additions,
    PullRequest.deletions,
    PullRequest.review_rounds,
    PullRequest.review_time_hours,
    PullRequest.first_review_at,
    PullRequest.is_hotfix,
    PullRequest.is_revert,
    PullRequest.has_ai_commits,
    PullRequest.ai_tools_detected,
    PullRequest.labels,
)

#: The other columns on which the signs of AI depend.
SIGN_FIELDS: tuple[peewee.Field, ...] = (PullRequest.has_ai_review, PullRequest.has_ai_files)


def _texts(values: Sequence[Any]) -> Array:
    return np.array([value.encode() for value in values], dtype=object)


def _json_texts(values: Sequence[Any]) -> Array:
    decoded = (from_database(PullRequest.ai_tools_detected, value) for value in values)
    return np.array([json_text(value).encode() for value in decoded], dtype=object)


#: Type of an input field -> the function that converts the driver's values to an array. NULL becomes 0, NaN
#: or False; a timestamp becomes True if it is not NULL. Peewee's own conversion would take longer than
#: everything else here.
DRIVER_ARRAYS: dict[type[peewee.Field], Callable[[Sequence[Any]], Array]] = {
    peewee.TextField: _texts,
    peewee.CharField: _texts,
    peewee.IntegerField: lambda values: np.array([value or 0 for value in values], dtype=np.int64),
    peewee.BooleanField: lambda values: np.array(values, dtype=bool),
    NumericField: lambda values: np.array([np.nan if value is None else float(value) for value in values]),
    TimestampField: lambda values: np.array([value is not None for value in values]),
    JSONField: _json_texts,
}


def pull_requests_to_summarise(
    database: peewee.Database, team_id: int, window: Window | None, adopted_max_id: int
) -> list[int]:
    """Return the ids, in order, of a team's pull requests that lack a current summary or lie in a window.

    Parameters:
      window: include all pull requests synchronised in it, and those that a language model was asked about
        before; None: only those without a current summary.
      adopted_max_id: pull requests up to this id existed before the team was adopted, and are ignored.
    """
    query = PullRequest.select(PullRequest.id).where(due(team_id, adopted_max_id + 1, None, window))
    return [row[0] for row in query.order_by(PullRequest.id).tuples().iterator(database)]


def refresh_summaries(
    database: peewee.Database,
    team_id: int,
    first: int,
    stop: int,
    window: Window,
    answers: Mapping[int, Mapping[str, Any]] | None = None,
) -> tuple[int, int]:
    """Write the summaries of a team's pull requests whose ids are at least ``first`` and below ``stop``.

    What follows from summaries, the signals of AI, is written with them.

    Parameters:
      answers: id of a pull request -> its summary; those of others are generated.
    Returns:
      The number of summaries written, and the number that were already correct.
    """
    query = (
        PullRequest.select(PullRequest.id, *INPUT_FIELDS, *SIGN_FIELDS)
        .where(due(team_id, first, stop, window))
        .order_by(PullRequest.id)
    )
    rows = execute(database, query).fetchall()
    if not rows:
        return 0, 0
    ids, *columns = zip(*rows, strict=True)
    values = {
        field.name: DRIVER_ARRAYS[type(field)](column)
        for field, column in zip((*INPUT_FIELDS, *SIGN_FIELDS), columns, strict=True)
    }
    texts = summaries(_summary_inputs(values), _files(database, team_id, np.array(ids)))
    given = {row: json_text(summary) for row, summary in (answers or {}).items()}
    chosen = [given.get(row) or text.decode() for row, text in zip(ids, texts, strict=True)]
    return _store(database, ids, chosen, values)


def summarise_columns(pull_requests: Columns, files: Columns) -> Columns:
    """Return ``llm_summary`` and ``llm_summary_version`` for rows that are about to be written.

    Parameters:
      pull_requests: columns of PullRequest.
      files: columns of PRFile; ``pull_request`` is an index into the rows of ``pull_requests``.
    """
    inputs = {field.name: pull_requests[field.name] for field in INPUT_FIELDS}
    values = {column.field.name: _column_array(column) for column in convert_columns(PullRequest, inputs)}
    texts = summaries(_summary_inputs(values), _stored_files(files))
    return {
        "llm_summary": np.array(texts, dtype="S"),
        "llm_summary_version": np.full(len(texts), SUMMARY_VERSION.encode()),
    }


def _column_array(column: Column) -> Array:
    """Return the values of a converted column in the form that ``DRIVER_ARRAYS`` produces."""
    null = np.zeros(len(column.values), dtype=bool) if column.null is None else column.null
    if column.kind == "timestamptz":
        return ~null
    if column.kind == "numeric":
        _, scale = decimal_digits(column.field)
        return np.where(null, np.nan, column.values / 10**scale)
    if column.kind == "integer":
        return np.where(null, 0, column.values)
    return column.values


def _summary_inputs(values: Columns) -> Columns:
    """Return the columns that ``summaries`` needs, from arrays of the ``INPUT_FIELDS`` by name."""
    return values | {"reviewed": values["first_review_at"], "ai_tools": values["ai_tools_detected"]}


def _stored_files(files: Columns) -> Columns:
    """Return files as their table will store them: if shortened names coincide, the last file wins."""
    (names,) = convert_columns(PRFile, {"filename": files["filename"]})
    if np.array_equal(names.values, files["filename"]):
        return files
    keys = zip(files["pull_request"].tolist(), names.values.tolist(), strict=True)
    last = {key: row for row, key in enumerate(keys)}
    rows = np.array(sorted(last.values()), dtype=np.int64)
    kept = {name: files[name][rows] for name in ("pull_request", "file_category")}
    return {**kept, "filename": names.values[rows]}


def due(team_id: int, first: int, stop: int | None, window: Window | None) -> peewee.Expression:
    """Match the pull requests in a window and those that a language model was asked about before.

    All that have no summary of this version yet match, too.
    """
    mine = (PullRequest.team == team_id) & (PullRequest.id >= first)
    matches = PullRequest.llm_summary_version != SUMMARY_VERSION
    if window is not None:
        own = SeedTeam.slug == SeedSummary.organisation
        asked = (
            SeedSummary.select(SeedSummary.id)
            .join(SeedTeam, on=own)
            .where(
                SeedTeam.team_id == team_id,
                SeedSummary.repository == PullRequest.github_repo,
                SeedSummary.number == PullRequest.github_pr_id,
            )
        )
        matches |= (PullRequest.synced_at >= window[0]) & (PullRequest.synced_at < window[1])
        matches |= peewee.fn.EXISTS(asked)
    return mine & matches if stop is None else mine & matches & (PullRequest.id < stop)


def _files(database: peewee.Database, team_id: int, ids: npt.NDArray[np.int64]) -> Columns:
    """Return the files of pull requests, ordered by pull request."""
    query = (
        PRFile.select(PRFile.pull_request, PRFile.filename, PRFile.file_category)
        .where(PRFile.team == team_id, PRFile.pull_request.in_(ids.tolist()))
        .order_by(PRFile.pull_request)
    )
    rows = execute(database, query).fetchall()
    owners, names, categories = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "pull_request": np.searchsorted(ids, np.array(owners, dtype=np.int64)),
        "filename": np.array([name.encode() for name in names], dtype=object),
        "file_category": np.array([category.encode() for category in categories], dtype="S"),
    }


def _store(
    database: peewee.Database, ids: Sequence[int], texts: Sequence[str], values: Columns
) -> tuple[int, int]:
    """Update the summaries that differ; return their number, and the number that were already correct."""
    signs = zip(
        *(values[f"has_ai_{name}"].tolist() for name in ("commits", "review", "files")),
        values["ai_tools_detected"].tolist(),
        strict=True,
    )
    rows = [
        (row, text, SUMMARY_VERSION, *_signals(text, *sign))
        for row, text, sign in zip(ids, texts, signs, strict=True)
    ]
    names = ("id", "summary", "version", "signals", "score")
    computed = peewee.ValuesList(rows).cte("computed", columns=names)
    summary, signals = computed.c.summary, computed.c.signals
    if is_postgresql(database):
        summary, signals = summary.cast("JSONB"), signals.cast("JSONB")
    new = {
        PullRequest.llm_summary: summary,
        PullRequest.llm_summary_version: computed.c.version,
        PullRequest.ai_signals: signals,
        PullRequest.ai_confidence_score: computed.c.score,
    }
    update = update_where_different(database, PullRequest, new).from_(computed)
    query = update.where(PullRequest.id == computed.c.id).with_cte(computed)
    written = rows_changed(database, execute(database, query))
    return written, len(ids) - written


def _signals(summary: str, commits: bool, review: bool, files: bool, tools: bytes) -> tuple[str, Any]:
    """Return the signals of AI as JSON text, and the confidence, as the database's column takes it."""
    ai = json.loads(summary)["ai"]
    signals, score = weigh(ai, json.loads(tools), commits=commits, review=review, files=files)
    return json_text(signals), PullRequest.ai_confidence_score.db_value(score)
