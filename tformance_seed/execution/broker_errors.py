"""What brokers' drivers raise, and how it is said."""

import functools

from dramatiq.errors import BrokerError


@functools.cache
def connection_errors() -> tuple[type[Exception], ...]:
    """Return the errors that say a broker is away.

    A function, since importing the drivers takes longer than a small run: ``except`` calls it only when
    there is an error.
    """
    import redis

    errors: tuple[type[Exception], ...] = (BrokerError, redis.ConnectionError, redis.TimeoutError)
    try:
        from pika.exceptions import AMQPError
    except ImportError:
        return errors
    return (*errors, AMQPError)


def error_message(error: BaseException) -> str:
    """Return what a driver says went wrong; some of pika's errors say nothing but their name."""
    return str(error) or type(error).__name__
