"""The command `doctor` as a user types it, and that every finding is documented and tested."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from tests.support.commands import argv, clean, command
from tests.support.servers import free_port
from tformance_seed.storage.schema.findings import Name

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    url = f"sqlite:///{tmp_path}/test.db"
    assert command("init", "--database", url).returncode == 0
    return url


def test_a_healthy_database_gives_one_line_and_status_0(url):
    command("init", "--database", url)
    result = command("doctor", "--database", url)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Schema: as expected, 19 tables\n")
    assert "error" not in result.stdout


def test_an_empty_database_can_be_seeded_and_stays_empty(server, postgresql_url):
    result = command("doctor", "--database", postgresql_url)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Schema: no tables yet; seeding creates them\n")
    assert server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", postgresql_url) == [
        (0,)
    ]


def test_errors_give_status_1_and_seed_refuses_for_the_same_reason(server, application_url):
    server.execute("ALTER TABLE metrics_commit DROP message", application_url)
    result = command("doctor", "--database", application_url)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "missing-column" in result.stderr
    assert "metrics_commit.message: missing; recommended: text not null\n" in result.stdout
    seeding = command("seed", "resend", "--database", application_url)
    assert (seeding.returncode, "metrics_commit.message: missing" in seeding.stderr) == (2, True)


def test_advice_leaves_status_0(server, application_url):
    server.execute("CREATE INDEX useless ON metrics_commit (additions)", application_url)
    result = command("doctor", "--database", application_url)
    assert result.returncode == 0
    assert "advice unused-index" in result.stdout
    assert '        DROP INDEX CONCURRENTLY "useless";\n' in result.stdout


def test_json_is_one_object_whatever_is_found(server, application_url):
    server.execute("ALTER TABLE metrics_commit DROP message", application_url)
    result = command(
        "doctor", "--database", application_url, "--json", "--ram", "8GB", "--cpus", "4", "--teams", "30"
    )
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert (report["fit"], report["tier"], report["teams"]) == (False, "growth", 30)
    assert report["machine"]["memory"] == 8 * 2**30
    sections = {section["section"]: section["findings"] for section in report["sections"]}
    assert list(sections) == ["schema", "server", "health", "workers"]
    (missing,) = [finding for finding in sections["schema"] if finding["name"] == "missing-column"]
    assert (missing["severity"], missing["where"]) == ("error", "metrics_commit.message")
    fine = [finding["where"] for finding in sections["server"]]
    assert "fsync" in fine


def test_a_user_without_privileges_gets_findings_and_no_traceback(server, application_url):
    server.execute("DROP ROLE IF EXISTS nobody; CREATE ROLE nobody LOGIN", application_url)
    result = command("doctor", "--database", application_url.replace("postgres@", "nobody@"))
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "missing-privilege" in result.stderr
    assert "may not SELECT on teams_team" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ram", "much"),
        ("--ram", "0GB"),
        ("--cpus", "0"),
        ("--cpus", "many"),
        ("--teams", "-5"),
        ("--teams", "99999999999"),
        ("--sql", "--json"),
        ("--nonsense",),
        ("--broker", "mqtt://me:hunter2@host"),
        ("--broker", "redis://me:hunter2@host:port/0"),
        ("--database", "sqlite:///missing.db"),
        ("--database", "mysql://me:hunter2@127.0.0.1/x"),
        ("--database", f"postgresql://me:hunter2@127.0.0.1:{free_port()}/x"),
        ("--database", "postgresql://me:hunter2@127.0.0.1:port/x"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(tmp_path, file, arguments):
    result = command("doctor", *arguments, folder=tmp_path, DATABASE_URL=file)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert (result.stdout == "") != ("--json" in arguments)
    assert "hunter2" not in result.stdout + result.stderr


def test_a_script_for_sqlite_says_that_there_is_nothing_to_do(file):
    result = command("doctor", "--database", file, "--sql")
    assert result.returncode == 0
    assert all(line.startswith("--") for line in result.stdout.splitlines())
    assert "Nothing to do" in result.stdout


def test_an_sqlite_file_is_not_touched(tmp_path, file):
    before = (tmp_path / "test.db").read_bytes()
    assert command("doctor", "--database", file).returncode == 0
    assert (tmp_path / "test.db").read_bytes() == before


def test_colours_are_for_terminals_only(application_url):
    plain = command("doctor", "--database", application_url, FORCE_COLOR="")
    assert "\x1b" not in plain.stdout
    ours, theirs = pty.openpty()
    environment = clean({"TERM": "xterm", "COLUMNS": "80"})
    process = subprocess.Popen(
        argv("doctor", "--database", application_url), stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert process.wait() == 0
    assert b"\x1b[1mSchema" in shown
    assert b"\x1b[36madvice" in shown


def test_every_finding_is_documented_produced_and_tested():
    names = set(get_args(Name))
    page = (PROJECT / "docs" / "reference" / "findings.md").read_text()
    documented = re.findall(r"^\| `([a-z][a-z-]+)` \|", page, re.MULTILINE)
    assert sorted(documented) == sorted(names)
    package = "".join(path.read_text() for path in (PROJECT / "tformance_seed").rglob("*.py"))
    tests = "".join(path.read_text() for path in (PROJECT / "tests").rglob("test_*.py"))
    for name in names:
        assert package.count(f'"{name}"') > 1, f"nothing makes {name}"
        assert f'"{name}"' in tests, f"no test causes {name}"
