"""What a run relies on changes under it: it goes on, or says the way out, which then works as it stands."""

import datetime
import re

import pytest

from tests.support.commands import command, lines_of_errors
from tests.support.constants import with_constants
from tests.support.repositories import Workshop
from tests.support.seeds import ORGANISATION, UNTIL, content, seed
from tests.support.workers import Workers, digests, run_json, start
from tformance_seed import ledger, verification
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import table_name
from tformance_seed.commands import seed as seeding
from tformance_seed.errors import InputError, SeedError
from tformance_seed.execution import local
from tformance_seed.pipeline import stages
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage.models import (
    APPLICATION,
    Commit,
    PullRequest,
    SeedJob,
    SeedTask,
    SeedTeam,
    Team,
    TeamMember,
)

AHEAD = datetime.timedelta(hours=1)


def before(monkeypatch, stage, harm):
    """Do harm to the database before the first task of a stage."""
    perform, harmed = stages.perform, []

    def harm_and_perform(context, task):
        if task.key.stage == stage and not harmed:
            harmed.append(task)
            harm()
        return perform(context, task)

    monkeypatch.setattr(stages, "perform", harm_and_perform)


def empty(database, model):
    """Remove all rows of a table, and those that refer to them."""
    if is_postgresql(database):
        database.execute_sql(f"TRUNCATE {table_name(model)} CASCADE")
        return
    for child in reversed(APPLICATION):
        if model in (PullRequest, TeamMember) and child not in (Team, TeamMember):
            child.delete().execute()
    model.delete().execute()


def drop(database, model):
    cascade = " CASCADE" if is_postgresql(database) else ""
    database.execute_sql(f"DROP TABLE {table_name(model)}{cascade}")


def follow(database, url, failure):
    """Do what a failure's line says; then seed again as before."""
    if "tformance-seed init" in failure:
        assert command("init", "--database", url).returncode == 0
    else:
        assert "again" in failure or "nevertheless" in failure
    adopts = "adopt" in failure
    if not adopts and not ledger.own_teams(database):
        with pytest.raises(InputError, match=r"add .*adopt"):
            seed(database, chunk_size=200)
        adopts = True
    return seed(database, adopt=adopts, chunk_size=200)


#: What happens to which table. A dropped table takes the foreign keys of its children with it, which only
#: migrations bring back, so here only tables are dropped that have none, or that the ledger makes anew.
HARM = [(model, empty) for model in (Commit, PullRequest, SeedTask, SeedJob, SeedTeam)]
HARM += [(model, drop) for model in (Commit, SeedTask, SeedJob, SeedTeam)]


@pytest.mark.parametrize("stage", ["pull_requests", "weekly"])
@pytest.mark.parametrize(
    ("model", "harm"), HARM, ids=[f"{model.__name__}-{harm.__name__}" for model, harm in HARM]
)
def test_a_table_emptied_or_dropped_in_mid_run(database, url, monkeypatch, expected, model, harm, stage):
    with monkeypatch.context() as patched:
        before(patched, stage, lambda: harm(database, model))
        try:
            outcome = seed(database, chunk_size=200)
            (failure,) = outcome.failures.values() if outcome.failures else ("",)
        except SeedError as error:
            failure = str(error)
    if failure:
        assert "Traceback" not in failure
        assert follow(database, url, failure).failures == {}
    if model is not SeedTeam:  # an adopted team keeps what it had, so nothing can be said of its content
        assert content(database).digest == expected
    assert command("verify", "--database", url).returncode == 0


def test_a_team_that_was_made_here_and_adopted_since_is_right_after_every_run(database):
    seed(database)
    SeedTeam.delete().execute()
    for options in ({}, {"days": 30}, {"until": UNTIL + datetime.timedelta(days=1)}):
        assert seed(database, adopt=True, **options).failures == {}
        assert verification.check(database, Team.get().id) == []


def test_a_ledger_without_its_tasks_starts_over(database, url, monkeypatch, expected):
    with local.executor(database) as executor:
        monkeypatch.setattr(executor, "send", lambda *_: None)
        request = Request(organisations=(ORGANISATION,), days=21, until=datetime.date(2026, 3, 18))
        run = seeding.begin(database, executor, request, _plans(request)).record
    SeedTask.delete().execute()
    retried = command("retry", run.name, "--database", url)
    assert (retried.returncode, "seed it again" in retried.stderr) == (1, True)
    assert seed(database).failures == {}
    assert content(database).digest == expected


def _plans(request):
    return make_plans(request, datetime.datetime(2026, 3, 19, tzinfo=datetime.UTC))


def test_a_clock_that_was_ahead_does_not_keep_an_organisation_busy(database, monkeypatch, expected):
    right = ledger.jobs.now
    with monkeypatch.context() as patched, local.executor(database) as executor:
        patched.setattr(ledger.jobs, "now", lambda: right() + AHEAD)
        patched.setattr(executor, "send", lambda *_: None)
        request = Request(organisations=(ORGANISATION,), days=9, until=datetime.date(2026, 3, 18))
        seeding.begin(database, executor, request, _plans(request))
    outcome = seed(database)
    assert outcome.failures == {}
    assert outcome.reports[0].seconds >= 0
    assert content(database).digest == expected


def test_a_run_of_another_version_is_not_retried_but_seeded_again(database, monkeypatch, expected):
    with pytest.MonkeyPatch.context() as patched, local.executor(database) as executor:
        patched.setattr(ledger.jobs, "PLAN_VERSION", 0)
        patched.setattr(executor, "send", lambda *_: None)
        request = Request(organisations=(ORGANISATION,), days=21, until=datetime.date(2026, 3, 18))
        run = seeding.begin(database, executor, request, _plans(request)).record
        patched.undo()
        with pytest.raises(InputError, match="seed its organisations again"):
            seeding.resume(database, executor, run)
    monkeypatch.setattr(ledger.jobs, "STALE_RUN_TIMEOUT", datetime.timedelta(0))
    assert seed(database).failures == {}
    assert content(database).digest == expected


def test_a_worker_of_another_version_leaves_the_work_to_the_others(
    tmp_path, postgresql_url, broker, undisturbed
):
    arguments = ("polar", "resend", "--days", "30", "--until", "2026-03-18", "--chunk-size", "200")
    other = with_constants({"ledger.jobs.DATA_VERSION": 99})
    running = [
        Workers(tmp_path, postgresql_url, broker.url, "--processes", "1", **environment)
        for environment in (other, {})
    ]
    for workers in running:
        workers.ready(1)
    report = run_json("seed", *arguments, database=postgresql_url, broker=broker.url)
    assert report["failures"] == []
    assert digests(postgresql_url) == undisturbed(*arguments)
    assert "failed" not in running[0].log
    for workers in running:
        workers.end()


def test_a_clone_that_moved_is_named_again(tmp_path):
    workshop = Workshop(tmp_path / "clone")
    for day in range(10, 28):
        workshop.commit(f"Change {day} (#{day})", f"2025-03-{day} 10:00")
    url, where = f"sqlite:///{tmp_path}/x.db", ("--until", "2025-03-28", "--days", "30")
    assert command("init", "--database", url).returncode == 0
    options = (*where, "--chunk-size", "20")
    run = start("seed", "acme", "--repo", str(workshop.path), *options, database=url)
    run.kill()
    run.communicate()
    (tmp_path / "clone").rename(tmp_path / "moved")
    refused = command("seed", "acme", "--repo", tmp_path / "clone", *options, "--database", url)
    assert (refused.returncode, lines_of_errors(refused.stderr)) == (2, 1)
    name = re.search(r'"run": "([^"]+)"', command("status", "--json", "--database", url).stdout)
    if name:
        retried = command("retry", name[1], "--database", url)
        assert (retried.returncode, "Traceback" in retried.stderr) == (1, False)
    moved = command("seed", "acme", "--repo", tmp_path / "moved", *options, "--database", url)
    assert moved.returncode == 0, moved.stderr
    assert list(digests(url)) == ["acme"]
