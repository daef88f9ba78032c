"""The stages that bring rows: a team with its members, pull requests with what hangs on them, AI usage."""

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

#: Places of a task: so few that one big organisation gives every worker something to do.
PULL_REQUESTS = 1_500

#: Members times days of a task, at most; and how many more rows than expected must still fit into a chunk.
MEMBER_DAYS, MARGIN = 100_000, 0.1

#: When a team that this package makes was founded.
FOUNDED = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)

MODELS = {model.__name__: model for model in APPLICATION}


def team(work: JobContext, _start: int, _stop: int) -> Write:
    """Take the team, see that what it holds is of these inputs, and bring its members up to date."""
    slug, options, people = work.profile.organisation.slug, work.options, work.people

    def write(results: Results) -> None:
        if options.clear:
            ledger.check_ownership([slug], adopt=options.adopt, clear=True)
            if own := ledger.own_team(slug):
                ledger.clear_team(own)
        work.team = team = ledger.take_team(_team_values(work.profile), adopt=options.adopt)
        over = ledger.starts_over(team, work.recipe)
        if over:
            ledger.start_over(team, work.recipe)
        elif team.recipe is None:
            ledger.set_recipe(team, work.recipe)
        SeedJob.update(
            fresh=_empty(work.database, team.team_id),
            members=len(people),
            pull_requests=work.source.total,
            started_over=over,
        ).where(SeedJob.id == work.job_id).execute()
        work.write(TeamMember, {**people.columns, "updated_at": people.columns["created_at"]}, results)

    return write


_HOLDINGS = PreparedStatement(
    lambda _database, value: peewee.Select(
        columns=[
            peewee.fn.EXISTS(model.select(model.id).where(model.team == value("team"))).alias(model.__name__)
            for model in APPLICATION
            if model is not Team
        ]
    )
)


def _empty(database: peewee.Database, team_id: int) -> list[str]:
    """The models of which a team has no row."""
    cursor = _HOLDINGS(database, team=team_id)
    return [name for (name, *_), held in zip(cursor.description, cursor.fetchone(), strict=True) if not held]


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


def pull_request_ranges(work: JobContext) -> Iterator[tuple[int, int]]:
    """Ranges of places in the source's own order."""
    most = min(PULL_REQUESTS, max(1, work.rows_per_chunk // CHILDREN_PER_PULL_REQUEST))
    return _parts(work.source.places, most)


def _parts(places: int, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of at most so many places; they are as few as can be, and about as large as one another."""
    parts = -(-places // most)
    ends = [places * part // parts for part in range(1, parts + 1)]
    return zip([0, *ends], ends, strict=False)


def pull_requests(work: JobContext, start: int, stop: int) -> Write:
    """Pull requests of a range of places, with all that hangs on them."""
    batch = joined(list(work.source.batches(start, stop)))
    tables = simulate(batch, work.people, work.profile)
    if not work.summaries_apart:
        tables["PullRequest"] |= metrics.told(tables["PullRequest"], tables["PRFile"])
    if not work.source.shares_issues:
        tables["JiraIssue"] = issues(metrics.told_facts(tables["PullRequest"]), work.profile)
    pull_requests = tables.pop("PullRequest")
    surveys, answers = tables.pop("PRSurvey"), tables.pop("PRSurveyReview")

    def write(results: Results) -> None:
        work.write(PullRequest, pull_requests, results)
        ids = _pull_request_ids(work, pull_requests)
        for name, columns in tables.items():
            if "pull_request" in columns:
                columns["pull_request"] = ids_of(columns["pull_request"], ids)
            work.write(MODELS[name], columns, results)
        surveys["pull_request"] = ids[surveys["pull_request"]]
        work.write(PRSurvey, surveys, results)
        answers["survey"] = _survey_ids(work, surveys["pull_request"])[answers["survey"]]
        work.write(MODELS["PRSurveyReview"], answers, results)

    return write


_PULL_REQUEST_IDS = PreparedStatement(
    lambda _database, value: PullRequest.select(PullRequest.github_pr_id, PullRequest.id).where(
        PullRequest.team == value("team"),
        PullRequest.github_repo == value("repository"),
        PullRequest.github_pr_id.between(value("first"), value("last")),
    )
)


def _pull_request_ids(work: JobContext, columns: Columns) -> npt.NDArray[np.int64]:
    """Ids of pull requests by repository and number: one range query for each repository."""
    ids = np.zeros(len(columns["github_pr_id"]), dtype=np.int64)
    for repository in np.unique(columns["github_repo"]):
        rows = np.flatnonzero(columns["github_repo"] == repository)
        numbers = columns["github_pr_id"][rows]
        ends = {"first": int(numbers.min()), "last": int(numbers.max())}
        team_id = work.team.team_id
        found = _PULL_REQUEST_IDS(work.database, team=team_id, repository=repository.decode(), **ends)
        ids[rows] = _look_up(found, numbers)
    return ids


_SURVEY_IDS = PreparedStatement(
    lambda _database, value: PRSurvey.select(PRSurvey.pull_request, PRSurvey.id).where(
        PRSurvey.team == value("team"), PRSurvey.pull_request.between(value("first"), value("last"))
    )
)


def _survey_ids(work: JobContext, pull_requests: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not len(pull_requests):
        return np.zeros(0, dtype=np.int64)
    ends = {"first": int(pull_requests.min()), "last": int(pull_requests.max())}
    return _look_up(_SURVEY_IDS(work.database, team=work.team.team_id, **ends), pull_requests)


def _look_up(pairs: Any, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    table = np.array(pairs.fetchall(), dtype=np.int64).reshape(-1, 2)
    table = table[np.argsort(table[:, 0])]
    return table[np.searchsorted(table[:, 0], keys), 1]


def usage_ranges(work: JobContext) -> Iterator[tuple[int, int]]:
    """Ranges of members, each of about as many rows as one statement takes."""
    days = work.profile.days
    expected = expected_usage_rows(1, len(work.profile.workdays), work.profile.mean_adoption) * (1 + MARGIN)
    most = max(1, int(min(work.rows_per_chunk / max(expected, 1), MEMBER_DAYS / len(days))))
    return _parts(len(work.people), most)


def usage(work: JobContext, start: int, stop: int) -> Write:
    """AI usage of a range of members in the order of their key, which is that of the rows' own key, too."""
    rows = ai_usage(work.people, work.in_key_order[start:stop], work.profile)
    return lambda results: work.write(AIUsageDaily, rows, results)
