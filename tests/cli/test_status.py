"""What `status`, `runs`, `retry` and `cancel` say of runs, large ones included."""

import datetime
import json

import pytest

from tests.support.commands import command
from tests.support.seeds import ORGANISATION, seed
from tformance_seed import ledger
from tformance_seed.cli import console, status_views
from tformance_seed.ledger import JobStatus, RunStatus, StageStatus
from tformance_seed.storage.models import SeedJob, SeedRun, SeedTask

SMALL = {"days": 3, "prs": 5, "members": 4}


def job(number, state="running", reason=""):
    phase = 3 if state == "finished" else 1
    done = [StageStatus("team", 0, done=1)]
    stages = [*done, StageStatus("pull_requests", 1, done=1, waiting=int(state == "running"))]
    return JobStatus(f"org-{number:03}", state, phase, 100, 5, 0.25 * number, reason, stages)


def hundred(silent=1.0):
    jobs = [job(number, "finished") for number in range(50)] + [job(number) for number in range(50, 90)]
    jobs += [job(number, "failed", "no space left on the disk of the server") for number in range(90, 99)]
    jobs.append(job(99, "failed", "the team org-099 was deleted while it was being seeded"))
    return RunStatus("run-1", "running", jobs, 61.0, 59.0, silent, 10_000, 500, 163.9, activity_counter=1)


@pytest.fixture
def shown(capsys, monkeypatch):
    """A function that shows a status in a terminal of 80 columns."""

    def show(run, everything=False):
        monkeypatch.setattr(console, "terminal_width", lambda: 80)
        console.show(status_views.status(run, {}, everything=everything), as_json=False)
        return capsys.readouterr().out

    return show


def test_a_hundred_organisations_fit_a_screen(shown):
    text = shown(hundred())
    assert len(text.splitlines()) <= 24
    assert "100 organisations: 50 finished, 40 running, 10 failed" in text
    assert "about 59 s left" in text
    assert "org-090, org-091, org-092 and 6 more" in text
    assert "pull_requests" in text
    assert "org-099" in text
    assert "org-010" not in text
    assert len(shown(hundred(), everything=True).splitlines()) > 300


def test_silence_of_workers_is_told_with_its_length(shown):
    assert "heard" not in shown(hundred(29.0))
    text = " ".join(shown(hundred(125.0)).split())
    assert "nothing was heard from workers for 2 min 5 s; start one with: tformance-seed worker" in text


def test_silence_is_counted_from_the_last_task(database):
    seed(database, **SMALL)
    run = ledger.find_run(database)
    long_ago = ledger.now() - datetime.timedelta(minutes=5)
    SeedJob.update(state=ledger.RUNNING).execute()
    SeedTask.update(claimed_at=long_ago, finished_at=long_ago).execute()
    SeedRun.update(started_at=long_ago).execute()
    run = ledger.find_run(database)
    SeedTask.update(state=ledger.WAITING).where(SeedTask.phase == SeedJob.select(SeedJob.phase)).execute()
    assert 299 < ledger.run_status(database, run).silent_seconds < 400


def test_runs_are_listed_the_latest_first(database, url):
    names = []
    for days in (3, 4):
        seed(database, **SMALL | {"days": days})
        names.insert(0, ledger.find_run(database).name)
    listed = json.loads(command("runs", "--json", "--database", url).stdout)["runs"]
    assert [run["run"] for run in listed] == names
    assert {run["state"] for run in listed} == {"finished"}
    assert [run["organisations"] for run in listed] == [run["finished"] for run in listed] == [1, 1]
    assert all(run["seconds"] > 0 for run in listed)
    printed = command("runs", "--database", url).stdout.splitlines()
    assert printed[0] == "2 runs, the latest first"
    assert [line.split()[0] for line in printed[2:4]] == names


def test_a_failed_run_is_named_with_the_command_that_continues_it(database, url):
    seed(database, **SMALL)
    SeedJob.update(state=ledger.CANCELLED).execute()
    name = ledger.find_run(database).name
    assert f"tformance-seed retry {name} --database" in command("status", "--database", url).stdout


def test_retry_and_cancel_take_the_latest_run(database, url):
    seed(database, **SMALL)
    seed(database, **SMALL)
    name = ledger.find_run(database).name
    for verb in ("cancel", "retry"):
        done = command(verb, "--database", url, "--json")
        assert (done.returncode, json.loads(done.stdout)["run"]) == (0, name), done.stderr
    assert ORGANISATION in command("status", "--database", url).stdout


def test_a_run_that_is_not_there_is_one_line(database, url):
    for verb in ("status", "retry", "cancel"):
        refused = command(verb, "nonsense", "--database", url)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert "tformance-seed runs" in refused.stderr
