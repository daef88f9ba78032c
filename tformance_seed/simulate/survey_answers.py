"""Rows of the table PRSurveyReview: reviewers' answers about a merged pull request."""

import numpy as np

from tformance_seed.catalog.calibration import GUESS_ACCURACY, QUALITY_SHARES
from tformance_seed.sampling.arrays import Floats, Ints, UInt64
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.simulate.columns import moments, nullable, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.simulate.surveys import RESPONSE_SOURCES
from tformance_seed.sources.records import Columns

#: The sequences that decide the ratings, and which guesses are right.
QUALITY_RATING, GUESS = SobolSequence("quality rating"), SobolSequence("guess")

#: Probabilities of the ``RESPONSE_SOURCES`` of reviewers' answers.
REVIEWER_SOURCES = (0.50, 0.35, 0.15)

#: Probabilities of the answers 1 to 5: clarity of the feedback, and burden of the review.
CLARITY, BURDEN = (0.03, 0.09, 0.24, 0.40, 0.24), (0.16, 0.31, 0.30, 0.16, 0.07)


def survey_answers(batch: CompleteBatch) -> Columns:
    """Return PRSurveyReview rows; ``survey`` is a row number in the result of ``surveys``."""
    prs, members, random = batch.pull_requests, batch.members, batch.profile.random
    responses = batch.responses
    owner, reviewer = responses.pull_request[responses.survey], responses.reviewer
    keys = prs["key"][owner], members.key[reviewer]
    used_ai = prs["used_ai"][owner]
    author = np.append(members.key, np.uint64(0))[prs["author"][owner]]
    is_right = _evenly_spread(GUESS, batch, owner, author) < _guess_accuracy(batch, owner)
    answered_at = moments(responses.reviewer_answered_at)
    return with_timestamps(
        {
            "survey": responses.survey,
            "reviewer": reviewer,
            "quality_rating": _quality(batch, owner),
            "ai_guess": used_ai == is_right,
            "guess_correct": nullable(is_right, responses.author_answers[responses.survey]),
            "responded_at": answered_at,
            "response_source": RESPONSE_SOURCES[random.pick("reviewer source", REVIEWER_SOURCES, *keys)],
            "feedback_clarity": 1 + random.pick("feedback clarity", CLARITY, *keys),
            "review_burden": 1 + random.pick("review burden", BURDEN, *keys),
        },
        answered_at,
    )


def _evenly_spread(
    sequence: SobolSequence, batch: CompleteBatch, owner: Ints, *keys: Ints | UInt64
) -> Floats:
    """Return numbers from 0 to 1, spread evenly over the pull requests of a repository.

    The first answers about each pull request form one series, the second answers another, and so on.
    """
    prs = batch.pull_requests
    repository = text_keys(prs["repository"])
    position = batch.responses.position
    return batch.profile.random.sobol(sequence, prs["number"][owner], repository[owner], position, *keys)


def _quality(batch: CompleteBatch, owner: Ints) -> Ints:
    """Return ratings from 1 to 3. In a scenario, each of two trials may add a point, to reach its mean."""
    u, profile = _evenly_spread(QUALITY_RATING, batch, owner), batch.profile
    best: Floats | float
    worst: Floats | float
    if profile.scenario is None:
        best, _, worst = QUALITY_SHARES
    else:
        progress = profile.progress(batch.pull_requests["ended_at"])
        point = (profile.scenario.quality.at(progress)[owner] - 1) / 2
        best, worst = point**2, (1 - point) ** 2
    return 1 + (u >= worst).astype(np.int64) + (u >= 1 - best)


def _guess_accuracy(batch: CompleteBatch, owner: Ints) -> Floats:
    """Return the probability that the guess in each answer is right."""
    prs, members, profile = batch.pull_requests, batch.members, batch.profile
    random, reviewer_key = profile.random, members.key[batch.responses.reviewer]
    guesses = profile.scenario.guesses if profile.scenario else None
    if guesses is None:
        minimum, maximum = GUESS_ACCURACY
        return random.uniform("guess rate", reviewer_key, low=minimum, high=maximum)
    author = prs["author"][owner]
    uses_ai = members.adoption_threshold[author] < profile.adoption_at(prs["ended_at"][owner])
    # In order of adoption, every second member is what they seem. A keyed random value decides which half.
    rank = np.argsort(np.argsort(members.adoption_threshold, kind="stable"), kind="stable")
    plain = (rank + random.integers("who is plain", low=0, high=1))[author] % 2 == 0
    kinds = np.array([guesses.stealthy, guesses.obvious, guesses.ai_like, guesses.human])
    bounds = kinds[np.where(uses_ai, 0, 2) + plain]
    low, high = bounds[:, 0], bounds[:, 1]
    accuracy: Floats = low + (high - low) * random.uniform("guess rate", reviewer_key, members.key[author])
    return accuracy
