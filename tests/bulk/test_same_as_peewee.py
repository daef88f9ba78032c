"""Whatever is upserted, the table has what Peewee's own ``insert_many().on_conflict()`` would leave in it."""

import contextlib
import datetime
import decimal
import itertools
from collections import namedtuple

import numpy as np
import pandas
import peewee
import polars
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playhouse.postgres_ext import PostgresqlExtDatabase
from psycopg2.extensions import parse_dsn

from tests.bulk.conftest import Psycopg3Database
from tests.bulk.every_type import UNFIT, VALUES, fields
from tformance_seed.bulk import row_sources, upsert

BACKENDS = ["sqlite", "postgresql-statement", "postgresql-copy", "psycopg3-statement", "psycopg3-copy"]

#: What the real types need to be created.
PREPARATION = (
    "CREATE TYPE mood AS ENUM ('glad', 'sad')",
    "SET TIME ZONE 'America/New_York'",
)


class Twins:
    """Two tables with the same columns: one for Peewee, one for the upsert."""

    def __init__(self, database, copy):
        self.database, self.copy = database, copy
        postgresql = isinstance(database, peewee.PostgresqlDatabase)
        self.names = list(fields(postgresql))
        self.theirs, self.ours = (self._model(name, fields(postgresql)) for name in ("theirs", "ours"))
        if postgresql:
            for statement in PREPARATION:
                database.execute_sql(statement)
        database.create_tables([self.theirs, self.ours])

    def _model(self, name, columns):
        meta = type("Meta", (), {"database": self.database, "table_name": name})
        return type(name, (peewee.Model,), {"k": peewee.IntegerField(unique=True), **columns, "Meta": meta})

    def empty(self):
        for model in (self.theirs, self.ours):
            model.delete().execute()

    def write_theirs(self, rows):
        keep = [field for name, field in self.theirs._meta.fields.items() if name in rows[0] and name != "k"]
        insert = self.theirs.insert_many(rows).returning()
        insert.on_conflict(conflict_target=[self.theirs.k], preserve=keep).execute()

    def write_ours(self, rows):
        return upsert(self.ours, rows, copy=self.copy or None)

    def content(self, model):
        columns = [
            "k",
            *(field.column_name for field in model._meta.sorted_fields if field.name in self.names),
        ]
        if isinstance(self.database, peewee.SqliteDatabase):
            shown = ", ".join(f'typeof("{name}") || quote("{name}")' for name in columns)
        else:
            shown = ", ".join(f'"{name}"::text' for name in columns)
        return self.database.execute_sql(
            f"SELECT {shown} FROM {model._meta.table_name} ORDER BY k"
        ).fetchall()

    def assert_same(self):
        assert self.content(self.ours) == self.content(self.theirs)


@pytest.fixture(scope="module", params=BACKENDS)
def twins(request, tmp_path_factory):
    kind, _, path = request.param.partition("-")
    if kind == "sqlite":
        database = peewee.SqliteDatabase(tmp_path_factory.mktemp("twins") / "x.db")
    else:
        driver = PostgresqlExtDatabase if kind == "postgresql" else Psycopg3Database
        server = parse_dsn(request.getfixturevalue("server").new_database())
        database = driver(server.pop("dbname"), **server)
    database.connect()
    yield Twins(database, path == "copy")
    database.close()


def rows_of(names, count):
    row = st.fixed_dictionaries({name: st.none() | VALUES[name] for name in names})
    return st.lists(row, min_size=1, max_size=count)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_rows_are_stored_as_peewee_stores_them(twins, data):
    twins.empty()
    # Few columns, so that in most cases all of them can be copied.
    names = data.draw(st.lists(st.sampled_from(twins.names), min_size=1, max_size=2, unique=True))
    old, new = (data.draw(rows_of(names, 4)) for _ in range(2))
    numbered = [[{"k": k, **row} for k, row in enumerate(rows)] for rows in (old, new)]
    for rows in numbered:
        twins.write_theirs(rows)
        twins.write_ours(rows)
        twins.assert_same()
    assert twins.write_ours(numbered[-1]).written == 0


def test_what_peewee_refuses_is_refused_with_the_row_and_the_column(twins):
    twins.empty()
    for name, value in UNFIT:
        if name not in twins.names:
            continue
        rows = [{"k": 1, name: None}, {"k": 2, name: value}, {"k": 3, name: None}]
        refused = None
        try:
            with twins.database.atomic():
                twins.write_theirs(rows)
        except (peewee.DatabaseError, TypeError, ValueError) as error:
            refused = error
        raised = pytest.raises((peewee.DatabaseError, ValueError)) if refused else contextlib.nullcontext()
        with raised as caught:
            twins.write_ours(rows)
        if refused:
            # PostgreSQL refuses a list for what it expresses, whatever is in it.
            assert "row 1: " in str(caught.value) or name == "numbers", (name, str(caught.value))
            assert len(str(caught.value)) < 400
        twins.assert_same()
        twins.empty()


#: Columns that have arrays of their own in NumPy, pandas, Polars and Arrow, and values for them.
PLAIN = {
    "whole": [1, None, -3, 4],
    "big": [2**53 - 1, 0, None, -(2**52)],
    "ratio": [0.1, None, -1e300, 7.0],
    "good": [True, None, False, True],
    "day": [datetime.date(2026, 3, 1), None, datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)],
    "at": [datetime.datetime(2026, 3, 1, 1, 2, 3, 456789), None, datetime.datetime(1999, 1, 1), None],
    "name": ["Zoë", None, "", "nan"],
    "note": [None, None, None, None],
    "price": [decimal.Decimal("1.50"), None, decimal.Decimal("-0.05"), decimal.Decimal("7")],
}


def masked(values):
    filled = [next(value for value in values if value is not None) if v is None else v for v in values]
    return np.ma.MaskedArray(np.array(filled), mask=[value is None for value in values])


#: Form of the rows -> function that makes it from columns.
FORMS = {
    "columns": dict,
    "dictionaries": lambda columns: as_dictionaries(columns),
    "generator": lambda columns: iter(as_dictionaries(columns)),
    "object arrays": lambda columns: {n: np.array(v, dtype=object) for n, v in columns.items()},
    "typed arrays": lambda columns: {
        n: masked(v)
        if n in ("k", "whole", "big", "ratio", "good")
        else np.array(v, dtype=TYPES.get(n, object))
        for n, v in columns.items()
    },
    "pandas": lambda columns: pandas.DataFrame(columns),
    "pandas with own types": lambda columns: pandas.DataFrame(columns).convert_dtypes(),
    "a column of pandas": lambda columns: {n: pandas.Series(v) for n, v in columns.items()},
    "polars": lambda columns: polars.DataFrame(columns),
    "arrow": lambda columns: pyarrow.table(columns),
    "named tuples": lambda columns: list(
        itertools.starmap(namedtuple("Row", columns), zip(*columns.values(), strict=True))
    ),
    "rows of pandas": lambda columns: (row for _, row in pandas.DataFrame(columns, dtype=object).iterrows()),
    "pandas with arrow's types": lambda columns: pandas.DataFrame(columns).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "pandas with categories": lambda columns: pandas.DataFrame(columns).astype({"name": "category"}),
    "polars, lazily": lambda columns: polars.DataFrame(columns).lazy(),
    "polars with categories": lambda columns: polars.DataFrame(columns).cast({"name": polars.Categorical}),
    "arrow in nanoseconds and dictionaries": lambda columns: pyarrow.table(
        {
            **columns,
            "at": pyarrow.array(columns["at"], pyarrow.timestamp("ns")),
            "name": pyarrow.array(columns["name"]).dictionary_encode(),
        }
    ),
    "arrow's newest texts": lambda columns: pyarrow.table(
        {**columns, "name": pyarrow.array(columns["name"], pyarrow.string_view())}
    ),
    "a structured array": lambda columns: np.array(
        list(zip(*columns.values(), strict=True)), dtype=[(name, object) for name in columns]
    ),
}

TYPES = {"day": "M8[D]", "at": "M8[us]"}


def as_dictionaries(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_any_form_are_stored_as_dictionaries_are(twins, form):
    twins.empty()
    columns = {"k": [3, 1, 4, 2], **PLAIN}
    twins.write_theirs(as_dictionaries(columns))
    assert twins.write_ours(FORMS[form](columns)).written == 4
    twins.assert_same()
    assert twins.write_ours(FORMS[form](columns)).written == 0


def test_rows_may_be_tuples_or_instances(twins):
    twins.empty()
    rows = [{"k": k, "name": name} for k, name in ((2, "b"), (1, None))]
    twins.write_theirs(rows)
    tuples = [tuple(row.values()) for row in rows]
    assert upsert(twins.ours, tuples, fields=["k", twins.ours.name], copy=twins.copy).written == 2
    twins.assert_same()
    by_fields = {twins.ours.k: [2, 1], twins.ours.name: ["b", None]}
    assert upsert(twins.ours, by_fields, copy=twins.copy).written == 0
    instances = [twins.ours(**row) for row in rows]
    assert upsert(twins.ours, instances, copy=twins.copy).written == 0


@pytest.mark.parametrize("column", PLAIN)
def test_copy_is_used_for_what_it_can_carry(twins, column, monkeypatch):
    copied, copy_to = [], row_sources.copy_to
    monkeypatch.setattr(row_sources, "copy_to", lambda *arguments: copied.append(copy_to(*arguments)))
    twins.empty()
    twins.write_ours({"k": [1, 2, 3, 4], column: PLAIN[column]})
    assert copied == ([4] if twins.copy else [])
    assert twins.ours.select().count() == 4
