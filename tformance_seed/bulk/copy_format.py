"""PostgreSQL's binary COPY format, built from columns without a Python loop over rows.

See https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS and, for numerics,
``numeric_recv`` in the server's ``numeric.c``. A block of rows is one structured array in which every field
has a length word and space for the longest value. If values are shorter or NULL, a mask drops the unused
bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tformance_seed.bulk.columns import INTEGER_TYPES, Array, Column
from tformance_seed.bulk.peewee_internals import decimal_digits

#: The header (signature, flags, length of the header extension), and the trailer that ends the rows.
HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

#: The epoch from which PostgreSQL counts days and microseconds.
EPOCH = np.datetime64("2000-01-01", "us")

#: Maximum size in bytes, including unused ones, of the rows converted at a time, so that one long text does
#: not make a whole chunk take up too much memory.
MAX_CHUNK_BYTES = 8 << 20

#: Maximum size in bytes of the rows laid out at a time, so that they fit in a processor's cache.
MAX_ROW_BLOCK_BYTES = 128 << 10

#: Number of decimal digits in one base-10,000 digit of PostgreSQL's numerics.
DIGITS_PER_GROUP = 4

#: Sign word of a negative numeric, NUMERIC_NEG of ``numeric.c``.
NUMERIC_NEGATIVE = 0x4000


def encode(columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield the rows in binary COPY format, including header and trailer, one block at a time."""
    yield HEADER
    rows = len(columns[0].values)
    step = _rows_within(MAX_CHUNK_BYTES, _layout([_payload(column.take(slice(0, 1))) for column in columns]))
    for start in range(0, rows, step):
        yield from _row_blocks([column.take(slice(start, start + step)) for column in columns])
    yield TRAILER


def _layout(payloads: Sequence[Array]) -> np.dtype[np.void]:
    """Return the layout of a row: the number of fields, then the length and the value of each field."""
    fields: list[tuple[str, object]] = [("fields", ">i2")]
    for number, payload in enumerate(payloads):
        fields += [(f"length{number}", ">i4"), (f"value{number}", payload.dtype)]
    return np.dtype(fields)


def _rows_within(size: int, layout: np.dtype[np.void]) -> int:
    return max(1, size // layout.itemsize)


def _row_blocks(columns: Sequence[Column]) -> Iterator[bytes]:
    payloads = [_payload(column) for column in columns]
    layout, rows = _layout(payloads), len(payloads[0])
    block = np.empty(min(rows, _rows_within(MAX_ROW_BLOCK_BYTES, layout)), layout)
    block["fields"] = len(columns)
    # For each column whose values differ in length: the lengths, and the position of its bytes in a row.
    varying: dict[int, tuple[Array, slice[int, int, None]]] = {}
    offsets = {name: offset for name, (_, offset, *_) in (layout.fields or {}).items()}
    for number, (column, payload) in enumerate(zip(columns, payloads, strict=True)):
        lengths, size = _lengths(column, payload), payload.dtype.itemsize
        if lengths is None:
            block[f"length{number}"] = size
        else:
            offset = offsets[f"value{number}"]
            varying[number] = lengths.astype(np.int32), slice(offset, offset + size)
    raw = block.view(np.uint8).reshape(len(block), -1)
    keep = np.ones(raw.shape, dtype=bool)
    positions = np.arange(layout.itemsize, dtype=np.int32)
    for start in range(0, rows, len(block)):
        count = min(len(block), rows - start)
        part = slice(start, start + count)
        for number, payload in enumerate(payloads):
            block[f"value{number}"][:count] = payload[part]
        for number, (lengths, used) in varying.items():
            block[f"length{number}"][:count] = lengths[part]
            keep[:count, used] = positions[: used.stop - used.start] < lengths[part, None]
        yield (raw[:count][keep[:count]] if varying else raw[:count]).tobytes()


def _lengths(column: Column, payload: Array) -> Array | None:
    """Return the length of each value in bytes, -1 for NULL; None if all values have the same length."""
    lengths: Array | None = None
    if column.kind in ("text", "json"):
        lengths = np.char.str_len(column.values) + (column.kind == "json")
    if column.null is not None:
        lengths = np.where(column.null, -1, payload.dtype.itemsize if lengths is None else lengths)
    return lengths


def _payload(column: Column) -> Array:
    """Return the values in the server's binary format, all padded to the length of the longest."""
    encode_values = ENCODERS.get(column.kind)
    return column.values if encode_values is None else encode_values(column)


def _integer(column: Column) -> Array:
    return column.values.astype(np.dtype(INTEGER_TYPES[column.field.field_type]).newbyteorder(">"))


def _float(column: Column) -> Array:
    return column.values.astype(">f4" if column.field.field_type == "FLOAT" else ">f8")


def _date(column: Column) -> Array:
    days: Array = column.values - EPOCH.astype("M8[D]")
    return days.astype(np.int64).astype(">i4")


def _timestamp(column: Column) -> Array:
    microseconds: Array = column.values - EPOCH
    return microseconds.astype(np.int64).astype(">i8")


def _json(column: Column) -> Array:
    """Return jsonb values: a version byte, then the text."""
    documents = np.empty(len(column.values), dtype=[("version", np.uint8), ("text", column.values.dtype)])
    documents["version"] = 1
    documents["text"] = column.values
    return documents


def _numeric(column: Column) -> Array:
    """Return numerics with a fixed number of base-10,000 digits; the server strips leading zeros."""
    units = column.values
    precision, scale = decimal_digits(column.field)
    before, after = max(1, -(-(precision - scale) // DIGITS_PER_GROUP)), -(-scale // DIGITS_PER_GROUP)
    header = [("ndigits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("dscale", ">i2")]
    layout: Any = [*header, ("digits", ">i2", (before + after,))]
    numerics = np.empty(len(units), dtype=layout)
    numerics["ndigits"], numerics["weight"], numerics["dscale"] = before + after, before - 1, scale
    numerics["sign"] = np.where(units < 0, NUMERIC_NEGATIVE, 0)
    in_last = scale % DIGITS_PER_GROUP or DIGITS_PER_GROUP  # decimals in the last group; zeros follow
    rest, last = np.divmod(np.abs(units), 10**in_last)
    numerics["digits"][:, -1] = last * 10 ** (DIGITS_PER_GROUP - in_last)
    for group in reversed(range(before + after - 1)):
        rest, numerics["digits"][:, group] = np.divmod(rest, 10**DIGITS_PER_GROUP)
    return numerics


#: Kind of column -> function that encodes its values; text needs no encoding.
ENCODERS: dict[str, Callable[[Column], Array]] = {
    "integer": _integer,
    "boolean": lambda column: column.values.astype(np.uint8),
    "float": _float,
    "date": _date,
    "timestamp": _timestamp,
    "numeric": _numeric,
    "json": _json,
}
