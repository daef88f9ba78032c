import functools
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from tests.support.chat_server import ChatServer
from tests.support.commands import command
from tests.support.databases import bind, connect
from tests.support.seeds import DAYS, NOW, ORGANISATION, UNTIL
from tests.support.servers import Postgres, Redis, postgres
from tests.support.teams import Coherent
from tests.support.workers import Workers, digests
from tformance_seed.commands import seed as seeding
from tformance_seed.execution import broker as brokers
from tformance_seed.execution.executor import Executor
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.models import SeedRun
from tformance_seed.storage.schema.create import create_missing


def pytest_configure(config: pytest.Config) -> None:
    """Let commands that tests start be interrupted, and keep their bytecode, whatever the shell has set."""
    # The shell runs the tests in the background.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # It forbids bytecode beside the source: each of hundreds of processes would compile the package again.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        folder = os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = tempfile.mkdtemp(prefix="bytecode")
        sys.dont_write_bytecode = False
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that all tests share, each with databases of its own."""
    with postgres() as running:
        yield running


@pytest.fixture(scope="session")
def running_redis() -> Iterator[Redis]:
    """A Redis that all tests share."""
    folder = Path(tempfile.mkdtemp(prefix="redis"))
    server = Redis(folder)
    server.start()
    yield server
    server.crash()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def broker(running_redis: Redis) -> Redis:
    """An empty Redis."""
    running_redis.empty()
    return running_redis


@pytest.fixture
def postgresql_url(server: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with server.database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table, to be copied."""
    path = tmp_path_factory.mktemp("template") / "test.db"
    opened = connect(f"sqlite:///{path}")
    create_missing(opened)
    opened.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: the same test runs on SQLite and on PostgreSQL.

    Where a test asks for ``database`` too, every table is in it, copied from a template.
    """
    create = "database" in request.fixturenames
    if request.param == "postgresql":
        with request.getfixturevalue("server").database("package" if create else None) as url:
            yield url
        return
    if create:
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
    yield f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def database(url: str) -> Iterator[peewee.Database]:
    """A database with every table, the models bound to it."""
    opened = connect(url)
    yield opened
    opened.close()


@pytest.fixture
def application_url(server: Postgres) -> Iterator[str]:
    """A PostgreSQL database as the application's migrations leave it."""
    with server.database("application") as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coherent]:
    """A coherent team in a database that a whole module reads."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('kept')}/test.db"
    else:
        url = request.getfixturevalue("server").new_database("package")
    opened = connect(url)
    create_missing(opened)
    yield Coherent(opened)
    opened.close()


@pytest.fixture
def coherent(kept: Coherent) -> Iterator[Coherent]:
    """A coherent team that a test may change in any way: everything is rolled back."""
    bind(kept.database)
    with kept.database.atomic() as transaction:
        yield kept
        transaction.rollback()


@pytest.fixture
def workers(tmp_path: Path, postgresql_url: str, broker: Redis) -> Iterator[Callable[..., Workers]]:
    """Return a function that starts workers on an empty database and an empty Redis."""
    started = []

    def start(*options: str, **environment: str) -> Workers:
        started.append(Workers(tmp_path, postgresql_url, broker.url, *options, **environment))
        return started[-1]

    yield start
    for running in started:
        running.end()


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    """A language model."""
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """Return a function that seeds an SQLite file in one process, once, and returns the digests."""

    @functools.cache
    def seed(*arguments: str) -> dict[str, str]:
        url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/x.db"
        assert command("seed", *arguments, "--database", url).returncode == 0
        return digests(url)

    return seed


@pytest.fixture
def expected(undisturbed: Callable[..., dict[str, str]]) -> str:
    """Return the digest of the small organisation that ``tests.support.seeds.seed`` seeds by default."""
    return undisturbed(ORGANISATION, "--days", str(DAYS), "--until", str(UNTIL))[ORGANISATION]


@pytest.fixture
def opened(postgresql_url: str) -> Iterator[peewee.Database]:
    """The database of ``workers``, for a test to read its ledger."""
    database = connect(postgresql_url)
    yield database
    disconnect(database)


@pytest.fixture
def executor(opened: peewee.Database, broker: Redis) -> Executor:
    """An executor that sends messages to ``workers``."""
    return Executor(brokers.connect(broker.url), lambda: opened)


@pytest.fixture
def begin(opened: peewee.Database, executor: Executor) -> Callable[..., SeedRun]:
    """Return a function that enters a run in the ledger and sends its first tasks."""

    def enter(*organisations: str, days: int = 20, **options: Any) -> SeedRun:
        request = Request(organisations=organisations, days=days, **options)
        planned = make_plans(request, NOW)
        return seeding.begin(opened, executor, request, planned).record

    return enter
