"""Check a PostgreSQL server's statistics on its cache, tables and indexes, connections and checkpoints."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

import peewee

from tformance_seed.bulk.peewee_internals import execute_sql
from tformance_seed.doctor.server import (
    Remedy,
    SessionInfo,
    format_setting,
    remedy,
    settings,
    sql_literal,
)
from tformance_seed.doctor.tiers import MB
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.models import APPLICATION
from tformance_seed.storage.schema import expected_schema, introspect
from tformance_seed.storage.schema.findings import Finding

#: The minimum share of blocks (8 kB) that the cache should serve, and the minimum number of blocks read from
#: disk before this share is judged.
MIN_HIT_SHARE = 0.95
MIN_BLOCKS_READ = 1_000

#: The minimum size, in bytes, from which dropping an unused index of the application is worth a migration.
MIN_UNUSED_BYTES = 1 * MB

#: The minimum rows of a large table, and the maximum numbers of sequential scans of a large table and of any
#: table.
LARGE_TABLE_ROWS = 10_000
MAX_LARGE_TABLE_SCANS = 100
MAX_SCANS = 1_000_000

#: The number of dead rows, and their ratio to live rows, that autovacuum leaves by default. A table that
#: exceeds both needs attention.
MAX_DEAD_ROWS = 1_000
MAX_DEAD_SHARE = 0.2

#: The minimum number of rows from which the planner needs statistics.
MIN_ANALYSED_ROWS = 1_000

#: The maximum share of the connections that should be in use.
MAX_CONNECTIONS_SHARE = 0.8

#: The minimum number of requested checkpoints before they are judged, and their maximum share of all
#: checkpoints.
MIN_REQUESTED_CHECKPOINTS = 10
MAX_REQUESTED_SHARE = 0.5

#: The first server version that has pg_stat_checkpointer.
CHECKPOINTER_VERSION = 170000

#: The remedy for an index that the application's migrations would create again.
MIGRATIONS = "it belongs to the application's migrations: drop it there, not here"

#: Selects the fields of ``_Table``, the largest table first.
TABLES = """
    SELECT s.relname, greatest(s.n_live_tup, c.reltuples)::bigint, s.n_dead_tup, s.seq_scan,
           coalesce(s.idx_scan, 0),
           s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND NOT EXISTS
               (SELECT FROM pg_stats p WHERE p.schemaname = s.schemaname AND p.tablename = s.relname),
           coalesce(i.heap_blks_hit, 0) + coalesce(i.idx_blks_hit, 0) + coalesce(i.toast_blks_hit, 0),
           coalesce(i.heap_blks_read, 0) + coalesce(i.idx_blks_read, 0) + coalesce(i.toast_blks_read, 0)
    FROM pg_stat_user_tables s JOIN pg_statio_user_tables i USING (relid) JOIN pg_class c ON c.oid = s.relid
    WHERE pg_table_is_visible(s.relid) AND s.relname = ANY(%s)
    ORDER BY pg_total_relation_size(s.relid) DESC"""

#: Selects the fields of ``_Index``, the largest index first.
INDEXES = """
    SELECT s.relname, s.indexrelname, s.idx_scan, pg_relation_size(s.indexrelid), x.indisunique,
           x.indisprimary OR x.indisexclusion
               OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid),
           concat_ws('/', s.relid, c.relam, x.indkey, x.indclass, x.indcollation, x.indoption,
                     pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid))
    FROM pg_stat_user_indexes s JOIN pg_index x USING (indexrelid) JOIN pg_class c ON c.oid = s.indexrelid
    WHERE pg_table_is_visible(s.relid) AND s.relname = ANY(%s) AND x.indisvalid
    ORDER BY pg_relation_size(s.indexrelid) DESC, s.indexrelname"""

#: Selects the day since which the server has counted.
SINCE = "SELECT to_char(stats_reset, 'YYYY-MM-DD') FROM pg_stat_database WHERE datname = current_database()"

#: Selects the numbers of connections in use (but for this one, and idle ones of this package), allowed and
#: reserved.
CONNECTIONS = """
    SELECT (SELECT sum(numbackends)::int FROM pg_stat_database) -
               (SELECT count(*)::int FROM pg_stat_activity
                WHERE application_name = 'tformance_seed' AND (state = 'idle' OR pid = pg_backend_pid())),
           sum(setting::int)
               FILTER (WHERE name = 'max_connections'),
           sum(setting::int) FILTER (WHERE name <> 'max_connections')
    FROM pg_settings
    WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"""

#: Select the numbers of timed and requested checkpoints: first before PostgreSQL 17, then from version 17 on.
CHECKPOINTS = (
    "SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter",
    "SELECT num_timed, num_requested FROM pg_stat_checkpointer",
)


@dataclass(frozen=True)
class _Table:
    name: str
    rows: int
    dead: int
    sequential: int
    indexed: int
    never_analysed: bool
    hits: int
    reads: int


@dataclass(frozen=True)
class _Index:
    table: str
    name: str
    scans: int
    size: int
    unique: bool
    constraint: bool
    content: str = field(repr=False)  # the same for duplicates


def check(database: peewee.Database, session: SessionInfo, names: list[str]) -> Iterator[Finding]:
    """Check cache, indexes, tables, connections and checkpoints.

    Parameters:
      names: the names of the tables.
    """
    tables = [_Table(*row) for row in execute_sql(database, TABLES, (names,))]
    indexes = [_Index(*row) for row in execute_sql(database, INDEXES, (names,))]
    ((since,),) = execute_sql(database, SINCE)
    counted = f"counted since {since or 'the database was created, or its server last crashed'}"
    own = _own_indexes(database, names)
    yield from _cache(tables, counted)
    yield from _unused(indexes, {table.name: table for table in tables}, own, counted)
    yield from _duplicates(indexes, own)
    for table in tables:
        yield from _table(table, counted)
    yield from _connections(database)
    yield from _checkpoints(database, session)


def _own_indexes(database: peewee.Database, names: list[str]) -> set[str]:
    """Return the names of the indexes that the application's migrations or ``init`` create."""
    expected = {
        name: {index.identity for index in table.indexes}
        for name, table in expected_schema(database, APPLICATION).items()
    }
    return {
        index.name
        for name, table in introspect(database, names).items()
        for index in table.indexes
        if index.identity in expected[name]
    }


def _cache(tables: Iterable[_Table], counted: str) -> Iterator[Finding]:
    hits, reads = sum(table.hits for table in tables), sum(table.reads for table in tables)
    if reads >= MIN_BLOCKS_READ:
        share = hits / (hits + reads)
        yield Finding(
            "cache-hit-ratio",
            "ok" if share >= MIN_HIT_SHARE else "advice",
            "shared_buffers",
            f"{share:.1%} of blocks found there",
            f"at least {MIN_HIT_SHARE:.0%}",
            f"other blocks are read from disk, or from the operating system's cache ({counted})",
            "more shared_buffers (see the server's settings), or more memory",
        )


def _unused(
    indexes: Iterable[_Index], tables: dict[str, _Table], own: set[str], counted: str
) -> Iterator[Finding]:
    for index in indexes:
        if index.scans or index.unique or index.constraint:
            continue
        where, now = f"{index.table}, {index.name}", f"never scanned, {format_setting(index.size, 'B')}"
        why = f"it costs space and makes writing slower, and no query used it ({counted})"
        drop = f"DROP INDEX CONCURRENTLY {quoted(index.name)};"
        if index.name not in own:
            todo = "drop it, unless a query that rarely runs needs it"
            yield Finding("unused-index", "advice", where, now, why=why, todo=todo, statement=drop)
        elif index.size >= MIN_UNUSED_BYTES and tables[index.table].sequential + tables[index.table].indexed:
            yield Finding("unused-application-index", "advice", where, now, why=why, todo=MIGRATIONS)


def _duplicates(indexes: Iterable[_Index], own: set[str]) -> Iterator[Finding]:
    by_content = sorted(indexes, key=attrgetter("content"))
    for _, same in itertools.groupby(by_content, key=attrgetter("content")):
        kept, *others = sorted(
            same,
            key=lambda index: (index.constraint, index.unique, index.name in own, index.scans),
            reverse=True,
        )
        for index in others:
            yield Finding(
                "duplicate-index",
                "advice",
                f"{index.table}, {index.name}",
                f"same content as {kept.name}, {format_setting(index.size, 'B')}",
                why="it costs space and makes writing slower, to no use",
                todo="drop it; if the application's migrations created it, there",
                statement=None if index.constraint else f"DROP INDEX CONCURRENTLY {quoted(index.name)};",
            )


def _table(table: _Table, counted: str) -> Iterator[Finding]:
    limit = MAX_LARGE_TABLE_SCANS if table.rows >= LARGE_TABLE_ROWS else MAX_SCANS
    if table.sequential >= limit and table.sequential > table.indexed / 10:
        yield Finding(
            "sequential-scans",
            "advice",
            table.name,
            f"scanned sequentially {table.sequential:,} times, {table.rows:,} rows",
            why=f"each scan reads all of it through the cache ({counted})",
            todo="find the query (pg_stat_statements): it lacks an index or runs too often",
        )
    if table.dead >= MAX_DEAD_ROWS and table.dead > MAX_DEAD_SHARE * table.rows:
        yield Finding(
            "dead-rows",
            "advice",
            table.name,
            f"{table.dead:,} dead rows beside {table.rows:,}",
            why="they cost space and are read too; autovacuum does not keep up",
            todo="vacuum it; if they come back, lower autovacuum_vacuum_scale_factor",
            statement=f"VACUUM (ANALYZE) {quoted(table.name)};",
            safe=True,
        )
    if table.never_analysed and table.rows >= MIN_ANALYSED_ROWS:
        yield Finding(
            "never-analysed",
            "warning",
            table.name,
            f"{table.rows:,} rows without statistics",
            why="the planner guesses, and may guess badly",
            todo="analyse it",
            statement=f"ANALYZE {quoted(table.name)};",
            safe=True,
        )


def _connections(database: peewee.Database) -> Iterator[Finding]:
    ((used, allowed, reserved),) = execute_sql(database, CONNECTIONS)
    available = allowed - reserved
    yield Finding(
        "connections",
        "ok" if used < MAX_CONNECTIONS_SHARE * available else "warning",
        "max_connections",
        f"{used} of {available} connections in use",
        f"less than {MAX_CONNECTIONS_SHARE:.0%}",
        "when all are in use, further ones are refused",
        "find who uses them (pg_stat_activity), or put PgBouncer in between",
    )


def _checkpoints(database: peewee.Database, session: SessionInfo) -> Iterator[Finding]:
    ((timed, requested),) = execute_sql(database, CHECKPOINTS[session.version >= CHECKPOINTER_VERSION])
    share = requested / max(timed + requested, 1)
    (size,) = settings(database, ["max_wal_size"]).values()
    too_many = requested >= MIN_REQUESTED_CHECKPOINTS and share > MAX_REQUESTED_SHARE
    double = sql_literal(2 * size.number, size.unit)
    yield Finding(
        "forced-checkpoints",
        "advice" if too_many else "ok",
        "checkpoints",
        f"{requested:,} requested, {timed:,} by time",
        f"at most {MAX_REQUESTED_SHARE:.0%} requested",
        f"each writes all changes at once; WAL reached max_wal_size ({size}) early, "
        "or a command requested it (CHECKPOINT, a backup)",
        **(remedy(database, session, size, double) if too_many else Remedy()),
    )
