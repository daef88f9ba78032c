"""Write tables as Parquet: a file a table, with types. PyArrow, which is an extra, is imported here."""

from pathlib import Path
from typing import Any

import peewee
import pyarrow as pa
from pyarrow import parquet

from tformance_seed.bulk.peewee_internals import decimal_digits
from tformance_seed.export.formats import file_names, public_fields
from tformance_seed.export.rows import Values
from tformance_seed.storage.models import ApplicationModel
from tformance_seed.storage.models.fields import NumericField, TimestampField

#: A row group is written when a table has that many rows, or bytes, that are not written yet: readers want
#: few groups, and memory is to stay flat.
GROUP_ROWS, GROUP_BYTES = 50_000, 8 << 20


class ParquetFiles:
    """Writes a folder of Parquet files."""

    def __init__(self, folder: Path) -> None:
        self._fields = {model: public_fields(model) for model in file_names("parquet")}
        self._schemas = {
            model: pa.schema(
                [pa.field(field.column_name, _type(field), nullable=field.null) for _, field in fields]
            )
            for model, fields in self._fields.items()
        }
        self._writers = {
            model: parquet.ParquetWriter(folder / name, self._schemas[model])
            for model, name in file_names("parquet").items()
        }
        self._waiting: dict[type[ApplicationModel], list[Any]] = {model: [] for model in self._fields}

    def write(self, model: type[ApplicationModel], columns: list[Values]) -> None:
        """Write rows of a table."""
        arrays = [_array(field, columns[place]) for place, field in self._fields[model]]
        waiting = self._waiting[model]
        waiting.append(pa.record_batch(arrays, schema=self._schemas[model]))
        rows, size = sum(batch.num_rows for batch in waiting), sum(batch.nbytes for batch in waiting)
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            self._flush(model)

    def _flush(self, model: type[ApplicationModel]) -> None:
        if waiting := self._waiting[model]:
            table = pa.Table.from_batches(waiting)
            self._writers[model].write_table(table, row_group_size=table.num_rows)
            waiting.clear()

    def close(self) -> None:
        """Write what waits, and the ends of the files."""
        for model, writer in self._writers.items():
            self._flush(model)
            writer.close()


def _type(field: peewee.Field) -> Any:
    if isinstance(field, NumericField):
        return pa.decimal128(*decimal_digits(field))
    if isinstance(field, TimestampField):
        return pa.timestamp("us", tz="UTC")
    if isinstance(field, peewee.DateField):
        return pa.date32()
    if isinstance(field, peewee.BooleanField):
        return pa.bool_()
    if isinstance(field, peewee.ForeignKeyField | peewee.BigAutoField | peewee.BigIntegerField):
        return pa.int64()
    return pa.int32() if isinstance(field, peewee.IntegerField) else pa.string()


def _array(field: peewee.Field, values: Values) -> Any:
    """Return values as an array, converted by Arrow where they are text and the type is another."""
    kind = _type(field)
    if isinstance(field, TimestampField):
        naive = pa.array(values, pa.string()).cast(pa.timestamp("us"))
        return pa.compute.assume_timezone(naive, "UTC")
    if isinstance(field, NumericField | peewee.DateField):
        return pa.array(values, pa.string()).cast(kind)
    if isinstance(field, peewee.BooleanField):
        return pa.array([None if value is None else bool(value) for value in values], kind)
    return pa.array(values, kind)
