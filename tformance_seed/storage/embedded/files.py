"""The files that this package adds to a server's folder, and their locks, which the kernel releases."""

import contextlib
import fcntl
import os
from pathlib import Path

from tformance_seed.errors import InputError
from tformance_seed.storage.embedded.programs import Account

#: Every user holds a shared lock on the first; who makes, starts or is the server locks the second alone.
USERS, SERVER = ".users", ".server"

#: The server's log, and the password of those who come through a port.
LOG, PASSWORD = "log", "password"

#: The file in which PostgreSQL itself describes a running server.
STATUS = "postmaster.pid"


def open_file(folder: Path, name: str, account: Account | None, flags: int = os.O_RDONLY) -> int:
    """Open a file of the folder and return its descriptor; a new one belongs to who runs the server.

    Raises:
      InputError: this user may not.
    """
    path = folder / name
    try:
        with contextlib.suppress(FileExistsError):
            made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            if account:
                os.fchown(made, account.user, account.group)
            os.close(made)
        return os.open(path, flags | os.O_NOFOLLOW)
    except OSError as error:
        raise InputError(f"the folder cannot be used: {error.strerror}") from None


def try_lock(file: int, operation: int) -> bool:
    """Lock a file without waiting; return whether that was possible."""
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def status(folder: Path) -> list[str]:
    """Return how PostgreSQL describes the server: process, folder, time, port, socket's folder, address."""
    return (folder / STATUS).read_text(errors="replace").splitlines()
