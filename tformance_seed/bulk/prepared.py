"""Statements that Peewee compiles only once, because compiling them takes longer than running them."""

from collections.abc import Callable
from typing import Any, Protocol

import peewee

from tformance_seed.bulk.peewee_internals import compile_query, execute_sql, to_database


class Parameters(Protocol):
    """A function that creates the parameters of a statement."""

    def __call__(self, name: str, field: peewee.Field | None = None) -> peewee.Value:
        """Return a named parameter; if a field is given, its values are converted as the field's are."""


class PreparedStatement:
    """A statement that is compiled once per kind of database and run with different values.

    Parameters:
      build: returns the query for a database, with parameters in place of values.
    """

    def __init__(self, build: Callable[[peewee.Database, Parameters], peewee.Node]) -> None:
        self._build = build
        self._compiled: dict[type[peewee.Database], tuple[str, list[Any]]] = {}

    def __call__(self, database: peewee.Database, **values: Any) -> Any:
        """Run the statement and return the driver's cursor, whose rows are not converted."""
        kind = type(database)
        if kind not in self._compiled:
            self._compiled[kind] = compile_query(database, self._build(database, _parameter))
        sql, parameters = self._compiled[kind]
        bound = [p.value(values) if isinstance(p, _Parameter) else p for p in parameters]
        return execute_sql(database, sql, bound)


class _Parameter:
    """A placeholder for a value in a compiled statement."""

    def __init__(self, name: str, field: peewee.Field | None) -> None:
        self._name, self._field = name, field

    def value(self, values: dict[str, Any]) -> Any:
        value = values[self._name]
        return value if self._field is None else to_database(self._field, value)


def _parameter(name: str, field: peewee.Field | None = None) -> peewee.Value:
    return peewee.Value(_Parameter(name, field), converter=False)
