"""Bulk upserts for any Peewee model: unchanged rows are not rewritten, and each chunk is a transaction.

    >>> upsert(Model, {"team": team_ids, "date": dates, "shown": counts})
    Result(written=5000, unchanged=0, seconds=0.04)

Works with any model that has a unique key, on any backend. On PostgreSQL it uses binary COPY if the column
types allow it. It imports nothing else from this package, so it could be published on its own.
"""

from tformance_seed.bulk.conditional_update import is_distinct
from tformance_seed.bulk.conversion import FailedRow
from tformance_seed.bulk.fitting import convert_columns
from tformance_seed.bulk.job import COPY_CHUNK, PORTABLE_CHUNK
from tformance_seed.bulk.keys import Key, unique_key
from tformance_seed.bulk.results import Result, RowResult
from tformance_seed.bulk.writer import upsert

__all__ = [
    "COPY_CHUNK",
    "PORTABLE_CHUNK",
    "FailedRow",
    "Key",
    "Result",
    "RowResult",
    "convert_columns",
    "is_distinct",
    "unique_key",
    "upsert",
]
