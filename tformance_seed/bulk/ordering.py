"""The order in which rows are written, and which of several rows with the same key counts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed.bulk.columns import Array, Column
from tformance_seed.bulk.peewee_internals import parameters_of

Rows = npt.NDArray[np.intp]


def is_sorted(key: Sequence[Array]) -> bool:
    """Return whether each key is greater than the one before it, as when rows are generated in order."""
    same = np.ones(max(len(key[0]) - 1, 0), dtype=bool)
    for values in key:
        before, after = values[:-1], values[1:]
        if (same & (after < before)).any():
            return False
        same &= after == before
        if not same.any():
            return True
    return False


def sort_rows(key: Sequence[Array]) -> tuple[Rows, Rows]:
    """Return row numbers in key order, and for each of them the number of the rows before it with the same
    key.
    """
    order: Rows = np.lexsort(list(reversed(key)))
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for values in key:
        ordered = values[order]
        same &= ordered[1:] == ordered[:-1]
    first = np.append(True, ~same) if len(order) else same
    positions = np.arange(len(order))
    return order, positions - np.maximum.accumulate(np.where(first, positions, 0))


def sortable(column: Column) -> Array:
    """Return an array that sorts like the column's values and tells them apart like them.

    Of parameters of one type, the order is Python's, which is that of arrays of such values; of others, any
    order that is the same everywhere.
    """
    if column.kind != "parameters":
        return column.values
    values = column.values.tolist()
    if len(column.types) == 1:
        try:
            return np.array(values, dtype=np.int64) if column.types == {int} else _ranks(values)
        except OverflowError:
            return _ranks(values)
        except TypeError:  # not sortable, or not hashable
            pass
    return _ranks([_text(value) for value in values])


def _ranks(values: list[Any]) -> Array:
    rank = {value: number for number, value in enumerate(sorted(set(values)))}
    return np.fromiter((rank[value] for value in values), dtype=np.int64, count=len(values))


def _text(value: Any) -> str:
    if isinstance(value, peewee.Node):  # such as json(?) around a text
        value = parameters_of(value)
    value = getattr(value, "adapted", getattr(value, "obj", value))
    return f"{type(value).__name__} {value!r}"


def last_of_each(order: Rows, repeats: Rows) -> tuple[Rows, Rows]:
    """Return the last row of each key, in key order, and for each row the position of its key's."""
    last = np.append(repeats[1:] == 0, True) if len(order) else repeats == 0
    position = np.cumsum(np.append(0, last[:-1])) if len(order) else order
    of_row = np.empty(len(order), dtype=np.intp)
    of_row[order] = position
    return order[last], of_row


def chunks(order: Rows | slice, count: int, step: int) -> Iterator[tuple[Rows | slice, slice]]:
    """Yield the row numbers of each chunk, and their positions in the order."""
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        yield part if isinstance(order, slice) else order[part], part
