"""Profiles and histories of the generated source."""

import dataclasses
import datetime
import functools

import numpy as np

from tformance_seed.catalog import Organisation, load_organisations, load_scenarios
from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.records import Batch, join
from tformance_seed.sources.synthetic import SyntheticSource

SINCE, UNTIL = datetime.date(2025, 7, 1), datetime.date(2025, 12, 31)
DAY = datetime.timedelta(days=1)


def make_profile(
    slug: str = "polar",
    seed: int = 7,
    since: datetime.date = SINCE,
    until: datetime.date = UNTIL,
    own: dict | None = None,
    **values,
) -> Profile:
    organisation = dataclasses.replace(load_organisations()[slug], **(own or {}))
    values = {"members": organisation.members, "adoption": organisation.ai_adoption_rate, **values}
    return Profile(organisation, seed, since, until, **values)


def scenario_profile(name: str, seed: int = 7) -> Profile:
    organisation = Organisation(name, name, (f"{name}/app",), jira_project_key="DEMO")
    since = datetime.date(2025, 10, 6)
    members = load_scenarios()[name].members
    return Profile(organisation, seed, since, since + 55 * DAY, members, scenario=load_scenarios()[name])


def read(profile: Profile, size: int = 5000, first: int = 0) -> Batch:
    """Return all pull requests from a position on as one batch, read in batches of a size."""
    source = SyntheticSource(profile)
    starts = range(first, source.length, size)
    batches = [batch for start in starts for batch in source.batches(start, min(start + size, source.length))]
    return join(batches)


@functools.cache
def read_large(slug: str, share: float | None, seed: int = 7) -> Batch:
    return read(make_profile(slug, seed, own={"ai_pr_share": share}, prs=20_000))


def lines_of(batch: Batch) -> np.ndarray:
    return batch.pull_requests["additions"] + batch.pull_requests["deletions"]


def rows_by_number(batch: Batch) -> dict[tuple[bytes, int], dict]:
    """Return all values of each pull request and of its commits and files, by repository and number."""
    prs = batch.pull_requests
    found = {}
    tables = []
    for table in (batch.commits, batch.files):
        starts = np.searchsorted(table["pull_request"], np.arange(len(prs["key"]) + 1))
        names = [name for name in table if name != "pull_request"]
        tables.append((starts, {name: table[name].tolist() for name in names}))
    columns = {name: values.tolist() for name, values in prs.items()}
    for row in range(len(prs["key"])):
        children = [
            {name: values[starts[row] : starts[row + 1]] for name, values in table.items()}
            for starts, table in tables
        ]
        found[prs["repository"][row], int(prs["number"][row])] = {
            "row": [values[row] for values in columns.values()],
            "children": children,
        }
    return found
