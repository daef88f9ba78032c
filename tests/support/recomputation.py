"""What a report says, counted again row by row in Python."""

import datetime
import statistics
from collections import Counter
from dataclasses import dataclass

from tformance_seed.storage.models import AIUsageDaily, PRReview, PullRequest, SeedTeam, Team, TeamMember


def week_of(moment: datetime.datetime | datetime.date) -> datetime.date:
    day = moment.date() if isinstance(moment, datetime.datetime) else moment
    return day - datetime.timedelta(days=day.weekday())


def slugs_of_teams() -> dict[int, str]:
    """Name each team as commands do."""
    slugs = dict(Team.select(Team.id, Team.slug).tuples())
    return slugs | dict(SeedTeam.select(SeedTeam.team_id, SeedTeam.slug).tuples())


@dataclass(frozen=True)
class Pull:
    organisation: str
    day: datetime.date | None
    merged: bool
    with_ai: bool
    cycle: float | None
    review: float | None
    tools: tuple[str, ...]

    @property
    def week(self) -> datetime.date | None:
        return week_of(self.day) if self.day else None


@dataclass(frozen=True)
class Recount:
    """The rows that matter, of some organisations and days."""

    members: Counter[str]
    pulls: list[Pull]
    usage: list[tuple[str, datetime.date, str, int]]  #: organisation, date, source, member's id
    reviews: list[tuple[str, datetime.date, str]]  #: organisation, day, reviewer

    @classmethod
    def of_all(cls) -> "Recount":
        """Everything in the database that the models are bound to."""
        slugs = slugs_of_teams()
        names = {member.id: member.display_name for member in TeamMember.select()}
        return cls(
            Counter(slugs[member.team_id] for member in TeamMember.select()),
            [_pull(row, slugs[row.team_id]) for row in PullRequest.select()],
            [(slugs[row.team_id], row.date, row.source, row.member_id) for row in AIUsageDaily.select()],
            [
                (slugs[row.team_id], row.submitted_at.date(), names[row.reviewer_id])
                for row in PRReview.select()
                if row.reviewer_id is not None
            ],
        )

    def of(self, organisation: str) -> "Recount":
        """What belongs to one organisation."""
        return Recount(
            Counter({organisation: self.members[organisation]}),
            [pull for pull in self.pulls if pull.organisation == organisation],
            [row for row in self.usage if row[0] == organisation],
            [row for row in self.reviews if row[0] == organisation],
        )

    def during(self, since: datetime.date, until: datetime.date) -> "Recount":
        """What belongs to the days from one to another."""
        return Recount(
            self.members,
            [pull for pull in self.pulls if pull.day and since <= pull.day <= until],
            [row for row in self.usage if since <= row[1] <= until],
            [row for row in self.reviews if since <= row[1] <= until],
        )

    @property
    def merged(self) -> list[Pull]:
        return [pull for pull in self.pulls if pull.merged]

    @property
    def member_days(self) -> int:
        """Days on which a member used any AI tool."""
        return len({(date, member) for _, date, _, member in self.usage})

    def hours(self, name: str) -> list[float]:
        """Known hours of merged pull requests: ``cycle`` or ``review``."""
        return [value for pull in self.merged if (value := getattr(pull, name)) is not None]

    def organisation(self) -> dict[str, float]:
        """The numbers that a report has of one organisation."""
        cycle = self.hours("cycle")
        return {
            "members": self.members.total(),
            "pull_requests": len(self.pulls),
            "merged": len(self.merged),
            "ai_share": sum(pull.with_ai for pull in self.pulls) / len(self.pulls),
            "mean_cycle_hours": statistics.mean(cycle),
            "median_cycle_hours": statistics.median(cycle),
            "weeks": len(self.weeks()),
        }

    def weeks(self) -> list[datetime.date]:
        """Those in which something was merged."""
        return sorted({pull.week for pull in self.merged})


def _pull(row: PullRequest, slug: str) -> Pull:
    merged = row.state == "merged" and row.merged_at is not None
    moment = row.merged_at if merged else row.pr_created_at
    return Pull(
        organisation=slug,
        day=moment.date() if moment else None,
        merged=merged,
        with_ai=bool(row.is_ai_assisted),
        cycle=None if row.cycle_time_hours is None else float(row.cycle_time_hours),
        review=None if row.review_time_hours is None else float(row.review_time_hours),
        tools=tuple(row.ai_tools_detected),
    )
