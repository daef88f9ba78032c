"""Tables as people have them in PostgreSQL: they have what Peewee would store, or it is refused."""

import datetime
import decimal
import enum
import itertools
import uuid
import zoneinfo

import peewee
import pytest
from playhouse import postgres_ext
from psycopg2.extensions import parse_dsn

from tests.bulk.conftest import Psycopg3Database
from tests.support.servers import postgres, system_programs
from tformance_seed.bulk import upsert

PREPARATION = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN address AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN positive AS integer NOT NULL CHECK (VALUE > 0);
CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.v := upper(NEW.v); RETURN NEW; END';
SET TIME ZONE 'America/New_York';
"""

#: What the PostgreSQL that pip brings has not.
MODULES = """
CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
"""


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def text(**options):
    return peewee.TextField(null=True, **options)


def whole():
    return peewee.IntegerField(null=True)


NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SUMMER = datetime.datetime(2026, 7, 1, 12, tzinfo=NEW_YORK)

#: Name -> the table's columns in SQL beside the key, the fields of the model, and values of a field.
COLUMNS = {
    "generated": ("v integer, w integer GENERATED ALWAYS AS (v * 2) STORED", {"v": whole()}, [1, None, 7]),
    "domain": ("v address", {"v": text()}, ["a@b", None]),
    "domain of numbers": ("v positive", {"v": whole()}, [1, 2**31 - 1]),
    "range": ("v int4range", {"v": text()}, ["[1,5)", "empty", "(,3]", None]),
    "multirange": ("v datemultirange", {"v": text()}, ["{[2026-01-01,2026-02-01)}", None]),
    "composite": ("v pair", {"v": text()}, ["(1,x)", '(2,"a,""b")', None]),
    "enum": ("v mood", {"v": text()}, ["glad", "sad", None]),
    "bits": ("v bit(4), w varbit", {"v": text(), "w": text()}, ["1010", None]),
    "money": ("v money", {"v": text()}, ["$1.50", None]),
    "networks": ("v cidr, w inet", {"v": text(), "w": text()}, ["10.0.0.0/8", None]),
    "points": ("v point", {"v": text()}, ["(1,2)", None]),
    "boxes": ("v box", {"v": text()}, ["(1,1),(0,0)", None]),
    "documents": ("v xml, w tsvector", {"v": text(), "w": text()}, ["a", None]),
    "names": ('v name, w "char"', {"v": text(), "w": text()}, ["a", None]),
    "rounded times": (
        "v timestamp(0), w time(1)",
        {"v": peewee.DateTimeField(null=True), "w": peewee.TimeField(null=True)},
        [datetime.datetime(2026, 3, 1, 1, 2, 3, 567_000), "2026-03-01 10:00:00.5", None],
    ),
    "moments": (
        "v timestamptz, w date",
        {"v": postgres_ext.DateTimeTZField(null=True), "w": peewee.DateField(null=True)},
        [SUMMER, datetime.datetime(2026, 3, 8, 2, 30, tzinfo=datetime.UTC), None],
    ),
    "local times": ("v timestamptz", {"v": peewee.DateTimeField(null=True)}, [SUMMER.replace(tzinfo=None)]),
    "intervals": (
        "v interval, w interval(0)",
        {"v": postgres_ext.IntervalField(null=True), "w": text()},
        [datetime.timedelta(days=40, microseconds=5), "1 month", None],
    ),
    "any numbers": (
        "v numeric",
        {"v": peewee.DecimalField(30, 10, null=True)},
        [decimal.Decimal("NaN"), decimal.Decimal("1.50"), decimal.Decimal("1.5"), 7, None],
    ),
    "floats": (
        "v float8, w float4",
        {"v": peewee.DoubleField(null=True), "w": peewee.FloatField(null=True)},
        [float("nan"), float("inf"), -0.0, 0.1, 1e-5, None],
    ),
    "a float in text": ("v text", {"v": peewee.DoubleField(null=True)}, [0.1, 1e22, None]),
    "numbers in text": ("v text", {"v": whole()}, [5, None]),
    "matrices": (
        "v integer[]",
        {"v": postgres_ext.ArrayField(peewee.IntegerField, dimensions=2, null=True, index=False)},
        [[[1, 2], [3, 4]], None],
    ),
    "json": (
        "v jsonb, w json",
        {"v": postgres_ext.BinaryJSONField(null=True, index=False), "w": postgres_ext.JSONField(null=True)},
        [{"a": ['"', "\\", None]}, [], None],
    ),
    "json behind a field of the other kind": (
        "v json, w jsonb",
        {"v": postgres_ext.BinaryJSONField(null=True, index=False), "w": postgres_ext.JSONField(null=True)},
        [{"b": [1, 2.0], "a": "é"}, None],
    ),
    "texts": (
        "v text, w varchar(9)",
        {"v": text(), "w": text()},
        ["NULL", "", '"', "\\", "{a,b}", "%s", "é\t\n", " x ", None],
    ),
    "padded": ("v char(4)", {"v": text()}, ["a", "a  ", "abcd", None]),
    "bytes": ("v bytea", {"v": peewee.BlobField(null=True)}, [b"", b"\\x00\x00", bytes(range(256)), None]),
    "identifiers": ("v uuid", {"v": peewee.UUIDField(null=True)}, [uuid.UUID(int=7), None]),
    "classes of one's own": (
        "v text, w integer",
        {"v": text(), "w": whole()},
        [Colour.RED],
    ),
    "numbers of one's own": ("v integer", {"v": whole()}, [Level.HIGH, True, None]),
    "reserved names": (
        'v text, "order" text, "quo""te" text',
        {"v": text(), "order": text(), "quote": text(column_name='quo"te')},
        ["a", "%", None],
    ),
}

#: Name -> DDL of a table as {table}, with columns k and v, of which k is a key.
TABLES = {
    "identity": "CREATE TABLE {table} (id integer GENERATED ALWAYS AS IDENTITY, k integer UNIQUE, v text)",
    "partitions": "CREATE TABLE {table} (k integer UNIQUE, v text) PARTITION BY RANGE (k);"
    "CREATE TABLE {table}_low PARTITION OF {table} FOR VALUES FROM (0) TO (2);"
    "CREATE TABLE {table}_high PARTITION OF {table} FOR VALUES FROM (2) TO (9)",
    "trigger": "CREATE TABLE {table} (k integer UNIQUE, v text);"
    "CREATE TRIGGER upper BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION upper_name()",
    "view": "CREATE TABLE {table}_all (k integer UNIQUE, v text, hidden integer DEFAULT 7);"
    "CREATE VIEW {table} AS SELECT k, v FROM {table}_all",
    "deferred": "CREATE TABLE {table} (k integer UNIQUE, v text UNIQUE DEFERRABLE INITIALLY DEFERRED)",
    "rule of nulls": "CREATE TABLE {table} (k integer UNIQUE NULLS NOT DISTINCT, v text)",
    "unlogged": "CREATE UNLOGGED TABLE {table} (k integer PRIMARY KEY, v text)",
    "inherited": "CREATE TABLE {table}_base (v text);"
    "CREATE TABLE {table} (k integer UNIQUE) INHERITS ({table}_base)",
}


@pytest.fixture(scope="module", params=["psycopg2", "psycopg3"])
def database(request):
    server = parse_dsn(request.getfixturevalue("server").new_database())
    kinds = {"psycopg2": postgres_ext.PostgresqlExtDatabase, "psycopg3": Psycopg3Database}
    opened = kinds[request.param](server.pop("dbname"), **server)
    opened.connect()
    run(opened, PREPARATION)
    yield opened
    opened.close()


def run(database, script):
    cursor = database.cursor()
    cursor.execute(script)


def model_of(database, table, fields, key):
    meta = type("Meta", (), {"database": database, "table_name": table, "primary_key": False})
    clones = {name: field.clone() for name, field in fields.items()}
    return type("Real", (peewee.Model,), {"k": key(unique=True), **clones, "Meta": meta})


def outcome(database, model, write, rows):
    """Return the table's content after rows were written, or that they were refused."""
    try:
        with database.atomic():
            write(model, rows)
    except (peewee.DatabaseError, TypeError, ValueError):
        return "refused"
    return database.execute_sql(f"SELECT t::text FROM {model._meta.table_name} t ORDER BY t::text").fetchall()


def write_theirs(model, rows):
    keep = [model._meta.fields[name] for name in rows[0] if name != "k"]
    model.insert_many(rows).on_conflict(conflict_target=[model.k], preserve=keep).returning().execute()


numbers = itertools.count()


def assert_same(database, name, ddl, fields, batches, key=peewee.IntegerField):
    for copy in (None, False, True):
        # psycopg 3 prepares statements by their text, so the names must be new ones.
        tables = [f"{kind}_{next(numbers)}" for kind in ("theirs", "ours")]
        with database.atomic() as transaction:
            for table in tables:
                run(database, ddl.format(table=table))
            theirs, ours = (model_of(database, table, fields, key) for table in tables)
            for rows in batches:
                expected = outcome(database, theirs, write_theirs, rows)
                found = outcome(
                    database, ours, lambda model, rows, copy=copy: upsert(model, rows, copy=copy), rows
                )
                assert found == expected, (name, copy, rows)
            transaction.rollback()


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_any_type_have_what_peewee_stores(database, name):
    columns, fields, values = COLUMNS[name]
    first = [dict.fromkeys(fields, value) for value in values]
    batches = [
        [{"k": k, **row} for k, row in enumerate(rows)] for rows in (first, first[::-1], first[:1] * 3)
    ]
    batches += [[{"k": 50 + k, **row}] for k, row in enumerate(first)]
    assert_same(database, name, f"CREATE TABLE {{table}} (k integer UNIQUE, {columns})", fields, batches)


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_any_kind_have_what_peewee_stores(database, name):
    batches = [[{"k": k, "v": f"{v} {k}"} for k in (0, 1, 5)] for v in ("one", "two", "two")]
    assert_same(database, name, TABLES[name], {"v": text()}, batches)


@pytest.mark.parametrize(
    ("name", "value"),
    [("generated", {"w": 1}), ("domain", {"v": "no address"}), ("domain of numbers", {"v": -1})],
)
def test_what_a_table_refuses_is_refused(database, name, value):
    columns, fields, _ = COLUMNS[name]
    rows = [{"k": 1, **value}]
    fields = {**fields, **{column: whole() for column in value if column not in fields}}
    assert_same(database, name, f"CREATE TABLE {{table}} (k integer UNIQUE, {columns})", fields, [rows])


def test_a_key_that_is_generated_always_is_refused_in_one_line(database):
    with database.atomic() as transaction:
        run(
            database, "CREATE TABLE real_always (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)"
        )
        model = model_of(
            database, "real_always", {"v": text()}, lambda **_: peewee.IntegerField(column_name="id")
        )
        with pytest.raises(
            peewee.ProgrammingError, match=r"^Real\.k: row 0: 1: cannot insert a non-DEFAULT value"
        ):
            upsert(model, [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}], key=["k"])
        transaction.rollback()


@pytest.fixture(scope="module")
def system_database():
    with postgres(system_programs()) as server, server.database() as url:
        parts = parse_dsn(url)
        opened = postgres_ext.PostgresqlExtDatabase(parts.pop("dbname"), **parts)
        opened.connect()
        run(opened, MODULES)
        yield opened
        opened.close()


@pytest.mark.postgresql
@pytest.mark.parametrize("type_", ["text COLLATE anycase", "citext", "hstore", "ltree"])
def test_types_and_collations_of_modules_have_what_peewee_stores(system_database, type_):
    values = {"hstore": ["a=>1, b=>NULL", "a=>1,b=>2"], "ltree": ["a.b", "A.b"]}
    cases = values.get(type_, ["straße", "Straße", "STRASSE", "a"])
    batches = [[{"k": k, "v": value}] for value in [*cases, None] for k in range(2)]
    ddl = f"CREATE TABLE {{table}} (k integer UNIQUE, v {type_})"
    assert_same(system_database, type_, ddl, {"v": text()}, batches)


@pytest.mark.postgresql
@pytest.mark.parametrize("type_", ["text COLLATE anycase", "citext"])
def test_keys_are_matched_as_the_table_compares_them(system_database, type_):
    batches = [[{"k": k, "v": f"{v} {k}"} for k in ("a", "B", "ß")] for v in ("one", "two", "two")]
    batches.append([{"k": "A", "v": "other case"}])
    ddl = f"CREATE TABLE {{table}} (k {type_} UNIQUE, v text)"
    assert_same(system_database, type_, ddl, {"v": text()}, batches, peewee.TextField)
