"""Rows as typed columns: what comes in, made fit for the model's column types."""

import datetime
import decimal
import json
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

Array = npt.NDArray[Any]
Rows = Mapping[str, Sequence[Any] | Array]

#: Escapes in JSON text that jsonb refuses: NUL and any surrogate that stands alone.
JSON_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
JSON_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F].."
)


#: What is wrong with a fraction in a column of integers.
NOT_WHOLE = "a number is not an integer"


@dataclass
class Column:
    """One column of a chunk.

    ``values`` by kind: integer int64, boolean bool, float float64, date datetime64[D], timestamp
    datetime64[us] in UTC, numeric int64 in units of the last decimal, text and json ``S`` (UTF-8), other
    objects. ``null`` marks NULLs (None: there are none).
    """

    field: peewee.Field
    kind: str
    values: Array
    null: npt.NDArray[np.bool_] | None = None

    def take(self, rows: npt.NDArray[np.intp] | slice) -> "Column":
        """Some of the rows."""
        null = None if self.null is None else self.null[rows]
        return Column(self.field, self.kind, self.values[rows], null)


#: Peewee's name of an integer type -> its width on PostgreSQL, which holds on every backend.
INTEGERS = {
    "INT": np.int32,
    "BIGINT": np.int64,
    "SMALLINT": np.int16,
    "AUTO": np.int32,
    "BIGAUTO": np.int64,
    "BIGIDENTITY": np.int64,
}

#: Peewee's name of a column type -> kind.
KINDS = {
    **dict.fromkeys(INTEGERS, "integer"),
    "BOOL": "boolean",
    "FLOAT": "float",
    "DOUBLE": "float",
    "DATE": "date",
    "DATETIME": "timestamp",
    "TIMESTAMPTZ": "timestamp",
    "DECIMAL": "numeric",
    "CHAR": "text",
    "VARCHAR": "text",
    "TEXT": "text",
    "JSONB": "json",
}


def columns(model: type[peewee.Model], rows: Rows) -> list[Column]:
    """Typed columns of rows, which name fields (``team``) or columns (``team_id``).

    Raises:
      ValueError: an unknown name, different lengths, or a value that its column cannot hold.
    """
    by_name = {**model._meta.columns, **model._meta.fields}
    made = []
    for name, values in rows.items():
        if name not in by_name:
            raise ValueError(f"{model.__name__} has no column {name}")
        field = by_name[name]
        kind = KINDS.get(field.field_type, "other")
        try:
            made.append(MAKERS[kind](field, kind, values))
        except (TypeError, OverflowError, decimal.InvalidOperation) as error:
            raise ValueError(f"{model.__name__}.{field.name}: {error}") from error
    if len({len(column.values) for column in made}) > 1:
        raise ValueError(f"columns of {model.__name__} differ in length")
    return made


def _split(values: Sequence[Any] | Array) -> tuple[Array, npt.NDArray[np.bool_] | None]:
    """The values as an array, and where they are NULL: masked, None, NaN or NaT."""
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


def _filled(array: Array, null: npt.NDArray[np.bool_] | None, blank: Any) -> Array:
    if null is None:
        return array
    array = array.copy()
    array[null] = blank
    return array


def _number(dtype: type[np.generic]) -> Callable[..., Column]:
    def make(field: peewee.Field, kind: str, values: Any) -> Column:
        array, null = _split(values)
        if array.dtype.kind == "O":
            array = np.array([0 if value is None else field.db_value(value) for value in array])
        return Column(field, kind, _filled(array, null, 0).astype(dtype), null)

    return make


def _integer(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _split(values)
    if array.dtype.kind == "O":
        array = np.array([0 if v is None else _whole(v, field.db_value(v)) for v in array], dtype=np.int64)
    array = _filled(array, null, 0)
    if array.dtype.kind in "iuf" and len(array):
        limits = np.iinfo(INTEGERS[field.field_type])
        # Python compares integers and floats exactly, NumPy after a conversion.
        if array.max().item() > limits.max or array.min().item() < limits.min:
            raise OverflowError(f"an integer is out of range, {limits.min} to {limits.max}")
        if array.dtype.kind == "f" and (array != np.trunc(array)).any():
            raise TypeError(NOT_WHOLE)
    return Column(field, kind, array.astype(np.int64), null)


def _whole(value: Any, adapted: Any) -> Any:
    if isinstance(value, numbers.Number) and value != adapted:
        raise TypeError(NOT_WHOLE)
    return adapted


def _moment(unit: str) -> Callable[..., Column]:
    def parse(value: Any) -> Any:
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value)
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return value

    def make(field: peewee.Field, kind: str, values: Any) -> Column:
        array, null = _split(values)
        if array.dtype.kind == "O":
            array = np.array(
                [np.datetime64("1970-01-01") if v is None else parse(v) for v in array], f"M8[{unit}]"
            )
        return Column(field, kind, _filled(array, null, 0).astype(f"M8[{unit}]"), null)

    return make


def _numeric(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _split(values)
    if array.dtype.kind == "O":
        scale = decimal.Decimal(10) ** field.decimal_places
        scaled = [
            0
            if v is None
            else int((decimal.Decimal(str(v)) * scale).to_integral_value(decimal.ROUND_HALF_UP))
            for v in array
        ]
        units = np.array(scaled, dtype=np.int64)
    else:
        filled, unit = _filled(array, null, 0), 10**field.decimal_places
        greatest = max(filled.max().item(), -filled.min().item()) if len(filled) else 0
        if (int(greatest) + 1) * unit > min(10**field.max_digits, 2**63):
            raise OverflowError(f"a number needs more than {field.max_digits} digits")
        # Apart, whole part and fraction lose nothing; together they may have more digits than a float.
        size = np.abs(filled)
        whole = size.astype(np.int64)
        # Two decimals that were rounded already are a hair off in binary; half up after that hair is gone.
        part = np.floor((size - whole) * float(unit) + 0.5 + 1e-6).astype(np.int64)
        units = np.where(filled < 0, -1, 1) * (whole * unit + part)
    if len(units) and np.abs(units).max() >= 10**field.max_digits:
        raise OverflowError(f"a number needs more than {field.max_digits} digits")
    return Column(field, kind, units, null)


def _text(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _split(values)
    if array.dtype.kind == "S":
        array = _filled(array, null, b"")
    else:
        texts = [b"" if value is None else _bytes(field, value) for value in array.tolist()]
        array = np.array(texts or [b""], dtype="S")[: len(texts)]
    return Column(field, kind, fit_text(array, getattr(field, "max_length", None)), null)


def _bytes(field: peewee.Field, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(field.db_value(value)).encode("utf-8", "surrogatepass")


def fit_text(array: Array, limit: int | None = None) -> Array:
    """UTF-8 that every database takes: no NUL, no broken sequence or surrogate, ``limit`` characters.

    What is not valid UTF-8 becomes U+FFFD, NULs go, the rest is cut off at the end.
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
    fitted = [_fit(value, limit) for value in array.tolist()]
    return np.array(fitted, dtype="S")


def _fit(value: bytes, limit: int | None) -> bytes:
    return value.replace(b"\x00", b"").decode("utf-8", "replace")[:limit].encode("utf-8")


def _json(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _split(values)
    if array.dtype.kind == "S":
        array = _filled(array, null, b"null")
    else:
        texts = [b"null" if v is None else _json_text(field, v) for v in array]
        array = np.array(texts or [b""], dtype="S")[: len(texts)]
    array = fit_text(array)
    if b"\\u" in array.tobytes():
        clean = [
            JSON_SURROGATE.sub(_keep_pair, JSON_NUL.sub(rb"\1", value)) if b"\\u" in value else value
            for value in array.tolist()
        ]
        array = np.array(clean, dtype="S")
    return Column(field, kind, array, null)


def _json_text(field: peewee.Field, value: Any) -> bytes:
    text = field.db_value(value)
    return (text if isinstance(text, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


def _keep_pair(match: re.Match[bytes]) -> bytes:
    return match[0] if match[2] else match[3] + "\ufffd".encode()


def _other(field: peewee.Field, kind: str, values: Any) -> Column:
    array, null = _split(values)
    made = np.empty(len(array), dtype=object)
    for row, value in enumerate(array.tolist()):  # all at once, NumPy would take expressions for arrays
        made[row] = None if value is None else field.db_value(value)
    return Column(field, kind, made, null)


MAKERS: dict[str, Callable[..., Column]] = {
    "integer": _integer,
    "boolean": _number(np.bool_),
    "float": _number(np.float64),
    "date": _moment("D"),
    "timestamp": _moment("us"),
    "numeric": _numeric,
    "text": _text,
    "json": _json,
    "other": _other,
}


def python_values(column: Column, *, postgresql: bool) -> list[Any]:
    """The column as values that a driver takes as parameters; timestamps as text.

    Parameters:
      postgresql: timestamps with time zone get their offset, and numerics are Decimals; SQLite has neither.
    """
    values: list[Any]
    if column.kind == "timestamp":
        whole = not (column.values.astype(np.int64) % 1_000_000).any()
        text = np.datetime_as_string(column.values, unit="s" if whole else "us")
        mark = "+00" if postgresql and column.field.field_type == "TIMESTAMPTZ" else ""
        values = [value.replace("T", " ") + mark for value in text.tolist()]
        if not whole:  # as str(datetime) has it: no fraction where it is zero
            values = [value.replace(".000000", "") for value in values]
    elif column.kind == "date":
        values = np.datetime_as_string(column.values, unit="D").tolist()
    elif column.kind == "numeric":
        places = column.field.decimal_places
        if postgresql:
            values = [decimal.Decimal(units).scaleb(-places) for units in column.values.tolist()]
        else:
            values = [units / 10**places for units in column.values.tolist()]
    elif column.kind == "other":
        values = [_parameter(value) for value in column.values.tolist()]
    elif column.kind in ("text", "json"):
        values = [value.decode("utf-8") for value in column.values.tolist()]
    else:
        values = column.values.tolist()
    if column.null is not None:
        for row in np.flatnonzero(column.null).tolist():
            values[row] = None
    return values


def _parameter(value: Any) -> Any:
    """What is bound where a field makes an SQL expression of its values: ``json(?)`` of Peewee on SQLite."""
    if not isinstance(value, peewee.Node):
        return value
    (parameter,) = peewee.Context().sql(value).query()[1]
    return parameter
