"""The tables of ``tests.bulk.models`` on each backend and path."""

import pytest
from psycopg2.extensions import parse_dsn

from tests.bulk.models import MODELS
from tests.support.databases import connect

try:
    from playhouse.postgres_ext import Psycopg3Database
except ImportError:  # Peewee 3
    from playhouse.psycopg3_ext import Psycopg3Database


@pytest.fixture(params=["sqlite", "postgresql-portable", "postgresql-copy"])
def copy(request, tmp_path):
    """Create the tables on each backend; yield the value of ``copy``."""
    kind, _, path = request.param.partition("-")
    if kind == "psycopg3":
        server = parse_dsn(request.getfixturevalue("postgresql_url"))
        database = Psycopg3Database(server.pop("dbname"), **server)
    else:
        database = connect(
            f"sqlite:///{tmp_path}/x.db" if kind == "sqlite" else request.getfixturevalue("postgresql_url")
        )
    with database.bind_ctx(MODELS):
        if kind != "psycopg3":  # with which Peewee creates no index with a percent sign
            database.create_tables(MODELS)
        yield path == "copy"
    database.close()


@pytest.fixture
def bulk_database(copy):
    """The database of ``copy``."""
    return MODELS[0]._meta.database
