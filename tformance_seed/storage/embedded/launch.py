"""Start the server of a folder in which there is none, with a watcher that stops it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tformance_seed.errors import InputError, SeedError, UnavailableError
from tformance_seed.storage.embedded import cluster
from tformance_seed.storage.embedded.files import LOG, STATUS, USERS, open_file, status
from tformance_seed.storage.embedded.programs import ENGLISH, Account

#: The only address that a server with a port listens on.
LOCALHOST = "127.0.0.1"

#: The port, which is part of the socket's name, of a server that is reached only through its socket.
SOCKET_PORT = 5432


def launch(folder: Path, programs: Path, account: Account | None, lock: int, port: int | None) -> None:
    """Start a watcher, and by it the server, which is made if necessary; do not wait until it answers.

    Parameters:
      lock: a file descriptor with the lock of who is the server; both inherit it.
      port: where to listen, 0 for any port that is free, None for nowhere.

    Raises:
      InputError: the port cannot be had.
      UnavailableError: there is a server of another program.
      SeedError: it could not be made.
    """
    socket_port = SOCKET_PORT if port is None else _free_port(port)
    try:
        _remove_stale_status(folder)
        if cluster.version(folder) is None:
            cluster.make(folder, programs, account, lock)
    except OSError as error:
        raise SeedError(f"PostgreSQL could not make its files: {error.strerror or error}") from error
    options = {
        "listen_addresses": "" if port is None else LOCALHOST,
        "port": socket_port,
        "unix_socket_directories": ".",
        "unix_socket_permissions": "0700",
    }
    command = [str(programs / "postgres"), "-D", cluster.data_directory(folder, account)]
    command += [argument for item in options.items() for argument in ("-c", f"{item[0]}={item[1]}")]
    user, group = (str(account.user), str(account.group)) if account else ("", "")
    log = open_file(folder, LOG, account, os.O_WRONLY | os.O_TRUNC)
    try:
        subprocess.run(
            [sys.executable, "-I", "-S", _watcher(), USERS, user, group, *command],
            cwd=folder,
            env=os.environ | ENGLISH,
            pass_fds=[lock],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    finally:
        os.close(log)


def _watcher() -> Path:
    return Path(__file__).with_name("watcher.py")


def _remove_stale_status(folder: Path) -> None:
    """Remove what names processes of a server that is no more; PostgreSQL would take others for them."""
    path = folder / STATUS
    if not path.exists():
        return
    first = "".join(status(folder)[:1]).strip()
    if first.isdecimal() and _is_postgresql_in(folder, int(first)):
        raise UnavailableError(
            f"another program runs a PostgreSQL in this folder, process {first}; stop that first"
        )
    path.unlink()
    for left in folder.glob(".s.PGSQL.*"):
        left.unlink()


def _is_postgresql_in(folder: Path, pid: int) -> bool:
    """Return whether a process is a PostgreSQL that has its data in a folder."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and os.path.samefile(process.cwd(), folder)
    except (psutil.Error, OSError, OverflowError):
        return False


def _free_port(port: int) -> int:
    """Return a port that nobody listens on: this one, for 0 any.

    Raises:
      InputError: the port is taken, or needs a right that this user does not have.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError as error:
            raise InputError(f"port {port} of {LOCALHOST} cannot be had: {error.strerror}") from None
        free: int = probe.getsockname()[1]
        return free
