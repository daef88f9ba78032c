"""The choice of reviewers for a pull request."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.sources.records import Activity, Columns, Members

#: Probabilities of 0, 1, 2 rounds of requested changes before the last review.
ROUNDS = (0.68, 0.24, 0.08)

#: Probabilities of 1, 2, 3 reviewers: normally, and if a scenario has a top reviewer.
REVIEWERS = (0.62, 0.28, 0.10)
REVIEWERS_OF_BOTTLENECK = (0.85, 0.12, 0.03)

#: Number of candidates drawn per pull request. The last few are accepted even if author and reviewer are not
#: close, so that a reviewer is found.
CANDIDATES, CANDIDATES_NOT_CLOSE = 12, 4

#: The sequence that decides whether the top reviewer gives the final verdict.
LED = SobolSequence("led")


def has_candidates(prs: Columns, members: Members) -> Booleans:
    """Return which pull requests could have been reviewed by a member other than the author."""
    if members.activity is None:
        others: Booleans = len(members) > (prs["author"] >= 0)
        return others
    found: Booleans = np.any(_commits_of_others(prs, members.activity), axis=1)
    return found


def reviewer_count_weights(profile: Profile) -> tuple[float, ...]:
    """Return the probabilities of 1, 2, 3 reviewers."""
    bottleneck = profile.scenario is not None and profile.scenario.top_reviewer_share is not None
    return REVIEWERS_OF_BOTTLENECK if bottleneck else REVIEWERS


def choose_reviewers(prs: Columns, members: Members, profile: Profile) -> tuple[Ints, Ints]:
    """Return up to three distinct reviewers for each pull request, never its author, and how many there are.

    The first array is pull requests x 3; unused slots are -1.
    """
    if members.activity is not None:
        return _active_reviewers(prs, members, members.activity, profile)
    return _drawn_reviewers(prs, members, profile)


def _commits_of_others(prs: Columns, activity: Activity) -> Ints:
    """Return the recent commits of each member except the author, who gets 0: pull requests x members."""
    recent = activity.commits_before(prs["ended_at"])
    by_members = np.flatnonzero(prs["author"] >= 0)
    recent[by_members, prs["author"][by_members]] = 0
    return recent


def _active_reviewers(
    prs: Columns, members: Members, activity: Activity, profile: Profile
) -> tuple[Ints, Ints]:
    """Choose among the members who committed recently, in proportion to their number of recent commits.

    The greatest values of u ** (1 / weight) are a weighted sample without replacement (Efraimidis and
    Spirakis, 2006). No member's value depends on which other members there are.
    """
    weight = _commits_of_others(prs, activity)
    u = profile.random.uniform("reviewer", prs["key"][:, None], members.key)
    with np.errstate(divide="ignore"):
        score = np.where(weight > 0, np.log(u) / weight, -np.inf)
    best = np.argsort(-score, axis=1, kind="stable")[:, : len(REVIEWERS)]
    chosen = np.full((len(weight), len(REVIEWERS)), -1, dtype=np.int64)
    chosen[:, : best.shape[1]] = best
    return chosen, np.minimum((weight > 0).sum(axis=1), len(REVIEWERS))


def _drawn_reviewers(prs: Columns, members: Members, profile: Profile) -> tuple[Ints, Ints]:
    """Choose reviewers in a team whose members do not change over time.

    Candidates are drawn in proportion to their weight, or evenly in a scenario, where the work is divided
    evenly. How close author and candidate are decides whether the candidate is accepted.
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
    accepted = random.uniform("reviewer taken", key[:, None], attempt) < closeness * closeness
    accepted |= attempt >= CANDIDATES - CANDIDATES_NOT_CLOSE
    top, reviewed_by_top = _top_reviewer(prs, members, profile)
    chosen[reviewed_by_top, 0] = top
    found[reviewed_by_top] = 1
    own = np.flatnonzero((author == top) & (prs["state"] == b"open"))  # the others take turns
    turn = random.sobol(LED, prs["number"][own], text_keys(prs["repository"][own]))
    chosen[own, 0] = (top + 1 + np.floor(turn * (size - 1)).astype(np.int64)) % max(size, 1)
    found[own] = size > 1
    for column in range(CANDIDATES):
        candidate = candidates[:, column]
        free = (candidate != author) & (candidate != top) & (chosen != candidate[:, None]).all(axis=1)
        rows = np.flatnonzero(free & accepted[:, column] & (found < chosen.shape[1]))
        chosen[rows, found[rows]] = candidate[rows]
        found[rows] += 1
    rows = np.flatnonzero((found == 0) & (size > (author >= 0)))
    step = 1 + random.random_bits("reviewer at last", key[rows]) % np.uint64(max(size - 1, 1))
    chosen[rows, 0] = (author[rows] + step.astype(np.int64)) % size
    found[rows] = 1
    return chosen, found


def _top_reviewer(prs: Columns, members: Members, profile: Profile) -> tuple[int, Booleans]:
    """Return the top reviewer (-1 if the scenario has none), and which pull requests they review.

    The probability is chosen so that this member does the scenario's share of all reviews, counting those of
    the member's own pull requests, which others do. What is still open waits for them.
    """
    share = profile.scenario.top_reviewer_share if profile.scenario else None
    if share is None:
        return -1, np.zeros(len(prs["key"]), dtype=np.bool_)
    top = int(np.argmax(profile.random.uniform("top reviewer", members.key)))
    by_top = 1 + sum(chance * rounds for rounds, chance in enumerate(ROUNDS))
    by_others = sum(chance * others for others, chance in enumerate(reviewer_count_weights(profile)))
    share /= 1 - 1 / len(members)  # as a share of the reviews of others' pull requests
    chance = share * (by_top + by_others) / by_top
    waiting_share = (profile.scenario and profile.scenario.open_share) or 0.0
    chance = (chance - waiting_share) / (1 - waiting_share)
    u = profile.random.sobol(LED, prs["number"], text_keys(prs["repository"]))
    waiting = prs["state"] == b"open"
    return top, ((u < chance) | waiting) & (prs["author"] != top)
