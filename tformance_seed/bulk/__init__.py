"""Rows into the database: insert or update, in chunked transactions, without rewriting what is the same.

    >>> upsert(Model, {"team": team_ids, "date": dates, "shown": counts})
    Result(written=5000, unchanged=0)

Works on any Peewee model that has a unique key, on any backend; on PostgreSQL through binary COPY where the
column types allow. Knows models, knows no domain.
"""

from tformance_seed.bulk.columns import Rows, columns
from tformance_seed.bulk.keys import Key, unique_key
from tformance_seed.bulk.writer import COPY_CHUNK, PORTABLE_CHUNK, Result, is_distinct, upsert

__all__ = [
    "COPY_CHUNK",
    "PORTABLE_CHUNK",
    "Key",
    "Result",
    "Rows",
    "columns",
    "is_distinct",
    "unique_key",
    "upsert",
]
