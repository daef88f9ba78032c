"""What is decided separately is independent: joint distributions, not margins alone."""

import numpy as np

from tests.support.batches import make_batch, make_members, make_profile, simulate
from tformance_seed.catalog.profile import Profile
from tformance_seed.simulate.check_runs import PASS_RATE
from tformance_seed.sources.records import Columns

COUNT, ORGANISATIONS = 400, 24


def simulated(seed: int) -> tuple[Columns, dict[str, Columns], Profile]:
    organisation = make_profile(seed=seed)
    members = make_members(8, organisation)
    simulated = make_batch(organisation, members, np.arange(1, COUNT + 1), repository=b"acme/api")
    return simulated.pull_requests, simulate(simulated, members, organisation), organisation


def z_score(both: int, one: int, other: int, count: int) -> float:
    """How far the overlap of two events lies from what independence gives, in standard deviations."""
    mean = one * other / count
    variance = mean * (count - one) * (count - other) / count / (count - 1)
    return (both - mean) / variance**0.5


def fails(tables: dict[str, Columns], check: bytes) -> np.ndarray:
    """Whether a check of each pull request fails."""
    runs = tables["PRCheckRun"]
    failed = np.zeros(COUNT, dtype=bool)
    mine = runs["name"] == check
    failed[runs["pull_request"][mine]] = runs["conclusion"][mine] != b"success"
    return failed


def test_one_check_fails_whatever_another_does():
    scores, both, lint = [], 0, 0
    for seed in range(ORGANISATIONS):
        _, tables, _ = simulated(seed)
        one, other = fails(tables, b"lint"), fails(tables, b"unit")
        scores.append(z_score((one & other).sum(), one.sum(), other.sum(), COUNT))
        both, lint = both + (one & other).sum(), lint + one.sum()
    assert abs(both / lint - (1 - PASS_RATE)) < 0.03
    assert abs(np.array(scores)).max() < 5
    assert abs(np.mean(scores)) < 4 * 1.5 / ORGANISATIONS**0.5


def test_guesses_about_an_author_are_right_as_often_where_ai_was_found():
    scores = []
    for seed in range(ORGANISATIONS):
        prs, tables, _ = simulated(seed)
        answers = tables["PRSurveyReview"]
        of = tables["PRSurvey"]["pull_request"][answers["survey"]]
        for author in range(8):
            mine = prs["author"][of] == author
            right, found = answers["guess_correct"][mine], prs["ai_kind"][of][mine] != 0
            if min(right.sum(), found.sum(), (~right).sum(), (~found).sum()) >= 5:
                scores.append(z_score((right & found).sum(), right.sum(), found.sum(), mine.sum()))
    assert len(scores) > 3 * ORGANISATIONS
    assert abs(np.array(scores)).max() < 5
    assert abs(np.mean(scores)) < 4 * 1.5 / len(scores) ** 0.5


def test_two_reviewers_of_a_pull_request_rate_it_independently():
    same, pairs, expected = 0, 0, 0.0
    for seed in range(ORGANISATIONS):
        _, tables, _ = simulated(seed)
        survey, rating = tables["PRSurveyReview"]["survey"], tables["PRSurveyReview"]["quality_rating"]
        first = np.flatnonzero(survey[1:] == survey[:-1])
        shares = np.bincount(rating, minlength=4) / len(rating)
        same, pairs = same + (rating[first] == rating[first + 1]).sum(), pairs + len(first)
        expected += (shares**2).sum() / ORGANISATIONS
    assert abs(same / pairs - expected) < 4 * (expected * (1 - expected) / pairs) ** 0.5
