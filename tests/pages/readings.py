"""How the application reads stored rows where it stores no answer: AI, technologies, types, sizes, seats."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tformance_seed.storage.models import CopilotSeatSnapshot, PRFile, PRSurvey, PullRequest, Team

#: The page to which an action of an insight leads, without the period.
LINKS = {
    "view_ai_prs": "/app/pull-requests/?ai=yes",
    "view_non_ai_prs": "/app/pull-requests/?ai=no",
    "view_slow_prs": "/app/pull-requests/?issue_type=long_cycle",
    "view_reverts": "/app/pull-requests/?issue_type=revert",
    "view_large_prs": "/app/pull-requests/?issue_type=large_pr",
    "view_review_bottlenecks": "/app/pull-requests/?state=open&sort=review_time&order=desc",
    "view_contributors": "/app/metrics/analytics/team/",
}

TYPES = {"feature", "bugfix", "refactor", "docs", "test", "chore", "ci"}
LABELS = {name: name for name in TYPES} | {
    "bug": "bugfix",
    "fix": "bugfix",
    "enhancement": "feature",
    "feat": "feature",
    "documentation": "docs",
}

#: Names of size buckets -> the most lines of each.
SIZES = {"XS": 10, "S": 50, "M": 200, "L": 500}

#: US dollars for a seat and month.
PRICES = {"individual": 10, "business": 19, "enterprise": 39}


def link(action: str, days: int) -> str:
    """Return where an action leads."""
    path, _, query = LINKS[action].partition("?")
    return f"{path}?days={days}" + (f"&{query}" if query else "")


def has_ai(pull_request: PullRequest) -> bool:
    """Return whether key figures count a pull request as AI-assisted."""
    ai = (pull_request.llm_summary or {}).get("ai", {})
    if ai.get("is_assisted") is not None and (ai.get("confidence") or 0) >= 0.5:
        return ai["is_assisted"]
    return bool(pull_request.is_ai_assisted)


def tools(pull_request: PullRequest) -> list[str]:
    """Return the AI tools that filters and charts know of a pull request."""
    return (pull_request.llm_summary or {}).get("ai", {}).get("tools") or pull_request.ai_tools_detected


def technologies(pull_request: PullRequest) -> set[str]:
    """Return the bars of a chart in which a pull request is counted."""
    categories = (pull_request.llm_summary or {}).get("tech", {}).get("categories")
    files = PRFile.select().where(PRFile.pull_request == pull_request)
    return set(categories or [file.file_category for file in files] or ["other"])


def change_type(pull_request: PullRequest) -> str:
    """Return the type under which a pull request is charted."""
    said = (pull_request.llm_summary or {}).get("summary", {}).get("type")
    found = [LABELS[label] for label in pull_request.labels if label in LABELS]
    return said if said in TYPES else (found or ["unknown"])[0]


def size(pull_request: PullRequest) -> str:
    """Return the bucket of a pull request's size."""
    lines = pull_request.additions + pull_request.deletions
    return next((name for name, most in SIZES.items() if lines <= most), "XL")


def trend(pull_requests: Iterable[PullRequest]) -> Decimal:
    """Return the adoption trend: surveys that say AI among all surveys of merged ones, in percent."""
    surveys = list(PRSurvey.select().where(PRSurvey.pull_request.in_(list(pull_requests))))
    return _rounded(100 * sum(bool(survey.author_ai_assisted) for survey in surveys), len(surveys))


def key_figure(pull_requests: list[PullRequest]) -> Decimal:
    """Return the share of merged pull requests with AI, in percent."""
    return _rounded(100 * sum(map(has_ai, pull_requests)), len(pull_requests))


def seats(snapshot: CopilotSeatSnapshot, team: Team) -> dict[str, Decimal]:
    """Return what the card of seats says: use in percent, and dollars a month."""
    price = PRICES[team.copilot_price_tier]
    return {
        "used": _rounded(100 * snapshot.active_this_cycle, snapshot.total_seats),
        "cost": _rounded(price * snapshot.total_seats, 1),
        "wasted": _rounded(price * snapshot.inactive_this_cycle, 1),
        "for_each_active": _rounded(price * snapshot.total_seats, snapshot.active_this_cycle),
    }


def is_valid_insight(content: dict[str, Any]) -> bool:
    """Return whether the application's validator accepts what the first card reads."""
    if set(content) != {
        "headline",
        "detail",
        "recommendation",
        "metric_cards",
        "actions",
        "is_fallback",
    }:
        return False
    lengths = {"headline": (10, 200), "detail": (20, 500), "recommendation": (10, 300)}
    cards, actions = content["metric_cards"], content["actions"]
    return (
        all(least <= len(content[key]) <= most for key, (least, most) in lengths.items())
        and [card["label"] for card in cards] == ["Throughput", "Cycle Time", "AI Adoption", "Quality"]
        and all(set(card) == {"label", "value", "trend"} for card in cards)
        and all(1 <= len(card["value"]) <= 50 for card in cards)
        and {card["trend"] for card in cards} <= {"positive", "negative", "neutral", "warning"}
        and 2 <= len(actions) <= 3
        and all(action["action_type"] in LINKS and 1 <= len(action["label"]) <= 50 for action in actions)
        and content["is_fallback"] is False
    )


def _rounded(value: int, parts: int) -> Decimal:
    return (Decimal(value) / parts).quantize(Decimal("0.01"), ROUND_HALF_UP)
