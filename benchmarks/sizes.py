"""Times upserts of few and many rows against other ways: ``python -m benchmarks.sizes [ROWS ...]``.

Every way writes the same rows into its own table in turn: into an empty table, once more unchanged, and with
every value changed, on a private server. Prints the least time of each in milliseconds, and ours divided by
the best of the others.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
import peewee
import pgcopy
import psycopg
import psycopg2
import psycopg2.extras
import sqlalchemy
from django.conf import settings
from rich.console import Console
from rich.table import Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from benchmarks.server import server
from tformance_seed.bulk import upsert

SIZES = (1, 10, 100, 1_000, 10_000, 1_000_000)

#: Rounds of a size: as many as fit into this many rows written, within these limits.
ROWS_IN_ALL, MIN_ROUNDS, MAX_ROUNDS = 10_000, 1, 40

NAMES = ("k", "name", "ratio", "good", "number")
DDL = "(id serial PRIMARY KEY, k int UNIQUE, name varchar(255), ratio float8, good bool, number int)"
UPDATE = ", ".join(f"{name} = EXCLUDED.{name}" for name in NAMES[1:])
CONFLICT = f"ON CONFLICT (k) DO UPDATE SET {UPDATE}"
INTO = ", ".join(NAMES)
BATCH = 5_000

Rows = list[tuple[Any, ...]]
Way = Callable[[Rows], Any]


def rows_of(count: int, salt: str) -> Rows:
    return [(k, f"name {k}{salt}", k / 3, k % 2 == 0, k + len(salt)) for k in range(count)]


def _dictionaries(rows: Rows) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def _model(database: peewee.Database, table: str) -> type[peewee.Model]:
    fields = {
        "k": peewee.IntegerField(unique=True),
        "name": peewee.CharField(null=True),
        "ratio": peewee.DoubleField(null=True),
        "good": peewee.BooleanField(null=True),
        "number": peewee.IntegerField(null=True),
    }
    return type(
        table,
        (peewee.Model,),
        {**fields, "Meta": type("Meta", (), {"database": database, "table_name": table})},
    )


def ours(url: str) -> Way:
    """Dictionaries, by ``upsert``."""
    database = peewee.PostgresqlDatabase(url)
    model = _model(database, "ours")
    return lambda rows: upsert(model, _dictionaries(rows))


def peewee_insert_many(url: str) -> Way:
    database = peewee.PostgresqlDatabase(url)
    model = _model(database, "peewee_insert_many")
    keep = [getattr(model, name) for name in NAMES[1:]]

    def write(rows: Rows) -> None:
        with database.atomic():
            for part in peewee.chunked(_dictionaries(rows), BATCH):
                insert = model.insert_many(part).on_conflict(conflict_target=[model.k], preserve=keep)
                insert.returning().execute()

    return write


def execute_values(url: str) -> Way:
    connection = psycopg2.connect(url)
    sql = f"INSERT INTO execute_values ({INTO}) VALUES %s {CONFLICT}"

    def write(rows: Rows) -> None:
        with connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, sql, rows, page_size=BATCH)

    return write


def psycopg3_copy(url: str) -> Way:
    """psycopg 3's COPY into a temporary table, then an upsert."""
    connection = psycopg.connect(url)

    def write(rows: Rows) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {INTO} FROM psycopg3_copy WITH NO DATA"
            )
            with cursor.copy(f"COPY staged ({INTO}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO psycopg3_copy ({INTO}) SELECT {INTO} FROM staged {CONFLICT}")

    return write


def pgcopy_upsert(url: str) -> Way:
    connection = psycopg2.connect(url)

    def write(rows: Rows) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE staged AS SELECT {INTO} FROM pgcopy_upsert WITH NO DATA")
            pgcopy.CopyManager(connection, "staged", NAMES).copy(rows, io.BytesIO)
            cursor.execute(f"INSERT INTO pgcopy_upsert ({INTO}) SELECT {INTO} FROM staged {CONFLICT}")
            cursor.execute("DROP TABLE staged")

    return write


def sqlalchemy_insert(url: str) -> Way:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://", creator=lambda: psycopg2.connect(url), insertmanyvalues_page_size=BATCH
    )
    table = sqlalchemy.Table("sqlalchemy_insert", sqlalchemy.MetaData(), *map(sqlalchemy.Column, NAMES))
    statement = postgresql_insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=["k"], set_={name: statement.excluded[name] for name in NAMES[1:]}
    )

    def write(rows: Rows) -> None:
        with engine.begin() as connection:
            connection.execute(statement, _dictionaries(rows))

    return write


def django_bulk_create(url: str) -> Way:
    parts = psycopg2.extensions.parse_dsn(url)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    options = {name: parts[part] for name, part in names.items() if part in parts}
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **options}})
    django.setup()
    from django.db import models

    class Row(models.Model):
        k = models.IntegerField(unique=True)
        name = models.CharField(max_length=255, null=True)
        ratio = models.FloatField(null=True)
        good = models.BooleanField(null=True)
        number = models.IntegerField(null=True)

        class Meta:
            app_label = "sizes"
            db_table = "django_bulk_create"

    def write(rows: Rows) -> None:
        Row.objects.bulk_create(
            [Row(**row) for row in _dictionaries(rows)],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["k"],
            update_fields=list(NAMES[1:]),
        )

    return write


WAYS = (
    ours,
    peewee_insert_many,
    execute_values,
    psycopg3_copy,
    pgcopy_upsert,
    sqlalchemy_insert,
    django_bulk_create,
)


def measure(url: str, ways: dict[str, Way], count: int) -> dict[str, dict[str, float]]:
    """Return the least milliseconds of each way, for each state of the table."""
    rounds = max(MIN_ROUNDS, min(MAX_ROUNDS, ROWS_IN_ALL // count))
    taken: dict[str, dict[str, list[float]]] = {state: {name: [] for name in ways} for state in STATES}
    connection = psycopg2.connect(url)
    connection.autocommit = True
    for _ in range(rounds):
        for name, write in ways.items():
            connection.cursor().execute(f"TRUNCATE {name} RESTART IDENTITY")
            for state, salt in STATES.items():
                rows = rows_of(count, salt)
                started = time.perf_counter()
                write(rows)
                taken[state][name].append((time.perf_counter() - started) * 1e3)
    connection.close()
    return {state: {name: min(times) for name, times in by_name.items()} for state, by_name in taken.items()}


#: State of the table -> what the rows' names end with.
STATES = {"new": "", "same": "", "changed": "x"}


def main() -> None:
    """Measure the sizes that the command line names, and print a table."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    shown = Table("rows", "state", *(way.__name__ for way in WAYS), "ours / best of the others")
    worst = []
    with server() as running:
        url = running.new_database()
        with psycopg2.connect(url) as connection:
            for way in WAYS:
                connection.cursor().execute(f"CREATE TABLE {way.__name__} {DDL}")
        ways = {way.__name__: way(url) for way in WAYS}
        for count in sizes:
            for state, times in measure(url, ways, count).items():
                ratio = times["ours"] / min(value for name, value in times.items() if name != "ours")
                worst.append(ratio)
                shown.add_row(
                    f"{count:,}", state, *(f"{value:,.2f}" for value in times.values()), f"{ratio:.2f}"
                )
    Console(width=170).print(shown)
    Console().print(f"median {statistics.median(worst):.2f}, greatest {max(worst):.2f}")


if __name__ == "__main__":
    main()
