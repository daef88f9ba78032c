"""Insert or update only what differs: rows that are the same are neither rewritten nor locked."""

from collections.abc import Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.keys import Key


def is_distinct(database: peewee.Database, left: Any, right: Any) -> peewee.Expression:
    """Return whether two values or tuples differ, as SQL; NULL is a value like any other."""
    return peewee.Expression(left, "IS DISTINCT FROM" if is_postgresql(database) else "IS NOT", right)


def any_distinct(database: peewee.Database, new: Mapping[peewee.Field, Any]) -> peewee.Expression:
    """Return whether any of the fields differs from its new value, as SQL."""
    return is_distinct(database, peewee.Tuple(*new), peewee.Tuple(*new.values()))


def is_new_or_different(
    database: peewee.Database,
    model: type[peewee.Model],
    key: Key,
    fields: Sequence[peewee.Field],
    source: peewee.Source,
) -> peewee.Expression:
    """Return whether the table has no row with the key of the source's row, or a different one, as SQL.

    For the WHERE of an INSERT .. SELECT from the source, whose columns are named like those of the table. Its
    ON CONFLICT alone would do, but it locks each row that it finds, which dirties the page and goes into the
    log. A scalar subquery, since the planner cannot turn it into a join, whose kind it would have to guess.
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
    """Return the INSERT with a conflict clause that updates fields, and only where one of them differs.

    Parameters:
      fields: none: rows that are there are left alone.
      condition: a further one for the update.
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
    """Return an UPDATE that sets fields where one of them differs; the caller adds which rows are meant."""
    return model.update(dict(new)).where(any_distinct(database, new))


def _literal_predicate(key: Key) -> peewee.Node | None:
    """Return a partial key's predicate; literal, since SQLite matches it with the index's to the letter."""
    return None if key.where is None else peewee.ValueLiterals(key.where)
