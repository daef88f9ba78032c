"""Delete the rows of a scope that are not among those just written."""

import functools
import operator
from collections.abc import Collection
from typing import Any

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute, execute_sql, primary_key_fields
from tformance_seed.bulk.postgresql import table_sql

#: Rows deleted by one statement.
DELETED_AT_ONCE = 500


def lock_table(database: peewee.Database, model: type[peewee.Model]) -> None:
    """Wait for other transactions that synchronise the same table, on PostgreSQL.

    Each would delete rows that another has written and locked, so they would deadlock. Whether two conditions
    select the same rows cannot be told from them, so it is the table that is locked, for this alone.
    """
    if is_postgresql(database):
        lock = "SELECT pg_advisory_xact_lock(hashtextextended('tformance sync ' || %s::regclass::oid, 0))"
        execute_sql(database, lock, (table_sql(model),))


def delete_others(
    database: peewee.Database,
    model: type[peewee.Model],
    scope: peewee.Expression,
    kept: Collection[tuple[Any, ...]],
) -> int:
    """Delete the rows that a condition selects, except those with the given primary keys; return their
    number.
    """
    fields = primary_key_fields(model)
    found = peewee.ModelSelect(model, fields).where(scope).tuples().execute(database)
    gone = [row for row in found if tuple(row) not in kept]
    for start in range(0, len(gone), DELETED_AT_ONCE):
        part = gone[start : start + DELETED_AT_ONCE]
        if len(fields) == 1:
            condition = fields[0].in_([value for (value,) in part])
        else:
            rows = ([field == value for field, value in zip(fields, row, strict=True)] for row in part)
            condition = functools.reduce(operator.or_, (functools.reduce(operator.and_, row) for row in rows))
        execute(database, model.delete().where(condition))
    return len(gone)
