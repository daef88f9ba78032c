"""Runs that break off, go on, and meet one another."""

import contextlib
import time
from types import SimpleNamespace

import pytest

from tests.support.databases import connect
from tests.support.seeds import ORGANISATION, UNTIL, content, seed
from tformance_seed import ledger, metrics, verification
from tformance_seed.commands import maintain as maintenance
from tformance_seed.commands import seed as seeding
from tformance_seed.errors import SeedError
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


def test_a_run_that_another_version_began_is_begun_anew(url, monkeypatch):
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
def breaking_off(monkeypatch, after):
    """Lets so many tasks be done and breaks off in the transaction of the next; yields who looks on."""
    complete, left, crashed = ledger.complete, [after], []

    def break_off(database, task, results):
        if left[0] <= 0:
            crashed.append(task)
            raise CrashError
        left[0] -= 1
        return complete(database, task, results)

    def look(_status):
        if crashed:
            raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "complete", break_off)
        yield look


def moments_of_finished_tasks():
    done = SeedTask.select(SeedTask.id, SeedTask.finished_at).where(SeedTask.state == ledger.DONE)
    return dict(done.tuples())


@pytest.mark.parametrize("share", [0.01, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_run_that_breaks_off_goes_on_without_redoing_finished_tasks(database, share, monkeypatch):
    seed(database, chunk_size=400)
    expected, in_all = content(database), SeedTask.select().count()
    ledger.clear_team(database, ledger.own_team(database, ORGANISATION))
    with breaking_off(monkeypatch, after=max(1, int(share * in_all))) as look, pytest.raises(CrashError):
        seed(database, chunk_size=400, progress=look)
    finished = moments_of_finished_tasks()
    assert finished
    outcome = seed(database, chunk_size=400)
    assert outcome.reports[0].resumed
    assert finished.items() <= moments_of_finished_tasks().items()
    assert content(database) == expected


def test_rows_that_somebody_writes_after_a_job_began_are_met_all_the_same(database, monkeypatch):
    """The job takes its tables for empty, so that COPY goes straight in, and is refused."""
    seed(database)
    expected = content(database)
    PRFile.update(additions=PRFile.additions + 1).where(PRFile.additions > 2).execute()
    models = [model.__name__ for model in APPLICATION]
    monkeypatch.setattr(generate, "_empty_tables", lambda _database, _team: models)
    outcome = seed(database, chunk_size=400)
    assert not outcome.failures
    assert content(database) == expected


def test_going_on_with_another_chunk_size_ends_the_same(database, monkeypatch):
    seed(database, chunk_size=300)
    expected = content(database)
    ledger.clear_team(database, ledger.own_team(database, ORGANISATION))
    with breaking_off(monkeypatch, after=3) as look, pytest.raises(CrashError):
        seed(database, chunk_size=300, progress=look)
    assert seed(database, chunk_size=70).reports[0].resumed
    assert content(database) == expected


@pytest.mark.parametrize("stage", ["pull_requests", "weekly"])
def test_a_run_that_breaks_off_before_it_sends_what_follows_goes_on(database, monkeypatch, stage):
    """A phase has begun in the ledger, and nobody was told of its tasks."""
    seed(database)
    expected = content(database)
    ledger.clear_team(database, ledger.own_team(database, ORGANISATION))
    send, lost = Executor.send, []

    def break_off(self, tasks, *patience):
        tasks = list(tasks)
        if any(key.stage == stage for _, key in tasks):
            lost.extend(tasks)
            raise CrashError
        send(self, tasks, *patience)

    def look(_status):
        if lost:
            raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(Executor, "send", break_off)
        with pytest.raises(CrashError):
            seed(database, progress=look)
    finished = moments_of_finished_tasks()
    assert seed(database).reports[0].resumed
    assert finished.items() <= moments_of_finished_tasks().items()
    assert content(database) == expected


def busy(database, **wishes):
    """Another process seeds the organisation: its run is in the ledger and has just been heard of."""
    request = Request(organisations=(ORGANISATION,), days=21, until=UNTIL, **wishes)
    (item,) = make_plans(request, UNTIL)
    prepare(database)
    plan = item.record() | {"summaries_apart": False}
    opened, _ = ledger.open_jobs(
        database, [ledger.JobRequest(item.slug, item.fingerprint(), plan, restart=False)]
    )
    return ledger.start_run(database, {}, [each.job for each in opened.values()])


def test_two_runs_with_other_inputs_do_not_meet(database):
    theirs = busy(database, seed=7)
    outcome = seed(database, ORGANISATION, "resend")
    assert "another run is seeding polar" in outcome.failures[ORGANISATION]
    assert f"tformance-seed cancel {theirs.name}" in outcome.failures[ORGANISATION]
    assert [report.organisation for report in outcome.reports] == ["resend"]
    ledger.cancel(database, theirs)
    assert seed(database).failures == {}


def test_a_second_run_with_the_same_inputs_goes_on_with_the_first_ones_work(database):
    theirs = busy(database)
    outcome = seed(database)
    assert outcome.reports[0].resumed
    assert ledger.run_status(database, theirs).state == "finished"


def test_a_run_of_which_nothing_was_heard_for_long_is_taken_to_be_dead(database):
    theirs = busy(database, seed=7)
    SeedJob.update(created_at=ledger.now() - 2 * STALE_RUN_TIMEOUT).execute()
    assert seed(database).failures == {}
    assert ledger.run_status(database, theirs).state == "superseded"


def test_who_waits_for_one_organisation_keeps_no_other(database):
    theirs = busy(database, seed=7)
    looks = []

    def look(_seconds):  # in place of the wait
        looks.append([job.organisation for job in SeedJob.select()])
        if len(looks) == 2:
            ledger.cancel(database, theirs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeding, "time", SimpleNamespace(sleep=look, monotonic=time.monotonic))
        outcome = seed(database, "resend", ORGANISATION, wait=True)
    assert looks[:2] == [[ORGANISATION], [ORGANISATION]]
    assert {report.organisation for report in outcome.reports} == {"resend", ORGANISATION}


def test_a_run_that_has_nothing_left_to_do_and_is_not_finished_is_over(database):
    """As a version left it that began a phase some time after the end of the one before."""
    theirs = busy(database)
    SeedTask.update(state=ledger.DONE).execute()
    with local.executor(database) as executor:
        outcome = seeding.collect_outcome(database, theirs, seeding.watch(database, executor, theirs))
    assert "another version" in outcome.failures[ORGANISATION]
    assert seed(database, seed=7).failures == {}


def test_neither_clear_nor_weekly_meddles_with_a_run(database):
    seed(database)
    theirs = busy(database)
    for command in (
        lambda: maintenance.recompute_weekly(database, [ORGANISATION], None, None),
        lambda: maintenance.clear_teams(database, [ORGANISATION], wait=False),
    ):
        with pytest.raises(SeedError, match="another run is seeding polar"):
            command()
    ledger.cancel(database, theirs)
    assert maintenance.clear_teams(database, [ORGANISATION], wait=False)[ORGANISATION]


def test_a_team_that_vanished_in_mid_run_is_seeded_anew(database, monkeypatch):
    with breaking_off(monkeypatch, after=2) as look, pytest.raises(CrashError):
        seed(database, chunk_size=300, progress=look)
    ledger.delete_rows(database, SeedTeam.get())
    Team.delete().execute()
    SeedJob.update(created_at=ledger.now() - 2 * STALE_RUN_TIMEOUT).execute()
    SeedTask.update(claimed_at=None, finished_at=None).execute()
    outcome = seed(database, chunk_size=300)
    assert outcome.failures == {}
    assert verification.check(database, Team.get().id) == []


def test_a_ledger_of_an_older_version_makes_room(database):
    seed(database)
    expected = content(database)
    database.drop_tables([SeedTask])
    database.execute_sql("ALTER TABLE seed_job ADD COLUMN since DATE")
    again = seed(database)
    assert sum(result.written for result in again.reports[0].tables.values()) == 0
    assert content(database) == expected
    assert SeedRun.select().count() == 1
