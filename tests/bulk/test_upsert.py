"""The upsert on both backends and both paths."""

import contextlib
import datetime

import numpy as np
import peewee
import pytest

from tests.bulk.models import (
    MODELS,
    Contact,
    Liked,
    Loose,
    Partial,
    Percent,
    Reading,
    days,
    full_rows,
    stored,
)
from tests.support.databases import connect
from tformance_seed.bulk import unique_key, upsert
from tformance_seed.storage.models import TeamMember


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
        upsert(Reading, {"sensor": [1], "day": days(1), "small": [123.0]}, copy=copy, fit=True)
    assert Reading.select().count() == 0
