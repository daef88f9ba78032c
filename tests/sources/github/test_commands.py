"""The command line of the sources that read GitHub and caches."""

import datetime
import json
import os
import signal
import subprocess

import pytest

from tests.support.commands import argv, clean, command
from tests.support.github.fetching import known
from tests.support.github.old_caches import entry, write
from tests.support.github.samples import PULL_REQUESTS, acme
from tests.support.github.server import Answer, GitHub, Request
from tests.support.seeds import NOW
from tformance_seed.errors import InputError, SeedError
from tformance_seed.planning.plan import Plan, make_plans, restore
from tformance_seed.planning.request import Request as SeedRequest
from tformance_seed.sources.github.cache import Cache, cache_path
from tformance_seed.sources.github.options import extra

WINDOW = ("--days", "40", "--until", "2026-02-10")


@pytest.fixture
def running():
    with GitHub(acme()).running() as github:
        yield github


def seed_line(tmp_path, *more: object) -> list[object]:
    places = ("--cache-dir", tmp_path / "cache", "--database", f"sqlite:///{tmp_path}/test.db")
    return ["seed", "--source", "github", "acme", *WINDOW, *places, *more]


def test_a_process_that_was_killed_goes_on_after_its_last_page(running, tmp_path) -> None:
    (name, count), *_ = PULL_REQUESTS.items()
    processes: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> Answer | None:
        if request.operation == "PullRequests" and request.variables["after"]:
            os.kill(processes[0].pid, signal.SIGKILL)
            return Answer(502)
        return None

    running.rule = kill
    environment = clean(running.environment)
    processes.append(subprocess.Popen(argv(*seed_line(tmp_path)), env=environment, stderr=subprocess.DEVNULL))
    assert processes[0].wait(60) == -signal.SIGKILL
    kept = Cache.read(cache_path(tmp_path / "cache", name))
    assert (len(known(kept)), kept.is_complete) == (25, False)
    refused = command("seed", "--source", "cache", "acme", *WINDOW, "--cache-dir", tmp_path / "cache")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is incomplete: its last fetch broke off" in refused.stderr
    running.requests.clear()
    running.rule = lambda _request: None
    assert command(*seed_line(tmp_path), **running.environment).returncode == 0
    assert running.operations("PullRequests")[0].variables["after"] == kept.header.walk.cursor
    assert len(known(Cache.read(cache_path(tmp_path / "cache", name)))) == count


def test_offline_and_cache_ask_nobody(running, tmp_path) -> None:
    first = command(*seed_line(tmp_path, "--json"), **running.environment)
    assert first.returncode == 0, first.stderr
    running.requests.clear()
    offline = command(*seed_line(tmp_path, "--offline", "--json"))
    places = ("--cache-dir", tmp_path / "cache", "--database", f"sqlite:///{tmp_path}/test.db")
    cached = command("seed", "--source", "cache", "ACME", *WINDOW, *places, "--json")
    assert running.requests == []
    for result in (offline, cached):
        assert result.returncode == 0, result.stderr
        tables = json.loads(result.stdout)["tables"]
        assert sum(table["rows_written"] for table in tables) == 0


def test_a_dry_run_fetches_and_writes_no_row(running, tmp_path) -> None:
    result = command(*seed_line(tmp_path, "--dry-run", "--json"), **running.environment)
    (organisation,) = json.loads(result.stdout)["organisations"]
    assert (organisation["organisation"], organisation["pull_requests"]) == (
        "acme",
        sum(PULL_REQUESTS.values()),
    )
    assert not (tmp_path / "test.db").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "github"], "needs the names of organisations"),
        (["--source", "cache", "--all"], "needs the names of organisations"),
        (["--source", "github", "no/such"], "no organisation on GitHub can have this name"),
        (["--source", "github", "acme", "--members-from", "bots"], "--members-from bots: expected authors"),
        (["--source", "github", "acme", "--offline", "--refresh"], "cannot be combined"),
        (["--source", "cache", "acme", "--refresh"], "works only with --source github"),
        (["--source", "cache", "acme", "--offline"], "works only with --source github"),
        (["polar", "--members-from", "all"], "works only with --source github or cache"),
        (["polar", "--cache-dir", "x"], "works only with --source github or cache"),
        (["--source", "nonsense"], "expected synthetic or git or github or cache"),
    ],
)
def test_wrong_options_are_one_line_and_status_2(tmp_path, arguments, words) -> None:
    result = command("seed", *arguments, folder=tmp_path, GITHUB_TOKEN="x")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(InputError, match=r"pip install 'tformance_seed\[github\]'"), extra("cache"):
        raise ModuleNotFoundError("No module named 'msgspec'", name="msgspec")
    with pytest.raises(ModuleNotFoundError), extra("cache"):
        raise ModuleNotFoundError("No module named 'other'", name="other")


def plans(tmp_path) -> list[Plan]:
    request = SeedRequest(
        organisations=["acme"],
        source="cache",
        cache_dir=tmp_path,
        days=60,
        until=datetime.date(2026, 2, 10),
    )
    return make_plans(request, NOW)


def test_a_worker_restores_the_plan_from_the_caches(tmp_path) -> None:
    write(tmp_path, "acme/api", *(entry(number) for number in range(1, 9)))
    (plan,) = plans(tmp_path)
    record = json.loads(json.dumps(plan.record()))
    again = restore(record, plan.fingerprint())
    assert again.input_spec() == plan.input_spec()
    assert again.source.total == plan.source.total == 8


def test_a_cache_that_changed_meanwhile_is_noticed(tmp_path) -> None:
    path = write(tmp_path, "acme/api", entry(1))
    (plan,) = plans(tmp_path)
    write(tmp_path, "acme/api", entry(1), entry(2))
    with pytest.raises(SeedError, match="inputs are no longer what they were"):
        restore(plan.record(), plan.fingerprint())
    path.unlink()
    with pytest.raises(SeedError, match="cannot be read"):
        restore(plan.record(), plan.fingerprint())
