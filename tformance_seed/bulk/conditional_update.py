"""Insert or update only rows that differ: unchanged rows are neither rewritten nor locked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.keys import Key, rebind
from tformance_seed.bulk.peewee_internals import table_name

#: Alias of the table's row as it was before, in a query that compares it with a new one.
OLD = "tformance_old"


def is_distinct(database: peewee.Database, left: Any, right: Any) -> peewee.Expression:
    """Return an SQL expression that tests whether two values or tuples differ; NULL is an ordinary value."""
    return peewee.Expression(left, "IS DISTINCT FROM" if is_postgresql(database) else "IS NOT", right)


def any_distinct(database: peewee.Database, new: Mapping[peewee.Field, Any]) -> peewee.Expression:
    """Return an SQL expression that tests whether any of the fields differs from its new value."""
    return is_distinct(database, peewee.Tuple(*new), peewee.Tuple(*new.values()))


def column_of(alias: str, field: peewee.Field) -> peewee.Entity:
    """Return a field's column in the table or row with a name."""
    return peewee.Entity(alias, field.column_name)


def looks_different(
    database: peewee.Database, new: Mapping[peewee.Field, Any], of: str, exact: Collection[str]
) -> peewee.Expression:
    """Return an SQL expression that tests whether any column of a row is not the very same as its new value.

    Values that are equal may look different: ``a`` and ``A`` under some collations, 1.0 and 1.00, 30 days
    and a month. PostgreSQL compares the bytes of such columns, which works for types without ``=`` too;
    SQLite compares text without the column's collation.

    Parameters:
      of: name of the row.
      exact: names of the columns for which ``=`` suffices.
    """
    if not is_postgresql(database):
        tests = []
        for field, value in new.items():
            column = column_of(of, field)
            tests.append(
                is_distinct(database, peewee.NodeList((column, peewee.SQL("COLLATE BINARY"))), value)
            )
            if isinstance(
                field, peewee.BareField | getattr(peewee, "AnyField", peewee.BareField)
            ):  # any type
                tests.append(is_distinct(database, peewee.fn.typeof(column), peewee.fn.typeof(value)))
        return _any(tests)
    plain = {field: value for field, value in new.items() if field.column_name in exact}
    other = {field: value for field, value in new.items() if field.column_name not in exact}
    tests = []
    if plain:
        old = peewee.Tuple(*(column_of(of, field) for field in plain))
        tests.append(is_distinct(database, old, peewee.Tuple(*plain.values())))
    if other:
        old = peewee.fn.ROW(*(column_of(of, field) for field in other)).cast("record")
        tests.append(
            peewee.Expression(old, "OPERATOR(pg_catalog.*<>)", peewee.fn.ROW(*other.values()).cast("record"))
        )
    return _any(tests)


def _any(tests: Sequence[peewee.Expression]) -> peewee.Expression:
    condition = tests[0]
    for test in tests[1:]:
        condition = condition | test
    return condition


def same_key(database: peewee.Database, key: Key, of: str, new: Mapping[str, Any]) -> list[Any]:
    """Return SQL expressions that hold if a row has the key of new values.

    Parameters:
      of: alias of the row.
      new: the new value of each column, by name.

    Raises:
      ValueError: the key has an expression whose fields cannot be found.
    """
    conditions: list[Any] = [
        peewee.Expression(
            rebind(part, lambda field: column_of(of, field)),
            "IS NOT DISTINCT FROM" if key.nulls_equal else "=",
            rebind(part, lambda field: new[field.column_name]),
        )
        for part in key.fields
    ]
    if key.where is not None:
        where: Any = literal_predicate(database, rebind(key.where, lambda field: column_of(of, field)))
        conditions.append(where)
    return conditions


def is_new_or_different(
    database: peewee.Database,
    model: type[peewee.Model],
    key: Key,
    fields: Sequence[peewee.Field],
    new: Mapping[str, Any],
    exact: Collection[str],
) -> Any:
    """Return an SQL expression that tests whether a source row is new or differs from the one in the table.

    Use it in the WHERE clause of an INSERT .. SELECT. ON CONFLICT alone would be enough, but it locks each
    existing row, which dirties the page and is written to the log, and it draws an id for every row. The
    expression is a scalar subquery, because the planner cannot turn one into a join, whose kind it would
    have to guess, and which might not keep the order of the rows.

    Parameters:
      fields: the columns that would be updated; none: whether the row is new.
      new: the new value of each column, by name.
      exact: as of ``looks_different``.
    """
    old = model.alias(OLD)
    matching = same_key(database, key, OLD, new)
    if not fields:
        found = peewee.Select([old], [peewee.SQL("max(1)")]).where(*matching)
        return peewee.Expression(found, "IS", peewee.SQL("NULL"))
    values = {field: new[field.column_name] for field in fields}
    differs = peewee.Select([old], [looks_different(database, values, OLD, exact)]).where(*matching)
    return peewee.Expression(differs, "IS NOT", peewee.SQL("FALSE"))


def update_on_conflict(
    database: peewee.Database,
    insert: peewee.ModelInsert,
    key: Key,
    new: Mapping[peewee.Field, Any],
    exact: Collection[str] = (),
    condition: peewee.Expression | None = None,
) -> peewee.ModelInsert:
    """Return the INSERT with a conflict clause that updates fields if at least one of them would look
    different.

    Parameters:
      new: fields to update, with an expression or None for the value that was to be inserted; if empty,
        existing rows are left alone.
      exact: as of ``looks_different``.
      condition: an additional condition for the update.
    """
    target = {"conflict_target": list(key.fields), "conflict_where": literal_predicate(database, key.where)}
    if not new:
        return insert.on_conflict(action="nothing", **target)
    table = table_name(insert.model)
    values = {field: column_of("excluded", field) if value is None else value for field, value in new.items()}
    where = looks_different(database, values, table, exact)
    if condition is not None:
        where = condition & where
    preserve = [field for field, value in new.items() if value is None]
    update = {field: value for field, value in new.items() if value is not None}
    return insert.on_conflict(preserve=preserve, update=update, where=where, **target)


def update_where_different(
    database: peewee.Database, model: type[peewee.Model], new: Mapping[peewee.Field, Any]
) -> peewee.ModelUpdate:
    """Return an UPDATE that sets fields in rows where any of them differs; the caller restricts the rows."""
    return model.update(dict(new)).where(any_distinct(database, new))


def literal_predicate(database: peewee.Database, where: Any) -> peewee.Node | None:
    """Return a partial key's predicate with literals: SQLite compares it to the index's as text, and
    PostgreSQL cannot prove the index's from a parameter.
    """
    return (
        None
        if where is None
        else peewee.ValueLiterals(_with_booleans(where) if is_postgresql(database) else where)
    )


def _with_booleans(node: Any) -> Any:
    """Return an expression whose booleans are PostgreSQL's; Peewee would write numbers."""
    if isinstance(node, peewee.Expression):
        return peewee.Expression(_with_booleans(node.lhs), node.op, _with_booleans(node.rhs), node.flat)
    return peewee.SQL(str(node).upper()) if isinstance(node, bool) else node
