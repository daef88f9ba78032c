"""Workers as a user runs them: several processes seed organisations; passwords do not appear."""

import json
import time

import psycopg2
import pytest

from tests.support.commands import command, lines_of_errors
from tests.support.json_output import by_table
from tests.support.servers import wait_until
from tests.support.workers import Workers, digests, kill, run_json

SMALL = ("polar", "--days", "20", "--until", "2026-03-18")
BIG = ("calcom", "--days", "60", "--until", "2026-03-18", "--members", "300", "--chunk-size", "600")


def test_workers_seed_the_same_content_as_one_process(workers, undisturbed, postgresql_url, broker):
    workers()
    arguments = (*SMALL, "resend")
    report = run_json("seed", *arguments, database=postgresql_url, broker=broker.url)
    assert report["failures"] == []
    assert {item["organisation"] for item in report["organisations"]} == {"polar", "resend"}
    assert by_table(report)["metrics_prfile"]["rows_written"] > 100
    assert digests(postgresql_url) == undisturbed(*arguments)
    again = run_json("seed", *arguments, database=postgresql_url, broker=broker.url)
    assert sum(table["rows_written"] for table in again["tables"]) == 0


def test_one_big_organisation_is_spread_over_all_workers_and_aggregated_once(
    workers, undisturbed, postgresql_url, broker
):
    workers("--processes", "3").ready(3)
    run_json("seed", *BIG, database=postgresql_url, broker=broker.url)
    with psycopg2.connect(postgresql_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, count(*), count(DISTINCT worker), max(attempts) FROM seed_task GROUP BY 1"
        )
        stages = {stage: rest for stage, *rest in cursor.fetchall()}
    assert stages["weekly"] == [1, 1, 1]
    assert stages["pull_requests"][0] > 10
    assert stages["pull_requests"][1] == 3
    assert stages["ai_usage"][0] > 1
    assert digests(postgresql_url) == undisturbed(*BIG)


def test_a_worker_serves_only_the_queues_that_it_names(workers, postgresql_url, broker):
    workers("--queues", "sync", "--processes", "1").ready(1)
    name = command(
        "seed", *SMALL, "--detach", DATABASE_URL=postgresql_url, TFORMANCE_BROKER_URL=broker.url
    ).stdout.splitlines()[0]

    def stages():
        (job,) = run_json("status", name, database=postgresql_url)["organisations"]
        return {stage["stage"]: stage for stage in job["stages"]}

    wait_until(lambda: stages().get("ai_usage"))
    time.sleep(1)
    assert stages()["ai_usage"]["waiting"] > 0
    assert "weekly" not in stages()
    workers("--queues", "compute", "--threads", "2")
    assert wait_until(lambda: run_json("status", name, database=postgresql_url)["state"] == "finished")


def test_summaries_are_written_with_their_version(workers, postgresql_url, broker):
    workers("--processes", "1")
    run_json("seed", *SMALL, database=postgresql_url, broker=broker.url)
    with psycopg2.connect(postgresql_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE llm_summary ?& array['ai','tech','summary','health']), count(*),"
            " count(DISTINCT llm_summary_version), min(length(llm_summary_version)) FROM metrics_pullrequest"
        )
        complete, everything, versions, length = cursor.fetchone()
    assert complete == everything > 50
    assert (versions, length > 0) == (1, True)


def test_messages_carry_keys_as_json_and_no_secret(begin, broker):
    run = begin("polar")
    (text,) = broker.client.hgetall("tformance_seed:sync.msgs").values()
    message = json.loads(text)
    assert message["kwargs"] == {
        "run": run.name,
        "job": run.jobs[0],
        "organisation": "polar",
        "stage": "team",
        "offset": 0,
    }
    assert message["args"] == []
    assert len(text) < 500
    assert b"postgres" not in text


@pytest.fixture
def secretive(tmp_path, server, postgresql_url, broker):
    """Return the URLs of a database and a broker that require passwords."""
    name, host = postgresql_url.split("/")[3].split("?")[0], postgresql_url.split("host=")[1]
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hush%1'")
    server.execute(f'ALTER DATABASE "{name}" OWNER TO {name}')
    broker.client.config_set("requirepass", "quiet7")
    broker.client.execute_command("AUTH", "quiet7")
    yield (
        f"postgresql://{name}:hush%251@/{name}?host={host}",
        f"redis://:quiet7@127.0.0.1:{broker.port}/0",
    )
    broker.client.config_set("requirepass", "")


def test_passwords_appear_nowhere(tmp_path, secretive, broker):
    url, locked = secretive
    workers = Workers(tmp_path, url, locked, "--processes", "1")
    kill(workers.ready(1)[0])
    result = command("seed", *SMALL, DATABASE_URL=url, TFORMANCE_BROKER_URL=locked)
    wrong = command("seed", *SMALL, DATABASE_URL=url, TFORMANCE_BROKER_URL=locked.replace("quiet7", "loud"))
    stored = b"".join(key + (broker.client.dump(key) or b"") for key in broker.client.scan_iter())
    workers.end()
    assert result.returncode == 0, result.stderr
    assert (wrong.returncode, lines_of_errors(wrong.stderr)) == (2, 1)
    output = result.stdout + result.stderr + workers.log + wrong.stdout + wrong.stderr
    for secret in ("hush", "quiet7", "loud"):
        assert secret not in output
        assert secret.encode() not in stored
