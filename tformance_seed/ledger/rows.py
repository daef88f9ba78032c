"""Whether the rows that a job wrote are still there: another program may have emptied a table meanwhile."""

from collections import Counter

import peewee
from peewee import fn

from tformance_seed.bulk.peewee_internals import fields_by_name, table_name
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.errors import SeedError
from tformance_seed.ledger.teams import CHILDREN
from tformance_seed.storage.models import DailyInsight, ReviewerCorrelation, SeedTask, WeeklyMetrics

#: Tables whose rows are upserted. In the others, the rows that a computation deletes count as written.
UPSERTED = tuple(
    model for model in CHILDREN if model not in (WeeklyMetrics, ReviewerCorrelation, DailyInsight)
)


def _count(_database: peewee.Database, value: Parameters) -> peewee.Select:
    counts = [
        model.select(fn.COUNT(model.id)).where(fields_by_name(model)["team"] == value("team"))
        for model in UPSERTED
    ]
    names = map(table_name, UPSERTED)
    return peewee.Select(columns=[count.alias(name) for count, name in zip(counts, names, strict=True)])


_COUNT = PreparedStatement(_count)


def table_with_lost_rows(database: peewee.Database, job: int, team_id: int) -> str | None:
    """Return the first table with fewer of a team's rows than the job's tasks wrote there; None if none has.

    Parameters:
      job: the id of the job.
    """
    recorded: Counter[str] = Counter()
    tasks = SeedTask.select(SeedTask.tables).where(SeedTask.job == job).tuples()
    for (tables,) in tasks.iterator(database):
        recorded.update({name: written + unchanged for name, (written, unchanged, _) in tables.items()})
    present = _COUNT(database, team=team_id).fetchone()
    counted = zip(map(table_name, UPSERTED), present, strict=True)
    return next((name for name, rows in counted if rows < recorded[name]), None)


def check_rows(database: peewee.Database, job: int, team_id: int, slug: str) -> None:
    """Check that the rows that a job wrote for a team are still there.

    Raises:
      SeedError: some are not.
    """
    if table := table_with_lost_rows(database, job, team_id):
        raise SeedError(
            f"rows of {table} were removed while {slug} was being seeded; "
            f"seed it again: tformance-seed seed {slug}"
        )
