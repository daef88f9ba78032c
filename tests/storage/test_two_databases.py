"""One process works on PostgreSQL and SQLite at once: neither models nor fields know a database."""

import datetime
import decimal
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from tests.support.servers import Postgres
from tformance_seed.bulk import upsert
from tformance_seed.bulk.peewee_internals import create_table, insert_rows
from tformance_seed.storage.connection import connect
from tformance_seed.storage.models.fields import JSONField, NumericField, TimestampField

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


class Unbound(peewee.Model):
    name = peewee.CharField(unique=True)
    at = TimestampField()
    price = NumericField(6, 2, null=True)
    document = JSONField(null=True)


@pytest.fixture
def databases(server: Postgres, tmp_path: Path) -> Iterator[list[peewee.Database]]:
    opened = [connect(url) for url in (server.new_database(), f"sqlite:///{tmp_path}/test.db")]
    for database in opened:
        create_table(database, Unbound)
    yield opened
    for database in opened:
        database.close()


def test_the_same_rows_are_read_back_from_both(
    databases: list[peewee.Database],
) -> None:
    rows = {
        "name": ["a", "b", "c"],
        "at": [NOON, NOON.astimezone(datetime.timezone(datetime.timedelta(hours=5))), NOON],
        "price": [decimal.Decimal("12.34"), None, decimal.Decimal("0.10")],
        "document": [{"b": [1]}, None, "text"],
    }
    read = []
    for database in databases:
        assert upsert(Unbound, rows, database=database).written == 3
        assert upsert(Unbound, rows, database=database).unchanged == 3
        read.append(list(Unbound.select().order_by(Unbound.name).tuples().execute(database)))
    assert read[0] == read[1]
    assert [row[1:] for row in read[0]] == list(
        zip(rows["name"], [NOON] * 3, *list(rows.values())[2:], strict=True)
    )


def test_values_are_compared_in_each_database_as_it_keeps_them(databases: list[peewee.Database]) -> None:
    later = NOON + datetime.timedelta(microseconds=1)
    for database in databases:
        rows = [
            {"name": name, "at": at, "price": decimal.Decimal(price)}
            for name, at, price in (("a", NOON, "1.50"), ("b", later, "10.00"))
        ]
        insert_rows(database, Unbound, rows)
        for condition, names in (
            (Unbound.at == NOON, ["a"]),
            (Unbound.at > NOON, ["b"]),
            (Unbound.price == decimal.Decimal("1.5"), ["a"]),
            (Unbound.price < 2, ["a"]),
            (peewee.fn.COALESCE(Unbound.price, 0) > Unbound.price.to_value(decimal.Decimal(2)), ["b"]),
        ):
            query = Unbound.select(Unbound.name).where(condition).tuples()
            assert [name for (name,) in query.execute(database)] == names


def test_a_model_that_is_bound_to_nothing_needs_a_database() -> None:
    with pytest.raises(ValueError, match="Unbound is not bound to a database; name one with database="):
        upsert(Unbound, {"name": ["a"], "at": [NOON]})
