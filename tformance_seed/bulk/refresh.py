"""Bring the rows of a table up to date with a query, touching only those that differ."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.conditional_update import is_new_or_different, update_on_conflict
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.keys import unique_key
from tformance_seed.bulk.peewee_internals import fields_of, primary_key_fields
from tformance_seed.bulk.prepared import Parameters, PreparedStatement


class Refresh:
    """Brings a table up to date with a query, like a concurrent refresh of a materialized view.

    On PostgreSQL this takes one statement; on SQLite, which has no data-modifying CTEs, one transaction.

    Parameters:
      model: a table with a generated id and a unique key; rows are matched by the key.
      computed: returns the query, which yields ``non_id_fields(model)`` under their column names.
      scope: returns a condition for the rows that the query covers; those that it does not yield are deleted.
    """

    def __init__(
        self,
        model: type[peewee.Model],
        computed: Callable[[peewee.Database, Parameters], peewee.SelectBase],
        scope: Callable[[Parameters], peewee.Expression],
    ) -> None:
        self._model, self._computed, self._scope = model, computed, scope
        (self._id,) = primary_key_fields(model)
        self._all_at_once = PreparedStatement(self._single_statement)
        self._one_by_one = [PreparedStatement(functools.partial(self._statement, index)) for index in (0, 1)]
        self._count = PreparedStatement(
            lambda _, value: model.select(peewee.fn.COUNT(self._id)).where(scope(value))
        )

    def __call__(self, database: peewee.Database, *, after_id: int = 0, **values: Any) -> tuple[int, int]:
        """Refresh the table.

        Parameters:
          after_id: rows with an id up to this one are neither changed nor deleted.
          values: values for the parameters of the query and the condition.

        Returns:
          The number of rows inserted, changed or deleted, and the number of rows already up to date.
        """
        values["after_id"] = after_id
        if is_postgresql(database):
            in_all, upserted, deleted = self._all_at_once(database, **values).fetchone()
        else:
            with database.atomic():
                deleted, upserted = (
                    rows_changed(database, statement(database, **values)) for statement in self._one_by_one
                )
                (in_all,) = self._count(database, **values).fetchone()
        return upserted + deleted, in_all - upserted

    def _single_statement(self, database: peewee.Database, value: Parameters) -> peewee.Select:
        rows, (delete, insert) = self._statements(database, value)
        deleted = peewee.CTE("deleted", delete.returning(self._id))
        written = peewee.CTE("written", insert.returning(self._id))
        counts = [
            peewee.Select([cte], [peewee.fn.COUNT(peewee.SQL("*"))]) for cte in (rows, written, deleted)
        ]
        return peewee.Select(columns=counts).with_cte(rows, deleted, written)

    def _statement(self, index: int, database: peewee.Database, value: Parameters) -> peewee.Query:
        rows, statements = self._statements(database, value)
        return statements[index].with_cte(rows)

    def _statements(
        self, database: peewee.Database, value: Parameters
    ) -> tuple[peewee.CTE, tuple[peewee.ModelDelete, peewee.ModelInsert]]:
        """Return the CTE of computed rows, and the statements that delete other rows and upsert these."""
        model, key = self._model, unique_key(self._model)
        key_names = {field.name for field in key.fields}  # fields themselves overload ==
        fields = non_id_fields(model)
        updated = [field for field in fields if field.name not in key_names]
        rows = peewee.CTE("computed", self._computed(database, value))
        new = {field.column_name: getattr(rows.c, field.column_name) for field in fields}

        def select(columns: Sequence[peewee.Field]) -> peewee.Select:
            return peewee.Select([rows], [getattr(rows.c, field.column_name) for field in columns])

        refreshed = self._id > value("after_id")
        source = select(fields).where(is_new_or_different(database, model, key, updated, new, new))
        insert = update_on_conflict(
            database,
            model.insert_from(source, fields).returning(),
            key,
            dict.fromkeys(updated),
            new,
            condition=refreshed,
        )
        gone = peewee.Tuple(*key.fields).not_in(select(key.fields))
        delete = model.delete().where(self._scope(value), refreshed, gone)
        return rows, (delete, insert)


def non_id_fields(model: type[peewee.Model]) -> list[peewee.Field]:
    """Return all fields of a model except the primary key."""
    return [field for field in fields_of(model) if not field.primary_key]


def rows_changed(database: peewee.Database, cursor: Any) -> int:
    """Return the number of rows that a cursor's statement changed.

    On SQLite, no other statement may have changed rows since.
    """
    if is_postgresql(database):
        return int(cursor.rowcount)
    # SQLite's driver does not report the number for a statement with a CTE.
    return int(peewee.Select(columns=[peewee.fn.changes()]).scalar(database))
