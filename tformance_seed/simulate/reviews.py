"""Reviews: who reviewed a pull request, in how many rounds, and what came of it."""

import json

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.sampling.ragged import expand_counts, sort_within_groups
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.simulate.columns import Booleans, Integers, half_up, moments, nullable, seconds, stamped
from tformance_seed.simulate.timing import recent_others
from tformance_seed.sources.detection import REVIEW_TOOLS
from tformance_seed.sources.records import AI_REVIEW, Batch, Columns, Members

#: Chances of 0, 1, 2 rounds of requested changes before the last review.
ROUNDS = (0.68, 0.24, 0.08)

#: Chances of 1, 2, 3 reviewers; and where one person does most reviews.
REVIEWERS = (0.62, 0.28, 0.10)
REVIEWERS_OF_BOTTLENECK = (0.85, 0.12, 0.03)

#: Candidates drawn for each pull request. The last few are taken even where author and reviewer are not
#: close, so that somebody is found.
CANDIDATES, CANDIDATES_NOT_CLOSE = 12, 4

#: What decides whether the one who does most reviews leads.
LED = SobolSequence("led")

#: Chance that a second or third reviewer of a pull request approves; the others comment.
SECOND_APPROVES = 0.4

#: Chances of approved, changes_requested, commented for the last review of what is not merged.
LAST_OF_CLOSED, LAST_OF_OPEN = (0.0, 0.45, 0.55), (0.3, 0.3, 0.4)

STATES = np.array([b"approved", b"changes_requested", b"commented"])
APPROVED, CHANGES_REQUESTED, COMMENTED = range(3)

#: Texts by state, and of bots; an empty one is as usual as the others together.
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


def reviews(batch: Batch, members: Members, profile: Profile) -> Columns:
    """The reviews of a batch whose times are filled in; rows of a pull request stand together, oldest first.

    The first one is at ``first_review_at``. A review bot's comes before those of people. One person leads:
    requests changes, in so many rounds, and has the last word, which approves what is merged; others speak
    in between. Sets ``has_ai_review``, ``review_rounds``, ``commits_after_first_review`` and
    ``avg_fix_response_hours`` of the pull requests.
    """
    prs, random = batch.pull_requests, profile.random
    key = prs["key"]
    reviewed = ~np.isnat(prs["first_review_at"])
    by_bot = reviewed & (prs["ai_kind"] == AI_REVIEW)
    reviewers, found = _reviewers(prs, members, profile)
    people = np.where(reviewed, np.minimum(1 + random.pick("reviewers", _crowd(profile), key), found), 0)
    rounds = np.where(people > 0, random.pick("review rounds", ROUNDS, key), 0)
    counts = by_bot + rounds + people

    owner, place = expand_counts(counts)
    step = place - by_bot[owner]  # -1 is the bot's
    last = step == (rounds + people)[owner] - 1
    leads = last | (step < rounds[owner])
    slot = np.where(leads, 0, step - rounds[owner] + 1)
    bot = step < 0
    state = np.where(
        random.chance("second approves", SECOND_APPROVES, key[owner], place), APPROVED, COMMENTED
    )
    state = np.where(prs["state"][owner] == b"merged", state, COMMENTED)
    state = np.where(last, _last_state(prs, profile)[owner], state)
    state = np.where(~last & leads, CHANGES_REQUESTED, state)
    state = np.where(bot, COMMENTED, state)

    first, ended = seconds(prs["first_review_at"])[owner], seconds(prs["ended_at"])[owner]
    share = sort_within_groups(np.where(place == 0, 0.0, random.uniform("review", key[owner], place)), owner)
    when = first + np.floor(np.sqrt(share) * (ended - first)).astype(np.int64)
    text = random.integers("review body", key[owner], place, low=0, high=BODIES.shape[1] - 1)
    requested = state == CHANGES_REQUESTED
    prs["has_ai_review"] = by_bot
    prs["review_rounds"] = nullable(np.bincount(owner[requested], minlength=len(key)), reviewed)
    prs["commits_after_first_review"] = nullable(_commits_after(batch), reviewed)
    prs["avg_fix_response_hours"] = _fix_hours(batch, owner, when, requested)
    return stamped(
        {
            "pull_request": owner,
            "reviewer": np.where(bot, -1, reviewers[owner, slot]),
            "state": STATES[state],
            "submitted_at": moments(when),
            "github_review_id": random.identifier("review", key[owner], place),
            "is_ai_review": bot,
            "ai_reviewer_type": np.where(bot, _tools(prs)[owner], b""),
            "body": BODIES[np.where(bot, len(STATES), state), text],
        },
        moments(when),
    )


def _crowd(profile: Profile) -> tuple[float, ...]:
    bottleneck = profile.scenario is not None and profile.scenario.top_reviewer_share is not None
    return REVIEWERS_OF_BOTTLENECK if bottleneck else REVIEWERS


def _last_state(prs: Columns, profile: Profile) -> Integers:
    """The state of each pull request's last review by a person."""
    closed = profile.random.pick("last review of closed", LAST_OF_CLOSED, prs["key"])
    still = profile.random.pick("last review of open", LAST_OF_OPEN, prs["key"])
    return np.select([prs["state"] == b"merged", prs["state"] == b"closed"], [APPROVED, closed], still)


def _reviewers(prs: Columns, members: Members, profile: Profile) -> tuple[Integers, Integers]:
    """Up to three different reviewers of each pull request, never its author; and how many were found."""
    if members.activity is not None:
        return _recent_reviewers(prs, members, profile)
    return _drawn_reviewers(prs, members, profile)


def _recent_reviewers(prs: Columns, members: Members, profile: Profile) -> tuple[Integers, Integers]:
    """Reviewers among those who committed recently, in proportion to how much.

    The greatest values of u ** (1 / weight) are a weighted sample without replacement (Efraimidis and
    Spirakis, 2006), in which nobody's value depends on who else is there.
    """
    weight = recent_others(prs, members.activity)
    u = profile.random.uniform("reviewer", prs["key"][:, None], members.key)
    with np.errstate(divide="ignore"):
        score = np.where(weight > 0, np.log(u) / weight, -np.inf)
    best = np.argsort(-score, axis=1, kind="stable")[:, : len(REVIEWERS)]
    chosen = np.full((len(weight), len(REVIEWERS)), -1, dtype=np.int64)
    chosen[:, : best.shape[1]] = best
    return chosen, np.minimum((weight > 0).sum(axis=1), len(REVIEWERS))


def _drawn_reviewers(prs: Columns, members: Members, profile: Profile) -> tuple[Integers, Integers]:
    """Reviewers of a team that is the same all the time.

    Candidates come in proportion to their weight, in a scenario evenly, as the work is; how close author and
    reviewer are decides who is taken.
    """
    random, author, key = profile.random, prs["author"], prs["key"]
    size = len(members)
    chosen = np.full((len(author), len(REVIEWERS)), -1, dtype=np.int64)
    found = np.zeros(len(author), dtype=np.int64)
    if size == 0:
        return chosen, found
    attempt = np.arange(CANDIDATES)
    weight = members.weight if profile.scenario is None else np.ones(size)
    candidates = random.pick("reviewer", weight, key[:, None], attempt)
    author_key = np.where(author < 0, np.uint64(0), members.key[author])
    closeness = random.uniform("closeness", author_key[:, None], members.key[candidates])
    taken = random.uniform("reviewer taken", key[:, None], attempt) < closeness * closeness
    taken |= attempt >= CANDIDATES - CANDIDATES_NOT_CLOSE
    leader, leads = _leader(prs, members, profile)
    chosen[leads, 0] = leader
    found[leads] = 1
    for column in range(CANDIDATES):
        candidate = candidates[:, column]
        free = (candidate != author) & (candidate != leader) & (chosen != candidate[:, None]).all(axis=1)
        rows = np.flatnonzero(free & taken[:, column] & (found < chosen.shape[1]))
        chosen[rows, found[rows]] = candidate[rows]
        found[rows] += 1
    rows = np.flatnonzero((found == 0) & (size > (author >= 0)))
    step = 1 + random.random_bits("reviewer at last", key[rows]) % np.uint64(max(size - 1, 1))
    chosen[rows, 0] = (author[rows] + step.astype(np.int64)) % size
    found[rows] = 1
    return chosen, found


def _leader(prs: Columns, members: Members, profile: Profile) -> tuple[int, Booleans]:
    """Who does most reviews, and which pull requests that person leads; -1 where reviews are shared out.

    The chance is such that the leader's reviews are the scenario's share of all, those of the leader's own
    pull requests, which others do, included.
    """
    share = profile.scenario.top_reviewer_share if profile.scenario else None
    if share is None:
        return -1, np.zeros(len(prs["key"]), dtype=np.bool_)
    leader = int(np.argmax(profile.random.uniform("top reviewer", members.key)))
    crowd = _crowd(profile)
    by_leader = 1 + sum(chance * rounds for rounds, chance in enumerate(ROUNDS))
    by_others = sum(chance * others for others, chance in enumerate(crowd))
    share /= 1 - 1 / len(members)  # of the work of the others
    chance = share * (by_leader + by_others) / by_leader
    u = profile.random.sobol(LED, prs["number"], text_keys(prs["repository"]))
    return leader, (u < chance) & (prs["author"] != leader)


def _tools(prs: Columns) -> npt.NDArray[np.bytes_]:
    """The review tool of each pull request, from its list of tools; the first, if none of them reviews."""
    lists, index = np.unique(prs["ai_tools"], return_inverse=True)
    tools = []
    for text in lists.tolist():
        found = json.loads(text)
        tools.append(next((tool for tool in found if tool in REVIEW_TOOLS), found[0] if found else ""))
    return np.array(tools, dtype="S")[index] if tools else np.zeros(0, dtype="S1")


def _commits_after(batch: Batch) -> Integers:
    prs, owner = batch.pull_requests, batch.commits["pull_request"]
    inside = owner >= 0
    first = prs["first_review_at"][owner[inside]]
    after = batch.commits["committed_at"][inside] > first  # never of a NaT
    return np.bincount(owner[inside][after], minlength=len(prs["key"]))


def _fix_hours(batch: Batch, owner: Integers, when: Integers, requested: Booleans) -> npt.NDArray[np.float64]:
    """Mean hours from requested changes to the next commit or review of the same pull request."""
    commits, size = batch.commits, len(batch.pull_requests["key"])
    inside = (commits["pull_request"] >= 0) & ~np.isnat(commits["committed_at"])
    pull_request = np.concatenate([owner, commits["pull_request"][inside]])
    moment = np.concatenate([when, seconds(commits["committed_at"])[inside]])
    span = np.int64(1) << 34  # more seconds than a date has; keeps pull requests apart in one sorted column
    events = np.sort(pull_request * span + moment)
    asked = (owner * span + when)[requested]
    following = np.searchsorted(events, asked, side="right")
    answered = following < len(events)
    following, asked = following[answered], asked[answered]
    answered_by = events[following]
    same = answered_by // span == asked // span
    pull_request, waited = asked[same] // span, (answered_by - asked)[same]
    count = np.bincount(pull_request, minlength=size)
    total = np.bincount(pull_request, weights=waited, minlength=size)
    with np.errstate(invalid="ignore"):
        return half_up(total / count / 3600, 2)
