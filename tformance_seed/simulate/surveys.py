"""Surveys: what the author and the reviewers of a merged pull request said about it."""

import numpy as np

from tformance_seed.catalog.calibration import (
    AUTHOR_RESPONSE_HOURS,
    GUESS_ACCURACY,
    QUALITY_SHARES,
    REVIEWER_RESPONSE_HOURS,
    REVIEWER_RESPONSE_RATE,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom, text_keys
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.simulate.columns import Booleans, Integers, moments, nullable, seconds, stamped
from tformance_seed.sources.records import AI_NONE, Batch, Columns, Members

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

#: What decides ratings, and which guesses are right.
QUALITY_RATING, GUESS = SobolSequence("quality rating"), SobolSequence("guess")

#: How much of the AI's work was changed, with chances; "na" where there was none.
EFFORTS = np.array([b"none", b"minor", b"moderate", b"major"])
EFFORT_CHANCES = (0.10, 0.40, 0.35, 0.15)

#: Where answers come from: of authors; of authors whose AI was found, some without asking; of reviewers.
SOURCES = np.array([b"github", b"slack", b"web", b"auto"])
AUTHOR_SOURCES, ASSISTED_SOURCES = (0.50, 0.35, 0.15, 0.0), (0.40, 0.30, 0.10, 0.20)
REVIEWER_SOURCES = (0.50, 0.35, 0.15, 0.0)

#: Chances of 1 to 5: how clear the feedback was, how heavy the review.
CLARITY, BURDEN = (0.03, 0.09, 0.24, 0.40, 0.24), (0.16, 0.31, 0.30, 0.16, 0.07)

#: Somebody who was there this long has used their AI tools by now, if they use any.
SETTLED = np.timedelta64(14, "D")

#: Seconds for which a link to the survey is good.
TOKEN_LIFE = 7 * 86400


def surveys(batch: Batch, members: Members, profile: Profile, reviews: Columns) -> tuple[Columns, Columns]:
    """A survey for each pull request that a member merged, and the answers of its reviewers.

    A survey appears with its answers, once the last of them has come in within the window. The answers'
    ``survey`` is a row of the first table.
    """
    prs, random = batch.pull_requests, profile.random
    merged = (prs["state"] == b"merged") & (prs["author"] >= 0)
    when = seconds(prs["merged_at"])
    answered = random.chance("author answers", profile.organisation.survey_response_rate, prs["key"])
    answered &= _credible(prs, members, profile)
    answer = when + _within(random.uniform("author answer", prs["key"]), AUTHOR_RESPONSE_HOURS)

    owner, reviewer = _pairs(reviews, len(members))
    keys = prs["key"][owner], members.key[reviewer]
    answers = merged[owner] & random.chance("reviewer answers", REVIEWER_RESPONSE_RATE, *keys)
    owner, reviewer = owner[answers], reviewer[answers]
    reply = when[owner] + _within(
        random.uniform("reviewer answer", prs["key"][owner], members.key[reviewer]), REVIEWER_RESPONSE_HOURS
    )
    last = np.where(answered, answer, when)
    np.maximum.at(last, owner, reply)
    rows = np.flatnonzero(merged & (last < seconds(np.asarray(profile.end))))
    survey = np.full(len(merged), -1)
    survey[rows] = np.arange(len(rows))
    shown = survey[owner] >= 0
    return (
        _surveys(prs, rows, answered[rows], answer[rows], profile),
        _answers(prs, members, owner[shown], reviewer[shown], reply[shown], profile)
        | {"survey": survey[owner[shown]]},
    )


def _credible(prs: Columns, members: Members, profile: Profile) -> Booleans:
    """Where the author's answer agrees with their use of AI tools; where not, they kept silent.

    Generated pull requests agree by themselves. In a real history AI is found where nobody drew it.
    """
    uses = members.uses_ai(prs["author"], profile.adoption_at(prs["ended_at"]))
    if members.activity is not None:
        recent = members.activity.before(prs["ended_at"] - SETTLED)
        uses &= recent[np.arange(len(uses)), prs["author"]] > 0
    return uses | (prs["ai_kind"] == AI_NONE)


def _within(u: Floats, hours: tuple[int, int]) -> Integers:
    least, most = hours
    return np.floor((least + (most - least) * u) * 3600).astype(np.int64)


def _pairs(reviews: Columns, members: int) -> tuple[Integers, Integers]:
    """Each pull request with each person who reviewed it, once."""
    people = reviews["reviewer"] >= 0
    pairs = np.unique(reviews["pull_request"][people] * members + reviews["reviewer"][people])
    return pairs // max(members, 1), pairs % max(members, 1)


def _spread(
    sequence: SobolSequence, random: KeyedRandom, prs: Columns, owner: Integers, *keys: Integers | UInt64
) -> Floats:
    """Evenly spread over the pull requests of a repository, for each of the answers about one by itself."""
    repository = text_keys(prs["repository"])
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    return random.sobol(sequence, prs["number"][owner], repository[owner], place, *keys)


def _surveys(prs: Columns, rows: Integers, answered: Booleans, answer: Integers, profile: Profile) -> Columns:
    random, key, merged_at = profile.random, prs["key"][rows], prs["merged_at"][rows]
    assisted = prs["ai_kind"][rows] != AI_NONE
    effort = EFFORTS[random.pick("modification effort", EFFORT_CHANCES, key)]
    source = np.where(
        assisted,
        random.pick("author source", ASSISTED_SOURCES, key),
        random.pick("author source", AUTHOR_SOURCES, key),
    )
    token = np.char.add(
        random.hexadecimal("survey token", key), random.hexadecimal("survey token end", key).astype("S24")
    )
    return stamped(
        {
            "pull_request": rows,
            "author": prs["author"][rows],
            "author_ai_assisted": nullable(assisted, answered),
            "author_responded_at": moments(answer, answered),
            "ai_modification_effort": nullable(np.where(assisted, effort, b"na"), answered),
            "author_response_source": nullable(SOURCES[source], answered),
            "github_comment_id": random.identifier("survey comment", key),
            "token": token,
            "token_expires_at": moments(seconds(merged_at) + TOKEN_LIFE),
        },
        merged_at,
    )


def _answers(
    prs: Columns,
    members: Members,
    owner: Integers,
    reviewer: Integers,
    reply: Integers,
    profile: Profile,
) -> Columns:
    random = profile.random
    keys = prs["key"][owner], members.key[reviewer]
    truth = prs["ai_kind"][owner] != AI_NONE
    author = np.append(members.key, np.uint64(0))[prs["author"][owner]]
    guess = _spread(GUESS, random, prs, owner, author)
    right = guess < _guess_rate(prs, members, owner, reviewer, profile)
    return stamped(
        {
            "reviewer": reviewer,
            "quality_rating": _quality(prs, owner, profile),
            "ai_guess": truth == right,
            "guess_correct": right,
            "responded_at": moments(reply),
            "response_source": SOURCES[random.pick("reviewer source", REVIEWER_SOURCES, *keys)],
            "feedback_clarity": 1 + random.pick("feedback clarity", CLARITY, *keys),
            "review_burden": 1 + random.pick("review burden", BURDEN, *keys),
        },
        moments(reply),
    )


def _quality(prs: Columns, owner: Integers, profile: Profile) -> Integers:
    """Ratings of 1 to 3; a scenario's mean is met by two throws, each of which can add a point."""
    u = _spread(QUALITY_RATING, profile.random, prs, owner)
    if profile.scenario is None:
        best, _, worst = QUALITY_SHARES
    else:
        point = (profile.scenario.quality.at(profile.progress(prs["ended_at"]))[owner] - 1) / 2
        best, worst = point**2, (1 - point) ** 2
    return 1 + (u >= worst).astype(np.int64) + (u >= 1 - best)


def _guess_rate(
    prs: Columns, members: Members, owner: Integers, reviewer: Integers, profile: Profile
) -> Floats:
    """The chance that each guess is right."""
    random = profile.random
    guesses = profile.scenario.guesses if profile.scenario else None
    if guesses is None:
        low, high = GUESS_ACCURACY
        return random.uniform("guess rate", members.key[reviewer], low=low, high=high)
    author = prs["author"][owner]
    uses_ai = members.adoption_threshold[author] < profile.adoption_at(prs["ended_at"][owner])
    # Every second member, in order of adoption, is what they seem; which half is keyed.
    rank = np.argsort(np.argsort(members.adoption_threshold, kind="stable"), kind="stable")
    plain = (rank + random.integers("who is plain", low=0, high=1))[author] % 2 == 0
    kinds = np.array([guesses.stealthy, guesses.obvious, guesses.ai_like, guesses.human])
    low, high = kinds[np.where(uses_ai, 0, 2) + plain].T
    return low + (high - low) * random.uniform("guess rate", members.key[reviewer], members.key[author])
