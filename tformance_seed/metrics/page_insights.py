"""The insight of the dashboard's first card, for each of its periods, written from the figures.

The page reads it from ``metric_value``, whose form the application validates: a headline, a detail, a
recommendation, four cards and two or three actions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tformance_seed.metrics.insight_facts import (
    LARGE,
    PERIODS,
    Facts,
    Merged,
    Reviewer,
    change,
    percent,
)

#: The number of pull requests on each side of a comparison, and of reviews, that a headline needs.
MIN_COMPARED, MIN_REVIEWS = 5, 10

#: A cycle time that changed by this much, in percent, makes a headline; so does this change in merged work.
GREAT_CHANGE, NOTABLE_CHANGE = 20, 10

#: A reviewer with more than this share of the reviews, in percent, makes a headline; so do reverts.
BOTTLENECK_SHARE, MANY_REVERTS = 50, 5

#: Actions, by the kind of headline.
ACTIONS = {
    "idle": ("view_review_bottlenecks", "view_contributors"),
    "slower": ("view_slow_prs", "view_review_bottlenecks", "view_large_prs"),
    "faster": ("view_ai_prs", "view_contributors"),
    "bottleneck": ("view_review_bottlenecks", "view_contributors"),
    "reverts": ("view_reverts", "view_large_prs"),
    "less": ("view_review_bottlenecks", "view_slow_prs"),
    "more": ("view_contributors", "view_ai_prs"),
    "ai": ("view_ai_prs", "view_non_ai_prs"),
}

#: What to do about it.
RECOMMENDATIONS = {
    "idle": "Look through the open pull requests, and agree on which of them to finish first.",
    "slower": "Start with the slowest pull requests: find out whether they waited for a review or were too "
    "large, and split the next ones.",
    "faster": "Find out what made the difference, and make it a habit of the whole team.",
    "bottleneck": "Share the reviews among more people, such as by rotating who is asked first.",
    "reverts": "Look at what was reverted, and add the test that would have caught it.",
    "less": "See what waits for a review before starting new work.",
    "more": "Keep an eye on the time to review while there is more to review.",
    "ai": "Compare pull requests with and without AI, and share what works in the team.",
}

#: Labels of the actions' buttons.
LABELS = {
    "view_ai_prs": "Pull requests with AI",
    "view_non_ai_prs": "Pull requests without AI",
    "view_slow_prs": "Slow pull requests",
    "view_reverts": "Reverts",
    "view_large_prs": "Large pull requests",
    "view_review_bottlenecks": "Waiting for review",
    "view_contributors": "Contributors",
}

#: How long the application lets a headline and a detail be.
MAX_HEADLINE, MAX_DETAIL = 200, 500


@dataclass(frozen=True)
class _Period:
    """The figures of one period."""

    days: int
    now: Merged
    before: Merged  #: of as many days before
    with_ai: Merged
    without_ai: Merged
    comparable: bool  #: there is enough in both, and the history covers both
    top: Reviewer | None
    reviews: int
    open_count: int

    @property
    def last_days(self) -> str:
        return f"in the last {self.days} days"

    @property
    def cycle_change(self) -> Decimal | None:
        """Change of the mean cycle time in percent; None if it is not known in both periods."""
        now, before = self.now.cycle_hours, self.before.cycle_hours
        return None if now is None or not before else change(now, before)

    @property
    def top_share(self) -> Decimal:
        """Share of the reviews that the most active reviewer did, in percent."""
        return percent(self.top.reviews[self.days], self.reviews) if self.top else Decimal("0.0")


def page_insights(facts: Facts) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each period's length in days and what the page reads; nothing if nothing was ever merged."""
    if facts.merged(None).count:
        for days in PERIODS:
            yield days, _page_insight(_period(facts, days))


def _period(facts: Facts, days: int) -> _Period:
    now, before = facts.merged(days), facts.merged(days, before=days)
    covered = (facts.until - facts.first_merge).days >= 2 * days - days // 4
    by_reviews = sorted(facts.reviewers, key=lambda reviewer: (-reviewer.reviews[days], reviewer.name))
    return _Period(
        days=days,
        now=now,
        before=before,
        with_ai=facts.merged(days, kinds=[facts.with_ai]),
        without_ai=facts.merged(days, kinds=[facts.without_ai]),
        comparable=covered and min(now.count, before.count) >= MIN_COMPARED,
        top=by_reviews[0] if by_reviews else None,
        reviews=sum(reviewer.reviews[days] for reviewer in by_reviews),
        open_count=facts.open_count,
    )


def _page_insight(period: _Period) -> dict[str, Any]:
    kind, headline = _headline(period)
    return {
        "headline": headline[:MAX_HEADLINE],
        "detail": _detail(period),
        "recommendation": RECOMMENDATIONS[kind],
        "metric_cards": list(_cards(period)),
        "actions": [{"action_type": action, "label": LABELS[action]} for action in ACTIONS[kind]],
        "is_fallback": False,
    }


def _headline(period: _Period) -> tuple[str, str]:
    """Return the kind of the most important thing that the figures say, and the sentence."""
    now, last_days = period.now, period.last_days
    if not now.count:
        return "idle", f"No pull requests were merged {last_days}"
    cycle = period.cycle_change if period.comparable else None
    if cycle is not None and cycle >= GREAT_CHANGE:
        return "slower", f"Cycle time rose {cycle}% to {now.cycle_hours} hours {last_days}"
    if period.top and period.reviews >= MIN_REVIEWS and period.top_share > BOTTLENECK_SHARE:
        return "bottleneck", f"{period.top.name} did {period.top_share}% of all reviews {last_days}"
    if now.count >= MIN_COMPARED and percent(now.reverts, now.count) > MANY_REVERTS:
        return "reverts", f"{now.reverts} of {now.count} pull requests merged {last_days} were reverts"
    if cycle is not None and cycle <= -GREAT_CHANGE:
        return "faster", f"Cycle time fell {-cycle}% to {now.cycle_hours} hours {last_days}"
    throughput = change(now.count, period.before.count) if period.comparable else Decimal(0)
    if abs(throughput) > NOTABLE_CHANGE:
        kind, word = ("more", "more") if throughput > 0 else ("less", "fewer")
        return kind, f"{abs(throughput)}% {word} pull requests were merged {last_days} than before"
    share = percent(period.with_ai.count, now.count)
    return "ai", f"AI was found in {share}% of the pull requests merged {last_days}"


def _detail(period: _Period) -> str:
    """Return the figures behind the headline: a sentence, then a line for each thing that stands out."""
    now, before = period.now, period.before
    sentence = f"{_counted(now.count, 'was', 'were')} merged {period.last_days}"
    if period.comparable:
        sentence += f", against {before.count} in the {period.days} days before"
    if now.cycle_hours is not None:
        sentence += f"; on average, {now.cycle_hours} hours passed from creation to merge"
    lines = [sentence + "."]
    if now.large:
        lines.append(f"• {now.large} of them changed more than {LARGE} lines")
    ai, plain = period.with_ai, period.without_ai
    if ai.cycle_hours is not None and plain.cycle_hours is not None:
        lines.append(f"• With AI the mean is {ai.cycle_hours} hours, without {plain.cycle_hours}")
    if period.top and period.reviews:
        who = f"@@{period.top.login}" if period.top.login else period.top.name
        lines.append(f"• {who} did {period.top.reviews[period.days]} of {period.reviews} reviews")
    if period.open_count:
        lines.append(f"• {_counted(period.open_count, 'is', 'are')} open")
    return "\n".join(lines)[:MAX_DETAIL]


def _counted(count: int, one: str, many: str) -> str:
    return f"1 pull request {one}" if count == 1 else f"{count} pull requests {many}"


def _cards(period: _Period) -> Iterator[dict[str, str]]:
    """Yield the four cards, in the order of the page."""
    now, before = period.now, period.before
    if before.count:
        throughput = change(now.count, before.count)
        trend = "positive" if throughput > 10 else "negative" if throughput < -10 else "neutral"
        yield _card("Throughput", f"{throughput:+}%", trend)
    else:
        yield _card("Throughput", f"{now.count} PRs", "neutral")
    cycle = period.cycle_change
    if cycle is not None:
        worse = "negative" if cycle > 20 else "warning" if cycle > 10 else "neutral"
        yield _card("Cycle Time", f"{cycle:+}%", "positive" if cycle < -10 else worse)
    else:
        yield _card("Cycle Time", "-" if now.cycle_hours is None else f"{now.cycle_hours}h", "neutral")
    adoption = percent(period.with_ai.count, now.count)
    trend = "positive" if adoption >= 40 else "neutral" if adoption >= 20 else "warning"
    yield _card("AI Adoption", f"{adoption}%", trend)
    reverts = percent(now.reverts, now.count)
    trend = "positive" if reverts <= 2 else "warning" if reverts <= 5 else "negative"
    yield _card("Quality", f"{reverts}% reverts", trend)


def _card(label: str, value: str, trend: str) -> dict[str, str]:
    return {"label": label, "value": value, "trend": trend}
