"""What the charts of a report's page tell week by week, counted again row by row in Python."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.recomputation import slugs_of_teams, week_of
from tformance_seed.storage.models import (
    AIUsageDaily,
    Commit,
    CopilotSeatSnapshot,
    Deployment,
    JiraIssue,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
)

WEEK = datetime.timedelta(days=7)
HOUR = datetime.timedelta(hours=1)

#: What a table shows that is not known.
UNKNOWN = "\u2013"

#: Kinds of rows that are counted in a whole week if the period has any of its days.
BY_WEEK = ("acts", "uses", "seats")


@dataclass(frozen=True)
class Story:
    """Rows by kind; each begins with its organisation and its day."""

    rows: dict[str, list[tuple[Any, ...]]]

    @classmethod
    def of_all(cls) -> "Story":
        """Everything in the database that the models are bound to."""
        slugs = slugs_of_teams()
        pulls = {row.id: row for row in PullRequest.select()}
        merged = [
            (slugs[row.team_id], row.merged_at.date(), bool(row.is_ai_assisted), row)
            for row in pulls.values()
            if row.state == "merged"
        ]
        surveys = {row.id: row for row in PRSurvey.select()}
        uses = [(slugs[row.team_id], row.date, row.member_id, row.source) for row in AIUsageDaily.select()]
        acts = [
            (slugs[row.team_id], moment.date(), row.author_id)
            for row in pulls.values()
            for moment in (row.pr_created_at, row.merged_at)
            if moment and row.author_id
        ]
        acts += [
            (slugs[row.team_id], row.submitted_at.date(), row.reviewer_id)
            for row in PRReview.select()
            if row.reviewer_id
        ]
        first = {slug: min(week_of(row[1]) for row in uses if row[0] == slug) for slug, *_ in uses}
        return cls(
            {
                "merged": [(*key, row.cycle_time_hours) for *key, row in merged],
                "reviewed": [
                    (*key, row.review_time_hours) for *key, row in merged if row.review_time_hours is not None
                ],
                "acts": [
                    (slug, day, member, slug in first and week_of(day) >= first[slug])
                    for slug, day, member in (*acts, *(row[:3] for row in uses))
                ],
                "uses": uses,
                "seats": [
                    (slugs[row.team_id], row.date, row.active_this_cycle, row.inactive_this_cycle)
                    for row in CopilotSeatSnapshot.select()
                ],
                "deployments": list(_deployments(slugs)),
                "surveys": [
                    (slugs[row.team_id], pulls[row.pull_request_id].merged_at.date(), _answer(row))
                    for row in surveys.values()
                ],
                "answers": [
                    (
                        slugs[row.team_id],
                        pulls[surveys[row.survey_id].pull_request_id].merged_at.date(),
                        surveys[row.survey_id].author_ai_assisted,
                        row.quality_rating,
                        row.guess_correct,
                    )
                    for row in PRSurveyReview.select()
                ],
                "issues": [
                    (slugs[row.team_id], row.resolved_at.date(), row.cycle_time_hours, row.story_points or 0)
                    for row in JiraIssue.select()
                    if row.resolved_at
                ],
            }
        )

    def of(self, organisation: str) -> "Story":
        """What belongs to one organisation."""
        return self._filtered(lambda _, row: row[0] == organisation)

    def during(self, since: datetime.date, until: datetime.date) -> "Story":
        """What belongs to a period, or to a week of it."""
        return self._filtered(
            lambda kind, row: (
                week_of(since) <= week_of(row[1]) <= until if kind in BY_WEEK else since <= row[1] <= until
            )
        )

    def _filtered(self, belongs: Callable[[str, tuple[Any, ...]], bool]) -> "Story":
        return Story({kind: [row for row in rows if belongs(kind, row)] for kind, rows in self.rows.items()})

    def in_week(self, kind: str, week: datetime.date) -> list[tuple[Any, ...]]:
        """The rows of a kind in a week, without the organisation and the day."""
        return [row[2:] for row in self.rows[kind] if week_of(row[1]) == week]

    def adoption(self, week: datetime.date, tool: str | None = None) -> tuple[int, int]:
        """How many members used a tool, or any, and how many were active."""
        uses, acts = self.in_week("uses", week), self.in_week("acts", week)
        return len({member for member, source in uses if tool in (None, source)}), len(
            {member for member, _ in acts}
        )

    def recorded(self, week: datetime.date) -> int:
        """How many members were active in organisations that have a record of AI by the end of the week."""
        return len({member for member, is_recorded in self.in_week("acts", week) if is_recorded})

    def seats(self, week: datetime.date) -> tuple[int, int]:
        """Active and inactive seats on the last day of the week that has a record."""
        last: dict[str, tuple[Any, ...]] = {}
        for row in sorted(self.rows["seats"], key=lambda row: row[1]):
            if week_of(row[1]) == week:
                last[row[0]] = row
        return sum(row[2] for row in last.values()), sum(row[3] for row in last.values())


def _answer(survey: PRSurvey) -> str:
    if survey.author_responded_at is None:
        return "No answer"
    return "With AI" if survey.author_ai_assisted else "Without AI"


def _deployments(slugs: dict[int, str]) -> Iterable[tuple[Any, ...]]:
    """Organisation, day, whether it failed, and the hours of lead time or of restoration, if any."""
    commits = defaultdict(list)
    for commit in Commit.select():
        commits[commit.pull_request_id].append(commit.committed_at)
    over = [row for row in Deployment.select() if row.environment == "production" and row.status != "pending"]
    for row in over:
        repository = (row.team_id, row.github_repo)
        same = [other for other in over if (other.team_id, other.github_repo) == repository]
        before = [other for other in same if other.deployed_at < row.deployed_at]
        hours = None
        if row.status == "success":
            hours = (row.deployed_at - min(commits[row.pull_request_id])) / HOUR
        elif not before or max(before, key=lambda other: other.deployed_at).status == "success":
            later = [
                other.deployed_at
                for other in same
                if other.deployed_at > row.deployed_at and other.status == "success"
            ]
            hours = (min(later) - row.deployed_at) / HOUR if later else None
        yield slugs[row.team_id], row.deployed_at.date(), row.status != "success", hours
