"""Complete a batch: simulate the data that its source did not observe, and keep the data that it did."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.simulate.ai_use import simulate_ai_use
from tformance_seed.simulate.check_runs import simulate_check_runs
from tformance_seed.simulate.comments import simulate_comments
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.simulate.deployments import simulate_deployments
from tformance_seed.simulate.jira import simulate_keys
from tformance_seed.simulate.reviews import review_outcomes, simulate_reviews
from tformance_seed.simulate.survey_responses import simulate_responses
from tformance_seed.simulate.timing import fill_times
from tformance_seed.sources.records import Batch, Members


def complete(batch: Batch, members: Members, profile: Profile) -> CompleteBatch:
    """Return a batch with all the data that its rows need; fills columns of ``batch`` in place.

    The counts, times and outcomes of pull requests follow from their reviews and comments, whether observed
    or simulated.
    """
    prs = batch.pull_requests
    fill_times(batch, members, profile)
    prs["jira_key"] = simulate_keys(prs, profile)
    if "used_ai" not in prs:
        prs["used_ai"] = simulate_ai_use(batch, members, profile)
    reviews = batch.reviews
    if reviews is None:
        reviews = simulate_reviews(batch, members, profile)
    else:  # the application fails at a decision by nobody
        reviews["state"] = np.where(reviews["reviewer"] < 0, b"commented", reviews["state"])
    comments = batch.comments
    if comments is None:
        comments = simulate_comments(batch, reviews, profile)
    prs |= review_outcomes(prs, batch.commits, reviews, comments)
    check_runs = batch.check_runs
    if check_runs is None:
        check_runs = simulate_check_runs(batch, profile)
    deployments = batch.deployments
    if deployments is None:
        deployments = simulate_deployments(batch, profile)
    return CompleteBatch(
        members=members,
        profile=profile,
        pull_requests=prs,
        commits=batch.commits,
        files=batch.files,
        reviews=reviews,
        check_runs=check_runs,
        comments=comments,
        deployments=deployments,
        responses=simulate_responses(prs, reviews, members, profile),
    )
