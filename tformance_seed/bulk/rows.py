"""The forms in which rows may be given, and how each becomes columns."""

import importlib
import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk.columns import objects
from tformance_seed.bulk.peewee_internals import fields_by_name, find_field, instance_data

#: Rows as columns, or one by one.
Rows = Mapping[str, Any] | Iterable[Mapping[Any, Any] | Sequence[Any] | peewee.Model]


@dataclass
class Batch:
    """Rows with the same names: their columns by name, and their numbers in the input."""

    columns: Mapping[str, Any]
    numbers: npt.NDArray[np.intp]


def batches(
    model: type[peewee.Model], rows: Any, names: Sequence[str] | None, size: int | None
) -> Iterator[Batch]:
    """Yield rows in batches: columns and tables all at once, rows from an iterable up to ``size`` at a time.

    Parameters:
      names: the names of the columns, if the rows are sequences without names.
      size: None: all at once.

    Raises:
      ValueError: the form of the rows is unknown, or a row has not one value for each name.
    """
    columns = _columns(rows)
    if columns is not None:
        lengths = {len(values) if hasattr(values, "__len__") else 0 for values in columns.values()}
        if len(lengths) > 1 and not any(isinstance(values, str | bytes) for values in columns.values()):
            raise ValueError(f"columns of {model.__name__} differ in length")
        yield Batch(columns, np.arange(max(lengths, default=0)))
        return
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise ValueError(
            f"rows of {model.__name__}: expected columns or an iterable, not {type(rows).__name__}"
        )
    number, source = 0, iter(rows)
    while part := list(itertools.islice(source, size)):
        columns = columns_of_equal_rows(part, names)
        if columns is not None:
            yield Batch(columns, np.arange(number, number + len(part)))
        else:
            yield from _by_names(model, part, names, number)
        number += len(part)


def columns_of_equal_rows(rows: list[Any], names: Sequence[str] | None) -> dict[str, Any] | None:
    """Return the columns of dictionaries with the same names, or of tuples; None for other rows."""
    kinds = set(map(type, rows))
    if kinds not in ({dict}, {tuple}):
        return None
    lengths = set(map(len, rows))
    if kinds == {tuple}:
        fit = names is not None and lengths == {len(names)}
        # zip(*rows) would make as many iterators as rows, which the garbage collector then follows.
        columns = enumerate(names or ())
        return {name: list(map(operator.itemgetter(i), rows)) for i, name in columns} if fit else None
    if len(lengths) > 1:
        return None
    try:
        return {_name(name): list(map(operator.itemgetter(name), rows)) for name in rows[0]}
    except KeyError:
        return None


def _by_names(
    model: type[peewee.Model], rows: Sequence[Any], names: Sequence[str] | None, first: int
) -> Iterator[Batch]:
    """Yield rows from one by one to columns, those that share their names together."""
    groups: dict[tuple[Any, ...], tuple[list[tuple[Any, ...]], list[int]]] = {}
    for number, row in enumerate(rows, first):
        if isinstance(row, peewee.Model):
            row = _instance(row)
        if isinstance(row, Mapping) or hasattr(row, "keys"):  # a row of sqlite3 is no Mapping
            own = tuple(row.keys())
            values = tuple([row[name] for name in own])
        elif names is None and hasattr(row, "_fields"):  # a named tuple
            own, values = row._fields, tuple(row)
        elif names is not None and isinstance(row, Sequence) and len(row) == len(names):
            own, values = tuple(names), tuple(row)
        else:
            expected = "a mapping" if names is None else f"{len(names)} values"
            raise ValueError(
                f"{model.__name__}: row {number}: expected {expected}; fields= names those of tuples"
            )
        group = groups.setdefault(own, ([], []))
        group[0].append(values)
        group[1].append(number)
    for own, (values_by_row, numbers) in groups.items():
        named = dict(zip(map(_name, own), zip(*values_by_row, strict=True), strict=True))
        yield Batch(named, np.array(numbers, dtype=np.intp))


def _name(name: Any) -> str:
    return str(name.name if isinstance(name, peewee.Field) else name)


def _instance(row: peewee.Model) -> dict[str, Any]:
    """Return the values of an instance; a generated id that is not set yet is left out."""
    data = instance_data(row)
    generated = {
        field.name for field in fields_by_name(type(row)).values() if isinstance(field, peewee.AutoField)
    }
    return {name: value for name, value in data.items() if value is not None or name not in generated}


def fields_of_columns(
    model: type[peewee.Model], columns: Mapping[str, Any]
) -> list[tuple[peewee.Field, Any]]:
    """Return the field and the values of each column; names may be those of fields or columns.

    Raises:
      ValueError: a name is unknown, or two name the same column.
    """
    found: dict[str, tuple[peewee.Field, Any]] = {}
    for name, values in columns.items():
        field = find_field(model, name)
        if field is None:
            raise ValueError(f"{model.__name__} has no column {name}")
        if field.column_name in found:
            raise ValueError(f"{model.__name__}: the column {field.column_name} is given twice")
        found[field.column_name] = field, values
    return list(found.values())


def _columns(rows: Any) -> Mapping[str, Any] | None:
    """Return the columns of a mapping or a table of pandas, Polars or Arrow; None if rows come one by one."""
    if isinstance(rows, Mapping):
        return {_name(name): _values(values) for name, values in rows.items()}
    if isinstance(rows, np.ndarray) and rows.dtype.names is not None:
        return {name: rows[name] for name in rows.dtype.names}
    package = type(rows).__module__.partition(".")[0]
    if package == "polars" and hasattr(rows, "collect"):
        rows = rows.collect()
    if package in ("pandas", "polars") and hasattr(rows, "columns"):
        return {name: _values(rows[name]) for name in rows.columns}
    if hasattr(rows, "__arrow_c_stream__") and not isinstance(rows, Sequence):
        pyarrow = importlib.import_module("pyarrow")  # only who has such tables needs it
        table = pyarrow.table(rows)
        return {name: _values(table.column(name)) for name in table.column_names}
    return None


def _values(values: Any) -> Any:
    """Return a column of pandas, Polars or Arrow as an array or a list; others as they are."""
    package = type(values).__module__.partition(".")[0]
    return CONVERTERS[package](values) if package in CONVERTERS else values


def _from_pandas(series: Any) -> Any:
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) and kind in "biufM":
        return series.to_numpy()
    null = series.isna().to_numpy()
    if kind in "biuf" and hasattr(series.dtype, "numpy_dtype"):  # nullable integers, booleans and floats
        blank = False if kind == "b" else 0
        return np.ma.MaskedArray(series.to_numpy(dtype=series.dtype.numpy_dtype, na_value=blank), mask=null)
    values = objects([_moment(value) for value in series]) if kind in "mM" else series.to_numpy(dtype=object)
    if null.any():
        values = values.copy()
        values[null] = None
    return values.tolist()


def _moment(value: Any) -> Any:
    """Return a moment or a duration of pandas as Python's own."""
    for convert in ("to_pydatetime", "to_pytimedelta"):
        if hasattr(value, convert):
            return getattr(value, convert)()
    return value


def _from_polars(series: Any) -> Any:
    if series.dtype.is_integer() or series.dtype.is_float():
        return np.ma.MaskedArray(series.fill_null(0).to_numpy(), mask=series.is_null().to_numpy())
    return series.to_list()


def _from_arrow(column: Any) -> Any:
    pyarrow = importlib.import_module("pyarrow")
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    kinds = pyarrow.types
    if kinds.is_integer(column.type) or kinds.is_floating(column.type) or kinds.is_boolean(column.type):
        null = column.is_null().to_numpy(zero_copy_only=False)
        blank = False if kinds.is_boolean(column.type) else 0
        return np.ma.MaskedArray(column.fill_null(blank).to_numpy(zero_copy_only=False), mask=null)
    if getattr(column.type, "unit", "") == "ns":  # which Python has not
        in_microseconds = {
            pyarrow.duration("ns").id: pyarrow.duration("us"),
            pyarrow.time64("ns").id: pyarrow.time64("us"),
        }.get(column.type.id, pyarrow.timestamp("us", getattr(column.type, "tz", None)))
        column = column.cast(in_microseconds, safe=False)
    if kinds.is_string(column.type) or kinds.is_large_string(column.type):
        return column.to_numpy(zero_copy_only=False).tolist()
    return column.to_pylist()


#: Package -> function that converts one of its columns.
CONVERTERS = {"pandas": _from_pandas, "polars": _from_polars, "pyarrow": _from_arrow}
