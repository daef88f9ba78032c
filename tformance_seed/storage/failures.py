"""What a database refuses, and what that means: its SQLSTATE, whether it may pass, one line for the user."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import peewee

from tformance_seed.errors import SeedError

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
TRANSIENT_SQLSTATES = ("08", "40", "53300", "55P03", "57P")


#: What the drivers say where there is no SQLSTATE: no connection could be made, or it was lost.
TOO_MANY = re.compile(r"too many (clients|connections)|remaining connection slots|no more connections")


LOST = re.compile(
    "connection|server closed|could not connect|cursor already closed|SSL SYSCALL|shutting down|starting up"
    "|recovery mode|database is locked|terminating"
)


def error_message(error: BaseException, url: str = "") -> str:
    """What a driver says went wrong: one line, without anything secret in the URL."""
    text = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
    parts = urlsplit(url)
    secrets = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if "pass" in name)]
    secrets += [unquote(secret) for secret in secrets]
    if text.startswith("invalid") or any(secret and secret in text for secret in secrets):
        return "the server's address is malformed or wrong"
    return text


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error; empty where the driver has none."""
    cause = error.__cause__ or error.__context__
    code = getattr(error, "pgcode", None) or getattr(cause, "pgcode", None) or ""
    return code or ("53300" if TOO_MANY.search(str(error)) else "")


def is_transient(error: BaseException) -> bool:
    """Whether what went wrong can be gone when the same is tried again in a while.

    A lost or refused connection, a deadlock, a serialization failure, a server that stops or starts.
    """
    if not isinstance(error, peewee.OperationalError | peewee.InterfaceError | peewee.InternalError):
        return False
    code = sqlstate(error)
    return code.startswith(TRANSIENT_SQLSTATES) if code else LOST.search(str(error)) is not None


def to_seed_error(error: peewee.PeeweeException) -> SeedError:
    """A database's refusal as one line that says what is safe and how to go on."""
    code = sqlstate(error)
    remedy = next((text for prefix, text in REMEDIES.items() if code.startswith(prefix)), None)
    if "disk is full" in str(error):
        remedy = "make room and run the same command again"
    return SeedError(
        f"the database refused: {error_message(error)}. What was committed is safe; "
        + (remedy or "running the same command again goes on from there")
    )
