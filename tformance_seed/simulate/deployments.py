"""Deployments: the environments to which a merged pull request was deployed, and when."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.ragged import expand_counts, group_offsets
from tformance_seed.simulate.columns import moments, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.records import Batch, Columns

#: Share of merged pull requests that are deployed individually.
DEPLOYED = 0.3

#: Probabilities of deploying to production only, to staging only, and to staging and then production.
ROUTE_CHANCES = (0.35, 0.15, 0.5)
PRODUCTION, STAGING, BOTH = range(3)

#: Seconds from the merge to staging; and from staging (or from the merge, if there is no staging) to
#: production (minimum and maximum).
TO_STAGING, TO_PRODUCTION = (300, 3600), (1200, 26 * 3600)

ENVIRONMENTS = np.array([b"staging", b"production"])
STATUSES = np.array([b"success", b"failure", b"error"])
STATUS_CHANCES = (0.93, 0.05, 0.02)


def simulate_deployments(batch: Batch, profile: Profile) -> Columns:
    """Return deployments for a share of the merged pull requests that have commits.

    Each deploys the last commit; its creator is the pull request's author. The columns are
    ``DEPLOYMENT_COLUMNS``. The times of the batch must be filled in.
    """
    prs, commits, random = batch.pull_requests, batch.commits, profile.random
    start, count = group_offsets(commits["pull_request"], len(prs["key"]))
    deployed = (prs["state"] == b"merged") & (count > 0) & random.chance("deployed", DEPLOYED, prs["key"])
    route = random.pick("deployment way", ROUTE_CHANCES, prs["key"])
    owner, position = expand_counts(np.where(deployed, 1 + (route == BOTH), 0))
    key = prs["key"][owner]
    production = np.where(route[owner] == BOTH, position == 1, route[owner] == PRODUCTION)
    to_staging = random.integers("to staging", key, low=TO_STAGING[0], high=TO_STAGING[1])
    to_production = random.integers("to production", key, low=TO_PRODUCTION[0], high=TO_PRODUCTION[1])
    when = seconds(prs["merged_at"])[owner]
    when = when + np.where(route[owner] != PRODUCTION, to_staging, 0) + np.where(production, to_production, 0)
    deployed_at = moments(when)
    rows = {
        "pull_request": owner,
        "github_deployment_id": random.identifier("deployment", key, position),
        "repository": prs["repository"][owner],
        "environment": ENVIRONMENTS[production.astype(np.int64)],
        "status": STATUSES[random.pick("deployment status", STATUS_CHANCES, key, position)],
        "deployed_at": deployed_at,
        "sha": commits["sha"][(start + count - 1)[owner]],
        "creator": prs["author"][owner],
    }
    happened = deployed_at < profile.end
    return {name: column[happened] for name, column in rows.items()}


def deployments(batch: CompleteBatch) -> Columns:
    """Return Deployment rows; a row's timestamp is the time of the deployment."""
    rows = dict(batch.deployments)
    rows["github_repo"] = rows.pop("repository")
    return with_timestamps(rows, rows["deployed_at"])
