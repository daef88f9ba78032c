"""Values that are made to fit their columns, on both backends and both paths."""

import datetime
import decimal
import functools

import numpy as np
import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bulk.models import Document, Exact, Odd, Reading, days, full_rows
from tformance_seed import bulk

upsert = functools.partial(bulk.upsert, fit=True)


def test_values_of_every_type_come_back_as_they_went_in(copy):
    assert upsert(Reading, full_rows(), copy=copy).written == 3
    rows = {row.sensor: row for row in Reading.select()}
    utc = datetime.UTC
    assert rows[3].price == decimal.Decimal("12345678.91")
    assert rows[2].price == decimal.Decimal("-0.05")
    assert rows[1].price is None
    assert [rows[i].small for i in (3, 1, 2)] == [decimal.Decimal("0.125"), decimal.Decimal("9.999"), None]
    assert [rows[i].wide for i in (3, 1, 2)] == [123456789012, 0, 10000]
    assert [rows[i].big for i in (3, 1, 2)] == [2**62, -(2**62), 0]
    assert [rows[i].short for i in (3, 1, 2)] == [1, None, -3]
    assert [rows[i].ratio for i in (3, 1, 2)] == [0.1, -1e300, None]
    assert [rows[i].good for i in (3, 1, 2)] == [True, False, None]
    assert rows[3].at == datetime.datetime(2026, 3, 1, 10, tzinfo=utc)
    assert rows[2].at == datetime.datetime(1999, 12, 31, 23, 59, 59, 123456, tzinfo=utc)
    assert rows[3].local == datetime.datetime(2026, 3, 1, 10, 0, 0, 500000)
    assert [rows[i].note for i in (3, 1, 2)] == ["", "two", None]
    assert rows[1].label == "ä" * 12
    assert rows[2].tags == {"x": "ü"}
    assert rows[3].day == datetime.date(2026, 3, 1)


BAD_INTEGERS = [
    ("big", [2**63]),
    ("big", np.array([2**63 + 7], np.uint64)),
    ("big", np.array([2.0**63])),
    ("big", [1.9]),
    ("big", [decimal.Decimal("1.5")]),
    ("big", np.array([1.9])),
    ("big", np.array([np.inf])),
    ("sensor", [2**31]),
    ("sensor", np.array([-(2**31) - 1])),
    ("short", [2**15]),
    ("short", np.array([40000.0])),
]


def test_integers_out_of_range_are_refused_with_the_column(copy):
    for name, values in BAD_INTEGERS:
        with pytest.raises(ValueError, match=rf"Reading\.{name}: "):
            upsert(Reading, {"sensor": [1], "day": days(1), name: values}, copy=copy)
    assert Reading.select().count() == 0


@pytest.mark.parametrize("value", [[], [1], {}, np.zeros(0), np.zeros((2, 2))], ids=repr)
def test_a_sequence_is_no_value_of_a_column(value):
    for name in ("sensor", "big", "day", "at", "local", "price", "ratio"):
        with pytest.raises(ValueError, match=rf"Reading\.{name}: "):
            bulk.convert_columns(Reading, {name: [value, value]})


def test_integral_floats_are_integers(copy):
    rows = {"sensor": np.array([1.0, 2.0]), "day": days(2), "short": np.array([np.nan, 3.0])}
    upsert(Reading, {**rows, "big": [2**63 - 1, 4.0]}, copy=copy)
    got = Reading.select(Reading.sensor, Reading.short, Reading.big).order_by(Reading.sensor)
    assert list(got.tuples()) == [(1, None, 2**63 - 1), (2, 3, 4)]


def test_numerics_keep_all_their_digits(copy):
    texts = ["12345678901234.5678", "-99999999999999.9999", "0.0001"]
    rows = {"key": [1, 2, 3], "four": [decimal.Decimal(text) for text in texts]}
    rows["two"] = np.array([9999999999999999, -1234567890123456, 0])
    upsert(Exact, rows, copy=copy)
    got = list(Exact.select(Exact.four, Exact.two).order_by(Exact.key).tuples())
    if isinstance(Exact._meta.database, peewee.SqliteDatabase):  # keeps floats
        assert [float(four) for four, _ in got] == [float(text) for text in texts]
    else:
        assert [four for four, _ in got] == rows["four"]
        assert [two for _, two in got] == rows["two"].tolist()
    assert upsert(Exact, rows, copy=copy).written == 0


def test_numerics_of_one_digit_group_without_decimals(copy):
    upsert(Exact, {"key": [1, 2, 3], "none": [7, -9999, 0]}, copy=copy)
    assert [row.none for row in Exact.select().order_by(Exact.key)] == [7, -9999, 0]


def test_integral_floats_keep_all_their_digits_as_numerics(copy):
    upsert(Exact, {"key": [1], "four": np.array([-99999999999999.0])}, copy=copy)
    assert Exact.get().four == -99999999999999
    for values in (np.array([1e14]), np.array([1e300]), np.array([-(2**63)]), np.array([2**62])):
        with pytest.raises(ValueError, match=r"Exact\.four: a number needs more than 18 digits"):
            upsert(Exact, {"key": [1], "four": values}, copy=copy)


def test_json_of_peewee_is_stored_as_peewee_stores_it(copy):
    Document.create(key=1, body={"a": [1, 2]})
    rows = {"key": [1, 2, 3], "body": [{"a": [1, 2]}, None, ["x"]]}
    assert upsert(Document, rows, copy=copy).written == 2
    assert [row.body for row in Document.select().order_by(Document.key)] == rows["body"]
    assert upsert(Document, rows, copy=copy).written == 0


def test_text_is_the_same_whatever_the_client_encoding(copy):
    database = Reading._meta.database
    if isinstance(database, peewee.PostgresqlDatabase):
        database.execute_sql("SET client_encoding TO 'LATIN1'")
    rows = {"sensor": [1, 2], "day": days(2), "note": ["Zoë", None], "tags": [["é"], ["ü"]]}
    assert upsert(Reading, rows, copy=copy, no_conflicts=True).written == 2
    rows["note"][1] = "ñ"
    assert upsert(Reading, rows, copy=copy).written == 1
    got = Reading.select(Reading.note, Reading.tags).order_by(Reading.sensor).tuples()
    assert list(got) == [("Zoë", ["é"]), ("ñ", ["ü"])]


def test_unknown_types_use_the_portable_path(copy):
    keys = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(3)]
    assert upsert(Odd, {"key": keys, "size": [1, 2, 3]}, copy=copy).written == 3
    assert upsert(Odd, {"key": keys, "size": [1, 2, 4]}, copy=copy).written == 1


def test_text_is_sanitised(copy):
    rows = {
        "sensor": [1, 2, 3],
        "day": days(3),
        "label": ["toolongforthecolumn", "nul\x00nul", "sur\ud800gate"],
        "note": [b"bad \xff utf", b"a\x00b", "fine ✓".encode()],
        "tags": [["nul \x00"], ["\ud83d"], ["\\u0000 stays", "😀"]],
    }
    upsert(Reading, rows, copy=copy)
    got = list(Reading.select(Reading.label, Reading.note, Reading.tags).order_by(Reading.sensor).tuples())
    assert [row[0] for row in got] == ["toolongforth", "nulnul", "sur\ufffd\ufffd\ufffdgate"[:12]]
    assert [row[1] for row in got] == ["bad \ufffd utf", "ab", "fine ✓"]
    assert got[0][2] == ["nul "]
    assert got[2][2] == ["\\u0000 stays", "😀"]
    assert upsert(Reading, rows, copy=copy).written == 0


texts = st.text(max_size=40)


values = st.tuples(
    st.integers(-(2**31), 2**31 - 1),
    st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)),
    texts,
    st.none() | texts,
    st.none() | st.decimals(-99999999, 99999999, places=2),
    st.none() | st.booleans(),
    st.none() | st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1)),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    ).filter(lambda value: value is not None),
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(values, min_size=1, max_size=8))
def test_any_rows_are_stored_once_and_do_not_change_again(copy, rows):
    Reading.delete().execute()
    names = ("sensor", "day", "label", "note", "price", "good", "local", "tags")
    given_rows = dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
    upsert(Reading, given_rows, copy=copy)
    last = {(row[0], row[1]): row for row in rows}
    got = {(r.sensor, r.day): r for r in Reading.select()}
    assert got.keys() == last.keys()
    for key, row in last.items():
        assert got[key].price == row[4]
        assert got[key].good == row[5]
        assert got[key].local == row[6]
        assert got[key].label == fitted(row[2])[:12]
    assert upsert(Reading, given_rows, copy=copy).written == 0


def fitted(text):
    return text.replace("\x00", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
