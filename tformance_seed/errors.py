"""The package's errors. The class tells what to do about an error; the message is one line for the user."""

import errno

#: The system's errors that mean that this process, or the machine, has run out of something.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN}


class SeedError(Exception):
    """Base class of all errors; raised itself if a retry cannot succeed until the cause is removed.

    What was committed is safe; once the cause is removed, the same command continues from there.
    """

    #: Exit status of a command that ends with this error.
    exit_status = 1


class InputError(SeedError):
    """The user's input is invalid, and nothing was written."""

    exit_status = 2


class TransientError(SeedError):
    """An operation failed but may succeed later: a lost connection, a deadlock, a busy organisation."""


class UnavailableError(TransientError):
    """A database or broker does not answer, and nothing has been written yet."""

    exit_status = 2


class TooManyConnectionsError(TransientError):
    """The server accepts no more connections for now; one may become free in a moment."""


class OrganisationBusyError(TransientError):
    """Another run is seeding the organisation."""


def exhaustion(error: BaseException) -> str | None:
    """Return what this process has run out of, in words for the user; None if an error says nothing of it."""
    if isinstance(error, MemoryError):
        return "this process ran out of memory; a smaller --chunk-size needs less"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "this process may start no more threads, or lacks the memory for them; raise its limits"
    if isinstance(error, OSError) and error.errno in EXHAUSTED:
        return f"the system has no more for this process: {error.strerror}; make room, or raise its limits"
    return None
