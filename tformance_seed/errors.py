"""What can go wrong, in words a user can act on. Every message is one line: what, where, what to do."""


class SeedError(Exception):
    """A run failed. What was committed stays; the same command goes on from there. Exit status 1."""

    exit_status = 1


class InputError(SeedError):
    """The input is wrong and nothing was written. Exit status 2."""

    exit_status = 2
