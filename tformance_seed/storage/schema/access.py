"""Whether the application's tables for people can be written to, which seeding does not depend on."""

from collections.abc import Sequence

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, fields_of, table_name
from tformance_seed.storage.introspection import quoted, table_names
from tformance_seed.storage.schema.actual import introspect

#: Privileges that a row needs: to look it up, to write it, and to remove it again.
PRIVILEGES = ("SELECT", "INSERT", "DELETE")

#: PostgreSQL's types for ids that are numbers.
ID_TYPES = ("", "bigint", "integer")


def tables_exist(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> bool:
    """Return whether a database has all the tables of the models."""
    return table_names(database) >= {table_name(model) for model in models}


def access_problem(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> str | None:
    """Return why rows of existing tables cannot be written, in a few words; None if they can."""
    tables = introspect(database, [table_name(model) for model in models])
    for model in models:
        name = table_name(model)
        known = {field.column_name for field in fields_of(model)}
        columns = tables[name].columns
        if missing := sorted(known - columns.keys()):
            return f"{name} has no column {missing[0]}"
        for column, actual in columns.items():
            if column not in known and not actual.null and not actual.has_default:
                return f"{name}.{column} must not be NULL and is unknown to this package"
        if columns["id"].type not in ID_TYPES or not columns["id"].has_default:
            return f"{name}.id is not a generated number"
    return _missing_privilege(database, [table_name(model) for model in models])


def _missing_privilege(database: peewee.Database, tables: Sequence[str]) -> str | None:
    if not is_postgresql(database):
        return None
    for table in tables:
        for privilege in PRIVILEGES:
            arguments = (quoted(table), privilege)
            ((user, granted),) = execute_sql(
                database, "SELECT current_user, has_table_privilege(%s, %s)", arguments
            )
            if not granted:
                return f"the database user {user} may not {privilege} on {table}"
    return None
