"""The upsert on MariaDB, beside Peewee's own."""

import datetime
import decimal
import getpass
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import peewee
import pytest
from peewee import EXCLUDED

from tformance_seed.bulk import upsert

pytestmark = pytest.mark.mariadb

#: Seconds until the server answers.
START_TIMEOUT = 60


class Thing(peewee.Model):
    k = peewee.IntegerField(unique=True)
    name = peewee.CharField(max_length=8, null=True)
    price = peewee.DecimalField(10, 2, null=True)
    ratio = peewee.DoubleField(null=True)
    good = peewee.BooleanField(null=True)
    day = peewee.DateField(null=True)
    at = peewee.DateTimeField(null=True)
    uid = peewee.UUIDField(null=True)
    blob = peewee.BlobField(null=True)
    count = peewee.IntegerField(default=0)


class Twin(Thing):
    pass


@pytest.fixture(scope="module")
def server():
    """A private MariaDB; yields its port."""
    assert shutil.which("mariadbd"), "needs mariadbd on PATH"
    folder = Path(tempfile.mkdtemp(prefix="mariadb"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = f"--user={getpass.getuser()}"
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            user,
            f"--datadir={folder}",
            "--auth-root-authentication-method=normal",
        ],
        check=True,
        capture_output=True,
    )
    options = [f"--datadir={folder}", f"--socket={folder}/s", f"--port={port}", f"--pid-file={folder}/pid"]
    running = subprocess.Popen(
        ["mariadbd", "--no-defaults", user, *options, "--bind-address=127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield folder / "s"
    running.terminate()
    running.wait()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server):
    def opened(name):
        return peewee.MySQLDatabase(name, unix_socket=str(server), user="root", charset="utf8mb4")

    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with opened("mysql") as first:
                first.execute_sql("CREATE OR REPLACE DATABASE upserts CHARACTER SET utf8mb4")
            break
        except peewee.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    database = opened("upserts")
    database.connect()
    with database.bind_ctx([Thing, Twin]):
        database.create_tables([Thing, Twin])
        yield database
    database.close()


ROWS = [
    {
        "k": k,
        "name": ["Zoë", None, "%s"][k % 3],
        "price": decimal.Decimal(k) / 4,
        "ratio": k / 3,
        "good": k % 2 == 0,
        "day": datetime.date(2026, 3, 1 + k % 20),
        "at": datetime.datetime(2026, 3, 1, k % 24),
        "uid": uuid.UUID(int=k),
        "blob": bytes([k % 256]),
    }
    for k in range(50)
]


def test_rows_are_stored_as_peewee_stores_them(database):
    Twin.insert_many(ROWS).execute()
    assert upsert(Thing, ROWS).written == 50
    assert list(Thing.select().order_by(Thing.k).tuples()) == list(Twin.select().order_by(Twin.k).tuples())


def test_unchanged_rows_are_told_from_changed_ones(database):
    upsert(Thing, ROWS)
    changed = [{**row, "name": "new" if row["k"] < 7 else row["name"]} for row in ROWS]
    result = upsert(Thing, [*changed, {**ROWS[0], "k": 99}])
    assert (result.written, result.unchanged) == (8, 43)
    assert (upsert(Thing, changed[:1]).written, upsert(Thing, [{**ROWS[0], "good": None}]).written) == (0, 1)
    before = upsert(Thing, [{"k": 0, "name": "x"}, {"k": 200}], returning=["k"]).rows
    assert [row.action for row in before] == ["updated", "inserted"]


def test_existing_rows_may_be_ignored_or_updated_by_expressions(database):
    upsert(Thing, [{"k": 1, "count": 1}])
    assert upsert(Thing, [{"k": 1, "count": 9}, {"k": 2, "count": 9}], on_conflict="ignore").written == 1
    upsert(
        Thing, [{"k": 1, "count": 2}, {"k": 1, "count": 3}], update={"count": Thing.count + EXCLUDED.count}
    )
    assert {row.k: row.count for row in Thing} == {1: 6, 2: 9}


def test_the_callers_transaction_is_left_open_and_the_row_that_fails_named(database):
    database.begin()
    upsert(Thing, ROWS)
    database.rollback()
    assert Thing.select().count() == 0
    with pytest.raises(peewee.DataError, match=r"^Thing\.name: row 2: 'far too long'"):
        upsert(Thing, [{"k": k, "name": name} for k, name in enumerate(["a", "b", "far too long", "c"])])
