"""Workers of the queue ``llm`` ask a language model: within one limit, and again after they were killed."""

import signal
import threading
from collections import Counter

import pytest

from tests.support.chat_server import KEY
from tests.support.commands import command
from tests.support.servers import wait_until
from tests.support.workers import kill, run_json, start, statement, urls

PRS = 40
SMALL = ("polar", "--days", "14", "--prs", str(PRS), "--members", "6", "--until", "2026-03-18")
ASKING = (*SMALL, "--summaries", "m-1")
QUICK = {"TFORMANCE_LLM_RATE": "1000"}


def written(database):
    """Return how many summaries a verified organisation has of a language model."""
    (report,) = run_json("verify", database=database)["organisations"]
    assert report["violations"] == []
    return report["model_summaries"]


def answers(database):
    """Return how many answers the ledger has; None while there is no ledger."""
    ((table,),) = statement(database, "SELECT to_regclass('seed_summary')::text")
    return table and statement(database, "SELECT count(*) FROM seed_summary")[0][0]


@pytest.fixture
def pause(chat):
    """Return an event; until it is set, the server answers 10 requests and lets the others wait."""
    go = threading.Event()

    def fault(exchange):
        if chat.requests.index(exchange) >= 10:
            go.wait(30)
        return False

    chat.fault = fault
    yield go
    go.set()


def test_workers_ask_within_a_limit_that_they_share(workers, postgresql_url, broker, chat):
    """Two processes, ten a second: over two seconds for 40 requests, of which two may arrive late."""
    workers("--queues", "sync,compute", "--processes", "1")
    slow = {"TFORMANCE_LLM_RATE": "10"}
    workers("--queues", "llm", "--processes", "2", "--threads", "1", **slow, **chat.environment).ready(2)
    report = run_json("seed", *ASKING, database=postgresql_url, broker=broker.url)
    (organisation,) = report["organisations"]
    assert organisation["summaries"]["written"] == organisation["summaries"]["requests"] == PRS
    times = sorted(exchange.at for exchange in chat.requests)
    assert len(times) == PRS
    assert times[-1] - times[0] > 2
    assert all(times[place + 22] - times[place] > 0.9 for place in range(PRS - 22))
    workers_of = statement(
        postgresql_url, "SELECT count(DISTINCT worker), count(*) FROM seed_task WHERE stage = 'summaries'"
    )
    assert workers_of == [(2, PRS // 5)]
    assert written(postgresql_url) == PRS


def test_a_killed_worker_asks_only_what_was_not_answered(workers, postgresql_url, broker, chat, pause):
    asking = workers("--processes", "1", "--threads", "2", **QUICK, **chat.environment)
    name = command("seed", *ASKING, "--detach", **urls(postgresql_url, broker.url)).stdout.split()[0]
    wait_until(lambda: answers(postgresql_url) == 10)
    kill(asking.ready(1)[0])
    pause.set()
    result = command("retry", name, **urls(postgresql_url, broker.url))
    assert result.returncode == 0, result.stderr
    assert written(postgresql_url) == PRS
    asked = Counter(exchange.facts["title"] + str(exchange.facts["files"]) for exchange in chat.requests)
    assert PRS <= len(chat.requests) <= PRS + 2  # those that were under way in its two threads
    assert max(asked.values()) <= 2
    assert KEY not in result.stdout + result.stderr + asking.log
    stored = b"".join(key + (broker.client.dump(key) or b"") for key in broker.client.scan_iter())
    assert KEY.encode() not in stored
    in_plans = f"SELECT count(*) FROM seed_job WHERE plan::text LIKE '%{KEY}%'"
    assert statement(postgresql_url, in_plans) == [(0,)]


def test_a_killed_command_goes_on_where_it_was(postgresql_url, chat, pause):
    running = start("seed", *ASKING, database=postgresql_url, **QUICK, **chat.environment)
    wait_until(lambda: answers(postgresql_url) == 10)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    pause.set()
    again = command("seed", *ASKING, **urls(postgresql_url, None), **QUICK, **chat.environment)
    assert again.returncode == 0, again.stderr
    assert len(chat.requests) <= PRS + 4  # those that were under way in its four threads
    assert written(postgresql_url) == PRS


def test_cancelling_a_run_ends_its_requests(postgresql_url, chat, pause):
    running = start("seed", *ASKING, database=postgresql_url, **QUICK, **chat.environment)
    wait_until(lambda: answers(postgresql_url) == 10)
    ((name,),) = statement(postgresql_url, "SELECT name FROM seed_run")
    command("cancel", name, **urls(postgresql_url, None))
    pause.set()
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "cancelled" in errors
    assert len(chat.requests) <= 14  # no more than one of each thread


def test_workers_without_an_address_say_what_to_set(workers, postgresql_url, broker):
    workers("--processes", "1", "--threads", "2")
    result = command("seed", *ASKING, **urls(postgresql_url, broker.url))
    assert result.returncode == 1
    assert "set TFORMANCE_LLM_URL" in result.stderr
