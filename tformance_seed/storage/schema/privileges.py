"""What seeding must be allowed to do, and whether it is."""

from collections.abc import Iterator

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.introspection import quoted, table_names
from tformance_seed.storage.models import APPLICATION, LEDGER
from tformance_seed.storage.schema.findings import Finding

#: What seeding does to a table.
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

STANDING = """
    SELECT current_user, current_schema(), pg_is_in_recovery(),
           (SELECT setting FROM pg_settings WHERE name = 'default_transaction_read_only') = 'on',
           coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
           has_database_privilege(current_database(), 'TEMPORARY')"""


def missing_rights(database: peewee.Database) -> Iterator[Finding]:
    """What the database user may not do and seeding must. SQLite knows no users."""
    if not is_postgresql(database):
        return
    ((user, schema, standby, read_only, may_create, may_stage),) = database.execute_sql(STANDING)
    if standby or read_only:
        yield Finding(
            "read-only",
            "stops",
            where="server",
            now="is a standby" if standby else "takes read-only transactions unless told otherwise",
            why="nothing can be written there",
            todo="use the primary server" if standby else "set default_transaction_read_only to off",
        )
    tables = table_names(database)
    own = {model._meta.table_name for model in LEDGER}
    application = [model._meta.table_name for model in APPLICATION]
    there = [name for name in (*application, *sorted(own)) if name in tables]
    if (not own <= tables or not tables) and not may_create:
        yield _missing("CREATE", f"SCHEMA {quoted(schema or 'public')}", user, "to make the ledger's tables")
    if not may_stage:
        ((name,),) = database.execute_sql("SELECT current_database()")
        yield _missing("TEMPORARY", f"DATABASE {quoted(name)}", user, "to stage rows before they are merged")
    pairs = [(table, right) for table in there for right in RIGHTS]
    if not pairs:
        return
    allowed = [peewee.fn.has_table_privilege(quoted(table), right) for table, right in pairs]
    query = peewee.Select(columns=[may.alias(f"c{number}") for number, may in enumerate(allowed)])
    (row,) = query.tuples().execute(database)
    for (table, right), may in zip(pairs, row, strict=True):
        if not may:
            yield _missing(right, table, user, "to write rows and look them up")


def _missing(right: str, what: str, user: str, why: str) -> Finding:
    return Finding(
        "missing-right",
        "stops",
        where=f"database user {user}",
        now=f"may not {right} on {what}",
        why=f"seeding needs it {why}",
        todo="let the owner grant it",
        statement=f"GRANT {right} ON {what} TO {quoted(user)};",
    )
