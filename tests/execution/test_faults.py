"""Whatever is killed, lost or delivered twice: a run ends with the content of an undisturbed one."""

import random
import time

import peewee
import psycopg2
import pytest

from tests.support.commands import command, lines_of_errors
from tests.support.constants import with_constants
from tests.support.servers import Redis, postgres, wait_until
from tests.support.workers import Workers, digests, kill, run_json, start, statement
from tformance_seed import ledger
from tformance_seed.ledger import TaskKey
from tformance_seed.storage.failures import is_transient
from tformance_seed.storage.models import SeedTask

ORGANISATIONS = ("polar", "resend", "dub")
DAYS = 30
ARGUMENTS = (*ORGANISATIONS, "--days", str(DAYS), "--until", "2026-03-18", "--chunk-size", "200")

#: Messages of a killed worker are requeued after seconds, instead of a quarter of a minute.
QUICK_REQUEUE = with_constants({"execution.broker.HEARTBEAT_TIMEOUT": 3_000})

#: The command that waits for a run sends lost tasks again after seconds, instead of half a minute.
QUICK_RESEND = with_constants({"commands.watch.STALLED_AFTER": 3.0})


@pytest.fixture
def expected(undisturbed):
    """Return the digests of an undisturbed run."""
    return undisturbed(*ARGUMENTS)


def done(url):
    """Return the number of tasks done so far; 0 while the ledger does not answer."""
    try:
        return statement(url, "SELECT count(*) FROM seed_task WHERE state = 'done'")[0][0]
    except psycopg2.Error:
        return 0


def finish(run, url, broker):
    """Wait for a run's command; if it failed, retry the run as its message says."""
    _, errors = run.communicate(timeout=150)
    if run.returncode:
        name = run_json("status", database=url)["run"]
        assert f"tformance-seed retry {name}" in errors or "status" in errors, errors
        run_json("retry", name, database=url, broker=broker.url)


def test_workers_killed_at_random_instants(workers, postgresql_url, broker, expected):
    running = workers("--processes", "3", **QUICK_REQUEUE)
    running.ready(3)
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=broker.url)
    generator = random.Random(1)
    for _ in range(6):
        time.sleep(generator.uniform(0.1, 0.6))
        if children := running.children():
            kill(generator.choice(children))
    finish(run, postgresql_url, broker)
    assert digests(postgresql_url) == expected


def test_the_supervisor_killed(workers, postgresql_url, broker, expected):
    running = workers("--processes", "2")
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=broker.url)
    wait_until(lambda: done(postgresql_url) > 5)
    running.process.kill()
    workers("--processes", "2")
    finish(run, postgresql_url, broker)
    assert digests(postgresql_url) == expected


@pytest.mark.parametrize("forgets", [False, True])
def test_redis_killed_and_started_again(workers, tmp_path, postgresql_url, expected, forgets):
    """With its data, and without: then the command that waits for the run sends the tasks again."""
    folder = tmp_path / "redis"
    folder.mkdir()
    broker = Redis(folder, durable=True)
    broker.start()
    try:
        running = Workers(tmp_path, postgresql_url, broker.url, "--processes", "2")
        run = start("seed", *ARGUMENTS, database=postgresql_url, broker=broker.url, **QUICK_RESEND)
        wait_until(lambda: done(postgresql_url) > 5)
        broker.crash()
        if forgets:
            broker.forget()
        time.sleep(1)
        broker.start()
        finish(run, postgresql_url, broker)
        assert digests(postgresql_url) == expected
        running.end()
    finally:
        broker.crash()


def test_postgresql_stopped_in_immediate_mode_and_started_again(tmp_path, broker, expected):
    with postgres(durable=True) as server:
        url = server.new_database()
        running = Workers(tmp_path, url, broker.url, "--processes", "2")
        run = start("seed", *ARGUMENTS, database=url, broker=broker.url)
        wait_until(lambda: done(url) > 5)
        server.crash()
        time.sleep(2)
        server.start()
        finish(run, url, broker)
        assert digests(url) == expected
        running.end()


def test_messages_twice_late_and_out_of_order(workers, begin, executor, opened, postgresql_url, expected):
    run = begin(*ORGANISATIONS, days=DAYS)
    every = {("sync", "team")}
    every |= {("compute", stage) for stage in ("ai_usage", "pull_requests", "weekly", "copilot_and_insights")}
    jobs = dict(zip(ORGANISATIONS, run.jobs, strict=True))
    wild = [
        (queue, TaskKey(run.name, job, slug, stage, 0))
        for queue, stage in every
        for slug, job in jobs.items()
    ]
    generator = random.Random(2)
    executor.send(generator.sample(wild, len(wild)))  # before any of these tasks exists
    workers("--processes", "3")
    while ledger.run_status(opened, run).state == "running":
        executor.send(generator.sample(wild, 6))
        time.sleep(0.1)
    executor.send(generator.sample(wild, len(wild)))  # after all is done
    again = run_json("seed", *ARGUMENTS[:7], database=postgresql_url)
    assert sum(table["rows_written"] for table in again["tables"]) == 0
    assert digests(postgresql_url) == expected
    weekly = SeedTask.select().where(SeedTask.stage == "weekly", SeedTask.rows_written > 0)
    assert weekly.count() == len(ORGANISATIONS)


@pytest.mark.parametrize("shared", [True, False], ids=["broker", "by themselves"])
def test_two_runs_over_the_same_organisations(workers, postgresql_url, broker, expected, shared):
    if shared:
        workers("--processes", "2")
    assert command("init", DATABASE_URL=postgresql_url).returncode == 0
    runs = [
        start("seed", *arguments, database=postgresql_url, broker=broker.url if shared else None)
        for arguments in (ARGUMENTS, (*reversed(ORGANISATIONS), *ARGUMENTS[3:]))
    ]
    for run in runs:
        _, errors = run.communicate(timeout=150)
        assert run.returncode == 0, errors
    assert digests(postgresql_url) == expected


def test_a_refused_shard_fails_alone_and_can_be_retried(workers, server, postgresql_url, broker, expected):
    """A trigger refuses the usage of one member; all else of the phase is done, and all other teams."""
    assert command("init", DATABASE_URL=postgresql_url).returncode == 0
    server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.member_id % 5 = 0 THEN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON metrics_aiusagedaily FOR EACH ROW"
        " WHEN (NEW.team_id = 1) EXECUTE FUNCTION refuse()",
        postgresql_url,
    )
    workers("--processes", "2")
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=broker.url)
    _, errors = run.communicate(timeout=150)
    assert run.returncode == 1
    assert "poison" in errors
    status = run_json("status", database=postgresql_url)
    states = {job["organisation"]: job["state"] for job in status["organisations"]}
    assert sorted(states.values()) == ["failed", "finished", "finished"]
    (bad,) = [job for job in status["organisations"] if job["state"] == "failed"]
    assert "poison" in bad["reason"]
    stages = {stage["stage"]: stage for stage in bad["stages"]}
    assert stages["ai_usage"]["failed"] >= 1
    assert stages["pull_requests"]["done"] == len(range(0, stages["pull_requests"]["items"], 20))
    server.execute("DROP TRIGGER refuse ON metrics_aiusagedaily", postgresql_url)
    run_json("retry", status["run"], database=postgresql_url, broker=broker.url)
    assert digests(postgresql_url) == expected


def test_cancel_lets_current_tasks_finish_and_retry_continues(
    workers, begin, postgresql_url, broker, expected
):
    workers("--processes", "1")
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=broker.url)
    wait_until(lambda: done(postgresql_url) > 5)
    name = run_json("status", database=postgresql_url)["run"]
    left = run_json("cancel", name, database=postgresql_url)["organisations"]
    assert sum(each["tasks_left"] for each in left) > 0
    before = done(postgresql_url)
    _, errors = run.communicate(timeout=60)
    assert (run.returncode, f"tformance-seed retry {name}" in errors) == (1, True)
    time.sleep(1)
    assert done(postgresql_url) == before
    assert run_json("status", database=postgresql_url)["state"] == "cancelled"
    run_json("retry", name, database=postgresql_url, broker=broker.url)
    assert digests(postgresql_url) == expected


def test_too_many_connections_are_reported_and_retried(tmp_path, broker, expected):
    with postgres() as server:
        server.configure(max_connections=8, superuser_reserved_connections=0, autovacuum="off")
        url = server.new_database()
        assert command("init", DATABASE_URL=url).returncode == 0
        soon = with_constants({"execution.retry.TOO_MANY_CONNECTIONS_DELAY": 200})
        running = Workers(tmp_path, url, broker.url, "--processes", "3", "--threads", "4", **soon)
        running.ready(3)
        run = start("seed", *ARGUMENTS, database=url, broker=broker.url)
        finish(run, url, broker)
        assert "the server accepts no more connections" in running.log
        running.end()
        assert digests(url) == expected


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        ("40P01", True),  # deadlock
        ("40001", True),  # serialization failure
        ("57P01", True),  # the server stops
        ("53300", True),  # too many connections
        ("53100", False),  # disk full
        ("42P01", False),  # no such table
        ("22003", False),  # a number out of range
        ("23505", False),  # a row that this package does not own
    ],
)
def test_an_sqlstate_says_whether_an_error_is_transient(opened, code, passing):
    with pytest.raises(peewee.DatabaseError) as refusal:
        opened.execute_sql(f"DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{code}'; END $$")
    assert is_transient(refusal.value) is passing


def test_a_broker_that_does_not_answer_is_reported_in_one_line(postgresql_url):
    result = command(
        "seed", *ARGUMENTS, DATABASE_URL=postgresql_url, TFORMANCE_BROKER_URL="redis://127.0.0.1:1/0"
    )
    assert (result.returncode, result.stdout, lines_of_errors(result.stderr)) == (2, "", 1)
    assert "the broker does not answer" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("worker",), "workers need a broker"),
        (("worker", "--broker", "kafka://x"), "unknown kind"),
        (("worker", "--broker", "redis://x:y/0"), "malformed"),
        (("worker", "--broker", "redis://127.0.0.1:1", "--queues", "sync,other"), "--queues other"),
        (("worker", "--broker", "redis://127.0.0.1:1", "--processes", "0"), "--processes 0"),
        (("seed", "--detach"), "--detach needs workers"),
        (("status",), "no run is recorded"),
        (("retry", "missing"), "no run missing"),
    ],
)
def test_wrong_options_of_workers_are_reported_in_one_line(tmp_path, arguments, words):
    url = f"sqlite:///{tmp_path}/x.db"
    if words.startswith("no"):
        assert command("init", "--database", url).returncode == 0
    result = command(*arguments, "--database", url)
    assert (result.returncode, result.stdout, lines_of_errors(result.stderr)) == (2, "", 1), result.stderr
    assert words in result.stderr
