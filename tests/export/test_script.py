"""SQL: one script for PostgreSQL and SQLite, of which the copy is as good as what it was made of."""

import json
import shutil
import sqlite3
import subprocess

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.export.conftest import UNTIL
from tests.support.commands import command
from tests.support.json_output import rows_written
from tests.support.servers import NEWEST
from tests.support.workers import digests
from tformance_seed.export.sql_script import FOR_POSTGRESQL, FOR_SQLITE, _ledger_literal, _quoted
from tformance_seed.storage.embedded.programs import installed


@pytest.fixture(scope="module")
def script(sources, tmp_path_factory):
    return sources.export("sqlite", "sql", tmp_path_factory.mktemp("script") / "seeded.sql")


def load_into_sqlite(path, script):
    url = f"sqlite:///{path}"
    assert command("init", DATABASE_URL=url).returncode == 0
    with sqlite3.connect(path) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()
    return url


def load_with_psql(url, script, **environment):
    line = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script), url]
    return subprocess.run(
        [installed()[NEWEST] / "psql", *line], capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request, script, tmp_path):
    """A database that the script filled."""
    if request.param == "sqlite":
        return load_into_sqlite(tmp_path / "copy.db", script)
    url = request.getfixturevalue("server").new_database("package")
    result = load_with_psql(url, script)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return url


def test_the_script_depends_neither_on_the_database_nor_on_its_history(sources, script, tmp_path):
    other = sources.export("postgresql", "sql", tmp_path / "other.sql")
    assert other.read_bytes() == script.read_bytes()
    result = command("export", "--format", "sql", DATABASE_URL=sources.urls["sqlite"])
    assert (result.returncode, result.stdout) == (0, script.read_text(encoding="utf-8"))


def test_the_copy_passes_verification_with_the_same_digests(sources, filled):
    assert digests(filled) == digests(sources.urls["sqlite"])


def test_the_copy_has_no_run_though_it_was_seeded(filled):
    result = command("status", DATABASE_URL=filled)
    assert (result.returncode, result.stdout) == (2, "")
    assert "no run is recorded in this database" in result.stderr


def test_a_run_on_the_copy_writes_nothing_and_a_later_one_goes_on(sources, filled, tmp_path):
    line = ("seed", "--all", "--catalog", sources.catalog, "--json")
    same = command(*line, "--days", "12", *UNTIL, DATABASE_URL=filled)
    assert (same.returncode, rows_written(json.loads(same.stdout))) == (0, 0)
    undisturbed = f"sqlite:///{tmp_path}/undisturbed.db"
    shutil.copy(sources.folder / "source.db", tmp_path / "undisturbed.db")
    for url in (filled, undisturbed):
        assert command(*line, "--days", "14", "--until", "2026-03-20", DATABASE_URL=url).returncode == 0
    assert digests(filled) == digests(undisturbed)


def test_the_copy_is_exported_as_what_it_was_made_of(filled, script, tmp_path):
    result = command("export", "--format", "sql", "--to", tmp_path / "again.sql", DATABASE_URL=filled)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "again.sql").read_bytes() == script.read_bytes()


def test_the_copy_can_be_cleared(filled):
    assert command("clear", "acme", "zeta", "--yes", DATABASE_URL=filled).returncode == 0
    assert command("verify", DATABASE_URL=filled).returncode == 2


def test_a_database_of_the_application_needs_no_table_of_the_package(script, application_url, sources):
    """Nor does it need settings that are the script's own business."""
    result = load_with_psql(application_url, script, PGTZ="Asia/Tokyo", PGCLIENTENCODING="LATIN1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert command("verify", "acme", "a-zeta", DATABASE_URL=application_url).returncode == 0
    with psycopg2.connect(application_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('seed_team')")
        assert cursor.fetchone() == (None,)
        cursor.execute(
            "INSERT INTO teams_team (name, slug, created_at, updated_at, billing_details_last_changed, "
            "onboarding_complete, onboarding_pipeline_status, background_llm_progress, "
            "background_sync_progress, copilot_consecutive_failures, copilot_status, copilot_price_tier) "
            "VALUES ('x', 'x', now(), now(), now(), true, 'complete', 0, 0, 0, 'disabled', 'business') "
            "RETURNING id"
        )
        assert cursor.fetchone() == (3,)


def test_a_database_that_is_not_empty_keeps_what_it_has(script, server):
    url = server.new_database("package")
    assert command("seed", "resend", "--days", "5", *UNTIL, DATABASE_URL=url).returncode == 0
    before = digests(url)
    result = load_with_psql(url, script)
    assert (result.returncode, "duplicate key" in result.stderr) == (3, True)
    assert digests(url) == before


@pytest.mark.sqlite
def test_sqlites_own_shell_runs_it(script, sources, tmp_path):
    url = f"sqlite:///{tmp_path}/copy.db"
    assert command("init", DATABASE_URL=url).returncode == 0
    with script.open() as lines:
        result = subprocess.run(
            ["sqlite3", "-bail", tmp_path / "copy.db"],
            stdin=lines,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert digests(url) == digests(sources.urls["sqlite"])


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_any_text_survives_sqlite_in_either_part(text):
    document = _ledger_literal({text: [text]})
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(
            "CREATE TABLE t (x);"
            + FOR_POSTGRESQL.format(f"nonsense {document.replace('`', '')};")
            + FOR_SQLITE.format(f"INSERT INTO t VALUES ({document});")
            + f"INSERT INTO t VALUES ({_quoted(text)});"
        )
        (first,), (second,) = connection.execute("SELECT x FROM t").fetchall()
    connection.close()
    assert (json.loads(first), second) == ({text: [text]}, text)


def test_texts_survive_postgresql_in_either_part(server):
    texts = ["*/", "/*", "$tformance_seed$", "`", "\\", "'", '"', "--", ";", "\n.\\", ":x", "é😀", "]"]
    document = dict.fromkeys(texts, texts)
    url = server.new_database()
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (x text)")
        cursor.execute(
            FOR_POSTGRESQL.format(
                "DO $tformance_seed$ BEGIN INSERT INTO t VALUES "
                f"({_ledger_literal(document)}); END $tformance_seed$;"
            )
            + FOR_SQLITE.format(f"nonsense {_ledger_literal(document)};")
            + f"INSERT INTO t VALUES ({_quoted(''.join(texts))});"
        )
        cursor.execute("SELECT x FROM t")
        (first,), (second,) = cursor.fetchall()
    assert (json.loads(first), second) == (document, "".join(texts))
