"""The package's errors. The class tells what to do about an error; the message is one line for the user."""


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
