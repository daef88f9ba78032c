"""Columns in the types of the real table: which values binary COPY can carry so that the same is stored.

A parameter in an INSERT is a literal that the server converts to the column's type. A value is copied only
if COPY stores what that conversion would store; for all others, the caller uses the statement.
"""

import datetime
import decimal
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any

import numpy as np

from tformance_seed.bulk.columns import Array, Column, objects
from tformance_seed.bulk.copy_format import MAX_CHUNK_BYTES, NUMBERS, LongText
from tformance_seed.bulk.wrappers import Binary, Json, Jsonb, binary, document, wrapped_type

#: Kind of column -> types that its binary format fits. Kinds of ``fitting`` and of ``_from_parameters``.
ACCEPTED: dict[str, frozenset[str]] = {
    "integer": frozenset(["int2", "int4", "int8"]),
    "boolean": frozenset(["bool"]),
    "float": frozenset(["float4", "float8"]),
    "date": frozenset(["date"]),
    "timestamp": frozenset(["timestamp"]),
    "timestamptz": frozenset(["timestamptz"]),
    "numeric": frozenset(["numeric"]),
    "text": frozenset(["text", "varchar", "bpchar"]),
    "json": frozenset(["json"]),
    "jsonb": frozenset(["jsonb"]),
    "bytes": frozenset(["bytea"]),
    "uuid": frozenset(["uuid"]),
}

#: Types whose ``=`` tells apart all values that look different, so that a row needs no comparison of its
#: bytes. Text is one where its collation is deterministic, a numeric where its scale is declared.
EXACT = frozenset(
    ["int2", "int4", "int8", "bool", "date", "timestamp", "timestamptz", "uuid", "bytea", "oid"]
)

#: Types to which a cast from text would cut a value that an assignment refuses.
CUT_BY_CASTS = frozenset(["varchar", "bpchar", "bit", "varbit", "name", "char"])

#: Length of a UUID's text without hyphens, as Peewee binds it.
HEX_UUID = 32


@dataclass(frozen=True)
class ColumnType:
    """The type of a column in a PostgreSQL table.

    Attributes:
      name: its name in ``pg_type``, "" for one that PostgreSQL does not bring.
      declared: the type as SQL, with its modifiers unless a cast to it would cut values.
      base: whether it is a base type, an enum or a range, and no array or domain.
      exact: whether ``=`` tells apart all of its values.
    """

    name: str
    declared: str
    base: bool
    exact: bool

    @property
    def castable(self) -> bool:
        """Return whether a cast from text does what the server does with a literal."""
        return self.base and self.name not in CUT_BY_CASTS


def typed(column: Column, type_: ColumnType, *, literals: bool) -> Column | None:
    """Return the column in the form that its real type has in COPY.

    Columns of the kind "input" are text that the server is to cast to the type.

    Parameters:
      literals: whether the driver would write values into a statement's text. If it sends them apart, a float
        is no numeric before it is cast to one, with 15 digits.

    Returns:
      None if COPY could store something else than an INSERT, or what an INSERT would refuse.
    """
    if column.kind == "json" and type_.name == "jsonb":
        column = replace(column, kind="jsonb")
    elif column.kind == "array":
        column = _from_array(column, type_)
    elif column.kind == "parameters":
        if type_.name == "numeric" and float in column.types and not literals:
            return None
        from_parameters = _from_parameters(column, type_)
        if from_parameters is None:
            return None
        column = from_parameters
    if column.kind == "input":
        return column
    if type_.name not in ACCEPTED.get(column.kind, ()):
        return None
    return column if IN_RANGE.get(column.kind, _always)(column.values, type_.name) else None


def _always(_values: Array, _type: str) -> bool:
    return True


def _integers_fit(values: Array, type_name: str) -> bool:
    limits = np.iinfo(NUMBERS[type_name])
    return not len(values) or bool(values.min() >= limits.min and values.max() <= limits.max)


def _floats_fit(values: Array, type_name: str) -> bool:
    """Return whether floats are stored as the server would store their shortest decimal text."""
    if (np.signbit(values) & (values == 0)).any():  # a literal -0.0 is a numeric, which has no negative zero
        return False
    if type_name == "float8":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        if (np.isinf(single) & np.isfinite(values)).any() or ((single == 0) & (values != 0)).any():
            return False
        # Half between two of them, the shortest text may be on another side than the number.
        other = np.nextafter(single, np.where(values > single, np.inf, -np.inf).astype(np.float32))
        return not (np.abs(values - single) == np.abs(other.astype(np.float64) - values))[
            np.isfinite(values)
        ].any()


#: Kind of column -> function that tells whether its values are in the range of a type.
IN_RANGE: dict[str, Callable[[Array, str], bool]] = {"integer": _integers_fit, "float": _floats_fit}


def _from_array(column: Column, type_: ColumnType) -> Column:
    kind = column.values.dtype.kind
    if kind == "M":
        days = np.datetime_data(column.values.dtype)[0] == "D"
        return replace(column, kind="date" if days else "timestamp", values=_without_nulls(column))
    if kind in "iu" and type_.name not in ACCEPTED["integer"] and type_.castable:
        return replace(column, kind="input", values=column.values.astype("S"))
    return replace(
        column, kind={"b": "boolean", "f": "float"}.get(kind, "integer"), values=_without_nulls(column)
    )


def _without_nulls(column: Column) -> Array:
    """Return the values with zero in the place of NULLs, which may be NaN or NaT."""
    if column.null is None:
        return column.values
    values = column.values.copy()
    values[column.null] = np.zeros(1, values.dtype)[0]
    return values


def _from_parameters(column: Column, type_: ColumnType) -> Column | None:
    """Return driver parameters as typed values, if all are of the one type that the real type's rule
    expects.
    """
    null = column.nulls()
    present = column.values[~null].tolist() if null.any() else column.values.tolist()
    types = {wrapped_type(kind) for kind in column.types - {NoneType}}
    for accepted, kind, make in RULES.get(type_.name, ()) + ((CASTS,) if type_.castable else ()):
        if types <= accepted:
            values = make(present)
            if values is not None:
                return Column(column.field, kind, *_spread(values, null))
    return None


def _spread(values: Array, null: Array) -> tuple[Array, Array | None]:
    """Return the values with blanks in the rows that are NULL, and the mask if there is one."""
    if not null.any():
        return values, None
    blank = b"" if values.dtype.kind == "O" else np.zeros((), values.dtype)[()]
    spread = np.full(len(null), blank, dtype=values.dtype)
    spread[~null] = values
    return spread, null


def _numbers(dtype: Any) -> Callable[[Sequence[Any]], Array | None]:
    def make(values: Sequence[Any]) -> Array | None:
        try:
            return np.array(values, dtype=dtype)
        except (OverflowError, ValueError):
            return None

    return make


def _utf8(texts: Sequence[str]) -> Array | None:
    """Return texts as UTF-8; None if one cannot be stored, so that the driver refuses it."""
    if "\x00" in "".join(texts):
        return None
    try:
        if max(map(len, texts), default=0) > MAX_CHUNK_BYTES:
            return objects(
                [text.encode() if len(text) <= MAX_CHUNK_BYTES else LongText(text) for text in texts]
            )
        return objects(list(map(str.encode, texts)))
    except UnicodeEncodeError:
        return None


def _naive(values: Sequence[datetime.datetime]) -> Array | None:
    return np.array(values, "M8[us]") if all(value.tzinfo is None for value in values) else None


def _aware(values: Sequence[datetime.datetime]) -> Array | None:
    if any(value.tzinfo is None for value in values):
        return None
    try:
        return np.array([value.astimezone(datetime.UTC).replace(tzinfo=None) for value in values], "M8[us]")
    except OverflowError:
        return None


def _hex_uuids(values: Sequence[str]) -> Array | None:
    if any(len(value) != HEX_UUID for value in values):
        return None
    try:
        raw = bytes.fromhex("".join(values))
    except ValueError:
        return None
    return np.frombuffer(raw, "V16") if len(raw) == len(values) * HEX_UUID // 2 else None


def _binary(values: Sequence[Any]) -> Array:
    return objects([binary(value) for value in values])


def _documents(values: Sequence[Any]) -> Array | None:
    """Return the text of JSON in a driver's wrapper, as the driver makes it."""
    return _utf8([document(value) for value in values])


def _texts(values: Sequence[Any]) -> Array | None:
    return _utf8([str(value) for value in values])


def _finite(values: Sequence[Any]) -> Array | None:
    """Return numbers as text; None if one is not finite, of which each driver makes something else."""
    return _texts(values) if all(map(math.isfinite, values)) else None


Rule = tuple[frozenset[type], str, Callable[[Sequence[Any]], Array | None]]

_INTEGER: Rule = (frozenset([int]), "integer", _numbers(np.int64))
_FLOAT: Rule = (frozenset([float]), "float", _numbers(np.float64))
_TEXT: Rule = (frozenset([str]), "text", _utf8)

#: What the server casts from text as it converts a literal.
CASTS: Rule = (frozenset([str]), "input", _texts)

#: Name of a type -> the types of parameters that COPY can carry to it, and how; the first that fits is used.
RULES: dict[str, tuple[Rule, ...]] = {
    "int2": (_INTEGER,),
    "int4": (_INTEGER,),
    "int8": (_INTEGER,),
    "float4": (_FLOAT,),
    "float8": (_FLOAT,),
    "bool": ((frozenset([bool]), "boolean", _numbers(np.bool_)),),
    "date": ((frozenset([datetime.date]), "date", _numbers("M8[D]")),),
    "timestamp": ((frozenset([datetime.datetime]), "timestamp", _naive),),
    "timestamptz": ((frozenset([datetime.datetime]), "timestamptz", _aware),),
    "time": ((frozenset([datetime.time]), "input", _texts),),
    "numeric": ((frozenset([int, float, decimal.Decimal]), "input", _finite),),
    "text": (_TEXT,),
    "varchar": (_TEXT,),
    "bpchar": (_TEXT,),
    "json": ((frozenset([Json]), "json", _documents),),
    "jsonb": ((frozenset([Json, Jsonb]), "jsonb", _documents),),
    "bytea": ((frozenset([Binary]), "bytes", _binary),),
    "uuid": ((frozenset([str]), "uuid", _hex_uuids),),
}
