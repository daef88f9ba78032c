"""Values as Peewee would bind them: what ``insert_many`` makes of a value, for whole columns."""

import datetime
from collections.abc import Collection, Sequence
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
import peewee

from tformance_seed.bulk.columns import Array, Column, Mask, objects
from tformance_seed.bulk.peewee_internals import STRING_ADAPT, to_database

#: Conversion of a field class -> types of the values that it returns as they are.
UNCHANGED: dict[Any, frozenset[type]] = {
    peewee.IntegerField.adapt: frozenset([int]),
    peewee.FloatField.adapt: frozenset([float]),
    STRING_ADAPT: frozenset([str]),
    peewee.BooleanField.adapt: frozenset([bool]),
    peewee.DateField.adapt: frozenset([datetime.date]),
    peewee.DateTimeField.adapt: frozenset([datetime.datetime, datetime.date]),
}

#: Kind of an array's elements -> the type of its values as Python objects; datetimes have it from their unit.
ELEMENT_TYPES: dict[str, type] = {"i": int, "u": int, "f": float, "b": bool}

#: Longest excerpt of a value, and of what a database says about it, in an error message, in characters.
MAX_EXCERPT, MAX_REASON = 60, 200


class FailedRow(NamedTuple):
    """A row that cannot be stored.

    Attributes:
      row: its number in the input, from 0.
      column: the name of the field whose value is refused; None if that is not known.
      value: that value.
      reason: what the field, the driver or the database said, on one line.
    """

    row: int
    column: str | None
    value: Any
    reason: str

    def describe(self, model: type[peewee.Model]) -> str:
        """Return which row failed and why, on one line, with the value shortened."""
        if self.column is None:
            return f"{model.__name__}: row {self.row}: {self.reason}"
        value = _shortened(" ".join(repr(self.value).split()), MAX_EXCERPT)
        return f"{model.__name__}.{self.column}: row {self.row}: {value}: {self.reason}"


class BadRowError(ValueError):
    """A value that a field or a driver cannot convert; ``failed`` tells which."""

    def __init__(self, model: type[peewee.Model], failed: FailedRow) -> None:
        super().__init__(failed.describe(model))
        self.failed = failed


def one_line(error: BaseException) -> str:
    """Return the first line of an error's message, shortened."""
    return _shortened(" ".join(str(error).split("\n")[0].split()) or type(error).__name__, MAX_REASON)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def convert(field: peewee.Field, values: Any) -> Column:
    """Return a column with the parameters that Peewee would bind for the values.

    Arrays of numbers, booleans and datetimes stay arrays if the field returns such values as they are.
    Masked values, NaN and NaT in arrays, and NaT and pandas' NA anywhere, are NULL.

    Raises:
      BadRowError: the field refuses a value.
      ValueError: the values are no array or sequence.
    """
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        kind = type(values).__name__
        raise ValueError(f"{field.model.__name__}.{field.name}: expected a list or an array, not {kind}")
    if isinstance(values, np.ndarray):
        array, null = _plain_array(values)
        if array.ndim != 1:
            raise ValueError(f"{field.model.__name__}.{field.name}: expected one dimension, not {array.ndim}")
        if _element_type(array) in unchanged_types(field):
            return Column(field, "array", array, null)
        values = array.tolist()
        if null is not None:
            for row in np.flatnonzero(null).tolist():
                values[row] = None
    types = frozenset(map(type, values))
    if not types <= unchanged_types(field) | {NoneType}:
        return Column(field, "parameters", objects(_parameters(field, values, types)))
    column = Column(field, "parameters", objects(values))
    column.types = types
    return column


def _plain_array(values: Array) -> tuple[Array, Mask | None]:
    """Return an array whose elements become Python's own types, and a mask of those that mean NULL."""
    null: Any = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array: Array = values.data if isinstance(values, np.ma.MaskedArray) else values
    missing: Any = None
    if array.dtype.kind == "M":
        unit = np.datetime_data(array.dtype)[0]
        array = array.astype("M8[D]" if unit in ("Y", "M", "W", "D", "generic") else "M8[us]")
        missing = np.isnat(array)
    elif array.dtype.kind == "m":
        array = array.astype("m8[us]")
        missing = np.isnat(array)
    elif array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
        missing = np.isnan(array)
    elif array.dtype.kind == "O":  # pandas has NaN for a missing text
        missing = np.fromiter((_is_nan(value) for value in array.flat), dtype=bool, count=array.size)
    if missing is not None and missing.any():
        null = missing if null is None else null | missing
    return array, null if null is not None and null.any() else None


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _element_type(array: Array) -> type | None:
    if array.dtype.kind == "M":
        return datetime.date if np.datetime_data(array.dtype)[0] == "D" else datetime.datetime
    return ELEMENT_TYPES.get(array.dtype.kind)


def unchanged_types(field: peewee.Field) -> frozenset[type]:
    """Return the types of the values that a field returns as they are."""
    while type(field).db_value is peewee.ForeignKeyField.db_value and isinstance(
        field, peewee.ForeignKeyField
    ):
        field = field.rel_field
    if type(field).db_value is not peewee.Field.db_value or "adapt" in vars(field):
        return frozenset()
    return UNCHANGED.get(type(field).adapt, frozenset())


def _parameters(field: peewee.Field, values: Sequence[Any], types: Collection[type]) -> list[Any]:
    if any(issubclass(kind, np.generic) or kind.__name__ in ("NAType", "NaTType") for kind in types):
        values = [_plain_value(value) for value in values]
    converted = []
    for row, value in enumerate(values):
        try:
            converted.append(_parameter(field, value))
        except Exception as error:
            raise BadRowError(field.model, FailedRow(row, field.name, value, one_line(error))) from error
    return converted


def _parameter(field: peewee.Field, value: Any) -> Any:
    if isinstance(value, peewee.Node) and not isinstance(value, peewee.Model):
        return value
    converted = to_database(field, value)
    return converted.item() if isinstance(converted, np.generic) else converted


def _plain_value(value: Any) -> Any:
    """Return a value of NumPy or pandas as one of Python's own types; None if it is missing."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if not isinstance(value, np.generic):
        return value
    if isinstance(value, np.datetime64):
        array, null = _plain_array(np.array([value]))
        return None if null is not None else array.tolist()[0]
    return value.item()
