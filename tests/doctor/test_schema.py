"""The doctor's findings about a schema, each difference caused; seeding refuses exactly the errors."""

import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.examinations import examined, findings
from tests.support.workers import run_json
from tformance_seed.errors import InputError
from tformance_seed.storage import schema
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.schema.create import prepare

#: Statement, and what it causes in the application's database: a finding's name, severity, where, a word.
CAUSES = [
    ("DROP TABLE metrics_dailyinsight", "missing-table", "error", "metrics_dailyinsight", ""),
    ("ALTER TABLE metrics_commit DROP message", "missing-column", "error", "metrics_commit.message", "text"),
    ("ALTER TABLE metrics_commit ADD n int NOT NULL", "unknown-column", "error", "metrics_commit.n", ""),
    ("ALTER TABLE metrics_commit ADD n int", "extra-column", "advice", "metrics_commit.n", "integer"),
    (
        "ALTER TABLE metrics_commit ADD n int NOT NULL GENERATED ALWAYS AS IDENTITY",
        "extra-column",
        "advice",
        "metrics_commit.n",
        "",
    ),
    (
        "ALTER TABLE metrics_commit ALTER message TYPE varchar(10)",
        "column-type",
        "error",
        "metrics_commit.message",
        "character varying(10)",
    ),
    (
        "ALTER TABLE metrics_pullrequest ALTER github_pr_id TYPE int",
        "column-type",
        "error",
        "metrics_pullrequest.github_pr_id",
        "bigint",
    ),
    (
        "ALTER TABLE metrics_pullrequest ALTER cycle_time_hours TYPE numeric(10,1)",
        "column-type",
        "error",
        "metrics_pullrequest.cycle_time_hours",
        "numeric(10,2)",
    ),
    (
        "ALTER TABLE metrics_pullrequest ALTER cycle_time_hours TYPE numeric(12,3)",
        "column-type",
        "advice",
        "metrics_pullrequest.cycle_time_hours",
        "numeric(12,3)",
    ),
    (
        "ALTER TABLE metrics_commit ALTER github_sha TYPE text",
        "column-type",
        "advice",
        "metrics_commit.github_sha",
        "character varying(40)",
    ),
    (
        "ALTER TABLE metrics_commit ALTER author_id SET NOT NULL",
        "column-null",
        "error",
        "metrics_commit.author_id",
        "must not be NULL",
    ),
    (
        "ALTER TABLE metrics_commit ALTER message DROP NOT NULL",
        "column-null",
        "advice",
        "metrics_commit.message",
        "may be NULL",
    ),
    (
        "ALTER TABLE metrics_commit ALTER id DROP IDENTITY",
        "id-not-generated",
        "error",
        "metrics_commit.id",
        "",
    ),
    (
        "ALTER TABLE metrics_commit DROP CONSTRAINT unique_team_commit",
        "missing-unique-key",
        "error",
        "metrics_commit",
        "(team_id, github_sha)",
    ),
    (
        "DROP INDEX unique_team_github_id",
        "missing-unique-key",
        "error",
        "metrics_teammember",
        "(team_id, github_id) where",
    ),
    (
        "ALTER TABLE metrics_prsurvey DROP CONSTRAINT metrics_prsurvey_token_key",
        "missing-unique-key",
        "warning",
        "metrics_prsurvey",
        "(token)",
    ),
    (
        "CREATE UNIQUE INDEX mine ON metrics_commit (github_sha)",
        "extra-unique-key",
        "warning",
        "metrics_commit",
        "mine on (github_sha)",
    ),
    (
        "DROP INDEX pr_llm_summary_gin_idx",
        "missing-index",
        "warning",
        "metrics_pullrequest",
        "(llm_summary jsonb_path_ops) using gin",
    ),
    (
        "CREATE INDEX ours ON metrics_commit (additions)",
        "extra-index",
        "advice",
        "metrics_commit",
        "ours on (additions)",
    ),
    (
        "ALTER TABLE metrics_commit DROP CONSTRAINT metrics_commit_author_id_fkey",
        "missing-foreign-key",
        "warning",
        "metrics_commit.author_id",
        "metrics_teammember",
    ),
    (
        "ALTER TABLE metrics_commit ADD FOREIGN KEY (additions) REFERENCES metrics_pullrequest (id)",
        "extra-foreign-key",
        "warning",
        "metrics_commit.additions",
        "metrics_pullrequest",
    ),
    (
        "ALTER TABLE metrics_commit ALTER CONSTRAINT metrics_commit_author_id_fkey NOT DEFERRABLE",
        "extra-foreign-key",
        "warning",
        "metrics_commit.author_id",
        "immediately",
    ),
    (
        "ALTER TABLE teams_team DROP CONSTRAINT teams_team_copilot_consecutive_failures_check",
        "missing-check",
        "advice",
        "teams_team",
        "copilot_consecutive_failures >= 0",
    ),
    (
        "ALTER TABLE metrics_commit ADD CHECK (additions < 1000000000)",
        "extra-check",
        "warning",
        "metrics_commit",
        "additions < 1000000000",
    ),
]


@pytest.fixture
def applications(application_url):
    database = connect(application_url)
    yield database
    disconnect(database)


def test_databases_created_by_the_application_and_by_init_have_no_findings(applications, database):
    for fit in (applications, database):
        assert list(schema.differences(fit)) == []
        assert schema.blocking_findings(fit) == []


@pytest.mark.parametrize(("statement", "name", "severity", "where", "word"), CAUSES)
def test_each_difference_is_named_and_only_errors_are_refused(
    server, application_url, applications, statement, name, severity, where, word
):
    assert list(schema.differences(applications)) == []
    server.execute(statement, application_url)
    found = list(schema.differences(applications))
    # A column takes its indexes along, and a table's keys are its own.
    finding = next(finding for finding in found if finding.name == name)
    assert {other.where.partition(".")[0] for other in found} == {where.partition(".")[0]}
    assert (finding.severity, finding.where) == (severity, where)
    assert word in f"{finding.now} {finding.recommended}"
    assert finding.todo
    if severity == "error":
        with pytest.raises(InputError, match=f"^{where}: "):
            prepare(applications)
        assert "seed_run" not in applications.get_tables()
    else:
        prepare(applications)


def test_seeding_succeeds_despite_warnings_and_advice(server, application_url):
    """All the harmless differences at the same time, but for a key that lets no seeded row pass."""
    statements = [cause[0] for cause in CAUSES if cause[2] != "error" and "ADD FOREIGN KEY" not in cause[0]]
    for statement in statements:
        other = statement.replace("ADD n int NOT", "ADD m int NOT")
        server.execute(other.replace("author_id_fkey NOT DEF", "team_id_fkey NOT DEF"), application_url)
    found = findings(examined(application_url), "Schema")
    assert {finding.severity for finding in found} == {"warning", "advice"}
    assert len(found) > 10
    report = run_json("seed", "resend", "--days", "20", "--until", "2026-03-18", database=application_url)
    assert report["failures"] == []


@pytest.mark.parametrize("name", ["missing-unique-key", "missing-index"])
def test_a_missing_index_comes_with_its_statement(server, application_url, applications, name):
    statements = [cause[0] for cause in CAUSES if cause[1] == name]
    for statement in statements:
        server.execute(statement, application_url)
    found = list(schema.differences(applications))
    assert len(found) == len(statements)
    for finding in found:
        assert "CONCURRENTLY" in finding.statement
        server.execute(finding.statement, application_url)
    assert list(schema.differences(applications)) == []


def test_an_invalid_index_does_not_count(server, application_url, applications):
    server.execute("ALTER TABLE metrics_commit DROP CONSTRAINT unique_team_commit", application_url)
    (finding,) = schema.differences(applications)
    server.execute(
        "INSERT INTO teams_team VALUES (1, now(), now(), 'a', 'a', now(), NULL, NULL, NULL, true, NULL, NULL,"
        " NULL, '', 0, 0, 0, NULL, '', '')",
        application_url,
    )
    for _ in range(2):
        server.execute(
            "INSERT INTO metrics_commit VALUES (DEFAULT, now(), now(), 'same', 'a/b', '', 0, 0, NULL, NULL, "
            "1, NULL, '[]', false)",
            application_url,
        )
    with pytest.raises(Exception, match="could not create unique index"):
        server.execute(finding.statement, application_url)
    assert list(schema.differences(applications)) == [finding]


@pytest.mark.parametrize(
    ("statement", "name", "severity"),
    [
        ("DROP TABLE metrics_dailyinsight", "missing-table", "error"),
        ("ALTER TABLE metrics_commit DROP COLUMN message", "missing-column", "error"),
        ("ALTER TABLE metrics_commit ADD COLUMN n INTEGER", "extra-column", "advice"),
        ("DROP INDEX metrics_commit_team_id_github_sha", "missing-unique-key", "error"),
        ("DROP INDEX metrics_teammember_team_id_github_id", "missing-unique-key", "error"),
        ("DROP INDEX metrics_prsurvey_token", "missing-unique-key", "warning"),
        ("DROP INDEX metrics_commit_team_id", "missing-index", "warning"),
        ("CREATE UNIQUE INDEX mine ON metrics_commit (github_sha)", "extra-unique-key", "warning"),
    ],
)
def test_each_difference_of_an_sqlite_file(tmp_path, statement, name, severity):
    url = f"sqlite:///{tmp_path}/test.db"
    assert command("init", "--database", url).returncode == 0
    database = connect(url)
    assert list(schema.differences(database)) == []
    database.execute_sql(statement)
    (finding,) = schema.differences(database)
    assert (finding.name, finding.severity) == (name, severity)
    if severity == "error":
        with pytest.raises(InputError):
            prepare(database)
    else:
        prepare(database)
    database.close()


def test_a_database_of_another_application_is_distinguished_from_an_empty_one(url):
    database = connect(url)
    assert schema.blocking_findings(database) == []
    database.execute_sql("CREATE TABLE invoices (id integer)")
    assert [finding.name for finding in schema.blocking_findings(database)] == ["no-application"]
    database.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("REVOKE INSERT ON metrics_commit FROM seeder", "may not INSERT on metrics_commit"),
        ("REVOKE SELECT ON teams_team FROM seeder", "may not SELECT on teams_team"),
        ("REVOKE CREATE ON SCHEMA public FROM seeder", 'may not CREATE on SCHEMA "public"'),
        ('REVOKE TEMPORARY ON DATABASE "{name}" FROM public', "may not TEMPORARY on DATABASE"),
    ],
)
def test_a_missing_privilege_is_named_with_the_statement_that_grants_it(
    server, application_url, seeder, statement, words
):
    url, name = seeder
    assert findings(examined(url), "Schema") == []
    server.execute(statement.format(name=name), application_url)
    (finding,) = findings(examined(url), "Schema")
    assert (finding.name, finding.severity) == ("missing-privilege", "error")
    assert words in finding.now
    with pytest.raises(InputError, match="may not"):
        prepare(connect(url))
    server.execute(finding.statement, application_url)
    assert findings(examined(url), "Schema") == []


@pytest.fixture
def seeder(server, application_url):
    """The URL of a user who has what seeding needs and no more, and the database's name."""
    name = application_url.split("/")[3].split("?")[0]
    server.execute(
        "CREATE ROLE seeder LOGIN; GRANT CREATE ON SCHEMA public TO seeder;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO seeder",
        application_url,
    )
    yield application_url.replace("postgres@", "seeder@"), name
    server.execute("DROP OWNED BY seeder; DROP ROLE seeder", application_url)


def test_a_read_only_server_blocks_seeding(server, application_url):
    assert findings(examined(application_url), "Schema") == []
    name = application_url.split("/")[3].split("?")[0]
    server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on', application_url)
    (finding,) = findings(examined(application_url), "Schema")
    assert (finding.name, finding.severity) == ("read-only", "error")
    with pytest.raises(InputError, match="read-only"):
        prepare(connect(application_url))
