"""Use the PostgreSQL of a folder: it is started for its first user and stopped after its last.

Two files of the folder are locked, by locks that the kernel releases when a process ends, however it ends:

- Every user holds a shared lock on ``.users``. A watcher waits until it can lock that file alone, and then
  stops the server.
- Who makes or starts the server locks ``.server`` alone, and the server inherits the lock. While that file
  can be locked, there is no server; whatever ``postmaster.pid`` says then is left from a failure of power, or
  was copied with the folder.
"""

import atexit
import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from tformance_seed.errors import InputError, SeedError, UnavailableError
from tformance_seed.storage.embedded import cluster
from tformance_seed.storage.embedded.programs import ENGLISH, account_for, installed

#: The files that are locked, the server's log, and the file in which PostgreSQL describes a running server.
USERS, SERVER, LOG, STATUS = ".users", ".server", "log", "postmaster.pid"

#: Seconds that a server may take to start, recovery after a failure of power included, and to stop.
START_TIMEOUT, STOP_TIMEOUT = 300.0, 60.0

#: Seconds between two looks at a server that starts or stops.
POLL_INTERVAL = 0.02

#: The port, which is part of the socket's name, of a server that is reached only through its socket.
SOCKET_PORT = 5432

#: The length that the name of a socket's folder may have everywhere: systems allow the socket 104 or 108.
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
        self._programs = programs or _programs_for(folder)
        if self._account and not self._account.can_reach(self._programs / "postgres"):
            raise InputError(
                f"PostgreSQL does not run as root, and user {self._account.name} cannot reach its programs "
                f"in {self._programs}; install the package where every user can read it"
            )
        self._lock = threading.Lock()
        self._users: int | None = None

    def start(self, port: int | None = None) -> None:
        """Use the server; start it if nobody uses it yet.

        Parameters:
          port: where it is to listen, on 127.0.0.1, if this starts it; by default nowhere.

        Raises:
          UnavailableError: it does not start.
        """
        with self._lock:
            self._prepare_folder()
            if self._users is None:
                users = self._open(USERS)
                try:
                    fcntl.flock(users, fcntl.LOCK_SH)  # while a watcher stops the server, this waits
                    self._start(port)
                except BaseException:
                    os.close(users)
                    raise
                self._users = users
            else:
                self._start(port)

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
        return int(self._status()[0])

    def port(self) -> int | None:
        """Return the port of 127.0.0.1 on which the server listens; None if it does not."""
        status = self._status()
        return int(status[3]) if len(status) > 5 and status[5] else None

    def url(self, database: str = cluster.SUPERUSER) -> str:
        """Return where this system's programs reach a database of the running server."""
        _, _, _, port, sockets, *_ = self._status()
        folder = quote(str(self.folder / sockets), safe="/")
        return f"postgresql://{cluster.SUPERUSER}@/{database}?host={folder}&port={port}"

    def _status(self) -> list[str]:
        return (self.folder / STATUS).read_text(errors="replace").splitlines()

    def _start(self, port: int | None) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        launched = False
        while True:
            lock = self._open(SERVER)
            try:
                if _try_lock(lock, fcntl.LOCK_EX):
                    if launched:
                        raise UnavailableError(f"PostgreSQL did not start: {self._reason()}")
                    self._launch(lock, port)
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

    def _launch(self, lock: int, port: int | None) -> None:
        """Start a watcher, and by it a server; both inherit the lock."""
        try:
            self._remove_stale_status()
            if cluster.version(self.folder) is None:
                self.folder.chmod(0o700)  # PostgreSQL demands it
                cluster.make(self.folder, self._programs, self._account, lock)
            log = self._open(LOG, os.O_WRONLY | os.O_TRUNC)
        except OSError as error:
            raise SeedError(f"PostgreSQL could not make its files: {error.strerror or error}") from error
        sockets = self._socket_folder()
        options = {
            "listen_addresses": "127.0.0.1" if port else "",
            "port": port or SOCKET_PORT,
            "unix_socket_directories": f'"{sockets}"' if sockets else ".",
            "unix_socket_permissions": "0700",
        }
        account = (str(self._account.user), str(self._account.group)) if self._account else ("", "")
        command: list[str | Path] = [self._programs / "postgres", "-D"]
        command.append(cluster.data_directory(self.folder, self._account))
        command += [argument for item in options.items() for argument in ("-c", f"{item[0]}={item[1]}")]
        watcher = Path(__file__).with_name("watcher.py")
        try:
            subprocess.run(
                [sys.executable, "-I", "-S", watcher, USERS, *account, sockets, *command],
                cwd=self.folder,
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

    def _socket_folder(self) -> str:
        """Make a folder for the socket if the server's own has a name in which no program could find it."""
        name = os.fsencode(self.folder)
        if len(name) <= MAX_SOCKET_FOLDER and b"," not in name:
            return ""
        sockets = tempfile.mkdtemp(prefix="tformance-seed-")
        if self._account:
            os.chown(sockets, self._account.user, self._account.group)
        return sockets

    def _remove_stale_status(self) -> None:
        """Remove what names processes of a server that is no more; PostgreSQL would take others for them."""
        path = self.folder / STATUS
        if not path.exists():
            return
        first = path.read_text(errors="replace").partition("\n")[0].strip()
        if first.isdecimal() and _is_postgresql_in(self.folder, int(first)):
            raise UnavailableError(
                f"another program runs a PostgreSQL in this folder, process {first}; stop that first"
            )
        path.unlink()
        for socket in self.folder.glob(".s.PGSQL.*"):
            socket.unlink()

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

    def _reason(self) -> str:
        return cluster.reason((self.folder / LOG).read_text(errors="replace"))

    def _is_used(self) -> bool:
        """Return whether there are users, rather than nobody, or a watcher that stops the server."""
        return not self._can_lock(USERS, fcntl.LOCK_EX) and self._can_lock(USERS, fcntl.LOCK_SH)

    def _can_lock(self, name: str, operation: int) -> bool:
        file = self._open(name)
        try:
            return _try_lock(file, operation)
        finally:
            os.close(file)

    def _open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open a file of the folder; a new one belongs to who runs the server."""
        path = self.folder / name
        try:
            with contextlib.suppress(FileExistsError):
                made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
                if self._account:
                    os.fchown(made, self._account.user, self._account.group)
                os.close(made)
            return os.open(path, flags | os.O_NOFOLLOW)
        except OSError as error:
            raise InputError(f"the folder cannot be used: {error.strerror}") from None


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


def _is_postgresql_in(folder: Path, pid: int) -> bool:
    """Return whether a process is a PostgreSQL that has its data in a folder."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and os.path.samefile(process.cwd(), folder)
    except (psutil.Error, OSError):
        return False


def _try_lock(file: int, operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


#: The servers that this process uses until it ends.
_used: dict[Path, Server] = {}


def use(folder: Path, *, create: bool = True) -> Server:
    """Use the PostgreSQL of a folder until this process ends.

    Parameters:
      create: make it if it does not exist.

    Raises:
      InputError: there is none, or this user cannot use it, or something else is in the folder.
      UnavailableError: it does not start.
    """
    if not folder.parent.is_dir():
        raise InputError(f"there is no folder {folder.parent}")
    if not create and cluster.version(folder) is None:
        raise InputError("there is no such database; seed it first: tformance-seed seed")
    server = _used.get(folder) or Server(folder)
    server.start()
    if folder not in _used:
        _used[folder] = server
        atexit.register(server.release)
    return server


def _leave_to_parent() -> None:
    """Keep a forked process from releasing what its parent uses."""
    for server in _used.values():
        server.forget()
    _used.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
