"""Survey responses: who answers the survey about a merged pull request, and when."""

from dataclasses import dataclass

import numpy as np

from tformance_seed.catalog.calibration import (
    AUTHOR_RESPONSE_HOURS,
    REVIEWER_RESPONSE_HOURS,
    REVIEWER_RESPONSE_RATE,
    SCENARIO_RESPONSE_HOURS,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints
from tformance_seed.simulate.ai_use import is_user
from tformance_seed.simulate.columns import seconds
from tformance_seed.sources.records import Columns, Members


@dataclass(frozen=True)
class SurveyResponses:
    """The surveys of a batch and the people who answer them; times are in seconds since 1970.

    A survey appears with its author's answer, if that is within the window; then reviewers' answers appear.
    """

    pull_request: Ints  #: per survey
    is_automatic: Booleans  #: per survey: answered at the merge, since an AI tool signed a commit
    author_answers: Booleans  #: per survey
    author_answered_at: Ints  #: per survey; meaningless if the author does not answer
    survey: Ints  #: per reviewer's answer, ordered by pull request and reviewer
    reviewer: Ints  #: per reviewer's answer
    position: Ints  #: per reviewer's answer: among those to its survey, whether or not they have come in yet
    reviewer_answered_at: Ints  #: per reviewer's answer


def simulate_responses(prs: Columns, reviews: Columns, members: Members, profile: Profile) -> SurveyResponses:
    """Return the responses to the surveys, one survey per merged pull request whose author is a member.

    In a scenario every author answers, so that its curve shows in the answers.

    Parameters:
      prs: pull requests, with their times filled in, and ``used_ai``.
    """
    random, key, scenario = profile.random, prs["key"], profile.scenario is not None
    merged = (prs["state"] == b"merged") & (prs["author"] >= 0)
    merged_at = seconds(prs["merged_at"])
    rate = 1.0 if scenario else profile.organisation.survey_response_rate
    answers_self = random.chance("author answers", rate, key) & _is_credible(prs, members, profile)
    hours = SCENARIO_RESPONSE_HOURS if scenario else AUTHOR_RESPONSE_HOURS
    delay = _seconds_within(hours, random.uniform("author answer", key))
    is_automatic: Booleans = prs["has_ai_commits"]
    author_answers = is_automatic | answers_self
    author_answered_at = merged_at + np.where(is_automatic, 0, delay)

    end = seconds(np.asarray(profile.end))
    surveyed = np.flatnonzero(merged & (np.where(author_answers, author_answered_at, merged_at) < end))
    survey_of = np.full(len(merged), -1)
    survey_of[surveyed] = np.arange(len(surveyed))

    owner, reviewer = _reviewer_pairs(reviews, len(members))
    answers = random.chance("reviewer answers", REVIEWER_RESPONSE_RATE, key[owner], members.key[reviewer])
    answers &= survey_of[owner] >= 0
    owner, reviewer = owner[answers], reviewer[answers]
    u = random.uniform("reviewer answer", key[owner], members.key[reviewer])
    reviewer_answered_at = merged_at[owner] + _seconds_within(REVIEWER_RESPONSE_HOURS, u)
    happened = reviewer_answered_at < end
    position = np.arange(len(owner)) - np.searchsorted(owner, owner)
    return SurveyResponses(
        pull_request=surveyed,
        is_automatic=is_automatic[surveyed],
        author_answers=author_answers[surveyed],
        author_answered_at=author_answered_at[surveyed],
        survey=survey_of[owner[happened]],
        reviewer=reviewer[happened],
        position=position[happened],
        reviewer_answered_at=reviewer_answered_at[happened],
    )


def _is_credible(prs: Columns, members: Members, profile: Profile) -> Booleans:
    """Return where the author's answer would be consistent with their use of AI tools; others do not answer.

    Only in a real history may AI be found in the work of members who were not drawn as users of AI tools.
    """
    without_ai: Booleans = ~prs["used_ai"]
    return without_ai | is_user(prs["author"], prs["ended_at"], members, profile)


def _seconds_within(hours: tuple[int, int], u: Floats) -> Ints:
    """Return delays in seconds between a minimum and a maximum given in hours; ``u`` is from 0 to 1."""
    low, high = hours
    return np.floor((low + (high - low) * u) * 3600).astype(np.int64)


def _reviewer_pairs(reviews: Columns, members: int) -> tuple[Ints, Ints]:
    """Return the distinct pairs of a pull request and a member who reviewed it, in order."""
    by_member = reviews["reviewer"] >= 0
    pairs = np.unique(reviews["pull_request"][by_member] * members + reviews["reviewer"][by_member])
    return pairs // max(members, 1), pairs % max(members, 1)
