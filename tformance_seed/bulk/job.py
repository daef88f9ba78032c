"""One upsert: batches of rows become columns, and these become chunks in the order of the key."""

import contextlib
import dataclasses
import functools
import operator
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import peewee

from tformance_seed.bulk import ordering
from tformance_seed.bulk.columns import Column, Mask, text_length
from tformance_seed.bulk.conversion import BadRowError, FailedRow, convert
from tformance_seed.bulk.dialect import in_transaction, is_postgresql
from tformance_seed.bulk.failures import Failures
from tformance_seed.bulk.fitting import convert_columns
from tformance_seed.bulk.keys import Key, find_key, satisfies_predicate, unique_key
from tformance_seed.bulk.paths import COPY_FROM, COPY_LENGTH, write
from tformance_seed.bulk.peewee_internals import (
    defaults,
    find_field,
)
from tformance_seed.bulk.postgresql import constraint_columns, nulls_are_equal, table_types
from tformance_seed.bulk.repeated import remember, write_again
from tformance_seed.bulk.results import Result, RowResult
from tformance_seed.bulk.rows import Batch, batches, fields_of_columns
from tformance_seed.bulk.statements import Target

#: Number of rows per chunk. Each chunk is a separate transaction. Measurements show that the size hardly
#: matters on the COPY path.
PORTABLE_CHUNK = 5_000
COPY_CHUNK = 25_000

#: Length of all texts of a chunk, about, unless its number of rows is given: they are in memory twice.
CHUNK_LENGTH = 8_000_000


def field_of(model: type[peewee.Model], part: Any) -> peewee.Field:
    """Return the field of a field, its name or its column's; raise ValueError if there is none."""
    if isinstance(part, peewee.Field):
        return part
    field = find_field(model, part)
    if field is None:
        raise ValueError(f"{model.__name__} has no field {part}")
    return field


@dataclass
class Upsert:
    """One upsert: its options, as of ``upsert``."""

    database: peewee.Database
    model: type[peewee.Model]
    key: Any
    ignore: bool
    update: Sequence[Any] | Mapping[Any, Any] | None
    on_error: Callable[[FailedRow], object] | None
    on_chunk: Callable[[Result], object] | None
    chunk_size: int | None
    copy: bool | None
    no_conflicts: bool
    fit: bool

    @property
    def _is_plain(self) -> bool:
        """Whether no option is given."""
        given = (self.key, self.update, self.on_error, self.on_chunk, self.chunk_size, self.copy)
        return given.count(None) == len(given) and not (self.ignore or self.no_conflicts or self.fit)

    def run(self, rows: Any, names: Sequence[str] | None, returning: Sequence[peewee.Field] | None) -> Result:
        """Write all rows, chunk by chunk."""
        if self._is_plain and returning is None:
            started = time.perf_counter()
            written = write_again(self.database, self.model, rows, names)
            if written is not None:
                return Result(written, len(rows) - written, time.perf_counter() - started)
        total = Result()
        found: dict[int, RowResult] = {}
        count = 0
        for batch in batches(self.model, rows, names, self._batch_size(rows)):
            count += len(batch.numbers)
            for result, rows_done in self._write_batch(batch, returning):
                total += result
                found.update(rows_done)
        return (
            total
            if returning is None
            else dataclasses.replace(total, rows=tuple(map(found.get, range(count))))
        )

    def _batch_size(self, rows: Any) -> int | None:
        """Return how many of rows that come one by one are read at a time; None: all."""
        if in_transaction(self.database):  # these are sorted all together
            return None
        return self.chunk_size or (COPY_CHUNK if isinstance(rows, list) else PORTABLE_CHUNK)

    def _write_batch(
        self, batch: Batch, returning: Sequence[peewee.Field] | None
    ) -> Iterator[tuple[Result, dict[int, RowResult]]]:
        failures = Failures(self.model, self.on_error)
        if len(batch.numbers) and not batch.columns:
            raise ValueError(f"{self.model.__name__}: row {batch.numbers[0]} has no values, so no key")
        columns, numbers = self._convert(batch, failures)
        if columns and len(columns[0]):
            target, columns, numbers = self._target(columns, numbers, failures)
        if failures.count:
            yield Result(failed=failures.count), {}
        if not columns or not len(columns[0]):
            return
        for wave, of_row in self._waves(target, columns):
            order, total = wave
            length = sum(map(text_length, columns))
            step = self.chunk_size or (COPY_CHUNK if self._copies(total, length) else PORTABLE_CHUNK)
            if self.chunk_size is None and length > CHUNK_LENGTH:
                step = min(step, max(1, total * CHUNK_LENGTH // length))
            for part, positions in ordering.chunks(order, total, step):
                started = time.perf_counter()
                whole = isinstance(part, slice) and len(numbers[part]) == len(numbers)
                chunk = columns if whole else [column.take(part) for column in columns]
                outcome = write(
                    target,
                    chunk,
                    numbers[part],
                    failures=Failures(self.model, self.on_error),
                    copy=self._copies(len(chunk[0]), length * len(chunk[0]) // total),
                    no_conflicts=self.no_conflicts,
                    returning=returning,
                )
                seconds = time.perf_counter() - started
                unchanged = len(chunk[0]) - outcome.written - outcome.failed
                result = Result(outcome.written, unchanged, seconds, failed=outcome.failed)
                if self.on_chunk is not None:
                    self.on_chunk(result)
                yield result, self._numbered(outcome.rows, numbers, of_row, positions)
        if self._is_plain and is_postgresql(self.database):
            types = table_types(self.database, self.model, kept=True)
            remember(target, [*batch.columns], columns, types)

    def _numbered(
        self, rows: Sequence[RowResult | None], numbers: Any, of_row: Any, positions: slice
    ) -> dict[int, RowResult]:
        """Return what happened to the rows of a chunk by their numbers in the input, those left out for
        others included.
        """
        if not rows:
            return {}
        mine = np.flatnonzero((of_row >= positions.start) & (of_row < positions.stop))
        found = ((int(numbers[row]), rows[of_row[row] - positions.start]) for row in mine.tolist())
        return {number: result for number, result in found if result is not None}

    def _copies(self, count: int, length: int) -> bool:
        """Return whether to use COPY for as many rows with texts of that length in all."""
        if not is_postgresql(self.database) or self.copy is False:
            return False
        return self.copy is True or self.no_conflicts or count >= COPY_FROM or length >= COPY_LENGTH

    def _convert(self, batch: Batch, failures: Failures) -> tuple[list[Column], Any]:
        """Return the batch's columns, without the rows that cannot be converted, and the numbers of the
        rows.
        """
        if self.fit:
            return convert_columns(self.model, batch.columns), batch.numbers
        given, numbers = fields_of_columns(self.model, batch.columns), batch.numbers
        columns: list[Column] = []
        for field, values in given:
            while True:
                try:
                    columns.append(convert(field, values))
                    break
                except BadRowError as error:
                    row = error.failed.row
                    failures.add(error.failed._replace(row=int(numbers[row])), error.__cause__ or error)
                    kept = np.delete(np.arange(len(numbers)), row)
                    numbers = numbers[kept]
                    columns = [column.take(kept) for column in columns]
                    given = [(other, _take(others, kept)) for other, others in given]
                    values = {other.name: others for other, others in given}[field.name]
        if len({len(column) for column in columns}) > 1:
            raise ValueError(f"columns of {self.model.__name__} differ in length")
        return self._without_generated(columns), numbers

    def _without_generated(self, columns: list[Column]) -> list[Column]:
        """Return the columns without a generated id that no row has."""
        return [
            c for c in columns if not (isinstance(c.field, peewee.AutoField) and c.nulls().all() and len(c))
        ]

    def _target(
        self, given: list[Column], numbers: Any, failures: Failures
    ) -> tuple[Target, list[Column], Any]:
        """Return where the rows go, and their columns and numbers without the rows whose key has a NULL."""
        by_name = {column.field.column_name: column.field for column in given}
        columns = given + self._default_columns(given)
        key, explicit = self._find_key(by_name), self.key is not None
        if key is not None and key.is_plain:
            null = self._nulls_in_key(key, {column.field.column_name: column for column in columns})
            names = [field.column_name for field in key.fields]
            if not null.any():
                pass
            elif is_postgresql(self.database) and nulls_are_equal(self.database, self.model, names):
                key = dataclasses.replace(key, nulls_equal=True)
            elif self.ignore and not explicit:
                key = None
            else:
                self._refuse_nulls(key, columns, numbers, failures)
                columns, numbers = [column.take(np.flatnonzero(~null)) for column in columns], numbers[~null]
        if self.ignore:
            return Target(self.database, self.model, key if explicit else None, {}, key), columns, numbers
        return Target(self.database, self.model, key, self._updated(key, by_name), key), columns, numbers

    def _find_key(self, by_name: Mapping[str, peewee.Field]) -> Key | None:
        if self.key is not None:
            return find_key(self.model, self.key, self._constraint)
        with contextlib.suppress(ValueError) if self.ignore else contextlib.nullcontext():
            return unique_key(self.model, by_name)
        return None

    def _updated(self, key: Key | None, by_name: Mapping[str, peewee.Field]) -> dict[peewee.Field, Any]:
        in_key = set() if key is None else {f.column_name for f in key.fields if isinstance(f, peewee.Field)}
        if self.update is None:
            return {f: None for name, f in by_name.items() if name not in in_key and not f.primary_key}
        if isinstance(self.update, Mapping):
            updated = {field_of(self.model, part): value for part, value in self.update.items()}
        else:
            updated = {field_of(self.model, part): None for part in self.update}
        missing = [f.name for f, value in updated.items() if value is None and f.column_name not in by_name]
        if missing:
            raise ValueError(f"update: the rows have no {', '.join(missing)}")
        return updated

    def _constraint(self, name: str) -> tuple[str, ...]:
        return constraint_columns(self.database, self.model, name) if is_postgresql(self.database) else ()

    def _default_columns(self, columns: Sequence[Column]) -> list[Column]:
        given = {column.field.column_name for column in columns}
        count = len(columns[0])
        missing = {
            field.name: [default() for _ in range(count)] if callable(default) else [default] * count
            for field, default in defaults(self.model).items()
            if field.column_name not in given
        }
        if self.fit:
            return convert_columns(self.model, missing)
        return [convert(field, values) for field, values in fields_of_columns(self.model, missing)]

    def _waves(self, target: Target, columns: list[Column]) -> Iterator[tuple[tuple[Any, int], Any]]:
        """Yield the order of rows to be written, with their number, and the position of the row that stands
        for each.

        There are several only if rows that share a key must be written one after another.
        """
        count, key = len(columns[0]), target.order_by
        everything = (slice(0, count), count), np.arange(count)
        if count == 1 or key is None or not key.is_plain:
            yield everything
            return
        by_name = {column.field.column_name: column for column in columns}
        distinct = self._is_known_in_key(key, by_name)
        values = [ordering.sortable(by_name[field.column_name]) for field in key.fields]
        if ordering.is_sorted(values):
            yield everything
            return
        order, repeats = ordering.sort_rows(values)
        if not repeats.any() or not distinct or self.ignore:
            of_row = np.empty(count, dtype=np.intp)
            of_row[order] = np.arange(count)
            yield (order, count), of_row
        elif target.has_expressions:
            for wave in range(int(repeats.max()) + 1):
                mine = order[repeats == wave]
                of_row = np.full(count, -1)
                of_row[mine] = np.arange(len(mine))
                yield (mine, len(mine)), of_row
        else:
            kept, of_row = ordering.last_of_each(order, repeats)
            yield (kept, len(kept)), of_row

    def _nulls_in_key(self, key: Key, by_name: Mapping[str, Column]) -> Mask:
        """Return a mask of the rows whose key has a NULL.

        Raises:
          ValueError: a part of the key is missing, or a row is outside of a partial key.
        """
        for field in key.fields:
            if field.column_name not in by_name:
                raise ValueError(
                    f"{self.model.__name__}: the rows have no {field.name}, which is part of the key"
                )
        self._is_known_in_key(key, by_name)
        masks = [by_name[field.column_name].nulls() for field in key.fields]
        return functools.reduce(operator.or_, masks)

    def _refuse_nulls(self, key: Key, columns: Sequence[Column], numbers: Any, failures: Failures) -> None:
        in_key = {field.column_name for field in key.fields}
        reason = f"part of its key ({key.names()}), and to the database no NULL is equal to another"
        for column in columns:
            if column.field.column_name in in_key:
                for row in np.flatnonzero(column.nulls()).tolist():
                    failures.add(
                        FailedRow(int(numbers[row]), column.field.name, None, reason), ValueError(reason)
                    )

    def _is_known_in_key(self, key: Key, by_name: Mapping[str, Column]) -> bool:
        """Return whether the key is known to cover all rows, so that two rows with the same key are the same
        row.

        Raises:
          ValueError: the key does not cover a row.
        """
        if key.where is None:
            return True
        covered = satisfies_predicate(key.where, by_name)
        if covered is not None and not covered.all():
            raise ValueError(
                f"{self.model.__name__}: {np.count_nonzero(~covered)} rows are outside of the partial key "
                f"({key.names()}), whose predicate is not true for them"
            )
        return covered is not None


def _take(values: Any, rows: Any) -> Any:
    return values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows.tolist()]
