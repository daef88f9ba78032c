"""Daily insights: a few sentences about the last complete week and the last day."""

import datetime
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import peewee

from tformance_seed.bulk.conditional_update import update_where_different
from tformance_seed.bulk.peewee_internals import fields_by_name, insert_rows, table_name, to_database
from tformance_seed.metrics.insight_facts import (
    BASELINE_WEEKS,
    DAY,
    OLD_DAYS,
    REVIEW_DAYS,
    Facts,
    gather,
    rounded,
)
from tformance_seed.metrics.weekly import WEEK, midnight
from tformance_seed.storage.introspection import TableName, referred_to
from tformance_seed.storage.models import DailyInsight

#: The minimum number of baseline weeks that must have data.
MIN_BASELINE_WEEKS = 4

#: The number of weeks in each compared period, and the minimum number of pull requests on each side of a
#: comparison.
COMPARED_WEEKS = 4
MIN_COMPARED = 5

#: Changes from one week to the next, in percent: one that is notable, and one that calls for action.
NOTABLE_CHANGE = 10
GREAT_CHANGE = 25

#: Multiples of the baseline from which a week's mean time to first review is slow, and very slow.
SLOW = Decimal("1.5")
VERY_SLOW = Decimal(2)

#: Days after which an open pull request is very old; the number of old pull requests that are listed; and the
#: maximum length of their titles.
VERY_OLD_DAYS = 30
NAMED = 3
MAX_TITLE_LENGTH = 80

#: A reviewer with the first share of all reviews, in percent, is a bottleneck; with the second, a bad one. A
#: team with fewer reviews or reviewers than these minimums is not judged.
BOTTLENECK_SHARE = 40
BAD_BOTTLENECK_SHARE = 60
MIN_REVIEWS = 10
MIN_REVIEWERS = 3


@dataclass(frozen=True)
class Insight:
    """One row of the table ``DailyInsight``, without the team and the date."""

    category: str
    metric_type: str
    priority: str
    title: str
    description: str
    metric_value: dict[str, Any]
    comparison_period: str = ""


def refresh_insights(
    database: peewee.Database, team_id: int, name: str, until: datetime.date, adopted_max_id: int = 0
) -> tuple[int, int]:
    """Write a team's insights about its last complete week, dated to the Sunday, and about the day ``until``.

    Rows for other days stay, and insights that were dismissed stay dismissed.

    Parameters:
      name: the team's name, for the texts.
      adopted_max_id: rows up to this id existed before the team was adopted, and stay as they are.

    Returns:
      The number of rows inserted, changed or deleted, and the number that were already correct.
    """
    facts = gather(database, team_id, name, until)
    days = dict.fromkeys(WEEKLY, facts.week + WEEK - DAY) | dict.fromkeys(DAILY, until)
    found = [insight for rule in (WEEKLY | DAILY).values() if (insight := rule(facts))]
    expected = {}
    for insight in found:
        day = days[insight.metric_type]
        moment = midnight(day)
        values = {"team": team_id, "date": day, "created_at": moment, "updated_at": moment}
        expected[day, insight.category, insight.metric_type] = asdict(insight) | values
    existing = DailyInsight.select().where(
        DailyInsight.team == team_id,
        DailyInsight.id > adopted_max_id,
        peewee.Tuple(DailyInsight.date, DailyInsight.metric_type).in_(
            [peewee.Tuple(to_database(DailyInsight.date, day), kind) for kind, day in days.items()]
        ),
    )
    with database.atomic():
        return _store(database, list(existing.order_by(DailyInsight.id).dicts().execute(database)), expected)


def _cycle_time(facts: Facts) -> Insight | None:
    this, last = facts.merged([0]), facts.merged([1])
    now, before = this.cycle_hours, last.cycle_hours
    if min(this.cycles, last.cycles) < MIN_COMPARED or not now or not before:
        return None
    change = _percent(now, before) - 100
    moved = f"{'rose' if change > 0 else 'fell'} {abs(change)}% to" if change else "held at"
    return Insight(
        category="trend",
        metric_type="cycle_time",
        priority=_priority(change >= GREAT_CHANGE, abs(change) >= NOTABLE_CHANGE),
        title=f"Cycle time {moved} {now} hours",
        description=f"Pull requests of {facts.name} merged in the week of {facts.week} took {now} hours on "
        f"average from creation to merge, against {before} hours the week before.",
        metric_value={"current": float(now), "previous": float(before), "change_percent": float(change)},
        comparison_period="week_over_week",
    )


def _ai_adoption(facts: Facts) -> Insight | None:
    earlier = range(1, COMPARED_WEEKS + 1)
    now, before = facts.merged([0]), facts.merged(earlier)
    if min(now.count, before.count) < MIN_COMPARED:
        return None
    share = _percent(facts.merged([0], facts.with_ai).count, now.count)
    usual = _percent(facts.merged(earlier, facts.with_ai).count, before.count)
    return Insight(
        category="trend",
        metric_type="ai_adoption",
        priority=_priority(False, abs(share - usual) >= NOTABLE_CHANGE),
        title=f"AI assisted {share}% of merged pull requests",
        description=f"In the week of {facts.week} AI had a part in {share}% of the pull requests that "
        f"{facts.name} merged, against {usual}% in the {COMPARED_WEEKS} weeks before.",
        metric_value={"current": float(share), "previous": float(usual), "pull_requests": now.count},
        comparison_period="previous_4_weeks",
    )


def _slow_reviews(facts: Facts) -> Insight | None:
    this = facts.merged([0])
    now = this.review_hours
    usual_weeks = [
        hours for ago in range(1, BASELINE_WEEKS + 1) if (hours := facts.merged([ago]).review_hours)
    ]
    if this.reviews < MIN_COMPARED or not now or len(usual_weeks) < MIN_BASELINE_WEEKS:
        return None
    usual = rounded(statistics.median(usual_weeks))
    if now < usual * SLOW:
        return None
    return Insight(
        category="anomaly",
        metric_type="review_time",
        priority=_priority(now >= usual * VERY_SLOW, True),
        title=f"First reviews took {now} hours, usually {usual}",
        description=f"Pull requests that {facts.name} merged in the week of {facts.week} waited {now} hours "
        f"on average for their first review; the median of {len(usual_weeks)} weeks before is {usual} hours.",
        metric_value={"current": float(now), "usual": float(usual), "weeks": len(usual_weeks)},
        comparison_period="previous_8_weeks",
    )


def _ai_comparison(facts: Facts) -> Insight | None:
    weeks = range(COMPARED_WEEKS)
    ai, plain = facts.merged(weeks, facts.with_ai), facts.merged(weeks, facts.without_ai)
    if min(ai.cycles, plain.cycles) < MIN_COMPARED or not ai.cycle_hours or not plain.cycle_hours:
        return None
    change = _percent(ai.cycle_hours, plain.cycle_hours) - 100
    if not change:
        return None
    word = "slower" if change > 0 else "faster"
    return Insight(
        category="comparison",
        metric_type="ai_cycle_time",
        priority=_priority(False, abs(change) >= NOTABLE_CHANGE),
        title=f"Pull requests with AI were merged {abs(change)}% {word}",
        description=f"In the {COMPARED_WEEKS} weeks up to that of {facts.week} the {ai.count} pull requests "
        f"of {facts.name} with AI took {ai.cycle_hours} hours on average, the {plain.count} without "
        f"{plain.cycle_hours} hours.",
        metric_value={
            "with_ai": float(ai.cycle_hours),
            "without_ai": float(plain.cycle_hours),
            "change_percent": float(change),
        },
        comparison_period="last_4_weeks",
    )


def _open_pull_requests(facts: Facts) -> Insight | None:
    if not facts.old_open:
        return None
    end = midnight(facts.until + DAY)
    named = [
        {"title": title[:MAX_TITLE_LENGTH], "repository": repository, "days": (end - created).days}
        for created, repository, _, title in facts.old_open[:NAMED]
    ]
    count, oldest = len(facts.old_open), (end - facts.old_open[0][0]).days
    are = "pull request is" if count == 1 else "pull requests are"
    return Insight(
        category="action",
        metric_type="open_pull_requests",
        priority=_priority(oldest >= VERY_OLD_DAYS, True),
        title=f"{count} {are} open for more than {OLD_DAYS} days",
        description=f"Review or close the oldest of {facts.name}: "
        + ", ".join(f"{one['title']} ({one['repository']}, {one['days']} days)" for one in named)
        + ".",
        metric_value={"count": count, "oldest_days": oldest, "oldest": named},
    )


def _reviewer_load(facts: Facts) -> Insight | None:
    total = sum(count for count, _ in facts.reviews)
    if total < MIN_REVIEWS or len(facts.reviews) < MIN_REVIEWERS:
        return None
    count, name = facts.reviews[0]
    share = _percent(count, total)
    if share < BOTTLENECK_SHARE:
        return None
    return Insight(
        category="action",
        metric_type="reviewer_load",
        priority=_priority(share >= BAD_BOTTLENECK_SHARE, True),
        title=f"{name} does {share}% of all reviews"[:255],
        description=f"{count} of the {total} reviews of {facts.name} in the last {REVIEW_DAYS} days came "
        f"from {name}; share them out among the {len(facts.reviews)} people who review.",
        metric_value={"reviews": count, "total": total, "share_percent": float(share)},
        comparison_period="last_28_days",
    )


#: Metric type -> the rule that finds an insight: first about the last complete week, then about the last day.
WEEKLY: dict[str, Callable[[Facts], Insight | None]] = {
    "cycle_time": _cycle_time,
    "ai_adoption": _ai_adoption,
    "review_time": _slow_reviews,
    "ai_cycle_time": _ai_comparison,
}
DAILY: dict[str, Callable[[Facts], Insight | None]] = {
    "open_pull_requests": _open_pull_requests,
    "reviewer_load": _reviewer_load,
}


def _store(
    database: peewee.Database, existing: list[dict[str, Any]], expected: dict[tuple[Any, ...], dict[str, Any]]
) -> tuple[int, int]:
    """Replace the existing rows by the expected ones; the table has no unique key for an upsert.

    Rows to which other rows refer, such as feedback, stay.

    Returns:
      The number of rows inserted, changed or deleted, and the number that were already correct.
    """
    written = unchanged = 0
    obsolete = []
    for row in existing:
        values = expected.pop((row["date"], row["category"], row["metric_type"]), None)
        this = DailyInsight.id == row["id"]
        if values is None:
            obsolete.append(row["id"])
        else:
            fields = fields_by_name(DailyInsight)
            new = {fields[name]: fields[name].to_value(value) for name, value in values.items()}
            changed = update_where_different(database, DailyInsight, new).where(this).execute(database)
            written, unchanged = written + changed, unchanged + 1 - changed
    if deletable := set(obsolete) - referred_to(database, TableName(table_name(DailyInsight)), obsolete):
        written += DailyInsight.delete().where(DailyInsight.id.in_(sorted(deletable))).execute(database)
    if expected:
        insert_rows(database, DailyInsight, list(expected.values()))
    return written + len(expected), unchanged


def _percent(part: Decimal | int, whole: Decimal | int) -> Decimal:
    return (100 * Decimal(part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _priority(high: bool, medium: bool) -> str:
    return "high" if high else "medium" if medium else "low"
