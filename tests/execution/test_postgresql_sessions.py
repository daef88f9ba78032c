"""Seeding into PostgreSQL: locks, statistics, failures, lost connections."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.databases import connect
from tests.support.seeds import ORGANISATION, content, seed
from tests.support.teams import add_team
from tformance_seed import ledger
from tformance_seed.storage.connection import disconnect
from tformance_seed.storage.models import APPLICATION, PRFile, PullRequest, SeedJob, SeedTask
from tformance_seed.storage.schema.create import prepare
from tformance_seed.storage.transactions import transaction


def test_second_run_locks_no_row(postgresql_url):
    database = connect(postgresql_url)

    def marks():  # a lock on a row leaves its transaction in xmax
        each = "SELECT coalesce(sum(xmax::text::bigint), 0), count(*) FROM {}"
        return {
            model.__name__: database.execute_sql(each.format(model._meta.table_name)).fetchone()
            for model in APPLICATION
        }

    seed(database)
    before = marks()
    assert before["WeeklyMetrics"][1] > 50
    seed(database)
    assert marks() == before
    database.close()


def statistics(server, database, url, columns, which):
    """Return the server's statistics of tables, once every session has reported its own."""
    database.execute_sql("SELECT pg_stat_force_next_flush()")
    database.close()
    time.sleep(0.3)
    database.connect()
    return server.execute(f"SELECT {columns} FROM pg_stat_user_tables WHERE {which} ORDER BY relname", url)


def test_second_run_moves_no_statistics_of_postgresql(server, application_url):
    database = connect(application_url)

    def rows():
        columns = "relname, n_tup_ins, n_tup_upd, n_tup_del"
        return statistics(server, database, application_url, columns, "relname NOT LIKE 'seed_%'")

    seed(database)
    before = rows()
    assert {row[0]: row[1] for row in before}["metrics_prfile"] > 100
    seed(database)
    seed(database, chunk_size=50)
    assert rows() == before


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_one_of_two_tasks_that_end_at_once_finishes_their_job(postgresql_url, isolation):
    default = f"options=-c%20default_transaction_isolation%3D{isolation.replace(' ', chr(92) + '%20')}"
    database = connect(f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}{default}")
    assert database.execute_sql("SHOW transaction_isolation").fetchone() == (isolation,)
    prepare(database)
    opened, _ = ledger.open_jobs(database, [ledger.JobRequest(ORGANISATION, "", {}, restart=False)])
    job = opened[ORGANISATION].job
    SeedTask.create(job=job, **ledger.jobs.FIRST_TASK | {"offset": 1, "limit": 1})
    created = dict.fromkeys(("created_at", "updated_at", "billing_details_last_changed"), ledger.now())
    values = {"slug": ORGANISATION, "name": ORGANISATION, **created}
    ledger.acquire_team(database, ORGANISATION, values, adopt=False)
    keys = [ledger.TaskKey("run", job.id, ORGANISATION, "team", offset) for offset in (0, 1)]
    tasks = [ledger.claim(database, key, "me") for key in keys]
    under_way, ended, let_go = threading.Event(), threading.Event(), threading.Event()

    def complete(task):
        is_last = ledger.complete(database, task, {})
        if is_last:
            ledger.finish_job(database, task)
        return is_last

    def end_first():
        with transaction(database):
            ledger.lock_for_write(database, tasks[0])
            assert under_way.wait(10)
            is_last = complete(tasks[0])
            ended.set()
            let_go.wait(0.5)  # times out: the other task waits for this transaction
        disconnect(database)
        return is_last

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(end_first)
        with transaction(database):
            ledger.lock_for_write(database, tasks[1])
            under_way.set()
            assert ended.wait(10)
            is_last = complete(tasks[1])
            let_go.set()
        assert (first.result(), is_last) == (False, True)
    assert SeedJob.get_by_id(job.id).state == ledger.FINISHED
    disconnect(database)


def test_keys_are_not_checked_by_reading_whole_tables_whatever_statistics_say(server, application_url):
    """A hundred teams are so few that reading them all looks cheaper than an index lookup, for each row."""
    database = connect(application_url)
    for number in range(100):
        add_team(f"team-{number}")
    server.execute("VACUUM ANALYZE", application_url)

    def read_as_a_whole():
        ((count,),) = statistics(server, database, application_url, "seq_scan", "relname = 'teams_team'")
        return count

    before = read_as_a_whole()
    seed(database)
    assert PRFile.select().count() > 1000
    assert read_as_a_whole() - before < 100
    database.close()


def test_the_failure_of_a_database_says_what_is_safe(server, application_url):
    database = connect(application_url)
    server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON metrics_aiusagedaily EXECUTE FUNCTION refuse()",
        application_url,
    )
    outcome = seed(database)
    assert "no room. What was committed is safe; the server's disk is full" in outcome.failures[ORGANISATION]
    assert PullRequest.select().count() > 0
    server.execute("DROP TRIGGER refuse ON metrics_aiusagedaily", application_url)
    assert seed(database).reports[0].resumed


def test_a_lost_connection_is_replaced(server, application_url):
    """Every connection is terminated during the run; each task is retried."""
    database = connect(application_url)
    name = application_url.split("/")[3].split("?")[0]
    cuts = []

    def cut(status):
        if len(cuts) < 2 and len(cuts) < sum(stage.done for job in status.jobs for stage in job.stages):
            end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            cuts.append(server.execute(end))

    seed(database, chunk_size=300)
    expected = content(database)
    ledger.clear_team(database, ledger.own_team(database, ORGANISATION))
    assert seed(database, chunk_size=300, progress=cut).failures == {}
    assert cuts
    assert content(database) == expected
