"""Which kind of database statements go to."""

import peewee


def is_postgresql(database: peewee.Database) -> bool:
    """Whether statements go to PostgreSQL."""
    return isinstance(database, peewee.PostgresqlDatabase)
