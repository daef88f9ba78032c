"""Reviews of pull requests, and the columns that are derived from them."""

import json

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Ints, Texts
from tformance_seed.sampling.ragged import expand_counts, sort_within_groups
from tformance_seed.simulate.columns import SECONDS_PER_HOUR, moments, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.simulate.discussion import (
    APPROVED,
    BY_REVIEW_BOT,
    CHANGES_REQUESTED,
    COMMENTED,
    review_texts,
)
from tformance_seed.simulate.reviewers import ROUNDS, choose_reviewers, reviewer_count_weights
from tformance_seed.sources.detection import REVIEW_TOOLS
from tformance_seed.sources.detection.logins import LOGINS
from tformance_seed.sources.records import AI_REVIEW, Batch, Columns, Members

#: Probability that the second or third reviewer of a merged pull request approves it; otherwise they comment.
SECOND_APPROVES = 0.4

#: Probabilities of approved, changes_requested, commented as the final verdict on an unmerged pull request.
#: Where a scenario has a top reviewer, what is open waits for them.
VERDICT_ON_CLOSED, VERDICT_ON_OPEN, VERDICT_ON_WAITING = (0.0, 0.45, 0.55), (0.3, 0.3, 0.4), (0.0, 0.4, 0.6)

STATES = np.array([b"approved", b"changes_requested", b"commented"])

#: A number greater than any time in seconds; its multiples keep the times of different pull requests apart in
#: one sorted array.
MOMENT_SPAN = np.int64(1) << 34


def simulate_reviews(batch: Batch, members: Members, profile: Profile) -> Columns:
    """Return the reviews of a batch, with ``REVIEW_COLUMNS``. The times of the batch must be filled in.

    The first review is at ``first_review_at``. A review bot reviews before people do. One reviewer requests
    changes, in zero or more rounds, and gives the final verdict, which is an approval if the pull request was
    merged; other reviewers review in between. If a first review was observed but no member could have given
    it, the reviewer is a stranger. Bots and strangers only comment: the application fails at a decision by
    nobody.
    """
    prs, random = batch.pull_requests, profile.random
    key = prs["key"]
    reviewed = ~np.isnat(prs["first_review_at"])
    by_bot = reviewed & (prs["ai_kind"] == AI_REVIEW)
    reviewers, found = choose_reviewers(prs, members, profile)
    number = 1 + random.pick("reviewers", reviewer_count_weights(profile), key)
    people = np.where(reviewed, np.maximum(np.minimum(number, found), ~by_bot), 0)
    rounds = np.where(people > 0, random.pick("review rounds", ROUNDS, key), 0)

    owner, position = expand_counts(by_bot + rounds + people)
    step = position - by_bot[owner]  # -1 is the bot's review
    bot = step < 0
    is_last = step == (rounds + people)[owner] - 1
    by_first_reviewer = is_last | (step < rounds[owner])
    slot = np.where(by_first_reviewer, 0, step - rounds[owner] + 1)
    state = np.where(
        random.chance("second approves", SECOND_APPROVES, key[owner], position), APPROVED, COMMENTED
    )
    waits = _has_top_reviewer(profile) & (prs["state"][owner] == b"open")  # for the top reviewer alone
    state = np.where(prs["state"][owner] == b"merged", state, COMMENTED)
    state = np.where(waits, APPROVED, state)
    state = np.where(is_last, _final_verdict(prs, profile)[owner], state)
    state = np.where(~is_last & by_first_reviewer, CHANGES_REQUESTED, state)
    reviewer = np.where(bot, -1, reviewers[owner, slot])
    state = np.where(reviewer < 0, COMMENTED, state)

    first, ended = seconds(prs["first_review_at"])[owner], seconds(prs["ended_at"])[owner]
    share = sort_within_groups(
        np.where(position == 0, 0.0, random.uniform("review", key[owner], position)), owner
    )
    when = first + np.floor(np.sqrt(share) * (ended - first)).astype(np.int64)
    tool = np.where(bot, _review_tools(prs)[owner], b"")
    return {
        "pull_request": owner,
        "reviewer": reviewer,
        "state": STATES[state],
        "submitted_at": moments(when),
        "github_review_id": random.identifier("review", key[owner], position),
        "is_ai_review": tool != b"",
        "ai_reviewer_type": tool,
        "body": review_texts(random, key[owner], position, np.where(bot, BY_REVIEW_BOT, state)),
    }


def review_outcomes(prs: Columns, commits: Columns, reviews: Columns, comments: Columns) -> Columns:
    """Return the columns of pull requests that are derived from their reviews, commits and comments.

    These are ``has_ai_review``, ``commits_after_first_review``, ``review_rounds`` (the reviews that request
    changes and that a commit follows), ``avg_fix_response_hours`` (the mean hours until that commit; NaN if
    there is none) and ``total_comments`` (comments, and reviews with a text).
    """
    owner, size = reviews["pull_request"], len(prs["key"])

    def count(rows: Ints) -> Ints:
        """Return how often each pull request occurs."""
        return np.bincount(rows, minlength=size)

    known = (commits["pull_request"] >= 0) & ~np.isnat(commits["committed_at"])
    changed, committed_at = commits["pull_request"][known], commits["committed_at"][known]
    is_after = committed_at > prs["first_review_at"][changed]  # comparisons with NaT are False
    requested = reviews["state"] == STATES[CHANGES_REQUESTED]
    asked, waited = _fixes(
        owner[requested], seconds(reviews["submitted_at"])[requested], changed, seconds(committed_at)
    )
    rounds = count(asked)
    total = np.bincount(asked, weights=waited, minlength=size)
    fixed = np.flatnonzero(rounds)
    fix_hours = np.full(size, np.nan)
    fix_hours[fixed] = [
        round(hours, 2) for hours in (total[fixed] / rounds[fixed] / SECONDS_PER_HOUR).tolist()
    ]
    return {
        "has_ai_review": count(owner[reviews["is_ai_review"]]) > 0,
        "commits_after_first_review": count(changed[is_after]),
        "review_rounds": rounds,
        "avg_fix_response_hours": fix_hours,
        "total_comments": count(comments["pull_request"]) + count(owner[reviews["body"] != b""]),
    }


def reviews(batch: CompleteBatch) -> Columns:
    """Return PRReview rows; a row's timestamp is the time of the review."""
    return with_timestamps(batch.reviews, batch.reviews["submitted_at"])


def _has_top_reviewer(profile: Profile) -> bool:
    return profile.scenario is not None and profile.scenario.top_reviewer_share is not None


def _final_verdict(prs: Columns, profile: Profile) -> Ints:
    """Return the state of the last review that a person gives each pull request."""
    on_closed = profile.random.pick("last review of closed", VERDICT_ON_CLOSED, prs["key"])
    chances = VERDICT_ON_WAITING if _has_top_reviewer(profile) else VERDICT_ON_OPEN
    on_open = profile.random.pick("last review of open", chances, prs["key"])
    return np.select([prs["state"] == b"merged", prs["state"] == b"closed"], [APPROVED, on_closed], on_open)


def _review_tools(prs: Columns) -> Texts:
    """Return each pull request's review tool; empty if the application does not know its login."""
    lists, index = np.unique(prs["ai_tools"], return_inverse=True)
    tools = [
        next((tool for tool in json.loads(text) if tool in REVIEW_TOOLS and tool in LOGINS), "")
        for text in lists.tolist()
    ]
    return np.array(tools, dtype="S")[index] if tools else np.zeros(0, dtype="S1")


def _fixes(owner: Ints, asked_at: Ints, changed: Ints, committed_at: Ints) -> tuple[Ints, Ints]:
    """Return the requests for changes that a commit follows, and the seconds until the first one.

    Parameters:
      owner, asked_at: for each request, its pull request and its time in seconds.
      changed, committed_at: for each commit, the same.
    """
    commits = np.sort(changed * MOMENT_SPAN + committed_at)
    asked = owner * MOMENT_SPAN + asked_at
    following = np.searchsorted(commits, asked, side="right")
    is_fixed = following < len(commits)
    asked, fixed_by = asked[is_fixed], commits[following[is_fixed]]
    same = fixed_by // MOMENT_SPAN == asked // MOMENT_SPAN
    return asked[same] // MOMENT_SPAN, (fixed_by - asked)[same]
