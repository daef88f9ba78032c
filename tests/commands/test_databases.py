"""One process and many databases: each is given, none is implied."""

from concurrent.futures import ThreadPoolExecutor

import peewee
import pytest

from tests.support.commands import command
from tests.support.databases import bind, unbind
from tests.support.seeds import UNTIL
from tformance_seed import ledger
from tformance_seed.commands import maintain
from tformance_seed.commands import seed as seeding
from tformance_seed.planning.request import Request
from tformance_seed.storage.connection import connect
from tformance_seed.storage.models import SeedTask


class UntouchableDatabase(peewee.SqliteDatabase):
    """A database that nothing may use: models that are bound to it give away who relies on binding."""

    returning_clause = True  # as of PostgreSQL: Peewee adds it to every INSERT of a bound model

    def execute_sql(self, *_, **__):
        raise AssertionError("a query ran on the database that the models are bound to")

    def connect(self, *_, **__):
        raise AssertionError("a connection was opened to the database that the models are bound to")

    def get_sql_context(self, *_, **__):
        raise AssertionError("a query was compiled for the database that the models are bound to")


@pytest.fixture
def untouchable():
    """Binds the models to a database that may not be used."""
    database = UntouchableDatabase(":memory:")
    bind(database)
    yield database
    unbind()


@pytest.fixture
def unbound():
    """Binds the models to no database."""
    unbind()


def seed_and_verify(url, slug):
    database = connect(url)
    try:
        request = Request(organisations=[slug], days=21, until=UNTIL)
        outcome = seeding.seed(database, request, seeding.plan(request))
        assert outcome.failures == {}
        (report,) = maintain.verify_teams(database, ())
        assert report.violations == []
        run = ledger.find_run(database)
        assert run.name == outcome.run
        assert ledger.run_status(database, run).state == ledger.FINISHED
        return report
    finally:
        database.close()


def test_one_process_works_on_two_databases_at_once(unbound, tmp_path, postgresql_url):
    urls = [f"sqlite:///{tmp_path}/one.db", postgresql_url]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(seed_and_verify, urls, ["polar", "polar"]))
    assert reports[0].digest == reports[1].digest


def test_databases_of_one_process_do_not_mix(unbound, tmp_path, postgresql_url):
    urls, slugs = [f"sqlite:///{tmp_path}/one.db", postgresql_url], ["polar", "resend"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(seed_and_verify, urls, slugs))
    one, other = map(connect, urls)
    assert [list(maintain.find_teams(database, ())) for database in (one, other)] == [["polar"], ["resend"]]
    assert list(maintain.clear_teams(one, ["polar"], wait=False)) == ["polar"]
    assert ledger.own_teams(one) == []
    (report,) = maintain.verify_teams(other, ())
    assert (report.organisation, report.violations) == ("resend", [])
    assert SeedTask.select().count(other)
    one.close()
    other.close()


def test_no_command_uses_the_database_that_the_models_are_bound_to(untouchable, url, tmp_path):
    seed = ("seed", "polar", "--days", "21", "--until", str(UNTIL))
    page = str(tmp_path / "page.html")
    lines = [
        ("init",),
        seed,
        (*seed, "--dry-run"),
        ("seed", "polar", "--days", "22", "--until", str(UNTIL), "--seed", "7", "--yes"),
        (*seed, "--clear", "--yes", "--json"),
        ("status",),
        ("verify",),
        ("report", "--exact"),
        ("report", "--html", page),
        ("weekly",),
        ("doctor",),
        ("clear", "polar", "--yes"),
    ]
    for line in lines:
        result = command(*line, DATABASE_URL=url)
        assert result.returncode == 0, (line, result.stderr)
