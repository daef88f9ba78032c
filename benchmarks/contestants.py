"""Every way to write the same rows: each gets them in its own form and returns when they are written."""

import io
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import peewee
import pgcopy
import psycopg2
import psycopg2.extras
import sqlalchemy
from django.db import connection as django_connection
from django.db import models
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from benchmarks.rows import Rows
from tformance_seed.bulk import unique_key, upsert
from tformance_seed.bulk.copy_format import encode
from tformance_seed.bulk.fitting import convert_columns
from tformance_seed.bulk.postgresql import copy_columns, table_types
from tformance_seed.storage.connection import connect
from tformance_seed.storage.models.fields import JSONField

#: Rows of a statement, if a way accepts any number: the application's own figure.
BATCH = 5_000

#: Rows that the slowest way writes; its time for all rows is extrapolated, and marked so.
SAMPLE = 1_000

Way = Callable[[], Any]


def _key(rows: Rows) -> list[str]:
    return [field.column_name for field in unique_key(rows.model).fields]


def _updated(rows: Rows) -> list[str]:
    return [name for name in rows.names if name not in _key(rows)]


def _json(rows: Rows) -> set[str]:
    return {field.column_name for field in rows.model._meta.sorted_fields if isinstance(field, JSONField)}


def _adapted(rows: Rows) -> list[tuple[Any, ...]]:
    """Return tuples as psycopg2 expects them."""
    json = _json(rows)
    positions = [position for position, name in enumerate(rows.names) if name in json]
    adapted = []
    for row in rows.tuples:
        values = list(row)
        for position in positions:
            value = values[position]
            values[position] = None if value is None else psycopg2.extras.Json(value)
        adapted.append(tuple(values))
    return adapted


def django_row_by_row(model: type[models.Model], rows: Rows) -> Way:
    """``update_or_create`` a row at a time."""
    names = {field.column: field.attname for field in model._meta.fields}
    key = _key(rows)
    wanted = [
        (
            {names[name]: row[name] for name in key},
            {names[name]: value for name, value in row.items() if name not in key},
        )
        for row in (dict(zip(rows.names, values, strict=True)) for values in rows.tuples)
    ]

    def write() -> None:
        for match, defaults in wanted:
            model.objects.update_or_create(**match, defaults=defaults)

    return write


def django_bulk_create(model: type[models.Model], rows: Rows) -> Way:
    """``bulk_create(update_conflicts=True)``."""
    names = {field.column: field.attname for field in model._meta.fields}
    fields = {field.column: field.name for field in model._meta.fields}
    attributes = [names[name] for name in rows.names]

    def write() -> None:
        objects = [model(**dict(zip(attributes, row, strict=True))) for row in rows.tuples]
        model.objects.bulk_create(
            objects,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=[fields[name] for name in _key(rows)],
            update_fields=[fields[name] for name in _updated(rows)],
        )

    return write


def sqlalchemy_insert(url: str, rows: Rows) -> Way:
    """``insert().on_conflict_do_update()`` with a list of parameters (insertmanyvalues)."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://", creator=lambda: psycopg2.connect(url), insertmanyvalues_page_size=BATCH
    )
    json = _json(rows)
    types = [sqlalchemy.Column(name, JSONB if name in json else None) for name in rows.names]
    table = sqlalchemy.Table(rows.model._meta.table_name, sqlalchemy.MetaData(), *types)
    statement = postgresql_insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=_key(rows), set_={name: statement.excluded[name] for name in _updated(rows)}
    )
    parameters = [dict(zip(rows.names, row, strict=True)) for row in rows.tuples]

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(statement, parameters)

    return write


def peewee_insert_many(database: peewee.Database, rows: Rows) -> Way:
    """``insert_many(dicts).on_conflict()``."""
    model = rows.model
    dicts = [dict(zip(rows.names, row, strict=True)) for row in rows.tuples]
    key = list(unique_key(model).fields)
    update = [model._meta.columns[name] for name in _updated(rows)]
    postgresql = isinstance(database, peewee.PostgresqlDatabase)
    batch = BATCH if postgresql else 32_766 // len(rows.names)

    def write() -> None:
        for start in range(0, len(dicts), batch):
            with database.atomic():
                model.insert_many(dicts[start : start + batch]).on_conflict(
                    conflict_target=key, preserve=update
                ).returning().execute(database)

    return write


def _conflict(rows: Rows) -> str:
    update = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in _updated(rows))
    return f"ON CONFLICT ({', '.join(_key(rows))}) DO UPDATE SET {update}"


def execute_values(url: str, rows: Rows) -> Way:
    """psycopg2's ``execute_values``."""
    names = ", ".join(f'"{name}"' for name in rows.names)
    sql = f"INSERT INTO {rows.model._meta.table_name} ({names}) VALUES %s {_conflict(rows)}"
    adapted = _adapted(rows)

    def write() -> None:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, sql, adapted, page_size=BATCH)

    return write


def pgcopy_upsert(url: str, rows: Rows) -> Way:
    """pgcopy into a temporary table, then one upsert."""
    table = rows.model._meta.table_name
    names = ", ".join(f'"{name}"' for name in rows.names)
    structured = _json(rows)
    records = [
        tuple(
            json.dumps(value).encode() if name in structured and value is not None else value
            for name, value in zip(rows.names, row, strict=True)
        )
        for row in rows.tuples
    ]

    def write() -> None:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE staged AS SELECT {names} FROM {table} WITH NO DATA")
            pgcopy.CopyManager(connection, "staged", rows.names).copy(records)
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM staged {_conflict(rows)}")
            cursor.execute("DROP TABLE staged")

    return write


def ours(database: peewee.Database, rows: Rows, **options: Any) -> Way:
    """``upsert`` on one connection."""

    def write() -> Any:
        return upsert(rows.model, rows.columns, database=database, fit=True, **options)

    return write


def ours_at_once(database: peewee.Database, parts: Sequence[Rows]) -> Way:
    """``upsert`` as the seeder calls it: a connection for each part, straight into an empty table."""

    def write() -> None:
        fresh = not parts[0].model.select().exists(database)
        side_by_side([ours(database, part, no_conflicts=fresh) for part in parts], database)()

    return write


def side_by_side(ways: Sequence[Way], database: peewee.Database | None = None) -> Way:
    """Several ways at once, each in a thread and on a connection of its own."""

    def one(way: Way) -> None:
        way()
        if database is not None:
            database.close()

    def write() -> None:
        threads = [threading.Thread(target=one, args=(way,)) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return write


def floor(url: str, rows: Rows, chunk: int = 25_000) -> Way:
    """Ready-made bytes straight into the table by COPY: nothing that writes these rows can be faster."""
    database = connect(url)
    types = table_types(database, rows.model)
    database.close()
    typed = copy_columns(convert_columns(rows.model, rows.columns), types)
    assert typed is not None
    type_names = [types.columns[column.field.column_name].name for column in typed]
    names = ", ".join(f'"{column.field.column_name}"' for column in typed)
    chunks = [
        b"".join(encode([column.take(slice(start, start + chunk)) for column in typed], type_names))
        for start in range(0, len(rows), chunk)
    ]
    sql = f"COPY {rows.model._meta.table_name} ({names}) FROM STDIN (FORMAT binary)"

    def write() -> None:
        connection = psycopg2.connect(url)
        try:
            for data in chunks:
                with connection, connection.cursor() as cursor:
                    cursor.copy_expert(sql, io.BytesIO(data), size=1 << 20)
        finally:
            connection.close()

    return write


def settle() -> None:
    """Close Django's connection."""
    django_connection.close()
