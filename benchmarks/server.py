"""The private PostgreSQL that all benchmarks run on."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from tformance_seed.storage.connection import connect, disconnect
from tformance_seed.storage.embedded import server as embedded
from tformance_seed.storage.schema.create import create_missing

#: Settings for a machine with 4 GB; fsync and full_page_writes stay on. Autovacuum is off: it starts at any
#: time and takes up to a fifth of the processors, so it would slow down one way and not the next. Benchmarks
#: on full tables vacuum them first.
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
        """Create an empty database; return its URL."""
        name = f"bench_{next(_numbers)}"
        execute(self.uri, f"CREATE DATABASE {name}")
        return self.uri.replace("/postgres?", f"/{name}?")

    def with_tables(self) -> str:
        """Create a database with empty tables; return its URL."""
        url = self.new_database()
        database = connect(url)
        create_missing(database)
        disconnect(database)
        return url

    def drop(self, url: str) -> None:
        """Drop a database, so that the disk has room for the next."""
        execute(self.uri, f"DROP DATABASE {url.split('/')[3].split('?')[0]} WITH (FORCE)")


def execute(url: str, statement: str) -> list[tuple]:
    """Run one statement outside a transaction; return its rows, if it has any."""
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
    """Start a server in a temporary folder; remove both afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    running = embedded.Server(folder)
    try:
        running.start()
        for name, value in SETTINGS.items():
            execute(running.url(), f"ALTER SYSTEM SET {name} = '{value}'")
        running.release()
        running.start()
        yield Server(running.url())
    finally:
        running.release()
        shutil.rmtree(folder, ignore_errors=True)
