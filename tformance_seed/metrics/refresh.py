"""Makes the rows of a table equal to the result of a query, touching only those that differ."""

from collections.abc import Sequence

import peewee

from tformance_seed.database import is_postgresql
from tformance_seed.models import ApplicationModel
from tformance_seed.upsert import is_distinct, unique_key


def refresh(
    database: peewee.Database,
    model: type[ApplicationModel],
    computed: peewee.SelectBase,
    scope: peewee.Expression,
    above: int = 0,
) -> tuple[int, int]:
    """Bring a table up to date with a query: what a concurrent refresh of a materialized view does.

    PostgreSQL does it in one statement; SQLite, which has no data-modifying CTEs, in one transaction.

    Parameters:
      model: a table with a unique key; rows are matched by it.
      computed: yields ``content(model)`` under the names of the columns.
      scope: which rows of the table the query speaks for; those it does not yield are deleted.
      above: rows up to this id are somebody else's and stay as they are.

    Returns:
      How many rows were inserted, changed or deleted, and how many were right already.
    """
    fields = content(model)
    key = unique_key(model).fields
    names = {field.name for field in key}  # fields themselves overload ==
    values = [field for field in fields if field.name not in names]
    rows = peewee.CTE("computed", computed)

    def selected(of: Sequence[peewee.Field]) -> peewee.Select:
        return peewee.Select([rows], [getattr(rows.c, field.column_name) for field in of])

    excluded = [getattr(peewee.EXCLUDED, field.column_name) for field in values]
    differs = is_distinct(database, peewee.Tuple(*values), peewee.Tuple(*excluded))
    # ON CONFLICT alone would lock the rows that are the same already.
    same_key = [field == getattr(rows.c, field.column_name) for field in key]
    new = peewee.Tuple(*(getattr(rows.c, field.column_name) for field in values))
    held = model.select(is_distinct(database, peewee.Tuple(*values), new)).where(*same_key)
    other = peewee.Expression(held, "IS NOT", peewee.SQL("FALSE"))
    insert = model.insert_from(selected(fields).where(other), fields).on_conflict(
        conflict_target=key, preserve=values, where=(model.id > above) & differs
    )
    delete = model.delete().where(scope, model.id > above, peewee.Tuple(*key).not_in(selected(key)))
    if is_postgresql(database):
        gone = peewee.CTE("gone", delete.returning(model.id))
        written = peewee.CTE("written", insert)
        counts = [peewee.Select([cte], [peewee.fn.COUNT(peewee.SQL("*"))]) for cte in (rows, written, gone)]
        statement = peewee.Select(columns=counts).with_cte(rows, gone, written)
        ((in_all, upserted, deleted),) = statement.tuples().execute(database)
    else:
        with database.atomic():
            deleted, upserted = (changes(database, query.with_cte(rows)) for query in (delete, insert))
            in_all = model.select().where(scope).count(database)
    return upserted + deleted, in_all - upserted


def content(model: type[ApplicationModel]) -> list[peewee.Field]:
    """The fields of a model but the id."""
    return [field for field in model._meta.sorted_fields if not field.primary_key]


def changes(database: peewee.Database, query: peewee.Query) -> int:
    """Run a statement and tell how many rows it changed."""
    cursor = database.execute(query)
    if is_postgresql(database):
        return cursor.rowcount
    # SQLite's driver does not say for a statement with a CTE.
    return peewee.Select(columns=[peewee.fn.changes()]).scalar(database)
