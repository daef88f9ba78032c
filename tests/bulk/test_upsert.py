"""The one call on both backends and both paths, on models of no application."""

import contextlib
import datetime
import decimal

import numpy as np
import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.databases import connect
from tformance_seed.bulk import unique_key, upsert
from tformance_seed.storage.models import TeamMember
from tformance_seed.storage.models.fields import JSONField, NumericField, TimestampField


class Reading(peewee.Model):
    sensor = peewee.IntegerField()
    day = peewee.DateField()
    label = peewee.CharField(max_length=12, default="none")
    note = peewee.TextField(null=True)
    price = NumericField(10, 2, null=True)
    small = NumericField(4, 3, null=True)
    wide = NumericField(12, 0, null=True)
    big = peewee.BigIntegerField(default=7)
    short = peewee.SmallIntegerField(null=True)
    ratio = peewee.DoubleField(null=True)
    good = peewee.BooleanField(null=True)
    at = TimestampField(null=True)
    local = peewee.DateTimeField(null=True)
    tags = JSONField(default=list)

    class Meta:
        indexes = ((("sensor", "day"), True),)


class Partial(peewee.Model):
    team = peewee.IntegerField()
    code = peewee.CharField(max_length=20, default="")
    name = peewee.TextField()


Partial.add_index(Partial.team, Partial.code, unique=True, where=Partial.code > "")


class Odd(peewee.Model):
    """A type that the COPY path does not know."""

    key = peewee.UUIDField(unique=True)
    size = peewee.IntegerField()


class Contact(peewee.Model):
    """A partial key declared before a whole one."""

    team = peewee.IntegerField()
    email = peewee.CharField(default="")
    account = peewee.BigIntegerField(null=True)
    number = peewee.IntegerField(null=True)

    class Meta:
        indexes = ((("team", "number"), True),)


Contact._meta.indexes.insert(
    0, Contact.index(Contact.team, Contact.account, unique=True, where=Contact.account.is_null(False))
)


class Percent(peewee.Model):
    code = peewee.CharField()
    name = peewee.TextField()


Percent.add_index(Percent.code, unique=True, where=Percent.code != "100%s %")


class Liked(peewee.Model):
    """A predicate that only the database can tell."""

    code = peewee.CharField()
    name = peewee.TextField()


Liked.add_index(Liked.code, unique=True, where=Liked.code.startswith("a"))


class Exact(peewee.Model):
    key = peewee.IntegerField(unique=True)
    four = peewee.DecimalField(18, 4, null=True)
    two = peewee.DecimalField(18, 2, null=True)
    none = peewee.DecimalField(4, 0, null=True)


class Document(peewee.Model):
    """Of JSON as Peewee 4 stores it; older ones have no such field, and the project's own stands in."""

    key = peewee.IntegerField(unique=True)
    body = getattr(peewee, "JSONField", JSONField)(null=True)


class Loose(peewee.Model):
    size = peewee.IntegerField()

    class Meta:
        primary_key = False


MODELS = (Reading, Partial, Odd, Contact, Percent, Liked, Exact, Document, Loose)


@pytest.fixture(params=["sqlite", "postgresql-portable", "postgresql-copy"])
def copy(request, tmp_path):
    """The tables on each backend; yields what to pass for ``copy``."""
    kind, _, path = request.param.partition("-")
    url = f"sqlite:///{tmp_path}/x.db" if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    database = connect(url)
    with database.bind_ctx(MODELS):
        database.create_tables(MODELS)
        yield path == "copy"
    database.close()


def days(count):
    return np.datetime64("2026-03-01") + np.arange(count)


def full_rows():
    return {
        "sensor": np.array([3, 1, 2]),
        "day": days(3),
        "label": np.array(["b", "ä" * 12, "x"]),
        "note": np.ma.MaskedArray(np.array([b"", b"two", b"?"], "S"), [False, False, True]),
        "price": np.array([12345678.91, np.nan, -0.05]),
        "small": np.array([0.125, 9.999, np.nan]),
        "wide": np.array([123456789012, 0, 10000]),
        "big": np.array([2**62, -(2**62), 0]),
        "short": np.ma.MaskedArray([1, 2, -3], [False, True, False]),
        "ratio": np.array([0.1, -1e300, np.nan]),
        "good": np.ma.MaskedArray([True, False, False], [False, False, True]),
        "at": np.array(["2026-03-01T10:00:00", "NaT", "1999-12-31T23:59:59.123456"], "M8[us]"),
        "local": np.array(["2026-03-01T10:00:00.5", "NaT", "1999-12-31T23:59:59"], "M8[us]"),
        "tags": [["a", {"b": 1}], [], {"x": "ü"}],
    }


def stored():
    return list(Reading.select().order_by(Reading.sensor).tuples())


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


def test_second_run_writes_nothing(copy):
    first = upsert(Reading, full_rows(), copy=copy)
    before = stored()
    second = upsert(Reading, full_rows(), copy=copy)
    assert (first.written, first.unchanged) == (3, 0)
    assert (second.written, second.unchanged) == (0, 3)
    assert stored() == before


def test_only_rows_that_differ_are_updated(copy):
    upsert(Reading, full_rows(), copy=copy)
    changed = full_rows()
    changed["note"] = ["new", "two", None]
    result = upsert(Reading, changed, copy=copy)
    assert (result.written, result.unchanged) == (1, 2)
    assert Reading.get(sensor=3).note == "new"


def test_null_becomes_value_and_value_becomes_null(copy):
    upsert(Reading, {"sensor": [1, 2], "day": days(2), "note": [None, "x"]}, copy=copy)
    assert upsert(Reading, {"sensor": [1, 2], "day": days(2), "note": ["y", None]}, copy=copy).written == 2
    assert [row.note for row in Reading.select().order_by(Reading.sensor)] == ["y", None]


def test_columns_not_given_get_defaults_and_are_not_updated(copy):
    upsert(Reading, {"sensor": [1], "day": days(1), "label": ["mine"]}, copy=copy)
    assert Reading.get().big == 7
    upsert(Reading, {"sensor": [1], "day": days(1), "big": [9]}, copy=copy)
    row = Reading.get()
    assert (row.label, row.big, row.tags) == ("mine", 9, [])


def test_the_last_of_rows_with_the_same_key_counts(copy):
    rows = {"sensor": [1, 1, 1], "day": [days(1)[0]] * 3, "note": ["a", "b", "c"]}
    result = upsert(Reading, rows, copy=copy)
    assert (result.written, Reading.get().note) == (1, "c")


def test_a_partial_key_of_the_model_is_the_conflict_target(copy):
    key = unique_key(Partial)
    assert [field.name for field in key.fields] == ["team", "code"]
    upsert(Partial, {"team": [1, 1], "code": ["a", "b"], "name": ["x", "y"]}, copy=copy)
    result = upsert(Partial, {"team": [1, 1], "code": ["b", "c"], "name": ["Y", "z"]}, copy=copy)
    assert result.written == 2
    assert sorted(Partial.select(Partial.code, Partial.name).tuples()) == [("a", "x"), ("b", "Y"), ("c", "z")]


def test_rows_outside_of_a_partial_key_are_refused(copy):
    with pytest.raises(ValueError, match=r"2 rows are outside of the partial key \(team, code\)"):
        upsert(Partial, {"team": [1, 1, 1], "code": ["", "", "a"], "name": ["x", "y", "z"]}, copy=copy)
    with pytest.raises(ValueError, match=r"partial key \(team, code\)"):  # the default is outside too
        upsert(Partial, {"team": [1], "name": ["x"]}, key=unique_key(Partial, ["team", "code"]), copy=copy)
    with pytest.raises(ValueError, match=r"partial key \(team, account\)"):
        upsert(Contact, {"team": [1, 1], "account": [5, None]}, copy=copy)
    assert (Partial.select().count(), Contact.select().count()) == (0, 0)


def test_a_key_without_predicate_is_preferred_to_a_partial_one(copy):
    rows = {"team": [1, 1], "account": [None, None], "number": [1, 2], "email": ["a", "b"]}
    assert upsert(Contact, rows, copy=copy).written == 2
    assert upsert(Contact, rows, copy=copy).written == 0
    assert [field.name for field in unique_key(Contact, ["team", "account"]).fields] == ["team", "account"]
    assert [field.name for field in unique_key(Partial, ["id", "team", "code"]).fields] == ["id"]


def test_a_member_is_identified_by_account_and_not_by_address():
    given_names = ["team_id", "email", "github_id"]
    assert [field.name for field in unique_key(TeamMember, given_names).fields] == ["team", "github_id"]


def test_a_predicate_may_contain_percent_signs(copy):
    rows = {"code": ["a", "100%"], "name": ["x", "y"]}
    assert upsert(Percent, rows, copy=copy).written == 2
    assert upsert(Percent, {**rows, "name": ["x", "%s"]}, copy=copy).written == 1
    with pytest.raises(ValueError, match=r"partial key \(code\)"):
        upsert(Percent, {"code": ["100%s %"], "name": ["x"]}, copy=copy)


def test_no_row_is_lost_where_only_the_database_can_evaluate_the_predicate(copy):
    rows = {"code": ["b", "b", "a"], "name": ["x", "y", "z"]}
    assert upsert(Liked, rows, copy=copy).written == 3
    assert upsert(Liked, {"code": ["a"], "name": ["new"]}, copy=copy).written == 1
    assert sorted(Liked.select(Liked.code, Liked.name).tuples()) == [("a", "new"), ("b", "x"), ("b", "y")]


def test_a_model_without_any_key_is_refused(copy):
    with pytest.raises(ValueError, match="Loose has no unique key"):
        upsert(Loose, {"size": [1]}, copy=copy)


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


@pytest.mark.parametrize("no_conflicts", [False, True])
def test_a_table_of_another_schema_is_written(copy, no_conflicts, tmp_path):
    class Elsewhere(peewee.Model):
        code = peewee.CharField(unique=True)
        size = peewee.IntegerField()

        class Meta:
            schema = "Other"

    database = Reading._meta.database
    with database.bind_ctx([Elsewhere]):
        if isinstance(database, peewee.SqliteDatabase):
            database.attach(f"{tmp_path}/other.db", "Other")
        else:
            database.execute_sql('CREATE SCHEMA "Other"')
        Elsewhere.create_table()
        assert (
            upsert(
                Elsewhere, {"code": ["a", "b"], "size": [1, 2]}, copy=copy, no_conflicts=no_conflicts
            ).written
            == 2
        )
        assert upsert(Elsewhere, {"code": ["a", "b"], "size": [1, 3]}, copy=copy).written == 1


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


def test_rows_may_be_mappings_from_a_generator(copy):
    rows = ({"sensor": n, "day": datetime.date(2026, 1, 1), "note": str(n)} for n in range(25))
    assert upsert(Reading, rows, copy=copy, chunk_size=10).written == 25
    assert Reading.select().count() == 25


def test_unchanged_rows_are_not_locked(postgresql_url):
    database = connect(postgresql_url)
    with database.bind_ctx(MODELS):
        database.create_tables(MODELS)
        texts = [str(n) for n in range(50)]
        for model, rows, changed in (
            (Reading, {"sensor": np.arange(50), "day": days(50)}, "note"),
            (Partial, {"team": np.arange(50), "code": ["x"] * 50}, "name"),
        ):
            upsert(model, {**rows, changed: texts})
            assert upsert(model, {**rows, changed: [*texts[1:], "new"][:7] + texts[7:]}).written == 7
            # Whoever locks or updates a row leaves a mark on it.
            marks = database.execute_sql(
                f"SELECT count(*) FROM {model._meta.table_name} WHERE xmax::text <> '0'"
            )
            assert marks.fetchone() == (7,)
    database.close()


def test_chunks_before_a_failure_remain_and_the_failed_one_leaves_nothing(copy):
    Reading._meta.database.execute_sql("CREATE UNIQUE INDEX only_once ON reading (note)")
    notes = [str(n) for n in range(50)]
    notes[25] = notes[3]
    with pytest.raises(peewee.IntegrityError):
        upsert(Reading, {"sensor": np.arange(50), "day": days(50), "note": notes}, copy=copy, chunk_size=10)
    assert Reading.select().count() == 20


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


def test_copy_refuses_a_conflict_where_none_is_expected(copy):
    rows = {"sensor": np.arange(10), "day": days(10), "note": [str(n) for n in range(10)]}
    assert upsert(Reading, rows, copy=copy, no_conflicts=True).written == 10
    rows["note"][4] = "new"
    with pytest.raises(peewee.IntegrityError) if copy else contextlib.nullcontext():
        upsert(Reading, rows, copy=copy, no_conflicts=True)
    assert Reading.get(Reading.sensor == 4).note == ("4" if copy else "new")


def test_chunks_are_rolled_back_with_the_callers_transaction(copy):
    database = Reading._meta.database
    with contextlib.suppress(ZeroDivisionError), database.atomic():
        assert upsert(Reading, {"sensor": [1, 2], "day": days(2)}, copy=copy, chunk_size=1).written == 2
        raise ZeroDivisionError
    assert Reading.select().count() == 0
    upsert(Reading, {"sensor": [1, 2], "day": days(2)}, copy=copy, chunk_size=1)
    with pytest.raises(peewee.DatabaseError):  # the second chunk's null
        upsert(Reading, {"sensor": [3, 4], "day": days(2), "label": ["", None]}, copy=copy, chunk_size=1)
    assert [row.sensor for row in Reading.select().order_by(Reading.sensor)] == [1, 2, 3]


def test_bad_rows_are_refused_with_the_column(copy):
    with pytest.raises(ValueError, match="no column nonsense"):
        upsert(Reading, {"sensor": [1], "day": days(1), "nonsense": [1]}, copy=copy)
    with pytest.raises(ValueError, match="differ in length"):
        upsert(Reading, {"sensor": [1, 2], "day": days(1)}, copy=copy)
    with pytest.raises(ValueError, match="part of its key"):
        upsert(Reading, {"sensor": [1, None], "day": days(2)}, copy=copy)
    with pytest.raises(ValueError, match="no unique key"):
        upsert(Reading, {"sensor": [1]}, copy=copy)
    with pytest.raises(ValueError, match="digits"):
        upsert(Reading, {"sensor": [1], "day": days(1), "small": [123.0]}, copy=copy)
    assert Reading.select().count() == 0


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
