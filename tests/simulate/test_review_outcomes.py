"""Columns derived from reviews, commits and comments; what is wanted was computed by the application."""

import numpy as np
import pytest

from tformance_seed.simulate.columns import hours
from tformance_seed.simulate.reviews import review_outcomes

OPENED = np.datetime64("2026-01-05T00:00:00", "s")
B, C = 0, 1

Review = tuple[int, str, int, bytes]


def outcome(reviews: list[Review], commits: list[int], comments: int = 0) -> tuple[int, int, int, float]:
    """Return total comments, commits after the first review, rounds and fix hours.

    Hours count from the opening. Another pull request with the same reviews comes first, and one with the
    same commits last.
    """
    empty = [np.datetime64("NaT", "s")]
    first = [OPENED + np.timedelta64(min(hour for _, _, hour, _ in reviews), "h")] if reviews else empty
    size = len(reviews)
    prs = {"key": np.arange(3), "first_review_at": np.array([*first, *first, *empty])}
    at = [np.timedelta64(hour, "h") for hour in commits]
    committed = {
        "pull_request": np.array([1] * len(commits) + [2] * len(commits) + [-1], dtype=np.int64),
        "committed_at": np.array([OPENED + when for when in at] * 2 + [OPENED], dtype="M8[s]"),
    }
    reviewed = {
        "pull_request": np.array([0] * size + [1] * size, dtype=np.int64),
        "reviewer": np.array([who for who, *_ in reviews] * 2, dtype=np.int64),
        "state": np.array([state.encode() for _, state, _, _ in reviews] * 2, dtype="S17"),
        "submitted_at": np.array(
            [OPENED + np.timedelta64(hour, "h") for _, _, hour, _ in reviews] * 2, dtype="M8[s]"
        ),
        "body": np.array([body for *_, body in reviews] * 2, dtype="S9"),
        "is_ai_review": np.zeros(2 * size, dtype=bool),
    }
    commented = {"pull_request": np.full(comments, 1, dtype=np.int64)}
    derived = review_outcomes(prs, committed, reviewed, commented)
    names = ("total_comments", "commits_after_first_review", "review_rounds", "avg_fix_response_hours")
    return tuple(derived[name][1].item() for name in names)


@pytest.mark.parametrize(
    ("reviews", "commits", "comments", "wanted"),
    [
        (
            [
                (B, "changes_requested", 10, b"text"),
                (C, "commented", 12, b""),
                (B, "changes_requested", 30, b""),
                (B, "approved", 50, b"text"),
            ],
            [-1, 14, 20, 36],
            3,
            (5, 3, 2, 5.0),
        ),
        ([(B, "changes_requested", 10, b""), (C, "changes_requested", 11, b"")], [20], 0, (0, 1, 2, 9.5)),
        ([(B, "commented", 10, b"text")], [20], 0, (1, 1, 0, None)),
        ([(B, "changes_requested", 10, b"")], [5], 0, (0, 0, 0, None)),
        ([], [], 0, (0, 0, 0, None)),
        ([], [5], 2, (2, 0, 0, None)),
    ],
)
def test_outcomes_are_those_of_the_application(
    reviews: list[Review], commits: list[int], comments: int, wanted: tuple
) -> None:
    *counts, fix_hours = outcome(reviews, commits, comments)
    assert tuple(counts) == wanted[:3]
    assert (None if np.isnan(fix_hours) else fix_hours) == wanted[3]


def test_hours_are_those_of_the_application() -> None:
    cycle = np.datetime64("2026-01-02T06:20", "s") - np.datetime64("2026-01-01", "s")
    assert hours(np.array([cycle.astype(np.int64)])).tolist() == [30.33]
