"""Read rows as canonical values: the same from SQLite and PostgreSQL, whatever the server's settings."""

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import compile_query, decimal_digits, driver_connection, execute
from tformance_seed.canonical_json import json_text
from tformance_seed.storage.models import ApplicationModel, ReviewerCorrelation
from tformance_seed.storage.models.fields import NumericField, TimestampField

#: The number of rows fetched from a server-side cursor at a time.
FETCH_SIZE = 5_000

#: Table -> references of which either may come first: ids decide, which differ from database to database.
UNORDERED: dict[type[ApplicationModel], tuple[peewee.Field, ...]] = {
    ReviewerCorrelation: (ReviewerCorrelation.reviewer_1, ReviewerCorrelation.reviewer_2)
}

#: Session settings that make PostgreSQL write dates and times in canonical form.
SETTINGS = {"TimeZone": "UTC", "DateStyle": "ISO, YMD"}

#: A field of a model, or of an alias of one.
Column = Any


def set_canonical(database: peewee.Database) -> None:
    """Let PostgreSQL write dates and times in canonical form until the transaction ends."""
    if is_postgresql(database):
        settings = [fn.set_config(name, value, True) for name, value in SETTINGS.items()]
        execute(database, peewee.Select(columns=settings))


def stream(database: peewee.Database, query: peewee.Select) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query, as the driver reads them, without ever holding all of them in memory."""
    if not is_postgresql(database):
        yield from execute(database, query)
        return
    # The driver does not know of the transaction, which Peewee began itself, so it insists on WITH HOLD.
    with driver_connection(database).cursor(name="rows", withhold=True) as cursor:
        cursor.execute(*compile_query(database, query))
        while rows := cursor.fetchmany(FETCH_SIZE):
            yield from rows


@functools.lru_cache(maxsize=4096)
def canonical_json(text: str | None) -> str:
    """Return canonical JSON; the empty text for NULL; invalid JSON, which SQLite accepts, unchanged."""
    if text is None:
        return ""
    try:
        return json_text(json.loads(text))
    except ValueError:
        return text


def converted(database: peewee.Database, column: Column, field: peewee.Field) -> peewee.ColumnBase:
    """Return what to select instead of a column, if the column itself would not be canonical."""
    convert = (POSTGRESQL if is_postgresql(database) else SQLITE).get(type(field))
    return convert(column, field) if convert else column


def bytewise(database: peewee.Database, text: Any) -> Any:
    """Return a text to compare byte by byte; PostgreSQL's default depends on the server's locale."""
    return text.collate('"C"') if is_postgresql(database) else text


def _sqlite_timestamp(column: Column, _: peewee.Field) -> peewee.ColumnBase:
    """Write a timestamp as PostgreSQL does in UTC: with a fraction of a second only if it is not zero."""
    without_zeros = fn.RTRIM(fn.RTRIM(column, "0"), ".")
    return peewee.Case(None, [(fn.LENGTH(column) > 19, without_zeros)], column).concat("+00")


def _sqlite_numeric(column: Column, field: peewee.Field) -> peewee.ColumnBase:
    """Write a number as PostgreSQL does: with all of the column's decimals."""
    _, scale = decimal_digits(field)
    return peewee.Case(None, [(column.is_null(False), fn.printf(f"%.{scale}f", column))])


#: Field type -> the expression to write instead of the column.
POSTGRESQL: dict[type, Callable[[Column, peewee.Field], peewee.ColumnBase]] = {
    peewee.BooleanField: lambda column, _: column.cast("INTEGER"),
}
SQLITE: dict[type, Callable[[Column, peewee.Field], peewee.ColumnBase]] = {
    TimestampField: _sqlite_timestamp,
    NumericField: _sqlite_numeric,
}
