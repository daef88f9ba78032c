"""Update the planner's statistics on tables that were written to."""

from collections.abc import Collection

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import driver_connection, execute_sql
from tformance_seed.storage.failures import error_message
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.transactions import transaction

#: How long analysing a table waits for a lock, such as that of a VACUUM.
LOCK_TIMEOUT = "5s"

#: Rows of an index that SQLite looks at: enough for the planner, and quick however large the table is.
ANALYSIS_LIMIT = 1_000


def analyse(database: peewee.Database, tables: Collection[str]) -> list[str]:
    """Update the planner's statistics on tables; where that is not possible, return why, one line each.

    Without them, queries on rows that were just seeded may take long until autovacuum has come by.
    """
    refused, notes = [], []
    for table in sorted(tables):
        try:
            if not _analyse(database, table):
                refused.append(table)
        except (peewee.DatabaseError, peewee.InterfaceError) as error:
            notes.append(f"{table} was not analysed: {error_message(error)}")
    if refused:
        notes.append(
            f"not analysed, since the database user may not: {', '.join(refused)}; autovacuum will do it, or "
            "their owner by ANALYZE"
        )
    return notes


def _analyse(database: peewee.Database, table: str) -> bool:
    """Analyse a table; return False if the server says that this user may not."""
    if not is_postgresql(database):
        execute_sql(database, f"PRAGMA analysis_limit = {ANALYSIS_LIMIT}")
        execute_sql(database, f"ANALYZE {quoted(table)}")
        return True
    notices = driver_connection(database).notices
    del notices[:]
    with transaction(database):
        execute_sql(database, "SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        execute_sql(database, f"ANALYZE {quoted(table)}")
    return not notices  # the server skips a table with a warning, and says nothing otherwise
