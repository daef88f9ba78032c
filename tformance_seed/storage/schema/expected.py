"""The shape of a table: columns, indexes, foreign keys, checks; and the shape that the models want."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import peewee

from tformance_seed.bulk import unique_key
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.models import APPLICATION
from tformance_seed.storage.models.fields import POSTGRESQL_INDEXES

#: First word of a column's type in a model -> what PostgreSQL calls it.
TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "INTEGER": "integer",
    "JSONB": "jsonb",
    "NUMERIC": "numeric",
    "DECIMAL": "numeric",
    "TEXT": "text",
    "TIMESTAMPTZ": "timestamp with time zone",
    "SERIAL": "integer",
    "VARCHAR": "character varying",
}


@dataclass(frozen=True)
class Column:
    """A column: its type in PostgreSQL's words (empty on SQLite, which holds anything anywhere).

    ``filled``: the database fills it where nothing is given, by a default or a number.
    """

    type: str
    null: bool
    filled: bool = False

    def __str__(self) -> str:
        return f"{self.type}{'' if self.null else ' not null'}".strip()


@dataclass(frozen=True)
class Index:
    """An index: its keys in order, as text, and what else tells it from others. Names are free.

    ``target``: rows are upserted by it. ``statement``: writes what makes it.
    """

    name: str = field(compare=False)
    keys: tuple[str, ...]
    unique: bool
    method: str = "btree"
    where: str = ""
    target: bool = field(default=False, compare=False)
    statement: Callable[[], str] = field(default=str, compare=False)

    @property
    def identity(self) -> tuple[object, ...]:
        """What two indexes have in common that are the same but for their spelling."""
        return (self.unique, self.method.lower(), tuple(map(spelling, self.keys)), spelling(self.where))

    def __str__(self) -> str:
        using = "" if self.method.lower() == "btree" else f" using {self.method.lower()}"
        where = f" where {self.where}" if self.where else ""
        return f"({', '.join(self.keys)}){using}{where}"


@dataclass
class Table:
    """A table. ``references``: column -> (table that it refers to, whether that is checked at commit)."""

    columns: dict[str, Column] = field(default_factory=dict)
    indexes: list[Index] = field(default_factory=list)
    references: dict[str, tuple[str, bool]] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)


def spelling(text: str) -> str:
    """An expression without casts, brackets, quotes and blanks, of which databases put in their own."""
    return re.sub(r"::[a-z ]+|[()\s\"]", "", text)


def wanted(database: peewee.Database, models: Iterable[type[peewee.Model]] = APPLICATION) -> dict[str, Table]:
    """The shape of tables, by default the application's, as ``init`` makes them on this kind of database."""
    return {model._meta.table_name: _table(database, model) for model in models}


def _table(database: peewee.Database, model: type[peewee.Model]) -> Table:
    postgresql = is_postgresql(database)
    meta = model._meta
    indexes = list(meta.fields_to_index())
    table = Table(columns={item.column_name: _column(database, item) for item in meta.sorted_fields})
    if postgresql:
        indexes += POSTGRESQL_INDEXES.get(model, [])
        table.checks = [check.sql.removeprefix("CHECK ") for check in meta.constraints or ()]
        table.references = {
            item.column_name: (item.rel_model._meta.table_name, bool(item.deferrable))
            for item in meta.sorted_fields
            if isinstance(item, peewee.ForeignKeyField)
        }
    target = tuple(item.column_name for item in unique_key(model).fields)
    primary = meta.primary_key.column_name
    table.indexes = [
        Index(
            name=f"{meta.table_name}_pkey",
            keys=(primary,),
            unique=True,
            statement=lambda: f'ALTER TABLE "{meta.table_name}" ADD PRIMARY KEY ("{primary}")',
        ),
        *(_index(database, index, target) for index in indexes),
    ]
    return table


def _column(database: peewee.Database, item: peewee.Field) -> Column:
    declared = item.ddl_datatype(database.get_sql_context()).sql
    name, arguments = re.match(r"(\w+)(?:.*?(\(.*\)))?", declared).groups()  # type: ignore[union-attr]
    kind = TYPES[name] + (arguments or "").replace(" ", "") if is_postgresql(database) else ""
    return Column(kind, null=item.null, filled=item.primary_key)


def _index(database: peewee.Database, index: peewee.ModelIndex, target: tuple[str, ...]) -> Index:
    keys = tuple(
        part.column_name if isinstance(part, peewee.Field) else part.sql for part in index._expressions
    )

    def statement() -> str:
        sql, _ = database.get_sql_context().sql(peewee.ValueLiterals(index.safe(False))).query()
        return sql

    return Index(
        name=index._name,
        keys=keys,
        unique=index._unique,
        method=index._using or "btree",
        where="" if index._where is None else statement().partition(" WHERE ")[2],
        target=keys == target,
        statement=statement,
    )
