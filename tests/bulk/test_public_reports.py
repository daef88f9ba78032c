"""What users of Peewee and of others reported or wished for, one by one: docs/reference/upsert-reports.md."""

import re
import uuid
from pathlib import Path

import numpy as np
import pandas
import peewee
import pytest
from peewee import EXCLUDED

from tests.support.databases import connect
from tformance_seed.bulk import upsert

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "upsert-reports.md"

JSONField = getattr(peewee, "JSONField", None)


class Item(peewee.Model):
    name = peewee.CharField(unique=True)
    note = peewee.TextField(null=True)
    count = peewee.IntegerField(default=0)
    ratio = peewee.FloatField(null=True)
    updated = peewee.BooleanField(default=False)


class Token(peewee.Model):
    uid = peewee.UUIDField(primary_key=True, default=uuid.uuid4)
    name = peewee.CharField(unique=True)


class Place(peewee.Model):
    """A key of two columns, one of them a reference, and a partial one."""

    item = peewee.ForeignKeyField(Item)
    guild = peewee.IntegerField()
    code = peewee.CharField(null=True)
    nick = peewee.TextField(null=True)


Place.add_index(Place.index(Place.item, Place.guild, unique=True, name="place_index"))
Place.add_index(Place.index(Place.code, unique=True, where=Place.code.is_null(False), name="place_code"))


class Bare(peewee.Model):
    """Nothing but an id."""


class Setting(peewee.Model):
    name = peewee.CharField(unique=True)
    value = JSONField(null=True) if JSONField else peewee.TextField(null=True)


MODELS = [Item, Token, Place, Bare, Setting]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def tables(request, tmp_path_factory):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('reports')}/x.db"
    else:
        url = request.getfixturevalue("server").new_database()
    database = connect(url)
    with database.bind_ctx(MODELS):
        database.create_tables(MODELS)
        yield database
    database.close()


def items(*names, **values):
    return [{"name": name, **values} for name in names]


def stored(*fields):
    return list(Item.select(*fields).order_by(Item.name).tuples())


def many_rows_at_once():
    assert upsert(Item, items("a", "b")).written == 2
    assert upsert(Item, items("b", "c", note="n")).written == 2
    assert stored(Item.name, Item.note) == [("a", None), ("b", "n"), ("c", "n")]


def other_values_for_each_row():
    upsert(Item, items("a", "b"))
    upsert(
        Item,
        [{"name": "a", "note": "1", "count": 5}, {"name": "b", "note": "2", "count": 6}],
        update=["note"],
    )
    assert stored(Item.name, Item.note, Item.count) == [("a", "1", 0), ("b", "2", 0)]


def instances_and_their_ids():
    upsert(Item, items("b"))
    given = [Item(name="a"), Item(name="b", note="n"), Item(name="c")]
    for instance, row in zip(given, upsert(Item, given, returning=[Item.id]).rows, strict=True):
        (instance.id,) = row.values
    assert {Item.get_by_id(instance.id).name for instance in given} == {"a", "b", "c"}


def an_instance_by_itself():
    upsert(Item, [Item(name="a", note="old")])
    assert upsert(Item, [Item(name="a", note="new")], returning=["note"]).rows[0] == ("updated", ("new",))


def rows_that_exist_keep_their_ids():
    upsert(Item, items("anna", "john"))
    before = dict(stored(Item.name, Item.id))
    upsert(Item, items("anna", "john", "mark", note="n"))
    assert before.items() <= dict(stored(Item.name, Item.id)).items()


def ids_of_all_rows():
    upsert(Item, items("b"))
    rows = upsert(Item, items("c", "b", "a"), returning=["id", "name"]).rows
    assert [row.values[1] for row in rows] == ["c", "b", "a"]
    assert {row.values for row in rows} == set(stored(Item.id, Item.name))


def dictionaries_of_other_names():
    rows = [{"name": "a"}, {"name": "b", "note": "n"}, {"note": "m", "name": "c", "count": 1}]
    assert upsert(Item, rows).written == 3
    assert stored(Item.name, Item.note, Item.count) == [("a", None, 0), ("b", "n", 0), ("c", "m", 1)]


def rows_without_any_key():
    with pytest.raises(ValueError, match="Bare: row 0 has no values, so no key"):
        upsert(Bare, [{}, {}])
    assert upsert(Bare, [{"id": 1}, {"id": 2}]).written == 2


def names_of_columns():
    (item,) = upsert(Item, items("a"), returning=["id"]).rows
    assert upsert(Place, [{"item_id": item.values[0], "guild": 1, "nick": "n"}]).written == 1
    assert Place.get().item.name == "a"


def rows_that_are_texts():
    with pytest.raises(ValueError, match="Item: row 0: expected a mapping; fields= names those of tuples"):
        upsert(Item, ["-5.00;2026-03-01;COFFEE"])


def a_default_for_each_row():
    assert upsert(Token, items("foo", "bar")).written == 2
    assert len({row.uid for row in Token}) == 2


def more_values_than_a_statement_takes():
    rows = {"name": [f"{n:05}" for n in range(15_000)], "note": ["n"] * 15_000, "count": range(15_000)}
    assert upsert(Item, rows).written == 15_000
    assert upsert(Item, {**rows, "note": ["m"] * 15_000}).written == 15_000


def updates_by_id():
    upsert(Item, items("a", "b", "c"))
    rows = [{"id": key, "name": name, "count": len(name) * key} for key, name in stored(Item.id, Item.name)]
    assert upsert(Item, rows).written == 3
    assert dict(stored(Item.id, Item.count)) == {row["id"]: row["count"] for row in rows}


def expressions_of_both_rows():
    upsert(Item, items("a", ratio=1.0))
    update = {Item.updated: Item.ratio != EXCLUDED.ratio, Item.ratio: EXCLUDED.ratio}
    upsert(Item, [{"name": "a", "ratio": 1.0}, {"name": "b", "ratio": 2.0}], update=update)
    assert stored(Item.name, Item.updated) == [("a", False), ("b", False)]
    upsert(Item, items("a", ratio=3.0), update=update)
    assert stored(Item.ratio, Item.updated)[0] == (3.0, True)


def a_counter():
    for _ in range(3):
        upsert(Item, items("a", count=5), update={Item.count: Item.count + 5})
    assert Item.get().count == 15


def json_is_adapted_when_updated():
    for value in ({"a": [1, None]}, {}, None) if JSONField else ("{}", None):
        upsert(Setting, [{"name": "x", "value": value}])
        assert Setting.get().value == value


def the_number_of_rows_changed():
    assert upsert(Item, items("a", "b")).written == 2
    result = upsert(Item, items("a", "b", "c", note="n"))
    assert (result.written, result.unchanged) == (3, 0)
    assert upsert(Item, items("a", "b", "c", note="n")).unchanged == 3


def any_difference_counts():
    upsert(Item, [{"name": "Jane", "note": "Austin", "count": 28}])
    for note, count in (("Brown", 28), (None, 28), (None, 30)):
        assert upsert(Item, [{"name": "Jane", "note": note, "count": count}]).written == 1
    assert stored(Item.note, Item.count) == [(None, 30)]


def a_partial_index():
    upsert(Item, items("a"))
    rows = [{"item": Item.get(), "guild": 1, "code": "x", "nick": "n"}]
    assert upsert(Place, rows, key=["code"]).written == 1
    assert upsert(Place, [{**rows[0], "nick": "m"}], key="place_code").written == 1
    with pytest.raises(ValueError, match=r"part of its key \(code\)|outside of the partial key \(code\)"):
        upsert(Place, [{**rows[0], "code": None}], key=["code"])


def an_index_by_its_name():
    upsert(Item, items("a"))
    for nick in ("n", "m"):
        row = {"item": Item.get(), "guild": 1, "nick": nick}
        assert upsert(Place, [row], key="place_index", update=[Place.nick]).written == 1
    assert [place.nick for place in Place] == ["m"]


def a_null_where_none_may_be():
    rows = [{"name": "a", "count": 1}, {"name": "b", "count": None}]
    with pytest.raises(peewee.IntegrityError, match=r"^Item\.count: row 1: None: "):
        upsert(Item, rows)
    assert stored() == []


def the_row_that_failed():
    rows = [{"name": f"{n}", "count": 1 if n != 7 else None} for n in range(20)]
    with pytest.raises(peewee.IntegrityError, match=r"^Item\.count: row 7: None: "):
        upsert(Item, rows)
    failed = []
    assert upsert(Item, rows, on_error=failed.append).written == 19
    assert [row.row for row in failed] == [7]


def duplicates_may_be_skipped():
    upsert(Item, items("a", note="old"))
    result = upsert(Item, items("a", "b", "b", note="new"), on_conflict="ignore")
    assert (result.written, result.unchanged) == (1, 2)
    assert stored(Item.name, Item.note) == [("a", "old"), ("b", "new")]


def missing_values_of_pandas():
    frame = pandas.DataFrame({"name": ["a", "b"], "ratio": [1.5, np.nan], "note": ["n", None]})
    frame["count"] = pandas.array([1, 2], dtype="Int64")
    assert upsert(Item, frame).written == 2
    assert stored(Item.name, Item.ratio, Item.note, Item.count) == [("a", 1.5, "n", 1), ("b", None, None, 2)]


def a_generator_in_chunks():
    chunks = []
    rows = ({"name": f"{n}"} for n in range(25))
    assert upsert(Item, rows, chunk_size=10, on_chunk=chunks.append).written == 25
    assert [chunk.written for chunk in chunks] == [10, 10, 5]


def ids_of_instances_count():
    upsert(Item, [Item(id=5, name="C"), Item(id=4, name="D")])
    assert stored(Item.id, Item.name) == [(5, "C"), (4, "D")]


def what_happened_to_each_row():
    upsert(Item, items("a", "b", note="n"))
    rows = upsert(Item, [*items("a", note="n"), *items("b", "c", note="m")], returning=["name"]).rows
    assert [row.action for row in rows] == ["unchanged", "updated", "inserted"]


def unchanged_rows_draw_no_ids():
    upsert(Item, items("a", "b"))
    for _ in range(3):
        upsert(Item, items("a", "b"))
        upsert(Item, items("a", "b", note="x"), on_conflict="ignore")
    upsert(Item, items("c"))
    ids = [key for (key,) in stored(Item.id)]
    assert ids == list(range(ids[0], ids[0] + 3))


def the_same_key_twice():
    assert upsert(Item, [*items("a", note="first"), *items("a", note="last")]).written == 1
    assert stored(Item.note) == [("last",)]


def numbers_of_numpy():
    rows = [{"name": np.str_("a"), "count": np.int64(5), "ratio": np.float32(0.5), "updated": np.bool_(True)}]
    upsert(Item, rows)
    assert stored(Item.name, Item.count, Item.ratio, Item.updated) == [("a", 5, 0.5, True)]


#: Report, as owner/repository#number -> what it is about. Those of MySQL are tested there too.
REPORTS = {
    "coleifer/peewee#1069": many_rows_at_once,
    "coleifer/peewee#942": many_rows_at_once,
    "coleifer/peewee#753": many_rows_at_once,
    "coleifer/peewee#1855": other_values_for_each_row,
    "coleifer/peewee#2275": instances_and_their_ids,
    "coleifer/peewee#2298": instances_and_their_ids,
    "coleifer/peewee#2332": an_instance_by_itself,
    "coleifer/peewee#537": rows_that_exist_keep_their_ids,
    "coleifer/peewee#339": ids_of_all_rows,
    "coleifer/peewee#1407": ids_of_all_rows,
    "coleifer/peewee#1418": dictionaries_of_other_names,
    "coleifer/peewee#1873": dictionaries_of_other_names,
    "coleifer/peewee#2712": dictionaries_of_other_names,
    "coleifer/peewee#2730": rows_without_any_key,
    "coleifer/peewee#1415": names_of_columns,
    "coleifer/peewee#1823": rows_that_are_texts,
    "coleifer/peewee#429": a_default_for_each_row,
    "coleifer/peewee#948": more_values_than_a_statement_takes,
    "coleifer/peewee#2260": updates_by_id,
    "coleifer/peewee#1865": updates_by_id,
    "coleifer/peewee#2770": updates_by_id,
    "coleifer/peewee#1884": expressions_of_both_rows,
    "coleifer/peewee#2136": expressions_of_both_rows,
    "coleifer/peewee#1512": a_counter,
    "coleifer/peewee#1815": json_is_adapted_when_updated,
    "coleifer/peewee#2100": the_number_of_rows_changed,
    "coleifer/peewee#2577": the_number_of_rows_changed,
    "coleifer/peewee#2081": any_difference_counts,
    "coleifer/peewee#1860": a_partial_index,
    "coleifer/peewee#1737": an_index_by_its_name,
    "coleifer/peewee#1981": an_index_by_its_name,
    "coleifer/peewee#2476": a_null_where_none_may_be,
    "coleifer/peewee#2558": the_row_that_failed,
    "coleifer/peewee#736": duplicates_may_be_skipped,
    "coleifer/peewee#785": duplicates_may_be_skipped,
    "coleifer/peewee#2507": missing_values_of_pandas,
    "coleifer/peewee#1619": a_generator_in_chunks,
    "coleifer/peewee#1539": a_generator_in_chunks,
    "coleifer/peewee#2472": ids_of_instances_count,
    "pandas-dev/pandas#14553": missing_values_of_pandas,
    "django/new-features#69": what_happened_to_each_row,
    "AmbitionEng/django-pgbulk#38": what_happened_to_each_row,
    "prisma/orm#23197": unchanged_rows_draw_no_ids,
    "go-pg/pg#909": unchanged_rows_draw_no_ids,
    "artiomchi/FlexLabs.Upsert#75": the_same_key_twice,
    "psycopg/psycopg#761": numbers_of_numpy,
}


@pytest.mark.parametrize("case", dict.fromkeys(REPORTS.values()), ids=lambda case: case.__name__)
def test_what_was_reported_works_or_is_refused_in_one_line(tables, case):
    for model in reversed(MODELS):
        model.delete().execute()
    case()


def test_the_page_lists_every_report():
    linked = re.findall(r"https://github\.com/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d+)", PAGE.read_text())
    assert {f"{repository}#{number}" for repository, number in linked} == set(REPORTS)
    assert len(linked) == len(REPORTS)
