"""The retry policy: what is retried, how many times, and after what delay."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import peewee
from dramatiq.common import compute_backoff
from dramatiq.errors import Retry
from dramatiq.middleware.threading import Interrupt

from tformance_seed.errors import SeedError, TooManyConnectionsError, TransientError, exhaustion
from tformance_seed.execution import broker_errors
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.failures import is_transient, to_seed_error

T = TypeVar("T")

#: Maximum number of times a task may be started. A task that is started more times than this is a poison
#: message: it kills its workers.
MAX_ATTEMPTS = 10

#: Milliseconds after which a task is interrupted; it is then retried.
SOFT_TIME_LIMIT = 300_000

#: Milliseconds before a task is retried: the first delay, doubled on each retry, and the longest delay.
TASK_BACKOFF = (500, 15_000)

#: Milliseconds before retrying a task that could not get a connection: another thread may free one at any
#: moment.
TOO_MANY_CONNECTIONS_DELAY = 1_000

#: Milliseconds before resending a message when the broker is unreachable: the first delay, doubled on each
#: attempt, and the longest delay.
BROKER_BACKOFF = (100, 5_000)

#: Seconds after which a command gives up if the database or the broker stays unreachable, or if no task can
#: be taken: with the time-out of a connection, a command ends within a minute.
GIVE_UP_AFTER = 45.0

#: Seconds between two attempts to reach the database.
RETRY_DELAY = 2.0

#: Seconds before replacing a worker process that crashed as soon as it started: the base delay, doubled for
#: each consecutive crash after the first, and the longest delay. The first crash causes no delay.
PROCESS_BACKOFF = (1.0, 30.0)

#: Maximum number of times a back-off is doubled, so that the power of two does not grow without bound.
MAX_DOUBLINGS = 16


@dataclass(frozen=True)
class Decision:
    """What to do about a task that failed.

    Parameters:
      failure: what went wrong; its message is one line.
      retry: whether to retry the task.
    """

    failure: SeedError
    retry: bool

    @property
    def reason(self) -> str:
        """What went wrong, in one line."""
        return str(self.failure)

    @property
    def delay(self) -> int | None:
        """Milliseconds before the retry; None: use ``TASK_BACKOFF``."""
        return TOO_MANY_CONNECTIONS_DELAY if isinstance(self.failure, TooManyConnectionsError) else None

    @property
    def unexpected(self) -> bool:
        """Whether the error is a defect in this package, so that its traceback is worth logging."""
        return isinstance(self.failure, UnexpectedError)


class UnexpectedError(SeedError):
    """A defect in this package."""


def decide(error: BaseException, attempts: int) -> Decision:
    """Decide from the class of an error whether to retry the task that raised it, and when.

    Parameters:
      attempts: how many times the task was started; 0 if unknown because the ledger is unreachable.
    """
    failure = classify(error)
    return Decision(failure, retry=isinstance(failure, TransientError) and attempts < MAX_ATTEMPTS)


def classify(error: BaseException) -> SeedError:
    """Convert an error to one of the package's own, whose class says whether it is transient."""
    if isinstance(error, SeedError):
        return error
    if isinstance(error, peewee.PeeweeException):
        return to_seed_error(error)
    if isinstance(error, Interrupt):
        return TransientError(f"interrupted: it took longer than {SOFT_TIME_LIMIT // 1000} s")
    if reason := exhaustion(error):
        return SeedError(reason)
    if isinstance(error, broker_errors.broker_errors()) and not isinstance(error, OSError):
        if broker_errors.is_transient(error):
            return TransientError(broker_errors.explain(error))
        if broker_errors.refusal(error):
            return SeedError(broker_errors.explain(error))
    return UnexpectedError(f"unexpected {type(error).__name__}: {error}; please report this")


def is_retried(retries: int, error: BaseException) -> bool:
    """Return whether Dramatiq should resend a message.

    Always resend if ``decide`` chose to retry, or the task was interrupted. Any other error
    occurred before the task was known (such as a message from another version) or after it was done (such as
    a result that could not be stored); resend those messages a limited number of times.
    """
    return isinstance(error, Retry | Interrupt) or retries < MAX_ATTEMPTS


def check_attempts(attempts: int) -> None:
    """Raise SeedError for a poison message: a task that was started too many times without finishing."""
    if attempts > MAX_ATTEMPTS:
        raise SeedError(f"given up: {MAX_ATTEMPTS} workers died or were stopped while running it")


def broker_delay(attempts: int) -> int:
    """Return the milliseconds to wait, with jitter, after this many failed attempts to send a message."""
    first, longest = BROKER_BACKOFF
    _, delay = compute_backoff(attempts, factor=first, max_backoff=longest)
    return delay


def until_available(database: peewee.Database, call: Callable[[], T]) -> T:
    """Return the result of a function that reads from the database; retry while the database is unreachable.

    Raises:
      peewee.PeeweeException: the database is unreachable for longer than ``GIVE_UP_AFTER``, or the error is
        not transient.
    """
    deadline = time.monotonic() + GIVE_UP_AFTER
    while True:
        try:
            return call()
        except (peewee.DatabaseError, peewee.InterfaceError) as error:
            disconnect(database)
            if not is_transient(error) or time.monotonic() > deadline:
                raise
        time.sleep(RETRY_DELAY)


def process_delay(crashes: int) -> float:
    """Return the seconds to wait before replacing a process after ``crashes`` crashes in a row at startup."""
    first, longest = PROCESS_BACKOFF
    doublings = min(crashes - 1, MAX_DOUBLINGS)
    return min(longest, first * 2**doublings) if crashes > 1 else 0.0
