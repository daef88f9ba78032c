"""PostgreSQL's binary COPY format, built from columns without a Python loop over rows.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS and, for numerics,
``numeric_recv`` in the server's ``numeric.c``. A block of rows is one structured array: every field has its
length word and room for the longest value. Where values are shorter or NULL, a mask drops the spare bytes.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from tformance_seed.bulk.columns import INTEGERS, Array, Column

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

#: Days and microseconds count from here.
EPOCH = np.datetime64("2000-01-01", "us")

#: Greatest size in bytes, with all room, of the rows whose values are converted at a time, so that one long
#: text does not blow up a chunk; and of those that are laid out at a time, so that they stay in a processor's
#: cache.
PIECE, BLOCK = 8 << 20, 128 << 10


def encode(columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows in COPY's binary format, header and trailer included, in pieces."""
    yield HEADER
    rows = len(columns[0].values)
    step = _fitting(PIECE, _layout([_payload(column.take(slice(0, 1))) for column in columns]))
    for start in range(0, rows, step):
        yield from _blocks([column.take(slice(start, start + step)) for column in columns])
    yield TRAILER


def _layout(payloads: Sequence[Array]) -> np.dtype[np.void]:
    """A row: how many fields, and of each its length and its value."""
    fields: list[tuple[str, object]] = [("fields", ">i2")]
    for number, payload in enumerate(payloads):
        fields += [(f"length{number}", ">i4"), (f"value{number}", payload.dtype)]
    return np.dtype(fields)


def _fitting(size: int, layout: np.dtype[np.void]) -> int:
    return max(1, size // layout.itemsize)


def _blocks(columns: Sequence[Column]) -> Iterator[bytes]:
    payloads = [_payload(column) for column in columns]
    layout, rows = _layout(payloads), len(payloads[0])
    block = np.empty(min(rows, _fitting(BLOCK, layout)), layout)
    block["fields"] = len(columns)
    varying = {}  # of each column whose values differ in length: the lengths, and its bytes in a row
    for number, (column, payload) in enumerate(zip(columns, payloads, strict=True)):
        lengths, room = _lengths(column, payload), payload.dtype.itemsize
        if lengths is None:
            block[f"length{number}"] = room
        else:
            offset = layout.fields[f"value{number}"][1]  # type: ignore[index]
            varying[number] = lengths.astype(np.int32), slice(offset, offset + room)
    raw = block.view(np.uint8).reshape(len(block), -1)
    keep = np.ones(raw.shape, dtype=bool)
    places = np.arange(layout.itemsize, dtype=np.int32)
    for start in range(0, rows, len(block)):
        count = min(len(block), rows - start)
        part = slice(start, start + count)
        for number, payload in enumerate(payloads):
            block[f"value{number}"][:count] = payload[part]
        for number, (lengths, room) in varying.items():
            block[f"length{number}"][:count] = lengths[part]
            keep[:count, room] = places[: room.stop - room.start] < lengths[part, None]
        yield (raw[:count][keep[:count]] if varying else raw[:count]).tobytes()


def _lengths(column: Column, payload: Array) -> Array | None:
    """Bytes of each value, -1 for NULL; None where all fill their room."""
    lengths = None
    if column.kind in ("text", "json"):
        lengths = np.char.str_len(column.values) + (column.kind == "json")
    if column.null is not None:
        lengths = np.where(column.null, -1, payload.dtype.itemsize if lengths is None else lengths)
    return lengths


def _payload(column: Column) -> Array:
    values = column.values
    match column.kind:
        case "integer":
            return values.astype(np.dtype(INTEGERS[column.field.field_type]).newbyteorder(">"))
        case "boolean":
            return values.astype(np.uint8)
        case "float":
            return values.astype(">f4" if column.field.field_type == "FLOAT" else ">f8")
        case "date":
            return (values - EPOCH.astype("M8[D]")).astype(np.int64).astype(">i4")
        case "timestamp":
            return (values - EPOCH).astype(np.int64).astype(">i8")
        case "numeric":
            return _numeric(values, column.field.max_digits, column.field.decimal_places)
        case "json":  # jsonb: a version byte, then the text
            made = np.empty(len(values), dtype=[("version", np.uint8), ("text", values.dtype)])
            made["version"] = 1
            made["text"] = values
            return made
    return values


def _numeric(units: Array, precision: int, scale: int) -> Array:
    """Digits to the base 10,000 in a fixed number of groups; the server strips leading zeros."""
    before, after = max(1, -(-(precision - scale) // 4)), -(-scale // 4)
    layout = [("ndigits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("dscale", ">i2")]
    made = np.empty(len(units), dtype=[*layout, ("digits", ">i2", (before + after,))])
    made["ndigits"], made["weight"], made["dscale"] = before + after, before - 1, scale
    made["sign"] = np.where(units < 0, 0x4000, 0)
    in_last = scale % 4 or 4  # decimals that the last group holds; the rest of it is zeros
    rest, last = np.divmod(np.abs(units), 10**in_last)
    made["digits"][:, -1] = last * 10 ** (4 - in_last)
    for group in reversed(range(before + after - 1)):
        rest, made["digits"][:, group] = np.divmod(rest, 10_000)
    return made
