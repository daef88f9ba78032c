"""Rows of the table PRFile."""

from tformance_seed.simulate.columns import with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.records import Columns


def files(batch: CompleteBatch) -> Columns:
    """Return PRFile rows; a row's timestamp is the end of its pull request."""
    rows = batch.files
    ended_at = batch.pull_requests["ended_at"][rows["pull_request"]]
    return with_timestamps({**rows, "changes": rows["additions"] + rows["deletions"]}, ended_at)
