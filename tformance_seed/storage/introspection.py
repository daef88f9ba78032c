"""The tables in a database, their names in SQL, and the foreign keys between them.

On PostgreSQL these are the tables that unqualified names refer to, wherever on the search path they are.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, primary_key_columns

#: Foreign keys of all tables that the user may read. A partition's are those of its table.
FOREIGN_KEYS = """
    SELECT CASE WHEN NOT pg_table_is_visible(c.oid) THEN n.nspname::text END, c.relname::text,
           CASE WHEN NOT pg_table_is_visible(p.oid) THEN m.nspname::text END, p.relname::text,
           array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, position)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.position),
           array(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, position)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.position)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace m ON m.oid = p.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2, k.conname"""

#: Columns of a table's primary key in PostgreSQL, in whatever schema it is.
PRIMARY_KEY = """
    SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
    AND a.attnum = ANY(i.indkey) WHERE i.indrelid = %s::regclass AND i.indisprimary"""


def quoted(name: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, order=True)
class TableName:
    """The name of a table, and its schema unless unqualified names refer to that."""

    name: str
    schema: str = ""

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def source(self) -> peewee.Table:
        """Return the table as a part of queries."""
        return peewee.Table(self.name, schema=self.schema or None)


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: columns of a table that refer to as many columns of a parent table."""

    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]


def home_schema(database: peewee.Database, table: str) -> str | None:
    """Return the schema of a table that is there; otherwise the one in which PostgreSQL creates tables.

    None on SQLite, and if no schema on the search path exists.
    """
    if not is_postgresql(database):
        return None
    found = (
        "SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = to_regclass(%s)), current_schema())"
    )
    ((schema,),) = execute_sql(database, found, (quoted(table),))
    return schema if schema is None else str(schema)


#: Tables that unqualified names refer to, except for the system's and for temporary ones.
VISIBLE_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')"""


def table_names(database: peewee.Database) -> set[str]:
    """Return the names of the tables that unqualified names refer to."""
    if not is_postgresql(database):
        return set(database.get_tables())
    return {name for (name,) in execute_sql(database, VISIBLE_TABLES)}


def row_identifier(database: peewee.Database, table: TableName) -> str:
    """Return the column that identifies a table's rows: its primary key, or the position of the row."""
    if is_postgresql(database):
        name = ".".join(quoted(part) for part in (table.schema, table.name) if part)
        key = [column for (column,) in execute_sql(database, PRIMARY_KEY, (name,))]
    else:
        key = list(primary_key_columns(database, table.name))
    position = "ctid" if is_postgresql(database) else "rowid"
    return key[0] if len(key) == 1 else position


def foreign_keys(database: peewee.Database) -> list[ForeignKey]:
    """Return the foreign keys in a database, from its own catalogue."""
    return list((_postgresql_keys if is_postgresql(database) else _sqlite_keys)(database))


def referred_to(database: peewee.Database, table: TableName, rows: Collection[int]) -> set[int]:
    """Return those of the given rows of a table, by their ids, to which any row in the database refers."""
    found: set[int] = set()
    for key in foreign_keys(database) if rows else ():
        if key.parent == table and key.parent_columns == ("id",):
            child = key.table.source()
            column = getattr(child.c, key.columns[0])
            query = peewee.Select([child], [column]).where(column.in_(list(rows)))
            found |= {number for (number,) in query.tuples().execute(database)}
    return found


def _postgresql_keys(database: peewee.Database) -> Iterator[ForeignKey]:
    for schema, name, parent_schema, parent, columns, parent_columns in execute_sql(database, FOREIGN_KEYS):
        child = TableName(name, schema or "")
        yield ForeignKey(child, tuple(columns), TableName(parent, parent_schema or ""), tuple(parent_columns))


def _sqlite_keys(database: peewee.Database) -> Iterator[ForeignKey]:
    for name in sorted(table_names(database)):
        keys: dict[int, list[tuple[str, str, str | None]]] = {}
        for number, _, parent, column, parent_column, *_ in execute_sql(
            database, f"PRAGMA foreign_key_list({quoted(name)})"
        ):
            keys.setdefault(number, []).append((parent, column, parent_column))
        for parts in keys.values():
            parent = parts[0][0]
            implied = primary_key_columns(database, parent)  # where the key names no columns of its parent
            yield ForeignKey(
                TableName(name),
                tuple(column for _, column, _ in parts),
                TableName(parent),
                tuple(named or implied[place] for place, (_, _, named) in enumerate(parts)),
            )
