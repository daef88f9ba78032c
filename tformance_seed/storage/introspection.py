"""Which tables a database has, and how they are named in SQL."""

import peewee

from tformance_seed.bulk.dialect import is_postgresql


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def current_schema(database: peewee.Database) -> str | None:
    """The schema that names without one mean; SQLite has none. Peewee 3 would take PostgreSQL's "public"."""
    if not is_postgresql(database):
        return None
    return database.execute_sql("SELECT current_schema()").fetchone()[0]


def table_names(database: peewee.Database) -> set[str]:
    """The tables that are there."""
    return set(database.get_tables(current_schema(database)))
