"""One organisation from source to metrics: the only place that knows the order.

members -> pull requests with all that hangs on them -> Jira issues -> AI usage -> Copilot figures -> weekly
metrics, reviewer pairs, insights. Every piece of work is one transaction that also enters it in the ledger.
"""

import dataclasses
import datetime
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import ledger, metrics
from tformance_seed.catalog.profile import Profile
from tformance_seed.database import is_postgresql, organisation_lock, transaction
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
    SeedRun,
    SeedTeam,
    Team,
    TeamMember,
    WeeklyMetrics,
)
from tformance_seed.models.fields import json_text
from tformance_seed.simulate import simulate
from tformance_seed.simulate.copilot import editors, languages, seats
from tformance_seed.simulate.jira import issues
from tformance_seed.simulate.usage import ai_usage
from tformance_seed.sources.records import Columns, Members, Source, open_ranges
from tformance_seed.upsert import COPY_CHUNK, PORTABLE_CHUNK, Result, upsert

#: Rows that the largest child table has for a pull request; a batch is that much smaller than a chunk.
CHILDREN_PER_PULL_REQUEST = 10

#: When a team that this package makes was founded.
FOUNDED = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)

MODELS = {model.__name__: model for model in APPLICATION}

#: Reads (stage, places done, places in all) whenever a piece of work is done.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """How to write, none of which changes what is written."""

    chunk_size: int | None = None
    adopt: bool = False
    clear: bool = False
    wait: bool = False


@dataclass
class Report:
    """What happened to one organisation."""

    organisation: str
    since: datetime.date
    until: datetime.date
    members: int = 0
    pull_requests: int = 0
    started_over: bool = False
    resumed: bool = False
    seconds: float = 0.0
    tables: dict[str, Result] = field(default_factory=dict)


def recipe(profile: Profile, source: Source) -> dict[str, Any]:
    """Every input but the window: with another one, an organisation's content is another."""
    values = {
        "source": source.name,
        "seed": profile.seed,
        "organisation": dataclasses.asdict(profile.organisation),
        "adoption": profile.adoption if profile.adoption_given else None,
        "version": ledger.DATA_VERSION,
        **source.inputs,
    }
    if profile.scenario is not None:  # its story is told from the window's first day on
        values |= {"scenario": profile.scenario.name, "since": profile.since.isoformat()}
    return json.loads(json_text(values))  # as the ledger gives it back


def seed(
    database: peewee.Database,
    run: SeedRun,
    profile: Profile,
    source: Source,
    options: Options,
    progress: Progress = lambda *_: None,
) -> Report:
    """Bring one organisation into the state that its profile and source describe.

    Raises:
      SeedError: another run holds the organisation, or its team is not the package's own.
      peewee.DatabaseError: the database failed; what was committed stays, and running again goes on there.
    """
    began = time.perf_counter()
    with organisation_lock(database, profile.organisation.slug, wait=options.wait) as check_lock:
        work = _Work(database, run, profile, source, options, progress, check_lock)
        for stage in STAGES:
            stage(work)
        work.job.finish()
    work.report.seconds = time.perf_counter() - began
    return work.report


def starts_over(team: SeedTeam | None, new: dict[str, Any]) -> bool:
    """Whether a team holds rows of other inputs, which would mix with these."""
    return team is not None and team.recipe is not None and team.recipe != new


class _Work:
    """One organisation in hand: what the stages share."""

    people: Members
    member_ids: npt.NDArray[np.int64]  #: of each of the people

    def __init__(
        self,
        database: peewee.Database,
        run: SeedRun,
        profile: Profile,
        source: Source,
        options: Options,
        progress: Progress,
        check_lock: Callable[[], None],
    ) -> None:
        self.database = database
        self.profile = profile
        self.source = source
        self.chunk_size = options.chunk_size
        self.progress = progress
        self.check_lock = check_lock
        self.report = Report(profile.organisation.slug, profile.since, profile.until)
        inputs = recipe(profile, source)
        self.team = self._take_team(options, inputs)
        self.team_id: int = self.team.team_id
        identity = ledger.identity(inputs, str(profile.since), str(profile.until), source.fingerprint)
        self.job = ledger.open_job(run, self.team.slug, identity, profile.since, profile.until)
        self.report.resumed = self.job.resumed
        #: By model: nothing of the team is there, so nothing can conflict.
        self.fresh = {
            model.__name__: not model.select().where(model.team == self.team_id).exists()
            for model in APPLICATION
            if model is not Team
        }

    def _take_team(self, options: Options, inputs: dict[str, Any]) -> SeedTeam:
        slug = self.profile.organisation.slug
        ledger.check_ownership(slug, adopt=options.adopt, clear=options.clear)
        if options.clear and (own := ledger.own_team(slug)):
            ledger.clear_team(own)
        team = ledger.take_team(_team_values(self.profile), adopt=options.adopt)
        if starts_over(team, inputs):
            ledger.start_over(team, inputs)
            self.report.started_over = True
        elif team.recipe is None:
            ledger.set_recipe(team, inputs)
        return team

    @property
    def rows_per_chunk(self) -> int:
        """Rows that one statement takes."""
        return self.chunk_size or (COPY_CHUNK if is_postgresql(self.database) else PORTABLE_CHUNK)

    @contextmanager
    def piece(self, stage: str, start: int, stop: int) -> Iterator[dict[str, Result]]:
        """A piece of work: one transaction, entered in the ledger by itself."""
        results: dict[str, Result] = {}
        self.check_lock()
        with transaction(self.database):
            yield results
            self.job.record(stage, start, stop, results)
        for name, result in results.items():
            self.report.tables[name] = self.report.tables.get(name, Result()) + result

    def pieces(self, stage: str, total: int, size: int) -> Iterator[tuple[int, int]]:
        """The ranges of a stage that are not done yet."""
        return open_ranges(0, total, size, self.job.done(stage))

    def write(self, model: type[peewee.Model], columns: Columns, results: dict[str, Result]) -> None:
        """Upsert rows of a table of the team's; references are rows of the members and become ids."""
        rows = dict(columns)
        for name in rows.keys() & model._meta.fields.keys():
            parent = getattr(model._meta.fields[name], "rel_model", None)
            if parent is TeamMember:
                rows[name] = ids_of(rows[name], self.member_ids)
        count = len(next(iter(rows.values())))
        rows["team"] = np.full(count, self.team_id)
        table = model._meta.table_name
        result = upsert(model, rows, chunk_size=self.chunk_size, fresh=self.fresh[model.__name__])
        results[table] = results.get(table, Result()) + result


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


def _members(work: _Work) -> None:
    people = work.people = work.source.members()
    work.report.members = len(people)
    work.member_ids = np.zeros(0, dtype=np.int64)
    for start, stop in work.pieces("members", 1, 1):
        with work.piece("members", start, stop) as results:
            work.write(TeamMember, {**people.columns, "updated_at": people.columns["created_at"]}, results)
    known = (
        TeamMember.select(TeamMember.github_id, TeamMember.id).where(TeamMember.team == work.team_id).tuples()
    )
    by_key = dict(known.iterator())
    ids = [by_key[key.decode()] for key in people.columns["github_id"].tolist()]
    work.member_ids = np.array(ids, dtype=np.int64)


def _pull_requests(work: _Work) -> None:
    size = max(1, work.rows_per_chunk // CHILDREN_PER_PULL_REQUEST)
    work.report.pull_requests = work.source.total
    done = work.job.done("pull_requests")
    finished = sum(stop - start for start, stop in done)
    for batch in work.source.batches(size, done):
        tables = simulate(batch, work.people, work.profile)
        with work.piece("pull_requests", batch.start, batch.stop) as results:
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
        finished += batch.stop - batch.start
        work.progress("pull requests", finished, work.source.places)


def _pull_request_ids(work: _Work, columns: Columns) -> npt.NDArray[np.int64]:
    """Ids of pull requests by repository and number: one range query for each repository."""
    ids = np.zeros(len(columns["github_pr_id"]), dtype=np.int64)
    for repository in np.unique(columns["github_repo"]):
        rows = np.flatnonzero(columns["github_repo"] == repository)
        numbers = columns["github_pr_id"][rows]
        found = (
            PullRequest.select(PullRequest.github_pr_id, PullRequest.id)
            .where(
                PullRequest.team == work.team_id,
                PullRequest.github_repo == repository.decode(),
                PullRequest.github_pr_id.between(int(numbers.min()), int(numbers.max())),
            )
            .tuples()
        )
        ids[rows] = _look_up(found, numbers)
    return ids


def _survey_ids(work: _Work, pull_requests: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not len(pull_requests):
        return np.zeros(0, dtype=np.int64)
    found = (
        PRSurvey.select(PRSurvey.pull_request, PRSurvey.id)
        .where(
            PRSurvey.team == work.team_id,
            PRSurvey.pull_request.between(int(pull_requests.min()), int(pull_requests.max())),
        )
        .tuples()
    )
    return _look_up(found, pull_requests)


def _look_up(pairs: Any, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    table = np.array(list(pairs.iterator()), dtype=np.int64).reshape(-1, 2)
    table = table[np.argsort(table[:, 0])]
    return table[np.searchsorted(table[:, 0], keys), 1]


def _jira(work: _Work) -> None:
    """Issues are what all pull requests with their key say, whichever batch or run brought those."""
    for start, stop in work.pieces("jira", 1, 1):
        with work.piece("jira", start, stop) as results:
            above = ledger.watermark(work.team, PullRequest)
            for facts in metrics.issue_facts(work.team_id, work.member_ids, work.rows_per_chunk, above):
                work.write(JiraIssue, issues(facts, work.profile), results)
    work.progress("Jira issues", 1, 1)


def _ai_usage(work: _Work) -> None:
    total = len(work.people)
    size = max(1, work.rows_per_chunk // max(1, len(work.profile.days)))
    for start, stop in work.pieces("ai_usage", total, size):
        with work.piece("ai_usage", start, stop) as results:
            work.write(AIUsageDaily, ai_usage(work.people, slice(start, stop), work.profile), results)
        work.progress("AI usage", stop, total)


def _copilot(work: _Work) -> None:
    """A team's Copilot figures, summed in the database from its members' days."""
    for start, stop in work.pieces("copilot", 1, 1):
        with work.piece("copilot", start, stop) as results:
            shown = peewee.fn.SUM(AIUsageDaily.suggestions_shown)
            accepted = peewee.fn.SUM(AIUsageDaily.suggestions_accepted)
            query = (
                AIUsageDaily.select(AIUsageDaily.date, peewee.fn.COUNT(AIUsageDaily.id), shown, accepted)
                .where(
                    AIUsageDaily.team == work.team_id,
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
            work.write(
                CopilotSeatSnapshot, seats(daily, work.people.count_at(daily["date"]), work.profile), results
            )
            work.write(CopilotLanguageDaily, languages(daily, work.profile), results)
            work.write(CopilotEditorDaily, editors(daily, work.profile), results)


def _statistics(work: _Work) -> None:
    """Let PostgreSQL look at tables it has never seen, whose sizes it would guess far too small."""
    if is_postgresql(work.database):
        names = [model._meta.table_name for model in APPLICATION]
        unseen = "SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[]) AND reltuples < 0"
        for (name,) in work.database.execute_sql(unseen, (names,)).fetchall():
            work.database.execute_sql(f'ANALYZE "{name}"')


def _aggregates(work: _Work) -> None:
    """Of all that the team has: commits of a pull request in the window may lie in weeks before it."""
    profile = work.profile

    def above(model: type[peewee.Model]) -> int:
        return ledger.watermark(work.team, model)

    first, last = metrics.extent(work.team_id) or (profile.since, profile.until)
    aggregates: dict[type[peewee.Model], Callable[[], tuple[int, int]]] = {
        WeeklyMetrics: lambda: metrics.weekly_metrics(
            work.database, work.team_id, first, last, above(WeeklyMetrics)
        ),
        ReviewerCorrelation: lambda: metrics.reviewer_pairs(
            work.database, work.team_id, above(ReviewerCorrelation)
        ),
        DailyInsight: lambda: metrics.insights(
            work.database, work.team_id, profile.organisation.name, profile.until, above(DailyInsight)
        ),
    }
    for place, (model, compute) in enumerate(aggregates.items()):
        for start, stop in work.pieces(f"aggregates/{place}", 1, 1):
            with work.piece(f"aggregates/{place}", start, stop) as results:
                began = time.perf_counter()
                written, unchanged = compute()
                results[model._meta.table_name] = Result(written, unchanged, time.perf_counter() - began)
        work.progress("metrics", place + 1, len(aggregates))


#: The order of work.
STAGES = (_members, _pull_requests, _statistics, _jira, _ai_usage, _copilot, _aggregates)
