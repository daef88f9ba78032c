"""PostgreSQL: the types of a table as it really is, and rows as a source of an INSERT: staged by COPY, or as
VALUES.
"""

import contextlib
import datetime
import hashlib
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import peewee

from tformance_seed.bulk.columns import Column, parameters
from tformance_seed.bulk.copy_format import encode
from tformance_seed.bulk.copy_types import EXACT, ColumnType, typed
from tformance_seed.bulk.dialect import puts_values_into_text
from tformance_seed.bulk.peewee_internals import (
    compile_query,
    driver_connection,
    driver_cursor,
    execute_sql,
    table_entity,
)

#: Name of the rows to be written, in the statement that writes them.
ROWS = "tformance_rows"

#: Prefix of the name of the temporary table to which rows are copied.
STAGE = "tformance_stage_"

_NUMBERS = frozenset(["int2", "int4", "int8", "float4", "float8", "numeric"])
_DATES = frozenset(["date", "timestamp", "timestamptz"])

#: Type of a parameter -> types of columns with which the server may compare it; text goes with every type.
COMPARABLE: dict[str, frozenset[str]] = {
    "int": _NUMBERS,
    "float": _NUMBERS,
    "Decimal": _NUMBERS,
    "bool": frozenset(["bool"]),
    "date": _DATES,
    "datetime": _DATES,
    "aware datetime": _DATES,
    "time": frozenset(["time"]),
    "Binary": frozenset(["bytea"]),
    "bytes": frozenset(["bytea"]),
    "Json": frozenset(["json", "jsonb"]),
    "Jsonb": frozenset(["jsonb"]),
}

#: Number of parameters of a statement, where the driver does not put them into its text.
MAX_PARAMETERS = 65_535

_COLUMNS = """
    SELECT a.attname, CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END,
      pg_catalog.format_type(
        a.atttypid, CASE WHEN t.typname IN ('varchar', 'bpchar', 'bit', 'varbit') THEN -1 ELSE a.atttypmod
        END),
      t.typtype IN ('b', 'e', 'r', 'm') AND t.typelem = 0,
      t.typname = 'numeric' AND a.atttypmod >= 0
        OR t.typname IN ('text', 'varchar', 'bpchar') AND coalesce(c.collisdeterministic, true),
      pg_catalog.has_database_privilege(current_database(), 'TEMP'),
      pg_catalog.row_security_active(a.attrelid)
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""

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
      statements: SQL and parameters of statements that were compiled for the table.
    """

    columns: dict[str, ColumnType]
    may_stage: bool
    row_security: bool
    statements: dict[Any, tuple[str, list[Any]]] = field(default_factory=dict, compare=False)

    @property
    def exact(self) -> list[str]:
        """Return the columns of which ``=`` tells apart all values."""
        return [name for name, type_ in self.columns.items() if type_.exact]


#: What is known of tables, by connection and the table's name as SQL.
_known: "weakref.WeakKeyDictionary[Any, dict[str, TableTypes]]" = weakref.WeakKeyDictionary()


def table_types(database: peewee.Database, model: type[peewee.Model], *, kept: bool = False) -> TableTypes:
    """Return the types of a model's table.

    Parameters:
      kept: whether those that were asked for earlier on the connection will do. If the table has become
        another one since, a statement that compares its values with theirs is refused.
    """
    table = table_sql(database, model)
    tables = _known.setdefault(driver_connection(database), {})
    if not (kept and table in tables):
        rows = execute_sql(database, _COLUMNS, (table,)).fetchall()
        columns = {
            name: ColumnType(type_name, declared, base, exact or type_name in EXACT)
            for name, type_name, declared, base, exact, *_ in rows
        }
        tables[table] = TableTypes(columns, *rows[0][-2:])
    return tables[table]


def forget_types(database: peewee.Database) -> None:
    """Ask again for the types of tables."""
    _known.pop(driver_connection(database), None)


def table_sql(database: peewee.Database, model: type[peewee.Model]) -> str:
    """Return the name of a model's table as SQL, schema included."""
    return compile_query(database, table_entity(model))[0]


def constraint_columns(database: peewee.Database, model: type[peewee.Model], name: str) -> tuple[str, ...]:
    """Return the columns of the constraint with a name; none if there is no such constraint."""
    rows = execute_sql(database, _CONSTRAINT, (table_sql(database, model), name)).fetchall()
    return tuple(column for (column,) in rows)


def nulls_are_equal(database: peewee.Database, model: type[peewee.Model], columns: Sequence[str]) -> bool:
    """Return whether a unique index of exactly these columns takes NULLs to be equal (NULLS NOT DISTINCT)."""
    if driver_connection(database).info.server_version < 150_000:
        return False
    parameters_ = (table_sql(database, model), len(columns), list(columns))
    return execute_sql(database, _NULLS_ARE_EQUAL, parameters_).fetchone() is not None


@dataclass
class Source:
    """Rows to be written, as a part of a statement.

    Attributes:
      cte: SQL that defines the rows in the statement's WITH clause, with placeholders; "" if a table has
        them.
      parameters: the parameters in it.
      table: what the rows are selected from.
      values: SQL of each column's value in its real type, by name.
      assigned: SQL of each column's value as it is inserted, by name.
    """

    cte: str
    parameters: list[Any]
    table: peewee.Source
    values: dict[str, Any]
    assigned: dict[str, Any]


def copy_columns(columns: Sequence[Column], types: TableTypes) -> list[Column] | None:
    """Return columns in the types that the real ones have in COPY; None if one cannot be copied."""
    found = []
    for column in columns:
        type_ = types.columns.get(column.field.column_name)
        real = None if type_ is None else typed(column, type_)
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
    into = ", ".join(_quoted(name) for name in names)
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


@contextlib.contextmanager
def staged(
    database: peewee.Database,
    model: type[peewee.Model],
    columns: Sequence[Column],
    types: TableTypes,
    *,
    number: bool,
    own_transaction: bool,
) -> Iterator[Source]:
    """Copy rows to a temporary table, and yield it as a source.

    A session keeps the table for the next chunk of the same shape; its rows go with the transaction.

    Parameters:
      number: whether the source has a column with the number of each row.
      own_transaction: whether the transaction ends before rows are staged again.
    """
    types_of = {name: types.columns[name] for name in (column.field.column_name for column in columns)}
    casts = {column.field.column_name for column in columns if column.kind == "input"}
    table, shape = table_sql(database, model), []
    for name in types_of:
        cast = "::text" if name in casts else ""
        shape.append(f"{_quoted(name)}{cast} AS {_quoted(name)}")
    names = [*types_of]
    type_names = ["text" if name in casts else types_of[name].name for name in names]
    if number:
        shape.append(f"0::bigint AS {NUMBER}")
        columns, names, type_names = [*columns, _numbers(columns)], [*names, NUMBER], [*type_names, "int8"]
    declared = [types_of[name].declared for name in types_of]
    stage = STAGE + hashlib.sha256(repr((table, shape, declared)).encode()).hexdigest()[:16]
    _create_stage(database, stage, f"SELECT {', '.join(shape)} FROM {table}", own_transaction)  # noqa: S608 -- quoted names
    copy_to(database, f"pg_temp.{stage}", columns, names, type_names)
    assigned = {
        name: peewee.Cast(peewee.Entity(ROWS, name), type_.declared)
        if name in casts
        else peewee.Entity(ROWS, name)
        for name, type_ in types_of.items()
    }
    yield Source("", [], peewee.Table(stage, schema="pg_temp").alias(ROWS), assigned, assigned)
    if not own_transaction:
        execute_sql(database, f"TRUNCATE pg_temp.{stage}")


#: Name of the column with the number of a row.
NUMBER = "tformance_number"


def _numbers(columns: Sequence[Column]) -> Column:
    return Column(columns[0].field, "integer", np.arange(len(columns[0])))


def _create_stage(database: peewee.Database, stage: str, query: str, own_transaction: bool) -> None:
    """Create a temporary table unless the session has it; drop those of other shapes.

    In a caller's transaction, the others are kept until it ends: one that alternates between tables would
    otherwise create so many that the server's locks run out.
    """
    mine = (
        "SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema() "
        "AND relkind = 'r' AND relname LIKE %s"
    )
    found = [name for (name,) in execute_sql(database, mine, (STAGE.replace("_", r"\_") + "%",)).fetchall()]
    if stage not in found:
        if own_transaction:
            for name in found:
                execute_sql(database, f"DROP TABLE pg_temp.{name}")
        sql = f"CREATE TEMPORARY TABLE pg_temp.{stage} ON COMMIT DELETE ROWS AS {query} WITH NO DATA"
        execute_sql(database, sql.replace("%", "%%"))


def values_source(
    database: peewee.Database,
    model: type[peewee.Model],
    columns: Sequence[Column],
    types: TableTypes,
    *,
    number: bool,
) -> Source | None:
    """Return rows as VALUES in the statement.

    The first of the VALUES is left out: it is a row of NULLs of the table's types, to which literals are
    converted.

    Returns:
      None if a column's parameters are of different types or of one that the server may not compare with the
      column's.
    """
    lists = []
    for column in columns:
        values = parameters(column, postgresql=True)
        kinds = {_literal_kind(value) for value in values if value is not None}
        type_ = types.columns.get(column.field.column_name)
        if (
            type_ is None
            or len(kinds) > 1
            or not all(k == "str" or type_.name in COMPARABLE.get(k, ()) for k in kinds)
        ):
            return None
        lists.append(values)
    if len(columns[0]) * (len(columns) + number) > MAX_PARAMETERS and not puts_values_into_text(database):
        return None
    names = [column.field.column_name for column in columns]
    table = table_sql(database, model)
    first = [f"(NULL::{table}).{_quoted(name)}" for name in names]
    placeholders = ["%s"] * len(names)
    if number:
        lists.append(list(range(len(columns[0]))))
        names, first, placeholders = [*names, NUMBER], [*first, "0"], [*placeholders, "%s"]
    row = f"({', '.join(placeholders)})"
    rows = ", ".join([row] * len(columns[0]))
    into = ", ".join(_quoted(name) for name in names)
    head = f"{ROWS} ({into}) AS (VALUES ({', '.join(first)}), ".replace("%", "%%")
    flat = [value for values in zip(*lists, strict=True) for value in values]
    assigned = {name: peewee.Entity(ROWS, name) for name in names}
    casts = {
        name: peewee.Cast(peewee.Entity(ROWS, name), types.columns[name].declared)
        for name in names
        if name != NUMBER
    }
    return Source(f"{head}{rows} OFFSET 1)", flat, peewee.Table(ROWS).alias(ROWS), casts, assigned)


def _literal_kind(value: Any) -> str:
    aware = isinstance(value, datetime.datetime) and value.tzinfo is not None
    return "aware datetime" if aware else type(value).__name__


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _BlockReader:
    """A file-like object that gives the driver one block of bytes per read, whatever size it requests."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _size: int) -> bytes:
        return next(self._blocks, b"")
