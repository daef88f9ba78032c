"""A batch without gaps, observed or simulated: the input of the row builders."""

from dataclasses import dataclass

from tformance_seed.catalog.profile import Profile
from tformance_seed.simulate.survey_responses import SurveyResponses
from tformance_seed.sources.records import Columns, Members


@dataclass(frozen=True)
class CompleteBatch:
    """The tables of a batch, none of them optional, with the members and the profile that they refer to.

    Pull requests have the columns of the record, including ``used_ai``, plus these columns of their table:
    ``first_review_at``, ``merged_at``, ``cycle_time_hours``, ``review_time_hours``, ``has_ai_review``,
    ``review_rounds``, ``commits_after_first_review``, ``avg_fix_response_hours`` and ``total_comments``.
    """

    members: Members
    profile: Profile
    pull_requests: Columns
    commits: Columns
    files: Columns
    reviews: Columns
    check_runs: Columns
    comments: Columns
    deployments: Columns
    responses: SurveyResponses
