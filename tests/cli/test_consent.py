"""What is written to is said first, and whatever removes rows or is on another host asks."""

import json
from types import SimpleNamespace

import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.teams import add_team
from tests.support.workers import digests
from tformance_seed.storage import connection

SMALL = ("polar", "--days", "10", "--until", "2026-03-18", "--prs", "6", "--members", "4")


def first_line(result):
    return result.stderr.splitlines()[0].removeprefix("tformance-seed: ")


def test_every_writing_command_begins_with_the_database_it_writes_to(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    run = json.loads(command("seed", *SMALL, "--json", "--database", url).stdout)["run"]
    for arguments in (
        ("init",),
        ("weekly",),
        ("retry", run),
        ("cancel", run),
        ("seed", *SMALL),
        ("clear", "polar", "--yes"),
    ):
        result = command(*arguments, DATABASE_URL=url)
        assert (result.returncode, first_line(result)) == (0, f"writing to {url}, from DATABASE_URL"), (
            arguments
        )
    named = command("init", "--database", url)
    assert first_line(named) == f"writing to {url}, from --database"
    for arguments in (("verify",), ("status",), ("report",), ("doctor",), ("orgs",)):
        assert "writing to" not in command(*arguments, DATABASE_URL=url).stderr


def test_a_server_is_said_as_it_was_connected_to(postgresql_url):
    result = command("init", "--database", postgresql_url)
    host = postgresql_url.split("host=")[1].split("&")[0]
    name = postgresql_url.split("/")[3].split("?")[0]
    assert first_line(result) == f"writing to postgresql://postgres@/{name}?host={host}, from --database"


def test_seeding_other_inputs_asks_before_it_removes_rows(url):
    assert command("seed", *SMALL, "--database", url).returncode == 0
    before = digests(url)
    others = ("seed", *SMALL, "--seed", "7", "--database", url)
    for answer, extra, status in (("n\n", (), 1), ("", (), 2), ("y\n", ("--json",), 2)):
        refused = command(*others, *extra, answer=answer)
        assert refused.returncode == status, refused.stderr
        assert (refused.stdout.strip() == "") != ("--json" in extra)
        assert refused.stderr.count("metrics_pullrequest 6") == 1
        if not answer:
            assert refused.stderr.splitlines()[-1].startswith("tformance-seed: no answer: nothing was")
        assert "nothing was written or removed" in refused.stderr.lower()
        assert digests(url) == before
    assert command(*others, answer="y\n").returncode == 0
    assert digests(url) != before
    assert command("seed", *SMALL, "--yes", "--database", url).returncode == 0
    assert digests(url) == before


def test_the_same_inputs_and_a_later_day_ask_nothing(url):
    assert command("seed", *SMALL[:5], "--database", url).returncode == 0
    again = command("seed", *SMALL[:5], "--database", url)
    later = command("seed", *SMALL[:3], "--until", "2026-03-19", "--database", url)
    assert [(result.returncode, result.stderr.count("\n")) for result in (again, later)] == [(0, 1)] * 2


def test_another_hosts_database_with_teams_of_others_is_asked_for(url, monkeypatch):
    monkeypatch.setattr(connection, "is_remote", lambda _database: True)
    empty = command("seed", *SMALL, "--database", url)
    assert (empty.returncode, empty.stderr.count("\n")) == (0, 1)
    database = connect(url)
    add_team("acme")
    database.close()
    refused = command("seed", "resend", *SMALL[1:], "--database", url)
    assert (refused.returncode, "a team that this package did not make" in refused.stderr) == (2, True)
    assert "resend" not in command("verify", "--database", url).stdout
    assert command("seed", "resend", *SMALL[1:], "--database", url, "--yes").returncode == 0


@pytest.mark.parametrize(
    ("host", "remote"),
    [
        ("/tmp/socket", False),
        ("127.0.0.1", False),
        ("127.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("db", True),
        ("10.0.0.5", True),
        ("2001:db8::1", True),
    ],
)
def test_where_a_database_is(postgresql_url, monkeypatch, host, remote):
    database = connect(postgresql_url)
    info = SimpleNamespace(host=host, port=5432, user="app", dbname="app")
    monkeypatch.setattr(connection, "driver_connection", lambda _database: SimpleNamespace(info=info))
    assert connection.is_remote(database) is remote
    database.close()


def test_brokers_of_other_programs_start_nothing(tmp_path):
    others = {"REDIS_URL": "redis://127.0.0.1:1/0", "BROKER_URL": "redis://127.0.0.1:1/0"}
    result = command("seed", *SMALL, "--database", f"sqlite:///{tmp_path}/a.db", **others)
    assert (result.returncode, result.stderr.count("\n")) == (0, 1)


def test_broker_none_uses_none(tmp_path):
    own = {"TFORMANCE_BROKER_URL": "redis://127.0.0.1:1/0"}
    url = f"sqlite:///{tmp_path}/a.db"
    assert command("seed", *SMALL, "--database", url, **own).returncode == 2
    assert command("seed", *SMALL, "--database", url, "--broker", "none", **own).returncode == 0
