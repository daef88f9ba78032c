"""The conflict target of a model, derived from its unique keys."""

import datetime
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import peewee

from tformance_seed.bulk.columns import Column, Mask, parameters
from tformance_seed.bulk.peewee_internals import (
    fields_by_column,
    fields_by_name,
    index_definition,
    indexes_of,
    primary_key_fields,
    to_database,
    unique_keys,
)

#: Comparisons of a field with a constant that give the same result in Python and in every database, for the
#: ``EXACT_TYPES``.
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    peewee.OP.EQ: operator.eq,
    peewee.OP.NE: operator.ne,
    peewee.OP.LT: operator.lt,
    peewee.OP.LTE: operator.le,
    peewee.OP.GT: operator.gt,
    peewee.OP.GTE: operator.ge,
}

#: Types of values that may be compared in Python. The order of text depends on its collation, except that no
#: text sorts before "".
EXACT_TYPES = (int, bool, datetime.date)


@dataclass(frozen=True)
class Key:
    """A unique key.

    Attributes:
      fields: its fields or expressions, in order.
      where: the predicate of a partial key; None: it covers every row.
      nulls_equal: whether it takes NULLs to be equal (NULLS NOT DISTINCT).
    """

    fields: tuple[Any, ...]
    where: Any = None
    nulls_equal: bool = False

    @property
    def is_plain(self) -> bool:
        """Return whether all parts are fields."""
        return all(isinstance(part, peewee.Field) for part in self.fields)

    def names(self) -> str:
        """Return the names of the parts, for messages."""
        return ", ".join(
            part.name if isinstance(part, peewee.Field) else "an expression" for part in self.fields
        )


def unique_key(model: type[peewee.Model], given: Collection[str] | None = None) -> Key:
    """Return the first unique key whose columns are all given; partial keys come last.

    The order is: the primary key, ``unique=True`` fields, ``Meta.indexes``, ``add_index``, then partial keys.
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
        for key in (primary, *declared)
        if key.fields and (given is None or all(field.column_name in given for field in key.fields))
    ]
    if not usable:
        names = ", ".join(sorted(given or ()))
        raise ValueError(f"{model.__name__} has no unique key among the columns {names}")
    return min(usable, key=lambda key: (given is None and key is primary, key.where is not None))


def find_key(model: type[peewee.Model], key: Any, constraint: Callable[[str], tuple[str, ...]]) -> Key:
    """Return the key that a caller names.

    Parameters:
      key: a key, an index of the model, one part or a sequence of parts (fields, names of fields,
        expressions), or the name of an index of the model or of a constraint.
      constraint: returns the columns of the constraint with a name, none if there is no such constraint.

    Raises:
      ValueError: there is no such field, index or constraint.
    """
    if isinstance(key, Key):
        return key
    if isinstance(key, peewee.ModelIndex):
        definition = index_definition(key)
        return Key(tuple(definition.expressions), definition.where)
    by_name = {**fields_by_column(model), **fields_by_name(model)}
    if isinstance(key, str) and key not in by_name:
        for index in map(index_definition, indexes_of(model)):
            if index.name == key and index.unique:
                return Key(tuple(index.expressions), index.where)
        columns = constraint(key)
        if not columns:
            raise ValueError(f"{model.__name__} has no field, unique index or constraint {key}")
        return Key(tuple(by_name[column] for column in columns))
    parts = (key,) if isinstance(key, str | peewee.Node) else tuple(key)
    for part in parts:
        if isinstance(part, str) and part not in by_name:
            raise ValueError(f"{model.__name__} has no field {part}")
    return _declared(model, Key(tuple(by_name[part] if isinstance(part, str) else part for part in parts)))


def _declared(model: type[peewee.Model], key: Key) -> Key:
    """Return a key of fields with the predicate of the model's unique key of the same fields, if it has no
    whole one.
    """
    if not key.is_plain:
        return key
    names = {field.column_name for field in key.fields}
    declared = [(primary_key_fields(model), None), *unique_keys(model)]
    wheres = [where for fields, where in declared if {field.column_name for field in fields} == names]
    if not wheres or any(where is None for where in wheres):
        return key
    return replace(key, where=wheres[0])


def satisfies_predicate(where: Any, columns: Mapping[str, Column]) -> Mask | None:
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
    present = ~column.nulls()
    if where.rhs is None:
        return {peewee.OP.IS: ~present, peewee.OP.IS_NOT: present}.get(where.op)
    if where.op not in COMPARISONS or isinstance(where.rhs, peewee.Node):
        return None
    constant = to_database(column.field, where.rhs)
    values = parameters(column, postgresql=True)
    types = {type(constant), *map(type, values)} - {type(None)}
    equality = where.op in (peewee.OP.EQ, peewee.OP.NE)
    exact = len(types) == 1 and (types <= {*EXACT_TYPES} or (types == {str} and (equality or constant == "")))
    if not exact:
        return None
    compare = COMPARISONS[where.op]
    holds = (value is not None and bool(compare(value, constant)) for value in values)
    return np.fromiter(holds, dtype=bool, count=len(values))


def rebind(node: Any, replace: Callable[[Any], peewee.Node], *, strict: bool = True) -> Any:
    """Return an expression with its fields replaced, such as by columns of another table.

    Parameters:
      strict: whether fields are the only parts that are replaced; if not, all but operators and functions.

    Raises:
      ValueError: the expression contains SQL text, in which fields cannot be found.
    """
    if isinstance(node, peewee.Expression):
        parts = (rebind(part, replace, strict=strict) for part in (node.lhs, node.rhs))
        left, right = parts
        return peewee.Expression(left, node.op, right, node.flat)
    if isinstance(node, peewee.Function):
        return peewee.Function(
            node.name, tuple(rebind(part, replace, strict=strict) for part in node.arguments or ())
        )
    if isinstance(node, peewee.Field) or (isinstance(node, peewee.Node) and not strict):
        return replace(node)
    if isinstance(node, peewee.Node) and not isinstance(node, peewee.Value):
        raise ValueError(
            f"an expression of a key may consist of fields, operators and functions, not {node!r}"
        )
    return node
