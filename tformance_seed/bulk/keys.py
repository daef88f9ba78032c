"""The conflict target of a model, read off its unique keys."""

import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk.columns import MAKERS, Column

#: Comparisons of a field with a constant that come out the same here and in every database ...
COMPARISONS = {
    peewee.OP.EQ: operator.eq,
    peewee.OP.NE: operator.ne,
    peewee.OP.LT: operator.lt,
    peewee.OP.LTE: operator.le,
    peewee.OP.GT: operator.gt,
    peewee.OP.GTE: operator.ge,
}

#: ... of exact kinds; the order of text depends on its collation, but nothing is before the empty one.
EXACT = ("integer", "boolean", "date", "timestamp")


@dataclass(frozen=True)
class Key:
    """A unique key: its fields in order, and the predicate of a partial one (None: of every row)."""

    fields: tuple[peewee.Field, ...]
    where: Any = None


def unique_key(model: type[peewee.Model], given: Collection[str] | None = None) -> Key:
    """The first unique key whose columns are all given, one without a predicate rather than a partial one.

    Looked for in this order: ``unique=True`` fields, ``Meta.indexes``, ``add_index``, and the primary key,
    which comes after the partial ones where nothing is said to be given.

    Parameters:
      given: column names of the rows; None: any.
    Raises:
      ValueError: there is no such key.
    """
    primary = Key(tuple(model._meta.get_primary_keys()))
    usable = [
        key
        for key in (*_declared(model), primary)
        if key.fields and (given is None or all(field.column_name in given for field in key.fields))
    ]
    if not usable:
        names = ", ".join(sorted(given or ()))
        raise ValueError(f"{model.__name__} has no unique key among the columns {names}")
    return min(usable, key=lambda key: key.where is not None or (given is None and key is primary))


def inside(where: Any, columns: Mapping[str, Column]) -> npt.NDArray[np.bool_] | None:
    """The rows for which the predicate of a partial key is true.

    Knows a field compared with a constant, or tested for NULL.

    Returns:
      None where only the database can tell.
    """
    if not isinstance(where, peewee.Expression) or not isinstance(where.lhs, peewee.Field):
        return None
    column = columns.get(where.lhs.column_name)
    if column is None:
        return None
    present = np.ones(len(column.values), dtype=bool) if column.null is None else ~column.null
    if where.rhs is None:
        return {peewee.OP.IS: ~present, peewee.OP.IS_NOT: present}.get(where.op)
    if where.op not in COMPARISONS or isinstance(where.rhs, peewee.Node):
        return None
    equality = where.op in (peewee.OP.EQ, peewee.OP.NE)
    if column.kind not in EXACT and not (column.kind == "text" and (equality or where.rhs == "")):
        return None
    try:
        constant = MAKERS[column.kind](column.field, column.kind, [where.rhs]).values[0]
    except (TypeError, OverflowError):  # not of the column's type, such as 0.5 for an integer
        return None
    return present & COMPARISONS[where.op](column.values, constant)


def _declared(model: type[peewee.Model]) -> list[Key]:
    meta = model._meta
    keys = [Key((field,)) for field in meta.sorted_fields if field.unique and not field.primary_key]
    for index in meta.indexes:
        if isinstance(index, peewee.ModelIndex):
            fields = tuple(index._expressions)
            if index._unique and all(isinstance(field, peewee.Field) for field in fields):
                keys.append(Key(fields, index._where))
        elif isinstance(index, list | tuple) and index[1]:
            keys.append(Key(tuple(meta.fields[name] for name in index[0])))
    return keys
