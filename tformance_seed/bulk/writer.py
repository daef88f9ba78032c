"""The one call, and the two ways behind it."""

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

from tformance_seed.bulk import copy_format as binary
from tformance_seed.bulk.columns import Column, Rows, columns, python_values
from tformance_seed.bulk.keys import Key, inside, unique_key
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

#: Rows of a chunk, which is a transaction of its own. Measured: on the COPY path it hardly matters.
PORTABLE_CHUNK = 5_000
COPY_CHUNK = 25_000


@dataclass(frozen=True)
class Result:
    """What an upsert did: rows inserted or changed, rows that were the same already, and seconds taken."""

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
    fresh: bool = False,
) -> Result:
    """Insert rows; where their key is there already, update what differs.

    Rows that are the same are not touched. Text that the column could not hold is made fit (``fit_text``).
    Of rows with the same key the last one counts. Each chunk is one transaction, sorted by the key, so that
    two writers cannot deadlock; inside a transaction of the caller's it is a part of that, which is to be
    rolled back where this raises.

    A partial key takes only rows for which its predicate is true. Where that cannot be told here
    (``keys.inside``) the database judges: it inserts rows outside of the key every time, and PostgreSQL
    refuses two rows with the same key in one chunk.

    Parameters:
      model: any Peewee model; it need not be bound where ``database`` is given.
      rows: columns (a mapping of names to equally long arrays or sequences) or an iterable of mappings with
        the same names. NULL: None, a masked value, NaN or NaT. Names not given get the field's default when
        inserted and are left alone when updated.
      database: where to write; by default the database that the model is bound to.
      key: the conflict target; by default read off the model (``unique_key``).
      chunk_size: rows of a chunk; by default 25,000 with COPY, 5,000 without.
      copy: use PostgreSQL's COPY; by default wherever the database and the column types allow.
      fresh: the caller knows that no row can conflict, so COPY goes straight into the table, which refuses
        one that does after all.
    Raises:
      ValueError: a name is unknown, the key is missing or NULL in a row, a row is outside of a partial key,
        a value does not fit its type.
      peewee.DatabaseError: the database refused; chunks that were transactions of their own are there.
    """
    database = bound_database(model) if database is None else database
    total = Result()
    for chunk in _chunks(database, model, rows, key, chunk_size, copy):
        began = time.perf_counter()
        count = len(chunk.columns[0].values)
        written = _write(database, chunk, fresh=fresh)
        total += Result(written, count - written, time.perf_counter() - began)
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
        for part in _batches(rows, chunk_size or PORTABLE_CHUNK):
            yield from _chunks(database, model, part, key, chunk_size, copy)
        return
    made = columns(model, rows)
    if not made or not len(made[0].values):
        return
    by_name = {column.field.column_name: column for column in made}  # fields themselves overload ==
    target = key or unique_key(model, by_name)
    names = {field.column_name for field in target.fields}
    update = tuple(
        column.field for name, column in by_name.items() if name not in names and not column.field.primary_key
    )
    made += _defaults(model, by_name, len(made[0].values))
    exact = _is_exact(model, target, made)
    in_key = [by_name[field.column_name] for field in target.fields]
    able = isinstance(database, peewee.PostgresqlDatabase) and all(column.kind != "other" for column in made)
    use_copy = able if copy is None else copy and able
    step = chunk_size or (COPY_CHUNK if use_copy else PORTABLE_CHUNK)
    for taken in _parts(in_key, step, last_only=exact):
        yield _Chunk(model, target, [column.take(taken) for column in made], update, use_copy)


def _batches(rows: Iterable[Mapping[str, Any]], size: int) -> Iterator[Rows]:
    source = iter(rows)
    while part := list(itertools.islice(source, size)):
        names = part[0].keys()
        if any(row.keys() != names for row in part):
            raise ValueError("rows differ in their names")
        yield {name: [row[name] for row in part] for name in names}


def _is_exact(model: type[peewee.Model], key: Key, made: list[Column]) -> bool:
    """Whether rows with the same values of the key are surely the same row; none may be outside of it."""
    if key.where is None:
        return True
    taken = inside(key.where, {column.field.column_name: column for column in made})
    if taken is not None and not taken.all():
        names = ", ".join(field.name for field in key.fields)
        raise ValueError(
            f"{model.__name__}: {np.count_nonzero(~taken)} rows are outside of the partial key ({names}), "
            "whose predicate is not true for them"
        )
    return taken is not None


def _parts(key: list[Column], step: int, *, last_only: bool) -> Iterator[npt.NDArray[np.intp] | slice]:
    """The rows of each chunk, in the order of the key; of equals all, or the last one only.

    Raises:
      ValueError: a part of a key is NULL.
    """
    for column in key:
        if column.null is not None:
            raise ValueError(f"a row has no {column.field.name}, which is part of its key")
    if _ascends(key):
        for start in range(0, len(key[0].values), step):
            yield slice(start, start + step)
        return
    order = _sorted_rows(key, last_only=last_only)
    for start in range(0, len(order), step):
        yield order[start : start + step]


def _ascends(key: list[Column]) -> bool:
    """Whether each row's key is greater than the one before, as where rows are made in order."""
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
    """Row numbers in the order of the key; of equals all, or the last one only."""
    order = np.lexsort([column.values for column in reversed(key)])
    if not last_only:
        return order
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in key:
        ordered = column.values[order]
        same &= ordered[1:] == ordered[:-1]
    return order[np.append(~same, True)] if same.any() else order


def _defaults(model: type[peewee.Model], given: Collection[str], count: int) -> list[Column]:
    rest = {
        field.column_name: [default() if callable(default) else default] * count
        for field, default in defaults(model).items()
        if field.column_name not in given
    }
    return columns(model, rest)


def _write(database: peewee.Database, chunk: _Chunk, *, fresh: bool) -> int:
    with contextlib.nullcontext() if database.in_transaction() else database.atomic():
        if not chunk.copy:
            return _portable(database, chunk)
        return _copy(database, chunk, table_entity(chunk.model)) if fresh else _staged(database, chunk)


def is_distinct(database: peewee.Database, left: Any, right: Any) -> peewee.Expression:
    """Whether two values or tuples differ, NULL being a value like any other."""
    postgresql = isinstance(database, peewee.PostgresqlDatabase)
    return peewee.Expression(left, "IS DISTINCT FROM" if postgresql else "IS NOT", right)


def _on_conflict(
    database: peewee.Database, insert: peewee.ModelInsert, chunk: _Chunk
) -> tuple[str, list[Any]]:
    """The statement with its conflict clause: update what is given, and only where something differs."""
    # Literal, since SQLite finds a partial index only where the predicate is the same to the letter.
    where = None if chunk.key.where is None else peewee.ValueLiterals(chunk.key.where)
    target = {"conflict_target": list(chunk.key.fields), "conflict_where": where}
    if not chunk.update:
        return compile_query(database, insert.on_conflict(action="nothing", **target).returning())
    new = [getattr(peewee.EXCLUDED, field.column_name) for field in chunk.update]
    differs = is_distinct(database, peewee.Tuple(*chunk.update), peewee.Tuple(*new))
    # Without returning() Peewee asks PostgreSQL for the id of every row.
    update = insert.on_conflict(preserve=list(chunk.update), where=differs, **target)
    return compile_query(database, update.returning())


def _portable(database: peewee.Database, chunk: _Chunk) -> int:
    """Peewee compiles the statement for one row; the driver repeats it with the values of all."""
    fields = [column.field for column in chunk.columns]
    sample = [_expression(column) for column in chunk.columns]
    sql, parameters = _on_conflict(database, chunk.model.insert_many([sample], fields=fields), chunk)
    postgresql = isinstance(database, peewee.PostgresqlDatabase)
    rows = zip(*(python_values(column, postgresql=postgresql) for column in chunk.columns), strict=True)
    with driver_cursor(database) as cursor:
        if postgresql:
            row = "(" + ", ".join(["%s"] * len(parameters)) + ")"
            count = len(chunk.columns[0].values)
            around = (part.replace("%", "%%") for part in sql.split(row, 1))
            psycopg2.extras.execute_values(
                cursor, "%s".join(around), list(rows), template=row, page_size=count
            )
        else:
            cursor.executemany(sql, rows)
        return cursor.rowcount


def _expression(column: Column) -> peewee.Node | None:
    """The SQL expression that a field makes of its values; None where they are bound as they are."""
    if column.kind != "other":
        return None
    return next((value for value in column.values if isinstance(value, peewee.Node)), None)


def _copy(database: peewee.Database, chunk: _Chunk, table: peewee.Entity) -> int:
    into, _ = compile_query(database, table)
    names = ", ".join(f'"{column.field.column_name}"' for column in chunk.columns)
    with driver_cursor(database) as cursor:
        source = _Stream(binary.encode(chunk.columns))
        # Text is UTF-8, whatever the session's client_encoding.
        cursor.copy_expert(f"COPY {into} ({names}) FROM STDIN (FORMAT binary, ENCODING 'UTF8')", source)
        return cursor.rowcount


def _staged(database: peewee.Database, chunk: _Chunk) -> int:
    """COPY into a temporary table, then one INSERT .. SELECT with the conflict clause."""
    stage = f"stage_{table_name(chunk.model)}"
    fields = [column.field for column in chunk.columns]
    types = [f'"{field.column_name}" {column_type(database, field)}' for field in fields]
    # Peewee has no ON COMMIT DROP. Dropped below too: a transaction may stage the same table again.
    execute_sql(database, f'CREATE TEMPORARY TABLE "{stage}" ({", ".join(types)}) ON COMMIT DROP')
    _copy(database, chunk, peewee.Entity(stage))
    staged = {field.column_name: peewee.Column(peewee.Table(stage), field.column_name) for field in fields}
    source = peewee.Table(stage).select(*staged.values())
    if chunk.update:
        source = source.where(_differs(database, chunk, staged))
    sql, _ = _on_conflict(database, chunk.model.insert_from(source, fields=fields), chunk)
    cursor = execute_sql(database, sql.replace("%", "%%"))
    execute_sql(database, f'DROP TABLE "{stage}"')
    return cursor.rowcount


def _differs(database: peewee.Database, chunk: _Chunk, staged: dict[str, peewee.Column]) -> peewee.Expression:
    """Whether the table has a staged row not at all, or another one with its key.

    ON CONFLICT alone would do, but it locks each row that it finds, which dirties its page and goes into the
    log. A scalar subquery, since the planner cannot make a join of it, whose kind it would have to guess.
    """
    held = peewee.Tuple(*chunk.update)
    new = peewee.Tuple(*(staged[field.column_name] for field in chunk.update))
    same_key = [field == staged[field.column_name] for field in chunk.key.fields]
    if chunk.key.where is not None:
        same_key.append(peewee.ValueLiterals(chunk.key.where))
    distinct = chunk.model.select(is_distinct(database, held, new)).where(*same_key)
    return peewee.Expression(distinct, "IS NOT", peewee.SQL("FALSE"))


class _Stream:
    """Pieces of bytes as the file that the driver reads from; it takes whatever it gets at a time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _size: int) -> bytes:
        return next(self._pieces, b"")
