"""The statements that a PostgreSQL server has recorded, by its module pg_stat_statements."""

from collections.abc import Iterator

import peewee

from tformance_seed.doctor.server import Standing, change, settings
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.schema.findings import Finding

#: Mean milliseconds from which a statement is slow, and how many are shown.
SLOW, SLOWEST = 1_000.0, 5

RECORDING = """
    SELECT (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_stat_statements'),
           EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements'),
           pg_has_role('pg_read_all_stats', 'USAGE')"""

STATEMENTS = """
    SELECT query, calls, mean_exec_time, total_exec_time FROM {schema}.pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query ~ %s
    ORDER BY mean_exec_time DESC LIMIT %s"""


def check(database: peewee.Database, who: Standing, names: list[str]) -> Iterator[Finding]:
    """The slowest statements, or what it takes to have them recorded.

    Parameters:
      names: of the tables that count.
    """
    ((schema, available, may_see),) = database.execute_sql(RECORDING)
    slowest = _slowest(database, schema, names) if schema else None
    if slowest is None:
        yield _not_recorded(database, who, available=available)
        return
    if not may_see:
        yield Finding(
            "statements-hidden",
            "advises",
            f"database user {who.user}",
            "sees only its own statements in pg_stat_statements",
            why="slow ones of others stay hidden",
            todo="let a superuser grant it",
            statement=f"GRANT pg_monitor TO {quoted(who.user)};",
        )
    for query, calls, mean, total in slowest:
        yield Finding(
            "slow-statement",
            "advises" if mean >= SLOW else "fine",
            " ".join(query.split())[:120],
            f"{mean:,.0f} ms each, {calls:,} times, {total / 1000:,.1f} s in all",
            why="it touches the application's tables or the ledger",
            todo="see its plan with EXPLAIN (ANALYZE, BUFFERS)",
        )


def _slowest(database: peewee.Database, schema: str, names: list[str]) -> list[tuple] | None:
    """The statements with the application's tables or ours in them that took longest; None: not recorded."""
    words = rf"\y(stage_)?({'|'.join(names)})\y"
    try:
        with database.atomic():
            return list(database.execute_sql(STATEMENTS.format(schema=schema), (words, SLOWEST)))
    except (peewee.OperationalError, peewee.InternalError, peewee.ProgrammingError):
        return None  # the extension is there, the library behind it was not loaded


def _not_recorded(database: peewee.Database, who: Standing, *, available: bool) -> Finding:
    what = {"where": "pg_stat_statements", "now": "not recorded"}
    why = "nobody can tell which statements are slow"
    if not available:
        todo = "install the server's contrib package, or ask your provider for the extension"
        return Finding("statements-not-recorded", "advises", **what, why=why, todo=todo)
    create = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;"
    loaded = settings(database, ["shared_preload_libraries"]).get("shared_preload_libraries")
    if loaded is None:
        todo = "add it to shared_preload_libraries on your provider's page of parameters, then create it"
        return Finding("statements-not-recorded", "advises", **what, why=why, todo=todo, statement=create)
    libraries = [name.strip(' "') for name in loaded.value.split(",") if name.strip()]
    if "pg_stat_statements" in libraries:
        todo = "create the extension"
        return Finding(
            "statements-not-recorded", "advises", **what, why=why, todo=todo, statement=create, safe=True
        )
    do = change(database, who, loaded, *libraries, "pg_stat_statements")
    if "statement" in do:
        do["statement"] = f"{do['statement']}\n{create}"
    return Finding("statements-not-recorded", "advises", **what, why=why, **do)
