"""Upserts by statements that were prepared for a table, or on a server, that is another one by now."""

import datetime
from decimal import Decimal

import peewee
import pytest

from tests.support.databases import connect
from tformance_seed.bulk import compiled, upsert

TEN = datetime.datetime(2020, 1, 1, 10)
NEW_MOOD = "ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('a', 'b'); "

#: Type of a column, a value, what alters the column, a value after that, and how it is stored.
ALTERED = {
    "wider": (
        "numeric(10,2)",
        Decimal("1.5"),
        "ALTER TABLE entry ALTER v TYPE numeric(20,5)",
        Decimal("1.23456"),
        Decimal("1.23456"),
    ),
    "of another kind": (
        "timestamp",
        str(TEN),
        "ALTER TABLE entry ALTER v TYPE timestamptz",
        f"{TEN}+02",
        TEN.replace(hour=8, tzinfo=datetime.UTC),
    ),
    "wider, of floats": (
        "numeric(10,2)",
        1.0,
        "ALTER TABLE entry ALTER v TYPE numeric(20,5)",
        1.00456,
        Decimal("1.00456"),
    ),
    "an enum's successor": (
        "mood",
        "a",
        NEW_MOOD + "ALTER TABLE entry ALTER v TYPE mood USING v::text::mood",
        "b",
        "b",
    ),
    "an enum's only successor": (
        "mood",
        "a",
        NEW_MOOD + "ALTER TABLE entry ALTER v TYPE mood USING v::text::mood; DROP TYPE old",
        "b",
        "b",
    ),
}


class Entry(peewee.Model):
    k = peewee.IntegerField(unique=True)
    v = peewee.BareField(null=True)


@pytest.fixture
def database(postgresql_url):
    opened = connect(postgresql_url)
    with opened.bind_ctx([Entry]):
        yield opened
    opened.close()


def create(database, type_, key="integer UNIQUE"):
    database.execute_sql("CREATE TYPE mood AS ENUM ('a')")
    database.execute_sql(f"CREATE TABLE entry (id serial PRIMARY KEY, k {key}, v {type_})")


@pytest.mark.parametrize("case", ALTERED)
def test_a_column_may_be_altered_between_two_calls(database, case):
    type_, before, statements, after, stored = ALTERED[case]
    create(database, type_)
    for number in range(3):
        upsert(Entry, {"k": [number], "v": [before]})
    database.execute_sql(statements)
    for written in (1, 0):
        assert upsert(Entry, {"k": [0], "v": [after]}).written == written
    assert database.execute_sql("SELECT v FROM entry WHERE k = 0").fetchone() == (stored,)


def test_a_session_has_few_statements_prepared(database, monkeypatch):
    monkeypatch.setattr(compiled, "MAX_PREPARED", 2)
    create(database, "text")
    for _ in range(2):
        for rows in ([{"k": 1}], [{"k": 1, "v": "a"}], [{"v": "b", "k": 1}]):
            for _ in range(3):
                upsert(Entry, rows)
    assert database.execute_sql("SELECT count(*) FROM pg_prepared_statements").fetchone() == (2,)
    assert database.execute_sql("SELECT id, k, v FROM entry").fetchall() == [(1, 1, "b")]


def test_a_model_may_have_another_schema_in_each_call(database):
    for schema in ("one", "two"):
        database.execute_sql(f"CREATE SCHEMA {schema}")
        database.execute_sql(f"CREATE TABLE {schema}.entry (id serial PRIMARY KEY, k integer UNIQUE, v text)")
    for number in range(12):
        schema = ("one", "two")[number % 2]
        if number < 6:
            Entry._meta.schema = schema
        else:
            database.execute_sql(f"SET search_path = {schema}")
        try:
            assert upsert(Entry, [{"k": number // 2, "v": schema}]).written == 1
        finally:
            Entry._meta.schema = None
    for schema in ("one", "two"):
        assert database.execute_sql(
            f"SELECT DISTINCT v, count(*) OVER () FROM {schema}.entry"
        ).fetchall() == [(schema, 6)]


def test_a_temporary_table_hides_another(database):
    create(database, "text")
    for value in ("a", "b", "c"):
        upsert(Entry, [{"k": 1, "v": value}])
    database.execute_sql("CREATE TEMPORARY TABLE entry (LIKE entry INCLUDING ALL)")
    upsert(Entry, [{"k": 1, "v": "hidden"}])
    database.execute_sql("DROP TABLE pg_temp.entry")
    assert upsert(Entry, [{"k": 1, "v": "c"}]).unchanged == 1


def test_a_row_is_refused_in_its_own_words_where_prepared_statements_vanish(database):
    create(database, "text")
    database.execute_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'bad' THEN "
        "DEALLOCATE ALL; RAISE check_violation USING MESSAGE = 'not this one'; END IF; RETURN NEW; END $$"
    )
    database.execute_sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    for number in range(3):
        upsert(Entry, {"k": [number], "v": ["good"]})
    with pytest.raises(peewee.IntegrityError, match="row 0: not this one"):
        upsert(Entry, {"k": [9], "v": ["bad"]})


def test_rows_are_ignored_by_a_key_that_only_the_model_has(database):
    create(database, "text", key="integer")
    database.execute_sql("INSERT INTO entry (k, v) VALUES (1, 'x'), (1, 'y')")
    assert upsert(Entry, {"k": [1, 2], "v": ["a", "b"]}, on_conflict="ignore").written == 1
