"""Open the database for as long as a command runs, say what is written to, and ask before rows go."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tformance_seed.cli import answer, console
from tformance_seed.cli.interrupts import begin_work
from tformance_seed.errors import InputError, SeedError
from tformance_seed.settings import database_origin

if TYPE_CHECKING:
    import peewee


@contextmanager
def open_database(url: str, access: str = "create") -> "Iterator[peewee.Database]":
    """Open a database and close it afterwards; when closed, SQLite merges its journal into the file."""
    from tformance_seed.storage.connection import connect, describe

    begin_work()
    database = connect(url, access=access)
    try:
        answer.set_database(describe(database, url))
        yield database
    finally:
        database.close()


@contextmanager
def open_existing(url: str) -> "Iterator[peewee.Database | None]":
    """Open a database to read it, as ``open_database`` does; yield None for a file that does not exist."""
    from tformance_seed.storage.connection import describe, sqlite_file

    path = sqlite_file(url)
    if path is not None and not path.exists():
        answer.set_database(describe(None, url))
        yield None
        return
    with open_database(url, "read") as database:
        yield database


def announce(database: "peewee.Database", url: str) -> None:
    """Say on standard error which database is about to be written to, and where its name comes from."""
    from tformance_seed.storage.connection import address

    console.print_notice(f"writing to {address(database, url)}, from {database_origin(url)}")


def ask(question: str, details: Sequence[str] = (), *, yes: bool, as_json: bool) -> None:
    """Ask for consent unless it was given.

    Parameters:
      details: lines that the answer depends on, printed before the question.
      yes: whether it was given, by ``--yes``.
      as_json: whether a program reads the output, so nobody can be asked.

    Raises:
      InputError: there is nobody to ask.
      SeedError: the answer is no.
    """
    if yes:
        return
    if as_json:
        for line in details:
            console.print_notice(line)
        raise InputError(f"{question} Nothing was written or removed; to say yes, add --yes")
    confirmed = console.confirm(question, details)
    if confirmed is None:
        raise InputError("no answer: nothing was written or removed; to say yes, add --yes")
    if not confirmed:
        raise SeedError("nothing was written or removed")
