"""The doctor's findings about workers and their broker, each caused on a real Redis."""

import json

import pytest

from tests.support.commands import command
from tests.support.examinations import examined, findings, none, only
from tests.support.servers import free_port, wait_until
from tformance_seed import ledger
from tformance_seed.doctor.tiers import TIERS
from tformance_seed.execution import supervisor
from tformance_seed.ledger import TaskKey
from tformance_seed.storage.schema.create import create_missing


@pytest.fixture
def looked(opened, postgresql_url, broker):
    """Findings about workers, with the broker as it is now."""
    create_missing(opened)

    def look(url=broker.url):
        return findings(examined(postgresql_url, url), "Workers")

    return look


@pytest.fixture
def configure(broker):
    """Changes Redis until the test is over."""
    before = {
        name: broker.client.config_get(name)[name]
        for name in ("maxmemory", "maxmemory-policy", "appendonly", "save")
    }

    def change(**settings):
        for name, value in settings.items():
            broker.client.config_set(name.replace("_", "-"), value)

    yield change
    change(**before)


def waiting(count):
    """Messages about a run that is in no ledger."""
    return [("compute", TaskKey("none", 1, "polar", "weekly", number)) for number in range(count)]


@pytest.mark.parametrize(("teams", "tier"), [(5, TIERS[0]), (20, TIERS[1]), (100, TIERS[2])])
def test_workers_are_recommended_as_commands(opened, postgresql_url, teams, tier):
    create_missing(opened)
    found = findings(examined(postgresql_url, teams=teams), "Workers")
    assert [finding.name for finding in found] == ["workers"] * 3
    for queue, tasks in tier.workers.items():
        statement = only(found, "workers", queue).statement
        program, name, *options = statement.split()
        assert (program, name) == ("tformance-seed", "worker")
        chosen = dict(zip(options[::2], options[1::2], strict=True))
        assert chosen.keys() == {"--queues", "--processes", "--threads"}
        (group,) = supervisor.worker_groups(
            queues=chosen["--queues"],
            processes=int(chosen["--processes"]),
            threads=int(chosen["--threads"]),
        )
        assert group.queues == (queue,)
        assert group.processes * group.threads == tasks
        assert group.threads == 1 or queue != "compute"


def test_sqlite_has_one_writer_and_needs_no_workers(tmp_path):
    url = f"sqlite:///{tmp_path}/test.db"
    command("init", "--database", url)
    result = command("doctor", "--database", url)
    *findings, purpose = result.stdout.splitlines()
    assert (result.returncode, len(findings)) == (0, 2)
    assert purpose.startswith("Purpose: ")
    assert "SQLite has one writer" in result.stdout


def test_an_unreachable_broker_is_an_error(looked, postgresql_url):
    assert none(looked(), "broker-unreachable")
    url = f"redis://user:hunter2@127.0.0.1:{free_port()}/0"
    finding = only(looked(url), "broker-unreachable")
    assert finding.severity == "error"
    assert "hunter2" not in str(finding)
    result = command("doctor", "--broker", url, DATABASE_URL=postgresql_url)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "hunter2" not in result.stdout + result.stderr
    seeding = command("seed", "resend", "--broker", url, DATABASE_URL=postgresql_url)
    assert seeding.returncode == 2


def test_a_broker_that_requires_a_password_is_said_to_refuse(looked, broker):
    broker.client.acl_setuser("default", enabled=True, passwords=["+hunter2"], nopass=False)
    try:
        assert only(looked(), "broker-unreachable")
        assert none(looked(broker.url.replace("127", ":hunter2@127", 1)), "broker-unreachable")
    finally:
        secret = type(broker.client)(port=broker.port, password="hunter2")
        secret.acl_setuser("default", enabled=True, nopass=True, keys="*", channels="*", categories=["+@all"])


def test_messages_may_be_evicted(looked, configure):
    assert none(looked(), "redis-eviction")
    configure(maxmemory_policy="allkeys-lru")
    assert none(looked(), "redis-eviction")  # there is no limit
    configure(maxmemory="100mb")
    finding = only(looked(), "redis-eviction")
    assert (finding.severity, finding.now) == ("warning", "allkeys-lru, 100MB at most")
    assert finding.recommended == "noeviction"
    configure(maxmemory_policy="noeviction")
    assert none(looked(), "redis-eviction")


def test_messages_may_not_be_persisted(looked, configure):
    assert none(looked(), "redis-persistence")
    configure(appendonly="no")
    assert only(looked(), "redis-persistence").severity == "warning"
    configure(save="900 1")
    snapshots = only(looked(), "redis-persistence")
    assert (snapshots.severity, "900 1" in snapshots.now) == ("advice", True)
    configure(appendonly="yes")
    assert none(looked(), "redis-persistence")


@pytest.mark.parametrize(("forbidden", "count"), [("config", 1), ("info", 2)])
def test_a_provider_may_forbid_the_commands(looked, broker, configure, forbidden, count):
    configure(appendonly="no")
    assert none(looked(), "redis-hidden")
    broker.client.acl_setuser(
        "tenant",
        enabled=True,
        passwords=["+pw"],
        keys="*",
        categories=["+@all"],
        commands=[f"-{forbidden}"],
    )
    try:
        found = looked(broker.url.replace("127", "tenant:pw@127", 1))
        hidden = [finding for finding in found if finding.name == "redis-hidden"]
        assert len(hidden) == count
        assert all(forbidden.upper() in finding.where for finding in hidden)
        assert none(found, "broker-unreachable")
        assert only(found, "no-workers")
    finally:
        broker.client.acl_deluser("tenant")


def test_missing_workers_are_reported_with_the_messages_that_wait(looked, executor, postgresql_url, broker):
    nobody = looked()
    assert only(nobody, "no-workers").severity == "advice"
    assert none(nobody, "waiting-without-workers")
    executor.send(waiting(7))
    waits = looked()
    assert only(waits, "waiting-without-workers").severity == "warning"
    assert "7 messages" in only(waits, "waiting-without-workers").now
    assert none(waits, "no-workers")
    result = command("doctor", "--json", DATABASE_URL=postgresql_url, TFORMANCE_BROKER_URL=broker.url)
    (told,) = [
        finding
        for section in json.loads(result.stdout)["sections"]
        for finding in section["findings"]
        if finding["name"] == "waiting-without-workers"
    ]
    assert (result.returncode, told["statement"]) == (0, "tformance-seed worker")


def test_queues_and_dead_letters_are_counted(looked, workers, executor, postgresql_url, broker):
    executor.send(waiting(3))
    assert none(looked(), "dead-letters")
    queue = only(examined(postgresql_url, broker.url).sections[-1].findings, "queue", "compute")
    assert queue.now == "3 waiting, 0 delayed, 0 running"
    made = workers("--processes", "1", "--threads", "1")
    made.ready(1)
    wait_until(lambda: broker.client.zcard("tformance_seed:compute.XQ") == 3)
    found = looked()
    assert only(found, "dead-letters").now == "3 dead messages"
    assert none(found, "no-workers")
    assert none(found, "waiting-without-workers")
    assert made.stop() == 0
    assert only(looked(), "no-workers")


def test_a_busy_worker_is_alive(looked, workers, begin, opened):
    made = workers("--processes", "1", "--threads", "1")
    made.ready(1)
    run = begin("polar", "resend")
    for _ in range(3):
        assert none(looked(), "no-workers")
        assert none(looked(), "waiting-without-workers")
    wait_until(lambda: ledger.run_status(opened, run).state == "finished", 60)
