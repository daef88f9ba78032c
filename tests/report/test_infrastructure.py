"""Figures that only the database server has."""

import psycopg2
import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.reports import SEED, execute, report
from tests.support.teams import Coherent, add_team
from tests.support.workers import statement
from tformance_seed.storage.schema.create import create_missing


def test_postgresql_estimates_rows_before_and_after_analysis(postgresql_url):
    database = connect(postgresql_url)
    create_missing(database)
    execute(postgresql_url, "ALTER TABLE teams_team SET (autovacuum_enabled = false)")
    for number in range(50):
        add_team(f"team-{number}")
    database.close()

    def estimate():
        (teams,) = (table for table in report(postgresql_url)["tables"] if table["table"] == "teams_team")
        assert not teams["exact"]
        return teams["rows"]

    assert estimate() == 50
    execute(postgresql_url, "DELETE FROM teams_team WHERE id % 2 = 0")
    execute(postgresql_url, "VACUUM ANALYZE teams_team")
    assert estimate() == pytest.approx(25, abs=1)


def test_postgresql_reports_sizes_cache_and_connections(server):
    url = server.new_database()
    assert command("seed", "polar", *SEED, "--database", url).returncode == 0
    execute(url, "CREATE TABLE foreign_rows AS SELECT generate_series(1, 1000) AS number")
    execute(url, "VACUUM ANALYZE")  # or the server does it later, between the report and the sizes
    other = psycopg2.connect(url)
    found = report(url, "polar")
    other.close()
    database = found["statistics"]
    sizes = dict(
        statement(
            url,
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        )
    )
    assert {t["table"]: t["heap_bytes"] + t["index_bytes"] for t in found["tables"]} == {
        "(others)" if name == "foreign_rows" else name: size for name, size in sizes.items()
    }
    ((size,),) = statement(url, "SELECT pg_database_size(current_database())")
    assert database["bytes"] == pytest.approx(size, rel=0.01)
    assert database["bytes_per_pull_request"] == pytest.approx(database["bytes"] / 300)
    assert 0.5 < database["cache_hit_ratio"] <= 1
    assert database["connections"] >= 2
    assert 1 <= database["active_connections"] < database["connections"]
    assert found["notes"] == []


def test_a_user_who_may_only_read_learns_what_is_hidden(server):
    url = server.new_database()
    database = connect(url)
    create_missing(database)
    Coherent(database)
    execute(url, "CREATE ROLE visitor LOGIN")
    execute(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
    found = report(url.replace("//postgres@", "//visitor@"))
    execute(url, "DROP OWNED BY visitor")
    execute(url, "DROP ROLE visitor")
    database.close()
    assert found["organisations"][0]["pull_requests"] == 30
    assert found["statistics"]["connections"] >= 2
    assert found["statistics"]["active_connections"] is None
    assert any("pg_monitor" in note for note in found["notes"])


def test_sqlite_reports_the_size_of_its_file_and_notes_what_it_does_not_know(tmp_path):
    path = tmp_path / "x.db"
    assert command("seed", "polar", *SEED, "--database", f"sqlite:///{path}").returncode == 0
    before = path.read_bytes()
    found = report(f"sqlite:///{path}")
    assert found["statistics"]["bytes"] == path.stat().st_size
    assert found["statistics"]["cache_hit_ratio"] is None
    assert found["statistics"]["connections"] is None
    assert any("only PostgreSQL" in note for note in found["notes"])
    known = [table["total_bytes"] for table in found["tables"] if table["total_bytes"] is not None]
    if known:
        assert 0.9 * path.stat().st_size < sum(known) <= path.stat().st_size
    else:
        assert any("dbstat" in note for note in found["notes"])
    assert path.read_bytes() == before
