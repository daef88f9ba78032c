"""What ``--json`` prints: one object, valid against its schema, however a command ends."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import psycopg2
import pytest
import typer

from tests.support.commands import argv, clean, command, command_process
from tests.support.json_output import SCHEMAS, check, validator
from tests.support.repositories import Workshop
from tests.support.servers import wait_until
from tests.support.workers import start, urls
from tformance_seed.cli.app import create_app
from tformance_seed.cli.objects.schema import RESULTS
from tformance_seed.cli.objects.shared import VERSION

UNTIL = ("--until", "2026-03-18")
SMALL = ("polar", "--days", "10", "--prs", "5", "--members", "6", *UNTIL)
COMMANDS = typer.main.get_command(create_app()).commands


def printed(*arguments, status=0, **options):
    """What a command prints; ``command`` checks it against the schema."""
    result = command(*arguments, "--json", **options)
    assert result.returncode == status, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def seeded(request, tmp_path_factory):
    """The environment for a small organisation in a database, and the run that seeded it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('json')}/test.db"
    else:
        url = request.getfixturevalue("server").new_database()
    environment = {"DATABASE_URL": url}
    return environment, printed("seed", *SMALL, **environment)


def test_every_command_that_has_json_has_a_published_schema():
    with_json = {
        name for name, each in COMMANDS.items() if any("--json" in option.opts for option in each.params)
    }
    assert with_json == set(RESULTS) == {path.stem for path in SCHEMAS.iterdir()}
    assert set(COMMANDS) - with_json == {"schema", "completion"}
    for name in RESULTS:
        validator(name).check_schema(validator(name).schema)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_command_prints_the_schema_that_is_published(name):
    result = command("schema", name)
    assert (result.returncode, result.stdout) == (0, (SCHEMAS / f"{name}.json").read_text())


def test_there_is_no_schema_of_what_prints_no_json():
    result = command("schema", "nonsense")
    assert (result.returncode, result.stdout, "verify" in result.stderr) == (2, "", True)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_schema_accepts_no_other_field_and_misses_none(name):
    value = json.loads(command(name, "--no-such-option", "--json").stdout)
    assert validator(name).is_valid(value)
    for wrong in (
        {**value, "surprise": 1},
        {**value, "version": VERSION + 1},
        {**value, "error": None},
        {**value, "command": "other"},
        {key: each for key, each in value.items() if key != "database"},
    ):
        assert not validator(name).is_valid(wrong)


@pytest.mark.parametrize(
    "arguments",
    [
        ("seed", *SMALL, "--dry-run"),
        ("seed", *SMALL),
        ("seed", *SMALL, "--clear", "--yes"),
        ("status",),
        ("verify",),
        ("weekly",),
        ("report",),
        ("report", "--exact"),
        ("doctor",),
        ("init",),
    ],
    ids=" ".join,
)
def test_success_names_the_database_and_no_error(seeded, arguments):
    environment, first = seeded
    value = printed(*arguments, **environment)
    assert (value["version"], value["command"], value["error"]) == (VERSION, arguments[0], None)
    assert value["database"] == first["database"]
    if "organisations" in value:
        assert [(each["organisation"], each["team"]) for each in value["organisations"]] == [
            ("polar", "polar-demo")
        ]


def test_the_database_is_described_without_its_password(server):
    url = server.new_database()
    with psycopg2.connect(url) as connection:
        version = connection.info.parameter_status("server_version").split()[0]
        name = connection.info.dbname
    described = printed("init", DATABASE_URL=url.replace("postgres@", "postgres:secret@"))["database"]
    assert (described["kind"], described["version"], described["name"]) == ("PostgreSQL", version, name)
    assert "secret" not in described["url"]


def test_cancel_retry_and_clear_tell_what_they_did(tmp_path):
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/test.db"}
    run = printed("seed", *SMALL, **environment)["run"]
    assert printed("cancel", run, **environment)["organisations"] == []
    retried = printed("retry", run, **environment)
    assert (retried["run"], retried["detached"]) == (run, False)
    (cleared,) = printed("clear", "polar", "--yes", **environment)["organisations"]
    assert (cleared["organisation"], cleared["team"]) == ("polar", "polar-demo")
    assert {"table": "metrics_pullrequest", "rows_removed": 5, "rows_kept": 0} in cleared["tables"]
    assert printed("clear", "polar", "--yes", **environment)["organisations"] == []


def test_a_dry_run_describes_a_file_that_does_not_exist(tmp_path):
    value = printed("seed", *SMALL, "--dry-run", folder=tmp_path)
    assert value["database"]["name"] == "tformance.db"
    assert [each["action"] for each in value["organisations"]] == ["new"]
    assert list(tmp_path.iterdir()) == []


def test_the_conventions_of_a_clone_are_listed(tmp_path):
    workshop = Workshop(tmp_path / "clone")
    workshop.commit("Add a part (#7)", "2026-03-01 10:00")
    value = printed("seed", "--repo", tmp_path / "clone", folder=tmp_path)
    ((repository,),) = [each["repositories"] for each in value["organisations"]]
    assert [each["pull_requests"] for each in repository["conventions"]] == [1]


def test_orgs_and_preview_need_no_database():
    listed = printed("orgs", "--days", "30")
    assert listed["database"] is None
    assert len(listed["organisations"]) == 100
    assert {each["scenario"] for each in listed["scenarios"]} >= {"ai-success", "baseline"}
    week = printed("preview", "resend", "--week", "2025-10-08")
    assert (week["organisation"], week["week"]) == ("resend", "2025-10-06")
    assert all(each["ended_at"].endswith("+00:00") for each in week["pull_requests"])


def test_data_that_is_wrong_is_told_beside_the_error(tmp_path):
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/test.db"}
    printed("seed", *SMALL, **environment)
    with sqlite3.connect(tmp_path / "test.db") as connection:
        connection.execute("UPDATE metrics_weeklymetrics SET prs_merged = prs_merged + 1 WHERE id = 1")
    value = printed("verify", status=1, **environment)
    assert value["error"]["kind"] == "failed"
    assert value["organisations"][0]["violations"][0]["table"] == "metrics_weeklymetrics"


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_wrong_command_line_is_told_in_the_same_words_as_for_people(name):
    result = command(name, "--no-such-option", "--json")
    value = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (2, f"tformance-seed: {value['error']['message']}\n")
    assert (value["command"], value["error"]["kind"]) == (name, "input")


def test_a_command_that_does_not_exist_has_no_name():
    value = printed("nonsense", status=2)
    assert (value["command"], value["error"]["exit_status"]) == (None, 2)


@pytest.mark.parametrize(
    "name", ["status", "verify", "weekly", "report", "clear polar", "retry x", "cancel x"]
)
def test_a_database_that_is_not_there_is_wrong_input(tmp_path, name):
    value = printed(*name.split(), status=2, folder=tmp_path)
    assert value["error"]["kind"] == "input"
    assert value["error"]["hint"] == "tformance-seed seed"


def test_a_hint_has_the_options_that_were_typed(tmp_path):
    printed("seed", *SMALL, "--database", "sqlite:///my file.db", folder=tmp_path)
    value = printed("verify", "acme", "--database", "sqlite:///my file.db", status=2, folder=tmp_path)
    assert value["error"]["hint"] == "tformance-seed seed acme --database 'sqlite:///my file.db'"


def test_a_server_that_does_not_answer_is_unavailable():
    value = printed("seed", "polar", "--database", "postgresql://nobody:secret@127.0.0.1:9/x", status=2)
    assert value["error"]["kind"] == "unavailable"
    assert "secret" not in json.dumps(value)


def test_workers_and_a_detached_run_tell_what_they_began(postgresql_url, broker, tmp_path):
    environment = urls(postgresql_url, broker.url)
    running = start("worker", "--processes", "1", "--json", database=postgresql_url, broker=broker.url)
    try:
        lines = []
        while not lines or lines[-1] != "}\n":
            lines.append(running.stdout.readline())
        check(("worker", "--json"), None, "".join(lines))
        assert json.loads("".join(lines))["workers"][0]["processes"] == 1
        value = printed("seed", *SMALL, "--detach", **environment)
        assert (value["detached"], value["organisations"], value["tables"]) == (True, [], [])
        wait_until(lambda: printed("status", value["run"], **environment)["state"] == "finished")
    finally:
        running.terminate()
        running.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_resumes(tmp_path, number):
    """The exit status is 128 plus the signal's number, as a shell has it."""
    arguments = (
        "seed",
        "--all",
        "--days",
        "60",
        *UNTIL,
        "--database",
        f"sqlite:///{tmp_path}/x.db",
        "--json",
    )
    run = subprocess.Popen(
        argv(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean()
    )
    wait_until((tmp_path / "x.db").exists)
    time.sleep(0.5)
    run.send_signal(number)
    output, errors = run.communicate(timeout=60)
    assert run.returncode == 128 + number, errors
    check(arguments, 128 + number, output)
    assert json.loads(output)["error"]["kind"] == "interrupted"
    assert "the same command resumes" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_before_anything_is_imported_is_told_too(number):
    program = (
        "import os, sys; from tformance_seed.cli.interrupts import handle_interrupts; "
        f"sys.argv[1:] = ['verify', '--json']; handle_interrupts(); os.kill(os.getpid(), {int(number)})"
    )
    run = subprocess.run([argv()[0], "-c", program], capture_output=True, text=True, env=clean(), check=False)
    check(("verify", "--json"), 128 + number, run.stdout)
    assert run.returncode == 128 + number


def test_a_process_prints_the_same_as_this_one(tmp_path):
    result = command_process("verify", "nonsense", "--json", folder=tmp_path)
    assert (result.returncode, json.loads(result.stdout)["command"]) == (2, "verify")
    assert os.listdir(tmp_path) == []
