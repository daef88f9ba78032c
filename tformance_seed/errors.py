"""What can go wrong. The class of an error says what to do about it; its message is one line for the user."""


class SeedError(Exception):
    """Base of all errors; raised itself when a retry will not help until the cause is removed.

    What was committed is safe; once the cause is removed, the same command continues from there.
    """

    #: Exit status of a command that ends with this error.
    exit_status = 1


class InputError(SeedError):
    """The user's input is wrong, and nothing was written."""

    exit_status = 2


class TransientError(SeedError):
    """Something failed that may succeed later: a lost connection, a deadlock, a busy organisation."""


class UnavailableError(TransientError):
    """A database or broker does not answer, and nothing was written yet."""

    exit_status = 2


class TooManyConnectionsError(TransientError):
    """The server accepts no more connections; one may be free in a moment."""


class OrganisationBusyError(TransientError):
    """Another run is seeding the organisation."""
