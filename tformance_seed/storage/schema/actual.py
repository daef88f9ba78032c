"""The shape of the tables that a database has, from its catalogue. Reads, and changes nothing."""

from collections.abc import Iterable

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.schema.expected import Column, Index, Table

#: Of the tables named, in the schema that statements without one mean.
COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum"""

#: An index that is not valid, such as CREATE INDEX CONCURRENTLY leaves when it fails, serves nothing.
INDEXES = """
    SELECT c.relname, i.relname, x.indisunique, m.amname, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
           array(SELECT pg_get_indexdef(x.indexrelid, k.n::int, true)
                        || CASE WHEN o.opcdefault THEN '' ELSE ' ' || o.opcname END
                 FROM unnest(x.indclass) WITH ORDINALITY k(class, n) JOIN pg_opclass o ON o.oid = k.class
                 ORDER BY k.n)
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am m ON m.oid = i.relam JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relname = ANY(%s) AND x.indisvalid
    ORDER BY c.relname, i.relname"""

CONSTRAINTS = """
    SELECT c.relname, k.contype, a.attname, f.relname, k.condeferred, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class f ON f.oid = k.confrelid
    LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE n.nspname = current_schema() AND c.relname = ANY(%s) AND k.contype IN ('f', 'c')
    ORDER BY c.relname, k.conname"""


def found(database: peewee.Database, names: Iterable[str]) -> dict[str, Table]:
    """The tables of those names that are there."""
    there = table_names(database)
    tables = {name: Table() for name in names if name in there}
    (_postgresql if is_postgresql(database) else _sqlite)(database, tables)
    return tables


def _postgresql(database: peewee.Database, tables: dict[str, Table]) -> None:
    names = (list(tables),)
    for table, name, kind, null, filled in database.execute_sql(COLUMNS, names):
        tables[table].columns[name] = Column(kind, null, filled)
    for table, name, unique, method, where, keys in database.execute_sql(INDEXES, names):
        tables[table].indexes.append(Index(name, tuple(keys), unique, method, where))
    for table, kind, column, parent, deferred, definition in database.execute_sql(CONSTRAINTS, names):
        if kind == "f":
            tables[table].references[column] = (parent, deferred)
        else:
            tables[table].checks.append(definition.removeprefix("CHECK "))


def _sqlite(database: peewee.Database, tables: dict[str, Table]) -> None:
    for name, table in tables.items():
        for column in database.get_columns(name):
            filled = column.default is not None or column.primary_key
            table.columns[column.name] = Column("", column.null and not column.primary_key, filled)
        primary = tuple(database.get_primary_keys(name))
        if primary:
            table.indexes.append(Index(f"{name}_pkey", primary, unique=True))
        for index in database.get_indexes(name):
            where = (index.sql or "").partition(" WHERE ")[2]
            keys = tuple(column or "an expression" for column in index.columns)
            table.indexes.append(Index(index.name, keys, index.unique, where=where))
