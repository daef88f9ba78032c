"""Reviews of pull requests, and the columns that are derived from them."""

import json

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints
from tformance_seed.sampling.ragged import expand_counts, sort_within_groups
from tformance_seed.simulate.columns import half_up, moments, nullable, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.simulate.reviewers import ROUNDS, choose_reviewers, reviewer_count_weights
from tformance_seed.sources.detection import REVIEW_TOOLS
from tformance_seed.sources.records import AI_REVIEW, Batch, Columns, Members

#: Probability that the second or third reviewer of a merged pull request approves it; otherwise they comment.
SECOND_APPROVES = 0.4

#: Probabilities of approved, changes_requested, commented as the final verdict on an unmerged pull request.
#: Where a scenario has a top reviewer, what is open waits for them.
VERDICT_ON_CLOSED, VERDICT_ON_OPEN, VERDICT_ON_WAITING = (0.0, 0.45, 0.55), (0.3, 0.3, 0.4), (0.0, 0.4, 0.6)

STATES = np.array([b"approved", b"changes_requested", b"commented"])
APPROVED, CHANGES_REQUESTED, COMMENTED = range(3)

#: A number greater than any time in seconds; its multiples keep the times of different pull requests apart in
#: one sorted array.
MOMENT_SPAN = np.int64(1) << 34

#: Texts by state, then those of bots. For people, about half are empty.
BODIES = np.array(
    [
        [
            "",
            "",
            "",
            "LGTM",
            "Looks good to me.",
            "Nice, thanks!",
            "Works for me locally.",
            "Clean. Ship it.",
        ],
        [
            "",
            "",
            "",
            "",
            "A few things to fix before this goes in.",
            "Please add a test for the error path.",
            "This breaks when the input is empty.",
            "Can we split this up? Hard to follow as it is.",
        ],
        [
            "",
            "",
            "",
            "",
            "Some questions inline.",
            "One thought, not blocking.",
            "See comments.",
            "Nearly there.",
        ],
        [
            "Summary: no blocking problem found.",
            "Summary: two suggestions, none blocking.",
            "Reviewed all changed files. Nothing to report.",
            "Found one possible null dereference; see the comment.",
            "Naming and structure are fine. Consider a test for the new branch.",
            "Reviewed all changed files. Three comments.",
            "Summary: the change does what its description says.",
            "One nitpick on error handling.",
        ],
    ],
    dtype="S",
)


def simulate_reviews(batch: Batch, members: Members, profile: Profile) -> Columns:
    """Return the reviews of a batch, with ``REVIEW_COLUMNS``. The times of the batch must be filled in.

    The first review is at ``first_review_at``. A review bot reviews before people do. One reviewer requests
    changes, in zero or more rounds, and gives the final verdict, which is an approval if the pull request was
    merged; other reviewers review in between. If a first review was observed but no member could have given
    it, the reviewer is a stranger.
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
    state = np.where(bot, COMMENTED, state)

    first, ended = seconds(prs["first_review_at"])[owner], seconds(prs["ended_at"])[owner]
    share = sort_within_groups(
        np.where(position == 0, 0.0, random.uniform("review", key[owner], position)), owner
    )
    when = first + np.floor(np.sqrt(share) * (ended - first)).astype(np.int64)
    text = random.integers("review body", key[owner], position, low=0, high=BODIES.shape[1] - 1)
    return {
        "pull_request": owner,
        "reviewer": np.where(bot, -1, reviewers[owner, slot]),
        "state": STATES[state],
        "submitted_at": moments(when),
        "github_review_id": random.identifier("review", key[owner], position),
        "is_ai_review": bot,
        "ai_reviewer_type": np.where(bot, _review_tools(prs)[owner], b""),
        "body": BODIES[np.where(bot, len(STATES), state), text],
    }


def review_outcomes(batch: Batch, reviews: Columns) -> Columns:
    """Return the columns of pull requests that are derived from their reviews.

    These are ``has_ai_review``, ``review_rounds``, ``commits_after_first_review`` and
    ``avg_fix_response_hours``; the last three are NULL where there is no review.
    """
    owner, size = reviews["pull_request"], len(batch.pull_requests["key"])
    reviewed = ~np.isnat(batch.pull_requests["first_review_at"])
    requested = reviews["state"] == STATES[CHANGES_REQUESTED]
    return {
        "has_ai_review": np.bincount(owner[reviews["is_ai_review"]], minlength=size) > 0,
        "review_rounds": nullable(np.bincount(owner[requested], minlength=size), reviewed),
        "commits_after_first_review": nullable(_commits_after_review(batch), reviewed),
        "avg_fix_response_hours": _fix_hours(batch, owner, seconds(reviews["submitted_at"]), requested),
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


def _review_tools(prs: Columns) -> npt.NDArray[np.bytes_]:
    """Return the review tool of each pull request: the first of its tools that reviews, or else the first."""
    lists, index = np.unique(prs["ai_tools"], return_inverse=True)
    tools = []
    for text in lists.tolist():
        found = json.loads(text)
        tools.append(next((tool for tool in found if tool in REVIEW_TOOLS), found[0] if found else ""))
    return np.array(tools, dtype="S")[index] if tools else np.zeros(0, dtype="S1")


def _commits_after_review(batch: Batch) -> Ints:
    """Return the number of commits in each pull request that are later than its first review."""
    prs, owner = batch.pull_requests, batch.commits["pull_request"]
    inside = owner >= 0
    first = prs["first_review_at"][owner[inside]]
    after = batch.commits["committed_at"][inside] > first  # comparisons with NaT are False
    return np.bincount(owner[inside][after], minlength=len(prs["key"]))


def _fix_hours(batch: Batch, owner: Ints, when: Ints, requested: Booleans) -> Floats:
    """Return the mean hours from requested changes to the next commit or review of the pull request.

    Parameters:
      owner, when, requested: for each review, its pull request, its time in seconds, and whether it requests
        changes.
    """
    commits, size = batch.commits, len(batch.pull_requests["key"])
    inside = (commits["pull_request"] >= 0) & ~np.isnat(commits["committed_at"])
    pull_request = np.concatenate([owner, commits["pull_request"][inside]])
    moment = np.concatenate([when, seconds(commits["committed_at"])[inside]])
    events = np.sort(pull_request * MOMENT_SPAN + moment)
    asked = (owner * MOMENT_SPAN + when)[requested]
    following = np.searchsorted(events, asked, side="right")
    answered = following < len(events)
    following, asked = following[answered], asked[answered]
    answered_by = events[following]
    same = answered_by // MOMENT_SPAN == asked // MOMENT_SPAN
    pull_request, waited = asked[same] // MOMENT_SPAN, (answered_by - asked)[same]
    count = np.bincount(pull_request, minlength=size)
    total = np.bincount(pull_request, weights=waited, minlength=size)
    with np.errstate(invalid="ignore"):
        return half_up(total / count / 3600, 2)
