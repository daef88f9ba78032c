"""Models of no application, and rows for them."""

import numpy as np
import peewee

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
