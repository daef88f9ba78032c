"""A table with a column of every type, and values for each: what is fit and what is not."""

import datetime
import decimal

import peewee
from hypothesis import strategies as st
from playhouse import postgres_ext

EAST = datetime.timezone(datetime.timedelta(hours=2))


class Cents(peewee.IntegerField):
    def db_value(self, value):
        return None if value is None else round(value * 100)


class Sealed(peewee.TextField):
    def db_value(self, value):
        return (
            None if value is None else "sealed:" + (value.encode() if isinstance(value, str) else value).hex()
        )


class EmptyIsNull(peewee.CharField):
    def db_value(self, value):
        return value or None


class FirstOfMonth(peewee.DateField):
    def db_value(self, value):
        return value and value.replace(day=1)


class LocalTime(peewee.DateTimeField):
    def db_value(self, value):
        return value and value - datetime.timedelta(hours=3)


def real_type(name, base=peewee.TextField):
    """Return a field of text whose real column is of another type."""
    return type("Real", (base,), {"field_type": name})(null=True)


def fields(postgresql: bool) -> dict[str, peewee.Field]:
    """Return a field of each type that a kind of database has."""
    everywhere = {
        "whole": peewee.IntegerField(null=True),
        "big": peewee.BigIntegerField(null=True),
        "short": peewee.SmallIntegerField(null=True),
        "single": peewee.FloatField(null=True),
        "ratio": peewee.DoubleField(null=True),
        "price": peewee.DecimalField(10, 2, null=True),
        "down": peewee.DecimalField(10, 2, auto_round=True, rounding=decimal.ROUND_DOWN, null=True),
        "wide": peewee.DecimalField(38, 18, null=True),
        "name": peewee.CharField(max_length=12, null=True),
        "note": peewee.TextField(null=True),
        "fixed": peewee.FixedCharField(max_length=4, null=True),
        "good": peewee.BooleanField(null=True),
        "day": peewee.DateField(null=True),
        "at": peewee.DateTimeField(null=True),
        "clock": peewee.TimeField(null=True),
        "stamp": peewee.TimestampField(null=True, default=None),
        "address": peewee.IPField(null=True),
        "uid": peewee.UUIDField(null=True),
        "raw_uid": peewee.BinaryUUIDField(null=True),
        "blob": peewee.BlobField(null=True),
        "cents": Cents(null=True),
        "sealed": Sealed(null=True),
        "nothing": EmptyIsNull(null=True),
        "month": FirstOfMonth(null=True),
        "local": LocalTime(null=True),
    }
    if not postgresql:
        return {**everywhere, "bare": peewee.BareField(null=True)}
    return {
        **everywhere,
        "moment": postgres_ext.DateTimeTZField(null=True),
        "document": postgres_ext.BinaryJSONField(null=True, index=False),
        "text_document": postgres_ext.JSONField(null=True),
        "numbers": postgres_ext.ArrayField(peewee.IntegerField, null=True, index=False),
        "words": postgres_ext.ArrayField(peewee.TextField, null=True, index=False),
        "span": postgres_ext.IntervalField(null=True),
        "network": real_type("inet"),
        "parsed": real_type("jsonb"),
        "identity": real_type("uuid"),
        "mood": real_type("mood"),
        "limited": real_type("varchar(3)"),
        "narrow": real_type("smallint", peewee.IntegerField),
        "exact": real_type("numeric", peewee.IntegerField),
        "loose": real_type("numeric", peewee.DecimalField),
    }


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
integers = st.integers(-(2**15), 2**15 - 1)
dates = st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31))
moments = st.datetimes(datetime.datetime(1902, 1, 1), datetime.datetime(2200, 1, 1))
prices = st.decimals(-9999999, 9999999, places=2)
floats = st.floats(-(2.0**100), 2.0**100, allow_nan=False, width=32)
documents = st.recursive(
    st.booleans() | integers | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=3,
).filter(lambda value: value not in (None, ""))

#: Column -> values that it accepts, in the forms in which people give them.
VALUES = {
    "whole": integers | st.sampled_from([True, "12", 2.9, decimal.Decimal("3.5")]),
    "big": st.integers(-(2**63), 2**63 - 1),
    "short": integers,
    "single": floats | st.sampled_from([0.1, -0.0, 16777217.0, float("inf")]),
    "ratio": st.floats(allow_nan=False, min_value=-1e300, max_value=1e300) | st.sampled_from([-0.0, 7]),
    "price": prices | st.sampled_from([0, 1.005, "12.5", decimal.Decimal("0.125")]),
    "down": prices | st.sampled_from([decimal.Decimal("0.129"), 1.999, "7"]),
    "wide": st.decimals(-(10**19), 10**19, places=18),
    "name": words | st.sampled_from([5, b"bytes", "", " x "]),
    "note": words | st.just("long " * 50),
    "fixed": words.map(lambda text: text[:4]),
    "good": st.booleans() | st.sampled_from(["false", 0, 1]),
    "day": dates | moments | st.just("2026-03-01"),
    "at": moments | st.sampled_from(["2026-03-01 10:00", datetime.datetime(2026, 3, 1, 12, tzinfo=EAST)]),
    "clock": st.times() | st.just("10:20"),
    "stamp": moments | st.sampled_from([1767225600, 1767225600.75]),
    "address": st.ip_addresses(v=4).map(str),
    "uid": st.uuids() | st.uuids().map(lambda value: str(value).upper()),
    "raw_uid": st.uuids(),
    "blob": st.binary(max_size=6) | st.just(memoryview(b"seen")),
    "cents": st.sampled_from([12.5, 0.29, 7]),
    "sealed": words | st.binary(max_size=4),
    "nothing": words | st.just(""),
    "month": dates,
    "local": moments,
    "bare": integers | words | floats,
    "moment": moments | st.just(datetime.datetime(2026, 3, 1, 12, tzinfo=EAST)),
    "document": documents,
    "text_document": documents,
    "numbers": st.lists(integers, min_size=1, max_size=3),
    "words": st.lists(words, min_size=1, max_size=2),
    "span": st.sampled_from(["30 days", "1 month", datetime.timedelta(days=3, seconds=5)]),
    "network": st.ip_addresses(v=4).map(str) | st.just("10.0.0.0/8"),
    "parsed": st.sampled_from(['{"a": 1}', '{"a": 1.0}', "[]"]),
    "identity": st.uuids().map(str),
    "mood": st.sampled_from(["glad", "sad"]),
    "limited": st.text("ab", max_size=3),
    "narrow": integers,
    "exact": st.integers(-(10**30), 10**30),
    "loose": st.sampled_from([decimal.Decimal("1.0"), decimal.Decimal("1.00"), decimal.Decimal("1E+3")]),
}

#: Values that plain Peewee cannot store in a column on PostgreSQL, of which some are stored by others.
UNFIT = [
    ("whole", "abc"),
    ("whole", 2**40),
    ("short", 2**15),
    ("single", 1e300),
    ("single", 1e-60),
    ("price", decimal.Decimal("1e9")),
    ("price", ""),
    ("name", "longer than twelve"),
    ("name", "nul\x00nul"),
    ("name", "half\ud83d"),
    ("name", b"\xff"),
    ("at", 1767225600),
    ("at", ""),
    ("uid", "no uuid"),
    ("raw_uid", 5),
    ("document", {"a": "x\x00y"}),
    ("network", "1.2.3.4.5"),
    ("parsed", "{"),
    ("mood", "bored"),
    ("limited", "abcd"),
    ("narrow", 2**20),
    ("numbers", ["x"]),
]
