"""Stages that generate rows: a team with its members, pull requests with their child rows, AI usage."""

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import ledger, metrics
from tformance_seed.bulk.prepared import PreparedStatement
from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.catalog.profile import Profile
from tformance_seed.pipeline.job_context import JobContext, Results, Write, ids_of
from tformance_seed.simulate import simulate
from tformance_seed.simulate.ai_usage import ai_usage
from tformance_seed.simulate.jira import issues
from tformance_seed.sources.records import Columns, joined
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    PRSurvey,
    PullRequest,
    SeedJob,
    Team,
    TeamMember,
)

#: Rows that the largest child table has for a pull request.
CHILDREN_PER_PULL_REQUEST = 10

#: Pull requests of a task: so few that one big organisation keeps every worker busy.
PULL_REQUESTS = 1_500

#: Members times days of a task, at most; and how many more rows than expected must still fit into a chunk.
MEMBER_DAYS, MARGIN = 100_000, 0.1

#: When a team that this package creates was founded.
FOUNDED = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)

MODELS = {model.__name__: model for model in APPLICATION}


def team(context: JobContext, _offset: int, _limit: int) -> Write:
    """Acquire the team, make sure that what it holds is of these inputs, and bring its members up to date."""
    database, slug = context.database, context.profile.organisation.slug
    options, people = context.options, context.people

    def write(results: Results) -> None:
        if options.clear:
            ledger.check_ownership(database, [slug], adopt=options.adopt, clear=True)
            if own := ledger.own_team(database, slug):
                ledger.clear_team(database, own)
        team = ledger.acquire_team(database, _team_values(context.profile), adopt=options.adopt)
        context.team = team
        started_over = ledger.must_start_over(team, context.input_spec)
        if started_over:
            ledger.start_over(database, team, context.input_spec)
        elif team.input_spec is None:
            ledger.set_input_spec(database, team, context.input_spec)
        SeedJob.update(
            empty_tables=_empty_tables(database, team.team_id),
            members=len(people),
            pull_requests=context.source.total,
            started_over=started_over,
        ).where(SeedJob.id == context.job_id).execute(database)
        context.write(TeamMember, {**people.columns, "updated_at": people.columns["created_at"]}, results)

    return write


_HAS_ROWS = PreparedStatement(
    lambda _database, value: peewee.Select(
        columns=[
            peewee.fn.EXISTS(model.select(model.id).where(model.team == value("team"))).alias(model.__name__)
            for model in APPLICATION
            if model is not Team
        ]
    )
)


def _empty_tables(database: peewee.Database, team_id: int) -> list[str]:
    """Return the names of the models of which a team has no row."""
    cursor = _HAS_ROWS(database, team=team_id)
    names = [name for name, *_ in cursor.description]
    return [name for name, has_rows in zip(names, cursor.fetchone(), strict=True) if not has_rows]


def _team_values(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.organisation.name,
        "slug": profile.organisation.slug,
        "created_at": FOUNDED,
        "updated_at": FOUNDED,
        "billing_details_last_changed": FOUNDED,
        "onboarding_complete": True,
        "onboarding_pipeline_status": "complete",
        "onboarding_pipeline_started_at": FOUNDED,
        "onboarding_pipeline_completed_at": FOUNDED,
        "background_llm_progress": 100,
        "background_sync_progress": 100,
        "copilot_status": "connected",
    }


def pull_request_ranges(context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield offsets and limits in the source's own order of pull requests."""
    largest = min(PULL_REQUESTS, max(1, context.rows_per_chunk // CHILDREN_PER_PULL_REQUEST))
    return _divide(context.source.places, largest)


def _divide(count: int, largest: int) -> Iterator[tuple[int, int]]:
    """Divide items into the fewest ranges of at most ``largest``, about as large as one another."""
    parts = -(-count // largest)
    ends = [count * part // parts for part in range(1, parts + 1)]
    for start, end in zip([0, *ends], ends, strict=False):
        yield start, end - start


def pull_requests(context: JobContext, offset: int, limit: int) -> Write:
    """Generate a range of pull requests, with all that belongs to them."""
    batch = joined(list(context.source.batches(offset, offset + limit)))
    tables = simulate(batch, context.people, context.profile)
    if not context.summaries_apart:
        tables["PullRequest"] |= metrics.summarise_columns(tables["PullRequest"], tables["PRFile"])
    if not context.source.shares_issues:
        tables["JiraIssue"] = issues(metrics.facts_from_columns(tables["PullRequest"]), context.profile)
    pull_requests = tables.pop("PullRequest")
    surveys, answers = tables.pop("PRSurvey"), tables.pop("PRSurveyReview")

    def write(results: Results) -> None:
        context.write(PullRequest, pull_requests, results)
        ids = _pull_request_ids(context, pull_requests)
        for name, columns in tables.items():
            if "pull_request" in columns:
                columns["pull_request"] = ids_of(columns["pull_request"], ids)
            context.write(MODELS[name], columns, results)
        surveys["pull_request"] = ids[surveys["pull_request"]]
        context.write(PRSurvey, surveys, results)
        answers["survey"] = _survey_ids(context, surveys["pull_request"])[answers["survey"]]
        context.write(MODELS["PRSurveyReview"], answers, results)

    return write


_PULL_REQUEST_IDS = PreparedStatement(
    lambda _database, value: PullRequest.select(PullRequest.github_pr_id, PullRequest.id).where(
        PullRequest.team == value("team"),
        PullRequest.github_repo == value("repository"),
        PullRequest.github_pr_id.between(value("first"), value("last")),
    )
)


def _pull_request_ids(context: JobContext, columns: Columns) -> npt.NDArray[np.int64]:
    """Return the ids of pull requests by repository and number: one range query for each repository."""
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


def _survey_ids(context: JobContext, pull_requests: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not len(pull_requests):
        return np.zeros(0, dtype=np.int64)
    ends = {"first": int(pull_requests.min()), "last": int(pull_requests.max())}
    return _look_up(_SURVEY_IDS(context.database, team=context.team.team_id, **ends), pull_requests)


def _look_up(pairs: Any, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    table = np.array(pairs.fetchall(), dtype=np.int64).reshape(-1, 2)
    table = table[np.argsort(table[:, 0])]
    return table[np.searchsorted(table[:, 0], keys), 1]


def usage_ranges(context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield offsets and limits of members, each of about as many rows as one statement writes."""
    days = context.profile.days
    profile = context.profile
    expected = expected_usage_rows(1, len(profile.workdays), profile.mean_adoption) * (1 + MARGIN)
    largest = max(1, int(min(context.rows_per_chunk / max(expected, 1), MEMBER_DAYS / len(days))))
    return _divide(len(context.people), largest)


def usage(context: JobContext, offset: int, limit: int) -> Write:
    """Generate the AI usage of a range of members in the order of their key, as the rows are sorted."""
    rows = ai_usage(context.people, context.in_key_order[offset : offset + limit], context.profile)
    return lambda results: context.write(AIUsageDaily, rows, results)
