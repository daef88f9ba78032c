"""The upsert: rows in any form become chunks, each written by the fastest way that stores what Peewee
would.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.conversion import FailedRow
from tformance_seed.bulk.dialect import transaction
from tformance_seed.bulk.job import Upsert, field_of
from tformance_seed.bulk.peewee_internals import (
    bound_database,
    has_atomic,
    primary_key_fields,
    table_name,
    unwrapped,
)
from tformance_seed.bulk.results import Result, RowResult
from tformance_seed.bulk.returning import WRITTEN
from tformance_seed.bulk.row_sources import ROWS
from tformance_seed.bulk.synchronise import delete_others, lock_table

#: Names in statements, which would hide a table with such a name.
OWN_NAMES = (ROWS, WRITTEN)

#: What may happen to a row that exists.
ON_CONFLICT = ("update", "ignore")


def upsert(
    model: type[peewee.Model],
    rows: Any,
    *,
    fields: Sequence[Any] | None = None,
    database: peewee.Database | None = None,
    key: Any = None,
    on_conflict: str = "update",
    update: Sequence[Any] | Mapping[Any, Any] | None = None,
    returning: Sequence[Any] | None = None,
    sync: peewee.Expression | None = None,
    on_error: Callable[[FailedRow], object] | None = None,
    on_chunk: Callable[[Result], object] | None = None,
    chunk_size: int | None = None,
    copy: bool | None = None,
    no_conflicts: bool = False,
    fit: bool = False,
) -> Result:
    """Insert rows; if a row with the same key exists, update it if it differs.

    The table then has what ``model.insert_many(rows).on_conflict(...)`` would leave in it, whichever way the
    rows were written. Unchanged rows are not touched and draw no id. If several rows share a key, the last
    one wins (of expressions in ``update``, all count; with ``on_conflict="ignore"``, the first). Each chunk
    is one transaction, sorted by the key, so that two writers cannot deadlock by it; they may where a table
    has another unique key, and where a transaction upserts several times. If the caller has opened a
    transaction, all rows are gathered, sorted and written as part of it, and the caller must roll it back if
    this function raises.

    A partial key covers only rows for which its predicate is true. If the predicate is more than a field
    compared with a constant or tested for NULL, the database evaluates it: rows outside the key are then
    inserted every time, and PostgreSQL rejects two rows with the same key in one chunk.

    Parameters:
      model: any Peewee model; it need not be bound if ``database`` is given.
      rows: columns (a mapping of names to arrays or sequences of equal length); a table of pandas, Polars or
        Arrow; or an iterable of mappings, of instances of the model, or of sequences with the values of
        ``fields``. Mappings may differ in their names. None is NULL, and so are masked values, NaN and NaT
        in arrays and what is missing in a table. Fields that are not given get their default when a row is
        inserted, and are left alone when it is updated.
      fields: the fields, or their names, of rows that are sequences.
      database: the database to write to; by default the one that the model is bound to.
      key: the unique key by which rows are matched: fields or their names, or expressions of an index; an
        index of the model; the name of one, or of a constraint on PostgreSQL; or a ``Key``. By default, it
        is the primary key if it is given, else the first unique key of the model whose columns are all
        given; a partial key is used only if there is no other.
      on_conflict: "update", or "ignore" to leave rows alone that exist: by ``key``, or by any key if it is
        not given.
      update: which fields to update, by default all that are given and not in the key; or a mapping of
        fields to expressions of the table's row and of ``peewee.EXCLUDED``, the row that was to be inserted.
      returning: fields to return of each row, in ``Result.rows``, with what happened to it.
      sync: a condition for rows that are to be deleted if they are not among the rows given; all is one
        transaction.
      on_error: is called with each row that cannot be stored, and the others are written. By default, the
        first one raises an error that tells its number, column and value.
      on_chunk: is called with the result of each chunk, after it was committed unless the caller's
        transaction is open.
      chunk_size: rows per chunk; by default 25,000 with COPY and 5,000 without.
      copy: whether to use PostgreSQL's COPY; by default, it is used for as many rows as make it the faster
        way, if the table's types and the values allow it.
      no_conflicts: the caller knows that none of the rows exist yet, so they are copied straight into the
        table, which raises an error if a row conflicts nevertheless.
      fit: make values fit their columns instead of what the model's fields do to them: cut text, drop NULs,
        replace invalid UTF-8, take moments as UTC, round numerics half up.

    Returns:
      How many rows were written and how many were the same already.

    Raises:
      ValueError: the model is not bound and no database is given, a name is unknown, a key is missing or NULL
        in a row, a row is outside a partial key, or a value cannot be converted.
      peewee.DatabaseError: the database rejected a statement; chunks that were already committed remain.
    """
    database = bound_database(model) if database is None else unwrapped(database)
    if not isinstance(database, peewee.Database):
        raise TypeError(f"database: expected an open peewee.Database, not {type(database).__name__}")
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise ValueError(f"chunk_size: expected 1 or more, not {chunk_size!r}")
    if on_conflict not in ON_CONFLICT:
        raise ValueError(f"on_conflict: expected one of {', '.join(ON_CONFLICT)}, not {on_conflict!r}")
    if table_name(model) in OWN_NAMES:
        raise ValueError(f"{model.__name__}: upsert calls rows of its own {table_name(model)}")
    if sync is not None and on_conflict == "ignore":
        raise ValueError("sync: rows that are ignored are not known by their ids; leave out on_conflict")
    if not has_atomic(database) and any(option is not None for option in (returning, sync, on_error)):
        kind = type(database).__name__
        raise ValueError(f"returning, sync and on_error need transactions, which {kind} has not")
    job = Upsert(
        database,
        model,
        key,
        on_conflict == "ignore",
        update,
        on_error,
        on_chunk,
        chunk_size,
        copy,
        no_conflicts,
        fit,
    )
    shown = None if returning is None else [field_of(model, part) for part in returning]
    names = None if fields is None else [field_of(model, part).name for part in fields]
    if sync is None:
        return job.run(rows, names, shown)
    own = primary_key_fields(model)
    if not own:
        raise ValueError(f"{model.__name__}: sync= needs a primary key")
    with transaction(database):
        lock_table(database, model)
        result = job.run(rows, names, [*(shown or []), *own])
        kept = {row.values[len(shown or []) :] for row in result.rows if row is not None}
        deleted = delete_others(database, model, sync, kept)
    rows_shown = tuple(row and RowResult(row.action, row.values[: len(shown or [])]) for row in result.rows)
    return dataclasses.replace(result, deleted=deleted, rows=() if shown is None else rows_shown)
