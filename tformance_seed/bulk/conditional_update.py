"""Insert or update only rows that differ: unchanged rows are neither rewritten nor locked."""

from collections.abc import Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.keys import Key


def is_distinct(database: peewee.Database, left: Any, right: Any) -> peewee.Expression:
    """Return an SQL expression that tests whether two values or tuples differ; NULL is an ordinary value."""
    return peewee.Expression(left, "IS DISTINCT FROM" if is_postgresql(database) else "IS NOT", right)


def any_distinct(database: peewee.Database, new: Mapping[peewee.Field, Any]) -> peewee.Expression:
    """Return an SQL expression that tests whether any of the fields differs from its new value."""
    return is_distinct(database, peewee.Tuple(*new), peewee.Tuple(*new.values()))


def is_new_or_different(
    database: peewee.Database,
    model: type[peewee.Model],
    key: Key,
    fields: Sequence[peewee.Field],
    source: peewee.Source,
) -> peewee.Expression:
    """Return an SQL expression that tests whether a source row is new or differs from the one in the table.

    Use it in the WHERE clause of an INSERT .. SELECT from a source whose columns are named like those of the
    table. ON CONFLICT alone would be enough, but it locks each existing row, which dirties the page and is
    written to the log. The expression is a scalar subquery, because the planner cannot turn one into a join,
    whose kind it would have to guess.
    """
    new = {field: getattr(source.c, field.column_name) for field in fields}
    same_key = [field == getattr(source.c, field.column_name) for field in key.fields]
    if key.where is not None:
        same_key.append(_literal_predicate(key))
    differs = model.select(any_distinct(database, new)).where(*same_key)
    return peewee.Expression(differs, "IS NOT", peewee.SQL("FALSE"))


def update_on_conflict(
    database: peewee.Database,
    insert: peewee.ModelInsert,
    key: Key,
    fields: Sequence[peewee.Field],
    condition: peewee.Expression | None = None,
) -> peewee.ModelInsert:
    """Return the INSERT with a conflict clause that updates the fields if at least one of them differs.

    Parameters:
      fields: the fields to update; if empty, existing rows are left alone.
      condition: an additional condition for the update.
    """
    target = {"conflict_target": list(key.fields), "conflict_where": _literal_predicate(key)}
    if not fields:
        return insert.on_conflict(action="nothing", **target)
    new = {field: getattr(peewee.EXCLUDED, field.column_name) for field in fields}
    where = any_distinct(database, new)
    if condition is not None:
        where = condition & where
    return insert.on_conflict(preserve=list(fields), where=where, **target)


def update_where_different(
    database: peewee.Database, model: type[peewee.Model], new: Mapping[peewee.Field, Any]
) -> peewee.ModelUpdate:
    """Return an UPDATE that sets fields in rows where any of them differs; the caller restricts the rows."""
    return model.update(dict(new)).where(any_distinct(database, new))


def _literal_predicate(key: Key) -> peewee.Node | None:
    """Return a partial key's predicate with literals, because SQLite compares it to the index's as text."""
    return None if key.where is None else peewee.ValueLiterals(key.where)
