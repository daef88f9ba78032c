"""Report the slowest statements that a PostgreSQL server has recorded in pg_stat_statements."""

from collections.abc import Iterator
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import execute_sql
from tformance_seed.doctor.server import Remedy, SessionInfo, remedy, settings
from tformance_seed.storage.connection import MARK
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.schema.findings import Finding

#: The mean duration, in milliseconds, from which a statement is slow.
SLOW_MILLISECONDS = 1_000.0

#: The maximum number of statements to show, and the maximum length of each.
MAX_STATEMENTS = 5
MAX_CHARACTERS = 120

#: Selects the schema of the extension, whether it can be created, and whether all statements are visible.
RECORDING = """
    SELECT (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_stat_statements'),
           EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements'),
           pg_has_role('pg_read_all_stats', 'USAGE')"""

STATEMENTS = """
    SELECT query, calls, mean_exec_time, total_exec_time FROM {schema}.pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query ~ %s
          AND strpos(query, %s) = 0
    ORDER BY mean_exec_time DESC LIMIT %s"""


def check(database: peewee.Database, session: SessionInfo, names: list[str]) -> Iterator[Finding]:
    """Yield the slowest statements on tables, or a finding on how to record statements.

    Parameters:
      names: the names of the tables.
    """
    ((schema, available, may_see),) = execute_sql(database, RECORDING)
    slowest = _slowest(database, schema, names) if schema else None
    if slowest is None:
        yield _not_recorded(database, session, available=available)
        return
    if not may_see:
        yield Finding(
            "statements-hidden",
            "advice",
            f"database user {session.user}",
            "sees only its own statements in pg_stat_statements",
            why="slow statements of other users stay hidden",
            todo="have a superuser grant it",
            statement=f"GRANT pg_monitor TO {quoted(session.user)};",
        )
    for query, calls, mean, total in slowest:
        yield Finding(
            "slow-statement",
            "advice" if mean >= SLOW_MILLISECONDS else "ok",
            " ".join(query.split())[:MAX_CHARACTERS],
            f"{mean:,.0f} ms each, {calls:,} times, {total / 1000:,.1f} s in all",
            why="it uses the application's tables",
            todo="see its plan with EXPLAIN (ANALYZE, BUFFERS)",
        )


def _slowest(database: peewee.Database, schema: str, names: list[str]) -> list[tuple[Any, ...]] | None:
    """Return the slowest statements of others on one of the tables; None if statements are not recorded."""
    words = rf"\y({'|'.join(names)})\y"
    try:
        with database.atomic():
            return list(
                execute_sql(database, STATEMENTS.format(schema=schema), (words, MARK, MAX_STATEMENTS))
            )
    except (peewee.OperationalError, peewee.InternalError, peewee.ProgrammingError):
        return None  # the extension exists, but its library is not loaded


def _not_recorded(database: peewee.Database, session: SessionInfo, *, available: bool) -> Finding:
    create = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;"
    loaded = settings(database, ["shared_preload_libraries"]).get("shared_preload_libraries")
    if not available:
        todo = Remedy(
            todo="install the server's contrib package, or ask your provider for the extension",
        )
    elif loaded is None:
        todo = Remedy(
            todo="add it to shared_preload_libraries on your provider's page of parameters, then create it",
            statement=create,
        )
    elif "pg_stat_statements" in (libraries := _names(loaded.value)):
        todo = Remedy(todo="create the extension", statement=create, safe=True)
    else:
        todo = remedy(database, session, loaded, *libraries, "pg_stat_statements")
        if "statement" in todo:
            todo["statement"] = f"{todo['statement']}\n{create}"
    return Finding(
        "statements-not-recorded",
        "advice",
        "pg_stat_statements",
        "not recorded",
        why="there is no record of slow statements",
        **todo,
    )


def _names(value: str) -> list[str]:
    """Return the items of a setting that is a list."""
    return [name.strip(' "') for name in value.split(",") if name.strip()]
