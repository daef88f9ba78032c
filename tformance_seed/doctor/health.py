"""What a PostgreSQL server has counted about the application's tables and ours, and what of that is bad."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

import peewee

from tformance_seed.doctor.server import Standing, change, settings, shown, written
from tformance_seed.doctor.tiers import MB
from tformance_seed.storage import schema as contract
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.models import APPLICATION, LEDGER
from tformance_seed.storage.schema.findings import Finding

#: Fewest blocks (8 kB) from disk that say something of a cache, and the share of blocks found in it.
BLOCKS, LEAST_HITS = 1_000, 0.95

#: Bytes from which an index of the application's own is worth a migration.
UNUSED_BYTES = 1 * MB

#: Rows from which a table is large, and scans of all of it that are many; of any table: too many.
LARGE, MANY_SCANS, TOO_MANY_SCANS = 10_000, 100, 1_000_000

#: Dead rows that matter, at least, and as a share of the live ones: what autovacuum lets be by default.
DEAD, DEAD_SHARE = 1_000, 0.2

#: Rows from which the planner needs statistics.
ANALYSED = 1_000

#: Share of the connections from which they run out.
CONNECTIONS_SHARE = 0.8

#: Checkpoints that were asked for, at least, and as a share of all.
FORCED, FORCED_SHARE = 10, 0.5

#: What to do about an index that the application would make again.
MIGRATIONS = "it belongs to the application's migrations: drop it there, not here"

TABLES = """
    SELECT s.relname, greatest(s.n_live_tup, c.reltuples)::bigint, s.n_dead_tup, s.seq_scan,
           coalesce(s.idx_scan, 0),
           s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND NOT EXISTS
               (SELECT FROM pg_stats p WHERE p.schemaname = s.schemaname AND p.tablename = s.relname),
           coalesce(i.heap_blks_hit, 0) + coalesce(i.idx_blks_hit, 0) + coalesce(i.toast_blks_hit, 0),
           coalesce(i.heap_blks_read, 0) + coalesce(i.idx_blks_read, 0) + coalesce(i.toast_blks_read, 0)
    FROM pg_stat_user_tables s JOIN pg_statio_user_tables i USING (relid) JOIN pg_class c ON c.oid = s.relid
    WHERE s.schemaname = current_schema() AND s.relname = ANY(%s)
    ORDER BY pg_total_relation_size(s.relid) DESC"""

INDEXES = """
    SELECT s.relname, s.indexrelname, s.idx_scan, pg_relation_size(s.indexrelid), x.indisunique,
           x.indisprimary OR x.indisexclusion
               OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid),
           concat_ws('/', s.relid, c.relam, x.indkey, x.indclass, x.indcollation, x.indoption,
                     pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid))
    FROM pg_stat_user_indexes s JOIN pg_index x USING (indexrelid) JOIN pg_class c ON c.oid = s.indexrelid
    WHERE s.schemaname = current_schema() AND s.relname = ANY(%s) AND x.indisvalid
    ORDER BY pg_relation_size(s.indexrelid) DESC, s.indexrelname"""

SINCE = "SELECT to_char(stats_reset, 'YYYY-MM-DD') FROM pg_stat_database WHERE datname = current_database()"

CONNECTIONS = """
    SELECT (SELECT sum(numbackends)::int FROM pg_stat_database), sum(setting::int)
               FILTER (WHERE name = 'max_connections'),
           sum(setting::int) FILTER (WHERE name <> 'max_connections')
    FROM pg_settings
    WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"""

#: Checkpoints that came in time, and that were asked for; before PostgreSQL 17, and from it on.
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
    content: str = field(repr=False)  # the same for two indexes that hold the same


def check(database: peewee.Database, who: Standing, names: list[str]) -> Iterator[Finding]:
    """Cache, indexes, tables, connections and checkpoints.

    Parameters:
      names: of the tables that count.
    """
    tables = [_Table(*row) for row in database.execute_sql(TABLES, (names,))]
    indexes = [_Index(*row) for row in database.execute_sql(INDEXES, (names,))]
    ((since,),) = database.execute_sql(SINCE)
    counted = f"counted since {since or 'the database was made, or its server last crashed'}"
    own = _own_indexes(database, names)
    yield from _cache(tables, counted)
    yield from _unused(indexes, {table.name: table for table in tables}, own, counted)
    yield from _duplicates(indexes, own)
    for table in tables:
        yield from _table(table, counted)
    yield from _connections(database)
    yield from _checkpoints(database, who)


def _own_indexes(database: peewee.Database, names: list[str]) -> set[str]:
    """Names of the indexes that the application's migrations, or ``init``, make."""
    want = contract.wanted(database, (*APPLICATION, *LEDGER))
    return {
        index.name
        for name, table in contract.found(database, names).items()
        for index in table.indexes
        if index.identity in {wish.identity for wish in want[name].indexes}
    }


def _cache(tables: Iterable[_Table], counted: str) -> Iterator[Finding]:
    hits, reads = sum(table.hits for table in tables), sum(table.reads for table in tables)
    if reads >= BLOCKS:
        share = hits / (hits + reads)
        yield Finding(
            "cache-hit-ratio",
            "fine" if share >= LEAST_HITS else "advises",
            "shared_buffers",
            f"{share:.1%} of blocks found there",
            f"at least {LEAST_HITS:.0%}",
            f"what is not found is read from disk, or from the operating system's cache ({counted})",
            "more shared_buffers (see the server's settings), or more memory",
        )


def _unused(
    indexes: Iterable[_Index], tables: dict[str, _Table], own: set[str], counted: str
) -> Iterator[Finding]:
    for index in indexes:
        if index.scans or index.unique or index.constraint:
            continue
        what = {"where": f"{index.table}, {index.name}", "now": f"never scanned, {shown(index.size, 'B')}"}
        why = f"it costs room and makes writing slower, and no query used it ({counted})"
        drop = f"DROP INDEX CONCURRENTLY {quoted(index.name)};"
        if index.name not in own:
            todo = "drop it, if nothing that runs seldom needs it"
            yield Finding("unused-index", "advises", **what, why=why, todo=todo, statement=drop)
        elif index.size >= UNUSED_BYTES and tables[index.table].sequential + tables[index.table].indexed:
            yield Finding("unused-contract-index", "advises", **what, why=why, todo=MIGRATIONS)


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
                "advises",
                f"{index.table}, {index.name}",
                f"holds the same as {kept.name}, {shown(index.size, 'B')}",
                why="it costs room and makes writing slower, for nothing",
                todo="drop it; if the application's migrations made it, do it there",
                statement=None if index.constraint else f"DROP INDEX CONCURRENTLY {quoted(index.name)};",
            )


def _table(table: _Table, counted: str) -> Iterator[Finding]:
    many = MANY_SCANS if table.rows >= LARGE else TOO_MANY_SCANS
    if table.sequential >= many and table.sequential > table.indexed / 10:
        yield Finding(
            "sequential-scans",
            "advises",
            table.name,
            f"read from end to end {table.sequential:,} times, {table.rows:,} rows",
            why=f"each time all of it goes through the cache ({counted})",
            todo="see which query does it (pg_stat_statements): it lacks an index or asks too often",
        )
    if table.dead >= DEAD and table.dead > DEAD_SHARE * table.rows:
        yield Finding(
            "dead-rows",
            "advises",
            table.name,
            f"{table.dead:,} dead rows beside {table.rows:,}",
            why="they take room and are read along; autovacuum does not keep up",
            todo="vacuum it; if they come again, lower autovacuum_vacuum_scale_factor",
            statement=f"VACUUM (ANALYZE) {quoted(table.name)};",
            safe=True,
        )
    if table.never_analysed and table.rows >= ANALYSED:
        yield Finding(
            "never-analysed",
            "warns",
            table.name,
            f"{table.rows:,} rows without statistics",
            why="the planner guesses, and may guess badly",
            todo="analyse it",
            statement=f"ANALYZE {quoted(table.name)};",
            safe=True,
        )


def _connections(database: peewee.Database) -> Iterator[Finding]:
    ((used, allowed, reserved),) = database.execute_sql(CONNECTIONS)
    free_for_all = allowed - reserved
    yield Finding(
        "connections",
        "fine" if used < CONNECTIONS_SHARE * free_for_all else "warns",
        "max_connections",
        f"{used} of {free_for_all} connections in use",
        f"less than {CONNECTIONS_SHARE:.0%}",
        "who comes when all are in use is refused",
        "find who holds them (pg_stat_activity), or put PgBouncer between",
    )


def _checkpoints(database: peewee.Database, who: Standing) -> Iterator[Finding]:
    ((timed, forced),) = database.execute_sql(CHECKPOINTS[who.version >= 170000])
    share = forced / max(timed + forced, 1)
    (size,) = settings(database, ["max_wal_size"]).values()
    bad = forced >= FORCED and share > FORCED_SHARE
    yield Finding(
        "forced-checkpoints",
        "advises" if bad else "fine",
        "checkpoints",
        f"{forced:,} asked for, {timed:,} in time",
        f"at most {FORCED_SHARE:.0%} asked for",
        f"each writes everything changed at once; WAL came to max_wal_size ({size}) before its time, "
        "or somebody asked (CHECKPOINT, a backup)",
        **(change(database, who, size, written(2 * size.number, size.unit)) if bad else {}),
    )
