import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import django
import pytest

import tformance_seed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402


def database_url(settings: dict[str, Any]) -> str:
    """The URL of the database that a Django connection uses."""
    if settings["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{settings['NAME']}"
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    place = urlencode({key: settings[key.upper()] for key in ("host", "port") if settings[key.upper()]})
    return f"postgresql://{user}:{password}@/{quote(settings['NAME'], safe='')}?{place}"


@pytest.fixture(scope="session")
def django_database() -> Iterator[None]:
    """Django's test database, created by Django and seeded once for all tests."""
    created = setup_databases(verbosity=0, interactive=False)
    outcome = tformance_seed.seed(
        database_url(connection.settings_dict), "polar", days=30, until="2026-03-18", members=10, prs=40
    )
    assert not outcome.failures
    yield
    teardown_databases(created, verbosity=0)


@pytest.fixture(autouse=True)
def rolled_back(django_database: None) -> Iterator[None]:
    """Every test sees the database as it was seeded."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
