"""What the objects of several commands have in common."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

if TYPE_CHECKING:
    from tformance_seed.bulk import Result
    from tformance_seed.ledger import Removal
    from tformance_seed.storage.connection import Description

#: The version of the format. It is raised when a field is removed or means something else.
VERSION = 1

#: What kind of end a command can come to, other than that it is done.
Kind = Literal["input", "unavailable", "failed", "interrupted"]

Slug = Annotated[str, "slug of the organisation, by which commands know it"]
TeamSlug = Annotated[str | None, "slug of its team in the application; null if it has none"]


class Database(TypedDict):
    """The database that a command worked on."""

    kind: Annotated[Literal["PostgreSQL", "SQLite"], "kind of database"]
    version: Annotated[str, "version of the server, or of SQLite's library"]
    name: Annotated[str, "name of the database, or of the file"]
    url: Annotated[str, "where it is, without password"]


class Error(TypedDict):
    """Why a command did not do what it was told to."""

    kind: Annotated[
        Kind,
        "`input`: the input was wrong; `unavailable`: a server does not answer, so that the same may succeed "
        "later; `failed`: see `message`; `interrupted`: by a signal",
    ]
    message: Annotated[str, "the line on standard error"]
    hint: Annotated[str | None, "the command with which the message says to go on, complete; null if none"]
    exit_status: Annotated[int, "the exit status of the command"]


class Envelope(TypedDict):
    """What every object has, whatever the command and however it ends."""

    version: Annotated[int, "version of this format"]
    command: Annotated[str | None, "name of the command; null if there is none of that name"]
    database: Annotated[Database | None, "the database; null if none was opened"]
    error: Annotated[Error | None, "null if the command is done, with exit status 0"]


class TableRows(TypedDict):
    """The rows of a table that were written."""

    table: Annotated[str, "name of the table"]
    rows_written: Annotated[int, "rows inserted or changed"]
    rows_unchanged: Annotated[int, "rows that were the same already"]
    seconds: Annotated[float, "time taken, added up over tasks that ran at the same time"]


class RemovedRows(TypedDict):
    """The rows of a table that were removed, and those that stay."""

    table: Annotated[str, "name of the table"]
    rows_removed: Annotated[int, "rows that were removed"]
    rows_kept: Annotated[int, "rows of others that stay"]


def database(described: "Description") -> Database:
    """Return the object for a database."""
    return {
        "kind": described.kind,
        "version": described.version,
        "name": described.name,
        "url": described.url,
    }


def table_rows(results: "Mapping[str, Result]") -> list[TableRows]:
    """Return what was written, by table."""
    return [
        {
            "table": name,
            "rows_written": result.written,
            "rows_unchanged": result.unchanged,
            "seconds": round(result.seconds, 3),
        }
        for name, result in results.items()
    ]


def removed_rows(removal: "Removal") -> list[RemovedRows]:
    """Return what was removed and what stays, by table."""
    return [
        {
            "table": table,
            "rows_removed": removal.deleted.get(table, 0),
            "rows_kept": removal.kept.get(table, 0),
        }
        for table in dict.fromkeys([*removal.deleted, *removal.kept])
    ]
