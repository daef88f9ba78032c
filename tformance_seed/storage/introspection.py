"""The tables in a database, and their names in SQL."""

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql


def quoted(name: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def current_schema(database: peewee.Database) -> str | None:
    """Return the schema that unqualified names refer to; None on SQLite. Peewee 3 assumes "public"."""
    if not is_postgresql(database):
        return None
    ((schema,),) = execute_sql(database, "SELECT current_schema()")
    return schema if schema is None else str(schema)


def table_names(database: peewee.Database) -> set[str]:
    """Return the names of the tables in the current schema."""
    return set(database.get_tables(current_schema(database)))
