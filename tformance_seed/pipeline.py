"""One organisation from source to metrics: the only place that knows the order.

team and members -> pull requests with all that hangs on them, AI usage -> summaries, Jira issues, Copilot
figures -> weekly metrics, reviewer pairs, insights. Summaries come with their pull requests where nobody
limits requests for them. Each stage is cut into tasks, each task is a transaction
that also enters it in the ledger; the tasks of a phase may be done side by side, by anybody.
"""

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import ledger, metrics
from tformance_seed.catalog.organisations import WORKED
from tformance_seed.catalog.profile import Profile
from tformance_seed.database import is_postgresql, transaction
from tformance_seed.ledger import Task
from tformance_seed.models import (
    APPLICATION,
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    DailyInsight,
    JiraIssue,
    PRSurvey,
    PullRequest,
    ReviewerCorrelation,
    SeedJob,
    SeedTeam,
    Team,
    TeamMember,
    WeeklyMetrics,
)
from tformance_seed.planning import Planned
from tformance_seed.simulate import simulate
from tformance_seed.simulate.copilot import editors, languages, seats
from tformance_seed.simulate.jira import issues
from tformance_seed.simulate.usage import ai_usage
from tformance_seed.sources.records import Columns, Members, open_ranges
from tformance_seed.statements import Statement
from tformance_seed.upsert import COPY_CHUNK, PORTABLE_CHUNK, Result, upsert

#: Rows that the largest child table has for a pull request.
CHILDREN_PER_PULL_REQUEST = 10

#: Places of a task: so few that one big organisation gives every worker something to do.
PULL_REQUESTS = 750

#: Members times days of a task, at most; and how many more rows than expected must still fit into a chunk.
MEMBER_DAYS, MARGIN = 100_000, 0.1

#: Pull requests that one request to a language model would tell of.
SUMMARIES = 500

#: When a team that this package makes was founded.
FOUNDED = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)

MODELS = {model.__name__: model for model in APPLICATION}

Results = dict[str, Result]
Write = Callable[[Results], None]


class Work:
    """What the tasks of one job share in a process: the plan, and what is looked up in the database once."""

    def __init__(self, database: peewee.Database, job: SeedJob, planned: Planned) -> None:
        self.database = database
        self.job_id = job.id
        self.summaries_apart = job.plan["summaries_apart"]
        self.profile = planned.profile
        self.source = planned.source
        self.options = planned.options
        self.recipe = planned.recipe()

    @cached_property
    def people(self) -> Members:
        """Everybody who can be an author or a reviewer."""
        return self.source.members()

    @cached_property
    def team(self) -> SeedTeam:
        """The team, from when its stage is done."""
        return ledger.own_team(self.profile.organisation.slug)

    @cached_property
    def member_ids(self) -> npt.NDArray[np.int64]:
        """The id of each of the people."""
        members = TeamMember.select(TeamMember.github_id, TeamMember.id)
        known = dict(members.where(TeamMember.team == self.team.team_id).tuples().iterator())
        ids = [known[key.decode()] for key in self.people.columns["github_id"].tolist()]
        return np.array(ids, dtype=np.int64)

    @cached_property
    def fresh(self) -> frozenset[str]:
        """Models of which the team had no row when the job began, so that nothing can conflict."""
        return frozenset(SeedJob.get_by_id(self.job_id).fresh)

    @property
    def rows_per_chunk(self) -> int:
        """Rows that one statement takes."""
        return self.options.chunk_size or (COPY_CHUNK if is_postgresql(self.database) else PORTABLE_CHUNK)

    def above(self, model: type[peewee.Model]) -> int:
        """The greatest id of a table's rows that were there before the team was the package's."""
        return ledger.watermark(self.team, model)

    def write(self, model: type[peewee.Model], columns: Columns, results: Results) -> None:
        """Upsert rows of a table of the team's; references are rows of the members and become ids."""
        rows = dict(columns)
        for name in rows.keys() & model._meta.fields.keys():
            parent = getattr(model._meta.fields[name], "rel_model", None)
            if parent is TeamMember:
                rows[name] = ids_of(rows[name], self.member_ids)
        count = len(next(iter(rows.values())))
        rows["team"] = np.full(count, self.team.team_id)
        table = model._meta.table_name
        result = upsert(model, rows, chunk_size=self.options.chunk_size, fresh=model.__name__ in self.fresh)
        results[table] = results.get(table, Result()) + result


@dataclass(frozen=True)
class Stage:
    """A stage of the order.

    ``queue`` says what its tasks do (see ``workers``); ``ranges`` cuts the stage into tasks when its phase
    begins; ``prepare`` makes a task's rows, outside of any transaction, and returns what writes them inside
    of one. ``alone``: nobody else may write to the organisation meanwhile.
    """

    phase: int
    queue: Callable[[Work], str]
    ranges: Callable[[Work], Iterator[tuple[int, int]]]
    prepare: Callable[[Work, int, int], Write]
    alone: bool = False


def perform(work: Work, task: Task) -> Results:
    """Do one task: one transaction, entered in the ledger by itself. Returns results by table.

    Raises:
      ledger.Stale: somebody else did it, or its job is over.
      SeedError: the source failed, or the team is not the package's own.
      peewee.DatabaseError: the database failed; nothing of the task was written.
    """
    stage = STAGES[task.key.stage]
    write = stage.prepare(work, task.key.start, task.stop)
    results: Results = {}
    with transaction(work.database):
        ledger.enter(task, alone=stage.alone)
        write(results)
        ledger.complete(task, results)
    return results


def phase(work: Work, number: int) -> ledger.Phase:
    """The tasks of a phase; None after the last one."""
    stages = [(name, stage) for name, stage in STAGES.items() if stage.phase == number]
    if not stages:
        return None
    return [(name, stage.queue(work), *places) for name, stage in stages for places in stage.ranges(work)]


def _once(_work: Work) -> Iterator[tuple[int, int]]:
    yield 0, 1


def _read(work: Work) -> str:
    return "sync" if work.source.waits else "compute"


def _compute(_work: Work) -> str:
    return "compute"


def _team(work: Work, _start: int, _stop: int) -> Write:
    """Take the team, see that what it holds is of these inputs, and bring its members up to date."""
    slug, options, people = work.profile.organisation.slug, work.options, work.people

    def write(results: Results) -> None:
        ledger.check_ownership(slug, adopt=options.adopt, clear=options.clear)
        if options.clear and (own := ledger.own_team(slug)):
            ledger.clear_team(own)
        team = ledger.take_team(_team_values(work.profile), adopt=options.adopt)
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


_HOLDINGS = Statement(
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


def ids_of(rows: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> np.ma.MaskedArray:
    """Ids of referenced rows; -1 becomes NULL."""
    none = rows < 0
    if not len(ids):
        return np.ma.MaskedArray(np.zeros(len(rows), dtype=np.int64), mask=True)
    return np.ma.MaskedArray(ids[np.where(none, 0, rows)], mask=none)


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


def _pull_request_ranges(work: Work) -> Iterator[tuple[int, int]]:
    size = min(PULL_REQUESTS, max(1, work.rows_per_chunk // CHILDREN_PER_PULL_REQUEST))
    return open_ranges(0, work.source.places, size, [])


def _pull_requests(work: Work, start: int, stop: int) -> Write:
    made = [simulate(batch, work.people, work.profile) for batch in work.source.batches(start, stop)]
    if not work.summaries_apart:
        for tables in made:
            tables["PullRequest"] |= metrics.told(tables["PullRequest"], tables["PRFile"])

    def write(results: Results) -> None:
        for tables in made:
            pull_requests = tables.pop("PullRequest")
            surveys, answers = tables.pop("PRSurvey"), tables.pop("PRSurveyReview")
            work.write(PullRequest, pull_requests, results)
            ids = _pull_request_ids(work, pull_requests)
            for name, columns in tables.items():
                columns["pull_request"] = ids_of(columns["pull_request"], ids)
                work.write(MODELS[name], columns, results)
            surveys["pull_request"] = ids[surveys["pull_request"]]
            work.write(PRSurvey, surveys, results)
            answers["survey"] = _survey_ids(work, surveys["pull_request"])[answers["survey"]]
            work.write(MODELS["PRSurveyReview"], answers, results)

    return write


def _pull_request_ids(work: Work, columns: Columns) -> npt.NDArray[np.int64]:
    """Ids of pull requests by repository and number: one range query for each repository."""
    ids = np.zeros(len(columns["github_pr_id"]), dtype=np.int64)
    for repository in np.unique(columns["github_repo"]):
        rows = np.flatnonzero(columns["github_repo"] == repository)
        numbers = columns["github_pr_id"][rows]
        found = (
            PullRequest.select(PullRequest.github_pr_id, PullRequest.id)
            .where(
                PullRequest.team == work.team.team_id,
                PullRequest.github_repo == repository.decode(),
                PullRequest.github_pr_id.between(int(numbers.min()), int(numbers.max())),
            )
            .tuples()
        )
        ids[rows] = _look_up(found, numbers)
    return ids


def _survey_ids(work: Work, pull_requests: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not len(pull_requests):
        return np.zeros(0, dtype=np.int64)
    found = (
        PRSurvey.select(PRSurvey.pull_request, PRSurvey.id)
        .where(
            PRSurvey.team == work.team.team_id,
            PRSurvey.pull_request.between(int(pull_requests.min()), int(pull_requests.max())),
        )
        .tuples()
    )
    return _look_up(found, pull_requests)


def _look_up(pairs: Any, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    table = np.array(list(pairs.iterator()), dtype=np.int64).reshape(-1, 2)
    table = table[np.argsort(table[:, 0])]
    return table[np.searchsorted(table[:, 0], keys), 1]


def _ai_usage_ranges(work: Work) -> Iterator[tuple[int, int]]:
    days = work.profile.days
    expected = WORKED * np.sum(work.profile.adoption_at(days) * np.is_busday(days)) * (1 + MARGIN)
    size = min(work.rows_per_chunk / max(expected, 1), MEMBER_DAYS / len(days))
    return open_ranges(0, len(work.people), max(1, int(size)), [])


def _ai_usage(work: Work, start: int, stop: int) -> Write:
    rows = ai_usage(work.people, slice(start, stop), work.profile)
    return lambda results: work.write(AIUsageDaily, rows, results)


def _summary_ranges(work: Work) -> Iterator[tuple[int, int]]:
    """Ranges of ids of the window's pull requests, or where they came with summaries, of those without."""
    window = _window(work.profile) if work.summaries_apart else None
    ids = metrics.pull_request_ids(work.team.team_id, window, work.above(PullRequest))
    for start in range(0, len(ids), SUMMARIES):
        part = ids[start : start + SUMMARIES]
        yield part[0], part[-1] + 1


def _summaries(work: Work, start: int, stop: int) -> Write:
    window = _window(work.profile)

    def compute(work: Work, above: int) -> tuple[int, int]:
        return metrics.summarise(work.database, work.team.team_id, max(start, above + 1), stop, window)

    return _computed(PullRequest, compute, ".llm_summary")(work, start, stop)


def _window(profile: Profile) -> tuple[datetime.datetime, datetime.datetime]:
    """The first moment of a window, and the first one after it."""
    midnight = datetime.time(tzinfo=datetime.UTC)
    day = datetime.timedelta(days=1)
    return datetime.datetime.combine(profile.since, midnight), datetime.datetime.combine(
        profile.until + day, midnight
    )


def _jira(work: Work, _start: int, _stop: int) -> Write:
    """Issues are what all pull requests with their key say, whichever task or run brought those."""

    def write(results: Results) -> None:
        facts = metrics.issue_facts(
            work.team.team_id, work.member_ids, work.rows_per_chunk, work.above(PullRequest)
        )
        for part in facts:
            work.write(JiraIssue, issues(part, work.profile), results)

    return write


def _copilot(work: Work, _start: int, _stop: int) -> Write:
    """A team's Copilot figures, summed in the database from its members' days."""

    def write(results: Results) -> None:
        shown = peewee.fn.SUM(AIUsageDaily.suggestions_shown)
        accepted = peewee.fn.SUM(AIUsageDaily.suggestions_accepted)
        query = (
            AIUsageDaily.select(AIUsageDaily.date, peewee.fn.COUNT(AIUsageDaily.id), shown, accepted)
            .where(
                AIUsageDaily.team == work.team.team_id,
                AIUsageDaily.source == "copilot",
                AIUsageDaily.date.between(work.profile.since, work.profile.until),
            )
            .group_by(AIUsageDaily.date)
            .order_by(AIUsageDaily.date)
            .tuples()
        )
        days = list(query)
        daily = {
            "date": np.array([day[0] for day in days], "M8[D]"),
            "active": np.array([day[1] for day in days], dtype=np.int64),
            "shown": np.array([int(day[2]) for day in days], dtype=np.int64),
            "accepted": np.array([int(day[3]) for day in days], dtype=np.int64),
        }
        headcount = work.people.count_at(daily["date"])
        work.write(CopilotSeatSnapshot, seats(daily, headcount, work.profile), results)
        work.write(CopilotLanguageDaily, languages(daily, work.profile), results)
        work.write(CopilotEditorDaily, editors(daily, work.profile), results)

    return write


def _computed(
    model: type[peewee.Model], compute: Callable[[Work, int], tuple[int, int]], part: str = ""
) -> Callable[[Work, int, int], Write]:
    """A stage that brings a table, or a part of its columns, up to date from what the database holds."""

    def prepare(work: Work, _start: int, _stop: int) -> Write:
        def write(results: Results) -> None:
            began = time.perf_counter()
            written, unchanged = compute(work, work.above(model))
            seconds = time.perf_counter() - began
            results[model._meta.table_name + part] = Result(written, unchanged, seconds)

        return write

    return prepare


def _without_nested_loops(work: Work) -> None:
    """Statistics know nothing yet of a team or a table that has just been filled: the planner takes it for a
    row or two, and would join thousands by nested loops. Without those its guesses do no harm.
    """
    if is_postgresql(work.database):
        setting = peewee.fn.set_config("enable_nestloop", "off", True)  # until the transaction ends
        work.database.execute(peewee.Select(columns=[setting]))


def _weekly(work: Work, above: int) -> tuple[int, int]:
    """Of all that the team has: commits of a pull request in the window may lie in weeks before it."""
    _without_nested_loops(work)
    team_id, profile = work.team.team_id, work.profile
    first, last = metrics.extent(team_id) or (profile.since, profile.until)
    return metrics.weekly_metrics(work.database, team_id, first, last, above)


def _reviewers(work: Work, above: int) -> tuple[int, int]:
    _without_nested_loops(work)
    return metrics.reviewer_pairs(work.database, work.team.team_id, above)


def _insights(work: Work, above: int) -> tuple[int, int]:
    _without_nested_loops(work)
    profile = work.profile
    return metrics.insights(work.database, work.team.team_id, profile.organisation.name, profile.until, above)


#: The order of work: stages of one phase do not depend on each other.
STAGES = {
    "team": Stage(0, lambda _work: "sync", _once, _team, alone=True),
    "pull_requests": Stage(1, _read, _pull_request_ranges, _pull_requests),
    "ai_usage": Stage(1, _compute, _ai_usage_ranges, _ai_usage),
    "summaries": Stage(2, lambda _work: "llm", _summary_ranges, _summaries),
    "jira": Stage(2, _compute, _once, _jira),
    "copilot": Stage(2, _compute, _once, _copilot),
    "weekly": Stage(3, _compute, _once, _computed(WeeklyMetrics, _weekly)),
    "reviewers": Stage(3, _compute, _once, _computed(ReviewerCorrelation, _reviewers)),
    "insights": Stage(3, _compute, _once, _computed(DailyInsight, _insights)),
}
