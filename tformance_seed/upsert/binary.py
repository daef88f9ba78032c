"""PostgreSQL's binary COPY format, built from columns without a Python loop over rows.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS and, for numerics,
``numeric_recv`` in the server's ``numeric.c``. A block of rows is one structured array: every field has its
length word and room for the longest value. Where values are shorter or NULL, a mask drops the spare bytes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tformance_seed.upsert.columns import INTEGERS, Array, Column

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

#: Days and microseconds count from here.
EPOCH = np.datetime64("2000-01-01", "us")

#: Greatest size in bytes of a block before the mask, so that one long text does not blow up a chunk.
BLOCK = 8 << 20


def encode(columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows in COPY's binary format, header and trailer included, in pieces."""
    yield HEADER
    rows = len(columns[0].values)
    width = 2 + sum(4 + _payload(column.take(slice(0, 1))).dtype.itemsize for column in columns)
    step = max(1, BLOCK // width)
    for start in range(0, rows, step):
        yield _block([column.take(slice(start, start + step)) for column in columns])
    yield TRAILER


def _block(columns: Sequence[Column]) -> bytes:
    payloads = [_payload(column) for column in columns]
    layout: list[tuple[str, object]] = [("fields", ">i2")]
    for number, payload in enumerate(payloads):
        layout += [(f"length{number}", ">i4"), (f"value{number}", payload.dtype)]
    dtype = np.dtype(layout)
    block = np.empty(len(payloads[0]), dtype=dtype)
    block["fields"] = len(columns)
    keep: npt.NDArray[np.bool_] | None = None
    for number, (column, payload) in enumerate(zip(columns, payloads, strict=True)):
        room = payload.dtype.itemsize
        lengths = _lengths(column, payload)
        block[f"value{number}"] = payload
        block[f"length{number}"] = room if lengths is None else lengths
        if lengths is not None:
            if keep is None:
                keep = np.ones((len(block), dtype.itemsize), dtype=bool)
            offset = dtype.fields[f"value{number}"][1]  # type: ignore[index]
            keep[:, offset : offset + room] = np.arange(room) < lengths[:, None]
    if keep is None:
        return block.tobytes()
    return block.view(np.uint8).reshape(len(block), -1)[keep].tobytes()


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
