"""Read a team's rows in an order, with ids and in a form that do not depend on the database.

Rows are ordered by natural keys, texts byte by byte, and their ids are numbered in this order, so that
neither the kind of database nor the history of its runs shows.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import fields_of, table_name, unique_keys
from tformance_seed.errors import SeedError
from tformance_seed.storage.models import ApplicationModel, Team
from tformance_seed.storage.models.fields import JSONField, NumericField, TimestampField
from tformance_seed.verification.canonical import (
    UNORDERED,
    Column,
    bytewise,
    canonical_json,
    converted,
    stream,
)
from tformance_seed.verification.natural_keys import natural_key, team_field

#: Rows of a chunk.
CHUNK_ROWS = 5_000

#: Stands for NULL among ids, which are positive.
NO_ID = -1

#: A column of a chunk. None is NULL; numbers without a fraction are ints, booleans 0 or 1. All else is text:
#: decimals with all their digits, dates as ``2026-03-18``, times in UTC as ``2026-03-18 10:00:00``, with six
#: digits of a fraction if there is one, and canonical JSON.
Values = list[Any]


class Numbers:
    """The new ids of a table's rows, and the old ones that they replace.

    Memory is 16 bytes for each row of one team.
    """

    def __init__(self) -> None:
        self._next = 1
        self._first = 1
        self._old = array("q")
        self._sorted: tuple[Any, Any] | None = None

    def begin_team(self) -> None:
        """Forget the old ids: those of another team follow."""
        self._first, self._old, self._sorted = self._next, array("q"), None

    def number(self, old: Sequence[int]) -> list[int]:
        """Return new ids for rows, which follow those that were numbered before."""
        first = self._next
        self._old.extend(old)
        self._next += len(old)
        return list(range(first, self._next))

    def replace(self, old: Sequence[int | None], what: str) -> Values:
        """Return the new ids of rows of the team that were numbered.

        Raises:
          SeedError: one of them was not, so it is another team's.
        """
        is_there, new = self._find(old)
        if not all(there or each is None for there, each in zip(is_there, old, strict=True)):
            raise SeedError(f"{what} refers to a row of another team, which is not exported")
        return [number if there else None for there, number in zip(is_there, new, strict=True)]

    def replace_known(self, old: Sequence[int]) -> list[int]:
        """Return the new ids of those of the rows that were numbered; the others are gone."""
        return [number for there, number in zip(*self._find(old), strict=True) if there]

    def _find(self, old: Sequence[int | None]) -> tuple[list[bool], list[int]]:
        """Return whether rows were numbered, and their new ids, which mean nothing for the others."""
        if self._sorted is None:
            numbers = np.frombuffer(self._old, dtype=np.int64)
            order = np.argsort(numbers, kind="stable")
            self._sorted = numbers[order], order + self._first
        known, new = self._sorted
        if not len(known):
            return [False] * len(old), [0] * len(old)
        wanted = np.array([NO_ID if each is None else each for each in old], dtype=np.int64)
        positions = np.searchsorted(known, wanted).clip(max=len(known) - 1)
        return (known[positions] == wanted).tolist(), new[positions].tolist()


def chunks(
    database: peewee.Database,
    model: type[ApplicationModel],
    team_id: int,
    numbers: dict[type[peewee.Model], Numbers],
) -> Iterator[list[Values]]:
    """Yield a team's rows of a table: chunks of the columns of all fields, in their order.

    Call it within a transaction in which ``set_canonical`` was called.

    Parameters:
      numbers: table -> ids of the rows that were read before, of this team; those of this table are added.
    """
    rows = stream(database, _query(database, model, team_id))
    if model in UNORDERED:
        yield from _pairs(model, list(rows), numbers)
        return
    while portion := list(islice(rows, CHUNK_ROWS)):
        columns = [list(column) for column in zip(*portion, strict=True)]
        yield [
            _replaced(model, field, column, numbers)
            for field, column in zip(fields_of(model), columns, strict=True)
        ]


def _replaced(
    model: type[ApplicationModel],
    field: peewee.Field,
    values: Values,
    numbers: dict[type[peewee.Model], Numbers],
) -> Values:
    if field.primary_key:
        return list(numbers[model].number(values))
    if isinstance(field, peewee.ForeignKeyField):
        return numbers[field.rel_model].replace(values, f"{table_name(model)}.{field.column_name}")
    if isinstance(field, JSONField):
        return [None if text is None else canonical_json(text) for text in values]
    if isinstance(field, TimestampField):
        return [None if text is None else _time(text) for text in values]
    return values


def _time(text: str) -> str:
    """Return a time without its offset, which is zero, and with six digits of a fraction or none."""
    text = text.removesuffix("+00")
    return text if "." not in text else text.ljust(len("2026-03-18 10:00:00.000000"), "0")


def _pairs(
    model: type[ApplicationModel], rows: list[tuple[Any, ...]], numbers: dict[type[peewee.Model], Numbers]
) -> Iterator[list[Values]]:
    """Yield rows of pairs of references, each with the lesser new id first, ordered by both of them.

    There are no more of them than pairs of people, so all of a team's are held.
    """
    if not rows:
        return
    fields = fields_of(model)
    names = {field.name for field in UNORDERED[model]}  # fields themselves overload ==
    places = [place for place, field in enumerate(fields) if field.name in names]
    columns = [list(column) for column in zip(*rows, strict=True)]
    replaced = [
        _replaced(model, field, column, numbers) if not field.primary_key else column
        for field, column in zip(fields, columns, strict=True)
    ]
    pairs = [sorted(pair) for pair in zip(*(replaced[place] for place in places), strict=True)]
    order = sorted(range(len(pairs)), key=pairs.__getitem__)
    for place, column in zip(places, zip(*pairs, strict=True), strict=True):
        replaced[place] = list(column)
    for first in range(0, len(order), CHUNK_ROWS):
        portion = order[first : first + CHUNK_ROWS]
        yield [
            list(numbers[model].number([column[row] for row in portion]))
            if field.primary_key
            else [column[row] for row in portion]
            for field, column in zip(fields, replaced, strict=True)
        ]


def _query(database: peewee.Database, model: type[ApplicationModel], team_id: int) -> peewee.Select:
    """Return the query for a team's rows, all fields in their order, ordered by natural keys."""
    query = model.select(*(_selected(database, field) for field in fields_of(model)))
    terms, joins = _order(database, model, _sort_fields(model))
    for source, target, on in joins:
        query = query.join_from(source, target, peewee.JOIN.LEFT_OUTER, on=on)
    ordered: peewee.Select = query.where(team_field(model) == team_id).order_by(*terms)
    return ordered


def _selected(database: peewee.Database, field: peewee.Field) -> Any:
    if isinstance(field, JSONField | peewee.DateField):
        return field.cast("TEXT")
    if isinstance(field, TimestampField | NumericField):
        return field.cast("TEXT") if is_postgresql(database) else converted(database, field, field)
    return converted(database, field, field)


def _sort_fields(model: type[ApplicationModel]) -> list[peewee.Field]:
    """Return the fields by which rows are ordered: a unique key, or if none covers all rows, what is there.

    The team is left out. Texts of JSON differ from database to database, so nothing is ordered by them.
    """
    plain = [
        field
        for field in fields_of(model)
        if not field.primary_key and not isinstance(field, JSONField) and not _is_team(field)
    ]
    keys = unique_keys(model)
    for fields, where in keys:
        key = [field for field in fields if not _is_team(field)]
        if where is None and not any(field.null for field in key):
            return key
    first = [*natural_key(model)] if keys else []
    names = {field.name for field in first}  # fields themselves overload ==
    return [field for field in first if not field.primary_key] + [
        field for field in plain if field.name not in names
    ]


def _is_team(field: peewee.Field) -> bool:
    return getattr(field, "rel_model", None) is Team


def _order(
    database: peewee.Database, source: Any, fields: Sequence[peewee.Field]
) -> tuple[list[Column], list[tuple[Any, Any, peewee.Expression]]]:
    """Return the terms by which rows are ordered, NULL first, and the joins that these need."""
    terms: list[Column] = []
    joins: list[tuple[Any, Any, peewee.Expression]] = []
    for field in fields:
        column = getattr(source, field.name)
        if field.null:
            terms.append(column.is_null(False))
        if isinstance(field, peewee.ForeignKeyField):
            target = field.rel_model.alias()
            joins.append((source, target, column == target.id))
            more, further = _order(database, target, natural_key(field.rel_model))
            terms, joins = terms + more, joins + further
        elif isinstance(field, peewee.CharField | peewee.TextField):
            terms.append(bytewise(database, column))
        else:
            terms.append(column)
    return terms, joins
