"""Translate database errors: SQLSTATE, whether retrying may help, and one line for the user."""

import re

import peewee

from tformance_seed.errors import SeedError, TooManyConnectionsError, TransientError

#: SQLSTATE for a row whose unique key already exists.
UNIQUE_VIOLATION = "23505"

#: SQLSTATE, or a prefix of it -> (error class, what the user can do about it). The longest prefix wins.
#: Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
FAILURES: dict[str, tuple[type[SeedError], str]] = {
    "08": (TransientError, "the connection was lost: run the same command again"),
    "23": (SeedError, "rows that this package does not own are in the way"),
    "40": (TransientError, "it conflicted with another transaction: run the same command again"),
    "25006": (SeedError, "the database is read-only: make it writable and run the same command again"),
    "42P01": (
        SeedError,
        "a table is gone: create it with `tformance-seed init` and run the same command again",
    ),
    "42501": (SeedError, "grant the privilege and run the same command again"),
    "53100": (SeedError, "the server's disk is full: make room and run the same command again"),
    "53200": (SeedError, "the server is out of memory: free some and run the same command again"),
    "53300": (
        TooManyConnectionsError,
        "the server accepts no more connections: close some or raise max_connections, then run it again",
    ),
    "55P03": (TransientError, "another session holds a lock: run the same command again"),
    "57P": (TransientError, "the server was stopped: run the same command again when it is back"),
}

#: The entry for all other errors.
UNKNOWN_FAILURE = (SeedError, "running the same command again continues from there")

#: Patterns for messages of drivers that give no SQLSTATE -> the corresponding SQLSTATE. The first match wins.
#: psycopg2 gives no SQLSTATE while connecting; SQLite never does.
MESSAGES = {
    re.compile(pattern): code
    for pattern, code in {
        "too many (clients|connections)|remaining connection slots|no more connections": "53300",
        "^invalid ": "22023",
        "authentication failed|no password supplied|no pg_hba.conf entry": "28000",
        'FATAL: +role ".*" does not exist': "28000",
        'FATAL: +database ".*" does not exist': "3D000",
        "disk is full": "53100",
        "readonly database": "25006",
        "unable to open database file": "58030",
        "no such table": "42P01",
        "database is locked": "55P03",
        "shutting down|starting up|recovery mode|terminating": "57P03",
        "connection|server closed|could not connect|could not translate host name": "08006",
        "cursor already closed|SSL SYSCALL|lost synchronization|no message from the libpq": "08006",
    }.items()
}

#: What a driver says while it gives up a transaction that another error, the one to report, has ended.
AFTERMATH = re.compile("cannot rollback|connection already closed|cursor already closed")

#: Error classes that a driver may raise without an SQLSTATE.
WITHOUT_SQLSTATE = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)


def error_message(error: BaseException) -> str:
    """Return a driver's message on one line."""
    return " ".join(str(error).split("\n")[0].split()) or type(error).__name__


def sqlstate(error: BaseException) -> str:
    """Return an error's SQLSTATE: from the driver, else derived from the message, else ``""``."""
    cause = error.__cause__ or error.__context__
    code: str | None = getattr(error, "pgcode", None) or getattr(cause, "pgcode", None)
    if code or not (isinstance(error, WITHOUT_SQLSTATE) or type(error) is peewee.DatabaseError):
        return code or ""
    text = str(error)
    return next((code for pattern, code in MESSAGES.items() if pattern.search(text)), "")


def first_error(error: BaseException) -> BaseException:
    """Return the error that ended a transaction, where rolling that back raised another one."""
    earlier: BaseException | None = error
    while earlier is not None and AFTERMATH.search(str(earlier)):
        earlier = earlier.__context__ or earlier.__cause__
        if isinstance(earlier, peewee.PeeweeException) and not AFTERMATH.search(str(earlier)):
            return earlier
    return error


def is_transient(error: BaseException) -> bool:
    """Return whether a later retry may succeed.

    True for a lost or refused connection, a deadlock, a serialization failure, a lock held by another
    session, and a server that is shutting down or starting up.
    """
    return issubclass(failure_of(error)[0], TransientError)


def to_seed_error(error: BaseException) -> SeedError:
    """Convert a database error to the error to raise, with one line that says how to continue."""
    error = first_error(error)
    kind, remedy = failure_of(error)
    return kind(f"the database refused: {error_message(error)}. What was committed is safe; {remedy}")


def failure_of(error: BaseException) -> tuple[type[SeedError], str]:
    """Return the class to raise for an error, and what the user can do about it."""
    error = first_error(error)
    if not isinstance(error, peewee.DatabaseError | peewee.InterfaceError):
        return UNKNOWN_FAILURE
    code = sqlstate(error)
    return next((FAILURES[code[:n]] for n in (5, 3, 2) if code[:n] in FAILURES), UNKNOWN_FAILURE)
