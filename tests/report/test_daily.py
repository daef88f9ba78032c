"""Counts by day equal a recount, in the compact form of the page too."""

import pytest

from tests.support.recomputation import Recount
from tests.support.reports import SLUGS
from tformance_seed.report import charts, page
from tformance_seed.report.daily import work
from tformance_seed.report.series import add_up, gather_daily

#: All queries of the page.
QUERIES = [*page.HEADLINE_QUERIES, *(chart.query for chart in charts.CHARTS if chart.query)]


def test_days_add_up_to_a_recount(filled, reader):
    found = gather_daily(reader, SLUGS, QUERIES)
    everything = Recount.of_all()
    dated = [pull for pull in everything.pulls if pull.week]
    assert found.undated == len(everything.pulls) - len(dated) == 1
    series = found.series["pull_requests"]
    assert sum(series.sums["count"]) == len(dated)
    hours = sum(pull.cycle or 0 for pull in dated)
    assert sum(series.sums["hundredths"]) == pytest.approx(100 * hours)
    assert sum(found.series["first_reviews"].sums["count"]) == len(everything.hours("review"))
    assert sum(found.series["usage"].sums["count"]) == len(everything.usage)
    assert sum(found.series["tools"].sums["count"]) == sum(len(set(pull.tools)) for pull in everything.merged)
    assert sum(found.series["reviews"].sums["count"]) == len(everything.reviews)


def test_only_the_busiest_reviewers_are_counted(filled, reader, monkeypatch):
    monkeypatch.setattr(work, "MAX_REVIEWERS", 2)
    found = gather_daily(reader, SLUGS, QUERIES)
    everything = Recount.of_all()
    for slug in SLUGS:
        counts = {}
        for _, _, name in everything.of(slug).reviews:
            counts[name] = counts.get(name, 0) + 1
        reviewers = found.series["reviews"].dimensions["reviewer"]
        kept = [reviewer.name for reviewer in reviewers if found.slugs[reviewer.team] == slug]
        assert (
            sorted((counts[name] for name in kept), reverse=True) == sorted(counts.values(), reverse=True)[:2]
        )


def test_series_are_packed_without_loss():
    rows = [("b", 1, 5), ("a", 0, 1), ("b", 1, 2), ("a", 2, 9)]
    series = add_up(rows, {"letter": "ab", "number": range(3)}, ("count",))
    assert series.packed() == {
        "dimensions": {"letter": 2, "number": 3},
        "steps": [0, 2, 2],
        "sums": {"count": [1, 9, 7]},
        "by_week": False,
    }
