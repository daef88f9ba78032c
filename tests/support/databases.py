"""Opens databases for tests that query the models themselves."""

from typing import Any

import peewee
import psycopg2

from tformance_seed.storage import connection
from tformance_seed.storage.models import ACCESS, APPLICATION, LEDGER


def one(url: str) -> tuple[int] | None:
    """Ask a PostgreSQL for the number one, by a connection of its own."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone()
    finally:
        connection.close()


def bind(database: peewee.Database) -> None:
    """Bind every model to a database, for a test's own queries; the package never relies on it."""
    database.bind((*APPLICATION, *ACCESS, *LEDGER), bind_refs=False, bind_backrefs=False)


def unbind() -> None:
    """Bind no model to any database."""
    for model in (*APPLICATION, *ACCESS, *LEDGER):
        model.bind(None, bind_refs=False, bind_backrefs=False)


def connect(url: str, **options: Any) -> peewee.Database:
    """Open a database and bind the models to it."""
    database = connection.connect(url, **options)
    bind(database)
    return database
