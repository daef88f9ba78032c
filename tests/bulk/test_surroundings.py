"""Upserts among what else is on a server: transactions, roles, other tables, changed ones, other drivers."""

import threading
import tracemalloc

import numpy as np
import peewee
import pytest
from playhouse import apsw_ext, sqliteq

from tests.support.databases import connect
from tformance_seed.bulk import upsert
from tformance_seed.bulk.paths import COPY_FROM


class Item(peewee.Model):
    k = peewee.IntegerField(unique=True)
    v = peewee.TextField(null=True)


class Pair(peewee.Model):
    left = peewee.IntegerField()
    right = peewee.IntegerField(null=True)
    v = peewee.TextField(null=True)


ADD = "ALTER TABLE pair ADD CONSTRAINT pair_key"

#: As many rows as are copied.
MANY = {"k": np.arange(COPY_FROM), "v": ["x"] * COPY_FROM}


@pytest.fixture
def database(postgresql_url):
    opened = connect(postgresql_url)
    with opened.bind_ctx([Item, Pair]):
        opened.create_tables([Item, Pair])
        yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "apsw", "postgresql"])
def any_database(request, tmp_path):
    if request.param == "postgresql":
        opened = connect(request.getfixturevalue("postgresql_url"))
    else:
        opened = {"sqlite": peewee.SqliteDatabase, "apsw": apsw_ext.APSWDatabase}[request.param](
            str(tmp_path / "x.db")
        )
        opened.connect()
    with opened.bind_ctx([Item]):
        opened.create_tables([Item])
        yield opened
    opened.close()


@pytest.mark.parametrize("rows", [{"k": [1], "v": ["a"]}, MANY], ids=len)
def test_a_transaction_that_the_caller_began_is_left_open(any_database, rows):
    any_database.begin()
    upsert(Item, rows)
    any_database.rollback()
    assert Item.select().count() == 0
    with any_database.manual_commit():
        upsert(Item, rows)
    assert Item.select().count() == len(rows["k"])


def test_unchanged_rows_are_counted_whatever_the_driver(any_database):
    assert upsert(Item, MANY).written == COPY_FROM
    changed = {**MANY, "v": ["y"] * 100 + ["x"] * (COPY_FROM - 100)}
    result = upsert(Item, changed)
    assert (result.written, result.unchanged) == (100, COPY_FROM - 100)


def test_a_queue_database_is_written_to_by_its_thread(tmp_path):
    database = sqliteq.SqliteQueueDatabase(str(tmp_path / "x.db"))
    with database.bind_ctx([Item]):
        database.create_tables([Item])
        assert upsert(Item, MANY).written == COPY_FROM
        assert upsert(Item, MANY).unchanged == COPY_FROM
        with pytest.raises(ValueError, match="need transactions, which SqliteQueueDatabase has not"):
            upsert(Item, MANY, returning=["id"])
    database.stop()


@pytest.mark.parametrize("count", [10, COPY_FROM])
def test_many_calls_leave_nothing_in_the_catalogue(database, count):
    def entries():
        return database.execute_sql("SELECT count(*) FROM pg_class").fetchone()[0]

    def grown():
        return database.execute_sql("SELECT pg_total_relation_size('pg_attribute')").fetchone()[0]

    part = {"k": MANY["k"][:count], "v": MANY["v"][:count]}
    upsert(Item, part)
    before = entries(), grown()
    for number in range(20):
        upsert(Item, {**part, "v": [str(number)] * count})
    assert (entries(), grown()) == before


def test_a_statement_is_prepared_and_may_be_lost(database):
    """As behind a pooler that gives each transaction another session."""
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tformance%%'"
    for number, expected in enumerate((0, 1, 1)):
        assert upsert(Item, {"k": [1, 2], "v": [f"{number}", None]}).written == (2 if number == 0 else 1)
        assert database.execute_sql(prepared).fetchone() == (expected,)
    database.execute_sql("DEALLOCATE ALL")
    for number in range(3):
        assert upsert(Item, {"k": [1], "v": [f"lost {number}"]}).written == 1
    assert database.execute_sql(prepared).fetchone() == (0,)
    with database.atomic():
        assert upsert(Item, {"k": [1, 2, 3], "v": ["a", 'b"\\', "NULL"]}).written == 3
    assert [row.v for row in Item.select().order_by(Item.k)] == ["a", 'b"\\', "NULL"]


def test_unchanged_rows_draw_no_ids(database):
    for rows in ({"k": [1, 2], "v": ["a", None]}, MANY):
        upsert(Item, rows)
        drawn = "SELECT last_value FROM item_id_seq"
        before = database.execute_sql(drawn).fetchone()
        for _ in range(3):
            upsert(Item, rows)
            upsert(Item, rows, on_conflict="ignore")
        assert database.execute_sql(drawn).fetchone() == before


def test_tables_of_others_are_not_taken_for_ours(database):
    database.execute_sql("CREATE TABLE stage_item (k int, v text)")
    database.execute_sql("CREATE TABLE tformance_rows (k int, v text)")
    database.execute_sql("SET search_path = public, pg_temp")
    assert upsert(Item, MANY).written == COPY_FROM
    for table in ("stage_item", "tformance_rows"):
        assert database.execute_sql(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_table_may_be_another_one_than_before(database):
    for type_ in ("integer", "text", "varchar(5)", "numeric(10,2)", "double precision"):
        database.execute_sql("DROP TABLE item")
        database.execute_sql(f"CREATE TABLE item (id serial PRIMARY KEY, k integer UNIQUE, v {type_})")
        for rows in ({"k": [1], "v": ["7"]}, {**MANY, "v": ["7"] * COPY_FROM}):
            upsert(Item, rows)
            assert upsert(Item, rows).written == 0
    database.execute_sql("ALTER TABLE item ALTER v TYPE integer")
    assert upsert(Item, {"k": [1], "v": ["8"]}).written == 1


def test_a_role_without_temporary_tables_may_upsert(database):
    name = database.execute_sql("SELECT current_database()").fetchone()[0]
    database.execute_sql(f'REVOKE TEMP ON DATABASE "{name}" FROM public')
    database.execute_sql("CREATE ROLE modest")
    database.execute_sql("GRANT ALL ON item, item_id_seq TO modest")
    try:
        database.execute_sql("SET ROLE modest")
        assert upsert(Item, MANY).written == COPY_FROM
        assert upsert(Item, MANY).unchanged == COPY_FROM
    finally:
        database.execute_sql("RESET ROLE")
        database.execute_sql("DROP OWNED BY modest")
        database.execute_sql("DROP ROLE modest")


def test_row_security_is_obeyed(database):
    database.execute_sql("CREATE ROLE watched")
    database.execute_sql("GRANT ALL ON item, item_id_seq TO watched")
    database.execute_sql("ALTER TABLE item ENABLE ROW LEVEL SECURITY")
    database.execute_sql("CREATE POLICY small ON item USING (k < 5000)")
    try:
        database.execute_sql("SET ROLE watched")
        assert upsert(Item, MANY, no_conflicts=True).written == COPY_FROM
        with pytest.raises(peewee.ProgrammingError, match="row-level security"):
            upsert(Item, {"k": [5000], "v": ["x"]})
    finally:
        database.execute_sql("RESET ROLE")
        database.execute_sql("DROP OWNED BY watched")
        database.execute_sql("DROP ROLE watched")


def test_nulls_are_a_key_where_the_database_takes_them_to_be_equal(database):
    rows = [{"left": 1, "right": None, "v": "a"}, {"left": 1, "right": 2, "v": "b"}]
    database.execute_sql(ADD + ' UNIQUE ("left", "right")')
    with pytest.raises(ValueError, match=r"^Pair\.right: row 0: None: part of its key \(left, right\)"):
        upsert(Pair, rows, key="pair_key")
    database.execute_sql("ALTER TABLE pair DROP CONSTRAINT pair_key")
    database.execute_sql(ADD + ' UNIQUE NULLS NOT DISTINCT ("left", "right")')
    for copy in (False, True):
        assert upsert(Pair, rows, key="pair_key", copy=copy).written == (0 if copy else 2)
        changed = upsert(
            Pair, [{**rows[0], "v": f"{copy}"}], key=["left", "right"], returning=["v"], copy=copy
        )
        assert changed.rows == (("updated", (f"{copy}",)),)
        assert upsert(Pair, rows[:1], key=["left", "right"], copy=copy).written == 1


@pytest.mark.parametrize(
    ("count", "length", "longest", "peak"),
    [(2_000, 10, 1_000_000, 10), (1, 0, 30_000_000, 3), (3, 0, 30_000_000, 3), (20_000, 2_000, 2_000, 25)],
    ids=["one long text", "nothing else", "a few", "many"],
)
def test_texts_take_little_memory_beside_their_own(database, count, length, longest, peak):
    """The most that is taken besides, in MB: for an ``é``, a part of a text that is encoded in pieces."""
    rows = [{"k": k, "v": "é" + "x" * (longest if k == 0 else length)} for k in range(count)]
    tracemalloc.start()
    try:
        upsert(Item, rows)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < peak * 1_000_000
    assert upsert(Item, rows).unchanged == count


@pytest.mark.parametrize("value", ["", None, "y" * 200_000])
def test_a_row_by_itself_may_be_copied(database, value):
    assert upsert(Item, {"k": [1], "v": [value]}, copy=True).written == 1
    assert Item.get().v == value


def test_writers_in_any_order_do_not_deadlock(database, postgresql_url):
    upsert(Item, MANY)
    errors = []

    def write(number):
        own = connect(postgresql_url)
        order = np.random.default_rng(number).permutation(400).tolist()
        try:
            for turn in range(8):
                rows = [{"k": k, "v": f"{number} {turn}"} for k in order]
                with own.bind_ctx([Item]), own.atomic():
                    upsert(Item, rows, database=own, chunk_size=50, copy=bool(number % 2))
        except peewee.DatabaseError as error:
            errors.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_who_synchronises_the_same_table_waits(database):
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    with database.atomic():
        for scope in (Item.k < 5, Item.k < 6):
            upsert(Item, {"k": [1]}, sync=scope)
        assert database.execute_sql(locks).fetchone() == (1,)
    assert database.execute_sql(locks).fetchone() == (0,)


def test_a_default_is_called_for_each_row(any_database):
    class Token(peewee.Model):
        k = peewee.IntegerField(unique=True)
        number = peewee.IntegerField(default=iter(range(100)).__next__)

    with any_database.bind_ctx([Token]):
        any_database.create_tables([Token])
        upsert(Token, {"k": [1, 2, 3]})
        assert sorted(row.number for row in Token) == [0, 1, 2]
