"""Use the PostgreSQL of a folder: it is started for its first user and stopped after its last.

Who uses it and whether it is up is not written down anywhere, since what is written outlives a process that
is killed: it is known by locks. While the file ``.server`` can be locked, there is no server, and whatever
``postmaster.pid`` says is left from a failure of power, or was copied with the folder. While the file
``.users`` can be locked alone, nobody uses the server; a watcher waits for that, and stops it.
"""

import atexit
import contextlib
import fcntl
import os
import secrets
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from tformance_seed.errors import InputError, SeedError, UnavailableError
from tformance_seed.storage.embedded import cluster
from tformance_seed.storage.embedded.files import LOG, PASSWORD, SERVER, USERS, open_file, status, try_lock
from tformance_seed.storage.embedded.launch import LOCALHOST, launch
from tformance_seed.storage.embedded.programs import account_for, installed, reachable

#: Rules of earlier releases, with which everybody on this machine comes in through a port.
OPEN_DOORS = "SELECT 1 FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method = 'trust'"

#: Seconds that a server may take to start, recovery after a failure of power included, and to stop.
START_TIMEOUT, STOP_TIMEOUT = 300.0, 60.0

#: Seconds between two looks at a server that starts or stops.
POLL_INTERVAL = 0.02

#: The length of a folder's name with which the socket in it can be named everywhere: systems allow 104 or 108
#: bytes for both. A comma would end the name.
MAX_SOCKET_FOLDER = 80

#: What a server says while it starts or stops, in all its versions.
NOT_YET = ("starting up", "shutting down", "recovery", "not yet accepting")


class Server:
    """The PostgreSQL of a folder, which this process uses from ``start`` to ``release``, or until it ends.

    Parameters:
      folder: is made if it does not exist; otherwise it is a server's, or empty.
      programs: the folder of PostgreSQL's programs; by default those of the extra, of the folder's version.

    Raises:
      InputError: no server can be in this folder, or not for this user.
    """

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        self.folder = folder
        self._account = account_for(folder)
        self._programs = reachable(programs or _programs_for(folder), self._account)
        self._lock = threading.Lock()
        self._users: int | None = None

    def start(self, port: int | None = None) -> None:
        """Use the server; start it if nobody uses it yet.

        Parameters:
          port: where it is to listen on this machine, 0 for any port that is free; by default nowhere.

        Raises:
          InputError: the port is taken, or the server is up without it.
          UnavailableError: the server does not start.
        """
        with self._lock:
            self._prepare_folder()
            if self._users is not None and not _is_there(self._users, self.folder / USERS):
                os.close(self._users)
                self._users = None
            users = self._open(USERS) if self._users is None else self._users
            try:
                fcntl.flock(users, fcntl.LOCK_SH)  # while a watcher stops the server, this waits
                self._start(port)
                if port is not None and (self.port() is None or port not in (0, self.port())):
                    raise InputError("another command uses it, without this port; wait until that has ended")
            except BaseException:
                if self._users is None:
                    os.close(users)
                raise
            self._users = users

    def release(self) -> None:
        """Use the server no more; the last user returns when it is stopped."""
        with self._lock:
            if self._users is None:
                return
            os.close(self._users)
            self._users = None
        deadline = time.monotonic() + STOP_TIMEOUT
        with contextlib.suppress(SeedError):  # somebody has removed the folder
            while self.is_running() and not self._is_used() and time.monotonic() < deadline:
                time.sleep(POLL_INTERVAL)

    def forget(self) -> None:
        """Leave releasing to the process that this one was forked from; this one is a user until it ends."""
        self._users = None

    def wait(self) -> None:
        """Return when the server has stopped."""
        lock = self._open(SERVER)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def is_running(self) -> bool:
        """Return whether there is a server, or one is starting or stopping."""
        return not self._can_lock(SERVER, fcntl.LOCK_EX)

    def pid(self) -> int:
        """Return the number of the server's first process."""
        return int(status(self.folder)[0])

    def port(self) -> int | None:
        """Return the port of this machine on which the server listens; None if it does not."""
        _, _, _, port, _, address, *_ = status(self.folder)
        return int(port) if address else None

    def tcp_url(self) -> str:
        """Return where any program of this machine reaches the server, which listens on a port.

        Raises:
          InputError: the folder was made by an earlier release, which lets everybody in without a password.
        """
        file = self._open(PASSWORD, os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # PostgreSQL refuses two changes of a role at the same time
            password = os.read(file, 100).decode() or secrets.token_urlsafe(12)
            os.pwrite(file, password.encode(), 0)
            self._set_password(password)
        finally:
            os.close(file)
        return f"postgresql://{cluster.SUPERUSER}:{password}@{LOCALHOST}:{self.port()}/{cluster.SUPERUSER}"

    def url(self, database: str = cluster.SUPERUSER) -> str:
        """Return where this system's programs reach a database of the running server."""
        pid, _, _, port, *_ = status(self.folder)
        host = quote(_short_name(self.folder, pid), safe="/")
        # Without an empty one, a PGHOSTADDR in the environment would lead to another server.
        return f"postgresql://{cluster.SUPERUSER}@/{database}?host={host}&port={port}&hostaddr="

    def _set_password(self, password: str) -> None:
        connection = psycopg2.connect(self.url())
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(OPEN_DOORS)
                if cursor.fetchone():
                    raise InputError(f"{self.folder}/pg_hba.conf lets in every user here; name a new folder")
                cursor.execute(f"ALTER ROLE {cluster.SUPERUSER} PASSWORD %s", [password])
        finally:
            connection.close()

    def _start(self, port: int | None) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        launched = False
        while True:
            lock = self._open(SERVER)
            try:
                if try_lock(lock, fcntl.LOCK_EX):
                    if launched:
                        raise UnavailableError(f"PostgreSQL did not start: {self._reason()}")
                    launch(self.folder, self._programs, self._account, lock, port)
                    launched = True
                elif self._answers():
                    return
            finally:
                os.close(lock)
            if time.monotonic() > deadline:
                raise UnavailableError(f"PostgreSQL does not answer; its log is {self.folder / LOG}")
            time.sleep(POLL_INTERVAL)

    def _prepare_folder(self) -> None:
        """Make the folder itself, and see that a server can be in it."""
        try:
            self.folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except OSError as error:
            raise InputError(f"the folder cannot be made: {error.strerror}") from None
        if cluster.version(self.folder) is None:
            if not cluster.is_free(self.folder, {USERS, SERVER, LOG}):
                raise InputError("the folder contains something else; name a new one, or an empty one")
            if self._account and self.folder.stat().st_uid == 0:
                os.chown(self.folder, self._account.user, self._account.group)

    def _answers(self) -> bool:
        """Return whether the server can be connected to, or refuses for another reason than the time."""
        try:
            psycopg2.connect(self.url(), connect_timeout=5).close()
        except (OSError, ValueError, IndexError):  # it has not said where it is
            return False
        except psycopg2.OperationalError as error:
            text = str(error)
            return "FATAL" in text and not any(words in text for words in NOT_YET)
        return True

    def _open(self, name: str, flags: int = os.O_RDONLY) -> int:
        return open_file(self.folder, name, self._account, flags)

    def _reason(self) -> str:
        return cluster.reason((self.folder / LOG).read_text(errors="replace"))

    def _is_used(self) -> bool:
        """Return whether there are users, rather than nobody, or a watcher that stops the server."""
        return not self._can_lock(USERS, fcntl.LOCK_EX) and self._can_lock(USERS, fcntl.LOCK_SH)

    def _can_lock(self, name: str, operation: int) -> bool:
        file = self._open(name)
        try:
            return try_lock(file, operation)
        finally:
            os.close(file)


def _short_name(folder: Path, pid: str) -> str:
    """Return a name of a server's folder by which a client finds the socket in it.

    Linux has another name, for the folder that the server is in.

    Raises:
      InputError: there is none.
    """
    if len(os.fsencode(folder)) <= MAX_SOCKET_FOLDER and "," not in str(folder):
        return str(folder)
    if not Path("/proc/self/cwd").exists():
        raise InputError("the folder's name is too long for this system, or has a comma in it")
    return f"/proc/{pid}/cwd"


def _programs_for(folder: Path) -> Path:
    """Return the folder of the programs that can use a folder's data; for a new one, the newest."""
    programs, needed = installed(), cluster.version(folder)
    if needed is None:
        return programs[max(programs)]
    if needed not in programs:
        versions = " and ".join(map(str, sorted(programs)))
        raise InputError(
            f"the folder's data is of PostgreSQL {needed or 'of unknown version'}, and the extra brings "
            f"{versions}; name a new folder"
        )
    return programs[needed]


def _is_there(file: int, path: Path) -> bool:
    """Return whether an open file is at a path: somebody may have removed or replaced the folder."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


#: The servers that this process uses until it ends.
_used: dict[Path, Server] = {}


def use(folder: Path, *, create: bool = True, port: int | None = None) -> Server:
    """Use the PostgreSQL of a folder until this process ends.

    Parameters:
      create: make it if it does not exist.
      port: as of ``Server.start``.

    Raises:
      InputError: there is none, or this user cannot use it, or something else is in the folder.
      UnavailableError: it does not start.
    """
    if not folder.parent.is_dir():
        raise InputError(f"there is no folder {folder.parent}")
    if not create and cluster.version(folder) is None:
        raise InputError("there is no such database; seed it first: tformance-seed seed")
    server = _used.get(folder) or Server(folder)
    server.start(port)
    if folder not in _used:
        _used[folder] = server
        atexit.register(_release_at_exit, server)
    return server


def _release_at_exit(server: Server) -> None:
    with contextlib.suppress(KeyboardInterrupt):  # who does not want to wait has no need to: a watcher does
        server.release()


def _leave_to_parent() -> None:
    """Keep a forked process from releasing what its parent uses."""
    for server in _used.values():
        server.forget()
    _used.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
