"""Statements that Peewee writes once, for what is done so often that writing takes longer than running."""

from collections.abc import Callable
from typing import Any, Protocol

import peewee


class Parameters(Protocol):
    """What makes the parameters of a statement."""

    def __call__(self, name: str, field: peewee.Field | None = None) -> peewee.Value:
        """A named parameter; its values are converted as those of a field, if any."""


class PreparedStatement:
    """A statement of which only the values of its parameters differ from call to call.

    Parameters:
      build: makes the query for a database, with parameters where values will be.
    """

    def __init__(self, build: Callable[[peewee.Database, Parameters], peewee.Node]) -> None:
        self._build = build
        self._written: dict[type[peewee.Database], tuple[str, list[Any]]] = {}

    def __call__(self, database: peewee.Database, **values: Any) -> Any:
        """Run it: the driver's cursor, whose rows no field has converted."""
        kind = type(database)
        if kind not in self._written:
            context = database.get_sql_context()
            self._written[kind] = context.sql(self._build(database, _parameter)).query()
        sql, parameters = self._written[kind]
        return database.execute_sql(
            sql, [p.of(values) if isinstance(p, _Parameter) else p for p in parameters]
        )


class _Parameter:
    """What stands for a value while a statement is written."""

    def __init__(self, name: str, field: peewee.Field | None) -> None:
        self._name, self._field = name, field

    def of(self, values: dict[str, Any]) -> Any:
        value = values[self._name]
        return value if self._field is None else self._field.db_value(value)


def _parameter(name: str, field: peewee.Field | None = None) -> peewee.Value:
    return peewee.Value(_Parameter(name, field), converter=False)
