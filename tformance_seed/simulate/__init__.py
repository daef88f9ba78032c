"""What nobody can observe: times, reviews, checks, comments, surveys, usage, Jira. Pure functions of keys.

A row appears when its story is complete within the window, and never changes after that. Columns are named
by the fields of their model; a reference holds the row of what it refers to, -1 for NULL.
"""

from tformance_seed.catalog.profile import Profile
from tformance_seed.simulate import (
    check_runs as checks,
)
from tformance_seed.simulate import (
    comments,
    deployments,
    jira,
    reviews,
    surveys,
    timing,
)
from tformance_seed.simulate import (
    pull_requests as tables,
)
from tformance_seed.sources.records import Batch, Columns, Members

__all__ = ["simulate"]


def simulate(batch: Batch, members: Members, profile: Profile) -> dict[str, Columns]:
    """All rows that a batch makes: model name -> columns by field, without ``id`` and ``team``.

    Completes ``batch`` in place. ``pull_request`` is a row of the batch, ``survey`` a row of PRSurvey,
    everybody a row of ``members``; -1 is NULL, as are NaN, NaT and what is masked.
    """
    timing.fill_times(batch, members, profile)
    batch.pull_requests["jira_key"] = jira.simulated_key(batch.pull_requests, profile)
    reviewed = reviews.reviews(batch, members, profile)
    commented = comments.comments(batch, profile, reviewed)
    asked, answered = surveys.surveys(batch, members, profile, reviewed)
    return {
        "PullRequest": tables.pull_requests(batch, members, profile),
        "Commit": tables.commits(batch),
        "PRFile": tables.files(batch),
        "PRReview": reviewed,
        "PRCheckRun": checks.check_runs(batch, profile),
        "PRComment": commented,
        "Deployment": deployments.deployments(batch, profile),
        "PRSurvey": asked,
        "PRSurveyReview": answered,
    }
