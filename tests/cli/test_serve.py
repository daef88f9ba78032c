"""``serve`` keeps an embedded PostgreSQL up for other programs."""

import json
import os
import re
import signal
import socket
from contextlib import contextmanager

import psycopg2
import pytest

from tests.storage.embedded.conftest import processes_in
from tests.support.commands import command, command_process, start
from tests.support.databases import one
from tests.support.documents import DOCS, first_cells, section
from tests.support.servers import copy_cluster, free_port, wait_until
from tformance_seed import settings
from tformance_seed.cli.objects.shared import Envelope
from tformance_seed.storage.embedded.server import Server


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "pg"
    made.mkdir()
    copy_cluster(made)
    return made


@contextmanager
def serving(folder, *options):
    """Run ``serve --json`` on a folder; yield the process and what it prints."""
    run = start("serve", "--database", f"embedded:///{folder}", "--port", "0", "--json", *options)
    try:
        lines = []
        while not lines or lines[-1] != "}\n":
            lines.append(run.stdout.readline())
            assert lines[-1], run.stderr.read()
        yield run, json.loads("".join(lines))
    finally:
        run.kill()
        run.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_address_it_prints_works_until_it_is_told_to_end(folder, number):
    with serving(folder) as (run, printed):
        assert one(printed["url"]) == (1,)
        assert printed["folder"] == str(folder)
        run.send_signal(number)
        output, errors = run.communicate(timeout=60)
        assert (run.returncode, output, errors) == (0, "", "")
    assert processes_in(folder) == []


def test_it_makes_a_new_folder_and_prints_addresses_for_people(tmp_path):
    port = free_port()
    run = start("serve", "--database", f"embedded:///{tmp_path}/pg", "--port", port)
    lines = [run.stdout.readline() for _ in range(4)]
    url = re.search(r"psql (postgresql://\S+)", lines[1])[1]
    assert f"DATABASE_URL={url}" in lines[2]
    assert f"@127.0.0.1:{port}/" in url
    assert one(url) == (1,)
    run.terminate()
    assert run.wait(60) == 0
    run.communicate()


def test_nobody_comes_through_the_port_without_the_password(folder):
    with serving(folder) as (_, printed):
        password = re.search(r":([^:@]+)@", printed["url"])[1]
        for wrong in ("", "postgres"):
            with pytest.raises(psycopg2.OperationalError, match=r"password|fe_sendauth"):
                psycopg2.connect(printed["url"].replace(password, wrong))
    with serving(folder) as (_, printed):
        assert f":{password}@" in printed["url"]  # so a DATABASE_URL that somebody noted stays right
        assert one(printed["url"]) == (1,)
    assert (folder / "password").stat().st_mode & 0o777 == 0o600


def test_other_commands_use_the_server_meanwhile_and_it_stops_after_the_last(folder):
    url = f"embedded:///{folder}"
    with serving(folder) as (run, printed):
        assert command_process("init", "--database", url).returncode == 0
        assert command_process("init", "--database", printed["url"]).returncode == 0
        server = Server(folder)
        server.start()
        run.terminate()
        _, errors = run.communicate(timeout=60)
        assert "another command uses the database" in errors
        assert one(server.url()) == (1,)
        server.release()
    assert processes_in(folder) == []


def test_killed_it_leaves_no_server(folder):
    with serving(folder) as (run, _):
        run.kill()
        run.communicate()
        wait_until(lambda: not processes_in(folder))


def test_it_ends_with_a_line_if_the_server_does(folder):
    with serving(folder) as (run, _):
        os.kill(Server(folder).pid(), signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        assert (run.returncode, errors.count("\n")) == (1, 1)
        assert "PostgreSQL was stopped" in errors


def test_a_server_that_another_command_uses_without_a_port_is_refused(folder):
    server = Server(folder)
    server.start()
    result = command_process("serve", "--database", f"embedded:///{folder}", "--port", "0")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "without this port" in result.stderr
    server.release()


def test_two_that_serve_one_folder_give_the_same_address(folder):
    with serving(folder) as (_, first), serving(folder) as (_, second):
        assert first == second
        assert one(first["url"]) == (1,)


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = command_process("serve", "--database", f"embedded:///{tmp_path}/pg", "--port", port)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert f"port {port} of 127.0.0.1 cannot be had: Address already in use" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--port", "65536"), ("--port", "-1"), ("--database", "sqlite:///x.db"), ("--database", "embedded:///")],
)
def test_wrong_input_is_refused_in_a_line(tmp_path, arguments):
    result = command("serve", *arguments, folder=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "served"),
    [("embedded:///mine", "embedded:///mine"), ("postgresql://app@127.0.0.1/app", "embedded:///pg")],
)
def test_only_an_embedded_database_of_the_environment_is_served(monkeypatch, variable, served):
    monkeypatch.setenv("DATABASE_URL", variable)
    assert settings.embedded_url() == served


def test_every_field_of_its_json_is_documented(folder):
    documented = {cell.strip("`") for cell in first_cells(section(DOCS / "reference" / "json.md", "serve"))}
    with serving(folder) as (_, printed):
        assert set(printed) - set(Envelope.__annotations__) == documented
