"""Values of a column as one PostgreSQL array, in its text form: one parameter for any number of rows.

See https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT. The server reads an element with the
input function of its type, as it reads a literal of unknown type. So texts go to any type; other values go
only where that stores what a literal of their own type would, and the rest takes another way.
"""

import datetime
import decimal
import math
from collections.abc import Callable, Collection, Sequence
from types import NoneType
from typing import Any

from tformance_seed.bulk.copy_types import ColumnType
from tformance_seed.bulk.wrappers import Binary, Json, Jsonb, binary, document, wrapped_type

#: Separates texts while all are escaped at once. No text that PostgreSQL stores has this character.
SEPARATOR = "\x00"


def array_literal(values: Sequence[Any], types: Collection[type], type_: ColumnType) -> str | None:
    """Return driver parameters, all of one type or None, as the text of an array of a column's type.

    Parameters:
      types: the types of the values, NULL's included.

    Returns:
      None if the array would store something else than the parameters themselves.
    """
    if not type_.base:
        return None
    present_types = [kind for kind in types if kind is not NoneType]
    if not present_types:
        return "{" + ",".join(["NULL"] * len(values)) + "}"
    if len(present_types) > 1:
        return None
    kind = wrapped_type(present_types[0])
    write = WRITERS.get((kind, type_.name))
    if kind is str:
        write = _texts
    if write is None:
        return None
    if NoneType not in types:
        return write(values)
    present = [value for value in values if value is not None]
    text = write(present)
    if text is None:
        return None
    # One element at a time, since texts may contain what separates them.
    elements = iter([str(write([value]))[1:-1] for value in present])
    return "{" + ",".join(["NULL" if value is None else next(elements) for value in values]) + "}"


def _texts(values: Sequence[str]) -> str | None:
    """Return an array of quoted texts; None if one has a NUL, so that the driver refuses it."""
    text = SEPARATOR.join(values)
    if text.count(SEPARATOR) != len(values) - 1:
        return None
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + text.replace(SEPARATOR, '","') + '"}'


def _joined(write: Callable[[Any], str]) -> Callable[[Sequence[Any]], str | None]:
    return lambda values: "{" + ",".join(map(write, values)) + "}"


def _floats(values: Sequence[float]) -> str | None:
    """Return an array of floats; None if one is -0.0, which as a literal is a numeric, and loses its sign."""
    text = "{" + ",".join(map(repr, values)) + "}"
    return None if "-0.0" in text and any(not v and math.copysign(1, v) < 0 for v in values) else text


def _decimals(values: Sequence[decimal.Decimal]) -> str | None:
    """Return an array of decimals; None if one is not finite, of which each driver makes something else."""
    return _joined(str)(values) if all(value.is_finite() for value in values) else None


def _naive(values: Sequence[Any]) -> str | None:
    return None if any(value.tzinfo is not None for value in values) else _moments(values)


def _aware(values: Sequence[Any]) -> str | None:
    return None if any(value.tzinfo is None for value in values) else _moments(values)


def _moments(values: Sequence[Any]) -> str | None:
    """Return an array of dates or times; one with an offset has signs that need quotes."""
    return '{"' + '","'.join([value.isoformat() for value in values]) + '"}'


def _bytes(values: Sequence[Any]) -> str | None:
    return '{"\\\\x' + '","\\\\x'.join([binary(value).hex() for value in values]) + '"}'


def _documents(values: Sequence[Any]) -> str | None:
    return _texts([document(value) for value in values])


_plain = _joined(repr)

#: Type of the parameters and of the column -> function that writes an array of them.
WRITERS: dict[tuple[Any, str], Callable[[Sequence[Any]], str | None]] = {
    **{(int, name): _plain for name in ("int2", "int4", "int8", "float4", "float8", "numeric")},
    **{(float, name): _floats for name in ("float4", "float8")},
    (decimal.Decimal, "numeric"): _decimals,
    (bool, "bool"): _plain,
    (datetime.date, "date"): _moments,
    (datetime.date, "timestamp"): _moments,
    (datetime.datetime, "timestamp"): _naive,
    (datetime.datetime, "timestamptz"): _aware,
    (datetime.time, "time"): _naive,
    (Binary, "bytea"): _bytes,
    (Json, "json"): _documents,
    (Json, "jsonb"): _documents,
    (Jsonb, "jsonb"): _documents,
}
