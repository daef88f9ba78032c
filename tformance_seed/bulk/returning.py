"""What happened to each row of a chunk, and its columns as they are stored now."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import peewee

from tformance_seed.bulk.columns import Column, parameters
from tformance_seed.bulk.conditional_update import OLD, column_of, same_key
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.keys import Key
from tformance_seed.bulk.peewee_internals import (
    compile_escaped,
    execute,
    execute_sql,
    fields_of,
    from_database,
)
from tformance_seed.bulk.results import RowResult
from tformance_seed.bulk.row_sources import NUMBER, ROWS, Source
from tformance_seed.bulk.statements import Target, insert_plain, merge

#: Names of the rows that a statement has written, and of the column that tells whether a row was inserted.
WRITTEN, INSERTED = "tformance_written", "tformance_inserted"


def merge_returning(
    target: Target,
    columns: Sequence[Column],
    source: Source,
    exact: Sequence[str],
    fields: Sequence[peewee.Field],
) -> list[RowResult]:
    """Insert or update a source's rows on PostgreSQL; return what happened to each."""
    database, key = target.database, _key(target)
    kept = list({field.column_name: field for field in (*_fields_in(key, target.model), *fields)}.values())
    inserted = peewee.NodeList((peewee.SQL("(xmax = 0) AS"), peewee.Entity(INSERTED)))
    insert = merge(target, columns, source, exact).returning(*kept, inserted)
    old = target.model.alias(OLD)
    of_written = peewee.NodeList(
        same_key(database, dataclasses.replace(key, where=None), WRITTEN, source.values), " AND "
    )
    of_old = peewee.NodeList(same_key(database, key, OLD, source.values), " AND ")
    tables = peewee.NodeList(
        (
            source.table,
            peewee.SQL(f"LEFT JOIN {WRITTEN} ON"),
            of_written,
            peewee.SQL("LEFT JOIN"),
            old,
            peewee.SQL("ON"),
            of_old,
        )
    )
    shown = [column_of(alias, field) for alias in (WRITTEN, OLD) for field in fields]
    names = [peewee.Entity(ROWS, NUMBER), peewee.Entity(WRITTEN, INSERTED), *shown]
    insert_sql, own = compile_escaped(database, insert)
    select_sql, last = compile_escaped(database, peewee.Select([tables], names))
    ctes = ", ".join([*filter(None, [source.cte]), f"{WRITTEN} AS ({insert_sql})"])
    rows = execute_sql(database, f"WITH {ctes} {select_sql}", [*source.parameters, *own, *last]).fetchall()
    found: dict[int, RowResult] = {}
    for number, was_inserted, *values in rows:
        action = {True: "inserted", False: "updated", None: "unchanged"}[was_inserted]
        own_values = values[: len(fields)] if was_inserted is not None else values[len(fields) :]
        found[number] = RowResult(action, _python(fields, own_values))
    return [found[number] for number in range(len(columns[0]))]


def insert_returning(
    target: Target, columns: Sequence[Column], exact: Sequence[str], fields: Sequence[peewee.Field]
) -> list[RowResult]:
    """Insert or update rows in the open transaction; return what happened to each, from how it was before."""
    before = _stored(target, columns, lock=is_postgresql(target.database))
    insert_plain(target, columns, exact)
    after = _stored(target, columns)
    names = [field.column_name for field in fields_of(target.model)]
    positions = [names.index(field.column_name) for field in fields]
    results = []
    for old, new in zip(before, after, strict=True):
        if new is None:
            raise ValueError(f"{target.model.__name__}: a row is not found by its key after it was written")
        action = "inserted" if old is None else "unchanged" if repr(old) == repr(new) else "updated"
        results.append(RowResult(action, _python(fields, [new[position] for position in positions])))
    return results


def _stored(target: Target, columns: Sequence[Column], *, lock: bool = False) -> list[tuple[Any, ...] | None]:
    """Return the row in the table for each row of the columns; None if there is none."""
    key, old = _key(target), target.model.alias(OLD)
    names = [column.field.column_name for column in columns]
    lists = [parameters(column, postgresql=is_postgresql(target.database)) for column in columns]
    shown = [column_of(OLD, field) for field in fields_of(target.model)]
    found = []
    for values in zip(*lists, strict=True):
        new = {
            name: peewee.Value(value, False, unpack=False) for name, value in zip(names, values, strict=True)
        }
        query = peewee.Select([old], shown).where(*same_key(target.database, key, OLD, new))
        if lock:
            query = query.for_update()
        found.append(execute(target.database, query).fetchone())
    return found


def _python(fields: Sequence[peewee.Field], values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(from_database(field, value) for field, value in zip(fields, values, strict=True))


def _key(target: Target) -> Key:
    if target.order_by is None:
        raise ValueError(f"{target.model.__name__}: returning= needs a key, by which rows are found")
    return target.order_by


def _fields_in(key: Key, model: type[peewee.Model]) -> list[peewee.Field]:
    """Return the fields of which a key consists, those in its expressions included."""
    if key.is_plain:
        return list(key.fields)
    return fields_of(model)
