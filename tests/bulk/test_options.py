"""Options of an upsert: reports on rows, ignoring, expressions, rows set aside, deletion of others."""

import contextlib

import peewee
import pytest
from peewee import EXCLUDED, fn

from tformance_seed.bulk import FailedRow, upsert

pytestmark = pytest.mark.parametrize(
    "copy",
    ["sqlite", "postgresql-portable", "postgresql-copy", "psycopg3-portable", "psycopg3-copy"],
    indirect=True,
)


class Stock(peewee.Model):
    """A table whose name is one of Peewee's aliases."""

    code = peewee.CharField(unique=True, max_length=8)
    name = peewee.CharField(null=True, max_length=8)
    count = peewee.IntegerField(default=0)

    class Meta:
        table_name = "t1"


class Address(peewee.Model):
    email = peewee.CharField()
    score = peewee.IntegerField(null=True)
    select = peewee.CharField(default="")

    class Meta:
        table_name = 'odd "name"'


Address.add_index(Address.index(fn.LOWER(Address.email), unique=True, name="by_email"))


@pytest.fixture
def stock(copy, bulk_database):
    with bulk_database.bind_ctx([Stock, Address]):
        bulk_database.create_tables([Stock, Address])
        yield Stock


def rows(*codes, name="a"):
    return [{"code": code, "name": name} for code in codes]


def test_each_row_is_reported_in_the_order_of_the_input(stock, copy):
    first = upsert(stock, rows("b", "a"), returning=[stock.id, "name"], copy=copy)
    assert [row.action for row in first.rows] == ["inserted", "inserted"]
    assert [row.values for row in first.rows] == [(2, "a"), (1, "a")]
    given = [*rows("c", "b"), *rows("a", name="new"), *rows("c", name="last")]
    second = upsert(stock, given, returning=["code", "name"], copy=copy)
    assert [row.action for row in second.rows] == ["inserted", "unchanged", "updated", "inserted"]
    assert [row.values for row in second.rows] == [("c", "last"), ("b", "a"), ("a", "new"), ("c", "last")]
    assert (second.written, second.unchanged) == (2, 1)


def test_existing_rows_may_be_ignored(stock, copy):
    upsert(stock, rows("a"), copy=copy)
    given = [*rows("a", "b", name="first"), *rows("b", name="second")]
    result = upsert(stock, given, on_conflict="ignore", copy=copy)
    assert (result.written, result.unchanged) == (1, 2)
    assert {row.code: row.name for row in stock} == {"a": "a", "b": "first"}


def test_the_columns_to_update_may_be_named(stock, copy):
    upsert(stock, rows("a"), copy=copy)
    upsert(stock, [{"code": "a", "name": "new", "count": 7}], update=["count"], copy=copy)
    assert (stock.get().name, stock.get().count) == ("a", 7)
    with pytest.raises(ValueError, match="update: the rows have no count"):
        upsert(stock, rows("a"), update=[stock.count], copy=copy)


def test_columns_may_be_updated_by_expressions_of_which_all_count(stock, copy):
    given = [{"code": code, "count": count} for code, count in (("a", 1), ("b", 2), ("a", 3), ("a", 5))]
    for _ in range(2):
        upsert(stock, given, update={stock.count: stock.count + EXCLUDED.count}, copy=copy)
    assert {row.code: row.count for row in stock} == {"a": 18, "b": 4}


def test_rows_that_are_not_given_are_deleted_within_a_scope(stock, copy):
    upsert(stock, rows("a", "b", "c", "z"), copy=copy)
    result = upsert(stock, rows("b", "d"), sync=stock.code < "x", copy=copy)
    assert (result.written, result.unchanged, result.deleted, result.rows) == (1, 1, 2, ())
    assert sorted(row.code for row in stock) == ["b", "d", "z"]


def test_nothing_is_deleted_if_a_row_cannot_be_stored(stock, copy):
    upsert(stock, rows("a"), copy=copy)
    with pytest.raises(peewee.IntegrityError):
        upsert(stock, [*rows("b"), {"code": "c", "count": None}], sync=stock.code != "", copy=copy)
    assert [row.code for row in stock] == ["a"]


def test_rows_that_cannot_be_stored_are_set_aside(stock, copy):
    failed = []
    given = [*rows("a"), {"code": None}, {"code": "b", "count": None}, *rows("c")]
    result = upsert(stock, given, on_error=failed.append, returning=["code"], copy=copy)
    assert (result.written, result.failed) == (2, 2)
    assert [row and row.values for row in result.rows] == [("a",), None, None, ("c",)]
    assert {(row.row, row.column) for row in failed} == {(1, "code"), (2, "count")}
    assert all(isinstance(row, FailedRow) for row in failed)


@pytest.mark.parametrize("inside", [False, True])
def test_the_row_that_failed_is_named_among_many(stock, copy, inside):
    given = [{"code": f"{n:04}", "count": n if n != 333 else None} for n in range(500)]
    database = stock._meta.database
    block = database.atomic() if inside else contextlib.nullcontext()
    with pytest.raises(peewee.IntegrityError, match=r"^Stock\.count: row 333: None: "), block:
        upsert(stock, given, copy=copy)
    assert stock.select().count() == 0


def test_a_callback_sees_each_chunk(stock, copy):
    seen = []
    upsert(stock, rows(*"abcde"), chunk_size=2, on_chunk=seen.append, copy=copy)
    assert [result.written for result in seen] == [2, 2, 1]


def test_rows_may_differ_in_their_names(stock, copy):
    upsert(stock, [{"code": "a", "name": "n", "count": 1}, {"code": "b", "count": 2}], copy=copy)
    upsert(stock, [{"code": "a", "count": 5}, {"code": "b", "name": "m"}], copy=copy)
    assert {row.code: (row.name, row.count) for row in stock} == {"a": ("n", 5), "b": ("m", 2)}


@pytest.mark.parametrize(
    "key",
    ["by_email", fn.LOWER(Address.email), [fn.LOWER(Address.email)]],
    ids=["name", "expression", "expressions"],
)
def test_the_key_may_be_an_expression(stock, copy, key):
    upsert(Address, [{"email": "A@x", "score": 1}, {"email": "b@x", "score": 2}], key=key, copy=copy)
    again = [{"email": "a@X", "score": 3}, {"email": "b@x", "score": 2}]
    result = upsert(Address, again, key=key, returning=["score"], copy=copy)
    assert [row.action for row in result.rows] == ["updated", "unchanged"]
    stored = peewee.ModelSelect(Address, (Address.email, Address.score))  # a field hides Address.select
    assert dict(stored.tuples()) == {"a@X": 3, "b@x": 2}


def test_unknown_keys_and_options_are_refused(stock, copy):
    for options, message in (
        ({"key": "nothing"}, "Stock has no field, unique index or constraint nothing"),
        ({"key": ["nothing"]}, "Stock has no field nothing"),
        ({"chunk_size": -1}, "chunk_size: expected 1 or more, not -1"),
        ({"on_conflict": "replace"}, "on_conflict: expected one of update, ignore"),
        ({"returning": ["nothing"]}, "Stock has no field nothing"),
    ):
        with pytest.raises(ValueError, match=message):
            upsert(stock, rows("a"), copy=copy, **options)
    with pytest.raises(ValueError, match=r"Stock\.name: expected a list or an array, not str"):
        upsert(stock, {"code": ["a", "b", "c"], "name": "xyz"}, copy=copy)
