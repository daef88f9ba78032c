"""What the application reads from stored rows is what it reads from its own.

What is wanted was computed by the application.
"""

import itertools
from decimal import Decimal
from typing import Any

import peewee
import pytest

from tests.pages import readings
from tests.support.seeds import seed
from tests.support.teams import DAY, MONDAY, Coherent, add
from tformance_seed.metrics.ai_assistance import effective_ai_number
from tformance_seed.metrics.insight_facts import gather, percent
from tformance_seed.metrics.page_insights import ACTIONS, page_insights
from tformance_seed.storage.models import (
    CopilotSeatSnapshot,
    DailyInsight,
    PRFile,
    PRSurvey,
    PullRequest,
    Team,
)

_numbers = itertools.count(10_000)


def store(kept: Coherent, **values: Any) -> PullRequest:
    """Store a merged pull request, and return it as it is read again."""
    row = add(
        PullRequest,
        team=kept.team,
        author=kept.members[0],
        github_pr_id=next(_numbers),
        github_repo="a/b",
        state="merged",
        merged_at=MONDAY + DAY,
        **values,
    )
    return PullRequest.get_by_id(row.id)


@pytest.mark.parametrize(
    ("column", "says", "confidence", "wanted"),
    [
        (True, False, 0.9, False),
        (True, False, 0.49, True),
        (False, True, 0.5, True),
        (False, True, 0.49, False),
        (True, None, 0.9, True),
        (False, True, None, False),
        (None, None, None, False),
    ],
)
def test_a_confident_summary_overrules_the_column(
    coherent: Coherent, column: bool | None, says: bool | None, confidence: float | None, wanted: bool
) -> None:
    ai = {"is_assisted": says, "tools": [], "confidence": confidence}
    row = store(coherent, is_ai_assisted=column, llm_summary={"ai": ai})
    assert readings.has_ai(row) is wanted
    number = PullRequest.select(effective_ai_number(coherent.database)).where(PullRequest.id == row.id)
    assert number.scalar() == wanted


@pytest.mark.parametrize(
    ("labels", "says", "wanted"),
    [
        (["bug"], None, "bugfix"),
        (["enhancement"], None, "feature"),
        (["docs"], None, "docs"),
        ([], None, "unknown"),
        ([], "revert", "unknown"),
        (["bug"], "chore", "chore"),
    ],
)
def test_a_type_is_the_summarys_or_follows_from_labels(
    coherent: Coherent, labels: list[str], says: str | None, wanted: str
) -> None:
    summary = {"summary": {"type": says}} if says else None
    assert readings.change_type(store(coherent, labels=labels, llm_summary=summary)) == wanted


def test_technologies_are_the_summarys_else_those_of_files(coherent: Coherent) -> None:
    row = store(coherent)
    assert readings.technologies(row) == {"other"}
    for name, category in (("a.py", "backend"), ("b.tsx", "frontend"), ("c.py", "backend")):
        add(PRFile, team=row.team, pull_request=row, filename=name, status="added", file_category=category)
    assert readings.technologies(row) == {"backend", "frontend"}
    row.llm_summary = {"tech": {"categories": ["devops"]}}
    assert readings.technologies(row) == {"devops"}


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [(10, "XS"), (11, "S"), (50, "S"), (200, "M"), (201, "L"), (500, "L"), (501, "XL")],
)
def test_sizes_are_of_both_kinds_of_lines(coherent: Coherent, lines: int, wanted: str) -> None:
    assert readings.size(store(coherent, additions=lines - 4, deletions=4)) == wanted


def test_places_that_count_adoption_differ(coherent: Coherent) -> None:
    """Two of four merged pull requests have AI; three a survey: one says so, one does not, one is open."""
    PRSurvey.delete().execute()
    PullRequest.delete().execute()
    rows = [store(coherent, is_ai_assisted=number < 2) for number in range(4)]
    for row, answer in zip(rows, (True, False, None), strict=False):
        answered = None if answer is None else MONDAY + 2 * DAY
        values = {"author_ai_assisted": answer, "author_responded_at": answered}
        add(PRSurvey, team=coherent.team, pull_request=row, author=coherent.members[0], **values)
    assert readings.trend(rows) == Decimal("33.33")
    assert readings.key_figure(rows) == Decimal("50.00")
    facts = gather(coherent.database, coherent.team.id, (MONDAY + 6 * DAY).date())
    assert [percent(*counts) for counts in facts.surveys.values()] == [Decimal("33.3")]
    (week, *_) = dict(page_insights(facts)).values()
    assert week["metric_cards"][2] == {"label": "AI Adoption", "value": "50.0%", "trend": "positive"}


def test_seats_are_counted_and_paid_for(coherent: Coherent) -> None:
    values = {"total_seats": 12, "active_this_cycle": 9, "inactive_this_cycle": 3}
    add(CopilotSeatSnapshot, team=coherent.team, date=(MONDAY - DAY).date(), **values)
    snapshot = CopilotSeatSnapshot.get(CopilotSeatSnapshot.total_seats == 12)
    read = readings.seats(snapshot, Team.get_by_id(coherent.team.id))
    assert read == {
        "used": Decimal("75.00"),
        "cost": Decimal("228.00"),
        "wasted": Decimal("57.00"),
        "for_each_active": Decimal("25.33"),
    }


def test_actions_lead_to_pages() -> None:
    assert readings.link("view_slow_prs", 30) == "/app/pull-requests/?days=30&issue_type=long_cycle"
    assert {action for actions in ACTIONS.values() for action in actions} <= readings.LINKS.keys()


def test_an_insight_that_breaks_a_rule_is_not_valid(coherent: Coherent) -> None:
    stored = [row.metric_value for row in DailyInsight.select().where(DailyInsight.category == "llm_insight")]
    assert len(stored) == 3
    for content in stored:
        assert readings.is_valid_insight(content)
        assert not readings.is_valid_insight(content | {"headline": "Short"})
        assert not readings.is_valid_insight(content | {"actions": content["actions"][:1]})
        assert not readings.is_valid_insight(content | {"possible_causes": []})


def test_what_is_seeded_is_read_as_it_was_meant(database: peewee.Database) -> None:
    seed(database)
    rows = list(PullRequest.select())
    assert {readings.size(row) for row in rows} == {"XS", "S", "M", "L", "XL"}
    assert {readings.change_type(row) for row in rows} <= readings.TYPES
    assert {name for row in rows for name in readings.technologies(row)} <= {
        "backend",
        "frontend",
        "devops",
        "mobile",
        "data",
        "javascript",
        "test",
        "docs",
        "config",
        "other",
    }
    assert any(readings.tools(row) for row in rows)
    merged = [row for row in rows if row.state == "merged" and row.author_id is not None]
    with_ai = PullRequest.select(peewee.fn.SUM(effective_ai_number(database))).where(
        PullRequest.state == "merged", PullRequest.author.is_null(False)
    )
    assert with_ai.scalar() == sum(map(readings.has_ai, merged)) > 0
    newest = CopilotSeatSnapshot.select().order_by(CopilotSeatSnapshot.date.desc()).get()
    assert 50 <= readings.seats(newest, Team.get())["used"] <= 80
