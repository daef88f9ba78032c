import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest
from servers import Postgres, Redis, postgres
from teams import Coherent

from tformance_seed import database as databases
from tformance_seed.models import APPLICATION
from tformance_seed.schema import create_missing


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    with postgres(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def running_redis() -> Iterator[Redis]:
    folder = Path(tempfile.mkdtemp(prefix="redis"))
    server = Redis(folder)
    server.start()
    yield server
    server.crash()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def broker(running_redis: Redis) -> Redis:
    """A Redis that holds nothing."""
    running_redis.empty()
    return running_redis


@pytest.fixture
def postgresql_url(server: Postgres) -> str:
    return server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: the same test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def database(url: str) -> Iterator[peewee.Database]:
    """A database with every table, the models bound to it."""
    opened = databases.connect(url)
    create_missing(opened)
    yield opened
    opened.close()


@pytest.fixture
def application_url(server: Postgres) -> str:
    """A PostgreSQL database as the application's migrations leave it."""
    url = server.new_database()
    server.execute((Path(__file__).parent / "application.sql").read_text(), url)
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coherent]:
    """A coherent team in a database that a whole module reads."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('kept')}/test.db"
    else:
        url = request.getfixturevalue("server").new_database()
    opened = databases.connect(url)
    create_missing(opened)
    yield Coherent(opened)
    opened.close()


@pytest.fixture
def coherent(kept: Coherent) -> Iterator[Coherent]:
    """A coherent team with which a test may do what it likes: all is rolled back."""
    kept.database.bind(APPLICATION, bind_refs=False, bind_backrefs=False)
    with kept.database.atomic() as transaction:
        yield kept
        transaction.rollback()
