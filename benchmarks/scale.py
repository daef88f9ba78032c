"""The full scale of the founding document, against the floor of all its rows; growth; weekly metrics."""

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
from tformance_seed.commands import maintain as maintenance
from tformance_seed.metrics.weekly import weekly_query, weeks
from tformance_seed.storage.connection import connect, disconnect
from tformance_seed.storage.models import APPLICATION

#: Tables whose rows others refer to, in the order in which their rows must be there. All others come after.
PARENTS = ("teams_team", "metrics_teammember", "metrics_pullrequest", "metrics_prsurvey")

#: Rows of one COPY, and connections: a core has one.
CHUNK, CONNECTIONS = 25_000, os.cpu_count() or 1

#: What the document says of its database, in MB.
DOCUMENT_MB = {
    "metrics_aiusagedaily": 388,
    "metrics_prfile": 157,
    "metrics_pullrequest": 125,
    "metrics_commit": 100,
    "metrics_weeklymetrics": 65,
}
DOCUMENT_DATABASE_MB = 955

#: Organisations of the steps of growth: one, two, four, eight times as many.
GROWTH = (12, 24, 48, 96)

#: Times that ours and the floor, and every step of growth, are run in turn; the median counts.
ROUNDS = 3


def _filled(url: str, organisations: int) -> dict:
    """Fill a database in a process of its own; what that says of it."""
    execute(url, "CHECKPOINT")
    argv = [sys.executable, "-m", "benchmarks.fill", url, str(organisations)]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def _filled_anew(server: Server, organisations: int) -> dict:
    """Fill a database that is made for it and gone afterwards; what that says of it."""
    url = server.with_tables()
    told = _filled(url, organisations)
    server.drop(url)
    return told


def measure(server: Server, console: Console) -> tuple[list[Measure], list[Ratio], dict]:
    """The full scale: its time by table, memory and sizes; the floor; weekly metrics."""
    url = server.with_tables()
    console.print("full scale: filling")
    first = _filled(url, fill.ORGANISATIONS)
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
    again = _filled(url, fill.ORGANISATIONS)
    console.print("full scale: weekly metrics")
    weekly, bare = _weekly(url)
    ready = _ready(url, rows)
    server.drop(url)
    # In turn, and without the first: that wrote to new files of the server's log, and to untouched memory.
    fills: list[dict] = []
    floors: list[float] = []
    for turn in range(ROUNDS):
        console.print(f"full scale, round {turn + 1}")
        fills.append(_filled_anew(server, fill.ORGANISATIONS))
        floors.append(_floor(server, ready))
    seconds, floor = statistics.median(told["seconds"] for told in fills), statistics.median(floors)
    memory = max(told["memory_mb"] for told in (first, *fills))
    in_all = sum(rows.values())
    measures = [
        Measure("everything", "ours", "fresh", in_all, seconds),
        Measure("everything", "ours", "again", in_all, again["seconds"]),
        Measure("everything", f"floor: ready-made COPY, {CONNECTIONS} connections", "fresh", in_all, floor),
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
        "seconds": [told["seconds"] for told in fills],
        "floor_seconds": floors,
        "seconds_by_table": {name: figures[2] for name, figures in first["tables"].items()},
        "memory_mb": memory,
        "rows_written_again": sum(figures[0] for figures in again["tables"].values()),
    }
    return measures, ratios, facts


def _weekly(url: str) -> tuple[float, float]:
    """Seconds of `weekly`, and of its queries without the writing."""
    database = connect(url)
    teams = maintenance.teams(database, ())
    began = time.perf_counter()
    for team_id in teams.values():
        first, last = metrics.data_extent(database, team_id) or (fill.UNTIL, fill.UNTIL)
        query = weekly_query(database, team_id, *weeks(first, last))
        peewee.Select([query.alias("computed")], [peewee.fn.COUNT(peewee.SQL("*"))]).scalar(database)
    bare = time.perf_counter() - began
    began = time.perf_counter()
    maintenance.recompute_weekly(database, (), None, None)
    seconds = time.perf_counter() - began
    disconnect(database)
    return seconds, bare


def _pieces(url: str, table: str) -> Iterator[bytes]:
    """All rows of a table, ids included, as ready-made COPY bytes."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id), max(id), count(*) FROM {table}")
        least, most, count = cursor.fetchone()
        if not count:
            return
        step = max(1, (most - least + 1) * CHUNK // count)
        for start in range(least, most + 1, step):
            piece = io.BytesIO()
            part = f"SELECT * FROM {table} WHERE id >= {start} AND id < {start + step} ORDER BY id"
            cursor.copy_expert(f"COPY ({part}) TO STDOUT (FORMAT binary)", piece)
            yield piece.getvalue()


#: Pieces with the names of their tables, level by level: those of one refer to those of the levels before.
Ready = list[list[tuple[str, bytes]]]


def _ready(url: str, rows: dict[str, int]) -> Ready:
    rest = [table for table in sorted(rows, key=rows.__getitem__, reverse=True) if table not in PARENTS]
    levels = [[table] for table in PARENTS] + [rest]
    return [[(table, piece) for table in level for piece in _pieces(url, table)] for level in levels]


def _floor(server: Server, ready: Ready) -> float:
    """Seconds to COPY all rows, ready-made, into empty tables with every key, on all connections."""
    url = server.with_tables()
    execute(url, "CHECKPOINT")
    began = time.perf_counter()
    for level in ready:
        _copy(url, level)
    seconds = time.perf_counter() - began
    server.drop(url)
    return seconds


def _copy(url: str, pieces: list[tuple[str, bytes]]) -> None:
    left: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    for piece in pieces:
        left.put(piece)

    def one() -> None:
        connection = psycopg2.connect(url)
        while True:
            try:
                table, piece = left.get_nowait()
            except queue.Empty:
                break
            with connection, connection.cursor() as cursor:
                cursor.copy_expert(
                    f"COPY {table} FROM STDIN (FORMAT binary)", io.BytesIO(piece), size=1 << 20
                )
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def growth(server: Server, console: Console) -> tuple[list[Measure], list[Ratio]]:
    """One, two, four, eight times the organisations."""
    told: dict[int, list[dict]] = {organisations: [] for organisations in GROWTH}
    for turn in range(ROUNDS):
        for organisations in GROWTH:
            console.print(f"growth, round {turn + 1}: {organisations} organisations")
            told[organisations].append(_filled_anew(server, organisations))
    measures = [
        Measure(
            "growth",
            f"{organisations} organisations",
            "fresh",
            sum(figures[0] for figures in rounds[0]["tables"].values()),
            statistics.median(one["seconds"] for one in rounds),
        )
        for organisations, rounds in told.items()
    ]
    memory = [max(one["memory_mb"] for one in rounds) for rounds in told.values()]
    return measures, [
        Ratio(
            "8 times the organisations: times the time",
            8.5,
            measures[-1].seconds / measures[0].seconds,
            at_most=True,
        ),
        Ratio("8 times the organisations: times the memory", 1.1, memory[-1] / memory[0], at_most=True),
    ]
