"""The ways to write a chunk, and the choice between them."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.bulk.columns import Column
from tformance_seed.bulk.dialect import in_transaction, is_postgresql, savepoint, transaction
from tformance_seed.bulk.failures import ROW_ERRORS, Failures, find_failure, store_others
from tformance_seed.bulk.peewee_internals import has_atomic
from tformance_seed.bulk.postgresql import TableTypes, copy_columns, copy_to, table_sql, table_types
from tformance_seed.bulk.results import RowResult
from tformance_seed.bulk.returning import insert_returning, merge_returning
from tformance_seed.bulk.row_sources import arrays_source, staged, values_source
from tformance_seed.bulk.statements import Target, insert_plain, run_merge

#: Number of rows from which on COPY is faster than arrays, as measured: 1,000 of NumPy, 4,000 in lists.
COPY_FROM = 2_000

#: Length of all texts from which on COPY takes less memory, since the driver copies them into no statement.
COPY_LENGTH = 500_000


@dataclass(frozen=True)
class Outcome:
    """What came of a chunk; ``rows`` is empty unless it was asked for, and has None for a row that failed."""

    written: int
    failed: int = 0
    rows: tuple[RowResult | None, ...] = ()


def write(
    target: Target,
    columns: Sequence[Column],
    numbers: Any,
    *,
    failures: Failures,
    copy: bool,
    no_conflicts: bool,
    returning: Sequence[peewee.Field] | None,
) -> Outcome:
    """Write a chunk in one transaction.

    Parameters:
      numbers: the numbers of the rows in the input, for messages.

    Raises:
      peewee.DatabaseError, ValueError: a row cannot be stored, and is not passed to ``on_error``.
    """
    database = target.database
    own = not in_transaction(database) and has_atomic(database)
    known = table_types(database, target.model, kept=own and not copy) if is_postgresql(database) else None
    attempt = _Attempt(target, copy, no_conflicts, returning, own, known)
    guarded = (
        not own
        and has_atomic(database)
        and (failures.on_error is not None or len(columns[0]) > 1)
        and not no_conflicts
    )
    try:
        with savepoint(database) if guarded else contextlib.nullcontext():
            return attempt(columns)
    except ROW_ERRORS as error:
        if not (own or guarded):
            raise
        if (
            known is not None and own and table_types(database, target.model) != known
        ):  # it was altered meanwhile
            return write(
                target,
                columns,
                numbers,
                failures=failures,
                copy=copy,
                no_conflicts=no_conflicts,
                returning=returning,
            )
        attempt.own = False
        if failures.on_error is None:
            failed = find_failure(database, attempt, columns, numbers)
            if failed is not None:
                failures.add(failed, error)
            raise
    return _store_others(target, attempt, columns, numbers, failures)


def _store_others(
    target: Target, attempt: "_Attempt", columns: Sequence[Column], numbers: Any, failures: Failures
) -> Outcome:
    written, rows = 0, [None] * len(columns[0]) if attempt.returning is not None else []
    with transaction(target.database):
        for start, stop, outcome in store_others(target.database, attempt, columns, numbers, failures):
            written += outcome.written
            if attempt.returning is not None:
                rows[start:stop] = outcome.rows
    return Outcome(written, failures.count, tuple(rows))


@dataclass
class _Attempt:
    """Writes rows in one transaction, by the fastest way that stores them as Peewee would."""

    target: Target
    copy: bool
    no_conflicts: bool
    returning: Sequence[peewee.Field] | None
    own: bool
    types: TableTypes | None

    def __call__(self, columns: Sequence[Column]) -> Outcome:
        return self._plain(columns, ()) if self.types is None else self._on_postgresql(columns, self.types)

    def _on_postgresql(self, columns: Sequence[Column], types: TableTypes) -> Outcome:
        database, model = self.target.database, self.target.model
        number = self.returning is not None
        real = copy_columns(columns, types) if self.copy else None
        if real is not None and self.no_conflicts and not types.row_security and not number:
            names = [column.field.column_name for column in real]
            if all(column.kind != "input" for column in real):
                type_names = [types.columns[name].name for name in names]
                return Outcome(copy_to(database, table_sql(model), real, names, type_names))
        if real is not None and types.may_stage:
            with (
                transaction(database),
                staged(database, model, real, types, number=number, own_transaction=self.own) as stage,
            ):
                return self._merge(real, stage, types)
        source = arrays_source(columns, types, number=number)
        if source is None and self.own and not self.copy:  # what is kept may be out of date
            types = table_types(database, model)
        source = source or values_source(database, model, columns, types, number=number)
        if source is not None:
            return self._merge(columns, source, types)
        return self._plain(columns, types.exact)

    def _plain(self, columns: Sequence[Column], exact: Sequence[str]) -> Outcome:
        if self.returning is None and len(columns[0]) == 1:  # one statement, which is a transaction by itself
            return Outcome(insert_plain(self.target, columns, exact))
        with transaction(self.target.database):
            if self.returning is None:
                return Outcome(insert_plain(self.target, columns, exact))
            return self._outcome(insert_returning(self.target, columns, exact, self.returning))

    def _merge(self, columns: Sequence[Column], source: Any, types: TableTypes) -> Outcome:
        """Write the rows of a source by one statement, which is a transaction by itself."""
        if self.returning is None:
            new = self.copy and self.no_conflicts
            return Outcome(run_merge(self.target, columns, source, types, new=new, prepare=self.own))
        return self._outcome(merge_returning(self.target, columns, source, types.exact, self.returning))

    def _outcome(self, rows: Sequence[RowResult]) -> Outcome:
        return Outcome(sum(row.action != "unchanged" for row in rows), rows=tuple(rows))
