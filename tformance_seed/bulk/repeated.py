"""Few rows like those before, once more: what was found out is kept, so that only the values are left.

To find out where rows go takes longer than to write a few of them.
"""

import itertools
import operator
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import peewee

from tformance_seed.bulk.array_literals import array_literal
from tformance_seed.bulk.columns import Column
from tformance_seed.bulk.compiled import CompiledInsert
from tformance_seed.bulk.conversion import unchanged_types
from tformance_seed.bulk.copy_types import ColumnType
from tformance_seed.bulk.dialect import in_transaction, is_postgresql
from tformance_seed.bulk.failures import ROW_ERRORS
from tformance_seed.bulk.paths import COPY_FROM, COPY_LENGTH
from tformance_seed.bulk.peewee_internals import driver_connection, signature_of_model
from tformance_seed.bulk.postgresql import MAX_AGE, MAX_STATEMENTS, TableTypes
from tformance_seed.bulk.row_sources import Source, arrays
from tformance_seed.bulk.rows import columns_of_equal_rows
from tformance_seed.bulk.statements import Target, kept_statement


@dataclass(frozen=True)
class _Plan:
    """Where rows of the same names go.

    Attributes:
      columns: for each column, the types of the values that its field returns as they are, and its real type.
      key: the positions of the key's columns.
    """

    columns: tuple[tuple[frozenset[type], ColumnType], ...]
    key: tuple[int, ...]
    rows: Source
    insert: CompiledInsert
    asked: float


#: Plans of each connection, by the model's signature and the names of the columns.
_plans: "weakref.WeakKeyDictionary[Any, dict[Any, _Plan]]" = weakref.WeakKeyDictionary()


def remember(target: Target, names: Sequence[str], columns: Sequence[Column], types: TableTypes) -> None:
    """Keep what was found out about rows that were given by these names and written as arrays."""
    key, fields = target.key, [column.field for column in columns]
    own = {field.column_name: place for place, field in enumerate(fields)}
    if key is None or not key.is_plain or key.where is not None or key.nulls_equal or len(names) != len(own):
        return
    source = arrays(tuple(own), types)
    insert = kept_statement(target, source, types)
    if insert is None:
        return
    plans = _plans.setdefault(driver_connection(target.database), {})
    if len(plans) >= MAX_STATEMENTS:
        plans.clear()
    places = tuple([own[field.column_name] for field in key.fields])
    accepted = [
        unchanged_types(field) if place in places else unchanged_types(field) | {NoneType}
        for place, field in enumerate(fields)
    ]
    real = [types.columns[name] for name in own]
    plan = _Plan(tuple(zip(accepted, real, strict=True)), places, source, insert, types.asked)
    plans[*signature_of_model(target.model), *names] = plan


def write_again(
    database: peewee.Database, model: type[peewee.Model], rows: Any, names: Sequence[str] | None
) -> int | None:
    """Write rows as others of the same names were written; return how many were inserted or changed.

    Returns:
      None if nothing was written: there were no such rows, these are other ones, or one cannot be stored.
    """
    plans = _plans.get(driver_connection(database)) if is_postgresql(database) else None
    if not plans or not isinstance(rows, list) or not 0 < len(rows) < COPY_FROM:
        return None
    columns = columns_of_equal_rows(rows, names)
    plan = None if columns is None else plans.get((*signature_of_model(model), *columns))
    if columns is None or plan is None or plan.asked + MAX_AGE < time.monotonic():
        return None
    lists, texts = list(columns.values()), []
    for (accepted, type_), values in zip(plan.columns, lists, strict=True):
        types = set(map(type, values))
        text = array_literal(values, types, type_) if types <= accepted else None
        if text is None:
            return None
        texts.append(text)
    ascending = len(rows) == 1 or _ascending([lists[place] for place in plan.key])
    if not ascending or sum(map(len, texts)) >= COPY_LENGTH or in_transaction(database):
        return None
    try:
        return plan.insert.run(database, plan.rows.of(texts), prepare=True)
    except ROW_ERRORS:  # the whole way tells which row it is
        return None


def _ascending(key: Sequence[Sequence[Any]]) -> bool:
    """Return whether each key is greater than the one before it."""
    keys = key[0] if len(key) == 1 else list(zip(*key, strict=True))
    return all(map(operator.lt, keys, itertools.islice(keys, 1, None)))
