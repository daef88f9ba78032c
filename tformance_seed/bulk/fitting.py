"""Rows as typed columns whose values are made to fit the model's columns, for a caller that asks for it.

Text is cut at the column's length, NULs and invalid UTF-8 are replaced, moments are converted to UTC, and
numerics are rounded half up. Whole arrays are converted at a time.
"""

import datetime
import decimal
import json
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import peewee

from tformance_seed.bulk.columns import Array, Column, Mask, objects
from tformance_seed.bulk.peewee_internals import (
    decimal_digits,
    fields_by_column,
    fields_by_name,
    to_database,
)

Rows = Mapping[str, Sequence[Any] | Array]

#: Escapes in JSON text that jsonb rejects: NUL, and a surrogate that is not half of a pair.
JSON_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
JSON_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F].."
)

#: Error message for a fraction in an integer column.
NOT_AN_INTEGER = "a number is not an integer"

#: Added before rounding, so that a decimal half that is slightly too small in binary is still rounded up.
BINARY_ERROR = 1e-6


#: Peewee's name for an integer type -> its width on PostgreSQL, whose limits apply on every backend.
INTEGER_TYPES: dict[str, type[np.signedinteger[Any]]] = {
    "INT": np.int32,
    "BIGINT": np.int64,
    "SMALLINT": np.int16,
    "AUTO": np.int32,
    "BIGAUTO": np.int64,
    "BIGIDENTITY": np.int64,
}

#: Peewee's name for a column type -> kind.
KINDS = {
    **dict.fromkeys(INTEGER_TYPES, "integer"),
    "BOOL": "boolean",
    "FLOAT": "float",
    "DOUBLE": "float",
    "DATE": "date",
    "DATETIME": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "DECIMAL": "numeric",
    "CHAR": "text",
    "VARCHAR": "text",
    "TEXT": "text",
    "JSONB": "json",
}


def convert_columns(model: type[peewee.Model], rows: Rows) -> list[Column]:
    """Convert rows to typed columns that fit the model; names may be those of fields (``team``) or columns
    (``team_id``).

    Raises:
      ValueError: a name is unknown, lengths differ, or a column cannot hold a value.
    """
    by_name = {**fields_by_column(model), **fields_by_name(model)}
    columns = []
    for name, values in rows.items():
        if name not in by_name:
            raise ValueError(f"{model.__name__} has no column {name}")
        field = by_name[name]
        kind = KINDS.get(field.field_type, "parameters")
        try:
            column = CONVERTERS[kind](field, kind, values)
            if column.values.ndim != 1:
                raise TypeError("a value is a sequence")
            columns.append(column)
        except (TypeError, ValueError, OverflowError, decimal.InvalidOperation) as error:
            raise ValueError(f"{model.__name__}.{field.name}: {error}") from error
    if len({len(column.values) for column in columns}) > 1:
        raise ValueError(f"columns of {model.__name__} differ in length")
    return columns


def _array_and_nulls(values: Sequence[Any] | Array) -> tuple[Array, Mask | None]:
    """Return the values as an array, and a mask of those that mean NULL: masked, None, NaN or NaT."""
    null: Any = None
    if isinstance(values, np.ma.MaskedArray):
        null, array = np.ma.getmaskarray(values), values.data
    elif isinstance(values, np.ndarray):
        array = values
    else:
        array = np.empty(len(values), dtype=object)
        array[:] = values
    if array.dtype.kind == "O":
        none = np.fromiter((value is None for value in array), dtype=bool, count=len(array))
        null = none if null is None else null | none
    elif array.dtype.kind == "f":
        null = np.isnan(array) if null is None else null | np.isnan(array)
    elif array.dtype.kind == "M":
        null = np.isnat(array) if null is None else null | np.isnat(array)
    return array, null if null is not None and null.any() else None


def _fill_nulls(array: Array, null: Mask | None, blank: Any) -> Array:
    if null is None:
        return array
    array = array.copy()
    array[null] = blank
    return array


def _number_converter(dtype: type[np.generic]) -> Callable[..., Column]:
    def convert(field: peewee.Field, kind: str, values: Any) -> Column:
        array, null = _array_and_nulls(values)
        if array.dtype.kind == "O":
            array = np.array([0 if value is None else to_database(field, value) for value in array])
        return Column(field, kind, _fill_nulls(array, null, 0).astype(dtype), null)

    return convert


def _integer(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _array_and_nulls(values)
    if array.dtype.kind == "O":
        array = np.array([0 if v is None else _to_integer(field, v) for v in array], dtype=np.int64)
    array = _fill_nulls(array, null, 0)
    if array.dtype.kind in "iuf" and len(array):
        limits = np.iinfo(INTEGER_TYPES[field.field_type])
        # Python compares integers and floats exactly; NumPy converts them first.
        if array.max().item() > limits.max or array.min().item() < limits.min:
            raise OverflowError(f"an integer is out of range, {limits.min} to {limits.max}")
        if array.dtype.kind == "f" and (array != np.trunc(array)).any():
            raise TypeError(NOT_AN_INTEGER)
    return Column(field, kind, array.astype(np.int64), null)


def _to_integer(field: peewee.Field, value: Any) -> Any:
    converted = to_database(field, value)
    if isinstance(value, numbers.Number) and value != converted:
        raise TypeError(NOT_AN_INTEGER)
    return converted


def _datetime_converter(unit: str) -> Callable[..., Column]:
    def parse(value: Any) -> Any:
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value)
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return value

    def convert(field: peewee.Field, kind: str, values: Any) -> Column:
        array, null = _array_and_nulls(values)
        if array.dtype.kind == "O":
            array = np.array(
                [np.datetime64("1970-01-01") if v is None else parse(v) for v in array], f"M8[{unit}]"
            )
        return Column(field, kind, _fill_nulls(array, null, 0).astype(f"M8[{unit}]"), null)

    return convert


def _numeric(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _array_and_nulls(values)
    precision, scale = decimal_digits(field)
    unit = 10**scale  # the value 1 in units of the last decimal place
    if array.dtype.kind == "O":
        scaled = [0 if value is None else _to_last_decimal(value, unit) for value in array]
        units = np.array(scaled, dtype=np.int64)
    else:
        filled = _fill_nulls(array, null, 0)
        greatest = max(filled.max().item(), -filled.min().item()) if len(filled) else 0
        if (int(greatest) + 1) * unit > min(10**precision, 2**63):
            raise OverflowError(f"a number needs more than {precision} digits")
        # Scaled separately, the integral part and the fraction lose nothing; together they may need more
        # digits than a float has.
        size = np.abs(filled)
        integral = size.astype(np.int64)
        fraction = np.floor((size - integral) * float(unit) + 0.5 + BINARY_ERROR).astype(np.int64)
        units = np.where(filled < 0, -1, 1) * (integral * unit + fraction)
    if len(units) and np.abs(units).max() >= 10**precision:
        raise OverflowError(f"a number needs more than {precision} digits")
    return Column(field, kind, units, null)


def _to_last_decimal(value: Any, unit: int) -> int:
    return int((decimal.Decimal(str(value)) * unit).to_integral_value(decimal.ROUND_HALF_UP))


def _text(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _array_and_nulls(values)
    if array.dtype.kind == "S":
        array = _fill_nulls(array, null, b"")
    else:
        texts = [b"" if value is None else _text_bytes(field, value) for value in array.tolist()]
        array = np.array(texts or [b""], dtype="S")[: len(texts)]
    return Column(field, kind, sanitise_text(array, getattr(field, "max_length", None)), null)


def _text_bytes(field: peewee.Field, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return str(to_database(field, value)).encode("utf-8", "surrogatepass")


def sanitise_text(array: Array, limit: int | None = None) -> Array:
    """Return UTF-8 text that every database accepts: no NUL, valid UTF-8, at most ``limit`` characters.

    Invalid UTF-8, including surrogates, becomes U+FFFD; NULs are removed; longer texts are truncated.
    """
    if not len(array):
        return array
    raw = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), -1)
    lengths = np.char.str_len(array)
    broken = np.count_nonzero(raw) != lengths.sum()  # a NUL before the end of a value
    if raw.size and raw.max() >= 128:
        try:
            b"\n".join(array.tolist()).decode("utf-8")
        except UnicodeDecodeError:
            broken = True
    if not broken and (limit is None or lengths.max() <= limit):
        return array
    return np.array([_sanitise(value, limit) for value in array.tolist()], dtype="S")


def _sanitise(value: bytes, limit: int | None) -> bytes:
    return value.replace(b"\x00", b"").decode("utf-8", "replace")[:limit].encode("utf-8")


def _json(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _array_and_nulls(values)
    if array.dtype.kind == "S":
        array = _fill_nulls(array, null, b"null")
    else:
        texts = [b"null" if v is None else _json_text(field, v) for v in array]
        array = np.array(texts or [b""], dtype="S")[: len(texts)]
    array = sanitise_text(array)
    if b"\\u" in array.tobytes():
        clean = [
            JSON_SURROGATE.sub(_keep_pair, JSON_NUL.sub(rb"\1", value)) if b"\\u" in value else value
            for value in array.tolist()
        ]
        array = np.array(clean, dtype="S")
    return Column(field, kind, array, null)


def _json_text(field: peewee.Field, value: Any) -> bytes:
    text = to_database(field, value)
    return (text if isinstance(text, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


def _keep_pair(match: re.Match[bytes]) -> bytes:
    return match[0] if match[2] else match[3] + "\ufffd".encode()


def _parameters(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _array_and_nulls(values)
    null = np.zeros(len(array), dtype=bool) if null is None else null
    pairs = zip(array.tolist(), null.tolist(), strict=True)
    return Column(field, kind, objects([None if missing else to_database(field, v) for v, missing in pairs]))


#: Kind of column -> function that converts values to a ``Column``.
CONVERTERS: dict[str, Callable[..., Column]] = {
    "integer": _integer,
    "boolean": _number_converter(np.bool_),
    "float": _number_converter(np.float64),
    "date": _datetime_converter("D"),
    "timestamp": _datetime_converter("us"),
    "timestamptz": _datetime_converter("us"),
    "numeric": _numeric,
    "text": _text,
    "json": _json,
    "parameters": _parameters,
}
