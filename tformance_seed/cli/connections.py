"""Open the database and the executor of tasks for as long as a command runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tformance_seed.cli.console import silence_logging
from tformance_seed.cli.interrupts import begin_work

if TYPE_CHECKING:
    import peewee

    from tformance_seed.execution.executor import Executor


@contextmanager
def open_database(url: str, access: str = "create") -> "Iterator[peewee.Database]":
    """Open a database and close it afterwards; when closed, SQLite merges its journal into the file."""
    from tformance_seed.storage.connection import connect

    begin_work()
    database = connect(url, access=access)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_executor(broker: str | None, database: "peewee.Database") -> "Iterator[Executor]":
    """Open the executor of tasks: workers behind a broker, or without a broker, threads of this process."""
    silence_logging()
    from tformance_seed.commands import seed as seeding

    with seeding.open_executor(database, broker) as executor:
        yield executor
