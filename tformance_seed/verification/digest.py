"""A digest of a team's content that does not depend on the database, its ids or the order of its rows.

Each row is written as one canonical text, in which references are natural keys and ids are left out, and
hashed with BLAKE2b to 128 bits; the hashes of a table are added modulo 2^128. That is the construction
MSet-Add-Hash of Clarke et al., "Incremental Multiset Hash Functions and Their Application to Memory
Integrity Checking" (ASIACRYPT 2003), without a key: it tells apart any two contents that were not made to
collide, counts repeated rows, and takes rows in any order. It is no signature: without a key and in so few
bits, somebody who may choose the rows can construct two contents of one digest.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.refresh import non_id_fields
from tformance_seed.canonical_json import json_text
from tformance_seed.storage.models import APPLICATION, Team
from tformance_seed.storage.models.fields import JSONField, NumericField, TimestampField
from tformance_seed.verification.natural_keys import natural_key

#: Bytes of a row's hash, and what the sum of them is taken modulo.
HASH_SIZE = 16
MODULUS = 1 << 8 * HASH_SIZE

#: Rows fetched from a server-side cursor at a time.
FETCH = 5_000

#: Sets rows' JSON columns apart from what stands before them; JSON text never holds it.
SEPARATOR = "\x1f"

#: Session settings under which PostgreSQL writes dates and times in the one form.
SETTINGS = {"TimeZone": "UTC", "DateStyle": "ISO, YMD"}


class TableDigest(TypedDict):
    """A team's rows of one table."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Content:
    """What a team has: each table's rows and digest, and one digest over all."""

    tables: dict[str, TableDigest]
    digest: str


def digest(database: peewee.Database, team_id: int) -> Content:
    """The content of a team in all of the application's tables, the same on SQLite and PostgreSQL.

    Digests are 32 hexadecimal digits. Rows are streamed.
    """
    tables: dict[str, TableDigest] = {}
    with database.atomic():
        if is_postgresql(database):
            settings = [fn.set_config(name, value, True) for name, value in SETTINGS.items()]
            database.execute(peewee.Select(columns=settings))
        for model in APPLICATION:
            tables[model._meta.table_name] = _sum(_texts(database, _query(database, model, team_id)))
    lines = [f"{name} {table['rows']} {table['digest']}" for name, table in sorted(tables.items())]
    return Content(tables, _hash("\n".join(lines)).hex())


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=HASH_SIZE).digest()


def _sum(texts: Iterator[str]) -> TableDigest:
    """How many texts there are, and the sum of their hashes."""
    rows = total = 0
    for text in texts:
        rows += 1
        total += int.from_bytes(_hash(text), "big")
    return {"rows": rows, "digest": (total % MODULUS).to_bytes(HASH_SIZE, "big").hex()}


def _texts(database: peewee.Database, query: peewee.Select) -> Iterator[str]:
    """The canonical text of each row."""
    for text, *documents in _stream(database, query):
        yield SEPARATOR.join([text, *map(_canonical_json, documents)]) if documents else text


@functools.lru_cache(maxsize=4096)
def _canonical_json(text: str | None) -> str:
    """The JSON in its one form; nothing for NULL; as it is what is not JSON, which SQLite lets pass."""
    try:
        return "" if text is None else json_text(json.loads(text))
    except ValueError:
        return text


def _stream(database: peewee.Database, query: peewee.Select) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, never all of them in memory."""
    if not is_postgresql(database):
        yield from database.execute(query)
        return
    # Peewee begins transactions itself, so the driver sees none and wants a cursor that could outlive one.
    with database.connection().cursor(name="digest", withhold=True) as cursor:
        cursor.execute(*database.get_sql_context().sql(query).query())
        while rows := cursor.fetchmany(FETCH):
            yield from rows


def _query(database: peewee.Database, model: Any, team_id: int) -> peewee.Select:
    """A team's rows of a table: the canonical text of all columns but JSON, then the JSON columns."""
    fields = non_id_fields(model)
    plain = [field for field in fields if not isinstance(field, JSONField)]
    specs, values, joins = _canonical(database, model, plain)
    write = fn.format if is_postgresql(database) else fn.printf
    documents = [field.cast("TEXT") for field in fields if isinstance(field, JSONField)]
    query = model.select(write("|".join(specs), *values), *documents)
    for source, target, on in joins:
        query = query.join_from(source, target, peewee.JOIN.LEFT_OUTER, on=on)
    return query.where((model.id if model is Team else model.team) == team_id)


Column = Any  #: a field of a model or of an alias of one
Joins = list[tuple[Any, Any, Any]]


def _canonical(
    database: peewee.Database, source: Any, fields: list[peewee.Field] | tuple[peewee.Field, ...]
) -> tuple[list[str], list[Column], Joins]:
    """How to write fields of a model or an alias: format specifiers, values for them, and joins needed.

    NULL becomes nothing, which no value is: text has its length before it.
    """
    written = POSTGRESQL if is_postgresql(database) else SQLITE
    specs: list[str] = []
    values: list[Column] = []
    joins: Joins = []
    for field in fields:
        column = getattr(source, field.name)
        if isinstance(field, peewee.ForeignKeyField):
            target = field.rel_model.alias()
            joins.append((source, target, column == target.id))
            more = _canonical(database, target, natural_key(field.rel_model))
            specs, values, joins = specs + more[0], values + more[1], joins + more[2]
        elif isinstance(field, peewee.CharField | peewee.TextField):
            specs.append("%s:%s")
            values += [fn.LENGTH(column), column]
        else:
            specs.append("%s")
            values.append(written.get(type(field), lambda column, _: column)(column, field))
    return specs, values, joins


def _sqlite_timestamp(column: Column, _: peewee.Field) -> peewee.ColumnBase:
    """As PostgreSQL writes it in UTC: parts of a second only where there are any."""
    without_zeros = fn.RTRIM(fn.RTRIM(column, "0"), ".")
    return peewee.Case(None, [(fn.LENGTH(column) > 19, without_zeros)], column).concat("+00")


def _sqlite_numeric(column: Column, field: Any) -> peewee.ColumnBase:
    """As PostgreSQL writes it: with every decimal of the column."""
    return peewee.Case(None, [(column.is_null(False), fn.printf(f"%.{field.decimal_places}f", column))])


#: Field type -> what is written of such a column, where the column as it is would differ.
POSTGRESQL: dict[type, Callable[[Column, peewee.Field], peewee.ColumnBase]] = {
    peewee.BooleanField: lambda column, _: column.cast("INTEGER"),
}
SQLITE: dict[type, Callable[[Column, peewee.Field], peewee.ColumnBase]] = {
    TimestampField: _sqlite_timestamp,
    NumericField: _sqlite_numeric,
}
