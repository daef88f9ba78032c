"""Times upserts of few and many rows against other ways: ``python -m benchmarks.sizes [ROWS ...]``.

Every way writes the same rows into its own table in turn, in rounds: rows that are new beside those of the
rounds before, once more unchanged, and with every value changed, on a private server. Each is given them in
the form that it takes, which is made before the clock starts. ``guarded`` ways leave unchanged rows alone as
ours do, though they lock them and draw ids for them; the others rewrite them.

Prints the median time of each in milliseconds, and ours divided by the best of the others: by that time, and
by the processor time of client and server together, which other work on the machine changes less. A run of
all sizes is kept as sizes.json here and drawn as docs/images/sizes.svg.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import altair
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
ROWS_IN_ALL, MIN_ROUNDS, MAX_ROUNDS = 60_000, 1, 100

#: A way that takes this many times the best one's time is left out of larger sizes than this.
TOO_SLOW, LARGE = 2.5, 10_000

RESULTS = Path(__file__).with_name("sizes.json")
CHART = Path(__file__).parents[1] / "docs" / "images" / "sizes.svg"

NAMES = ("k", "name", "ratio", "good", "number")
DDL = "(id serial PRIMARY KEY, k int UNIQUE, name varchar(255), ratio float8, good bool, number int)"
UPDATE = ", ".join(f"{name} = EXCLUDED.{name}" for name in NAMES[1:])
CONFLICT = f"ON CONFLICT (k) DO UPDATE SET {UPDATE}"
GUARD = "WHERE ({old}) IS DISTINCT FROM ({new})".format(
    old=", ".join(f"t.{name}" for name in NAMES[1:]), new=", ".join(f"EXCLUDED.{name}" for name in NAMES[1:])
)
INTO = ", ".join(NAMES)
BATCH = 5_000

Rows = list[tuple[Any, ...]]


@dataclass
class Way:
    """A way to write rows.

    Attributes:
      write: writes them.
      backend: the process of its connection on the server.
      form: makes of tuples what ``write`` takes.
    """

    write: Callable[[Any], Any]
    backend: int
    form: Callable[[Rows], Any] = list


def rows_of(count: int, salt: str, first: int = 0) -> Rows:
    return [
        (k, f"name {k}{salt}", k / 3, k % 2 == 0, k % 1_000 + len(salt)) for k in range(first, first + count)
    ]


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
    """Tuples, by ``upsert``."""
    database = peewee.PostgresqlDatabase(url)
    model = _model(database, "ours")
    return Way(lambda rows: upsert(model, rows, fields=NAMES), database.connection().info.backend_pid)


def ours_of_dictionaries(url: str) -> Way:
    database = peewee.PostgresqlDatabase(url)
    model = _model(database, "ours_of_dictionaries")
    return Way(lambda rows: upsert(model, rows), database.connection().info.backend_pid, _dictionaries)


def peewee_insert_many(url: str) -> Way:
    database = peewee.PostgresqlDatabase(url)
    model = _model(database, "peewee_insert_many")
    keep = [getattr(model, name) for name in NAMES[1:]]

    def write(rows: Any) -> None:
        with database.atomic():
            for part in peewee.chunked(rows, BATCH):
                insert = model.insert_many(part).on_conflict(conflict_target=[model.k], preserve=keep)
                insert.returning().execute()

    return Way(write, database.connection().info.backend_pid, _dictionaries)


def execute_values(url: str, table: str = "execute_values", guard: str = "") -> Way:
    connection = psycopg2.connect(url)
    sql = f"INSERT INTO {table} AS t ({INTO}) VALUES %s {CONFLICT} {guard}"

    def write(rows: Rows) -> None:
        with connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, sql, rows, page_size=BATCH)

    return Way(write, connection.info.backend_pid)


def execute_values_guarded(url: str) -> Way:
    """The statement that django-pgbulk writes too."""
    return execute_values(url, "execute_values_guarded", GUARD)


def psycopg3_copy(url: str, table: str = "psycopg3_copy", guard: str = "") -> Way:
    """psycopg 3's COPY into a temporary table, then an upsert."""
    connection = psycopg.connect(url)

    def write(rows: Rows) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {INTO} FROM {table} WITH NO DATA"
            )
            with cursor.copy(f"COPY staged ({INTO}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO {table} AS t ({INTO}) SELECT {INTO} FROM staged {CONFLICT} {guard}")

    return Way(write, connection.info.backend_pid)


def psycopg3_copy_guarded(url: str) -> Way:
    return psycopg3_copy(url, "psycopg3_copy_guarded", GUARD)


def pgcopy_upsert(url: str) -> Way:
    connection = psycopg2.connect(url)

    def write(rows: Rows) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE staged AS SELECT {INTO} FROM pgcopy_upsert WITH NO DATA")
            pgcopy.CopyManager(connection, "staged", NAMES).copy(rows, io.BytesIO)
            cursor.execute(f"INSERT INTO pgcopy_upsert ({INTO}) SELECT {INTO} FROM staged {CONFLICT}")
            cursor.execute("DROP TABLE staged")

    return Way(write, connection.info.backend_pid)


def sqlalchemy_insert(url: str) -> Way:
    own = psycopg2.connect(url)
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://", creator=lambda: own, insertmanyvalues_page_size=BATCH
    )
    table = sqlalchemy.Table("sqlalchemy_insert", sqlalchemy.MetaData(), *map(sqlalchemy.Column, NAMES))
    statement = postgresql_insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=["k"], set_={name: statement.excluded[name] for name in NAMES[1:]}
    )

    def write(rows: Any) -> None:
        with engine.begin() as connection:
            connection.execute(statement, rows)

    return Way(write, own.info.backend_pid, _dictionaries)


def django_bulk_create(url: str) -> Way:
    parts = psycopg2.extensions.parse_dsn(url)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    options = {name: parts[part] for name, part in names.items() if part in parts}
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **options}})
    django.setup()
    from django.db import connection, models

    class Row(models.Model):
        k = models.IntegerField(unique=True)
        name = models.CharField(max_length=255, null=True)
        ratio = models.FloatField(null=True)
        good = models.BooleanField(null=True)
        number = models.IntegerField(null=True)

        class Meta:
            app_label = "sizes"
            db_table = "django_bulk_create"

    def write(rows: Any) -> None:
        Row.objects.bulk_create(
            [Row(**row) for row in rows],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["k"],
            update_fields=list(NAMES[1:]),
        )

    connection.ensure_connection()
    return Way(write, connection.connection.info.backend_pid, _dictionaries)


WAYS = (
    ours,
    ours_of_dictionaries,
    peewee_insert_many,
    execute_values,
    execute_values_guarded,
    psycopg3_copy,
    psycopg3_copy_guarded,
    pgcopy_upsert,
    sqlalchemy_insert,
    django_bulk_create,
)

#: Ways that are not compared with ours.
OURS = ("ours", "ours_of_dictionaries")

#: State of the rows -> what their names end with.
STATES = {"new": "", "same": "", "changed": "x"}


@dataclass
class Times:
    """What a way took for rows in a state, in milliseconds."""

    elapsed: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def _processor(backend: int) -> float:
    """Return the processor time of this process and of one on the server, in milliseconds."""
    server_time = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e6
    return time.process_time() * 1e3 + server_time


def measure(ways: dict[str, Way], count: int, first: int) -> dict[str, dict[str, Times]]:
    """Return what each way took, for each state of the rows.

    Parameters:
      first: the first key that no table has yet.
    """
    rounds = max(MIN_ROUNDS, min(MAX_ROUNDS, ROWS_IN_ALL // count))
    taken = {state: {name: Times() for name in ways} for state in STATES}
    for number in range(rounds):
        for name, way in ways.items():
            for state, salt in STATES.items():
                rows = way.form(rows_of(count, salt, first + number * count))
                spent, started = _processor(way.backend), time.perf_counter()
                way.write(rows)
                taken[state][name].elapsed.append((time.perf_counter() - started) * 1e3)
                taken[state][name].processor.append(_processor(way.backend) - spent)
    return taken


def summary(taken: dict[str, Times], measured: str) -> dict[str, float]:
    """Return each way's median in a state."""
    return {name: statistics.median(getattr(times, measured)) for name, times in taken.items()}


def ratio(medians: dict[str, float]) -> float:
    """Return our time divided by the best of the others."""
    return medians["ours"] / min(value for name, value in medians.items() if name not in OURS)


def chart(results: list[dict[str, Any]]) -> altair.Chart:
    """Return a chart of the time that each way takes for a row, by the number of rows."""
    values = [
        {"way": name, "rows": result["rows"], "state": result["state"], "us": value * 1e3 / result["rows"]}
        for result in results
        for name, value in result["processor"].items()
    ]
    return (
        altair.Chart(altair.Data(values=values), title="processor time for a row, in microseconds")
        .mark_line(point=True)
        .encode(
            x=altair.X("rows:Q", title="rows", scale=altair.Scale(type="log"), axis=altair.Axis(format="~s")),
            y=altair.Y("us:Q", title=None, scale=altair.Scale(type="log")),
            color=altair.Color("way:N", title=None, sort=[way.__name__ for way in WAYS]),
            column=altair.Column("state:N", title=None, sort=[*STATES]),
        )
        .properties(width=220)
    )


def main() -> None:
    """Measure the sizes that the command line names, and print a table."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    shown = Table("rows", "state", *(way.__name__ for way in WAYS), "ratio", "processor")
    results: list[dict[str, Any]] = []
    with server() as running:
        url = running.new_database()
        with psycopg2.connect(url) as connection:
            for way in WAYS:
                connection.cursor().execute(f"CREATE TABLE {way.__name__} {DDL}")
        ways, first = {way.__name__: way(url) for way in WAYS}, 0
        for count in sizes:
            if count > LARGE and results:
                last = results[-1]["processor"]
                ways = {name: way for name, way in ways.items() if last[name] < TOO_SLOW * min(last.values())}
            taken = measure(ways, count, first)
            first += count * max(MIN_ROUNDS, min(MAX_ROUNDS, ROWS_IN_ALL // count))
            for state, times in taken.items():
                elapsed, processor = (summary(times, name) for name in ("elapsed", "processor"))
                results.append(
                    {"rows": count, "state": state, "milliseconds": elapsed, "processor": processor}
                )
                cells = (f"{elapsed[way.__name__]:,.2f}" if way.__name__ in elapsed else "" for way in WAYS)
                shown.add_row(f"{count:,}", state, *cells, f"{ratio(elapsed):.2f}", f"{ratio(processor):.2f}")
    Console(width=190).print(shown)
    if not sys.argv[1:]:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        chart(results).save(str(CHART))


if __name__ == "__main__":
    main()
