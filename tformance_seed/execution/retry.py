"""The retry policy: what is tried again, how often, and after how long."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import peewee
from dramatiq.common import compute_backoff
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware.threading import Interrupt

from tformance_seed.errors import SeedError, TooManyConnectionsError, TransientError
from tformance_seed.execution.broker_errors import connection_errors, error_message
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.failures import is_transient, to_seed_error

T = TypeVar("T")

#: How often a task may be started. One that is started more often is a poison message: it kills its workers.
MAX_ATTEMPTS = 10

#: Milliseconds after which a task is interrupted; it is then retried.
SOFT_TIME_LIMIT = 300_000

#: Milliseconds until a task is retried: at first, doubling each time, and at most.
TASK_BACKOFF = (500, 15_000)

#: Milliseconds until a task is retried that got no connection: another thread may free one at any moment.
TOO_MANY_CONNECTIONS_DELAY = 1_000

#: Milliseconds until a message is sent again to a broker that is away: at first, and at most.
BROKER_BACKOFF = (100, 5_000)

#: Seconds without the database or the broker after which a command gives up; and between two attempts to
#: reach the database.
GIVE_UP_AFTER = 60.0
RETRY_DELAY = 2.0

#: Seconds until a worker process is replaced that crashed as soon as it started, doubled for each such crash
#: in a row but the first, which costs nothing; and at most.
PROCESS_BACKOFF = (1.0, 30.0)

#: How often a back-off is doubled at most, so that the power stays a number of moderate size.
MAX_DOUBLINGS = 16


@dataclass(frozen=True)
class Decision:
    """What to do about a task that failed.

    Parameters:
      reason: what went wrong, in one line.
      retry: whether to try the task again.
      delay: milliseconds until then; None: as ``TASK_BACKOFF`` says.
      unexpected: whether the error is a defect, so that its traceback is of interest.
    """

    reason: str
    retry: bool
    delay: int | None = None
    unexpected: bool = False


class UnexpectedError(SeedError):
    """A defect of this package."""


def decide(error: BaseException, attempts: int) -> Decision:
    """Decide from an error's class whether its task is tried again, and when.

    Parameters:
      attempts: how often the task was started; 0 where that is not known, because the ledger is out of reach.
    """
    failure = classify(error)
    return Decision(
        reason=str(failure),
        retry=isinstance(failure, TransientError) and attempts < MAX_ATTEMPTS,
        delay=TOO_MANY_CONNECTIONS_DELAY if isinstance(failure, TooManyConnectionsError) else None,
        unexpected=isinstance(failure, UnexpectedError),
    )


def classify(error: BaseException) -> SeedError:
    """Return an error as one of the package's own, whose class says whether it may pass."""
    if isinstance(error, SeedError):
        return error
    if isinstance(error, peewee.PeeweeException):
        return to_seed_error(error)
    if isinstance(error, Interrupt):
        return TransientError(f"interrupted: it took longer than {SOFT_TIME_LIMIT // 1000} s")
    if isinstance(error, connection_errors()):
        return TransientError(f"the broker is away: {error_message(error)}")
    return UnexpectedError(f"unexpected {type(error).__name__}: {error}; please report this")


def is_retried(retries: int, error: BaseException) -> bool:
    """Return whether Dramatiq sends a message again: always where ``decide`` says so, else a few times.

    What is no decision of this module went wrong before the task was known, such as a message of another
    version, or after it was done, such as a result that could not be stored.
    """
    return isinstance(error, Retry | RateLimitExceeded | Interrupt) or retries < MAX_ATTEMPTS


def check_attempts(attempts: int) -> None:
    """Raise SeedError for a poison message: a task that was started too often without coming to an end."""
    if attempts > MAX_ATTEMPTS:
        raise SeedError(f"given up: {MAX_ATTEMPTS} workers died or were stopped while running it")


def broker_delay(attempts: int) -> int:
    """Return the milliseconds until a message is sent again that was sent so often in vain, with jitter."""
    first, longest = BROKER_BACKOFF
    _, delay = compute_backoff(attempts, factor=first, max_backoff=longest)
    return delay


def until_available(database: peewee.Database, call: Callable[[], T]) -> T:
    """Return what a function reads from the database, calling it again while the database is away.

    Raises:
      peewee.PeeweeException: the database is away for longer than ``GIVE_UP_AFTER``, or refuses for good.
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
    """Return the seconds until a process is replaced that crashed so many times in a row as it started."""
    first, longest = PROCESS_BACKOFF
    doublings = min(crashes - 1, MAX_DOUBLINGS)
    return min(longest, first * 2**doublings) if crashes > 1 else 0.0
