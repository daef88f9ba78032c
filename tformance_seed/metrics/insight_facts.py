"""The facts behind insights: merged pull requests by day, surveys, check runs, reviews, as of one day."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.metrics.ai_assistance import effective_ai_number
from tformance_seed.metrics.weekly import WEEK, hundredths, midnight, monday, monday_of
from tformance_seed.storage.models import (
    PRCheckRun,
    PRReview,
    PRSurvey,
    PullRequest,
    ReviewerCorrelation,
    TeamMember,
)

DAY = datetime.timedelta(days=1)

#: The lengths, in days, of the periods for which the page has an insight.
PERIODS = (7, 30, 90)

#: The number of weeks that a trend is about.
TREND_WEEKS = 4

#: Lines changed above which a pull request is large.
LARGE = 500

#: Pull requests that two reviewers must have reviewed together, and percent of them in which they must agree,
#: for one of them to be redundant; and the number of pairs that are named.
MIN_TOGETHER, MIN_AGREEMENT, MAX_PAIRS = 10, 95, 3


@dataclass
class Merged:
    """Totals of merged pull requests whose authors are members.

    ``cycle`` is a sum in hundredths of an hour; ``cycles`` is the number of pull requests that have a time.
    """

    count: int = 0
    cycle: int = 0
    cycles: int = 0
    reverts: int = 0
    hotfixes: int = 0
    large: int = 0
    unlinked: int = 0

    @classmethod
    def total(cls, parts: list["Merged"]) -> "Merged":
        """Return the totals of all parts together."""
        return cls(*(sum(getattr(part, each.name) for part in parts) for each in fields(cls)))

    @property
    def cycle_hours(self) -> Decimal | None:
        """Mean hours from creation to merge; None if no pull request has this time."""
        return rounded(Decimal(self.cycle) / self.cycles / 100) if self.cycles else None


@dataclass(frozen=True)
class Reviewer:
    """A reviewer, with the number of their reviews in each period."""

    name: str
    login: str
    reviews: Mapping[int, int]


@dataclass
class Facts:
    """The input to the rules that find insights, as of the end of the day ``until``."""

    until: datetime.date
    with_ai: dict[datetime.date, Merged] = field(default_factory=dict)  #: by the day of the merge
    without_ai: dict[datetime.date, Merged] = field(default_factory=dict)
    surveys: dict[datetime.date, tuple[int, int]] = field(default_factory=dict)  #: (AI, all) by week of merge
    check_runs: dict[str, int] = field(default_factory=dict)  #: of four weeks, by conclusion
    reviewers: list[Reviewer] = field(default_factory=list)
    open_count: int = 0  #: open pull requests that are not drafts
    #: The names of each redundant pair, its pull requests reviewed together, and in how many they agreed.
    redundant: list[tuple[str, str, int, int]] = field(default_factory=list)

    @property
    def weeks(self) -> list[datetime.date]:
        """The Mondays of the last complete weeks, oldest first."""
        last = monday_of(self.until + DAY) - WEEK
        return [last - ago * WEEK for ago in reversed(range(TREND_WEEKS))]

    @property
    def first_merge(self) -> datetime.date:
        """The day of the first merge; the day itself if there is none."""
        return min([*self.with_ai, *self.without_ai], default=self.until)

    def merged(
        self, days: int | None, before: int = 0, kinds: Iterable[dict[datetime.date, Merged]] = ()
    ) -> Merged:
        """Return the totals of a period.

        Parameters:
          days: the length of the period; None: everything until now.
          before: the number of days between the end of the period and now.
          kinds: ``with_ai`` or ``without_ai``; by default both.
        """
        last = self.until - before * DAY
        first = datetime.date.min if days is None else last - (days - 1) * DAY
        return self.between(first, last, kinds)

    def between(
        self, first: datetime.date, last: datetime.date, kinds: Iterable[dict[datetime.date, Merged]] = ()
    ) -> Merged:
        """Return the totals of the days from ``first`` to ``last``, both included."""
        of_days = [
            merged
            for kind in kinds or (self.with_ai, self.without_ai)
            for day, merged in kind.items()
            if first <= day <= last
        ]
        return Merged.total(of_days)


def gather(database: peewee.Database, team_id: int, until: datetime.date) -> Facts:
    """Return the facts about a team as of the end of a day."""
    facts, end = Facts(until), midnight(until + DAY)
    merged = (
        (PullRequest.team == team_id)
        & (PullRequest.state == "merged")
        & PullRequest.author.is_null(False)
        & (PullRequest.merged_at < end)
    )
    of_trend = merged & (PullRequest.merged_at >= end - TREND_WEEKS * WEEK)
    count, day = fn.COUNT(PullRequest.id), _day(database, PullRequest.merged_at)
    with_ai = effective_ai_number(database)
    by_day = (
        PullRequest.select(
            day,
            with_ai,
            count,
            fn.COALESCE(fn.SUM(hundredths(PullRequest.cycle_time_hours)), 0),
            fn.COUNT(PullRequest.cycle_time_hours),
            count.filter(PullRequest.is_revert),
            count.filter(PullRequest.is_hotfix),
            count.filter(PullRequest.additions + PullRequest.deletions > LARGE),
            count.filter(PullRequest.jira_key == ""),
        )
        .where(merged)
        .group_by(day, with_ai)
    )
    for of_day, ai, *sums in by_day.tuples().execute(database):
        (facts.with_ai if ai else facts.without_ai)[of_day] = Merged(*map(int, sums))
    week, surveyed = monday(database, PullRequest.merged_at), fn.COUNT(PRSurvey.id)
    answers = (
        PRSurvey.select(week, surveyed.filter(PRSurvey.author_ai_assisted), surveyed)
        .join(PullRequest, on=PRSurvey.pull_request == PullRequest.id)
        .where(PRSurvey.team == team_id, merged, PullRequest.merged_at >= midnight(facts.weeks[0]))
        .group_by(week)
    )
    facts.surveys = {monday_: (ai, total) for monday_, ai, total in answers.tuples().execute(database)}
    runs = (
        PRCheckRun.select(PRCheckRun.conclusion, fn.COUNT(PRCheckRun.id))
        .join(PullRequest, on=PRCheckRun.pull_request == PullRequest.id)
        .where(PRCheckRun.team == team_id, PRCheckRun.status == "completed", of_trend)
        .group_by(PRCheckRun.conclusion)
    )
    facts.check_runs = {conclusion or "": number for conclusion, number in runs.tuples().execute(database)}
    facts.reviewers = _reviewers(database, team_id, end)
    still_open = PullRequest.select(count).where(
        PullRequest.team == team_id,
        PullRequest.state == "open",
        ~PullRequest.is_draft,
        PullRequest.pr_created_at < end,
    )
    facts.open_count = still_open.scalar(database)
    facts.redundant = _redundant(database, team_id)
    return facts


def _reviewers(database: peewee.Database, team_id: int, end: datetime.datetime) -> list[Reviewer]:
    """Return the members who reviewed in the longest period."""
    count = fn.COUNT(PRReview.id)
    counts = [count.filter(PRReview.submitted_at >= end - days * DAY) for days in PERIODS]
    query = (
        PRReview.select(TeamMember.display_name, TeamMember.github_username, *counts)
        .join(TeamMember, on=PRReview.reviewer == TeamMember.id)
        .where(
            PRReview.team == team_id,
            TeamMember.team == team_id,  # otherwise the server would read the members of all teams
            PRReview.submitted_at >= end - PERIODS[-1] * DAY,
            PRReview.submitted_at < end,
        )
        .group_by(TeamMember.id, TeamMember.display_name, TeamMember.github_username)
    )
    return [
        Reviewer(name, login, dict(zip(PERIODS, counts, strict=True)))
        for name, login, *counts in query.tuples().execute(database)
    ]


def _redundant(database: peewee.Database, team_id: int) -> list[tuple[str, str, int, int]]:
    """Return the pairs of reviewers who nearly always agree, those with the most pull requests first."""
    first, second = TeamMember.alias(), TeamMember.alias()
    together, agreed = ReviewerCorrelation.prs_reviewed_together, ReviewerCorrelation.agreements
    query = (
        ReviewerCorrelation.select(first.display_name, second.display_name, together, agreed)
        .join(first, on=ReviewerCorrelation.reviewer_1 == first.id)
        .join_from(ReviewerCorrelation, second, on=ReviewerCorrelation.reviewer_2 == second.id)
        .where(
            ReviewerCorrelation.team == team_id,
            together >= MIN_TOGETHER,
            agreed * 100 >= together * MIN_AGREEMENT,
        )
    )
    pairs = (
        (*sorted((one, other)), shared, agreements)
        for one, other, shared, agreements in query.tuples().execute(database)
    )
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3], pair[:2]))[:MAX_PAIRS]


def _day(database: peewee.Database, moment: Any) -> peewee.ColumnBase:
    """Return, as SQL, the day of a timestamp in UTC, whatever the session's time zone."""
    if is_postgresql(database):
        return fn.timezone("UTC", moment).cast("DATE")
    return fn.SUBSTR(moment, 1, 10).python_value(datetime.date.fromisoformat)


def rounded(value: Decimal, places: str = "0.01") -> Decimal:
    """Return a value rounded half up, to two decimals by default."""
    return value.quantize(Decimal(places), ROUND_HALF_UP)


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """Return a share in percent, rounded half up to one decimal; 0 if the whole is 0."""
    return rounded(100 * Decimal(part) / whole, "0.1") if whole else Decimal("0.0")


def change(now: Decimal | int, before: Decimal | int) -> Decimal:
    """Return a change in percent, rounded half up to one decimal."""
    return percent(now, before) - 100
