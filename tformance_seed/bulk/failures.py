"""Which row the database refuses, found by halving, and by which of its columns."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.bulk.columns import Column, parameters
from tformance_seed.bulk.conversion import BadRowError, FailedRow, one_line
from tformance_seed.bulk.dialect import in_transaction, is_postgresql, savepoint, transaction
from tformance_seed.bulk.peewee_internals import execute, fields_by_column

#: What databases and drivers raise for a row that cannot be stored. Other errors, such as a deadlock, say
#: nothing of rows.
ROW_ERRORS = (
    peewee.DataError,
    peewee.IntegrityError,
    peewee.InterfaceError,
    peewee.NotSupportedError,
    peewee.ProgrammingError,
    OverflowError,
    TypeError,
    ValueError,
)

#: Patterns of the names of columns in the messages of databases.
COLUMN_IN_MESSAGE = [
    re.compile(pattern)
    for pattern in (
        r'column "([^"]+)"',
        r"[Cc]olumn '([^']+)'",
        r"Key \(([^),]+)",
        r"constraint failed: .*?\.(\w+)",
    )
]


@dataclass
class Failures:
    """What is done about rows that cannot be stored: the first raises an error, or all are passed to a
    function.
    """

    model: type[peewee.Model]
    on_error: Callable[[FailedRow], object] | None
    count: int = 0

    def add(self, failed: FailedRow, error: BaseException) -> None:
        """Pass a row on, or raise an error of the same class that says which row it is."""
        if self.on_error is not None:
            self.count += 1
            self.on_error(failed)
            return
        if isinstance(error, peewee.PeeweeException):
            raise type(error)(failed.describe(self.model)) from (error.__cause__ or error)
        raise BadRowError(self.model, failed) from error


Attempt = Callable[[Sequence[Column]], Any]


class _UndoError(Exception):
    """Ends a transaction that is not to be kept."""


@contextlib.contextmanager
def undone(database: peewee.Database) -> Iterator[None]:
    """Run a block, and undo what it did to the database."""
    with (
        contextlib.suppress(_UndoError),
        savepoint(database) if in_transaction(database) else transaction(database),
    ):
        yield
        raise _UndoError


def find_failure(
    database: peewee.Database, attempt: Attempt, columns: Sequence[Column], numbers: Any
) -> FailedRow | None:
    """Return the first row without which the rows before it could be stored; None if they can be stored with
    it.
    """

    def error_of(count: int) -> BaseException | None:
        try:
            with undone(database):
                attempt([column.take(slice(0, count)) for column in columns])
        except ROW_ERRORS as error:
            return error
        return None

    error = error_of(len(columns[0]))
    good, bad = 0, len(columns[0])
    while error is not None and bad - good > 1:
        middle = (good + bad) // 2
        found = error_of(middle)
        good, bad, error = (good, middle, found) if found is not None else (middle, bad, error)
    if error is None:
        return None
    return failed_row(
        database, [column.take(slice(bad - 1, bad)) for column in columns], int(numbers[bad - 1]), error
    )


def failed_row(
    database: peewee.Database, columns: Sequence[Column], number: int, error: BaseException
) -> FailedRow:
    """Return what is known of a row that was refused."""
    reason = one_line(error)
    values = {c.field.column_name: parameters(c, postgresql=is_postgresql(database))[0] for c in columns}
    name = _column_of(database, columns, values, str(error))
    if name is None:
        return FailedRow(number, None, None, reason)
    return FailedRow(number, fields_by_column(columns[0].field.model)[name].name, values[name], reason)


def _column_of(
    database: peewee.Database, columns: Sequence[Column], values: dict[str, Any], message: str
) -> str | None:
    for pattern in COLUMN_IN_MESSAGE:
        found = pattern.search(message)
        if found is not None and found[1] in values:
            return str(found[1])
    if not is_postgresql(database):
        return None
    for column in columns:  # PostgreSQL converts constants even where a statement changes no row
        name = str(column.field.column_name)
        update = column.field.model.update({column.field: peewee.Value(values[name], False, unpack=False)})
        try:
            with undone(database):
                execute(database, update.where(peewee.SQL("FALSE")))
        except ROW_ERRORS:
            return name
    return None


def store_others(
    database: peewee.Database, attempt: Attempt, columns: Sequence[Column], numbers: Any, failures: Failures
) -> Iterator[tuple[int, int, Any]]:
    """Store the rows that can be stored, by halving; yield the start and stop of each part, and what came of
    it.

    It must run in a transaction.
    """
    parts = [(0, len(columns[0]))]
    while parts:
        start, stop = parts.pop()
        part = [column.take(slice(start, stop)) for column in columns]
        try:
            with savepoint(database):
                outcome = attempt(part)
        except ROW_ERRORS as error:
            if stop - start == 1:
                failures.add(failed_row(database, part, int(numbers[start]), error), error)
            else:
                middle = (start + stop) // 2
                parts += [(middle, stop), (start, middle)]
        else:
            yield start, stop, outcome
