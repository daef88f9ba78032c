"""Open the database that a URL identifies, starting an embedded server if necessary."""

import contextlib
import os
import re
import sqlite3
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

import peewee
import psycopg2.extensions
import psycopg2.extras

from tformance_seed.bulk.peewee_internals import detach_connection, driver_connection
from tformance_seed.errors import (
    InputError,
    SeedError,
    TooManyConnectionsError,
    TransientError,
    UnavailableError,
)
from tformance_seed.storage.failures import error_message, failure_of, sqlstate
from tformance_seed.storage.models.fields import FIELD_TYPES, parse_json
from tformance_seed.storage.silent_servers import KEEPALIVES, WatchedConnection
from tformance_seed.url_forms import PLAIN_PATH, meant_database
from tformance_seed.urls import malformed, mask, parse_server_url, without_secrets

if TYPE_CHECKING:
    from tformance_seed.storage.embedded.server import Server

#: Seconds to wait for a server to answer, and for another process to release SQLite's write lock.
CONNECT_TIMEOUT = 10
BUSY_TIMEOUT = 15

#: SQLSTATE -> what the user can do about it if it comes while connecting.
CONNECTION_ADVICE = {
    "08006": "is the server up, and is its address right?",
    "28000": "check the user's name and password, or let this user in by pg_hba.conf",
    "3D000": "create the database first, or check its name",
    "58030": "may this user read and write the file and its folder?",
}

#: Bytes that psycopg2 reads at a time of what is copied.
COPY_BUFFER = 8192

#: Settings for an SQLite connection.
SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "normal", "foreign_keys": 1, "cache_size": -64_000}


def connect(url: str, *, access: str = "create") -> peewee.Database:
    """Open the database that a URL identifies.

    The URL is ``sqlite:///file``, ``postgresql://user:password@host/name``, or ``embedded:///folder`` (a
    private PostgreSQL in that folder, started when needed). Three slashes mean a relative path, four an
    absolute one.

    Parameters:
      access: "create" creates a missing SQLite file or embedded server; "write" and "read" require that it
        exists; "read" lets no statement change an SQLite file.

    Raises:
      InputError: the URL is malformed, or the database cannot be opened. The message contains no password.
      UnavailableError: the server cannot be reached or does not accept connections at present.
    """
    database = OPENERS[_scheme(url)](url, access)
    try:
        database.connect()
        database.get_tables()
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        raise _refusal(url, error) from None
    _opened.add(database)
    return database


def _refusal(url: str, error: peewee.PeeweeException) -> SeedError:
    """Return the error to raise for a database that cannot be opened."""
    kind, remedy = failure_of(error)
    advice = CONNECTION_ADVICE.get(sqlstate(error)) or (remedy if kind is TooManyConnectionsError else "")
    refusal = UnavailableError if issubclass(kind, TransientError) else InputError
    reason = mask(error_message(error), url)
    return refusal("; ".join(filter(None, [f"database {without_secrets(url)}: {reason}", advice])))


#: Databases opened in this process.
_opened: "weakref.WeakSet[peewee.Database]" = weakref.WeakSet()


def _forget_connections() -> None:
    """Detach the parent's connections in a child process: closing one would end it for both processes."""
    for database in _opened:
        detach_connection(database)


os.register_at_fork(after_in_child=_forget_connections)


def address(database: peewee.Database, url: str) -> str:
    """Return where an open database is, to show it: for PostgreSQL what was connected to, however named."""
    if not url.startswith("postgres"):
        return without_secrets(url)
    info = driver_connection(database).info
    if info.host.startswith("/"):
        return f"postgresql://{info.user}@/{info.dbname}?host={info.host}"
    host = f"[{info.host}]" if ":" in info.host else info.host
    return f"postgresql://{info.user}@{host}:{info.port}/{info.dbname}"


@dataclass(frozen=True)
class Description:
    """What a database is, and where, to show it.

    Attributes:
      version: that of the server, or of SQLite's library.
      name: the database's name, or the file's.
      url: where it is, without password.
    """

    kind: Literal["PostgreSQL", "SQLite"]
    version: str
    name: str
    url: str


def describe(database: peewee.Database | None, url: str) -> Description:
    """Describe the database that a URL identifies.

    Parameters:
      database: what the URL opened; None: an SQLite file that does not exist yet.
    """
    if not isinstance(database, peewee.PostgresqlDatabase):
        return Description("SQLite", sqlite3.sqlite_version, Path(_file(url)).name, without_secrets(url))
    info = driver_connection(database).info
    version = info.parameter_status("server_version").split()[0]
    return Description("PostgreSQL", version, info.dbname, address(database, url))


def is_remote(database: peewee.Database) -> bool:
    """Return whether an open database is on another host."""
    if not isinstance(database, peewee.PostgresqlDatabase):
        return False
    host: str = driver_connection(database).info.host
    return not (host.startswith(("/", "127.")) or host in ("", "localhost", "::1"))


def sqlite_file(url: str) -> Path | None:
    """Return the file that an SQLite URL refers to; None for other URLs."""
    return Path(_file(url)) if _scheme(url) == "sqlite" else None


def disconnect(database: peewee.Database) -> None:
    """Drop this thread's connection, whatever its state; the next statement opens a new one."""
    connection = detach_connection(database)
    if connection is not None:
        with contextlib.suppress(Exception):
            connection.close()


def _scheme(url: str) -> str:
    """Return a URL's scheme; raise InputError if it is not a database's."""
    scheme, separator, _ = url.partition(":")
    if not separator or scheme not in OPENERS:
        known = ", ".join(f"{scheme}://" for scheme in OPENERS)
        hint = meant_database(url) or f"it must begin with one of {known}"
        raise InputError(f"database {without_secrets(url)}: unknown kind; {hint}")
    return scheme


def _file(url: str) -> str:
    """Return the path in the URL of a file or folder."""
    scheme, _, rest = url.partition(":")
    path = rest.removeprefix("///")
    if path == rest or not path.strip("/") or "?" in path or "#" in path:
        name = re.sub(r"[?#].*", "", rest.strip("/"))
        example = f"{scheme}:///{name if PLAIN_PATH.fullmatch(name) else 'name'}"
        raise InputError(
            f"database {without_secrets(url)}: expected three slashes and a path, such as {example}, "
            "with ? and # in it written as %3F and %23"
        )
    return unquote(path)


def _sqlite(url: str, access: str) -> peewee.Database:
    path = _file(url)
    if path == ":memory:":
        raise InputError("an in-memory database would be gone with the command; name a file")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise InputError(f"database {without_secrets(url)}: there is no folder {folder}")
    if Path(path).exists() and not Path(path).is_file():
        raise InputError(f"database {without_secrets(url)}: is not a file; name a file")
    if access != "create" and not Path(path).exists():
        raise InputError(
            f"database {without_secrets(url)}: there is no such file; seed it first: tformance-seed seed"
        )
    options: dict[str, Any] = {"timeout": BUSY_TIMEOUT, "field_types": FIELD_TYPES["sqlite"]}
    if access == "read":
        # Who closes a file last merges its journal into it, and only a connection that may write can.
        # Where it cannot, nobody has the file open if there is no journal, and SQLite need not make one.
        may_write = os.access(path, os.W_OK) and os.access(folder, os.W_OK)
        mode = "rw" if may_write else "ro" if Path(f"{path}-wal").exists() else "ro&immutable=1"
        uri = f"file:{quote(path)}?mode={mode}"
        return peewee.SqliteDatabase(uri, uri=True, pragmas={"query_only": 1}, **options)
    return peewee.SqliteDatabase(path, pragmas=SQLITE_PRAGMAS, **options)


def _postgresql(url: str, _access: str) -> peewee.Database:
    if parse_server_url(url) is None:
        raise malformed("database", url, "postgresql://user:password@host/name")
    url = url.replace("postgres://", "postgresql://", 1)
    options: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT, **KEEPALIVES}
    with contextlib.suppress(psycopg2.ProgrammingError):  # connecting says what is wrong with it
        for chosen in psycopg2.extensions.parse_dsn(url):
            options.pop(chosen, None)
    return peewee.PostgresqlDatabase(
        url,
        field_types=FIELD_TYPES["postgresql"],
        application_name="tformance_seed",
        client_encoding="UTF8",
        connection_factory=_Connection,
        **options,
    )


#: What every statement of this package on PostgreSQL ends with, so that whoever reads the server's log or its
#: statistics knows whose it is.
MARK = "/* tformance_seed */"


class _Cursor(psycopg2.extensions.cursor):
    """A cursor that marks its statements."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Execute a statement."""
        super().execute(_marked(query), vars)

    def copy_expert(self, sql: Any, file: Any, size: int = COPY_BUFFER) -> None:
        """Execute a COPY statement."""
        super().copy_expert(_marked(sql), file, size)


def _marked(statement: str | bytes) -> str | bytes:
    return statement + b" " + MARK.encode() if isinstance(statement, bytes) else f"{statement} {MARK}"


class _Connection(WatchedConnection):
    """A connection that marks its statements.

    It returns JSON strings as a type different from the JSON text that SQLite returns.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.cursor_factory = _Cursor
        psycopg2.extras.register_default_jsonb(self, loads=parse_json)


def open_server(url: str, access: str = "create", port: int | None = None) -> "Server":
    """Use the server of an ``embedded://`` URL until this process ends, starting it if necessary.

    Parameters:
      access: as of ``connect``.
      port: where it is to listen on this machine, 0 for any port that is free; by default nowhere.

    Raises:
      InputError: the URL is of another kind, or there can be no such server.
      UnavailableError: it does not start.
    """
    if _scheme(url) != "embedded":
        raise InputError(
            f"database {without_secrets(url)}: its server is not ours to run; name embedded:///folder"
        )
    folder = Path(_file(url)).absolute()
    from tformance_seed.storage.embedded.server import use

    try:
        return use(folder, create=access == "create", port=port)
    except SeedError as error:
        raise type(error)(f"database {without_secrets(url)}: {error}") from error


def _embedded(url: str, access: str) -> peewee.Database:
    return _postgresql(open_server(url, access).url(), access)


#: Scheme of a URL -> function that opens the database.
OPENERS = {"sqlite": _sqlite, "postgresql": _postgresql, "postgres": _postgresql, "embedded": _embedded}
