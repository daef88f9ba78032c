"""Stages that derive rows from data in the database: summaries, issues, metrics, insights."""

import datetime
import time
from collections.abc import Callable, Iterator

import numpy as np
import peewee

from tformance_seed import ledger, metrics
from tformance_seed.bulk import Result
from tformance_seed.bulk.conditional_update import update_where_different
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, table_name
from tformance_seed.catalog.profile import Profile
from tformance_seed.pipeline import model_summaries
from tformance_seed.pipeline.job_context import JobContext, Results, Write
from tformance_seed.simulate.copilot import copilot_users, editors, languages, seats
from tformance_seed.simulate.jira import issues
from tformance_seed.sources.request import MIN_DAY
from tformance_seed.storage.models import (
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    DailyInsight,
    JiraIssue,
    PullRequest,
    ReviewerCorrelation,
    Team,
    TeamMember,
    WeeklyMetrics,
)

#: Pull requests per task whose summaries are generated, and which a language model is asked about one by one:
#: few enough that all threads have something to ask, and that a slow model answers within a task's time.
GENERATED, ASKED_FOR = 500, 5


def summary_queue(context: JobContext) -> str:
    """Return the queue for summaries."""
    return "compute" if context.options.model is None else "llm"


def summary_ranges(context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield ranges of ids of the pull requests to summarise.

    These are the pull requests without a current summary and, unless summaries are written with their pull
    requests, all in the window.
    """
    is_generated = context.options.model is None
    window, size = (None, GENERATED) if is_generated else (_window(context.profile), ASKED_FOR)
    max_id = context.adopted_max_id(PullRequest)
    ids = metrics.pull_requests_to_summarise(context.database, context.team.team_id, window, max_id)
    for first in range(0, len(ids), size):
        part = ids[first : first + size]
        yield part[0], part[-1] + 1 - part[0]


def ask_for_summaries(context: JobContext, task: ledger.Task) -> None:
    """Ask a language model, if one was chosen, for the summaries of the pull requests in a range of ids."""
    first = max(task.key.offset, context.adopted_max_id(PullRequest) + 1)
    stop = task.key.offset + task.limit
    model_summaries.ask_for_summaries(context, task, first, stop, _window(context.profile))


def summaries(context: JobContext, offset: int, limit: int) -> Write:
    """Write the summaries of the pull requests in a range of ids; generate those that no model wrote."""
    window = _window(context.profile)

    def compute(context: JobContext, adopted_max_id: int) -> tuple[int, int]:
        first, stop = max(offset, adopted_max_id + 1), offset + limit
        answers = model_summaries.model_summaries(context, first, stop, window)
        return metrics.refresh_summaries(context.database, context.team.team_id, first, stop, window, answers)

    return _computed(PullRequest, compute, ".llm_summary")(context, offset, limit)


def _window(profile: Profile) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the start of a window, and its end, which is not part of it.

    If pull requests are counted back from the end, the first of them may have ended before the start.
    """
    midnight = datetime.time(tzinfo=datetime.UTC)
    day = datetime.timedelta(days=1)
    since = profile.since if profile.prs is None else MIN_DAY
    return datetime.datetime.combine(since, midnight), datetime.datetime.combine(
        profile.until + day, midnight
    )


def jira_ranges(context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield one range for all issues, unless they are written with their pull requests."""
    if context.source.shares_issues:
        yield 0, 1


def jira(context: JobContext, _offset: int, _limit: int) -> Write:
    """Derive each issue from all pull requests with its key, whichever task or run wrote them."""

    def write(results: Results) -> None:
        facts = metrics.issue_facts(
            context.database,
            context.team.team_id,
            context.member_ids,
            context.rows_per_chunk,
            context.adopted_max_id(PullRequest),
        )
        for part in facts:
            context.write(JiraIssue, issues(part, context.profile), results)

    return write


def _copilot(context: JobContext, _offset: int, _limit: int) -> Write:
    """Add up a team's Copilot figures in the database from its members' daily usage.

    The team's Copilot counts as connected if there are any figures.
    """

    def write(results: Results) -> None:
        shown = peewee.fn.SUM(AIUsageDaily.suggestions_shown)
        accepted = peewee.fn.SUM(AIUsageDaily.suggestions_accepted)
        team_id, editor = context.team.team_id, TeamMember.copilot_last_editor
        query = (
            AIUsageDaily.select(AIUsageDaily.date, editor, peewee.fn.COUNT(AIUsageDaily.id), shown, accepted)
            .join(TeamMember, on=AIUsageDaily.member == TeamMember.id)
            .where(
                AIUsageDaily.team == team_id,
                TeamMember.team == team_id,  # otherwise the server would read the members of all teams
                AIUsageDaily.source == "copilot",
                AIUsageDaily.date.between(context.profile.since, context.profile.until),
            )
            .group_by(AIUsageDaily.date, editor)
            .tuples()
        )
        rows = list(query.execute(context.database))
        by_editor = {
            "date": np.array([row[0] for row in rows], "M8[D]"),
            "editor": np.array([(row[1] or "").encode() for row in rows], dtype="S"),
            **{
                name: np.array([int(row[place]) for row in rows], dtype=np.int64)
                for place, name in enumerate(("active", "shown", "accepted"), start=2)
            },
        }
        date, day = np.unique(by_editor["date"], return_inverse=True)
        daily = {"date": date} | {
            name: np.bincount(day, weights=by_editor[name], minlength=len(date)).astype(np.int64)
            for name in ("active", "shown", "accepted")
        }
        users = copilot_users(context.people, date, context.profile)
        context.write(CopilotSeatSnapshot, seats(daily, users, context.profile), results)
        context.write(CopilotLanguageDaily, languages(daily, context.profile), results)
        context.write(CopilotEditorDaily, editors(by_editor), results)
        if context.team.created_here:
            _connect_copilot(context.database, team_id)

    return write


def _connect_copilot(database: peewee.Database, team_id: int) -> None:
    """Say in the team's row whether there are Copilot figures, and when they were synchronised last."""
    snapshots = CopilotSeatSnapshot.select(peewee.fn.MAX(CopilotSeatSnapshot.synced_at))
    last = snapshots.where(CopilotSeatSnapshot.team == team_id).scalar(database)
    status = "disabled" if last is None else "connected"
    new = {Team.copilot_status: status, Team.copilot_last_sync_at: last}
    update_where_different(database, Team, new).where(Team.id == team_id).execute(database)


def _computed(
    model: type[peewee.Model], compute: Callable[[JobContext, int], tuple[int, int]], part: str = ""
) -> Callable[[JobContext, int, int], Write]:
    """Return a ``prepare`` function that updates a table, or some of its columns, with a computation.

    The computation receives the context and the greatest id before adoption, and returns the numbers of rows
    written and unchanged.
    """

    def prepare(context: JobContext, _offset: int, _limit: int) -> Write:
        def write(results: Results) -> None:
            began = time.perf_counter()
            written, unchanged = compute(context, context.adopted_max_id(model))
            seconds = time.perf_counter() - began
            results[table_name(model) + part] = Result(written, unchanged, seconds)

        return write

    return prepare


def _disable_nested_loops(context: JobContext) -> None:
    """Prevent the planner from using nested loops until the transaction ends.

    Statistics do not yet reflect a team or a table that has just been filled: the planner would expect only
    one or two rows, and join thousands by nested loops.
    """
    if is_postgresql(context.database):
        execute_sql(context.database, "SET LOCAL enable_nestloop = off")


def _weekly(context: JobContext, adopted_max_id: int) -> tuple[int, int]:
    """Compute all weeks in which the team has data: commits may be in weeks before the window."""
    _disable_nested_loops(context)
    team_id, profile = context.team.team_id, context.profile
    first, last = metrics.data_extent(context.database, team_id) or (profile.since, profile.until)
    return metrics.refresh_weekly(context.database, team_id, first, last, adopted_max_id)


def _reviewers(context: JobContext, adopted_max_id: int) -> tuple[int, int]:
    return metrics.refresh_reviewer_pairs(context.database, context.team.team_id, adopted_max_id)


def _insights(context: JobContext, _adopted_max_id: int) -> tuple[int, int]:
    return metrics.refresh_insights(context.database, context.team.team_id, context.profile.until)


weekly = _computed(WeeklyMetrics, _weekly)
_COPILOT_AND_INSIGHTS = (
    _copilot,
    _computed(ReviewerCorrelation, _reviewers),
    _computed(DailyInsight, _insights),
)


def copilot_and_insights(context: JobContext, offset: int, limit: int) -> Write:
    """Update Copilot figures, reviewer pairs and insights: together about as much work as ``weekly``."""
    parts = [prepare(context, offset, limit) for prepare in _COPILOT_AND_INSIGHTS]

    def write(results: Results) -> None:
        _disable_nested_loops(context)
        for part in parts:
            part(results)

    return write
