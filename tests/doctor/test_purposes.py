"""Findings are weighed by what a database is for, and the package does not complain of itself."""

import re
from pathlib import Path
from typing import get_args

import psycopg2
import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.examinations import examined, findings, none
from tests.support.seeds import seed
from tests.support.teams import add_team
from tformance_seed.doctor.purposes import IN_ORDER, PURPOSES, weighed
from tformance_seed.storage.connection import MARK
from tformance_seed.storage.models import LEDGER
from tformance_seed.storage.schema.findings import Finding, Name

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"


@pytest.fixture
def seeded(database, url):
    seed(database, days=3, prs=5, members=4)
    return url


@pytest.mark.parametrize("purpose", PURPOSES[1:])
def test_the_findings_that_do_not_matter_are_documented(purpose):
    begin = rf"^- `{purpose}`: in order are "
    (listed,) = re.findall(begin + r"(.*?)\.$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert sorted(re.findall("`(.+?)`", listed)) == sorted(IN_ORDER[purpose])


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("name", get_args(Name))
def test_errors_are_errors_for_every_purpose(name, purpose):
    error, advice = (Finding(name, severity, "here", "so") for severity in ("error", "advice"))
    assert weighed(error, purpose) == error
    assert (weighed(advice, purpose) == advice) == (name not in IN_ORDER[purpose])


def test_what_was_seeded_is_a_demo_and_says_so(seeded):
    report = examined(seeded, purpose=None, memory=4 * 2**30, cores=2)
    assert report.purpose == "demo"
    assert [finding.name for finding in findings(report)] == []
    printed = command("doctor", "--database", seeded).stdout.splitlines()
    assert printed[-1].startswith("Purpose: demo, since every team here was seeded; --for production or")


def test_without_teams_it_is_production(database, url):
    assert examined(url, purpose=None).purpose == "production"


def test_a_team_of_others_makes_it_production(database, url):
    seed(database, days=3, prs=5, members=4)
    add_team("acme")
    assert examined(url, purpose=None).purpose == "production"
    assert examined(url, purpose="load-test").purpose == "load-test"


def test_many_seeded_teams_are_a_load_test(seeded):
    assert examined(seeded, purpose=None, teams=40).purpose == "load-test"


def test_a_purpose_that_is_none_is_one_line(seeded):
    refused = command("doctor", "--for", "prod", "--database", seeded)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "production, demo or load-test" in refused.stderr


def test_the_ledger_is_not_examined(server, postgresql_url):
    database = connect(postgresql_url)
    seed(database, days=3, prs=5, members=4)
    database.close()
    server.execute("UPDATE seed_task SET attempts = attempts + 1; " * 500, postgresql_url)
    server.execute("CREATE INDEX surplus ON seed_task (attempts)", postgresql_url)
    found = findings(examined(postgresql_url), "Health")
    assert not [each for each in found for model in LEDGER if model._meta.table_name in each.where]


def test_its_own_idle_connections_are_not_counted(server, postgresql_url):
    def used():
        (finding,) = [
            each
            for section in examined(postgresql_url).sections
            for each in section.findings
            if each.name == "connections"
        ]
        return int(finding.now.split()[0])

    before = used()
    idle = [connect(postgresql_url) for _ in range(3)]
    others = [psycopg2.connect(postgresql_url) for _ in range(2)]
    after = used()
    for connection in (*idle, *others):
        connection.close()
    assert after - before + 1 >= 2  # connections of earlier tests may have ended meanwhile
    assert after - before < 5


def test_statements_are_marked_and_so_not_complained_of(postgresql_url):
    database = connect(postgresql_url)
    ((text,),) = database.execute_sql("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    database.close()
    assert text.endswith(MARK)
    assert none(findings(examined(postgresql_url)), "slow-statement")
