"""A broker that answers but cannot carry messages is found before anything is entered, and by the doctor."""

import importlib.resources
import json
import re
import shutil
import socket
import time

import pytest
from redis import ResponseError

from tests.support.commands import command, lines_of_errors
from tests.support.constants import with_constants
from tests.support.examinations import examined, findings, none, only
from tests.support.servers import Redis, wait_until
from tests.support.workers import Workers, digests, start, statement
from tformance_seed.errors import InputError
from tformance_seed.execution import broker

ARGUMENTS = ("polar", "resend", "--days", "20", "--until", "2026-03-18", "--chunk-size", "200")


@pytest.fixture
def redis(tmp_path):
    """A Redis of its own, for a test to spoil."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = Redis(folder)
    server.start()
    yield server
    server.crash()


def fill(redis):
    redis.client.set("ballast", "x" * 100_000)
    redis.client.config_set("maxmemory", 1)


def replicate(redis):
    redis.client.replicaof("127.0.0.1", "1")


def take_its_disk(redis):
    redis.client.config_set("save", "3600 1")
    redis.client.set("ballast", "x")
    shutil.rmtree(redis.folder)
    redis.client.bgsave()
    wait_until(lambda: redis.client.info("persistence")["rdb_last_bgsave_status"] == "err")


def grant(redis, *rights):
    """Return the URL of a user with these rights alone."""
    redis.client.execute_command("ACL", "SETUSER", "plain", "reset", "on", "nopass", *rights)
    return redis.url.replace("//", "//plain:any@")


def forbid_scripts(redis):
    return grant(redis, "~*", "+@all", "-@scripting")


def allow_reading(redis):
    return grant(redis, "~*", "+@read")


REFUSALS = {
    "out of memory": (fill, "out of memory: raise its maxmemory"),
    "read-only replica": (replicate, "a read-only replica: name the primary"),
    "no disk": (take_its_disk, "cannot write to its disk: free space"),
    "no scripts": (forbid_scripts, "allow its user scripts"),
    "only reading": (allow_reading, "allow its user scripts"),
    "no such database": (lambda redis: redis.url.replace("/0", "/99"), "no database of that number"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_redis_that_refuses_is_one_line_before_anything_is_entered(redis, postgresql_url, refusal):
    spoil, words = REFUSALS[refusal]
    url = spoil(redis) or redis.url
    refused = command("seed", *ARGUMENTS, "--broker", url, "--database", postgresql_url)
    assert (refused.returncode, refused.stdout, lines_of_errors(refused.stderr)) == (2, "", 1), refused.stderr
    assert words in refused.stderr
    assert "please report" not in refused.stderr
    assert statement(postgresql_url, "SELECT count(*) FROM pg_tables WHERE tablename = 'seed_run'") == [(0,)]
    finding = only(findings(examined(postgresql_url, url), "Workers"), "broker-unreachable")
    assert words in finding.now


def test_a_user_who_lacks_any_command_or_key_that_dramatiq_uses_is_refused(redis):
    script = importlib.resources.files("dramatiq.brokers").joinpath("redis/dispatch.lua").read_text()
    script, _ = script.split('command == "qsize"')  # which only Dramatiq's own tests send
    used = {*re.findall(r'redis\.call\("(\w+)"', script), "evalsha", "ping", "set", "mget", "watch", "multi"}
    assert {"keys", "hdel", "zrem"} < used
    lacking = [("~*", "+@all", f"-{command}") for command in {*used, "exec", "lpush", "pexpire"}]
    for rights in [*lacking, ("~dramatiq*", "+@all"), ("~tformance_seed:*", "+@all")]:
        with pytest.raises(InputError, match="allow its user scripts"):
            broker.connect(grant(redis, *rights)).check()
    assert not redis.client.keys("tformance_seed:*")


def test_the_rights_that_the_message_names_are_enough(tmp_path, redis, postgresql_url, undisturbed):
    with pytest.raises(InputError) as refusal:
        broker.connect(allow_reading(redis)).check()
    url = grant(redis, *re.search("SETUSER USER (.+)", str(refusal.value))[1].split())
    workers = Workers(tmp_path, postgresql_url, url, "--processes", "1", "--threads", "2")
    done = command("seed", *ARGUMENTS, "--broker", url, "--database", postgresql_url)
    assert done.returncode == 0, done.stderr
    assert digests(postgresql_url) == undisturbed(*ARGUMENTS)
    assert re.search("refused|failed|again|Traceback", workers.log) is None
    assert redis.client.keys("tformance_seed-results:*")
    workers.end()


def test_the_doctor_does_not_need_to_count(redis, postgresql_url):
    found = findings(examined(postgresql_url, grant(redis, "~*", "+@all", "-llen")), "Workers")
    assert none(found, "broker-unreachable")
    assert only(found, "redis-hidden").where == "command LLEN"


def test_a_redis_beside_rabbitmq_is_tried_out_too(redis):
    limits, results, try_out = broker.limits_and_results(forbid_scripts(redis))
    assert limits.client is results.client
    with pytest.raises(ResponseError, match="no permissions"):
        try_out()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{}/0", "amqp://127.0.0.1:{}/?stack_timeout=0.2"])
def test_a_broker_that_never_answers_is_not_waited_for(monkeypatch, postgresql_url, url):
    monkeypatch.setattr(broker, "CONNECT_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        named = url.format(silent.getsockname()[1])
        refused = command("seed", *ARGUMENTS, "--broker", named, "--database", postgresql_url)
    assert (refused.returncode, refused.stdout, lines_of_errors(refused.stderr)) == (2, "", 1), refused.stderr
    assert "the broker does not answer" in refused.stderr


@pytest.mark.parametrize("refusal", ["no scripts", "no such database"])
def test_workers_do_not_start_on_a_redis_that_refuses_them(redis, postgresql_url, refusal):
    spoil, words = REFUSALS[refusal]
    refused = command("worker", "--broker", spoil(redis), "--database", postgresql_url, "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["kind"] == "input"
    assert words in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("refusal", ["out of memory", "read-only replica"])
def test_workers_outlast_a_redis_that_refuses_for_a_while_without_tracebacks(
    tmp_path, redis, postgresql_url, undisturbed, refusal
):
    spoil, words = REFUSALS[refusal]
    workers = Workers(tmp_path, postgresql_url, redis.url, "--processes", "1", "--threads", "2")
    workers.ready(1)
    impatient = with_constants({"execution.retry.GIVE_UP_AFTER": 3.0, "commands.watch.STALLED_AFTER": 6.0})
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=redis.url, **impatient)
    wait_until(lambda: "rows written" in workers.log)
    spoil(redis)
    _, errors = run.communicate(timeout=60)
    assert (run.returncode, lines_of_errors(errors)) == (1, 1), errors
    assert words in errors
    wait_until(lambda: words in workers.log)
    time.sleep(1)
    assert "Traceback" not in workers.log
    redis.client.replicaof("NO", "ONE")
    redis.client.config_set("maxmemory", 0)
    again = re.search(r"tformance-seed (retry \S+)", errors)[1].split()
    retried = command(*again, "--database", postgresql_url, "--broker", redis.url)
    assert retried.returncode == 0, retried.stderr
    assert digests(postgresql_url) == undisturbed(*ARGUMENTS)
    workers.end()
