"""Rows of the table Commit."""

from tformance_seed.simulate.columns import with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.records import Columns


def commits(batch: CompleteBatch) -> Columns:
    """Return Commit rows; a row's timestamp is the time of the commit."""
    rows = dict(batch.commits)
    rows["github_sha"], rows["github_repo"] = rows.pop("sha"), rows.pop("repository")
    return with_timestamps(rows, rows["committed_at"])
