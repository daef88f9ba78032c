"""Count the use of AI tools as their vendors record it."""

from collections.abc import Sequence

import peewee
from peewee import fn

from tformance_seed.report.daily.counts import Counts, rows_of
from tformance_seed.storage.models import AIUsageDaily


def usage(database: peewee.Database, teams: Sequence[int]) -> Counts:
    """Count days on which a member used a tool, by the source of the record."""
    columns = (AIUsageDaily.team, AIUsageDaily.date, AIUsageDaily.source)
    query = AIUsageDaily.select(*columns, fn.COUNT(AIUsageDaily.id))
    rows = rows_of(database, query.where(AIUsageDaily.team.in_(list(teams))).group_by(*columns))
    return Counts({"source": sorted({source for _, _, source, _ in rows})}, ("count",), rows)
