"""The stages that tell what others have brought, from what the database holds."""

import datetime
import time
from collections.abc import Callable, Iterator

import numpy as np
import peewee

from tformance_seed import metrics
from tformance_seed.bulk import Result
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.catalog.profile import Profile
from tformance_seed.pipeline.job_context import JobContext, Results, Write
from tformance_seed.simulate.copilot import editors, languages, seats
from tformance_seed.simulate.jira import issues
from tformance_seed.storage.models import (
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    DailyInsight,
    JiraIssue,
    PullRequest,
    ReviewerCorrelation,
    WeeklyMetrics,
)

#: Pull requests that one request to a language model would tell of.
SUMMARIES = 500


def summary_ranges(work: JobContext) -> Iterator[tuple[int, int]]:
    """Ranges of ids of the window's pull requests, or where they came with summaries, of those without."""
    window = _window(work.profile) if work.summaries_apart else None
    ids = metrics.pull_request_ids(work.team.team_id, window, work.above(PullRequest))
    for start in range(0, len(ids), SUMMARIES):
        part = ids[start : start + SUMMARIES]
        yield part[0], part[-1] + 1


def summaries(work: JobContext, start: int, stop: int) -> Write:
    """Summaries of pull requests, by their ids."""
    window = _window(work.profile)

    def compute(work: JobContext, above: int) -> tuple[int, int]:
        return metrics.summarise(work.database, work.team.team_id, max(start, above + 1), stop, window)

    return _computed(PullRequest, compute, ".llm_summary")(work, start, stop)


def _window(profile: Profile) -> tuple[datetime.datetime, datetime.datetime]:
    """The first moment of a window, and the first one after it."""
    midnight = datetime.time(tzinfo=datetime.UTC)
    day = datetime.timedelta(days=1)
    return datetime.datetime.combine(profile.since, midnight), datetime.datetime.combine(
        profile.until + day, midnight
    )


def jira_ranges(work: JobContext) -> Iterator[tuple[int, int]]:
    """All issues at once, where they did not come with their pull requests."""
    if work.source.shares_issues:
        yield 0, 1


def jira(work: JobContext, _start: int, _stop: int) -> Write:
    """Issues are what all pull requests with their key say, whichever task or run brought those."""

    def write(results: Results) -> None:
        facts = metrics.issue_facts(
            work.team.team_id, work.member_ids, work.rows_per_chunk, work.above(PullRequest)
        )
        for part in facts:
            work.write(JiraIssue, issues(part, work.profile), results)

    return write


def _copilot(work: JobContext, _start: int, _stop: int) -> Write:
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
    model: type[peewee.Model], compute: Callable[[JobContext, int], tuple[int, int]], part: str = ""
) -> Callable[[JobContext, int, int], Write]:
    """A stage that brings a table, or a part of its columns, up to date from what the database holds."""

    def prepare(work: JobContext, _start: int, _stop: int) -> Write:
        def write(results: Results) -> None:
            began = time.perf_counter()
            written, unchanged = compute(work, work.above(model))
            seconds = time.perf_counter() - began
            results[model._meta.table_name + part] = Result(written, unchanged, seconds)

        return write

    return prepare


def _without_statistics(work: JobContext) -> None:
    """Statistics know nothing yet of a team or a table that has just been filled: the planner takes it for a
    row or two, and would join thousands by nested loops. Without these its guesses do no harm.
    """
    if is_postgresql(work.database):
        work.database.execute_sql("SET LOCAL enable_nestloop = off")


def _weekly(work: JobContext, above: int) -> tuple[int, int]:
    """Of all that the team has: commits of a pull request in the window may lie in weeks before it."""
    _without_statistics(work)
    team_id, profile = work.team.team_id, work.profile
    first, last = metrics.extent(team_id) or (profile.since, profile.until)
    return metrics.weekly_metrics(work.database, team_id, first, last, above)


def _reviewers(work: JobContext, above: int) -> tuple[int, int]:
    return metrics.reviewer_pairs(work.database, work.team.team_id, above)


def _insights(work: JobContext, above: int) -> tuple[int, int]:
    profile = work.profile
    return metrics.insights(work.database, work.team.team_id, profile.organisation.name, profile.until, above)


weekly = _computed(WeeklyMetrics, _weekly)
_FIGURES = (_copilot, _computed(ReviewerCorrelation, _reviewers), _computed(DailyInsight, _insights))


def figures(work: JobContext, start: int, stop: int) -> Write:
    """Copilot figures, reviewer pairs and insights: together they are about as much as weekly metrics."""
    parts = [prepare(work, start, stop) for prepare in _FIGURES]

    def write(results: Results) -> None:
        _without_statistics(work)
        for part in parts:
            part(results)

    return write
