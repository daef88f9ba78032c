"""What was seeded is analysed once, where that is possible, and nothing else."""

import pytest

from tests.support.commands import command
from tests.support.seeds import seed
from tests.support.workers import digests
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.commands.analyse import analyse

SMALL = {"days": 3, "prs": 5, "members": 4}


def analysed(database):
    """The tables that have statistics, with when they got them or how many rows they speak of."""
    if is_postgresql(database):
        statement = "SELECT relname, last_analyze FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL"
    else:
        statement = "SELECT tbl, max(stat) FROM sqlite_stat1 GROUP BY tbl"
        if not list(database.execute_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")):
            return {}
    return dict(database.execute_sql(statement).fetchall())


def test_tables_are_analysed_after_they_were_written_and_only_then(database, url):
    assert analysed(database) == {}
    seed(database, **SMALL)
    first = analysed(database)
    assert {"metrics_pullrequest", "metrics_commit", "metrics_weeklymetrics"} <= first.keys()
    assert not [name for name in first if name.startswith("seed_")]
    before = digests(url)
    seed(database, **SMALL)
    assert analysed(database) == first
    assert digests(url) == before


@pytest.fixture
def guest_url(server, application_url):
    """The application's database, for a user who may write to its tables and owns none of them."""
    server.execute(
        "DROP OWNED BY guest; DROP ROLE guest" if _has_guest(server) else "SELECT 1", application_url
    )
    server.execute("CREATE ROLE guest LOGIN", application_url)
    server.execute(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO guest; GRANT ALL ON SCHEMA public TO guest; "
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO guest; "
        "REVOKE MAINTAIN ON ALL TABLES IN SCHEMA public FROM guest",
        application_url,
    )
    yield application_url.replace("postgres@", "guest@")
    server.execute("DROP OWNED BY guest; DROP ROLE guest", application_url)


def _has_guest(server):
    return server.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'guest'") == [(1,)]


def test_without_the_right_to_analyse_the_run_succeeds_with_a_note(guest_url):
    options = ("--days", "3", "--prs", "5", "--members", "4", "--until", "2026-03-18")
    seeded = command("seed", "polar", *options, "--no-login", "--database", guest_url)
    assert seeded.returncode == 0, seeded.stderr
    (note,) = [line for line in seeded.stderr.splitlines() if "warning" in line]
    assert "not analysed, since the database user may not" in note
    assert "metrics_pullrequest" in note


def test_a_table_that_is_gone_is_a_note(database):
    (note,) = analyse(database, ["no_such_table"])
    assert "no_such_table" in note
