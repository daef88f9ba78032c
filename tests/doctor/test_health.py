"""What doctor says of a server's health, each thing caused on a server of its own, old and new."""

import psycopg2
import pytest

from tests.support.examinations import examined, findings, none, only
from tests.support.servers import NEWEST, OLDEST, postgres, wait_until
from tformance_seed.doctor.tiers import GB
from tformance_seed.storage.embedded.programs import installed

TEAM = """
    INSERT INTO teams_team VALUES (1, now(), now(), 'a', 'a', now(), NULL, NULL, NULL, true, NULL, NULL, NULL,
    '', 0, 0, 0, NULL, '', '')"""
COMMITS = """
    INSERT INTO metrics_commit (created_at, updated_at, github_sha, github_repo, message, additions,
                                deletions, team_id, ai_co_authors, is_ai_assisted)
    SELECT now(), now(), md5(n::text), 'a/b', 'message', n, n, 1, '[]', false FROM generate_series(1, {}) n"""
SNAPSHOTS = """
    INSERT INTO metrics_copilotseatsnapshot (created_at, updated_at, date, total_seats, active_this_cycle,
        inactive_this_cycle, pending_cancellation, synced_at, team_id)
    SELECT now(), now(), date '1900-01-01' + n, 1, 1, 0, 0, now(), 1 FROM generate_series(1, 60000) n"""


OTHER_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'"""


class Patient:
    """A database of the application on a server that a test may make ill."""

    def __init__(self, server):
        self.server = server
        self.url = server.new_database("application")
        self.run(TEAM)

    def run(self, *statements):
        """Run each statement, and wait until its session has ended: then the server has counted it.

        A reset of the counts that comes before would leave those of the statement before it.
        """
        for statement in statements:
            self.server.execute(statement, self.url)
            wait_until(lambda: self.server.execute(OTHER_SESSIONS, self.url) == [(0,)])

    @property
    def health(self):
        return findings(examined(self.url, memory=4 * GB, cores=2), "Health")


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def own_server(request):
    """Little memory and WAL, few connections, and nobody who tidies up."""
    with postgres(installed()[request.param]) as running:
        running.configure(shared_buffers="1MB", max_connections=20, max_wal_size="32MB", autovacuum="off")
        yield running


@pytest.fixture
def patient(own_server):
    return Patient(own_server)


def test_blocks_that_are_not_in_the_cache(patient):
    assert none(patient.health, "cache-hit-ratio")
    patient.run(COMMITS.format(20_000), "SELECT pg_stat_reset()")
    patient.run(
        "SET max_parallel_workers_per_gather = 0; " + "SELECT sum(additions) FROM metrics_commit; " * 10
    )
    finding = only(patient.health, "cache-hit-ratio")
    assert finding.now.endswith("% of blocks found there")
    patient.run("SELECT pg_stat_reset()")
    patient.run("SELECT count(*) FROM teams_team; " * 1_500)
    assert none(patient.health, "cache-hit-ratio")


def test_an_index_that_nothing_scans(patient):
    patient.run(COMMITS.format(2_000), "ANALYZE")
    assert none(patient.health, "unused-index")
    patient.run("CREATE INDEX useless ON metrics_commit (additions)")
    finding = only(patient.health, "unused-index")
    assert finding.where == "metrics_commit, useless"
    assert "kB" in finding.now
    assert "counted since" in finding.why
    patient.run("SET enable_seqscan = off; SELECT 1 FROM metrics_commit WHERE additions = 7")
    assert none(patient.health, "unused-index")
    patient.run("SELECT pg_stat_reset()")
    patient.run(only(patient.health, "unused-index").statement)
    assert none(patient.health, "unused-index")


def test_an_unused_index_of_the_application_is_left_to_its_migrations(patient):
    patient.run(SNAPSHOTS, "SELECT pg_stat_reset()")
    assert none(patient.health, "unused-application-index")
    patient.run("SELECT count(*) FROM metrics_copilotseatsnapshot")
    finding = only(patient.health, "unused-application-index")
    assert finding.where == "metrics_copilotseatsnapshot, copilot_seat_date_idx"
    assert finding.statement is None
    assert "migrations" in finding.todo


def test_keys_are_never_reported_as_unused(patient):
    patient.run(SNAPSHOTS, "CREATE UNIQUE INDEX key ON metrics_copilotseatsnapshot (id)")
    patient.run("SELECT count(*) FROM metrics_copilotseatsnapshot")
    for name in ("unused-index", "unused-application-index"):
        assert none(patient.health, name, "key")


def test_two_indexes_with_the_same_content(patient):
    assert none(patient.health, "duplicate-index", "twin")
    patient.run("CREATE INDEX other ON metrics_commit (author_id, committed_at DESC)")
    patient.run("CREATE INDEX twin ON metrics_commit (author_id, committed_at)")
    assert none(patient.health, "duplicate-index", "other")
    patient.run(only(patient.health, "duplicate-index", "twin").statement)
    assert none(patient.health, "duplicate-index", "twin")
    patient.run("CREATE INDEX twin ON metrics_commit (team_id, github_sha)")
    finding = only(patient.health, "duplicate-index", "twin")
    assert "unique_team_commit" in finding.now


def test_the_applications_own_duplicate_index_is_left_to_its_migrations(patient):
    own = [finding for finding in patient.health if finding.name == "duplicate-index"]
    assert own
    assert all("migrations" in finding.todo for finding in own)


def test_a_large_table_that_is_often_scanned_sequentially(patient):
    patient.run(COMMITS.format(10_000))
    assert none(patient.health, "sequential-scans")
    patient.run("SELECT sum(additions) FROM metrics_commit; " * 100)
    assert only(patient.health, "sequential-scans").where == "metrics_commit"
    patient.run("SET enable_seqscan = off; " + "SELECT 1 FROM metrics_commit WHERE id = 1; " * 1_100)
    assert none(patient.health, "sequential-scans")


def test_a_small_table_that_is_scanned_a_million_times(patient):
    patient.run("SELECT slug FROM teams_team; " * 1_000)
    assert none(patient.health, "sequential-scans")
    patient.run(
        "DO $$ BEGIN FOR n IN 1..1000000 LOOP PERFORM slug FROM teams_team WHERE slug > 'a'; END LOOP; END $$"
    )
    finding = only(patient.health, "sequential-scans")
    assert (finding.where, "1 rows" in finding.now) == ("teams_team", True)


def test_dead_rows(patient):
    patient.run(COMMITS.format(2_000), "VACUUM ANALYZE")
    assert none(patient.health, "dead-rows")
    patient.run("UPDATE metrics_commit SET additions = additions + 1")
    finding = only(patient.health, "dead-rows")
    assert "2,000 dead" in finding.now
    patient.run(finding.statement)
    assert none(patient.health, "dead-rows")


def test_a_table_without_statistics(patient):
    patient.run(COMMITS.format(900))
    assert none(patient.health, "never-analysed")
    patient.run("DELETE FROM metrics_commit", COMMITS.format(1_500))
    finding = only(patient.health, "never-analysed")
    assert (finding.where, finding.severity) == ("metrics_commit", "warning")
    patient.run(finding.statement)
    assert none(patient.health, "never-analysed")
    patient.run("SELECT pg_stat_reset()")
    assert none(patient.health, "never-analysed")


def test_connections_that_run_out(patient):
    assert none(patient.health, "connections")
    held = [psycopg2.connect(patient.url) for _ in range(14)]
    finding = only(patient.health, "connections")
    for connection in held:
        connection.close()
    assert finding.now in {f"{used} of 17 connections in use" for used in (14, 15)}  # one may still be ending
    assert finding.severity == "warning"


def test_checkpoints_that_wal_forces(patient):
    view = patient.server.execute("SELECT to_regclass('pg_stat_checkpointer') IS NOT NULL")[0][0]
    patient.run(f"SELECT pg_stat_reset_shared('{'checkpointer' if view else 'bgwriter'}')")
    assert none(patient.health, "forced-checkpoints")
    for _ in range(12):
        patient.run("SELECT pg_logical_emit_message(false, 'x', repeat('x', 20000000))", "CHECKPOINT")
    finding = only(patient.health, "forced-checkpoints")
    assert finding.statement == "ALTER SYSTEM SET max_wal_size = '64MB';"


def test_statements_are_not_recorded_without_the_servers_module(patient):
    finding = only(patient.health, "statements-not-recorded")
    assert finding.statement is None
    assert "contrib" in finding.todo


def test_only_tables_of_the_application_are_examined(patient):
    before = patient.health
    patient.run(
        "CREATE TABLE invoices (n int)",
        "CREATE INDEX a ON invoices (n); CREATE INDEX b ON invoices (n)",
        "INSERT INTO invoices SELECT generate_series(1, 20000)",
        "UPDATE invoices SET n = n + 1",
        "SELECT sum(n) FROM invoices; " * 100,
    )
    left_out = ("forced-checkpoints", "cache-hit-ratio")
    assert {item.name for item in patient.health} - {item.name for item in before} <= set(left_out)
    assert none(patient.health, "unused-index")


def test_the_examination_changes_no_statistics_of_the_applications_tables(patient):
    def counts():
        return patient.server.execute(
            "SELECT relname, idx_scan, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup FROM pg_stat_user_tables"
            " WHERE relname <> 'teams_team' ORDER BY 1",
            patient.url,
        )

    before = counts()
    assert patient.health
    assert counts() == before
