"""Makes the rows of a table equal to the result of a query, touching only those that differ."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import peewee

from tformance_seed.bulk import is_distinct, unique_key
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.storage.models import ApplicationModel


class Refresh:
    """Brings a table up to date with a query: what a concurrent refresh of a materialized view does.

    PostgreSQL does it in one statement; SQLite, which has no data-modifying CTEs, in one transaction.

    Parameters:
      model: a table with a unique key; rows are matched by it.
      computed: makes the query, which yields ``content(model)`` under the names of the columns.
      scope: which rows of the table the query speaks for; those it does not yield are deleted.
    """

    def __init__(
        self,
        model: type[ApplicationModel],
        computed: Callable[[peewee.Database, Parameters], peewee.SelectBase],
        scope: Callable[[Parameters], peewee.Expression],
    ) -> None:
        self._model, self._computed, self._scope = model, computed, scope
        self._at_once = PreparedStatement(self._all)
        self._one_by_one = [PreparedStatement(functools.partial(self._part, place)) for place in range(2)]
        self._count = PreparedStatement(
            lambda _, value: model.select(peewee.fn.COUNT(model.id)).where(scope(value))
        )

    def __call__(self, database: peewee.Database, *, above: int = 0, **values: Any) -> tuple[int, int]:
        """Do it.

        Parameters:
          above: rows up to this id are somebody else's and stay as they are.
          values: of the parameters.

        Returns:
          How many rows were inserted, changed or deleted, and how many were right already.
        """
        values["above"] = above
        if is_postgresql(database):
            in_all, upserted, deleted = self._at_once(database, **values).fetchone()
        else:
            with database.atomic():
                deleted, upserted = (
                    changes(database, statement(database, **values)) for statement in self._one_by_one
                )
                (in_all,) = self._count(database, **values).fetchone()
        return upserted + deleted, in_all - upserted

    def _all(self, database: peewee.Database, value: Parameters) -> peewee.Select:
        rows, (delete, insert) = self._parts(database, value)
        gone = peewee.CTE("gone", delete.returning(self._model.id))
        written = peewee.CTE("written", insert)
        counts = [peewee.Select([cte], [peewee.fn.COUNT(peewee.SQL("*"))]) for cte in (rows, written, gone)]
        return peewee.Select(columns=counts).with_cte(rows, gone, written)

    def _part(self, place: int, database: peewee.Database, value: Parameters) -> peewee.Query:
        rows, statements = self._parts(database, value)
        return statements[place].with_cte(rows)

    def _parts(
        self, database: peewee.Database, value: Parameters
    ) -> tuple[peewee.CTE, tuple[peewee.Query, peewee.Query]]:
        """What was computed; what deletes the rows that it has not, and what brings the others in."""
        model, key = self._model, unique_key(self._model).fields
        fields = content(model)
        names = {field.name for field in key}  # fields themselves overload ==
        values = [field for field in fields if field.name not in names]
        rows = peewee.CTE("computed", self._computed(database, value))

        def selected(of: Sequence[peewee.Field]) -> peewee.Select:
            return peewee.Select([rows], [getattr(rows.c, field.column_name) for field in of])

        excluded = [getattr(peewee.EXCLUDED, field.column_name) for field in values]
        differs = is_distinct(database, peewee.Tuple(*values), peewee.Tuple(*excluded))
        # ON CONFLICT alone would lock the rows that are the same already.
        same_key = [field == getattr(rows.c, field.column_name) for field in key]
        new = peewee.Tuple(*(getattr(rows.c, field.column_name) for field in values))
        held = model.select(is_distinct(database, peewee.Tuple(*values), new)).where(*same_key)
        other = peewee.Expression(held, "IS NOT", peewee.SQL("FALSE"))
        own = model.id > value("above")
        insert = model.insert_from(selected(fields).where(other), fields).on_conflict(
            conflict_target=key, preserve=values, where=own & differs
        )
        delete = model.delete().where(self._scope(value), own, peewee.Tuple(*key).not_in(selected(key)))
        return rows, (delete, insert)


def content(model: type[ApplicationModel]) -> list[peewee.Field]:
    """The fields of a model but the id."""
    return [field for field in model._meta.sorted_fields if not field.primary_key]


def changes(database: peewee.Database, cursor: Any) -> int:
    """How many rows the statement of a cursor changed; on SQLite it must be the last one that did."""
    if is_postgresql(database):
        return cursor.rowcount
    # SQLite's driver does not say for a statement with a CTE.
    return peewee.Select(columns=[peewee.fn.changes()]).scalar(database)
