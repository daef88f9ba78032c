"""The tables of ``tests.bulk.models`` on each backend and path."""

import pytest

from tests.bulk.models import MODELS
from tests.support.databases import connect


@pytest.fixture(params=["sqlite", "postgresql-portable", "postgresql-copy"])
def copy(request, tmp_path):
    """Create the tables on each backend; yield the value of ``copy``."""
    kind, _, path = request.param.partition("-")
    url = f"sqlite:///{tmp_path}/x.db" if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    database = connect(url)
    with database.bind_ctx(MODELS):
        database.create_tables(MODELS)
        yield path == "copy"
    database.close()


@pytest.fixture
def bulk_database(copy):
    """The database of ``copy``."""
    return MODELS[0]._meta.database
