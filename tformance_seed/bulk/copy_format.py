"""PostgreSQL's binary COPY format, built from columns without a Python loop over rows.

See https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS and, for numerics,
``numeric_recv`` in the server's ``numeric.c``. A block of rows is one structured array in which every field
has a length word and space for the longest value. If values are shorter or NULL, a mask drops the unused
bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tformance_seed.bulk.columns import Array, Column
from tformance_seed.bulk.peewee_internals import decimal_digits

#: The header (signature, flags, length of the header extension), and the trailer that ends the rows.
HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

#: The epoch from which PostgreSQL counts days and microseconds.
EPOCH = np.datetime64("2000-01-01", "us")

#: Maximum size in bytes, including unused ones, of the rows converted at a time, so that one long text does
#: not make a whole chunk take up too much memory.
MAX_CHUNK_BYTES = 2 << 20

#: Maximum size in bytes of what the driver is given at a time; it copies it once more.
MAX_PIECE_BYTES = 1 << 20

#: Maximum size in bytes of the rows laid out at a time, so that they fit in a processor's cache.
MAX_ROW_BLOCK_BYTES = 128 << 10

#: The byte in front of a jsonb value.
JSONB_VERSION = b"\x01"

#: What stands for NULL instead of a length and a value.
NULL = b"\xff\xff\xff\xff"

#: Size of the word in front of each value that has its length, in bytes.
LENGTH_WORD = 4

#: Number of decimal digits in one base-10,000 digit of PostgreSQL's numerics.
DIGITS_PER_GROUP = 4

#: Sign word of a negative numeric, NUMERIC_NEG of ``numeric.c``.
NUMERIC_NEGATIVE = 0x4000


class LongText:
    """A text of more than ``MAX_CHUNK_BYTES``, which is encoded in pieces, so that it is not in memory twice.

    Raises:
      UnicodeEncodeError: it has half of a surrogate pair.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._length = len(text) if text.isascii() else sum(map(len, self.pieces()))

    def __len__(self) -> int:
        """Return the number of bytes in UTF-8."""
        return self._length

    def pieces(self) -> Iterator[bytes]:
        """Yield the text in UTF-8."""
        size = MAX_PIECE_BYTES // 4  # a character has up to four bytes
        yield from (self._text[start : start + size].encode() for start in range(0, len(self._text), size))


def encode(columns: Sequence[Column], types: Sequence[str]) -> Iterator[bytes]:
    """Yield the rows in binary COPY format, including header and trailer, one block at a time.

    Parameters:
      types: PostgreSQL's name of the type of each column, such as ``int8``.
    """
    yield HEADER
    rows = len(columns[0])
    # Bytes of a row whose values are all of the same size, and the length of every value of other columns.
    fixed, varying = len(columns) * LENGTH_WORD, []
    for column, name in zip(columns, types, strict=True):
        if column.values.dtype.kind == "O":
            varying.append(_sizes(column))
        else:
            fixed += _payload(column.take(slice(0, 1)), name).dtype.itemsize
    start = 0
    while start < rows:
        stop = _block_end(start, rows, fixed, varying)
        part = [column.take(slice(start, stop)) for column in columns]
        yield from _row_blocks(part, types) if stop - start > 1 else _one_row(part, types)
        start = stop
    yield TRAILER


def _block_end(start: int, rows: int, fixed: int, varying: Sequence[Array]) -> int:
    """Return where a block ends that has at most ``MAX_CHUNK_BYTES``, though all texts are as long as its
    longest.
    """
    stop = min(rows, start + max(1, MAX_CHUNK_BYTES // fixed))
    while stop - start > 1:
        size = fixed + sum(int(lengths[start:stop].max()) for lengths in varying)
        if size * (stop - start) <= MAX_CHUNK_BYTES:
            break
        stop = start + (stop - start) // 2
    return stop


def _one_row(columns: Sequence[Column], types: Sequence[str]) -> Iterator[bytes]:
    """Yield a row piece by piece, so that a long text is not copied."""
    yield len(columns).to_bytes(2, "big")
    for column, name in zip(columns, types, strict=True):
        if column.null is not None and column.null[0]:
            yield NULL
            continue
        value = column.values[0]
        if isinstance(value, bytes | LongText):
            version = JSONB_VERSION if column.kind == "jsonb" else b""
            yield (len(version) + len(value)).to_bytes(LENGTH_WORD, "big") + version
            yield from value.pieces() if isinstance(value, LongText) else _pieces(value)
        else:
            payload = _payload(column, name).tobytes()
            yield len(payload).to_bytes(LENGTH_WORD, "big") + payload


def _pieces(value: bytes) -> Iterator[bytes]:
    """Yield bytes piece by piece, none of them empty, since that would be the end of the rows."""
    yield from (value[start : start + MAX_PIECE_BYTES] for start in range(0, len(value), MAX_PIECE_BYTES))


def _layout(payloads: Sequence[Array]) -> np.dtype[np.void]:
    """Return the layout of a row: the number of fields, then the length and the value of each field."""
    fields: list[tuple[str, object]] = [("fields", ">i2")]
    for number, payload in enumerate(payloads):
        fields += [(f"length{number}", ">i4"), (f"value{number}", payload.dtype)]
    return np.dtype(fields)


def _rows_within(size: int, layout: np.dtype[np.void]) -> int:
    return max(1, size // layout.itemsize)


def _row_blocks(columns: Sequence[Column], types: Sequence[str]) -> Iterator[bytes]:
    payloads = [_payload(column, name) for column, name in zip(columns, types, strict=True)]
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
    version = column.kind == "jsonb"
    if column.values.dtype.kind == "O":
        lengths = _sizes(column) + version
    elif column.values.dtype.kind == "S":
        lengths = np.char.str_len(column.values) + version
    if column.null is not None:
        lengths = np.where(column.null, -1, payload.dtype.itemsize if lengths is None else lengths)
    return lengths


def _sizes(column: Column) -> Array:
    """Return the number of bytes of each text."""
    return np.fromiter(map(len, column.values.tolist()), dtype=np.int64, count=len(column))


def _payload(column: Column, type_name: str) -> Array:
    """Return the values in the server's binary format, all padded to the length of the longest."""
    if column.values.dtype.kind == "O":
        column = Column(column.field, column.kind, np.array(column.values.tolist(), "S"), column.null)
    encode_values = ENCODERS.get(column.kind)
    return column.values if encode_values is None else encode_values(column, type_name)


def _number(column: Column, type_name: str) -> Array:
    return column.values.astype(NUMBERS[type_name])


def _date(column: Column, _type: str) -> Array:
    days: Array = column.values - EPOCH.astype("M8[D]")
    return days.astype(np.int64).astype(">i4")


def _timestamp(column: Column, _type: str) -> Array:
    microseconds: Array = column.values - EPOCH
    return microseconds.astype(np.int64).astype(">i8")


def _jsonb(column: Column, _type: str) -> Array:
    """Return jsonb values: a version byte, then the text."""
    documents = np.empty(len(column.values), dtype=[("version", np.uint8), ("text", column.values.dtype)])
    documents["version"] = 1
    documents["text"] = column.values
    return documents


def _numeric(column: Column, _type: str) -> Array:
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


#: PostgreSQL's name of a type of numbers -> its binary format.
NUMBERS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float4": ">f4", "float8": ">f8"}

#: Kind of column -> function that encodes its values; text needs no encoding.
ENCODERS: dict[str, Callable[[Column, str], Array]] = {
    "integer": _number,
    "boolean": lambda column, _: column.values.astype(np.uint8),
    "float": _number,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "numeric": _numeric,
    "jsonb": _jsonb,
}
