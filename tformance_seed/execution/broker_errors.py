"""The errors that broker drivers raise, their messages, and what to do about a broker that refuses."""

import functools
import re

from dramatiq.errors import BrokerError

#: Patterns for refusals that pass by themselves: memory or disk is freed, a standby becomes the primary.
#: The codes before them (OOM, READONLY, NOPERM) are missing where Valkey refuses a command of a script.
OUT_OF_MEMORY = "command not allowed when used memory"
READ_ONLY = "READONLY|read only replica"
NO_DISK = "MISCONF"
PASSING = (OUT_OF_MEMORY, READ_ONLY, NO_DISK)

#: Pattern for what a broker says when it refuses to do its work -> what to do about it.
REFUSALS = {
    OUT_OF_MEMORY: "it is out of memory: raise its maxmemory, or remove what fills it",
    READ_ONLY: "it is a read-only replica: name the primary server",
    NO_DISK: "it cannot write to its disk: free space there, or see its log",
    "NOPERM|[Nn]o permissions|ACL failure|The user executing the script|EXEC without MULTI": (
        "allow its user scripts, the commands in them (KEYS among them) and its keys: "
        "ACL SETUSER USER ~tformance_seed* +@all"
    ),
    "DB index is out of range": "it has no database of that number: name one that it has, such as /0",
    "WRONGPASS|invalid username-password|NOAUTH|Authentication required|invalid password": (
        "check user and password in its URL"
    ),
    "ACCESS_REFUSED": "check user and password, and grant the user all rights on the virtual host: "
    "rabbitmqctl set_permissions -p / USER '.*' '.*' '.*'",
    "PRECONDITION_FAILED": "another program has a queue of this name: name a virtual host of our own",
    "NOT_ALLOWED": "check the virtual host in its URL, and grant the user rights on it",
}

#: The characters of a refusal that are shown: it may end with the place in a script.
MESSAGE_LENGTH = 100


@functools.cache
def connection_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that mean that a broker is unreachable.

    This is a function because importing the drivers takes longer than a small run: ``except`` calls it only
    if there is an error.
    """
    import redis

    errors: tuple[type[Exception], ...] = (BrokerError, redis.ConnectionError, redis.TimeoutError)
    try:
        from pika.adapters.utils.connection_workflow import AMQPConnectorException
        from pika.exceptions import AMQPError
    except ImportError:
        return errors
    return (*errors, AMQPError, AMQPConnectorException)


@functools.cache
def broker_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of a broker that is unreachable or refuses, where nothing else can raise them."""
    import redis

    return (*connection_errors(), redis.RedisError, OSError)  # Pika lets an unknown host's error through


def refusal(error: BaseException) -> str | None:
    """Return the pattern of ``REFUSALS`` that an error's message matches; None if it matches none."""
    text = error_message(error)
    return next((pattern for pattern in REFUSALS if re.search(pattern, text)), None)


def is_transient(error: BaseException) -> bool:
    """Return whether a broker's error may pass by itself."""
    pattern = refusal(error)
    return isinstance(error, (*connection_errors(), OSError)) if pattern is None else pattern in PASSING


def error_message(error: BaseException) -> str:
    """Return a driver's error message on one line, or the name of the error's class if it has none."""
    return " ".join(str(error).split()) or repr(error)


def explain(error: BaseException) -> str:
    """Return a broker's error as one line, with what to do about it."""
    text, pattern = error_message(error), refusal(error)
    if pattern is not None:
        said = re.sub(f".*?(?={pattern})", "", text, count=1)
        return f"the broker refused: {said[:MESSAGE_LENGTH]}; {REFUSALS[pattern]}"
    if isinstance(error, (*connection_errors(), OSError)):
        return f"the broker does not answer: {text}; is its URL right, and is it up?"
    return f"the broker refused: {text[:MESSAGE_LENGTH]}; it must be one that Dramatiq can use"
