"""The privileges that seeding needs, and which of them the database user lacks."""

from collections.abc import Iterator

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, table_name
from tformance_seed.storage.introspection import home_schema, quoted, table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, Team
from tformance_seed.storage.schema.findings import Finding

#: Privileges that seeding needs on a table.
TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")

#: The session's user, whether the server is a standby or read-only, and whether the user may
#: create tables and temporary tables.
SESSION = """
    SELECT current_user, pg_is_in_recovery(),
           (SELECT setting FROM pg_settings WHERE name = 'default_transaction_read_only') = 'on',
           coalesce(has_schema_privilege(to_regnamespace(%s)::oid, 'CREATE'), false),
           has_database_privilege(current_database(), 'TEMPORARY')"""


def missing_privileges(database: peewee.Database) -> Iterator[Finding]:
    """Yield the missing privileges that seeding needs; nothing on SQLite, which has no users."""
    if not is_postgresql(database):
        return
    schema = home_schema(database, table_name(Team))
    session = execute_sql(database, SESSION, (schema and quoted(schema),))
    ((user, standby, read_only, may_create, may_stage),) = session
    if standby or read_only:
        yield Finding(
            "read-only",
            "error",
            where="server",
            now="is a standby" if standby else "transactions are read-only by default",
            why="nothing can be written there",
            todo="use the primary server" if standby else "set default_transaction_read_only to off",
        )
    tables = table_names(database)
    own = {table_name(model) for model in LEDGER}
    application = [table_name(model) for model in APPLICATION]
    present = [name for name in (*application, *sorted(own)) if name in tables]
    if not own <= tables and schema is not None and not may_create:
        yield _missing("CREATE", f"SCHEMA {quoted(schema)}", user, "to create the ledger's tables")
    if not may_stage:
        ((name,),) = execute_sql(database, "SELECT current_database()")
        yield _missing("TEMPORARY", f"DATABASE {quoted(name)}", user, "to stage rows before they are merged")
    pairs = [(table, privilege) for table in present for privilege in TABLE_PRIVILEGES]
    if not pairs:
        return
    granted = [peewee.fn.has_table_privilege(quoted(table), privilege) for table, privilege in pairs]
    query = peewee.Select(columns=[column.alias(f"c{number}") for number, column in enumerate(granted)])
    (row,) = query.tuples().execute(database)
    for (table, privilege), is_granted in zip(pairs, row, strict=True):
        if not is_granted:
            yield _missing(privilege, table, user, "to write rows and look them up")


def _missing(privilege: str, what: str, user: str, why: str) -> Finding:
    return Finding(
        "missing-privilege",
        "error",
        where=f"database user {user}",
        now=f"may not {privilege} on {what}",
        why=f"seeding needs it {why}",
        todo="have the owner grant it",
        statement=f"GRANT {privilege} ON {what} TO {quoted(user)};",
    )
