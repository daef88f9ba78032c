"""A database's actual schema, read from its system catalogue."""

from collections.abc import Iterable

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, primary_key_columns
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.schema.expected import Column, Index, Table

#: Columns of the given tables, to which unqualified names refer.
COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum"""

#: Valid indexes only: an invalid one, left behind by a failed CREATE INDEX CONCURRENTLY, is not used.
INDEXES = """
    SELECT c.relname, i.relname, x.indisunique, m.amname, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
           array(SELECT pg_get_indexdef(x.indexrelid, k.n::int, true)
                        || CASE WHEN o.opcdefault THEN '' ELSE ' ' || o.opcname END
                 FROM unnest(x.indclass) WITH ORDINALITY k(class, n) JOIN pg_opclass o ON o.oid = k.class
                 ORDER BY k.n)
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am m ON m.oid = i.relam
    WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND x.indisvalid
    ORDER BY c.relname, i.relname"""

#: Foreign keys and checks.
CONSTRAINTS = """
    SELECT c.relname, k.contype, a.attname, f.relname, k.condeferred, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_class f ON f.oid = k.confrelid
    LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND k.contype IN ('f', 'c')
    ORDER BY c.relname, k.conname"""


def introspect(database: peewee.Database, names: Iterable[str]) -> dict[str, Table]:
    """Return the schema of those of the given tables that exist in the database; only reads."""
    there = table_names(database)
    tables = {name: Table() for name in names if name in there}
    (_postgresql if is_postgresql(database) else _sqlite)(database, tables)
    return tables


def _postgresql(database: peewee.Database, tables: dict[str, Table]) -> None:
    names = (list(tables),)
    for table, name, kind, null, has_default in execute_sql(database, COLUMNS, names):
        tables[table].columns[name] = Column(kind, null, has_default)
    for table, name, unique, method, where, keys in execute_sql(database, INDEXES, names):
        tables[table].indexes.append(Index(name, tuple(keys), unique, method, where))
    for table, kind, column, parent, deferred, definition in execute_sql(database, CONSTRAINTS, names):
        if kind == "f":
            tables[table].references[column] = (parent, deferred)
        else:
            tables[table].checks.append(definition.removeprefix("CHECK "))


def _sqlite(database: peewee.Database, tables: dict[str, Table]) -> None:
    for name, table in tables.items():
        for column in database.get_columns(name):
            has_default = column.default is not None or column.primary_key
            table.columns[column.name] = Column("", column.null and not column.primary_key, has_default)
        primary = primary_key_columns(database, name)
        if primary:
            table.indexes.append(Index(f"{name}_pkey", primary, unique=True))
        for index in database.get_indexes(name):
            where = (index.sql or "").partition(" WHERE ")[2]
            keys = tuple(column or "an expression" for column in index.columns)
            table.indexes.append(Index(index.name, keys, index.unique, where=where))
