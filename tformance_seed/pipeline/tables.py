"""The tables that are written together with pull requests: a registry of models and builders."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import metrics
from tformance_seed.bulk.prepared import PreparedStatement
from tformance_seed.pipeline.job_context import JobContext
from tformance_seed.simulate.ai_signals import ai_signals
from tformance_seed.simulate.check_runs import check_runs
from tformance_seed.simulate.comments import comments
from tformance_seed.simulate.commits import commits
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.simulate.deployments import deployments
from tformance_seed.simulate.files import files
from tformance_seed.simulate.jira import issues
from tformance_seed.simulate.pull_requests import pull_requests
from tformance_seed.simulate.reviews import reviews
from tformance_seed.simulate.survey_answers import survey_answers
from tformance_seed.simulate.surveys import surveys
from tformance_seed.sources.records import Columns
from tformance_seed.storage.models import (
    Commit,
    Deployment,
    JiraIssue,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
)

#: Builds a table's rows, without ``id`` and ``team``. A reference is an index into the rows of the batch's
#: own table.
Builder = Callable[[CompleteBatch], Columns]

#: Looks up the ids of rows that were just written, for later tables that refer to them.
FindIds = Callable[[JobContext, Columns], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Table:
    """A table of a batch.

    Parameters:
      summarise: returns additional columns with generated summaries, and what follows from those.
      owner: the reference to the row with which rows are replaced, so that those which are no longer made go.
      has_own_stage: whether a separate stage writes the table once all pull requests are written.
    """

    model: type[peewee.Model]
    build: Builder
    find_ids: FindIds | None = None
    summarise: Callable[[Columns, CompleteBatch], Columns] | None = None
    owner: peewee.ForeignKeyField | None = None
    has_own_stage: Callable[[JobContext], bool] = lambda _context: False


def build_rows(batch: CompleteBatch, context: JobContext) -> list[tuple[Table, Columns]]:
    """Return the rows of each table that a job writes together with its pull requests, in writing order."""
    built = []
    for table in TABLES:
        if table.has_own_stage(context):
            continue
        rows = table.build(batch)
        if table.summarise is not None and context.options.model is None:
            rows |= table.summarise(rows, batch)
        built.append((table, rows))
    return built


_PULL_REQUEST_IDS = PreparedStatement(
    lambda _database, value: PullRequest.select(PullRequest.github_pr_id, PullRequest.id).where(
        PullRequest.team == value("team"),
        PullRequest.github_repo == value("repository"),
        PullRequest.github_pr_id.between(value("first"), value("last")),
    )
)


def _pull_request_ids(context: JobContext, columns: Columns) -> npt.NDArray[np.int64]:
    """Look up the ids of pull requests by repository and number, with one range query per repository."""
    ids = np.zeros(len(columns["github_pr_id"]), dtype=np.int64)
    for repository in np.unique(columns["github_repo"]):
        rows = np.flatnonzero(columns["github_repo"] == repository)
        numbers = columns["github_pr_id"][rows]
        ends = {"first": int(numbers.min()), "last": int(numbers.max())}
        team_id = context.team.team_id
        found = _PULL_REQUEST_IDS(context.database, team=team_id, repository=repository.decode(), **ends)
        ids[rows] = _look_up(found, numbers)
    return ids


_SURVEY_IDS = PreparedStatement(
    lambda _database, value: PRSurvey.select(PRSurvey.pull_request, PRSurvey.id).where(
        PRSurvey.team == value("team"), PRSurvey.pull_request.between(value("first"), value("last"))
    )
)


def _survey_ids(context: JobContext, columns: Columns) -> npt.NDArray[np.int64]:
    """Look up the ids of surveys by the ids of their pull requests."""
    pull_requests = columns["pull_request"]
    if not len(pull_requests):
        return np.zeros(0, dtype=np.int64)
    ends = {"first": int(pull_requests.min()), "last": int(pull_requests.max())}
    return _look_up(_SURVEY_IDS(context.database, team=context.team.team_id, **ends), pull_requests)


def _look_up(pairs: Any, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the id for each key, from a cursor over pairs of key and id."""
    table = np.array(pairs.fetchall(), dtype=np.int64).reshape(-1, 2)
    table = table[np.argsort(table[:, 0])]
    ids: npt.NDArray[np.int64] = table[np.searchsorted(table[:, 0], keys), 1]
    return ids


def _summaries(rows: Columns, batch: CompleteBatch) -> Columns:
    return metrics.summarise_columns(rows, batch.files) | ai_signals(batch.pull_requests)


def _issues(batch: CompleteBatch) -> Columns:
    """Return JiraIssue rows, for sources in which each issue has only one pull request."""
    prs = batch.pull_requests
    facts = metrics.facts_from_columns(
        {**prs, "pr_created_at": prs["created_at"], "updated_at": prs["ended_at"]}
    )
    return issues(facts, batch.profile)


#: The tables in writing order: each comes after the tables that it refers to.
TABLES = (
    Table(PullRequest, pull_requests, find_ids=_pull_request_ids, summarise=_summaries),
    Table(Commit, commits),
    Table(PRFile, files, owner=PRFile.pull_request),
    Table(PRReview, reviews, owner=PRReview.pull_request),
    Table(PRCheckRun, check_runs, owner=PRCheckRun.pull_request),
    Table(PRComment, comments, owner=PRComment.pull_request),
    Table(Deployment, deployments),
    Table(JiraIssue, _issues, has_own_stage=lambda context: context.source.shares_issues),
    Table(PRSurvey, surveys, find_ids=_survey_ids),
    Table(PRSurveyReview, survey_answers, owner=PRSurveyReview.survey),
)
