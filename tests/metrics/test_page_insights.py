"""The insights of the dashboard's first card: what the page reads is there, and true of the figures."""

import datetime
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pages.readings import is_valid_insight
from tformance_seed.metrics.insight_facts import DAY, PERIODS, Facts, Merged, Reviewer
from tformance_seed.metrics.page_insights import page_insights

UNTIL = datetime.date(2026, 3, 18)


def merged(count: int, hours: float = 10.0, **others: int) -> Merged:
    return Merged(count, round(count * hours * 100), count, **others)


def reviewer(name: str, reviews: int) -> Reviewer:
    return Reviewer(name, name, dict.fromkeys(PERIODS, reviews))


def history(now: Merged, before: Merged, ai: Merged | None = None, reviewers: tuple = ()) -> Facts:
    """Return the facts of a team: the last seven days, and the seven days before, on one day each."""
    return Facts(
        UNTIL,
        with_ai={UNTIL: ai} if ai else {},
        without_ai={UNTIL: now, UNTIL - 8 * DAY: before, UNTIL - 14 * DAY: Merged()},
        reviewers=list(reviewers),
    )


def week(facts: Facts) -> dict[str, Any]:
    return dict(page_insights(facts))[7]


def cards(facts: Facts) -> dict[str, tuple[str, str]]:
    return {card["label"]: (card["value"], card["trend"]) for card in week(facts)["metric_cards"]}


@pytest.mark.parametrize(
    ("now", "before", "value", "trend"),
    [
        (8, 8, "+0.0%", "neutral"),
        (11, 10, "+10.0%", "neutral"),
        (9, 8, "+12.5%", "positive"),
        (7, 8, "-12.5%", "negative"),
        (9, 10, "-10.0%", "neutral"),
        (9, 0, "9 PRs", "neutral"),
        (0, 4, "-100.0%", "negative"),
    ],
)
def test_throughput_is_the_change_of_merged_work(now: int, before: int, value: str, trend: str) -> None:
    assert cards(history(merged(now), merged(before)))["Throughput"] == (value, trend)


@pytest.mark.parametrize(
    ("hours", "value", "trend"),
    [
        (10.0, "+0.0%", "neutral"),
        (8.9, "-11.0%", "positive"),
        (9.0, "-10.0%", "neutral"),
        (11.0, "+10.0%", "neutral"),
        (11.1, "+11.0%", "warning"),
        (12.0, "+20.0%", "warning"),
        (12.1, "+21.0%", "negative"),
    ],
)
def test_cycle_time_is_the_change_of_its_mean(hours: float, value: str, trend: str) -> None:
    assert cards(history(merged(10, hours), merged(10)))["Cycle Time"] == (value, trend)


@pytest.mark.parametrize(
    ("ai", "value", "trend"),
    [(39, "39.0%", "neutral"), (40, "40.0%", "positive"), (20, "20.0%", "neutral"), (19, "19.0%", "warning")],
)
def test_adoption_is_the_share_in_which_ai_was_found(ai: int, value: str, trend: str) -> None:
    assert cards(history(merged(100 - ai), merged(9), merged(ai)))["AI Adoption"] == (value, trend)


@pytest.mark.parametrize(
    ("reverts", "value", "trend"),
    [(1, "1.0%", "positive"), (2, "2.0%", "positive"), (5, "5.0%", "warning"), (6, "6.0%", "negative")],
)
def test_quality_is_the_share_of_reverts(reverts: int, value: str, trend: str) -> None:
    assert cards(history(merged(100, reverts=reverts), merged(9)))["Quality"] == (f"{value} reverts", trend)


@pytest.mark.parametrize(
    ("facts", "headline", "action"),
    [
        (history(merged(0), merged(9)), "No pull requests were merged", "view_review_bottlenecks"),
        (history(merged(9, 13), merged(9)), "Cycle time rose 30.0% to 13.00 hours", "view_slow_prs"),
        (history(merged(9, 7), merged(9)), "Cycle time fell 30.0% to 7.00 hours", "view_ai_prs"),
        (history(merged(9, reverts=1), merged(9)), "1 of 9 pull requests", "view_reverts"),
        (history(merged(12), merged(10)), "20.0% more pull requests", "view_contributors"),
        (history(merged(8), merged(10)), "20.0% fewer pull requests", "view_review_bottlenecks"),
        (history(merged(6), merged(10), merged(4)), "AI was found in 40.0%", "view_non_ai_prs"),
        (
            history(merged(9), merged(9), None, (reviewer("ann", 6), reviewer("bo", 4))),
            "ann did 60.0% of all reviews",
            "view_contributors",
        ),
    ],
)
def test_the_headline_says_what_matters_most(facts: Facts, headline: str, action: str) -> None:
    content = week(facts)
    assert content["headline"].startswith(headline)
    assert content["headline"].find("in the last 7 days") > 0
    assert action in [each["action_type"] for each in content["actions"]]
    assert is_valid_insight(content)


def test_the_detail_links_to_the_reviewer_and_counts() -> None:
    reviewers = (
        Reviewer("Ann", "ann", dict.fromkeys(PERIODS, 5)),
        Reviewer("Bo", "bo", dict.fromkeys(PERIODS, 7)),
    )
    facts = history(merged(20, 10, large=3), merged(16), merged(4, 20), reviewers)
    facts.open_count = 5
    assert week(facts)["detail"].splitlines() == [
        "24 pull requests were merged in the last 7 days, against 16 in the 7 days before; "
        "on average, 11.67 hours passed from creation to merge.",
        "• 3 of them changed more than 500 lines",
        "• With AI the mean is 20.00 hours, without 10.00",
        "• @@bo did 7 of 12 reviews",
        "• 5 pull requests are open",
    ]


def test_a_history_that_has_just_begun_is_not_compared_in_words() -> None:
    facts = Facts(UNTIL, without_ai={UNTIL: merged(30, 20), UNTIL - 8 * DAY: merged(9)})
    assert week(facts)["headline"].startswith("AI was found in 0.0%")


def test_nothing_is_said_where_nothing_was_ever_merged() -> None:
    assert list(page_insights(Facts(UNTIL))) == []


totals = st.builds(
    lambda count, cycle, others: Merged(count, cycle * count, count, *(min(each, count) for each in others)),
    st.integers(0, 10_000),
    st.integers(0, 10**7),
    st.tuples(*[st.integers(0, 10_000)] * 4),
)
days = st.dictionaries(st.integers(0, 200).map(lambda ago: UNTIL - ago * DAY), totals, max_size=8)
reviewers = st.builds(
    Reviewer,
    st.text(min_size=1, max_size=255),
    st.text(max_size=100),
    st.fixed_dictionaries(dict.fromkeys(PERIODS, st.integers(0, 10**6))),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.builds(Facts, st.just(UNTIL), days, days, reviewers=st.lists(reviewers, max_size=4)))
def test_whatever_the_figures_the_page_can_read_it(facts: Facts) -> None:
    found = dict(page_insights(facts))
    assert list(found) == (list(PERIODS) if facts.merged(None).count else [])
    for content in found.values():
        assert is_valid_insight(content)
        for card in content["metric_cards"][2:]:
            share = float(re.match(r"[\d.]+", card["value"])[0])
            assert 0 <= share <= 100
