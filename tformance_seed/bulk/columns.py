"""A column of a chunk of rows, and its values as parameters of statements."""

import decimal
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk.peewee_internals import decimal_digits
from tformance_seed.bulk.wrappers import Binary, Json, Jsonb, binary, document, wrapped_type

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass
class Column:
    """One column in a chunk.

    The type of ``values`` depends on the kind. A column as Peewee would bind it is of the kind "parameters"
    (objects) or "array" (numbers, booleans, or datetime64[D] or [us]). Of the other kinds are columns whose
    values were made to fit, and those that are to be encoded for COPY: int64 for integer, bool for boolean,
    float64 for float, datetime64[D] for date, datetime64[us] for timestamp and (in UTC) timestamptz, int64 in
    units of the last decimal place for numeric, ``S`` or objects (bytes) for text, json, bytes and input,
    ``V16`` for uuid.

    ``null`` is a mask of the NULLs (None if there are none); parameters have None in their place instead.
    """

    field: peewee.Field
    kind: str
    values: Array
    null: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[np.intp] | slice) -> "Column":
        """Return the column with only the given rows."""
        null = None if self.null is None else self.null[rows]
        return Column(self.field, self.kind, self.values[rows], null)

    @functools.cached_property
    def types(self) -> frozenset[type]:
        """The types of the values of a column of parameters, NULL's included."""
        return frozenset(map(type, self.values.tolist()))

    def nulls(self) -> Mask:
        """Return a mask of the rows that are NULL."""
        if self.kind == "parameters" and NoneType in self.types:
            return np.fromiter((value is None for value in self.values.tolist()), dtype=bool, count=len(self))
        return np.zeros(len(self), dtype=bool) if self.null is None else self.null


def text_length(column: Column) -> int:
    """Return the length of all texts, documents and bytes of a column, 0 of other types."""
    if column.kind != "parameters":
        return int(np.char.str_len(column.values).sum()) if column.values.dtype.kind == "S" else 0
    measured = {kind: LENGTHS[wrapped_type(kind)] for kind in column.types if wrapped_type(kind) in LENGTHS}
    if not measured:
        return 0
    values = column.values.tolist()
    if column.types == {str}:
        return sum(map(len, values))
    return sum([measured[type(value)](value) for value in values if type(value) in measured])


#: Type of parameters -> function that returns the length of one.
LENGTHS: dict[type, Callable[[Any], int]] = {
    str: len,
    Binary: lambda value: len(binary(value)),
    **dict.fromkeys((Json, Jsonb), lambda value: len(document(value))),
}


def objects(values: Sequence[Any]) -> Array:
    """Return an array of objects, one for each value, whatever the values are."""
    return np.fromiter(values, dtype=object, count=len(values))


def parameters(column: Column, *, postgresql: bool) -> list[Any]:
    """Return the column's values as driver parameters; timestamps that were made to fit become text.

    Parameters:
      postgresql: whether to add an offset to timestamps with time zone and return numerics as Decimals, which
        SQLite does not support.
    """
    to_python = PARAMETER_CONVERTERS.get(column.kind)
    values: list[Any] = column.values.tolist() if to_python is None else to_python(column, postgresql)
    if column.null is not None:
        for row in np.flatnonzero(column.null).tolist():
            values[row] = None
    return values


def _timestamp_parameters(column: Column, postgresql: bool) -> list[str]:
    whole_seconds = not (column.values.astype(np.int64) % 1_000_000).any()
    text = np.datetime_as_string(column.values, unit="s" if whole_seconds else "us")
    offset = "+00" if postgresql and column.kind == "timestamptz" else ""
    values = [value.replace("T", " ") + offset for value in text.tolist()]
    if not whole_seconds:  # like str(datetime), which omits a fraction of zero
        values = [value.replace(".000000", "") for value in values]
    return values


def _numeric_parameters(column: Column, postgresql: bool) -> list[Any]:
    _, scale = decimal_digits(column.field)
    if postgresql:
        return [decimal.Decimal(units).scaleb(-scale) for units in column.values.tolist()]
    return [units / 10**scale for units in column.values.tolist()]


def _text_parameters(column: Column, _postgresql: bool) -> list[str]:
    return [value.decode("utf-8") for value in column.values.tolist()]


#: Kind of column -> function that converts its values to parameters; other kinds need no conversion.
PARAMETER_CONVERTERS: dict[str, Callable[[Column, bool], list[Any]]] = {
    "timestamp": _timestamp_parameters,
    "timestamptz": _timestamp_parameters,
    "date": lambda column, _: np.datetime_as_string(column.values, unit="D").tolist(),
    "numeric": _numeric_parameters,
    "text": _text_parameters,
    "json": _text_parameters,
}
