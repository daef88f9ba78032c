"""PostgreSQL: the types of a table as it really is, and COPY to it."""

import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from tformance_seed.bulk.columns import Column
from tformance_seed.bulk.copy_format import encode
from tformance_seed.bulk.copy_types import EXACT, ColumnType, typed
from tformance_seed.bulk.dialect import puts_values_into_text
from tformance_seed.bulk.peewee_internals import (
    driver_connection,
    driver_cursor,
    execute_sql,
    table_path,
)

#: Statements kept for a table. Beyond, each is compiled again, as for dictionaries of ever other names.
MAX_STATEMENTS = 100

#: How long the types of a table are taken to be what they were, in seconds.
MAX_AGE = 10.0

#: What changes if a column's type is altered, or if another table hides the one that had the name.
_SIGNATURE = "a.attrelid || ' ' || a.atttypid || ' ' || a.atttypmod || ' ' || a.attcollation"

_COLUMNS = f"""
    SELECT {_SIGNATURE}, a.attname,
      CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END,
      pg_catalog.format_type(
        a.atttypid, CASE WHEN t.typname IN ('varchar', 'bpchar', 'bit', 'varbit') THEN -1 ELSE a.atttypmod
        END),
      t.typtype IN ('b', 'e', 'r', 'm') AND t.typelem = 0 AND t.typdelim = ',',
      t.typname = 'numeric' AND a.atttypmod >= 0
        OR t.typname IN ('text', 'varchar', 'bpchar') AND coalesce(c.collisdeterministic, true),
      pg_catalog.has_database_privilege(current_database(), 'TEMP'),
      pg_catalog.row_security_active(a.attrelid)
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""  # noqa: S608 -- constants

#: A condition that fails, with an error, if a table was altered. Unlike a constant ``::regclass``, the
#: function looks for the table each time that a prepared statement runs.
_UNALTERED = f"""(
    SELECT CASE WHEN string_agg({_SIGNATURE}, ',' ORDER BY a.attnum) = '%s' THEN 'true' ELSE 'altered' END
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = to_regclass('%s') AND a.attnum > 0 AND NOT a.attisdropped)::boolean
"""  # noqa: S608 -- constants

_CONSTRAINT = """
    SELECT a.attname FROM pg_catalog.pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS part(number, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = part.number
    WHERE k.conrelid = %s::regclass AND k.conname = %s ORDER BY part.position
"""

_NULLS_ARE_EQUAL = """
    SELECT 1 FROM pg_catalog.pg_index i
    WHERE i.indrelid = %s::regclass AND i.indisunique AND i.indnullsnotdistinct AND i.indnkeyatts = %s AND
    NOT EXISTS (
      SELECT 1 FROM unnest(i.indkey) part(number) JOIN pg_catalog.pg_attribute a
        ON a.attrelid = i.indrelid AND a.attnum = part.number WHERE a.attname <> ALL (%s))
"""


@dataclass(frozen=True)
class TableTypes:
    """What must be known of a table to write to it.

    Attributes:
      columns: the type of each column.
      may_stage: whether the role may create temporary tables.
      row_security: whether policies apply to the role, under which it must not COPY to the table.
      literals: whether the driver writes values into the text of a statement.
      unaltered: SQL of a condition that fails, with an error, if the columns have other types by now.
      statements: the statements that were compiled for the table, by what each depends on.
      arrays: SQL of rows as arrays, by the names of their columns.
      asked: when it was found out, as of ``time.monotonic``.
    """

    columns: dict[str, ColumnType]
    may_stage: bool
    row_security: bool
    literals: bool
    unaltered: str
    statements: dict[Any, Any] = field(default_factory=dict, compare=False)
    arrays: dict[Any, Any] = field(default_factory=dict, compare=False)
    asked: float = field(default_factory=time.monotonic, compare=False)

    @property
    def exact(self) -> list[str]:
        """Return the columns of which ``=`` tells apart all values."""
        return [name for name, type_ in self.columns.items() if type_.exact]


#: What is known of tables, by connection and the table's name as SQL.
_known: "weakref.WeakKeyDictionary[Any, dict[str, TableTypes]]" = weakref.WeakKeyDictionary()


def table_types(database: peewee.Database, model: type[peewee.Model], *, kept: bool = False) -> TableTypes:
    """Return the types of a model's table.

    Parameters:
      kept: whether those will do that were asked for on the connection less than ``MAX_AGE`` ago. The table
        may have been altered since, so a statement must test ``unaltered``.
    """
    table = table_sql(model)
    tables = _known.setdefault(driver_connection(database), {})
    known = tables.get(table)
    if known is None or not kept or known.asked + MAX_AGE < time.monotonic():
        rows = execute_sql(database, _COLUMNS, (table,)).fetchall()
        columns = {
            name: ColumnType(type_name, declared, base, exact or type_name in EXACT)
            for _, name, type_name, declared, base, exact, *_ in rows
        }
        signature = ",".join(row[0] for row in rows)
        may_stage, row_security = rows[0][-2:]
        unaltered = _UNALTERED % (signature, table.replace("'", "''"))
        literals = puts_values_into_text(database)
        found = TableTypes(columns, may_stage, row_security, literals, unaltered)
        if found == known:
            found.statements.update(known.statements)
            found.arrays.update(known.arrays)
        known = tables[table] = found
    return known


def table_sql(model: type[peewee.Model]) -> str:
    """Return the name of a model's table as SQL, schema included."""
    return ".".join(map(quoted, table_path(model)))


def constraint_columns(database: peewee.Database, model: type[peewee.Model], name: str) -> tuple[str, ...]:
    """Return the columns of the constraint with a name; none if there is no such constraint."""
    rows = execute_sql(database, _CONSTRAINT, (table_sql(model), name)).fetchall()
    return tuple(column for (column,) in rows)


def nulls_are_equal(database: peewee.Database, model: type[peewee.Model], columns: Sequence[str]) -> bool:
    """Return whether a unique index of exactly these columns takes NULLs to be equal (NULLS NOT DISTINCT)."""
    if driver_connection(database).info.server_version < 150_000:
        return False
    parameters_ = (table_sql(model), len(columns), list(columns))
    return execute_sql(database, _NULLS_ARE_EQUAL, parameters_).fetchone() is not None


def copy_columns(columns: Sequence[Column], types: TableTypes) -> list[Column] | None:
    """Return columns in the types that the real ones have in COPY; None if one cannot be copied."""
    found = []
    for column in columns:
        type_ = types.columns.get(column.field.column_name)
        real = None if type_ is None else typed(column, type_, literals=types.literals)
        if real is None:
            return None
        found.append(real)
    return found


def copy_to(
    database: peewee.Database,
    table: str,
    columns: Sequence[Column],
    names: Sequence[str],
    types: Sequence[str],
) -> int:
    """Insert rows into a table with binary COPY; return their number."""
    into = ", ".join(quoted(name) for name in names)
    # Text is UTF-8, whatever the session's client_encoding.
    sql = f"COPY {table} ({into}) FROM STDIN (FORMAT binary, ENCODING 'UTF8')"
    blocks = encode(columns, types)
    with driver_cursor(database) as cursor:
        if hasattr(cursor, "copy_expert"):
            cursor.copy_expert(sql, _BlockReader(blocks))
        else:  # psycopg 3
            with cursor.copy(sql) as copy:
                for block in blocks:
                    copy.write(block)
        return int(cursor.rowcount)


def quoted(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


class _BlockReader:
    """A file-like object that gives the driver one block of bytes per read, whatever size it requests."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _size: int) -> bytes:
        return next(self._blocks, b"")
