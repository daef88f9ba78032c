"""The commands as a user types them: in a process of their own, read by exit status and output."""

import contextlib
import json
import os
import pty
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.support.commands import argv, clean, command, start

SMALL = ("resend", "--days", "20", "--until", "2026-03-18")


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path}/cli.db"


def digest(url):
    result = command("verify", "--database", url, "--json")
    assert result.returncode == 0, result.stderr
    return {slug: report["digest"] for slug, report in json.loads(result.stdout)["organisations"].items()}


def test_without_arguments_a_seed_fills_a_file_and_says_what_is_next(tmp_path):
    result = subprocess.run(
        argv("seed"), capture_output=True, text=True, cwd=tmp_path, env=clean(), check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "tformance-seed verify" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tformance.db"]
    with sqlite3.connect(tmp_path / "tformance.db") as connection:
        assert connection.execute("SELECT count(*) FROM metrics_pullrequest").fetchone()[0] > 100


def test_json_is_one_object_with_rows_by_table(url):
    result = command("seed", *SMALL, "--database", url, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["run"]
    assert [item["organisation"] for item in report["organisations"]] == ["resend"]
    files = report["tables"]["metrics_prfile"]
    assert files["rows_written"] > 100
    assert files["rows_unchanged"] == 0
    assert files["seconds"] >= 0
    again = json.loads(command("seed", *SMALL, "--database", url, "--json").stdout)
    assert again["tables"]["metrics_prfile"]["rows_unchanged"] == files["rows_written"]
    assert sum(table["rows_written"] for table in again["tables"].values()) == 0


def test_environment_names_the_database(sqlite):
    assert command("seed", *SMALL, DATABASE_URL=sqlite).returncode == 0
    assert "resend" in command("verify", DATABASE_URL=sqlite).stdout


def test_verify_exits_1_where_data_does_not_agree(sqlite, tmp_path):
    command("seed", *SMALL, "--database", sqlite)
    with sqlite3.connect(tmp_path / "cli.db") as connection:
        connection.execute("UPDATE metrics_weeklymetrics SET prs_merged = prs_merged + 1 WHERE id = 1")
    result = command("verify", "--database", sqlite)
    assert result.returncode == 1
    assert "metrics_weeklymetrics" in result.stdout
    assert result.stderr.count("\n") == 1
    assert command("weekly", "--database", sqlite).returncode == 0
    assert command("verify", "--database", sqlite).returncode == 0


def test_dry_run_writes_nothing_not_even_the_file(sqlite, tmp_path):
    result = command("seed", *SMALL, "--database", sqlite, "--dry-run", "--json")
    assert result.returncode == 0, result.stderr
    (preview,) = json.loads(result.stdout)["organisations"]
    assert preview["organisation"] == "resend"
    assert preview["pull_requests"] > 10
    assert preview["action"] == "new"
    assert list(tmp_path.iterdir()) == []
    command("seed", *SMALL, "--database", sqlite)
    before = (tmp_path / "cli.db").read_bytes()
    again = command("seed", *SMALL, "--seed", "7", "--database", sqlite, "--dry-run", "--json")
    assert "start over" in json.loads(again.stdout)["organisations"][0]["action"]
    assert (tmp_path / "cli.db").read_bytes() == before


def test_clear_asks_first_and_removes_what_was_seeded(sqlite):
    command("seed", *SMALL, "--database", sqlite)
    refused = subprocess.run(
        argv("clear", "resend", "--database", sqlite),
        input="n\n",
        capture_output=True,
        text=True,
        env=clean(),
        check=False,
    )
    assert (refused.returncode, "nothing was removed" in refused.stderr) == (1, True)
    assert digest(sqlite)
    assert command("clear", "resend", "--database", sqlite, "--yes").returncode == 0
    empty = command("verify", "--database", sqlite)
    assert (empty.returncode, "nothing was seeded" in empty.stderr) == (2, True)


def test_orgs_shows_the_catalogue_and_ones_own(tmp_path):
    assert "100 organisations" in command("orgs").stdout
    own = tmp_path / "own.toml"
    own.write_text('[acme]\nname = "Acme"\nmembers = 3\n')
    report = json.loads(command("orgs", "--catalog", own, "--json").stdout)
    assert report["organisations"]["acme"]["members"] == 3
    seeded = command("seed", "--catalog", own, "--database", f"sqlite:///{tmp_path}/x.db", "--json")
    assert json.loads(seeded.stdout)["organisations"][0]["members"] == 3


def test_a_table_in_a_pipe_is_aligned_lines_without_colour():
    title, head, *lines = command("orgs", COLUMNS="40").stdout.splitlines()
    assert title.startswith("100 organisations")
    name, members = head.index("name"), head.index("members") + len("members")
    rows = lines[: lines.index("")]
    assert len(rows) == 100
    assert all(row[name - 2 : name] == "  " != row[name] for row in rows)
    assert all(row[members - 1].isdigit() and row[members] == " " for row in rows)
    assert not any("\x1b" in line or line != line.rstrip() for line in [title, head, *lines])


@pytest.mark.parametrize("width", [60, 200])
def test_a_table_on_a_terminal_keeps_to_its_width(width):
    terminal, side = pty.openpty()
    run = subprocess.Popen(argv("orgs"), stdout=side, env=clean({"COLUMNS": str(width), "TERM": "xterm"}))
    os.close(side)
    shown = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other side is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    assert run.wait() == 0
    assert b"\x1b[1m" in shown  # a head in bold
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).splitlines()
    assert max(map(len, lines)) <= width
    folded = "ecommerce" not in "\n".join(lines)
    assert folded == (width == 60)


def test_orgs_is_quick_because_it_loads_little():
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tformance_seed", "orgs"],
        capture_output=True,
        text=True,
        env=clean(),
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "tformance_seed.cli.tables" in loaded
    assert not loaded & {"numpy", "peewee", "rich.console", "importlib.resources", "logging"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[acme]\nname = "A"\nmembres = 3\n', ":3: [acme] has an unknown key membres; did you mean members?"),
        ('[acme]\nname = "A"\n\nmembers = -3\n', ":4: [acme] members = -3: want a whole number"),
        ("[acme]\nmembers = 3\n", ":1: [acme] has no key name"),
        (
            '[acme]\nname = "A"\nai_adoption_rate = 45\n',
            ":3: [acme] ai_adoption_rate = 45: want a number from 0",
        ),
        ('[Acme Rockets]\nname = "A"\n', "not TOML"),
        ('["Acme Rockets"]\nname = "A"\n', ":1: [Acme Rockets] is no slug"),
        ('name = "A"\n', ":1: name stands outside a table"),
        ("", "no organisation in it"),
        ('[acme]\nname = "A"\nrepos = ["noslash"]\n', ":3: [acme] repos ="),
    ],
)
def test_a_malformed_catalogue_names_file_line_and_key(tmp_path, text, words):
    path = tmp_path / "own.toml"
    path.write_text(text)
    result = command("seed", "--catalog", path, "--database", f"sqlite:///{tmp_path}/x.db")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert str(path) in result.stderr
    assert words in result.stderr
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("seed", "polr"),
        ("seed", "--days", "0"),
        ("seed", "--days", "many"),
        ("seed", "--until", "2026-02-30"),
        ("seed", "--days", "99999999999"),
        ("seed", "--members", "-1"),
        ("seed", "--repo", "/nonexistent/clone"),
        ("seed", "--nonsense"),
        ("nonsense",),
        ("seed", "--database", "mysql://root@localhost/x"),
        ("seed", "--database", "postgresql://me:hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "postgresql://me:hunter2@127.0.0.1:port/x"),
        ("seed", "--database", "postgresql://me:hun@hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "host=127.0.0.1 port=1 password=hunter2"),
        ("seed", "--database", "postgres:me:hunter2@127.0.0.1/x"),
        ("seed", "--database", "postgresql:///x?password=hunter2%"),
        ("seed", "--database", "sqlite:///a#b.db"),
        ("seed", "--database", "sqlite:////dev/null"),
        ("seed", "--members", "99999999999999999999999"),
        ("seed", "--members", "1000001"),
        ("seed", "--prs", "99999999999999999999999"),
        ("weekly",),
        ("weekly", "nobody"),
        ("clear", "resend"),
        ("seed", "--database", "sqlite:////nonexistent/folder/x.db"),
        ("seed", "--database", "sqlite:///:memory:"),
        ("verify", "--database", "sqlite:////nonexistent/folder/x.db"),
        ("clear", "nobody", "--yes"),
        ("weekly", "--days", "0"),
        ("orgs", "--catalog", "/nonexistent.toml"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments):
    result = command(*arguments, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but dear to somebody\n" * 100)
    result = command("seed", "--database", f"sqlite:///{path}")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "not a database" in result.stderr
    assert path.read_text().startswith("not a database, but dear")


def test_a_full_disk_is_a_failed_run_that_goes_on_when_there_is_room(sqlite):
    command("init", "--database", sqlite)

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))

    wish = ("seed", "polar", "--days", "60", "--until", "2026-03-18", "--database", sqlite)
    full = subprocess.run(
        argv(*wish), capture_output=True, text=True, env=clean(), preexec_fn=little_room, check=False
    )
    assert (full.returncode, full.stderr.count("\n")) == (1, 1), full.stderr
    assert "What was committed is safe" in full.stderr
    assert command(*wish).returncode == 0
    assert digest(sqlite)


def test_killed_at_any_instant_it_ends_the_same(url, tmp_path):
    wish = ("seed", "polar", "--days", "60", "--until", "2026-03-18", "--chunk-size", "150", "--database")
    began = time.monotonic()
    assert command(*wish, f"sqlite:///{tmp_path}/undisturbed.db").returncode == 0
    whole = time.monotonic() - began
    moments, killed = random.Random(1), 0
    for _ in range(5):
        run = start(*wish, url)
        time.sleep(moments.uniform(0.3, 1.0) * whole)
        run.kill()
        run.communicate()
        killed += run.returncode == -signal.SIGKILL
    assert killed
    last = command(*wish, url)
    assert last.returncode == 0, last.stderr
    assert digest(url) == digest(f"sqlite:///{tmp_path}/undisturbed.db")


def wait_until_it_runs(url):
    deadline = time.monotonic() + 30
    while "running" not in command("status", "--database", url).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_interrupted_by_the_keyboard_it_says_what_is_safe(sqlite):
    run = start("seed", "--all", "--database", sqlite)
    wait_until_it_runs(sqlite)
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=30)
    assert (run.returncode, output) == (130, "")
    assert errors.count("\n") == 1
    assert "interrupted" in errors


def test_a_second_run_with_other_inputs_says_so_or_waits(url):
    command("init", "--database", url)
    wish = ("seed", "posthog", "--days", "200", "--until", "2026-03-18", "--database", url)
    before = ["calcom", "polar", "resend", "antiwork", "fastapi", "rallly"]  # the first is at it for long
    first = start("seed", *before, *wish[1:])
    wait_until_it_runs(url)
    second = command(*wish, "--seed", "7")
    assert (second.returncode, "another run is seeding posthog" in second.stderr) == (1, True)
    waited = command(*wish, "--wait", "--clear", "--json")
    assert first.wait(60) == 0
    assert waited.returncode == 0, waited.stderr
    assert json.loads(waited.stdout)["organisations"][0]["resumed"] is False
    again = json.loads(command(*wish, "--json").stdout)
    assert sum(table["rows_written"] for table in again["tables"].values()) == 0


def test_embedded_keeps_a_private_postgresql_in_a_folder(tmp_path):
    url = f"embedded:///{tmp_path}/private"
    assert command("seed", *SMALL, "--database", url).returncode == 0
    first = digest(url)
    assert command("seed", *SMALL, "--database", f"sqlite:///{tmp_path}/x.db").returncode == 0
    assert digest(f"sqlite:///{tmp_path}/x.db") == first


def test_scenarios_are_seeded_by_name(sqlite):
    result = command(
        "seed", "--scenario", "ai-success", "--until", "2026-03-18", "--database", sqlite, "--json"
    )
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)["organisations"]
    assert (report["organisation"], report["members"]) == ("ai-success", 5)
    assert (report["since"], report["until"]) == ("2026-01-19", "2026-03-15")
    assert command("verify", "--database", sqlite).returncode == 0


def test_several_runs_fill_one_database_at_the_same_time(url):
    wish = ("--days", "120", "--until", "2026-03-18", "--chunk-size", "200", "--database", url)
    runs = [start("seed", slug, *wish) for slug in ("dub", "polar", "resend")]
    errors = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], errors
    assert len(digest(url)) == 3
