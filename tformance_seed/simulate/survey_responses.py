"""Survey responses: who answers the survey about a merged pull request, and when."""

from dataclasses import dataclass

import numpy as np

from tformance_seed.catalog.calibration import (
    AUTHOR_RESPONSE_HOURS,
    REVIEWER_RESPONSE_HOURS,
    REVIEWER_RESPONSE_RATE,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Times
from tformance_seed.simulate.columns import seconds
from tformance_seed.sources.records import AI_NONE, Columns, Members

#: A member who has been active for this long has used AI tools by now, if they use any.
SETTLED = np.timedelta64(14, "D")


@dataclass(frozen=True)
class SurveyResponses:
    """The surveys of a batch and the people who answer them; times are in seconds since 1970.

    A survey appears together with its answers, and only if the last answer is within the window.
    """

    pull_request: Ints  #: per survey
    author_answers: Booleans  #: per survey
    author_answered_at: Ints  #: per survey; meaningless if the author does not answer
    survey: Ints  #: per reviewer's answer, ordered by pull request and reviewer
    reviewer: Ints  #: per reviewer's answer
    reviewer_answered_at: Ints  #: per reviewer's answer


def simulate_responses(prs: Columns, reviews: Columns, members: Members, profile: Profile) -> SurveyResponses:
    """Return the responses to the surveys, one survey per merged pull request whose author is a member.

    Parameters:
      prs: pull requests, with their times filled in.
    """
    random, key = profile.random, prs["key"]
    merged = (prs["state"] == b"merged") & (prs["author"] >= 0)
    merged_at = seconds(prs["merged_at"])
    author_answers = random.chance("author answers", profile.organisation.survey_response_rate, key)
    author_answers &= _is_credible(prs, members, profile)
    author_delay = _seconds_within(AUTHOR_RESPONSE_HOURS, random.uniform("author answer", key))

    owner, reviewer = _reviewer_pairs(reviews, len(members))
    answers = merged[owner] & random.chance(
        "reviewer answers", REVIEWER_RESPONSE_RATE, key[owner], members.key[reviewer]
    )
    owner, reviewer = owner[answers], reviewer[answers]
    reviewer_delay = _seconds_within(
        REVIEWER_RESPONSE_HOURS, random.uniform("reviewer answer", key[owner], members.key[reviewer])
    )
    reviewer_answered_at = merged_at[owner] + reviewer_delay

    last = np.where(author_answers, merged_at + author_delay, merged_at)
    np.maximum.at(last, owner, reviewer_answered_at)
    surveyed = np.flatnonzero(merged & (last < seconds(np.asarray(profile.end))))
    survey_of = np.full(len(merged), -1)
    survey_of[surveyed] = np.arange(len(surveyed))
    appears = survey_of[owner] >= 0
    return SurveyResponses(
        pull_request=surveyed,
        author_answers=author_answers[surveyed],
        author_answered_at=(merged_at + author_delay)[surveyed],
        survey=survey_of[owner[appears]],
        reviewer=reviewer[appears],
        reviewer_answered_at=reviewer_answered_at[appears],
    )


def _is_credible(prs: Columns, members: Members, profile: Profile) -> Booleans:
    """Return where the author's answer would be consistent with their use of AI tools; others do not answer.

    Generated pull requests are always consistent. In a real history, AI may be found in the work of members
    who were not drawn as users of AI tools.
    """
    uses_ai = members.uses_ai(prs["author"], profile.adoption_at(prs["ended_at"]))
    if members.activity is not None:
        ended_at: Times = prs["ended_at"]
        recent = members.activity.commits_before(ended_at - SETTLED)
        uses_ai &= recent[np.arange(len(uses_ai)), prs["author"]] > 0
    without_ai: Booleans = prs["ai_kind"] == AI_NONE
    return uses_ai | without_ai


def _seconds_within(hours: tuple[int, int], u: Floats) -> Ints:
    """Return delays in seconds between a minimum and a maximum given in hours; ``u`` is from 0 to 1."""
    low, high = hours
    return np.floor((low + (high - low) * u) * 3600).astype(np.int64)


def _reviewer_pairs(reviews: Columns, members: int) -> tuple[Ints, Ints]:
    """Return the distinct pairs of a pull request and a member who reviewed it, in order."""
    by_member = reviews["reviewer"] >= 0
    pairs = np.unique(reviews["pull_request"][by_member] * members + reviews["reviewer"][by_member])
    return pairs // max(members, 1), pairs % max(members, 1)
