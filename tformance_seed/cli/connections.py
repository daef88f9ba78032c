"""What a command works with, open while it runs: the database and the executor of its tasks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tformance_seed.cli.console import silence_logging

if TYPE_CHECKING:
    import peewee

    from tformance_seed.execution.executor import Executor


@contextmanager
def open_database(url: str, access: str = "create") -> "Iterator[peewee.Database]":
    """Open a database and close it afterwards, upon which SQLite merges its journal into the file."""
    from tformance_seed.storage.connection import connect

    database = connect(url, access=access)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_executor(broker: str | None, database: "peewee.Database") -> "Iterator[Executor]":
    """Open what runs tasks: workers behind a broker, or threads of this process if there is no broker."""
    silence_logging()
    from tformance_seed.commands import seed as seeding

    with seeding.open_executor(database, broker) as executor:
        yield executor
