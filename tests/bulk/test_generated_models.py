"""Any model, any key, rows in any form, by any way: the table has what Peewee would leave in it."""

import contextlib
import datetime
import decimal
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas
import peewee
import polars
import pyarrow
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from playhouse.postgres_ext import PostgresqlExtDatabase
from psycopg2.extensions import parse_dsn

from tests.bulk.conftest import Psycopg3Database
from tests.bulk.every_type import VALUES, fields, real_type
from tformance_seed.bulk import upsert
from tformance_seed.bulk.columns import objects

#: Kind of key -> how many columns it may have.
KEYS = {"unique": 1, "primary": 1, "index": 3, "composite primary": 2, "partial": 2}

#: Type of a column of a key -> a field, and a value for each of a few numbers.
KEY_TYPES: dict[str, tuple[Callable[[], peewee.Field], Callable[[int], Any]]] = {
    "whole": (peewee.IntegerField, lambda number: [7, -3, 2**31 - 1, 0][number]),
    "text": (lambda: peewee.CharField(max_length=20), ["a", "B", "b", "Zoë"].__getitem__),
    "day": (peewee.DateField, lambda number: datetime.date(2026 - number, 1, 1)),
    "moment": (peewee.DateTimeField, lambda number: datetime.datetime(2026, 1, 1, number)),
    "price": (lambda: peewee.DecimalField(10, 2), lambda number: decimal.Decimal(number) / 4),
    "uid": (peewee.UUIDField, lambda number: uuid.UUID(int=7 * number)),
    "raw uid": (peewee.BinaryUUIDField, lambda number: uuid.UUID(int=7 * number)),
    "bytes": (peewee.BlobField, lambda number: bytes([number, 0, 255])),
}

#: Names of tables and of columns.
TABLES = ("plain", "t1", "select", "tformance_old", "Mixed Case", 'quo"te')
COLUMNS = ("v", "order", "a b", "Upper", "t1", "naïve", 'quo"te')

#: What the default of a field is made from, for each model anew: counters go on from row to row.
DEFAULTS: dict[str, Callable[[], Any]] = {
    "value": lambda: 5,
    "function": lambda: lambda: 6,
    "counter": lambda: itertools.count().__next__,
}


def _tuples(_model, rows):
    return [tuple(row.values()) for row in rows]


#: Form of the rows -> function that makes it of a model and dictionaries.
FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "dictionaries": lambda _, rows: rows,
    "generator": lambda _, rows: iter(rows),
    "by fields": lambda model, rows: [{getattr(model, n): v for n, v in row.items()} for row in rows],
    "tuples": _tuples,
    "instances": lambda model, rows: [model(**row) for row in rows],
    "columns": lambda _, rows: columns_of(rows),
    "object arrays": lambda _, rows: {n: objects(v) for n, v in columns_of(rows).items()},
    "structured array": lambda _, rows: np.array(_tuples(_, rows), dtype=[(n, object) for n in rows[0]]),
    "pandas": lambda _, rows: pandas.DataFrame(columns_of(rows), dtype=object),
    "polars": lambda _, rows: polars.DataFrame(columns_of(rows)),
    "arrow": lambda _, rows: pyarrow.table(columns_of(rows)),
}

#: Forms whose columns have values of one type, which are not those of Python.
TYPED = ("polars", "arrow")
PLAIN_TYPES = (int, float, str, bool, datetime.date, datetime.datetime, decimal.Decimal, bytes)


def columns_of(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


@dataclass
class Case:
    """Two batches of rows for a model, and how they are written."""

    key: str
    key_types: list[str]
    columns: list[str]
    names: list[str]
    default: str | None
    table: str
    form: str
    copy: bool | None
    chunk_size: int | None
    atomic: bool
    batches: list[list[dict[str, Any]]]

    def model(self, database, name, table):
        """Make a model, with the same columns each time; its name is part of its indexes' names."""
        made = {f"k{place}": KEY_TYPES[type_][0]() for place, type_ in enumerate(self.key_types)}
        keys = [*made]
        if self.key in ("unique", "primary"):
            setattr(made["k0"], self.key if self.key == "unique" else "primary_key", True)
        kinds = types_of(database)
        for place, (column, called) in enumerate(zip(self.columns, self.names, strict=True)):
            made[f"c{place}"] = kinds[column].clone()
            made[f"c{place}"].column_name = called
        if self.default is not None:
            made["filled"] = peewee.IntegerField(default=DEFAULTS[self.default]())
        options = {"database": database, "table_name": table}
        if self.key == "composite primary":
            options["primary_key"] = peewee.CompositeKey(*keys)
        if self.key == "index":
            options["indexes"] = ((tuple(keys), True),)
        model = type(name, (peewee.Model,), {**made, "Meta": type("Meta", (), options)})
        if self.key == "partial":
            own = [getattr(model, key) for key in keys]
            model.add_index(*own, unique=True, where=own[-1] > "", name=f"{name}_partial")
        return model


def types_of(database):
    postgresql = isinstance(database, peewee.PostgresqlDatabase)
    more = {"huge": peewee.DecimalField(60, 20, null=True)}
    if postgresql:
        more |= {"numeric": real_type("numeric", peewee.DoubleField), "day of moments": real_type("date")}
        more |= {"moments": real_type("timestamptz", peewee.DateTimeField)}
    return fields(postgresql) | more


MORE_VALUES = {
    "huge": st.decimals(-(10**29), 10**29, places=20) | st.integers(-(10**20), 10**20),
    "numeric": st.floats(allow_nan=False),
    "day of moments": st.datetimes(datetime.datetime(1902, 1, 1), datetime.datetime(2200, 1, 1)),
    "moments": st.datetimes(
        datetime.datetime(1902, 1, 1), datetime.datetime(2200, 1, 1), timezones=st.none() | st.timezones()
    ),
}


@st.composite
def cases(draw, database):
    key = draw(st.sampled_from([*KEYS]))
    count = 2 if key in ("partial", "composite primary") else draw(st.integers(1, KEYS[key]))
    key_types = [draw(st.sampled_from([*KEY_TYPES])) for _ in range(count)]
    if key == "partial":
        key_types[-1] = "text"
    columns = draw(st.lists(st.sampled_from([*types_of(database)]), min_size=1, max_size=3, unique=True))
    values = [st.none() | {**VALUES, **MORE_VALUES}[column] for column in columns]
    batches = []
    for _ in range(2):
        numbers = draw(st.lists(st.integers(0, 3), min_size=1, unique=True))
        batches.append(
            [
                {f"k{place}": KEY_TYPES[type_][1](number) for place, type_ in enumerate(key_types)}
                | {f"c{place}": draw(value) for place, value in enumerate(values)}
                for number in numbers
            ]
        )
    form = draw(st.sampled_from([*FORMS]))
    if form in TYPED:
        for name, given_ in itertools.chain.from_iterable(columns_of(rows).items() for rows in batches):
            types = {type(value) for value in given_ if value is not None}
            assume((types <= {*PLAIN_TYPES} and len(types) < 2) or name.startswith("k"))
            assume(not any(getattr(value, "tzinfo", None) for value in given_))
    return Case(
        key,
        key_types,
        columns,
        draw(st.permutations(COLUMNS))[: len(columns)],
        # An instance gives its defaults as if they were the caller's.
        None if form == "instances" else draw(st.none() | st.sampled_from([*DEFAULTS])),
        draw(st.sampled_from(TABLES)),
        form,
        draw(st.sampled_from([None, True, False])),
        draw(st.sampled_from([None, 1, 2])),
        draw(st.booleans()),
        batches,
    )


@pytest.fixture(scope="module", params=["sqlite", "psycopg2", "psycopg3"])
def database(request):
    if request.param == "sqlite":
        opened = peewee.SqliteDatabase(":memory:")
    else:
        server = parse_dsn(request.getfixturevalue("server").new_database())
        driver = {"psycopg2": PostgresqlExtDatabase, "psycopg3": Psycopg3Database}[request.param]
        opened = driver(server.pop("dbname"), **server)
    opened.connect()
    if request.param == "psycopg3":  # it takes a table for another one that had its name
        opened.connection().prepare_threshold = None
    if request.param != "sqlite":
        opened.execute_sql("CREATE TYPE mood AS ENUM ('glad', 'sad')")
        opened.execute_sql("SET TIME ZONE 'America/New_York'")
    yield opened
    opened.close()


def write_theirs(database, model, rows, case):
    keys = [model._meta.fields[name] for name in rows[0] if name.startswith("k")]
    keep = [model._meta.fields[name] for name in rows[0] if name.startswith("c")]
    where = {"conflict_where": peewee.ValueLiterals(keys[-1] > "")} if case.key == "partial" else {}
    insert = model.insert_many(rows).on_conflict(conflict_target=keys, preserve=keep, **where)
    database.execute(insert.returning())


def content(database, model):
    shown = []
    for field in model._meta.sorted_fields:
        name = '"' + field.column_name.replace('"', '""') + '"'
        if field.name != "id":
            as_text = f"typeof({name}) || quote({name})"
            shown.append(f"{name}::text" if isinstance(database, peewee.PostgresqlDatabase) else as_text)
    table = model._meta.table_name.replace('"', '""')
    return sorted(map(repr, database.execute_sql(f'SELECT {", ".join(shown)} FROM "{table}"').fetchall()))


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
    report_multiple_bugs=False,
)
@given(data=st.data())
def test_any_model_has_the_rows_that_peewee_leaves(database, data):
    case = data.draw(cases(database))
    theirs, ours = case.model(database, "Theirs", "theirs"), case.model(database, "Ours", case.table)
    try:
        database.create_tables([theirs, ours])
        for rows in case.batches:
            try:
                with database.atomic():
                    write_theirs(database, theirs, rows, case)
            except (peewee.DatabaseError, ValueError, OverflowError):
                refused = pytest.raises((peewee.DatabaseError, ValueError, OverflowError))
            else:
                refused = contextlib.nullcontext()
            for _ in range(1 if case.default == "counter" else 2):
                given_ = made(case, ours, rows)
                names = [*rows[0]] if case.form == "tuples" else None
                with refused, database.atomic() if case.atomic else contextlib.nullcontext():
                    result = upsert(ours, given_, fields=names, copy=case.copy, chunk_size=case.chunk_size)
                assert content(database, ours) == content(database, theirs)
            assert (
                case.default == "counter"
                or not isinstance(refused, contextlib.nullcontext)
                or not result.written
            )
    finally:
        database.drop_tables([theirs, ours])


def made(case, model, rows):
    """Return rows in the case's form; those of which it cannot be made are dictionaries."""
    try:
        return FORMS[case.form](model, rows)
    except (TypeError, ValueError, OverflowError, pyarrow.ArrowException, polars.exceptions.PolarsError):
        return rows
