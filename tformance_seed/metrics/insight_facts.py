"""The facts behind insights: merged pull requests by week, old open ones, and reviews by reviewer."""

import datetime
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import peewee
from peewee import fn

from tformance_seed.metrics.ai_assistance import WITH_AI_NUMBER
from tformance_seed.metrics.weekly import WEEK, hundredths, midnight, monday, monday_of
from tformance_seed.storage.models import PRReview, PullRequest, TeamMember

DAY = datetime.timedelta(days=1)

#: The number of weeks before the last complete one that serve as the baseline.
BASELINE_WEEKS = 8

#: Days after which an open pull request counts as old.
OLD_DAYS = 7

#: The number of days, up to and including the last one, whose reviews are counted.
REVIEW_DAYS = 28


@dataclass
class Merged:
    """Totals of merged pull requests.

    ``cycle`` and ``review`` are sums in hundredths of an hour; ``cycles`` and ``reviews`` are the numbers of
    pull requests that have these times.
    """

    count: int = 0
    cycle: int = 0
    cycles: int = 0
    review: int = 0
    reviews: int = 0

    def __add__(self, other: "Merged") -> "Merged":
        return Merged(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def cycle_hours(self) -> Decimal | None:
        """Mean hours from creation to merge; None if no pull request has this time."""
        return rounded(Decimal(self.cycle) / self.cycles / 100) if self.cycles else None

    @property
    def review_hours(self) -> Decimal | None:
        """Mean hours to the first review; None if no pull request has this time."""
        return rounded(Decimal(self.review) / self.reviews / 100) if self.reviews else None


@dataclass
class Facts:
    """The input to the rules that find insights."""

    name: str
    week: datetime.date  #: Monday of the last complete week
    until: datetime.date
    with_ai: dict[datetime.date, Merged] = field(default_factory=dict)  #: by the Monday of the merge's week
    without_ai: dict[datetime.date, Merged] = field(default_factory=dict)
    #: Creation time, repository, GitHub id and title of each old open pull request, oldest first.
    old_open: list[tuple[datetime.datetime, str, int, str]] = field(default_factory=list)
    reviews: list[tuple[int, str]] = field(default_factory=list)  #: (count, reviewer), greatest count first

    def merged(self, weeks_ago: Iterable[int], *kinds: dict[datetime.date, Merged]) -> Merged:
        """Return the totals over several weeks.

        Parameters:
          weeks_ago: the weeks, counted back from the last complete one, which is 0.
          kinds: ``with_ai`` or ``without_ai``; by default both.
        """
        weeks = [self.week - ago * WEEK for ago in weeks_ago]
        sums = [
            kind.get(week, Merged()) for kind in kinds or (self.with_ai, self.without_ai) for week in weeks
        ]
        return sum(sums, Merged())


def gather(database: peewee.Database, team_id: int, name: str, until: datetime.date) -> Facts:
    """Return the facts about a team as of the end of a day."""
    facts = Facts(name, monday_of(until + DAY) - WEEK, until)
    end = midnight(until + DAY)
    week = monday(database, PullRequest.merged_at)
    merged = (
        PullRequest.select(
            week,
            WITH_AI_NUMBER,
            fn.COUNT(PullRequest.id),
            fn.COALESCE(fn.SUM(hundredths(PullRequest.cycle_time_hours)), 0),
            fn.COUNT(PullRequest.cycle_time_hours),
            fn.COALESCE(fn.SUM(hundredths(PullRequest.review_time_hours)), 0),
            fn.COUNT(PullRequest.review_time_hours),
        )
        .where(
            PullRequest.team == team_id,
            PullRequest.state == "merged",
            PullRequest.merged_at >= midnight(facts.week - BASELINE_WEEKS * WEEK),
            PullRequest.merged_at < midnight(facts.week + WEEK),
        )
        .group_by(week, WITH_AI_NUMBER)
    )
    for start, ai, *sums in merged.tuples().execute(database):
        kind = facts.with_ai if ai else facts.without_ai
        kind[start] = Merged(*map(int, sums))
    still_open = PullRequest.select(
        PullRequest.pr_created_at, PullRequest.github_repo, PullRequest.github_pr_id, PullRequest.title
    ).where(
        PullRequest.team == team_id,
        PullRequest.state == "open",
        PullRequest.pr_created_at < end - OLD_DAYS * DAY,
    )
    facts.old_open = sorted(still_open.tuples().execute(database))
    reviews = (
        PRReview.select(fn.COUNT(PRReview.id), TeamMember.display_name)
        .join(TeamMember, on=PRReview.reviewer == TeamMember.id)
        .where(
            PRReview.team == team_id,
            TeamMember.team == team_id,  # otherwise the server would read the members of all teams
            PRReview.submitted_at >= end - REVIEW_DAYS * DAY,
            PRReview.submitted_at < end,
        )
        .group_by(TeamMember.id, TeamMember.display_name)
    )
    facts.reviews = sorted(reviews.tuples().execute(database), key=lambda row: (-row[0], row[1]))
    return facts


def rounded(value: Decimal) -> Decimal:
    """Return a value rounded half up to two decimals."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)
