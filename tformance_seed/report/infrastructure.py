"""Figures that come from the database server: sizes on disk, estimated rows, its cache, connections."""

from collections.abc import Sequence
from dataclasses import dataclass

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql
from tformance_seed.report.figures import Database

#: The entry for all tables that belong neither to the application nor to the ledger.
OTHERS = "(others)"

#: Selects all tables except the system's. A table is visible if its name without a schema finds it. Rows are
#: estimated as the planner does it, from the density that the last VACUUM or ANALYZE found and the current
#: number of pages; before the first VACUUM or ANALYZE, from the counters of rows written.
POSTGRESQL_TABLES = """
SELECT c.relname, pg_table_is_visible(c.oid),
    CASE WHEN c.reltuples > 0 AND c.relpages > 0
           THEN round(c.reltuples / c.relpages
                      * (pg_relation_size(c.oid) / current_setting('block_size')::int))
         WHEN s.n_live_tup > 0 OR pg_relation_size(c.oid) = 0 THEN s.n_live_tup
    END::bigint,
    pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

#: The state of other users' connections is NULL unless the user is a member of pg_monitor.
POSTGRESQL_DATABASE = """
SELECT current_setting('server_version'), current_database(), pg_database_size(current_database()),
    s.blks_hit::float / nullif(s.blks_hit + s.blks_read, 0), s.numbackends,
    (SELECT CASE WHEN count(*) = count(a.state) THEN count(*) FILTER (WHERE a.state = 'active') END
     FROM pg_stat_activity a WHERE a.datname = current_database()
         AND coalesce(a.backend_type, 'client backend') = 'client backend')
FROM pg_stat_database s WHERE s.datname = current_database()
"""

SQLITE_DATABASE = """
SELECT sqlite_version(), l.file, p.page_count * s.page_size
FROM pragma_database_list l, pragma_page_count p, pragma_page_size s WHERE l.name = 'main'
"""

#: Selects bytes of heap and indexes by table, from a virtual table that not every SQLite build has.
SQLITE_SIZES = """
SELECT m.tbl_name, sum(s.pgsize) FILTER (WHERE m.type = 'table'),
    coalesce(sum(s.pgsize) FILTER (WHERE m.type = 'index'), 0)
FROM dbstat s JOIN sqlite_master m ON m.name = s.name WHERE s.aggregate = 1 GROUP BY m.tbl_name
"""


@dataclass(frozen=True)
class Size:
    """The estimated rows of a table, and its bytes; None if unknown."""

    rows: int | None
    heap_bytes: int | None
    index_bytes: int | None


def describe(database: peewee.Database, pull_requests: int) -> Database:
    """Return the server's figures for the whole database.

    Parameters:
      pull_requests: the number of pull requests, to include in the result.
    """
    if is_postgresql(database):
        ((version, name, size, *load),) = execute_sql(database, POSTGRESQL_DATABASE)
        return Database("PostgreSQL", version.split()[0], name, size, pull_requests, *load)
    ((version, file, size),) = execute_sql(database, SQLITE_DATABASE)
    return Database("SQLite", version, file.rpartition("/")[2], size, pull_requests)


def sizes(database: peewee.Database, tables: Sequence[str]) -> dict[str, Size]:
    """Return sizes by table, with all other tables together as ``OTHERS``; an empty dict if unknown."""
    if is_postgresql(database):
        found = [
            (name if visible else "", *rest)
            for name, visible, *rest in execute_sql(database, POSTGRESQL_TABLES)
        ]
    else:
        try:
            found = [(name, None, *rest) for name, *rest in execute_sql(database, SQLITE_SIZES)]
        except peewee.OperationalError:
            return {}
    known = {name: Size(*rest) for name, *rest in found if name in tables}
    others = [(heap, index) for name, _, heap, index in found if name not in tables]
    if others:
        heaps, indexes = zip(*others, strict=True)
        known[OTHERS] = Size(None, sum(heaps), sum(indexes))
    return known
