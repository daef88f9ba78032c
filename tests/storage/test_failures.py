"""What a database's error means: its SQLSTATE, or its text where the driver gives none."""

import os

import peewee
import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tformance_seed.errors import (
    InputError,
    SeedError,
    TooManyConnectionsError,
    TransientError,
    UnavailableError,
)
from tformance_seed.storage import connection
from tformance_seed.storage.failures import error_message, is_transient, sqlstate, to_seed_error
from tformance_seed.storage.models import Team


class _DriverError(Exception):
    def __init__(self, pgcode):
        self.pgcode = pgcode


def failed(kind, text, pgcode=None):
    """An error as Peewee raises it, caused by the driver's own."""
    error = kind(text)
    error.__cause__ = _DriverError(pgcode)
    return error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("08006", TransientError, "the connection was lost"),
        ("40001", TransientError, "conflicted with another transaction"),
        ("40P01", TransientError, "conflicted with another transaction"),
        ("53300", TooManyConnectionsError, "raise max_connections"),
        ("55P03", TransientError, "holds a lock"),
        ("57P01", TransientError, "the server was stopped"),
        ("53100", SeedError, "the server's disk is full"),
        ("42501", SeedError, "grant the privilege"),
        ("42P01", SeedError, "tformance-seed init"),
        ("25006", SeedError, "read-only"),
        ("53200", SeedError, "out of memory"),
        ("23505", SeedError, "that this package does not own"),
        ("22003", SeedError, "continues from there"),
    ],
)
def test_an_sqlstate_has_its_class_and_remedy(code, kind, words):
    error = to_seed_error(failed(peewee.OperationalError, "connection of that kind", code))
    assert type(error) is kind
    assert str(error).startswith(
        "the database refused: connection of that kind. What was committed is safe; "
    )
    assert words in str(error)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('connection to server at "db", port 5432 failed: Connection refused', "08006"),
        ('could not translate host name "db" to address: Temporary failure in name resolution', "08006"),
        ("server closed the connection unexpectedly", "08006"),
        ("SSL SYSCALL error: EOF detected", "08006"),
        ('connection to server at "db" failed: FATAL:  the database system is starting up', "57P03"),
        ('connection to server at "db" failed: FATAL:  sorry, too many clients already', "53300"),
        ('connection to server at "db" failed: FATAL:  remaining connection slots are reserved', "53300"),
        ('connection to server at "db" failed: FATAL:  password authentication failed for user "x"', "28000"),
        ('connection to server at "db" failed: FATAL:  role "x" does not exist', "28000"),
        ('connection to server at "db" failed: FATAL:  database "x" does not exist', "3D000"),
        ('invalid connection option "x"', "22023"),
        ("database is locked", "55P03"),
        ("database or disk is full", "53100"),
        ("attempt to write a readonly database", "25006"),
        ("no such table: teams_team", "42P01"),
    ],
)
def test_a_text_stands_for_an_sqlstate_where_the_driver_gives_none(text, code):
    error = failed(peewee.OperationalError, text)
    assert sqlstate(error) == code
    assert is_transient(error) is code.startswith(("08", "53300", "55P03", "57P"))


def test_a_drivers_sqlstate_counts_more_than_its_text():
    assert sqlstate(failed(peewee.OperationalError, "too many clients", "57014")) == "57014"
    assert not is_transient(failed(peewee.OperationalError, "the connection is fine", "42P01"))


@pytest.mark.parametrize(
    "aftermath", ["cannot rollback - no transaction is active", "connection already closed"]
)
def test_the_error_that_ended_a_transaction_counts_not_that_of_its_rollback(aftermath):
    last = failed(peewee.OperationalError, aftermath)
    last.__context__ = failed(peewee.OperationalError, "database or disk is full")
    assert "the database refused: database or disk is full" in str(to_seed_error(last))


def test_the_text_of_a_refused_row_means_nothing():
    refused = failed(peewee.IntegrityError, "UNIQUE constraint failed: connections.id")
    assert sqlstate(refused) == ""
    assert not is_transient(refused)
    assert not is_transient(ConnectionResetError("connection reset"))


def test_a_message_is_one_line():
    assert error_message(peewee.OperationalError("first\nsecond")) == "first"
    assert error_message(peewee.OperationalError("")) == "OperationalError"


def test_a_server_that_does_not_answer_may_pass_and_a_database_that_is_not_there_is_wrong_input(
    postgresql_url,
):
    with pytest.raises(UnavailableError, match="Connection refused") as refusal:
        connect("postgresql://127.0.0.1:1/x")
    assert refusal.value.exit_status == 2
    name = postgresql_url.split("/")[3].split("?")[0]
    with pytest.raises(InputError, match="does not exist"):
        connect(postgresql_url.replace(name, "nowhere"))


def test_reading_an_sqlite_file_leaves_no_journal_and_changes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    assert (
        command("seed", "polar", "--days", "10", "--until", "2026-03-18", "--database", url).returncode == 0
    )
    before = (tmp_path / "a.db").read_bytes()
    for arguments in (("verify",), ("status",), ("report",), ("doctor",)):
        assert command(*arguments, "--database", url).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
    assert (tmp_path / "a.db").read_bytes() == before
    database = connection.connect(url, access="read")
    with pytest.raises(peewee.OperationalError, match="readonly"):
        Team.delete().execute(database)
    database.close()


def test_an_sqlite_file_in_a_folder_where_nothing_may_be_made_is_read(tmp_path, monkeypatch):
    """SQLite would make files for its journal beside it, unless it is told that nobody writes."""
    url = f"sqlite:///{tmp_path}/a.db"
    assert command("init", "--database", url).returncode == 0
    monkeypatch.setattr(os, "access", lambda *_: False)
    database = connection.connect(url, access="read")
    made = {path.name for path in tmp_path.iterdir()}
    assert database.table_exists("teams_team")
    database.close()
    assert made == {"a.db"}


def test_an_sqlite_file_that_cannot_be_opened_has_its_remedy(tmp_path, monkeypatch):
    def refuse(*_):
        raise peewee.OperationalError("unable to open database file")

    monkeypatch.setattr(peewee.SqliteDatabase, "connect", refuse)
    with pytest.raises(InputError, match="may this user read and write the file and its folder"):
        connection.connect(f"sqlite:///{tmp_path}/a.db")
