"""The kind of database that statements are sent to."""

import peewee


def is_postgresql(database: peewee.Database) -> bool:
    """Return whether the database is PostgreSQL."""
    return isinstance(database, peewee.PostgresqlDatabase)
