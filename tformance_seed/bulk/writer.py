"""The upsert, and the two paths behind it: executemany, and PostgreSQL's COPY."""

import contextlib
import itertools
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee
import psycopg2.extras

from tformance_seed.bulk.columns import Column, Rows, convert_columns, python_values
from tformance_seed.bulk.conditional_update import is_new_or_different, update_on_conflict
from tformance_seed.bulk.copy_format import encode
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.keys import Key, satisfies_predicate, unique_key
from tformance_seed.bulk.peewee_internals import (
    bound_database,
    column_type,
    compile_query,
    defaults,
    driver_cursor,
    execute_sql,
    table_entity,
    table_name,
)

#: Number of rows per chunk. Each chunk is a separate transaction. Measurements show that the size hardly
#: matters on the COPY path.
PORTABLE_CHUNK = 5_000
COPY_CHUNK = 25_000


@dataclass(frozen=True)
class Result:
    """The result of an upsert. Two results can be added.

    Attributes:
      written: Number of rows that were inserted or changed.
      unchanged: Number of rows that were already the same.
      seconds: Time taken.
    """

    written: int = 0
    unchanged: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.written + other.written, self.unchanged + other.unchanged, self.seconds + other.seconds
        )


def upsert(
    model: type[peewee.Model],
    rows: Rows | Iterable[Mapping[str, Any]],
    *,
    database: peewee.Database | None = None,
    key: Key | None = None,
    chunk_size: int | None = None,
    copy: bool | None = None,
    no_conflicts: bool = False,
) -> Result:
    """Insert rows; if a row with the same key exists, update it if it differs.

    Unchanged rows are not touched. Text that a column cannot hold is altered: NULs are removed, invalid UTF-8
    becomes U+FFFD, and longer text is truncated. If several rows share a key, the last one wins. Each chunk
    is one transaction, sorted by the key, so that two writers cannot deadlock. If the caller has opened a
    transaction, all chunks are part of it, and the caller must roll it back if this function raises.

    A partial key covers only rows for which its predicate is true. If the predicate is more than a field
    compared with a constant or tested for NULL, the database evaluates it: rows outside the key are then
    inserted every time, and PostgreSQL rejects two rows with the same key in one chunk.

    Parameters:
      model: any Peewee model; it need not be bound if ``database`` is given.
      rows: columns (a mapping of names to arrays or sequences of equal length) or an iterable of mappings
        with the same names. None, masked values, NaN and NaT mean NULL. Fields that are not given get their
        default when a row is inserted, and are left alone when it is updated.
      database: the database to write to; by default the one that the model is bound to.
      key: the unique key by which rows are matched: an object with ``fields``, a tuple of the model's fields,
        and ``where``, the predicate of a partial key or None. By default, it is the first unique key of the
        model whose columns are all given; a partial key is used only if there is no other.
      chunk_size: rows per chunk; by default 25,000 with COPY and 5,000 without.
      copy: whether to use PostgreSQL's COPY; by default, it is used if the database and the column types
        allow it.
      no_conflicts: the caller knows that none of the rows exist yet, so they are copied straight into the
        table, which raises an error if a row conflicts nevertheless.

    Returns:
      How many rows were written and how many were the same already.

    Raises:
      ValueError: the model is not bound and no database is given, a name is unknown, a key is missing or NULL
        in a row, a row is outside a partial key, or a value does not fit its column type.
      peewee.DatabaseError: the database rejected a statement; chunks that were already committed remain.
    """
    database = bound_database(model) if database is None else database
    if not isinstance(database, peewee.Database):
        raise TypeError(f"database: expected an open peewee.Database, not {type(database).__name__}")
    total = Result()
    for chunk in _chunks(database, model, rows, key, chunk_size, copy):
        started = time.perf_counter()
        count = len(chunk.columns[0].values)
        written = _write(database, chunk, no_conflicts=no_conflicts)
        total += Result(written, count - written, time.perf_counter() - started)
    return total


@dataclass
class _Chunk:
    model: type[peewee.Model]
    key: Key
    columns: list[Column]
    update: tuple[peewee.Field, ...]
    copy: bool


def _chunks(
    database: peewee.Database,
    model: type[peewee.Model],
    rows: Rows | Iterable[Mapping[str, Any]],
    key: Key | None,
    chunk_size: int | None,
    copy: bool | None,
) -> Iterator[_Chunk]:
    if not isinstance(rows, Mapping):
        for batch in _batches(rows, chunk_size or PORTABLE_CHUNK):
            yield from _chunks(database, model, batch, key, chunk_size, copy)
        return
    columns = convert_columns(model, rows)
    if not columns or not len(columns[0].values):
        return
    by_name = {column.field.column_name: column for column in columns}  # fields themselves overload ==
    target = key or unique_key(model, by_name)
    names = {field.column_name for field in target.fields}
    update = tuple(
        column.field for name, column in by_name.items() if name not in names and not column.field.primary_key
    )
    columns += _default_columns(model, by_name, len(columns[0].values))
    known_in_key = _is_known_in_key(model, target, columns)
    in_key = [by_name[field.column_name] for field in target.fields]
    can_copy = is_postgresql(database) and all(column.kind != "other" for column in columns)
    use_copy = can_copy if copy is None else copy and can_copy
    step = chunk_size or (COPY_CHUNK if use_copy else PORTABLE_CHUNK)
    for part in _sorted_parts(in_key, step, last_only=known_in_key):
        yield _Chunk(model, target, [column.take(part) for column in columns], update, use_copy)


def _batches(rows: Iterable[Mapping[str, Any]], size: int) -> Iterator[Rows]:
    source = iter(rows)
    while part := list(itertools.islice(source, size)):
        names = part[0].keys()
        if any(row.keys() != names for row in part):
            raise ValueError("rows differ in their names")
        yield {name: [row[name] for row in part] for name in names}


def _is_known_in_key(model: type[peewee.Model], key: Key, columns: list[Column]) -> bool:
    """Return whether the key is known to cover all rows, so that two rows with the same key are the same row.

    Raises:
      ValueError: the key does not cover a row.
    """
    if key.where is None:
        return True
    covered = satisfies_predicate(key.where, {column.field.column_name: column for column in columns})
    if covered is not None and not covered.all():
        names = ", ".join(field.name for field in key.fields)
        raise ValueError(
            f"{model.__name__}: {np.count_nonzero(~covered)} rows are outside of the partial key ({names}), "
            "whose predicate is not true for them"
        )
    return covered is not None


def _sorted_parts(key: list[Column], step: int, *, last_only: bool) -> Iterator[npt.NDArray[np.intp] | slice]:
    """Yield the row numbers of each chunk in key order; of rows that share a key, all or only the last.

    Raises:
      ValueError: a part of a key is NULL.
    """
    for column in key:
        if column.null is not None:
            raise ValueError(f"a row has no {column.field.name}, which is part of its key")
    if _is_sorted(key):
        for start in range(0, len(key[0].values), step):
            yield slice(start, start + step)
        return
    order = _sorted_rows(key, last_only=last_only)
    for start in range(0, len(order), step):
        yield order[start : start + step]


def _is_sorted(key: list[Column]) -> bool:
    """Return whether each key is greater than the one before it, as when rows are generated in order."""
    same = np.ones(len(key[0].values) - 1, dtype=bool)
    for column in key:
        before, after = column.values[:-1], column.values[1:]
        if (same & (after < before)).any():
            return False
        same &= after == before
        if not same.any():
            return True
    return False


def _sorted_rows(key: list[Column], *, last_only: bool) -> npt.NDArray[np.intp]:
    """Return row numbers in key order; of rows that share a key, all or only the last."""
    order: npt.NDArray[np.intp] = np.lexsort([column.values for column in reversed(key)])
    if not last_only:
        return order
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in key:
        ordered = column.values[order]
        same &= ordered[1:] == ordered[:-1]
    return order[np.append(~same, True)] if same.any() else order


def _default_columns(model: type[peewee.Model], given: Collection[str], count: int) -> list[Column]:
    missing = {
        field.column_name: [default() if callable(default) else default] * count
        for field, default in defaults(model).items()
        if field.column_name not in given
    }
    return convert_columns(model, missing)


def _write(database: peewee.Database, chunk: _Chunk, *, no_conflicts: bool) -> int:
    """Write a chunk and return the number of rows inserted or changed."""
    with contextlib.nullcontext() if database.in_transaction() else database.atomic():
        if not chunk.copy:
            return _insert_many(database, chunk)
        if no_conflicts:
            return _copy(database, chunk, table_entity(chunk.model))
        return _copy_and_merge(database, chunk)


def _compile_upsert(
    database: peewee.Database, chunk: _Chunk, insert: peewee.ModelInsert
) -> tuple[str, list[Any]]:
    """Return the SQL and the parameters of an INSERT with the chunk's conflict clause.

    The statement returns no rows; by default, Peewee would ask PostgreSQL for the id of each row.
    """
    return compile_query(database, update_on_conflict(database, insert, chunk.key, chunk.update).returning())


def _insert_many(database: peewee.Database, chunk: _Chunk) -> int:
    """Insert or update rows: Peewee compiles the statement for one row, and the driver runs it for all."""
    fields = [column.field for column in chunk.columns]
    sample = [_expression(column) for column in chunk.columns]
    insert = chunk.model.insert_many([sample], fields=fields)
    sql, parameters = _compile_upsert(database, chunk, insert)
    postgresql = is_postgresql(database)
    rows = zip(*(python_values(column, postgresql=postgresql) for column in chunk.columns), strict=True)
    with driver_cursor(database) as cursor:
        if postgresql:
            row = "(" + ", ".join(["%s"] * len(parameters)) + ")"
            count = len(chunk.columns[0].values)
            before_and_after = (part.replace("%", "%%") for part in sql.split(row, 1))
            psycopg2.extras.execute_values(
                cursor, "%s".join(before_and_after), list(rows), template=row, page_size=count
            )
        else:
            cursor.executemany(sql, rows)
        return int(cursor.rowcount)


def _expression(column: Column) -> peewee.Node | None:
    """Return the SQL expression that a field wraps around its values; None if they are bound directly."""
    if column.kind != "other":
        return None
    return next((value for value in column.values if isinstance(value, peewee.Node)), None)


def _copy(database: peewee.Database, chunk: _Chunk, table: peewee.Entity) -> int:
    """Insert the chunk into a table with binary COPY."""
    into, _ = compile_query(database, table)
    names = ", ".join(f'"{column.field.column_name}"' for column in chunk.columns)
    with driver_cursor(database) as cursor:
        source = _BlockReader(encode(chunk.columns))
        # Text is UTF-8, whatever the session's client_encoding.
        cursor.copy_expert(f"COPY {into} ({names}) FROM STDIN (FORMAT binary, ENCODING 'UTF8')", source)
        return int(cursor.rowcount)


def _copy_and_merge(database: peewee.Database, chunk: _Chunk) -> int:
    """Insert or update rows: COPY to a temporary table, then INSERT .. SELECT with the conflict clause."""
    name = f"stage_{table_name(chunk.model)}"
    fields = [column.field for column in chunk.columns]
    types = [f'"{field.column_name}" {column_type(database, field)}' for field in fields]
    # Peewee has no ON COMMIT DROP. It is also dropped below: a transaction may stage the same table again.
    execute_sql(database, f'CREATE TEMPORARY TABLE "{name}" ({", ".join(types)}) ON COMMIT DROP')
    _copy(database, chunk, peewee.Entity(name))
    stage = peewee.Table(name)
    rows = stage.select(*(getattr(stage.c, field.column_name) for field in fields))
    if chunk.update:
        rows = rows.where(is_new_or_different(database, chunk.model, chunk.key, chunk.update, stage))
    sql, _ = _compile_upsert(database, chunk, chunk.model.insert_from(rows, fields=fields))
    cursor = execute_sql(database, sql.replace("%", "%%"))
    execute_sql(database, f'DROP TABLE "{name}"')
    return int(cursor.rowcount)


class _BlockReader:
    """A file-like object that gives the driver one block of bytes per read, whatever size it requests."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _size: int) -> bytes:
        return next(self._blocks, b"")
