"""Daily insights: for each period of the dashboard one, and those that a rule finds."""

import datetime
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import peewee

from tformance_seed.bulk.conditional_update import update_where_different
from tformance_seed.bulk.peewee_internals import fields_by_name, insert_rows, table_name
from tformance_seed.metrics.insight_facts import DAY, TREND_WEEKS, Facts, change, gather, percent, rounded
from tformance_seed.metrics.page_insights import page_insights
from tformance_seed.metrics.weekly import WEEK, midnight
from tformance_seed.storage.introspection import TableName, referred_to
from tformance_seed.storage.models import DailyInsight

#: The minimum number of pull requests, or surveys, in the first and in the last week of a trend.
MIN_IN_WEEK = 5

#: Changes over a trend that are worth an insight: of the AI share in points, of the cycle time in percent.
AI_POINTS, CYCLE_PERCENT = 10, 20

#: How many times the usual number of hotfixes makes a spike.
SPIKE = 3

#: Percent of failing check runs, and number of pull requests without an issue, above or at which to warn.
CI_FAILURES, MIN_UNLINKED = 20, 5

#: Milestones, and how far above one the figure may be for it to count as just reached.
AI_MILESTONES, AI_REACH = (90, 75, 50, 25), 5
COUNT_MILESTONES, COUNT_REACH = (1000, 500, 250, 100, 50), 10

#: Maximum length of a title.
MAX_TITLE = 255

#: The type of the insights that the dashboard shows.
PAGE_TYPE = "llm_dashboard_insight"

#: The types of the insights that are made here.
METRIC_TYPES = (
    PAGE_TYPE,
    "ai_adoption",
    "cycle_time",
    "hotfix_spike",
    "revert_spike",
    "ci_failure_rate",
    "redundant_reviewers",
    "unlinked_prs",
    "pr_count",
)


@dataclass(frozen=True)
class Insight:
    """One row of the table ``DailyInsight``, without the team and the date."""

    category: str
    metric_type: str
    priority: str
    comparison_period: str
    title: str
    description: str
    metric_value: dict[str, Any]


def refresh_insights(database: peewee.Database, team_id: int, until: datetime.date) -> tuple[int, int]:
    """Write a team's insights as of the day ``until``, and renew those of later days.

    Rows for earlier days stay, and insights that were dismissed stay dismissed. So do rows that were not made
    here; those that were are known by their stamps, even if the team was adopted since.

    Returns:
      The number of rows inserted, changed or deleted, and the number that were already correct.
    """
    written = unchanged = 0
    with database.atomic():
        for day in [until, *(day for day in _own_days(database, team_id) if day > until)]:
            counts = _store(database, _own_rows(team_id, day), _expected(database, team_id, day))
            written, unchanged = written + counts[0], unchanged + counts[1]
    return written, unchanged


def last_day_differs(database: peewee.Database, team_id: int) -> bool:
    """Return whether the insights of the last day that has any are others than the data gives."""
    days = _own_days(database, team_id)
    if not days:
        return False
    surplus = []
    for row, values in _match(database, _own_rows(team_id, days[-1]), _expected(database, team_id, days[-1])):
        if values is None:
            surplus.append(row["id"])
        elif row is None or any(row[name] != value for name, value in values.items()):
            return True
    return bool(_deletable(database, surplus))


def _own_days(database: peewee.Database, team_id: int) -> list[datetime.date]:
    """Return the days for which there are insights that were made here, in order.

    They are stamped with the midnight that begins their day; the application stamps its own with the time.
    """
    stamps = DailyInsight.select(DailyInsight.date, DailyInsight.created_at).distinct()
    own = stamps.where(DailyInsight.team == team_id, DailyInsight.metric_type.in_(METRIC_TYPES))
    return sorted({day for day, stamp in own.tuples().execute(database) if stamp == midnight(day)})


def _own_rows(team_id: int, day: datetime.date) -> "peewee.ModelSelect[DailyInsight]":
    return DailyInsight.select().where(
        DailyInsight.team == team_id,
        DailyInsight.date == day,
        DailyInsight.metric_type.in_(METRIC_TYPES),
        DailyInsight.created_at == midnight(day),
    )


def _expected(database: peewee.Database, team_id: int, day: datetime.date) -> list[dict[str, Any]]:
    """Return the rows that the table should hold for a day."""
    facts = gather(database, team_id, day)
    found = itertools.chain(_of_page(facts), *(rule(facts) for rule in RULES))
    stamp = midnight(day)
    values = {"team": team_id, "date": day, "created_at": stamp, "updated_at": stamp}
    return [asdict(insight) | values for insight in found]


def _of_page(facts: Facts) -> Iterator[Insight]:
    for days, content in page_insights(facts):
        yield Insight(
            category="llm_insight",
            metric_type=PAGE_TYPE,
            priority="medium",
            comparison_period=str(days),
            title=content["headline"][:MAX_TITLE],
            description=content["detail"],
            metric_value=content,
        )


def _ai_adoption(facts: Facts) -> Iterator[Insight]:
    """Yield an insight if the share of surveys that say AI moved over the last weeks."""
    answers = {week: facts.surveys.get(week, (0, 0)) for week in facts.weeks}
    if min(answers[week][1] for week in (facts.weeks[0], facts.weeks[-1])) < MIN_IN_WEEK:
        return
    shares = {week: percent(*answers[week]) for week in facts.weeks}
    first, last = shares[facts.weeks[0]], shares[facts.weeks[-1]]
    if abs(last - first) > AI_POINTS:
        rose = "rose" if last > first else "fell"
        yield Insight(
            category="trend",
            metric_type="ai_adoption",
            priority="medium",
            comparison_period="4_weeks",
            title=f"AI adoption {rose} from {first}% to {last}%",
            description=f"In surveys about pull requests merged in the week of {facts.weeks[-1]}, {last}% "
            f"say that AI helped, against {first}% in the week of {facts.weeks[0]}.",
            metric_value={
                "trend": [{"week": str(week), "value": float(share)} for week, share in shares.items()],
                "change": float(last - first),
            },
        )


def _cycle_time(facts: Facts) -> Iterator[Insight]:
    """Yield an insight if the mean cycle time moved over the last weeks."""
    merged = {week: facts.between(week, week + WEEK - DAY) for week in facts.weeks}
    ends = merged[facts.weeks[0]], merged[facts.weeks[-1]]
    first, last = (end.cycle_hours for end in ends)
    if min(end.cycles for end in ends) < MIN_IN_WEEK or not first or last is None:
        return
    moved = change(last, first)
    if abs(moved) >= CYCLE_PERCENT:
        worse = moved > 0
        yield Insight(
            category="trend",
            metric_type="cycle_time",
            priority="high" if worse else "medium",
            comparison_period="4_weeks",
            title=f"Cycle time {'rose' if worse else 'fell'} {abs(moved)}% in {TREND_WEEKS} weeks",
            description=f"Pull requests merged in the week of {facts.weeks[-1]} took {last} hours on average "
            f"from creation to merge, those of the week of {facts.weeks[0]} {first} hours.",
            metric_value={
                "trend": [
                    {"week": str(week), "value": None if of.cycle_hours is None else float(of.cycle_hours)}
                    for week, of in merged.items()
                ],
                "change": float(moved),
            },
        )


def _hotfix_spike(facts: Facts) -> Iterator[Insight]:
    now = facts.merged(7).hotfixes
    earlier = facts.merged(7 * TREND_WEEKS, before=7).hotfixes
    if earlier and now * TREND_WEEKS >= SPIKE * earlier:
        usual, multiple = percent(earlier, TREND_WEEKS) / 100, percent(now * TREND_WEEKS, earlier) / 100
        yield Insight(
            category="anomaly",
            metric_type="hotfix_spike",
            priority="high",
            comparison_period="4_weeks",
            title=f"{_count(now, 'hotfix', 'hotfixes')} in seven days",
            description=f"That is {rounded(multiple, '0.1')} times the {rounded(usual)} of a usual week, "
            f"counted over the {TREND_WEEKS} weeks before.",
            metric_value={
                "current_week": now,
                "previous_average": float(rounded(usual)),
                "multiplier": float(rounded(multiple, "0.1")),
            },
        )


def _revert_spike(facts: Facts) -> Iterator[Insight]:
    reverts = facts.merged(7).reverts
    if reverts:
        yield Insight(
            category="anomaly",
            metric_type="revert_spike",
            priority="high",
            comparison_period="1_week",
            title=f"{_count(reverts, 'revert', 'reverts')} in seven days",
            description=f"Of the pull requests merged in the seven days to {facts.until}, "
            f"{_count(reverts, 'reverts', 'revert')} an earlier one.",
            metric_value={"revert_count": reverts},
        )


def _ci_failures(facts: Facts) -> Iterator[Insight]:
    total, failed = sum(facts.check_runs.values()), facts.check_runs.get("failure", 0)
    rate = percent(failed, total)
    if rate > CI_FAILURES:
        yield Insight(
            category="anomaly",
            metric_type="ci_failure_rate",
            priority="medium",
            comparison_period="4_weeks",
            title=f"{rate}% of check runs fail",
            description=f"{failed} of {total} check runs of pull requests merged in the last {TREND_WEEKS} "
            "weeks failed.",
            metric_value={
                "failure_rate": float(rate),
                "total_runs": total,
                "failure_count": failed,
                "success_count": facts.check_runs.get("success", 0),
            },
        )


def _redundant_reviewers(facts: Facts) -> Iterator[Insight]:
    for one, other, together, agreed in facts.redundant:
        rate = percent(agreed, together)
        yield Insight(
            category="action",
            metric_type="redundant_reviewers",
            priority="low",
            comparison_period="all_time",
            title=f"{one} and {other} nearly always agree"[:MAX_TITLE],
            description=f"They agreed in {rate}% of the {together} pull requests that both reviewed. One of "
            "them may be enough.",
            metric_value={
                "reviewer_1": one,
                "reviewer_2": other,
                "agreement_rate": float(rate),
                "prs_reviewed_together": together,
            },
        )


def _unlinked(facts: Facts) -> Iterator[Insight]:
    count = facts.merged(7 * TREND_WEEKS).unlinked
    if count >= MIN_UNLINKED:
        yield Insight(
            category="action",
            metric_type="unlinked_prs",
            priority="low",
            comparison_period="4_weeks",
            title=f"{count} merged pull requests name no Jira issue",
            description=f"They were merged in the last {TREND_WEEKS} weeks. With the issue in its title, "
            "work is easier to find.",
            metric_value={"count": count, "lookback_weeks": TREND_WEEKS},
        )


def _milestones(facts: Facts) -> Iterator[Insight]:
    total, ai = facts.merged(None).count, facts.merged(None, kinds=[facts.with_ai]).count
    share = percent(ai, total)
    reached = next((goal for goal in AI_MILESTONES if goal <= share < goal + AI_REACH), None)
    if reached is not None:
        yield Insight(
            category="action",
            metric_type="ai_adoption",
            priority="low",
            comparison_period="all_time",
            title=f"AI was found in more than {reached}% of all pull requests",
            description=f"It was found in {ai} of {total} merged pull requests, which is {share}%.",
            metric_value={"value": float(share), "milestone": reached, "total_prs": total, "ai_prs": ai},
        )
    reached = next((goal for goal in COUNT_MILESTONES if goal <= total <= goal + COUNT_REACH), None)
    if reached is not None:
        yield Insight(
            category="action",
            metric_type="pr_count",
            priority="low",
            comparison_period="all_time",
            title=f"{reached} pull requests are merged",
            description=f"The team has merged {total} pull requests by now.",
            metric_value={"value": total, "milestone": reached},
        )


#: The rules. The application has one more, which compares with the industry's figures in a table of its own:
#: what it finds depends on another program's rows, and the same inputs must give the same content everywhere.
RULES = (
    _ai_adoption,
    _cycle_time,
    _hotfix_spike,
    _revert_spike,
    _ci_failures,
    _redundant_reviewers,
    _unlinked,
    _milestones,
)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _store(
    database: peewee.Database, existing: "peewee.ModelSelect[DailyInsight]", expected: list[dict[str, Any]]
) -> tuple[int, int]:
    """Replace the existing rows by the expected ones; the table has no unique key for an upsert.

    Rows to which other rows refer stay.

    Returns:
      The number of rows inserted, changed or deleted, and the number that were already correct.
    """
    written = unchanged = 0
    fields, added, obsolete = fields_by_name(DailyInsight), [], []
    for row, values in _match(database, existing, expected):
        if row is None:
            added.append(values)
        elif values is None:
            obsolete.append(row["id"])
        else:
            new = {fields[name]: fields[name].to_value(value) for name, value in values.items()}
            update = update_where_different(database, DailyInsight, new)
            changed = update.where(DailyInsight.id == row["id"]).execute(database)
            written, unchanged = written + changed, unchanged + 1 - changed
    if deletable := _deletable(database, obsolete):
        written += DailyInsight.delete().where(DailyInsight.id.in_(deletable)).execute(database)
    if added:
        insert_rows(database, DailyInsight, added)
    return written + len(added), unchanged


def _deletable(database: peewee.Database, obsolete: list[int]) -> list[int]:
    """Return the ids of the obsolete rows to which no other rows refer, such as feedback."""
    if not obsolete:
        return []
    return sorted(set(obsolete) - referred_to(database, TableName(table_name(DailyInsight)), obsolete))


def _match(
    database: peewee.Database,
    existing: "peewee.ModelSelect[DailyInsight]",
    expected: Iterable[dict[str, Any]],
) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of an existing and an expected row about the same thing; None for one that is missing.

    Several rows about the same thing are paired in their order.
    """
    sides: dict[tuple[str, ...], tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((existing.order_by(DailyInsight.id).dicts().execute(database), expected)):
        for row in rows:
            sides[row["category"], row["metric_type"], row["comparison_period"]][side].append(row)
    for pair in sides.values():
        yield from itertools.zip_longest(*pair)
