"""Copilot's figures are of the languages that the organisation's repositories are in."""

import numpy as np
import pytest

from tests.support.synthetic import make_profile
from tformance_seed.simulate.copilot import languages

DAYS = np.arange(np.datetime64("2025-09-01"), np.datetime64("2025-11-01"))


def suggestions(slug: str) -> dict[str, float]:
    """Return each language's share of all suggestions."""
    figures = {"shown": 900, "accepted": 300, "active": 6}
    daily = {"date": DAYS, **{name: np.full(len(DAYS), count) for name, count in figures.items()}}
    rows = languages(daily, make_profile(slug))
    total = rows["suggestions_shown"].sum()
    return {
        name.decode(): rows["suggestions_shown"][rows["language"] == name].sum() / total
        for name in np.unique(rows["language"]).tolist()
    }


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("traefik", {"go": 0.84, "typescript": 0.1, "yaml": 0.04, "markdown": 0.03}),
        ("surrealdb", {"rust": 0.93, "yaml": 0.04, "markdown": 0.03}),
        ("hasura", {"haskell": 0.43, "rust": 0.28, "typescript": 0.22, "yaml": 0.04, "markdown": 0.03}),
        ("fastapi", {"python": 0.85, "markdown": 0.11, "yaml": 0.04}),
    ],
)
def test_languages_are_those_of_the_repositories(slug, expected):
    assert suggestions(slug) == pytest.approx(expected, abs=0.03)
