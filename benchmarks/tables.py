"""Times every way to write the same rows, into an empty table and again."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import peewee
from rich.console import Console

from benchmarks import contestants, rows
from benchmarks.contestants import SAMPLE, Way
from benchmarks.django_models import define_models
from benchmarks.measures import Measure, Ratio
from benchmarks.rows import Rows
from benchmarks.server import Server
from tformance_seed.storage.connection import connect, disconnect
from tformance_seed.storage.models import AIUsageDaily, Commit, PRFile, PullRequest
from tformance_seed.storage.schema.create import create_missing

#: Rounds of each way, of which the median counts; seconds from which on a way runs only once; rounds if all
#: ways take tenths of a second.
ROUNDS, LONG, SHORT_ROUNDS = 3, 8.0, 9

OURS, OURS_TWICE = "ours, COPY, one connection", "ours, COPY, two connections"
FLOOR, FLOOR_TWICE = "floor: ready-made COPY, one connection", "floor: ready-made COPY, two connections"
DJANGO = "Django bulk_create(update_conflicts)"
PEEWEE = "Peewee insert_many().on_conflict()"


def measure(server: Server, console: Console) -> tuple[list[Measure], list[Ratio]]:
    """Measure every way, and the ratios that have a target."""
    url, every = rows.prepare(server)
    django = define_models(url)
    database = connect(url)
    measures: list[Measure] = []
    for model in (AIUsageDaily, PRFile):
        table_rows = every[model.__name__]
        ways = _ways(url, database, table_rows)
        ways |= {DJANGO: contestants.django_bulk_create(django[model.__name__], table_rows)}
        sample = table_rows.part(SAMPLE / len(table_rows))
        slow = contestants.django_row_by_row(django[model.__name__], sample)
        measures += _contest(url, table_rows, ways, console)
        measures += _slow(url, table_rows, slow, len(sample), console)
    for model in (
        Commit,
        PullRequest,
    ):  # pull requests last: truncating them truncates all tables that refer to them
        table_rows = every[model.__name__]
        measures += _contest(url, table_rows, _own(url, database, table_rows), console, SHORT_ROUNDS)
    contestants.settle()
    disconnect(database)
    measures += _sqlite(every, console)
    server.drop(url)
    return measures, _ratios(measures)


def _own(url: str, database: peewee.Database, table_rows: Rows) -> dict[str, Way]:
    one, other = table_rows.halves()
    return {
        OURS: contestants.ours_at_once(database, [table_rows]),
        OURS_TWICE: contestants.ours_at_once(database, [one, other]),
        FLOOR: contestants.floor(url, table_rows),
        FLOOR_TWICE: contestants.side_by_side([contestants.floor(url, half) for half in (one, other)]),
    }


def _ways(url: str, database: peewee.Database, table_rows: Rows) -> dict[str, Way]:
    return {
        "SQLAlchemy insertmanyvalues": contestants.sqlalchemy_insert(url, table_rows),
        PEEWEE: contestants.peewee_insert_many(database, table_rows),
        "psycopg2 execute_values": contestants.execute_values(url, table_rows),
        "pgcopy and an upsert": contestants.pgcopy_upsert(url, table_rows),
        "ours, portable": contestants.ours(database, table_rows, copy=False),
        "ours, COPY, staged": contestants.ours(database, table_rows),
        **_own(url, database, table_rows),
    }


def _contest(
    url: str, table_rows: Rows, ways: dict[str, Way], console: Console, rounds: int = ROUNDS
) -> list[Measure]:
    """Run every way in turn, so that a slower spell of the machine affects them all alike."""
    seconds: dict[tuple[str, str], list[float]] = {}
    table = table_rows.model._meta.table_name
    for turn in range(rounds):
        for name, way in ways.items():
            if max(seconds.get((name, "fresh"), [0.0])) > LONG:
                continue
            console.print(f"{table}, round {turn + 1}: {name}")
            rows.empty(url, table_rows.model)
            seconds.setdefault((name, "fresh"), []).append(_time(way))
            if not name.startswith("floor"):  # the floor cannot handle rows that exist
                seconds.setdefault((name, "again"), []).append(_time(way))
    return [
        Measure(table, name, state, len(table_rows), statistics.median(times))
        for (name, state), times in seconds.items()
    ]


def _slow(url: str, table_rows: Rows, way: Way, count: int, console: Console) -> list[Measure]:
    """Time the slowest way on a sample, and extrapolate."""
    table, name = table_rows.model._meta.table_name, "Django update_or_create()"
    console.print(f"{table}: {name}")
    rows.empty(url, table_rows.model)
    scale = len(table_rows) / count
    return [
        Measure(table, name, state, len(table_rows), _time(way) * scale, extrapolated=True)
        for state in ("fresh", "again")
    ]


def _sqlite(every: dict[str, Rows], console: Console) -> list[Measure]:
    table_rows = every[AIUsageDaily.__name__]
    with tempfile.TemporaryDirectory() as folder:
        seconds: dict[tuple[str, str], list[float]] = {}
        for turn in range(ROUNDS):
            for name, make in SQLITE_WAYS.items():
                console.print(f"SQLite, round {turn + 1}: {name}")
                database = connect(f"sqlite:///{Path(folder).absolute()}/{turn}-{name}.db")
                create_missing(database)
                database.execute_sql(
                    "PRAGMA foreign_keys = OFF"
                )  # the rows that these refer to do not exist here
                way = make(database, table_rows)
                for state in ("fresh", "again"):
                    seconds.setdefault((name, state), []).append(_time(way))
                database.close()
    return [
        Measure("metrics_aiusagedaily on SQLite", name, state, len(table_rows), statistics.median(times))
        for (name, state), times in seconds.items()
    ]


SQLITE_WAYS: dict[str, Callable[[peewee.Database, Rows], Way]] = {
    PEEWEE: contestants.peewee_insert_many,
    "ours": contestants.ours,
}


def _time(way: Way) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def _ratios(measures: list[Measure]) -> list[Ratio]:
    seconds = {(m.table, m.way, m.state): m.seconds for m in measures}

    def over(table: str, slower: tuple[str, str], faster: tuple[str, str]) -> float:
        return seconds[(table, *slower)] / seconds[(table, *faster)]

    usage, lite = "metrics_aiusagedaily", "metrics_aiusagedaily on SQLite"
    ratios = [
        Ratio(
            "AI usage, fresh: as fast as Django bulk_create",
            9,
            over(usage, (DJANGO, "fresh"), (OURS_TWICE, "fresh")),
        ),
        Ratio(
            "AI usage, fresh: of the floor's speed",
            0.85,
            over(usage, (FLOOR_TWICE, "fresh"), (OURS_TWICE, "fresh")),
        ),
        Ratio(
            "AI usage, again: as fast as fresh",
            2.5,
            over(usage, (OURS_TWICE, "fresh"), (OURS_TWICE, "again")),
        ),
        Ratio("SQLite: as fast as Peewee insert_many", 6, over(lite, (PEEWEE, "fresh"), ("ours", "fresh"))),
    ]
    for model in (PRFile, Commit, PullRequest):
        table = model._meta.table_name
        speed = over(table, (FLOOR_TWICE, "fresh"), (OURS_TWICE, "fresh"))
        ratios.append(Ratio(f"{table}, fresh: of the floor's speed", 0.75, speed))
    return ratios
