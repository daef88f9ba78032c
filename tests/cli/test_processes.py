"""Commands as processes: how they start, how they are interrupted and killed, how several run at once."""

import configparser
import json
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.commands import argv, clean, command, command_process, lines_of_errors, start
from tests.support.servers import wait_until
from tests.support.workers import digests

PROJECT = Path(__file__).parents[2]

SMALL = ("resend", "--days", "20", "--until", "2026-03-18")


def test_console_script_and_module_are_the_same_command():
    """The script is run as an installer writes it, from the entry point in setup.cfg."""
    metadata = configparser.ConfigParser()
    metadata.read(PROJECT / "setup.cfg")
    scripts = metadata["options.entry_points"]["console_scripts"].strip()
    name, _, target = scripts.partition(" = ")
    module, _, function = target.partition(":")
    assert name == "tformance-seed"
    script = [sys.executable, "-c", f"import sys; from {module} import {function}; sys.exit({function}())"]
    ways = [
        subprocess.run([*way, "orgs"], capture_output=True, text=True, env=clean(), check=True)
        for way in (script, argv())
    ]
    assert ways[0].stdout == ways[1].stdout == command("orgs").stdout
    assert [way.stderr for way in ways] == ["", ""]


def test_orgs_is_quick_because_it_imports_little():
    imports = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tformance_seed", "orgs"],
        capture_output=True,
        text=True,
        env=clean(),
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in imports.stderr.splitlines()}
    assert "tformance_seed.cli.console" in loaded
    assert not loaded & {"numpy", "peewee", "rich.console", "importlib.resources", "logging"}


def test_a_run_on_a_full_disk_fails_and_resumes_when_there_is_room(sqlite_url):
    command("init", "--database", sqlite_url)

    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))

    arguments = ("seed", "polar", "--days", "60", "--until", "2026-03-18", "--database", sqlite_url)
    full = subprocess.run(
        argv(*arguments), capture_output=True, text=True, env=clean(), preexec_fn=limit_file_size, check=False
    )
    assert (full.returncode, lines_of_errors(full.stderr)) == (1, 1), full.stderr
    assert "What was committed is safe" in full.stderr
    assert command(*arguments).returncode == 0
    assert digests(sqlite_url)


def test_killed_at_any_instant_it_ends_the_same(url, tmp_path):
    arguments = ("seed", "polar", "--days", "30", "--until", "2026-03-18", "--chunk-size", "75", "--database")
    began = time.monotonic()
    assert command_process(*arguments, f"sqlite:///{tmp_path}/undisturbed.db").returncode == 0
    whole = time.monotonic() - began
    moments, killed = random.Random(1), 0
    for _ in range(5):
        run = start(*arguments, url)
        time.sleep(moments.uniform(0.3, 1.0) * whole)
        run.kill()
        run.communicate()
        killed += run.returncode == -signal.SIGKILL
    assert killed
    last = command(*arguments, url)
    assert last.returncode == 0, last.stderr
    assert digests(url) == digests(f"sqlite:///{tmp_path}/undisturbed.db")


def wait_until_it_runs(url):
    wait_until(lambda: "running" in command("status", "--database", url).stdout, every=0.02)


def test_a_keyboard_interrupt_is_one_line_about_what_is_safe(sqlite_url):
    run = start("seed", "--all", "--database", sqlite_url)
    wait_until_it_runs(sqlite_url)
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=30)
    assert (run.returncode, output) == (130, "")
    assert lines_of_errors(errors) == 1
    assert "interrupted" in errors


def test_a_second_run_with_other_inputs_fails_or_waits(url):
    command("init", "--database", url)
    arguments = ("seed", "posthog", "--days", "100", "--until", "2026-03-18", "--database", url)
    first = start("seed", "calcom", "polar", "resend", *arguments[1:])  # busy for longer than posthog takes
    wait_until_it_runs(url)
    second = command(*arguments, "--seed", "7", "--yes")
    assert (second.returncode, "another run is seeding posthog" in second.stderr) == (1, True), second.stderr
    waited = command(*arguments, "--wait", "--clear", "--yes", "--json")
    assert first.wait(60) == 0
    assert waited.returncode == 0, waited.stderr
    assert json.loads(waited.stdout)["organisations"][0]["resumed"] is False
    again = json.loads(command(*arguments, "--json").stdout)
    assert sum(table["rows_written"] for table in again["tables"]) == 0


def test_embedded_keeps_a_private_postgresql_in_a_folder(tmp_path):
    url = f"embedded:///{tmp_path}/private"
    assert command_process("seed", *SMALL, "--database", url).returncode == 0
    report = json.loads(command_process("verify", "--database", url, "--json").stdout)["organisations"]
    first = {entry["organisation"]: entry["digest"] for entry in report}
    assert command("seed", *SMALL, "--database", f"sqlite:///{tmp_path}/x.db").returncode == 0
    assert digests(f"sqlite:///{tmp_path}/x.db") == first


def test_several_runs_fill_one_database_at_the_same_time(url):
    arguments = ("--days", "60", "--until", "2026-03-18", "--chunk-size", "200", "--database", url)
    runs = [start("seed", slug, *arguments) for slug in ("dub", "polar", "resend")]
    errors = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], errors
    assert len(digests(url)) == 3
