"""Runs that crash, are resumed, and conflict with one another."""

import contextlib
import time
from types import SimpleNamespace

import pytest

import tformance_seed
from tests.support.databases import connect
from tests.support.seeds import NOW, ORGANISATION, TEAM, UNTIL, content, seed
from tformance_seed import ledger, metrics, verification
from tformance_seed.commands import maintain
from tformance_seed.commands import seed as seeding
from tformance_seed.commands.watch import watch
from tformance_seed.errors import OrganisationBusyError, SeedError
from tformance_seed.execution import local
from tformance_seed.execution.executor import Executor
from tformance_seed.ledger.jobs import STALE_RUN_TIMEOUT
from tformance_seed.pipeline import generate
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage.models import APPLICATION, PRFile, SeedJob, SeedRun, SeedTask, SeedTeam, Team
from tformance_seed.storage.schema.create import prepare

#: Tables whose rows one task brings up to date.
COPILOT_AND_INSIGHTS = {
    "metrics_copilotseatsnapshot",
    "metrics_copilotlanguagedaily",
    "metrics_copiloteditordaily",
    "metrics_reviewercorrelation",
    "metrics_dailyinsight",
}


def test_a_job_begun_by_another_version_is_restarted(url, monkeypatch):
    database = connect(url)
    monkeypatch.setattr(ledger.jobs, "PLAN_VERSION", 1)
    with monkeypatch.context() as patched:
        patched.setattr(metrics, "refresh_insights", lambda *_: 1 / 0)
        assert seed(database).failures
    monkeypatch.undo()
    outcome = seed(database)
    assert outcome.failures == {}
    assert not outcome.reports[0].resumed
    assert {name for name, r in outcome.reports[0].tables.items() if r.written} == COPILOT_AND_INSIGHTS
    database.close()


class CrashError(BaseException):
    """Stands in for the death of a process at a chosen moment."""


@contextlib.contextmanager
def crashing(monkeypatch, after):
    """Crash in a transaction once so many tasks are done; yields the progress callback that notices it."""
    complete, left, crashed = ledger.complete, [after], []

    def crash(database, task, results, seconds):
        if left[0] <= 0:
            crashed.append(task)
            raise CrashError
        left[0] -= 1
        return complete(database, task, results, seconds)

    def notice(_status):
        if crashed:
            raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "complete", crash)
        yield notice


def finish_times():
    done = SeedTask.select(SeedTask.id, SeedTask.finished_at).where(SeedTask.state == ledger.DONE)
    return dict(done.tuples())


@pytest.mark.parametrize("tasks", [1, 2, 3, 5, 7, 9])
def test_a_crashed_run_resumes_without_redoing_finished_tasks(database, expected, tasks, monkeypatch):
    with crashing(monkeypatch, after=tasks) as notice, pytest.raises(CrashError):
        seed(database, chunk_size=400, progress=notice)
    assert SeedTask.select().where(SeedTask.state != ledger.DONE).count() > 0
    finished = finish_times()
    assert finished
    outcome = seed(database, chunk_size=400)
    assert outcome.reports[0].resumed
    assert finished.items() <= finish_times().items()
    assert content(database).digest == expected


def test_rows_written_by_others_after_a_job_began_are_updated(database, expected, monkeypatch):
    """The job assumes that its tables are empty, so COPY writes directly into them and is refused."""
    seed(database)
    PRFile.update(additions=PRFile.additions + 1).where(PRFile.additions > 2).execute()
    models = [model.__name__ for model in APPLICATION]
    monkeypatch.setattr(generate, "_empty_tables", lambda _database, _team: models)
    outcome = seed(database, chunk_size=400)
    assert not outcome.failures
    assert content(database).digest == expected


def test_resuming_with_another_chunk_size_ends_the_same(database, expected, monkeypatch):
    with crashing(monkeypatch, after=3) as notice, pytest.raises(CrashError):
        seed(database, chunk_size=300, progress=notice)
    assert seed(database, chunk_size=70).reports[0].resumed
    assert content(database).digest == expected


@pytest.mark.parametrize("stage", ["pull_requests", "weekly"])
def test_a_run_that_crashes_before_it_sends_the_next_tasks_resumes(database, expected, monkeypatch, stage):
    """A phase has begun in the ledger, but its tasks were never sent."""
    send, lost = Executor.send, []

    def crash(self, tasks, *patience):
        tasks = list(tasks)
        if any(key.stage == stage for _, key in tasks):
            lost.extend(tasks)
            raise CrashError
        send(self, tasks, *patience)

    def notice(_status):
        if lost:
            raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(Executor, "send", crash)
        with pytest.raises(CrashError):
            seed(database, progress=notice)
    finished = finish_times()
    assert seed(database).reports[0].resumed
    assert finished.items() <= finish_times().items()
    assert content(database).digest == expected


def busy(database, **options):
    """Record a run of another process, which was active a moment ago."""
    request = Request(organisations=(ORGANISATION,), days=21, until=UNTIL, **options)
    (item,) = make_plans(request, NOW)
    prepare(database)
    wanted = ledger.JobRequest(item.slug, item.fingerprint(), item.record(), restart=False)
    opened, _ = ledger.open_jobs(database, [wanted])
    return ledger.start_run(database, {}, [each.job for each in opened.values()])


def test_a_run_with_other_inputs_is_refused_while_one_is_active(database):
    theirs = busy(database, seed=7)
    outcome = seed(database, ORGANISATION, "resend")
    assert "another run is seeding polar" in outcome.failures[ORGANISATION]
    assert f"tformance-seed cancel {theirs.name}" in outcome.failures[ORGANISATION]
    assert [report.organisation for report in outcome.reports] == ["resend"]
    ledger.cancel(database, theirs)
    assert seed(database).failures == {}


@pytest.mark.parametrize("claimed_again", [False, True])
def test_a_late_failure_of_an_earlier_attempt_does_not_end_a_run_that_was_reopened(database, claimed_again):
    run = busy(database)
    key = ledger.TaskKey(run.name, SeedJob.get().id, ORGANISATION, "team", 0)
    late = ledger.claim(database, key, "a thread")
    ledger.reopen(database, run)
    if claimed_again:
        again = ledger.claim(database, key, "another thread")
    assert not ledger.fail(database, late, "the disk was full")
    assert not ledger.requeue(database, late, "the disk was full")
    assert SeedTask.get().reason == ""
    if claimed_again:
        assert ledger.fail(database, again, "the disk is full again")


def test_a_second_run_with_the_same_inputs_resumes_the_first(database):
    theirs = busy(database)
    outcome = seed(database)
    assert outcome.reports[0].resumed
    assert ledger.run_status(database, theirs).state == "finished"


def test_a_run_without_activity_for_long_is_superseded(database):
    theirs = busy(database, seed=7)
    SeedJob.update(created_at=ledger.now() - 2 * STALE_RUN_TIMEOUT).execute()
    assert seed(database).failures == {}
    assert ledger.run_status(database, theirs).state == "superseded"


def test_waiting_for_one_organisation_locks_no_other(database):
    theirs = busy(database, seed=7)
    seen = []

    def sleep(_seconds):  # instead of the wait
        seen.append([job.organisation for job in SeedJob.select()])
        if len(seen) == 2:
            ledger.cancel(database, theirs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeding, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
        outcome = seed(database, "resend", ORGANISATION, wait=True)
    assert seen[:2] == [[ORGANISATION], [ORGANISATION]]
    assert {report.organisation for report in outcome.reports} == {"resend", ORGANISATION}


def test_a_run_with_nothing_left_to_do_that_is_not_finished_has_failed(database):
    """As an earlier version left it, which began a phase some time after the one before had ended."""
    theirs = busy(database)
    SeedTask.update(state=ledger.DONE).execute()
    with local.executor(database) as executor:
        outcome = seeding.collect_outcome(database, theirs, watch(database, executor, theirs))
    assert "another version" in outcome.failures[ORGANISATION]
    assert seed(database, seed=7).failures == {}


def test_clear_and_weekly_refuse_a_busy_organisation(database):
    seed(database)
    theirs = busy(database)
    for command in (
        lambda: maintain.recompute_weekly(database, [ORGANISATION], None, None),
        lambda: maintain.clear_teams(database, [ORGANISATION], wait=False),
    ):
        with pytest.raises(OrganisationBusyError, match="another run is seeding polar"):
            command()
    ledger.cancel(database, theirs)
    assert maintain.clear_teams(database, [ORGANISATION], wait=False)[ORGANISATION]


def test_clear_waits_for_a_busy_organisation_alone(database, monkeypatch):
    seed(database)
    theirs = busy(database)
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        ledger.cancel(database, theirs)

    monkeypatch.setattr(maintain, "time", SimpleNamespace(sleep=sleep))
    assert maintain.clear_teams(database, [ORGANISATION], wait=True)[ORGANISATION]
    assert waited == [ledger.BUSY_POLL_INTERVAL]

    def refuse(*_):
        raise SeedError("the disk is full")

    monkeypatch.setattr(ledger, "check_idle", refuse)
    with pytest.raises(SeedError, match="the disk is full"):
        maintain.clear_teams(database, [ORGANISATION], wait=True)
    assert len(waited) == 1


def test_a_team_that_was_deleted_in_mid_run_is_seeded_again(database, monkeypatch):
    with crashing(monkeypatch, after=2) as notice, pytest.raises(CrashError):
        seed(database, chunk_size=300, progress=notice)
    ledger.delete_rows(database, SeedTeam.get())
    Team.delete().execute()
    SeedJob.update(created_at=ledger.now() - 2 * STALE_RUN_TIMEOUT).execute()
    SeedTask.update(claimed_at=None, finished_at=None).execute()
    outcome = seed(database, chunk_size=300)
    assert outcome.failures == {}
    assert verification.check(database, Team.get().id) == []


def test_a_ledger_of_an_older_version_is_rebuilt(database, expected):
    seed(database)
    database.drop_tables([SeedTask])
    database.execute_sql("ALTER TABLE seed_job ADD COLUMN since DATE")
    again = seed(database)
    assert sum(result.written for result in again.reports[0].tables.values()) == 0
    assert content(database).digest == expected
    assert SeedRun.select().count() == 1


def test_a_team_that_another_run_creates_during_the_check_is_not_foreign(database, url, monkeypatch):
    execute, others = database.execute_sql, []

    def execute_then_seed(*arguments, **options):
        cursor = execute(*arguments, **options)
        if not others:
            others.append(tformance_seed.connect(url))
            seed(others[0])
        return cursor

    monkeypatch.setattr(database, "execute_sql", execute_then_seed)
    ledger.check_ownership(database, {ORGANISATION: TEAM}, adopt=False)
    assert others
    others[0].close()
