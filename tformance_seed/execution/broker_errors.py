"""The errors that broker drivers raise, and their messages."""

import functools

from dramatiq.errors import BrokerError


@functools.cache
def connection_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that mean that a broker is unreachable.

    This is a function because importing the drivers takes longer than a small run: ``except`` calls it only
    if there is an error.
    """
    import redis

    errors: tuple[type[Exception], ...] = (BrokerError, redis.ConnectionError, redis.TimeoutError)
    try:
        from pika.exceptions import AMQPError
    except ImportError:
        return errors
    return (*errors, AMQPError)


def error_message(error: BaseException) -> str:
    """Return a driver's error message, or the name of the error's class if it has none, as in pika."""
    return str(error) or type(error).__name__
