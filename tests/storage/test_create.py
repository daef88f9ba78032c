"""The tables that the package creates, and those of the application that it finds."""

import datetime

import pytest

from tests.support.databases import connect
from tformance_seed.errors import InputError
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, Team
from tformance_seed.storage.schema import difference
from tformance_seed.storage.schema.create import create_missing, prepare

COLUMNS = """
    SELECT c.relname, a.attname, format_type(atttypid, atttypmod), attnotnull, attidentity
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND attnum > 0
    AND c.relname NOT LIKE 'seed_%'"""
INDEXES = """
    SELECT t.relname, x.indisunique, x.indisprimary, m.amname, pg_get_expr(x.indpred, x.indrelid),
    (SELECT array_agg(pg_get_indexdef(x.indexrelid, g, true) ORDER BY g)
     FROM generate_series(1, x.indnkeyatts) g),
    (SELECT array_agg(o.opcname ORDER BY u.n) FROM unnest(x.indclass) WITH ORDINALITY u(oid, n)
     JOIN pg_opclass o ON o.oid = u.oid)
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am m ON m.oid = i.relam
    WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE 'seed_%'"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'c')
    AND conrelid::regclass::text NOT LIKE 'seed_%'"""


def schema(server, url):
    """Return the application's tables from the catalogue, without names of indexes and constraints.

    As sets: the application has an index on the same column twice.
    """
    return [sorted(set(map(str, server.execute(query, url)))) for query in (COLUMNS, INDEXES, CONSTRAINTS)]


def test_init_creates_every_table_column_key_and_index(server, postgresql_url, application_url):
    create_missing(connect(postgresql_url))
    made, wanted = schema(server, postgresql_url), schema(server, application_url)
    assert len(wanted[0]) > 200
    assert len(wanted[1]) > 100
    for have, want in zip(made, wanted, strict=True):
        assert have == want


def test_init_creates_nothing_the_second_time(database):
    assert create_missing(database) == []


def test_init_never_alters_an_existing_table(server, application_url):
    server.execute("DROP TABLE metrics_dailyinsight; DROP INDEX pr_llm_summary_gin_idx", application_url)
    before = schema(server, application_url)
    made = create_missing(connect(application_url))
    assert made == ["metrics_dailyinsight", *(model._meta.table_name for model in LEDGER)]
    after = schema(server, application_url)
    assert [line for line in after[1] if "dailyinsight" not in line] == before[1]


def test_preparing_the_applications_database_adds_only_the_ledger(server, application_url):
    before = schema(server, application_url)
    prepare(connect(application_url))
    assert schema(server, application_url) == before
    tables = {name for (name,) in server.execute("SELECT tablename FROM pg_tables", application_url)}
    assert {model._meta.table_name for model in LEDGER} <= tables


def test_preparing_an_empty_database_creates_all_tables(url):
    database = connect(url)
    prepare(database)
    assert len(database.get_tables()) == len(APPLICATION) + len(LEDGER)
    database.close()


def test_tables_that_another_run_creates_meanwhile_are_recognised(url, monkeypatch):
    database = connect(url)
    introspect = difference.introspect

    def a_moment_before(*asked):
        have = introspect(*asked)
        monkeypatch.undo()
        create_missing(database)
        return have

    monkeypatch.setattr(difference, "introspect", a_moment_before)
    prepare(database)
    assert table_names(database) >= {model._meta.table_name for model in (*APPLICATION, *LEDGER)}
    database.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE metrics_commit", "metrics_commit: missing, expected the application's table"),
        (
            "ALTER TABLE metrics_commit DROP COLUMN message",
            "metrics_commit.message: missing",
        ),
        (
            "ALTER TABLE metrics_commit ADD COLUMN n int NOT NULL",
            "must not be NULL and is unknown",
        ),
    ],
)
def test_an_unusable_database_is_refused_before_any_write(server, application_url, statement, words):
    server.execute(statement, application_url)
    with pytest.raises(InputError, match=words):
        prepare(connect(application_url))
    assert not server.execute("SELECT 1 FROM pg_tables WHERE tablename = 'seed_run'", application_url)


def test_a_database_of_another_application_is_refused(url):
    database = connect(url)
    database.execute_sql("CREATE TABLE invoices (id integer)")
    with pytest.raises(InputError, match="none of the application's"):
        prepare(database)
    assert database.get_tables() == ["invoices"]
    database.close()


def test_init_refuses_a_foreign_table_of_the_same_name(url):
    database = connect(url)
    database.execute_sql("CREATE TABLE teams_team (x integer)")
    with pytest.raises(InputError, match=r"teams_team\.id: missing"):
        create_missing(database)
    assert database.get_tables() == ["teams_team"]
    database.close()


def test_missing_privileges_are_named(server, application_url):
    server.execute(
        "CREATE ROLE reader LOGIN; GRANT CREATE ON SCHEMA public TO reader;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        application_url,
    )
    url = application_url.replace("postgres@", "reader@")
    with pytest.raises(InputError, match=r"may not INSERT on teams_team \(and 56 more"):
        prepare(connect(url))


def test_timestamps_are_utc_on_every_backend(database):
    moment = datetime.datetime(2026, 1, 1, 1, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    team = {"slug": "a", "name": "a", "billing_details_last_changed": moment}
    Team.insert(created_at=moment, updated_at=moment, **team).execute()
    assert Team.get().created_at.isoformat() == "2025-12-31T23:30:00+00:00"
