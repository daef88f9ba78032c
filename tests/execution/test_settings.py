"""The settings of workers, seen on running ones: prefetch, time limits, restarts, heartbeats, logs."""

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import dramatiq
import psutil
import psycopg2
import pytest

from tests.support.commands import clean
from tests.support.constants import with_constants
from tests.support.servers import free_port, wait_until
from tests.support.workers import kill, statement
from tformance_seed import ledger
from tformance_seed.execution.broker import HEARTBEAT_TIMEOUT
from tformance_seed.execution.middleware import HardTimeLimit
from tformance_seed.ledger import TaskKey
from tformance_seed.pipeline import stages
from tformance_seed.sampling.keyed_random import text_key
from tformance_seed.storage.models import SeedJob, SeedTask
from tformance_seed.storage.schema.create import create_missing


@contextlib.contextmanager
def locked_organisation(url, slug="polar"):
    """Lock an organisation, so that its tasks start and wait."""
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (text_key(f"tformance_seed/{slug}") >> 1,))
    try:
        yield
    finally:
        connection.close()


@pytest.fixture
def worker_here(executor):
    """Start workers in this process, so that a test can inspect them."""
    started = []

    def start(threads=2):
        executor.broker.emit_after("process_boot")
        worker = dramatiq.Worker(executor.broker, worker_threads=threads)
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.stop()


def middleware(executor, kind):
    return next(entry for entry in executor.broker.middleware if isinstance(entry, kind))


def finished_task(run, opened):
    """Wait for a run to finish; return one of its tasks, whose messages have nothing to do."""
    wait_until(lambda: ledger.run_status(opened, run).state == "finished", 60)
    return "compute", TaskKey(run.name, run.jobs[0], "polar", "ai_usage", 0)


def undone_again(run, opened):
    """Do the same, but leave that task as the only one of its phase to run, and plan none of later phases."""
    task = finished_task(run, opened)
    SeedTask.delete().where(SeedTask.phase > 1).execute()
    SeedTask.update(state="waiting", attempts=0).where(SeedTask.stage == "ai_usage").execute()
    SeedJob.update(state="running", phase=1).execute()
    return task


def acknowledged_late(broker, queue):
    """Return the number of messages that workers received and have not acknowledged."""
    keys = broker.client.scan_iter(f"tformance_seed:__acks__.*.{queue}")
    return sum(broker.client.scard(key) for key in keys)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_process_prefetches_four_messages_a_thread_and_acknowledges_after_the_work(
    workers, begin, executor, opened, broker, postgresql_url, threads
):
    run = begin("polar")
    workers("--threads", str(threads), "--processes", "1")
    task = undone_again(run, opened)
    with locked_organisation(postgresql_url):
        executor.send([task] * 30)
        wait_until(lambda: acknowledged_late(broker, "compute") == 4 * threads)
        time.sleep(1)
        assert acknowledged_late(broker, "compute") == 4 * threads
    wait_until(lambda: broker.client.hlen("tformance_seed:compute.msgs") == 0)


def test_a_process_is_restarted_after_100_tasks_while_its_sibling_continues(
    workers, begin, executor, opened, broker, postgresql_url
):
    """The sibling runs a task meanwhile: it is neither restarted nor asked to finish."""
    run = begin("polar")
    first = workers("--processes", "1")
    undone = undone_again(run, opened)
    finished = undone[0], dataclasses.replace(undone[1], stage="team")
    first.stop()
    with locked_organisation(postgresql_url):
        executor.send([undone])
        running = workers("--processes", "2")
        before = {child.pid for child in running.ready(2)}
        wait_until(lambda: SeedTask.get(SeedTask.stage == "ai_usage").state == "claimed")
        executor.send([finished] * 150)
        wait_until(lambda: running.log.count("ready for") == 3)
        ended = re.findall(r"process (\d+), .* ended after its tasks", running.log)
        assert before - {child.pid for child in running.children()} == {int(pid) for pid in ended}
        assert len(ended) == 1
        # What its process prefetched waits with that task; all others continue to be run.
        wait_until(lambda: broker.client.hlen("tformance_seed:compute.msgs") <= 4)
    task = SeedTask.select().where(SeedTask.stage == "ai_usage")
    wait_until(lambda: task.get().state == "done")
    assert task.get().attempts == 1


def test_the_soft_limit_is_five_minutes_and_the_hard_one_ten(worker_here, begin, executor, postgresql_url):
    begin("polar")
    with locked_organisation(postgresql_url):
        began = time.monotonic()
        worker_here()
        soft, hard = middleware(executor, dramatiq.middleware.TimeLimit), middleware(executor, HardTimeLimit)
        deadlines = wait_until(lambda: [end for end in soft.manager.deadlines.values() if end])
        assert deadlines[0] - began == pytest.approx(300, abs=3)
        ((deadline, _message),) = hard.deadlines.values()
        assert deadline - began == pytest.approx(600, abs=3)


def test_a_task_over_the_soft_limit_is_interrupted_and_retried(
    worker_here, begin, executor, opened, monkeypatch
):
    worker_here()
    run = begin("polar")
    queue, key = undone_again(run, opened)
    slow = iter([time.monotonic() + 60])

    def loop(*_):
        deadline = next(slow, 0)
        while time.monotonic() < deadline:
            time.sleep(0.01)
        raise ledger.StaleTaskError

    monkeypatch.setattr(stages, "perform", loop)
    message = executor.actors[queue].message_with_options(
        kwargs=dataclasses.asdict(key),
        time_limit=500,
    )
    executor.broker.enqueue(message)
    wait_until(lambda: SeedTask.get(SeedTask.stage == "ai_usage").reason)
    task = SeedTask.get(SeedTask.stage == "ai_usage")
    assert "interrupted" in task.reason
    wait_until(lambda: SeedTask.get(SeedTask.stage == "ai_usage").attempts == 2)


def test_a_task_over_the_hard_limit_is_killed_with_its_process_alone(
    workers, begin, executor, postgresql_url, opened
):
    run = begin("polar", "resend")
    with locked_organisation(postgresql_url):
        running = workers("--processes", "2", "--threads", "2", "--queues", "sync")
        before = {child.pid for child in running.ready(2)}
        message = executor.actors["sync"].message_with_options(
            kwargs=dataclasses.asdict(TaskKey(run.name, run.jobs[0], "polar", "team", 0)),
            hard_time_limit=1500,
        )
        executor.broker.enqueue(message)
        wait_until(lambda: "was killed by SIGKILL" in running.log)
        assert "over the hard time limit" in running.log
        running.ready(3)
        assert len(before & {child.pid for child in running.children()}) == 1
    workers("--processes", "1")
    wait_until(lambda: ledger.run_status(opened, run).state == "finished", 90)


def test_results_are_kept_for_a_day_as_json(workers, begin, broker, opened):
    workers("--processes", "1")
    run = begin("polar")
    wait_until(lambda: ledger.run_status(opened, run).state == "finished", 60)

    def results():
        return [key for key in broker.client.scan_iter(_type="LIST") if broker.client.ttl(key) > 0]

    wait_until(lambda: len(results()) == SeedTask.select().count())  # the last is stored after the run's end
    for key in results():
        assert 86_300 < broker.client.ttl(key) <= 86_400
        assert json.loads(broker.client.lindex(key, 0)).keys() == {"rows_written", "rows_unchanged"}


@pytest.mark.parametrize("others", [(), ("resend", "dub", "novu", "calcom")])
def test_messages_of_a_killed_worker_are_picked_up_within_30_seconds(workers, begin, postgresql_url, others):
    """On an idle queue, and on one with other messages: a heartbeat's time-out and ten seconds suffice."""
    timeout, polling_and_other_tasks = 4.0, 10.0
    assert HEARTBEAT_TIMEOUT / 1000 + polling_and_other_tasks < 30
    quick_requeue = with_constants({"execution.broker.HEARTBEAT_TIMEOUT": 1000 * timeout})
    begin("polar")
    first = workers("--processes", "1", "--queues", "sync", **quick_requeue)
    with locked_organisation(postgresql_url):
        (child,) = first.ready(1)
        wait_until(lambda: SeedTask.get().state == "claimed")
        first.process.kill()  # it would replace the process, but not return its messages
        kill(child)
    workers("--processes", "1", **quick_requeue).ready(1)
    started = time.monotonic()
    if others:
        begin(*others)
    wait_until(lambda: SeedTask.get(SeedTask.stage == "team").state == "done", 40)
    assert time.monotonic() - started < timeout + polling_and_other_tasks


def test_a_killed_process_is_replaced_while_its_sibling_continues(workers):
    running = workers("--processes", "2")
    first, second = running.ready(2)
    kill(first)
    running.ready(3)
    children = running.children()
    assert children[0].pid == second.pid
    assert len(children) == 2
    assert "was killed by SIGKILL" in running.log


def test_sigterm_lets_current_tasks_finish(workers, begin, postgresql_url):
    begin("polar")
    running = workers("--processes", "1", "--queues", "sync")
    with locked_organisation(postgresql_url):
        wait_until(lambda: SeedTask.get().state == "claimed")
        running.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "Shutting down" in running.log)
        time.sleep(1)
        assert running.process.poll() is None
    assert running.process.wait(30) == 0
    task = SeedTask.get(SeedTask.stage == "team")
    assert (task.state, task.attempts) == ("done", 1)


def test_instant_crashes_back_off_and_are_logged(workers, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'tformance_seed.execution.worker_process' in sys.orig_argv: os._exit(3)\n"
    )
    running = workers("--processes", "1", PYTHONPATH=str(tmp_path))
    wait_until(lambda: "in 4 s, since 3 in a row" in running.log)
    starts = running.log.count("is worker")
    assert starts == 3
    assert "exited with status 3" in running.log
    assert running.stop() == 0


def test_processes_end_with_their_supervisor(workers):
    running = workers("--processes", "2")
    children = running.ready(2)
    running.process.kill()
    psutil.wait_procs(children, timeout=10)
    assert not any(child.is_running() for child in children)


def test_a_process_opens_no_more_connections_than_it_has_threads(workers, begin, postgresql_url, opened):
    running = workers("--processes", "2", "--threads", "3")
    running.ready(2)
    run = begin("polar", "resend", "dub", "novu", days=60)
    most = 0
    while ledger.run_status(opened, run).state == "running":
        ((count,),) = statement(
            postgresql_url,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid NOT IN (pg_backend_pid()) AND application_name = 'tformance_seed'",
        )
        most = max(most, count - 1)  # the test's own connection
        time.sleep(0.02)
    assert 2 <= most <= 2 * 3


def test_prometheus_can_be_switched_on(workers, begin, opened):
    port = free_port()
    running = workers("--processes", "2", TFORMANCE_PROMETHEUS="1", dramatiq_prom_port=str(port))
    running.ready(2)
    run = begin("polar")
    wait_until(lambda: ledger.run_status(opened, run).state == "finished", 60)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert 'dramatiq_messages_total{actor_name="compute",queue_name="compute"}' in text


def test_logs_can_be_json_lines_with_run_organisation_and_shard(workers, begin, opened):
    running = workers("--processes", "1", TFORMANCE_LOG="json")
    run = begin("polar")
    wait_until(lambda: ledger.run_status(opened, run).state == "finished", 60)
    lines = [json.loads(line) for line in running.log.splitlines()]
    (weekly,) = [line for line in lines if line.get("shard") == "weekly/0"]
    assert (weekly["run"], weekly["organisation"], weekly["level"]) == (run.name, "polar", "info")


def test_dramatiqs_command_line_works_with_the_same_settings(
    tmp_path, begin, executor, opened, broker, postgresql_url
):
    """It starts the processes itself, without the supervisor."""
    environment = clean({"DATABASE_URL": postgresql_url, "TFORMANCE_BROKER_URL": broker.url})
    options = ["--processes", "1", "--threads", "2", "--queues", "sync", "compute", "llm"]
    with (tmp_path / "dramatiq.log").open("w") as log:
        plain = subprocess.Popen(
            [sys.executable, "-m", "dramatiq", "tformance_seed.execution.app:create_broker", *options],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=tmp_path,
        )
    try:
        run = begin("polar")
        task = undone_again(run, opened)
        with locked_organisation(postgresql_url):
            executor.send([task] * 20)
            wait_until(lambda: acknowledged_late(broker, "compute") == 8)
    finally:
        plain.send_signal(signal.SIGTERM)
        assert plain.wait(30) == 0


def test_connections_do_not_survive_a_fork(opened):
    create_missing(opened)
    (mine,) = opened.execute_sql("SELECT pg_backend_pid()").fetchone()
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            (theirs,) = opened.execute_sql("SELECT pg_backend_pid()").fetchone()
            os.write(write, str(theirs).encode())
        finally:
            os._exit(0)
    os.wait()
    assert int(os.read(read, 100)) != mine
    assert opened.execute_sql("SELECT pg_backend_pid()").fetchone() == (mine,)
