"""A PostgreSQL that falls silent without closing its connections keeps nobody waiting for ever."""

import pytest

from tests.support.commands import lines_of_errors
from tests.support.constants import with_constants
from tests.support.databases import connect
from tests.support.servers import postgres, wait_until
from tests.support.workers import digests, run_json, start, statement
from tformance_seed.storage import connection, silent_servers

ARGUMENTS = ("resend", "--days", "20", "--until", "2026-03-18", "--chunk-size", "20")

#: What takes most of a minute takes seconds.
IMPATIENT = {
    "execution.retry.GIVE_UP_AFTER": 3.0,
    "execution.local.LEAVE_AFTER": 1.0,
    "storage.connection.CONNECT_TIMEOUT": 2,
    "storage.silent_servers.POLL_INTERVAL": 0.1,
    "storage.silent_servers.PATIENCE": 0.3,
    "storage.silent_servers.PROBE_TIMEOUT": 2,
    "storage.silent_servers.SILENCE": 1.0,
}


def test_a_run_ends_in_one_line_when_its_server_falls_silent(undisturbed):
    with postgres() as server:
        url = server.new_database()
        run = start("seed", *ARGUMENTS, database=url, **with_constants(IMPATIENT))
        wait_until(lambda: server.execute("SELECT to_regclass('seed_task')", url) != [(None,)])
        wait_until(lambda: statement(url, "SELECT count(*) FROM seed_task WHERE state = 'done'") > [(3,)])
        with server.silent():
            output, errors = run.communicate(timeout=100)
        assert (run.returncode, output, lines_of_errors(errors)) == (1, "", 1), errors
        assert "timeout expired" in errors or "server closed the connection" in errors
        assert run_json("seed", *ARGUMENTS, database=url)["failures"] == []
        assert digests(url) == undisturbed(*ARGUMENTS)


def test_a_slow_statement_of_a_server_that_answers_goes_on(monkeypatch, postgresql_url):
    asked = []
    answers = silent_servers._answers
    monkeypatch.setattr(silent_servers, "_answers", lambda address: asked.append(address) or answers(address))
    for name, value in {"POLL_INTERVAL": 0.05, "PATIENCE": 0.1, "SILENCE": 0.0}.items():
        monkeypatch.setattr(silent_servers, name, value)
    database = connect(postgresql_url)
    wait_until(lambda: database.execute_sql("SELECT pg_sleep(0.5)") and asked)
    assert database.execute_sql("SELECT 1").fetchone() == (1,)
    database.close()


@pytest.mark.parametrize("chosen", ["", "&keepalives_idle=77&connect_timeout=3"])
def test_what_libpq_does_about_a_peer_that_is_gone_can_be_chosen(postgresql_url, chosen):
    database = connection.connect(postgresql_url + chosen)
    parameters = database.connection().get_dsn_parameters()
    expected = {name: str(value) for name, value in silent_servers.KEEPALIVES.items()}
    if chosen:
        expected |= {"keepalives_idle": "77", "connect_timeout": "3"}
    assert expected.items() <= parameters.items()
    database.close()
