"""Rows to be written as the source of PostgreSQL's INSERT: arrays, VALUES, or a table staged by COPY."""

import contextlib
import dataclasses
import datetime
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import peewee

from tformance_seed.bulk.array_literals import array_literal
from tformance_seed.bulk.columns import Column, parameters
from tformance_seed.bulk.dialect import puts_values_into_text
from tformance_seed.bulk.peewee_internals import execute_sql
from tformance_seed.bulk.postgresql import MAX_STATEMENTS, TableTypes, copy_to, quoted, table_sql

#: Name of the rows to be written, in the statement that writes them.
ROWS = "tformance_rows"

#: Prefix of the name of the temporary table to which rows are copied.
STAGE = "tformance_stage_"

#: Name of the column with the number of a row.
NUMBER = "tformance_number"

#: Number of parameters of a statement, where the driver does not put them into its text.
MAX_PARAMETERS = 65_535

_NUMBERS = frozenset(["int2", "int4", "int8", "float4", "float8", "numeric"])
_DATES = frozenset(["date", "timestamp", "timestamptz"])

#: Type of a parameter -> types of columns with which the server may compare it; text goes with every type.
COMPARABLE: dict[str, frozenset[str]] = {
    "int": _NUMBERS,
    "float": _NUMBERS,
    "infinite float": frozenset(["float4", "float8"]),
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
      shape: what the statement depends on, besides what happens to the rows.
      numbered: the same as ``cte``, with PostgreSQL's own placeholders ($1); "" if it depends on the number
        of rows.
    """

    cte: str
    parameters: list[Any]
    table: peewee.Source
    values: dict[str, Any]
    assigned: dict[str, Any]
    shape: Any
    numbered: str = ""

    def of(self, parameters: list[Any]) -> "Source":
        """Return the same with other parameters."""
        return dataclasses.replace(self, parameters=parameters)


def arrays_source(columns: Sequence[Column], types: TableTypes, *, number: bool) -> Source | None:
    """Return rows as an array for each column, so that the statement is the same for any number of rows.

    The planner takes an array in a subquery to be of any length, so that a prepared statement keeps its plan.

    Returns:
      None if a column cannot be written as an array.
    """
    texts = []
    for column in columns:
        type_ = types.columns.get(column.field.column_name)
        values = parameters(column, postgresql=True)
        of = column.types if column.kind == "parameters" else set(map(type, values))
        text = type_ and array_literal(values, of, type_)
        if text is None:
            return None
        texts.append(text)
    if number:
        texts.append("{" + ",".join(map(str, range(len(columns[0])))) + "}")
    names = (*(column.field.column_name for column in columns), *((NUMBER,) if number else ()))
    return arrays(names, types).of(texts)


def arrays(names: tuple[str, ...], types: TableTypes) -> Source:
    """Return rows as an array for each column, without the arrays."""
    source: Source | None = types.arrays.get(names)
    if source is None:
        source = _arrays(names, types)
        if len(types.arrays) < MAX_STATEMENTS:
            types.arrays[names] = source
    return source


def _arrays(names: Sequence[str], types: TableTypes) -> Source:
    elements = ["int8" if name == NUMBER else types.columns[name].declared for name in names]
    into = ", ".join(map(quoted, names))
    ctes = []
    for places in (["%s"] * len(names), [f"${place}" for place in range(1, len(names) + 1)]):
        arrays = (
            f"(SELECT {place}::{element.replace('%', '%%')}[])"
            for place, element in zip(places, elements, strict=True)
        )
        rows = f"SELECT * FROM unnest({', '.join(arrays)}) WHERE {types.unaltered.replace('%', '%%')}"  # noqa: S608 -- quoted names
        ctes.append(f"{ROWS} ({into.replace('%', '%%')}) AS ({rows})")
    values = {name: peewee.Entity(ROWS, name) for name in names}
    return Source(ctes[0], [], peewee.Table(ROWS).alias(ROWS), values, values, ctes[1], ctes[1])


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
    table, shape = table_sql(model), []
    for name in types_of:
        cast = "::text" if name in casts else ""
        shape.append(f"{quoted(name)}{cast} AS {quoted(name)}")
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
    yield Source("", [], peewee.Table(stage, schema="pg_temp").alias(ROWS), assigned, assigned, stage)
    if not own_transaction:
        execute_sql(database, f"TRUNCATE pg_temp.{stage}")


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
    table = table_sql(model)
    first = [f"(NULL::{table}).{quoted(name)}" for name in names]
    placeholders = ["%s"] * len(names)
    if number:
        lists.append(list(range(len(columns[0]))))
        names, first, placeholders = [*names, NUMBER], [*first, "0"], [*placeholders, "%s"]
    row = f"({', '.join(placeholders)})"
    rows = ", ".join([row] * len(columns[0]))
    into = ", ".join(quoted(name) for name in names)
    head = f"{ROWS} ({into}) AS (VALUES ({', '.join(first)}), ".replace("%", "%%")
    flat = [value for values in zip(*lists, strict=True) for value in values]
    assigned = {name: peewee.Entity(ROWS, name) for name in names}
    casts = {
        name: peewee.Cast(peewee.Entity(ROWS, name), types.columns[name].declared)
        for name in names
        if name != NUMBER
    }
    cte, table_of_rows = f"{head}{rows} OFFSET 1)", peewee.Table(ROWS).alias(ROWS)
    return Source(cte, flat, table_of_rows, casts, assigned, tuple(names))


def _literal_kind(value: Any) -> str:
    """Return the type of a literal; an infinite float has a cast, which would make floats of numerics."""
    if isinstance(value, float) and not math.isfinite(value):
        return "infinite float"
    aware = isinstance(value, datetime.datetime) and value.tzinfo is not None
    return "aware datetime" if aware else type(value).__name__
