"""The schema of a table (columns, indexes, foreign keys, checks), and the schema that the models expect."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import peewee

from tformance_seed.bulk import unique_key
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import (
    check_constraints,
    column_type,
    compile_query,
    fields_of,
    foreign_keys,
    index_definition,
    indexes_of,
    primary_key_fields,
    table_name,
)
from tformance_seed.storage.models import APPLICATION
from tformance_seed.storage.models.fields import POSTGRESQL_INDEXES

#: A column's type in DDL: its first word, and its arguments in brackets.
COLUMN_TYPE = re.compile(r"^(\w+)(?:.*?(\(.*\)))?")

#: First word of a column's type in DDL -> PostgreSQL's name for the type.
TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "INTEGER": "integer",
    "JSONB": "jsonb",
    "NUMERIC": "numeric",
    "DECIMAL": "numeric",
    "REAL": "real",
    "TEXT": "text",
    "TIMESTAMPTZ": "timestamp with time zone",
    "SERIAL": "integer",
    "VARCHAR": "character varying",
}


@dataclass(frozen=True)
class Column:
    """A column. ``type`` is PostgreSQL's name for its type (empty on SQLite, whose columns hold any type).

    ``has_default``: the database provides a value if none is given, either a default or a generated id.
    """

    type: str
    null: bool
    has_default: bool = False

    def __str__(self) -> str:
        return f"{self.type}{'' if self.null else ' not null'}".strip()


@dataclass(frozen=True)
class Index:
    """An index: its keys in order, as text, and everything else that determines what it does.

    ``name`` is ignored in comparisons. ``is_target``: upserts use it as the conflict target. ``statement``
    returns the SQL that creates it.
    """

    name: str = field(compare=False)
    keys: tuple[str, ...]
    unique: bool
    method: str = "btree"
    where: str = ""
    is_target: bool = field(default=False, compare=False)
    statement: Callable[[], str] = field(default=str, compare=False)

    @property
    def identity(self) -> tuple[object, ...]:
        """A value that is the same for two indexes that differ only in spelling."""
        return (self.unique, self.method.lower(), tuple(map(normalise, self.keys)), normalise(self.where))

    def __str__(self) -> str:
        using = "" if self.method.lower() == "btree" else f" using {self.method.lower()}"
        where = f" where {self.where}" if self.where else ""
        return f"({', '.join(self.keys)}){using}{where}"


@dataclass
class Table:
    """A table. ``references``: column -> (referenced table, whether the reference is checked at commit)."""

    columns: dict[str, Column] = field(default_factory=dict)
    indexes: list[Index] = field(default_factory=list)
    references: dict[str, tuple[str, bool]] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)


def normalise(text: str) -> str:
    """Return an expression without casts, brackets, quotes and blanks, because databases add their own."""
    return re.sub(r"::[a-z ]+|[()\s\"]", "", text)


def expected_schema(
    database: peewee.Database, models: Iterable[type[peewee.Model]] = APPLICATION
) -> dict[str, Table]:
    """Return the tables of the models (by default, the application's) as ``init`` would create them."""
    return {table_name(model): _table(database, model) for model in models}


def _table(database: peewee.Database, model: type[peewee.Model]) -> Table:
    name, fields, indexes = table_name(model), fields_of(model), indexes_of(model)
    table = Table(columns={field.column_name: _column(database, field) for field in fields})
    if is_postgresql(database):
        indexes += POSTGRESQL_INDEXES.get(model, [])
        table.checks = check_constraints(model)
        table.references = {
            key.column_name: (table_name(key.rel_model), bool(key.deferrable)) for key in foreign_keys(model)
        }
    target = tuple(field.column_name for field in unique_key(model).fields)
    (primary,) = primary_key_fields(model)
    table.indexes = [
        Index(
            name=f"{name}_pkey",
            keys=(primary.column_name,),
            unique=True,
            statement=lambda: f'ALTER TABLE "{name}" ADD PRIMARY KEY ("{primary.column_name}")',
        ),
        *(_index(database, index, target) for index in indexes),
    ]
    return table


def _column(database: peewee.Database, field: peewee.Field) -> Column:
    name, arguments = COLUMN_TYPE.findall(column_type(database, field))[0]
    kind = TYPES[name] + arguments.replace(" ", "") if is_postgresql(database) else ""
    return Column(kind, null=field.null, has_default=field.primary_key)


def _index(database: peewee.Database, index: peewee.ModelIndex, target: tuple[str, ...]) -> Index:
    definition = index_definition(index)
    keys = tuple(_key_text(part) for part in definition.expressions)

    def statement() -> str:
        return compile_query(database, peewee.ValueLiterals(index.safe(False)))[0]

    return Index(
        name=definition.name,
        keys=keys,
        unique=definition.unique,
        method=definition.method or "btree",
        where="" if definition.where is None else statement().partition(" WHERE ")[2],
        is_target=keys == target,
        statement=statement,
    )


def _key_text(part: peewee.Node) -> str:
    """Return a part of an index, a field or an SQL expression, as text."""
    return str(part.column_name if isinstance(part, peewee.Field) else getattr(part, "sql", part))
