"""A run that cannot go on ends: one line that says why and how to continue, which then works."""

import contextlib
import re
import resource
import signal
import sqlite3
import subprocess
import time

import psycopg2
import pytest

from tests.support.commands import argv, clean, command, lines_of_errors
from tests.support.constants import with_constants
from tests.support.servers import Redis, wait_until
from tests.support.workers import Workers, digests, start, statement

ARGUMENTS = ("polar", "resend", "--days", "40", "--until", "2026-03-18", "--chunk-size", "80")

#: What a command waits for takes seconds instead of most of a minute.
IMPATIENT = with_constants(
    {
        "execution.retry.GIVE_UP_AFTER": 3.0,
        "commands.watch.STALLED_AFTER": 6.0,
        "storage.connection.BUSY_TIMEOUT": 1,
        "execution.local.LEAVE_AFTER": 1.0,
    }
)


@pytest.fixture
def expected(undisturbed):
    """Return the digests of an undisturbed run."""
    return undisturbed(*ARGUMENTS)


def ended(run, words):
    """Wait for the end of a run that cannot go on; return the command that its one line names."""
    output, errors = run.communicate(timeout=60)
    assert (run.returncode, output, lines_of_errors(errors)) == (1, "", 1), errors
    assert words in errors
    return re.search(r"tformance-seed (retry \S+)", errors)[1].split()


def continues(arguments, url, expected, broker=None):
    assert command(*arguments, "--database", url, *(["--broker", broker] if broker else [])).returncode == 0
    assert digests(url) == expected


@contextlib.contextmanager
def locked(path):
    """Hold SQLite's lock for writing."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


def test_an_sqlite_file_that_another_program_keeps_locked(tmp_path, expected):
    url = f"sqlite:///{tmp_path}/x.db"
    assert command("init", "--database", url).returncode == 0
    run = start("seed", *ARGUMENTS, database=url, **IMPATIENT)

    def done():
        with contextlib.closing(sqlite3.connect(f"{tmp_path}/x.db")) as connection:
            return connection.execute("SELECT count(*) FROM seed_task WHERE state = 'done'").fetchone()[0]

    wait_until(lambda: done() > 3)
    with locked(tmp_path / "x.db"):
        again = ended(run, "database is locked")
    continues(again, url, expected)


@pytest.mark.parametrize("room", [200_000, 700_000])
def test_a_full_disk_wherever_it_is_noticed(tmp_path, expected, room):
    url = f"sqlite:///{tmp_path}/x.db"
    assert command("init", "--database", url).returncode == 0
    limit = (tmp_path / "x.db").stat().st_size + room
    full = subprocess.run(
        argv("seed", *ARGUMENTS, "--database", url),
        capture_output=True,
        text=True,
        env=clean(IMPATIENT),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        timeout=60,
        check=False,
    )
    assert (full.returncode, lines_of_errors(full.stderr)) == (1, 1), full.stderr
    assert re.search("disk is full|disk I/O error", full.stderr), full.stderr
    continues(("seed", *ARGUMENTS), url, expected)


@pytest.fixture
def plain_url(server, postgresql_url):
    """An empty database that belongs to a user without privileges elsewhere."""
    name = postgresql_url.split("/")[3].split("?")[0]
    server.execute(f"CREATE ROLE {name} LOGIN")
    server.execute(f"ALTER DATABASE {name} OWNER TO {name}")
    server.execute(f"GRANT ALL ON SCHEMA public TO {name}", postgresql_url)
    return postgresql_url.replace("postgres@", f"{name}@")


def revoke(server, url, name):
    server.execute(f"ALTER TABLE seed_task OWNER TO postgres; GRANT SELECT ON seed_task TO {name}", url)
    return lambda: server.execute(f"ALTER TABLE seed_task OWNER TO {name}", url)


def turn_read_only(server, url, name):
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'")
    return lambda: server.execute(f"ALTER DATABASE {name} RESET ALL")


def refuse_to_write(sqlstate):
    """Return an obstacle: a server that has run out of something when it writes to the ledger."""

    def refuse(server, url, name):
        server.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION 'there is none left' USING ERRCODE = '{sqlstate}'; END $$;"
            "CREATE TRIGGER refuse BEFORE UPDATE ON seed_task FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
            url,
        )
        return lambda: server.execute("DROP TRIGGER refuse ON seed_task", url)

    return refuse


OBSTACLES = {
    "a right revoked": (revoke, "permission denied"),
    "read-only": (turn_read_only, "read-only transaction"),
    "disk full": (refuse_to_write("53100"), "disk is full"),
    "out of memory": (refuse_to_write("53200"), "there is none left"),
}


def done(url):
    with contextlib.suppress(psycopg2.Error):
        return statement(url, "SELECT count(*) FROM seed_task WHERE state = 'done'")[0][0]
    return 0


@pytest.mark.parametrize("with_workers", [False, True], ids=["by itself", "with workers"])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_postgresql_that_no_longer_takes_writes(
    tmp_path, server, plain_url, postgresql_url, broker, expected, obstacle, with_workers
):
    url = broker.url if with_workers else None
    workers = Workers(tmp_path, plain_url, broker.url, "--processes", "1") if with_workers else None
    put_up, words = OBSTACLES[obstacle]
    run = start("seed", *ARGUMENTS, database=plain_url, broker=url, **IMPATIENT)
    wait_until(lambda: done(postgresql_url) > 3)
    remove = put_up(server, postgresql_url, plain_url.split("/")[3].split("?")[0])
    again = ended(run, words)
    remove()
    continues(again, plain_url, expected, url)
    if workers:
        assert "Traceback" not in workers.log
        workers.end()


def test_only_one_connection_is_left(server, plain_url, postgresql_url, expected):
    assert command("init", "--database", plain_url).returncode == 0
    name = plain_url.split("/")[3].split("?")[0]
    server.execute(f"ALTER ROLE {name} CONNECTION LIMIT 1")
    again = ended(start("seed", *ARGUMENTS, database=plain_url, **IMPATIENT), "too many connections")
    server.execute(f"ALTER ROLE {name} CONNECTION LIMIT 100")
    continues(again, plain_url, expected)


def test_another_session_keeps_the_ledger_locked(postgresql_url, expected):
    assert command("init", "--database", postgresql_url).returncode == 0
    run = start("seed", *ARGUMENTS, database=postgresql_url, **IMPATIENT)
    wait_until(lambda: done(postgresql_url) > 3)
    with contextlib.closing(psycopg2.connect(postgresql_url)) as other:
        other.cursor().execute("LOCK TABLE seed_task IN SHARE MODE")
        again = ended(run, "lock")
    continues(again, postgresql_url, expected)


def test_a_broker_that_stays_away_ends_the_run_and_lets_workers_stop(tmp_path, postgresql_url, expected):
    folder = tmp_path / "redis"
    folder.mkdir()
    broker = Redis(folder)
    broker.start()
    workers = Workers(tmp_path, postgresql_url, broker.url, "--processes", "2", "--threads", "2")
    workers.ready(2)
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=broker.url, **IMPATIENT)
    wait_until(lambda: done(postgresql_url) > 3)
    broker.crash()
    again = ended(run, "the broker does not answer")
    began = time.monotonic()
    assert workers.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 20
    assert "Traceback" not in workers.log
    continues(again, postgresql_url, expected)
