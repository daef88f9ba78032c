"""The only module that uses Peewee's private or untyped parts: small, typed functions.

Everything here was checked with Peewee 3.17.9 and 4.5. If a newer version breaks something, look here first.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

Model = type[peewee.Model]

#: How Peewee's text fields convert values (``_StringField.adapt``), except ``FixedCharField``.
STRING_ADAPT = peewee.TextField.adapt


@dataclass(frozen=True)
class IndexDefinition:
    """The declaration of an index; ``method`` is empty for the default, ``where`` is None for all rows."""

    name: str
    expressions: tuple[peewee.Node, ...]
    unique: bool
    method: str
    where: Any


def table_name(model: Model) -> str:
    """Return the name of the model's table (``_meta.table_name``)."""
    return str(model._meta.table_name)


def table_path(model: Model) -> tuple[str, ...]:
    """Return the name of the model's table, after that of its schema if it has one (``_meta.schema``)."""
    schema = model._meta.schema
    return (table_name(model),) if schema is None else (str(schema), table_name(model))


def fields_of(model: Model) -> list[peewee.Field]:
    """Return the fields in declaration order (``_meta.sorted_fields``)."""
    return list(model._meta.sorted_fields)


def fields_by_name(model: Model) -> dict[str, peewee.Field]:
    """Return the fields by name (``_meta.fields``)."""
    return dict(model._meta.fields)


def fields_by_column(model: Model) -> dict[str, peewee.Field]:
    """Return the fields by column name (``_meta.columns``)."""
    return dict(model._meta.columns)


def find_field(model: Model, name: Any) -> peewee.Field | None:
    """Return the field with a name, or else with that column's (``_meta.fields``, ``_meta.columns``)."""
    field: peewee.Field | None = model._meta.fields.get(name)
    return model._meta.columns.get(name) if field is None else field


def signature_of_model(model: Model) -> tuple[Any, ...]:
    """Return what changes if a model gets another table or schema, or one more field, default or index."""
    meta = model._meta
    return model, meta.schema, meta.table_name, len(meta.fields), len(meta.defaults), len(meta.indexes)


def primary_key_fields(model: Model) -> tuple[peewee.Field, ...]:
    """Return the fields of the primary key, empty if there is none (``_meta.get_primary_keys``)."""
    return tuple(model._meta.get_primary_keys())  # type: ignore[no-untyped-call]


def foreign_keys(model: Model) -> list[peewee.ForeignKeyField]:
    """Return the fields that refer to another table, in declaration order."""
    return [field for field in fields_of(model) if isinstance(field, peewee.ForeignKeyField)]


def defaults(model: Model) -> dict[peewee.Field, Any]:
    """Return the default of each field that has one, a value or a function (``_meta.defaults``)."""
    return dict(model._meta.defaults)


def check_constraints(model: Model) -> list[str]:
    """Return the expressions of the table's CHECK constraints (``_meta.constraints``)."""
    return [constraint.sql.removeprefix("CHECK ") for constraint in model._meta.constraints or ()]


def decimal_digits(field: peewee.Field) -> tuple[int, int]:
    """Return precision and scale of a decimal field (``max_digits``, ``decimal_places``)."""
    return int(getattr(field, "max_digits")), int(getattr(field, "decimal_places"))  # noqa: B009


def indexes_of(model: Model) -> list[peewee.ModelIndex]:
    """Return all indexes except the primary key's (``_meta.fields_to_index``)."""
    return model._meta.fields_to_index()


def index_definition(index: peewee.ModelIndex) -> IndexDefinition:
    """Return an index's declaration (``_name``, ``_expressions``, ``_unique``, ``_using``, ``_where``)."""
    private: Any = index
    return IndexDefinition(
        name=private._name,
        expressions=tuple(private._expressions),
        unique=bool(private._unique),
        method=private._using or "",
        where=private._where,
    )


def unique_keys(model: Model) -> list[tuple[tuple[peewee.Field, ...], Any]]:
    """Return the fields and the predicate (None: all rows) of each unique key except the primary key.

    ``unique=True`` fields come first, then ``Meta.indexes`` and ``add_index`` (``_meta.indexes``). Indexes on
    expressions are left out.
    """
    keys: list[tuple[tuple[peewee.Field, ...], Any]] = [
        ((field,), None) for field in fields_of(model) if field.unique and not field.primary_key
    ]
    by_name = fields_by_name(model)
    for index in model._meta.indexes:
        if isinstance(index, peewee.ModelIndex):
            definition = index_definition(index)
            fields = tuple(part for part in definition.expressions if isinstance(part, peewee.Field))
            if definition.unique and len(fields) == len(definition.expressions):
                keys.append((fields, definition.where))
        elif isinstance(index, list | tuple) and index[1]:
            keys.append((tuple(by_name[name] for name in index[0]), None))
    return keys


def instance_data(row: peewee.Model) -> dict[str, Any]:
    """Return the values of a model's instance by field name (``__data__``)."""
    return dict(row.__data__)


def bound_database(model: Model) -> peewee.Database:
    """Return the database that a model is bound to, directly or through a proxy (``_meta.database``).

    Raises:
      ValueError: the model is not bound to a database.
    """
    database = unwrapped(model._meta.database)
    if not isinstance(database, peewee.Database):
        raise ValueError(f"{model.__name__} is not bound to a database; name one with database=")
    return database


def unwrapped(database: Any) -> Any:
    """Return the database behind a proxy; others as they are."""
    return database.obj if isinstance(database, peewee.Proxy) else database


def to_database(field: peewee.Field, value: Any) -> Any:
    """Convert a value to a statement parameter, as the field does (``Field.db_value``)."""
    return field.db_value(value)  # type: ignore[no-untyped-call]


def from_database(field: peewee.Field, value: Any) -> Any:
    """Convert a value returned by the driver, as the field does (``Field.python_value``)."""
    return field.python_value(value)  # type: ignore[no-untyped-call]


def compile_query(database: peewee.Database, node: Any) -> tuple[str, list[Any]]:
    """Return the SQL and the parameters of a query or expression in the database's dialect.

    ``Query.sql()`` would use the dialect of the database that the model is bound to.
    """
    context: peewee.Context = database.get_sql_context().sql(node)  # type: ignore[no-untyped-call]
    return context.query()


def compile_escaped(database: peewee.Database, node: Any) -> tuple[str, list[Any]]:
    """Return SQL and parameters for a driver, which takes a percent sign in a name for a placeholder.

    It is for ``execute_sql`` of PostgreSQL and MySQL; for SQLite, it is the same as ``compile_query``.
    """
    if isinstance(database, peewee.SqliteDatabase):
        return compile_query(database, node)
    context: peewee.Context = database.get_sql_context(param="\0").sql(node)  # type: ignore[no-untyped-call]
    sql, parameters = context.query()
    return sql.replace("%", "%%").replace("\0", "%s"), parameters


def excluded_name(node: Any) -> str | None:
    """Return the column's name if a node is an attribute of ``peewee.EXCLUDED`` (``NamespaceAttribute``)."""
    attribute: Any = node
    if type(node).__name__ == "NamespaceAttribute" and attribute._namespace is peewee.EXCLUDED:
        return str(attribute._attribute)
    return None


def parameters_of(expression: peewee.Node) -> list[Any]:
    """Return the parameters of an expression, which are the same in every dialect."""
    context: peewee.Context = peewee.Context().sql(expression)  # type: ignore[no-untyped-call]
    return context.query()[1]


def column_type(database: peewee.Database, field: peewee.Field) -> str:
    """Return the type of the field's column as written in the database's DDL (``Field.ddl_datatype``)."""
    return str(field.ddl_datatype(database.get_sql_context()).sql)


def execute_sql(database: peewee.Database, sql: str, parameters: Sequence[Any] | None = None) -> Any:
    """Run one statement and return the driver's cursor (``Database.execute_sql``)."""
    return database.execute_sql(sql, parameters)  # type: ignore[no-untyped-call]


def execute(database: peewee.Database, query: Any) -> Any:
    """Run a query and return the driver's cursor, whose rows are not converted (``Database.execute``)."""
    return database.execute(query)  # type: ignore[no-untyped-call]


def exists(database: peewee.Database, query: Any) -> bool:
    """Return whether a query yields any row.

    In Peewee 3.17, ``SelectBase.exists`` queries the database that the model is bound to.
    """
    return bool(peewee.Select(columns=[peewee.fn.EXISTS(query)]).scalar(database))


def insert_rows(database: peewee.Database, model: Model, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, given by field names, in one statement.

    ``ModelInsert.__init__`` would add a RETURNING clause if the database that the model is bound to supports
    it.
    """
    execute(database, model.insert_many(rows).returning())


def primary_key_columns(database: peewee.Database, table: str) -> tuple[str, ...]:
    """Return the names of a table's primary key columns (``Database.get_primary_keys``)."""
    return tuple(database.get_primary_keys(table))


@contextlib.contextmanager
def driver_cursor(database: peewee.Database) -> Iterator[Any]:
    """Yield a driver cursor, with the driver's errors converted to Peewee's (``__exception_wrapper__``)."""
    with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
        yield database.cursor()  # type: ignore[no-untyped-call]


def driver_connection(database: peewee.Database) -> Any:
    """Return this thread's connection, opening it if necessary (``Database.connection``)."""
    return database.connection()  # type: ignore[no-untyped-call]


def in_manual_commit(database: peewee.Database) -> bool:
    """Return whether the innermost block is ``manual_commit()`` (``Database.top_transaction``)."""
    top: Any = database.top_transaction()  # type: ignore[no-untyped-call]
    return type(top).__name__ == "_manual"


def has_atomic(database: peewee.Database) -> bool:
    """Return whether the database has transactions; one that queues writes for a thread has none."""
    return getattr(type(database).atomic, "__name__", "") != "__unsupported__"


def detach_connection(database: peewee.Database) -> Any:
    """Detach this thread's connection without closing it, and return it (``Database._state``)."""
    state = database._state  # type: ignore[attr-defined]
    connection = state.conn
    state.reset()
    return connection


def create_table(database: peewee.Database, model: Model) -> None:
    """Create the model's table and its indexes, which must not exist (as ``_schema`` does)."""
    schema = peewee.SchemaManager(model, database)
    schema.create_table(safe=False)
    schema.create_indexes(safe=False)
