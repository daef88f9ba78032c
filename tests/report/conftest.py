import pytest

from tests.support.browser import start_browser
from tests.support.commands import command
from tests.support.databases import connect
from tests.support.reports import SEED, execute
from tests.support.teams import Coherent, add
from tformance_seed.storage.models import PullRequest


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def filled(request, tmp_path_factory):
    """The URL of a database with a seeded team, polar, and one of other origin, acme; tests only read it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/test.db"
    else:
        url = request.getfixturevalue("server").new_database()
    assert command("seed", "polar", *SEED, "--database", url).returncode == 0
    database = connect(url)
    acme = Coherent(database).team
    add(PullRequest, team=acme, github_pr_id=99, github_repo="a/b", state="open", pr_created_at=None)
    database.close()
    if request.param == "postgresql":
        execute(url, "VACUUM ANALYZE")  # or the server does it between two reports, which changes sizes
    return url


@pytest.fixture
def reader(filled):
    database = connect(filled, access="read")
    yield database
    database.close()


@pytest.fixture(scope="package")
def browser():
    running = start_browser()
    yield running
    running.quit()
