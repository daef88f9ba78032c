import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import start_browser
from tests.support.commands import command
from tests.support.databases import connect
from tests.support.recomputation import Recount
from tests.support.reports import NASTY, SEED, execute
from tests.support.story import Story
from tests.support.teams import Coherent, add
from tformance_seed.storage.models import PullRequest, Team, TeamMember

#: Options of the organisation on the page.
ON_PAGE = ("--members", "30", "--prs", "400", "--days", "60", "--until", "2026-03-18", "--adoption", "0.6")


@dataclass(frozen=True)
class Written:
    """A page that was written, and its database counted again."""

    path: Path
    recount: Recount
    story: Story
    report: dict[str, Any]


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


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def written(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    url = (
        f"sqlite:///{folder}/test.db"
        if request.param == "sqlite"
        else request.getfixturevalue("server").new_database()
    )
    assert command("seed", "polar", *ON_PAGE, "--database", url).returncode == 0
    database = connect(url)
    acme = Coherent(database)
    TeamMember.update(display_name=NASTY).where(TeamMember.id == acme.members[0].id).execute()
    result = command("report", "--html", folder / "page.html", "--json", "--database", url)
    assert result.returncode == 0, result.stderr
    yield Written(folder / "page.html", Recount.of_all(), Story.of_all(), json.loads(result.stdout))
    database.close()


@pytest.fixture(scope="package")
def hostile_page(tmp_path_factory):
    """A page of a seeded organisation, polar, and of a team of other origin whose names are hostile.

    Tests only read it.
    """
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder}/test.db"
    seed = ("--members", "30", "--prs", "400", "--days", "70", "--until", "2026-03-18", "--adoption", "0.6")
    assert command("seed", "polar", *seed, "--database", url).returncode == 0
    database = connect(url)
    hostile = Coherent(database, "acme")
    Team.update(slug=NASTY[:50]).where(Team.id == hostile.team.id).execute()
    TeamMember.update(display_name=NASTY).where(TeamMember.id == hostile.members[0].id).execute()
    TeamMember.update(display_name='=HYPERLINK("http://a.b")').where(
        TeamMember.id == hostile.members[1].id
    ).execute()
    PullRequest.update(title=NASTY).where(PullRequest.team == hostile.team).execute()
    database.close()
    result = command("report", "--html", folder / "page.html", "--database", url)
    assert result.returncode == 0, result.stderr
    return folder / "page.html"
