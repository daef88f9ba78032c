"""The statements that write a chunk: a plain INSERT on any database, and PostgreSQL's INSERT from rows of a
source.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.bulk.columns import Column, parameters
from tformance_seed.bulk.compiled import CompiledInsert
from tformance_seed.bulk.conditional_update import is_new_or_different, update_on_conflict
from tformance_seed.bulk.dialect import is_mysql, is_postgresql, puts_values_into_text
from tformance_seed.bulk.keys import Key, rebind
from tformance_seed.bulk.peewee_internals import (
    compile_escaped,
    driver_connection,
    driver_cursor,
    excluded_name,
    execute_sql,
    has_atomic,
    primary_key_fields,
)
from tformance_seed.bulk.postgresql import MAX_STATEMENTS, TableTypes
from tformance_seed.bulk.row_sources import MAX_PARAMETERS, Source

#: Number of parameters of a statement on SQLite, its default since 3.32.
SQLITE_PARAMETERS = 32_766

#: Rows of one INSERT on MySQL, whose statements must be smaller than its max_allowed_packet (16 MB by
#: default).
MYSQL_ROWS = 1_000

#: Stands for each value while Peewee compiles an INSERT.
_VALUE = "tformance_value"


@dataclass(frozen=True)
class Target:
    """Where rows go, and what happens if one is there already.

    Attributes:
      key: by what rows are matched; None: by any unique key, and existing rows are left alone.
      update: fields to update, with an expression or None for the value that was to be inserted.
      order_by: by what rows are sorted, and those that exist are found; ``key`` unless any key is meant.
    """

    database: peewee.Database
    model: type[peewee.Model]
    key: Key | None
    update: Mapping[peewee.Field, Any]
    order_by: Key | None

    @property
    def has_expressions(self) -> bool:
        """Return whether a column is updated to something else than the value in the row."""
        return any(value is not None for value in self.update.values())


def insert_plain(target: Target, columns: Sequence[Column], exact: Sequence[str] = ()) -> int:
    """Insert or update rows by INSERT .. VALUES; return the number of rows inserted or changed.

    Parameters:
      exact: as of ``looks_different``.
    """
    database, fields = target.database, [column.field for column in columns]
    insert = target.model.insert_many([[peewee.SQL(_VALUE)] * len(fields)], fields=fields)
    sql, last = compile_escaped(database, with_conflict(target, insert, exact).returning())
    head, tail = sql.split("(" + ", ".join([_VALUE] * len(fields)) + ")", 1)
    lists = [parameters(column, postgresql=is_postgresql(database)) for column in columns]
    rows = zip(*lists, strict=True)
    if any(any(isinstance(value, peewee.Node) for value in values) for values in lists):
        compiled = [compile_escaped(database, peewee.EnclosedNodeList(_nodes(row))) for row in rows]
        templates = [(template, tuple(values)) for template, values in compiled]
    else:
        mark = "%s" if is_postgresql(database) or is_mysql(database) else "?"
        template = "(" + ", ".join([mark] * len(fields)) + ")"
        templates = [(template, row) for row in rows]
    written = 0
    for same, group in itertools.groupby(templates, key=lambda row: row[0]):
        written += _run(database, head, same, tail, [[*values] for _, values in group], last)
    return written


def _nodes(row: Sequence[Any]) -> list[peewee.Node]:
    return [
        value if isinstance(value, peewee.Node) else peewee.Value(value, False, unpack=False) for value in row
    ]


def with_conflict(target: Target, insert: peewee.ModelInsert, exact: Sequence[str]) -> peewee.ModelInsert:
    """Return the INSERT with the clause that says what happens if a row exists."""
    if is_mysql(target.database):
        if not target.update:
            (first, *_) = target.key.fields if target.key else primary_key_fields(target.model)
            # INSERT IGNORE would also store what does not fit.
            return insert.on_conflict(update={first: first})
        return insert.on_conflict(
            preserve=[field for field, value in target.update.items() if value is None],
            update={field: _on_mysql(value) for field, value in target.update.items() if value is not None},
        )
    if target.key is None:
        return insert.on_conflict(action="nothing")
    return update_on_conflict(target.database, insert, target.key, target.update, exact)


def _on_mysql(node: Any) -> Any:
    """Return an expression for MySQL, where the row that was to be inserted is read by VALUES()."""

    def replace(part: peewee.Node) -> peewee.Node:
        name = excluded_name(part)
        return part if name is None else peewee.fn.VALUES(peewee.Entity(name))

    return rebind(node, replace, strict=False)


def _run(
    database: peewee.Database, head: str, row: str, tail: str, rows: list[list[Any]], last: Sequence[Any]
) -> int:
    """Run an INSERT for rows with the same template; return the number of rows inserted or changed."""
    if is_mysql(database):
        return sum(_run_on_mysql(database, head, row, tail, part, last) for part in _parts(rows, MYSQL_ROWS))
    width = max(1, len(rows[0]))
    if is_postgresql(database):
        size = len(rows) if puts_values_into_text(database) else (MAX_PARAMETERS - len(last)) // width
        return sum(_run_multi(database, head, row, tail, part, last) for part in _parts(rows, size))
    if not has_atomic(database):
        size = (SQLITE_PARAMETERS - len(last)) // width
        return sum(_run_multi(database, head, row, tail, part, last) for part in _parts(rows, size))
    sql = head + row + tail
    every = [[*values, *last] for values in rows] if last else rows
    with driver_cursor(database) as cursor:
        connection = driver_connection(database)
        if not hasattr(connection, "changes"):  # sqlite3
            cursor.executemany(sql, every)
            return int(cursor.rowcount)
        written = 0
        for values in every:  # APSW counts the rows of the last statement only
            cursor.execute(sql, values)
            written += connection.changes()
        return written


def _parts(rows: list[list[Any]], size: int) -> list[list[list[Any]]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _run_multi(
    database: peewee.Database, head: str, row: str, tail: str, rows: list[list[Any]], last: Sequence[Any]
) -> int:
    sql = head + ", ".join([row] * len(rows)) + tail
    cursor = execute_sql(database, sql, [*itertools.chain.from_iterable(rows), *last])
    return int(cursor.rowcount)


def _run_on_mysql(
    database: peewee.Database, head: str, row: str, tail: str, rows: list[list[Any]], last: Sequence[Any]
) -> int:
    """Run an INSERT of several rows, for which MySQL counts 1 if a row is inserted, 2 if it is changed."""
    sql = head + ", ".join([row] * len(rows)) + tail
    cursor = execute_sql(database, sql, [*itertools.chain.from_iterable(rows), *last])
    if len(rows) == 1:
        return min(int(cursor.rowcount), 1)
    message = getattr(getattr(cursor, "_result", None), "message", b"") or b""
    changed = re.search(rb"Duplicates: (\d+)", bytes(message))
    return int(cursor.rowcount) - int(changed[1]) if changed else min(int(cursor.rowcount), len(rows))


def merge(
    target: Target, columns: Sequence[Column], source: Source, exact: Sequence[str], *, new: bool = False
) -> peewee.ModelInsert:
    """Return PostgreSQL's INSERT of the source's rows that are new or differ from the table's.

    Parameters:
      new: whether all are new, so that one that exists is an error.
    """
    fields = [column.field for column in columns]
    rows = peewee.Select([source.table], [source.assigned[field.column_name] for field in fields])
    if new:
        return target.model.insert_from(rows, fields=fields).returning()
    if target.order_by is not None and not target.has_expressions:
        update, key = list(target.update), target.order_by
        rows = rows.where(
            is_new_or_different(target.database, target.model, key, update, source.values, exact)
        )
    insert = target.model.insert_from(rows, fields=fields)
    return with_conflict(target, insert, exact).returning()


def run_merge(
    target: Target, columns: Sequence[Column], source: Source, types: TableTypes, *, new: bool, prepare: bool
) -> int:
    """Insert or update a source's rows on PostgreSQL; return the number of rows inserted or changed.

    Parameters:
      new: as of ``merge``.
      prepare: as of ``CompiledInsert.run``.
    """
    shape = _shape(target, source, new=new)
    insert = types.statements.get(shape)
    if insert is None:
        query = merge(target, columns, source, types.exact, new=new)
        insert = CompiledInsert(*compile_escaped(target.database, query))
        if shape is not None and len(types.statements) < MAX_STATEMENTS:
            types.statements[shape] = insert
    return insert.run(target.database, source, prepare=prepare)


def kept_statement(target: Target, source: Source, types: TableTypes) -> CompiledInsert | None:
    """Return the statement that was compiled for such a source; None if there is none."""
    return types.statements.get(_shape(target, source, new=False))


def _shape(target: Target, source: Source, *, new: bool) -> Any:
    """Return what the statement for a table depends on; None if that is more than names."""
    keys = [key for key in (target.key, target.order_by) if key is not None]
    if target.has_expressions or any(key.where is not None or not key.is_plain for key in keys):
        return None
    parts = [target.update, *(key.fields for key in keys)]
    names = tuple([tuple([field.column_name for field in part]) for part in parts])
    return source.shape, names, target.key is None, new, *[key.nulls_equal for key in keys]
