"""Measures the full scale against ready-made COPY of the same rows; growth; weekly metrics."""

import io
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import peewee
import psycopg2
from rich.console import Console

from benchmarks import fill
from benchmarks.measures import Measure, Ratio
from benchmarks.server import Server, execute
from tformance_seed import metrics
from tformance_seed.catalog.scales import SCALES
from tformance_seed.commands import maintain as maintenance
from tformance_seed.metrics.weekly import weekly_query, weeks
from tformance_seed.storage.connection import connect, disconnect
from tformance_seed.storage.models import APPLICATION

#: Tables that others refer to, in the order in which they must be filled; all others follow.
PARENTS = ("teams_team", "metrics_teammember", "metrics_pullrequest", "metrics_prsurvey")

#: The full scale.
FULL = SCALES[fill.SCALE]

#: Rows of one COPY; connections, one for each core.
CHUNK, CONNECTIONS = 25_000, os.cpu_count() or 1

#: Sizes of the application's own database, in MB.
DOCUMENT_MB = {
    "metrics_aiusagedaily": 388,
    "metrics_prfile": 157,
    "metrics_pullrequest": 125,
    "metrics_commit": 100,
    "metrics_weeklymetrics": 65,
}
DOCUMENT_DATABASE_MB = 955

#: Organisations of each step of growth.
GROWTH = (12, 24, 48, 96)

#: Rounds of ours, the floor and every step of growth, in turn; the median counts.
ROUNDS = 3


def _fill(url: str, organisations: int) -> dict:
    """Fill a database in a process of its own; return what that prints."""
    execute(url, "CHECKPOINT")
    argv = [sys.executable, "-m", "benchmarks.fill", url, str(organisations)]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def _fill_new_database(server: Server, organisations: int) -> dict:
    """Fill a new database and drop it; return what the process printed."""
    url = server.with_tables()
    filled = _fill(url, organisations)
    server.drop(url)
    return filled


def measure(server: Server, console: Console) -> tuple[list[Measure], list[Ratio], dict]:
    """Measure time by table, memory and sizes at full scale; the floor; weekly metrics."""
    url = server.with_tables()
    console.print("full scale: filling")
    first = _fill(url, FULL.organisations)
    rows = {model._meta.table_name: 0 for model in APPLICATION}
    sizes = {}
    for table in rows:
        ((rows[table], size),) = execute(
            url, f"SELECT count(*), pg_total_relation_size('{table}') FROM {table}"
        )
        sizes[table] = size / 2**20
    ((total,),) = execute(url, "SELECT pg_database_size(current_database())")
    execute(url, "VACUUM ANALYZE")
    console.print("full scale: again")
    again = _fill(url, FULL.organisations)
    console.print("full scale: weekly metrics")
    weekly, bare = _weekly(url)
    ready = _ready(url, rows)
    server.drop(url)
    # In turn; the first fill does not count: it wrote to new log files and to memory never used before.
    fills: list[dict] = []
    floors: list[float] = []
    for turn in range(ROUNDS):
        console.print(f"full scale, round {turn + 1}")
        fills.append(_fill_new_database(server, FULL.organisations))
        floors.append(_floor(server, ready))
    seconds, floor = statistics.median(filled["seconds"] for filled in fills), statistics.median(floors)
    memory = max(filled["memory_mb"] for filled in (first, *fills))
    total_rows = sum(rows.values())
    measures = [
        Measure("everything", "ours", "fresh", total_rows, seconds),
        Measure("everything", "ours", "again", total_rows, again["seconds"]),
        Measure(
            "everything", f"floor: ready-made COPY, {CONNECTIONS} connections", "fresh", total_rows, floor
        ),
        Measure("metrics_weeklymetrics", "weekly", "again", rows["metrics_weeklymetrics"], weekly),
        Measure("metrics_weeklymetrics", "bare aggregate queries", "", rows["metrics_weeklymetrics"], bare),
    ]
    ratios = [
        Ratio("full scale: times the floor", 1.3, seconds / floor, at_most=True),
        Ratio("weekly: times the bare queries", 2, weekly / bare, at_most=True),
        Ratio("client memory at full scale, MB", 250, memory, at_most=True),
    ]
    facts = {
        "rows": rows,
        "table_mb": sizes,
        "document_mb": DOCUMENT_MB,
        "database_mb": total / 2**20,
        "document_database_mb": DOCUMENT_DATABASE_MB,
        "first_seconds": first["seconds"],
        "seconds": [filled["seconds"] for filled in fills],
        "floor_seconds": floors,
        "seconds_by_table": {name: figures[2] for name, figures in first["tables"].items()},
        "memory_mb": memory,
        "rows_written_again": sum(figures[0] for figures in again["tables"].values()),
    }
    return measures, ratios, facts


def _weekly(url: str) -> tuple[float, float]:
    """Return the seconds of `weekly`, and of its queries without writing."""
    database = connect(url)
    teams = maintenance.find_teams(database, ())
    began = time.perf_counter()
    for team_id in teams.values():
        first, last = metrics.data_extent(database, team_id) or (FULL.until, FULL.until)
        query = weekly_query(database, team_id, *weeks(first, last))
        peewee.Select([query.alias("computed")], [peewee.fn.COUNT(peewee.SQL("*"))]).scalar(database)
    bare = time.perf_counter() - began
    began = time.perf_counter()
    maintenance.recompute_weekly(database, (), None, None)
    seconds = time.perf_counter() - began
    disconnect(database)
    return seconds, bare


def _copy_chunks(url: str, table: str) -> Iterator[bytes]:
    """Yield all rows of a table, ids included, as ready-made COPY bytes."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id), max(id), count(*) FROM {table}")
        first, last, count = cursor.fetchone()
        if not count:
            return
        step = max(1, (last - first + 1) * CHUNK // count)
        for start in range(first, last + 1, step):
            chunk = io.BytesIO()
            part = f"SELECT * FROM {table} WHERE id >= {start} AND id < {start + step} ORDER BY id"
            cursor.copy_expert(f"COPY ({part}) TO STDOUT (FORMAT binary)", chunk)
            yield chunk.getvalue()


#: Chunks with the names of their tables, level by level: rows of a level refer to rows of earlier levels.
Ready = list[list[tuple[str, bytes]]]


def _ready(url: str, rows: dict[str, int]) -> Ready:
    rest = [table for table in sorted(rows, key=rows.__getitem__, reverse=True) if table not in PARENTS]
    levels = [[table] for table in PARENTS] + [rest]
    return [[(table, chunk) for table in level for chunk in _copy_chunks(url, table)] for level in levels]


def _floor(server: Server, ready: Ready) -> float:
    """Return the seconds to COPY all rows, ready-made, into empty tables with every key."""
    url = server.with_tables()
    execute(url, "CHECKPOINT")
    began = time.perf_counter()
    for level in ready:
        _copy(url, level)
    seconds = time.perf_counter() - began
    server.drop(url)
    return seconds


def _copy(url: str, chunks: list[tuple[str, bytes]]) -> None:
    left: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    for chunk in chunks:
        left.put(chunk)

    def one() -> None:
        connection = psycopg2.connect(url)
        while True:
            try:
                table, chunk = left.get_nowait()
            except queue.Empty:
                break
            with connection, connection.cursor() as cursor:
                cursor.copy_expert(
                    f"COPY {table} FROM STDIN (FORMAT binary)", io.BytesIO(chunk), size=1 << 20
                )
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def growth(server: Server, console: Console) -> tuple[list[Measure], list[Ratio]]:
    """Measure time and memory for one, two, four, eight times the organisations."""
    results: dict[int, list[dict]] = {organisations: [] for organisations in GROWTH}
    for turn in range(ROUNDS):
        for organisations in GROWTH:
            console.print(f"growth, round {turn + 1}: {organisations} organisations")
            results[organisations].append(_fill_new_database(server, organisations))
    measures = [
        Measure(
            "growth",
            f"{organisations} organisations",
            "fresh",
            sum(figures[0] for figures in rounds[0]["tables"].values()),
            statistics.median(one["seconds"] for one in rounds),
        )
        for organisations, rounds in results.items()
    ]
    memory = [max(one["memory_mb"] for one in rounds) for rounds in results.values()]
    return measures, [
        Ratio(
            "8 times the organisations: times the time",
            8.5,
            measures[-1].seconds / measures[0].seconds,
            at_most=True,
        ),
        Ratio("8 times the organisations: times the memory", 1.1, memory[-1] / memory[0], at_most=True),
    ]
