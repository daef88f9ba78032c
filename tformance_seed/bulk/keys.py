"""The conflict target of a model, derived from its unique keys."""

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk.columns import CONVERTERS, Column
from tformance_seed.bulk.peewee_internals import primary_key_fields, unique_keys

#: Comparisons of a field with a constant that give the same result in Python and in every database, for the
#: ``EXACT_KINDS``.
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    peewee.OP.EQ: operator.eq,
    peewee.OP.NE: operator.ne,
    peewee.OP.LT: operator.lt,
    peewee.OP.LTE: operator.le,
    peewee.OP.GT: operator.gt,
    peewee.OP.GTE: operator.ge,
}

#: Kinds of columns that may be compared in Python. The order of text depends on its collation, except that no
#: text sorts before "".
EXACT_KINDS = ("integer", "boolean", "date", "timestamp")


@dataclass(frozen=True)
class Key:
    """A unique key: its fields in order, and the predicate of a partial key (None: it covers every row)."""

    fields: tuple[peewee.Field, ...]
    where: Any = None


def unique_key(model: type[peewee.Model], given: Collection[str] | None = None) -> Key:
    """Return the first unique key whose columns are all given; partial keys come last.

    The order is: ``unique=True`` fields, ``Meta.indexes``, ``add_index``, the primary key, then partial keys.
    If ``given`` is None, the primary key comes after the partial keys.

    Parameters:
      given: column names of the rows; None: consider all keys.
    Raises:
      ValueError: there is no such key.
    """
    primary = Key(primary_key_fields(model))
    declared = [Key(fields, where) for fields, where in unique_keys(model)]
    usable = [
        key
        for key in (*declared, primary)
        if key.fields and (given is None or all(field.column_name in given for field in key.fields))
    ]
    if not usable:
        names = ", ".join(sorted(given or ()))
        raise ValueError(f"{model.__name__} has no unique key among the columns {names}")
    return min(usable, key=lambda key: key.where is not None or (given is None and key is primary))


def satisfies_predicate(where: Any, columns: Mapping[str, Column]) -> npt.NDArray[np.bool_] | None:
    """Return a mask of the rows for which the predicate of a partial key is true.

    Only predicates that compare a field with a constant or test it for NULL are supported.

    Returns:
      None if only the database can evaluate the predicate.
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
    if column.kind not in EXACT_KINDS and not (column.kind == "text" and (equality or where.rhs == "")):
        return None
    try:
        constant = CONVERTERS[column.kind](column.field, column.kind, [where.rhs]).values[0]
    except (TypeError, OverflowError):  # the constant has another type, such as 0.5 for an integer
        return None
    holds: npt.NDArray[np.bool_] = present & COMPARISONS[where.op](column.values, constant)
    return holds
