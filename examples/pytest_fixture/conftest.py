from collections.abc import Iterator

import peewee
import pytest

import tformance_seed


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[peewee.Database]:
    """A database that is seeded once for all tests."""
    database = tformance_seed.connect(f"sqlite:///{tmp_path_factory.mktemp('seeded')}/test.db")
    outcome = tformance_seed.seed(database, "polar", days=30, until="2026-03-18", members=10, prs=40)
    assert not outcome.failures
    yield database
    database.close()


@pytest.fixture
def database(seeded: peewee.Database) -> Iterator[peewee.Database]:
    """The seeded database; whatever a test changes is rolled back."""
    with seeded.atomic() as transaction:
        yield seeded
        transaction.rollback()
